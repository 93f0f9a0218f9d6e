//! The command line, through the binary.

use std::process::{Command, Stdio};

use crate::support::program::Program;

/// Runs without a file or a variable, expects that exit code and every one of the texts on standard error.
fn check_refused(arguments: &[&str], code: i32, expected: &[&str]) {
    let outcome = Program::new().run(arguments);
    assert_eq!(outcome.code, code, "{arguments:?}: {}", outcome.stderr);
    assert_eq!(outcome.stdout, "", "{arguments:?}: standard output is the report and nothing else");
    for text in expected {
        assert!(outcome.stderr.contains(text), "{arguments:?}: `{text}` is not in {}", outcome.stderr);
    }
}

#[test]
fn the_short_help_names_every_option_in_its_group() {
    insta::assert_snapshot!(Program::new().run(&["-h"]).stdout);
}

#[test]
fn the_long_help_documents_the_file_the_variables_and_the_exit_codes() {
    let help = Program::new().run(&["--help"]).stdout;
    for text in
        ["explore.toml", "EXPLORE_MAX_ITERATIONS", "DATABASE_URL", "Examples:", "Exit codes:", "130  interrupted"]
    {
        assert!(help.contains(text), "`{text}` is not in the help");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let outcome = Program::new().run(&["--version"]);
    assert_eq!((outcome.code, outcome.stdout.trim()), (0, concat!("explore ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_mistyped_option_command_or_value_is_told_the_nearest_one() {
    check_refused(&["--max-iteration", "3"], 2, &["--max-iterations"]);
    check_refused(&["confg"], 2, &["there is no command confg; did you mean `config`?"]);
    check_refused(&["a.csv", "doctor"], 2, &["doctor is a command, and a command stands before its files"]);
    check_refused(&["sales"], 2, &["there is no command sales", "a dot or a slash, such as ./sales"]);
    check_refused(&["--demo", "--format", "markdwn"], 2, &["markdown"]);
    for focus in ["customer_chrun", "churn", "Churn", "customer", "customer_churn_report"] {
        check_refused(&["--demo", "--focus", focus], 2, &["did you mean `customer_churn`?"]);
    }
    check_refused(&["--demo", "--focus", "region"], 2, &["did you mean `regional_analysis`?"]);
    check_refused(&["--demo", "--focus", "weather"], 2, &["no focus area called `weather`; the areas are broad"]);
}

#[test]
fn a_password_in_a_url_is_not_repeated() {
    for url in ["http://me:hunter2@localhost/v1", "ftp://me:hunter2@localhost"] {
        let outcome = Program::new().run(&["--demo", "--base-url", url]);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("://me:***@localhost") && !outcome.stderr.contains("hunter2"),
            "{}",
            outcome.stderr
        );
    }
    let outcome = Program::new().variable("OPENAI_BASE_URL", "http://me:hunter2@localhost/v1").run(&["--demo"]);
    assert!(outcome.code == 2 && !outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
}

#[test]
fn a_value_that_is_none_is_told_what_is_expected() {
    check_refused(&["--max-iterations", "0"], 2, &["--max-iterations", "a whole number from 1"]);
    check_refused(&["--time-limit", "10"], 2, &["such as 30s, 10m or 1h30m"]);
    check_refused(&["--as-of", "30.11.2025"], 2, &["such as 2025-11-30"]);
    check_refused(&["--max-cost=-1"], 2, &["US dollars"]);
    check_refused(&["--base-url", "localhost:11434"], 2, &["http://"]);
    check_refused(&["--fail-on", "severe"], 2, &["low, medium, high, critical"]);
    check_refused(&["--time-zone", "Asia/Kolkatta"], 2, &["the name of a time zone", "did you mean `Asia/Kolkata`?"]);
    check_refused(&["--time-zone", "berlin"], 2, &["did you mean `Europe/Berlin`?"]);
    check_refused(&["sql", "--time-zone", "+05:30", "SELECT 1"], 2, &["the name of a time zone, such as Europe/Paris"]);
}

#[test]
fn without_a_database_it_says_what_to_set_and_never_falls_back_to_the_demo() {
    check_refused(&[], 2, &["no database to explore", "DATABASE_URL", "--database-url", "explore.toml", "--demo"]);
    check_refused(&["--offline"], 2, &["no database to explore"]);
}

#[test]
fn without_a_key_it_says_what_to_set_and_never_falls_back_to_the_offline_analyst() {
    let database = ["--database-url", "postgres://nobody@localhost/none"];
    check_refused(&database, 2, &["no API key", "OPENAI_API_KEY", "--base-url", "--offline"]);
}

#[test]
fn a_model_asked_for_by_a_flag_is_not_replaced_by_the_offline_analyst() {
    check_refused(&["--demo", "--model", "gpt-5.2"], 2, &["OPENAI_API_KEY"]);
}

#[test]
fn the_sample_data_and_a_database_are_not_explored_together() {
    let both = ["--demo", "--database-url", "postgres://me:hunter2@localhost/none"];
    check_refused(&both, 2, &["by --demo and by --database-url"]);
}

#[test]
fn files_are_explored_asked_and_examined() {
    let mut csv = vec!["day,region,amount\n".to_owned()];
    for day in 0..360 {
        for (region, usual) in [("North", 100), ("South", 200), ("West", 50)] {
            let amount = if region == "South" && day > 300 { 20 } else { usual + day % 7 };
            csv.push(format!("2024-{:02}-{:02},{region},{amount}\n", day / 30 + 1, day % 28 + 1));
        }
    }
    let program = Program::new().file("sales.csv", &csv.concat()).file("bad.csv", "a,b\n1\n");
    let explored = program.run(&["sales.csv", "--offline", "--as-of", "2024-12-31", "--format", "json"]);
    assert_eq!(explored.code, 0, "{}", explored.stderr);
    assert!(explored.stderr.contains("table sales: 1,080 rows and 3 columns of sales.csv"), "{}", explored.stderr);

    let statement = "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY region";
    let asked = program.run(&["sql", "--file", "*.csv", "--file", "sales.csv", statement]);
    assert_eq!(asked.code, 2, "{}", asked.stderr);
    assert!(asked.stderr.contains("bad.csv, line 2: it has 1 field, and the header has 2"), "{}", asked.stderr);
    assert!(asked.stderr.contains("hint: correct the line"), "{}", asked.stderr);
    let asked = program.run(&["sql", "s*.csv", statement, "--format", "csv"]);
    assert_eq!(asked.stdout.lines().next(), Some("region,total"), "{}", asked.stderr);
    assert_eq!(asked.stdout.lines().count(), 4, "{}", asked.stdout);

    let asked = program.run(&["sql", "sales.csv", "--format", "csv"]);
    assert!(asked.code == 2 && asked.stderr.contains("the statement is missing"), "{}", asked.stderr);

    let examined = program.run(&["doctor", "sales.csv", "--offline"]);
    assert_eq!(examined.code, 0, "{}", examined.stderr);
    assert!(examined.stdout.contains("every value was read as its column's type"), "{}", examined.stdout);
    check_refused(&["missing.csv", "--offline"], 2, &["missing.csv: cannot be read"]);
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_the_run() {
    check_refused(&["--demo", "-o", "missing/report.md"], 2, &["missing/report.md", "there is no directory missing"]);
    check_refused(&["--demo", "-o", "."], 2, &["it is a directory"]);
    let program = Program::new().file("plain", "");
    let outcome = program.run(&["--demo", "-o", "plain/report.md"]);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
}

#[test]
fn a_file_whose_ending_contradicts_the_format_is_told_before_the_run() {
    let both = &["--format json", "report.html", "contradict each other", "asks for html", "leave --format out"];
    check_refused(&["--demo", "--format", "json", "-o", "report.html"], 2, both);
    check_refused(&["--demo", "-o", "report.csv"], 2, &["as csv", "terminal, markdown, json, html"]);
    check_refused(&["sql", "SELECT 1", "--demo", "-o", "rows.html"], 2, &["as html", "terminal, csv, json"]);
    check_refused(&["sql", "SELECT 1", "--demo", "--format", "csv", "-o", "rows.json"], 2, &["asks for json"]);
    let backtest = ["monitor", "backtest", "revenue_funnel", "--demo", "-o", "days.md"];
    check_refused(&backtest, 2, &["as markdown", "terminal, json, html"]);
    let day = ["monitor", "run", "--demo", "--format", "markdown", "-o", "day.json"];
    check_refused(&day, 2, &["--format markdown and --output day.json contradict each other"]);
}

#[test]
fn a_refused_run_leaves_no_file_behind() {
    let program = Program::new();
    program.run(&["--demo", "--model", "gpt-5.2", "-o", "report.md"]);
    assert_eq!(std::fs::read_dir(program.directory()).unwrap().count(), 0);
}

#[test]
fn the_focus_areas_are_listed_with_those_of_the_users_folder() {
    let program = Program::new();
    std::fs::create_dir_all(program.path("mine/focus")).unwrap();
    std::fs::write(program.path("mine/focus/late_payment.md"), "# Late payment\n\nWho pays later.\u{1b}[2J\n").unwrap();
    let outcome = program.run(&["focus", "list", "--prompts", "mine"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let business = ["customer_churn", "margin_analysis", "product_performance", "regional_analysis"];
    for area in business.into_iter().chain(["broad", "data_quality", "growth", "operations", "late_payment"]) {
        assert!(outcome.stdout.lines().any(|line| line.starts_with(area)), "{area} is not in {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains('\u{1b}'), "a file's text must not drive the terminal");
}

#[test]
fn schemas_are_printed_for_editors_and_programs() {
    for (document, property) in [("metadata", "columns"), ("report", "findings"), ("monitor", "measures")] {
        let outcome = Program::new().run(&["json-schema", document]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        let schema = serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap();
        assert!(schema["properties"][property].is_object(), "{document}");
    }
}

#[test]
fn the_same_seed_generates_the_same_sample_and_lists_what_is_planted() {
    let program = Program::new();
    let arguments = ["sample", "generate", "--customers", "60", "--months", "6", "--planted", "planted.json"];
    let (to_stdout, again) = (program.run(&arguments), program.run(&[&arguments[..], &["-o", "sample.sql"]].concat()));
    assert_eq!((to_stdout.code, again.code, again.stdout.as_str()), (0, 0, ""));
    assert!(to_stdout.stderr.contains(" planted"), "{}", to_stdout.stderr);
    assert_eq!(std::fs::read_to_string(program.path("sample.sql")).unwrap(), to_stdout.stdout);
    let planted = std::fs::read_to_string(program.path("planted.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&planted).unwrap()[0]["kind"].is_string());
    let other = program.run(&[&arguments[..], &["--seed", "2"]].concat());
    assert_ne!(other.stdout, to_stdout.stdout);
}

#[test]
fn where_there_is_no_run_it_says_so() {
    let outcome = Program::new().run(&["runs", "list"]);
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", "no run in runs\n"));
    assert_eq!(Program::new().run(&["runs", "list", "--json"]).stdout.trim(), "[]");
    check_refused(&["runs", "show"], 2, &["no run in runs", "--runs-dir"]);
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Program::new().run(&["completions", shell]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{shell}");
        assert!(outcome.stdout.contains("max-iterations"), "{shell}");
    }
}

#[test]
fn bash_reads_its_completions() {
    let program = Program::new();
    let script = program.path("completions.bash");
    std::fs::write(&script, program.run(&["completions", "bash"]).stdout).unwrap();
    let status = Command::new("bash").args(["--norc", "-n"]).arg(&script).status().unwrap();
    assert!(status.success());
}

#[test]
fn colours_follow_the_option_then_the_environment_then_the_terminal() {
    let check = |variables: &[(&str, &str)], arguments: &[&str], expected: bool| {
        let program = variables.iter().fold(Program::new(), |program, (name, value)| program.variable(name, value));
        let coloured = program.run(arguments).stderr.contains('\u{1b}');
        assert_eq!(coloured, expected, "{variables:?} {arguments:?}");
    };
    check(&[], &[], false);
    check(&[], &["--color", "always"], true);
    check(&[("CLICOLOR_FORCE", "1")], &[], true);
    check(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], false);
    check(&[("NO_COLOR", "1")], &["--color", "always"], true);
    check(&[("EXPLORE_COLOR", "always")], &[], true);
    check(&[("CLICOLOR_FORCE", "1")], &["--color", "never"], false);
    check(&[("CLICOLOR_FORCE", "1")], &["--color", "never", "--nonsense"], false);
    check(&[], &["--color=always", "--nonsense"], true);
}

#[test]
fn errors_are_json_lines_where_messages_are() {
    for arguments in [&["--log-format", "json"] as &[_], &["--log-format", "json", "--config", "missing.toml"]] {
        let outcome = Program::new().run(arguments);
        assert_eq!(outcome.code, 2);
        let line = serde_json::from_str::<serde_json::Value>(outcome.stderr.trim()).unwrap();
        assert_eq!(line["level"], "ERROR", "{line}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [&["completions", "bash"] as &[_], &["config"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_explore"));
        let output = command.env_clear().args(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(output.stderr, b"", "{arguments:?}");
    }
}

#[cfg(feature = "embedded")]
#[test]
fn a_run_on_old_data_names_the_last_day_that_they_have() {
    let script = "CREATE TABLE visits (visit_date date, client_id int, fee numeric);
        INSERT INTO visits SELECT date '2025-01-01' + g, g % 40, 10 FROM generate_series(0, 500) g;
        INSERT INTO visits SELECT d::date, g % 40, 10
            FROM generate_series('2026-05-17'::date, '2026-06-30', '1 day') d, generate_series(1, 40) g;";
    let program = Program::new().file("visits.sql", script);
    let outcome = program.run(&["--load", "visits.sql", "--offline", "--as-of", "2026-11-28"]);
    assert!(outcome.stderr.contains("--as-of 2026-06-30 judges as of then"), "{}", outcome.stderr);
}

#[cfg(feature = "embedded")]
#[test]
fn metadata_of_tables_that_are_left_out_on_purpose_gives_no_warning() {
    let script =
        "CREATE SCHEMA hr; CREATE TABLE sales (id int); CREATE TABLE secret (id int); CREATE TABLE hr.pay (id int);";
    let program = Program::new().file("shop.sql", script);
    std::fs::create_dir(program.path("metadata")).unwrap();
    for name in ["sales", "secret", "pay", "gone"] {
        std::fs::write(program.path(&format!("metadata/{name}.json")), "{}").unwrap();
    }
    for left_out in [["--exclude-tables", "public.secret,hr.*"], ["--tables", "public.sales"], ["--tables", "sales"]] {
        for command in [&["sql", "-v", "SELECT 1"] as &[&str], &["schema", "check"]] {
            let outcome = program.run(&[command, &["--load", "shop.sql"], &left_out].concat());
            let said = outcome.stdout + &outcome.stderr;
            assert!(said.contains("there is no readable table gone"), "{left_out:?}: {said}");
            assert!(
                !said.contains("readable table secret") && !said.contains("readable table pay"),
                "{left_out:?}: {said}"
            );
        }
    }
}

#[test]
fn what_is_asked_of_the_memory_in_vain_names_the_way() {
    let mut program = Program::new();
    program.variables.retain(|(name, _)| name != "EXPLORE_MEMORY");
    let outcome = program.run(&["findings", "list", "--database-url", "postgres://nobody@127.0.0.1:1/none"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    for text in ["--memory NAME needs no database", "`explore findings memories`"] {
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
    check_refused(&["findings", "accept", "M1", "--as", ""], 2, &["--as", "expected a name"]);
    check_refused(&["recheck", "F1", "--demo"], 2, &["such as M12"]);
}
