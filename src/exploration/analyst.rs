//! The offline analyst: a deterministic player of the loop that needs no model, no key and no network.
//!
//! It knows the catalog's roles, the focus and the day taken for today; everything else it asks with the same tools as
//! any model, and reads from the same text. It keeps no state: each turn is worked out from the transcript, so the
//! same transcript gives the same turn. It reads no prompt, and nothing in the data can instruct it.

mod changes;
mod churn;
mod contribution;
mod habits;
mod margin;
mod nameless;
mod notebook;
mod profile;
mod recording;
mod regions;
mod returns;
mod subject;
pub mod survey;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use crate::agent::journal;
use crate::model::{Error, Message, Model, Reply, ReplyEnd, Request, ToolCall, Unseen, Usage};
use crate::warehouse::catalog::Catalog;
use notebook::Notebook;
use profile::{Nothing, Profile};
use subject::Subject;
use survey::{Outlook, Prospect};
use telling::Conclusion;

/// What reports and journals call it.
pub(super) const NAME: &str = "offline analyst";
/// Tables looked at in one turn, to see whether they hold anything.
const GLANCES_OF_A_TURN: usize = 4;
/// Tables looked at so at the most: further ones are left for a run of their own.
const GLANCES_MAX: usize = 24;
/// Tables analysed in full, of those.
const ANALYSED_MAX: usize = 2;
/// Calls of one turn at the most: what the loop runs side by side, and more than a server should be asked at once.
const CALLS_MAX: usize = 8;

/// The deterministic analyst.
#[derive(Debug, Clone)]
pub struct OfflineAnalyst {
    /// What can be analysed, the most promising first.
    subjects: Vec<Subject>,
    /// What it makes of each table.
    survey: Vec<Outlook>,
    inquiries: Vec<Inquiry>,
    focus: String,
    /// The questions of the focus, which `finish` answers.
    questions: Vec<journal::Question>,
    as_of: Date,
}

/// A line of inquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inquiry {
    Churn,
    Margin,
    Contribution,
    Returns,
    Regions,
    Changes(Part),
    Nameless,
}

/// What the changes of a period are looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Products,
    Regions,
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
    /// An analyst for one run: it knows the catalog, the focus area's name and questions, and the day taken for today.
    pub fn new(catalog: &Catalog, focus: &str, questions: &[journal::Question], as_of: Date) -> Self {
        let subjects = subject::subjects(catalog);
        let survey = survey::of_subjects(catalog, &subjects);
        let (inquiries, focus) = (Inquiry::of_focus(focus), focus.to_owned());
        Self { subjects, survey, inquiries, focus, questions: questions.to_vec(), as_of }
    }

    /// The calls of the next turn.
    fn next_calls(&self, notebook: &Notebook, may_ask: bool) -> Vec<ToolCall> {
        let profiles = self.glanced_at(notebook).iter().enumerate();
        let unasked = profiles.map(|(index, subject)| profile::question(subject, index, self.as_of));
        let calls = asked(unasked, notebook);
        if may_ask && !calls.is_empty() {
            return calls;
        }
        let (analysed, mut looked_at) = self.analysed(notebook);
        let questions = analysed.iter().flat_map(|(index, subject, profile)| {
            self.inquiries.iter().flat_map(move |inquiry| inquiry.questions(subject, profile, *index))
        });
        let calls = asked(questions, notebook);
        if may_ask && !calls.is_empty() {
            return calls;
        }
        let mut candidates = Vec::new();
        for (index, subject, profile) in &analysed {
            looked_at.extend(profile.staleness(subject, self.as_of));
            for inquiry in &self.inquiries {
                let conclusion = inquiry.conclude(subject, profile, *index, notebook);
                candidates.extend(conclusion.candidates);
                // What was not asked was not looked at.
                if inquiry.is_asked(subject, profile, *index, notebook) {
                    looked_at.extend(conclusion.looked_at);
                }
            }
        }
        let focus = (self.focus.as_str(), self.questions.as_slice(), !analysed.is_empty());
        recording::calls(&recording::ranked(candidates), looked_at, focus, notebook, may_ask)
    }

    /// The tables looked at so far and those looked at next: a few more as long as too few of them hold anything.
    fn glanced_at(&self, notebook: &Notebook) -> &[Subject] {
        let glances_max = self.subjects.len().min(GLANCES_MAX);
        let mut count = GLANCES_OF_A_TURN.min(glances_max);
        let mut profiles =
            self.subjects.iter().enumerate().map(|(index, subject)| Profile::read(subject, index, notebook));
        let mut usable = profiles.by_ref().take(count).flatten().count();
        let is_answered = |index: &usize| notebook.outcome(&profile::key(*index)).is_some();
        while usable < ANALYSED_MAX && count < glances_max && (0..count).all(|index| is_answered(&index)) {
            let more = GLANCES_OF_A_TURN.min(glances_max - count);
            usable += profiles.by_ref().take(more).flatten().count();
            count += more;
        }
        &self.subjects[..count]
    }

    /// The tables that are worth a full analysis, and what has to be said where there are none.
    fn analysed(&self, notebook: &Notebook) -> (Vec<(usize, &Subject, Profile)>, Vec<String>) {
        if self.subjects.is_empty() {
            let lacking =
                "no table has a date, an entity that comes back, and something to count: write roles in the metadata";
            return (Vec::new(), vec![lacking.to_owned()]);
        }
        let profiles = self.glanced_at(notebook).iter().enumerate();
        let profiles = profiles.map(|(index, subject)| Ok((index, subject, Profile::read(subject, index, notebook)?)));
        (profiles.filter_map(Result::<_, Nothing>::ok).take(ANALYSED_MAX).collect(), Vec::new())
    }

    /// The inquiries into a table that a limit came before, if any.
    fn cut_short(&self, subject: &Subject, profile: &Profile, place: usize, notebook: &Notebook) -> Option<Nothing> {
        let unasked = self.inquiries.iter().filter(|inquiry| !inquiry.is_asked(subject, profile, place, notebook));
        let unasked = unasked.map(|inquiry| inquiry.name()).collect::<Vec<_>>();
        let why = format!("the run ended before all was asked: {}", unasked.join(", "));
        (!unasked.is_empty()).then_some(Nothing { why, is_left_out: true })
    }

    /// Why the subject of that place was not analysed.
    fn nothing_of(&self, place: usize, notebook: &Notebook) -> Nothing {
        let for_later = Nothing { why: "left for a run of its own".to_owned(), is_left_out: true };
        if place >= self.glanced_at(notebook).len() {
            return for_later;
        }
        Profile::read(&self.subjects[place], place, notebook).err().unwrap_or(for_later)
    }
}

