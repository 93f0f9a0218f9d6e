//! Builds a [`Monitor`] from its TOML and SELECT: applies the defaults and checks what the schema cannot.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, ToSpan as _};

use super::document::{
    BandsDocument, Document, EventDocument, ForecastDocument, ImpactDocument, MeasureDocument, RatioDocument,
    SeverityDocument, ThresholdsDocument,
};
use super::problem::Problem;
use super::source::{Source, line};
use super::{
    Bands, Calendar, Direction, Forecasting, Formula, Grain, Growth, ImpactBands, Measure, Metric, Monitor, Rule,
    SeverityBands, SeverityBy, Thresholds,
};
use crate::analysis::forecast;
use crate::monitor::holidays::{self, Event};
use crate::typeset::spelling::advice;
use crate::warehouse::sql;

const DENOMINATOR_MIN: u32 = 30;
const RETRAIN_DAYS: u32 = 30;
/// The names of the column that holds the step of a row, of which a SELECT uses one.
pub(crate) const TIME_COLUMNS: [&str; 3] = ["at", "day", "date"];

/// The path and text of one of a monitor's two files.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    pub path: &'a Path,
    pub text: &'a str,
}

/// Builds the monitor `key` from its two files, or returns all their problems.
pub fn parse(key: &str, toml: Text<'_>, sql: Text<'_>) -> Result<Monitor, Vec<Problem>> {
    let mut problems = Vec::new();
    if let Err(refusal) = sql::check_form(sql.text) {
        let line = refusal.position.map(|position| line(sql.text, position));
        problems.push(Problem { path: sql.path.to_owned(), line, message: refusal.to_string() });
    }
    let source = match Source::parse(toml.path, toml.text) {
        Ok(source) => source,
        Err(problem) => {
            problems.push(problem);
            return Err(problems);
        }
    };
    let monitor = source.document().map(|document| Builder { source: &source }.monitor(key, &document, sql));
    problems.extend(source.into_problems());
    match monitor {
        Some(monitor) if problems.is_empty() => Ok(monitor),
        Some(_) | None => Err(problems),
    }
}

/// Builds a monitor from its document. An invalid value is noted at the source and replaced by a harmless one.
struct Builder<'a> {
    source: &'a Source<'a>,
}

/// The settings that measures and ratios have in common.
struct Watched<'a> {
    /// Either `measures` or `ratios`.
    table: &'static str,
    key: &'a str,
    label: Option<&'a str>,
    direction: Option<Direction>,
    enabled: Option<bool>,
    unit: Option<&'a str>,
    value: Option<f64>,
    after: &'a [String],
    thresholds: &'a ThresholdsDocument,
    severity: &'a SeverityDocument,
    impact: &'a ImpactDocument,
}

