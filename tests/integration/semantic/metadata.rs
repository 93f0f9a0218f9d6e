use std::fs;
use std::path::Path;

use explore::semantic::drift;
use explore::semantic::metadata::{Approval, Metadata, approve, metadata_schema, pull};
use explore::warehouse::catalog::{Catalog, Column, Personal, Role, Statistics, Table};
use explore::warehouse::privacy::Marks;
use tempfile::TempDir;

fn column(name: &str, type_name: &str) -> Column {
    Column { name: name.into(), type_name: type_name.into(), ..Column::default() }
}

fn table(schema: &str, name: &str, columns: Vec<Column>) -> Table {
    Table { schema: schema.into(), name: name.into(), columns, ..Table::default() }
}

fn shop() -> Catalog {
    let orders = table("public", "orders", vec![column("ordered_on", "date"), column("amount", "numeric(12,2)")]);
    let customers = table("public", "customers", vec![column("id", "integer"), column("name", "text")]);
    Catalog { tables: vec![customers, orders], business_context: None }
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn sorted_names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn what_cannot_be_read_is_told_with_file_line_column_and_the_nearest_key() {
    let check = |text: &str, expected: &str| {
        let directory = directory(&[("orders.json", text)]);
        let error = Metadata::read(directory.path()).unwrap_err();
        let [problem] = error.problems.as_slice() else { panic!("{error}") };
        let path = directory.path().join("orders.json").display().to_string();
        assert_eq!(problem.strip_prefix(&path).unwrap(), expected);
    };
    check(
        "{\n  \"descripton\": \"x\"\n}",
        ":2:14: unknown field `descripton`, expected one of `$schema`, `description`, \
        `noun`, `filter`, `arrival`, `time_zone`, `currency`, `unique`, `warnings`, `guessed`, `approved`, `measures`, `conditions`, `durations`, `joins`, \
        `columns`; did you mean `description`?",
    );
    check(
        "{\"columns\": {\n\"a\": {\"role\": \"mesure\"}}}",
        ":2:22: unknown variant `mesure`, expected one of `date`, \
        `entity`, `entity_name`, `measure`, `gross_measure`, `net_measure`, `discount`, `margin`, `quantity`, \
        `unit_price`, `rate`, `level`, `dimension`, `region`, `product`, `batch`, `event_type`, `currency`, `identifier`, \
        `ignore`; did you mean `measure`?",
    );
    for wrong in ["two days", "2", "2.5 days", "-1 days", "0 days", "1000 weeks", "2 months", ""] {
        let expected = "expected a whole number of hours, days or weeks, such as \"2 days\", and not";
        check(&format!("{{\"arrival\": \"{wrong}\"}}"), &format!(":1:{}: {expected} \"{wrong}\"", 15 + wrong.len()));
    }
    check(
        "{\"time_zone\": \"Europe/Pariss\"}",
        ":1:30: expected the name of a time zone, such as Europe/Paris; did you mean `Europe/Paris`?",
    );
    check("{\n\"warnings\": [\n}", ":3:1: expected value");
    check("{\"columns\": {\"a\": {},\n \"a\": {}}}", ":2:4: the name `a` appears twice");
    check("{\"columns\": {\"a\": {\"examples\": [1]}}}", ":1:33: invalid type: integer `1`, expected a string");
    check("", ":1:0: EOF while parsing a value");
}

#[test]
fn all_that_is_broken_is_told_at_once() {
    let directory = directory(&[("a.json", "{"), ("b.json", "[]"), ("c.json", "{}"), ("notes.txt", "{")]);
    assert_eq!(Metadata::read(directory.path()).unwrap_err().problems.len(), 2);
    let missing = Metadata::read(&directory.path().join("nowhere")).unwrap_err().to_string();
    assert!(missing.contains("nowhere: cannot be read as a metadata directory"), "{missing}");
}

#[test]
fn what_people_wrote_wins_over_the_database_and_guesses() {
    let directory = directory(&[
        (
            "orders.json",
            r#"{"description": "Orders.", "warnings": ["Mind the gap."], "columns": {
            "amount": {"description": "Net.", "unit": "EUR", "role": "net_measure", "examples": ["1"], "sensitive": true},
            "ordered_on": {"description": " "}}}"#,
        ),
        ("business_context.md", "We sell things.\n"),
    ]);
    let mut catalog = shop();
    catalog.tables[1].columns[0].description = Some("a comment".into());
    catalog.tables[1].columns[1].description = Some("a comment".into());
    let values = Statistics { common_values: vec!["7".into()], common_shares: vec![0.5], ..Statistics::default() };
    catalog.tables[1].columns[1].statistics = Some(values);
    let warnings = explore::semantic::complete(&mut catalog, &Metadata::read(directory.path()).unwrap());
    assert_eq!(warnings, Vec::<String>::new());
    let orders = catalog.table(None, "orders").unwrap();
    assert_eq!(
        (orders.description.as_deref(), orders.warnings.as_slice()),
        (Some("Orders."), &["Mind the gap.".into()][..])
    );
    let (date, amount) = (&orders.columns[0], &orders.columns[1]);
    assert_eq!(
        (date.description.as_deref(), date.role, date.role_guessed),
        (Some("a comment"), Some(Role::Date), true)
    );
    assert_eq!(
        (amount.description.as_deref(), amount.role, amount.role_guessed),
        (Some("Net."), Some(Role::NetMeasure), false)
    );
    assert_eq!(amount.unit.as_deref(), Some("EUR"));
    assert!(amount.examples.is_empty() && amount.statistics.as_ref().unwrap().common_values.is_empty(), "withheld");
    assert_eq!(catalog.business_context.as_deref(), Some("We sell things."));
}

