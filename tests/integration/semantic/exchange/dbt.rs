use std::sync::Arc;
use std::time::Duration;

use explore::semantic::exchange::{Imported, dbt, merge};
use explore::semantic::metadata::Metadata;
use explore::warehouse::Limits;
use explore::warehouse::catalog::Role;
use explore::warehouse::executor::Rules;
use proptest::prelude::*;

use super::{folder, joins, material, measures, said};
use crate::support::server::{connect, fresh};

fn shop() -> Imported {
    dbt::import(&material("dbt")).unwrap()
}

fn of_text(text: &str) -> Imported {
    let directory = folder(&[("manifest.json", text)]);
    dbt::import(&directory.path().join("manifest.json")).unwrap()
}

#[test]
fn descriptions_keys_joins_and_values_come_from_models_sources_and_their_tests() {
    let shop = shop();
    let analytics = Some("analytics");
    let staging = said(&shop, analytics, "stg_orders");
    assert_eq!(staging.description.as_deref(), Some("Orders with tidy names. One row is one order."));
    assert_eq!(staging.unique, [["order_id"]], "the test with a `where` tells of some rows only");
    assert_eq!(joins(staging), ["customer_id -> analytics.customers.customer_id"], "sources have a table of the name");
    let status = staging.columns.get("status").unwrap();
    assert_eq!(status.description.as_deref(), Some("How far the order came."));
    assert_eq!(status.examples, ["placed", "shipped", "returned", "cancelled"]);

    let orders = said(&shop, analytics, "fct_orders");
    assert_eq!(orders.description.as_deref(), Some("One row is one order.\n\nCancelled ones are kept."));
    let items = said(&shop, analytics, "order_items");
    assert_eq!(items.unique, [["order_id", "line_number"]]);
    assert_eq!(joins(items), ["order_id -> order_keys.order_id"]);
    let raw = said(&shop, Some("raw"), "orders");
    assert_eq!(
        (raw.unique.as_slice(), joins(raw)),
        ([vec!["id".to_owned()]].as_slice(), vec!["customer_id -> raw.customers.id".to_owned()])
    );
    assert_eq!(said(&shop, Some("raw"), "customers").unique, [["id"]], "the test of the address only warns");
}

#[test]
fn semantic_models_give_roles_joins_and_measures_in_sql() {
    let shop = shop();
    let orders = said(&shop, Some("analytics"), "fct_orders");
    let role = |name: &str| orders.columns.get(name).and_then(|column| column.role);
    assert_eq!(role("ordered_at"), Some(Role::Date));
    assert_eq!(role("shipped_at"), None);
    assert_eq!(role("status"), Some(Role::Dimension));
    assert_eq!(role("order_id"), Some(Role::Identifier), "orders are about customers");
    assert_eq!(orders.columns.get("status").unwrap().label.as_deref(), Some("status of the order"));
    assert_eq!(joins(orders), ["customer_id -> analytics.customers.customer_id"]);
    let mut expected = [
        "revenue: sum(amount)",
        "large revenue: sum(amount) WHERE (amount >= 80) and date_trunc('month', ordered_at) >= '2026-02-01'",
        "returns: count(order_id) WHERE status = 'returned'",
        "return rate: 1.0 * count(order_id) FILTER (WHERE status = 'returned') / nullif(count(order_id), 0)",
        "order count metric: count(order_id)",
        "revenue after discounts: sum(amount) - sum(amount * discount_rate)",
        "discount total: sum(amount * discount_rate)",
        "buyers: count(DISTINCT customer_id)",
        "mean amount: avg(amount)",
        "largest amount: max(amount)",
        "smallest amount: min(amount)",
        "middle amount: percentile_cont(0.5) WITHIN GROUP (ORDER BY amount)",
        "high amount: percentile_disc(0.9) WITHIN GROUP (ORDER BY amount)",
        "open amount: sum(amount)",
        "returned orders: sum((status = 'returned')::int)",
    ];
    let mut measures = measures(orders);
    measures.sort();
    expected.sort_unstable();
    assert_eq!(measures, expected);
    let customers = said(&shop, Some("analytics"), "customers");
    assert_eq!(customers.columns.get("customer_id").unwrap().role, Some(Role::Entity));
    assert_eq!(super::measures(customers), ["customer count metric: count(*)"]);
    assert_eq!(customers.unique, [["customer_id"]]);
}

