//! A rich made-up day of a monitor for tests: three incidents, a late and a missing metric, and hostile strings wherever
//! the data could put one.

use std::collections::BTreeMap;

use explore::monitor::chart::{Chart, Point};
use explore::monitor::context::{Basis, ContextEvent, Influence, Kind, Verdict};
use explore::monitor::day::{
    Compared, Contribution, Day, Decision, Expected, GradedBy, Impact, Incident, IncidentKind, Judgement, Money,
    Priority, Score, Severity,
};
use explore::monitor::registry::{
    Bands, Calendar, Comparison, Direction, Forecasting, Formula, Grain, Growth, ImpactBands, Measure, Metric, Monitor,
    SeverityBands, SeverityBy, Thresholds,
};
use explore::monitor::report::Reported;
use explore::monitor::series::{Segment, Status};
use jiff::civil::{DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

/// Markup of every kind, a terminal's escape sequence, reordered text, a mention and a link.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script> & \"q\" 'a' |`*_[x](http://evil.example) <!channel> @here \
                                  \u{1b}[31mred\u{202e}txt {{ 7 * 7 }}\n# not a heading";

/// Everything that a report is made of.
pub(crate) struct Sample {
    pub(crate) monitor: Monitor,
    pub(crate) day: Day,
    pub(crate) charts: BTreeMap<String, Chart>,
    pub(crate) influences: Vec<Influence>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let day = day();
        let charts = day.incidents.iter().map(|incident| (incident.id.clone(), chart())).take(2).collect();
        Self { monitor: monitor(), charts, influences: influences(&day), day }
    }

    pub(crate) fn reported(&self) -> Reported<'_> {
        Reported {
            monitor: &self.monitor,
            day: &self.day,
            charts: &self.charts,
            influences: &self.influences,
            analysis: None,
        }
    }
}

pub(crate) fn at() -> DateTime {
    date(2026, 11, 20).to_datetime(Time::midnight())
}

fn metric(key: &str, label: &str, formula: Formula, unit: Option<&str>) -> Metric {
    let bands = Bands { medium: 0.1, high: 0.2, critical: 0.35 };
    Metric {
        key: key.to_owned(),
        label: label.to_owned(),
        formula,
        direction: Direction::UpIsGood,
        enabled: true,
        unit: unit.map(str::to_owned),
        value: unit.map(|_| 1.0),
        thresholds: Thresholds { interval: 0.95, probability: 0.99, deviation_min: 0.02 },
        severity: SeverityBands { by: SeverityBy::Deviation, fall: bands, rise: bands },
        impact: ImpactBands { medium: 0.02, high: 0.1, very_high: 0.3 },
        after: Vec::new(),
    }
}

pub(crate) fn monitor() -> Monitor {
    let measure = |key: &str| Measure { key: key.to_owned(), is_count: key != "revenue" };
    let ratio = |numerator, denominator| Formula::Ratio { numerator, denominator, denominator_min: 30 };
    Monitor {
        key: "revenue_funnel".to_owned(),
        label: "Revenue funnel".to_owned(),
        owner: Some("growth team".to_owned()),
        calendar: Calendar {
            time_zone: TimeZone::UTC,
            day_starts: Time::midnight(),
            grain: Grain::Day,
            delay: SignedDuration::from_hours(6),
            restated_steps: 3,
            history: Span::new().years(3),
        },
        dimensions: vec!["channel".to_owned(), "device".to_owned()],
        measures: ["visitors", "requests", "projects", "contacts", "revenue"].map(measure).into(),
        metrics: vec![
            metric("visitors", "Visitors", Formula::Sum(0), None),
            metric("requests", "Requests", Formula::Sum(1), None),
            metric("requests_per_visitor", "Requests per visitor", ratio(1, 0), None),
            metric("projects", "Projects", Formula::Sum(2), None),
            metric("contacts", HOSTILE, Formula::Sum(3), None),
            metric("revenue", "Revenue", Formula::Sum(4), Some("EUR")),
            metric("revenue_per_project", "Revenue per project", ratio(4, 2), Some("EUR")),
        ],
        forecasting: Forecasting { seasons: vec![7], yearly: true, holidays: [].into(), retrain_days: 30 },
        growth: Some(Growth { traffic: 0, conversions: 2, revenue: 4 }),
        rules: Vec::new(),
        channels: vec!["team".to_owned()],
        investigates: false,
        sql: String::new(),
        sql_path: "revenue_funnel.sql".into(),
    }
}

pub(crate) fn segment(values: &[(&str, &str)]) -> Segment {
    Segment(values.iter().map(|(dimension, value)| ((*dimension).to_owned(), (*value).to_owned())).collect())
}

