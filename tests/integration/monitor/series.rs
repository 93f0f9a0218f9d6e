//! Observations -> even series, in which nothing is made up.

use std::collections::{BTreeMap, BTreeSet};

use explore::monitor::engine::{Circumstances, FitCache, assess};
use explore::monitor::registry::Monitor;
use explore::monitor::series::rows::{Mismatch, observations};
use explore::monitor::series::{LeafValues, Observation, Observed, Segment, Series, Status};
use explore::warehouse::table::{Column, Table};
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

use crate::monitor::registry::monitor;

const TWO_WAYS: &str = "dimensions = [\"channel\", \"device\"]\n[measures.visits]\n[measures.amount]\ncount = false\n\
    [ratios.rate]\nnumerator = \"amount\"\ndenominator = \"visits\"\ndenominator_min = 10\n";

fn day(number: i8) -> DateTime {
    date(2026, 1, number).at(0, 0, 0, 0)
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn observation(at: DateTime, channel: &str, device: &str, visits: impl Into<Option<f64>>) -> Observation {
    let visits = visits.into();
    Observation { at, dimensions: vec![channel.to_owned(), device.to_owned()], measures: vec![visits, visits] }
}

fn segment(pairs: &[(&str, &str)]) -> Segment {
    Segment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>())
}

/// Days 1 to 5 of January as they stand on the 6th at 05:00, an hour before the data of the 5th are due.
fn observed<'a>(monitor: &'a Monitor, observations: &[Observation]) -> Observed<'a> {
    let mut observed = Observed::new(monitor, day(1), day(7), moment("2026-01-06T05:00:00Z"));
    observed.add(observations.iter().cloned());
    observed
}

/// The whole, and every segment that was seen, of one dimension and of both.
fn segments(observed: &Observed<'_>) -> BTreeSet<Segment> {
    let of_leaf = |leaf: LeafValues<'_>| {
        let (channel, device) = (leaf.dimensions[0].as_str(), leaf.dimensions[1].as_str());
        let (channel, device) = (("channel", channel), ("device", device));
        [segment(&[]), segment(&[channel]), segment(&[device]), segment(&[channel, device])]
    };
    observed.leaves().flat_map(of_leaf).collect()
}

fn shown(series: &Series) -> Vec<String> {
    let shown = |(value, status): (&Option<f64>, &Status)| match value {
        Some(value) => format!("{value}"),
        None => format!("{status:?}"),
    };
    series.values.iter().zip(&series.statuses).map(shown).collect()
}

#[test]
fn what_is_missing_is_missing_and_what_is_late_is_late() {
    let monitor = monitor(TWO_WAYS);
    let seen = [
        observation(day(1), "paid", "mobile", 10.0),
        observation(day(1), "organic", "mobile", 5.0),
        observation(day(3), "paid", "mobile", 20.0),
        observation(day(4), "organic", "desktop", 7.0),
        observation(day(6), "paid", "mobile", 1.0),
    ];
    let observed = observed(&monitor, &seen);
    let visits = |segment: &Segment| shown(&observed.measure(0, segment));
    let amount = |segment: &Segment| shown(&observed.measure(1, segment));
    assert_eq!(visits(&Segment::default()), ["15", "Missing", "20", "7", "Late", "Partial"]);
    let paid = segment(&[("channel", "paid")]);
    assert_eq!(visits(&paid), ["10", "Missing", "20", "0", "Late", "Partial"], "of a count, absent is nothing");
    assert_eq!(amount(&paid), ["10", "Missing", "20", "Missing", "Late", "Partial"], "of an amount it is not known");
    let desktop = segment(&[("device", "desktop")]);
    assert_eq!(
        visits(&desktop),
        ["Missing", "Missing", "Missing", "7", "Late", "Partial"],
        "there was no such segment"
    );
    assert_eq!(
        visits(&segment(&[("device", "watch")])),
        ["Missing", "Missing", "Missing", "Missing", "Late", "Partial"]
    );
    assert_eq!(
        visits(&segment(&[("channel", "organic"), ("device", "mobile")])),
        ["5", "Missing", "0", "0", "Late", "Partial"]
    );
    assert_eq!(
        visits(&segment(&[("planet", "earth")])),
        ["Missing", "Missing", "Missing", "Missing", "Late", "Partial"]
    );
}