#[test]
fn a_guess_that_values_are_personal_can_be_taken_back() {
    let directory = directory(&[("people.json", r#"{"columns": {"street": {"sensitive": false}}}"#)]);
    let people =
        table("public", "people", vec![column("email", "text"), column("street", "text"), column("city", "text")]);
    let mut catalog = Catalog { tables: vec![people], business_context: None };
    explore::semantic::complete(&mut catalog, &Metadata::read(directory.path()).unwrap());
    let sensitive = catalog.tables[0].columns.iter().map(|column| column.sensitive).collect::<Vec<_>>();
    assert_eq!(sensitive, [true, false, false]);
}

#[test]
fn metadata_for_what_is_not_there_is_named_with_the_nearest_and_harms_nothing() {
    let directory = directory(&[
        ("order.json", "{}"),
        ("customers.json", r#"{"columns": {"nmae": {}, "entirely_else": {}}}"#),
        ("sales.orders.json", "{}"),
        ("twins.json", "{}"),
    ]);
    let mut catalog = shop();
    catalog.tables.extend([table("a", "twins", vec![]), table("b", "twins", vec![])]);
    let warnings = explore::semantic::complete(&mut catalog, &Metadata::read(directory.path()).unwrap());
    let prefix = format!("{}/", directory.path().display());
    let warnings = warnings.iter().map(|warning| warning.strip_prefix(&prefix).unwrap()).collect::<Vec<_>>();
    let expected = [
        "customers.json: there is no readable column nmae; did you mean `name`?",
        "customers.json: there is no readable column entirely_else",
        "order.json: there is no readable table order; did you mean `orders`?",
        "sales.orders.json: there is no readable table sales.orders; did you mean `public.orders`?",
        "twins.json: twins is in the schemas a, b; name the file <schema>.<table>.json",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn metadata_of_what_is_left_out_on_purpose_is_no_news() {
    let files = [("secret.json", "{}"), ("hr.salaries.json", "{}"), ("crm.secret.json", "{}"), ("orders.json", "{}")];
    let directory = directory(&files);
    let mut catalog = shop();
    let left_out = [("public", "secret"), ("hr", "salaries"), ("old", "orders")];
    let left_out = left_out.map(|(schema, name)| (schema.to_owned(), name.to_owned()));
    let metadata = Metadata::read(directory.path()).unwrap().without(&left_out, &catalog);
    let warnings = explore::semantic::complete(&mut catalog, &metadata);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("crm.secret.json: there is no readable table crm.secret"), "{warnings:?}");
    assert!(metadata.files.iter().any(|file| file.table == "orders"), "another table of the same name is described");
}

#[test]
fn a_long_business_context_is_cut_and_that_is_told() {
    let directory = directory(&[("business_context.md", &"ü".repeat(12_001))]);
    let metadata = Metadata::read(directory.path()).unwrap();
    assert_eq!(metadata.business_context.as_ref().unwrap().chars().count(), 12_000);
    assert!(
        metadata.warnings[0].ends_with("has 12001 characters; only the first 12000 are used"),
        "{:?}",
        metadata.warnings
    );
}

#[test]
fn pull_writes_a_file_a_table_that_reads_back_and_changes_nothing_the_second_time() {
    let directory = TempDir::new().unwrap();
    let into = directory.path().join("metadata");
    let mut catalog = shop();
    let odd = vec![column("a\"b", "text")];
    catalog.tables.extend([table("a", "orders", vec![]), table("public", "../o.d/d Ü*", odd)]);
    let pulled = pull(&catalog, &into).unwrap();
    assert_eq!((pulled.written.len(), pulled.unchanged, pulled.notes.len()), (5, 0, 0));
    let names = ["%2E%2E%2Fo%2Ed%2Fd Ü%2A.json", "a.orders.json", "customers.json", "public.orders.json", "schema"];
    assert_eq!(sorted_names(&into), names);
    let text = fs::read_to_string(into.join("customers.json")).unwrap();
    let expected = r#"{
  "$schema": "schema/table.json",
  "description": "",
  "columns": {
    "id": {
      "description": "",
      "type": "integer",
      "role": "entity",
      "guessed": true
    },
    "name": {
      "description": "",
      "type": "text",
      "role": "entity_name",
      "guessed": true
    }
  }
}
"#;
    assert_eq!(text, expected);
    let metadata = Metadata::read(&into).unwrap();
    assert_eq!(metadata.apply(&mut catalog), Vec::<String>::new());
    let again = pull(&catalog, &into).unwrap();
    assert_eq!((again.written.len(), again.unchanged), (0, 4));
}

#[test]
fn pull_keeps_what_people_wrote_and_tells_what_is_gone() {
    let written = r#"{"columns": {"gone": {"description": "Was here."}, "amount": {"type": "text", "unit": "EUR", "role": "net_measure"}},
        "time_zone": "Europe/Paris",
        "currency": {"column": "amount", "unit": "EUR", "rates": {"table": "rates", "currency": "code", "rate": "rate"}},
        "arrival": "36 hours", "warnings": ["Mind."], "description": "Orders."}"#;
    let directory = directory(&[("orders.json", written), ("old.json", "{}")]);
    let pulled = pull(&shop(), directory.path()).unwrap();
    let expected = r#"{
  "description": "Orders.",
  "arrival": "36 hours",
  "time_zone": "Europe/Paris",
  "currency": {
    "column": "amount",
    "unit": "EUR",
    "rates": {
      "table": "rates",
      "currency": "code",
      "rate": "rate"
    }
  },
  "warnings": [
    "Mind."
  ],
  "columns": {
    "gone": {
      "description": "Was here."
    },
    "amount": {
      "type": "numeric(12,2)",
      "unit": "EUR",
      "role": "net_measure"
    },
    "ordered_on": {
      "description": "",
      "type": "date",
      "role": "date",
      "guessed": true
    }
  }
}
"#;
    assert_eq!(fs::read_to_string(directory.path().join("orders.json")).unwrap(), expected);
    assert_eq!(fs::read_to_string(directory.path().join("old.json")).unwrap(), "{}");
    let prefix = format!("{}/", directory.path().display());
    let notes = pulled.notes.iter().map(|note| note.strip_prefix(&prefix).unwrap()).collect::<Vec<_>>();
    assert_eq!(
        notes,
        ["old.json: there is no readable table old; kept", "orders.json: there is no readable column gone; kept"]
    );
}

#[test]
fn guesses_are_updated_until_somebody_approves_them() {
    let written = r#"{"filter": "status <> 'x'", "guessed": ["filter"], "columns": {
        "ordered_on": {"role": "dimension", "guessed": true}, "amount": {"role": "quantity", "guessed": true}}}"#;
    let directory = directory(&[("orders.json", written), ("customers.json", "{}")]);
    let approval = Approval { by: "Ann".to_owned(), on: jiff::civil::date(2026, 11, 30) };
    let approved = approve(directory.path(), &["orders.amount".to_owned()], &approval).unwrap();
    assert_eq!(approved.guesses, ["orders.amount: quantity"]);
    pull(&shop(), directory.path()).unwrap();
    let read = || Metadata::read(directory.path()).unwrap();
    let orders =
        |metadata: &Metadata| metadata.files.iter().find(|file| file.table == "orders").unwrap().content.clone();
    let content = orders(&read());
    let amount = content.columns.get("amount").unwrap();
    assert_eq!((amount.role, amount.guessed, &amount.approved), (Some(Role::Quantity), false, &Some(approval.clone())));
    let day = content.columns.get("ordered_on").unwrap();
    assert_eq!((day.role, day.guessed), (Some(Role::Date), true));
    assert_eq!((content.filter.clone(), content.guessed.clone()), (None, vec![]));
    let only = orders(&read().approved_only());
    assert_eq!(
        (only.columns.get("amount").unwrap().role, only.columns.get("ordered_on").unwrap().role),
        (Some(Role::Quantity), None)
    );
    approve(directory.path(), &[], &approval).unwrap();
    assert!(!orders(&read()).columns.get("ordered_on").unwrap().guessed);
}

