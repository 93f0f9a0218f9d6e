//! Narratives as analysts write them, in `tests/material/findings`: those that are true pass, and each false one, which
//! differs from a true one in one thing, is sent back.

use std::path::Path;
use std::sync::Arc;

use explore::finding::Told;
use explore::finding::check::{self, Context};
use explore::finding::results::{Pin, QueryResult, Results};
use explore::warehouse::table::{Column, Table};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Corpus {
    as_of: Date,
    segment: String,
    period: String,
    amount: String,
    results: Vec<Answer>,
    figures: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    sql: String,
    columns: Map<String, Value>,
    rows: Vec<Vec<String>>,
    #[serde(default)]
    literals: Vec<String>,
    #[serde(default)]
    pins: Vec<(String, String)>,
    #[serde(default)]
    more_rows: bool,
}

#[derive(Deserialize)]
struct Case {
    /// A true narrative.
    r#true: Option<String>,
    /// Why the true narrative may be sent back all the same.
    may_be_refused: Option<String>,
    /// Narratives, or changes to a draft, that are false.
    #[serde(default)]
    r#false: Vec<Value>,
}

fn corpus(name: &str) -> Corpus {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/material/findings").join(name);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

fn results(corpus: &Corpus) -> Results {
    let mut results = Results::default();
    for result in &corpus.results {
        let column = |(name, kind): (&String, &Value)| Column {
            name: name.clone(),
            type_name: kind.as_str().unwrap().to_owned(),
        };
        let pin = |(column, value): &(String, String)| Pin {
            column: column.clone(),
            value: value.clone(),
            result_column: None,
        };
        let cells = |row: &Vec<String>| row.iter().cloned().map(Some).collect();
        results.push(Arc::new(QueryResult {
            id: result.id.clone(),
            sql: result.sql.clone(),
            question: "?".into(),
            table: Table {
                columns: result.columns.iter().map(column).collect(),
                rows: result.rows.iter().map(cells).collect(),
                more_rows: result.more_rows,
            },
            elapsed_milliseconds: 1,
            pins: result.pins.iter().map(pin).collect(),
            literals: result.literals.clone(),
        }));
    }
    results
}

/// A draft that cites every row, so that a false number has all the chances to be found somewhere.
fn run(corpus: &Corpus, results: &Results, changes: &Value) -> Result<Told, Vec<String>> {
    let evidence = corpus.results.iter().map(|result| {
        let rows = (1..=result.rows.len()).collect::<Vec<_>>();
        json!({"query": result.id, "rows": rows})
    });
    let change = |name: &str, usual: &str| changes.get(name).and_then(Value::as_str).unwrap_or(usual).to_owned();
    let figures = corpus.figures.iter().chain(changes.get("figures").and_then(Value::as_object).into_iter().flatten());
    let draft = json!({
        "evidence": evidence.collect::<Vec<_>>(),
        "figures": figures.map(|(name, text)| json!({"name": name, "expression": text})).collect::<Vec<_>>(),
        "title": change("title", "A matter of weight"),
        "severity": "high",
        "category": "decline",
        "segment": change("segment", &corpus.segment),
        "period": change("period", &corpus.period),
        "narrative": change("narrative", "It matters."),
        "impact": {
            "metric": change("metric", "value at stake"),
            "amount": change("amount", &corpus.amount),
            "unit": change("unit", "INR"),
            "assumptions": changes.get("assumptions").cloned().unwrap_or(json!([])),
        },
        "confidence": "medium",
        "recommended_actions": [
            {"action": "call 3 people", "why": change("why", "they know"), "who": "sales", "by_when": "in 2 weeks"},
        ],
        "falsified_by": "an order under another code",
    });
    let draft = serde_json::from_value(draft).unwrap();
    check::check(&draft, "F1".into(), Context { results, as_of: corpus.as_of })
}

#[test]
fn true_narratives_pass_and_false_ones_are_sent_back() {
    let (mut trues, mut falses, mut wrong) = (0, 0, Vec::new());
    for name in ["sample.json", "retail.json"] {
        let corpus = corpus(name);
        let results = results(&corpus);
        for case in &corpus.cases {
            if let (Some(narrative), None) = (&case.r#true, &case.may_be_refused) {
                trues += 1;
                if let Err(problems) = run(&corpus, &results, &json!({"narrative": narrative})) {
                    wrong.push(format!("refused, though true: {narrative}\n    {}", problems.join("\n    ")));
                }
            }
            for change in &case.r#false {
                falses += 1;
                let change = if change.is_string() { json!({"narrative": change}) } else { change.clone() };
                if let Ok(finding) = run(&corpus, &results, &change) {
                    wrong.push(format!("passed, though false: {change}\n    {}", finding.narrative));
                }
            }
        }
    }
    let refused = wrong.iter().filter(|line| line.starts_with("refused")).count();
    let passed = wrong.len() - refused;
    let summary = format!("{refused} of {trues} true refused, {passed} of {falses} false passed");
    assert!(wrong.is_empty(), "{summary}\n{}", wrong.join("\n"));
}
