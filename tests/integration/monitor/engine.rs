//! One day of a monitor after another, over a made-up past: what is judged, what is one incident, what fires.

use explore::monitor::day::{Day, Impact, Incident, Judgement, Priority, Severity};
use explore::monitor::engine::{Circumstances, FitCache, Planned, Snooze, assess};
use explore::monitor::registry::{Calendar, Monitor};
use explore::monitor::series::{Observation, Observed, Segment, Status};
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

const FIRST: Date = date(2024, 1, 1);
const DAYS: usize = 400;

/// Visits and orders by channel, and orders per visit.
const SHOP: &str = r#"
label = "Shop"
delay = "0h"
dimensions = ["channel", "device"]
thresholds = { deviation_min = 0.15 }
severity = { critical = 0.5 }
impact = { high = 0.1, very_high = 0.3 }
[measures.visits]
direction = "up_is_good"
[ratios.conversion]
numerator = "orders"
denominator = "visits"
denominator_min = 100
direction = "up_is_good"
after = ["visits"]
[measures.orders]
direction = "up_is_good"
after = ["visits", "conversion"]
"#;

fn monitor() -> Monitor {
    monitor_of(SHOP)
}

fn monitor_of(toml: &str) -> Monitor {
    Monitor { key: "shop".to_owned(), ..crate::monitor::registry::monitor(toml) }
}

fn at(day: usize) -> DateTime {
    FIRST.checked_add(Span::new().days(i64::try_from(day).unwrap())).unwrap().to_datetime(Time::midnight())
}

/// What was observed, with a weekly season and count-like noise; `effect` multiplies visits and conversion of a channel
/// and device on a day.
fn past(seed: u64, effect: impl Fn(usize, &str, &str) -> (f64, f64)) -> Vec<Observation> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut noise = move |mean: f64| {
        let normal = (0..12).map(|_| dice.random::<f64>()).sum::<f64>() - 6.0;
        (mean + normal * mean.sqrt()).round().max(0.0)
    };
    let week = [1.0, 1.05, 1.1, 1.05, 0.95, 0.6, 0.7];
    let leaves = [
        ("paid", "mobile", 3_000.0),
        ("paid", "desktop", 2_000.0),
        ("email", "mobile", 1_000.0),
        ("email", "desktop", 1_500.0),
        ("search", "mobile", 4_000.0),
        ("search", "desktop", 2_500.0),
    ];
    let mut observations = Vec::new();
    for (channel, device, size) in leaves {
        for day in 0..DAYS {
            let (more_visits, more_orders) = effect(day, channel, device);
            let visits = noise(size * week[day % 7] * more_visits);
            let orders = noise(visits * 0.1 * more_orders);
            let dimensions = vec![channel.to_owned(), device.to_owned()];
            observations.push(Observation { at: at(day), dimensions, measures: vec![Some(visits), Some(orders)] });
        }
    }
    observations
}

/// What was observed, as it stands when the last day is just over.
fn observed<'a>(monitor: &'a Monitor, past: &[Observation]) -> Observed<'a> {
    let mut observed = Observed::new(monitor, at(0), at(DAYS), as_of());
    observed.add(past.iter().cloned());
    observed
}

fn as_of() -> Timestamp {
    at(DAYS).to_zoned_datetime(TimeZone::UTC).unwrap().timestamp()
}

/// The days from `from` to `to`, each told what the one before left open.
fn days(past: &[Observation], from: usize, to: usize, circumstances: &Circumstances) -> Vec<Day> {
    days_of(&monitor(), past, from, to, circumstances)
}

fn days_of(monitor: &Monitor, past: &[Observation], from: usize, to: usize, circumstances: &Circumstances) -> Vec<Day> {
    let observed = observed(monitor, past);
    let mut fits = FitCache::default();
    let mut circumstances = circumstances.clone();
    let mut days = Vec::new();
    for step in from..to {
        let day = assess(monitor, &observed, step, &circumstances, &mut fits);
        circumstances.open = day.incidents.clone();
        days.push(day);
    }
    days
}

