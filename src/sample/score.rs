//! Scores a run: the share of planted signals that it found, and the share of its claims that were planted.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Kind, Planted};
use crate::finding::results::Results;
use crate::finding::{Category, Citation};

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
/// A finding claims each value of the kind's column in the rows that it cites, for the kinds that its category can be
/// about. `findings` are the category and the citations of each finding.
pub fn score<'a>(
    planted: &[Planted],
    findings: impl IntoIterator<Item = (Category, &'a [Citation])>,
    results: &Results,
) -> Score {
    let findings = findings.into_iter().collect::<Vec<_>>();
    let kinds = Kind::ALL.map(|kind| kind_score(kind, planted, &claims(kind, &findings, results))).to_vec();
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

/// Returns whether a finding of this category can be about this kind of signal.
fn is_about(category: Category, kind: Kind) -> bool {
    match category {
        Category::Churn => matches!(kind, Kind::Churn | Kind::SilentRegion),
        Category::Margin => kind == Kind::Discount,
        Category::Quality => kind == Kind::Returns,
        Category::Decline => kind == Kind::SilentRegion,
        Category::Concentration | Category::Growth | Category::DataQuality | Category::Other => false,
    }
}

/// Returns the values that the findings claim for the kind. Only rows about regions claim a region: rows about
/// customers may also contain the region of each.
fn claims(kind: Kind, findings: &[(Category, &[Citation])], results: &Results) -> BTreeSet<String> {
    let mut claims = BTreeSet::new();
    for (_, citations) in findings.iter().filter(|(category, _)| is_about(*category, kind)) {
        for citation in *citations {
            let Some(result) = results.get(&citation.query) else { continue };
            let Some(column) = result.table.column(kind.column()) else { continue };
            if kind == Kind::SilentRegion && result.table.column(Kind::Churn.column()).is_some() {
                continue;
            }
            let cells = citation.rows.iter().filter_map(|row| result.table.cell(row.checked_sub(1)?, column));
            claims.extend(cells.map(str::to_owned));
        }
    }
    claims
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
