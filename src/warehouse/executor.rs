//! The executor validates SQL text that a model or a person wrote, and runs it. Every command that runs such text uses
//! it, so that there is a single path to review.
//!
//! The policy, which says what a text may read and call, follows from the database's catalog. The catalog is read once
//! and kept. Before a text is validated, at most once per [`CHECK_INTERVAL`], the executor checks whether the schema
//! has changed, and if so reads the catalog again. The schema may still change between that check and the execution.
//! Then only the transaction and the role protect against new code in the database, not the validator.

mod aggregate;
mod mask;
mod newest;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::aggregate::Guard;
use super::catalog::{self, Catalog, Code, Introspected, MarkedColumn, Personal, Selection};
use super::privacy::{self, Marks, Masker, Mode, Privacy, errors};
use super::sql::{self, Allowed, Policy, Refusal, Select, Unseen};
use super::table::Table;
use crate::warehouse::{self, Database, Limits};

/// The time for which the catalog is used without a check whether the schema has changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The beginning of the warning that lists the relations that may not be read.
pub const LEFT_OUT: &str = "left out: ";
/// The most relations that the warning lists.
const NAMED_MAX: usize = 5;

/// The rules of the configuration and the metadata on the relations and the code of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    pub selection: Selection,
    /// The schemas in which an unqualified name is looked up, after `pg_catalog`.
    pub search_path: Vec<String>,
    /// The functions, views and operators that the owner of the database allows by name.
    pub allowed: Allowed,
    /// The columns that the metadata marks as sensitive.
    pub sensitive: BTreeSet<MarkedColumn>,
    /// How personal data are treated.
    pub privacy: Privacy,
}

impl Rules {
    fn is_sensitive(&self, schema: &str, table: &str, column: &str) -> bool {
        let marked = |schema: Option<&str>| MarkedColumn {
            schema: schema.map(str::to_owned),
            table: table.to_owned(),
            column: column.to_owned(),
        };
        !self.sensitive.is_empty()
            && (self.sensitive.contains(&marked(None)) || self.sensitive.contains(&marked(Some(schema))))
    }
}

impl Rules {
    /// Rejects marks of columns that do not exist. Otherwise the column that the author meant would be shown.
    fn check_marks(&self, code: &Code) -> Result<(), catalog::Error> {
        let is_there = |marked: &&MarkedColumn| {
            code.columns.iter().any(|((schema, name), columns)| {
                *name == marked.table
                    && marked.schema.as_ref().is_none_or(|wanted| wanted == schema)
                    && columns.contains(&marked.column)
            })
        };
        let of_privacy = self.privacy.marks.kept_out().filter(|_| self.privacy.mode != Mode::Full);
        let marked = self.sensitive.iter().chain(of_privacy);
        let in_vain = marked.filter(|marked| !is_there(marked)).map(ToString::to_string);
        let in_vain = in_vain.collect::<Vec<_>>().join(", ");
        if in_vain.is_empty() { Ok(()) } else { Err(catalog::Error::MarksNothing(in_vain)) }
    }
}

/// The only path from SQL text to a database.
#[derive(Debug)]
pub struct Executor {
    pub database: Arc<dyn Database>,
    /// The limits of one query.
    pub limits: Limits,
    /// The relations that are left out of the catalog on purpose, as (schema, name).
    pub left_out: Vec<(String, String)>,
    /// Results that are on record, by statement: a run that goes on does not ask for them again.
    pub recorded: HashMap<String, Table>,
    /// What makes tokens of personal data; `None` if they are shown.
    pub masker: Option<Arc<Masker>>,
    /// The values of personal columns that the planner's statistics tell, by which they are found in texts.
    known_values: Vec<(Personal, String)>,
    rules: Rules,
    known: Mutex<Known>,
    guard: Guard,
}

