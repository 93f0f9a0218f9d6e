//! The offline analyst: a deterministic player of the loop that needs no model, no key and no network.
//!
//! It knows the catalog's roles, the focus and the day taken for today; everything else it asks with the same tools as
//! any model, and reads from the same text. It keeps no state: each turn is worked out from the transcript, so the
//! same transcript gives the same turn. It reads no prompt, and nothing in the data can instruct it.

mod changes;
mod churn;
mod habits;
mod margin;
mod notebook;
mod profile;
mod regions;
mod returns;
mod subject;
mod writing;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use crate::catalog::Catalog;
use crate::finding::Category;
use crate::model::{Error, Model, Reply, ReplyEnd, Request, ToolCall, Usage};
use notebook::{Notebook, Outcome};
use profile::Profile;
use subject::Subject;
use writing::{Candidate, Conclusion};

/// Findings recorded in a run at the most.
const FINDINGS_MAX: usize = 8;
/// Tables looked at first.
const SUBJECTS_MAX: usize = 4;
/// Tables analysed in full, of those.
const ANALYSED_MAX: usize = 2;
/// Calls of one turn at the most: what the loop runs side by side, and more than a server should be asked at once.
const CALLS_MAX: usize = 8;
/// The key of the call that ends the run.
const FINISH: &str = "finish";

/// The deterministic analyst.
#[derive(Debug, Clone)]
pub struct OfflineAnalyst {
    subjects: Vec<Subject>,
    inquiries: Vec<Inquiry>,
    as_of: Date,
}

/// A line of inquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inquiry {
    Churn,
    Margin,
    Returns,
    Regions,
    Changes,
}

/// A query to run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// What the call is found again by.
    key: String,
    /// What it is to answer.
    purpose: String,
    sql: String,
}

impl OfflineAnalyst {
    /// An analyst for one run: it knows the catalog, the focus area's name, and the day taken for today.
    pub fn new(catalog: &Catalog, focus: &str, as_of: Date) -> Self {
        let mut subjects = subject::subjects(catalog);
        subjects.truncate(SUBJECTS_MAX);
        Self { subjects, inquiries: Inquiry::of_focus(focus), as_of }
    }

    /// The calls of the next turn.
    fn next_calls(&self, notebook: &Notebook, may_ask: bool) -> Vec<ToolCall> {
        let profiles = self.subjects.iter().enumerate();
        let unasked = profiles.map(|(index, subject)| profile::question(subject, index, self.as_of));
        let calls = unanswered(unasked, notebook);
        if may_ask && !calls.is_empty() {
            return calls;
        }
        let (analysed, mut looked_at) = self.analysed(notebook);
        let questions = analysed.iter().flat_map(|(index, subject, profile)| {
            self.inquiries.iter().flat_map(move |inquiry| inquiry.questions(subject, profile, *index))
        });
        let calls = unanswered(questions, notebook);
        if may_ask && !calls.is_empty() {
            return calls;
        }
        let mut candidates = Vec::new();
        for (index, subject, profile) in &analysed {
            looked_at.extend(profile.staleness(subject, self.as_of));
            for inquiry in &self.inquiries {
                let conclusion = inquiry.conclude(subject, profile, *index, notebook);
                candidates.extend(conclusion.candidates);
                looked_at.extend(conclusion.looked_at);
            }
        }
        record_and_finish(&chosen(candidates), looked_at, notebook, may_ask)
    }

    /// The tables that are worth a full analysis, and remarks on those that are not.
    fn analysed(&self, notebook: &Notebook) -> (Vec<(usize, &Subject, Profile)>, Vec<String>) {
        if self.subjects.is_empty() {
            let lacking =
                "no table has a date, an entity that comes back, and something to count: write roles in the metadata";
            return (Vec::new(), vec![lacking.to_owned()]);
        }
        let (mut analysed, mut remarks) = (Vec::new(), Vec::new());
        for (index, subject) in self.subjects.iter().enumerate() {
            match Profile::read(subject, index, notebook) {
                Ok(profile) if analysed.len() < ANALYSED_MAX => analysed.push((index, subject, profile)),
                Ok(_) => remarks.push(format!("{}: left for a run of its own", subject.table)),
                Err(remark) => remarks.push(remark),
            }
        }
        (analysed, remarks)
    }
}

