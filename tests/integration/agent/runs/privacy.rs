//! Runs whose model sees no personal data: every byte that is sent to it is searched for what is planted in the database.

use serde_json::json;

use super::{Exploration, Ran, database, finishes};
use crate::support::scripted_server::{ScriptedServer, Turn, calls, computed};

/// People whose names, mails and so on are found nowhere else; 40 of them, so that statistics have bounds.
const PEOPLE: &str = "
CREATE TABLE people (
    id int PRIMARY KEY, name text, contact text, phone text, street text, ssn text, card_number bigint, remarks text,
    town text, spent numeric);
INSERT INTO people SELECT n, 'Zorvath Quillon' || n, 'zq' || n || '@plantedmail.example', '+49 30 99' || (1000 + n),
    n || ' Plantedway Street', '078-05-' || (1000 + n), CASE n % 2 WHEN 0 THEN 4111111111111111 ELSE 5500000000000004 END,
    'Plantednote: the customer was unhappy about his ' || n || ' parcels and called twice',
    CASE n % 3 WHEN 0 THEN 'Lund' WHEN 1 THEN 'Oslo' ELSE 'Graz' END, n * 10
FROM generate_series(1, 40) n;
INSERT INTO people VALUES (41, 'Zorvath Quillon1', 'zq1@plantedmail.example', NULL, NULL, NULL, NULL, NULL, 'Lund', 5);
CREATE TABLE orders (order_id int PRIMARY KEY, person int REFERENCES people, buyer_name text, customer_email text, amount numeric);
INSERT INTO orders SELECT n, 1 + n % 40, 'Zorvath Quillon' || (1 + n % 40), 'zq' || (1 + n % 40) || '@plantedmail.example', n
FROM generate_series(1, 400) n;
CREATE VIEW reachable AS SELECT id, name AS who, contact AS how FROM people;
CREATE VIEW shouted AS SELECT id, upper(name) AS loud FROM people;
CREATE VIEW parts AS SELECT id, substring(name, 1, 20) AS part FROM people;
COMMENT ON COLUMN people.town IS 'where they live';
";

/// What no request may hold, in any case of its letters.
const SECRETS: [&str; 8] =
    ["zorvath", "quillon", "plantedmail", "+49 30 99", "plantedway", "078-05-", "4111111111111111", "plantednote"];

fn looks(statements: &[&str]) -> Turn {
    calls(statements.iter().map(|sql| ("execute_sql", json!({ "sql": sql, "question": "who is it?" }))))
}

/// Searches every byte of every request.
#[track_caller]
fn check_sent(model: &ScriptedServer) {
    for request in model.requests() {
        let sent = String::from_utf8_lossy(&request.sent).to_lowercase();
        for secret in SECRETS.iter().chain(&["5500000000000004"]) {
            let context =
                sent.find(secret).map(|at| sent[at.saturating_sub(300)..].chars().take(600).collect::<String>());
            assert!(
                context.is_none(),
                "{secret} is sent in request {}: …{}",
                request.number,
                context.unwrap_or_default()
            );
        }
    }
}

/// The token at this place of a rendered result: row and column from 1.
fn token(answer: &str, row: usize, column: usize) -> String {
    let line = answer.lines().find(|line| line.starts_with(&format!("{row} | ")));
    let line = line.unwrap_or_else(|| panic!("no row {row} in {answer}"));
    line.split(" | ").nth(column).unwrap().trim().to_owned()
}

fn masked(url: &str, script: Vec<Turn>) -> Ran {
    let exploration = Exploration::new(url, script).with(&["--privacy", "masked"]);
    let home = exploration.program.path("state").display().to_string();
    exploration.variable("EXPLORE_DATA_DIR", &home).run()
}

#[test]
fn a_model_works_with_tokens_and_the_report_shows_values() {
    let url = database("runs_privacy_thin", PEOPLE);
    let script = vec![
        looks(&["SELECT name, sum(spent) AS spent FROM people GROUP BY name ORDER BY spent DESC LIMIT 3"]),
        computed(|request| {
            let name = token(request.tool_outputs()[0], 1, 1);
            assert!(name.starts_with("person_"), "{name}");
            calls([
                (
                    "record_finding",
                    json!({
                        "facts": [format!("q1[{name}].spent")], "severity": "high",
                        "reading": format!("{name} spends the most."), "actions": [],
                    }),
                ),
                (
                    "execute_sql",
                    json!({ "sql": format!("SELECT town FROM people WHERE name = '{name}'"), "question": "where?" }),
                ),
            ])
        }),
        finishes(),
    ];
    let ran = masked(&url, script).ends_with(0, "finished");
    check_sent(&ran.model);
    assert!(ran.request(3).contains("Oslo"), "the value is put back into the statement: {:?}", ran.answers(3));
    let report = ran.report();
    let finding = &report["findings"][0];
    assert!(finding.to_string().contains("Zorvath Quillon40"), "{report:#}");
    assert!(finding["reading"].as_str().unwrap().starts_with("Zorvath Quillon40 spends"), "{finding:#}");
    assert!(ran.shown("terminal").contains("Zorvath Quillon40"));
    assert!(!ran.stdout.contains("person_"), "{}", ran.stdout);
}
