//! Runs in which the model makes mistakes: it is told in a line, and goes on.

use std::iter;

use serde_json::{Value, json};

use super::{APIS, CUSTOMERS, Exploration, SAMPLE, finding, finishes, looks, no_answers, records};
use crate::support::scripted_server::{Turn, calls, calls_badly, says};

/// Turns, and what the model is told of each.
fn misplays() -> Vec<(Turn, &'static [&'static str])> {
    let call = |name: &'static str, arguments: Value| calls([(name, arguments)]);
    vec![
        (looks("DROP TABLE primary_sales"), &["SELECT"]),
        (looks("SELECT pg_sleep(5)"), &["pg_sleep"]),
        (looks("SELECT amount FROM primary_sales"), &["database:", "amount", "42703"]),
        (looks("SELECT 1/0 AS x"), &["database:", "division by zero"]),
        (looks("SELECT * FROM primary_sale"), &["primary_sale"]),
        (
            calls_badly("execute_sql", "{\"sql\": \"SELE"),
            &["arguments: execute_sql", "cut off", "fields: sql, question"],
        ),
        (calls_badly("execute_sql", "SELECT 1"), &["arguments: execute_sql", "takes a JSON object"]),
        (call("execute_sql", json!({ "statement": "SELECT 1" })), &["missing field `sql`"]),
        (call("state", json!({ "claims": ["gaap(q1[CUST004].orders, rest)"] })), &["refused", "did you mean `gap`"]),
        (call("state", json!({ "claims": "rank(q9.x)" })), &["there is no result q9", "q1"]),
        (call("run_python", json!({ "code": "1" })), &["no tool called \"run_python\"", "execute_sql"]),
        (call("describe_table", json!({ "table": "primary_sale" })), &["did you mean", "primary_sales"]),
        (call("describe_table", json!({ "table": "x" })), &["there is no table \"x\""]),
        (call("find_values", json!({ "text": " " })), &["`text` is empty"]),
        (says(""), &["was empty", "record_finding"]),
        (says("  ").cut_off(), &["cut off", "Be brief"]),
        (says("CUST004 has churned, 114,000 lost."), &["Nothing of this is recorded"]),
        (says(&finding(&json!({})).to_string()), &["JSON alone is not a call"]),
        (records(json!({ "title": "CUST004" })), &["arguments: record_finding", "missing field", "facts"]),
    ]
}

