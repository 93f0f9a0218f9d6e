//! `explore runs diff`: which findings of one run are new, gone or changed beside another.

use std::fmt::Write as _;

use serde_json::json;

use crate::agent::journal::{self, Run};
use crate::agent::runs;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::finding::matter::Matter;
use crate::finding::record::Finding;
use crate::typeset::text::printable;

pub(super) fn run(
    (first, second): (&str, &str),
    as_json: bool,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let read = |id: &str| {
        let found = runs::find(&config.runs_dir, id).map_err(|error| Failure::new(Kind::Usage, error))?;
        journal::read(&found.journal).map_err(|error| Failure::new(Kind::Usage, error))
    };
    let (earlier, later) = (read(first)?, read(second)?);
    for run in [&earlier, &later].into_iter().filter(|run| !run.complete) {
        output
            .talk()
            .warn(&format!("{} is incomplete: what it lacks may be gone or may not have been looked at", run.run_id));
    }
    let difference = Difference::of(&earlier, &later);
    let text = if as_json { difference.json(&earlier, &later) } else { difference.in_words(&earlier, &later) };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// The findings of two runs beside each other.
struct Difference<'r> {
    new: Vec<&'r Finding>,
    gone: Vec<&'r Finding>,
    changed: Vec<(&'r Finding, &'r Finding)>,
    same: usize,
}

impl<'r> Difference<'r> {
    fn of(earlier: &'r Run, later: &'r Run) -> Self {
        let matter = |finding: &Finding| finding.lead().map(Matter::of);
        let is_same = |one: &Finding, other: &Finding| {
            matter(one).zip(matter(other)).is_some_and(|(one, other)| one.is_same(&other))
        };
        let before = |finding: &Finding| earlier.findings.iter().find(|other| is_same(other, finding));
        let pairs = later.findings.iter().filter_map(|finding| Some((before(finding)?, finding))).collect::<Vec<_>>();
        let is_before = |finding: &&Finding| pairs.iter().any(|(before, _)| std::ptr::eq(*before, *finding));
        let is_after = |finding: &&Finding| pairs.iter().any(|(_, after)| std::ptr::eq(*after, *finding));
        Self {
            new: later.findings.iter().filter(|finding| !is_after(finding)).collect(),
            gone: earlier.findings.iter().filter(|finding| !is_before(finding)).collect(),
            same: pairs.iter().filter(|(before, after)| before.headline() == after.headline()).count(),
            changed: pairs.into_iter().filter(|(before, after)| before.headline() != after.headline()).collect(),
        }
    }

    fn json(&self, earlier: &Run, later: &Run) -> String {
        let one = |finding: &&Finding| json!({ "id": finding.id, "sentence": finding.headline() });
        let both = |(before, after): &(&Finding, &Finding)| json!({ "before": one(before), "after": one(after) });
        let document = json!({
            "earlier": earlier.run_id,
            "later": later.run_id,
            "new": self.new.iter().map(one).collect::<Vec<_>>(),
            "gone": self.gone.iter().map(one).collect::<Vec<_>>(),
            "changed": self.changed.iter().map(both).collect::<Vec<_>>(),
            "unchanged": self.same,
        });
        format!("{document:#}\n")
    }

    fn in_words(&self, earlier: &Run, later: &Run) -> String {
        let mut text = format!("{} \u{2192} {}\n\n", earlier.run_id, later.run_id);
        for finding in &self.new {
            let _ = writeln!(text, "new      {:<4} \u{25c6} {}", finding.id, finding.headline());
        }
        for finding in &self.gone {
            let _ = writeln!(text, "gone     {:<4} \u{25c6} {}", finding.id, finding.headline());
        }
        for (before, after) in &self.changed {
            let _ = writeln!(text, "changed  {:<4} \u{25c6} {}", before.id, before.headline());
            let _ = writeln!(text, "     now {:<4} \u{25c6} {}", after.id, after.headline());
        }
        let (new, gone, changed) = (self.new.len(), self.gone.len(), self.changed.len());
        let _ = writeln!(text, "\n{new} new, {gone} gone, {changed} changed, {} as they were", self.same);
        printable(&text).into_owned()
    }
}
