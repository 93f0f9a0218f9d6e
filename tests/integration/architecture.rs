//! The invariants of the crate's map that its text can show: which folder imports from which, which file may name what.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The folders of `src`. Each imports only from rows below its own, so folders of one row do not import each other.
const ROWS: [&[&str]; 9] = [
    &["app"],
    &["serve"],
    &["monitor", "exploration", "verify"],
    &["sample", "agent", "deliver"],
    &["instruments"],
    &["finding"],
    &["semantic", "model", "state"],
    &["analysis", "warehouse"],
    &["typeset"],
];

fn row_of(folder: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&folder))
}

/// The folders that `code`, the text of a file below `folder` at this depth, imports although it may not.
fn forbidden(folder: &str, depth: usize, code: &str) -> BTreeSet<String> {
    let from_root =
        format!(r"\b(?:crate|(?:super::){{{depth}}}super)::(?:(\w+)|\{{([^;]*?)\}}\s*;)", depth = depth - 1);
    let from_root = Regex::new(&from_root).unwrap();
    let first_word = Regex::new(r"(?:^|,)\s*(\w+)").unwrap();
    let braces = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut named = BTreeSet::new();
    for captures in from_root.captures_iter(&without_comments(code)) {
        named.extend(captures.get(1).map(|name| name.as_str().to_owned()));
        // A group such as `crate::{agent, model::{self, Model}}`: the words at its outer level.
        let group = captures.get(2).map_or("", |group| group.as_str());
        let outer = braces.replace_all(group, "").into_owned();
        named.extend(first_word.captures_iter(&outer).map(|word| word[1].to_owned()));
    }
    let own = row_of(folder).unwrap();
    named.retain(|name| name != folder && row_of(name).is_some_and(|row| row <= own));
    named
}

fn without_comments(code: &str) -> String {
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_folder_imports_only_from_rows_below_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut folders = BTreeSet::new();
    for file in files {
        let place = file.strip_prefix(&root).unwrap().with_extension("");
        let depth = place.components().count();
        let folder = place.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if ["lib", "main"].contains(&folder.as_str()) {
            continue;
        }
        assert!(row_of(&folder).is_some(), "{folder} is in no row of the table");
        let forbidden = forbidden(&folder, depth, &fs::read_to_string(&file).unwrap());
        assert!(forbidden.is_empty(), "{} imports {forbidden:?}, which {folder} may not", place.display());
        folders.insert(folder);
    }
    assert_eq!(folders, ROWS.concat().into_iter().map(str::to_owned).collect(), "the table and the folders");
}

#[test]
fn a_planted_upward_import_is_noticed() {
    let check = |folder: &str, depth: usize, code: &str, expected: &[&str]| {
        let expected = expected.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(forbidden(folder, depth, code), expected, "{code}");
    };
    check("warehouse", 2, "use crate::semantic::roles;", &["semantic"]);
    check("warehouse", 2, "use super::super::semantic::roles;", &["semantic"]);
    check("warehouse", 2, "use super::table::Table;\nuse crate::typeset::text;", &[]);
    check("monitor", 1, "pub use super::app::output;", &["app"]);
    check("monitor", 3, "let day = crate::exploration::report::day();", &["exploration"]);
    check("agent", 2, "use crate::{\n    deliver::{self, Channels},\n    finding::told::Told,\n};", &["deliver"]);
    check("app", 3, "use crate::{monitor, warehouse::sql};", &[]);
    check("state", 2, "/// See [`crate::monitor::memory`].\nuse crate::warehouse::Error;", &[]);
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The files below `src` whose code, comments left out, has `text`; all must begin with one of `places`.
#[track_caller]
fn check(text: &str, places: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut users = 0;
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        let names = code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(text));
        if names {
            users += 1;
            let file = file.strip_prefix(&root).unwrap().to_str().unwrap();
            assert!(places.iter().any(|place| file.starts_with(place)), "{file} names {text}; only {places:?} may");
        }
    }
    assert!(users > 0, "nothing names {text} any more");
}

#[test]
fn each_outside_service_is_named_in_one_place() {
    check("async_openai", &["model/openai"]);
    let stores = ["warehouse/", "state/", "monitor/memory/", "exploration/memory/", "serve/store/", "verify/memory.rs"];
    check("tokio_postgres", &stores);
    check("axum::", &["serve"]);
    check("aide::", &["serve"]);
    check("deadpool_postgres", &["warehouse/"]);
    check("oliphaunt_wasix", &["warehouse/embedded.rs"]);
    check("sqlparser", &["warehouse/sql/", "warehouse/lineage/resolve"]);
    check("lettre", &["deliver/"]);
    check("indicatif", &["app/progress.rs", "app/output.rs"]);
    check("resvg", &["typeset/png.rs"]);
    check("epaint_default_fonts", &["typeset/png.rs"]);
    check("clap::", &["app/", "main.rs"]);
}

