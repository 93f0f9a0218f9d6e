//! Claims that people wrote who did not know the program: true findings, falsehoods, attempts to mislead.

use std::collections::BTreeMap;

use super::{Case, Ground, cases, outcome};

const FOLDER: &str = "tests/material/facts";

/// The cases of a file by the tables that they are about.
fn by_tables(file: &str) -> BTreeMap<String, Vec<Case>> {
    let mut grouped = BTreeMap::<String, Vec<Case>>::new();
    for case in cases(&format!("{FOLDER}/{file}.jsonl")) {
        grouped.entry(case.load.clone()).or_default().push(case);
    }
    grouped
}

/// What comes of all cases of a file, a text for each set of tables, and how many of the cases have a refused claim.
async fn outcomes(file: &str) -> (Vec<(String, String)>, usize) {
    let (mut texts, mut with_refusals) = (Vec::new(), 0);
    for (tables, cases) in by_tables(file) {
        let sql = std::fs::read_to_string(format!("{FOLDER}/{tables}.sql")).unwrap();
        let ground = Ground::new(&format!("facts_{file}_{tables}"), &sql).await;
        let mut text = String::new();
        for case in &cases {
            let (outcome, refused) = outcome(&ground, case).await;
            text.push_str(&outcome);
            text.push('\n');
            with_refusals += usize::from(refused > 0);
        }
        texts.push((tables, text));
    }
    (texts, with_refusals)
}

/// Sixty true findings of others, said in claims by somebody who knew the forms and nothing else.
#[tokio::test]
async fn true_findings_can_be_said() {
    let (texts, with_refusals) = outcomes("true").await;
    for (tables, text) in texts {
        insta::assert_snapshot!(format!("true_{tables}"), text);
    }
    assert!(with_refusals <= 3, "{with_refusals} of 60 findings have a claim that is refused");
}

/// What was worded falsely or misled once, and falsehoods of others put into claims: what comes of them now.
#[tokio::test]
async fn falsehoods_have_no_form() {
    for file in [
        "false",
        "adversary",
        "adversary2",
        "adversary3",
        "adversary4",
        "adversary5",
        "adversary6",
        "adversary7",
        "adversary8",
    ] {
        let (texts, _) = outcomes(file).await;
        for (tables, text) in texts {
            insta::assert_snapshot!(format!("{file}_{tables}"), text);
        }
    }
}
