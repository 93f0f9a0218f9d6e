//! `explore runs costs`: what the runs of the folder took and cost, by day, focus or model.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{monitor, open};
use crate::agent::costs::{self, By, Group};
use crate::app::cli::CostsBy;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::typeset::text::{counted, group_digits};

/// A group in `--json`, with its dimension.
#[derive(Serialize)]
struct Row {
    by: &'static str,
    #[serde(flatten)]
    group: Group,
}

/// Prints the groups. `accepted` says how many findings of a run somebody accepted, by the run's id; `None` if that is not
/// known, and then there is no column for it.
pub(super) fn run(
    by: CostsBy,
    as_json: bool,
    accepted: Option<&BTreeMap<String, u64>>,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let (by, name) = match by {
        CostsBy::Day => (By::Day, "day"),
        CostsBy::Focus => (By::Focus, "focus"),
        CostsBy::Model => (By::Model, "model"),
    };
    let read = costs::read(&config.runs_dir).map_err(|error| Failure::new(Kind::Usage, error))?;
    for (id, problem) in &read.left_out {
        output.talk().warn(&format!("{id} is left out: {problem}"));
    }
    if read.runs.is_empty() {
        output.talk().note(&format!("no run in {}", config.runs_dir.display()));
    }
    let unknown = read.runs.iter().filter(|run| run.totals.cost_usd.is_none()).count();
    if unknown > 0 {
        output.talk().note(&format!(
            "the cost of {} is not known and in no sum: their models had no price in [prices], or their providers counted \
             no tokens",
            counted(unknown, "run")
        ));
    }
    let groups = costs::group(&read.runs, by, &open::time_zone(config), accepted);
    let rows = groups.into_iter().map(|group| Row { by: name, group }).collect::<Vec<_>>();
    let mut columns = vec![name, "runs", "tokens sent", "received", "US dollars", "findings", "dollars a finding"];
    if accepted.is_some() {
        columns.extend(["accepted", "dollars an accepted one"]);
    }
    monitor::print(&rows, &columns, |row| cells(&row.group), as_json, output)
}

fn cells(group: &Group) -> Vec<String> {
    let grouped = |number: u64| group_digits(&number.to_string());
    let each = |cost: Option<rust_decimal::Decimal>| cost.map_or_else(String::new, |cost| cost.normalize().to_string());
    let cost = match (group.cost_unknown, group.runs) {
        (0, _) => group.cost_usd.normalize().to_string(),
        (unknown, runs) if unknown == runs => "unknown".to_owned(),
        (unknown, _) => format!("{} ({unknown} unknown)", group.cost_usd.normalize()),
    };
    let mut cells = vec![
        group.of.clone(),
        grouped(group.runs),
        grouped(group.input_tokens),
        grouped(group.output_tokens),
        cost,
        grouped(group.findings),
        each(group.cost_per_finding_usd),
    ];
    if let Some(accepted) = group.accepted {
        cells.extend([grouped(accepted), each(group.cost_per_accepted_usd)]);
    }
    cells
}