/// The policy, with the version of the schema that it was built from.
#[derive(Debug, Clone)]
struct Known {
    policy: Arc<Policy>,
    /// The policy of statements of the engine's own, whose results nobody sees: personal data that nobody marked as
    /// sensitive may be tested there.
    own: Arc<Policy>,
    version: String,
    /// The time of the last check whether the schema has changed.
    checked: Instant,
}

impl Executor {
    /// Reads the catalog and builds the policy from it. Relations that may not be read are removed from the returned
    /// catalog, and a warning lists them.
    pub async fn open(
        database: Arc<dyn Database>,
        rules: Rules,
        limits: Limits,
    ) -> Result<(Self, Introspected), catalog::Error> {
        let checked = Instant::now();
        let (read, version) = tokio::join!(read(&*database, &rules), database.version());
        let (read, version) = (read?, version?);
        let Read { policy, own, mut introspected, known_values } = read;
        introspected.warnings.extend(left_out(&policy, &introspected.catalog));
        let is_refused =
            |table: &mut crate::warehouse::catalog::Table| policy.refusal(&table.schema, &table.name).is_some();
        let refused = introspected.catalog.tables.extract_if(.., is_refused);
        introspected.left_out.extend(refused.map(|table| (table.schema, table.name)));
        let known = Mutex::new(Known { policy: Arc::new(policy), own, version, checked });
        let left_out = introspected.left_out.clone();
        let recorded = HashMap::new();
        let masker = rules.privacy.masker();
        Ok((
            Self { database, limits, left_out, recorded, masker, known_values, rules, known, guard: Guard::default() },
            introspected,
        ))
    }

    /// Returns the policy, which says what a SELECT may read and call.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.known().policy)
    }

    /// Validates a text. Returns the SELECT, or the reason why it is refused.
    pub async fn validate(&self, text: &str) -> Result<Select, Refusal> {
        self.refresh_or_warn().await;
        sql::validate(text, &self.policy())
    }

    /// Validates a text in which `$1` and `$2` are the bounds of a time range. [`Select::between`] binds them.
    pub async fn validate_with_range(&self, text: &str) -> Result<Select, Refusal> {
        self.refresh_or_warn().await;
        sql::validate_with_range(text, &self.policy())
    }

    /// Runs a SELECT for at most `time_left`, or for at most a second if less time is left.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Table, warehouse::Error> {
        let timeout = self.limits.timeout.min(time_left.max(Duration::from_secs(1)));
        self.run_within(select, &Limits { timeout, ..self.limits }).await
    }

    /// Validates a text and runs it as [`run`](Self::run) does. The error says why there are no rows.
    pub async fn answer(&self, text: &str, time_left: Duration) -> Result<(Select, Table), String> {
        let select = self.validate(text).await.map_err(|refusal| refusal.to_string())?;
        let table = self.run(&select, time_left).await.map_err(|error| error.to_string())?;
        Ok((select, table))
    }

    /// Runs a SELECT with other limits.
    pub async fn run_within(&self, select: &Select, limits: &Limits) -> Result<Table, warehouse::Error> {
        // A run that goes on with tokens asks again: what they stand for is not on record here.
        if self.masker.is_none()
            && !self.is_aggregate()
            && let Some(table) = self.recorded.get(select.text())
        {
            return Ok(table.clone());
        }
        match self.run_guarded(select, limits).await {
            Some(table) => table,
            None => self.run_masked(select, limits).await,
        }
    }

    /// Returns a text that people wrote as a model may see it: with tokens in the place of what is known of personal data,
    /// by its shape or from the planner's statistics. Names that these do not hold remain.
    pub fn masked_text(&self, text: &str) -> String {
        let Some(masker) = &self.masker else { return text.to_owned() };
        let known = self.known_values.iter().filter(|(_, value)| text.contains(value));
        let known = known.map(|(kind, value)| (value.clone(), masker.token(*kind, value))).collect::<Vec<_>>();
        privacy::without_shapes(&privacy::masked_text(text, &known), masker)
    }

    /// Returns whether a statement names a token whose value is not known to this run.
    pub fn names_unknown(&self, select: &Select) -> bool {
        let Some(masker) = &self.masker else { return false };
        let is_unknown = Cell::new(false);
        let _ = select.with_values(|token| {
            let value = masker.value(token);
            is_unknown.set(is_unknown.get() || value.is_none());
            value
        });
        is_unknown.get()
    }

    /// Returns what people wrote about the columns with personal data.
    pub fn marks(&self) -> &Marks {
        &self.rules.privacy.marks
    }

    /// Returns whether only aggregates are shown.
    pub fn is_aggregate(&self) -> bool {
        self.rules.privacy.mode == Mode::Aggregate
    }

    /// Runs a SELECT with values in the place of its tokens, and puts tokens into the result.
    async fn run_masked(&self, select: &Select, limits: &Limits) -> Result<Table, warehouse::Error> {
        let Some(masker) = &self.masker else { return self.database.select(select, limits).await };
        let (sent, has_values) = select.with_values(|token| masker.value(token));
        let quotes_values = has_values || !self.rules.allowed.functions.is_empty();
        let table = self.database.select(&sent, limits).await;
        let table = table.map_err(|error| errors::without_values(error, quotes_values))?;
        mask::table(select.masks(), table, masker)
    }

    async fn refresh_or_warn(&self) {
        if let Err(error) = self.refresh().await {
            // Not an error yet. If the cause persists, the text fails when it runs, and the caller gets that error.
            tracing::warn!(%error, "the catalog could not be read again, what was known of it is taken to hold");
        }
    }

    /// Reads the catalog again if the schema has changed.
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
        let Read { policy, own, .. } = read(&*self.database, &self.rules).await?;
        *self.known() = Known { policy: Arc::new(policy), own, version, checked };
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is read of a database.
struct Read {
    policy: Policy,
    /// See [`Known::own`].
    own: Arc<Policy>,
    introspected: Introspected,
    /// The values of personal columns in the statistics.
    known_values: Vec<(Personal, String)>,
}

