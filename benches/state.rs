//! Measures the state on the PostgreSQL server of the `PG*` variables: writing and reading a history of 5,000 series
//! over two years, restating a week, and committing a day with 5,000 judgements.
//!
//! Run it with `pg_virtualenv -t cargo bench --bench state`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and panics on errors"
)]

use std::time::Instant;

use explore::monitor::day::{Day, Expected, Judgement, Score};
use explore::monitor::memory::Layout;
use explore::monitor::series::{Observation, Segment, Status};
use explore::state::State;
use jiff::Span;
use jiff::civil::{DateTime, date};

const SERIES: i32 = 5000;
const DAYS: i32 = 730;
const DAYS_A_WINDOW: i32 = 73;

#[tokio::main]
async fn main() {
    let url = std::env::var("PGHOST").map(|_| "postgres://").expect("PG* variables: run under pg_virtualenv");
    let state = State::connect(url).await.unwrap();
    let names = |name: &str| vec![name.to_owned()];
    let layout = Layout { monitor: "bench".to_owned(), dimensions: names("series"), measures: names("visitors") };
    let turn = state.lock(layout).await.unwrap();

    let started = Instant::now();
    for window in (0..DAYS).step_by(DAYS_A_WINDOW as usize) {
        let observations = observations(window, window + DAYS_A_WINDOW);
        turn.replace_observations(at(window), at(window + DAYS_A_WINDOW), &observations).await.unwrap();
    }
    println!("history written: {:.1} s", started.elapsed().as_secs_f64());
    let again = observations(DAYS - 7, DAYS);
    let started = Instant::now();
    let replaced = turn.replace_observations(at(DAYS - 7), at(DAYS), &again).await.unwrap();
    println!("a week read again: {:.2} s, {replaced:?}", started.elapsed().as_secs_f64());
    drop(again);
    let started = Instant::now();
    let leaves = turn.history(at(0), at(DAYS)).await.unwrap();
    let values = leaves.iter().flat_map(|leaf| &leaf.measures).map(Vec::len).sum::<usize>();
    println!("{values} values of {} series read: {:.2} s", leaves.len(), started.elapsed().as_secs_f64());
    drop(leaves);
    for name in ["written", "written again"] {
        let day = day();
        let started = Instant::now();
        let committed = turn.commit_day(&day, &[]).await.unwrap();
        println!("a day {name}: {:.2} s, {committed:?}", started.elapsed().as_secs_f64());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
}

fn at(day: i32) -> DateTime {
    date(2023, 1, 1).at(0, 0, 0, 0).saturating_add(Span::new().days(day))
}

fn observations(from: i32, to: i32) -> Vec<Observation> {
    let of_day = |day: i32| {
        (0..SERIES).map(move |series| Observation {
            at: at(day),
            dimensions: vec![format!("series {series:05}")],
            measures: vec![Some(f64::from(series * 31 + day * 7 % 1000))],
        })
    };
    (from..to).flat_map(of_day).collect()
}

fn day() -> Day {
    let judgement = |series: i32| Judgement {
        metric: "visitors".to_owned(),
        segment: Segment([("series".to_owned(), format!("series {series:05}"))].into()),
        status: Status::Measured,
        actual: Some(f64::from(series)),
        filled: None,
        forecast: Some(Expected {
            value: 100.1,
            lower: 90.3,
            upper: 110.7,
            trend: 101.0,
            season: -1.0,
            year: 0.1,
            holiday: 0.0,
        }),
        score: Some(Score { difference: 0.1, deviation: Some(0.01), z: 0.2, probability: 0.5 }),
        comparisons: Vec::new(),
        reasons: vec!["inside of its interval of 90.3 to 110.7".to_owned()],
        is_anomalous: false,
    };
    Day {
        monitor: "bench".to_owned(),
        label: "Bench".to_owned(),
        at: at(DAYS),
        holiday: None,
        judgements: (0..SERIES).map(judgement).collect(),
        incidents: Vec::new(),
        notes: Vec::new(),
    }
}
