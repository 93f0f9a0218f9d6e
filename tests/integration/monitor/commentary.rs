//! The analyst of a monitor's day: which facts a model may choose, what is refused, and what is left where it records
//! nothing.

use std::io;
use std::sync::Arc;

use explore::agent::journal::Event;
use explore::agent::prompt::Library;
use explore::agent::tools::Toolbox;
use explore::agent::{Budget, Observer};
use explore::finding::Confidence;
use explore::finding::fact::{Fact, Form};
use explore::model::openai::{Client, Options};
use explore::monitor::commentary::{Analysis, BUDGET, Case, Player, analyse, offline};
use explore::monitor::day::{IncidentKind, Silent};
use explore::monitor::message::{alert, digest};
use explore::monitor::report::{json as document, render};
use explore::typeset::format::Format;
use explore::typeset::layout::Layout;
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::table::Bounds;
use serde_json::{Value, json};

use super::message::assert_harmless;
use crate::exploration::analyst::driver::LIMITS;
use crate::support::sample_day::{HOSTILE, Sample, segment};
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

/// The monitor's statement.
const SELECT: &str = "SELECT day, channel, requests FROM funnel";

/// What an observer saw.
#[derive(Default)]
struct Seen {
    stated: Vec<Fact>,
    /// Why claims and findings were refused.
    refusals: Vec<String>,
}

impl Observer for Seen {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Stated(fact) => self.stated.push(*fact),
            Event::ClaimRefused { reason, .. } => self.refusals.push(reason),
            Event::FindingRefused { problems, .. } => self.refusals.push(problems.join("; ")),
            _ => {}
        }
        Ok(())
    }
}

/// The sample, with what the engine found of the segment of its second incident.
fn sample() -> Sample {
    let mut sample = Sample::new();
    let segment = sample.day.incidents[1].segments[0].segment.clone();
    let mut judgement = sample.day.judgements.last().unwrap().clone();
    (judgement.metric, judgement.segment, judgement.actual) = ("contacts".to_owned(), segment, Some(40.0));
    let forecast = judgement.forecast.as_mut().unwrap();
    (forecast.value, forecast.lower, forecast.upper) = (95.0, 75.0, 115.0);
    sample.day.judgements.push(judgement);
    sample
}

/// What came of a script on the sample's day, what was seen, and the server that played it.
async fn analysed(name: &str, script: Vec<Turn>) -> (Analysis, Seen, ScriptedServer) {
    analysed_of(&sample(), name, script).await
}

async fn analysed_of(sample: &Sample, name: &str, script: Vec<Turn>) -> (Analysis, Seen, ScriptedServer) {
    let server = ScriptedServer::start(script);
    let model = Client::new(Options { retries_max: 0, ..Options::new(server.base_url(), "a-model") }).unwrap();
    let toolbox = toolbox(name).await;
    let library = Library::default();
    let budget = Budget { iterations_max: 5, ..BUDGET };
    let player = Player { model: &model, toolbox: &toolbox, library: &library, price: None, budget };
    let mut monitor = sample.monitor.clone();
    SELECT.clone_into(&mut monitor.sql);
    let mut seen = Seen::default();
    let case = Case { monitor: &monitor, ..sample.reported().case() };
    let analysis = analyse(case, player, std::future::pending(), &mut seen).await.unwrap();
    assert_eq!(analysis.synthesis, offline(case).synthesis, "the engine's words are there, whatever a model says");
    (analysis, seen, server)
}

/// A turn that records a finding.
fn finding(proposal: Value) -> Turn {
    calls([("record_finding", proposal)])
}

/// A finding on the requests, of facts that the engine stated.
fn on_requests() -> Value {
    json!({
        "facts": ["f1", "f2"],
        "severity": "critical",
        "reading": "The likeliest explanation is that the paid campaigns stopped: {f2}. Clicks that are billed as usual \
                    would prove it wrong.",
        "actions": ["Performance marketing: look into the advertising account within the hour, in case the budget ran out"],
    })
}

