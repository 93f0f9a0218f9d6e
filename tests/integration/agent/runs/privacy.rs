//! Runs whose model sees no personal data: every byte that is sent to it is searched for what is planted in the database.

use regex::Regex;
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
COMMENT ON COLUMN people.town IS 'where they live; ask zq0@plantedmail.example, or Zorvath Quillon1';
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
    ran.shows_what_was_sent();
    assert!(ran.request(3).contains("Oslo"), "the value is put back into the statement: {:?}", ran.answers(3));
    let report = ran.report();
    let finding = &report["findings"][0];
    assert!(finding.to_string().contains("Zorvath Quillon40"), "{report:#}");
    assert!(finding["reading"].as_str().unwrap().starts_with("Zorvath Quillon40 spends"), "{finding:#}");
    assert!(ran.shown("terminal").contains("Zorvath Quillon40"));
    assert!(!finding.to_string().contains("person_"), "{finding:#}");
}

/// What a model tries in order to see values; each is answered by a refusal, a message without values, or tokens.
const TRIES: &[&str] = &[
    "SELECT * FROM people ORDER BY id",
    "SELECT name, contact, phone, street, ssn, card_number, remarks FROM people LIMIT 5",
    "SELECT p.* FROM people p",
    "SELECT people.name::text FROM people",
    "SELECT name::varchar(3) FROM people",
    "SELECT CAST(card_number AS text) FROM people",
    "SELECT card_number + 1 FROM people",
    "SELECT sum(card_number), avg(card_number) FROM people WHERE id = 1",
    "SELECT substring(name from 1 for 3) FROM people",
    "SELECT left(name, 30), right(name, 3) FROM people",
    "SELECT split_part(contact, '@', 2) FROM people",
    "SELECT concat(name, ' ', contact) FROM people",
    "SELECT name || contact FROM people",
    "SELECT format('%s', name) FROM people",
    "SELECT string_agg(name, ',') FROM people",
    "SELECT string_agg(name, contact) FROM people",
    "SELECT min(name), max(contact) FROM people",
    "SELECT array_agg(name) FROM people",
    "SELECT unnest(array_agg(name)) FROM people",
    "SELECT (array_agg(name))[1] FROM people",
    "SELECT array_to_string(array_agg(name), ',') FROM people",
    "SELECT ARRAY(SELECT name FROM people)",
    "SELECT ARRAY[name] FROM people",
    "SELECT json_agg(name), jsonb_agg(p) FROM people p",
    "SELECT json_object_agg(id, name) FROM people",
    "SELECT mode() WITHIN GROUP (ORDER BY name) FROM people",
    "SELECT rank('M') WITHIN GROUP (ORDER BY name) FROM people",
    "SELECT array_agg(id ORDER BY name) FROM people",
    "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY name) FROM people",
    "SELECT CASE WHEN id > 3 THEN name ELSE 'nobody' END FROM people",
    "SELECT CASE WHEN id > 3 THEN name END FROM people",
    "SELECT coalesce(name, contact), coalesce(phone, 'none') FROM people",
    "SELECT nullif(name, 'x'), greatest(name, 'Y'), least(name, contact) FROM people",
    "SELECT q.n FROM (SELECT name AS n FROM people) q",
    "WITH c AS (SELECT name AS n, contact FROM people), d AS (SELECT * FROM c) SELECT * FROM d",
    "WITH RECURSIVE r AS (SELECT 1 AS i, name FROM people WHERE id = 1 UNION ALL SELECT i + 1, name FROM r WHERE i < 3) \
     SELECT * FROM r",
    "SELECT o.order_id, p.name FROM orders o JOIN people p ON p.id = o.person LIMIT 3",
    "SELECT o.buyer_name, p.contact FROM orders o JOIN people p ON p.contact = o.customer_email LIMIT 3",
    "SELECT lag(name) OVER (ORDER BY id), first_value(contact) OVER (PARTITION BY town ORDER BY id) FROM people",
    "SELECT name, row_number() OVER (ORDER BY name) FROM people",
    "SELECT id, count(*) OVER (ORDER BY card_number RANGE BETWEEN 1000 PRECEDING AND CURRENT ROW) FROM people",
    "SELECT lag(name, 1, 'Ann') OVER (ORDER BY id) FROM people",
    "SELECT count(DISTINCT (name, town)), count(*) FILTER (WHERE (name, town) = ('Ann', 'Oslo')) FROM people",
    "SELECT string_agg(name, ',') OVER (ORDER BY id) FROM people",
    "SELECT name FROM people UNION SELECT contact FROM people",
    "SELECT name FROM people UNION ALL SELECT 'Ann' || ' Smith'",
    "SELECT name FROM people EXCEPT SELECT buyer_name FROM orders",
    "SELECT DISTINCT ON (name) name, contact FROM people ORDER BY name, id",
    "SELECT name::int FROM people",
    "SELECT name::numeric FROM people WHERE id = 1",
    "SELECT 1 / length(name) FROM people",
    "SELECT to_date(name, 'YYYY') FROM people",
    "SELECT xmlelement(name x, name) FROM people",
    "SELECT count(*) FROM people WHERE name LIKE 'Z%'",
    "SELECT count(*) FROM people WHERE name ~ '^Z'",
    "SELECT count(*) FROM people WHERE name > 'M'",
    "SELECT count(*) FROM people WHERE name BETWEEN 'M' AND 'P'",
    "SELECT count(*) FROM people WHERE length(name) = 16",
    "SELECT count(*) FROM people WHERE starts_with(name, 'Z')",
    "SELECT count(*) FROM people WHERE name = 'Ann'",
    "SELECT count(*) FROM people WHERE name IN ('Ann', 'Bo')",
    "SELECT count(*) FROM people WHERE name = ANY (ARRAY['Ann'])",
    "SELECT count(*) FROM people WHERE (name, id) = ('Ann', 1)",
    "SELECT count(*) FROM people JOIN (VALUES ('Ann')) v(n) ON v.n = name",
    "SELECT count(*) FROM people WHERE lower(name) = lower('Ann')",
    "SELECT count(*) FROM people WHERE CASE name WHEN 'Ann' THEN true END",
    "SELECT count(*) FILTER (WHERE name LIKE 'Z%') FROM people",
    "SELECT count(substring(name from '^Z')) FROM people",
    "SELECT town FROM people GROUP BY town HAVING min(name) < 'M'",
    "SELECT id FROM people ORDER BY name LIKE 'Z%'",
    "SELECT id FROM people ORDER BY name = 'Ann'",
    "SELECT md5(name), ascii(name), encode(name::bytea, 'hex') FROM people",
    "SELECT reverse(name), translate(name, 'Z', 'Y'), replace(name, ' ', '_') FROM people",
    "SELECT row_to_json(people) FROM people",
    "SELECT to_jsonb(p) FROM people p",
    "SELECT p FROM people p",
    "SELECT people::text FROM people",
    "SELECT ROW(name, id) FROM people",
    "SELECT (p).name FROM people p",
    "SELECT jsonb_each_text(to_jsonb(p)) FROM people p",
    "SELECT x.n FROM people p, LATERAL (SELECT p.name AS n) x",
    "SELECT x FROM people p, LATERAL unnest(string_to_array(p.name, ' ')) x",
    "SELECT x FROM people p, LATERAL regexp_split_to_table(p.name, '') x",
    "SELECT (SELECT max(name) FROM people), (SELECT name FROM people LIMIT 1)",
    "SELECT who, how FROM reachable",
    "SELECT loud FROM shouted",
    "SELECT part FROM parts",
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'people'",
    "SELECT histogram_bounds::text FROM pg_catalog.pg_stats",
    "SELECT query FROM pg_stat_activity",
    "SELECT query_to_xml('SELECT * FROM people', true, true, '')",
    "SELECT table_to_xml('people', true, true, '')",
    "SELECT * FROM people TABLESAMPLE SYSTEM (100)",
    "TABLE people",
    "SELECT remarks FROM people WHERE remarks LIKE '%unhappy%'",
    "SELECT to_tsvector(remarks) FROM people",
    "SELECT ssn, phone FROM people GROUP BY GROUPING SETS ((ssn), (phone))",
    "SELECT name AS \"SELECT\" FROM people GROUP BY 1 ORDER BY 1",
    "SELECT 'person_0123456789ab' AS t FROM people",
    "SELECT concat_ws('-', name, NULL, 'x') AS c, count(*) FROM people GROUP BY name",
    "SELECT c FROM (SELECT name || 'x' AS c FROM people) q GROUP BY c",
    "SELECT count(*) FROM (SELECT name || 'x' AS c FROM people) q WHERE c = contact",
];