#[test]
fn what_is_not_taken_is_told_with_the_reason() {
    insta::assert_snapshot!(shop().lost.join("\n"));
}

#[test]
fn the_semantic_manifest_alone_gives_what_semantic_models_say() {
    let alone = dbt::import(&material("dbt/semantic_manifest.json")).unwrap();
    let orders = said(&alone, Some("analytics"), "fct_orders");
    assert_eq!(measures(orders), measures(said(&shop(), Some("analytics"), "fct_orders")));
    assert_eq!(orders.description.as_deref(), Some("Orders for reports."));
    assert_eq!(joins(orders), ["customer_id -> customers.customer_id"]);
}

#[tokio::test]
async fn what_is_imported_from_dbt_agrees_with_the_tables_that_dbt_built() {
    let url = fresh(
        "exchange_dbt",
        "CREATE SCHEMA analytics;
         CREATE TABLE analytics.fct_orders (order_id int, customer_id int, ordered_at timestamptz, shipped_at timestamptz,
             status text, amount numeric(12, 2), discount_rate numeric(4, 3), is_returned boolean);
         CREATE TABLE analytics.customers (customer_id int PRIMARY KEY, name text, country text, joined_on date)",
    )
    .await;
    let directory = folder(&[]);
    let mut imported = shop();
    imported.tables.retain(|table| ["fct_orders", "customers"].contains(&table.name.as_str()));
    imported.tables.retain(|table| table.schema.as_deref() == Some("analytics"));
    merge(&imported.tables, directory.path(), false).unwrap();
    let metadata = Metadata::read(directory.path()).unwrap();
    let limits = Limits::of_query(Duration::from_secs(30), 1_000, None);
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let opened = explore::semantic::open(
        Arc::new(connect(&url).await),
        metadata,
        rules,
        limits,
        explore::semantic::Joins::Guessed,
    )
    .await
    .unwrap();
    assert_eq!(opened.warnings, Vec::<String>::new());
    let orders = opened.catalog.table(None, "fct_orders").unwrap();
    assert_eq!(orders.declared.measures.len(), 15);
}

/// A manifest of one semantic model, with these metrics.
fn metrics(metrics: &str) -> String {
    format!(
        r#"{{"semantic_models": [
        {{"name": "orders", "node_relation": {{"alias": "orders", "schema_name": "s"}},
          "defaults": {{"agg_time_dimension": "day"}},
          "entities": [{{"name": "order", "type": "primary", "expr": "Id"}}],
          "dimensions": [{{"name": "status", "type": "categorical", "expr": "\"Status\""}},
                         {{"name": "day", "type": "time", "expr": "ordered_on", "type_params": {{"time_granularity": "day"}}}}],
          "measures": [{{"name": "n", "agg": "count", "expr": 1}}]}},
        {{"name": "people", "node_relation": {{"alias": "people", "schema_name": "s"}},
          "entities": [{{"name": "person", "type": "primary"}}],
          "measures": [{{"name": "heads", "agg": "sum", "expr": "1"}}]}}], "metrics": {metrics}}}"#
    )
}

