//! What a run of verified questions says: for people in a terminal, and as JSON. What cannot be checked comes first.

use console::Style;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::memory::Status;
use super::run::{Checked, CheckedExpectation, Context};
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::text::{counted, line};

/// The version of the JSON. It increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

const LINE_CHARACTERS: usize = 600;

/// An output format of the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text for people.
    #[default]
    Terminal,
    Json,
}

/// The document of `--format json`.
#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    /// The database under the name that the state knows it by.
    database: &'a str,
    checked_at: Timestamp,
    /// Whether nothing was stored and nobody was told.
    dry_run: bool,
    unchecked: usize,
    failed: usize,
    hold: usize,
    questions: &'a [Checked],
}

/// How many questions stand so.
pub fn count(all: &[Checked], status: Status) -> usize {
    all.iter().filter(|checked| checked.status == status).count()
}

/// Renders the run as JSON.
pub fn json(all: &[Checked], context: &Context<'_>) -> Result<String, serde_json::Error> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        database: context.database,
        checked_at: context.now,
        dry_run: context.is_dry,
        unchecked: count(all, Status::Unchecked),
        failed: count(all, Status::Failed),
        hold: count(all, Status::Holds),
        questions: all,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Renders the run as text.
pub fn terminal(all: &[Checked], context: &Context<'_>, layout: Layout) -> String {
    let mut page = Page::new(layout);
    let parts = [(Status::Unchecked, "cannot be checked"), (Status::Failed, "failed"), (Status::Holds, "hold")];
    let parts = parts.into_iter().map(|(status, words)| (count(all, status), words));
    let parts = parts.filter(|(count, _)| *count > 0).map(|(count, words)| match (count, words) {
        (1, "hold") => "1 holds".to_owned(),
        _ => format!("{count} {words}"),
    });
    page.paragraph(&format!("{}: {}", counted(all.len(), "verified question"), parts.collect::<Vec<_>>().join(", ")));
    for checked in all {
        question(&mut page, checked, context);
    }
    page.text
}

fn question(page: &mut Page, checked: &Checked, context: &Context<'_>) {
    let (heading, style) = match checked.status {
        Status::Unchecked => ("CANNOT BE CHECKED", Style::new().yellow().bold()),
        Status::Failed => ("FAILED", Style::new().red().bold()),
        Status::Holds => ("HOLDS", Style::new().green()),
    };
    let said = checked.question.as_deref().unwrap_or(&checked.path);
    page.styled(&format!("{heading} {}: {}", checked.name, line(said, LINE_CHARACTERS)), 0, &style);
    for problem in &checked.problems {
        page.labelled("reason", &line(problem, LINE_CHARACTERS));
    }
    for one in checked.expectations.iter().filter(|one| one.status == Status::Failed) {
        expectation(page, one);
    }
    if checked.status != Status::Holds
        && let Some(since) = checked.since
    {
        let since = if since == context.now { "now".to_owned() } else { context.moment(since) };
        page.labelled("since", &since);
    }
    if checked.expectations.iter().any(|one| !one.moved.is_empty()) {
        let name = &checked.name;
        page.labelled(
            "accept",
            &format!("if the new values are right: explore verify --accept {name} --reason \"...\""),
        );
    }
    notes(page, checked, context);
}

fn expectation(page: &mut Page, one: &CheckedExpectation) {
    page.labelled("expected", &format!("{} (line {})", line(&one.expected, LINE_CHARACTERS), one.line));
    for detail in &one.details {
        page.item("", "-", &line(detail, LINE_CHARACTERS));
    }
    if one.more > 0 {
        page.item("", "-", &format!("and {} more", one.more));
    }
}

fn notes(page: &mut Page, checked: &Checked, context: &Context<'_>) {
    if checked.changed {
        let forgotten = counted(checked.forgotten, "remembered value");
        page.labelled(
            "changed",
            &format!("its SELECT is another one than before: {forgotten} forgotten, it starts anew"),
        );
    }
    for moved in &checked.accepted {
        page.labelled("accepted", &line(&moved.plain(&context.moment(moved.since)), LINE_CHARACTERS));
    }
    let moved = checked.expectations.iter().map(|one| one.moved.len()).sum::<usize>();
    let accepted = checked.accepted.iter().filter(|moved| !moved.is_gone).count();
    let all = checked.new + checked.same + moved + accepted;
    if all > 0 {
        let parts = [(checked.new, "of them new"), (moved, "of them moved")];
        let parts =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!(", {count} {words}"));
        page.labelled("remembers", &format!("{}{}", counted(all, "value"), parts.collect::<String>()));
    }
    if !checked.notified.is_empty() {
        let told = if context.is_dry { "would tell" } else { "told" };
        page.labelled(told, &checked.notified.join(", "));
    }
}
