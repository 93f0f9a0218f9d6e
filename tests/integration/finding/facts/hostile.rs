//! Texts of the database are values in a sentence, whatever they hold.

use super::Ground;

const HOSTILE: &[&str] = &[
    "a' is 500. The sum of v over all rows with k 'b",
    "<script>alert(1)</script>",
    "\u{1b}[31mred",
    "left\u{202e}right",
    "two\nlines",
    "North ",
    "Nor\u{200b}th",
    "q1[North].n",
    "12,345.67",
    "January 2024",
    "| a | b |",
    "{f1}",
];

#[tokio::test]
async fn values_of_the_data_cannot_change_what_is_said() {
    let rows = HOSTILE.iter().map(|text| format!("(E'{}', 5)", text.replace('\\', "\\\\").replace('\'', "''")));
    let rows = rows.collect::<Vec<_>>().join(", ");
    let tables = format!(
        "CREATE TABLE \"odd \u{25c6} table\" (\"k'\ney\" text, v int); INSERT INTO \"odd \u{25c6} table\" VALUES {rows}, ('North', 7)"
    );
    let ground = Ground::new("facts_hostile", &tables).await;
    let sql = "SELECT \"k'\ney\" AS k, sum(v) AS n FROM \"odd \u{25c6} table\" GROUP BY 1 ORDER BY 2 DESC, 1";
    let mut said = Vec::new();
    for row in 1..=HOSTILE.len() + 1 {
        for claim in [format!("q1[#{row}].n"), format!("rank(q1[#{row}].n)"), format!("share(q1[#{row}].n, all)")] {
            let sentence = ground.say(sql, &claim).await;
            assert!(!sentence.starts_with("refused"), "{claim}: {sentence}");
            let is_plain = |c: char| {
                !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
            };
            assert!(sentence.chars().all(is_plain), "{claim}: {sentence:?}");
            // Each quote of the sentence's own opens or closes one value.
            assert_eq!(sentence.matches('\'').count() % 2, 0, "{sentence}");
            said.push(sentence);
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}