fn fired(days: &[Day]) -> Vec<(Date, Priority, String)> {
    let alerts = days.iter().flat_map(|day| {
        day.incidents.iter().filter_map(|incident| Some((day.at.date(), incident.decision.fires?, incident.id.clone())))
    });
    alerts.collect()
}

#[test]
fn a_quiet_year_fires_nothing() {
    let past = past(1, |_, _, _| (1.0, 1.0));
    assert_eq!(fired(&days(&past, 120, DAYS, &Circumstances::default())), []);
}

#[test]
fn a_fall_of_one_segment_is_one_incident_that_names_it() {
    let past = past(2, |day, channel, _| if day == 380 && channel == "paid" { (0.3, 1.0) } else { (1.0, 1.0) });
    let days = days(&past, 379, 382, &Circumstances::default());
    let [incident] = &days[1].incidents[..] else { panic!("{:#?}", days[1].incidents) };
    assert_eq!(incident.id, "shop:visits:fall:2025-01-15:channel = paid");
    assert_eq!(incident.metrics, ["visits", "orders"]);
    assert_eq!(incident.segments.len(), 1, "{:#?}", incident.segments);
    assert!(incident.segments[0].share > 0.9);
    assert_eq!((incident.severity, incident.impact), (Severity::Critical, Impact::High), "as bad as its worst part");
    assert_eq!(incident.decision.fires, Some(Priority::P0), "{:?}", incident.decision);
    assert!(!days[2].incidents[0].is_closed);
}

#[test]
fn a_repeat_is_held_back_unless_worse_and_what_is_over_is_closed() {
    let effect = |day: usize| match day {
        380 | 381 => 0.7,
        382 => 0.4,
        _ => 1.0,
    };
    let past = past(3, |day, _, _| (effect(day), 1.0));
    let days = days(&past, 380, 386, &Circumstances::default());
    let told = days.iter().map(|day| day.incidents.first().and_then(|incident| incident.decision.fires));
    assert_eq!(told.collect::<Vec<_>>(), [Some(Priority::P1), None, Some(Priority::P0), None, None, None]);
    assert!(days[1].incidents[0].decision.reasons.iter().any(|reason| reason.contains("no worse")));
    assert!(days[4].incidents[0].is_closed);
    assert_eq!(days[5].incidents, []);
}

#[test]
fn a_level_shift_fires_once_and_becomes_the_new_normal() {
    let past = past(4, |day, _, _| (if day >= 360 { 0.7 } else { 1.0 }, 1.0));
    let days = days(&past, 355, DAYS, &Circumstances::default());
    let fired = fired(&days);
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].0, at(360).date());
    let is_fall = |judgement: &Judgement| judgement.score.is_some_and(|score| score.difference < 0.0);
    let last = days.iter().rposition(|day| day.judgements[0].is_anomalous && is_fall(&day.judgements[0]));
    assert_eq!(last.map(|place| place + 355), Some(363), "anomalous until four values bear it out");
}

#[test]
fn what_comes_back_after_a_short_shift_is_no_rise() {
    let past = past(5, |day, _, _| (if (360..366).contains(&day) { 0.6 } else { 1.0 }, 1.0));
    let days = days(&past, 366, 375, &Circumstances::default());
    assert!(days.iter().all(|day| !day.judgements[0].is_anomalous));
    assert!(days[0].judgements[0].reasons.iter().any(|reason| reason.contains("it is back to that")));
}

#[test]
fn a_rise_of_what_should_rise_is_anomalous_and_no_incident() {
    let past = past(6, |day, _, _| (if day == 380 { 1.5 } else { 1.0 }, 1.0));
    let day = &days(&past, 380, 381, &Circumstances::default())[0];
    assert!(day.judgements[0].is_anomalous);
    assert_eq!(day.incidents, []);
}

#[test]
fn a_broken_ratio_is_named_before_what_it_breaks() {
    let past = past(7, |day, _, device| (1.0, if day == 380 && device == "mobile" { 0.2 } else { 1.0 }));
    let day = &days(&past, 380, 381, &Circumstances::default())[0];
    let [incident] = &day.incidents[..] else { panic!("{:#?}", day.incidents) };
    assert_eq!(incident.metric, "conversion");
    assert_eq!(incident.metrics, ["conversion", "orders"]);
    assert_eq!(incident.segments[0].segment.to_string(), "device = mobile");
}

