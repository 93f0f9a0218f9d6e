//! Scores a run: the share of planted signals that it found, and the share of its claims that were planted.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Kind, Planted};
use crate::finding::fact::{Fact, Form};
use crate::finding::record::Finding;
use crate::finding::results::Results;

/// The score of a run, in total and by kind of signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The share of the planted signals that were found; 1 if none was planted.
    pub recall: f64,
    /// The share of the claimed signals that were planted; 1 if none was claimed.
    pub precision: f64,
    pub kinds: Vec<KindScore>,
}

/// The score of one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KindScore {
    pub kind: Kind,
    /// The number of planted signals.
    pub planted: usize,
    /// The number of planted signals that were found.
    pub found: usize,
    /// The number of claimed signals.
    pub claimed: usize,
    /// The number of right claims. It exceeds `found` if a stopped customer of a silent region was claimed.
    pub right: usize,
    /// The share of the planted money that was found; 1 if none was planted.
    pub money_found: f64,
}

/// Compares findings with the planted signals.
///
/// A finding claims each value of the kind's column that its facts name, for the kinds that its facts can be about.
pub fn score(planted: &[Planted], findings: &[Finding], results: &Results) -> Score {
    let kinds = Kind::ALL.map(|kind| kind_score(kind, planted, &claims(kind, findings, results))).to_vec();
    let total = |count: fn(&KindScore) -> usize| kinds.iter().map(count).sum::<usize>();
    Score {
        recall: share(total(|kind| kind.found), total(|kind| kind.planted)),
        precision: share(total(|kind| kind.right), total(|kind| kind.claimed)),
        kinds,
    }
}

fn kind_score(kind: Kind, planted: &[Planted], claims: &BTreeSet<String>) -> KindScore {
    let own = planted.iter().filter(|signal| signal.kind == kind);
    let is_found = |signal: &&Planted| claims.contains(&signal.entity);
    let found = own.clone().filter(is_found).count();
    let money = |signals: &mut dyn Iterator<Item = &Planted>| signals.map(|signal| signal.amount).sum::<i64>();
    let (money_found, money_planted) = (money(&mut own.clone().filter(is_found)), money(&mut own.clone()));
    let is_member =
        |claim: &&String| kind == Kind::Churn && planted.iter().any(|signal| signal.members.contains(claim));
    let members = claims.iter().filter(is_member).count();
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let money_found = if money_planted == 0 { 1.0 } else { money_found as f64 / money_planted as f64 };
    KindScore { kind, planted: own.count(), found, claimed: claims.len(), right: found + members, money_found }
}

/// Returns whether a finding can be about this kind of signal, by what its facts measure: what lies between gross and net,
/// what came back, and otherwise what fell or when it was last.
fn is_about(finding: &Finding, kind: Kind) -> bool {
    let measures = |words: &[&str]| {
        let mut definitions = finding.facts.iter().flat_map(|fact| &fact.definitions);
        definitions.any(|definition| words.iter().any(|word| definition.sql.contains(word)))
    };
    let (is_discount, is_return) = (measures(&["discount", "gross_sales_value"]), measures(&["'RE'"]));
    match kind {
        Kind::Discount => is_discount,
        Kind::Returns => is_return,
        Kind::Churn | Kind::SilentRegion => !is_discount && !is_return && finding.facts.iter().any(is_fall_or_end),
    }
}

/// Returns whether a fact says that something fell, or when something was last. A date is no number.
fn is_fall_or_end(fact: &Fact) -> bool {
    let value = |name: &str| fact.value(name).map(|value| value.value);
    match fact.form {
        Form::Change => value("from") > value("to"),
        Form::Value => fact.values.is_empty(),
        _ => false,
    }
}

/// Returns the values that the findings claim for the kind. Only facts about regions claim a region: those about customers
/// may also name the region of each.
fn claims(kind: Kind, findings: &[Finding], results: &Results) -> BTreeSet<String> {
    let facts = findings.iter().filter(|finding| is_about(finding, kind)).flat_map(Finding::all_facts);
    let is_own = |fact: &&Fact| kind != Kind::SilentRegion || names(fact, Kind::Churn.column(), results).is_empty();
    facts.filter(is_own).flat_map(|fact| names(fact, kind.column(), results)).collect()
}

/// Returns the values of a column that a fact names: in the conditions of what it is about, and for the largest groups in
/// its sentence.
fn names(fact: &Fact, column: &str, results: &Results) -> BTreeSet<String> {
    let values = |condition: &String| {
        let values = condition.strip_prefix(column)?.trim_start();
        let values = values.strip_prefix("among ").unwrap_or(values);
        let values = values.split(", ").map(|value| value.strip_prefix('\'')?.strip_suffix('\''));
        values.map(|value| value.map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    let mut names = fact.subject.iter().filter_map(values).flatten().collect::<BTreeSet<_>>();
    if fact.form == Form::Top {
        let groups = fact.cells.iter().filter_map(|cell| {
            let table = &results.get(&cell.query)?.table;
            table.cell(cell.row, table.column(column)?)
        });
        names.extend(groups.filter(|group| fact.sentence.contains(&format!("'{group}'"))).map(str::to_owned));
    }
    names
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "recall {:.2}, precision {:.2}", self.recall, self.precision)?;
        for kind in &self.kinds {
            let KindScore { kind, planted, found, claimed, right, money_found } = kind;
            let name = kind.name();
            let money = money_found * 100.0;
            writeln!(
                formatter,
                "{name:>14}: {found} of {planted} planted found ({money:.0}% of the money), {right} of \
                 {claimed} claimed right"
            )?;
        }
        Ok(())
    }
}
