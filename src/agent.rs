//! The exploration loop: asks the model for a turn, runs its tool calls, records every event and stops at a limit.
//!
//! The loop depends on no provider, database or terminal. The caller passes a [`Model`], a [`Toolbox`] and an
//! [`Observer`]. The loop always returns within its [`Budget`], with a [`StopReason`] and a record of the tables that
//! it looked at and did not look at.

mod budget;
mod caps;
mod context;
pub mod costs;
pub mod facts;
mod idle;
mod instruments;
pub mod journal;
pub mod known;
pub mod ledger;
pub mod prompt;
mod recording;
mod relay;
pub mod replay;
pub mod robustness;
pub mod runs;
pub mod tools;
mod truncation;
mod turn;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use rust_decimal::Decimal;

pub use self::budget::Budget;
use self::budget::{Spent, Use};
use self::context::Conversation;
use self::idle::Idleness;
use self::journal::{Answered, Event, ModelPart, Question, StopReason, Stopped, Totals};
use self::known::{Known, Remeasured};
use self::ledger::{Ledger, Spending};
use self::prompt::Briefing;
use self::recording::Recording;
use self::tools::Toolbox;
use self::truncation::Counts;
use crate::finding::basis::Basis;
use crate::finding::fact::Fact;
use crate::finding::record::Finding;
use crate::finding::results::Results;
use crate::finding::workbook::Workbook;
use crate::instruments::target::Target;
use crate::instruments::{Conclusion, Instrument, Observation};
use crate::model::price::Price;
use crate::model::{self, Message, Model, Reply, Request, ToolSpec, Usage};

/// The share of a limit at which the model is warned about it.
const WARNED_AT: f64 = 0.75;

/// A sink for the events of a run, in the order in which they happen.
pub trait Observer: Send {
    /// Records one event. An error, such as a full disk, ends the run, because reports show only recorded events.
    fn observe(&mut self, event: Event) -> io::Result<()>;
}

/// The inputs of an exploration.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    pub model: &'a dyn Model,
    pub toolbox: &'a Toolbox,
    /// The system prompt and the first message.
    pub briefing: &'a Briefing,
    /// Facts that hold before the model's first turn, no two with the same sentence. They become f1, f2 and so on, as which
    /// the briefing must list them.
    pub given: &'a [Fact],
    pub budget: Budget,
    /// What other runs spend, for limits on the cost of a day or a month; `None` if it does not count.
    pub ledger: Option<&'a Ledger>,
    /// The price of the model's tokens; `None` if it is unknown.
    pub price: Option<Price>,
    /// The models that are asked after it, in this order: each gets the questions that are left open, if there are any.
    pub successors: &'a [Priced<'a>],
    /// The date that the run treats as today.
    pub as_of: Date,
    /// The questions that `finish` answers.
    pub questions: &'a [Question],
    /// What of the findings is tried under other choices once the run has ended.
    pub robustness: robustness::Extent,
    /// Findings of earlier runs.
    pub known: &'a [Known],
    /// The share of the usual rate of false findings that this run may have.
    pub level: f64,
    /// The newest day of each table that has one, by `schema.name`.
    pub newest: &'a BTreeMap<String, Date>,
}

/// A model, and the price of its tokens if it is known.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    pub model: &'a dyn Model,
    pub price: Option<Price>,
}

impl<'a> Setup<'a> {
    fn player(&self) -> Priced<'a> {
        Priced { model: self.model, price: self.price }
    }
}

/// The result of an exploration: how it ended, and its findings.
#[derive(Debug)]
pub struct Outcome {
    pub stopped: Stopped,
    pub findings: Vec<Finding>,
    /// What each finding rests on, in their order.
    pub bases: Vec<Basis>,
    /// What came of measuring earlier findings again.
    pub remeasured: Vec<Remeasured>,
}

