//! In what findings belong together, by their leads: what they are about and what they measure. Nothing here is a cause.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::record::Finding;

/// In what a finding belongs to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same, over a part of the other's time.
    Within,
    /// The same measure of a part of the other's rows.
    Part,
    /// The same subject, measured in another way.
    Subject,
    /// The same measure of another subject.
    Contrast,
}

/// The finding to which another one belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Related {
    /// The id of the finding, such as `F2`.
    pub finding: String,
    pub relation: Relation,
}

impl Related {
    /// Returns it in words: `with F2: same subject`.
    pub(crate) fn words(&self) -> String {
        let relation = match self.relation {
            Relation::Within => "the same within its time",
            Relation::Part => "a part of its rows",
            Relation::Subject => "same subject",
            Relation::Contrast => "same measure, another subject",
        };
        format!("with {}: {relation}", self.finding)
    }
}

/// Returns findings in the order of reports: the gravest first, each followed by those that belong to it. With each stands
/// the finding that it follows.
pub(crate) fn in_order(findings: &[Finding]) -> Vec<(&Finding, Option<Related>)> {
    let mut left = findings.iter().collect::<Vec<_>>();
    left.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let head = left.remove(0);
        ordered.push((head, None));
        left.retain(|finding| {
            let relation = finding.lead().zip(head.lead()).and_then(|(lead, of)| relation(lead, of));
            let related = relation.map(|relation| Related { finding: head.id.clone(), relation });
            let is_related = related.is_some();
            if is_related {
                ordered.push((*finding, related));
            }
            !is_related
        });
    }
    ordered
}

/// Returns in what a fact belongs to another one.
fn relation(fact: &Fact, of: &Fact) -> Option<Relation> {
    let has_all = |many: &[String], few: &[String]| few.iter().all(|known| many.contains(known));
    let is_same_measure = !fact.measures.is_empty() && fact.measures == of.measures;
    let is_same_subject = has_all(&fact.subject, &of.subject) && has_all(&of.subject, &fact.subject);
    if is_same_measure && is_same_subject {
        return is_within(fact.period.as_deref()?, of.period.as_deref()?).then_some(Relation::Within);
    }
    if is_same_subject {
        return (!fact.subject.is_empty()).then_some(Relation::Subject);
    }
    if !is_same_measure {
        return None;
    }
    if has_all(&fact.subject, &of.subject) {
        return Some(Relation::Part);
    }
    let keys = |fact: &Fact| fact.subject.iter().filter_map(|words| key(words).map(str::to_owned)).collect::<Vec<_>>();
    let (own, others) = (keys(fact), keys(of));
    (!own.is_empty() && own.len() == fact.subject.len() && own == others).then_some(Relation::Contrast)
}

/// Returns the key of a condition such as `category 'Hardware'`.
fn key(words: &str) -> Option<&str> {
    words.strip_suffix('\'')?.split_once(" '").map(|(key, _)| key)
}

/// Whether a period such as `March 2024` or `2024-Q1` lies within a year.
fn is_within(period: &str, year: &str) -> bool {
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let is_month_or_day =
        period.ends_with(&format!(" {year}")) && !period.contains('\u{2013}') && !period.contains(" to ");
    is_year && (is_month_or_day || period.starts_with(&format!("{year}-Q")))
}