#[test]
fn a_name_that_is_no_table_or_column_is_not_approved() {
    let directory = directory(&[("orders.json", r#"{"columns": {"amount": {"role": "rate", "guessed": true}}}"#)]);
    let approval = Approval { by: "Ann".to_owned(), on: jiff::civil::date(2026, 11, 30) };
    let error = approve(directory.path(), &["orders.amont".to_owned()], &approval).unwrap_err();
    let expected = "orders.amont is no table or table.column of the metadata; did you mean `orders.amount`?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn pull_touches_nothing_where_a_file_is_broken() {
    let directory = directory(&[("orders.json", "{\"description\": \"half")]);
    let error = pull(&shop(), directory.path()).unwrap_err();
    assert!(error.to_string().contains("orders.json:1:21: EOF while parsing a string"), "{error}");
    assert_eq!(sorted_names(directory.path()), ["orders.json"]);
    assert_eq!(fs::read_to_string(directory.path().join("orders.json")).unwrap(), "{\"description\": \"half");
}

#[test]
fn drift_is_named() {
    let directory = directory(&[
        (
            "orders.json",
            r#"{"description": "Orders.", "columns": {"amount": {"description": "Net.", "type": "integer"}, "old": {}}}"#,
        ),
        ("gone.json", "{}"),
    ]);
    let drifts = drift::find(&shop(), &Metadata::read(directory.path()).unwrap());
    let prefix = format!("{}/", directory.path().display());
    let drifts = drifts.iter().map(|drift| drift.to_string().replace(&prefix, "")).collect::<Vec<_>>();
    let expected = [
        "gone.json: there is no readable table gone",
        "orders.json: there is no readable column old",
        "public.customers has no description",
        "public.orders.amount is numeric(12,2), no longer integer",
        "public.orders.ordered_on has no description",
    ];
    assert_eq!(drifts, expected);
}

#[test]
fn a_currency_that_names_what_is_not_there_is_told() {
    let check = |column: &str, table: &str, rate: &str, expected: &str| {
        let currency = format!(
            r#"{{"currency": {{"column": "{column}", "unit": "EUR", "rates": {{"table": "{table}", "currency": "id", "rate": "{rate}"}}}}}}"#
        );
        let directory = directory(&[("orders.json", &currency)]);
        let problems = Metadata::read(directory.path()).unwrap().apply(&mut shop());
        let prefix = format!("{}/", directory.path().display());
        let problems = problems.iter().map(|problem| problem.replace(&prefix, "")).collect::<Vec<_>>();
        assert_eq!(problems, if expected.is_empty() { vec![] } else { vec![expected] });
    };
    check("amount", "customers", "name", "");
    check("amount", "public.customers", "name", "");
    check(
        "amunt",
        "customers",
        "name",
        "orders.json: the currency names orders.amunt, which does not exist; did you mean `amount`?",
    );
    check(
        "amount",
        "customer",
        "name",
        "orders.json: the rates of the currency are in customer, which is no readable table; did you mean `customers`?",
    );
    check(
        "amount",
        "customers",
        "nam",
        "orders.json: the currency names customers.nam, which does not exist; did you mean `name`?",
    );
}

#[test]
fn a_join_makes_its_columns_unique_wherever_the_file_of_the_other_table_comes() {
    for (of, to) in [("customers", "orders"), ("orders", "customers")] {
        let column = |table: &str| if table == "orders" { "amount" } else { "id" };
        let join = format!(
            r#"{{"joins": [{{"columns": ["{}"], "table": "{to}", "referred": ["{}"]}}]}}"#,
            column(of),
            column(to)
        );
        let directory = directory(&[(&format!("{of}.json"), &join), (&format!("{to}.json"), "{}")]);
        let mut catalog = shop();
        assert_eq!(Metadata::read(directory.path()).unwrap().apply(&mut catalog), Vec::<String>::new());
        assert_eq!(catalog.table(None, to).unwrap().declared.unique, [[column(to)]]);
    }
}

#[test]
fn the_schema_that_editors_check_by_knows_every_key_and_nothing_else() {
    let schema = metadata_schema();
    assert_eq!(schema["additionalProperties"], false);
    let keys = schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>();
    let expected = [
        "$schema",
        "description",
        "noun",
        "filter",
        "arrival",
        "time_zone",
        "currency",
        "unique",
        "warnings",
        "guessed",
        "approved",
        "measures",
        "conditions",
        "durations",
        "joins",
        "columns",
    ];
    assert_eq!(keys, expected);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("metadata/schema/table.json");
    let shipped = serde_json::from_str::<serde_json::Value>(&fs::read_to_string(shipped).unwrap()).unwrap();
    assert_eq!(shipped, schema, "metadata/schema/table.json is out of date: run `explore schema pull --demo`");
}

#[test]
fn guesses_of_personal_data_are_written_approved_and_corrected() {
    let mut catalog = shop();
    Marks::default().apply(&mut catalog);
    let directory =
        directory(&[("orders.json", r#"{"columns": {"amount": {"pii": "card"}, "ordered_on": {"safe": true}}}"#)]);
    pull(&catalog, directory.path()).unwrap();
    let text = fs::read_to_string(directory.path().join("customers.json")).unwrap();
    assert!(text.contains("\"pii\": \"person\",\n      \"pii_guessed\": true"), "{text}");
    let kind = |column: &str| {
        let marks = Metadata::read(directory.path()).unwrap().personal();
        let (table, name) = column.split_once('.').unwrap();
        marks.kind("public", table, name, None)
    };
    assert_eq!(kind("customers.name"), Some((Personal::Person, true)));
    assert_eq!(kind("orders.amount"), Some((Personal::Card, false)));
    let approval = Approval { by: "Ann".to_owned(), on: "2025-12-01".parse().unwrap() };
    let approved = approve(directory.path(), &["customers.name".to_owned()], &approval).unwrap();
    assert!(approved.guesses.contains(&"customers.name: pii person".to_owned()), "{:?}", approved.guesses);
    assert_eq!(kind("customers.name"), Some((Personal::Person, false)));
    fs::write(directory.path().join("customers.json"), r#"{"columns": {"name": {"pii": false}}}"#).unwrap();
    assert_eq!(kind("customers.name"), None);
    fs::write(directory.path().join("customers.json"), r#"{"columns": {"name": {"pii": "fone"}}}"#).unwrap();
    let problem = Metadata::read(directory.path()).unwrap_err().to_string();
    assert!(problem.contains("write one of person, mail, phone, address, national_id, card, or false"), "{problem}");
}