/// Explores until the model finishes, a limit is reached, `interrupt` completes, or the model or the database fails.
///
/// At the time limit and on an interrupt, the pending model request or query is dropped.
///
/// # Errors
///
/// Returns an error only if `observer` cannot record an event.
pub async fn explore(
    setup: Setup<'_>,
    interrupt: impl Future<Output = ()> + Send,
    observer: &mut dyn Observer,
) -> io::Result<Outcome> {
    let mut exploration = Exploration::new(setup, observer);
    exploration.begin()?;
    tokio::pin!(interrupt);
    let time_is_up = up(exploration.time_left());
    let ending = tokio::select! {
        ending = exploration.run() => ending?,
        () = time_is_up => Ending::of(StopReason::TimeLimit),
        () = &mut interrupt => Ending::of(StopReason::Interrupted),
    };
    if ending.may_check() {
        let time_is_up = up(exploration.time_left());
        tokio::select! {
            checked = exploration.check() => checked?,
            () = time_is_up => {}
            () = &mut interrupt => {}
        }
    }
    exploration.end(ending)
}

/// Completes once `time` has passed; never completes if there is no limit.
async fn up(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// The state of a running exploration.
struct Exploration<'a> {
    setup: Setup<'a>,
    observer: Recording<'a>,
    started: Instant,
    conversation: Conversation,
    results: Results,
    /// The id of the result for each query fingerprint.
    answered: HashMap<String, String>,
    /// What claims are evaluated over.
    book: Workbook,
    /// The time that the engine's own queries may still take.
    companions_time_left: Duration,
    findings: Vec<Finding>,
    /// What came of measuring earlier findings again.
    remeasured: Vec<Remeasured>,
    /// The best answer so far to each question.
    answers: Vec<Answered>,
    looked_at: Vec<String>,
    /// The questions that the model is asked which is asked now.
    open: Vec<Question>,
    /// What each model did so far; the last is asked now.
    parts: Vec<ModelPart>,
    /// What the models so far may use of the limits.
    share: Budget,
    /// The limit whose share the model has used that is asked now.
    share_used: Option<StopReason>,
    totals: Totals,
    spent: Spent,
    /// What other runs spent when it was last looked.
    elsewhere: Spending,
    queries_sent: u32,
    /// Comparisons that were made so far, kept or not.
    compared: u64,
    /// What instruments saw that may be more than chance.
    observed: Vec<Observation>,
    /// What instruments looked at, and what they saw.
    looks: Vec<(Instrument, Target, Conclusion)>,
    /// The limits that the model has been warned about.
    warned_of: Vec<StopReason>,
    finish_refused: bool,
    /// Whether the oldest turns were dropped from the conversation.
    is_forgetful: bool,
    is_answered: bool,
    idleness: Idleness,
    counts: Counts,
}

/// The outcome of one request to the model.
enum Asked {
    Answered(Reply),
    Failed(model::Error),
    TimedOut,
}

/// The end of a run before it is recorded: its reason and details.
struct Ending {
    reason: StopReason,
    detail: Option<String>,
    looked_at: Vec<String>,
    answers: Vec<Answered>,
}

impl Ending {
    fn of(reason: StopReason) -> Self {
        Self { reason, detail: None, looked_at: Vec::new(), answers: Vec::new() }
    }

    /// Whether the findings may be checked: the database is there, and nobody waits for the end.
    fn may_check(&self) -> bool {
        !matches!(self.reason, StopReason::TimeLimit | StopReason::Interrupted | StopReason::DatabaseLost)
    }

    fn failed(reason: StopReason, error: &impl ToString) -> Self {
        Self { detail: Some(error.to_string()), ..Self::of(reason) }
    }
}

impl<'a> Exploration<'a> {
    fn new(setup: Setup<'a>, observer: &'a mut dyn Observer) -> Self {
        let mut exploration = Self {
            setup,
            observer: Recording::new(observer),
            started: Instant::now(),
            conversation: Conversation::new(setup.briefing.first.clone()),
            results: Results::default(),
            answered: HashMap::new(),
            book: Workbook::new(Arc::clone(&setup.toolbox.catalog), setup.as_of),
            companions_time_left: facts::allowance(setup.budget.time_max),
            findings: Vec::new(),
            remeasured: Vec::new(),
            answers: facts::unanswered(setup.questions),
            looked_at: Vec::new(),
            open: Vec::new(),
            parts: Vec::new(),
            share: setup.budget,
            share_used: None,
            totals: Totals { cost_usd: setup.price.map(|_| Decimal::ZERO), ..Totals::default() },
            spent: Spent::default(),
            elsewhere: Spending::default(),
            queries_sent: 0,
            compared: 0,
            observed: Vec::new(),
            looks: Vec::new(),
            warned_of: Vec::new(),
            finish_refused: false,
            is_forgetful: false,
            is_answered: false,
            idleness: Idleness::default(),
            counts: Counts::default(),
        };
        exploration.begin_part(setup.questions.to_vec());
        exploration
    }

