//! The same rows in other words: a unit, an order or a spelling says nothing of the world, so it changes no observation.

use explore::instruments::{Conclusion, Instrument, Observation};

use super::support::Opened;

const ALL: [Instrument; 5] =
    [Instrument::Compare, Instrument::Trend, Instrument::Change, Instrument::Relate, Instrument::Silent];

/// What each of them finds at least.
const TRUE: [&str; 5] = [
    "days from ordered_on to delivered_on, region [region North] higher",
    "days from ordered_on to delivered_on, channel [channel phone] higher",
    "total of amount [channel web, region South] lower",
    "average of distance_km, days from ordered_on to delivered_on [] higher",
    "rows, customer_id [customer_id C17] lower",
];

/// p above which no observation is returned.
const NOT_TOLD: f64 = 0.05;

/// How the rows are written down.
struct Written {
    columns: [&'static str; 9],
    /// The amount of a line, in SQL, of `cents`.
    amount: &'static str,
    /// Rows that a line is written in.
    rows_of_line: u32,
    order: &'static str,
    /// What the South is called.
    south: &'static str,
}

const PLAIN: Written = Written {
    columns: [
        "line_id int PRIMARY KEY",
        "customer_id text",
        "region text",
        "channel text",
        "carrier text",
        "distance_km int",
        "amount numeric(14,2)",
        "ordered_on timestamp",
        "delivered_on timestamp",
    ],
    amount: "cents / 100.0",
    rows_of_line: 1,
    order: "day, customer, line",
    south: "South",
};

impl Written {
    /// Lines of orders of 18 months, by a hash. Far and to the North takes longer, and by phone ever longer; by rail lines are
    /// larger from March on; of the South by web most is gone in the latest 12 weeks; customer C17 stopped.
    fn sql(&self) -> String {
        let Self { columns, amount, rows_of_line, order, south } = self;
        let south = south.replace('\'', "''");
        let names = columns.map(|column| column.split(' ').next().unwrap());
        format!(
            "CREATE FUNCTION pg_temp.dice(key text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
                 $$ SELECT (hashtextextended(key, 0) & 2147483647) / 2147483648.0::float8 $$;
             CREATE TEMPORARY TABLE drawn AS SELECT customer, day::date, line, customer || '/' || day::date || '/' || line AS item
                 FROM generate_series(1, 65) customer,
                     generate_series(date '2024-06-01', date '2025-11-30', interval '1 day') day,
                     generate_series(1, 1 + floor(pg_temp.dice('lines' || customer || day) * 3)::int) line
                 WHERE pg_temp.dice(customer || 'on' || day) < .09 AND (customer <> 17 OR day < '2025-07-01');
             CREATE TEMPORARY TABLE diced AS SELECT drawn.*, pg_temp.dice('r' || item) AS r, pg_temp.dice('c' || item) AS c,
                 pg_temp.dice('s' || item) AS s, pg_temp.dice('gone' || item) AS gone FROM drawn;
             CREATE TEMPORARY TABLE named AS SELECT diced.*,
                     CASE WHEN r < .4 THEN 'North' WHEN r < .7 THEN 'South' WHEN r < .84 THEN 'East' WHEN r < .94 THEN 'West' ELSE 'Centre' END AS region,
                     CASE WHEN c < .45 THEN 'web' WHEN c < .75 THEN 'store' ELSE 'phone' END AS channel,
                     CASE WHEN s < .5 THEN 'van' WHEN s < .8 THEN 'rail' ELSE 'ship' END AS carrier,
                     5 + floor(pg_temp.dice('km' || item) * 300)::int AS distance_km,
                     day + pg_temp.dice('hour' || item) * interval '20 hours' AS ordered_on FROM diced;
             DELETE FROM named WHERE region = 'South' AND channel = 'web' AND day >= '2025-09-08' AND gone < .7;
             CREATE TEMPORARY TABLE lines AS SELECT named.*, 1000 + 2 * floor(pg_temp.dice('cents' || item) * 1000)::int
                 * CASE WHEN carrier = 'rail' AND day >= '2025-03-01' THEN 2 ELSE 1 END AS cents FROM named;
             CREATE TABLE order_lines ({});
             INSERT INTO order_lines ({}) SELECT {} FROM (SELECT row_number() OVER (ORDER BY day, customer, line, part) AS line_id,
                 'C' || customer AS customer_id, CASE region WHEN 'South' THEN '{south}' ELSE region END AS region, channel,
                 carrier, distance_km, {amount} AS amount, ordered_on,
                 ordered_on + (1 + 5 * pg_temp.dice('days' || item) + distance_km / 100.0 + CASE region WHEN 'North' THEN 1 ELSE 0 END
                     + CASE channel WHEN 'phone' THEN (day - date '2024-06-01') / 200.0 ELSE 0 END) * interval '1 day'
                     AS delivered_on, day, customer, line, item
                 FROM lines, generate_series(1, {rows_of_line}) part) written ORDER BY {order}",
            columns.join(", "),
            names.join(", "),
            names.join(", "),
        )
    }