#[test]
fn nothing_that_a_model_tries_shows_it_a_value() {
    let url = database("runs_privacy_tries", PEOPLE);
    let mut script = vec![calls([
        ("describe_table", json!({ "table": "people" })),
        ("describe_table", json!({ "table": "orders" })),
        ("find_values", json!({ "text": "zor" })),
        ("find_values", json!({ "text": "@", "table": "people" })),
        ("compare", json!({ "table": "people" })),
        ("concentration", json!({ "table": "orders" })),
        ("profile", json!({ "table": "people" })),
    ])];
    script.extend(TRIES.chunks(12).map(looks));
    script.push(finishes());
    let ran = masked(&url, script).ends_with(0, "finished");
    check_sent(&ran.model);
    ran.shows_what_was_sent();
    let last = ran.model.requests().len();
    let answers = ran.answers(last).into_iter().rev().collect::<Vec<_>>();
    let tries = answers
        .iter()
        .skip(7)
        .zip(TRIES)
        .map(|(answer, sql)| format!("{sql}\n    {}\n", answer.lines().take(3).collect::<Vec<_>>().join("\n    ")));
    // The key of the tokens is another in each run of the test.
    let keyless = |text: String| Regex::new("_[0-9a-f]{12}").unwrap().replace_all(&text, "_TOKEN").into_owned();
    insta::assert_snapshot!("what_each_try_is_answered", keyless(tries.collect()));
    let looked = answers.iter().take(7).map(|answer| format!("{answer}\n---\n"));
    insta::assert_snapshot!("what_tools_show_of_personal_data", keyless(looked.collect()));
}

