//! Connections that may write, for the program's own state. No text from a model ever runs on one.

use std::time::Duration;

use deadpool_postgres::tokio_postgres::{self, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use crate::warehouse::Error;
use crate::warehouse::postgres::{self, failure, tls};

/// Time-out of an attempt to connect if the URL has no `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server to which writable connections can be made.
#[derive(Clone)]
pub(crate) struct Writable {
    address: Address,
    connector: MakeRustlsConnect,
}

impl std::fmt::Debug for Writable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Writable").field("place", &self.address.place).finish_non_exhaustive()
    }
}

impl Writable {
    /// Parses `url` as [`postgres::connect`] does, without connecting.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let address = Address::parse(url, &|name| std::env::var(name).ok(), CONNECT_TIMEOUT)?;
        let connector = tls::connector(address.ssl_mode, address.root_certificates.as_ref())?;
        Ok(Self { address, connector })
    }

    /// Opens a connection, which ends when its client is dropped.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let connect_timeout = self.address.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        postgres::dial(&self.address, &self.connector, connect_timeout).await.map(|(client, _)| client)
    }
}

/// Returns the error as one line, with SQLSTATE, detail and hint if the database reported them.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    failure::describe(error)
}
