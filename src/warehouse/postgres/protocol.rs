//! What a PostgreSQL server and the embedded PostgreSQL do alike: every question is one statement in a transaction of its
//! own.
//!
//! The program's own statements (introspection, plans, diagnosis) are `&'static str`, so no text from a model can be among
//! them.

use std::time::Duration;

use async_trait::async_trait;

use super::session::{Parameters, Statement, Verb};
use super::{code, diagnosis, introspect, plan};
use crate::warehouse::catalog::{self, Introspected, Selection};
use crate::warehouse::sql::Select;
use crate::warehouse::table::Table;
use crate::warehouse::{Database, Encryption, Error, Limits, Product, Proof, PublicRights, Server};

/// The bounds of the program's own statements, which read the catalogue of a database of any size. A cell may hold all
/// columns of a table as one document, so only the bytes of all cells together bound it.
pub(in crate::warehouse) const OWN_LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 1_000_000,
    cell_characters_max: 256 << 20,
    bytes_max: 256 << 20,
    plan_cost_max: None,
};

/// Runs statements on a PostgreSQL.
#[async_trait]
pub(in crate::warehouse) trait Postgres: Send + Sync + std::fmt::Debug {
    fn server(&self) -> &Server;

    fn connections_max(&self) -> usize;

    async fn run(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error>;

    async fn close(&self);
}

/// Runs a read-only statement of the program's own, whose parameters are all of type `text[]`.
pub(in crate::warehouse) async fn own(
    database: &dyn Postgres,
    text: &'static str,
    parameters: &[&[String]],
) -> Result<Table, Error> {
    let statement = Statement { text, parameters: Parameters::Lists(parameters), verb: Verb::Run, made_bytes: 0.0 };
    database.run(&statement, &OWN_LIMITS).await
}

#[async_trait]
impl<P: Postgres> Database for P {
    fn server(&self) -> &Server {
        Postgres::server(self)
    }

    fn connections_max(&self) -> usize {
        Postgres::connections_max(self)
    }

    async fn introspect(&self, selection: &Selection) -> Result<Introspected, catalog::Error> {
        introspect::introspect(self, selection).await
    }

    async fn version(&self) -> Result<String, Error> {
        code::version(self).await
    }

    async fn prove(&self, select: &Select, limits: &Limits) -> Result<Proof, Error> {
        plan::prove(self, select, limits).await
    }

    async fn select(&self, select: &Select, limits: &Limits) -> Result<Table, Error> {
        let (text, parameters) = (select.text(), Parameters::of(select));
        let statement = Statement { text, parameters, verb: Verb::Run, made_bytes: select.made_bytes() };
        self.run(&statement, limits).await
    }

    async fn cluster(&self) -> Result<Option<String>, Error> {
        diagnosis::cluster(self).await
    }

    async fn encryption(&self) -> Result<Encryption, Error> {
        diagnosis::encryption(self).await
    }

    async fn product(&self) -> Result<Product, Error> {
        diagnosis::product(self).await
    }

    async fn public_rights(&self) -> Result<PublicRights, Error> {
        diagnosis::public_rights(self).await
    }

    async fn is_running(&self, mark: &str) -> Result<bool, Error> {
        diagnosis::is_running(self, mark).await
    }

    async fn close(&self) {
        Postgres::close(self).await;
    }
}