/// Patients of three wards. One ward has three, and one patient alone has the rare diagnosis.
const PATIENTS: &str = "
CREATE TABLE patients (patient_id int PRIMARY KEY, full_name text, ward text, diagnosis text, cost numeric, born date);
INSERT INTO patients SELECT n, 'Zorvath Quillon' || n, CASE WHEN n <= 20 THEN 'East' WHEN n <= 37 THEN 'West' ELSE 'North' END,
    CASE WHEN n = 7 THEN 'plantednote' ELSE 'flu' END, 1000 + n, DATE '1970-01-01' + n FROM generate_series(1, 40) n;
";

/// Statements and what their answers begin with or hold.
const AGGREGATES: &[(&str, &str)] = &[
    ("SELECT count(*) AS n FROM patients", "1 | 40"),
    ("SELECT ward, count(*) AS n, avg(cost) AS cost FROM patients GROUP BY ward ORDER BY ward", "groups are left out"),
    ("SELECT ward, count(*) AS n FROM patients WHERE ward <> 'North' GROUP BY ward", "it would tell of fewer"),
    ("SELECT count(*) AS n FROM patients WHERE ward = 'East'", "1 | 20"),
    ("SELECT * FROM patients", "sensitive"),
    ("SELECT cost FROM patients", "single rows"),
    ("SELECT patient_id, count(*) AS n FROM patients GROUP BY patient_id", "0 of 0 rows shown; 40 groups"),
    ("SELECT max(cost) AS most FROM patients", "shows the value of a single row"),
    ("SELECT max(born) AS last FROM patients", "1970-02-10"),
    ("SELECT sum(CASE WHEN patient_id = 7 THEN cost END) AS c FROM patients", "may choose rows"),
    ("SELECT sum(cost * (1 / (1 + (patient_id - 7) * (patient_id - 7)))) AS c FROM patients", "may choose rows"),
    ("SELECT sum(cost) AS c FROM patients", "1 | 40820"),
    ("SELECT sum(cost) AS c FROM patients WHERE patient_id <> 7", "it would tell of fewer"),
    ("SELECT sum(cost) AS c FROM patients WHERE diagnosis = 'flu'", "it would tell of fewer"),
    ("SELECT sum(cost) FILTER (WHERE patient_id <> 7) AS c FROM patients", "it would tell of fewer"),
    ("SELECT count(*) AS n FROM patients WHERE diagnosis = 'plantednote'", "0 of 0 rows shown; 1 groups"),
    ("SELECT count(*) FILTER (WHERE diagnosis <> 'flu') AS n FROM patients", "groups are left out"),
    ("SELECT ward, sum(cost) AS c FROM patients WHERE patient_id > 10 GROUP BY ward", "groups are left out"),
    ("SELECT ward, sum(cost) AS c FROM patients WHERE patient_id > 11 GROUP BY ward", "it would tell of fewer"),
    ("SELECT (SELECT cost FROM patients WHERE patient_id = 7) AS c, count(*) AS n FROM patients", "cannot be told"),
    ("SELECT ward, rank() OVER (ORDER BY sum(cost)) AS r FROM patients GROUP BY ward", "cannot be told"),
    ("WITH w AS (SELECT ward, sum(cost) AS c FROM patients GROUP BY ward) SELECT sum(c) AS s FROM w", "cannot be told"),
    ("SELECT count(*) AS n FROM patients UNION ALL SELECT cost FROM patients WHERE patient_id = 7", "cannot be told"),
    ("SELECT count(DISTINCT full_name) AS n FROM patients", "1 | 40"),
    ("SELECT full_name, count(*) FROM patients GROUP BY full_name", "sensitive"),
    ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cost) AS m FROM patients", "shows the value of a single row"),
    ("SELECT string_agg(ward, ',') AS w FROM patients", "cannot be told"),
];