#[test]
fn what_is_wrong_with_a_turn_is_told_in_one_line() {
    for api in APIS {
        let (turns, expected) = misplays().into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let script = iter::once(looks(CUSTOMERS)).chain(turns).chain([finishes()]).collect::<Vec<_>>();
        let ran = Exploration::new(&SAMPLE, script).with(&["--api", api, "--max-iterations", "100"]).run();
        let ran = ran.ends_with(0, "finished");
        for (asked, expected) in ran.events("asked").iter().skip(2).zip(expected) {
            let told = asked["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap());
            let told = told.collect::<Vec<_>>().join("\n");
            assert_eq!(told.lines().count(), 1, "{told}");
            for words in expected {
                assert!(told.contains(words), "{told}\nshould tell: {words}");
            }
        }
    }
}

/// A result that has nothing, or zeros only, because of how it was asked for says so.
#[test]
fn a_result_of_zeros_says_why() {
    let script = [
        looks("SELECT count(*) AS returns FROM primary_sales WHERE billing_code = 'sa'"),
        looks("SELECT count(*) FILTER (WHERE billing_code = 'RE') / count(*) AS rate FROM primary_sales"),
        looks("SELECT region, count(*) AS n FROM primary_sales WHERE region = 'north' GROUP BY region"),
        looks("SELECT count(*) AS n FROM primary_sales WHERE region = 'Atlantis'"),
        finishes(),
    ];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    let outputs = ran.model.requests().last().unwrap().tool_outputs().join("\n");
    for note in [
        "[note] returns: No row is known whose billing_code is 'sa'; there is 'SA'.",
        "[note] rate is 0 everywhere because whole numbers are divided by whole numbers; write 1.0 * a / b",
        "[note] n: No row is known whose region is 'north'; there is 'North'.",
    ] {
        assert!(outputs.contains(note), "{note} is not in\n{outputs}");
    }
    assert_eq!(outputs.matches("[note]").count(), 3, "{outputs}");
}

#[test]
fn a_finding_written_as_text_is_recorded_once_it_is_called() {
    let script = [looks(CUSTOMERS), says(&finding(&json!({})).to_string()), records(finding(&json!({}))), finishes()];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    assert_eq!(ran.report()["findings"][0]["impact"]["values"][0]["text"], "38,000");
}

#[test]
fn arguments_in_a_fence_or_in_a_string_are_understood() {
    let fenced = |text: String| calls_badly("record_finding", &text);
    for arguments in [
        format!("```json\n{}\n```", finding(&json!({}))),
        serde_json::to_string(&finding(&json!({})).to_string()).unwrap(),
    ] {
        let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), fenced(arguments), finishes()]).run();
        assert_eq!(ran.ends_with(0, "finished").report()["findings"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn an_identical_query_is_answered_from_the_runs_own_results() {
    let again = format!("  {};", CUSTOMERS.replace("SELECT", "select"));
    let script = [looks(CUSTOMERS), looks(&again), looks("q1"), looks(" Q1 "), finishes()];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    let answers = ran.answers(5);
    assert!(answers[3].contains("\nfacts that you can record:\nf1 "), "{}", answers[3]);
    let (first, rows) = answers[3].split_once('\n').unwrap();
    assert_eq!(first, "q1");
    assert!(rows.contains("CUST004 | GHI Service Center | North | 9 | 2025-08-01 | 119 | 342000.00"), "{rows}");
    assert_eq!(answers[2], format!("q1 (the same query ran before; this is its result)\n{rows}"));
    assert_eq!(answers[1], answers[3]);
    assert_eq!(answers[0], answers[3]);
    assert_eq!(ran.report()["usage"]["queries"], 1);
}

#[test]
fn an_identical_query_of_the_same_turn_is_sent_once() {
    let query = || ("execute_sql", json!({ "sql": CUSTOMERS, "question": "?" }));
    let ran = Exploration::new(&SAMPLE, [calls([query(), query()]), finishes()]).run().ends_with(0, "finished");
    assert!(ran.answers(2)[0].contains("q1"), "{:?}", ran.answers(2));
    assert_eq!(ran.report()["usage"]["queries"], 1);
}

#[test]
fn a_refused_finding_names_the_nearest_row_and_can_be_repaired() {
    let wrong = finding(&json!({ "facts": ["q1[CUST999].net_sales"] }));
    let script = [looks(CUSTOMERS), records(wrong), records(finding(&json!({}))), finishes()];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    let refusal = &ran.answers(3)[0];
    for words in ["refused, not recorded", "q1[CUST999].net_sales", "did you mean q1[CUST"] {
        assert!(refusal.contains(words), "{refusal}");
    }
    assert!(
        ran.answers(4)[0].starts_with("recorded as F1; it reads:\n\u{25c6} The sum of net_sales_value_2"),
        "{:?}",
        ran.answers(4)
    );
    assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
    assert_eq!(ran.events("finding_refused").len(), 1);
}

#[test]
fn a_finding_that_replaces_another_takes_its_place() {
    let better = finding(&json!({ "severity": "critical", "replaces": "f1" }));
    let script = [looks(CUSTOMERS), records(finding(&json!({}))), records(better), finishes()];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    assert!(ran.answers(4)[0].starts_with("recorded as F1"), "{:?}", ran.answers(4));
    let report = ran.report();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!((&report["findings"][0]["severity"], &report["usage"]["findings"]), (&json!("critical"), &json!(1)));
}

#[test]
fn an_answer_that_names_a_finding_gives_its_facts() {
    let answer = |facts: &str| {
        let mut answers = no_answers();
        answers[0] = json!({ "question": 1, "facts": [facts] });
        calls([("finish", json!({ "answers": answers }))])
    };
    let other = finding(&json!({ "facts": ["q1[CUST005].net_sales"] }));
    let script = |facts| [looks(CUSTOMERS), records(finding(&json!({}))), records(other.clone()), answer(facts)];
    for facts in ["F2", "q1[CUST005].net_sales"] {
        let ran = Exploration::new(&SAMPLE, script(facts)).run().ends_with(0, "finished");
        let report = ran.report();
        assert_eq!(report["answers"][0]["facts"], report["findings"][1]["facts"], "{facts}");
    }
}

#[test]
fn finishing_with_a_refused_finding_is_put_off_until_it_is_repaired() {
    let wrong = finding(&json!({ "facts": ["q1[CUST999].net_sales"] }));
    let both = calls([("record_finding", wrong), ("finish", json!({}))]);
    let script = [looks(CUSTOMERS), both, records(finding(&json!({}))), finishes()];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    assert!(ran.answers(3)[0].starts_with("not finished: a finding of this turn was refused"), "{:?}", ran.answers(3));
    assert_eq!(ran.report()["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn finishing_without_a_look_is_put_off_once() {
    let ran = Exploration::new(&SAMPLE, [finishes(), finishes()]).run().ends_with(0, "finished");
    assert!(ran.answers(2)[0].starts_with("not finished: no query has given a result"));
}

#[test]
fn finishing_without_answers_is_put_off_once() {
    let answers = json!([{ "question": 2, "facts": ["f1"] }, { "question": 3, "not_answerable": " " }]);
    let finish = || calls([("finish", json!({ "answers": answers }))]);
    let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), finish(), finish()]).run().ends_with(0, "finished");
    let told = &ran.answers(3)[0];
    assert!(told.contains("no fact answers question 1, 3: give its facts"), "{told}");
    let report = ran.report();
    assert_eq!((&report["answers"][1]["facts"][0]["id"], &report["answers"][0]["facts"]), (&json!("f1"), &json!([])));
}

#[test]
fn figures_among_what_was_looked_at_are_never_reported() {
    let numbers = || calls([("finish", json!({ "looked_at": ["North lost 42%", "plants"], "answers": no_answers() }))]);
    let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), numbers()]).run().ends_with(0, "finished");
    assert_eq!(ran.report()["looked_at"], json!(["plants"]));
}

#[test]
fn more_calls_than_a_turn_may_have_are_put_off() {
    let query = |number: usize| ("execute_sql", json!({ "sql": format!("SELECT {number} AS n"), "question": "" }));
    let ran = Exploration::new(&SAMPLE, [calls((0..40).map(query)), finishes()]).run().ends_with(0, "finished");
    assert_eq!(ran.report()["usage"]["queries"], 16);
    assert!(ran.answers(2)[0].contains("only 16 calls"));
    assert_eq!(ran.answers(2).len(), 40);
}
