//! The analyst of a monitor's day: what a model may say, what is sent back, and what is left where nothing checks.

use std::sync::Arc;

use explore::agent::Budget;
use explore::agent::prompt::Library;
use explore::agent::tools::Toolbox;
use explore::model::openai::{Client, Options};
use explore::monitor::commentary::{Analysis, BUDGET, Player, analyse, offline};
use explore::monitor::message::alert;
use explore::monitor::report::render;
use explore::typeset::format::Format;
use explore::typeset::layout::Layout;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::table::Bounds;
use serde_json::{Value, json};

use crate::exploration::analyst::driver::{LIMITS, Seen};
use crate::support::sample_day::{HOSTILE, Sample};
use crate::support::scripted_server::{ScriptedServer, Turn, calls, refuses, says};
use crate::support::server;

const FUNNEL: &str = "CREATE TABLE funnel_hourly (hour int, channel text, requests int); \
    INSERT INTO funnel_hourly VALUES (8, 'paid', 40), (9, 'paid', 0), (10, 'paid', 0)";

async fn toolbox(name: &str) -> Toolbox {
    let database = Arc::new(server::connect(&server::fresh(name, FUNNEL).await).await);
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, introspected) = Executor::open(database, rules, LIMITS).await.unwrap();
    Toolbox { executor, catalog: Arc::new(introspected.catalog), bounds: Bounds::default(), plans: false }
}

/// What came of a script, what was refused, and the server that played it.
async fn analysed(name: &str, script: Vec<Turn>) -> (Analysis, Seen, ScriptedServer) {
    let server = ScriptedServer::start(script);
    let model = Client::new(Options { retries_max: 0, ..Options::new(server.base_url(), "a-model") }).unwrap();
    let toolbox = toolbox(name).await;
    let library = Library::default();
    let budget = Budget { iterations_max: 5, ..BUDGET };
    let player = Player { model: &model, toolbox: &toolbox, library: &library, price: None, budget };
    let sample = Sample::new();
    let mut seen = Seen::default();
    let case = sample.reported().case();
    let analysis = analyse(case, player, std::future::pending(), &mut seen).await.unwrap();
    assert_eq!(analysis.synthesis, offline(case).synthesis, "the engine's words are there, whatever a model says");
    (analysis, seen, server)
}

/// A finding on the requests, with some of its fields changed.
fn finding(changes: &Value) -> Turn {
    let mut finding = json!({
        "evidence": [{ "query": "e1", "rows": [2] }, { "query": "e3", "rows": [1] }],
        "figures": [{ "name": "off", "expression": "e1[2].change_from_expected_pct" }],
        "title": "Requests fell {off} below what was expected, nearly all of it in paid",
        "severity": "critical",
        "category": "decline",
        "segment": "channel = paid",
        "period": "2026-11-20",
        "narrative": "Requests were 1,015 against 1,630 expected. In channel = paid there were 120 against 690. The \
                      likeliest explanation is that the paid campaigns stopped.",
        "impact": { "metric": "requests missing", "amount": "e2[1].difference", "unit": "requests" },
        "confidence": "medium",
        "recommended_actions": [{
            "action": "look into the advertising account", "why": "to see whether the budget ran out",
            "who": "performance marketing", "by_when": "within the hour",
        }],
        "falsified_by": "clicks that are billed as usual",
    });
    for (key, value) in changes.as_object().unwrap() {
        finding[key] = value.clone();
    }
    calls([("record_finding", finding)])
}

fn finishes() -> Turn {
    calls([("finish", json!({}))])
}

#[tokio::test]
async fn a_model_explains_with_figures_of_the_engine() {
    let (analysis, seen, server) = analysed("analyst_good", vec![finding(&json!({})), finishes()]).await;
    assert_eq!(seen.refusals, Vec::<String>::new());
    assert_eq!((analysis.author.as_str(), analysis.remark.as_deref()), ("a-model", None));
    assert!(analysis.findings[0].title.contains("37.7%"), "{}", analysis.findings[0].title);
    assert_eq!(analysis.findings[0].impact.amount_text, "-615");
    let first = server.bodies()[0].to_string();
    for expected in ["e1: every metric of the whole", "e3: the segments", "channel = paid", "funnel_hourly"] {
        assert!(first.contains(expected), "{first}");
    }
}