/// A measured value of the whole beside what was expected of it, with the value of a year before.
fn judged(metric: &str, actual: f64, expected: f64, half_width: f64, year_before: f64) -> Judgement {
    let difference = actual - expected;
    let z = 1.96 * difference / half_width;
    let is_anomalous = difference.abs() > half_width;
    let compared = |comparison, value: f64| Compared {
        comparison,
        value,
        change: Some(actual / value - 1.0),
        rule: (comparison == Comparison::PreviousYear && actual / value < 0.8)
            .then(|| format!("{metric} is far below the year before; the rule speaks from 10%")),
    };
    Judgement {
        metric: metric.to_owned(),
        segment: Segment::default(),
        status: Status::Measured,
        actual: Some(actual),
        filled: None,
        forecast: Some(Expected {
            value: expected,
            lower: expected - half_width,
            upper: expected + half_width,
            trend: expected * 0.9,
            season: expected * 0.08,
            year: expected * 0.05,
            holiday: expected * -0.03,
        }),
        score: Some(Score {
            difference,
            deviation: Some(difference / expected),
            z,
            probability: if is_anomalous { 0.999_98 } else { 0.4 },
        }),
        comparisons: vec![
            compared(Comparison::PreviousWeek, expected * 0.98),
            compared(Comparison::PreviousYear, year_before),
        ],
        reasons: vec![
            format!("{actual} against {expected} expected"),
            if is_anomalous {
                "kept by the control of false discoveries among 84 values judged together".to_owned()
            } else {
                "inside of the interval".to_owned()
            },
        ],
        is_anomalous,
    }
}

fn unjudged(metric: &str, status: Status, reason: &str) -> Judgement {
    Judgement {
        status,
        actual: None,
        filled: (status == Status::Missing).then_some(412.0),
        score: None,
        comparisons: Vec::new(),
        reasons: vec![reason.to_owned()],
        is_anomalous: false,
        ..judged(metric, 410.0, 412.0, 40.0, 390.0)
    }
}

pub(crate) fn day() -> Day {
    Day {
        monitor: "revenue_funnel".to_owned(),
        label: "Revenue funnel".to_owned(),
        at: at(),
        holiday: Some(format!("Black Friday {HOSTILE}")),
        judgements: vec![
            judged("visitors", 21_340.0, 20_980.0, 1_400.0, 19_875.0),
            judged("requests", 1_015.0, 1_630.0, 160.0, 1_540.0),
            judged("requests_per_visitor", 0.0476, 0.0777, 0.0062, 0.0775),
            judged("projects", 402.0, 655.0, 70.0, 610.0),
            unjudged("contacts", Status::Late, "not judged: late, its data are not due yet"),
            judged("revenue", 61_240.5, 98_720.25, 9_300.0, 88_400.0),
            unjudged("revenue_per_project", Status::Missing, "not judged: a gap, no row came for it"),
            Judgement { segment: segment(&[("channel", "paid")]), ..judged("requests", 120.0, 690.0, 90.0, 640.0) },
        ],
        incidents: incidents(),
        notes: vec![format!("contacts of {HOSTILE} came in late")],
    }
}

fn incident(id: &str, metric: &str, severity: Severity, impact: Impact) -> Incident {
    Incident {
        id: format!("revenue_funnel:{id}:2026-11-20"),
        kind: IncidentKind::Deviation,
        opened: at(),
        metric: metric.to_owned(),
        metrics: vec![metric.to_owned()],
        is_fall: true,
        segments: Vec::new(),
        rest: 0.0,
        severity,
        impact,
        severity_by: None,
        impact_by: None,
        money: None,
        cause: String::new(),
        told: None,
        quiet_steps: 0,
        is_closed: false,
        decision: Decision { fires: None, reasons: Vec::new() },
    }
}

fn graded_by(values: &[(&str, &str)], (actual, expected): (f64, f64), z: f64) -> GradedBy {
    let difference: f64 = actual - expected;
    let score = Score { difference, deviation: Some(difference / expected), z: -z, probability: 0.999_98 };
    let segment = segment(values);
    GradedBy { metric: "requests".to_owned(), segment, score, share: difference.abs() / 1_630.0 }
}

