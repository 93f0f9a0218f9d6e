//! The alerts that a monitor would have sent over past days, with the reasons for each.
//!
//! Each step is assessed from the steps before it alone. The observations are those known today, late and restated data
//! included; a run on the day itself did not have those yet. Snoozes and planned events are not replayed.

mod html;
mod terminal;

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::chart::{Chart, Point};
use super::day::{Day, Impact, Incident, Judgement, Priority, Severity};
use super::description;
use super::engine::{Circumstances, FitCache, assess};
use super::registry::{Grain, Monitor};
use super::series::Observed;
use crate::typeset::format::Error;
use crate::typeset::layout::Layout;

/// The mean length of a year in days, leap years included.
const YEAR_DAYS: f64 = 365.25;

/// The output format of a backtest.
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

/// The result of a backtest: its alerts, and counts for each month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    pub monitor: String,
    pub label: String,
    /// The first assessed step; `None` before any step was assessed.
    pub from: Option<DateTime>,
    /// The last assessed step.
    pub to: Option<DateTime>,
    /// The number of enabled metrics.
    pub metrics: usize,
    /// Alerts per metric and year of assessed steps.
    pub alerts_per_metric_year: f64,
    /// Counts by month, keyed `2025-11`.
    pub months: BTreeMap<String, Month>,
    /// The alerts, oldest first.
    pub alerts: Vec<Alert>,
    /// How many times an ongoing incident sent no alert, by the first condition that did not hold.
    pub held_back: BTreeMap<String, usize>,
    #[serde(skip)]
    grain: Grain,
    /// A chart of each metric as a whole (no segment), by the metric's key.
    #[serde(skip)]
    charts: BTreeMap<String, Chart>,
}

/// Counts of one month of a backtest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Month {
    /// Assessed steps.
    pub steps: usize,
    /// Values of unsegmented metrics that were scored.
    pub judged: usize,
    /// Unsegmented values that were anomalous.
    pub anomalous: usize,
    /// Opened incidents.
    pub incidents: usize,
    /// Alerts of priority P0.
    pub p0: usize,
    /// Alerts of priority P1.
    pub p1: usize,
}

/// An alert that the monitor would have sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// When the step begins.
    pub at: DateTime,
    pub priority: Priority,
    pub incident: String,
    /// The key of the incident's first metric.
    pub metric: String,
    pub severity: Severity,
    pub impact: Impact,
    /// The incident's headline.
    pub title: String,
    pub cause: String,
    /// Why the alert fires.
    pub reasons: Vec<String>,
}

/// An iterator that assesses past steps one by one and adds each day to a backtest.
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
    /// Creates a replay of `steps`, which are indices into the grid of `observed`.
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

    /// Returns the backtest of the steps assessed so far.
    pub fn finish(self) -> Backtest {
        self.backtest
    }
}

impl Iterator for Replay<'_> {
    type Item = Day;

    /// Assesses the next step. Returns `None` after the last.
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
    /// Creates a backtest without any step.
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

    /// Adds a day. Days must be added in ascending order.
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

    /// Renders the backtest. `layout` applies to [`Format::Terminal`] only.
    pub fn render(&self, format: Format, layout: Layout) -> Result<String, Error> {
        match format {
            Format::Terminal => Ok(terminal::render(self, layout)),
            Format::Json => Ok(serde_json::to_string_pretty(self)? + "\n"),
            Format::Html => Ok(html::render(self)?),
        }
    }

    /// Returns the number of alerts as a phrase, with the rate per metric and year.
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

    /// Formats the assessed period: `2025-01-01 to 2025-11-30`.
    fn period(&self) -> String {
        let (Some(from), Some(to)) = (self.from, self.to) else { return "no step".to_owned() };
        let step = |at| super::wording::step(at, self.grain);
        format!("{} to {}", step(from), step(to))
    }
}

impl Alert {
    fn of(monitor: &Monitor, day: &Day, incident: &Incident, priority: Priority) -> Self {
        let description = description::describe(monitor, day, incident);
        Self {
            at: day.at,
            priority,
            incident: description::line(&incident.id),
            metric: incident.metric.clone(),
            severity: incident.severity,
            impact: incident.impact,
            title: description.headline(),
            cause: description.cause,
            reasons: description.reasons,
        }
    }
}

/// Returns the first condition for an alert that the incident does not meet.
fn hindrance(incident: &Incident) -> String {
    let is = |at_least: bool, what: &str| (!at_least).then(|| what.to_owned());
    is(incident.severity >= Severity::High, "its severity is below high")
        .or_else(|| is(incident.impact >= Impact::High, "its impact is below high"))
        .unwrap_or_else(|| "it goes on, and is no worse than when somebody was told".to_owned())
}

fn chart(monitor: &Monitor, judgement: &Judgement) -> Chart {
    let unit = description::unit(monitor, &judgement.metric).map(str::to_owned);
    Chart { title: description::label(monitor, &judgement.metric), unit, points: Vec::new() }
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
