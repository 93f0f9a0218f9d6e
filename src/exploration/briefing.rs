//! What the player reads first, within its bound: the catalog gets the room that the rest leaves.

use jiff::civil::Date;

use crate::agent::journal::Question;
use crate::agent::prompt::{Briefing, Error, Library, Material};
use crate::agent::{Budget, tools};
use crate::semantic::render;
use crate::warehouse::catalog::Catalog;

/// The first request is kept below this: under 8,000 tokens even if a token is little more than three characters.
const FIRST_REQUEST_CHARACTERS_MAX: usize = 26_000;
/// The catalog gets at least this much of it.
const CATALOG_CHARACTERS_MIN: usize = 4_000;
/// The business context gets at most this much of it.
const CONTEXT_CHARACTERS_MAX: usize = 8_000;

/// What the player is told if only aggregates are shown.
pub(super) const AGGREGATES: &str = "\n\nOnly aggregates over several entities are shown. Write one SELECT over tables, with \
    WHERE and GROUP BY: keys, count, sum, avg, stddev, and FILTER. Subqueries, windows, DISTINCT, min and max of other than \
    days, and CASE within aggregates are refused. Groups of too few are left out, and so is what differs from an earlier \
    statement by too few.\n";

/// Renders the system prompt and the first message.
pub(super) fn brief(
    library: &Library,
    focus: &str,
    catalog: &Catalog,
    (today, newest): (Date, Option<Date>),
    budget: Budget,
    questions: &[Question],
) -> Result<Briefing, Error> {
    let focus = library.focus(focus)?;
    let context = catalog.business_context.as_deref().map(|text| shortened(text, CONTEXT_CHARACTERS_MAX));
    let limits = budget.describe();
    let mut material = Material {
        focus: focus.name,
        catalog: "",
        business_context: context.as_deref(),
        as_of: today,
        data_end: newest.filter(|date| *date < today),
        limits: &limits,
        questions,
    };
    let frame = library.brief(material)?;
    let tools = serde_json::to_string(&tools::specs(false, true)).map_or(0, |specs| specs.chars().count());
    let used = frame.system.chars().count() + frame.first.chars().count() + tools;
    let room = FIRST_REQUEST_CHARACTERS_MAX.saturating_sub(used).max(CATALOG_CHARACTERS_MIN);
    let asked = questions.iter().map(|question| question.text.as_str()).collect::<Vec<_>>().join(" ");
    let overview = render::overview(catalog, &format!("{} {} {} {asked}", focus.name, focus.text, focus.told()), room);
    material.catalog = &overview;
    library.brief(material)
}

fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}… (cut short)", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns a warning if the data end long before the date that the run treats as today.
pub(super) fn stale(newest: Date, today: Date) -> Option<String> {
    /// Data that are loaded once a month are not stale.
    const DAYS_MAX: i32 = 45;
    let days = (today - newest).get_days();
    (days > DAYS_MAX).then(|| {
        format!(
            "the newest date in the data is {newest}, {days} days before {today}; --as-of {newest} judges as of then"
        )
    })
}
