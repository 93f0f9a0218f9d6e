//! Reads the monitors of a folder, each a `<key>.toml` beside a `<key>.sql`, and those built into the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Monitor;
use super::build::{Text, parse};
use super::problem::Problem;

/// Maximum size of a file in bytes. A larger file is rejected.
const FILE_BYTES_MAX: u64 = 1 << 20;

const SHIPPED: [(&str, &str, &str); 2] = [
    (
        "ga4_events",
        include_str!("../../../metadata/monitors/ga4_events.toml"),
        include_str!("../../../metadata/monitors/ga4_events.sql"),
    ),
    (
        "revenue_funnel",
        include_str!("../../../metadata/monitors/revenue_funnel.toml"),
        include_str!("../../../metadata/monitors/revenue_funnel.sql"),
    ),
];

/// The valid monitors of a folder in the order of their keys, and the problems of the others.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    pub monitors: Vec<Monitor>,
    /// All problems by file and line. A file with a problem makes no monitor.
    pub problems: Vec<Problem>,
}

impl Registry {
    /// Returns the monitors built into the program.
    pub fn shipped() -> Self {
        let mut registry = Self::default();
        for (key, toml, sql) in SHIPPED {
            let path = |extension: &str| Path::new("metadata/monitors").join(format!("{key}.{extension}"));
            let (toml_path, sql_path) = (path("toml"), path("sql"));
            let (toml, sql) = (Text { path: &toml_path, text: toml }, Text { path: &sql_path, text: sql });
            registry.add(parse(key, toml, sql));
        }
        registry
    }

    /// Reads a folder. Files other than `.toml` and `.sql` are ignored. Returns an error only if the folder itself
    /// cannot be read.
    pub fn read(directory: &Path) -> Result<Self, Problem> {
        let unreadable = |error: io::Error| {
            let message = format!("cannot read the folder of monitors: {error}; choose another one with --monitors");
            Problem { path: directory.to_owned(), line: None, message }
        };
        let mut files = BTreeMap::<String, Pair>::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let Some(key) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let pair = files.entry(key.to_owned());
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") => pair.or_default().toml = Some(path),
                Some("sql") => pair.or_default().sql = Some(path),
                _ => {}
            }
        }
        let mut registry = Self::default();
        for (key, pair) in files {
            registry.add(pair.monitor(&key));
        }
        Ok(registry)
    }

    /// Returns the keys of all monitors, including those with problems.
    pub fn keys(&self) -> BTreeSet<String> {
        let wrong = self.problems.iter().filter_map(|problem| problem.path.file_stem()?.to_str());
        self.monitors.iter().map(|monitor| monitor.key.as_str()).chain(wrong).map(str::to_owned).collect()
    }

    fn add(&mut self, parsed: Result<Monitor, Vec<Problem>>) {
        match parsed {
            Ok(monitor) => self.monitors.push(monitor),
            Err(problems) => self.problems.extend(problems),
        }
    }
}

/// The two files of a monitor.
#[derive(Debug, Default)]
struct Pair {
    toml: Option<PathBuf>,
    sql: Option<PathBuf>,
}

impl Pair {
    fn monitor(self, key: &str) -> Result<Monitor, Vec<Problem>> {
        let alone = |path: PathBuf, other: &str| {
            let message = format!("there is no {key}.{other} beside it; a monitor is two files");
            Err(vec![Problem { path, line: None, message }])
        };
        let (toml, sql) = match (self.toml, self.sql) {
            (Some(toml), Some(sql)) => (toml, sql),
            (Some(path), None) => return alone(path, "sql"),
            (None, Some(path)) => return alone(path, "toml"),
            (None, None) => return Err(Vec::new()),
        };
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if !key.chars().all(plain) {
            let message = "a monitor's name may contain only letters, digits, _ and -; rename its files".to_owned();
            return Err(vec![Problem { path: toml, line: None, message }]);
        }
        match (read(&toml), read(&sql)) {
            (Ok(toml_text), Ok(sql_text)) => {
                parse(key, Text { path: &toml, text: &toml_text }, Text { path: &sql, text: &sql_text })
            }
            (toml_text, sql_text) => Err([toml_text.err(), sql_text.err()].into_iter().flatten().collect()),
        }
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    let problem = |message: String| Problem { path: path.to_owned(), line: None, message };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(format!("it is larger than {FILE_BYTES_MAX} bytes, the maximum for a monitor's file")));
    }
    Ok(text)
}
