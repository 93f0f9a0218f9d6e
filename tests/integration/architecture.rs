//! The invariants of the crate's map that its text can show: which file may name what.

use std::fs;
use std::path::{Path, PathBuf};

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
    check("tokio_postgres", &["warehouse/", "state/", "monitor/memory/"]);
    check("deadpool_postgres", &["warehouse/"]);
    check("oliphaunt_wasix", &["warehouse/embedded.rs"]);
    check("sqlparser", &["warehouse/sql/"]);
    check("lettre", &["deliver/"]);
    check("indicatif", &["app/progress.rs", "app/output.rs"]);
    check("resvg", &["monitor/chart/png.rs"]);
    check("epaint_default_fonts", &["monitor/chart/png.rs"]);
    check("clap::", &["app/", "main.rs"]);
}

#[test]
fn a_finding_is_made_by_the_checker_alone() {
    check("checked: Checked", &["finding.rs", "finding/check.rs"]);
}

/// The loop's own files, beside the tools, the prompt and the journal that it is given.
const THE_LOOP: [&str; 6] =
    ["agent/budget", "agent/context", "agent/cut", "agent/mute", "agent/recording", "agent/turn"];

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
        for text in ["crate::model", "crate::agent", "commentary::", "crate::warehouse", "crate::state"] {
            assert!(!code.contains(text), "{} names {text}", file.display());
        }
    }
}
