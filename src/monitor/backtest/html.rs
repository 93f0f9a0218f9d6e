//! Renders a backtest as one HTML file with a chart of every metric. The template escapes all text and has no script.

use serde::Serialize;

use super::{Alert, Backtest, Month};
use crate::monitor::chart::{self, Chart};
use crate::monitor::description::line;
use crate::monitor::wording::step;
use crate::typeset::html::document;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("../report/html/style.css");

#[derive(Serialize)]
struct Page<'a> {
    label: String,
    period: String,
    headline: String,
    months: Vec<(&'a String, &'a Month)>,
    alerts: Vec<(String, &'a Alert)>,
    held_back: Vec<(&'a String, usize)>,
    charts: Vec<(String, String)>,
}

pub(super) fn render(backtest: &Backtest) -> Result<String, minijinja::Error> {
    let drawn = |chart: &Chart| Some((line(&chart.title), chart.svg()?));
    let page = Page {
        label: line(&backtest.label),
        period: backtest.period(),
        headline: backtest.headline(),
        months: backtest.months.iter().collect(),
        alerts: backtest.alerts.iter().map(|alert| (step(alert.at, backtest.grain), alert)).collect(),
        held_back: backtest.held_back.iter().map(|(hindrance, count)| (hindrance, *count)).collect(),
        charts: backtest.charts.values().filter_map(drawn).collect(),
    };
    document(TEMPLATE, &format!("{}{STYLE}", chart::STYLE), page)
}