#[test]
fn filters_in_jinja_are_resolved_within_one_table() {
    let check = |filter: &str, expected: &str| {
        let filter = serde_json::to_string(filter).unwrap();
        let metric = format!(
            r#"[{{"name": "m", "type": "simple", "type_params": {{"measure": {{"name": "n"}}}},
                 "filter": {{"where_filters": [{{"where_sql_template": {filter}}}]}}}}]"#
        );
        let imported = of_text(&metrics(&metric));
        let taken = measures(said(&imported, Some("s"), "orders"));
        let lost = imported.lost.iter().find(|lost| lost.starts_with("metric m")).cloned();
        assert_eq!(lost.unwrap_or_else(|| taken[0].clone()), expected, "{filter}");
    };
    check("{{ Dimension('order__status') }} = 'x'", "m: count(*) WHERE \"Status\" = 'x'");
    check("{{Dimension( \"order__status\" )}} in ('a', 'b')", "m: count(*) WHERE \"Status\" in ('a', 'b')");
    check("{{ Entity('order') }} > 3", "m: count(*) WHERE id > 3");
    check(
        "{{ TimeDimension('metric_time', 'year') }} = '2026-01-01'",
        "m: count(*) WHERE date_trunc('year', ordered_on) = '2026-01-01'",
    );
    check(
        "{{ Dimension('order__day').grain('week') }} > now()",
        "m: count(*) WHERE date_trunc('week', ordered_on) > now()",
    );
    check("{{ Dimension('person__age') }} > 3", "metric m: its filter names person__age, which is of another table");
    check("{{ Dimension('order__nothing') }} > 3", "metric m: its filter names order__nothing, which is no dimension");
    check(
        "{{ Metric('m', ['order']) }} > 3",
        "metric m: its filter names {{ Metric('m', ['order']) }}, which cannot be resolved",
    );
    check("{% if true %} x {% endif %}", "metric m: its filter has Jinja that cannot be resolved");
    check(
        "{{ TimeDimension('order__day', 'fortnight') }} > 3",
        "metric m: its filter goes by fortnight, which is no period of PostgreSQL",
    );
    check("1) FROM secrets WHERE (true", "metric m: its filter is no condition: ) closes nothing");
    check(
        "exists (select 1 from secrets)",
        "metric m: its filter is no condition: a subquery, a window or a row of a table is no expression over columns",
    );
}

#[test]
fn metrics_of_metrics_are_taken_only_over_one_table_and_period() {
    let check = |metric: &str, expected: &str| {
        let both = format!(
            r#"[{metric}, {{"name": "a", "type": "simple", "type_params": {{"measure": {{"name": "n"}}}}}},
                {{"name": "b", "type": "simple", "type_params": {{"measure": {{"name": "heads"}}}}}}]"#
        );
        let imported = of_text(&metrics(&both));
        assert!(imported.lost.iter().any(|lost| lost == expected), "{:?}", imported.lost);
    };
    let ratio =
        r#"{"name": "m", "type": "ratio", "type_params": {"numerator": {"name": "a"}, "denominator": {"name": "b"}}}"#;
    check(ratio, "metric m: it is made of two tables, those of orders and people");
    let circle = r#"{"name": "m", "type": "derived", "type_params": {"expr": "m + 1", "metrics": [{"name": "m"}]}}"#;
    check(circle, &format!("metric m: {}it is made of metrics in a circle, or too many", "m: ".repeat(8)));
    let offset = r#"{"name": "m", "type": "derived", "type_params": {"expr": "a - a", "metrics":
        [{"name": "a", "offset_window": {"count": 1, "granularity": "day"}}]}}"#;
    check(offset, "metric m: it takes a of another period");
    let unknown = r#"{"name": "m", "type": "derived", "type_params": {"expr": "a - c", "metrics": [{"name": "a"}]}}"#;
    check(unknown, "metric m: its expression names c, which is none of its metrics");
    check(
        r#"{"name": "m", "type": "conversion", "type_params": {}}"#,
        "metric m: a conversion metric is no aggregate over rows",
    );
    check(r#"{"name": 3}"#, "metric without a name: it cannot be read: invalid type: integer `3`, expected a string");
}

