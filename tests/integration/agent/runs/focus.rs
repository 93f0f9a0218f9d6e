//! What a focus file says, and what a model sees of it.

use super::{CUSTOMERS, Exploration, SAMPLE, finishes, looks};

#[test]
fn a_model_is_told_the_questions_and_measures_of_a_focus_file_and_never_its_front_matter() {
    let south = "+++\nquestions = [\"Who left in the South?\", \"Since when?\", \"What did they buy?\"]\n\
                 measures = [\"net_sales\", \"returns\"]\ntables = [\"primary_sales\"]\n[limits]\nmax_queries = 33\n+++\n\
                 # South\nLook at the South.\n";
    let script = [looks(CUSTOMERS), finishes()];
    let ran = Exploration::new(&SAMPLE, script).file("south.md", south).with(&["--focus", "south.md"]).run();
    let ran = ran.ends_with(0, "finished");
    let first = ran.model.requests()[0].body["messages"][1]["content"].as_str().unwrap().to_owned();
    assert!(first.contains("Look at the South.\n\nThe measures that matter here: net_sales, returns."), "{first}");
    assert!(first.contains("1. Who left in the South?\n2. Since when?\n3. What did they buy?\n"), "{first}");
    assert!(first.contains("33 queries"), "{first}");
    assert!(!first.contains("+++") && !first.contains("max_queries"), "{first}");
    let report = ran.report();
    assert_eq!((&report["focus"], &report["answers"][0]["text"]), (&"south".into(), &"Who left in the South?".into()));
    assert_eq!(ran.events("started")[0]["configuration"]["tables"][0], "primary_sales");
}

#[test]
fn fences_that_come_later_are_text() {
    let script = [looks(CUSTOMERS), finishes()];
    let later = "Look at the South.\n+++\nmax_queries = 1\n+++\nWho left?\nWhen?\nWhy?\n";
    let ran = Exploration::new(&SAMPLE, script).file("south.md", later).with(&["--focus", "south.md"]).run();
    let ran = ran.ends_with(0, "finished");
    let first = ran.request(1);
    assert!(first.contains("Look at the South.\\n+++\\nmax_queries = 1\\n+++\\nWho left?"), "{first}");
    assert!(first.contains("1. Who left?\\n2. When?"), "{first}");
}
