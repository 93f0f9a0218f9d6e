//! The sample data and the generator: what is said to be in them is in them.

#[cfg(test)]
mod days;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod planted;

use std::collections::BTreeSet;

use explore::finding::record::Finding;
use explore::finding::results::Results;
use explore::sample::{self, Dataset, Kind, Options, SAMPLE_SQL};

use crate::support::server;

/// The single value of a statement, as text.
async fn value(url: &str, sql: &str) -> String {
    let row = server::client(url).await.query_one(&format!("SELECT ({sql})::text"), &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get::<_, Option<String>>(0).unwrap_or_default()
}

#[tokio::test]
async fn the_sample_holds_the_signals_that_its_comment_lists() {
    let url = server::fresh("sample_hand", SAMPLE_SQL).await;
    let check = async |what: &str, condition: &str, expected: &str| {
        let sql = format!("SELECT {what} FROM primary_sales WHERE {condition}");
        assert_eq!(value(&url, &sql).await, expected, "{sql}");
    };
    check("count(*)", "true", "22").await;
    let cust004_days =
        "2025-04-11 2025-04-25 2025-05-09 2025-05-23 2025-06-06 2025-06-20 2025-07-04 2025-07-18 2025-08-01";
    let days = "string_agg(billing_date::text, ' ' ORDER BY billing_date)";
    check(days, "customer_code = 'CUST004'", cust004_days).await;
    check("sum(net_sales_value_2)", "customer_code = 'CUST004'", "342000.00").await;
    check("max(billing_date) - date '2025-08-01'", "true", "119").await;
    check("sum(quantity)", "batch = 'BATCH009' AND billing_code = 'SA'", "300.00").await;
    check("sum(quantity)", "billing_code = 'RE'", "-50.00").await;
    check("string_agg(DISTINCT product || ', ' || plant, '; ')", "batch = 'BATCH009'", "Gear Oil, Plant-C").await;
    let percent = "round(100 * (gross_sales_value - net_sales_value_2) / gross_sales_value)";
    check(&format!("min({percent}) || ' to ' || max({percent})"), "customer_code = 'CUST006'", "15 to 15").await;
    check(&format!("min({percent}) || ' to ' || max({percent})"), "customer_code <> 'CUST006'", "5 to 8").await;
    check("string_agg(DISTINCT customer_code, ' ')", "region = 'North'", "CUST003 CUST004").await;
}

#[tokio::test]
async fn the_amounts_of_every_row_of_both_sets_add_up() {
    let generated = String::from_utf8(sql_of(&small(5))).unwrap();
    for (name, sql) in [("sample_sums", SAMPLE_SQL), ("generated_sums", generated.as_str())] {
        let url = server::fresh(name, sql).await;
        let wrong = "SELECT count(*) FROM primary_sales WHERE net_sales_value_1 <> gross_sales_value - trade_discount \
             OR net_sales_value_2 <> net_sales_value_1 - volume_discount - cash_discount \
             OR (billing_code = 'RE') <> (quantity < 0) OR (quantity < 0) <> (gross_sales_value < 0) \
             OR billing_code NOT IN ('SA', 'RE')";
        assert_eq!(value(&url, wrong).await, "0", "{name}");
    }
}

fn small(seed: u64) -> Dataset {
    sample::generate(Options { seed, customers: 300, ..Options::default() })
}

fn sql_of(data: &Dataset) -> Vec<u8> {
    let mut sql = Vec::new();
    data.write_sql(&mut sql).unwrap();
    sql
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(sql_of(&small(7)), sql_of(&small(7)));
    assert_ne!(sql_of(&small(7)), sql_of(&small(8)));
}

#[tokio::test]
async fn what_is_listed_as_planted_is_in_the_generated_rows() {
    let data = small(9);
    let url = server::fresh("generated_planted", std::str::from_utf8(&sql_of(&data)).unwrap()).await;
    let kinds = data.planted().iter().map(|signal| signal.kind).collect::<BTreeSet<_>>();
    assert_eq!(kinds, Kind::ALL.into_iter().collect());
    assert_eq!(value(&url, "SELECT count(*) FROM primary_sales").await, data.rows().to_string());
    for signal in data.planted() {
        let number = async |what: &str| {
            let (column, entity) = (signal.kind.column(), &signal.entity);
            let sql = format!("SELECT {what} FROM primary_sales WHERE {column} = '{entity}'");
            value(&url, &sql).await.parse::<f64>().unwrap()
        };
        match signal.kind {
            Kind::Churn => {
                let silence = "date '2025-11-30' - max(billing_date) FILTER (WHERE billing_code = 'SA')";
                assert!(number(silence).await >= 75.0, "{signal:?}");
            }
            Kind::Returns => {
                let returned = number("(-sum(net_sales_value_2) FILTER (WHERE billing_code = 'RE'))::bigint").await;
                assert!(returned > 0.0 && format!("{returned:.0}") == signal.amount.to_string(), "{signal:?}");
            }
            Kind::Discount => {
                let percent = number("100 * (1 - sum(net_sales_value_2) / sum(gross_sales_value))").await;
                assert!(percent >= 15.0, "{signal:?}");
            }
            Kind::SilentRegion => {
                let active = "count(DISTINCT customer_code) FILTER (WHERE billing_date > '2025-09-20')";
                let all = number("count(DISTINCT customer_code)").await;
                assert_eq!(format!("{:.0}", all - number(active).await), signal.members.len().to_string());
            }
        }
    }
}

/// A finding whose facts are about `subject`, with the SQL of what they measure and the numbers of a change.
fn finding(subject: &[&str], sql: &str, change: Option<[&str; 2]>) -> Finding {
    let values = change.map(|[from, to]| {
        vec![
            serde_json::json!({"name": "from", "value": from, "text": from}),
            serde_json::json!({"name": "to", "value": to, "text": to}),
        ]
    });
    let form = if change.is_some() { "change" } else { "gap" };
    let fact = serde_json::json!({
        "id": "f1", "claim": "q1.n", "form": form, "sentence": "", "phrase": "", "values": values.unwrap_or_default(),
        "cells": [], "definitions": [{"hash": "0", "sql": sql}], "subject": subject, "rows": 1
    });
    serde_json::from_value(serde_json::json!({
        "id": "F1", "fingerprint": "0", "facts": [fact], "confidence": "high", "severity": "high"
    }))
    .unwrap()
}

#[test]
fn a_score_counts_what_the_facts_are_about() {
    let planted = |kind, entity: &str, amount, members: &[&str]| sample::Planted {
        kind,
        entity: entity.to_owned(),
        amount,
        members: members.iter().map(|member| (*member).to_owned()).collect(),
    };
    let planted = [
        planted(Kind::Churn, "C1", 300, &[]),
        planted(Kind::Churn, "C2", 100, &[]),
        planted(Kind::Returns, "B1", 10, &[]),
        planted(Kind::Discount, "C2", 20, &[]),
        planted(Kind::SilentRegion, "Islands", 50, &["C3"]),
    ];
    let orders = "SELECT count(*) FROM primary_sales";
    let findings = [
        finding(&["customer_code among 'C1', 'C3', 'C9'", "region 'Hills'"], orders, Some(["5", "0"])),
        finding(&["customer_code 'C8'"], orders, Some(["5", "6"])),
        finding(&["customer_code other than 'C7'"], orders, Some(["5", "0"])),
        finding(&["region 'Islands'"], orders, Some(["5", "0"])),
        finding(&["batch 'B1'"], "SELECT count(*) FROM primary_sales WHERE billing_code = 'RE'", None),
        finding(&["customer_code 'C2'"], "SELECT avg(trade_discount) FROM primary_sales", None),
    ];
    let score = sample::score(&planted, &findings, &Results::default());
    let [churn, returns, discount, region] = score.kinds.as_slice() else { panic!("{score}") };
    assert_eq!((churn.planted, churn.found, churn.claimed, churn.right), (2, 1, 3, 2));
    assert!((churn.money_found - 0.75).abs() < 1e-9);
    assert_eq!((returns.found, returns.claimed), (1, 1));
    assert_eq!((discount.found, discount.claimed), (1, 1));
    assert_eq!((region.found, region.claimed), (1, 1));
    assert!((score.recall - 0.8).abs() < 1e-9 && (score.precision - 5.0 / 6.0).abs() < 1e-9);
}
