//! The analyst's word on a day, once it is committed.

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

/// Days before the first that is judged in which an event may have ended and still be at work.
const DAYS_BEFORE: i64 = 60;
/// Time for a model to say whether events influenced an incident.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who explains days.
pub enum Analyst<'a> {
    /// The engine itself.
    Offline,
    /// A model; the observer hears what it does.
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

/// What was said of a day, and what it rests on: where that has changed since, it is said anew.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    incidents: Vec<Incident>,
    /// The events that were known, of those that may have influenced the incidents.
    events: Vec<ContextEvent>,
    speaker: Speaker,
    influences: Vec<Influence>,
    analysis: Analysis,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    /// The engine: no model was asked.
    Engine,
    /// A model.
    Model,
    /// Nobody knows what a model that was asked would have said.
    Unknown,
}

impl Said {
    /// Whether there is no more to be said, given what is known and who is asked now.
    fn holds(&self, events: &[ContextEvent], asks_model: bool) -> bool {
        self.events == events && (self.speaker == Speaker::Model || !asks_model)
    }
}

/// From when on events bear on the days from `first`.
pub(super) fn events_from(first: Date) -> Date {
    first.checked_sub(DAYS_BEFORE.days()).unwrap_or(first)
}

/// What was said of a day as it is now, if anything.
async fn said(memory: &Memory, day: &Day) -> Result<Option<Said>, state::Error> {
    let said = memory.analysis(day.at).await?.and_then(|document| serde_json::from_value::<Said>(document).ok());
    Ok(said.filter(|said| said.incidents == day.incidents))
}

/// A day that an earlier run judged, with what was said of it.
pub async fn remembered(memory: &Memory, at: DateTime) -> Result<Option<Assessed>, state::Error> {
    let Some(day) = memory.day(at).await? else { return Ok(None) };
    let (influences, analysis) = said(memory, &day).await?.map(|said| (said.influences, said.analysis)).unzip();
    Ok(Some(Assessed { day, charts: BTreeMap::new(), influences: influences.unwrap_or_default(), analysis }))
}

/// Of data that do not come there is nothing to interpret.
fn is_for_model(incident: &Incident) -> bool {
    incident.decision.fires.is_some() && incident.kind.is_deviation()
}

impl Analyst<'_> {
    /// Explains a day on which an incident is going on, unless that was done before; with a turn, it is kept.
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
        // A day that is judged with earlier ones knows no more than one that is judged alone.
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

    /// Whether a model is asked about the day: only where somebody is to be told of values.
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
