//! The analyst's word on a day, once it is committed.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::{Assessed, Error};
use crate::agent::Observer;
use crate::monitor::analyst::{self, Analysis, Case, Player};
use crate::monitor::context::{self, ContextEvent, Influence};
use crate::monitor::day::{Day, Incident};
use crate::monitor::registry::Monitor;
use crate::state::{self, Memory, Turn};

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

/// What was said of a day, and of which incidents: where they have changed since, it is said anew.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    incidents: Vec<Incident>,
    influences: Vec<Influence>,
    analysis: Analysis,
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

impl Analyst<'_> {
    /// Explains a day on which an incident is going on, unless that was done before; with a turn, it is kept.
    pub(super) async fn explain(
        &mut self,
        monitor: &Monitor,
        assessed: &mut Assessed,
        events: &[ContextEvent],
        turn: Option<&Turn>,
    ) -> Result<(), Error> {
        let day = &assessed.day;
        let going_on = day.incidents.iter().filter(|incident| !incident.is_closed && incident.quiet_steps == 0);
        let going_on = going_on.collect::<Vec<_>>();
        if going_on.is_empty() {
            return Ok(());
        }
        if let Some(turn) = turn
            && let Some(said) = said(turn, day).await?
        {
            (assessed.influences, assessed.analysis) = (said.influences, Some(said.analysis));
            return Ok(());
        }
        let mut influences = Vec::with_capacity(going_on.len());
        for incident in going_on {
            influences.push(match self {
                Self::Model(player, _) if incident.decision.fires.is_some() => {
                    let asked = (player.model, player.library, PATIENCE);
                    context::by_model(monitor, day, incident, events, asked).await
                }
                Self::Model(..) | Self::Offline => context::by_overlap(day, incident, events),
            });
        }
        let case = Case { monitor, day, influences: &influences };
        let fires = day.incidents.iter().any(|incident| incident.decision.fires.is_some());
        let analysis = match self {
            Self::Model(player, observer) if fires => {
                analyst::analyse(case, *player, std::future::pending(), &mut **observer).await?
            }
            Self::Model(..) | Self::Offline => analyst::offline(case),
        };
        if let Some(turn) = turn {
            let said = Said { incidents: day.incidents.clone(), influences, analysis };
            turn.record_analysis(day.at, &said).await?;
            (assessed.influences, assessed.analysis) = (said.influences, Some(said.analysis));
        } else {
            (assessed.influences, assessed.analysis) = (influences, Some(analysis));
        }
        Ok(())
    }
}
