//! A TCP proxy of one test's own, which cuts connections when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::server::by_way_of;

pub(super) struct Proxy {
    address: SocketAddr,
    /// Counts the cuts; every connection ends at the next one.
    cuts: watch::Sender<u32>,
    /// Bytes from the server that still pass before a cut.
    budget: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, _) = watch::channel(0);
        let budget = Arc::new(AtomicUsize::new(usize::MAX));
        let (server, sender, shared) = (server.to_owned(), cuts.clone(), Arc::clone(&budget));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else { continue };
                tokio::spawn(carry(near, far, sender.subscribe(), Arc::clone(&shared)));
            }
        });
        Self { address, cuts, budget }
    }

    /// `url` by way of the proxy.
    pub(super) fn url(&self, url: &str) -> String {
        by_way_of(self.address, url)
    }

    /// Cuts all connections there are.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts the connection over which the server sends the last of so many further bytes.
    pub(super) fn cut_after(&self, bytes: usize) {
        self.budget.store(bytes, Ordering::SeqCst);
    }
}

async fn carry(near: TcpStream, far: TcpStream, mut cut: watch::Receiver<u32>, budget: Arc<AtomicUsize>) {
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let unlimited = Arc::new(AtomicUsize::new(usize::MAX));
    tokio::select! {
        () = copy(near_read, far_write, unlimited) => {}
        () = copy(far_read, near_write, budget) => {}
        _ = cut.changed() => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, budget: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let left = budget.load(Ordering::SeqCst);
        if left < count {
            budget.store(usize::MAX, Ordering::SeqCst);
            return;
        }
        if left < usize::MAX {
            budget.store(left - count, Ordering::SeqCst);
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