    async fn opened(&self, name: &str) -> Opened {
        Opened::new(&format!("metamorphic_{name}"), &self.sql()).await
    }
}

/// Whom an observation is about, and of what. The order of columns in the table decides which column of a segment, and which
/// of two numbers that move together, is named first, and nothing else.
fn what(one: &Observation) -> String {
    let mut segment = one.segment.iter().map(|(column, value)| format!("{column} {value}")).collect::<Vec<_>>();
    segment.sort();
    let mut of = vec![one.measure.as_str()];
    of.extend(one.by.as_deref().filter(|_| segment.len() < 2));
    if one.instrument == Instrument::Relate {
        of.sort_unstable();
    }
    let way = if one.is_lower { "lower" } else { "higher" };
    format!("{} [{}] {way}", of.join(", "), segment.join(", "))
}

fn listed(conclusion: &Conclusion) -> String {
    let line = |one: &Observation| format!("{} p {:e} effect {}\n", what(one), one.p, one.effect);
    conclusion.observations.iter().map(line).collect()
}

/// Fails unless both are one but for a millionth, in the same order.
#[track_caller]
fn same(what_is: &str, plain: &Conclusion, other: &Conclusion) {
    let is_near = |one: f64, other: f64| (one - other).abs() <= 1e-6 * one.abs();
    let is_same = |(one, other): (&Observation, &Observation)| {
        what(one) == what(other) && is_near(one.p, other.p) && is_near(one.effect, other.effect)
    };
    let (one, another) = (&plain.observations, &other.observations);
    assert!(
        one.len() == another.len() && one.iter().zip(another).all(is_same) && plain.tested == other.tested,
        "{what_is}, {} and {} tested:\n{}\nis not\n{}",
        plain.tested,
        other.tested,
        listed(plain),
        listed(other)
    );
}

#[tokio::test]
async fn observations_are_of_what_happened_and_not_of_how_it_is_written_down() {
    let plain = asked(&PLAIN, "plain").await;
    for ((instrument, conclusion), expected) in plain.iter().zip(TRUE) {
        let found = conclusion.observations.iter().any(|one| what(one) == expected && one.p < 1e-4);
        assert!(found, "{instrument:?} has no {expected}:\n{}", listed(conclusion));
    }
    for (name, written) in [
        ("cents", Written { amount: "cents", ..PLAIN }),
        ("rows", Written { order: "md5(item)", ..PLAIN }),
        ("columns", Written { columns: reversed(PLAIN.columns), ..PLAIN }),
        ("spelling", Written { south: "l'autre, \"100%\" \\ sud", ..PLAIN }),
    ] {
        let other = asked(&written, name).await;
        for ((instrument, one), (_, other)) in plain.iter().zip(other) {
            same(&format!("{name} of {instrument:?}"), one, &respelled(other, written.south));
        }
    }
}

/// What each instrument makes of the rows.
async fn asked(written: &Written, name: &str) -> Vec<(Instrument, Conclusion)> {
    let (opened, mut all) = (written.opened(name).await, Vec::new());
    for instrument in ALL {
        all.push((instrument, opened.ask(instrument, &[]).await));
    }
    all
}

fn reversed<T, const N: usize>(mut all: [T; N]) -> [T; N] {
    all.reverse();
    all
}

/// The conclusion with the South called by its usual name.
fn respelled(mut conclusion: Conclusion, south: &str) -> Conclusion {
    for one in &mut conclusion.observations {
        one.measure = one.measure.replace(south, PLAIN.south);
        for (_, value) in &mut one.segment {
            *value = value.replace(south, PLAIN.south);
        }
    }
    conclusion
}

#[tokio::test]
async fn a_total_is_no_surer_because_each_row_of_it_is_written_as_two() {
    let plain = PLAIN.opened("whole").await;
    let halves = Written { amount: "cents / 200.0", rows_of_line: 2, ..PLAIN };
    let halves = halves.opened("halves").await;
    for instrument in [Instrument::Trend, Instrument::Change] {
        let (one, other) = (plain.ask(instrument, &[]).await, halves.ask(instrument, &[]).await);
        let of_total = |one: &&Observation| one.measure == "total of amount";
        let totals = other.observations.iter().filter(of_total).collect::<Vec<_>>();
        assert!(totals.iter().any(|one| !one.segment.is_empty()), "{instrument:?}: {}", listed(&other));
        for total in totals {
            let same = one.observations.iter().find(|one| (&one.line, what(one)) == (&total.line, what(total)));
            let whole = same.map_or(NOT_TOLD, |one| one.p);
            assert!(total.p >= whole / 2.0, "{instrument:?}: {} falls from {whole:e} to {:e}", total.line, total.p);
        }
    }
}

/// Visits of customers who all came as often, half of whom got help early and half of whom late: as large an effect as can be.
fn visits(order: &str) -> String {
    format!(
        "CREATE TABLE visits (visit_id int PRIMARY KEY, customer_id text, visited_on date, helped boolean);
         INSERT INTO visits SELECT n * 100 + visit, 'C' || n, date '2024-06-01' + visit * 13 + abs(hashint4(n * 1000 + visit) % 13),
             hashint8(n * 100 + visit) % 10 < CASE WHEN (n % 2 = 0) = (visit > 20) THEN 5 ELSE -8 END
         FROM generate_series(1, 70) n, generate_series(1, 40) visit ORDER BY {order}"
    )
}

#[tokio::test]
async fn effects_that_are_as_large_as_can_be_are_told_in_an_order_of_their_own() {
    let one = Opened::new("metamorphic_ties_one", &visits("n, visit")).await;
    let other = Opened::new("metamorphic_ties_other", &visits("md5(n || '/' || visit)")).await;
    let (one, other) = (one.ask(Instrument::Trend, &[]).await, other.ask(Instrument::Trend, &[]).await);
    assert!(one.observations.iter().filter(|one| one.effect >= 1.0).count() > 20, "{}", listed(&one));
    same("another order of rows", &one, &other);
}
