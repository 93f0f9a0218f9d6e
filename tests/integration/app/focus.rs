//! Focus files: what their front matter sets, what it refuses, and what is shown of it.

use serde_json::{Value, json};

use crate::support::program::Program;

const SOUTH: &str = "+++\nquestions = [\"Who left in the South?\", \"Since when?\"]\nmeasures = [\"net_sales\"]\n\
    tables = [\"orders\", \"customers\"]\nmodel = [\"small\", \"large\"]\neffort = \"high\"\n\n[limits]\nmax_queries = 12\n\
    time_limit = \"5m\"\n+++\n# South\n\nWho left in the South.\n\nIs this asked?\n+++\nmax_rows = 3\n";

fn setting(program: &Program, arguments: &[&str], key: &str) -> Value {
    let outcome = program.run(&[&["config", "--json"], arguments].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    serde_json::from_str::<Value>(&outcome.stdout).unwrap()[key].clone()
}

#[test]
fn a_focus_file_wins_over_the_configuration_file_and_loses_to_the_environment_and_to_flags() {
    let check = |program: &Program, arguments: &[&str], key: &str, value: Value, origin: &str| {
        assert_eq!(setting(program, arguments, key), json!({ "value": value, "origin": origin }), "{arguments:?}");
    };
    let file = "focus = \"south.md\"\nmax_queries = 7\nmax_iterations = 8\ntables = \"all\"";
    let program = Program::new().file("south.md", SOUTH).file("explore.toml", file);
    check(&program, &[], "max_iterations", json!(8), "explore.toml:3");
    check(&program, &[], "max_queries", json!(12), "south.md:9");
    check(&program, &[], "time_limit", json!("5m"), "south.md:10");
    check(&program, &[], "reasoning_effort", json!("high"), "south.md:6");
    check(&program, &[], "tables", json!(["orders", "customers"]), "south.md:4");
    check(&program, &["--tables", "lines"], "tables", json!(["lines"]), "--tables");
    check(&program, &["--focus", "broad"], "max_queries", json!(7), "explore.toml:2");
    check(&program, &["--focus-text", "Why?"], "max_queries", json!(7), "explore.toml:2");
    check(&program, &[], "max_rows", json!(1000), "default");
    let program = program.variable("EXPLORE_MAX_QUERIES", "9");
    check(&program, &[], "max_queries", json!(9), "EXPLORE_MAX_QUERIES");
    check(&program, &["--max-queries", "3"], "max_queries", json!(3), "--max-queries");
}

#[test]
fn an_area_of_the_prompts_folder_has_front_matter_too() {
    let program = Program::new();
    std::fs::create_dir_all(program.path("mine/focus")).unwrap();
    std::fs::write(program.path("mine/focus/south.md"), SOUTH).unwrap();
    let set = setting(&program, &["--prompts", "mine", "--focus", "south"], "max_queries");
    assert_eq!(set, json!({ "value": 12, "origin": "mine/focus/south.md:9" }));
    let listed = program.run(&["focus", "list", "--prompts", "mine"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    let lines = listed.stdout.lines().skip_while(|line| !line.starts_with("south")).take(2).collect::<Vec<_>>();
    assert!(lines[0].ends_with("  Who left in the South."), "{lines:?}");
    let set = "sets 2 questions, measures = [\"net_sales\"], tables = [\"orders\", \"customers\"], model = [\"small\", \"large\"], \
               effort = \"high\", limits.max_queries = 12, limits.time_limit = \"5m\"";
    assert_eq!(lines[1].trim_start(), set);
}

#[test]
fn an_area_is_shown_with_what_its_file_sets_and_what_a_model_is_told() {
    let shown = Program::new().file("south.md", SOUTH).run(&["focus", "show", "south.md"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(shown.stdout);
    let shown = Program::new().run(&["focus", "show", "growth"]);
    assert!(shown.stdout.starts_with("growth (built in)\n\nQuestions:\n1. What grew"), "{}", shown.stdout);
    let refused = Program::new().run(&["focus", "show", "groth"]);
    assert!(refused.code == 2 && refused.stderr.contains("did you mean `growth`?"), "{}", refused.stderr);
}

#[test]
fn what_a_focus_file_has_wrong_is_named_with_its_line_and_what_is_allowed() {
    let check = |front: &str, expected: &str| {
        let program = Program::new().file("a.md", &format!("+++\n{front}\n+++\nWhy?\n"));
        for arguments in [["--offline", "--demo", "--focus", "a.md"].as_slice(), &["config", "--focus", "a.md"]] {
            let refused = program.run(arguments);
            assert_eq!(refused.code, 2, "{}", refused.stderr);
            assert_eq!(
                refused.stderr.trim_start_matches("error: ").lines().next().unwrap(),
                format!("a.md:{expected}")
            );
        }
    };
    let keys = "the keys here are questions, measures, tables, model, effort, limits";
    check("modle = \"a\"", &format!("2: unknown key `modle`; {keys}; did you mean `model`?"));
    check("\nmax_queries = 3", &format!("3: unknown key `max_queries`; {keys}; it belongs under [limits]"));
    let limits = "the keys here are max_iterations, max_queries, max_tokens_total, max_cost, max_cost_day, \
                  max_cost_month, time_limit, robustness, query_timeout, max_rows, max_plan_cost";
    check("[limits]\nmax_query = 3", &format!("3: unknown key `max_query`; {limits}; did you mean `max_queries`?"));
    check("limits = 3", "2: limits: expected a table, such as { max_queries = 20 }, found a whole number");
    check("limits = { max_queries = \"many\" }", "2: limits.max_queries: expected a whole number, found text");
    check("limits = { max_queries = 0 }", "2: limits.max_queries: expected a whole number from 1, found `0`");
    check("questions = \"Why?\"", "2: questions: expected a list of texts, such as [\"a\", \"b\"], found text");
    check("questions = [\"Why?\", 3]", "2: questions: expected text in quotes, found a whole number");
    check("measures = [\" \"]", "2: measures: expected a text, found an empty one");
    let many = format!("questions = [{}]", "\"Why?\", ".repeat(13));
    check(&many, "2: questions: at most 12 are asked, found 13");
    check("tables = 3", "2: tables: expected a list of texts, such as [\"a\", \"b\"], found a whole number");
    check("effort = \"much\"", "2: effort: expected one of none, minimal, low, medium, high, xhigh, found `much`");
    let program = Program::new().file("a.md", "+++\nmodel = \"a\"\nWhy?\n");
    let refused = program.run(&["config", "--focus", "a.md"]);
    assert!(refused.stderr.contains("a.md:1: the front matter does not end"), "{}", refused.stderr);
    let program = Program::new().file("a.md", "+++\n\nmodel = \n+++\n");
    let refused = program.run(&["config", "--focus", "a.md"]);
    assert!(refused.stderr.contains("a.md:3: not TOML: "), "{}", refused.stderr);
}
