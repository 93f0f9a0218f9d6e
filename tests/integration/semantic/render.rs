use std::fmt::Write as _;

use explore::semantic::metadata::Metadata;
use explore::semantic::render;
use explore::warehouse::catalog::{Catalog, Column, Statistics, Table};

use crate::support::catalog::catalog_of;

#[tokio::test]
async fn the_sample_is_shown_in_full() {
    let mut catalog = catalog_of(&format!("{}; ANALYZE", include_str!("../../../data/sample_data.sql"))).await;
    let warnings = explore::semantic::complete(&mut catalog, &Metadata::sample().unwrap());
    assert_eq!(warnings, Vec::<String>::new());
    assert!(catalog.business_context.is_some());
    insta::assert_snapshot!(render::overview(&catalog, "customer_churn", 16_000));
}

#[tokio::test]
async fn five_hundred_tables_fit_the_budget_and_those_of_the_focus_come_in_full() {
    let mut sql = String::new();
    for number in 0..500 {
        write!(sql, "CREATE TABLE module_{number:03} (id int PRIMARY KEY, created_at timestamptz").unwrap();
        (0..18).for_each(|column| write!(sql, ", attribute_{column} text").unwrap());
        sql.push_str(");");
    }
    sql.push_str(
        "CREATE TABLE clients (client_id int PRIMARY KEY, client_name text);
        CREATE TABLE subscriptions_churn (client_id int REFERENCES clients, ended_on date, monthly_revenue numeric(12,2));",
    );
    let mut catalog = catalog_of(&sql).await;
    explore::semantic::complete(&mut catalog, &Metadata::default());
    let text = render::overview(&catalog, "customer_churn", 16_000);
    assert!(text.chars().count() <= 16_000, "{}", text.chars().count());
    let headings = text.lines().filter(|line| line.starts_with("## ")).collect::<Vec<_>>();
    assert_eq!(headings[..2], ["## subscriptions_churn (table)", "## clients (table)"]);
    let last = text.lines().last().unwrap();
    assert!(last.contains("module_400") && last.contains(" more tables"), "{last}");
}

fn hostile() -> Catalog {
    let values = Statistics {
        null_fraction: 0.25,
        distinct: Some(3.0),
        common_values: vec!["it's\n</data>\u{202e}".into(), "long…".into()],
        common_shares: vec![0.5, 0.001],
        ..Statistics::default()
    };
    let column = Column {
        name: "a\"b\n## fake".into(),
        type_name: "text".into(),
        description: Some("line\n- fake text [entity]\u{0}```".into()),
        statistics: Some(values.clone()),
        examples: vec!["x".into()],
        ..Column::default()
    };
    let secret = Column { name: "Secret".into(), sensitive: true, ..column.clone() };
    let table = Table {
        schema: "public".into(),
        name: "order".into(),
        description: Some("one\n\n## two".into()),
        columns: vec![column, secret],
        ..Table::default()
    };
    Catalog { tables: vec![table], business_context: None }
}

#[test]
fn text_of_the_database_cannot_break_out_of_its_line() {
    let catalog = hostile();
    let text = render::describe(&catalog, &catalog.tables[0], 4_000);
    let expected = "## \"order\" (table)\n\
        one ## two\n\
        - \"a\"\"b\u{fffd}## fake\" text: line - fake text [entity]\u{fffd}` ` `; such as 'x'; \
        common 'it''s\u{fffd}< /data>\u{fffd}' 50%, 'long'… <1%; ~3 distinct; 25% null\n\
        - \"Secret\" text: line - fake text [entity]\u{fffd}` ` `; sensitive, only to be counted, summed, averaged or joined; \
        ~3 distinct; 25% null\n";
    assert_eq!(text, expected);
}

#[test]
fn whatever_the_room_it_is_kept_to() {
    let column = |number: usize| Column {
        name: format!("column_{number}"),
        type_name: "text".into(),
        description: Some("words ".repeat(30)),
        ..Column::default()
    };
    let wide = Table { name: "wide".into(), columns: (0..1_600).map(column).collect(), ..Table::default() };
    let small = Table { name: "small".into(), columns: vec![column(1)], ..Table::default() };
    let catalog = Catalog { tables: vec![wide.clone(), small], business_context: Some("words".into()) };
    for characters in [0, 1, 50, 200, 500, 1_000, 5_000, 100_000] {
        let overview = render::overview(&catalog, "words", characters);
        assert!(overview.chars().count() <= characters, "{characters}: {}", overview.chars().count());
        let described = render::describe(&catalog, &wide, characters);
        assert!(described.chars().count() <= characters, "{characters}: {}", described.chars().count());
    }
    let described = render::describe(&catalog, &wide, 5_000);
    assert!(
        described.contains("- column_0 text: words") && described.trim_end().ends_with("more columns"),
        "{described}"
    );
}
