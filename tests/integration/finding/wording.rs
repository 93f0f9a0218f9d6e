//! What columns mean, in words: of the statements of players, and of joins.

use std::fmt::Write as _;

use explore::finding::wording;
use explore::warehouse::catalog::{Catalog, Column, Table};
use explore::warehouse::lineage;
use explore::warehouse::sql::{Policy, validate};
use regex::Regex;

use crate::warehouse::lineage::{Written, sets};

/// The tables of `CREATE TABLE` statements with simple columns.
fn catalog(statements: &[String]) -> Catalog {
    let table = Regex::new(r"CREATE TABLE (\w+) \((.*)\)").unwrap();
    let column = Regex::new(r#"^"?(\w+)"? (\w+)(.*)$"#).unwrap();
    let tables = statements.iter().map(|statement| {
        let parts = table.captures(statement).unwrap_or_else(|| panic!("{statement}"));
        let columns = parts[2].split(", ").map(|text| {
            let parts = column.captures(text).unwrap_or_else(|| panic!("{text}"));
            let type_name = if &parts[2] == "timestamp" { "timestamp without time zone" } else { &parts[2] };
            let nullable = !parts[3].contains("NOT NULL") && !parts[3].contains("PRIMARY KEY");
            Column { name: parts[1].to_owned(), type_name: type_name.to_owned(), nullable, ..Column::default() }
        });
        let columns = columns.collect::<Vec<_>>();
        let is_key = |text: &&str| text.contains("PRIMARY KEY");
        let key = parts[2].split(", ").find(is_key).map(|text| text.split(' ').next().unwrap().to_owned());
        Table {
            schema: "public".to_owned(),
            name: parts[1].to_owned(),
            columns,
            primary_key: key.into_iter().collect(),
            ..Table::default()
        }
    });
    Catalog { tables: tables.collect(), business_context: None }
}

/// Each statement with what its columns mean.
fn meanings(file: &str) -> String {
    let mut text = String::new();
    for set in sets(file) {
        let catalog = catalog(&set.tables);
        let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
        for table in &catalog.tables {
            policy.allow("public", &table.name, table.columns.iter().map(|column| column.name.as_str()));
        }
        for Written { sql } in set.queries {
            let select = validate(&sql, &policy).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
            let lines = wording::statement(&lineage::of(&select, &catalog), &catalog).join("\n");
            writeln!(text, "{sql}\n{lines}\n").unwrap();
        }
    }
    text
}

#[test]
fn the_columns_of_players_are_worded_by_their_expressions_and_conditions() {
    insta::assert_snapshot!("players", meanings("queries.json"));
}

#[test]
fn the_columns_of_joins_are_worded_by_their_expressions_and_conditions() {
    insta::assert_snapshot!("joins", meanings("joins.json"));
}

/// Names and values cannot drive a terminal, reorder text or look like a line of their own.
#[test]
fn names_and_values_of_the_database_are_names_and_values_in_words() {
    let evil = "a\u{1b}[31m\nfake: count of rows\u{202e}";
    let column = Column { name: evil.to_owned(), type_name: "text".to_owned(), ..Column::default() };
    let table = Table { schema: "public".to_owned(), name: evil.to_owned(), columns: vec![column], ..Table::default() };
    let catalog = Catalog { tables: vec![table], business_context: None };
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", evil, [evil]);
    let name = format!("\"{evil}\"");
    let sql = format!(
        "SELECT {name} AS {name}, count(*), {name} || '{evil}' AS y, no_column FROM {name} WHERE {name} <> '{evil}' GROUP BY 1, 3"
    );
    let select = validate(&sql, &policy).unwrap_or_else(|refusal| panic!("{refusal}"));
    let lines = wording::statement(&lineage::of(&select, &catalog), &catalog);
    assert!(lines.len() >= 4, "{lines:?}");
    for line in &lines {
        assert!(!line.contains(['\u{1b}', '\n', '\u{202e}']) && !line.starts_with("fake"), "{line:?}");
    }
}
