//! A relay between the program and the server, which sees each message that the program sends.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::support::server::{by_way_of, variable};

/// A message of PostgreSQL's protocol, version 3. What a connection begins with has the tag 0.
pub(crate) struct Message {
    pub(crate) tag: u8,
    body: Vec<u8>,
}

impl Message {
    /// Waits for the next one; `None` where the connection ended, within a message too.
    fn read(from: &mut impl Read, has_tag: bool) -> Option<Self> {
        let mut tag = [0];
        if has_tag {
            from.read_exact(&mut tag).ok()?;
        }
        let mut length = [0; 4];
        from.read_exact(&mut length).ok()?;
        // The length counts itself.
        let mut body = vec![0; u32::from_be_bytes(length) as usize - length.len()];
        from.read_exact(&mut body).ok()?;
        Some(Self { tag: tag[0], body })
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = if self.tag == 0 { Vec::new() } else { vec![self.tag] };
        bytes.extend((u32::try_from(self.body.len()).unwrap() + 4).to_be_bytes());
        bytes.extend(&self.body);
        to.write_all(&bytes)
    }

    /// The text of a `Query`, and of a `Parse` after the statement's name.
    pub(crate) fn statement(&self) -> Option<String> {
        let place = match self.tag {
            b'Q' => 0,
            b'P' => 1,
            _ => return None,
        };
        self.body.split(|byte| *byte == 0).nth(place).map(|text| String::from_utf8_lossy(text).into_owned())
    }
}

/// Carries connections to the server.
pub(crate) struct Relay {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Relay {
    /// `watch` makes what sees the messages of one connection, and says of each whether it reaches the server.
    pub(crate) fn start<W>(mut watch: impl FnMut() -> W + Send + 'static) -> Self
    where
        W: FnMut(&Message) -> bool + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::clone(&connections);
        thread::spawn(move || {
            for near in listener.incoming().map(Result::unwrap) {
                let far = TcpStream::connect(format!("{}:{}", variable("PGHOST"), variable("PGPORT"))).unwrap();
                // Small messages that wait for each other's receipt would take 40 ms each.
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                }
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let watch = watch();
                open.lock().unwrap().push(thread::spawn(move || ask(near, &far, watch)));
                thread::spawn(move || answer(far_again, near_again));
            }
        });
        Self { address, connections }
    }

    /// `url` by way of the relay.
    pub(crate) fn url(&self, url: &str) -> String {
        by_way_of(self.address, url)
    }

    /// Waits until all that was said by a program that has ended was seen.
    pub(crate) fn finish(&self) {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap());
        for connection in connections {
            connection.join().unwrap();
        }
    }
}

/// Goes on reading when nothing passes any more, as a server does that is slow. Ends the connection as the system does
/// when a process is gone.
fn ask(near: TcpStream, mut far: &TcpStream, mut watch: impl FnMut(&Message) -> bool) {
    let mut near = BufReader::new(near);
    let mut has_tag = false;
    while let Some(message) = Message::read(&mut near, has_tag) {
        has_tag = true;
        if watch(&message) {
            let _ = message.write(&mut far);
        }
    }
    let _ = far.shutdown(Shutdown::Both);
}

fn answer(mut far: TcpStream, mut near: TcpStream) {
    let _ = io::copy(&mut far, &mut near);
    let _ = near.shutdown(Shutdown::Both);
}
