//! The generated days: seeded, with what was asked for in them and nothing else, ready for either PostgreSQL.

#![expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "counts are small, and equal figures are the same figures"
)]

use std::collections::BTreeSet;

use explore::sample::days::{Dataset, Injection, Options, Table, Truth, generate, truths};
use jiff::civil::{Date, date};

use crate::support::program::Program;
use crate::support::server;

fn options(injections: &[&str]) -> Options {
    let injections = injections.iter().map(|text| text.parse().unwrap()).collect();
    Options { seed: 3, days: 400, injections, ..Options::default() }
}

fn sql_of(data: &Dataset) -> String {
    let mut sql = Vec::new();
    data.write_sql(&mut sql).unwrap();
    String::from_utf8(sql).unwrap()
}

/// A measure's values that differ between two tables, as days and first dimension values.
fn changed(measure: &str, one: &Table, other: &Table) -> Vec<(Date, &'static str)> {
    let place = one.measures.iter().position(|its| *its == measure).unwrap();
    let rows = one.rows.iter().zip(&other.rows).filter(|(one, other)| one.measures[place] != other.measures[place]);
    rows.map(|(row, _)| (row.day, row.dimensions[0])).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let options = Options { days: 60, ..options(&["drop,visitors,2025-11-20,30%"]) };
    assert_eq!(sql_of(&generate(&options)), sql_of(&generate(&options)));
    assert_ne!(sql_of(&generate(&options)), sql_of(&generate(&Options { seed: 4, ..options })));
}

#[test]
fn an_injection_changes_its_days_and_segment_and_what_follows_in_the_funnel() {
    let plain = generate(&options(&[]));
    let injected = generate(&options(&["drop,requests,2025-10-01..2025-10-02,60%,channel=paid"]));
    assert_eq!(plain.events, injected.events);
    assert_eq!(changed("visitors", &plain.funnel, &injected.funnel), []);
    let days = [(date(2025, 10, 1), "paid"), (date(2025, 10, 2), "paid")];
    for measure in ["requests", "projects", "contacts", "revenue"] {
        assert_eq!(changed(measure, &plain.funnel, &injected.funnel), days, "{measure}");
    }
}

#[test]
fn visitors_who_were_kept_away_do_not_come_back_later() {
    let plain = generate(&options(&[]));
    let injected = generate(&options(&["drop,visitors,2025-10-01,90%,channel=paid"]));
    let days = changed("returning_visitors", &plain.funnel, &injected.funnel);
    assert!(days.len() > 5, "{days:?}");
    assert!(days.iter().all(|(day, channel)| *day >= date(2025, 10, 1) && *channel == "paid"), "{days:?}");
}

#[test]
fn what_is_written_down_is_what_was_done() {
    let check = |text: &str, expected_share: f64| {
        let truth: Truth = truths(&options(&[text])).remove(0);
        let share = truth.effect / truth.expected;
        assert!((share - expected_share).abs() < 0.02, "{text}: {share}");
        assert!(truth.sigma > 0.0 && (truth.effect_sigmas - truth.effect / truth.sigma).abs() < 1e-9, "{truth:?}");
    };
    check("drop,visitors,2025-10-01,30%", -0.3);
    check("spike,revenue,2025-10-01..2025-10-03,0.5,channel=email", 0.5);
    check("shift,add_to_cart,2025-10-01,-20%,device=mobile", -0.2);
    check("drift,projects,2025-09-01..2025-10-31,25%", 0.25);
    check("ratio,purchase,2025-10-01,-40%,channel=paid,device=mobile", -0.4);
    check("drop,session_start,2025-10-01,30%,device=mobile", -0.3);
}

#[test]
fn counts_vary_at_least_as_counts_do_and_days_are_missing() {
    let data = generate(&Options::default());
    let days = data.funnel.rows.iter().map(|row| row.day).collect::<BTreeSet<_>>();
    assert!((1080..1096).contains(&days.len()), "{}", days.len());
    let share = |row: &&explore::sample::days::Row| row.measures[3] / row.measures[2];
    let email = data.funnel.rows.iter().filter(|row| row.dimensions[0] == "email").collect::<Vec<_>>();
    let mean = email.iter().map(share).sum::<f64>() / email.len() as f64;
    let squares = email.iter().map(|row| (share(row) - mean).powi(2)).sum::<f64>() / email.len() as f64;
    let binomial = email.iter().map(|row| mean * (1.0 - mean) / row.measures[2]).sum::<f64>() / email.len() as f64;
    let ratio = squares / binomial;
    assert!(
        (0.85..1.2).contains(&ratio),
        "projects of a request vary {ratio} times as much as chance alone makes them"
    );
}

#[test]
fn an_injection_that_cannot_be_is_refused_with_what_can_be() {
    let check = |text: &str, expected: &str| {
        let problem = text.parse::<Injection>().unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
    };
    check("fall,visitors,2025-01-01,3%", "expected one of drop, spike, shift, drift, ratio");
    check("drop,visits,2025-01-01,3%", "expected one of visitors, ");
    check("drop,visitors,2025-13-01,3%", "expected a date");
    check("drop,visitors,2025-01-02..2025-01-01,3%", "a last day that is not before the first");
    check("drop,visitors,2025-01-02,three", "expected a size");
    check("drop,visitors,2025-01-02,-3%", "expected a size above 0");
    check("drop,visitors,2025-01-02,120%", "expected a size above 0");
    check("ratio,visitors,2025-01-02,-3%", "first step");
    check("drop,visitors,2025-01-02,3%,device=mobile", "no segment device=mobile");
    check("drop,visitors,2025-01-02,3%,channel=post", "no segment channel=post");
    check("drop,visitors,2025-01-02", "the size is missing");
    let text = "drift,purchase,2025-01-02..2025-01-09,-0.25,channel=paid,device=mobile";
    assert_eq!(text.parse::<Injection>().unwrap().to_string(), text);
}

#[tokio::test]
async fn the_script_loads_into_a_server() {
    let data = generate(&Options { days: 40, ..options(&[]) });
    let url = server::fresh("monitor_days", &sql_of(&data)).await;
    let count = "SELECT (SELECT count(*) FROM funnel_daily) + (SELECT count(*) FROM ga4_events_daily)";
    let rows: i64 = server::client(&url).await.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(rows).unwrap(), data.rows());
}

#[test]
fn the_command_writes_the_days_and_the_truth() {
    let program = Program::new();
    let arguments = ["monitor", "generate", "--days", "50", "--inject", "drop,visitors,2025-11-20,30%,channel=paid"];
    let outcome = program.run(&[&arguments[..], &["-o", "days.sql", "--truth", "truth.jsonl"]].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let truth = std::fs::read_to_string(program.path("truth.jsonl")).unwrap();
    let truth: Truth = serde_json::from_str(truth.trim()).unwrap();
    assert_eq!((truth.metric.as_str(), truth.segment["channel"].as_str()), ("visitors", "paid"));
    assert!(
        std::fs::read_to_string(program.path("days.sql")).unwrap().contains("-- Injected: drop,visitors,2025-11-20")
    );
    let outcome = program.run(&["monitor", "generate", "--inject", "fall,visitors,2025-11-20,30%"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
}
