use std::path::Path;

use explore::semantic::exchange::ossie::{self, Format};
use explore::semantic::exchange::{Imported, TableSaid, merge};
use explore::semantic::metadata::{Metadata, TableMetadata};
use explore::warehouse::catalog::Role;
use proptest::prelude::*;

use super::{contents, folder, joins, material, measures, said};

fn tpcds() -> Imported {
    ossie::import(&material("ossie/tpcds_semantic_model.yaml")).unwrap()
}

fn of_text(text: &str) -> Result<Imported, String> {
    let directory = folder(&[("model.yaml", text)]);
    let path = directory.path().join("model.yaml");
    ossie::import(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "model.yaml"))
}

/// Metadata of a folder as a document, which has to be valid by Ossie's own schema.
fn exported(directory: &Path, format: Format) -> String {
    let exported = ossie::export(Metadata::read(directory).unwrap(), format).unwrap();
    let schema = serde_json::from_str(&std::fs::read_to_string(material("ossie/schema.json")).unwrap()).unwrap();
    let document = match format {
        Format::Json => serde_json::from_str::<serde_json::Value>(&exported.text).unwrap(),
        Format::Yaml => serde_saphyr::from_str(&exported.text).unwrap(),
    };
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(&document).map(|error| error.to_string()).collect::<Vec<_>>();
    assert_eq!(errors, Vec::<String>::new(), "{}", exported.text);
    exported.text
}

#[test]
fn datasets_fields_relationships_and_metrics_become_metadata() {
    let tpcds = tpcds();
    let public = Some("public");
    let sales = said(&tpcds, public, "store_sales");
    let description = "Fact table containing all store sales transactions. \
                       Also called sales transactions, store purchases, retail sales, POS data.";
    assert_eq!(sales.description.as_deref(), Some(description));
    assert_eq!(sales.unique, [["ss_item_sk", "ss_ticket_number"]]);
    assert_eq!(
        joins(sales),
        [
            "ss_sold_date_sk -> date_dim.d_date_sk",
            "ss_customer_sk -> customer.c_customer_sk",
            "ss_item_sk -> item.i_item_sk",
            "ss_store_sk -> store.s_store_sk"
        ]
    );
    assert_eq!(
        measures(sales),
        [
            "total sales: SUM(ss_ext_sales_price)",
            "total profit: SUM(ss_net_profit)",
            "sales by brand: SUM(ss_ext_sales_price)"
        ]
    );
    assert_eq!(said(&tpcds, public, "store").unique, [["s_store_sk"], ["s_store_id"]]);
    let days = said(&tpcds, public, "date_dim");
    let dates = days.columns.0.iter().filter(|(_, column)| column.role == Some(Role::Date));
    assert_eq!(dates.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["d_date"]);
}

#[test]
fn what_the_import_loses_is_told_with_the_reason() {
    insta::assert_snapshot!(tpcds().lost.join("\n"));
}

#[test]
fn a_document_that_is_exported_is_valid_and_gives_the_same_metadata_when_it_is_imported() {
    let first = folder(&[]);
    merge(&tpcds().tables, first.path(), false).unwrap();
    for (format, name) in [(Format::Yaml, "model.yaml"), (Format::Json, "model.json")] {
        let document = folder(&[(name, &exported(first.path(), format))]);
        let again = ossie::import(&document.path().join(name)).unwrap();
        assert_eq!(again.lost, Vec::<String>::new());
        let second = folder(&[]);
        merge(&again.tables, second.path(), false).unwrap();
        assert_eq!(sorted(second.path()), sorted(first.path()));
    }
}

/// The contents of a folder, measures and columns in the order of their names: a document lists them its own way.
fn sorted(directory: &Path) -> Vec<(String, TableMetadata)> {
    let mut contents = contents(directory);
    for (_, content) in &mut contents {
        content.measures.0.sort_by(|(left, _), (right, _)| left.cmp(right));
        content.columns.0.sort_by(|(left, _), (right, _)| left.cmp(right));
    }
    contents
}