#[test]
fn grades_name_the_part_that_they_come_from() {
    let past = past(7, |day, _, device| (1.0, if day == 380 && device == "mobile" { 0.4 } else { 1.0 }));
    let day = &days(&past, 380, 381, &Circumstances::default())[0];
    let [incident] = &day.incidents[..] else { panic!("{:#?}", day.incidents) };
    let by = incident.severity_by.as_ref().unwrap();
    assert_eq!((by.metric.as_str(), by.segment.to_string().as_str()), ("conversion", "device = mobile"));
    let deviation = by.score.deviation.unwrap();
    assert!((-0.65..-0.55).contains(&deviation), "{deviation}");
    let reason = &incident.decision.reasons[0];
    assert!(reason.starts_with("severity is critical by Conversion in device = mobile, "), "{reason}");
    assert!(reason.ends_with("% below expected"), "{reason}");
    let reason = &incident.decision.reasons[1];
    assert!(reason.starts_with("impact is very high by Conversion in device = mobile, off by "), "{reason}");
}

#[test]
fn only_metrics_after_it_in_the_funnel_follow_one() {
    let apart = SHOP.replace("after = [\"visits\"]", "").replace("after = [\"visits\", \"conversion\"]", "");
    let check = |monitor: &Monitor, follows: bool| {
        let past = past(7, |day, _, _| (1.0, if day == 380 { 0.2 } else { 1.0 }));
        let day = &days_of(monitor, &past, 380, 381, &Circumstances::default())[0];
        let [incident] = &day.incidents[..] else { panic!("{:#?}", day.incidents) };
        assert_eq!(incident.metrics, ["conversion", "orders"]);
        assert_eq!(incident.cause.contains("1 metric after it follows"), follows, "{}", incident.cause);
    };
    check(&monitor(), true);
    check(&monitor_of(&apart), false);
}

/// The incidents of the shop on a day, where a change either way is bad: their direction, metrics and first segment.
fn both_bad(effect: impl Fn(&str) -> (f64, f64)) -> Vec<(bool, Vec<String>, String)> {
    let monitor = monitor_of(&SHOP.replace("up_is_good", "both_bad"));
    let past = past(13, |day, channel, _| if day == 380 { effect(channel) } else { (1.0, 1.0) });
    let day = days_of(&monitor, &past, 380, 381, &Circumstances::default()).remove(0);
    let told = day.incidents.into_iter().map(|incident| {
        let segment = incident.segments.first().map(|part| part.segment.to_string());
        (incident.is_fall, incident.metrics, segment.unwrap_or_default())
    });
    let mut told = told.collect::<Vec<_>>();
    told.sort();
    told
}

#[test]
fn a_fall_and_a_rise_of_one_metric_are_two_incidents() {
    let sums = || vec!["visits".to_owned(), "orders".to_owned()];
    let told = both_bad(|channel| match channel {
        "paid" => (0.4, 1.0),
        "email" => (2.2, 1.0),
        _ => (1.0, 1.0),
    });
    let (rise, fall) = ((false, sums(), "channel = email"), (true, sums(), "channel = paid"));
    assert_eq!(told, [rise, fall].map(|(is_fall, metrics, segment)| (is_fall, metrics, segment.to_owned())));
}

#[test]
fn a_fall_of_one_sum_and_a_rise_of_another_are_two_incidents_and_a_ratio_between_them_is_part_of_one() {
    let told = both_bad(|_| (0.6, 2.6));
    let names = told.iter().map(|(is_fall, metrics, _)| (*is_fall, metrics.join(" "))).collect::<Vec<_>>();
    assert_eq!(names, [(false, "orders".to_owned()), (true, "visits conversion".to_owned())]);
}

#[test]
fn a_ratio_that_rises_because_its_denominator_fell_is_part_of_its_fall() {
    let told = both_bad(|_| (0.6, 1.0 / 0.6));
    let names = told.iter().map(|(is_fall, metrics, _)| (*is_fall, metrics.join(" "))).collect::<Vec<_>>();
    assert_eq!(names, [(true, "visits conversion".to_owned())]);
}

