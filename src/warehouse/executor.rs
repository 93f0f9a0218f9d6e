//! The executor: text that a model or a person wrote -> the validator -> the database. Every command that runs such a
//! text does it here, so that there is one path to look at.
//!
//! What a text may read and call follows from the database's catalog, which is read once and kept. Whether it still holds
//! is asked before a text is validated, at most once in [`CHECK_INTERVAL`], and it is read again where it does not. Between
//! that question and the execution the schema may change: what then stands in the way of somebody's new code is the
//! transaction and the role, not the validator.

mod newest;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::catalog::{self, Catalog, Code, Introspected, Marked, Selection};
use super::sql::{self, Allowed, Policy, Refusal, Select, Unseen};
use super::table::Table;
use crate::warehouse::{self, Database, Limits};

/// How long what was read of the catalog is trusted without asking.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How the warning begins that names relations which may not be read.
pub const LEFT_OUT: &str = "left out: ";
/// Relations named in one warning.
const NAMED_MAX: usize = 5;

/// What the configuration says of the relations and the code of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The relations that may be read.
    pub selection: Selection,
    /// Schemas that an unqualified name is looked for in, after `pg_catalog`.
    pub search_path: Vec<String>,
    /// What the owner of the database allows by name.
    pub allowed: Allowed,
    /// The columns that people marked as sensitive.
    pub sensitive: BTreeSet<Marked>,
}

impl Rules {
    fn is_sensitive(&self, schema: &str, table: &str, column: &str) -> bool {
        let marked = |schema: Option<&str>| Marked {
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
            column: column.to_owned(),
        };
        !self.sensitive.is_empty()
            && (self.sensitive.contains(&marked(None)) || self.sensitive.contains(&marked(Some(schema))))
    }
}

impl Rules {
    /// A mark that marks nothing is an error: the column that was meant would be shown.
    fn check_marks(&self, code: &Code) -> Result<(), catalog::Error> {
        let is_there = |marked: &&Marked| {
            code.columns.iter().any(|((schema, name), columns)| {
                *name == marked.table
                    && marked.schema.as_ref().is_none_or(|wanted| wanted == schema)
                    && columns.contains(&marked.column)
            })
        };
        let in_vain = self.sensitive.iter().filter(|marked| !is_there(marked)).map(ToString::to_string);
        let in_vain = in_vain.collect::<Vec<_>>().join(", ");
        if in_vain.is_empty() { Ok(()) } else { Err(catalog::Error::MarksNothing(in_vain)) }
    }
}

/// The one path from a text to a database.
#[derive(Debug)]
pub struct Executor {
    /// The database.
    pub database: Arc<dyn Database>,
    /// The bounds of one query.
    pub limits: Limits,
    /// The relations that are not in the catalog on purpose, as (schema, name).
    pub left_out: Vec<(String, String)>,
    rules: Rules,
    known: Mutex<Known>,
}

/// What is known of the catalog.
#[derive(Debug, Clone)]
struct Known {
    policy: Arc<Policy>,
    version: String,
    checked: Instant,
}

impl Executor {
    /// Reads the catalog, and with it what may be read and called. What may not be read is not in the catalog that comes
    /// back; what the user should know of it is among the warnings.
    pub async fn open(
        database: Arc<dyn Database>,
        rules: Rules,
        limits: Limits,
    ) -> Result<(Self, Introspected), catalog::Error> {
        let checked = Instant::now();
        let (read, version) = tokio::join!(read(&*database, &rules), database.version());
        let ((policy, mut introspected), version) = (read?, version?);
        introspected.warnings.extend(left_out(&policy, &introspected.catalog));
        let is_refused =
            |table: &mut crate::warehouse::catalog::Table| policy.refusal(&table.schema, &table.name).is_some();
        let refused = introspected.catalog.tables.extract_if(.., is_refused);
        introspected.left_out.extend(refused.map(|table| (table.schema, table.name)));
        let known = Mutex::new(Known { policy: Arc::new(policy), version, checked });
        let left_out = introspected.left_out.clone();
        Ok((Self { database, limits, left_out, rules, known }, introspected))
    }

    /// What a SELECT may read and call.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.known().policy)
    }

    /// Makes a SELECT of a text, or says why not.
    pub async fn validate(&self, text: &str) -> Result<Select, Refusal> {
        self.refresh_or_warn().await;
        sql::validate(text, &self.policy())
    }

    /// The same for a text in which `$1` and `$2` stand for a time range, which [`Select::between`] binds.
    pub async fn validate_with_range(&self, text: &str) -> Result<Select, Refusal> {
        self.refresh_or_warn().await;
        sql::validate_with_range(text, &self.policy())
    }

    /// Runs a SELECT, for no longer than `time_left`, or a second where less is left.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Table, warehouse::Error> {
        let timeout = self.limits.timeout.min(time_left.max(Duration::from_secs(1)));
        self.run_within(select, &Limits { timeout, ..self.limits }).await
    }

    /// Runs a SELECT within other bounds.
    pub async fn run_within(&self, select: &Select, limits: &Limits) -> Result<Table, warehouse::Error> {
        self.database.select(select, limits).await
    }

    async fn refresh_or_warn(&self) {
        if let Err(error) = self.refresh().await {
            // The text runs into the same trouble, and whoever sent it is told then.
            tracing::warn!(%error, "the catalog could not be read again, what was known of it is taken to hold");
        }
    }

    /// Reads the catalog again if it changed.
    async fn refresh(&self) -> Result<(), catalog::Error> {
        let checked = Instant::now();
        {
            let mut known = self.known();
            if checked.duration_since(known.checked) < CHECK_INTERVAL {
                return Ok(());
            }
            known.checked = checked;
        }
        let version = self.database.version().await?;
        if version == self.known().version {
            return Ok(());
        }
        tracing::info!("the schema has changed and is read again");
        let (policy, _) = read(&*self.database, &self.rules).await?;
        *self.known() = Known { policy: Arc::new(policy), version, checked };
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(database: &dyn Database, rules: &Rules) -> Result<(Policy, Introspected), catalog::Error> {
    let mut introspected = database.introspect(&rules.selection).await?;
    rules.check_marks(&introspected.code)?;
    let excludes = |schema: &str, name: &str| rules.selection.excludes(schema, name);
    let is_sensitive = |schema: &str, table: &str, column: &str| rules.is_sensitive(schema, table, column);
    let unseen = Unseen { excludes: &excludes, is_sensitive: &is_sensitive };
    let policy =
        Policy::new(&introspected.catalog, &introspected.code, rules.search_path.clone(), &rules.allowed, unseen);
    introspected.catalog.withhold(|schema, table, column| policy.is_sensitive(schema, table, column));
    Ok((policy, introspected))
}

/// What to tell of the relations that are left out.
fn left_out(policy: &Policy, catalog: &Catalog) -> Option<String> {
    let reason = |table: &crate::warehouse::catalog::Table| {
        let reason = policy.refusal(&table.schema, &table.name)?;
        Some(format!("{}.{} {reason}", table.schema, table.name))
    };
    let reasons = catalog.tables.iter().filter_map(reason).collect::<Vec<_>>();
    let more = match reasons.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = reasons.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join("; ");
    (!reasons.is_empty()).then(|| format!("{LEFT_OUT}{named}{more}"))
}