#[test]
fn what_is_no_manifest_is_refused_with_what_to_do() {
    let check = |text: &str, expected: &str| {
        let directory = folder(&[("manifest.json", text)]);
        let path = directory.path().join("manifest.json");
        let error = dbt::import(&path).unwrap_err().to_string();
        assert_eq!(error.strip_prefix(&format!("{}: ", path.display())), Some(expected));
    };
    check("{}", "is no manifest of dbt: it has no nodes and no semantic models");
    check("{\"nodes\": {", "is no manifest of dbt: EOF while parsing an object at line 1 column 11");
    check("{\"nodes\": [1]}", "is no manifest of dbt: invalid type: sequence, expected a map at line 1 column 10");
    let deep = format!("{{\"metrics\": {}", "[".repeat(100_000));
    check(&deep, "is no manifest of dbt: recursion limit exceeded at line 1 column 139");
    let empty = folder(&[]);
    let error = dbt::import(empty.path()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "has no manifest.json and no semantic_manifest.json; run `dbt parse`, and name the folder `target`"
        ),
        "{error}"
    );
}

#[test]
fn names_of_a_manifest_cannot_leave_the_folder() {
    let node = |name: &str| {
        let name = serde_json::to_string(name).unwrap();
        format!(r#"{{"resource_type": "model", "schema": "../s", "name": {name}, "description": "x"}}"#)
    };
    let long = "n".repeat(300);
    let nodes = format!(
        r#"{{"nodes": {{"a": {}, "b": {}, "c": {}, "d": {}}}}}"#,
        node("../../evil"),
        node("/etc/x\u{0}"),
        node(&long),
        node("")
    );
    let imported = of_text(&nodes);
    let directory = folder(&[]);
    let inner = directory.path().join("metadata");
    let merged = merge(&imported.tables, &inner, false).unwrap();
    assert_eq!(merged.written.len(), 3, "the schema and two tables: {merged:?}");
    assert_eq!(merged.lost.len(), 2, "{merged:?}");
    assert!(merged.written.iter().all(|path| path.starts_with(&inner) && path.is_file()));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let tables = Metadata::read(&inner).unwrap().files.iter().map(|file| file.table.clone()).collect::<Vec<_>>();
    assert_eq!(tables, ["../../evil", "/etc/x\u{0}"]);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let words =
        ["unique", "ref('a')", "orders", "{{ Dimension('a__b') }}", "sum", "simple", "a", "model", "((", "1) -- "];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        prop::sample::select(words.to_vec()).prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let keys = [
            "name",
            "nodes",
            "sources",
            "resource_type",
            "columns",
            "constraints",
            "config",
            "test_metadata",
            "kwargs",
            "to",
            "field",
            "column_name",
            "depends_on",
            "semantic_models",
            "metrics",
            "measures",
            "entities",
            "dimensions",
            "expr",
            "agg",
            "type",
            "type_params",
            "measure",
            "filter",
            "where_filters",
            "where_sql_template",
            "node_relation",
            "alias",
            "schema",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..6).prop_map(|pairs| {
                serde_json::Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Puts a value in place of the one that is found by following the numbers down.
fn replaced(value: &mut serde_json::Value, way: &[usize], with: &serde_json::Value) {
    let next = match (way, value) {
        ([step, ..], serde_json::Value::Array(list)) if !list.is_empty() => {
            let length = list.len();
            &mut list[step % length]
        }
        ([step, ..], serde_json::Value::Object(object)) if !object.is_empty() => {
            let length = object.len();
            object.values_mut().nth(step % length).unwrap()
        }
        (_, value) => {
            *value = with.clone();
            return;
        }
    };
    replaced(next, &way[1..], with);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_manifest_with_anything_in_it_is_read_or_refused(
        odd in any_json(),
        way in prop::collection::vec(0_usize..40, 1..7),
    ) {
        for name in ["dbt/manifest.json", "dbt/semantic_manifest.json"] {
            let mut manifest = serde_json::from_str(&std::fs::read_to_string(material(name)).unwrap()).unwrap();
            replaced(&mut manifest, &way, &odd);
            let directory = folder(&[("manifest.json", &manifest.to_string()), ("odd.json", &odd.to_string())]);
            let _ = dbt::import(&directory.path().join("odd.json"));
            if let Ok(imported) = dbt::import(&directory.path().join("manifest.json")) {
                let inner = directory.path().join("metadata");
                merge(&imported.tables, &inner, false).unwrap();
                prop_assert!(Metadata::read(&inner).is_ok());
            }
        }
    }
}