fn finishes() -> Turn {
    calls([("finish", json!({}))])
}

/// What the model was told by its tools after each of its turns.
fn answers(server: &ScriptedServer) -> Vec<String> {
    server.requests().iter().skip(1).map(|request| request.tool_outputs().join("\n")).collect()
}

fn sentences(analysis: &Analysis) -> Vec<&str> {
    analysis.findings.iter().flat_map(|found| &found.finding.facts).map(|fact| fact.sentence.as_str()).collect()
}

const REQUESTS: &str =
    "Requests: 1,015 measured on 2026-11-20, 37.7% below the expected 1,630 (usually 1,470 to 1,790).";
const PAID: &str = "92.7% of the difference of Requests from what was expected on 2026-11-20 lies in channel 'paid': 120 \
                    measured, 690 expected.";

#[tokio::test]
async fn a_model_chooses_facts_of_the_engine_and_says_what_it_makes_of_them() {
    let (analysis, seen, server) = analysed("analyst_good", vec![finding(on_requests()), finishes()]).await;
    assert_eq!((analysis.author.as_str(), analysis.remark.as_deref()), ("a-model", None));
    assert_eq!(sentences(&analysis), [REQUESTS, PAID]);
    let found = &analysis.findings[0].finding;
    let reading = found.reading.as_deref().unwrap();
    let phrase = "the part with channel 'paid' of the difference of Requests on 2026-11-20 (92.7%)";
    assert!(reading.contains(phrase) && !reading.contains("{f2}"), "{reading}");
    assert_eq!((found.actions.len(), found.confidence), (1, Confidence::High));
    let first = server.bodies()[0].to_string();
    for expected in [&format!("f1 {REQUESTS}"), &format!("f2 {PAID}"), "Every metric of the whole", "funnel_hourly"] {
        assert!(first.contains(expected), "{expected}: {first}");
    }
    let stated = seen.stated.iter().map(|fact| (fact.id.as_str(), fact.sentence.as_str())).collect::<Vec<_>>();
    let revenue =
        "Revenue: 61,241 EUR measured on 2026-11-20, 38% below the expected 98,720 EUR (usually 89,420 to 108,020).";
    assert_eq!(stated[..2], [("f1", REQUESTS), ("f2", PAID)], "they are in the journal");
    assert_eq!((stated[4], stated.len()), (("f5", revenue), 7), "so are those of the metrics that broke with it");
}

#[tokio::test]
async fn a_fact_of_a_day_says_what_was_measured_of_what_by_which_statement() {
    let (_, seen, _) = analysed("analyst_facts", vec![finishes()]).await;
    let fact = &seen.stated[1];
    let named = |name: &str| fact.values.iter().find(|value| value.name == name).map(|value| value.text.as_str());
    let values = ["value", "expected", "share"].map(|name| named(name).unwrap());
    assert_eq!(values, ["120", "690", "92.7%"]);
    assert_eq!(
        (fact.form, fact.subject.as_slice()),
        (Form::Expected, &["Requests".to_owned(), "channel 'paid'".to_owned()][..])
    );
    assert_eq!(fact.period.as_deref(), Some("2026-11-20"));
    assert_eq!((fact.definitions[0].sql.as_str(), fact.definitions[0].hash.len()), (SELECT, 16));
}

