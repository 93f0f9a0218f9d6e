use explore::semantic::render;
use explore::warehouse::Database as _;
use explore::warehouse::catalog::Selection;
use explore::warehouse::catalog::{ForeignKey, TableKind};
#[cfg(feature = "embedded")]
use explore::warehouse::embedded;

use crate::support::catalog::{Fresh, catalog_of, names, read};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const KINDS: &str = "
    CREATE TABLE plain (id int PRIMARY KEY, note text NOT NULL);
    COMMENT ON TABLE plain IS 'a comment';
    COMMENT ON COLUMN plain.note IS E'two\\nlines';
    CREATE TABLE parted (day date NOT NULL, plain_id int REFERENCES plain, amount numeric(12,2)) PARTITION BY RANGE (day);
    CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (plain_id);
    CREATE TABLE parted_2024_a PARTITION OF parted_2024 FOR VALUES IN (1);
    CREATE TABLE parted_2024_b PARTITION OF parted_2024 DEFAULT;
    CREATE VIEW seen AS SELECT * FROM parted;
    CREATE MATERIALIZED VIEW kept AS SELECT day FROM parted;
    CREATE FOREIGN DATA WRAPPER elsewhere;
    CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
    CREATE FOREIGN TABLE afar (id int) SERVER far;
    INSERT INTO plain SELECT n, 'x' FROM generate_series(1, 40) AS n;
    INSERT INTO parted SELECT '2024-01-01'::date + n, 1 + n % 2, n FROM generate_series(0, 299) AS n;
    ANALYZE;";

#[tokio::test]
async fn every_kind_of_relation_is_read_and_partitions_hide_behind_their_table() {
    let catalog = catalog_of(KINDS).await;
    assert_eq!(names(&catalog), ["public.afar", "public.kept", "public.parted", "public.plain", "public.seen"]);
    let kinds = catalog.tables.iter().map(|table| (table.kind, table.rows_estimate)).collect::<Vec<_>>();
    let expected = [
        (TableKind::Foreign, None),
        (TableKind::MaterializedView, Some(0)),
        (TableKind::Partitioned, Some(300)),
        (TableKind::Table, Some(40)),
        (TableKind::View, None),
    ];
    assert_eq!(kinds, expected);
    let (parted, plain) = (&catalog.tables[2], &catalog.tables[3]);
    assert_eq!(plain.primary_key, ["id"]);
    assert_eq!(plain.description.as_deref(), Some("a comment"));
    assert_eq!(plain.columns[1].description.as_deref(), Some("two\nlines"));
    assert_eq!((plain.columns[0].nullable, parted.columns[2].nullable), (false, true));
    let key = ForeignKey {
        origin: explore::warehouse::catalog::Origin::Constraint,
        is_valid: true,
        columns: vec!["plain_id".into()],
        schema: "public".into(),
        table: "plain".into(),
        referred: vec!["id".into()],
    };
    assert_eq!(parted.foreign_keys, [key]);
    let days = parted.columns[0].statistics.as_ref().unwrap();
    assert_eq!((days.minimum.as_deref(), days.maximum.as_deref()), (Some("2024-01-01"), Some("2024-10-26")));
}

#[tokio::test]
async fn a_table_that_was_never_analysed_has_no_estimate_and_no_statistics() {
    let catalog = catalog_of("CREATE TABLE fresh (a int); INSERT INTO fresh VALUES (1)").await;
    assert_eq!(catalog.tables[0].rows_estimate, None);
    assert_eq!(catalog.tables[0].columns[0].statistics, None);
}

#[tokio::test]
async fn an_empty_database_gives_an_empty_catalog_that_says_so() {
    let catalog = catalog_of("SELECT 1").await;
    assert!(catalog.tables.is_empty());
    assert_eq!(render::overview(&catalog, "customer_churn", 1_000), "There are no tables that the role may read.\n");
}

