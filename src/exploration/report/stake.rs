//! Sums the money that the findings are worth, by unit, without counting the same cell twice.

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::view::{LINE_CHARACTERS, is_money};
use crate::agent::journal::Run;
use crate::finding::{CellReference, Told};
use crate::typeset::text;

/// The number of units shown.
const UNITS_MAX: usize = 3;

/// The sum of the impacts in one unit.
#[derive(Debug)]
pub(super) struct Stake {
    pub(super) amount: String,
    pub(super) unit: String,
    /// A note on the number of findings and their overlap; `None` for a single finding without overlap.
    pub(super) note: Option<String>,
}

impl Stake {
    /// Returns the sum with its unit and its note, such as `354,000 INR per year`.
    pub(super) fn text(&self) -> String {
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
        format!("{} {}{note}", self.amount, self.unit)
    }
}

/// Returns the largest sums, and the number of further units.
pub(super) fn at_stake(run: &Run) -> (Vec<Stake>, usize) {
    let mut sums = sums(run);
    sums.sort_by_key(|sum| Reverse(sum.amount));
    let more = sums.len().saturating_sub(UNITS_MAX);
    (sums.iter().take(UNITS_MAX).map(Sum::stake).collect(), more)
}

struct Sum<'a> {
    unit: &'a str,
    amount: Decimal,
    findings: usize,
    /// Findings that share a cell with a larger one. The amount does not include them.
    repeated: usize,
    cells: Vec<CellReference>,
}

impl Sum<'_> {
    fn stake(&self) -> Stake {
        let decimals = if self.amount >= Decimal::ONE_THOUSAND { 0 } else { 2 };
        let amount = text::group_digits(&self.amount.round_dp(decimals).normalize().to_string());
        let summed = (self.findings > 1).then(|| format!("sum of {} findings, which may overlap", self.findings));
        let repeated = match self.repeated {
            0 => None,
            1 => Some("1 more rests on the same rows".to_owned()),
            count => Some(format!("{count} more rest on the same rows")),
        };
        let notes = summed.into_iter().chain(repeated).collect::<Vec<_>>();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Stake { amount, unit: text::line(self.unit, LINE_CHARACTERS), note }
    }
}

/// Adds up the largest findings first, so that of several findings that share a cell the largest counts.
fn sums(run: &Run) -> Vec<Sum<'_>> {
    let mut findings = run.findings.iter().filter(|finding| is_money(&finding.impact.unit)).collect::<Vec<_>>();
    findings.sort_by_key(|finding| Reverse(finding.impact.amount.abs()));
    let mut sums: Vec<Sum<'_>> = Vec::new();
    for finding in findings {
        let Told { impact, .. } = finding;
        let cells = finding.cells_of_impact(&run.results, run.as_of());
        match sums.iter_mut().find(|sum| sum.unit == impact.unit) {
            Some(sum) if cells.iter().any(|cell| sum.cells.contains(cell)) => sum.repeated += 1,
            Some(sum) => {
                sum.amount = sum.amount.saturating_add(impact.amount.abs());
                sum.findings += 1;
                sum.cells.extend(cells);
            }
            None => {
                sums.push(Sum { unit: &impact.unit, amount: impact.amount.abs(), findings: 1, repeated: 0, cells });
            }
        }
    }
    sums
}