impl Builder<'_> {
    fn monitor(&self, key: &str, document: &Document, sql: Text<'_>) -> Monitor {
        let calendar = self.calendar(document);
        let measures = self.measures(document);
        let metrics = self.metrics(document, &measures);
        self.check_dimensions(document);
        Monitor {
            key: key.to_owned(),
            label: document.label.clone().unwrap_or_else(|| words(key)),
            owner: document.owner.clone(),
            dimensions: document.dimensions.clone(),
            growth: self.growth(document, &measures),
            rules: self.rules(document, &metrics),
            forecasting: self.forecasting(&document.forecast, &calendar),
            calendar,
            measures,
            metrics,
            channels: document.channels.clone(),
            investigates: self.investigates(document),
            sql_path: sql.path.to_owned(),
            sql: sql.text.to_owned(),
        }
    }

    fn calendar(&self, document: &Document) -> Calendar {
        let zone = document.time_zone.as_deref().unwrap_or("UTC");
        let time_zone = TimeZone::get(zone).unwrap_or_else(|_| {
            self.source.problem(&["time_zone"], format!("`{zone}` is not a time zone; write one such as Europe/Paris"));
            TimeZone::UTC
        });
        let day_starts = document.day_starts.as_deref().unwrap_or("00:00");
        let day_starts = day_starts.parse::<Time>().unwrap_or_else(|_| {
            self.source.problem(&["day_starts"], format!("`{day_starts}` is not a time; write one such as 06:00"));
            Time::midnight()
        });
        let (delay, restated_steps, history) = match document.grain {
            Grain::Hour => (SignedDuration::from_hours(1), 48, 45.days()),
            Grain::Day => (SignedDuration::from_hours(6), 3, 3.years()),
            Grain::Week => (SignedDuration::from_hours(6), 1, 5.years()),
        };
        Calendar {
            time_zone,
            day_starts,
            grain: document.grain,
            delay: self.delay(document.delay.as_deref()).unwrap_or(delay),
            restated_steps: document.restated_steps.map_or(restated_steps, |steps| steps as usize),
            history: self.history(document.history.as_deref()).unwrap_or(history),
        }
    }

    fn investigates(&self, document: &Document) -> bool {
        if document.investigate && document.grain == Grain::Hour {
            let message = "`investigate` compares whole days; leave it out of a monitor of hours";
            self.source.problem(&["investigate"], message);
        }
        if document.investigate && document.channels.is_empty() {
            let message = "`investigate` answers in the alert's thread; name the `channels` that the alerts go to";
            self.source.problem(&["investigate"], message);
        }
        document.investigate
    }

    fn delay(&self, text: Option<&str>) -> Option<SignedDuration> {
        let text = text?;
        let span = text.parse::<Span>().ok().filter(|span| !span.is_negative());
        let delay = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
        if delay.is_none() {
            let message = format!("`{text}` is not a length of time; write one such as 90m, 6h or 1 day");
            self.source.problem(&["delay"], message);
        }
        delay
    }

    fn history(&self, text: Option<&str>) -> Option<Span> {
        let text = text?;
        let span = text.parse::<Span>().ok().filter(Span::is_positive);
        if span.is_none() {
            let message = format!("`{text}` is not a length of time; write one such as 90 days or 2 years");
            self.source.problem(&["history"], message);
        }
        span
    }

    /// Returns the entries of a table in the order of the text, each with its byte position.
    fn ordered<'d, T>(&self, table: &str, entries: &'d BTreeMap<String, T>) -> Vec<(usize, &'d str, &'d T)> {
        let place = |key: &str| self.source.position(&[table, key]);
        let mut ordered = entries.iter().map(|(key, entry)| (place(key), key.as_str(), entry)).collect::<Vec<_>>();
        ordered.sort_by_key(|(place, ..)| *place);
        ordered
    }

    fn measures(&self, document: &Document) -> Vec<Measure> {
        if document.measures.is_empty() {
            self.source
                .problem(&["measures"], "there are no measures; add one for each measured column: [measures.orders]");
        }
        let ordered = self.ordered("measures", &document.measures);
        let measure = |(_, key, measure): (usize, &str, &MeasureDocument)| {
            self.check_key("measures", key);
            Measure { key: key.to_owned(), is_count: measure.count.unwrap_or(measure.unit.is_none()) }
        };
        ordered.into_iter().map(measure).collect()
    }

    fn metrics(&self, document: &Document, measures: &[Measure]) -> Vec<Metric> {
        let of_measures = self.ordered("measures", &document.measures).into_iter();
        let of_measures = of_measures.enumerate().map(|(index, (place, key, measure))| {
            (place, self.metric(document, Formula::Sum(index), &Watched::of_measure(key, measure)))
        });
        let of_ratios = self.ordered("ratios", &document.ratios).into_iter().map(|(place, key, ratio)| {
            self.check_key("ratios", key);
            if document.measures.contains_key(key) {
                self.source
                    .problem(&["ratios", key], format!("`{key}` is also the name of a measure; choose another name"));
            }
            (place, self.metric(document, self.ratio(key, ratio, measures), &Watched::of_ratio(key, ratio)))
        });
        let mut metrics = of_measures.chain(of_ratios).collect::<Vec<_>>();
        metrics.sort_by_key(|(place, _)| *place);
        let metrics = metrics.into_iter().map(|(_, metric)| metric).collect::<Vec<_>>();
        self.check_after(document, &metrics);
        metrics
    }

    fn metric(&self, document: &Document, formula: Formula, watched: &Watched<'_>) -> Metric {
        Metric {
            key: watched.key.to_owned(),
            label: watched.label.map_or_else(|| words(watched.key), str::to_owned),
            formula,
            direction: watched.direction.unwrap_or(Direction::BothBad),
            enabled: watched.enabled.unwrap_or(true),
            unit: watched.unit.map(str::to_owned),
            value: watched.value,
            thresholds: thresholds(watched.thresholds, &document.thresholds),
            severity: self.severity(watched, &document.severity),
            impact: self.impact(watched, &document.impact),
            after: watched.after.to_vec(),
        }
    }

    fn ratio(&self, key: &str, ratio: &RatioDocument, measures: &[Measure]) -> Formula {
        Formula::Ratio {
            numerator: self.measure(&["ratios", key, "numerator"], &ratio.numerator, measures),
            denominator: self.measure(&["ratios", key, "denominator"], &ratio.denominator, measures),
            denominator_min: ratio.denominator_min.unwrap_or(DENOMINATOR_MIN).into(),
        }
    }

    /// Returns the index of the measure that is named at `path`.
    fn measure(&self, path: &[&str], name: &str, measures: &[Measure]) -> usize {
        let place = measures.iter().position(|measure| measure.key == name);
        place.unwrap_or_else(|| {
            let known = measures.iter().map(|measure| measure.key.clone()).collect::<Vec<_>>();
            self.source.problem(path, format!("`{name}` is not a measure; {}", advice(name, &known)));
            0
        })
    }

    fn severity(&self, watched: &Watched<'_>, general: &SeverityDocument) -> SeverityBands {
        let own = watched.severity;
        let by = own.by.or(general.by).unwrap_or(SeverityBy::Deviation);
        // Bands in another unit cannot be inherited.
        let inherits = general.by.unwrap_or(SeverityBy::Deviation) == by;
        let usual = match by {
            SeverityBy::Deviation => Bands { medium: 0.1, high: 0.2, critical: 0.4 },
            SeverityBy::Z => Bands { medium: 4.0, high: 6.0, critical: 10.0 },
        };
        let bands = |own: BandsDocument, general: BandsDocument| {
            let general = if inherits { general } else { BandsDocument::default() };
            let bands = Bands {
                medium: own.medium.or(general.medium).unwrap_or(usual.medium),
                high: own.high.or(general.high).unwrap_or(usual.high),
                critical: own.critical.or(general.critical).unwrap_or(usual.critical),
            };
            let names = ["medium", "high", "critical"];
            self.check_bands(watched, "severity", names, [bands.medium, bands.high, bands.critical]);
            bands
        };
        SeverityBands {
            by,
            fall: bands(own.bands(own.fall), general.bands(general.fall)),
            rise: bands(own.bands(own.rise), general.bands(general.rise)),
        }
    }

    fn impact(&self, watched: &Watched<'_>, general: &ImpactDocument) -> ImpactBands {
        let own = watched.impact;
        let bands = ImpactBands {
            medium: own.medium.or(general.medium).unwrap_or(0.02),
            high: own.high.or(general.high).unwrap_or(0.05),
            very_high: own.very_high.or(general.very_high).unwrap_or(0.2),
        };
        let names = ["medium", "high", "very_high"];
        self.check_bands(watched, "impact", names, [bands.medium, bands.high, bands.very_high]);
        bands
    }

    fn check_bands(&self, watched: &Watched<'_>, name: &str, bands: [&str; 3], from: [f64; 3]) {
        if from.is_sorted_by(|lower, upper| lower < upper) {
            return;
        }
        let shown = bands.iter().zip(from).map(|(band, from)| format!("{band} = {from}")).collect::<Vec<_>>();
        let message = format!("{name} of `{}`: {}; each must be above the one before", watched.key, shown.join(", "));
        self.source.problem(&[watched.table, watched.key, name], message);
    }

    fn check_key(&self, table: &str, key: &str) {
        let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
        if !key.starts_with(|first: char| first.is_ascii_lowercase()) || !key.chars().all(plain) {
            let message =
                format!("`{key}`: a name has only lower case letters, digits and _; give the column an alias");
            self.source.problem(&[table, key], message);
        } else if TIME_COLUMNS.contains(&key) {
            self.source.problem(&[table, key], format!("`{key}` is a name of the time column; choose another name"));
        }
    }

    fn check_dimensions(&self, document: &Document) {
        for (index, dimension) in document.dimensions.iter().enumerate() {
            let place = index.to_string();
            let problem = if document.measures.contains_key(dimension) {
                "is also a measure"
            } else if TIME_COLUMNS.contains(&dimension.as_str()) {
                "is a name of the time column"
            } else if document.dimensions[..index].contains(dimension) {
                "is named twice"
            } else if dimension.trim().is_empty() {
                "is empty"
            } else {
                continue;
            };
            self.source.problem(&["dimensions", &place], format!("the dimension `{dimension}` {problem}"));
        }
    }

    fn check_after(&self, document: &Document, metrics: &[Metric]) {
        let keys = metrics.iter().map(|metric| metric.key.clone()).collect::<Vec<_>>();
        for (index, metric) in metrics.iter().enumerate() {
            let table = if document.measures.contains_key(&metric.key) { "measures" } else { "ratios" };
            for (place, name) in metric.after.iter().enumerate() {
                let place = place.to_string();
                let path = [table, &metric.key, "after", &place];
                if !keys.contains(name) {
                    self.source.problem(&path, format!("`{name}` is not a metric; {}", advice(name, &keys)));
                } else if !keys[..index].contains(name) {
                    let message =
                        format!("`{name}` must come before `{}`: the file follows the order of the funnel", metric.key);
                    self.source.problem(&path, message);
                }
            }
        }
    }

    fn growth(&self, document: &Document, measures: &[Measure]) -> Option<Growth> {
        let growth = document.growth.as_ref()?;
        Some(Growth {
            traffic: self.measure(&["growth", "traffic"], &growth.traffic, measures),
            conversions: self.measure(&["growth", "conversions"], &growth.conversions, measures),
            revenue: self.measure(&["growth", "revenue"], &growth.revenue, measures),
        })
    }

    fn rules(&self, document: &Document, metrics: &[Metric]) -> Vec<Rule> {
        let keys = metrics.iter().map(|metric| metric.key.clone()).collect::<Vec<_>>();
        for (index, rule) in document.rules.iter().enumerate().filter(|(_, rule)| !keys.contains(&rule.metric)) {
            let message = format!("`{}` is not a metric; {}", rule.metric, advice(&rule.metric, &keys));
            self.source.problem(&["rules", &index.to_string(), "metric"], message);
        }
        let rule = |rule: &super::document::RuleDocument| Rule {
            metric: rule.metric.clone(),
            comparison: rule.comparison,
            change_min: rule.change_min,
        };
        document.rules.iter().map(rule).collect()
    }

    fn forecasting(&self, document: &ForecastDocument, calendar: &Calendar) -> Forecasting {
        let (seasons, yearly): (&[u32], bool) = match calendar.grain {
            Grain::Hour => (&[24, 7 * 24], false),
            Grain::Day => (&[7], true),
            Grain::Week => (&[], true),
        };
        let seasons = document.seasons.as_deref().unwrap_or(seasons);
        if !seasons.is_sorted_by(|shorter, longer| shorter < longer) || seasons.first().is_some_and(|first| *first < 2)
        {
            let message = "seasons must be numbers of steps from 2 on, the shortest first, such as [24, 168]";
            self.source.problem(&["forecast", "seasons"], message);
        }
        let longest = forecast::season_max(calendar.history_steps());
        if let Some(season) = seasons.iter().find(|season| **season as usize > longest) {
            let message = format!(
                "a season of {season} steps is too long for the history: the longest possible one has {longest} steps"
            );
            self.source.problem(&["forecast", "seasons"], message);
        }
        if calendar.grain == Grain::Hour && document.yearly == Some(true) {
            let message = "a year has too many hours for a yearly season; leave yearly out";
            self.source.problem(&["forecast", "yearly"], message);
        }
        Forecasting {
            seasons: seasons.iter().map(|steps| *steps as usize).collect(),
            yearly: document.yearly.unwrap_or(yearly),
            holidays: self.holidays(document, calendar),
            retrain_days: document.retrain_days.unwrap_or(RETRAIN_DAYS),
        }
    }

    fn holidays(&self, document: &ForecastDocument, calendar: &Calendar) -> BTreeMap<Date, String> {
        let own = document.events.iter().enumerate().map(|(index, event)| self.event(index, event)).collect();
        let (before, after) = (document.holidays_before.unwrap_or(1), document.holidays_after.unwrap_or(1));
        let public = document.holidays.iter().enumerate().flat_map(|(index, country)| {
            let events = holidays::public(country);
            if events.is_empty() {
                let known = holidays::countries().join(", ");
                let message = format!("the holidays of `{country}` are not known; known countries are {known}");
                self.source.problem(&["forecast", "holidays", &index.to_string()], message);
            }
            events.into_iter().map(|event| Event { before, after, ..event })
        });
        let public = public.collect();
        let clocks = match calendar.grain {
            Grain::Day => holidays::clock_changes(&calendar.time_zone, calendar.day_starts),
            Grain::Hour | Grain::Week => Vec::new(),
        };
        holidays::names(&[own, public, clocks], calendar.grain)
    }

    fn event(&self, index: usize, event: &EventDocument) -> Event {
        let index = index.to_string();
        if event.name.trim().is_empty() || event.dates.is_empty() {
            let message = "an event needs a name and dates: name = \"Black Friday\", dates = [2026-11-27]";
            self.source.problem(&["forecast", "events", &index], message);
        }
        let dates = event.dates.iter().enumerate().filter_map(|(place, date)| {
            let parsed = date.parse::<Date>().ok();
            if parsed.is_none() {
                let path = ["forecast", "events", &index, "dates", &place.to_string()];
                self.source.problem(&path, format!("`{date}` is not a date; write one such as 2026-11-27"));
            }
            parsed
        });
        Event { name: event.name.clone(), dates: dates.collect(), before: event.before, after: event.after }
    }
}

