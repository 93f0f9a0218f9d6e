//! Rows for any tables: few values, so that there are ties and duplicates, and NULLs where they are allowed.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regex::Regex;
use tokio_postgres::Client;

/// Fills all tables of the schema `public` that are empty. Texts are taken from what the statements compare columns with.
pub(crate) async fn fill(client: &Client, statements: &[&str], rows: usize) {
    let compared = compared(statements);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let query = "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable::text, c.is_generated::text \
                 FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
                 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position";
    let mut tables = BTreeMap::<String, Vec<(String, String, bool)>>::new();
    for row in client.query(query, &[]).await.unwrap() {
        if row.get::<_, String>(4) == "NEVER" {
            tables.entry(row.get(0)).or_default().push((row.get(1), row.get(2), row.get::<_, String>(3) == "YES"));
        }
    }
    for (table, columns) in tables {
        let count: i64 = client.query_one(&format!("SELECT count(*) FROM \"{table}\""), &[]).await.unwrap().get(0);
        if count > 0 {
            continue;
        }
        let names = columns.iter().map(|(name, ..)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let mut before: Option<String> = None;
        for _ in 0..rows {
            let values = columns.iter().map(|(name, kind, nullable)| {
                if *nullable && random.random_bool(0.12) {
                    "NULL".to_owned()
                } else {
                    value(name, kind, &compared, &mut random)
                }
            });
            let drawn = values.collect::<Vec<_>>().join(", ");
            let values = before.filter(|_| random.random_bool(0.05)).unwrap_or(drawn);
            // A row that a constraint refuses is left out.
            let _ = client.batch_execute(&format!("INSERT INTO \"{table}\" ({names}) VALUES ({values})")).await;
            before = Some(values);
        }
    }
}

/// The texts that each column is compared with.
fn compared(statements: &[&str]) -> BTreeMap<String, Vec<String>> {
    let pattern = Regex::new(r#"(\w+)"?\s*(?:=|<>|!=|I?LIKE|(?:NOT )?IN\s*\()\s*((?:'[^']*'\s*,?\s*)+)"#).unwrap();
    let text = Regex::new("'([^']*)'").unwrap();
    let mut compared = BTreeMap::<String, Vec<String>>::new();
    for found in statements.iter().flat_map(|statement| pattern.captures_iter(statement)) {
        let texts = text.captures_iter(&found[2]).map(|text| text[1].replace('%', "")).collect::<Vec<_>>();
        compared.entry(found[1].to_lowercase()).or_default().extend(texts);
    }
    for texts in compared.values_mut() {
        texts.sort();
        texts.dedup();
    }
    compared
}

fn value(name: &str, kind: &str, compared: &BTreeMap<String, Vec<String>>, random: &mut ChaCha8Rng) -> String {
    match kind {
        "smallint" | "integer" | "bigint" => random.random_range(0..30).to_string(),
        "numeric" | "real" | "double precision" | "money" => {
            format!("{}.{}", random.random_range(-20..2_000), random.random_range(0..4) * 25)
        }
        "boolean" => random.random_bool(0.4).to_string(),
        "date" => format!("'{}'", date(random)),
        "timestamp without time zone" | "timestamp with time zone" => {
            format!("'{} {:02}:{:02}:00'", date(random), random.random_range(0..24), random.random_range(0..4) * 15)
        }
        _ => {
            let mut texts = compared.get(&name.to_lowercase()).cloned().unwrap_or_default();
            texts.extend(["a", "b", "Zeta"].map(|text| format!("{name} {text}")));
            format!("'{}'", texts[random.random_range(0..texts.len())].replace('\'', "''"))
        }
    }
}

fn date(random: &mut ChaCha8Rng) -> String {
    format!("{}-{:02}-{:02}", random.random_range(2022..2026), random.random_range(1..13), random.random_range(1..29))
}