const ORDERS: &str = r#"{
  "$schema": "schema/table.json",
  "description": "One row is one order.",
  "noun": "orders",
  "filter": "status <> 'cancelled'",
  "arrival": "2 days",
  "time_zone": "Europe/Paris",
  "currency": {
    "column": "status",
    "unit": "EUR",
    "rates": {"table": "finance.rates", "currency": "code", "rate": "rate", "day": "valid_on"}
  },
  "unique": [["id"]],
  "warnings": ["Mind the gap."],
  "measures": {
    "net sales": {"sql": "sum(net)", "unit": "EUR", "good": "up", "description": "What is paid."},
    "all_orders": {"sql": "count(*)", "filter": "true"},
    "orders": {"sql": "count(*)", "additive": "over"},
    "share of A": {"sql": "avg((\"Kind of\" = 'A')::int)", "additive": "not"},
    "gain": {"sql": "sum(net) FILTER (WHERE net > 0) - max(net)"},
    "odd": {"sql": "(select 1)"}
  },
  "conditions": {"large": {"sql": "net >= 1000"}},
  "durations": {"time to ship": {"from": "ordered_at", "to": "shipped_at"}},
  "joins": [{"columns": ["customer_id"], "table": "customers", "referred": ["id"]}],
  "columns": {
    "id": {"role": "identifier", "type": "bigint"},
    "ordered_at": {"role": "date", "type": "timestamp with time zone"},
    "shipped_at": {"description": "When it left.", "type": "timestamp with time zone"},
    "net": {"label": "net amount", "unit": "EUR", "role": "net_measure"},
    "status": {"examples": ["open", "cancelled"]},
    "Kind of": {"role": "dimension"},
    "mail": {"sensitive": true},
    "unknown": {"type": "integer"}
  }
}"#;

#[test]
fn what_only_explore_knows_comes_back() {
    let first = folder(&[
        ("shop.orders.json", ORDERS),
        ("orders.json", "{\"$schema\": \"schema/table.json\", \"description\": \"x\"}"),
    ]);
    let text = exported(first.path(), Format::Yaml);
    let document = folder(&[("model.yaml", &text)]);
    let again = ossie::import(&document.path().join("model.yaml")).unwrap();
    assert_eq!(again.lost, Vec::<String>::new());
    let back = said(&again, Some("shop"), "orders");
    let first = serde_json::from_str::<TableMetadata>(ORDERS).unwrap();
    let mut expected = TableMetadata { schema: None, ..first };
    let mut back = back.clone();
    for content in [&mut expected, &mut back] {
        content.measures.0.sort_by(|(left, _), (right, _)| left.cmp(right));
        content.columns.0.sort_by(|(left, _), (right, _)| left.cmp(right));
    }
    assert_eq!(serde_json::to_value(&back).unwrap(), serde_json::to_value(&expected).unwrap());
}

#[test]
fn others_read_the_rows_that_count_as_a_part_of_the_expression() {
    let directory = folder(&[("orders.json", ORDERS)]);
    let document = serde_json::from_str::<serde_json::Value>(&exported(directory.path(), Format::Json)).unwrap();
    let model = &document["semantic_model"][0];
    let metrics = model["metrics"].as_array().unwrap().iter();
    let expressions = metrics.map(|metric| metric["expression"]["dialects"][0]["expression"].as_str().unwrap());
    assert_eq!(
        expressions.collect::<Vec<_>>(),
        [
            "sum(orders.net) FILTER (WHERE orders.status <> 'cancelled')",
            "count(*) FILTER (WHERE true)",
            "count(*) FILTER (WHERE orders.status <> 'cancelled')",
            "avg((orders.\"Kind of\" = 'A')::int) FILTER (WHERE orders.status <> 'cancelled')",
            "sum(orders.net) FILTER (WHERE (orders.status <> 'cancelled') AND (orders.net > 0)) \
             - max(orders.net) FILTER (WHERE orders.status <> 'cancelled')",
        ]
    );
    assert_eq!(model["relationships"][0]["to"], "customers");
    let exported = ossie::export(Metadata::read(directory.path()).unwrap(), Format::Json).unwrap();
    assert_eq!(
        exported.lost,
        [
            "orders: measure \"odd\" is for explore alone: a subquery, a window or a row of a table is no expression over columns"
        ]
    );
}

