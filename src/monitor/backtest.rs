//! What a monitor would have told, day by day, over a past that is known by now: alerts a month, with their reasons.
//!
//! Each day is assessed from the days before it alone; of those it takes what is known today, late and restated data
//! included, which on the morning itself was not. Snoozes and planned events are left out.

mod html;
mod terminal;

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::chart::{Chart, Point};
use super::day::{Day, Impact, Incident, Judgement, Priority, Severity};
use super::engine::{Circumstances, FitCache, assess};
use super::registry::{Grain, Monitor};
use super::series::Observed;
use super::telling;
use crate::typeset::format::Error;
use crate::typeset::layout::Layout;

/// Days of a year, on average.
const YEAR_DAYS: f64 = 365.25;

/// What a backtest is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text for a terminal.
    #[default]
    Terminal,
    /// One JSON object: a [`Backtest`].
    Json,
    /// One HTML file, with charts.
    Html,
}

/// What would have been told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// The monitor's key.
    pub monitor: String,
    /// The monitor's label.
    pub label: String,
    /// The first step that was assessed.
    pub from: Option<DateTime>,
    /// The last one.
    pub to: Option<DateTime>,
    /// Metrics that were watched.
    pub metrics: usize,
    /// Alerts over metrics and years.
    pub alerts_per_metric_year: f64,
    /// What happened in each month, by year and month.
    pub months: BTreeMap<String, Month>,
    /// The alerts, in their order.
    pub alerts: Vec<Alert>,
    /// How often an incident was not told, by the first condition that did not hold.
    pub held_back: BTreeMap<String, usize>,
    #[serde(skip)]
    grain: Grain,
    /// The whole of each metric.
    #[serde(skip)]
    charts: BTreeMap<String, Chart>,
}

/// What happened in a month.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Month {
    /// Steps that were assessed.
    pub steps: usize,
    /// Values of metrics' wholes that were judged, and how many of them were anomalous.
    pub judged: usize,
    /// Of these, the anomalous.
    pub anomalous: usize,
    /// Incidents that opened.
    pub incidents: usize,
    /// Alerts of the highest priority.
    pub p0: usize,
    /// Alerts of the other.
    pub p1: usize,
}

/// Somebody would have been told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The step.
    pub at: DateTime,
    /// How urgent.
    pub priority: Priority,
    /// The incident's id.
    pub incident: String,
    /// The metric that it is named by.
    pub metric: String,
    /// How bad.
    pub severity: Severity,
    /// How much is at stake.
    pub impact: Impact,
    /// What is said of it first.
    pub title: String,
    /// What it comes from.
    pub cause: String,
    /// Why somebody is told.
    pub reasons: Vec<String>,
}

/// A past that is gone through step by step.
#[derive(Debug)]
pub struct Replay<'a> {
    monitor: &'a Monitor,
    observed: &'a Observed<'a>,
    fit_cache: FitCache,
    open: Vec<Incident>,
    steps: std::ops::Range<usize>,
    backtest: Backtest,
}

impl<'a> Replay<'a> {
    /// The steps, by their places in the grid.
    pub fn new(monitor: &'a Monitor, observed: &'a Observed<'a>, steps: std::ops::Range<usize>) -> Self {
        let steps = steps.start..steps.end.min(observed.steps().len());
        Self {
            monitor,
            observed,
            fit_cache: FitCache::default(),
            open: Vec::new(),
            steps,
            backtest: Backtest::new(monitor),
        }
    }

    /// What came of the steps so far.
    pub fn finish(self) -> Backtest {
        self.backtest
    }
}

impl Iterator for Replay<'_> {
    type Item = Day;

    /// Assesses the next step; `None` after the last.
    fn next(&mut self) -> Option<Day> {
        let step = self.steps.next()?;
        let circumstances = Circumstances { open: std::mem::take(&mut self.open), ..Circumstances::default() };
        let day = assess(self.monitor, self.observed, step, &circumstances, &mut self.fit_cache);
        self.open.clone_from(&day.incidents);
        self.backtest.add(self.monitor, &day);
        Some(day)
    }
}

impl Backtest {
    /// Of no step yet.
    pub fn new(monitor: &Monitor) -> Self {
        Self {
            monitor: monitor.key.clone(),
            label: monitor.label.clone(),
            from: None,
            to: None,
            metrics: monitor.metrics.iter().filter(|metric| metric.enabled).count(),
            alerts_per_metric_year: 0.0,
            months: BTreeMap::new(),
            alerts: Vec::new(),
            held_back: BTreeMap::new(),
            grain: monitor.calendar.grain,
            charts: BTreeMap::new(),
        }
    }

