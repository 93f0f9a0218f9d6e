//! Verified questions: what can be expected, and what a run does with it.

mod alerts;
mod answers;
mod files;
mod moves;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::state::on_server;
use crate::support::program::{Outcome, Program};
use crate::support::server;

/// The program in a folder with these questions, with data and a state of its own. Messages go to the folder `out`.
pub(crate) struct Verified {
    pub(crate) program: Program,
    pub(crate) data: String,
    pub(crate) state: String,
}

impl Verified {
    pub(crate) async fn new(name: &str, data: &str, questions: &[(&str, &str)]) -> Self {
        let data = server::fresh(&format!("verify_{name}"), data).await;
        let (_, state) = on_server(&format!("verify_{name}_state")).await;
        let program = Program::new()
            .variable("DATABASE_URL", &data)
            .variable("EXPLORE_STATE_URL", &state)
            .variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
            .variable("TZ", "UTC")
            .file(
                "explore.toml",
                "[verify]\nnotify = [\"drop\"]\n\n[channels.drop]\nkind = \"file\"\ndirectory = \"out\"\n",
            );
        fs::create_dir_all(program.path("metadata/verified")).unwrap();
        let verified = Self { program, data, state };
        for (name, text) in questions {
            verified.write(name, text);
        }
        verified
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.program.path(&format!("metadata/verified/{name}.sql")), text).unwrap();
    }

    pub(crate) async fn change(&self, sql: &str) {
        server::execute(&self.data, sql).await;
    }

    /// Runs `explore verify`, and checks its exit code.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> Outcome {
        let outcome = self.program.run(&[&["verify"], arguments].concat());
        assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// Runs it, and checks that what it says has all these texts, in this order. Lines are joined.
    #[track_caller]
    pub(crate) fn says(&self, arguments: &[&str], code: i32, expected: &[&str]) {
        let Outcome { stdout, stderr, .. } = self.run(arguments, code);
        let text = format!("{stdout}{stderr}").split_whitespace().collect::<Vec<_>>().join(" ");
        let mut rest = text.as_str();
        for expected in expected {
            let place = rest.find(expected).unwrap_or_else(|| panic!("{expected:?} is not in, or not here in: {text}"));
            rest = &rest[place + expected.len()..];
        }
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--format", "json"]].concat(), code).stdout).unwrap()
    }

    /// The subjects of the messages that were sent, in order.
    pub(crate) fn subjects(&self) -> Vec<String> {
        messages(&self.program.path("out")).iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
    }
}

/// The messages in a folder, sorted by when they were about.
pub(crate) fn messages(directory: &Path) -> Vec<Value> {
    let Ok(files) = fs::read_dir(directory) else { return Vec::new() };
    let read = |file: std::io::Result<fs::DirEntry>| {
        serde_json::from_str::<Value>(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap()
    };
    let mut messages = files.map(read).collect::<Vec<_>>();
    messages.sort_by_key(|message| message["data"]["at"].as_str().unwrap().to_owned());
    messages
}
