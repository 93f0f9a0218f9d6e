//! What is told: a finding in the making, as claims over plain statements, and the parts that all inquiries share.
//!
//! The detecting queries decide whether and whom to tell of. What is told is said in facts, which the engine words: over
//! statements of their own whose columns are plain aggregates. They are asked once it is decided that they are needed.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::notebook::{Answer, Notebook};
use super::profile::Profile;
use super::subject::{Field, Subject, literal};
use super::{Inquiry, Part, Question};
use crate::finding::record::Proposal;
use crate::finding::{Confidence, Severity};

/// Up to so many groups the engine compares one with all others; it reads no more rows.
const GROUPS_MAX: u64 = 900;
/// The latest days that are told of at the most.
const YEAR_DAYS: i32 = 364;

/// What kind of matter a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    /// Who fell silent.
    Silence,
    /// Where many fell silent.
    QuietRegion,
    /// How much hangs on a single one.
    Concentration,
    /// Who is given far more off than their peers.
    Discount,
    /// Whether the whole gives more away than before.
    Erosion,
    /// What brings far less than usual.
    Contribution,
    /// What comes back.
    Returns,
    /// What changed beside the whole, or the whole itself.
    Change,
    /// Rows that name nobody.
    Nameless,
}

impl Matter {
    /// The line of inquiry that looks for it.
    pub(super) fn inquiry_name(self) -> &'static str {
        match self {
            Self::Silence => Inquiry::Churn,
            Self::QuietRegion | Self::Concentration => Inquiry::Regions,
            Self::Discount | Self::Erosion => Inquiry::Margin,
            Self::Contribution => Inquiry::Contribution,
            Self::Returns => Inquiry::Returns,
            Self::Change => Inquiry::Changes(Part::All),
            Self::Nameless => Inquiry::Nameless,
        }
        .name()
    }
}

/// A finding in the making, with what it is ranked by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) matter: Matter,
    /// Whom or what it is about.
    pub(super) segment: String,
    /// The statements that the claims are over.
    pub(super) statements: Vec<Question>,
    pub(super) proposal: Proposal,
    /// The money it is about, as a share of all money in the same time.
    pub(super) money_share: f64,
    /// Whether it sums up one cause of many cases, which goes before the cases.
    pub(super) is_summary: bool,
    /// Whether it only says what changed, which goes after what went wrong.
    pub(super) is_change: bool,
}

impl Candidate {
    /// Begins a finding.
    pub(super) fn new(matter: Matter, segment: &str) -> Self {
        Self {
            matter,
            segment: segment.to_owned(),
            statements: Vec::new(),
            proposal: Proposal::default(),
            money_share: 0.0,
            is_summary: false,
            is_change: false,
        }
    }

    /// Adds statements that claims are over.
    pub(super) fn over<'s>(mut self, statements: impl IntoIterator<Item = &'s Statement>) -> Self {
        self.statements.extend(statements.into_iter().map(|statement| statement.question.clone()));
        self
    }

    /// Adds claims; the very first is the headline.
    pub(super) fn facts(mut self, claims: impl IntoIterator<Item = String>) -> Self {
        self.proposal.facts.extend(claims);
        self
    }

    /// What it is worth.
    pub(super) fn impact(mut self, claim: String) -> Self {
        self.proposal.impact = Some(claim);
        self
    }

    /// What would prove it wrong, without figures.
    pub(super) fn falsified_by(mut self, test: &str) -> Self {
        self.proposal.reading = Some(format!("What would prove it wrong: {test}."));
        self
    }

    /// Something to do, and why it helps.
    pub(super) fn action(mut self, who: &str, action: &str, by_when: &str, why: &str) -> Self {
        self.proposal.actions.push(format!("{}: {action}, {by_when}. {}.", capitalised(who), capitalised(why)));
        self
    }

    /// Ends it. Severity follows from the share of the money and how sure one can be.
    pub(super) fn rank(mut self, money_share: f64, confidence: Confidence) -> Self {
        self.proposal.severity = severity(money_share, confidence);
        self.money_share = money_share;
        self
    }

    /// The same as the sum of one cause.
    pub(super) fn into_summary(self) -> Self {
        Self { is_summary: true, ..self }
    }

    /// The same as a mere change, of that severity at the most.
    pub(super) fn into_change(mut self, severity_max: Severity) -> Self {
        self.proposal.severity = self.proposal.severity.min(severity_max);
        self.is_change = true;
        self
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

/// A plain statement of one row, or of one row for each value of a key, and the id of its result.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    question: Question,
    /// Such as `q7`; without meaning before it was asked.
    id: String,
}

