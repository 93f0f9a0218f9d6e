//! What earlier runs took and cost, alone and in groups.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;

use super::journal::{self, Event, StopReason, Totals};
use super::runs::{self, Error};

/// What one run took and cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCost {
    pub id: String,
    pub started_at: Timestamp,
    pub focus: String,
    /// The model's name; of several, their names.
    pub model: String,
    /// [`StopReason::Unfinished`] if it was killed, or is still running.
    pub stop_reason: StopReason,
    pub totals: Totals,
}

/// The runs of a folder, and those whose journals do not say.
#[derive(Debug, Default)]
pub struct Runs {
    /// The latest first.
    pub runs: Vec<RunCost>,
    /// The ids of runs that are left out, with the reasons.
    pub left_out: Vec<(String, String)>,
}

/// What runs are grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum By {
    /// The day on which they began.
    #[default]
    Day,
    Focus,
    Model,
}

/// The runs of one group together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The day, the focus or the model.
    pub of: String,
    pub runs: u64,
    /// Tokens sent, as far as replies told.
    pub input_tokens: u64,
    /// Tokens received, as far as replies told.
    pub output_tokens: u64,
    /// US dollars, of the runs whose cost is known.
    pub cost_usd: Decimal,
    /// How many runs have an unknown cost.
    pub cost_unknown: u64,
    pub findings: u64,
    /// US dollars a finding; null if a cost is unknown or there is no finding.
    pub cost_per_finding_usd: Option<Decimal>,
    /// How many findings somebody accepted; null if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
    /// US dollars an accepted finding; null as above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_accepted_usd: Option<Decimal>,
}

/// Reads what the runs of a folder took. Of a run without an end, what its journal says so far.
pub fn read(runs_dir: &Path) -> Result<Runs, Error> {
    let mut all = Runs::default();
    for (id, path) in runs::journals(runs_dir)? {
        match read_run(&id, &path) {
            Ok(run) => all.runs.push(run),
            Err(problem) => all.left_out.push((id, problem)),
        }
    }
    Ok(all)
}

fn read_run(id: &str, path: &Path) -> Result<RunCost, String> {
    let (mut started, mut totals, mut stop_reason) = (None, Totals::default(), StopReason::Unfinished);
    // A run of which nothing was asked cost nothing.
    totals.cost_usd = Some(Decimal::ZERO);
    let wanted = |event: &str| matches!(event, "started" | "replied" | "recorded" | "found" | "stopped");
    let mut findings = BTreeSet::new();
    journal::scan(path, wanted, |line| match line.event {
        Event::Started(begin) => started = Some((line.at, begin)),
        Event::Replied { totals: so_far, .. } => totals = so_far,
        Event::Recorded(finding) => {
            findings.insert(finding.id);
        }
        Event::Found(finding) => {
            findings.insert(finding.fingerprint);
        }
        Event::Stopped(stopped) => {
            stop_reason = stopped.reason;
            // Without a price, what was not asked did not cost anything either.
            let nothing = totals.cost_usd.filter(|_| stopped.totals.iterations == 0);
            totals = Totals { cost_usd: stopped.totals.cost_usd.or(nothing), ..stopped.totals };
        }
        _ => {}
    })
    .map_err(|error| error.to_string())?;
    if stop_reason == StopReason::Unfinished {
        totals.findings = u32::try_from(findings.len()).unwrap_or(u32::MAX);
    }
    let (started_at, started) = started.ok_or("its journal does not contain the start of the run")?;
    let (id, focus, model) = (id.to_owned(), started.focus, started.model);
    Ok(RunCost { id, started_at, focus, model, stop_reason, totals })
}

/// Groups runs. `accepted` says how many findings of a run somebody accepted, by the run's id; `None` if nobody keeps that.
/// Days are those of `time_zone`, the latest first; other groups are sorted by cost, the dearest first.
pub fn group(runs: &[RunCost], by: By, time_zone: &TimeZone, accepted: Option<&BTreeMap<String, u64>>) -> Vec<Group> {
    let mut groups = BTreeMap::<String, Group>::new();
    for run in runs {
        let of = match by {
            By::Day => run.started_at.to_zoned_datetime(time_zone.clone()).date().to_string(),
            By::Focus => run.focus.clone(),
            By::Model => run.model.clone(),
        };
        groups.entry(of).or_default().add(run, accepted);
    }
    let mut groups = groups.into_iter().map(|(of, group)| group.concluded(of)).collect::<Vec<_>>();
    match by {
        By::Day => groups.reverse(),
        By::Focus | By::Model => groups.sort_by_key(|group| std::cmp::Reverse(group.cost_usd)),
    }
    groups
}

impl Group {
    fn add(&mut self, run: &RunCost, accepted: Option<&BTreeMap<String, u64>>) {
        self.runs += 1;
        self.input_tokens += run.totals.input_tokens.unwrap_or_default();
        self.output_tokens += run.totals.output_tokens.unwrap_or_default();
        match run.totals.cost_usd {
            Some(cost) => self.cost_usd += cost,
            None => self.cost_unknown += 1,
        }
        self.findings += u64::from(run.totals.findings);
        if let Some(accepted) = accepted {
            *self.accepted.get_or_insert(0) += accepted.get(&run.id).copied().unwrap_or_default();
        }
    }

    fn concluded(self, of: String) -> Self {
        let each = |count: u64| {
            let is_known = count > 0 && self.cost_unknown == 0;
            is_known.then(|| (self.cost_usd / Decimal::from(count)).round_dp(4))
        };
        let (cost_per_finding_usd, cost_per_accepted_usd) = (each(self.findings), self.accepted.and_then(each));
        Self { of, cost_per_finding_usd, cost_per_accepted_usd, ..self }
    }
}
