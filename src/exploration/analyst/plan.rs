//! Which tables are looked at, in which order, and by which instruments.

use jiff::civil::Date;
use serde_json::json;

use super::call;
use super::focus::Focus;
use super::survey::{Outlook, Prospect};
use crate::instruments::target::{Asked, Measure, Target, VOID_SHARE};
use crate::instruments::{Instrument, backlog, concentration, funnel, retention, silent};
use crate::model::ToolCall;
use crate::warehouse::catalog::{Catalog, Table};

/// Tables that are looked at in a run; further ones are left for a run of their own.
const TABLES_MAX: usize = 24;

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
    /// The only column that is looked at, if it is one.
    by: Option<String>,
    /// Whether some rows do not count, so that their share is looked at too.
    has_void: bool,
    /// How many days are compared, if they are told, and the last of them.
    days: Option<(u32, Date)>,
}

/// What a table offers.
pub(super) struct Offer {
    pub(super) outlook: Outlook,
    instruments: Vec<Instrument>,
    /// The column that says whom a row is about.
    entity: Option<String>,
}

impl Offer {
    /// Returns what becomes of the table, and the instruments that it offers something to.
    pub(super) fn into_parts(self) -> (Outlook, Vec<Instrument>) {
        (self.outlook, self.instruments)
    }
}

/// An instrument over a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look<'s> {
    table: &'s str,
    pub(super) instrument: Instrument,
    /// What is measured, and by which column, if not all that the table offers.
    measure: Option<&'static str>,
    by: Option<&'s str>,
    /// How many days are compared, if they are told, and the last of them.
    days: Option<(u32, Date)>,
}

impl Plan {
    pub(super) fn of(catalog: &Catalog, focus: &Focus, as_of: Date) -> Self {
        let mut found = catalog.tables.iter().map(|table| (table, offer(catalog, table, as_of))).collect::<Vec<_>>();
        found.sort_by_key(|(table, _)| {
            std::cmp::Reverse((relevance(focus, table), is_of_events(table), table.rows_estimate))
        });
        let mut plan = Self::default();
        for (table, Offer { outlook, instruments, entity }) in found {
            let is_looked_at = matches!(outlook.prospect, Prospect::Analysed { .. });
            if is_looked_at && plan.subjects.len() == TABLES_MAX {
                plan.outlooks.push(Outlook { prospect: Prospect::Later, ..outlook });
                continue;
            }
            if is_looked_at {
                let instruments = instruments.into_iter().filter(|one| focus.asks_for(*one)).collect();
                let has_void = table.declared.filter.is_some();
                let by = entity.filter(|_| focus.is_of_entities());
                plan.subjects.push(Subject { table: full_name(table), instruments, by, has_void, days: None });
            }
            plan.outlooks.push(outlook);
        }
        plan
    }

    /// A look at what moved in the latest days of a few tables, the one with most rows first.
    pub(super) fn of_days(catalog: &Catalog, tables: &[String], days: u32, as_of: Date) -> Self {
        let is_named = |table: &&Table| tables.contains(&full_name(table));
        let mut found = catalog.tables.iter().filter(is_named).collect::<Vec<_>>();
        found.sort_by_key(|table| std::cmp::Reverse((is_of_events(table), table.rows_estimate)));
        let mut plan = Self::default();
        for table in found {
            let Offer { outlook, instruments, .. } = offer(catalog, table, as_of);
            let instruments = instruments.into_iter().filter(|one| *one == Instrument::Change).collect::<Vec<_>>();
            if !instruments.is_empty() {
                let table = full_name(table);
                plan.subjects.push(Subject {
                    table,
                    instruments,
                    by: None,
                    has_void: false,
                    days: Some((days, as_of)),
                });
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
        let (table, by, days) = (self.table.as_str(), self.by.as_deref(), self.days);
        let of_all = self.instruments.iter().map(move |instrument| Look {
            table,
            instrument: *instrument,
            measure: None,
            by,
            days,
        });
        let is_compared = self.has_void && self.instruments.contains(&Instrument::Compare);
        let of_void = Look { table, instrument: Instrument::Compare, measure: Some(VOID_SHARE), by, days };
        of_all.chain(is_compared.then_some(of_void))
    }
}

impl Look<'_> {
    /// What the call is found again by.
    pub(super) fn key(&self) -> String {
        let of = if self.measure.is_some() { "-void" } else { "" };
        format!("{}-{}{of}", self.instrument.name(), self.table)
    }

    pub(super) fn call(&self) -> ToolCall {
        let mut arguments = json!({ "table": self.table });
        if let Some(measure) = self.measure {
            arguments["measure"] = json!(measure);
        }
        if let Some(by) = self.by {
            arguments["by"] = json!([by]);
        }
        if let Some((days, until)) = self.days {
            arguments["days"] = json!(days);
            arguments["until"] = json!(until);
        }
        call(self.key(), self.instrument.name(), &arguments)
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
pub(super) fn offer(catalog: &Catalog, table: &Table, as_of: Date) -> Offer {
    let unread = unread(table);
    let unusable = |why: &str| {
        let why = [Some(why.to_owned()), unread.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let outlook = Outlook { table: full_name(table), prospect: Prospect::Unusable { why } };
        Offer { outlook, instruments: Vec::new(), entity: None }
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
    let instruments = instruments(&target);
    if instruments == [Instrument::Profile] {
        return unusable("no column has few values, none says when a row happened, and no two are numbers");
    }
    let entity = target.entity.as_ref().map(|entity| entity.name.clone());
    let prospect = Prospect::Analysed { by: goes_by(&target, unread) };
    Offer { outlook: Outlook { table: full_name(table), prospect }, instruments, entity }
}

/// Which columns people marked, so that the instruments leave them out.
fn unread(table: &Table) -> Option<String> {
    let withheld = table.columns.iter().filter(|column| column.is_withheld()).map(|column| column.name.as_str());
    let withheld = withheld.collect::<Vec<_>>().join(", ");
    (!withheld.is_empty()).then(|| format!("marked as sensitive, so not read: {withheld}"))
}

fn instruments(target: &Target) -> Vec<Instrument> {
    let numbers = target.measures.iter().filter(|measure| matches!(measure, Measure::Mean { .. })).count();
    let offers = [
        (Instrument::Profile, true),
        (Instrument::Compare, !target.dimensions.is_empty() || !target.wide.is_empty()),
        (Instrument::Trend, target.time.is_some()),
        (Instrument::Change, target.time.is_some()),
        (Instrument::Relate, numbers > 1),
        (Instrument::Silent, silent::is_offered(target)),
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
