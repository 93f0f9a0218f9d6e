//! Which tables are looked at, in which order, and by which instruments.

use jiff::civil::Date;
use serde_json::json;

use super::call;
use super::focus::Focus;
use super::survey::{Outlook, Prospect};
use crate::instruments::target::{Asked, Measure, Target, rows_about};
use crate::instruments::{Instrument, backlog, concentration, funnel, retention};
use crate::model::ToolCall;
use crate::warehouse::catalog::{Catalog, Table};

/// Tables that are looked at in a run; further ones are left for a run of their own.
const TABLES_MAX: usize = 24;
/// Rows that an entity has on average, if silences of it are looked for.
const ROWS_OF_ENTITY_MIN: f64 = 3.0;

/// The survey of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// The tables that are looked at, in that order.
    pub(super) subjects: Vec<Subject>,
    /// What becomes of each table of the catalog.
    pub(super) outlooks: Vec<Outlook>,
}

/// A table that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// As `schema.name`.
    pub(super) table: String,
    pub(super) instruments: Vec<Instrument>,
}

/// An instrument over a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look<'s> {
    table: &'s str,
    pub(super) instrument: Instrument,
}

impl Plan {
    pub(super) fn of(catalog: &Catalog, focus: &Focus, as_of: Date) -> Self {
        let mut found = catalog.tables.iter().map(|table| (table, outlook(catalog, table, as_of))).collect::<Vec<_>>();
        found.sort_by_key(|(table, _)| {
            std::cmp::Reverse((relevance(focus, table), is_of_events(table), table.rows_estimate))
        });
        let mut plan = Self::default();
        for (table, (outlook, instruments)) in found {
            let is_looked_at = matches!(outlook.prospect, Prospect::Analysed { .. });
            if is_looked_at && plan.subjects.len() == TABLES_MAX {
                plan.outlooks.push(Outlook { prospect: Prospect::Later, ..outlook });
                continue;
            }
            if is_looked_at {
                let instruments = instruments.into_iter().filter(|one| focus.asks_for(*one)).collect();
                plan.subjects.push(Subject { table: full_name(table), instruments });
            }
            plan.outlooks.push(outlook);
        }
        plan
    }

    /// All looks, in their order.
    pub(super) fn looks(&self) -> impl Iterator<Item = Look<'_>> {
        self.subjects.iter().flat_map(Subject::looks)
    }
}

impl Subject {
    pub(super) fn looks(&self) -> impl Iterator<Item = Look<'_>> {
        self.instruments.iter().map(|instrument| Look { table: &self.table, instrument: *instrument })
    }
}

impl Look<'_> {
    /// What the call is found again by.
    pub(super) fn key(&self) -> String {
        format!("{}-{}", self.instrument.name(), self.table)
    }

    pub(super) fn call(&self) -> ToolCall {
        call(self.key(), self.instrument.name(), &json!({ "table": self.table }))
    }
}

fn full_name(table: &Table) -> String {
    format!("{}.{}", table.schema, table.name)
}

/// How much of the focus a table speaks of.
fn relevance(focus: &Focus, table: &Table) -> usize {
    let columns = table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ");
    // A built-in area names no tables.
    if focus.is_own { 3 * focus.matches(&table.name) + focus.matches(&columns) } else { 0 }
}

/// Whether a table refers to others, or says when its rows happened: what others refer to comes after it.
fn is_of_events(table: &Table) -> bool {
    !table.foreign_keys.is_empty() || table.column_with(crate::warehouse::catalog::Role::Date).is_some()
}

/// Returns what becomes of a table, and the instruments that it offers something to.
pub(super) fn outlook(catalog: &Catalog, table: &Table, as_of: Date) -> (Outlook, Vec<Instrument>) {
    let unread = unread(table);
    let unusable = |why: &str| {
        let why = [Some(why.to_owned()), unread.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ");
        (Outlook { table: full_name(table), prospect: Prospect::Unusable { why } }, Vec::new())
    };
    if table.rows_estimate == Some(0) {
        return unusable("it is empty");
    }
    let name = full_name(table);
    let asked = Asked { table: &name, ..Asked::default() };
    let target = match Target::of(catalog, &asked, as_of) {
        Ok(target) => target,
        Err(why) => return unusable(&why),
    };
    let instruments = instruments(&target, table);
    if instruments == [Instrument::Profile] {
        return unusable("no column has few values, none says when a row happened, and no two are numbers");
    }
    (Outlook { table: full_name(table), prospect: Prospect::Analysed { by: goes_by(&target, unread) } }, instruments)
}

/// Which columns people marked, so that the instruments leave them out.
fn unread(table: &Table) -> Option<String> {
    let withheld = table.columns.iter().filter(|column| column.is_withheld()).map(|column| column.name.as_str());
    let withheld = withheld.collect::<Vec<_>>().join(", ");
    (!withheld.is_empty()).then(|| format!("marked as sensitive, so not read: {withheld}"))
}

fn instruments(target: &Target, table: &Table) -> Vec<Instrument> {
    let numbers = target.measures.iter().filter(|measure| matches!(measure, Measure::Mean { .. })).count();
    let rows = rows_about(table);
    let comes_back = target
        .entity
        .as_ref()
        .is_some_and(|entity| entity.groups.is_none_or(|groups| groups >= 2.0 && rows / groups >= ROWS_OF_ENTITY_MIN));
    let offers = [
        (Instrument::Profile, true),
        (Instrument::Compare, !target.dimensions.is_empty() || !target.wide.is_empty()),
        (Instrument::Trend, target.time.is_some()),
        (Instrument::Change, target.time.is_some()),
        (Instrument::Relate, numbers > 1),
        (Instrument::Silent, target.time.is_some() && comes_back),
        (Instrument::Backlog, target.time.is_some() && backlog::is_offered(target)),
        (Instrument::Concentration, concentration::is_offered(target)),
        (Instrument::Retention, retention::is_offered(target)),
        (Instrument::Funnel, funnel::is_offered(target)),
        (Instrument::Season, target.time.is_some()),
    ];
    offers.into_iter().filter(|(_, is_offered)| *is_offered).map(|(instrument, _)| instrument).collect()
}

/// What the instruments measure of a table, in a few words.
fn goes_by(target: &Target, unread: Option<String>) -> String {
    let names = |names: Vec<&str>| names.join(", ");
    let time = target.time.as_ref().map(|time| format!("over {}", time.name));
    let entity = target.entity.as_ref().map(|entity| format!("of {}", entity.name));
    let measures = names(target.measures.iter().map(Measure::name).collect());
    let dimensions = names(target.dimensions.iter().map(|field| field.name.as_str()).collect());
    let by = (!dimensions.is_empty()).then(|| format!("by {dimensions}"));
    [unread, entity, time, by, Some(measures)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