#[test]
fn a_critical_level_shift_fires_each_day_until_it_is_the_new_normal_and_is_quiet_then() {
    let past = past(4, |day, _, _| (if (360..390).contains(&day) { 0.4 } else { 1.0 }, 1.0));
    let fired = fired(&days(&past, 355, DAYS, &Circumstances::default()));
    let days = fired.iter().map(|(day, ..)| *day).collect::<Vec<_>>();
    assert_eq!(days, [360, 361, 362, 363].map(|day| at(day).date()), "{fired:?}");
    assert!(fired.iter().all(|(_, priority, id)| *priority == Priority::P0 && *id == fired[0].2), "{fired:?}");
}

#[test]
fn a_gap_is_never_a_value() {
    let mut past = past(11, |_, _, _| (1.0, 1.0));
    past.retain(|observation| !(380..383).contains(&observation.at.duration_since(at(0)).as_hours().div_euclid(24)));
    let days = days(&past, 380, 385, &Circumstances::default());
    for day in &days[..3] {
        assert!(day.judgements.iter().all(|judgement| !judgement.is_anomalous && judgement.score.is_none()));
        assert!(day.judgements[0].forecast.is_some());
    }
    assert!(days[..3].iter().all(|day| day.judgements[0].filled.is_some()));
    assert!(days[3..].iter().flat_map(|day| &day.judgements).all(|judgement| !judgement.is_anomalous));
}

#[test]
fn a_snooze_and_a_plan_hold_back_what_is_not_critical() {
    let snooze = Snooze {
        metric: Some("visits".to_owned()),
        starts: at(379).date(),
        until: at(381).date(),
        reason: Some("relaunch".to_owned()),
    };
    let planned = Planned {
        label: "stocktaking".to_owned(),
        starts: at(380).date(),
        ends: at(380).date(),
        metric: None,
        segment: Segment::default(),
    };
    let snoozed = Circumstances { snoozes: vec![snooze], ..Circumstances::default() };
    let planned = Circumstances { planned: vec![planned], ..Circumstances::default() };
    for (circumstances, word) in [(snoozed, "snoozed until 2025-01-16 (relaunch)"), (planned, "planned: stocktaking")] {
        for (effect, fires) in [(0.7, None), (0.3, Some(Priority::P0))] {
            let past = past(9, |day, _, _| (if day == 380 { effect } else { 1.0 }, 1.0));
            let decision = days(&past, 380, 381, &circumstances)[0].incidents[0].decision.clone();
            assert_eq!(decision.fires, fires, "{decision:?}");
            assert!(decision.reasons.iter().any(|reason| reason.contains(word)), "{decision:?}");
        }
    }
}

#[test]
fn nothing_later_is_looked_at() {
    let whole = past(10, |day, _, _| (if day == 380 { 0.6 } else { 1.0 }, 1.0));
    let known = whole.iter().filter(|observation| observation.at <= at(380)).cloned().collect::<Vec<_>>();
    assert_eq!(days(&whole, 380, 381, &Circumstances::default()), days(&known, 380, 381, &Circumstances::default()));
}

#[test]
fn what_is_late_or_not_over_is_not_judged() {
    let monitor =
        Monitor { calendar: Calendar { delay: SignedDuration::from_hours(6), ..monitor().calendar }, ..monitor() };
    let mut past = past(12, |_, _, _| (1.0, 1.0));
    past.retain(|observation| observation.at < at(398));
    let mut observed =
        Observed::new(&monitor, at(0), at(DAYS), at(399).to_zoned_datetime(TimeZone::UTC).unwrap().timestamp());
    observed.add(past);
    let mut fits = FitCache::default();
    for (step, status, word) in [(398, Status::Late, "late"), (399, Status::Partial, "not over")] {
        let day = assess(&monitor, &observed, step, &Circumstances::default(), &mut fits);
        for judgement in day.judgements.iter().filter(|judgement| judgement.segment.is_whole()) {
            assert_eq!(judgement.status, status);
            assert!(judgement.reasons.iter().any(|reason| reason.contains(word)), "{:?}", judgement.reasons);
            assert!(judgement.score.is_none() && judgement.filled.is_none() && !judgement.is_anomalous);
        }
    }
}