#[tokio::test]
async fn odd_names_and_types_come_through_unharmed() {
    let catalog = catalog_of(
        r#"CREATE SCHEMA "Größe ""x""";
        CREATE TYPE mood AS ENUM ('so-so', 'it''s "fine"', '😀');
        CREATE DOMAIN money_inr AS numeric(14,2);
        CREATE DOMAIN fee AS money_inr CHECK (value >= 0);
        CREATE DOMAIN state_of_mind AS mood;
        CREATE TABLE "Größe ""x"""."Odd, Täble; 🦀" (
            "Customer ID" int, "a""b" mood, "c.d" state_of_mind, "select" fee, "e'f" text[], g jsonb, h int4range,
            i interval, j bytea, k timestamptz(3), l numeric, m varchar(7), n mood[], o xml, p uuid, q "char", r money);
        INSERT INTO "Größe ""x"""."Odd, Täble; 🦀" SELECT n, 'so-so', 'so-so', n, '{a,b}', '{}', '[1,2)', '1 day', '\x00',
            now(), 'NaN', 'x', '{so-so}', '<a/>', gen_random_uuid(), 'c', '1.00' FROM generate_series(1, 100) AS n;
        ANALYZE"#,
    )
    .await;
    let table = &catalog.tables[0];
    assert_eq!((table.schema.as_str(), table.name.as_str()), ("Größe \"x\"", "Odd, Täble; 🦀"));
    let columns =
        table.columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect::<Vec<_>>();
    let expected = [
        "Customer ID integer",
        "a\"b mood",
        "c.d mood",
        "select numeric(14,2)",
        "e'f text[]",
        "g jsonb",
        "h int4range",
        "i interval",
        "j bytea",
        "k timestamp(3) with time zone",
        "l numeric",
        "m character varying(7)",
        "n mood[]",
        "o xml",
        "p uuid",
        "q \"char\"",
        "r money",
    ];
    assert_eq!(columns, expected);
    for column in ["a\"b", "c.d"] {
        assert_eq!(table.column(column).unwrap().enum_values, ["so-so", "it's \"fine\"", "😀"]);
    }
    assert_eq!(table.column("l").unwrap().statistics.as_ref().unwrap().maximum, None, "NaN is no end of a range");
    assert!(table.columns.iter().all(|column| column.statistics.is_some()));
}

#[tokio::test]
async fn only_what_the_role_may_select_is_read() {
    let role = format!("reader_{}", std::process::id());
    let fresh = Fresh::with(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret';
        CREATE SCHEMA closed; CREATE TABLE closed.hidden (a int); GRANT SELECT ON closed.hidden TO {role};
        CREATE TABLE open (a int, b int); GRANT SELECT ON open TO {role};
        CREATE TABLE half (shown int, secret int); GRANT SELECT (shown) ON half TO {role};
        CREATE TABLE none (a int PRIMARY KEY);
        INSERT INTO half SELECT n, n FROM generate_series(1, 50) AS n; ANALYZE"
    ))
    .await;
    let introspected = read(&fresh.connect_as(&role).await, &Selection::default()).await;
    assert_eq!(names(&introspected.catalog), ["public.half", "public.open"]);
    let half = &introspected.catalog.tables[0];
    assert_eq!(half.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["shown"]);
    assert!(half.columns[0].statistics.is_some());
    assert!(introspected.warnings.is_empty());
}

#[tokio::test]
async fn without_the_right_to_read_statistics_the_tables_are_read_and_the_lack_is_told() {
    let role = format!("blind_{}", std::process::id());
    let fresh = Fresh::with(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret';
        REVOKE SELECT ON pg_catalog.pg_stats FROM PUBLIC;
        CREATE TABLE open (a int); INSERT INTO open VALUES (1), (2); GRANT SELECT ON open TO {role}; ANALYZE"
    ))
    .await;
    let introspected = read(&fresh.connect_as(&role).await, &Selection::default()).await;
    assert_eq!(introspected.catalog.tables[0].rows_estimate, Some(2));
    assert_eq!(introspected.catalog.tables[0].columns[0].statistics, None);
    let [warning] = introspected.warnings.as_slice() else { panic!("{:?}", introspected.warnings) };
    assert!(warning.starts_with("statistics cannot be read") && warning.contains("pg_stats"), "{warning}");
}