    /// Adds a day, which comes after those that were added.
    pub fn add(&mut self, monitor: &Monitor, day: &Day) {
        let first = *self.from.get_or_insert(day.at);
        self.to = Some(day.at);
        let month = self.months.entry(day.at.strftime("%Y-%m").to_string()).or_default();
        month.steps += 1;
        for judgement in day.judgements.iter().filter(|judgement| judgement.segment.is_whole()) {
            month.judged += usize::from(judgement.score.is_some());
            month.anomalous += usize::from(judgement.is_anomalous);
            let chart = self.charts.entry(judgement.metric.clone()).or_insert_with(|| chart(monitor, judgement));
            chart.points.push(point(day, judgement));
        }
        month.incidents += day.incidents.iter().filter(|incident| incident.opened == day.at).count();
        for incident in &day.incidents {
            match incident.decision.fires {
                Some(priority) => {
                    *if priority == Priority::P0 { &mut month.p0 } else { &mut month.p1 } += 1;
                    self.alerts.push(Alert::of(monitor, day, incident, priority));
                }
                None if incident.is_going_on() => {
                    *self.held_back.entry(hindrance(incident)).or_default() += 1;
                }
                None => {}
            }
        }
        let days = f64::from(day.at.date().since(first.date()).map_or(0, |span| span.get_days()) + 1);
        self.alerts_per_metric_year = self.alerts.len() as f64 / (self.metrics.max(1) as f64 * days / YEAR_DAYS);
    }

    /// Writes it; `layout` is for [`Format::Terminal`] alone.
    pub fn render(&self, format: Format, layout: Layout) -> Result<String, Error> {
        match format {
            Format::Terminal => Ok(terminal::render(self, layout)),
            Format::Json => Ok(serde_json::to_string_pretty(self)? + "\n"),
            Format::Html => Ok(html::render(self)?),
        }
    }

    /// Alerts in words, with how many that is a metric and year.
    fn headline(&self) -> String {
        let count = |number, one, many| crate::typeset::text::count(number, one, many);
        let steps = self.months.values().map(|month| month.steps).sum();
        format!(
            "{} in {} of {}: {} a metric and year",
            count(self.alerts.len(), "alert", "alerts"),
            count(steps, "step", "steps"),
            count(self.metrics, "metric", "metrics"),
            crate::typeset::figure::number(self.alerts_per_metric_year)
        )
    }

    /// `2025-01-01 to 2025-11-30`
    fn period(&self) -> String {
        let (Some(from), Some(to)) = (self.from, self.to) else { return "no step".to_owned() };
        let step = |at| super::wording::step(at, self.grain);
        format!("{} to {}", step(from), step(to))
    }
}

impl Alert {
    fn of(monitor: &Monitor, day: &Day, incident: &Incident, priority: Priority) -> Self {
        let telling = telling::tell(monitor, day, incident);
        Self {
            at: day.at,
            priority,
            incident: telling::line(&incident.id),
            metric: incident.metric.clone(),
            severity: incident.severity,
            impact: incident.impact,
            title: telling.headline(),
            cause: telling.cause,
            reasons: telling.reasons,
        }
    }
}

/// Why an incident was not told, without what is its own: severity, impact, or that it went on.
fn hindrance(incident: &Incident) -> String {
    let is = |at_least: bool, what: &str| (!at_least).then(|| what.to_owned());
    is(incident.severity >= Severity::High, "its severity is below high")
        .or_else(|| is(incident.impact >= Impact::High, "its impact is below high"))
        .unwrap_or_else(|| "it goes on, and is no worse than when somebody was told".to_owned())
}

fn chart(monitor: &Monitor, judgement: &Judgement) -> Chart {
    let unit = telling::unit(monitor, &judgement.metric).map(str::to_owned);
    Chart { title: telling::label(monitor, &judgement.metric), unit, points: Vec::new() }
}

fn point(day: &Day, judgement: &Judgement) -> Point {
    let forecast = judgement.forecast;
    Point {
        at: day.at,
        actual: judgement.actual,
        expected: forecast.map(|forecast| forecast.value),
        lower: forecast.map(|forecast| forecast.lower),
        upper: forecast.map(|forecast| forecast.upper),
        is_anomalous: judgement.is_anomalous,
        holiday: day.holiday.clone(),
    }
}
