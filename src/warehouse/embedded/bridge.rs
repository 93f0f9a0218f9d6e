//! Connects the driver to the embedded engine by a pipe. The engine has no socket: it takes and returns protocol
//! messages.

use std::io;
use std::pin::Pin;

use deadpool_postgres::Connect;
use deadpool_postgres::tokio_postgres::{self, Client, NoTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Engine;
use crate::warehouse::postgres::spawn;

/// Bytes that the pipe between the engine and the driver holds at most.
const PIPE_BYTES: usize = 1 << 16;
/// Chunks of an answer that are buffered before the engine waits for the reader.
const CHUNKS_MAX: usize = 16;

/// Makes connections to the engine and applies the session's settings.
pub(super) struct Dial {
    pub(super) engine: Engine,
    pub(super) settings: String,
}

impl Connect for Dial {
    fn connect(
        &self,
        config: &tokio_postgres::Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, task) = bridge(&self.engine, &config).await?;
            // The engine has a single session, and the previous connection may have left it in the middle of a
            // transaction.
            client.batch_execute("ROLLBACK").await?;
            client.batch_execute("DISCARD ALL").await?;
            client.batch_execute(&self.settings).await?;
            Ok((client, task))
        })
    }
}

/// Returns a client of the driver that is connected to the engine by a pipe.
pub(super) async fn bridge(
    engine: &Engine,
    config: &tokio_postgres::Config,
) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let engine = engine.clone();
    tokio::spawn(async move {
        if let Err(error) = serve(engine, far).await {
            tracing::debug!(%error, "bridge to the embedded engine ended");
        }
    });
    let (client, connection) = config.connect_raw(near, NoTls).await?;
    Ok((client, spawn(connection)))
}

/// Forwards requests to the engine, and its answers to the driver, until the driver disconnects.
async fn serve(engine: Engine, pipe: DuplexStream) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(pipe);
    read_startup(&mut reader).await?;
    writer.write_all(&welcome()).await?;
    while let Some(request) = read_request(&mut reader).await? {
        let (sender, mut chunks) = mpsc::channel::<Vec<u8>>(CHUNKS_MAX);
        let on_chunk = move |chunk: &[u8]| sender.blocking_send(chunk.to_vec());
        let (ran, written) = tokio::join!(
            engine.database.exec_protocol_raw_stream(request, on_chunk),
            forward(&mut chunks, &mut writer)
        );
        ran.map_err(|error| {
            engine.fails();
            io::Error::other(error.to_string())
        })?;
        written?;
    }
    Ok(())
}

async fn forward(chunks: &mut mpsc::Receiver<Vec<u8>>, writer: &mut WriteHalf<DuplexStream>) -> io::Result<()> {
    let mut result = Ok(());
    while let Some(chunk) = chunks.recv().await {
        // After the driver has disconnected, the rest of the answer is still read, because the engine waits for its
        // reader.
        if result.is_ok() {
            result = writer.write_all(&chunk).await;
        }
    }
    result
}

async fn read_startup(reader: &mut ReadHalf<DuplexStream>) -> io::Result<()> {
    let length = reader.read_u32().await?;
    let mut message = vec![0; (length as usize).saturating_sub(4)];
    reader.read_exact(&mut message).await.map(drop)
}

/// Returns the messages that a server sends after a login: no password is required, the encoding that the driver reads,
/// an empty key for cancel requests, and that the server is idle.
fn welcome() -> Vec<u8> {
    let mut bytes = message(b'R', &0_u32.to_be_bytes());
    bytes.extend(message(b'S', b"client_encoding\0UTF8\0"));
    bytes.extend(message(b'K', &[0; 8]));
    bytes.extend(message(b'Z', b"I"));
    bytes
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut bytes = vec![tag];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Reads messages up to one that the engine answers: a Sync or a simple query. Returns `None` if the driver has
/// disconnected.
async fn read_request(reader: &mut ReadHalf<DuplexStream>) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    loop {
        let tag = match reader.read_u8().await {
            Ok(b'X') => return Ok(None),
            Ok(tag) => tag,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = reader.read_u32().await?;
        let start = request.len();
        request.push(tag);
        request.extend(length.to_be_bytes());
        request.resize(start + 1 + (length as usize).max(4), 0);
        reader.read_exact(&mut request[start + 5..]).await?;
        if matches!(tag, b'S' | b'Q') {
            return Ok(Some(request));
        }
    }
}
