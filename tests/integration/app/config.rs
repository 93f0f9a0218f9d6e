//! The configuration: its layers, what it refuses, and what it never shows.

use std::ffi::OsString;
use std::path::Path;

use explore::app::cli;
use explore::app::config::Config;
use explore::app::config::choice::Source;
use explore::app::error::Failure;
use explore::exploration::Player;
use explore::model::openai::Api;
use tempfile::TempDir;

use crate::support::program::Program;

const SECRETS: [&str; 2] = ["hunter2", "sk-verysecret"];

fn resolve(file: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Result<Config, Failure> {
    let directory = TempDir::new().unwrap();
    if !file.is_empty() {
        std::fs::write(directory.path().join("explore.toml"), file).unwrap();
    }
    resolve_in(directory.path(), variables, arguments)
}

fn resolve_in(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Result<Config, Failure> {
    let arguments = ["explore"].iter().chain(arguments).map(OsString::from);
    let (_, flags) = cli::parse(arguments).unwrap();
    Config::resolve(&flags, variables.iter().map(|(name, value)| (name.into(), value.into())), directory)
}

fn origin(config: &Config, key: &str) -> String {
    let setting = config.settings.iter().find(|setting| setting.key == key).unwrap();
    setting.origin.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let check = |file: &str, variables: &[(&str, &str)], arguments: &[&str], expected: (u32, &str)| {
        let config = resolve(file, variables, arguments).unwrap();
        assert_eq!((config.budget.iterations_max, origin(&config, "max_iterations").as_str()), expected);
    };
    let (file, variable, flag) =
        ("\nmax_iterations = 3", [("EXPLORE_MAX_ITERATIONS", "4")], ["--max-iterations", "1_000"]);
    check("", &[], &[], (15, "default"));
    check(file, &[], &[], (3, "explore.toml:2"));
    check(file, &variable, &[], (4, "EXPLORE_MAX_ITERATIONS"));
    check(file, &variable, &flag, (1000, "--max-iterations"));
    check(file, &[("EXPLORE_MAX_ITERATIONS", "")], &[], (3, "explore.toml:2"));
}

#[test]
fn a_flag_counts_before_a_subcommand_and_after_it() {
    for arguments in [["--runs-dir", "a", "config"], ["config", "--runs-dir", "a"]] {
        let config = resolve("", &[], &arguments).unwrap();
        assert_eq!(config.runs_dir, Path::new("a"));
    }
}

#[test]
fn a_run_goes_on_as_it_began_unless_a_flag_says_otherwise() {
    let begun = serde_json::json!({
        "privacy": "masked", "privacy_k": 9, "as_role": "reader", "base_url": "http://localhost:9/v1", "model": ["llama"],
        "memory": "mine", "notify": ["mail"], "tables": ["a"], "offline": false,
    });
    let config = resolve("", &[("EXPLORE_MEMORY", "theirs")], &[]).unwrap().as_begun(&begun);
    assert_eq!((config.privacy.name(), config.privacy_k), ("masked", 9));
    assert_eq!((config.memory.as_deref(), config.session.role.as_deref()), (Some("mine"), Some("reader")));
    assert_eq!((config.notify, config.selection.include), (vec!["mail".to_owned()], vec!["a".to_owned()]));
    let flags = ["--privacy", "aggregate", "--memory", "other"].map(str::to_owned);
    let config = resolve("", &[], &flags.each_ref().map(String::as_str)).unwrap().as_begun(&begun);
    assert_eq!((config.privacy.name(), config.memory.as_deref()), ("aggregate", Some("other")));
}

#[test]
fn every_setting_can_stand_in_the_file_and_in_the_environment() {
    let settings = resolve("", &[], &[]).unwrap().settings;
    let samples = |key: &str| match key {
        "as_of" => ("2025-11-30", "2025-11-30"),
        "demo" | "approved_only" | "offline" | "quiet" | "allow_writable_role" | "notify_always" => ("true", "true"),
        "file" | "schema" | "tables" | "exclude_tables" | "notify" => ("[\"a\", \"b\"]", "a,b"),
        "api" => ("\"chat\"", "chat"),
        "reasoning_effort" | "fail_on" => ("\"high\"", "high"),
        "max_iterations" | "max_queries" | "max_tokens_total" | "max_rows" | "privacy_k" | "max_runs"
        | "max_queued" => ("7", "7"),
        "listen" => ("\"[::1]:8081\"", "[::1]:8081"),
        "privacy" => ("\"masked\"", "masked"),
        "report_link" => ("\"https://r.example/{run}\"", "https://r.example/{run}"),
        "verbose" => ("1", "1"),
        "max_cost" | "max_cost_day" | "max_cost_month" => ("2.5", "2.5"),
        "max_plan_cost" | "robustness" => ("\"off\"", "off"),
        "time_limit" | "query_timeout" | "model_timeout" => ("\"1h30m\"", "1h30m"),
        "format" => ("\"html\"", "html"),
        "log_format" => ("\"json\"", "json"),
        "color" => ("\"never\"", "never"),
        "base_url" => ("\"http://localhost:1/v1\"", "http://localhost:1/v1"),
        "time_zone" => ("\"Europe/Paris\"", "Europe/Paris"),
        _ => ("\"text\"", "text"),
    };
    for setting in settings {
        let (toml, text) = samples(&setting.key);
        let variable = match setting.key.as_str() {
            "database_url" => "DATABASE_URL".to_owned(),
            "api_key" => "OPENAI_API_KEY".to_owned(),
            "base_url" => "OPENAI_BASE_URL".to_owned(),
            key => format!("EXPLORE_{}", key.to_uppercase()),
        };
        let from_file = resolve(&format!("{} = {toml}", setting.key), &[], &[]).unwrap();
        assert_eq!(origin(&from_file, &setting.key), "explore.toml:1");
        let from_variable = resolve("", &[(&variable, text)], &[]).unwrap();
        assert_eq!(origin(&from_variable, &setting.key), variable);
        assert_eq!(from_file.masked(), from_variable.masked(), "{}", setting.key);
    }
}

#[test]
fn the_ending_of_the_report_chooses_its_format_unless_something_as_near_asks_for_another() {
    let check = |file: &str, variables: &[(&str, &str)], arguments: &[&str], expected: &[&str]| {
        let config = resolve(file, variables, arguments).unwrap();
        let format = config.settings.iter().find(|setting| setting.key == "format").unwrap().texts.concat();
        let held = config.check_format().map_or_else(|failure| failure.to_string(), |()| format);
        assert_eq!([held, origin(&config, "format")], expected, "{arguments:?}");
        config.format
    };
    let told = check("", &[], &["-o", "a.html"], &["html", "--output"]);
    assert_eq!(told, explore::typeset::format::Format::Html);
    check("", &[], &["-o", "a.txt"], &["terminal", "default"]);
    check("format = \"json\"", &[], &["-o", "a.MD"], &["markdown", "--output"]);
    check("format = \"json\"\noutput = \"a.json\"", &[], &[], &["json", "explore.toml:1"]);
    check("", &[("EXPLORE_OUTPUT", "a.htm")], &[], &["html", "EXPLORE_OUTPUT"]);
    let contradicted = |format: &str, path: &str, told: &str| {
        let (_, ending) = path.rsplit_once('.').unwrap();
        format!("--format {format} and --output {path} contradict each other: the ending .{ending} asks for {told}")
    };
    let refused = contradicted("json", "a.html", "html");
    check("", &[], &["-o", "a.html", "--format", "json"], &[&refused, "--format"]);
    check("output = \"a.html\"", &[], &["--format", "json"], &[&refused, "--format"]);
    check("format = \"json\"\noutput = \"a.html\"", &[], &[], &[&refused, "explore.toml:1"]);
}

#[test]
fn what_the_file_has_wrong_is_named_with_its_line() {
    let check = |file: &str, expected: &str| {
        let message = resolve(file, &[], &[]).unwrap_err().to_string();
        assert_eq!(message, format!("explore.toml:{expected}"));
    };
    check("max_iteration = 3", "1: unknown key `max_iteration`; did you mean `max_iterations`?");
    check("# a\n\nmax-rows = 3", "3: unknown key `max-rows`; did you mean `max_rows`?");
    check("max_rows = \"many\"", "1: max_rows: expected a whole number, found text");
    check("max_rows = 0", "1: max_rows: expected a whole number from 1, found `0`");
    check("demo = \"yes\"", "1: demo: expected true or false, found text");
    check("\nquery_timeout = 30", "2: query_timeout: expected text in quotes, found a whole number");
    check(
        "query_timeout = \"30\"",
        "1: query_timeout: expected a length of time with its unit, such as 30s, 10m or 1h30m, found `30`",
    );
    check("api = \"chatty\"", "1: api: expected one of responses, chat, found `chatty`");
    check("schema = [\"a\", 1]", "1: schema: expected a list of texts, such as [\"a\", \"b\"], found a list");
    check("prices = 3", "1: prices: expected a table, found a whole number");
    check("[prices.\"m\"]\ninput = 1\nouput = 2", "3: unknown key `ouput`; did you mean `output`?");
    check("[prices.\"m\"]\ninput = 1", "1: prices.\"m\": `output` is missing");
    check(
        "[prices.\"m\"]\ninput = \"a\"\noutput = 1",
        "2: prices.\"m\".input: expected US dollars per million tokens, found text",
    );
    check("[sql]\nallow_function = []", "2: unknown key `allow_function`; did you mean `allow_functions`?");
    check("[sql]\nallow_functions = [1]", "2: sql.allow_functions: expected a name, found a whole number");
    check(
        "[sql.set_local]\nstatement_timeout = \"0\"",
        "2: sql.set_local: \"statement_timeout\" is a setting of the server; only those with a dot, such as \
         \"app.tenant\", can be set here",
    );
    check(
        "time_zone = \"Europe/Barlin\"",
        "1: time_zone: expected the name of a time zone, such as Europe/Paris; did you mean `Europe/Berlin`?, found \
         `Europe/Barlin`",
    );
    check("max_plan_cost = -1", "1: max_plan_cost: expected a cost above 0, such as 1e9, or off, found `-1`");
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line_and_not_quoted() {
    let message =
        resolve("model = \"a\"\ndatabase_url = \"postgres://me:hunter2@h/d\n", &[], &[]).unwrap_err().to_string();
    assert!(message.starts_with("explore.toml:2: not TOML: "), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("other.toml"), "max_rows = 5").unwrap();
    let named = resolve_in(directory.path(), &[], &["--config", "other.toml"]).unwrap();
    assert_eq!((named.query.rows_max, origin(&named, "max_rows").as_str()), (5, "other.toml:1"));
    let named = resolve_in(directory.path(), &[("EXPLORE_CONFIG", "other.toml")], &[]).unwrap();
    assert_eq!(named.query.rows_max, 5);
    let message = resolve_in(directory.path(), &[], &["--config", "missing.toml"]).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the configuration missing.toml: "), "{message}");
}

#[test]
fn a_variable_with_a_bad_value_is_named() {
    let message = resolve("", &[("EXPLORE_MAX_ROWS", "many")], &[]).unwrap_err().to_string();
    assert_eq!(message, "EXPLORE_MAX_ROWS: expected a whole number from 1, found `many`");
    let message = resolve("", &[("EXPLORE_DEMO", "perhaps")], &[]).unwrap_err().to_string();
    assert_eq!(message, "EXPLORE_DEMO: expected true or false, found `perhaps`");
}

#[test]
fn a_password_in_an_endpoints_url_is_refused_and_not_repeated() {
    let message = resolve("", &[("OPENAI_BASE_URL", "https://me:hunter2@gateway/v1")], &[]).unwrap_err().to_string();
    assert!(message.contains("OPENAI_API_KEY") && !message.contains("hunter2"), "{message}");
}

#[test]
fn a_variable_that_means_nothing_is_warned_of_with_the_nearest() {
    let check = |name: &str, expected: &str| {
        assert_eq!(resolve("", &[(name, "x")], &[]).unwrap().warnings, [expected]);
    };
    check("EXPLORE_MAX_ITERATION", "unknown variable EXPLORE_MAX_ITERATION; did you mean `EXPLORE_MAX_ITERATIONS`?");
    check("EXPLORE_DATABASE_URL", "unknown variable EXPLORE_DATABASE_URL; did you mean `DATABASE_URL`?");
    check("EXPLORE_ZZZ", "unknown variable EXPLORE_ZZZ");
}

#[test]
fn prices_are_read_without_rounding() {
    let file =
        "[prices.\"gpt-5.2\"]\ninput = 1.75\ncached_input = 0.175\noutput = 14\n[prices.mine]\ninput = 0\noutput = 0.0";
    let prices = resolve(file, &[], &[]).unwrap().prices;
    let price = prices["gpt-5.2"];
    assert_eq!(price.input.to_string(), "1.75");
    assert_eq!(price.cached_input.unwrap().to_string(), "0.175");
    assert_eq!(price.output.to_string(), "14");
    assert_eq!(prices["mine"].cached_input, None);
}

#[test]
fn the_database_is_the_one_of_the_layer_that_wins() {
    let check = |file: &str, variables: &[(&str, &str)], arguments: &[&str], expected: &str| {
        let config = resolve(file, variables, arguments).unwrap();
        let found = match config.source() {
            Ok((Source::Demo, note)) => format!("demo {}", note.unwrap_or_default()),
            Ok((Source::Script(_), note)) => format!("script {}", note.unwrap_or_default()),
            Ok((Source::Files(files), note)) => format!("{files:?} {}", note.unwrap_or_default()),
            Ok((Source::Server(_), note)) => format!("server {}", note.unwrap_or_default()),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(found.trim(), expected, "{file} {variables:?} {arguments:?}");
    };
    let (url, variable) = ("database_url = \"postgres://h/d\"\n", [("DATABASE_URL", "postgres://h/d")]);
    check("", &[], &[], "no database to explore");
    check("", &[], &["--demo"], "demo");
    check("", &[], &["--load", "big.sql"], "script");
    check(url, &[], &[], "server");
    check("", &[], &["a.csv", "--file", "b.csv", "./c"], r#"["b.csv", "a.csv", "./c"]"#);
    check("file = [\"a.csv\", \"b,c.csv\"]", &[], &[], r#"["a.csv", "b,c.csv"]"#);
    check("", &[], &["doctor", "a.csv"], r#"["a.csv"]"#);
    let note = "exploring the database of a.csv; the one of DATABASE_URL is ignored";
    check("", &variable, &["a.csv"], &format!("[\"a.csv\"] {note}"));
    check("", &[], &["--demo", "a.csv"], "two databases are named: by --demo and by a.csv");
    check("", &variable, &["--demo"], "demo exploring the database of --demo; the one of DATABASE_URL is ignored");
    check(
        "demo = true",
        &variable,
        &[],
        "server exploring the database of DATABASE_URL; the one of explore.toml:1 is ignored",
    );
    let both = "two databases are named: by";
    check("", &[], &["--demo", "--database-url", "postgres://h/d"], &format!("{both} --demo and by --database-url"));
    check(&format!("{url}demo = true"), &[], &[], &format!("{both} explore.toml:2 and by explore.toml:1"));
}

#[test]
fn the_player_is_a_model_only_where_one_was_asked_for_and_can_be() {
    let check = |variables: &[(&str, &str)], arguments: &[&str], expected: &str| {
        let found = match resolve("", variables, arguments).unwrap().player() {
            Ok(Player::Offline) => "offline".to_owned(),
            Ok(Player::Models(first, others)) => {
                let models = [&*first].into_iter().chain(&others).map(|one| one.options.model.as_str());
                let api = if first.options.api == Api::Chat { "chat" } else { "responses" };
                format!("{} over {api}", models.collect::<Vec<_>>().join(" then "))
            }
            Err(failure) => failure.to_string(),
        };
        assert_eq!(found, expected, "{variables:?} {arguments:?}");
    };
    let key = [("OPENAI_API_KEY", "sk-verysecret")];
    let server = ["--database-url", "postgres://h/d"];
    let with = |more: &[&'static str]| [&server[..], more].concat();
    check(&[], &server, "no API key for the model");
    check(&[], &with(&["--offline"]), "offline");
    check(&key, &with(&["--offline", "--model", "m"]), "offline");
    check(&key, &server, "gpt-5.2 over responses");
    check(&key, &with(&["--api", "chat"]), "gpt-5.2 over chat");
    check(&key, &with(&["--base-url", "https://api.openai.com/v1"]), "gpt-5.2 over responses");
    check(&[], &with(&["--base-url", "https://api.openai.com/v1"]), "no API key for the model");
    let elsewhere = ["--base-url", "http://localhost:11434/v1"];
    check(&[], &with(&elsewhere), "no model is named, and only OpenAI's endpoint has a default one");
    check(&[], &with(&[&elsewhere[..], &["--model", "qwen3"]].concat()), "qwen3 over chat");
    check(&[], &with(&[&elsewhere[..], &["--model", "small, large"]].concat()), "small then large over chat");
    check(&key, &with(&["-m", "small", "-m", "large"]), "small then large over responses");
    check(&[("EXPLORE_MODEL", "small,large"), key[0]], &server, "small then large over responses");
    check(&[], &["--demo"], "offline");
    check(&key, &["--demo"], "offline");
    check(&[("EXPLORE_MODEL", "gpt-5.2")], &["--demo"], "offline");
    check(&key, &["--demo", "--model", "gpt-5.2"], "gpt-5.2 over responses");
    check(&[], &["--demo", "--model", "gpt-5.2"], "no API key for the model");
    let limited = with(&["--max-cost", "1"]);
    check(&key, &limited, "--max-cost cannot be enforced: the price of gpt-5.2 is unknown");
    let limited = with(&["--max-cost-month", "1"]);
    check(&key, &limited, "--max-cost-month cannot be enforced: the price of gpt-5.2 is unknown");
    let priced = resolve("[prices.\"gpt-5.2\"]\ninput = 1\noutput = 2", &key, &limited).unwrap();
    assert!(matches!(priced.player(), Ok(Player::Models(..))));
}

#[test]
fn several_models_may_stand_in_the_file() {
    for file in ["model = [\"small\", \"large\"]", "model = \"small,large\""] {
        let config = resolve(file, &[("OPENAI_API_KEY", "sk-verysecret")], &[]).unwrap();
        let Ok(Player::Models(first, others)) = config.player() else { panic!("no model: {file}") };
        let others = others.iter().map(|one| one.options.model.as_str()).collect::<Vec<_>>();
        assert_eq!((first.options.model.as_str(), others.as_slice()), ("small", ["large"].as_slice()));
    }
    let message = resolve("model = [\"small\", \"\"]", &[], &[]).unwrap_err().to_string();
    assert_eq!(message, "explore.toml:1: model: expected a name, found `small`, ``");
}

#[test]
fn secrets_are_masked_wherever_they_could_show() {
    let variables = [
        ("DATABASE_URL", "postgres://me:hunter2@h/d?sslmode=require&sslpassword=hunter2"),
        ("OPENAI_API_KEY", "sk-verysecret"),
        ("OPENAI_BASE_URL", "https://gateway/v1"),
        ("EXPLORE_MODEL", "m"),
    ];
    let config = resolve("", &variables, &[]).unwrap();
    let source = config.source().unwrap();
    let endpoint = config.player().unwrap();
    let mut shown = vec![format!("{config:?}"), format!("{source:?} {endpoint:?}"), config.masked().to_string()];
    let program = variables.iter().fold(Program::new(), |program, (name, value)| program.variable(name, value));
    for arguments in
        [&["config"] as &[_], &["config", "--json"], &["-vv", "--demo", "--database-url", "postgres://me:hunter2@h/d"]]
    {
        let outcome = program.run(arguments);
        shown.push(outcome.stdout + &outcome.stderr);
    }
    for text in shown {
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[test]
fn passwords_are_masked_in_every_form_of_a_connection_string() {
    let check = |url: &str, expected: &str| {
        let config = resolve("", &[("DATABASE_URL", url)], &[]).unwrap();
        assert_eq!(config.masked()["database_url"], expected);
    };
    check("postgres://h/d", "postgres://h/d");
    check("postgres://me@h/d", "postgres://me@h/d");
    check("postgres://me:hunter2@h/d", "postgres://me:***@h/d");
    check("postgres://me:hun@ter2/x?y@h/d", "postgres://me:***@h/d");
    check("postgres://h/d?password=hunter2&application_name=a", "postgres://h/d?password=***&application_name=a");
    check("host=h password='hunter 2' dbname=d", "host=h password=***");
    check("hunter2", "***");
}

#[test]
fn the_configuration_is_printed_as_toml_with_where_each_value_came_from() {
    let program = Program::new()
        .file("explore.toml", "model = \"m\"\nschema = [\"a\", \"b\"]\nas_of = 2025-11-30\n[sql]\nallow_functions = [\"f\"]\n[channels.team]\nkind = \"mail\"\nserver = \"h\"\nuser = \"me\"\npassword_env = \"P\"\nfrom = \"a@b.c\"\nto = [\"d@b.c\"]\n[prices.m]\ninput = 1.50\noutput = 2\n")
        .variable("DATABASE_URL", "postgres://me:hunter2@h/d")
        .variable("OPENAI_API_KEY", "sk-verysecret");
    let outcome = program.run(&["config", "--max-rows", "5", "-v"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    outcome.stdout.parse::<toml::Table>().unwrap();
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn the_configuration_is_printed_as_json_with_where_each_value_came_from() {
    let outcome = Program::new().file("explore.toml", "max_rows = 5").run(&["config", "--json"]);
    let json = serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap();
    assert_eq!(json["max_rows"], serde_json::json!({ "value": 5, "origin": "explore.toml:1" }));
    assert_eq!(json["demo"], serde_json::json!({ "value": false, "origin": "default" }));
    assert_eq!(json["model"], serde_json::json!({ "value": null, "origin": null }));
}