impl Inquiry {
    /// The lines of inquiry of a focus area; an area of the user's own gets them all.
    fn of_focus(focus: &str) -> Vec<Self> {
        match focus {
            "customer_churn" => vec![Self::Churn],
            "margin_analysis" => vec![Self::Margin],
            "product_performance" => vec![Self::Returns],
            "regional_analysis" => vec![Self::Regions],
            _ => vec![Self::Churn, Self::Margin, Self::Returns, Self::Regions, Self::Changes],
        }
    }

    fn questions(self, subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
        match self {
            Self::Churn => churn::questions(subject, profile, index),
            Self::Margin => margin::questions(subject, profile, index),
            Self::Returns => returns::questions(subject, profile, index),
            Self::Regions => regions::questions(subject, profile, index),
            Self::Changes => changes::questions(subject, profile, index),
        }
    }

    fn conclude(self, subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
        match self {
            Self::Churn => churn::conclude(subject, profile, index, notebook),
            Self::Margin => margin::conclude(subject, profile, index, notebook),
            Self::Returns => returns::conclude(subject, profile, index, notebook),
            Self::Regions => regions::conclude(subject, profile, index, notebook),
            Self::Changes => changes::conclude(subject, profile, index, notebook),
        }
    }
}

/// The handful worth telling: what sums up a cause before its cases, then by money. Who fell silent is not told again as
/// fallen sales.
fn chosen(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|left, right| {
        right.is_summary.cmp(&left.is_summary).then(right.money_share.total_cmp(&left.money_share))
    });
    let mut told = BTreeSet::new();
    candidates.retain(|candidate| {
        let draft = &candidate.draft;
        !matches!(draft.category, Category::Churn | Category::Decline) || told.insert(draft.segment.clone())
    });
    candidates.truncate(FINDINGS_MAX);
    candidates.sort_by(|left, right| right.money_share.total_cmp(&left.money_share));
    candidates
}

/// Records what was not recorded yet, and otherwise finishes. Where no query may be asked any more, this turn may be
/// the last: both at once.
fn record_and_finish(
    chosen: &[Candidate],
    mut looked_at: Vec<String>,
    notebook: &Notebook,
    may_ask: bool,
) -> Vec<ToolCall> {
    let mut calls = Vec::new();
    for (index, candidate) in chosen.iter().enumerate() {
        let key = format!("finding-{index}");
        match notebook.outcome(&key) {
            None => {
                let arguments = serde_json::to_string(&candidate.draft).unwrap_or_default();
                calls.push(ToolCall { id: key, name: "record_finding".to_owned(), arguments });
            }
            Some(Outcome::Rows(_) | Outcome::Text(_)) => {}
        }
    }
    if calls.is_empty() || !may_ask {
        looked_at.dedup();
        let arguments = json!({ "looked_at": looked_at }).to_string();
        calls.push(ToolCall { id: FINISH.to_owned(), name: "finish".to_owned(), arguments });
    }
    calls
}

/// The calls for the questions that were not asked yet.
fn unanswered(questions: impl Iterator<Item = Question>, notebook: &Notebook) -> Vec<ToolCall> {
    // Two inquiries may ask the same.
    let mut asked = BTreeSet::new();
    let open = questions.filter(|question| notebook.outcome(&question.key).is_none());
    let open = open.filter(|question| asked.insert(question.key.clone())).take(CALLS_MAX).collect::<Vec<_>>();
    open.into_iter()
        .map(|question| ToolCall {
            id: question.key,
            name: "execute_sql".to_owned(),
            arguments: json!({ "sql": question.sql, "question": question.purpose }).to_string(),
        })
        .collect()
}

#[async_trait]
impl Model for OfflineAnalyst {
    fn name(&self) -> &'static str {
        "offline analyst"
    }

    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error> {
        let may_ask = request.tools.iter().any(|tool| tool.name == "execute_sql");
        let tool_calls = self.next_calls(&Notebook::read(request.messages), may_ask);
        Ok(Reply { text: None, tool_calls, end: ReplyEnd::Complete, usage: Some(Usage::default()), carried: None })
    }
}
