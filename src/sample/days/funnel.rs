//! The table `funnel_daily`: visitors who request offers, some of which become projects, with contacts that are paid
//! for.

use super::{Row, Table, World, calendar, traffic};

pub(super) const MEASURES: [&str; 6] =
    ["visitors", "returning_visitors", "requests", "projects", "contacts", "revenue"];

pub(super) const DEFINITION: &str = "\
DROP TABLE IF EXISTS funnel_daily;
CREATE TABLE funnel_daily (
    day date NOT NULL,
    channel text NOT NULL,
    visitors bigint NOT NULL,
    returning_visitors bigint NOT NULL,
    requests bigint NOT NULL,
    projects bigint NOT NULL,
    contacts bigint NOT NULL,
    revenue numeric NOT NULL,
    PRIMARY KEY (day, channel)
);
";

/// Requests per visitor.
const REQUESTS: f64 = 0.06;
/// Projects per request.
const PROJECTS: f64 = 0.38;
/// Contacts per project.
const CONTACTS: f64 = 2.6;
/// Revenue per contact.
const REVENUE: f64 = 48.0;
/// The factor of a day of the weekend on conversion.
const WEEKEND: f64 = 0.9;
/// Relative standard deviation of the conversion of a day.
const CONVERSION_DEVIATION: f64 = 0.02;
/// Share of a day's deviation that the next day keeps.
const KEPT: f64 = 0.3;
const SERIES: u64 = 10;

pub(super) fn table(world: &World<'_>) -> Table {
    let shocks = traffic::shocks(world, SERIES);
    let channels = traffic::CHANNELS.iter().zip(SERIES + 1..).flat_map(|(channel, series)| {
        let visits = traffic::visits(world, channel, series, &shocks, MEASURES[0]);
        let conversions = world.chance_of_series(series + 10).shocks(world.days(), CONVERSION_DEVIATION, KEPT);
        visits
            .into_iter()
            .enumerate()
            .map(|(day, visits)| row(world, channel, series + 10, day, visits, conversions[day]))
            .collect::<Vec<_>>()
    });
    let mut rows = channels.collect::<Vec<_>>();
    rows.sort_by_key(|row| row.day);
    Table { name: "funnel_daily", dimensions: &["channel"], measures: &MEASURES, rows }
}

fn row(
    world: &World<'_>,
    channel: &traffic::Channel,
    series: u64,
    day: usize,
    visits: traffic::Visits,
    shock: f64,
) -> Row {
    let mut chance = world.chance(series, day);
    let date = world.date(day);
    let factor = |measure: &str| world.factor(measure, &[("channel", channel.name)], day);
    let weekend = if date.weekday().to_monday_zero_offset() >= 5 { WEEKEND } else { 1.0 };
    let special = calendar::special(date).map_or(1.0, |special| special.conversion);
    let share = REQUESTS * channel.conversion * weekend * special * shock * factor("requests");
    let returning = (visits.returning * factor("returning_visitors")).round();
    let requests = chance.binomial(visits.all(), share);
    let projects = chance.binomial(requests, PROJECTS * factor("projects"));
    let contacts = chance.poisson(projects * CONTACTS * factor("contacts"));
    let revenue = chance.amount(contacts, REVENUE * factor("revenue"));
    let measures = vec![visits.all(), returning.min(visits.all()), requests, projects, contacts, revenue];
    Row { day: date, dimensions: vec![channel.name], measures }
}

/// Formats the rows as values of an INSERT.
pub(super) fn rows(table: &Table) -> Vec<String> {
    let row = |row: &Row| {
        let (counts, revenue) = row.measures.split_at(MEASURES.len() - 1);
        let counts = counts.iter().map(|count| format!("{count:.0}")).collect::<Vec<_>>();
        format!("('{}','{}',{},{:.2})", row.day, row.dimensions[0], counts.join(","), revenue[0])
    };
    table.rows.iter().map(row).collect()
}