    fn begin(&mut self) -> io::Result<()> {
        let (system, tools) = (self.setup.briefing.system.clone(), self.specs(false));
        self.observer.observe(Event::Briefed { system, tools })?;
        for fact in self.setup.given {
            let fact = self.book.state(fact.clone());
            self.observer.observe(Event::Stated(Box::new(fact)))?;
        }
        if !self.setup.successors.is_empty() {
            let message = "A question that you leave open, or call not answerable, goes to another model after you.";
            self.conversation.tell(message.to_owned());
        }
        self.tell_of_known();
        Ok(())
    }

    fn specs(&self, is_last: bool) -> Vec<ToolSpec> {
        tools::specs(is_last, !self.setup.known.is_empty())
    }

    /// Plays one model after another, until no question is open or no model is left.
    async fn run(&mut self) -> io::Result<Ending> {
        if let Some(ending) = self.remeasure().await? {
            return Ok(ending);
        }
        loop {
            let mut ending = self.play().await?;
            self.keep_answers(std::mem::take(&mut ending.answers));
            self.looked_at.append(&mut ending.looked_at);
            if !self.hand_over(&ending)? {
                return Ok(ending);
            }
        }
    }

    /// Plays a model until it finishes, fails, or reaches its share of a limit.
    async fn play(&mut self) -> io::Result<Ending> {
        loop {
            if let Some(ending) = self.heed_spending()? {
                return Ok(ending);
            }
            let limit = self.heed_limits()?;
            let reply = match (self.ask(limit.is_some()).await?, limit) {
                (Asked::Answered(reply), _) => reply,
                (Asked::Failed(error), _) => return Ok(Ending::failed(StopReason::ModelFailed, &error)),
                (Asked::TimedOut, Some(reason)) => return Ok(Ending::of(reason)),
                // The time for new work is over: the next check of the limits makes its turn the last one.
                (Asked::TimedOut, None) => continue,
            };
            let is_idle = self.idleness.heed(&reply);
            let ending = self.act(reply, limit.is_some()).await?;
            match (ending, limit) {
                (Some(ending), _) => return Ok(ending),
                (None, Some(reason)) => return Ok(Ending::of(reason)),
                (None, None) if is_idle => return Ok(Ending::failed(StopReason::ModelFailed, &idle::WHAT_TO_DO)),
                (None, None) => {}
            }
        }
    }

    fn end(&mut self, ending: Ending) -> io::Result<Outcome> {
        let Ending { reason, detail, .. } = ending;
        let nothing = self.findings.is_empty();
        let is_unanswered = reason == StopReason::TimeLimit && !self.is_answered && nothing;
        let detail = detail.or_else(|| is_unanswered.then(|| self.unanswered()));
        let tally = self.observer.tally();
        let reason = tally.reason(reason);
        let detail = detail.or_else(|| self.spent_in_words(reason));
        let models = self.end_parts(reason);
        let (answers, looked_at) = (std::mem::take(&mut self.answers), std::mem::take(&mut self.looked_at));
        let tables = &self.setup.toolbox.catalog.tables;
        let tables = tables.iter().map(|table| format!("{}.{}", table.schema, table.name)).collect::<Vec<_>>();
        let unseen = self.setup.model.unseen(self.conversation.messages());
        let coverage = tally.conclude(reason, &tables, unseen);
        let (complete, coverage) = (Some(coverage.is_complete()), Some(coverage));
        let totals = self.totals();
        let stopped = Stopped { reason, detail, looked_at, answers, totals, models, complete, coverage };
        self.observer.observe(Event::Stopped(stopped.clone()))?;
        let (findings, remeasured) = (std::mem::take(&mut self.findings), std::mem::take(&mut self.remeasured));
        let bases = findings.iter().map(|finding| Basis::of(&finding.facts, &self.book)).collect();
        Ok(Outcome { stopped, findings, bases, remeasured })
    }

