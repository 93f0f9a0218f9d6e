//! The table `ga4_events_daily`: the events of a shop's sessions, by channel and device.

use super::chance::Chance;
use super::{Row, Table, World, calendar, traffic};

pub(super) const MEASURES: [&str; 9] = [
    "page_view",
    "session_start",
    "view_item",
    "add_to_cart",
    "begin_checkout",
    "add_payment_info",
    "purchase",
    "user_engagement",
    "scroll",
];

pub(super) const DEFINITION: &str = "\
DROP TABLE IF EXISTS ga4_events_daily;
CREATE TABLE ga4_events_daily (
    day date NOT NULL,
    channel text NOT NULL,
    device text NOT NULL,
    event_name text NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (day, channel, device, event_name)
);
";

/// A device: its share of the sessions, the yearly growth of that share, and the relative conversion of its sessions.
pub(super) struct Device {
    pub(super) name: &'static str,
    share: f64,
    growth: f64,
    conversion: f64,
}

pub(super) const DEVICES: [Device; 3] = [
    Device { name: "desktop", share: 0.42, growth: -0.05, conversion: 1.35 },
    Device { name: "mobile", share: 0.50, growth: 0.05, conversion: 0.75 },
    Device { name: "tablet", share: 0.08, growth: -0.08, conversion: 0.95 },
];

/// Events per session.
const PAGE_VIEWS: f64 = 3.8;
const ENGAGEMENTS: f64 = 1.6;
const ITEMS: f64 = 0.9;
/// Events per page view.
const SCROLLS: f64 = 0.55;
/// Shares of the previous step.
const CARTS: f64 = 0.11;
const CHECKOUTS: f64 = 0.5;
const PAYMENTS: f64 = 0.62;
const PURCHASES: f64 = 0.78;
/// Relative standard deviation of the conversion of a day.
const CONVERSION_DEVIATION: f64 = 0.02;
/// Share of a day's deviation that the next day keeps.
const KEPT: f64 = 0.3;
/// Relative standard deviation of the mean of an event's count, on top of that of independent events.
const EVENT_DEVIATION: f64 = 0.01;
const SERIES: u64 = 40;

pub(super) fn table(world: &World<'_>) -> Table {
    let shocks = traffic::shocks(world, SERIES);
    let mut rows = Vec::with_capacity(world.days() * traffic::CHANNELS.len() * DEVICES.len());
    for (channel, series) in traffic::CHANNELS.iter().zip(SERIES + 1..) {
        let visits = traffic::visits(world, channel, series, &shocks, "session_start");
        for (device, series) in DEVICES.iter().zip(SERIES + 10 * (series - SERIES)..) {
            let conversions = world.chance_of_series(series).shocks(world.days(), CONVERSION_DEVIATION, KEPT);
            rows.extend(visits.iter().zip(conversions).enumerate().map(|(day, (visits, shock))| Row {
                day: world.date(day),
                dimensions: vec![channel.name, device.name],
                measures: events(world, (channel, device, series), day, visits.all(), shock),
            }));
        }
    }
    rows.sort_by_key(|row| row.day);
    Table { name: "ga4_events_daily", dimensions: &["channel", "device"], measures: &MEASURES, rows }
}

/// Returns the counts of a day, in the order of [`MEASURES`].
fn events(
    world: &World<'_>,
    (channel, device, series): (&traffic::Channel, &Device, u64),
    day: usize,
    visits: f64,
    shock: f64,
) -> Vec<f64> {
    let mut chance = world.chance(series, day);
    // `visits` already contains the injections that name no device, so that only the others are applied here.
    let dimensions = [("channel", channel.name), ("device", device.name)];
    let factor = |measure: &str| world.factor(measure, &dimensions, day);
    let of_device =
        factor("session_start") / world.factor("session_start", &dimensions[..1], day).max(f64::MIN_POSITIVE);
    let share = device.share * libm::pow(1.0 + device.growth, day as f64 / 365.25);
    let conversion = device.conversion * channel.conversion * shock;
    let special = calendar::special(world.date(day)).map_or(1.0, |special| special.conversion);

    let sessions = chance.poisson(visits * share * of_device);
    let of = |chance: &mut Chance, many: f64, measure: &str| {
        chance.count((many * factor(measure)).max(0.0), EVENT_DEVIATION)
    };
    let page_views = of(&mut chance, sessions * PAGE_VIEWS, "page_view");
    let items = of(&mut chance, sessions * ITEMS, "view_item");
    let engagements = of(&mut chance, sessions * ENGAGEMENTS, "user_engagement");
    let scrolls = of(&mut chance, page_views * SCROLLS, "scroll");
    let carts = chance.binomial(items, CARTS * conversion * special * factor("add_to_cart"));
    let checkouts = chance.binomial(carts, CHECKOUTS * factor("begin_checkout"));
    let payments = chance.binomial(checkouts, PAYMENTS * factor("add_payment_info"));
    let purchases = chance.binomial(payments, PURCHASES * factor("purchase"));
    vec![page_views, sessions, items, carts, checkouts, payments, purchases, engagements, scrolls]
}

/// Formats the rows as values of an INSERT, one for each event name.
pub(super) fn rows(table: &Table) -> Vec<String> {
    let row = |row: &Row| {
        let key = format!("'{}','{}','{}'", row.day, row.dimensions[0], row.dimensions[1]);
        let events = MEASURES.iter().zip(&row.measures);
        events.map(|(name, events)| format!("({key},'{name}',{events:.0})")).collect::<Vec<_>>()
    };
    table.rows.iter().flat_map(row).collect()
}
