//! Databases that cannot be reached, go away, or have little to show.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use explore::sample::SAMPLE_SQL;
use serde_json::json;

use super::{
    CUSTOMERS, Exploration, HEAVY, PASSWORD, SAMPLE, backends, database, finding, finishes, looks, records, until,
    wait_for,
};
use crate::support::scripted_server::{calls, computed};
use crate::support::server;

#[test]
fn a_database_that_lets_nobody_in_is_told_without_the_password() {
    let check = |from: &str, to: &str, expected: &[&str]| {
        let ran = Exploration::new(&SAMPLE.replace(from, to), []).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{}", ran.stderr);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
        for words in expected {
            assert!(ran.stderr.contains(words), "{}", ran.stderr);
        }
        assert_eq!(ran.journal, "", "no run began");
    };
    let port = format!(":{}/", server::variable("PGPORT"));
    check(PASSWORD, "wrong-password-0123456789", &["refused the password of role \"runs_reader\"", "PGPASSWORD"]);
    check("runs_sample", "no_such_database", &["no database \"no_such_database\"", "check the name"]);
    check("runs_reader", "nobody_at_all", &["nobody_at_all"]);
    check(&port, ":1/", &["refused the connection", "is PostgreSQL running there"]);
    check("postgres://", "postgres//", &["postgres"]);
}

fn terminate(database_name: &str) {
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'explore' AND datname = '{database_name}'"
    );
    wait_for(server::execute(&server::url("postgres"), &sql));
}

#[test]
fn connections_that_the_server_ends_between_queries_are_made_again() {
    let url = database("ended_between", SAMPLE_SQL);
    let look_after_the_end = computed(|_| {
        terminate("ended_between");
        until("the connections are gone", || backends("ended_between", false) == 0);
        looks("SELECT count(*) AS invoices FROM primary_sales")
    });
    let ran = Exploration::new(&url, [looks(CUSTOMERS), look_after_the_end, finishes()]).run().ends_with(0, "finished");
    assert!(ran.answers(3)[0].contains("1 | 22"), "{:?}", ran.answers(3));
}

#[test]
fn a_query_that_loses_its_connection_is_told_and_the_run_goes_on() {
    let url = database("ended_within", SAMPLE_SQL);
    let script = [looks(HEAVY), looks(CUSTOMERS), finishes()];
    let running = Exploration::new(&url, script).start();
    until("the query runs", || backends("ended_within", true) == 1);
    terminate("ended_within");
    let ran = running.end().ends_with(0, "finished");
    assert!(ran.answers(2)[0].contains("connection was lost while the statement ran"), "{:?}", ran.answers(2));
    assert!(ran.answers(3)[0].contains("CUST004"), "{:?}", ran.answers(3));
}

#[test]
fn a_database_that_stays_away_ends_the_run_with_what_is_known() {
    let proxy = Proxy::start();
    let url = format!("postgres://runs_reader:{PASSWORD}@{}/runs_sample", proxy.address);
    assert!(SAMPLE.ends_with("/runs_sample"));
    let look_after_the_cut = computed(move |_| {
        proxy.cut();
        calls([("execute_sql", json!({ "sql": "SELECT 1 AS n" })), ("execute_sql", json!({ "sql": "SELECT 2 AS n" }))])
    });
    let script = [looks(CUSTOMERS), records(finding(&json!({}))), look_after_the_cut];
    let ran = Exploration::new(&url, script).run().ends_with(3, "database_lost");
    assert!(ran.stderr.contains("the database is gone"), "{}", ran.stderr);
    assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
    assert_eq!(ran.events("query_failed").len(), 2, "each query that began has its end in the journal");
}

/// Passes connections on to the server until it is cut.
struct Proxy {
    address: SocketAddr,
    state: Arc<ProxyState>,
}

#[derive(Default)]
struct ProxyState {
    is_cut: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(ProxyState::default()));
        let passing = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !passing.is_cut.load(Ordering::SeqCst)) {
                let port = server::variable("PGPORT").parse().unwrap();
                let (near, far) = (stream.unwrap(), TcpStream::connect((server::variable("PGHOST"), port)).unwrap());
                let mut streams = passing.streams.lock().unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || io::copy(&mut from, &mut to).map(|_| to.shutdown(Shutdown::Both)));
                }
                streams.extend([near, far]);
            }
        });
        Self { address, state }
    }

    /// Ends all connections; there will be no others.
    fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).map(drop).unwrap_or_default();
        for stream in self.state.streams.lock().unwrap().iter() {
            stream.shutdown(Shutdown::Both).unwrap_or_default();
        }
    }
}

#[test]
fn where_nothing_can_be_read_nothing_is_explored() {
    let check = |url: &str, arguments: &[&str], expected: &[&str]| {
        let ran = Exploration::new(url, []).with(arguments).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{}", ran.stderr);
        for words in expected {
            assert!(ran.stderr.contains(words), "{}\nshould tell: {words}", ran.stderr);
        }
        assert!(ran.model.requests().is_empty(), "a model costs money");
    };
    check(&database("runs_empty", ""), &[], &["no table in database \"runs_empty\"", "GRANT SELECT"]);
    let url = database("runs_hidden", "CREATE TABLE hidden (n int)");
    let blind = format!(
        "DO $$ BEGIN CREATE ROLE runs_blind LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; \
         ALTER ROLE runs_blind PASSWORD '{PASSWORD}'"
    );
    wait_for(server::execute(&server::url("postgres"), &blind));
    let blind = url.replace("runs_reader", "runs_blind");
    check(&blind, &[], &["no table in database \"runs_hidden\" that role \"runs_blind\" may read", "GRANT SELECT"]);
    check(&SAMPLE, &["--tables", "primary_sale"], &["no table", "primary_sale", "--tables"]);
    check(&SAMPLE, &["--schema", "sales"], &["no table", "--schema"]);
}

#[test]
fn a_role_that_may_write_is_refused_unless_it_is_allowed_which_the_report_says() {
    let url = server::url("runs_sample");
    assert!(SAMPLE.ends_with("/runs_sample"));
    let refused = Exploration::new(&url, []).run();
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    for part in ["is a superuser", "it is refused", "explore doctor", "--allow-writable-role"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    let allowed = Exploration::new(&url, [looks(CUSTOMERS), finishes()]).with(&["--allow-writable-role"]);
    let ran = allowed.run().ends_with(0, "finished");
    assert_eq!(ran.report()["database"]["role_may_write"], true);
    let warnings = ran.report()["warnings"].to_string();
    assert!(warnings.contains("superuser"), "{warnings}");
    assert!(ran.stderr.contains("superuser"), "{}", ran.stderr);
}
