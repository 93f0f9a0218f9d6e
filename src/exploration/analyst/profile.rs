//! The first look at a subject: how many rows, which dates, which kinds of event. Everything later leans on it.

use jiff::civil::Date;

use super::Question;
use super::notebook::{Notebook, Outcome, is_of_a_limit};
use super::subject::{Subject, alias, identifier};
use crate::warehouse::catalog::Role;

/// Fewer events than this say nothing.
const EVENTS_MIN: u64 = 8;
/// Data older than this are spoken of as old.
const STALE_DAYS: i32 = 31;

/// What the first look told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    /// The first day with data.
    pub(super) first_day: Date,
    /// The last day with data that is not after the day taken for today: the day silences are counted to.
    pub(super) last_day: Date,
    /// How many events.
    pub(super) events: u64,
    /// How many entities.
    pub(super) entities: u64,
    /// The event types that are returns.
    pub(super) return_kinds: Vec<String>,
    /// The event types that are none.
    pub(super) sale_kinds: Vec<String>,
    /// Whether anything came back at all.
    pub(super) has_returns: bool,
}

/// The question that the profile is read from.
pub(super) fn question(subject: &Subject, index: usize, as_of: Date) -> Question {
    let kind = subject.field(Role::EventType);
    let kind_text = kind.map_or_else(|| "'all'".to_owned(), |field| format!("coalesce({}, 'none')", field.text()));
    let negative = subject.is_return(&[]);
    let base = subject.base_of_all(
        &[("kind", kind_text), ("is_negative", format!("({negative})"))],
        "false",
        Some(&as_of.to_string()),
    );
    let kind_name = identifier(&alias(kind.map_or("kind", |field| &field.name)));
    Question {
        key: key(index),
        purpose: format!("Which dates, how many events and which kinds of event does {} hold?", subject.table),
        sql: format!(
            "{base}\nSELECT kind AS {kind_name}, count(*) AS events, min(day) AS first_day, max(day) AS last_day,\n  \
             round(sum(value), 2) AS total_value, count(*) FILTER (WHERE is_negative) AS negative_events,\n  \
             count(*) FILTER (WHERE entity IS NULL) AS nameless_events,\n  \
             coalesce(round(sum(value) FILTER (WHERE entity IS NULL), 2), 0) AS nameless_value,\n  \
             (SELECT count(DISTINCT entity) FROM base) AS entities\n\
             FROM base\nGROUP BY kind\nORDER BY events DESC, kind\nLIMIT 20"
        ),
    }
}

/// The key of a subject's profile.
pub(super) fn key(index: usize) -> String {
    format!("profile-{index}")
}

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nothing {
    pub(super) why: String,
    /// Whether there may well be something, which was not seen.
    pub(super) is_left_out: bool,
}

impl Nothing {
    fn there(why: &str) -> Self {
        Self { why: why.to_owned(), is_left_out: false }
    }

    fn left_out(why: &str) -> Self {
        Self { why: why.to_owned(), is_left_out: true }
    }

    /// The first look gave this text instead of rows.
    fn failed(text: &str) -> Self {
        if is_of_a_limit(text) {
            return Self::left_out("a limit was reached before it was looked at");
        }
        Self::left_out(&format!("the first look at it failed: {}", text.lines().next().unwrap_or_default()))
    }
}

impl Profile {
    /// Reads the profile; the error says why there is nothing to analyse.
    pub(super) fn read(subject: &Subject, index: usize, notebook: &Notebook) -> Result<Self, Nothing> {
        let answer = match notebook.outcome(&key(index)) {
            Some(Outcome::Rows(answer)) => answer,
            Some(Outcome::Text(text)) => return Err(Nothing::failed(text)),
            None => return Err(Nothing::left_out("the run ended before it was looked at")),
        };
        let rows = || 0..answer.rows();
        let sum = |column: &str| rows().filter_map(|row| whole(answer.text(row, column)?)).sum::<u64>();
        let day = |row: usize, column: &str| answer.text(row, column)?.parse::<Date>().ok();
        let first_day = rows().filter_map(|row| day(row, "first_day")).min();
        let last_day = rows().filter_map(|row| day(row, "last_day")).max();
        let (Some(first_day), Some(last_day)) = (first_day, last_day) else {
            return Err(Nothing::there("it has no row with a date up to the day of this run"));
        };
        let events = sum("events");
        if events < EVENTS_MIN {
            return Err(Nothing::there("it has too few rows to compare anything with anything"));
        }
        let is_return = |row: &usize| {
            let total = answer.number(*row, "total_value").unwrap_or(0.0);
            let kind = answer.table.cell(*row, 0).unwrap_or_default();
            subject.field(Role::EventType).is_some() && (total < 0.0 || names_a_return(kind))
        };
        let (returns, sales): (Vec<usize>, Vec<usize>) = rows().partition(is_return);
        let kinds = |rows: Vec<usize>| {
            rows.into_iter().filter_map(|row| answer.table.cell(row, 0)).map(str::to_owned).collect::<Vec<_>>()
        };
        let (return_kinds, sale_kinds) = (kinds(returns), kinds(sales));
        Ok(Self {
            first_day,
            last_day,
            events,
            entities: rows().filter_map(|row| whole(answer.text(row, "entities")?)).max().unwrap_or(0),
            has_returns: !return_kinds.is_empty() || sum("negative_events") > 0,
            return_kinds,
            sale_kinds,
        })
    }

    /// How many days the data span.
    pub(super) fn days(&self) -> i32 {
        (self.last_day - self.first_day).get_days() + 1
    }

    /// A sentence on data that end long before the day taken for today.
    pub(super) fn staleness(&self, subject: &Subject, as_of: Date) -> Option<String> {
        let is_stale = (as_of - self.last_day).get_days() > STALE_DAYS;
        is_stale.then(|| {
            format!(
                "{}: the data end long before the day of this run; silences are counted to their last day",
                subject.table
            )
        })
    }
}

fn whole(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn names_a_return(kind: &str) -> bool {
    let kind = kind.trim().to_lowercase();
    let words = ["return", "refund", "credit", "cancel", "reversal", "storno"];
    matches!(kind.as_str(), "re" | "ret" | "rt" | "cn" | "cr") || words.iter().any(|word| kind.contains(word))
}