#[tokio::test]
async fn a_model_may_look_further_and_cite_what_it_found() {
    let query = json!({ "sql": "SELECT 'Requests' AS metric, channel, sum(requests) AS requests FROM funnel_hourly WHERE hour >= 9 \
                                GROUP BY channel", "question": "since when?" });
    let narrative = "Requests of channel paid were 0 from then on.";
    let evidence = json!([{ "query": "e1", "rows": [2] }, { "query": "q1", "rows": [1] }]);
    let found = finding(&json!({ "narrative": narrative, "evidence": evidence, "segment": "paid" }));
    let script = vec![calls([("execute_sql", query)]), found, finishes()];
    let (analysis, seen, _) = analysed("analyst_looks", script).await;
    assert_eq!(seen.refusals, Vec::<String>::new());
    let sample = Sample::new();
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    let text = render(&[reported], Format::Terminal, Layout { width: 110, colours: false }).unwrap();
    for expected in
        ["Analysis by a-model", "e1, row 2: every metric", "q1, row 1: since when? SELECT", "those in actions"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn a_models_words_are_as_hostile_as_the_datas() {
    let found = finding(&json!({ "falsified_by": HOSTILE.replace("{{ 7 * 7 }}", "") }));
    let (analysis, seen, _) = analysed("analyst_hostile", vec![found, finishes()]).await;
    assert_eq!(seen.refusals, Vec::<String>::new());
    let sample = Sample::new();
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = render(&[reported], format, Layout::default()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(format == Format::Terminal || !text.contains("<script"), "{text}");
    }
    let message = alert(reported, &sample.day.incidents[0]).unwrap();
    assert!(!message.html.contains("<script") && !message.blocks.to_string().contains(['<', '>']), "{message:?}");
}

#[tokio::test]
async fn an_invented_figure_is_sent_back_with_the_nearest_and_can_be_repaired() {
    let invented = finding(&json!({ "narrative": "Requests were 1,315 against 1,630 expected." }));
    let (analysis, seen, server) = analysed("analyst_repairs", vec![invented, finding(&json!({})), finishes()]).await;
    assert_eq!(analysis.findings.len(), 1);
    assert!(seen.refusals[0].contains("1,315"), "{:?}", seen.refusals);
    let told = server.requests()[1].tool_outputs().join("\n");
    assert!(told.contains("refused, not recorded") && told.contains("1,315"), "{told}");
}

#[tokio::test]
async fn where_nothing_checks_the_engines_text_stands_alone() {
    let invented = || finding(&json!({ "title": "Requests fell by 99%" }));
    let script = (0..5).map(|_| invented()).chain([finishes()]).collect();
    let (analysis, seen, _) = analysed("analyst_invents", script).await;
    assert_eq!((analysis.author.as_str(), analysis.findings.len()), ("offline analyst", 0));
    assert_eq!(seen.refusals.len(), 6.min(seen.refusals.len()), "{:?}", seen.refusals);
    assert!(analysis.remark.unwrap().contains("this text is the engine's"));
}

#[tokio::test]
async fn nonsense_and_errors_leave_the_engines_text_and_say_why() {
    for (name, script, expected) in [
        ("analyst_talks", (0..9).map(|_| says("Revenue is down 99%.")).collect::<Vec<_>>(), "called no tool"),
        ("analyst_silent", vec![finishes()], "recorded nothing whose figures check"),
        ("analyst_refused", vec![refuses(401, "invalid_api_key", "no such key")], "model_failed"),
    ] {
        let (analysis, _, _) = analysed(name, script).await;
        assert_eq!((analysis.author.as_str(), analysis.findings.len()), ("offline analyst", 0));
        let remark = analysis.remark.unwrap();
        assert!(remark.contains(expected), "{remark}");
        assert!(!analysis.synthesis.join(" ").contains("99%"));
    }
}

#[tokio::test]
async fn on_a_quiet_day_nobody_is_asked() {
    let server = ScriptedServer::start([]);
    let model = Client::new(Options::new(server.base_url(), "a-model")).unwrap();
    let toolbox = toolbox("analyst_quiet").await;
    let library = Library::default();
    let player = Player { model: &model, toolbox: &toolbox, library: &library, price: None, budget: BUDGET };
    let mut sample = Sample::new();
    sample.day.incidents.clear();
    let case = sample.reported().case();
    let analysis = analyse(case, player, std::future::pending(), &mut Seen::default()).await.unwrap();
    assert_eq!(analysis.synthesis, ["Nothing is out of the ordinary that makes an incident."]);
    assert_eq!(server.requests().len(), 0);
}
