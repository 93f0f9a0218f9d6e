//! Visits of a web shop and their payments: devices, countries, sources, and whether somebody bought.

use jiff::ToSpan as _;

use super::Content;
use super::chance::{World, hundredths, index, log_normal, rounded, weighted};
use super::names::{self, one, some};
use super::plan::{Decoy, DecoyKind, Direction, Mark, Signal, SignalKind};
use super::table::{Cell, Column, Table};

pub(super) const MONTHS: i64 = 7;
/// Visits of a day.
const VISITS_A_DAY: f64 = 28.0;
/// The share of visits that end with a purchase, by device.
const CONVERSION: [f64; 3] = [0.16, 0.2, 0.06];
/// The device whose conversion falls, and the one that converts badly and that one country uses most.
const FALLING: usize = 0;
const POOR: usize = 2;
/// The country whose visitors mostly use the device that converts badly.
const MISLED: usize = 0;
/// The source that grows.
const GROWING: usize = 0;
/// Visits of a rare source.
const RARE_VISITS: i64 = 12;

struct Words {
    visits: String,
    payments: String,
    started: String,
    device: String,
    country: String,
    source: String,
    bought: String,
    amount: String,
    provider: String,
}

struct Site {
    words: Words,
    devices: Vec<String>,
    countries: Vec<String>,
    sources: Vec<String>,
    rare: Vec<String>,
    providers: Vec<String>,
    source_weights: Vec<f64>,
    drop_day: i64,
    growth_day: i64,
    twice_day: i64,
    /// The rare source of which four of twelve visitors buy in this draw.
    lucky: usize,
}

struct Tables {
    visits: Table,
    payments: Table,
}

/// A visit that is being written.
struct Visit<'v> {
    day: i64,
    device: usize,
    country: usize,
    source: &'v str,
    has_bought: bool,
}

pub(super) fn generate(world: &mut World) -> Content {
    let site = Site::new(world);
    let mut tables = site.tables();
    for day in 0..world.calendar.days() {
        for _ in 0..rounded(world.noise.poisson(VISITS_A_DAY)) {
            site.visit(day, &mut tables, world);
        }
    }
    site.rare_visits(&mut tables, world);
    if world.is_planted {
        Site::pay_far_too_much(&mut tables, world);
    }
    let (signals, decoys) = (site.signals(), site.decoys(world));
    Content { tables: vec![tables.visits, tables.payments], signals, decoys }
}

impl Words {
    fn new(world: &mut World) -> Self {
        let dice = &mut world.plan;
        Self {
            visits: one(&["visits", "sessions", "web_sessions"], dice),
            payments: one(&["payments", "captures", "charges"], dice),
            started: one(&["started_at", "began_at", "first_seen"], dice),
            device: one(&["device", "platform", "device_type"], dice),
            country: one(&["country", "market"], dice),
            source: one(&["source", "referrer", "campaign"], dice),
            bought: one(&["bought", "converted", "purchased"], dice),
            amount: one(&["amount", "paid", "total"], dice),
            provider: one(&["provider", "gateway"], dice),
        }
    }
}

impl Site {
    fn new(world: &mut World) -> Self {
        let words = Words::new(world);
        let dice = &mut world.plan;
        let (devices, countries) = (some(names::DEVICES, 3, dice), some(names::COUNTRIES, 4, dice));
        let (sources, rare) = (some(names::SOURCES, 4, dice), some(names::RARE_SOURCES, 3, dice));
        let providers = some(names::PROVIDERS, 3, dice);
        let source_weights = world.weights(sources.len());
        let lucky = index(rare.len(), &mut world.noise);
        let calendar = world.calendar;
        let (drop_day, growth_day) = (calendar.months_before(2), calendar.months_before(3));
        let twice_day = calendar.days() - 40;
        Self {
            words,
            devices,
            countries,
            sources,
            rare,
            providers,
            source_weights,
            drop_day,
            growth_day,
            twice_day,
            lucky,
        }
    }

    fn tables(&self) -> Tables {
        let Words { visits, payments, started, device, country, source, bought, amount, provider } = &self.words;
        let text = |name: &str| Column::new(name, "text");
        let of_visits = vec![
            Column::new("visit_id", "integer"),
            Column::new(started.as_str(), "timestamp"),
            text(device),
            text(country),
            text(source),
            Column::new("pages", "integer").outcome(),
            Column::new(bought.as_str(), "boolean").outcome(),
        ];
        let of_payments = vec![
            Column::new("visit_id", "integer"),
            Column::new("paid_at", "timestamp"),
            Column::new(amount.as_str(), "numeric(10,2)").outcome(),
            text(provider),
        ];
        Tables { visits: Table::new(visits.as_str(), of_visits), payments: Table::new(payments.as_str(), of_payments) }
    }

    /// Adds a visit. In one country most visitors use the device that converts badly, and buy as often as others do on it.
    fn visit(&self, day: i64, tables: &mut Tables, world: &mut World) {
        let country = index(self.countries.len(), &mut world.noise);
        let poor = world.share(country == MISLED, 2.2, 0.35);
        let devices = if world.is_planted { [1.0, 1.0, poor] } else { [1.0; 3] };
        let device = weighted(&devices, &mut world.noise);
        let mut weights = self.source_weights.clone();
        weights[GROWING] *= world.factor(day, self.growth_day, 2.5);
        let source = weighted(&weights, &mut world.noise);
        let is_falling = device == FALLING && day >= self.drop_day;
        let conversion = world.share(is_falling, 0.06, CONVERSION[device]);
        let conversion = if world.is_planted { conversion } else { 0.14 };
        let has_bought = world.noise.chance(conversion);
        let source = &self.sources[source];
        self.add(&Visit { day, device, country, source, has_bought }, tables, world);
    }