#[test]
fn a_part_of_the_data_that_is_there_before_it_is_due_makes_no_zeros_of_the_rest() {
    let monitor = monitor(TWO_WAYS);
    let seen = [
        observation(day(4), "paid", "mobile", 10.0),
        observation(day(4), "organic", "mobile", 5.0),
        observation(day(5), "paid", "mobile", 11.0),
    ];
    let observed = observed(&monitor, &seen);
    assert_eq!(shown(&observed.measure(0, &segment(&[("channel", "organic")])))[3..5], ["5", "Late"]);
    assert_eq!(shown(&observed.measure(0, &segment(&[("channel", "paid")])))[3..5], ["10", "11"]);
}

#[test]
fn null_is_unknown_and_so_is_every_sum_that_it_is_part_of() {
    let monitor = monitor(TWO_WAYS);
    let seen = [observation(day(1), "paid", "mobile", None), observation(day(1), "organic", "mobile", 5.0)];
    let observed = observed(&monitor, &seen);
    assert_eq!(shown(&observed.measure(0, &Segment::default()))[0], "Missing");
    assert_eq!(shown(&observed.measure(0, &segment(&[("channel", "organic")])))[0], "5");
}

#[test]
fn a_ratio_has_no_value_where_its_denominator_is_too_small() {
    let monitor = monitor(TWO_WAYS);
    let seen =
        [observation(day(1), "a", "m", 20.0), observation(day(2), "a", "m", 9.0), observation(day(4), "a", "m", 0.0)];
    let observed = observed(&monitor, &seen);
    let rate = observed.metric(&monitor.metrics[2], &Segment::default());
    assert_eq!(shown(&rate.values)[..4], ["1", "Measured", "Missing", "Measured"]);
    assert_eq!(shown(&rate.denominators.unwrap())[..4], ["20", "9", "Missing", "0"]);
}

#[test]
fn comparisons_are_with_the_same_weekday() {
    for grain in ["hour", "day", "week"] {
        let monitor = monitor(&format!("grain = \"{grain}\"\n[measures.orders]\n"));
        let from = monitor.calendar.floor(date(2025, 1, 6).at(0, 0, 0, 0));
        let week = monitor.calendar.grain.steps_per_week();
        let steps = 53 * week;
        let at = monitor.calendar.shifted(from, i64::try_from(steps).unwrap() - 1);
        let mut observed =
            Observed::new(&monitor, from, monitor.calendar.shifted(at, 1), moment("2026-02-01T00:00:00Z"));
        let number = |step: u16| Observation {
            at: monitor.calendar.shifted(from, step.into()),
            dimensions: Vec::new(),
            measures: vec![Some(step.into())],
        };
        observed.add((0..u16::try_from(steps).unwrap()).map(number));
        let day = assess(&monitor, &observed, steps - 1, &Circumstances::default(), &mut FitCache::default());
        let compared = day.judgements[0].comparisons.iter().map(|compared| compared.value.to_string());
        assert_eq!(compared.collect::<Vec<_>>(), [52 * week - 1, week - 1].map(|step| step.to_string()), "{grain}");
    }
}

#[test]
fn hours_stand_on_the_local_clock_through_both_changes() {
    let monitor = monitor("grain = \"hour\"\ntime_zone = \"Europe/Paris\"\n[measures.orders]\n");
    let calendar = &monitor.calendar;
    let spring = date(2026, 3, 29).at(0, 0, 0, 0);
    let autumn = date(2026, 10, 25).at(0, 0, 0, 0);
    for start in [spring, autumn] {
        assert_eq!(
            calendar.steps(start, calendar.shifted(start, 24)).len(),
            24,
            "phases of the day stay where they are"
        );
    }
    let observed = Observed::new(&monitor, spring, spring.date().at(4, 0, 0, 0), moment("2026-04-01T00:00:00Z"));
    let series = observed.measure(0, &Segment::default());
    assert_eq!(shown(&series), ["Missing", "Missing", "Skipped", "Missing"]);

    let instants = [("2026-10-25 00:00:00+00", "4"), ("2026-10-25 01:00:00+00", "8"), ("2026-10-25 02:00:00+00", "1")];
    let from = autumn.date().at(2, 0, 0, 0);
    let rows = read("timestamptz", &instants, &monitor, from, autumn.date().at(4, 0, 0, 0)).unwrap();
    let mut seen = rows.iter().map(|row| (row.at.hour(), row.measures[0])).collect::<Vec<_>>();
    seen.sort_by_key(|(hour, _)| *hour);
    assert_eq!(seen, [(2, Some(6.0)), (3, Some(1.0))], "the hour that the clocks show twice is averaged");
    let local = [("2026-10-25 02:00:00", "12"), ("2026-10-25 03:00:00", "1")];
    let rows = read("timestamp", &local, &monitor, from, autumn.date().at(4, 0, 0, 0)).unwrap();
    assert!(rows.iter().any(|row| row.at.hour() == 2 && row.measures[0] == Some(6.0)), "{rows:?}");
}

