//! `/v1/monitors`: what is watched, and how its latest day was judged.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{self, At, Id, Listing, Params, format, tagged};
use crate::monitor::registry::Monitor;
use crate::monitor::report::{self, json::MetricDocument};
use crate::monitor::run::{Assessed, remembered};
use crate::serve::Service;
use crate::serve::access::{By, Read};
use crate::serve::problem::{Kind, Problem};
use crate::typeset::format::Format;
use crate::typeset::layout::Layout;

pub(super) const DAY: &str = "The latest judged day, or the one at `at`, as `application/json`, `text/html` or \
    `text/markdown`, by the header Accept: the incidents, what was expected of each metric, and whether an alert fired.";

/// A monitor.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Watched {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) owner: Option<String>,
    pub(crate) metrics: Vec<MetricDocument>,
    /// Where the latest judged day begins; null if none was judged.
    #[schemars(with = "Option<String>")]
    pub(crate) latest: Option<DateTime>,
    /// How that day was, in a sentence.
    pub(crate) headline: Option<String>,
    /// How many incidents go on.
    pub(crate) going_on: usize,
}

/// Which day is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Day {
    /// Where the day begins; the latest if it is left out.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    at: Option<DateTime>,
}

pub(super) async fn list(State(service): State<Service>, _: By<Read>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&Listing { data: all(&service).await?, next_cursor: None }, &headers))
}

/// Returns all monitors.
pub(crate) async fn all(service: &Service) -> Result<Vec<Watched>, Problem> {
    let mut watched = Vec::new();
    for monitor in &service.ready()?.monitors {
        let latest = judged(service, monitor, None).await?;
        let reported = latest.as_ref().map(|assessed| assessed.reported(monitor));
        let going_on = |assessed: &Assessed| assessed.day.incidents.iter().filter(|one| one.is_going_on()).count();
        watched.push(Watched {
            key: monitor.key.clone(),
            label: monitor.label.clone(),
            owner: monitor.owner.clone(),
            metrics: monitor.metrics.iter().map(MetricDocument::of).collect(),
            latest: latest.as_ref().map(|assessed| assessed.day.at),
            headline: reported.map(|reported| report::json::day_document(reported).headline),
            going_on: latest.as_ref().map_or(0, going_on),
        });
    }
    Ok(watched)
}

pub(super) async fn day(
    State(service): State<Service>,
    _: By<Read>,
    At(Id { id }): At<Id>,
    Params(Day { at }): Params<Day>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = format(&headers);
    Ok(extract::report(rendered(&service, &id, at, format).await?, format))
}

/// Renders a judged day of a monitor: the latest, or the one that begins at `at`.
pub(crate) async fn rendered(
    service: &Service,
    key: &str,
    at: Option<DateTime>,
    format: Format,
) -> Result<String, Problem> {
    let known = service.ready()?.monitors.iter().find(|monitor| monitor.key == key);
    let monitor = known.ok_or_else(|| Problem::not_found(format!("there is no monitor {key:?}")))?;
    let assessed = judged(service, monitor, at).await?.ok_or_else(|| {
        Problem::not_found(format!("no such day of {key} was judged; `explore monitor run {key}` judges the latest"))
    })?;
    report::render(&[assessed.reported(monitor)], format, Layout::default()).map_err(|error| {
        tracing::error!(%error, "a day could not be rendered");
        Problem::new(Kind::Internal, "the day cannot be shown; the log says why")
    })
}

/// Returns the latest judged day, or the one that begins at `at`.
async fn judged(service: &Service, monitor: &Monitor, at: Option<DateTime>) -> Result<Option<Assessed>, Problem> {
    let memory = service.ready()?.store.state().memory(monitor.into()).await?;
    let at = match at {
        Some(at) => Some(at),
        None => memory.latest_after(BEGINNING).await?,
    };
    match at {
        Some(at) => Ok(remembered(&memory, at).await?),
        None => Ok(None),
    }
}

/// Before any day.
const BEGINNING: DateTime = DateTime::constant(1, 1, 1, 0, 0, 0, 0);
