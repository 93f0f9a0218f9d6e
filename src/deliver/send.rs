//! The sender: sends the messages that are due, and retries failed attempts for a limited time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::channel::Channels;
use super::parcel::{Outcome, Parcel};
use super::{Message, fingerprint};
use crate::state::{Claim, Entry, Error, Part, Sender, Settled, State};

/// The longest wait between two attempts.
const DELAY_MAX: Duration = Duration::from_hours(1);
/// The longest wait that a channel may request.
const ASKED_DELAY_MAX: Duration = Duration::from_hours(24);

/// A message that was not sent, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The id of the message's row in the outbox.
    pub id: i64,
    pub channel: String,
    pub recipient: String,
    pub problem: String,
}

/// The outcome of one run of the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The ids of the messages that were accepted.
    pub sent: Vec<i64>,
    /// Messages that are left to the next run.
    pub later: Vec<Trouble>,
    /// Messages that were refused, or reached the maximum number of attempts.
    pub failed: Vec<Trouble>,
    /// Messages that may have been accepted, and are not sent again.
    pub unknown: Vec<Trouble>,
    /// Messages that are due but whose channels are not open. They stay in the outbox unchanged.
    pub skipped: Vec<Trouble>,
}

/// Sends the messages that are due at `now`, and retries those that are not accepted as often and as long as the
/// channels' pace allows. Several senders may run at once: a message is claimed by one of them.
pub async fn send_due(state: &State, channels: &Channels, now: Timestamp) -> Result<Report, Error> {
    let sender = state.sender().await?;
    let mut run = Run {
        channels,
        sender,
        now,
        started: Instant::now(),
        report: Report::default(),
        open: BTreeMap::new(),
        held: BTreeMap::new(),
        silent: BTreeSet::new(),
        waited: Duration::ZERO,
    };
    run.recover().await?;
    loop {
        let sent = run.report.sent.len();
        // What was sent may let others follow.
        if !run.round().await? && run.report.sent.len() == sent {
            break;
        }
    }
    let Run { mut report, open, .. } = run;
    report.later = open.into_values().map(|open| open.trouble).collect();
    Ok(report)
}

struct Run<'s> {
    channels: &'s Channels,
    sender: Sender<'s>,
    now: Timestamp,
    started: Instant,
    report: Report,
    /// The messages that were not sent yet, by id.
    open: BTreeMap<i64, Open>,
    /// The channels that requested a delay, with the time when it ends.
    held: BTreeMap<String, Timestamp>,
    /// The channels whose response took longer than a run waits. They get no more attempts in this run.
    silent: BTreeSet<String>,
    /// The time spent waiting between attempts so far.
    waited: Duration,
}

/// A message that is to be retried.
struct Open {
    trouble: Trouble,
    attempts: u32,
    next_attempt_at: Timestamp,
}

