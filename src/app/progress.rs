//! Shows the progress of a run on standard error: a bar with the current state, and with `-v` a few lines per event.
//!
//! It only shows events and decides nothing. Text from a model or a database is stripped of control characters before
//! it reaches the terminal.

mod lines;
mod record;

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::output::{LogFormat, Talk};
use crate::agent::journal::{Event, Totals};
use crate::typeset::text::printable;

pub use lines::lines;

const REDRAW: Duration = Duration::from_millis(120);
const APPEARANCE: Duration = Duration::from_secs(1);

/// The progress display of one run.
#[derive(Debug)]
pub struct Progress {
    talk: Talk,
    bar: ProgressBar,
    iterations_max: u32,
    standing: Standing,
}

/// The state that the progress bar shows.
#[derive(Debug, Default)]
struct Standing {
    turn: u32,
    totals: Totals,
    doing: String,
    /// Whether an instrument looks: what it asks is less telling than what it looks at.
    looks: bool,
}

impl Progress {
    /// Starts the display. The bar is hidden if standard error is not a terminal.
    pub fn start(talk: &Talk, iterations_max: u32) -> Self {
        let bar = talk.bars().add(ProgressBar::new_spinner().with_style(style()));
        bar.enable_steady_tick(REDRAW);
        let standing = Standing { doing: "opening the database".to_owned(), ..Standing::default() };
        let progress = Self { talk: talk.clone(), bar, iterations_max, standing };
        progress.show();
        progress
    }

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
    /// Removes the bar from the terminal.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A progress bar that says what the program waits for. It appears after one second.
#[derive(Debug)]
pub struct Waiting {
    bar: ProgressBar,
    appearing: JoinHandle<()>,
}

impl Waiting {
    /// Starts waiting. It must be called within a Tokio runtime.
    pub fn start(talk: &Talk, message: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style());
        let waiting = Self { bar: bar.clone(), appearing: tokio::spawn(appear(talk.bars().clone(), bar)) };
        waiting.say(message);
        waiting
    }

    /// Changes the message.
    pub fn say(&self, message: &str) {
        self.bar.set_message(printable(message).replace(['\n', '\t'], " "));
    }
}

impl Drop for Waiting {
    /// Removes the bar from the terminal.
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
                self.looks = false;
                "thinking".clone_into(&mut self.doing);
            }
            Event::Replied { totals, .. } => self.totals = *totals,
            Event::Looking { instrument, table, by, place, of } => {
                self.doing = lines::looking(instrument, table, by, (*place, *of));
                self.looks = true;
            }
            Event::QueryStarted { question, .. } => {
                self.totals.queries += 1;
                if !self.looks {
                    question.clone_into(&mut self.doing);
                }
            }
            Event::Shuffled(_) => "looking at shuffled data".clone_into(&mut self.doing),
            Event::Remembered(_) => "remembering what was found".clone_into(&mut self.doing),
            Event::Remeasured(known) => self.doing = format!("measuring {} again", known.finding),
            Event::Checked(finding) => self.doing = format!("trying {} under other choices", finding.id),
            Event::Found(_) | Event::Recorded(_) => self.totals.findings += 1,
            Event::Stopped(stopped) => {
                self.totals = stopped.totals;
                "done".clone_into(&mut self.doing);
            }
            Event::Started(_)
            | Event::Recalled(_)
            | Event::Resumed { .. }
            | Event::Briefed { .. }
            | Event::HandedOver { .. }
            | Event::Queried(_)
            | Event::QueryFailed { .. }
            | Event::Planned { .. }
            | Event::Masked { .. }
            | Event::Sent(_)
            | Event::CompanionRan { .. }
            | Event::Stated(_)
            | Event::Assumed(_)
            | Event::ClaimRefused { .. }
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

/// Formats the number of tokens with their cost; `None` if no tokens were counted.
fn usage(totals: &Totals) -> Option<String> {
    if totals.input_tokens.is_none() && totals.output_tokens.is_none() {
        return None;
    }
    let tokens = totals.input_tokens.unwrap_or(0) + totals.output_tokens.unwrap_or(0);
    let cost = totals.cost_usd.map_or_else(|| "cost unknown".to_owned(), |cost| format!("${}", cost.round_dp(2)));
    let tokens = if tokens < 10_000 { tokens.to_string() } else { format!("{}k", tokens / 1_000) };
    Some(format!("{tokens} tokens · {cost}"))
}
