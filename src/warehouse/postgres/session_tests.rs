//! Tests what the wrapper and the READ ONLY transaction stop without the validator: as a superuser, as the owner of the
//! tables, and as a role that may only read.
//!
//! The tests are inside the crate because code outside of it cannot send text that was not validated.

use std::collections::BTreeMap;
use std::time::Duration;

use deadpool_postgres::tokio_postgres::{self, Client, NoTls};

use super::connections::{Bounds, Connections, Stop};
use super::session::{Parameters, Session, Statement, Verb};
use super::tls::{SslMode, connector};
use super::{Dial, settings, spawn};
use crate::warehouse::table::Table;
use crate::warehouse::{Error, Limits};

const LIMITS: Limits = Limits {
    timeout: Duration::from_millis(500),
    rows_max: 50,
    cell_characters_max: 200,
    bytes_max: 1 << 20,
    plan_cost_max: None,
};

const ATTACKED: &str = "
CREATE TABLE t (id int PRIMARY KEY, a text, secret text);
INSERT INTO t SELECT g, 'row' || g, 'secret' || g FROM generate_series(1, 1000) g;
CREATE TABLE u (id int, b text);
INSERT INTO u SELECT g / 100, 'b' FROM generate_series(1, 10000) g;
CREATE SEQUENCE s;
CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql AS
  'begin insert into t values ((random() * 1e9)::int + 2000); return 1; end';
CREATE FUNCTION stable_liar() RETURNS int STABLE LANGUAGE plpgsql AS 'begin perform setval(''s'', 99); return 1; end';
";

/// The query that returns as text what no statement may change.
const STATE: &str = "
SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM t) || ' ' || (SELECT count(*) FROM u)
  || ' ' || (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_proc)
  || ' ' || (SELECT count(*) FROM pg_roles) || ' ' || (SELECT count(*) FROM pg_database)
  || ' ' || (SELECT count(*) FROM pg_largeobject_metadata) || ' ' || (SELECT last_value FROM s)";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: the tests need a PostgreSQL, run scripts/test"))
}

async fn client(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Creates the owner of the tables, and the role that may only read.
const ROLES: &str = "
DROP ROLE IF EXISTS fence_owner; CREATE ROLE fence_owner LOGIN PASSWORD 'p'; GRANT CREATE ON SCHEMA public TO fence_owner;
ALTER TABLE t OWNER TO fence_owner; ALTER TABLE u OWNER TO fence_owner; ALTER SEQUENCE s OWNER TO fence_owner;
DROP ROLE IF EXISTS fence_reader; CREATE ROLE fence_reader LOGIN PASSWORD 'p'; GRANT SELECT ON t, u TO fence_reader";

/// Creates a database. Returns a pool of one superuser connection to it, and a client that inspects it.
async fn attacked(name: &str) -> (Connections, Client) {
    attacked_as(name, None).await
}

/// Like [`attacked`], but the pool logs in as `role`, one of those that [`ROLES`] creates.
async fn attacked_as(name: &str, role: Option<&str>) -> (Connections, Client) {
    let mut config = tokio_postgres::Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap()).dbname("postgres");
    config.user(variable("PGUSER")).password(variable("PGPASSWORD"));
    let main = client(&config).await;
    main.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
    main.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
    config.dbname(name);
    let side = client(&config).await;
    side.batch_execute(ATTACKED).await.unwrap();
    if let Some(role) = role {
        side.batch_execute(ROLES).await.unwrap();
        config.user(role).password("p");
    }

    let (probe, connection) = config.connect(NoTls).await.unwrap();
    let _task = spawn(connection);
    let settings = settings::negotiate(&probe, &["public".to_owned()], &[]).await.unwrap().statement;
    let connector = connector(SslMode::Prefer, None).unwrap();
    let dial = Dial { connector: connector.clone(), settings: settings.clone() };
    let five = Duration::from_secs(5);
    let bounds = Bounds { connections_max: 1, connect_timeout: five, reconnect_timeout: five };
    let session = Session { settings, preamble: String::new() };
    (Connections::new(config, dial, session, Stop::Cancel(connector), bounds).unwrap(), side)
}

async fn run(connections: &Connections, text: &str) -> Result<Table, Error> {
    connections.run(&Statement { text, parameters: Parameters::None, verb: Verb::Run, made_bytes: 0.0 }, &LIMITS).await
}

async fn state(side: &Client) -> String {
    side.query_one(STATE, &[]).await.unwrap().get(0)
}

#[derive(serde::Deserialize)]
struct Attack {
    id: u32,
    class: String,
    should: String,
    sql: String,
}

