//! A monitor's past gone through day by day: what would have been told, and nothing that was not known by then.

#![expect(clippy::cast_precision_loss, reason = "counts are small")]

use explore::monitor::backtest::{Backtest, Format, Replay};
use explore::monitor::day::Priority;
use explore::monitor::registry::{Monitor, Registry};
use explore::monitor::series::{Observation, Observed};
use explore::sample::days::{Injection, Options, Row, funnel, generate};
use explore::typeset::layout::Layout;
use jiff::Timestamp;
use jiff::civil::{Date, Time, date};

use crate::support::program::Program;
use crate::support::server;

fn options(injections: &[&str]) -> Options {
    let injections = injections.iter().map(|text| text.parse::<Injection>().unwrap()).collect();
    Options { seed: 5, days: 500, injections, ..Options::default() }
}

fn monitor() -> Monitor {
    Registry::shipped().monitors.into_iter().find(|monitor| monitor.key == "revenue_funnel").unwrap()
}

/// The generated days from `from` to `to`, replayed where only those up to `known` are known.
fn replayed(monitor: &Monitor, injections: &[&str], (from, to): (Date, Date), known: Date) -> Backtest {
    let options = options(injections);
    let at = |day: Date| day.to_datetime(Time::midnight());
    let first = options.until.saturating_sub(jiff::Span::new().days(499));
    let mut observed = Observed::new(monitor, at(first), at(known.tomorrow().unwrap()), Timestamp::MAX);
    let rows = funnel(&options).rows.into_iter().filter(|row| row.day <= known);
    observed.add(rows.map(|Row { day, dimensions, measures }| Observation {
        at: at(day),
        dimensions: dimensions.into_iter().map(str::to_owned).collect(),
        measures: measures.into_iter().map(Some).collect(),
    }));
    let place = |day: Date| observed.steps().binary_search(&at(day)).unwrap();
    let mut replay = Replay::new(monitor, &observed, place(from)..place(to) + 1);
    assert_eq!(replay.by_ref().count(), place(to) + 1 - place(from));
    replay.finish()
}

#[test]
fn what_was_injected_is_told_on_its_day_and_counted_in_its_month() {
    let monitor = monitor();
    let days = (date(2025, 9, 20), date(2025, 10, 20));
    let backtest = replayed(&monitor, &["drop,visitors,2025-10-14,50%"], days, days.1);
    let alert = backtest.alerts.iter().find(|alert| alert.at.date() == date(2025, 10, 14)).unwrap();
    assert_eq!((alert.metric.as_str(), alert.priority), ("visitors", Priority::P0));
    assert_eq!((backtest.months["2025-09"].steps, backtest.months["2025-10"].steps), (11, 20));
    assert!(backtest.months["2025-10"].p0 >= 1);
    let count = backtest.alerts.len() as f64;
    let years = 31.0 / 365.25 * monitor.metrics.len() as f64;
    assert!((backtest.alerts_per_metric_year - count / years).abs() < 1e-9);
}

#[test]
fn what_came_later_changes_nothing() {
    let monitor = monitor();
    let days = (date(2025, 10, 1), date(2025, 10, 16));
    let injections = ["shift,requests,2025-10-10,-60%", "spike,visitors,2025-10-20..2025-11-20,300%"];
    let later = replayed(&monitor, &injections, days, date(2025, 11, 25));
    assert_eq!(replayed(&monitor, &injections, days, days.1), later);
    assert!(!later.alerts.is_empty());
}

#[test]
fn every_format_tells_the_same_alerts() {
    let monitor = monitor();
    let days = (date(2025, 10, 12), date(2025, 10, 16));
    let backtest = replayed(&monitor, &["drop,visitors,2025-10-14,50%"], days, days.1);
    let render = |format| backtest.render(format, Layout { width: 80, colours: false }).unwrap();
    let json: serde_json::Value = serde_json::from_str(&render(Format::Json)).unwrap();
    assert_eq!(json["alerts"].as_array().unwrap().len(), backtest.alerts.len());
    let (terminal, html) = (render(Format::Terminal), render(Format::Html));
    for alert in &backtest.alerts {
        assert!(terminal.contains(&format!("{} {}", alert.priority, alert.at.date())), "{terminal}");
        assert!(html.contains(&alert.incident), "{}", alert.incident);
    }
    assert!(terminal.lines().all(|line| line.chars().count() <= 80), "{terminal}");
    assert_eq!(html.matches("<svg").count(), monitor.metrics.len());
    assert!(!html.contains("<script"));
}

#[tokio::test]
async fn the_command_replays_what_a_database_holds() {
    let mut sql = Vec::new();
    generate(&options(&["drop,visitors,2025-10-14,50%"])).write_sql(&mut sql).unwrap();
    let url = server::fresh("monitor_backtest", std::str::from_utf8(&sql).unwrap()).await;
    let program = Program::new();
    let run = |more: &[&str]| {
        let arguments = ["monitor", "backtest", "revenue_funnel", "--database-url", &url, "--allow-writable-role"];
        program.run(&[&arguments[..], more].concat())
    };
    let outcome = run(&["--from", "2025-10-13", "--to", "2025-10-15"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("P0 2025-10-14 Visitors"), "{}", outcome.stdout);
    let outcome = run(&["--from", "2025-10-15", "--to", "2025-10-13"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let outcome = run(&["--from", "2026-01-15", "--to", "2026-02-13"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("choose an earlier day with --to"), "{}", outcome.stderr);
}