fn incidents() -> Vec<Incident> {
    let part = |values: &[(&str, &str)], actual, expected, share| Contribution {
        segment: segment(values),
        actual,
        expected,
        share,
    };
    let reasons = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect();
    vec![
        Incident {
            metrics: ["requests", "requests_per_visitor", "projects", "revenue"].map(str::to_owned).into(),
            segments: vec![part(&[("channel", "paid")], 120.0, 690.0, 0.927)],
            rest: -45.0,
            money: Some(Money { amount: -37_479.75, unit: "EUR".to_owned() }),
            cause: "Requests collapsed (37.7% below what was expected); it comes from channel = paid (92.7% of the \
                    difference); 2 metrics after it follow"
                .to_owned(),
            decision: Decision {
                fires: Some(Priority::P0),
                reasons: reasons(&[
                    "severity is critical by Requests in channel = paid, 82.6% below expected",
                    "impact is very high by Requests, off by 37.7% of what was expected of the whole",
                ]),
            },
            severity_by: Some(graded_by(&[("channel", "paid")], (120.0, 690.0), 12.4)),
            impact_by: Some(graded_by(&[], (1_015.0, 1_630.0), 7.5)),
            ..incident("requests:fall", "requests", Severity::Critical, Impact::VeryHigh)
        },
        Incident {
            opened: date(2026, 11, 18).to_datetime(Time::midnight()),
            segments: vec![part(&[("channel", HOSTILE), ("device", "mobile")], 40.0, 95.0, 0.61)],
            cause: format!("it comes from {HOSTILE}"),
            told: Some(Severity::High),
            decision: Decision {
                fires: None,
                reasons: reasons(&[
                    "severity is high",
                    "impact is high",
                    "it goes on since 2026-11-18, and is no worse than when somebody was told of it",
                ]),
            },
            ..incident(HOSTILE, "contacts", Severity::High, Impact::High)
        },
        Incident {
            is_fall: false,
            cause: "Visitors rose (1.7% above what was expected); it is about the same everywhere".to_owned(),
            decision: Decision {
                fires: None,
                reasons: reasons(&["severity is low by Visitors, 1.7% above expected; somebody is told from high on"]),
            },
            ..incident("visitors:rise", "visitors", Severity::Low, Impact::Medium)
        },
    ]
}

pub(crate) fn events() -> Vec<ContextEvent> {
    let event = |day, kind, label: &str, values: &[(&str, &str)]| ContextEvent {
        starts: date(2026, 11, day),
        ends: date(2026, 11, day + 2),
        kind,
        label: label.to_owned(),
        monitor: Some("revenue_funnel".to_owned()),
        metric: None,
        segment: segment(values),
        source: "marketing calendar".to_owned(),
    };
    vec![
        event(19, Kind::Campaign, "Autumn sale ends early", &[("channel", "paid")]),
        event(19, Kind::Planned, HOSTILE, &[("channel", "email")]),
        event(14, Kind::News, "A competitor's launch", &[]),
    ]
}

fn influences(day: &Day) -> Vec<Influence> {
    let influence = |index: usize, verdict, events: &[ContextEvent], reason: &str| Influence {
        incident: day.incidents[index].id.clone(),
        verdict,
        basis: if index == 0 { Basis::Overlap } else { Basis::Model("a-model".to_owned()) },
        events: events.to_vec(),
        reason: reason.to_owned(),
    };
    vec![
        influence(0, Verdict::Influenced, &events()[..2], "2 events overlap it in dates and segment"),
        influence(1, Verdict::Unknown, &[], &format!("the model answered {HOSTILE}")),
    ]
}

/// Ninety days with a weekly season, a gap, two special days and a fall on the last.
pub(crate) fn chart() -> Chart {
    let first = date(2026, 8, 23).to_datetime(Time::midnight());
    let week = [0.62, 1.05, 1.1, 1.08, 1.02, 0.95, 0.6];
    let point = |day: usize| {
        let at = first + Span::new().days(i64::try_from(day).unwrap());
        let day_float = f64::from(u32::try_from(day).unwrap());
        let expected = (1_500.0 + 3.0 * day_float) * week[day % 7];
        let wave = (day_float * 2.399).sin() * 70.0;
        let is_anomalous = day == 89 || day == 51;
        let actual = if is_anomalous { expected * 0.6 } else { expected + wave };
        let band = day >= 60 || day == 51;
        Point {
            at,
            actual: (!(30..32).contains(&day)).then_some(actual),
            expected: band.then_some(expected),
            lower: band.then_some(expected - 160.0),
            upper: band.then_some(expected + 160.0),
            is_anomalous,
            holiday: match day {
                41 => Some("Day of German Unity".to_owned()),
                89 => Some(HOSTILE.to_owned()),
                _ => None,
            },
        }
    };
    Chart { title: format!("Requests, {HOSTILE}"), unit: Some("EUR".to_owned()), points: (0..90).map(point).collect() }
}