/// Runs the list of attacks without the validator. Returns how many of the strings to reject were stopped, and how many
/// there are.
async fn fire(connections: &Connections, side: &Client) -> (u32, u32) {
    let before = state(side).await;
    let mut passed = BTreeMap::<String, Vec<u32>>::new();
    let (mut rejects, mut stopped) = (0, 0);
    for line in include_str!("../../../data/attacks.jsonl").lines() {
        let attack: Attack = serde_json::from_str(line).unwrap();
        let result = run(connections, &attack.sql).await;
        if let Ok(table) = &result {
            assert!(table.rows.len() <= LIMITS.rows_max, "{}", attack.sql);
        }
        assert!(!matches!(result, Err(Error::Gone(_) | Error::Connect(_))), "{}: {result:?}", attack.sql);
        if attack.should == "reject" {
            rejects += 1;
            match result {
                Ok(_) => passed.entry(attack.class).or_default().push(attack.id),
                Err(_) => stopped += 1,
            }
        }
        assert_eq!(state(side).await, before, "{}", attack.sql);
    }
    for class in passed.keys() {
        let stopped_whole = ["A ", "B ", "C ", "E "].iter().any(|prefix| class.starts_with(prefix));
        assert!(!stopped_whole, "the fence alone stops every statement that is not a SELECT, yet: {passed:#?}");
    }
    (stopped, rejects)
}

#[tokio::test]
async fn attacks_that_pass_no_validator_change_nothing_and_stay_bounded() {
    let roles = [(None, 90), (Some("fence_owner"), 115), (Some("fence_reader"), 115)];
    for (role, stopped_min) in roles {
        let (connections, side) = attacked_as("fence_attacks", role).await;
        let (stopped, rejects) = fire(&connections, &side).await;
        let name = role.unwrap_or("superuser");
        println!("as {name} the fence alone stops {stopped} of {rejects}");
        assert!(stopped >= stopped_min, "as {name} the fence alone stops {stopped} of {rejects}");
    }
}

#[tokio::test]
async fn a_transaction_stays_read_only_and_a_connection_comes_back_clean() {
    let (connections, side) = attacked("fence_clean").await;
    let read_only = "SELECT current_setting('transaction_read_only') || current_setting('default_transaction_read_only')
        || current_setting('search_path') || current_setting('work_mem') || current_setting('standard_conforming_strings')";
    let expected = "ononpg_catalog, \"public\"32MBon";
    for text in [
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT set_config('default_transaction_read_only', 'off', false), set_config('work_mem', '1GB', false)",
        "SELECT set_config('search_path', 'public', false), set_config('standard_conforming_strings', 'off', false)",
        "SELECT set_config('role', 'pg_monitor', false)",
        "SELECT pg_advisory_lock(7), pg_try_advisory_lock(8)",
        "SELECT writer()",
        "SELECT setval('s', 7)",
        "SELECT 1) AS q; SET TRANSACTION READ WRITE; SELECT * FROM (SELECT 1",
        "SELECT 1) AS q, (SELECT writer()",
        "SELECT 1 /*",
        "SELECT 'x",
        "SELECT $$x",
        "SET TRANSACTION READ WRITE",
        "COMMIT",
        "",
        ";",
    ] {
        let before = state(&side).await;
        let result = run(&connections, text).await;
        let after = run(&connections, read_only).await.unwrap();
        assert_eq!(after.cell(0, 0), Some(expected), "after {text}: {result:?}");
        assert_eq!(state(&side).await, before, "{text}");
    }
    let role = run(&connections, "SELECT current_user = session_user").await.unwrap();
    assert_eq!(role.cell(0, 0), Some("true"));
    let locks = run(&connections, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").await.unwrap();
    assert_eq!(locks.cell(0, 0), Some("0"));
    let kept = run(&connections, "SELECT count(*) FROM pg_prepared_statements WHERE from_sql").await.unwrap();
    assert_eq!(kept.cell(0, 0), Some("0"));
}

#[tokio::test]
async fn a_statement_may_have_no_columns_or_as_many_as_postgresql_allows() {
    let (connections, _side) = attacked("fence_columns").await;
    let none = run(&connections, "SELECT FROM generate_series(1, 3)").await.unwrap();
    assert_eq!((none.columns.len(), none.rows.len()), (0, 3));
    let list = |count: usize| format!("SELECT {}", vec!["1"; count].join(", "));
    assert_eq!(run(&connections, &list(1664)).await.unwrap().rows[0].len(), 1664);
    let too_many = run(&connections, &list(1665)).await.unwrap_err().to_string();
    assert!(too_many.contains("1664"), "{too_many}");
    for odd in [
        "SELECT pg_sleep(0)",
        "SELECT ROW(1, 'a', NULL)",
        "SELECT most_common_vals FROM pg_stats LIMIT 1",
        "SELECT t FROM t LIMIT 1",
        "SELECT textout('x')",
        "SELECT '<a/>'::xml",
    ] {
        assert!(run(&connections, odd).await.is_ok(), "{odd}");
    }
    let endless = run(&connections, "SELECT g FROM generate_series(1, 1000000000) g").await;
    assert!(matches!(endless, Err(Error::Timeout { .. } | Error::Statement { .. })), "{endless:?}");
}
