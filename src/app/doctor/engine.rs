//! Recognises the engines that speak PostgreSQL's protocol, and lists the features that each of them lacks.
//!
//! An engine is recognised by its version text or by objects that only it has. The missing features are taken from its
//! documentation and were not measured. Only PostgreSQL and the embedded engine are tested.

use super::Check;
use crate::warehouse::Product;

/// A database engine that speaks PostgreSQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    PostgreSql,
    Aurora,
    AlloyDb,
    Citus,
    Greenplum,
    Redshift,
    CockroachDb,
    YugabyteDb,
}

impl Engine {
    /// Recognises the engine from what it reports about itself.
    pub fn of(product: &Product) -> Self {
        let version = product.version.to_lowercase();
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        if version.contains("redshift") {
            Self::Redshift
        } else if version.contains("cockroachdb") {
            Self::CockroachDb
        } else if version.contains("greenplum") {
            Self::Greenplum
        } else if version.contains("-yb-") {
            Self::YugabyteDb
        } else if has(&product.functions, "aurora_version") {
            Self::Aurora
        } else if ["alloydb", "google_columnar_engine"].iter().any(|prefix| has(&product.setting_prefixes, prefix)) {
            Self::AlloyDb
        } else if has(&product.extensions, "citus") {
            Self::Citus
        } else {
            Self::PostgreSql
        }
    }

    /// Returns the product's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PostgreSql => "PostgreSQL",
            Self::Aurora => "Amazon Aurora",
            Self::AlloyDb => "AlloyDB",
            Self::Citus => "Citus",
            Self::Greenplum => "Greenplum",
            Self::Redshift => "Amazon Redshift",
            Self::CockroachDb => "CockroachDB",
            Self::YugabyteDb => "YugabyteDB",
        }
    }

    /// Returns the missing features that the program relies on; `None` if none is known to be missing.
    pub fn lacks(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql | Self::Aurora | Self::AlloyDb => None,
            Self::Citus => Some(
                "statistics of distributed tables are on the workers, so ranges and common values may be unknown here; \
                 across nodes it supports no recursive WITH, no GROUPING SETS and no TABLESAMPLE, and correlated \
                 subqueries and outer joins only on the distribution column",
            ),
            Self::Greenplum => Some(
                "it descends from PostgreSQL 9.4 to 12, without client_connection_check_interval: the query of a client \
                 that died runs to its time limit",
            ),
            Self::Redshift => Some(
                "it descends from PostgreSQL 8.0, without VALUES lists as tables, arrays, row constructors and many \
                 functions and catalogs that queries and the catalogue checks use: it is not supported",
            ),
            Self::CockroachDb => Some(
                "pg_stats is empty or missing and the planner's costs are its own, so ranges are unknown and \
                 --max-plan-cost stops nothing",
            ),
            Self::YugabyteDb => Some(
                "it descends from PostgreSQL 11 or 15, without XML functions and table inheritance, and the planner's costs \
                 are not PostgreSQL's: set --max-plan-cost",
            ),
        }
    }

    pub(super) fn check(self, version: &str) -> Check {
        let name = self.name();
        match self.lacks() {
            None => Check::ok("engine", name),
            Some(lacks) => Check::warning(
                "engine",
                format!("{name} ({version}): {lacks}"),
                "`explore doctor --attack` and `explore sql` show which of the protections work here",
            ),
        }
    }
}
