//! Reads the verified questions of a folder, each one `.sql` file, and those of the sample data.
//!
//! ```sql
//! -- question: What was the revenue of each closed month?
//! -- expect: revenue never moves by month
//! -- notify: ops
//! SELECT date_trunc('month', sold_on)::date AS month, sum(amount) AS revenue FROM sales ...
//! ```

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::expectation::{Expectation, parse};
use crate::typeset::spelling::nearest;
use crate::typeset::text::hex;

/// Maximum size of a file in bytes. A larger file is refused.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most expectations of one file.
const EXPECTATIONS_MAX: usize = 50;
const KEYS: [&str; 3] = ["question", "expect", "notify"];
const SHIPPED: [(&str, &str); 2] = [
    ("closed_months", include_str!("../../metadata/verified/closed_months.sql")),
    ("discounts", include_str!("../../metadata/verified/discounts.sql")),
];

/// A question whose file passed all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of the file without `.sql`.
    pub name: String,
    pub path: PathBuf,
    pub question: String,
    /// At least one.
    pub expectations: Vec<Expectation>,
    /// The channels for alerts that the file names; empty if it leaves that to the configuration.
    pub notify: Vec<String>,
    /// The whole text of the file, so that positions in errors are those of the file.
    pub sql: String,
    /// A hash of the SELECT without the head and without regard to white space.
    pub definition: String,
}

/// A problem in a question's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub path: PathBuf,
    /// The line, from 1; `None` if it is the whole file.
    pub line: Option<usize>,
    /// What is wrong and what to write.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, "{line}:")?;
        }
        write!(formatter, " {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// One file of the folder, in the order of the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub path: PathBuf,
    /// The question, or all problems of its file.
    pub question: Result<Question, Vec<Problem>>,
}

/// Returns the questions about the sample data.
pub fn shipped() -> Vec<Entry> {
    let entry = |(name, text): (&str, &str)| {
        let path = Path::new("metadata/verified").join(format!("{name}.sql"));
        Entry { name: name.to_owned(), question: read_question(name, &path, text), path }
    };
    SHIPPED.map(entry).into()
}

/// Reads the `.sql` files of a folder; other files are ignored. Returns an error only if the folder itself cannot be
/// read.
pub fn read(directory: &Path) -> Result<Vec<Entry>, Problem> {
    let unreadable = |error: io::Error| {
        let message = format!("cannot read the folder of verified questions: {error}");
        Problem { path: directory.to_owned(), line: None, message }
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        entries.push(Entry { question: read_file(&name, &path), name, path });
    }
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(entries)
}

fn read_file(name: &str, path: &Path) -> Result<Question, Vec<Problem>> {
    let problem = |message: String| vec![Problem { path: path.to_owned(), line: None, message }];
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if !name.chars().all(plain) {
        let message = "a question's name may contain only letters, digits, _ and -; rename its file".to_owned();
        return Err(problem(message));
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    read.map_err(|error| problem(format!("cannot be read: {error}")))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(format!("is larger than {FILE_BYTES_MAX} bytes, the maximum for a question's file")));
    }
    read_question(name, path, &text)
}

/// Reads the text of a file. All problems are found in one pass.
pub fn read_question(name: &str, path: &Path, text: &str) -> Result<Question, Vec<Problem>> {
    let mut head = Head::default();
    let (mut lines_of_head, mut select) = (0, String::new());
    for (line, content) in text.lines().enumerate().map(|(index, content)| (index + 1, content.trim())) {
        let comment = content.strip_prefix("--");
        if select.is_empty() && (content.is_empty() || comment.is_some()) {
            head.add(line, comment.unwrap_or_default());
            lines_of_head = line;
            continue;
        }
        if let Some(key) = comment.and_then(key_of).filter(|(key, _)| KEYS.contains(key)).map(|(key, _)| key) {
            head.problem(line, format!("`{key}:` stands below the beginning of the SELECT; write it above"));
        }
        select.extend([content, " "]);
    }
    let definition = select.split_whitespace().collect::<Vec<_>>().join(" ");
    let definition = definition.trim_end_matches([';', ' ']);
    if definition.is_empty() {
        head.problem(lines_of_head.max(1), "the SELECT is missing; write it below the head".to_owned());
    }
    if head.question.is_empty() {
        head.problem(1, "the question is missing; write `-- question: What ...?` at the top".to_owned());
    }
    if !head.expects {
        let message = "nothing is expected; write `-- expect: ...`, such as `-- expect: rows >= 1`".to_owned();
        head.problem(1, message);
    }
    if head.expectations.len() > EXPECTATIONS_MAX {
        head.problem(1, format!("has more than {EXPECTATIONS_MAX} expectations; make two files of it"));
    }
    let Head { question, expectations, notify, problems, expects: _ } = head;
    if problems.is_empty() {
        let (name, path, sql) = (name.to_owned(), path.to_owned(), text.to_owned());
        let definition = hex(&Sha256::digest(definition)[..16]);
        return Ok(Question { name, path, question: question.join(" "), expectations, notify, sql, definition });
    }
    let problem = |(line, message)| Problem { path: path.to_owned(), line: Some(line), message };
    Err(problems.into_iter().map(problem).collect())
}

/// What the head of a file says.
#[derive(Default)]
struct Head {
    question: Vec<String>,
    expectations: Vec<Expectation>,
    notify: Vec<String>,
    /// Whether a line says what is expected, rightly or wrongly.
    expects: bool,
    /// The lines with what is wrong there.
    problems: Vec<(usize, String)>,
}

impl Head {
    fn problem(&mut self, line: usize, message: String) {
        self.problems.push((line, message));
    }

    /// Reads a comment. One that is no `key: value` is for people.
    fn add(&mut self, line: usize, comment: &str) {
        let Some((key, value)) = key_of(comment) else { return };
        match key {
            "question" if value.is_empty() => self.problem(line, "`question:` says no question".to_owned()),
            "question" => self.question.push(value.to_owned()),
            "expect" => {
                self.expects = true;
                match parse(value, line) {
                    Ok(expectation) => self.expectations.push(expectation),
                    Err(message) => self.problem(line, message),
                }
            }
            "notify" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
                let before = self.notify.len();
                self.notify.extend(names);
                if self.notify.len() == before {
                    self.problem(line, "`notify:` names no channel; write `-- notify: mail`".to_owned());
                }
            }
            other => {
                // A slip would otherwise be taken for a comment, and the question would expect less than it says.
                if let Some(meant) = nearest(other, KEYS) {
                    self.problem(line, format!("unknown `{other}:`; did you mean `{meant}:`?"));
                }
            }
        }
    }
}

/// Splits `key: value`; `None` if the text before the colon is no single word.
fn key_of(comment: &str) -> Option<(&str, &str)> {
    let (key, value) = comment.split_once(':')?;
    let key = key.trim();
    (!key.is_empty() && key.chars().all(char::is_alphabetic)).then(|| (key, value.trim()))
}