#[test]
fn a_document_cannot_say_that_values_are_not_personal_or_that_something_was_approved() {
    let column = r#"{\"role\": \"entity\", \"sensitive\": false, \"guessed\": true, \"approved\": {\"by\": \"x\", \"on\": \"2026-01-01\"}}"#;
    let table = r#"{\"noun\": \"letters\", \"guessed\": [\"noun\"], \"joins\": [{\"columns\": [\"a\"], \"table\": \"q\", \"referred\": [\"b\"]}]}"#;
    let document = format!(
        r#"{{"semantic_model": [{{"name": "m", "datasets": [{{"name": "mails", "source": "s.mails",
            "fields": [{{"name": "mail", "expression": {{"dialects": [{{"dialect": "ANSI_SQL", "expression": "mail"}}]}},
                        "custom_extensions": [{{"vendor_name": "EXPLORE", "data": "{column}"}}]}}],
            "custom_extensions": [{{"vendor_name": "EXPLORE", "data": "{table}"}}]}}]}}]}}"#
    );
    let imported = of_text(&document).unwrap();
    let directory = folder(&[]);
    merge(&imported.tables, directory.path(), false).unwrap();
    let expected = r#"{"$schema": "schema/table.json", "description": "", "noun": "letters", "columns": {"mail": {"role": "entity"}}}"#;
    assert_eq!(contents(directory.path())[0].1, serde_json::from_str(expected).unwrap());
    let told = "mails: field mail: that its values are not personal; a person has to say so in the metadata";
    assert_eq!(imported.lost, [told]);
}

#[test]
fn guesses_that_nobody_approved_are_not_told_to_others() {
    let guessed = r#"{"noun": "orders", "guessed": ["noun"], "columns": {"a": {"role": "entity", "guessed": true}}}"#;
    let directory = folder(&[("orders.json", guessed)]);
    let exported = ossie::export(Metadata::read(directory.path()).unwrap(), Format::Yaml).unwrap();
    assert!(!exported.text.contains("EXPLORE"), "{}", exported.text);
    assert_eq!(exported.lost, ["2 guesses that nobody approved: see `explore schema approve`"]);
}

#[test]
fn an_ontology_and_what_is_no_document_are_refused_in_a_sentence() {
    let error = ossie::import(&material("ossie/flights.yaml")).unwrap_err().to_string();
    let expected = "flights.yaml: is an ontology, which describes concepts and not tables; explore reads Ossie documents \
                    with a `semantic_model`";
    assert!(error.ends_with(expected), "{error}");
    let check = |text: &str, expected: &str| assert_eq!(of_text(text).unwrap_err(), expected, "{text}");
    check("a: 1", "model.yaml: is no document of Ossie: it has no `semantic_model`");
    check("{\"semantic_model\": [{\"name\": 1", "model.yaml: EOF while parsing an object at line 1 column 30");
    let laughs = (1..40).fold("l0: &l0 [a, a]\n".to_owned(), |text, level| {
        let before = level - 1;
        text + &format!("l{level}: &l{level} [*l{before}, *l{before}, *l{before}]\n")
    });
    assert!(of_text(&laughs).is_err());
}