impl Statement {
    pub(super) fn new(key: String, purpose: &str, sql: String, notebook: &Notebook) -> Self {
        let id = notebook.answer(&key).map_or_else(|| "q0".to_owned(), |answer| answer.id.clone());
        Self { question: Question { key, purpose: purpose.to_owned(), sql }, id }
    }

    /// The cell of the only row.
    pub(super) fn cell(&self, column: &str) -> String {
        format!("{}[#1].{column}", self.id)
    }

    /// The column of all rows.
    pub(super) fn column(&self, column: &str) -> String {
        format!("{}.{column}", self.id)
    }

    /// The cell of the row with that key.
    fn cell_of(&self, key: &str, column: &str) -> String {
        let quote = if key.contains('\'') { '"' } else { '\'' };
        format!("{}[{quote}{key}{quote}].{column}", self.id)
    }
}

/// What is measured, and of which rows: the select list and the conditions of plain statements.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    /// The names in the result, and the aggregates.
    pub(super) columns: Vec<(&'static str, String)>,
    pub(super) conditions: Vec<String>,
}

/// One group beside all others, told by its column's value.
#[derive(Debug)]
pub(super) struct Versus {
    member: String,
    compared: Compared,
}

#[derive(Debug)]
enum Compared {
    /// A row for each group: the engine knows the others, and tests against them.
    Grouped(Statement),
    /// The group, the others and all in statements of their own.
    Apart { own: Statement, others: Statement, all: Statement },
}

impl Versus {
    /// `groups` is how many values the column has, about; `None` where the group is not compared with the others.
    pub(super) fn new(
        (key, purpose): (&str, &str),
        subject: &Subject,
        (field, member): (&Field, &str),
        groups: Option<u64>,
        measured: &Measured,
        notebook: &Notebook,
    ) -> Self {
        let statement = |name: &str, purpose: &str, keys: &[&Field], more: Option<String>| {
            let conditions = measured.conditions.iter().cloned().chain(more).collect::<Vec<_>>();
            let sql = subject.plain(keys, &measured.columns, &conditions);
            Statement::new(format!("{key}{name}"), purpose, sql, notebook)
        };
        let compared = if groups.is_some_and(|groups| groups <= GROUPS_MAX) {
            Compared::Grouped(statement("", purpose, &[field], None))
        } else {
            Compared::Apart {
                own: statement("-own", purpose, &[field], Some(field.is(member))),
                others: statement("-others", "The same, of all others", &[], Some(field.is_not(member))),
                all: statement("-all", "The same, of all", &[], None),
            }
        };
        Self { member: member.to_owned(), compared }
    }

    /// What all claims are over but the gap to the others.
    pub(super) fn statements(&self) -> Vec<&Statement> {
        match &self.compared {
            Compared::Grouped(grouped) => vec![grouped],
            Compared::Apart { own, all, .. } => vec![own, all],
        }
    }

    /// What the gap is over besides.
    pub(super) fn others(&self) -> Option<&Statement> {
        match &self.compared {
            Compared::Grouped(_) => None,
            Compared::Apart { others, .. } => Some(others),
        }
    }

    /// The group's cell.
    pub(super) fn own(&self, column: &str) -> String {
        match &self.compared {
            Compared::Grouped(grouped) => grouped.cell_of(&self.member, column),
            Compared::Apart { own, .. } => own.cell(column),
        }
    }