impl Inquiry {
    /// The lines of inquiry of a focus area; an area of the user's own gets them all.
    fn of_focus(focus: &str) -> Vec<Self> {
        match focus {
            "customer_churn" => vec![Self::Churn],
            "data_quality" => vec![Self::Nameless],
            "growth" => vec![Self::Changes(Part::All)],
            "margin_analysis" => vec![Self::Margin, Self::Contribution],
            "product_performance" => vec![Self::Returns, Self::Changes(Part::Products)],
            "regional_analysis" => vec![Self::Regions, Self::Changes(Part::Regions)],
            _ => vec![
                Self::Churn,
                Self::Margin,
                Self::Contribution,
                Self::Returns,
                Self::Regions,
                Self::Changes(Part::All),
                Self::Nameless,
            ],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Margin => "margin",
            Self::Contribution => "contribution",
            Self::Returns => "returns",
            Self::Regions => "regions",
            Self::Changes(_) => "changes",
            Self::Nameless => "rows that name nobody",
        }
    }

    /// Whether all its questions were put to the database, whatever came of them.
    fn is_asked(self, subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> bool {
        let questions = self.questions(subject, profile, index);
        questions.iter().all(|question| notebook.was_asked(&question.key))
    }

    fn questions(self, subject: &Subject, profile: &Profile, index: usize) -> Vec<Question> {
        match self {
            Self::Churn => churn::questions(subject, profile, index),
            Self::Margin => margin::questions(subject, profile, index),
            Self::Contribution => contribution::questions(subject, profile, index),
            Self::Returns => returns::questions(subject, profile, index),
            Self::Regions => regions::questions(subject, profile, index),
            Self::Changes(part) => changes::questions(subject, profile, index, part),
            Self::Nameless => Vec::new(),
        }
    }

    fn conclude(self, subject: &Subject, profile: &Profile, index: usize, notebook: &Notebook) -> Conclusion {
        match self {
            Self::Churn => churn::conclude(subject, profile, index, notebook),
            Self::Margin => margin::conclude(subject, profile, index, notebook),
            Self::Contribution => contribution::conclude(subject, profile, index, notebook),
            Self::Returns => returns::conclude(subject, profile, index, notebook),
            Self::Regions => regions::conclude(subject, profile, index, notebook),
            Self::Changes(part) => changes::conclude(subject, profile, index, notebook, part),
            Self::Nameless => nameless::conclude(subject, profile, index, notebook),
        }
    }
}

/// The calls that ask the questions that were not asked yet.
fn asked(questions: impl Iterator<Item = Question>, notebook: &Notebook) -> Vec<ToolCall> {
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
        NAME
    }

    async fn reply(&self, request: Request<'_>) -> Result<Reply, Error> {
        let may_ask = request.tools.iter().any(|tool| tool.name == "execute_sql");
        let tool_calls = self.next_calls(&Notebook::read(request.messages), may_ask);
        Ok(Reply { text: None, tool_calls, end: ReplyEnd::Complete, usage: Some(Usage::default()), carried: None })
    }

    fn takes_offers(&self) -> bool {
        false
    }

    fn unseen(&self, messages: &[Message]) -> Vec<Unseen> {
        let notebook = Notebook::read(messages);
        let places = self.subjects.iter().enumerate().map(|(place, subject)| (subject.full_name(), place));
        let places = places.collect::<BTreeMap<_, _>>();
        let (analysed, _) = self.analysed(&notebook);
        let mut seen = BTreeMap::new();
        for (place, subject, profile) in &analysed {
            let cut_short = self.cut_short(subject, profile, *place, &notebook);
            seen.extend(subject.names().map(|table| (table, cut_short.clone())));
        }
        let unseen = self.survey.iter().filter_map(|Outlook { table, prospect }| {
            let of = |table: &String| places.get(table).map(|place| self.nothing_of(*place, &notebook));
            let nothing = match (seen.get(table), prospect) {
                (Some(cut_short), _) => cut_short.clone(),
                (None, Prospect::Analysed { .. }) => of(table),
                (None, Prospect::ReadWith { table }) => of(table).map(|Nothing { why, .. }| Nothing {
                    why: format!("it is read with {table}: {why}"),
                    is_left_out: false,
                }),
                (None, Prospect::SetAside { table }) => {
                    Some(Nothing { why: format!("{table}, which it refers to, was put before it"), is_left_out: true })
                }
                (None, Prospect::Unusable { why }) => Some(Nothing { why: why.clone(), is_left_out: false }),
            };
            let Nothing { why, is_left_out: left_out } = nothing?;
            Some(Unseen { table: table.clone(), why, left_out })
        });
        unseen.collect()
    }
}
