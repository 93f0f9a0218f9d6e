//! What every format shows of how the findings stand beside those of earlier runs. It contains no markup.

use super::view::LINE_CHARACTERS;
use crate::agent::journal::Run;
use crate::finding::Severity;
use crate::finding::lifecycle::{Entry, Remembrance, Standing};
use crate::finding::record::Finding;
use crate::finding::stated::SENTENCE_CHARACTERS;
use crate::typeset::text::{count, line};

/// Silenced findings that are named.
const SILENCED: usize = 12;

/// A finding of earlier runs that this run did not tell by itself.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Known {
    /// Such as `M12 (high): over (first seen 2026-10-28): -12.0% to -1.1%`.
    pub(super) standing: String,
    /// What leads, as it is now.
    pub(super) sentence: String,
    pub(super) word: &'static str,
}

/// Returns how many findings stand how, such as `Beside earlier runs: 2 new, 1 over, 5 ongoing.`
pub(super) fn summary(run: &Run) -> Option<String> {
    run.remembrance.as_ref().map(|known| format!("Beside earlier runs: {}.", known.summary()))
}

/// Returns what findings rest on that is not there any more, and was before.
pub(super) fn gone(run: &Run) -> Vec<String> {
    let gone = run.remembrance.iter().flat_map(|known| &known.gone);
    gone.map(|text| line(&format!("{text}."), LINE_CHARACTERS)).collect()
}

/// Returns how a finding of the run stands, or to which of those that are remembered it belongs: how that one stands is told
/// of its own lead alone.
pub(super) fn tag(run: &Run, finding: &Finding) -> Option<String> {
    let entry = run.remembrance.as_ref()?.of(&finding.id)?;
    if entry.is_led_by(&finding.id) {
        return Some(format!("{} {}", entry.id, standing(entry)));
    }
    let place = entry.finding.as_ref().map_or_else(|| "above".to_owned(), |lead| format!("as {lead}"));
    Some(format!("belongs to {}, {}: see {place}", entry.id, entry.standing.word()))
}

/// Returns what is remembered as it was measured again, where a finding of the run tells it of other days, say: how it went on
/// is told of this.
pub(super) fn measured(run: &Run, finding: &Finding) -> Option<String> {
    let entry = run.remembrance.as_ref()?.of(&finding.id)?;
    let is_other = entry.is_led_by(&finding.id) && finding.lead().is_none_or(|lead| lead.sentence != entry.sentence);
    is_other.then(|| line(&entry.sentence, SENTENCE_CHARACTERS))
}

/// Returns how grave a finding of the run is: as grave as what is remembered to which it belongs.
pub(super) fn severity(run: &Run, finding: &Finding) -> Severity {
    let entry = run.remembrance.as_ref().and_then(|known| known.of(&finding.id));
    entry.map_or(finding.severity, |entry| entry.severity)
}

/// Returns the place of a finding of the run in the report: what is new first. Without a memory all have the same.
pub(super) fn rank(run: &Run, finding: &str) -> (Standing, bool) {
    let entry = run.remembrance.as_ref().and_then(|known| known.of(finding));
    entry.map_or((Standing::Ongoing, false), |entry| (entry.standing, entry.is_lowered))
}

/// Returns whether nobody is told of a finding of the run.
pub(super) fn is_silenced(run: &Run, finding: &str) -> bool {
    let entry = run.remembrance.as_ref().and_then(|known| known.of(finding));
    entry.is_some_and(|entry| entry.silenced.is_some())
}

/// Returns in words that findings of earlier runs go on, such as `M2, M4 go on`: those that were measured again and that the
/// run did not tell by itself. `None` if there are none.
pub(super) fn goes_on(run: &Run) -> Option<String> {
    let is_over = |entry: &Entry| matches!(entry.standing, Standing::Over | Standing::Unmeasured);
    let told = run.remembrance.iter().flat_map(Remembrance::told);
    let ids = told.filter(|entry| entry.finding.is_none() && !is_over(entry)).map(|entry| entry.id.as_str());
    let ids = ids.collect::<Vec<_>>();
    let verb = if ids.len() == 1 { "goes on" } else { "go on" };
    (!ids.is_empty()).then(|| format!("{} {verb}", ids.join(", ")))
}

/// Returns how grave the findings are of which somebody is told.
pub(super) fn severities(run: &Run) -> impl Iterator<Item = Severity> {
    let shown = run.findings.iter().filter(|finding| !is_silenced(run, &finding.id));
    shown.map(|finding| severity(run, finding)).chain(run.told.iter().map(|finding| finding.severity))
}

/// Returns how many findings of the run nobody is told of.
pub(super) fn silenced(run: &Run) -> usize {
    run.findings.iter().filter(|finding| is_silenced(run, &finding.id)).count()
}

/// Returns the findings of earlier runs that the run did not tell by itself.
pub(super) fn known(run: &Run) -> Vec<Known> {
    let told = run.remembrance.iter().flat_map(Remembrance::told);
    let others = told.filter(|entry| entry.finding.is_none());
    let known = |entry: &Entry| Known {
        standing: format!("{} ({}): {}", entry.id, entry.severity.name(), standing(entry)),
        sentence: line(&entry.sentence, SENTENCE_CHARACTERS),
        word: entry.standing.word(),
    };
    others.map(known).collect()
}

/// Returns what a reader should know of the memory, a line each: what is silenced, and what is lowered.
pub(super) fn remarks(run: &Run) -> Vec<String> {
    let Some(known) = &run.remembrance else { return Vec::new() };
    let silenced = known.entries.iter().filter_map(|entry| Some((entry, entry.silenced.as_ref()?))).collect::<Vec<_>>();
    let named = silenced.iter().take(SILENCED).map(|(entry, why)| format!("{} ({why})", entry.id)).collect::<Vec<_>>();
    let more = silenced.len().saturating_sub(SILENCED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let silenced = (!named.is_empty()).then(|| {
        format!("Not told, as people said: {}{more}. `explore findings list --all` lists them.", named.join("; "))
    });
    let remarks = known.remarks.iter().map(|remark| format!("{remark}."));
    silenced.into_iter().chain(remarks).map(|text| line(&text, LINE_CHARACTERS)).collect()
}

fn standing(entry: &Entry) -> String {
    let word = entry.standing.word();
    let days = count(entry.series.len(), "night", "nights");
    let since = match entry.standing {
        Standing::New => String::new(),
        Standing::Unmeasured if entry.is_lost => format!(" for the first time (first seen {})", entry.first_seen),
        Standing::Ongoing | Standing::Unmeasured => format!(" since {} ({days})", entry.first_seen),
        Standing::Back | Standing::Worse | Standing::Better | Standing::Over => {
            format!(" (first seen {})", entry.first_seen)
        }
    };
    let course = entry.course().map(|course| format!(": {course}")).unwrap_or_default();
    let why = entry.why.as_ref().map(|why| format!("; {}", line(why, LINE_CHARACTERS))).unwrap_or_default();
    format!("{word}{since}{course}{why}")
}