fn read(
    type_name: &str,
    rows: &[(&str, &str)],
    monitor: &Monitor,
    from: DateTime,
    until: DateTime,
) -> Result<Vec<Observation>, Mismatch> {
    let column = |name: &str, type_name: &str| Column { name: name.to_owned(), type_name: type_name.to_owned() };
    let table = Table {
        columns: vec![column("at", type_name), column("orders", "int8")],
        rows: rows.iter().map(|(at, orders)| vec![Some((*at).to_owned()), Some((*orders).to_owned())]).collect(),
        more_rows: false,
        suppressed: 0,
    };
    observations(&table, monitor, from, until)
}

#[test]
fn rows_that_cannot_be_meant_are_told_with_what_to_write() {
    let paris =
        |grain: &str| monitor(&format!("grain = \"{grain}\"\ntime_zone = \"Europe/Paris\"\n[measures.orders]\n"));
    let cases = [
        (
            "day",
            "timestamptz",
            vec![("2026-01-02 00:00:00+00", "1")],
            "row 1: 2026-01-02 00:00:00+00 is not the start of a day, which begins at 00:00:00 in Europe/Paris: select \
          date_trunc('day', ..., 'Europe/Paris')",
        ),
        (
            "week",
            "date",
            vec![("2026-01-06", "1")],
            "row 1: 2026-01-06 is not the start of a week, which begins on Monday at 00:00:00 in Europe/Paris: select \
          date_trunc('week', ..., 'Europe/Paris')",
        ),
        (
            "hour",
            "timestamp",
            vec![("2026-01-02 10:30:00", "1")],
            "row 1: 2026-01-02 10:30:00 is not the start of an hour, which begins on the full hour in Europe/Paris: \
          select date_trunc('hour', ..., 'Europe/Paris')",
        ),
        (
            "day",
            "date",
            vec![("2026-01-02", "1"), ("2026-01-03", "1"), ("2026-01-02", "2")],
            "row 3: 2026-01-02T00:00:00 is already in row 1; one row per step and dimension values is needed: GROUP BY them",
        ),
        (
            "day",
            "date",
            vec![("2025-12-31", "1")],
            "row 1: 2025-12-31T00:00:00 is outside of the range from 2026-01-01T00:00:00 to 2026-01-10T00:00:00; compare \
          with $1 and $2: at >= $1 AND at < $2",
        ),
        ("day", "date", vec![("2026-01-10", "1")], "row 1: 2026-01-10T00:00:00 is outside"),
        ("day", "date", vec![("infinity", "1")], "row 1: `at` is infinity, which is not a usable point in time"),
        ("day", "date", vec![("2026-01-02", "NaN")], "row 1: `orders` is NaN, which is not a finite number"),
        ("hour", "date", vec![], "the column `at` is of type date, which has no hours; select date_trunc('hour', ...)"),
        ("day", "text", vec![], "the column `at` is of type text; a date, timestamp or timestamptz is needed"),
    ];
    for (grain, type_name, rows, expected) in cases {
        let told = read(type_name, &rows, &paris(grain), day(1), day(10)).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{told}\nis not\n{expected}");
    }
    let good = [("2026-01-01 23:00:00+00", "1"), ("2026-01-03 00:00:00+01", "2")];
    assert_eq!(read("timestamptz", &good, &paris("day"), day(1), day(10)).unwrap().len(), 2);
    assert_eq!(read("date", &[("2026-01-05", "1")], &paris("week"), day(5), day(12)).unwrap().len(), 1);
}

#[test]
fn columns_that_are_missing_left_over_or_of_the_wrong_type_are_told_all_at_once() {
    let monitor = monitor("dimensions = [\"channel\"]\n[measures.orders]\n[measures.amount]\n");
    let column =
        |(name, type_name): &(&str, &str)| Column { name: (*name).to_owned(), type_name: (*type_name).to_owned() };
    let columns = [("day", "date"), ("at", "date"), ("orders", "text"), ("extra", "int4"), ("extra", "int4")];
    let table = Table { columns: columns.iter().map(column).collect(), ..Table::default() };
    let told = observations(&table, &monitor, day(1), day(2)).unwrap_err().to_string();
    for expected in [
        "2 columns are called `extra`; give each a name of its own",
        "there is no column `channel`, which is a dimension in the TOML; select it AS channel",
        "there is no column `amount`, which is a measure in the TOML; select it AS amount",
        "there is more than one of the columns `at`, `day` and `date`; keep one",
        "the column `orders` is of type text, but a measure is numeric; cast it to numeric",
        "the column `extra` is neither a dimension nor a measure; add it to the TOML or leave it out",
    ] {
        assert!(told.contains(expected), "{expected} is not in {told}");
    }
}

