//! What an evaluation found, as JSON and as text, and two of them compared.

use std::fmt::Write as _;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::insightbench::FigureSought;
use super::{Avoided, Judged, Sought, Verdict};
use crate::analysis::chance::{Proportion, two_proportions, wilson};
use crate::finding::{Confidence, Severity};
use crate::sample::planted::{Schema, SignalKind};

/// The version of [`Report`]. It is raised when a field changes its meaning or is removed.
pub const VERSION: u32 = 1;
/// Characters of a headline in the text.
const HEADLINE_CHARACTERS_MAX: usize = 150;

/// The results of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub version: u32,
    /// The version of the program.
    pub program: String,
    /// The model, or the built-in analyst.
    pub player: String,
    /// Runs on data with planted truth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planted: Vec<PlantedRun>,
    /// Runs on data in which there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub null: Vec<NullRun>,
    /// Runs on folders in InsightBench's layout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insightbench: Vec<BenchRun>,
    /// The shares that the runs come to, by name.
    pub shares: Vec<Share>,
}

/// A run on data with planted truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlantedRun {
    pub schema: Schema,
    pub seed: u64,
    pub as_of: Date,
    pub signals: Vec<Sought>,
    pub decoys: Vec<Avoided>,
    pub findings: Vec<Judged>,
    /// The figures of findings that were computed again, and how many of them were others then.
    pub figures: usize,
    pub figures_wrong: usize,
    pub cost: Cost,
}

/// A run on data in which there is nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NullRun {
    /// `shuffled` or `memoryless`.
    pub twin: String,
    pub schema: Schema,
    pub seed: u64,
    /// The findings that say that there is something.
    pub findings: Vec<NullFinding>,
    pub cost: Cost,
}

/// A finding where there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NullFinding {
    pub headline: String,
    pub severity: Severity,
    pub confidence: Confidence,
}

/// A run on a folder in InsightBench's layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchRun {
    pub folder: String,
    pub goal: String,
    /// The numbers of the ground truth, and those of them that recompute from the data.
    pub numbers: usize,
    pub sought: Vec<FigureSought>,
    /// The first twelve findings.
    pub findings: Vec<Judged>,
    pub figures: usize,
    pub figures_wrong: usize,
    pub cost: Cost,
}

/// What a run used, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    pub turns: u32,
    pub queries: u32,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cost_usd: Option<Decimal>,
    pub milliseconds: u64,
    /// Why it ended, such as `finished`.
    pub ended: String,
    pub complete: bool,
}

/// A count of a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub name: String,
    pub part: u64,
    pub whole: u64,
}

impl Share {
    fn of<T>(name: impl Into<String>, all: impl IntoIterator<Item = T>, is: impl Fn(&T) -> bool) -> Self {
        let (mut part, mut whole) = (0, 0);
        for one in all {
            whole += 1;
            part += u64::from(is(&one));
        }
        Self { name: name.into(), part, whole }
    }

    fn proportion(&self) -> Proportion {
        Proportion { part: self.part, whole: self.whole }
    }

