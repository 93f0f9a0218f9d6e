//! Engines, recognised by what they say of themselves.

use explore::app::doctor::engine::Engine;
use explore::warehouse::Product;

fn check(version: &str, extension: &str, function: &str, prefix: &str, expected: Engine) {
    let list = |name: &str| if name.is_empty() { Vec::new() } else { vec!["plpgsql".to_owned(), name.to_owned()] };
    let signs = Product {
        version: version.to_owned(),
        extensions: list(extension),
        functions: list(function),
        setting_prefixes: list(prefix),
    };
    assert_eq!(Engine::of(&signs), expected, "{version}");
}

#[test]
fn an_engine_is_recognised_by_what_only_it_says_or_has() {
    let plain = "PostgreSQL 16.4 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 7.3.1, 64-bit";
    check("PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu", "", "", "", Engine::PostgreSql);
    check("PostgreSQL 18.4 on wasm32-unknown-wasix", "pg_trgm", "", "plpgsql", Engine::PostgreSql);
    check(plain, "", "aurora_version", "rds", Engine::Aurora);
    check(plain, "", "", "rds", Engine::PostgreSql);
    check(plain, "google_columnar_engine", "", "alloydb", Engine::AlloyDb);
    check(plain, "", "", "google_columnar_engine", Engine::AlloyDb);
    check(plain, "citus", "", "citus", Engine::Citus);
    check("PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:5ab1)", "", "", "", Engine::Greenplum);
    check("PostgreSQL 12.12 (Greenplum Database 7.1.0 build commit:e7c2)", "", "", "", Engine::Greenplum);
    check("PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.61678", "", "", "", Engine::Redshift);
    check("CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15)", "", "", "", Engine::CockroachDb);
    check("PostgreSQL 11.2-YB-2.20.1.3-b0 on x86_64-pc-linux-gnu", "", "", "", Engine::YugabyteDb);
    check("PostgreSQL 15.2-YB-2.25.0.0-b0 on aarch64-unknown-linux-gnu", "", "", "", Engine::YugabyteDb);
}

#[test]
fn what_is_known_to_be_missing_is_told_of_all_but_postgresql_and_its_nearest() {
    let nearest = [Engine::PostgreSql, Engine::Aurora, Engine::AlloyDb];
    let others = [Engine::Citus, Engine::Greenplum, Engine::Redshift, Engine::CockroachDb, Engine::YugabyteDb];
    assert!(nearest.iter().all(|engine| engine.lacks().is_none()));
    assert!(others.iter().all(|engine| engine.lacks().is_some()));
}
