//! What happens in a run -> standard error: a bar that says where it stands, and under `-v` a few lines an event.
//!
//! It only tells: nothing here decides, and nothing a model or a database wrote reaches the terminal unfiltered.

mod lines;
mod record;

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::cli::LogFormat;
use super::output::Talk;
use crate::agent::journal::{Event, Totals};
use crate::typeset::text::printable;

pub use lines::lines;

const REDRAW: Duration = Duration::from_millis(120);
const APPEARANCE: Duration = Duration::from_secs(1);

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

/// Says what is waited for, once that has taken a second.
#[derive(Debug)]
pub struct Waiting {
    bar: ProgressBar,
    appearing: JoinHandle<()>,
}

impl Waiting {
    /// Begins to wait; it must be called within a runtime.
    pub fn start(talk: &Talk, message: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style());
        let waiting = Self { bar: bar.clone(), appearing: tokio::spawn(appear(talk.bars().clone(), bar)) };
        waiting.say(message);
        waiting
    }

    /// Says something else from now on.
    pub fn say(&self, message: &str) {
        self.bar.set_message(printable(message).replace(['\n', '\t'], " "));
    }
}

impl Drop for Waiting {
    /// The bar leaves the terminal as it found it.
    fn drop(&mut self) {
        self.appearing.abort();
        self.bar.finish_and_clear();
    }
}

async fn appear(bars: MultiProgress, bar: ProgressBar) {
    tokio::time::sleep(APPEARANCE).await;
    bars.add(bar).enable_steady_tick(REDRAW);
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
            | Event::LimitReached { .. }
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