#[test]
fn facts_and_findings_are_made_by_the_engine_alone() {
    check("evaluated: Evaluated", &["finding/fact.rs", "finding/fact/expected.rs"]);
    check("stated: Stated,", &["finding/record.rs"]);
    check("Event::Found(", &["agent/journal", "agent/runs.rs", "agent/costs.rs", "app/progress"]);
}

#[test]
fn facts_of_a_day_are_made_of_what_the_engine_of_monitors_measured_alone() {
    check("Measurement", &["finding/fact.rs", "finding/fact/expected.rs", "monitor/commentary/facts.rs"]);
}

/// The loop's own files, beside the tools, the prompt and the journal that it is given.
const THE_LOOP: [&str; 6] =
    ["agent/budget", "agent/context", "agent/truncation", "agent/idle", "agent/recording", "agent/turn"];

#[test]
fn the_loop_knows_no_provider_no_database_and_no_terminal() {
    for text in ["openai", "postgres", "console", "println"] {
        for part in ["agent"].into_iter().chain(THE_LOOP) {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(format!("{part}.rs"));
            let code = fs::read_to_string(&file).unwrap();
            assert!(!code.to_lowercase().contains(text), "{} names {text}", file.display());
        }
    }
}

#[test]
fn plain_values_at_the_bottom_do_no_input_or_output() {
    for module in [
        "warehouse/sql",
        "finding",
        "instruments",
        "warehouse/table",
        "semantic/roles",
        "monitor/chart",
        "monitor/detect",
        "monitor/engine",
        "analysis",
        "monitor/growth",
        "monitor/series",
        "monitor/report",
        "monitor/message",
        "verify/check",
        "verify/expectation",
        "verify/message",
        "verify/report",
    ]
    .into_iter()
    .chain(THE_LOOP)
    {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = vec![root.join(format!("{module}.rs"))];
        if root.join(module).is_dir() {
            sources(&root.join(module), &mut files);
        }
        for file in files {
            let code = fs::read_to_string(&file).unwrap();
            for text in ["std::fs", "std::net", "std::env", "SystemTime", "Timestamp::now", "ZonedDateTime::now"] {
                assert!(!code.contains(text), "{} names {text}", file.display());
            }
        }
    }
}

#[test]
fn whether_an_alert_fires_is_decided_without_a_model() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/monitor");
    let names = ["engine.rs", "detect.rs", "series.rs"];
    let mut files = names.map(|name| root.join(name)).to_vec();
    sources(&root.join("../analysis"), &mut files);
    for folder in ["engine", "series"] {
        sources(&root.join(folder), &mut files);
    }
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        for text in [
            "crate::model",
            "crate::agent",
            "commentary::",
            "warehouse::executor",
            "warehouse::postgres",
            "Database",
            "crate::state",
        ] {
            assert!(!code.contains(text), "{} names {text}", file.display());
        }
    }
}

/// The doc comment that ends just above line `index`, above attributes, as one text; its first paragraph.
fn doc_above(lines: &[&str], index: usize) -> String {
    let mut first = index;
    while first > 0 && !lines[first - 1].trim().is_empty() && !lines[first - 1].starts_with('}') {
        first -= 1;
    }
    let docs = lines[first..index].iter().filter_map(|line| line.trim().strip_prefix("///")).map(str::trim);
    docs.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether the text is a whole sentence or several.
fn is_sentence(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_uppercase() || "`[/".contains(first));
    begins && text.ends_with(['.', ':', ')']) && text.split_whitespace().count() >= 3
}

#[test]
fn every_module_trait_and_public_type_has_a_whole_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let public = Regex::new(r"^pub (?:trait|struct|enum|type|union) (\w+)").unwrap();
    let mut without = Vec::new();
    let mut types = 0;
    for file in files {
        let place = file.strip_prefix(&root).unwrap().display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().collect::<Vec<_>>();
        let module = lines.iter().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let module = module.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        if !is_sentence(&module) {
            without.push(format!("{place}: {module:?}"));
        }
        for (index, name) in lines.iter().enumerate().filter_map(|(index, line)| Some((index, public.captures(line)?)))
        {
            types += 1;
            let doc = doc_above(&lines, index);
            if !is_sentence(&doc) {
                without.push(format!("{place}: {}: {doc:?}", &name[1]));
            }
        }
    }
    assert!(types > 100, "only {types} public types were found");
    assert!(without.is_empty(), "without a whole sentence:\n{}", without.join("\n"));
}