#[test]
fn in_the_mode_aggregate_only_figures_of_enough_entities_leave() {
    let url = database("runs_privacy_aggregate", PATIENTS);
    // One after another: what is asked first decides what may still be asked.
    let mut script = vec![calls([
        ("describe_table", json!({ "table": "patients" })),
        ("find_values", json!({ "text": "planted" })),
    ])];
    script.extend(AGGREGATES.iter().map(|(sql, _)| looks(&[sql])));
    script.push(finishes());
    let exploration = Exploration::new(&url, script).with(&["--privacy", "aggregate", "--max-iterations", "60"]);
    let home = exploration.program.path("state").display().to_string();
    let ran = exploration.variable("EXPLORE_DATA_DIR", &home).run().ends_with(0, "finished");
    let answers = ran.answers(ran.model.requests().len()).into_iter().rev().collect::<Vec<_>>();
    for (answer, (sql, expected)) in answers.iter().skip(2).zip(AGGREGATES) {
        assert!(answer.contains(expected), "{sql}: {answer}");
    }
    assert!(answers[1].contains("only aggregates are shown") && !answers[0].contains("1040"), "{answers:?}");
}

#[test]
fn tokens_are_the_same_in_every_run_that_can_open_the_state() {
    let url = database("runs_privacy_tokens", PEOPLE);
    let states = tempfile::tempdir().unwrap();
    let state = states.path().join("state").display().to_string();
    let shown = |state: &str| {
        let exploration =
            Exploration::new(&url, vec![looks(&["SELECT name FROM people ORDER BY id LIMIT 1"]), finishes()]);
        let ran = exploration.with(&["--privacy", "masked"]).variable("EXPLORE_DATA_DIR", state).run();
        let ran = ran.ends_with(0, "finished");
        (token(&ran.answers(2)[0], 1, 1), ran)
    };
    let ((first, ran), (second, _)) = (shown(&state), shown(&state));
    assert_eq!(first, second);
    assert!(!ran.stderr.contains("tokens of this run differ"), "{}", ran.stderr);
    let journal = std::fs::read_dir(ran.program.path("runs")).unwrap().next().unwrap().unwrap().path();
    let mode = std::fs::metadata(journal.join("journal.jsonl")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    let (other, ran) = shown("/dev/null/nowhere");
    assert_ne!(first, other);
    assert!(ran.stderr.contains("the tokens of this run differ from those of others"), "{}", ran.stderr);
}

#[test]
fn what_people_mark_and_write_is_heeded() {
    let marks = r#"{"columns": {"town": {"pii": "address"}, "remarks": {"safe": true}, "name": {"pii": false}}}"#;
    let url = database("runs_privacy_marks", PEOPLE);
    let script = vec![
        looks(&["SELECT id, town, name, left(remarks, 11) AS begins FROM people ORDER BY id LIMIT 1"]),
        finishes(),
    ];
    let exploration = Exploration::new(&url, script).with(&["--privacy", "masked", "--metadata", "m"]);
    std::fs::create_dir(exploration.program.path("m")).unwrap();
    std::fs::write(exploration.program.path("m/people.json"), marks).unwrap();
    let context = "Ask zq0@plantedmail.example or +49 30 9912345 about 078-05-1120.";
    std::fs::write(exploration.program.path("m/business_context.md"), context).unwrap();
    let home = exploration.program.path("state").display().to_string();
    let ran = exploration.variable("EXPLORE_DATA_DIR", &home).run().ends_with(0, "finished");
    let answer = &ran.answers(2)[0];
    assert!(answer.contains("1 | 1 | address_") && answer.contains("| Zorvath Quillon1 | Plantednote"), "{answer}");
    let first = ran.request(1);
    assert!(first.contains("Ask mail_") && !first.contains("plantedmail") && !first.contains("078-05"), "{first}");
}

#[test]
fn doctor_tells_what_is_taken_for_personal_data() {
    let url = database("runs_privacy_doctor", PEOPLE);
    let exploration = Exploration::new(&url, vec![]);
    let outcome = exploration.program.run(&["doctor", "--offline", "--privacy", "masked"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let told = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("with --privacy aggregate nothing of them leaves"), "{told}");
    assert!(told.contains("people: name (person?), contact (mail?), phone (phone?), street (address?), ssn"), "{told}");
}
