//! Explains a committed day: context events and commentary, stored so that later runs do not ask again.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::{Assessed, Error};
use crate::agent::Observer;
use crate::monitor::commentary::{self, Analysis, Case, Player};
use crate::monitor::context::{self, ContextEvent, Influence, Verdict};
use crate::monitor::day::{Day, Incident};
use crate::monitor::memory::{Memory, MonitorLock};
use crate::monitor::registry::Monitor;
use crate::state;

/// How many days before the first judged day an event may have ended and still count as a possible influence.
const DAYS_BEFORE: i64 = 60;
/// The time limit for a model's answer on whether events influenced an incident.
const PATIENCE: Duration = Duration::from_mins(1);

/// The author of the commentary on days.
pub enum Analyst<'a> {
    /// The engine itself, without a model.
    Offline,
    /// A model. The observer receives the events of its run.
    Model(Player<'a>, &'a mut dyn Observer),
}

impl std::fmt::Debug for Analyst<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Offline => "Offline",
            Self::Model(..) => "Model",
        })
    }
}

/// A stored commentary with the inputs it was written from. If an input has changed, the commentary is written again.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    incidents: Vec<Incident>,
    /// The known events that may have influenced the incidents.
    events: Vec<ContextEvent>,
    speaker: Speaker,
    influences: Vec<Influence>,
    analysis: Analysis,
}

/// The author of a stored commentary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    /// The engine, because no model was asked.
    Engine,
    Model,
    /// A model was asked and did not answer everything. The next run with a model asks again.
    Unknown,
}

impl Said {
    /// Returns whether the stored commentary is still valid for `events` and for the author that would be asked now.
    fn holds(&self, events: &[ContextEvent], asks_model: bool) -> bool {
        self.events == events && (self.speaker == Speaker::Model || !asks_model)
    }
}

/// Returns the earliest end of events that can influence the days from `first` on.
pub(super) fn events_from(first: Date) -> Date {
    first.checked_sub(DAYS_BEFORE.days()).unwrap_or(first)
}

/// Returns the stored commentary on a day, if the day's incidents have not changed since.
async fn said(memory: &Memory, day: &Day) -> Result<Option<Said>, state::Error> {
    let said = memory.analysis(day.at).await?.and_then(|document| serde_json::from_value::<Said>(document).ok());
    Ok(said.filter(|said| said.incidents == day.incidents))
}

/// Returns a day that an earlier run judged, with its stored commentary.
pub async fn remembered(memory: &Memory, at: DateTime) -> Result<Option<Assessed>, state::Error> {
    let Some(day) = memory.day(at).await? else { return Ok(None) };
    let (influences, analysis) = said(memory, &day).await?.map(|said| (said.influences, said.analysis)).unzip();
    Ok(Some(Assessed { day, charts: BTreeMap::new(), influences: influences.unwrap_or_default(), analysis }))
}

/// Returns whether a model should analyse the incident. Missing data and failed queries leave nothing to interpret.
fn is_for_model(incident: &Incident) -> bool {
    incident.decision.fires.is_some() && incident.kind.is_deviation()
}

impl Analyst<'_> {
    /// Explains a day on which an incident is going on, unless a valid commentary is stored. A new one is stored if
    /// `lock` is given.
    pub(super) async fn explain(
        &mut self,
        monitor: &Monitor,
        assessed: &mut Assessed,
        events: &[ContextEvent],
        lock: Option<&MonitorLock>,
    ) -> Result<(), Error> {
        let day = &assessed.day;
        let going_on = day.incidents.iter().filter(|incident| incident.is_going_on());
        let going_on = going_on.collect::<Vec<_>>();
        if going_on.is_empty() {
            return Ok(());
        }
        let mut candidates = context::candidates(day, &going_on, events);
        // `events` reach back from the first day of the run. Without this, a day would know more events when it is
        // judged together with earlier days than when it is judged alone.
        candidates.retain(|event| event.ends >= events_from(day.at.date()));
        let before = match lock {
            Some(lock) => said(lock, day).await?.filter(|said| said.holds(&candidates, self.asks_model(day))),
            None => None,
        };
        let said = if let Some(said) = before {
            said
        } else {
            let said = self.say(monitor, day, &going_on, candidates).await?;
            if let Some(lock) = lock {
                lock.record_analysis(day.at, &said).await?;
            }
            said
        };
        (assessed.influences, assessed.analysis) = (said.influences, Some(said.analysis));
        Ok(())
    }

    /// Returns whether a model is asked about the day. It is asked only if an alert on a deviation fires.
    fn asks_model(&self, day: &Day) -> bool {
        matches!(self, Self::Model(..)) && day.incidents.iter().any(is_for_model)
    }

    async fn say(
        &mut self,
        monitor: &Monitor,
        day: &Day,
        going_on: &[&Incident],
        events: Vec<ContextEvent>,
    ) -> Result<Said, Error> {
        let asks_model = self.asks_model(day);
        let mut influences = Vec::with_capacity(going_on.len());
        for incident in going_on {
            influences.push(match self {
                Self::Model(player, _) if is_for_model(incident) => {
                    let asked = (player.model, player.library, PATIENCE);
                    context::by_model(monitor, day, incident, &events, asked).await
                }
                Self::Model(..) | Self::Offline => context::by_overlap(day, incident, &events),
            });
        }
        let case = Case { monitor, day, influences: &influences };
        let analysis = match self {
            Self::Model(player, observer) if asks_model => {
                commentary::analyse(case, *player, std::future::pending(), &mut **observer).await?
            }
            Self::Model(..) | Self::Offline => commentary::offline(case),
        };
        let is_unknown = influences.iter().any(|influence| influence.verdict == Verdict::Unknown);
        let speaker = match asks_model {
            true if is_unknown || analysis.is_unanswered => Speaker::Unknown,
            true => Speaker::Model,
            false => Speaker::Engine,
        };
        Ok(Said { incidents: day.incidents.clone(), events, speaker, influences, analysis })
    }
}