/// What is known of data that do not come, by day: the incident's id, what is decided, and whether it is over.
fn absences(days: &[Day]) -> Vec<(Date, String, Option<Priority>, bool)> {
    let absent = days.iter().flat_map(|day| {
        let incidents = day.incidents.iter().filter(|incident| !incident.kind.is_deviation());
        incidents.map(|incident| (day.at.date(), incident.id.clone(), incident.decision.fires, incident.is_closed))
    });
    absent.collect()
}

/// The past without what `is_lost` says of a day, channel and device.
fn without(mut past: Vec<Observation>, is_lost: impl Fn(usize, &str, &str) -> bool) -> Vec<Observation> {
    let day = |at: DateTime| usize::try_from(at.date().since(FIRST).unwrap().get_days()).unwrap();
    past.retain(|one| !is_lost(day(one.at), &one.dimensions[0], &one.dimensions[1]));
    past
}

#[test]
fn data_that_stop_coming_are_told_once_and_over_when_they_come() {
    let past = without(past(11, |_, _, _| (1.0, 1.0)), |day, _, _| (380..390).contains(&day));
    let days = days(&past, 378, 393, &Circumstances::default());
    let id = "shop:visits:no_data:2025-01-15";
    assert_eq!(fired(&days), [(date(2025, 1, 15), Priority::P0, id.to_owned())]);
    let absences = absences(&days);
    assert_eq!(absences.len(), 11, "{absences:#?}");
    assert!(absences.iter().all(|(_, one, ..)| one == id));
    assert_eq!(
        absences.iter().filter(|(.., is_closed)| *is_closed).map(|(day, ..)| *day).collect::<Vec<_>>(),
        [date(2025, 1, 25)]
    );
    assert_eq!(days[2].incidents[0].metrics, ["visits", "conversion", "orders"]);
}

#[test]
fn rows_of_nothing_but_0_and_null_are_no_data() {
    let mut past = past(12, |_, _, _| (1.0, 1.0));
    for observation in past.iter_mut().filter(|observation| observation.at >= at(380)) {
        observation.measures = vec![Some(0.0), None];
    }
    let days = days(&past, 378, 398, &Circumstances::default());
    assert_eq!(fired(&days).len(), 1, "{:#?}", fired(&days));
    assert!(days.iter().skip(2).all(|day| day.incidents.iter().all(|incident| !incident.is_closed)));
    assert!(days[2].incidents[0].cause.contains("0 and NULL"), "{:?}", days[2].incidents[0].cause);
}

/// Its zeros are no level: neither a rise when it is over, nor is a fall that it hides told as one.
#[test]
fn what_comes_again_is_held_against_the_level_from_before_the_outage() {
    let zeros = |mut past: Vec<Observation>| {
        for one in past.iter_mut().filter(|one| (at(372)..at(384)).contains(&one.at)) {
            one.measures = vec![Some(0.0), Some(0.0)];
        }
        past
    };
    let told = |past: &[Observation]| {
        let days = days(past, 370, 392, &Circumstances::default());
        let fires = |incident: &Incident| incident.decision.fires.is_some();
        let told = days.iter().flat_map(|day| day.incidents.iter().filter(|one| fires(one)).map(|one| (day.at, one)));
        told.map(|(day, one)| (day, one.kind.is_deviation(), one.is_fall)).collect::<Vec<_>>()
    };
    let back = told(&zeros(past(21, |_, _, _| (1.0, 1.0))));
    assert_eq!(back, [(at(372), false, back[0].2)], "told once, and nothing when it is back");
    let halved = told(&zeros(past(21, |day, _, _| (if day >= 384 { 0.5 } else { 1.0 }, 1.0))));
    assert_eq!(halved[1].0, at(384), "{halved:?}");
    assert!(halved[1..].iter().all(|(_, is_deviation, is_fall)| *is_deviation && *is_fall), "{halved:?}");

    let email = |day: usize, channel: &str, _: &str| channel == "email" && (372..384).contains(&day);
    let back = told(&without(past(21, |_, _, _| (1.0, 1.0)), email));
    assert_eq!(back.len(), 1, "a segment: {back:?}");
}