    /// Describes a run in which the model gave no reply before the time limit.
    fn unanswered(&self) -> String {
        let seconds = self.started.elapsed().as_secs();
        format!(
            "the model gave no answer within the time limit ({seconds} s): check its server with `explore doctor`, use a \
             faster model, or give it longer with --time-limit"
        )
    }

    /// Warns the model once about each limit that is near, and announces a limit that is reached. Returns the limit
    /// that makes this the last turn.
    fn heed_limits(&mut self) -> io::Result<Option<StopReason>> {
        const LAST: &str = "This is your last turn, without execute_sql: record what is proven from the results that you \
                            have, then call finish.";
        if let Some(limit) = self.reached(&self.setup.budget) {
            self.observer.observe(Event::LimitReached { limit, refused: None })?;
            self.conversation.tell(format!("The {} is reached. {LAST}", budget::name(limit)));
            return Ok(Some(limit));
        }
        if let Some(limit) = self.reached(&self.share) {
            self.share_used = Some(limit);
            self.conversation.tell(format!("Your share of the {} is used. {LAST}", budget::name(limit)));
            return Ok(Some(limit));
        }
        let whose = if self.setup.successors.is_empty() { "the" } else { "your share of the" };
        for Use { limit, share, .. } in self.used(&self.share) {
            if share >= WARNED_AT && !self.warned_of.contains(&limit) {
                self.warned_of.push(limit);
                self.conversation.tell(format!(
                    "Three quarters of {whose} {} are used. Record what you have proven; then look further only where it \
                     pays.",
                    budget::name(limit)
                ));
            }
        }
        Ok(None)
    }

    /// Returns the used share of each limit of a budget, and of those over all runs.
    fn used(&self, budget: &Budget) -> Vec<Use> {
        let own = budget.used(&self.totals(), &self.spent, self.started.elapsed());
        own.into_iter().chain(self.used_of_caps()).collect()
    }

    /// Returns the limit of a budget that is reached, the one that is exceeded most.
    fn reached(&self, budget: &Budget) -> Option<StopReason> {
        let reached = self.used(budget).into_iter().filter(|used| used.is_reached);
        reached.max_by(|one, other| one.share.total_cmp(&other.share)).map(|used| used.limit)
    }

    /// Asks the model for the next turn; a `last` turn offers only the tools that record and finish. A conversation
    /// that is too long is shortened and sent again, as often as shortening succeeds.
    async fn ask(&mut self, last: bool) -> io::Result<Asked> {
        self.totals.iterations += 1;
        if let Some(part) = self.parts.last_mut() {
            part.iterations += 1;
        }
        let turn = self.totals.iterations;
        let specs = self.specs(last);
        if !self.setup.model.is_program() && self.conversation.is_too_long() {
            self.compact()?;
        }
        loop {
            let messages = self.conversation.take_unseen();
            self.observer.observe(Event::Asked { turn, messages })?;
            let asked = Instant::now();
            let request =
                Request { system: &self.setup.briefing.system, messages: self.conversation.messages(), tools: &specs };
            match tokio::time::timeout(self.patience(last), self.setup.model.reply(request)).await {
                Ok(Ok(reply)) => {
                    self.heed_counts(reply.usage, &specs)?;
                    return self.take(turn, reply, asked.elapsed()).map(Asked::Answered);
                }
                Ok(Err(model::Error::ContextLength(_))) if self.compact()? => {}
                Ok(Err(model::Error::Filtered(_))) if self.withhold()? => {}
                Ok(Err(error)) => return Ok(Asked::Failed(error)),
                Err(_) => return Ok(Asked::TimedOut),
            }
        }
    }

    /// Warns, once, if the model's server seems to have read less than it was sent.
    fn heed_counts(&mut self, usage: Option<Usage>, specs: &[ToolSpec]) -> io::Result<()> {
        let tools = serde_json::to_string(specs).map_or(0, |specs| specs.chars().count());
        let sent = truncation::Sent {
            text: self.setup.briefing.system.chars().count() as u64 + self.conversation.text_length(),
            tools: tools as u64,
        };
        match usage.and_then(|usage| self.counts.heed(&usage, sent)) {
            Some(message) => self.observer.observe(Event::Warned { message }),
            None => Ok(()),
        }
    }

