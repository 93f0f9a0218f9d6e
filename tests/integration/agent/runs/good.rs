//! Runs in which the model plays well.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{APIS, CUSTOMERS, Exploration, Ran, SAMPLE, finding, finishes, looks, records};
use crate::support::program::Program;
use crate::support::scripted_server::{ScriptedServer, Turn, calls};

const MONTHS: &str = "SELECT date_trunc('month', billing_date)::date AS month, sum(net_sales_value_2) AS net_sales \
    FROM primary_sales GROUP BY month ORDER BY month";
const REGIONS: &str =
    "SELECT region, count(DISTINCT customer_code) AS customers FROM primary_sales GROUP BY region ORDER BY region";

fn script() -> Vec<Turn> {
    let query = |sql: &str, question: &str| ("execute_sql", json!({ "sql": sql, "question": question }));
    vec![
        calls([query(CUSTOMERS, "who went silent?"), query(MONTHS, "how does it run?"), query(REGIONS, "where?")])
            .saying("The frame first."),
        calls([
            ("describe_table", json!({ "table": "primary_sales" })),
            ("find_values", json!({ "text": "ghi service" })),
        ]),
        records(finding(&json!({}))),
        finishes(),
    ]
}

#[test]
fn what_the_model_sees_first_and_after_its_calls() {
    for api in APIS {
        let ran = Exploration::new(&SAMPLE, script()).with(&["--api", api]).run().ends_with(0, "finished");
        let requests = ran.model.requests();
        assert_eq!(
            requests[0].tool_names(),
            [
                "execute_sql",
                "describe_table",
                "find_values",
                "profile",
                "compare",
                "trend",
                "change",
                "relate",
                "silent",
                "backlog",
                "concentration",
                "retention",
                "funnel",
                "season",
                "state",
                "assume",
                "record_finding",
                "finish"
            ]
        );
        let conversation = requests[2].body.get("messages").or(requests[2].body.get("input")).unwrap();
        let seen = conversation.as_array().unwrap().iter().map(said).collect::<String>();
        assert!(system(&requests[0].body).starts_with("You are a senior analyst"));
        insta::assert_snapshot!("what_the_model_sees", seen);
        for pair in requests.windows(2) {
            let all = |body: &Value| body.get("messages").or(body.get("input")).unwrap().as_array().unwrap().clone();
            let (before, after) = (all(&pair[0].body), all(&pair[1].body));
            assert_eq!(after[..before.len()], before, "what was sent stays, so that caches hit");
        }
    }
}

/// A message of either API in words.
fn said(message: &Value) -> String {
    let mut text = String::new();
    let content = match &message["content"] {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        content => content.as_str().unwrap_or_default().to_owned(),
    };
    let content = message["output"].as_str().map_or(content, str::to_owned);
    let is_answer = message["role"] == "tool" || message["type"] == "function_call_output";
    let who = if is_answer { "answer" } else { message["role"].as_str().unwrap_or("assistant") };
    // Only Chat Completions has the briefing among the messages.
    if !content.is_empty() && who != "system" {
        writeln!(text, "=== {who}\n{content}").unwrap();
    }
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| &call["function"]);
    for call in calls.chain((message["type"] == "function_call").then_some(message)) {
        writeln!(text, "=== call of {}\n{}", call["name"].as_str().unwrap(), call["arguments"].as_str().unwrap())
            .unwrap();
    }
    text
}

fn system(body: &Value) -> String {
    let chat = body["messages"][0]["content"].as_str();
    chat.or(body["instructions"].as_str()).or(body["input"][0]["content"].as_str()).unwrap().to_owned()
}