#[test]
fn of_several_silent_segments_the_share_is_that_of_all() {
    let is_lost = |day: usize, channel: &str, device: &str| day >= 390 && (channel == "email" || device == "desktop");
    let days = days(&without(past(22, |_, _, _| (1.0, 1.0)), is_lost), 389, 392, &Circumstances::default());
    let cause = &days[1].incidents[0].cause;
    // Email is 2,500 of 14,000, desktop 6,000, and 1,500 are both.
    assert!(cause.contains("channel = email") && cause.contains("device = desktop"), "{cause}");
    let share = cause.split("; ").find_map(|part| part.split(", ").nth(1)?.strip_suffix("% of the whole"));
    let share = share.unwrap_or_else(|| panic!("{cause}")).parse::<f64>().unwrap();
    assert!((share - 50.0).abs() < 2.0, "{cause}");
}

#[test]
fn a_segment_that_always_came_is_told_once_when_it_stops() {
    let past = without(past(13, |_, _, _| (1.0, 1.0)), |day, channel, _| {
        channel == "email" && (360..365).contains(&day) || channel == "paid" && day >= 368
    });
    let days = days(&past, 358, DAYS, &Circumstances::default());
    let told = fired(&days).into_iter().map(|(day, _, id)| (day, id)).collect::<Vec<_>>();
    let id = |day: &str, channel: &str| format!("shop:visits:no_data:{day}:channel = {channel}");
    assert_eq!(
        told,
        [(at(360).date(), id("2024-12-26", "email")), (at(368).date(), id("2025-01-03", "paid"))],
        "told once, and not as a fall beside it"
    );
    let over = absences(&days).into_iter().filter(|(.., is_closed)| *is_closed).map(|(day, ..)| day);
    assert_eq!(
        over.collect::<Vec<_>>(),
        [at(365).date(), at(396).date()],
        "it came, and it is not waited for any more"
    );
}

#[test]
fn a_measure_that_is_null_is_no_data_of_its_metrics() {
    let mut past = past(14, |_, _, _| (1.0, 1.0));
    for observation in past.iter_mut().filter(|observation| observation.at >= at(390)) {
        observation.measures[1] = None;
    }
    let days = days(&past, 388, 394, &Circumstances::default());
    assert_eq!(fired(&days).len(), 1, "{:#?}", fired(&days));
    let incident = &days[2].incidents[0];
    assert_eq!(incident.metrics, ["conversion", "orders"]);
    assert!(incident.cause.contains("is NULL in them"), "{:?}", incident.cause);
}

#[test]
fn weekends_without_data_are_none_that_are_missed() {
    let past = without(past(15, |_, _, _| (1.0, 1.0)), |day, _, _| day % 7 >= 5 || day >= 396);
    let days = days(&past, 200, DAYS, &Circumstances::default());
    let told = absences(&days).into_iter().filter_map(|(day, _, fires, _)| fires.map(|_| day));
    assert_eq!(told.collect::<Vec<_>>(), [at(396).date()], "a Friday");
}

#[test]
fn what_is_not_due_is_not_missed() {
    let past = without(past(16, |_, _, _| (1.0, 1.0)), |day, _, _| day >= 399);
    let shop = monitor_of(&SHOP.replace("delay = \"0h\"", "delay = \"6h\""));
    assert_eq!(absences(&days_of(&shop, &past, 398, DAYS, &Circumstances::default())), []);
}

#[test]
fn data_that_do_not_come_are_told_though_snoozed_or_planned() {
    let past = without(past(17, |_, _, _| (1.0, 1.0)), |day, _, _| day >= 395);
    let snooze = Snooze { metric: Some("visits".to_owned()), starts: FIRST, until: date(2030, 1, 1), reason: None };
    let circumstances = Circumstances { snoozes: vec![snooze], ..Circumstances::default() };
    let days = days(&past, 394, DAYS, &circumstances);
    assert_eq!(fired(&days).len(), 1, "as every critical incident");
}