#[tokio::test]
async fn tables_are_selected_by_schema_and_pattern_and_what_names_nothing_is_told() {
    let fresh = Fresh::with(
        "CREATE SCHEMA sales; CREATE SCHEMA other;
        CREATE TABLE sales.orders (a int); CREATE TABLE sales.order_items (a int); CREATE TABLE sales.orderxitems (a int);
        CREATE TABLE sales.audit_log (a int); CREATE TABLE other.orders (a int);",
    )
    .await;
    let all = ["other.orders", "sales.audit_log", "sales.order_items", "sales.orders", "sales.orderxitems"];
    let check = async |selection: Selection, expected: &[&str], warnings: &[&str]| {
        let introspected = read(&fresh.connect().await, &selection).await;
        assert_eq!(names(&introspected.catalog), expected, "{selection:?}");
        assert_eq!(introspected.warnings, warnings, "{selection:?}");
        let mut left_out =
            introspected.left_out.iter().map(|(schema, name)| format!("{schema}.{name}")).collect::<Vec<_>>();
        left_out.extend(names(&introspected.catalog));
        left_out.sort();
        assert!(selection == Selection::default() || left_out == all, "{selection:?} {left_out:?}");
    };
    let none = Selection::default();
    check(none.clone(), &all, &[]).await;
    check(Selection { schemas: strings(&["other"]), ..none.clone() }, &all[..1], &[]).await;
    let orders = Selection { include: strings(&["order*"]), exclude: strings(&["other.*"]), ..none.clone() };
    check(orders, &all[2..], &[]).await;
    let exact = Selection { include: strings(&["sales.order_items", "orders"]), ..none.clone() };
    check(exact, &["other.orders", "sales.order_items", "sales.orders"], &[]).await;
    let misspelt = Selection { schemas: strings(&["sales", "slaes"]), include: strings(&["sales.*", "logs"]), ..none };
    let warnings = [
        "schema slaes does not exist, or the role has no USAGE on it",
        "no table that the role may read is called logs",
    ];
    check(misspelt, &all[1..], &warnings).await;
    for name in ["audit_logs", "Audit_log", "\"audit_log\"", "other.audit_log", "logs_*"] {
        let selection = Selection { exclude: strings(&[name]), ..Selection::default() };
        let error = fresh.connect().await.introspect(&selection).await.unwrap_err().to_string();
        assert!(error.contains("there is no table to exclude called") && error.contains(name), "{error}");
    }
}

#[tokio::test]
async fn statistics_tell_counts_common_values_and_ranges() {
    let catalog = catalog_of(
        "CREATE TABLE t AS SELECT n AS id, CASE WHEN n % 10 = 0 THEN NULL ELSE 'v' || n % 3 END AS few,
            CASE WHEN n % 2 = 0 THEN 0 ELSE n END AS sparse, n % 4 AS small, repeat('ü', 200) AS long,
            'c' || n AS code FROM generate_series(1, 2000) AS n;
        ANALYZE",
    )
    .await;
    let of = |name: &str| catalog.tables[0].column(name).unwrap().statistics.clone().unwrap();
    let range = |name: &str| (of(name).minimum.unwrap_or_default(), of(name).maximum.unwrap_or_default());
    assert_eq!(of("id").distinct, Some(2000.0));
    assert_eq!(range("id"), ("1".into(), "2000".into()));
    assert_eq!(of("few").distinct, Some(3.0));
    assert!((of("few").null_fraction - 0.1).abs() < 0.001);
    let mut few = of("few").common_values;
    few.sort();
    assert_eq!(few, ["v0", "v1", "v2"]);
    assert_eq!(of("few").common_shares.len(), 3);
    assert_eq!(range("sparse"), ("0".into(), "1999".into()), "the common 0 is no part of the histogram");
    assert_eq!(range("small"), ("0".into(), "3".into()));
    assert_eq!(of("long").common_values, ["ü".repeat(80) + "…"]);
    assert!(range("code").0.starts_with('c'));
}

#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_engine_is_read_alike() {
    let database = embedded::start(&explore::warehouse::SessionContext::default()).await.unwrap();
    database
        .load("CREATE TABLE t AS SELECT n AS id, n % 3 AS few FROM generate_series(1, 500) AS n; ANALYZE")
        .await
        .unwrap();
    let introspected = read(&database, &Selection::default()).await;
    assert_eq!(introspected.warnings, Vec::<String>::new());
    let table = introspected.catalog.table(None, "t").unwrap();
    assert_eq!(table.rows_estimate, Some(500));
    assert_eq!(table.columns[1].statistics.as_ref().unwrap().distinct, Some(3.0));
}
