//! What the doctor finds of a role, and the script that makes a good one.

use explore::sample::SAMPLE_SQL;
use serde_json::Value;

use super::{at, examine};
use crate::agent::runs::wait_for;
use crate::support::server::{execute, fresh, variable};

/// A new database with what `sql` makes, as its superuser.
fn owned(name: &str, sql: &str) -> String {
    wait_for(fresh(name, sql))
}

fn login(role: &str, database: &str) -> String {
    format!("postgres://{role}:p@{}:{}/{database}", variable("PGHOST"), variable("PGPORT"))
}

#[test]
fn a_role_that_may_write_fails_with_the_remedy_but_everything_else_is_looked_at() {
    let url = owned("doctor_superuser", SAMPLE_SQL);
    let examined = examine(&at(&url), &["--offline"]);
    examined.exits(3).finds("role", "failed", &["is a superuser", "--allow-writable-role"]);
    examined.finds("time limit", "ok", &[]).finds("tables", "ok", &[]);
    let insisted = examine(&at(&url), &["--offline", "--allow-writable-role"]);
    insisted.exits(0).finds("role", "warning", &["is a superuser"]);
    assert!(examined.document["grants"].as_str().unwrap().contains("GRANT SELECT ON ALL TABLES IN SCHEMA \"public\""));
}

#[test]
fn a_writer_is_told_what_it_may_write() {
    let roles = "CREATE TABLE sales (n int); DROP ROLE IF EXISTS doctor_writer;
                 CREATE ROLE doctor_writer LOGIN PASSWORD 'p'; GRANT SELECT, INSERT ON sales TO doctor_writer";
    owned("doctor_writes", roles);
    let examined = examine(&at(&login("doctor_writer", "doctor_writes")), &["--offline"]);
    examined.exits(3).finds("role", "failed", &["may write public.sales"]);
}

#[test]
fn a_role_without_rights_is_given_the_statements_with_the_schemas_that_there_are() {
    let roles = "CREATE SCHEMA shop; CREATE TABLE shop.sales (n int); DROP ROLE IF EXISTS doctor_nobody;
                 CREATE ROLE doctor_nobody LOGIN PASSWORD 'p'";
    owned("doctor_no_rights", roles);
    let examined = examine(&at(&login("doctor_nobody", "doctor_no_rights")), &["--offline"]);
    examined.exits(3).finds("tables", "failed", &["no table that role \"doctor_nobody\" may read"]);
    examined.finds("role", "ok", &[]);
    assert!(examined.document["grants"].as_str().unwrap().contains("GRANT USAGE ON SCHEMA \"shop\" TO"));
}

#[test]
fn the_script_makes_a_role_that_the_doctor_has_nothing_to_say_about_and_that_can_explore() {
    let content = format!(
        "{SAMPLE_SQL}; CREATE SCHEMA \"Odd \"\"Schema\"; CREATE TABLE \"Odd \"\"Schema\".\"T\" (n int);
         GRANT CREATE ON SCHEMA \"Odd \"\"Schema\" TO PUBLIC; ANALYZE"
    );
    let url = owned("doctor_grants", &content);
    let script = at(&url).run(&["doctor", "--grants"]);
    assert_eq!((script.code, script.stderr.as_str()), (0, ""));
    wait_for(execute(&url, &script.stdout));

    let reader = at(&login("explore_reader", "doctor_grants"));
    examine(&reader, &["--offline"]).exits(3).finds("connection", "failed", &["password"]);
    wait_for(execute(&url, "ALTER ROLE explore_reader PASSWORD 'p'"));

    let examined = examine(&reader, &["--offline"]);
    examined.exits(0).finds("role", "ok", &["\"explore_reader\" may read and nothing else"]);
    examined.finds("tables", "ok", &["2 tables to read"]);
    assert_eq!(examined.document["grants"], Value::Null);
    let read = reader.run(&["sql", "--format", "csv", "SELECT count(*) FROM \"Odd \"\"Schema\".\"T\""]);
    assert_eq!((read.code, read.stdout.as_str()), (0, "count\n0\n"), "{}", read.stderr);
    let explored = reader.run(&["--offline", "--focus", "customer_churn", "--as-of", "2025-11-30", "--format", "json"]);
    assert_eq!(explored.code, 0, "{}", explored.stderr);
    let report = serde_json::from_str::<Value>(&explored.stdout).unwrap();
    assert!(!report["findings"].as_array().unwrap().is_empty(), "{report:#}");
}

#[test]
fn what_everybody_may_do_is_in_the_script_for_the_owner_to_judge() {
    let content =
        "CREATE TABLE t (n int); GRANT INSERT ON t TO PUBLIC; CREATE SEQUENCE s; GRANT USAGE ON SEQUENCE s TO PUBLIC;
                   CREATE FUNCTION f(a int) RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT a'";
    let script = at(&owned("doctor_public", content)).run(&["doctor", "--grants"]).stdout;
    for line in [
        "-- REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public.t FROM PUBLIC;",
        "-- REVOKE ALL ON SEQUENCE public.s FROM PUBLIC;",
        "-- REVOKE EXECUTE ON FUNCTION public.f(a integer) FROM PUBLIC;",
    ] {
        assert!(script.lines().any(|other| other == line), "{line} is not in {script}");
    }
}
