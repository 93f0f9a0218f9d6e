//! What a run would do and take, before it asks a model: `explore --dry-run`.

use std::path::Path;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::analyst::{self, survey::Prospect};
use super::{Error, Player, briefing};
use crate::agent::costs::{self, RunCost};
use crate::agent::journal::{StopReason, Totals};
use crate::agent::prompt::Library;
use crate::agent::{Budget, tools};
use crate::typeset::format::Format;
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::text::{counted, duration, group_digits, line};
use crate::warehouse::catalog::Catalog;

/// The version of the JSON. It increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

/// Characters of a token, on average over English and SQL.
const TOKEN_CHARACTERS: usize = 4;
const LINE_CHARACTERS: usize = 300;

/// A run before it begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub schema_version: u32,
    pub focus: String,
    /// The model's name; of several, their names in the order in which they are asked.
    pub model: String,
    pub as_of: Date,
    /// Whether the built-in analyst explores, which costs nothing.
    pub offline: bool,
    pub tables: Vec<PlannedTable>,
    /// Null for the built-in analyst, which is sent nothing.
    pub first_request: Option<FirstRequest>,
    /// Earlier runs with the same focus and model that ended; null if there are none.
    pub earlier: Option<Earlier>,
    /// The limits of the run, in words.
    pub limits: String,
}

/// A table, and what would look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedTable {
    /// As `schema.name`.
    pub table: String,
    /// The instruments that it offers something to. The built-in analyst uses all of them, a model those that it chooses.
    pub instruments: Vec<&'static str>,
    /// What they measure, or why none looks at it.
    pub what: String,
}

/// The first request to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstRequest {
    /// Of the system prompt, the first message and the tools.
    pub characters: usize,
    /// An estimate: a token is about four characters.
    pub tokens: usize,
}

/// What earlier runs took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Earlier {
    pub runs: usize,
    /// Tokens sent and received; null where no run told.
    pub tokens: Option<Spread<u64>>,
    /// US dollars; null where no run's cost is known.
    pub cost_usd: Option<Spread<Decimal>>,
    /// How many runs have an unknown cost.
    pub cost_unknown: usize,
    pub queries: Option<Spread<u64>>,
    pub milliseconds: Option<Spread<u64>>,
}

/// The middle and the largest of several numbers. Of an even count, the middle is the larger of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread<N> {
    pub median: N,
    pub largest: N,
}

/// What a run is to explore, and how.
#[derive(Debug)]
pub struct Planned<'a> {
    pub focus: &'a str,
    pub library: &'a Library,
    pub player: &'a Player,
    pub as_of: Date,
    /// The newest day in the data; `None` if it is unknown.
    pub newest: Option<Date>,
    pub budget: Budget,
    pub runs_dir: &'a Path,
}

/// Estimates a run over the tables of a catalog. Asks no model and writes nothing.
pub fn estimate(planned: &Planned<'_>, catalog: &Catalog) -> Result<Estimate, Error> {
    let focus = planned.library.focus(planned.focus)?;
    let questions = focus.questions();
    let (model, offline, models) = match planned.player {
        Player::Offline => (analyst::NAME.to_owned(), true, 1),
        Player::Models(first, others) => {
            let names = [&**first].into_iter().chain(others).map(|one| one.options.model.clone()).collect::<Vec<_>>();
            (names.join(", "), false, names.len())
        }
    };
    let first_request = if offline {
        None
    } else {
        let share = planned.budget.share(1, models);
        let days = (planned.as_of, planned.newest);
        let briefing = briefing::brief(planned.library, planned.focus, catalog, days, share, &questions)?;
        let tools = serde_json::to_string(&tools::specs(false, false)).map_or(0, |specs| specs.chars().count());
        let characters = briefing.system.chars().count() + briefing.first.chars().count() + tools;
        Some(FirstRequest { characters, tokens: characters.div_ceil(TOKEN_CHARACTERS) })
    };
    let plan = analyst::plan(catalog, (focus.name, focus.text), &questions, planned.as_of, offline);
    let tables = plan.into_iter().map(|(outlook, instruments)| PlannedTable {
        table: outlook.table,
        instruments: instruments.iter().map(|instrument| instrument.name()).collect(),
        what: match outlook.prospect {
            Prospect::Analysed { by } => by,
            Prospect::Later => "left for a run of its own".to_owned(),
            Prospect::Unusable { why } => why,
        },
    });
    let runs = costs::read(planned.runs_dir).map_err(Error::Runs)?.runs;
    Ok(Estimate {
        schema_version: SCHEMA_VERSION,
        focus: planned.focus.to_owned(),
        earlier: earlier(&runs, planned.focus, &model),
        model,
        as_of: planned.as_of,
        offline,
        tables: tables.collect(),
        first_request,
        limits: planned.budget.describe(),
    })
}

