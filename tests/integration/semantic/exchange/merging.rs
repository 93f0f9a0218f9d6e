use explore::semantic::exchange::{TableSaid, merge};
use explore::semantic::metadata::TableMetadata;

use super::{contents, folder};

fn table(schema: Option<&str>, name: &str, content: &str) -> TableSaid {
    let content = serde_json::from_str::<TableMetadata>(content).unwrap();
    TableSaid { schema: schema.map(str::to_owned), name: name.to_owned(), content }
}

const PRESENT: &str = r#"{
  "description": "Orders, as Ann says.",
  "noun": "rows",
  "filter": "status <> 'void'",
  "guessed": ["noun"],
  "measures": {"revenue": {"sql": "sum(net)"}, "orders": {"sql": "count(*)"}},
  "joins": [
    {"columns": ["customer_id"], "table": "public.clients", "referred": ["id"], "guessed": true},
    {"columns": ["shop_id"], "table": "public.shops", "referred": ["id"]}
  ],
  "columns": {
    "id": {"description": "", "type": "integer"},
    "status": {"role": "dimension", "examples": ["open"]},
    "day": {"role": "ignore", "guessed": true}
  }
}"#;

const SAID: &str = r#"{
  "description": "Orders of the import.",
  "noun": "orders",
  "filter": "true",
  "unique": [["id"]],
  "measures": {"revenue": {"sql": "sum(gross)"}, "orders": {"sql": "count(*)", "description": "How many."}},
  "joins": [
    {"columns": ["customer_id"], "table": "customers", "referred": ["id"]},
    {"columns": ["shop_id"], "table": "shops", "referred": ["id"]}
  ],
  "columns": {
    "id": {"description": "The number.", "role": "identifier"},
    "status": {"role": "event_type", "examples": ["open"]},
    "day": {"role": "date"},
    "new": {"description": "New."}
  }
}"#;

#[test]
fn an_import_fills_what_is_empty_or_guessed_and_keeps_what_people_wrote() {
    let directory = folder(&[("orders.json", PRESENT)]);
    let said = [table(Some("public"), "orders", SAID)];
    let merged = merge(&said, directory.path(), false).unwrap();
    assert_eq!(
        merged.conflicts,
        [
            r#"orders: description stays "Orders, as Ann says."; the import says "Orders of the import.""#,
            r#"orders: filter stays "status <> 'void'"; the import says "true""#,
            r#"orders: measure "revenue" stays "sum(net)"; the import says "sum(gross)""#,
            r#"orders.status: role stays "dimension"; the import says "event_type""#,
        ]
    );
    insta::assert_json_snapshot!(contents(directory.path()));
    let again = merge(&said, directory.path(), false).unwrap();
    assert_eq!((again.written.len(), again.unchanged, again.conflicts.len()), (0, 1, 4));
}

#[test]
fn with_replace_the_import_wins_and_the_change_is_told() {
    let directory = folder(&[("orders.json", PRESENT)]);
    let said = [table(Some("public"), "orders", SAID)];
    let merged = merge(&said, directory.path(), true).unwrap();
    assert_eq!(merged.conflicts[2], r#"orders: measure "revenue" was "sum(net)"; it is now "sum(gross)""#);
    let (_, content) = &contents(directory.path())[0];
    assert_eq!(content.description.as_deref(), Some("Orders of the import."));
    assert_eq!(content.measures.get("revenue").unwrap().sql, "sum(gross)");
    assert_eq!(merge(&said, directory.path(), true).unwrap().conflicts, Vec::<String>::new());
}

#[test]
fn tables_of_several_schemas_get_a_file_each() {
    let said = [
        table(Some("raw"), "orders", r#"{"description": "Raw."}"#),
        table(Some("shop"), "orders", r#"{"description": "Shop."}"#),
        table(Some("shop"), "items", r#"{"description": "Items."}"#),
        table(None, "notes", r#"{"description": "Notes."}"#),
    ];
    let check = |present: &[(&str, &str)], expected: &[&str]| {
        let directory = folder(present);
        merge(&said, directory.path(), false).unwrap();
        let names = contents(directory.path()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names, expected);
    };
    check(&[], &["items.json", "notes.json", "raw.orders.json", "shop.orders.json"]);
    check(
        &[("shop.items.json", "{}"), ("other.notes.json", "{}")],
        &["other.notes.json", "raw.orders.json", "shop.items.json", "shop.orders.json"],
    );
    check(
        &[("other.items.json", "{}")],
        &["notes.json", "other.items.json", "raw.orders.json", "shop.items.json", "shop.orders.json"],
    );
}

#[test]
fn a_folder_with_a_broken_file_or_a_table_that_is_too_large_is_not_changed_by_it() {
    let broken = folder(&[("orders.json", "{")]);
    assert!(merge(&[table(None, "items", r#"{"noun": "items"}"#)], broken.path(), false).is_err());
    assert_eq!(std::fs::read_dir(broken.path()).unwrap().count(), 1);

    let directory = folder(&[]);
    let mut large = table(None, "large", "{}");
    large.content.warnings = vec!["w".repeat(2 << 20)];
    let mut long = table(None, "long", "{}");
    long.content.description = Some("d".repeat(2 << 20));
    let merged = merge(&[large, long], directory.path(), false).unwrap();
    assert_eq!(merged.lost.len(), 1, "{:?}", merged.lost);
    let [(name, content)] = &contents(directory.path())[..] else { panic!("one file") };
    assert_eq!((name.as_str(), content.description.as_ref().unwrap().len()), ("long.json", 4_000));
}
