//! `explore doctor --attack` on a real server, with everything that the program sends recorded on the way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use explore::app::doctor::attack::{Attack, attacks};
use explore::warehouse::sql::{Policy, validate};

use super::{Examined, at, examine};
use crate::agent::runs::{until, wait_for};
use crate::support::server::{client, fresh, url};
use crate::support::wire::Relay;
use crate::warehouse::attacks::{ATTACKED, HELD, STATE};

/// What each string's transaction begins with.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = 1000;  SELECT 1";

/// Examines the database as a superuser, over a recorder; what was sent comes too.
fn recorded(arguments: &[&str]) -> (Examined, BTreeSet<String>) {
    let statements = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&statements);
    let relay = Relay::start(move || {
        let seen = Arc::clone(&seen);
        move |message| {
            seen.lock().unwrap().extend(message.statement());
            true
        }
    });
    let arguments = [&["--offline", "--allow-writable-role"], arguments].concat();
    let examined = examine(&at(&relay.url(&url("doctor_attacked"))), &arguments);
    relay.finish();
    let statements = std::mem::take(&mut *statements.lock().unwrap());
    (examined, statements)
}

#[test]
fn what_the_validator_refuses_is_never_sent_and_nothing_is_changed_by_what_is() {
    let url = wait_for(fresh("doctor_attacked", ATTACKED));
    let state = || wait_for(async { client(&url).await.query_one(STATE, &[]).await.unwrap().get::<_, String>(0) });
    let before = state();
    let (_, own) = recorded(&[]);
    let (examined, sent) = recorded(&["--attack"]);
    examined.exits(0).finds("attack", "ok", &["of 205 strings none ran that should be refused"]);
    assert_eq!(state(), before);
    let held = || wait_for(async { client(&url).await.query_one(HELD, &[]).await.unwrap().get::<_, i64>(0) });
    until("no session holds anything", || held() == 0);

    let outcomes = examined.document["attacks"].as_array().unwrap();
    let refused = |id: u32| outcomes.iter().any(|outcome| outcome["id"] == id && outcome["layer"] == "validator");
    let (refused, passed): (Vec<_>, Vec<_>) = attacks().into_iter().partition(|attack| refused(attack.id));
    assert!(refused.len() >= 170 && passed.len() > 20, "{} refused, {} passed", refused.len(), passed.len());
    let attacks_sent = sent.difference(&own).collect::<Vec<_>>();
    assert!(attacks_sent.len() >= passed.len(), "the strings that passed were sent: {attacks_sent:#?}");
    for attack in &refused {
        let wrapped = format!("({}\n)", attack.sql);
        let is_attack = |statement: &&&String| **statement == &attack.sql || statement.contains(&wrapped);
        assert_eq!(attacks_sent.iter().find(is_attack), None, "{} was refused, and sent: {}", attack.id, attack.sql);
    }
    let mut policy = Policy { search_path: vec!["public".to_owned()], ..Policy::default() };
    policy.allow("public", "t", ["id", "a", "secret"]);
    policy.allow("public", "u", ["id", "b"]);
    let bare = |attack: &Attack| validate(&attack.sql, &policy).unwrap().text().to_owned();
    let passed = passed.iter().map(bare).collect::<Vec<_>>();
    let is_explained = |statement: &str| statement == BEGIN || passed.iter().any(|text| statement.contains(text));
    let unexplained = attacks_sent.iter().filter(|statement| !is_explained(statement)).collect::<Vec<_>>();
    assert!(unexplained.is_empty(), "these come from no string that passed: {unexplained:#?}");
}

#[test]
fn the_summary_tells_what_was_refused_where() {
    let url = wait_for(fresh("doctor_summed_up", ATTACKED));
    let outcome = at(&url).run(&["doctor", "--offline", "--attack"]);
    assert_eq!(outcome.code, 3, "the role is a superuser: {}", outcome.stdout);
    for line in ["  refused by the validator; they never left this process", "Of the attacks,"] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
}

#[cfg(feature = "embedded")]
#[test]
fn an_engine_that_cannot_be_stopped_is_not_attacked() {
    let examined = examine(&crate::support::program::Program::new(), &["--demo", "--attack"]);
    examined.exits(0).finds("attack", "warning", &["not fired", "DATABASE_URL"]);
}