async fn read(database: &dyn Database, rules: &Rules) -> Result<Read, catalog::Error> {
    let mut introspected = database.introspect(&rules.selection).await?;
    rules.check_marks(&introspected.code)?;
    let excludes = |schema: &str, name: &str| rules.selection.excludes(schema, name);
    rules.privacy.marks.apply(&mut introspected.catalog);
    let catalog = &introspected.catalog;
    let mode = rules.privacy.mode;
    let personal = |schema: &str, table: &str, name: &str| {
        let column = catalog.table(Some(schema), table).and_then(|table| table.column(name));
        rules.privacy.marks.kind(schema, table, name, column).map(|(kind, _)| kind)
    };
    let masked = |schema: &str, table: &str, name: &str| personal(schema, table, name).filter(|_| mode == Mode::Masked);
    let is_sensitive = |schema: &str, table: &str, name: &str| {
        rules.is_sensitive(schema, table, name) || (mode == Mode::Aggregate && personal(schema, table, name).is_some())
    };
    let unseen = Unseen { excludes: &excludes, is_sensitive: &is_sensitive, personal: &masked };
    let made = |unseen| {
        Policy::new(&introspected.catalog, &introspected.code, rules.search_path.clone(), &rules.allowed, unseen)
    };
    let policy = made(unseen);
    let marked = |schema: &str, table: &str, name: &str| rules.is_sensitive(schema, table, name);
    let of_own = Unseen { is_sensitive: &marked, ..unseen };
    let own = Arc::new(if mode == Mode::Aggregate { made(of_own) } else { policy.clone() });
    let known_values = if mode == Mode::Full { Vec::new() } else { introspected.catalog.personal_values() };
    introspected.catalog.withhold(|schema, table, column| policy.is_sensitive(schema, table, column));
    introspected.catalog.mask(|schema, table, column| policy.masked(schema, table, column));
    Ok(Read { policy, own, introspected, known_values })
}

/// Returns the warning about relations that may not be read; `None` if all may be read.
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