impl<'a> Watched<'a> {
    fn of_measure(key: &'a str, measure: &'a MeasureDocument) -> Self {
        Self {
            table: "measures",
            key,
            label: measure.label.as_deref(),
            direction: measure.direction,
            enabled: measure.enabled,
            unit: measure.unit.as_deref(),
            value: measure.value,
            after: &measure.after,
            thresholds: &measure.thresholds,
            severity: &measure.severity,
            impact: &measure.impact,
        }
    }

    fn of_ratio(key: &'a str, ratio: &'a RatioDocument) -> Self {
        Self {
            table: "ratios",
            key,
            label: ratio.label.as_deref(),
            direction: ratio.direction,
            enabled: ratio.enabled,
            unit: ratio.unit.as_deref(),
            value: None,
            after: &ratio.after,
            thresholds: &ratio.thresholds,
            severity: &ratio.severity,
            impact: &ratio.impact,
        }
    }
}

fn thresholds(own: &ThresholdsDocument, general: &ThresholdsDocument) -> Thresholds {
    Thresholds {
        interval: own.interval.or(general.interval).unwrap_or(0.95),
        probability: own.probability.or(general.probability).unwrap_or(0.99),
        deviation_min: own.deviation_min.or(general.deviation_min).unwrap_or(0.05),
    }
}

/// Returns a label for a key, such as `Add to cart` for `add_to_cart`.
fn words(key: &str) -> String {
    let text = key.replace(['_', '-'], " ");
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
