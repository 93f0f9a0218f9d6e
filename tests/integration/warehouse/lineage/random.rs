//! Statements made by chance: nested queries, joins of all kinds, groups, filters, windows and unions over three tables.

use rand::seq::IndexedRandom as _;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE sales (id integer PRIMARY KEY, shop integer, item text, day date, at timestamp, amount numeric, pieces integer)",
    "CREATE TABLE shops (shop integer PRIMARY KEY, city text, opened date, size integer)",
    "CREATE TABLE visits (shop integer, day date NOT NULL, visitors integer, weather text)",
];

/// A column of a query that is being made, and whether its values can be added up.
#[derive(Clone)]
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Day,
}

/// A query and its columns.
struct Made {
    sql: String,
    columns: Vec<Column>,
}

/// Returns a statement. The same seed gives the same one.
pub(super) fn statement(seed: u64) -> String {
    let mut maker = Maker { random: ChaCha8Rng::seed_from_u64(seed), names: 0 };
    let depth = maker.random.random_range(0..3);
    maker.query(depth).sql
}

struct Maker {
    random: ChaCha8Rng,
    names: usize,
}

impl Maker {
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.choose(&mut self.random).unwrap()
    }

    fn table(&mut self) -> (&'static str, Vec<Column>) {
        let column = |(name, kind): (&str, Kind)| Column { name: name.to_owned(), kind };
        let (name, columns) = *self.pick(&[
            (
                "sales",
                &[
                    ("shop", Kind::Number),
                    ("item", Kind::Text),
                    ("day", Kind::Day),
                    ("amount", Kind::Number),
                    ("pieces", Kind::Number),
                ][..],
            ),
            (
                "shops",
                &[("shop", Kind::Number), ("city", Kind::Text), ("opened", Kind::Day), ("size", Kind::Number)][..],
            ),
            (
                "visits",
                &[("shop", Kind::Number), ("day", Kind::Day), ("visitors", Kind::Number), ("weather", Kind::Text)][..],
            ),
        ]);
        (name, columns.iter().copied().map(column).collect())
    }

    /// Returns a member of FROM and its columns, qualified.
    fn source(&mut self, depth: usize) -> (String, Vec<Column>) {
        let alias = self.name("t");
        let (text, columns) = if depth == 0 || self.chance(0.4) {
            let (name, columns) = self.table();
            (format!("{name} AS {alias}"), columns)
        } else {
            let inner = self.query(depth - 1);
            (format!("({}) AS {alias}", inner.sql), inner.columns)
        };
        let qualified = columns.into_iter().map(|column| Column { name: format!("{alias}.{}", column.name), ..column });
        (text, qualified.collect())
    }

    fn from(&mut self, depth: usize) -> (String, Vec<Column>) {
        let (mut text, mut columns) = self.source(depth);
        let joins = if self.chance(0.5) { self.random.random_range(1..3) } else { 0 };
        for _ in 0..joins {
            let (other, more) = self.source(depth.saturating_sub(1));
            let pairs = columns.iter().flat_map(|left| more.iter().map(move |right| (left, right)));
            let pairs =
                pairs.filter(|(left, right)| left.kind == right.kind && left.kind != Kind::Day).collect::<Vec<_>>();
            let Some((left, right)) = pairs.choose(&mut self.random) else { continue };
            let on = format!("{} = {}", left.name, right.name);
            let kind = *self.pick(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            text = format!("{text} {kind} {other} ON {on}");
            columns.extend(more);
        }
        (text, columns)
    }

    fn condition(&mut self, columns: &[Column]) -> String {
        let column = self.pick(columns).clone();
        let name = &column.name;
        let number = self.random.random_range(0..30);
        let options = match column.kind {
            Kind::Text => vec![
                format!("{name} = 'a'"),
                format!("{name} <> 'b'"),
                format!("{name} IN ('a', 'c')"),
                format!("NOT {name} = 'a'"),
                format!("{name} IS NOT NULL"),
                format!("coalesce({name}, 'x') LIKE '%a%'"),
            ],
            Kind::Number => vec![
                format!("{name} > {number}"),
                format!("{name} BETWEEN 3 AND {number}"),
                format!("{name} + 1 <= {number} OR {name} IS NULL"),
                format!("{name} % 2 = 0"),
            ],
            Kind::Day => vec![
                format!("{name} >= '2024-01-01'"),
                format!("{name} < DATE '2025-03-01' - interval '1 month'"),
                format!("extract(month FROM {name}) < 7"),
            ],
        };
        self.pick(&options).clone()
    }

    fn clause(&mut self, word: &str, columns: &[Column], share: f64) -> String {
        if !self.chance(share) {
            return String::new();
        }
        let mut text = format!(" {word} {}", self.condition(columns));
        if self.chance(0.3) {
            let more = self.condition(columns);
            text = format!("{text} {} {more}", self.pick(&["AND", "OR"]));
        }
        text
    }

    fn key(&mut self, columns: &[Column]) -> (String, Kind) {
        let column = self.pick(columns).clone();
        let name = column.name;
        match column.kind {
            Kind::Day => (self.pick(&[name.clone(), format!("date_trunc('month', {name})::date")]).clone(), Kind::Day),
            Kind::Text => {
                let keys = [
                    name.clone(),
                    format!("coalesce({name}, 'none')"),
                    format!("CASE WHEN {name} = 'a' THEN 'first' ELSE 'rest' END"),
                ];
                (self.pick(&keys).clone(), Kind::Text)
            }
            Kind::Number => (self.pick(&[name.clone(), format!("{name} % 3")]).clone(), Kind::Number),
        }
    }

    fn measure(&mut self, columns: &[Column]) -> String {
        let numbers = columns.iter().filter(|column| column.kind == Kind::Number).cloned().collect::<Vec<_>>();
        let any = self.pick(columns).name.clone();
        let number = self.pick(&numbers).name.clone();
        let options = [
            "count(*)".to_owned(),
            format!("count({any})"),
            format!("count(DISTINCT {any})"),
            format!("sum({number})"),
            format!("avg({number})"),
            format!("max({number}) - min({number})"),
            format!("round(100.0 * sum({number}) / nullif(count(*), 0), 1)"),
            format!("coalesce(sum({number}), 0)"),
            format!("percentile_cont(0.5) WITHIN GROUP (ORDER BY {number})"),
        ];
        let measure = self.pick(&options).clone();
        if self.chance(0.3) && !measure.contains([' ', '-']) && !measure.starts_with("coalesce") {
            return format!("{measure} FILTER (WHERE {})", self.condition(columns));
        }
        measure
    }

    fn query(&mut self, depth: usize) -> Made {
        if self.chance(0.15) {
            return self.union(depth);
        }
        let (from, columns) = self.from(depth);
        let wher = self.clause("WHERE", &columns, 0.5);
        if self.chance(0.65) { self.grouped(&from, &columns, &wher) } else { self.rows(&from, &columns, &wher) }
    }

    fn rows(&mut self, from: &str, columns: &[Column], wher: &str) -> Made {
        let mut outputs = Vec::new();
        let mut texts = Vec::new();
        for column in columns.sample(&mut self.random, 4) {
            outputs.push(column.clone());
        }
        // The others need a number to go on with.
        outputs.extend(columns.iter().find(|column| column.kind == Kind::Number).cloned());
        for output in &mut outputs {
            let value = match output.kind {
                Kind::Number if self.chance(0.3) => format!("{} * 2", output.name),
                Kind::Text if self.chance(0.2) => format!("upper({})", output.name),
                _ => output.name.clone(),
            };
            output.name = self.name("c");
            texts.push(format!("{value} AS {}", output.name));
        }
        let distinct = if self.chance(0.2) { "DISTINCT " } else { "" };
        Made { sql: format!("SELECT {distinct}{} FROM {from}{wher}", texts.join(", ")), columns: outputs }
    }

    fn grouped(&mut self, from: &str, columns: &[Column], wher: &str) -> Made {
        let mut outputs = Vec::new();
        let mut texts = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..self.random.random_range(0..3) {
            let (key, kind) = self.key(columns);
            if keys.contains(&key) {
                continue;
            }
            let name = self.name("k");
            if self.chance(0.95) {
                texts.push(format!("{key} AS {name}"));
                outputs.push(Column { name, kind });
            }
            keys.push(key);
        }
        for _ in 0..self.random.random_range(1..4) {
            let name = self.name("m");
            texts.push(format!("{} AS {name}", self.measure(columns)));
            outputs.push(Column { name, kind: Kind::Number });
        }
        if self.chance(0.15) {
            let name = self.name("m");
            texts.push(format!("100.0 * count(*) / sum(count(*)) OVER () AS {name}"));
            outputs.push(Column { name, kind: Kind::Number });
        }
        let sets = ["ROLLUP", "CUBE"];
        let group = match keys.len() {
            0 => String::new(),
            _ if self.chance(0.1) && !texts.iter().any(|text| text.contains("OVER")) => {
                format!(" GROUP BY {} ({})", self.pick(&sets), keys.join(", "))
            }
            _ => format!(" GROUP BY {}", keys.join(", ")),
        };
        let having = if self.chance(0.2) { format!(" HAVING {} > 1", self.measure(columns)) } else { String::new() };
        Made { sql: format!("SELECT {} FROM {from}{wher}{group}{having}", texts.join(", ")), columns: outputs }
    }

    /// Two counts with a label each.
    fn union(&mut self, depth: usize) -> Made {
        let mut side = |label: &str| {
            let (from, columns) = self.from(depth.saturating_sub(1));
            let wher = self.clause("WHERE", &columns, 0.6);
            let key = self.pick(&columns).name.clone();
            format!(
                "SELECT '{label}' AS label, {key}::text AS what, {}::numeric AS figure FROM {from}{wher} GROUP BY {key}",
                self.measure(&columns)
            )
        };
        let sql = format!("{} UNION ALL {}", side("one"), side("other"));
        let column = |(name, kind): (&str, Kind)| Column { name: name.to_owned(), kind };
        let columns = [("label", Kind::Text), ("what", Kind::Text), ("figure", Kind::Number)].map(column);
        Made { sql, columns: columns.to_vec() }
    }
}
