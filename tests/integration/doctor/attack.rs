//! `explore doctor --attack` on a real server, with everything that the program sends recorded on the way.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use explore::doctor::attack::{Attack, attacks};
use explore::sql::{Policy, validate};

use super::{Examined, at, examine};
use crate::attacks::{ATTACKED, HELD, STATE};
use crate::runs::{until, wait_for};
use crate::server::{client, fresh, variable};

/// What each string's transaction begins with.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = 1000;  SELECT 1";

/// Stands between the program and the server, and keeps what the program says, a text a connection.
struct Recorder {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<JoinHandle<Vec<u8>>>>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&connections);
        thread::spawn(move || {
            for near in listener.incoming().map(Result::unwrap) {
                let server = format!("{}:{}", variable("PGHOST"), variable("PGPORT"));
                let far = TcpStream::connect(server).unwrap();
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                recorded.lock().unwrap().push(thread::spawn(move || carry(near, far)));
                thread::spawn(move || carry(far_again, near_again));
            }
        });
        Self { address, connections }
    }

    /// The texts of all statements that were sent, whether to be prepared or run, once the program has ended.
    fn statements(&self) -> BTreeSet<String> {
        let connections = std::mem::take(&mut *self.connections.lock().unwrap());
        connections.into_iter().flat_map(|connection| statements(&connection.join().unwrap())).collect()
    }
}

/// Carries bytes until either side ends; what was carried comes back.
fn carry(mut from: TcpStream, mut to: TcpStream) -> Vec<u8> {
    let mut carried = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        carried.extend(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).unwrap_or_default();
    carried
}

/// The statements within the messages that a client sends: of `Query`, and of `Parse` after the statement's name.
fn statements(mut said: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap()) as usize;
    // What a connection begins with has no tag. One that was given up may have said nothing, or half of something.
    said = said.get(..4).and_then(|length| said.get(number(length)..)).unwrap_or_default();
    while let [tag, rest @ ..] = said
        && let Some((body, after)) = rest.get(..4).and_then(|length| rest.split_at_checked(number(length)))
    {
        let texts = body[4..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        match tag {
            b'Q' => found.extend(texts.take(1)),
            b'P' => found.extend(texts.skip(1).take(1)),
            _ => {}
        }
        said = after;
    }
    found
}

/// Examines the database as a superuser, over a recorder; what was sent comes too.
fn recorded(arguments: &[&str]) -> (Examined, BTreeSet<String>) {
    let recorder = Recorder::start();
    let (user, password) = (variable("PGUSER"), variable("PGPASSWORD"));
    let url = format!("postgres://{user}:{password}@{}/doctor_attacked?sslmode=disable", recorder.address);
    let arguments = [&["--offline", "--allow-writable-role"], arguments].concat();
    (examine(&at(&url), &arguments), recorder.statements())
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
    let examined = examine(&crate::program::Program::new(), &["--demo", "--attack"]);
    examined.exits(0).finds("attack", "warning", &["not fired", "DATABASE_URL"]);
}