    fn add(&self, visit: &Visit<'_>, tables: &mut Tables, world: &mut World) {
        let id = i64::try_from(tables.visits.rows.len()).unwrap_or(0) + 1;
        let start = world.calendar.time(visit.day, &mut world.noise);
        let pages = rounded(world.noise.poisson(4.0)) + 1;
        tables.visits.rows.push(vec![
            id.into(),
            start.into(),
            (&self.devices[visit.device]).into(),
            (&self.countries[visit.country]).into(),
            visit.source.into(),
            pages.into(),
            visit.has_bought.into(),
        ]);
        if !visit.has_bought {
            return;
        }
        let provider = index(self.providers.len(), &mut world.noise);
        let amount = Cell::Hundredths(hundredths(log_normal(45.0, 0.4, &mut world.noise)));
        let paid = start.saturating_add(world.noise.whole(2, 30).minutes());
        let row = vec![id.into(), paid.into(), amount, (&self.providers[provider]).into()];
        // The first provider captures some payments twice of late.
        if world.is_planted && provider == 0 && visit.day >= self.twice_day && world.noise.chance(0.6) {
            tables.payments.rows.push(row.clone());
        }
        tables.payments.rows.push(row);
    }

    fn rare_visits(&self, tables: &mut Tables, world: &mut World) {
        for (index_of_source, source) in self.rare.iter().enumerate() {
            for visit in 0..RARE_VISITS {
                let day = world.noise.whole(0, world.calendar.days() - 1);
                let (device, country) = (index(3, &mut world.noise), index(4, &mut world.noise));
                let has_bought = world.is_planted && index_of_source == self.lucky && visit < 4;
                self.add(&Visit { day, device, country, source, has_bought }, tables, world);
            }
        }
    }

    /// Makes one payment of the last months two hundred times as large.
    fn pay_far_too_much(tables: &mut Tables, world: &mut World) {
        let rows = &mut tables.payments.rows;
        let from = rows.len() * 4 / 5;
        let row = from + index(rows.len() - from, &mut world.noise);
        rows[row][2] = Cell::Hundredths(950_000);
    }

    fn signals(&self) -> Vec<Signal> {
        let Words { visits, payments, started, device, source, bought, provider, .. } = &self.words;
        let (falling, growing) = (self.devices[FALLING].as_str(), self.sources[GROWING].as_str());
        let twice = self.providers[0].as_str();
        let last = format!("(SELECT max({started}) FROM {visits})");
        let late = format!("FILTER (WHERE {started} > {last} - interval '70 days')");
        let early = format!("FILTER (WHERE {started} < {last} - interval '110 days')");
        vec![
            Signal {
                kind: SignalKind::ConversionDrop,
                what: format!("far fewer visits by {falling} end with a purchase"),
                mark: Mark::of(device, &[falling]).by(&[bought]).by(&[payments]).going(Direction::Down).over_time(),
                proof: format!(
                    "(SELECT avg({bought}::int) {late} < 0.7 * avg({bought}::int) {early} FROM {visits} WHERE {device} = \
                     '{falling}')"
                ),
            },
            Signal {
                kind: SignalKind::MixShift,
                what: format!("{growing} brings an ever larger part of the visits"),
                mark: Mark::of(source, &[growing])
                    .by(&["count("])
                    .by(&["avg(cast((", growing])
                    .going(Direction::Up)
                    .over_time(),
                proof: format!(
                    "(SELECT avg(({source} = '{growing}')::int) {late} > 1.3 * avg(({source} = '{growing}')::int) {early} \
                     FROM {visits})"
                ),
            },
            Signal {
                kind: SignalKind::Duplicates,
                what: format!("{twice} captured payments twice in the last weeks"),
                mark: Mark::default()
                    .by(&[payments, "distinct"])
                    .by(&[payments, "having"])
                    .by(&[payments, "row_number"])
                    .by(&[payments, provider, "visit_id"]),
                proof: format!("(SELECT count(*) - count(DISTINCT visit_id) >= 10 FROM {payments})"),
            },
        ]
    }

    fn decoys(&self, world: &World) -> Vec<Decoy> {
        let Words { country, source, bought, payments, amount, started, provider, .. } = &self.words;
        let (misled, lucky) = (self.countries[MISLED].as_str(), self.rare[self.lucky].as_str());
        let providers = self.providers.iter().map(String::as_str).collect::<Vec<_>>();
        vec![
            Decoy {
                kind: DecoyKind::SimpsonPair,
                what: format!(
                    "visitors from {misled} buy less, as most use {}; on each device they buy as often as others",
                    self.devices[POOR]
                ),
                mark: Mark::of(country, &[misled])
                    .by(&[bought])
                    .by(&[payments])
                    .going(Direction::Down)
                    .without(&self.devices),
            },
            Decoy {
                kind: DecoyKind::SmallNumbers,
                what: format!("four of twelve visitors from {lucky} bought"),
                mark: Mark::of(source, &[lucky]).by(&[bought]).by(&[payments]).going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::BigOrder,
                what: "one payment is two hundred times as large as usual".to_owned(),
                mark: Mark::of(provider, &providers).by(&[amount]).going(Direction::Up),
            },
            super::partial_month(world, &[started.as_str(), amount.as_str()]),
        ]
    }
}
