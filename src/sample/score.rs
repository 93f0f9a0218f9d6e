//! How much of what was planted a run found, and how much of what it claimed was planted.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Kind, Planted};
use crate::finding::results::Results;
use crate::finding::{Category, Citation};

/// The score of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The share of the planted signals that were found; 1 where none was planted.
    pub recall: f64,
    /// The share of the claimed signals that were planted; 1 where none was claimed.
    pub precision: f64,
    /// The same by kind.
    pub kinds: Vec<KindScore>,
}

/// The score of one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KindScore {
    /// The kind.
    pub kind: Kind,
    /// How many were planted.
    pub planted: usize,
    /// How many of these were found.
    pub found: usize,
    /// How many were claimed.
    pub claimed: usize,
    /// How many of these were right. More than `found` where a stopped customer of a silent region was claimed.
    pub right: usize,
    /// The share of the planted money that was found.
    pub money_found: f64,
}

/// Compares findings with what was planted. A finding claims what its category and the rows it cites say: each value of
/// the kind's column there. `findings` are a category and the citations of each.
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

/// Whether a finding of this category can be about this kind of signal.
fn is_about(category: Category, kind: Kind) -> bool {
    match category {
        Category::Churn => matches!(kind, Kind::Churn | Kind::SilentRegion),
        Category::Margin => kind == Kind::Discount,
        Category::Quality => kind == Kind::Returns,
        Category::Decline => kind == Kind::SilentRegion,
        Category::Concentration | Category::Growth | Category::DataQuality | Category::Other => false,
    }
}

/// The values that the findings claim for the kind. A region is claimed only by rows about regions, not by those of
/// customers that happen to say where each is.
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