impl Run<'_> {
    /// Returns the given time plus the time that has passed since.
    fn now(&self) -> Timestamp {
        self.now.saturating_add(self.started.elapsed()).unwrap_or(self.now)
    }

    async fn recover(&mut self) -> Result<(), Error> {
        let lost = self.sender.recover(|channel| self.channels.is_repeatable(channel), self.now()).await?;
        self.report.unknown.extend(lost.into_iter().map(|entry| Trouble {
            id: entry.id,
            channel: entry.channel,
            recipient: entry.recipient,
            problem: "the sender ended while it was sending this message".to_owned(),
        }));
        Ok(())
    }

    /// Makes one attempt for every message that is due. Returns whether there is something to retry in this run, after
    /// waiting until it is due.
    async fn round(&mut self) -> Result<bool, Error> {
        let attempts_max = self.channels.pace.attempts_in_run_max;
        for entry in self.sender.due(self.now()).await? {
            if !self.channels.has(&entry.channel) {
                self.skip(entry);
                continue;
            }
            if self.open.get(&entry.id).is_some_and(|open| open.attempts >= attempts_max) {
                continue;
            }
            if self.silent.contains(&entry.channel) {
                self.hold(&entry, self.now(), "its channel takes too long to answer");
                continue;
            }
            if let Some(until) = self.held.get(&entry.channel).copied().filter(|until| *until > self.now()) {
                self.hold(&entry, until, "its channel asked to wait");
                continue;
            }
            let Some(claim) = self.sender.claim(entry.id).await? else { continue };
            self.deliver(claim).await?;
        }
        let again = self.open.values().filter(|open| open.attempts < attempts_max);
        let Some(next) = again.map(|open| open.next_attempt_at).min() else { return Ok(false) };
        let wait = Duration::try_from(next.duration_since(self.now())).unwrap_or_default();
        // The day is judged and the report is written by now: a run does not wait for an endpoint that is down, because
        // the outbox keeps the message.
        if self.waited + wait > self.channels.pace.wait_max {
            return Ok(false);
        }
        self.waited += wait;
        sleep(wait).await;
        Ok(true)
    }

    fn skip(&mut self, entry: Entry) {
        if self.report.skipped.iter().all(|trouble| trouble.id != entry.id) {
            let problem = format!("channel {} is not open", entry.channel);
            let Entry { id, channel, recipient, .. } = entry;
            self.report.skipped.push(Trouble { id, channel, recipient, problem });
        }
    }

    /// Postpones a message because of the outcome of another one on its channel.
    fn hold(&mut self, entry: &Entry, until: Timestamp, problem: &str) {
        let is_silent = self.silent.contains(&entry.channel);
        let trouble = Trouble {
            id: entry.id,
            channel: entry.channel.clone(),
            recipient: entry.recipient.clone(),
            problem: problem.to_owned(),
        };
        let attempts = self.open.get(&entry.id).map_or(0, |open| open.attempts);
        let attempts = if is_silent { self.channels.pace.attempts_in_run_max } else { attempts };
        self.open.insert(entry.id, Open { trouble, attempts, next_attempt_at: until });
    }

    async fn deliver(&mut self, claim: Claim) -> Result<(), Error> {
        let attempt_began = Instant::now();
        let outcome = self.attempt(&claim).await;
        let has_to_wait = matches!(outcome, Outcome::NotAccepted { retry_after: Some(_), .. });
        // A channel that took this long once is expected to do so again.
        let is_silent = attempt_began.elapsed() > self.channels.pace.wait_max;
        let trouble = |problem: &str| Trouble {
            id: claim.id,
            channel: claim.channel.clone(),
            recipient: claim.recipient.clone(),
            problem: problem.to_owned(),
        };
        let settled = self.settled(&claim, outcome);
        let before = self.open.remove(&claim.id);
        match &settled {
            Settled::Sent { .. } => self.report.sent.push(claim.id),
            Settled::Failed { problem } => self.report.failed.push(trouble(problem)),
            Settled::Unknown { problem } => self.report.unknown.push(trouble(problem)),
            Settled::Later { problem, next_attempt_at } => {
                let attempts = before.map_or(0, |open| open.attempts) + 1;
                let attempts = if is_silent { self.channels.pace.attempts_in_run_max } else { attempts };
                let open = Open { trouble: trouble(problem), attempts, next_attempt_at: *next_attempt_at };
                self.open.insert(claim.id, open);
                if has_to_wait {
                    self.held.insert(claim.channel.clone(), *next_attempt_at);
                }
                if is_silent {
                    self.silent.insert(claim.channel.clone());
                }
            }
        }
        let now = self.now();
        self.sender.settle(claim, &settled, now).await
    }

    async fn attempt(&self, claim: &Claim) -> Outcome {
        let message = match serde_json::from_value::<Message>(claim.content.clone()) {
            Ok(message) => message,
            Err(error) => return Outcome::refused(format!("its content cannot be parsed: {error}")),
        };
        let parcel = Parcel {
            id: &id(claim),
            incident: if let [(_, incident)] = claim.incidents.as_slice() { Some(incident) } else { None },
            at: claim.at,
            recipient: &claim.recipient,
            thread: claim.thread.as_deref(),
            part: claim.part,
            now: self.now(),
            message: &message,
        };
        self.channels.attempt(&claim.channel, &parcel).await
    }

    fn settled(&self, claim: &Claim, outcome: Outcome) -> Settled {
        match outcome {
            Outcome::Accepted { reference } => Settled::Sent { reference },
            Outcome::Refused { problem } => Settled::Failed { problem },
            Outcome::NotAccepted { problem, retry_after } => self.later(claim, problem, retry_after),
            Outcome::Unknown { problem } if self.channels.is_repeatable(&claim.channel) == Some(true) => {
                self.later(claim, problem, None)
            }
            Outcome::Unknown { problem } => Settled::Unknown { problem },
        }
    }

    fn later(&self, claim: &Claim, problem: String, retry_after: Option<Duration>) -> Settled {
        let pace = &self.channels.pace;
        if claim.attempts + 1 >= pace.attempts_max {
            return Settled::Failed { problem: format!("{problem}; tried {} times", claim.attempts + 1) };
        }
        let backoff = pace.delay.saturating_mul(2_u32.saturating_pow(claim.attempts)).min(DELAY_MAX);
        let delay = retry_after.map_or(backoff, |asked| asked.min(ASKED_DELAY_MAX));
        let now = self.now();
        Settled::Later { problem, next_attempt_at: now.saturating_add(delay).unwrap_or(now) }
    }
}

/// Returns the message's id for the other end. It is derived from the step, the channel, the recipient, the incidents and
/// which message about them it is, so that the same message has the same id in every attempt, even if the outbox is lost.
fn id(claim: &Claim) -> String {
    let at = claim.at.to_string();
    let incidents = claim.incidents.iter().flat_map(|(monitor, incident)| [monitor.as_str(), incident.as_str()]);
    let texts = [at.as_str(), claim.channel.as_str(), claim.recipient.as_str()].into_iter().chain(incidents);
    let part = (claim.part != Part::Alert).then(|| claim.part.name());
    format!("msg_{}", fingerprint(texts.chain(part)))
}
