//! Checks which tables can be analysed. A model may read all of them; the built-in analyst needs to know their roles.

use super::Check;
use crate::exploration::analyst::survey::{Outlook, Prospect, survey};
use crate::semantic::{self, Guess, GuessKind};
use crate::typeset::text::counted;
use crate::warehouse::catalog::Catalog;

/// The most tables with a line of their own.
const LINES_MAX: usize = 30;
/// The most characters of such a line.
const CHARACTERS_MAX: usize = 300;

/// Returns a summary check for the built-in analyst, followed by a check per table.
pub(super) fn check(catalog: &Catalog) -> Vec<Check> {
    let mut outlooks = survey(catalog);
    if outlooks.is_empty() {
        return Vec::new();
    }
    outlooks.sort_by_key(|outlook| rank(&outlook.prospect));
    let told = outlooks.len().min(LINES_MAX);
    let mut checks = vec![summary(&outlooks)];
    checks.extend(outlooks[..told].iter().map(|outlook| Check::ok("table", line(outlook))));
    checks.extend(guesses(catalog));
    if told < outlooks.len() {
        let more = &outlooks[told..];
        checks.push(Check::ok("table", format!("and {} more: {}", more.len(), counts(more).join(", "))));
    }
    checks
}

/// Returns what was guessed about joins, the rows that count and texts that are dates, on which figures rest.
fn guesses(catalog: &Catalog) -> Vec<Check> {
    let is_telling = |guess: &&Guess| matches!(guess.kind, GuessKind::Join | GuessKind::Filter | GuessKind::Dates);
    let guesses = semantic::guesses(catalog);
    let told = guesses.iter().filter(is_telling).take(LINES_MAX);
    told.map(|guess| Check::ok("guess", guess.text.clone())).collect()
}

/// Returns the order of display: tables that can be analysed, those that are left, those that cannot be.
fn rank(prospect: &Prospect) -> usize {
    match prospect {
        Prospect::Analysed { .. } => 0,
        Prospect::Later => 1,
        Prospect::Unusable { .. } => 2,
    }
}

fn summary(outlooks: &[Outlook]) -> Check {
    let finding = format!("of {}, {}", counted(outlooks.len(), "table"), counts(outlooks).join(", "));
    if outlooks.iter().any(|outlook| matches!(outlook.prospect, Prospect::Analysed { .. })) {
        return Check::ok("analysis", finding);
    }
    Check::warning(
        "analysis",
        format!("{finding}: an exploration with --offline would analyse no table"),
        "set `role` for the columns in the metadata (`explore schema pull` creates the files), or explore with a model",
    )
}

/// Counts the tables for each use that occurs: `2 can be analysed offline`.
fn counts(outlooks: &[Outlook]) -> Vec<String> {
    let words = ["can be analysed offline", "left for a run of their own", "cannot be analysed offline"];
    let count = |place: usize| outlooks.iter().filter(|outlook| rank(&outlook.prospect) == place).count();
    let counts = words.into_iter().enumerate().map(|(place, words)| (count(place), words));
    counts.filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect()
}

fn line(outlook: &Outlook) -> String {
    let table = &outlook.table;
    let line = match &outlook.prospect {
        Prospect::Analysed { by } => format!("{table}: {by}"),
        Prospect::Later => format!("{table}: left for a run of its own"),
        Prospect::Unusable { why } => format!("{table}: not offline, {why}"),
    };
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