#[test]
fn a_finding_comes_with_its_evidence_the_same_over_both_apis() {
    let reports = APIS.map(|api| {
        let ran = Exploration::new(&SAMPLE, script()).with(&["--api", api]).run().ends_with(0, "finished");
        // The scripted server says that it read 100 tokens, whatever it was sent.
        assert!(ran.stderr.starts_with("warning: the model's server says that it read 100 tokens"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        timeless(ran.report())
    });
    assert_eq!(reports[0], reports[1]);
    insta::assert_json_snapshot!("report_of_a_good_run", reports[0]);
}

/// What rests on an assumption is an estimate: the report names the number as the model's, and its figures verify.
#[test]
fn what_rests_on_an_assumption_is_an_estimate() {
    let regions = "SELECT region, count(DISTINCT customer_code) AS customers FROM primary_sales GROUP BY region";
    let script = vec![
        calls([("execute_sql", json!({ "sql": regions, "question": "where?" }))]),
        calls([
            (
                "state",
                json!({ "claims": ["q1[North].customers * a1", "q1[North].customers + a1", "a1", "gap(q1[North].customers * a2, rest)"] }),
            ),
            (
                "assume",
                json!({ "name": "cost of a visit", "value": "1200.5", "unit": "INR", "why": "the sales manual" }),
            ),
            ("assume", json!({ "name": "", "value": -3 })),
        ]),
        calls([("record_finding", json!({ "facts": ["q1[North].customers * a1", "q1[North].customers"] }))]),
        finishes(),
    ];
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    let requests = ran.model.requests();
    let answers = requests[2].tool_outputs().join("\n");
    for part in [
        "times 1200.5 INR (cost of a visit, assumed) with region 'North' is 2,401. [doubts: assumed]",
        "refused: q1[North].customers + a1: a1 is assumed: a number of the data is multiplied or divided by it, no more",
        "refused: a1: a1 is assumed and no number of the data",
        "there is no assumption a2",
        "a1 = 1200.5 INR: cost of a visit",
        "refused: an assumption needs a name",
    ] {
        assert!(answers.contains(part), "{part} is not in\n{answers}");
    }
    let report = ran.report();
    let lead = &report["findings"][0]["facts"][0];
    assert_eq!(
        (&lead["assumes"][0]["value"], &lead["assumes"][0]["why"]),
        (&json!("1200.5"), &json!("the sales manual"))
    );
    assert!(lead["doubts"][0]["sentence"].as_str().unwrap().contains("\"cost of a visit\") is assumed by the model"));
    assert_ne!(report["findings"][0]["confidence"], "high");
}

/// `examples/verify.py` recomputes the figures of a report from the report alone.
#[test]
fn another_program_can_verify_the_report() {
    let ran = Exploration::new(&SAMPLE, script()).run().ends_with(0, "finished");
    let folder = tempfile::tempdir().unwrap();
    let verify = |report: &Value| {
        let path = folder.path().join("report.json");
        std::fs::write(&path, report.to_string()).unwrap();
        let output = std::process::Command::new("python3").arg("examples/verify.py").arg(&path).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let report = ran.report();
    let (code, said) = verify(&report);
    assert!(code == Some(0) && said.contains("facts, 0 problems"), "{said}");
    let mut falsified = report.clone();
    falsified["findings"][0]["facts"][0]["values"][0]["value"] = "114001".into();
    assert_eq!(verify(&falsified).0, Some(1));
    let mut falsified = report;
    falsified["findings"][0]["evidence"][0]["rows"][0]["cells"][6] = "115000.00".into();
    assert_eq!(verify(&falsified).0, Some(1));
}

#[test]
fn two_facts_are_told_in_one_sentence_by_a_hinge_that_holds() {
    let facts =
        |hinge: &str| vec![json!(format!("q3[#1].customers {hinge} q3[#2].customers")), json!("q3[#3].customers")];
    let run = |hinge: &str| {
        let mut script = script();
        script[2] = records(finding(&json!({ "facts": facts(hinge), "reading": null })));
        Exploration::new(&SAMPLE, script).run().ends_with(0, "finished")
    };
    let ran = run("while");
    let report = ran.report();
    let recorded = &report["findings"][0];
    let joint = recorded["joints"][0]["sentence"].as_str().unwrap();
    assert!(
        joint.starts_with("The count of distinct customer_code") && joint.contains(", while the count of"),
        "{joint}"
    );
    assert_eq!(recorded["facts"].as_array().unwrap().len(), 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, report.to_string()).unwrap();
    let output = std::process::Command::new("python3").arg("examples/verify.py").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let refused = run("although");
    let answers = refused.model.requests().last().unwrap().body.to_string();
    assert!(answers.contains("although is for facts that point in opposite directions"), "{answers}");
    assert_eq!(refused.report()["findings"][0].get("joints"), None);
    assert_eq!(refused.report()["findings"][0]["facts"].as_array().unwrap().len(), 3);
}

fn timeless(mut report: Value) -> Value {
    for field in ["run_id", "started_at", "journal", "version"] {
        report[field] = "…".into();
    }
    report["database"]["version"] = "…".into();
    report["usage"]["elapsed_milliseconds"] = 0.into();
    report
}

#[test]
fn each_thing_that_happens_has_its_line_in_the_journal() {
    let mut script = script();
    script.insert(1, looks("SELECT nonsense FROM primary_sales"));
    script.insert(2, records(finding(&json!({ "facts": ["q1[CUST999].net_sales"] }))));
    let ran = Exploration::new(&SAMPLE, script).run().ends_with(0, "finished");
    let names = ran.journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].to_string());
    let mut names = names.map(|name| name.trim_matches('"').to_owned()).collect::<Vec<_>>();
    // How many facts a result offers is not looked at here.
    names.dedup();
    let is_stated = |name: &String| matches!(name.as_str(), "companion_ran" | "stated");
    assert!(names.iter().any(is_stated));
    names.retain(|name| !is_stated(name));
    names.dedup();
    let names = names.join(" ");
    assert_eq!(
        names,
        "started recalled briefed asked sent warned replied query_started queried asked sent replied query_started query_failed asked \
         sent replied claim_refused finding_refused asked sent replied query_started queried asked sent replied recorded \
         asked sent replied checked stopped"
    );
    let configuration = &ran.events("started")[0]["configuration"];
    assert!(configuration.to_string().contains("postgres://runs_reader:***@"), "{configuration:#}");
    assert_eq!(ran.events("recorded")[0]["impact"]["values"][0]["text"], "38,000");
    assert_eq!(ran.report()["findings_refused"], 1);
    assert_eq!(ran.report()["queries_failed"], 1);
}

#[test]
fn the_model_can_explore_the_demo_too() {
    let model = ScriptedServer::start(script());
    let cache = std::env::var("HOME").unwrap();
    let program = Program::new().variable("OPENAI_API_KEY", super::KEY).variable("HOME", &cache);
    let arguments = ["--demo", "--model", "gpt-5.2", "--format", "json", "--base-url", &model.base_url()];
    let outcome = program.run(&arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let report = serde_json::from_str::<Value>(&outcome.stdout).unwrap();
    assert_eq!(report["findings"][0]["impact"]["values"][0]["text"], "38,000", "{report:#}");
    assert_eq!(report["database"]["engine"], "embedded PostgreSQL");
    assert_eq!(report["as_of"], "2025-11-30");
}

#[test]
fn fail_on_tells_by_the_exit_code_what_was_found() {
    let run = |severity| Exploration::new(&SAMPLE, script()).with(&["--fail-on", severity]).run();
    run("high").ends_with(10, "finished");
    let ran: Ran = run("critical");
    ran.ends_with(0, "finished");
}