/// Sums up the runs with this focus and model that ended.
fn earlier(runs: &[RunCost], focus: &str, model: &str) -> Option<Earlier> {
    let is_like = |run: &&RunCost| {
        run.focus == focus
            && run.model == model
            && run.stop_reason != StopReason::Unfinished
            && run.totals.iterations > 0
    };
    let totals = runs.iter().filter(is_like).map(|run| run.totals).collect::<Vec<_>>();
    if totals.is_empty() {
        return None;
    }
    let tokens = |totals: &Totals| Some(totals.input_tokens? + totals.output_tokens?);
    Some(Earlier {
        runs: totals.len(),
        tokens: spread(totals.iter().filter_map(tokens).collect()),
        cost_usd: spread(totals.iter().filter_map(|totals| totals.cost_usd).collect()),
        cost_unknown: totals.iter().filter(|totals| totals.cost_usd.is_none()).count(),
        queries: spread(totals.iter().map(|totals| u64::from(totals.queries)).collect()),
        milliseconds: spread(totals.iter().map(|totals| totals.elapsed_milliseconds).collect()),
    })
}

fn spread<N: Ord + Copy>(mut numbers: Vec<N>) -> Option<Spread<N>> {
    numbers.sort_unstable();
    let (median, largest) = (numbers.get(numbers.len() / 2)?, numbers.last()?);
    Some(Spread { median: *median, largest: *largest })
}

/// Renders the estimate as text, or as JSON. There is none in another format.
pub fn render(estimate: &Estimate, format: Format, layout: Layout, runs_dir: &Path) -> Option<String> {
    match format {
        Format::Terminal => Some(terminal(estimate, layout, runs_dir)),
        Format::Json => serde_json::to_string_pretty(estimate).ok().map(|text| text + "\n"),
        Format::Markdown | Format::Html => None,
    }
}

fn terminal(estimate: &Estimate, layout: Layout, runs_dir: &Path) -> String {
    let mut page = Page::new(layout);
    let (focus, model) = (line(&estimate.focus, LINE_CHARACTERS), line(&estimate.model, LINE_CHARACTERS));
    page.paragraph(&format!(
        "A run of {focus} by {model}, as of {}. Nothing was asked, and nothing is written.",
        estimate.as_of
    ));
    let looked_at = estimate.tables.iter().filter(|table| !table.instruments.is_empty()).count();
    let whose =
        if estimate.offline { "would be looked at" } else { "offer something to instruments; the model chooses" };
    page.line(&format!("Tables: {looked_at} of {} {whose}", estimate.tables.len()), 0);
    for table in &estimate.tables {
        let name = line(&table.table, LINE_CHARACTERS);
        if table.instruments.is_empty() {
            page.line(&format!("{name}: not by an instrument: {}", line(&table.what, LINE_CHARACTERS)), 2);
        } else {
            page.line(&format!("{name}: {}", table.instruments.join(", ")), 2);
            page.line(&line(&table.what, LINE_CHARACTERS), 4);
        }
    }
    page.blank();
    page.line(
        &match &estimate.first_request {
            None => "First request: none, because the built-in analyst asks no model and costs nothing".to_owned(),
            Some(FirstRequest { characters, tokens }) => format!(
                "First request: {} characters, about {} tokens (four characters a token)",
                grouped(*characters),
                grouped(*tokens)
            ),
        },
        0,
    );
    page.line(&format!("Limits: {}", estimate.limits), 0);
    match &estimate.earlier {
        None => page.line(&format!("Earlier runs: none of this focus and model ended in {}", runs_dir.display()), 0),
        Some(earlier) => tell_earlier(&mut page, earlier),
    }
    page.text
}

fn tell_earlier(page: &mut Page, earlier: &Earlier) {
    page.line(
        &format!("Earlier runs: {} of this focus and model; median and largest:", counted(earlier.runs, "run")),
        0,
    );
    let count = |spread: &Spread<u64>| {
        format!("{} and {}", group_digits(&spread.median.to_string()), group_digits(&spread.largest.to_string()))
    };
    let unknown = "unknown".to_owned();
    page.labelled("tokens", &earlier.tokens.as_ref().map_or(unknown.clone(), count));
    let cost = earlier.cost_usd.map_or(unknown.clone(), |cost| {
        format!("{} and {} US dollars", cost.median.normalize(), cost.largest.normalize())
    });
    let missing = match earlier.cost_unknown {
        0 => String::new(),
        unknown => format!(" ({} without a known cost)", counted(unknown, "run")),
    };
    page.labelled("cost", &format!("{cost}{missing}"));
    page.labelled("queries", &earlier.queries.as_ref().map_or(unknown.clone(), count));
    let time = earlier
        .milliseconds
        .map_or(unknown, |time| format!("{} and {}", duration(time.median), duration(time.largest)));
    page.labelled("time", &time);
}

fn grouped(number: usize) -> String {
    group_digits(&number.to_string())
}