#[tokio::test]
async fn a_model_may_look_further_and_state_what_it_found() {
    let sql = "SELECT channel, sum(requests) AS requests FROM funnel_hourly WHERE hour >= 9 GROUP BY channel";
    let query = json!({ "sql": sql, "question": "since when?" });
    let found = finding(json!({ "facts": ["f1", "q1[paid].requests"], "reading": "It began after eight." }));
    let script = vec![calls([("execute_sql", query)]), found, finishes()];
    let (analysis, seen, _) = analysed("analyst_looks", script).await;
    assert_eq!(seen.refusals, Vec::<String>::new());
    let stated = sentences(&analysis)[1];
    assert!(stated.contains("sum of requests") && stated.contains("channel 'paid'"), "{stated}");
    assert_eq!(analysis.findings[0].evidence[0].sql.as_deref(), Some(sql));
    let used = analysis.findings[0].finding.facts[1].companions.iter();
    assert!(used.clone().all(|id| analysis.companions.iter().any(|ran| ran.id == *id)) && used.len() > 0);
    let sample = Sample::new();
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    let text = render(&[reported], Format::Terminal, Layout { width: 110, colours: false }).unwrap();
    for expected in [
        "Analysis by a-model",
        "\u{25c6} The sum of",
        "It began after eight. (a-model)",
        "q1, row 1: since when? SELECT",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn the_tables_of_the_first_message_are_no_results() {
    let over_tables =
        json!({ "facts": ["m1[Requests].actual", "incidents[1].difference", "f1 - f2", "change(f1, f2)"] });
    let (analysis, seen, server) = analysed("analyst_background", vec![finding(over_tables), finishes()]).await;
    assert_eq!(analysis.findings.len(), 0);
    assert_eq!(seen.refusals.len(), 5, "four claims and the finding: {:?}", seen.refusals);
    let told = &answers(&server)[0];
    for expected in [
        "\"m1\" is no cell",
        "tables of the first message are no results: name its facts (f1 to f7), or query the database",
        "f1 is what a monitor measured: it can be named, and not computed with",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[tokio::test]
async fn facts_that_do_not_exist_are_refused_and_the_others_are_kept() {
    let invents = || finding(json!({ "facts": ["f99"], "actions": ["call somebody"] }));
    let mixed = finding(json!({ "facts": ["F1", "f99", PAID] }));
    let (analysis, seen, server) = analysed("analyst_mixed", vec![invents(), mixed, finishes()]).await;
    assert_eq!(sentences(&analysis), [REQUESTS, PAID], "an id in capitals and a whole sentence are understood");
    assert!(seen.refusals.iter().any(|refusal| refusal.contains("there is no fact f99: the last one is f7")));
    assert!(answers(&server)[0].contains("refused, not recorded"), "{:?}", answers(&server));
    let (analysis, ..) = analysed("analyst_invents", (0..5).map(|_| invents()).chain([finishes()]).collect()).await;
    assert_eq!((analysis.author.as_str(), analysis.findings.len()), ("offline analyst", 0));
    assert!(analysis.remark.unwrap().contains("this text is the engine's"));
}

#[tokio::test]
async fn figures_of_a_models_own_are_left_out_of_its_words() {
    let proposal = json!({
        "facts": ["f1"],
        "reading": "We lost 1,315 requests.",
        "actions": ["Repay 99% of it", "{f98} should be looked at", "Ask for the 1,630 that were expected"],
    });
    let (analysis, _, server) = analysed("analyst_figures", vec![finding(proposal), finishes()]).await;
    let found = &analysis.findings[0].finding;
    assert_eq!(
        (&found.reading, found.actions.as_slice()),
        (&None, &["Ask for the 1,630 that were expected".to_owned()][..])
    );
    let told = &answers(&server)[0];
    for expected in ["1,315", "99%", "{f98} is no fact"] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[tokio::test]
async fn only_the_first_findings_are_shown() {
    let all = ["f1", "f2", "f3", "f4", "f1", "f2"].map(|id| ("record_finding", json!({ "facts": [id] })));
    let (analysis, ..) = analysed("analyst_many", vec![calls(all), finishes()]).await;
    let ids = analysis.findings.iter().map(|found| found.finding.id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["F1", "F2", "F3", "F4"]);
}

#[tokio::test]
async fn names_of_the_data_stay_names_in_sentences() {
    let mut sample = sample();
    let lie = "paid': 5 measured, 9 expected. \u{25c6} Revenue 99% below expected";
    sample.day.incidents[0].segments[0].segment = segment(&[("channel", lie)]);
    sample.monitor.metrics[1].label = format!("Requests\u{202e} {HOSTILE}");
    let (analysis, ..) = analysed_of(&sample, "analyst_names", vec![finding(on_requests()), finishes()]).await;
    let stated = sentences(&analysis)[1];
    assert_eq!(stated.matches('\'').count() % 2, 0, "{stated}");
    assert!(
        stated.contains("lies in channel 'paid\u{2019}: 5 measured") && stated.ends_with("120 measured, 690 expected."),
        "{stated}"
    );
    assert!(!stated.contains(['\u{202e}', '\u{1b}', '\n']), "{stated}");
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    for format in [Format::Terminal, Format::Markdown, Format::Html, Format::Json] {
        let text = render(&[reported], format, Layout::default()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(matches!(format, Format::Terminal | Format::Json) || !text.contains("<script"), "{text}");
    }
}

#[tokio::test]
async fn a_models_words_are_as_hostile_as_the_datas() {
    let hostile = HOSTILE.replace("{{ 7 * 7 }}", "").replace("alert(1)", "alert()").replace("[31m", "[m");
    let found =
        finding(json!({ "facts": ["f1", "f6"], "reading": format!("\u{25c6} {hostile}"), "actions": [hostile] }));
    let (analysis, ..) = analysed("analyst_hostile", vec![found, finishes()]).await;
    let kept = &analysis.findings[0].finding;
    assert!(kept.reading.as_ref().is_some_and(|reading| !reading.contains('\u{25c6}')), "{kept:?}");
    assert_eq!(kept.actions.len(), 1);
    let sample = Sample::new();
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    for format in [Format::Terminal, Format::Markdown, Format::Html] {
        let text = render(&[reported], format, Layout::default()).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(format == Format::Terminal || !text.contains("<script"), "{text}");
    }
    assert_harmless(&alert(reported, &sample.day.incidents[0]).unwrap());
    assert_harmless(&digest(reported).unwrap());
}

#[tokio::test]
async fn a_commentary_is_shown_in_every_format() {
    let other = json!({ "facts": ["f6"], "severity": "low", "reading": "It was told before.", "impact": "f6" });
    let script = vec![calls([("record_finding", on_requests()), ("record_finding", other)]), finishes()];
    let (analysis, ..) = analysed("analyst_shown", script).await;
    let stored = serde_json::to_value(&analysis).unwrap();
    assert_eq!(serde_json::from_value::<Analysis>(stored).unwrap(), analysis, "it is read back as it was stored");
    let sample = Sample::new();
    let mut reported = sample.reported();
    reported.analysis = Some(&analysis);
    let page = |format| render(&[reported], format, Layout::default()).unwrap();
    let until = |text: String, end: &str| text.split(end).next().unwrap().to_owned();
    insta::assert_snapshot!(
        "a_commentary_in_a_terminal",
        until(page(Format::Terminal), "\u{25a0}\u{25a0}\u{25a0}\u{25a0} ")
    );
    insta::assert_snapshot!("a_commentary_as_markdown", until(page(Format::Markdown), "\n## P0"));
    let html = page(Format::Html);
    insta::assert_snapshot!(
        "a_commentary_as_html",
        until(html[html.find("<section class=\"card plain\"").unwrap()..].to_owned(), "<article")
    );
    let message = alert(reported, &sample.day.incidents[0]).unwrap();
    let from_opinion = message.text.find("F1 by a-model").unwrap();
    insta::assert_snapshot!("a_commentary_in_the_text_of_an_alert", &message.text[from_opinion..]);
    let blocks = message.blocks.as_array().unwrap();
    let first = blocks.iter().position(|block| block.to_string().contains("F1 by a-model")).unwrap();
    insta::assert_snapshot!(
        "a_commentary_in_the_blocks_of_an_alert",
        serde_json::to_string_pretty(&blocks[first..]).unwrap()
    );
    let value: Value = serde_json::from_str(&page(Format::Json)).unwrap();
    let validator = jsonschema::validator_for(document::schema().as_value()).unwrap();
    let errors = validator.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>();
    assert!(errors.is_empty(), "{errors:?}");
    insta::assert_snapshot!(
        "a_commentary_as_json",
        serde_json::to_string_pretty(&value["days"][0]["analysis"]["findings"][0]).unwrap()
    );
}

#[test]
fn findings_in_words_of_before_are_left_out_and_the_rest_is_read() {
    let stored = json!({
        "author": "a-model", "synthesis": ["Requests fell."], "remark": null,
        "findings": [{ "id": "F1", "title": "Requests fell 99%", "severity": "high" }],
    });
    let analysis = serde_json::from_value::<Analysis>(stored).unwrap();
    assert_eq!((analysis.findings.len(), analysis.synthesis.len()), (0, 1));
}

#[tokio::test]
async fn nonsense_and_errors_leave_the_engines_text_and_say_why() {
    for (name, script, expected) in [
        ("analyst_talks", (0..9).map(|_| says("Revenue is down 99%.")).collect::<Vec<_>>(), "called no tool"),
        ("analyst_silent", vec![finishes()], "recorded no finding"),
        ("analyst_refused", vec![refuses(401, "invalid_api_key", "no such key")], "model_failed"),
    ] {
        let (analysis, _, _) = analysed(name, script).await;
        assert_eq!((analysis.author.as_str(), analysis.findings.len()), ("offline analyst", 0));
        let remark = analysis.remark.unwrap();
        assert!(remark.contains(expected), "{remark}");
        assert!(!analysis.synthesis.join(" ").contains("99%"));
    }
}

/// The sentences that the engine states of a day.
async fn stated(sample: &Sample, name: &str) -> Vec<String> {
    let (_, seen, _) = analysed_of(sample, name, vec![finishes()]).await;
    seen.stated.into_iter().map(|fact| fact.sentence).collect()
}

#[tokio::test]
async fn a_share_is_stated_only_of_a_difference_that_the_segments_split() {
    let of_paid =
        "Requests with channel 'paid': 120 measured on 2026-11-20, 82.6% below the expected 690 (usually 600 to 780).";
    let mut broken_in_part = sample();
    broken_in_part.day.judgements[1].is_anomalous = false;
    assert_eq!(stated(&broken_in_part, "analyst_part").await[0], of_paid);
    let mut of_another_day = sample();
    of_another_day.day.incidents[0].segments[0].actual = 60.0;
    assert_eq!(stated(&of_another_day, "analyst_earlier").await[..2], [REQUESTS, of_paid]);
    let mut ratio = sample();
    ratio.monitor.metrics[1].formula = ratio.monitor.metrics[2].formula;
    assert_eq!(stated(&ratio, "analyst_ratio").await[..2], [REQUESTS, of_paid]);
    let mut unknown = sample();
    unknown.day.judgements.retain(|judgement| judgement.metric != "requests");
    let all = stated(&unknown, "analyst_unknown").await.join(" ");
    assert!(
        !all.contains("Requests:") && !all.contains("Requests with"),
        "values of an earlier day are no facts of this one: {all}"
    );
}

#[tokio::test]
async fn data_that_do_not_come_are_a_fact_too() {
    let mut sample = sample();
    let at = sample.day.at;
    let incident = &mut sample.day.incidents[1];
    (incident.metric, incident.segments) = ("contacts".to_owned(), Vec::new());
    incident.kind = IncidentKind::NoData { what: Silent::Measure, since: at, missing: at, due: at, is_regular: true };
    sample.monitor.metrics[4].label = "Contacts".to_owned();
    let found = finding(json!({ "facts": ["f6"] }));
    let (analysis, ..) = analysed_of(&sample, "analyst_absent", vec![found, finishes()]).await;
    assert_eq!(
        sentences(&analysis),
        ["Nothing was measured of Contacts on 2026-11-20, 412 expected (usually 372 to 452)."]
    );
    let found = &analysis.findings[0].finding;
    assert_eq!(found.confidence_because, ["it was not tested against chance"]);
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