    /// Returns the share as text, with the interval in which it lies with a confidence of 95%.
    fn text(&self) -> String {
        if self.whole == 0 {
            return "-".to_owned();
        }
        let (low, high) = wilson(self.proportion());
        format!(
            "{:>6.1}%  {} of {} ({:.0} to {:.0}%)",
            self.percent(),
            self.part,
            self.whole,
            low.max(0.0) * 100.0,
            high * 100.0
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn percent(&self) -> f64 {
        if self.whole == 0 { 0.0 } else { self.part as f64 * 100.0 / self.whole as f64 }
    }
}

impl Report {
    /// Returns an empty report of a player.
    pub fn new(player: String) -> Self {
        let (planted, null, insightbench, shares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            player,
            planted,
            null,
            insightbench,
            shares,
        }
    }

    /// Returns whether no run ended.
    pub fn is_empty(&self) -> bool {
        self.costs().next().is_none()
    }

    /// Sums up the runs.
    #[must_use]
    pub fn summed(mut self) -> Self {
        self.shares = [self.planted_shares(), self.null_shares(), self.bench_shares()].concat();
        self
    }

    fn planted_shares(&self) -> Vec<Share> {
        if self.planted.is_empty() {
            return Vec::new();
        }
        let signals = || self.planted.iter().flat_map(|run| &run.signals);
        let findings = || self.planted.iter().flat_map(|run| &run.findings);
        let mut shares = vec![
            Share::of("signals found", signals(), |signal| signal.found_by.is_some()),
            right("findings that are true", findings()),
        ];
        for confidence in [Confidence::High, Confidence::Medium, Confidence::Low] {
            let of_it = findings().filter(|finding| finding.confidence == confidence);
            shares.push(right(&format!("true where confidence is {}", confidence.name()), of_it));
        }
        let decoys = self.planted.iter().flat_map(|run| &run.decoys);
        shares.push(Share::of("decoys taken for signals", decoys, |decoy| decoy.taken_by.is_some()));
        shares
            .push(Share::of("findings that compare nothing", findings(), |finding| finding.verdict == Verdict::Plain));
        let (figures, wrong) = self
            .planted
            .iter()
            .fold((0, 0), |(all, wrong), run| (all + run.figures as u64, wrong + run.figures_wrong as u64));
        shares.push(Share { name: "wrong figures".to_owned(), part: wrong, whole: figures });
        for kind in SignalKind::ALL {
            let of_kind = signals().filter(|signal| signal.kind == kind);
            shares.push(Share::of(format!("found: {}", kind.name()), of_kind, |signal| signal.found_by.is_some()));
        }
        shares.retain(|share| share.whole > 0 || !share.name.starts_with("found:"));
        shares
    }

    fn null_shares(&self) -> Vec<Share> {
        let of_twin = |twin: &'static str| {
            let runs = self.null.iter().filter(move |run| run.twin == twin);
            Share::of(format!("{twin} sets with a finding of medium or more"), runs, |run| {
                run.findings.iter().any(|finding| finding.severity >= Severity::Medium)
            })
        };
        if self.null.is_empty() { Vec::new() } else { vec![of_twin("shuffled"), of_twin("memoryless")] }
    }

    fn bench_shares(&self) -> Vec<Share> {
        if self.insightbench.is_empty() {
            return Vec::new();
        }
        let runs = &self.insightbench;
        let sum = |count: fn(&BenchRun) -> usize| runs.iter().map(count).sum::<usize>() as u64;
        let sought = runs.iter().flat_map(|run| &run.sought);
        let compared = runs.iter().flat_map(|run| &run.findings).filter(|finding| finding.verdict != Verdict::Plain);
        vec![
            Share {
                name: "numbers of the ground truth that recompute".to_owned(),
                part: sum(|run| run.sought.len()),
                whole: sum(|run| run.numbers),
            },
            Share::of("of these found", sought, |figure| figure.found_by.is_some()),
            Share {
                name: "wrong figures in findings".to_owned(),
                part: sum(|run| run.figures_wrong),
                whole: sum(|run| run.figures),
            },
            Share::of("differences that are false discoveries", compared, |finding| finding.verdict == Verdict::Chance),
        ]
    }

    /// Returns the runs' costs.
    fn costs(&self) -> impl Iterator<Item = &Cost> {
        let planted = self.planted.iter().map(|run| &run.cost);
        planted.chain(self.null.iter().map(|run| &run.cost)).chain(self.insightbench.iter().map(|run| &run.cost))
    }

    /// Returns the report as text.
    pub fn text(&self) -> String {
        let mut text = format!("{}, explore {}\n\n", self.player, self.program);
        let width = width(&self.shares);
        for share in &self.shares {
            let _ = writeln!(text, "{:<width$}  {}", share.name, share.text());
        }
        text.push_str(&self.missed());
        text.push_str(&self.false_findings());
        let _ = writeln!(text, "\n{}", self.cost_text());
        text
    }

    fn missed(&self) -> String {
        let mut text = String::new();
        for run in &self.planted {
            for signal in run.signals.iter().filter(|signal| signal.found_by.is_none()) {
                let _ = writeln!(text, "  {} {}: {}", run.schema.name(), run.seed, signal.what);
            }
        }
        if text.is_empty() { text } else { format!("\nNot found:\n{text}") }
    }

    fn false_findings(&self) -> String {
        let mut text = String::new();
        let mut line = |place: String, why: &str, headline: &str| {
            let headline = crate::typeset::text::line(headline, HEADLINE_CHARACTERS_MAX);
            let _ = writeln!(text, "  {place} ({why}): {headline}");
        };
        for run in &self.planted {
            for finding in run.findings.iter().filter(|finding| finding.verdict.is_true() == Some(false)) {
                let why = finding.about.as_deref().unwrap_or("chance");
                line(format!("{} {} {}", run.schema.name(), run.seed, finding.id), why, &finding.headline);
            }
        }
        for run in &self.null {
            for finding in run.findings.iter().filter(|finding| finding.severity >= Severity::Medium) {
                line(
                    format!("{} {} {}", run.twin, run.schema.name(), run.seed),
                    finding.severity.name(),
                    &finding.headline,
                );
            }
        }
        for run in &self.insightbench {
            for finding in run.findings.iter().filter(|finding| finding.verdict == Verdict::Chance) {
                line(format!("{} {}", run.folder, finding.id), "chance", &finding.headline);
            }
        }
        if text.is_empty() { text } else { format!("\nFalse:\n{text}") }
    }

    fn cost_text(&self) -> String {
        let costs = self.costs().collect::<Vec<_>>();
        let runs = costs.len();
        let queries = costs.iter().map(|cost| u64::from(cost.queries)).sum::<u64>();
        let turns = costs.iter().map(|cost| u64::from(cost.turns)).sum::<u64>();
        let seconds = costs.iter().map(|cost| cost.milliseconds).sum::<u64>() / 1000;
        let mut text = format!("{runs} runs: {turns} turns, {queries} queries, {seconds} s");
        let tokens = |count: fn(&Cost) -> Option<u64>| costs.iter().copied().filter_map(count).sum::<u64>();
        let (sent, received) = (tokens(|cost| cost.input_tokens), tokens(|cost| cost.output_tokens));
        if sent + received > 0 {
            let _ = write!(text, ", {sent} tokens sent and {received} received");
        }
        let dollars = costs.iter().filter_map(|cost| cost.cost_usd).sum::<Decimal>();
        if !dollars.is_zero() {
            let _ = write!(text, ", {dollars} USD");
        }
        let early = costs.iter().filter(|cost| !cost.complete).count();
        if early > 0 {
            let _ = write!(text, "; {early} of them incomplete");
        }
        text
    }
}

/// Returns how many findings are true of those of which it is asked.
fn right<'f>(name: &str, findings: impl Iterator<Item = &'f Judged>) -> Share {
    let asked = findings.filter_map(|finding| finding.verdict.is_true());
    Share::of(name, asked, |is_true| *is_true)
}

