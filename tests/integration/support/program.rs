//! The program as a user runs it: the real binary, in a directory of its own, with no variable but those given.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A directory and an environment to run the program in.
pub(crate) struct Program {
    directory: TempDir,
    pub(crate) variables: Vec<(String, String)>,
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        // What is remembered has tests of its own.
        let variables = vec![("EXPLORE_MEMORY".to_owned(), "off".to_owned())];
        Self { directory: tempfile::tempdir().unwrap(), variables }
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let output = self.command().args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) fn command(&self) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_explore")))
    }

    /// The program as a shell starts it after `preparation`.
    pub(crate) fn command_after(&self, preparation: &str) -> Command {
        let mut command = self.prepared(Command::new("/bin/bash"));
        command.args(["-c", &format!("{preparation}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_explore")]);
        command
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.env_clear().envs(self.variables.iter().cloned()).current_dir(self.directory());
        command
    }
}