fn any_observations() -> impl Strategy<Value = Vec<Observation>> {
    let one = (1_i8..=6, 0_u8..3, 0_u8..2, proptest::option::weighted(0.95, 0_u32..1000));
    proptest::collection::vec(one, 0..40).prop_map(|seen| {
        let observation = |(at, channel, device, visits): (i8, u8, u8, Option<u32>)| {
            observation(day(at), &format!("c{channel}"), &format!("d{device}"), visits.map(f64::from))
        };
        seen.into_iter().map(observation).collect()
    })
}

proptest! {
    #[test]
    fn segments_add_up_to_the_whole(seen in any_observations()) {
        let monitor = monitor(TWO_WAYS);
        let observed = observed(&monitor, &seen);
        let whole = observed.measure(0, &Segment::default());
        for dimension in ["channel", "device"] {
            let parts = segments(&observed).into_iter().filter(|segment| segment.0.keys().eq([dimension]));
            let parts = parts.map(|segment| observed.measure(0, &segment)).collect::<Vec<_>>();
            for (step, value) in whole.values.iter().enumerate().filter_map(|(step, value)| Some((step, (*value)?))) {
                let sum = parts.iter().filter_map(|part| part.values[step]).sum::<f64>();
                prop_assert!((sum - value).abs() < 1e-9, "{dimension} {step}: {sum} is not {value}");
            }
        }
    }

    #[test]
    fn what_is_seen_twice_counts_once(seen in any_observations(), again in any::<proptest::sample::Index>()) {
        let monitor = monitor(TWO_WAYS);
        let once = observed(&monitor, &seen);
        let mut latest = BTreeMap::new();
        for observation in &seen {
            latest.insert((observation.at, observation.dimensions.clone()), observation.clone());
        }
        let latest = latest.into_values().collect::<Vec<_>>();
        let mut twice = latest.clone();
        if !latest.is_empty() {
            twice.push(latest[again.index(latest.len())].clone());
        }
        twice.reverse();
        for segment in segments(&once) {
            for measure in [0, 1] {
                prop_assert_eq!(once.measure(measure, &segment), observed(&monitor, &twice).measure(measure, &segment));
            }
        }
    }

    #[test]
    fn a_gap_never_turns_into_a_value(seen in any_observations()) {
        let monitor = monitor(TWO_WAYS);
        let observed = observed(&monitor, &seen);
        for segment in segments(&observed) {
            for measure in [0, 1] {
                let series = observed.measure(measure, &segment);
                for (step, at) in series.steps.iter().enumerate() {
                    let any_row = seen.iter().any(|observation| observation.at == *at);
                    let value = series.values[step];
                    prop_assert_eq!(value.is_some(), series.statuses[step] == Status::Measured);
                    prop_assert!(value.is_none() || any_row, "{} has a value and no row", at);
                }
            }
        }
    }
}

/// Two values that begin alike are two, and short ones stay as they are.
#[test]
fn long_values_of_a_dimension_stay_apart() {
    let monitor = monitor("grain = \"day\"\ndimensions = [\"page\"]\n[measures.orders]\n");
    let column = |name: &str, type_name: &str| Column { name: name.to_owned(), type_name: type_name.to_owned() };
    let pages = [format!("{}a", "/x".repeat(150)), format!("{}b", "/x".repeat(150)), "/short".to_owned()];
    let rows = pages.iter().map(|page| vec![Some("2026-01-02".to_owned()), Some(page.clone()), Some("1".to_owned())]);
    let table = Table {
        columns: vec![column("day", "date"), column("page", "text"), column("orders", "int8")],
        rows: rows.collect(),
        more_rows: false,
        suppressed: 0,
    };
    let observations = observations(&table, &monitor, day(2), day(3)).unwrap();
    let values = observations.iter().map(|one| one.dimensions[0].as_str()).collect::<Vec<_>>();
    assert!(values[0] != values[1] && values[2] == "/short", "{values:?}");
    assert!(values.iter().all(|value| value.chars().count() <= 120), "{values:?}");
}