fn width(shares: &[Share]) -> usize {
    shares.iter().map(|share| share.name.chars().count()).max().unwrap_or(0)
}

/// A share in two reports, and how well chance explains that they differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    pub name: String,
    pub first: Share,
    pub second: Share,
    /// Fisher's exact test; null where a report has none of it.
    pub p: Option<f64>,
}

/// Compares the shares that two reports have.
pub fn compare(first: &Report, second: &Report) -> Vec<Compared> {
    let other = |share: &Share| second.shares.iter().find(|other| other.name == share.name).cloned();
    let compared = first.shares.iter().filter_map(|share| {
        let other = other(share)?;
        let p = two_proportions(share.proportion(), other.proportion());
        Some(Compared { name: share.name.clone(), first: share.clone(), second: other, p })
    });
    compared.collect()
}

/// Returns a comparison as text.
pub fn comparison_text(first: &Report, second: &Report) -> String {
    let mut text = format!(
        "first:  {}, explore {}\nsecond: {}, explore {}\n\n",
        first.player, first.program, second.player, second.program
    );
    let compared = compare(first, second);
    let width = width(&first.shares);
    for Compared { name, first, second, p } in compared {
        let side = |share: &Share| match share.whole {
            0 => "-".to_owned(),
            _ => format!("{:.1}% ({} of {})", share.percent(), share.part, share.whole),
        };
        let p = match p {
            Some(p) if p < 0.001 => "p < 0.001".to_owned(),
            Some(p) => format!("p = {p:.3}"),
            None => String::new(),
        };
        let _ = writeln!(text, "{name:<width$}  {:<20}  {:<20}  {p}", side(&first), side(&second));
    }
    let _ = writeln!(text, "\nfirst:  {}\nsecond: {}", first.cost_text(), second.cost_text());
    text
}
