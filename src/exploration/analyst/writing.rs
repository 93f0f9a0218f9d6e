//! Findings in words: the parts that all inquiries' drafts share.
//!
//! Every figure is an expression over cells that the engine computes and puts into the text; dates and names are
//! written as they stand in the cited rows.

use super::notebook::Answer;
use super::profile::Profile;
use super::subject::Subject;
use crate::finding::{Action, Category, Citation, Confidence, Draft, FigureDraft, ImpactDraft, Severity};

/// A draft with what it is ranked by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The finding.
    pub(super) draft: Draft,
    /// The money it is about, as a share of all money in the same time.
    pub(super) money_share: f64,
    /// Whether it sums up one cause of many cases, which goes before the cases.
    pub(super) is_summary: bool,
    /// Whether it only says what changed, which goes after what went wrong.
    pub(super) is_change: bool,
}

impl Candidate {
    /// The same as a mere change, of that severity at the most.
    pub(super) fn into_change(mut self, severity_max: Severity) -> Self {
        self.draft.severity = self.draft.severity.min(severity_max);
        self.is_change = true;
        self
    }
}

/// What an inquiry came to.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    /// What it found.
    pub(super) candidates: Vec<Candidate>,
    /// What it looked at in vain, or what it lacked.
    pub(super) looked_at: Vec<String>,
}

impl Conclusion {
    /// A conclusion that is only a remark.
    pub(super) fn remark(subject: &Subject, remark: &str) -> Self {
        Self { candidates: Vec::new(), looked_at: vec![format!("{}: {remark}", subject.table)] }
    }
}

/// What a draft is about, before figures and text.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    /// What kind of matter.
    pub(super) category: Category,
    /// Whom or what it is about.
    pub(super) segment: String,
    /// The metric of the impact.
    pub(super) metric: String,
    /// Its unit.
    pub(super) unit: String,
}

/// A draft in the making.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    draft: Draft,
    basis: Option<&'static str>,
}

impl Writer {
    /// Begins a draft that covers the whole time of the profile.
    pub(super) fn new(topic: Topic, profile: &Profile) -> Self {
        let impact =
            ImpactDraft { metric: topic.metric, amount: String::new(), unit: topic.unit, assumptions: Vec::new() };
        Self {
            draft: Draft {
                evidence: Vec::new(),
                figures: Vec::new(),
                title: String::new(),
                severity: Severity::Low,
                category: topic.category,
                segment: topic.segment,
                period: format!("{} to {}", profile.first_day, profile.last_day),
                narrative: String::new(),
                impact,
                confidence: Confidence::Medium,
                recommended_actions: Vec::new(),
                falsified_by: String::new(),
            },
            basis: profile.basis,
        }
    }

    /// Cites rows, counted from 0.
    pub(super) fn cite(mut self, answer: &Answer, rows: impl IntoIterator<Item = usize>) -> Self {
        let rows = rows.into_iter().map(|row| row + 1).collect();
        self.draft.evidence.push(Citation { query: answer.id.clone(), rows, columns: Vec::new() });
        self
    }

    /// Names figures.
    pub(super) fn figures<const N: usize>(mut self, figures: [(&str, String); N]) -> Self {
        let figures = figures.into_iter().map(|(name, expression)| FigureDraft { name: name.to_owned(), expression });
        self.draft.figures.extend(figures);
        self
    }

    /// Names figures that are one cell each of one row, by the columns' names.
    pub(super) fn cells<const N: usize>(self, answer: &Answer, row: usize, cells: [(&str, &str); N]) -> Self {
        self.figures(cells.map(|(name, column)| (name, answer.cell(row, column))))
    }

    /// The title and the narrative.
    pub(super) fn text(mut self, title: String, sentences: &[String]) -> Self {
        self.draft.title = title;
        let sentences = sentences.iter().filter(|sentence| !sentence.is_empty()).map(String::as_str);
        self.draft.narrative = sentences.collect::<Vec<_>>().join(" ");
        self
    }

    /// What it is worth: an expression or a figure's name, and what it assumes.
    pub(super) fn impact(mut self, amount: impl Into<String>, assumptions: &[&str]) -> Self {
        self.draft.impact.amount = amount.into();
        let assumptions = assumptions.iter().copied().chain(self.basis);
        self.draft.impact.assumptions = assumptions.map(str::to_owned).collect();
        self
    }

    /// Something to do.
    pub(super) fn action(mut self, action: String, why: &str, who: &str, by_when: &str) -> Self {
        self.draft.recommended_actions.push(Action {
            action,
            why: why.to_owned(),
            who: who.to_owned(),
            by_when: by_when.to_owned(),
        });
        self
    }

    /// What would prove it wrong.
    pub(super) fn falsified_by(mut self, test: &str) -> Self {
        test.clone_into(&mut self.draft.falsified_by);
        self
    }

    /// Ends the draft. Severity follows from the share of the money and how sure one can be.
    pub(super) fn rank(mut self, money_share: f64, confidence: Confidence, is_summary: bool) -> Candidate {
        self.draft.confidence = confidence;
        self.draft.severity = severity(money_share, confidence);
        Candidate { draft: self.draft, money_share, is_summary, is_change: false }
    }
}

/// Critical takes both a tenth of the money and certainty.
fn severity(money_share: f64, confidence: Confidence) -> Severity {
    let by_money = match money_share {
        share if share >= 0.10 => Severity::Critical,
        share if share >= 0.03 => Severity::High,
        share if share >= 0.005 => Severity::Medium,
        _ => Severity::Low,
    };
    match confidence {
        Confidence::High => by_money,
        Confidence::Medium => by_money.min(Severity::High),
        Confidence::Low => Severity::Low,
    }
}

/// A value from the database as it can stand in a draft's text, where braces would open a figure's name.
pub(super) fn plain(value: &str) -> String {
    value.replace(['{', '}'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as a name: itself, or `Customer 16029` where it is but a number, which alone would be a figure.
pub(super) fn named(kind: &str, value: &str) -> String {
    let is_number = !value.is_empty() && value.chars().all(|character| character.is_ascii_digit());
    if is_number { format!("{} {value}", capitalised(kind)) } else { plain(value) }
}

/// `CUST004 (GHI Service Center, North)`: the name, with what describes it where the row has it.
pub(super) fn described(answer: &Answer, row: usize, kind: &str, value: &str, columns: &[&str]) -> String {
    let details = columns.iter().filter_map(|column| answer.text(row, column)).map(plain);
    let details = details.filter(|detail| !detail.is_empty() && detail != value).collect::<Vec<_>>();
    let name = named(kind, value);
    if details.is_empty() { name } else { format!("{name} ({})", details.join(", ")) }
}

/// `customer_code` -> `customer`.
pub(super) fn words(name: &str) -> String {
    let words = name.to_lowercase().replace('_', " ");
    let endings = [" code", " id", " number", " no", " key", " name"];
    endings.iter().find_map(|ending| words.strip_suffix(ending)).unwrap_or(&words).to_owned()
}

/// `customer` -> `Customer`.
pub(super) fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `category` -> `categories`.
pub(super) fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with('s') => word.to_owned(),
        _ if word.ends_with("ch") || word.ends_with('x') => format!("{word}es"),
        _ => format!("{word}s"),
    }
}