#[test]
fn metrics_are_taken_over_one_dataset_in_ansi_sql() {
    let check = |metric: &str, expected: &str| {
        let document = format!(
            "semantic_model:\n- name: m\n  datasets:\n  - {{name: Sales, source: shop.sales, fields: [
                {{name: net, expression: {{dialects: [{{dialect: ANSI_SQL, expression: Sales.net_amount}}]}}}},
                {{name: gap, expression: {{dialects: [{{dialect: ANSI_SQL, expression: gross - net_amount}}]}}}}]}}
  - {{name: people, source: people}}
  - {{name: view, source: select 1}}
  metrics:\n  - {{name: x, expression: {{dialects: [{metric}]}}}}\n"
        );
        let imported = of_text(&document).unwrap();
        let lost = imported.lost.iter().find(|lost| lost.starts_with("metric x")).cloned();
        assert_eq!(lost.unwrap_or_else(|| measures(said(&imported, Some("shop"), "sales")).join("; ")), expected);
        assert!(imported.lost.contains(&"dataset view: its source is a query and no table".to_owned()));
    };
    let sql = |sql: &str| format!("{{dialect: ANSI_SQL, expression: {}}}", serde_json::to_string(sql).unwrap());
    check(&sql("SUM(sales.net) / COUNT(*)"), "x: SUM(net_amount) / COUNT(*)");
    check(&sql("AVG(shop.sales.gap)"), "x: AVG((gross - net_amount))");
    check(&sql("MAX(net)"), "x: MAX(net_amount)");
    check(&sql("SUM(sales.net) / SUM(people.n)"), "metric x: it is over several datasets");
    check(&sql("COUNT(*)"), "metric x: it does not say of which dataset it is");
    check(&sql("SUM(other.n)"), "metric x: no dataset has other.n");
    check(&sql("sales.net + 1"), "metric x: sales.net + 1 is no aggregate");
    check(&sql("SUM(sales.net) + sales.net"), "metric x: SUM(sales.net) + sales.net is no aggregate");
    check(
        &sql("SUM(sales.net) OVER ()"),
        "metric x: SUM(sales.net) OVER () cannot be read: a subquery, a window or a row of a table is no expression over columns",
    );
    check("{dialect: MDX, expression: '[a]'}", "metric x: its expression in MDX is not read, only ANSI_SQL is");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn texts_come_back_as_they_were_in_both_formats(
        text in prop_oneof!["\\PC{1,300}", "[a-z :#>|'\"\n-]{1,200}", "( {0,3}[a-z]{1,40}\n{0,2}){1,6}"],
    ) {
        let first = folder(&[]);
        let content = TableMetadata { description: Some(text.trim().to_owned()), noun: Some("x".into()), ..TableMetadata::default() };
        let said = TableSaid { schema: None, name: "t".to_owned(), content };
        merge(&[said], first.path(), false).unwrap();
        for (format, name) in [(Format::Yaml, "model.yaml"), (Format::Json, "model.json")] {
            let text = ossie::export(Metadata::read(first.path()).unwrap(), format).unwrap().text;
            let document = folder(&[(name, &text)]);
            let again = ossie::import(&document.path().join(name)).unwrap();
            let second = folder(&[]);
            merge(&again.tables, second.path(), false).unwrap();
            prop_assert_eq!(contents(second.path()), contents(first.path()), "{}", text);
        }
    }

    #[test]
    fn a_document_with_anything_in_it_is_read_or_refused(
        odd in prop_oneof![".{0,20}", Just("&a *a".to_owned()), Just("[[{".to_owned()), Just("!!binary x".to_owned())],
        line in 0_usize..560,
        cut in 0_usize..30,
    ) {
        let text = std::fs::read_to_string(material("ossie/tpcds_semantic_model.yaml")).unwrap();
        let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
        let index = line % lines.len();
        let kept = lines[index].chars().take(cut).collect::<String>();
        lines[index] = kept + &odd;
        if let Ok(imported) = of_text(&lines.join("\n")) {
            let directory = folder(&[]);
            merge(&imported.tables, directory.path(), false).unwrap();
            prop_assert!(Metadata::read(directory.path()).is_ok());
        }
    }
}