    /// The group against all others.
    pub(super) fn gap(&self, column: &str) -> String {
        let others = match &self.compared {
            Compared::Grouped(_) => "rest".to_owned(),
            Compared::Apart { others, .. } => others.cell(column),
        };
        format!("gap({}, {others})", self.own(column))
    }

    /// The group's part of everything.
    pub(super) fn share(&self, column: &str) -> String {
        let all = match &self.compared {
            Compared::Grouped(_) => "all".to_owned(),
            Compared::Apart { all, .. } => all.cell(column),
        };
        format!("share({}, {all})", self.own(column))
    }

    /// From one column of the group to another.
    pub(super) fn change(&self, before: &str, after: &str) -> String {
        format!("change({}, {})", self.own(before), self.own(after))
    }

    /// From the group's part of one column to that of another.
    pub(super) fn change_of_share(&self, before: &str, after: &str) -> String {
        format!("change({}, {})", self.share(before), self.share(after))
    }
}

/// Days from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Days {
    /// So many days up to the last one.
    pub(super) fn up_to(last: Date, days: i32) -> Self {
        Self { first: earlier(last, days - 1), last }
    }

    /// The last year of the data, or all of them.
    pub(super) fn latest_year(profile: &Profile) -> Self {
        let year = Self::up_to(profile.last_day, YEAR_DAYS + 1);
        Self { first: year.first.max(profile.first_day), ..year }
    }

    /// The days up to a stop, and as many up to the end of the data; at most a year each.
    pub(super) fn around_stop(profile: &Profile, stop: Date) -> (Self, Self) {
        let days = (profile.last_day - stop).get_days().min((stop - profile.first_day).get_days() + 1);
        let days = days.clamp(1, YEAR_DAYS);
        (Self::up_to(stop, days), Self::up_to(profile.last_day, days))
    }

    /// The days since the last of several stops, and the same days a year before; where the data do not reach back so
    /// far, the days up to the first stop.
    pub(super) fn around_stops(profile: &Profile, stops: &[Date]) -> Option<(Self, Self)> {
        let (first, last) = (*stops.iter().min()?, *stops.iter().max()?);
        let days = (profile.last_day - last).get_days().clamp(1, YEAR_DAYS);
        let year_before = Self::up_to(earlier(profile.last_day, YEAR_DAYS), days);
        if year_before.first >= profile.first_day {
            return Some((year_before, Self::up_to(profile.last_day, days)));
        }
        let days = days.min((first - profile.first_day).get_days() + 1);
        Some((Self::up_to(first, days), Self::up_to(profile.last_day, days)))
    }
}

/// So many days before a day.
pub(super) fn earlier(day: Date, days: i32) -> Date {
    day.checked_sub(days.days()).unwrap_or(day)
}

/// The list of values in a condition: `'a', 'b'`.
pub(super) fn literals<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    values.into_iter().map(literal).collect::<Vec<_>>().join(", ")
}

/// A value as it can stand in words, where braces would name a fact.
pub(super) fn plain(value: &str) -> String {
    value.replace(['{', '}'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `CUST004 (GHI Service Center, North)`: the value, with what describes it where the row has it. What has digits is no
/// description: they would be figures of nobody's.
pub(super) fn described(answer: &Answer, row: usize, value: &str, columns: &[&str]) -> String {
    let details = columns.iter().filter_map(|column| answer.text(row, column)).map(plain);
    let is_telling = |detail: &String| {
        !detail.is_empty() && detail != value && !detail.contains(|character: char| character.is_ascii_digit())
    };
    let details = details.filter(is_telling).collect::<Vec<_>>();
    if details.is_empty() { plain(value) } else { format!("{} ({})", plain(value), details.join(", ")) }
}

/// `customer_code` -> `customer`.
pub(super) fn words(name: &str) -> String {
    let words = name.to_lowercase().replace('_', " ");
    let endings = [" code", " id", " number", " no", " key", " name"];
    endings.iter().find_map(|ending| words.strip_suffix(ending)).unwrap_or(&words).to_owned()
}

/// `customer` -> `Customer`.
fn capitalised(word: &str) -> String {
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
