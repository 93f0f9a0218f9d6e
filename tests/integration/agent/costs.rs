//! What runs took and cost, by day, focus and model.

use std::collections::BTreeMap;
use std::path::Path;

use explore::agent::costs::{By, group, read};
use explore::agent::journal::{Event, Started, StopReason};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::ledger::replied;
use crate::support::program::Program;
use crate::support::sample_run;

/// The journals of three runs: one that ended, one that did not, and one whose cost is unknown.
fn runs(folder: &Path) {
    let started = |focus: &str, model: &str| match sample_run::started() {
        Event::Started(started) => {
            let (focus, model) = (focus.to_owned(), model.to_owned());
            Event::Started(Box::new(Started { focus, model, ..*started }))
        }
        other => other,
    };
    let id = |number: u32| format!("2025-11-30T08-15-0{number}Z-x-000{number}");
    let found = Event::Found(Box::new(sample_run::churn()));
    sample_run::write(
        folder,
        &id(1),
        &[started("churn", "large"), replied(Some("0.30")), sample_run::stopped(StopReason::Finished)],
    );
    sample_run::write(folder, &id(2), &[started("churn", "small"), found.clone(), found, replied(Some("0.20"))]);
    sample_run::write(folder, &id(3), &[started("margin", "small"), replied(None)]);
    std::fs::create_dir_all(folder.join("2025-11-30T08-15-04Z-x-0004")).unwrap();
    std::fs::write(folder.join("2025-11-30T08-15-04Z-x-0004/journal.jsonl"), "not json\n").unwrap();
}

#[test]
fn runs_are_grouped_and_what_is_unknown_is_in_no_sum() {
    let folder = tempfile::tempdir().unwrap();
    runs(folder.path());
    let read = read(folder.path()).unwrap();
    assert_eq!((read.runs.len(), read.left_out.len()), (3, 1), "{:?}", read.left_out);
    let shown = |by, accepted| {
        let groups = group(&read.runs, by, &TimeZone::UTC, accepted);
        let line = |one: &explore::agent::costs::Group| {
            let each = one.cost_per_finding_usd.map(|cost| cost.normalize().to_string());
            let (of, runs, cost, unknown) = (&one.of, one.runs, one.cost_usd.normalize(), one.cost_unknown);
            format!("{of} {runs} {cost} {unknown} {} {each:?} {:?}", one.findings, one.accepted)
        };
        groups.iter().map(line).collect::<Vec<_>>()
    };
    let ended = sample_run::stopped(StopReason::Finished);
    let Event::Stopped(ended) = ended else { panic!("{ended:?}") };
    let cost = ended.totals.cost_usd.unwrap();
    let all = (cost + "0.20".parse::<rust_decimal::Decimal>().unwrap()).normalize();
    let each = (cost / rust_decimal::Decimal::from(4)).round_dp(4).normalize();
    assert_eq!(shown(By::Day, None), [format!("2025-11-30 3 {all} 1 5 None None")]);
    let large = format!("large 1 {} 0 4 Some(\"{each}\") None", cost.normalize());
    let by_model = ["small 2 0.2 1 1 None None".to_owned(), large];
    assert_eq!(shown(By::Model, None), by_model);
    let accepted = BTreeMap::from([("2025-11-30T08-15-01Z-x-0001".to_owned(), 2)]);
    assert!(shown(By::Focus, Some(&accepted))[0].ends_with("Some(2)"));
    assert!(shown(By::Focus, Some(&accepted))[1].ends_with("Some(0)"));
}

#[test]
fn the_command_prints_a_table_or_json_and_says_what_is_left_out() {
    let program = Program::new();
    let none = program.run(&["runs", "costs"]);
    assert_eq!(none.code, 0);
    assert!(none.stderr.contains("no run in runs"), "{}", none.stderr);
    runs(&program.path("runs"));
    let table = program.run(&["runs", "costs", "--by", "model"]);
    assert_eq!(table.code, 0, "{}", table.stderr);
    for text in ["model", "dollars a finding", "large", "0.2 (1 unknown)"] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
    assert!(!table.stdout.contains("accepted"), "{}", table.stdout);
    assert!(table.stderr.contains("the cost of 1 run is not known and in no sum"), "{}", table.stderr);
    assert!(table.stderr.contains("2025-11-30T08-15-04Z-x-0004 is left out"), "{}", table.stderr);
    let json = program.run(&["runs", "costs", "--by", "focus", "--json"]);
    let rows = serde_json::from_str::<Value>(&json.stdout).unwrap();
    assert_eq!((&rows[0]["by"], &rows[0]["of"], &rows[0]["runs"]), (&"focus".into(), &"churn".into(), &2.into()));
    assert_eq!(rows[0].get("accepted"), None);
}