    /// Withholds the newest results after the provider's content filter rejected the request. Returns whether any were
    /// left to withhold.
    fn withhold(&mut self) -> io::Result<bool> {
        let Some(queries) = self.conversation.withhold_newest() else { return Ok(false) };
        let which = if queries.is_empty() { String::new() } else { format!(" ({})", queries.join(", ")) };
        let message = format!(
            "the provider's content filter refused the newest results{which}: they were withheld, and the run continued \
             without them"
        );
        self.observer.observe(Event::Warned { message })?;
        Ok(true)
    }

    /// Returns the time until the time limit, or `None` if there is no limit.
    fn time_left(&self) -> Option<Duration> {
        self.setup.budget.time_max.map(|time| time.saturating_sub(self.started.elapsed()))
    }

    /// Returns the time until the model that is asked now starts no new request or query, so that its last turn has the
    /// rest.
    fn time_left_to_look(&self) -> Duration {
        let time = self.share.looking_time_max().unwrap_or(Duration::MAX);
        time.saturating_sub(self.started.elapsed())
    }

    /// Adds a reply to the totals, the journal and the conversation.
    fn take(&mut self, turn: u32, reply: Reply, elapsed: Duration) -> io::Result<Reply> {
        self.is_answered = true;
        let usage = reply.usage.unwrap_or_else(|| self.guess_usage(&reply));
        self.spent.add(&usage, self.setup.price);
        if let Some(usage) = reply.usage {
            let add = |total: &mut Option<u64>, count| *total = Some(total.unwrap_or(0) + count);
            add(&mut self.totals.input_tokens, usage.input_tokens);
            add(&mut self.totals.cached_tokens, usage.cached_tokens);
            add(&mut self.totals.output_tokens, usage.output_tokens);
        }
        let cost = reply.usage.and_then(|usage| Some(self.setup.price?.cost(&usage)));
        self.totals.cost_usd = self.totals.cost_usd.zip(cost).map(|(total, cost)| total + cost);
        if let Some(part) = self.parts.last_mut() {
            part.add(reply.usage.as_ref(), self.setup.price);
        }
        let is_one_of_several = self.parts.len() + self.setup.successors.len() > 1;
        let model = self.parts.last().filter(|_| is_one_of_several).cloned().map(Box::new);
        let elapsed_milliseconds = milliseconds(elapsed);
        let totals = self.totals();
        self.observer.observe(Event::Replied { turn, reply: reply.clone(), elapsed_milliseconds, totals, model })?;
        self.conversation.push(Message::Assistant {
            text: reply.text.clone(),
            tool_calls: reply.tool_calls.clone(),
            carried: reply.carried.clone(),
        });
        Ok(reply)
    }

    /// Estimates the usage of a reply that reports none: a token is about four characters.
    fn guess_usage(&self, reply: &Reply) -> Usage {
        let sent = self.setup.briefing.system.len() as u64 + self.conversation.characters();
        Usage { input_tokens: sent / 4, output_tokens: reply_characters(reply) / 4, ..Usage::default() }
    }

    /// Shortens older results, or drops the oldest turn if no result is left to shorten. Returns whether the
    /// conversation became shorter.
    fn compact(&mut self) -> io::Result<bool> {
        let queries = self.conversation.compact(&self.results);
        if !queries.is_empty() {
            self.observer.observe(Event::Compacted { queries })?;
            return Ok(true);
        }
        if !self.conversation.drop_oldest() {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_forgetful, true) {
            let message =
                "the conversation became too long for the model, and the run continued without its oldest turns";
            self.observer.observe(Event::Warned { message: message.to_owned() })?;
        }
        Ok(true)
    }

    fn totals(&self) -> Totals {
        Totals {
            queries: self.queries_sent,
            findings: u32::try_from(self.findings.len()).unwrap_or(u32::MAX),
            elapsed_milliseconds: milliseconds(self.started.elapsed()),
            ..self.totals
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn reply_characters(reply: &Reply) -> u64 {
    let calls = reply.tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>();
    (calls + reply.text.as_ref().map_or(0, String::len)) as u64
}
