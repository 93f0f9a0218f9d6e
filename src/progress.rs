//! What happens in a run -> standard error: a bar that says where it stands, and under `-v` a few lines an event.
//!
//! It only tells: nothing here decides, and nothing a model or a database wrote reaches the terminal unfiltered.

mod lines;
mod record;

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::LogFormat;
use crate::journal::{Event, Totals};
use crate::output::{Talk, printable};

pub use lines::lines;

const REDRAW: Duration = Duration::from_millis(120);

/// The progress of one run.
#[derive(Debug)]
pub struct Progress {
    talk: Talk,
    bar: ProgressBar,
    iterations_max: u32,
    standing: Standing,
}

/// What the bar says.
#[derive(Debug, Default)]
struct Standing {
    turn: u32,
    totals: Totals,
    doing: String,
}

impl Progress {
    /// Begins to show; the bar is hidden where standard error is no terminal.
    pub fn start(talk: &Talk, iterations_max: u32) -> Self {
        let bar = talk.bars().add(ProgressBar::new_spinner().with_style(style()));
        bar.enable_steady_tick(REDRAW);
        let standing = Standing { doing: "opening the database".to_owned(), ..Standing::default() };
        let progress = Self { talk: talk.clone(), bar, iterations_max, standing };
        progress.show();
        progress
    }

    /// Shows an event.
    pub fn observe(&mut self, event: &Event) {
        match self.talk.format() {
            LogFormat::Json => record::record(event),
            LogFormat::Text => self.tell(event),
        }
        self.standing.heed(event);
        self.show();
    }

    fn tell(&self, event: &Event) {
        if let Event::Warned { message } = event {
            self.talk.warn(message);
        }
        if let Event::Started(started) = event {
            started.server.warnings.iter().for_each(|warning| self.talk.warn(warning));
        }
        if let Some(lines) = lines(event, self.talk.verbosity()) {
            self.talk.line(&lines);
        }
    }

    fn show(&self) {
        self.bar.set_message(printable(&self.standing.describe(self.iterations_max)).replace(['\n', '\t'], " "));
    }
}

impl Drop for Progress {
    /// The bar leaves the terminal as it found it.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Something that may take longer than a second, shown from then on until it is dropped.
#[derive(Debug)]
pub struct Waiting {
    bar: ProgressBar,
}

impl Waiting {
    /// Begins to wait for `what`.
    pub fn start(talk: &Talk, what: &'static str) -> Self {
        let bar = talk.bars().add(ProgressBar::new_spinner().with_style(style()).with_message(what));
        bar.enable_steady_tick(REDRAW);
        Self { bar }
    }

    /// Says what is waited for now.
    pub fn say(&self, what: &'static str) {
        self.bar.set_message(what);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Standing {
    fn heed(&mut self, event: &Event) {
        match event {
            Event::Asked { turn, .. } => {
                self.turn = *turn;
                "thinking".clone_into(&mut self.doing);
            }
            Event::Replied { totals, .. } => self.totals = *totals,
            Event::QueryStarted { question, .. } => {
                self.totals.queries += 1;
                question.clone_into(&mut self.doing);
            }
            Event::Found(_) => self.totals.findings += 1,
            Event::Stopped(stopped) => {
                self.totals = stopped.totals;
                "done".clone_into(&mut self.doing);
            }
            Event::Started(_)
            | Event::Briefed { .. }
            | Event::Queried(_)
            | Event::QueryFailed { .. }
            | Event::Planned { .. }
            | Event::FindingRefused { .. }
            | Event::Compacted { .. }
            | Event::Warned { .. } => {}
        }
    }

    fn describe(&self, iterations_max: u32) -> String {
        let mut parts = Vec::new();
        if self.turn > 0 {
            parts.push(format!("turn {}/{iterations_max}", self.turn));
        }
        parts.extend(counted(self.totals.queries, "query", "queries"));
        parts.extend(counted(self.totals.findings, "finding", "findings"));
        parts.extend(usage(&self.totals));
        parts.push(self.doing.clone());
        parts.join(" · ")
    }
}

fn counted(count: u32, one: &str, many: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
}

/// Tokens and what they cost; nothing where no model counts any.
fn usage(totals: &Totals) -> Option<String> {
    if totals.input_tokens.is_none() && totals.output_tokens.is_none() {
        return None;
    }
    let tokens = totals.input_tokens.unwrap_or(0) + totals.output_tokens.unwrap_or(0);
    let cost = totals.cost_usd.map_or_else(|| "cost unknown".to_owned(), |cost| format!("${}", cost.round_dp(2)));
    let tokens = if tokens < 10_000 { tokens.to_string() } else { format!("{}k", tokens / 1_000) };
    Some(format!("{tokens} tokens · {cost}"))
}
