//! Which findings of a run are new, which are known, and how these go on. Pure: what is remembered and what the run found
//! come in, what is to be remembered goes out.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::definition::{Definition, Definitions};
use super::remembered::{Feedback, Remembered};
use crate::agent::known::Remeasured;
use crate::finding::basis::Basis;
use crate::finding::fact::{Fact, Form};
use crate::finding::lifecycle::{Entry, Remembrance, Standing, course, size};
use crate::finding::matter::Matter;
use crate::finding::record::Finding;

/// How often a kind has to be called not actionable to come last.
const LOWERED_BY: usize = 3;

/// What a run found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub run_id: &'a str,
    /// The day that it took for today.
    pub as_of: Date,
    pub findings: &'a [Finding],
    /// What each finding rests on, in their order.
    pub bases: &'a [Basis],
    pub remeasured: &'a [Remeasured],
}

/// Decides how each finding stands. `known` becomes what is to be remembered.
pub fn decide(memory: &str, known: &mut Vec<Remembered>, found: Found<'_>, definitions: &Definitions) -> Remembrance {
    let (told, new) = assigned(known, found);
    let mut remembrance = Remembrance { memory: memory.to_owned(), ..Remembrance::default() };
    let before = known.len();
    for place in 0..before {
        let next = Next { found, told: &told[place], definitions };
        remembrance.entries.extend(next.entry(&mut known[place]));
    }
    for index in new {
        remembrance.entries.push(begin(known, index, found, definitions));
    }
    lower(known, &mut remembrance);
    remembrance.gone = gone(known, &remembrance, definitions);
    let rank = |entry: &Entry| {
        let place = (!entry.is_news(), entry.standing, entry.is_lowered, std::cmp::Reverse(entry.severity));
        (entry.silenced.is_some(), place)
    };
    remembrance.entries.sort_by_key(rank);
    remembrance
}

/// The findings of the run that are about one that is remembered.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Those that lead with the same matter, the gravest first.
    leads: Vec<usize>,
    /// Those that lead with another of its facts, or tell the same effect of another measure.
    also: Vec<usize>,
}

/// Returns which findings of the run are about which that is remembered, and which are new.
fn assigned(known: &[Remembered], found: Found<'_>) -> (Vec<Told>, Vec<usize>) {
    let mut told = vec![Told::default(); known.len()];
    let mut others = Vec::new();
    for (index, finding) in found.findings.iter().enumerate() {
        match place_by_lead(known, finding) {
            Some(place) => told[place].leads.push(index),
            None => others.push(index),
        }
    }
    for one in &mut told {
        one.leads.sort_by_key(|index| std::cmp::Reverse(found.findings[*index].severity));
    }
    // What is over tonight is not what another of its facts tells tonight.
    let goes_on =
        known.iter().zip(&told).map(|(one, told)| one.is_open() && (!told.leads.is_empty() || !is_gone(one, found)));
    let goes_on = goes_on.collect::<Vec<_>>();
    let mut new = Vec::new();
    for index in others {
        match place_beside(known, &goes_on, &found.findings[index]) {
            Some(place) => told[place].also.push(index),
            None => new.push(index),
        }
    }
    (told, new)
}

/// Returns whether a finding was measured again and nothing is left of it.
fn is_gone(known: &Remembered, found: Found<'_>) -> bool {
    let measured = found.remeasured.iter().find(|one| one.finding == known.id()).and_then(|one| one.fact.as_ref());
    measured.is_some_and(|fact| course(known.told, known.lead.says_something(), fact) == Standing::Over)
}

/// Returns the finding that is remembered which leads with the same matter, an open one first. What goes the other way is
/// another finding.
fn place_by_lead(known: &[Remembered], finding: &Finding) -> Option<usize> {
    let lead = finding.lead()?;
    let matter = Matter::of(lead);
    let is_it = |one: &Remembered| {
        let leads = one.matters.first().is_some_and(|other| other.is_same(&matter));
        leads && !is_turned(&one.told_lead, lead)
    };
    let open = known.iter().position(|one| one.is_open() && is_it(one));
    open.or_else(|| known.iter().position(is_it))
}

/// Returns the finding that goes on to which another one of the run belongs: of which its lead is another fact, else of which
/// it tells the same effect by another measure. One that is graver is a finding of its own.
fn place_beside(known: &[Remembered], goes_on: &[bool], finding: &Finding) -> Option<usize> {
    let lead = finding.lead()?;
    let matter = Matter::of(lead);
    let is_along = |other: &Matter| !has_direction(lead) || other.falls == matter.falls;
    let is_fact = |other: &Matter| other.is_same(&matter) && is_along(other);
    let is_effect = |other: &Matter| other.is_same_effect(&matter);
    let first = |is_it: &dyn Fn(&Matter) -> bool| {
        let is_place = |(one, goes_on): (&Remembered, &bool)| {
            *goes_on && finding.severity <= one.severity && one.matters.iter().any(is_it)
        };
        known.iter().zip(goes_on).position(is_place)
    };
    first(&is_fact).or_else(|| first(&is_effect))
}

/// Returns whether a fact is a change, a difference or a slope.
fn has_direction(fact: &Fact) -> bool {
    matches!(fact.form, Form::Change | Form::Gap | Form::Trend | Form::Since)
}

/// Returns whether a change, a difference or a slope goes the other way than another.
fn is_turned(told: &Fact, now: &Fact) -> bool {
    let is_negative = |fact: &Fact| size(fact).filter(|size| !size.is_zero()).map(|size| size.is_sign_negative());
    has_direction(told)
        && told.form == now.form
        && is_negative(told).zip(is_negative(now)).is_some_and(|(told, now)| told != now)
}

/// What a run says of one finding that is remembered.
struct Next<'a> {
    found: Found<'a>,
    told: &'a Told,
    definitions: &'a Definitions,
}

impl Next<'_> {
    /// Decides how it goes on. Returns nothing of a finding that is over and was not told again.
    fn entry(&self, known: &mut Remembered) -> Option<Entry> {
        let as_of = self.found.as_of;
        if !known.is_open() && self.told.leads.is_empty() {
            return None;
        }
        let was_over = !known.is_open();
        let (gone, changed) = (self.definitions.gone(&known.definitions), self.definitions.changed(&known.definitions));
        let newest = self.definitions.of(&known.basis).newest;
        // The dates of its statement moved to there; what is told later may begin anew.
        let is_stale = newest.is_some_and(|newest| newest <= known.newest) && known.newest < as_of && !was_over;
        let (standing, why) = self.standing(known, !changed.is_empty());
        if standing != Standing::Unmeasured {
            // What it rests on may be what this run asked.
            let Definition { tables, hashes, .. } = self.definitions.of(&known.basis);
            if !tables.is_empty() {
                (known.tables, known.definitions) = (tables, hashes);
                known.newest = newest.unwrap_or(as_of).min(as_of);
            }
        }
        let is_resolved = known.verdict.as_ref().is_some_and(|verdict| verdict.kind == Feedback::Resolved);
        // What somebody called mended and is there on another day is back.
        let is_back = was_over || is_resolved && known.verdict.as_ref().is_some_and(|verdict| verdict.at < as_of);
        let standing = match standing {
            Standing::Over | Standing::Unmeasured => standing,
            _ if is_back => Standing::Back,
            _ => standing,
        };
        if matches!(standing, Standing::Back | Standing::Over) && is_resolved {
            known.verdict = None;
        }
        // Of what the run tells by itself, it says how grave it is now.
        if let Some(index) = self.told.leads.first() {
            known.severity = self.found.findings[*index].severity;
        }
        known.stand(standing, as_of);
        let mut findings = self.told.leads.iter().map(|index| self.found.findings[*index].id.clone());
        let finding = findings.next();
        let also = findings.chain(self.told.also.iter().map(|index| self.found.findings[*index].id.clone())).collect();
        let mut entry = Entry { finding, also, ..entry(known, why, as_of) };
        if is_stale && entry.why.is_none() {
            entry.why = Some(format!("no rows have come since {}: it is told of the same ones", known.newest));
        }
        if standing == Standing::Unmeasured {
            entry.is_lost = self.is_tried(known) && known.lose(&gone);
            entry.why = unmeasured(&gone, &changed, entry.why);
        } else {
            known.lost = None;
            if !changed.is_empty() {
                entry.why = Some(format!("{}: it is compared from now on", redefined(&changed)));
            }
        }
        Some(entry)
    }

    /// Returns whether the run tried to measure it. One that another run found at the same time is not.
    fn is_tried(&self, known: &Remembered) -> bool {
        self.found.remeasured.iter().any(|one| one.finding == known.id())
    }

    /// Returns how it stands, and why it could not be measured.
    fn standing(&self, known: &mut Remembered, is_redefined: bool) -> (Standing, Option<String>) {
        let as_of = self.found.as_of;
        let measured = self.found.remeasured.iter().find(|one| one.finding == known.id());
        let (fact, why) = measured.map_or((None, None), |one| (one.fact.clone(), one.why.clone()));
        let said = known.lead.says_something();
        if let Some(fact) = fact {
            let standing = course(known.told, said, &fact);
            if is_redefined {
                known.keep(fact, as_of);
                known.told = size(&known.lead);
                return (Standing::Ongoing, None);
            }
            if standing != Standing::Over {
                known.keep(fact, as_of);
                return (standing, None);
            }
            // What the run finds by itself, with all its tests, is not over: its window reaches back to where it was.
            if let Some(index) = self.told.leads.first().copied() {
                let standing = self.told_lead(index).map_or(Standing::Ongoing, |lead| course(known.told, said, lead));
                self.rebase(known, index);
                let why = "measured as it was told before, nothing is left of it: a longer time still has it";
                let is_better = matches!(standing, Standing::Better | Standing::Over);
                return (if is_better { Standing::Better } else { Standing::Ongoing }, Some(why.to_owned()));
            }
            known.keep(fact, as_of);
            return (Standing::Over, None);
        }
        if let Some(index) = self.told.leads.first().copied() {
            let standing = self.told_lead(index).map_or(Standing::Ongoing, |lead| course(known.told, said, lead));
            self.rebase(known, index);
            let standing = if standing == Standing::Over || is_redefined { Standing::Ongoing } else { standing };
            return (standing, None);
        }
        if !self.told.also.is_empty() && !self.is_tried(known) {
            return (Standing::Ongoing, why);
        }
        (Standing::Unmeasured, why.or_else(|| Some("the run ended before it was measured".to_owned())))
    }

    fn told_lead(&self, index: usize) -> Option<&Fact> {
        self.found.findings[index].lead()
    }

    /// Keeps what the run measured in the place of what could not be measured again.
    fn rebase(&self, known: &mut Remembered, index: usize) {
        let finding = &self.found.findings[index];
        let Some(lead) = finding.lead().cloned() else { return };
        known.basis = self.found.bases.get(index).cloned().unwrap_or_default();
        known.fact.clone_from(&lead.id);
        known.told_lead = lead.clone();
        let newest = self.definitions.of(&known.basis).newest;
        known.last_day = newest.map_or(self.found.as_of, |newest| newest.min(self.found.as_of));
        known.keep(lead, self.found.as_of);
    }
}

/// Returns why a finding could not be measured: first what became of the tables.
fn unmeasured(gone: &[String], changed: &[String], why: Option<String>) -> Option<String> {
    match (gone, changed) {
        ([], []) => why,
        ([], changed) => Some([redefined(changed)].into_iter().chain(why).collect::<Vec<_>>().join("; ")),
        (gone, _) => Some(gone_in_words(gone)),
    }
}

fn redefined(tables: &[String]) -> String {
    format!("the definition of {} changed since it was measured last", tables.join(" and "))
}

fn gone_in_words(tables: &[String]) -> String {
    match tables {
        [table] => format!("table {table} is not there any more"),
        tables => format!("tables {} are not there any more", tables.join(" and ")),
    }
}

/// Returns which tables are not there any more, each with the findings that rest on it, where that is news.
fn gone(known: &[Remembered], remembrance: &Remembrance, definitions: &Definitions) -> Vec<String> {
    let mut findings = BTreeMap::<String, Vec<&str>>::new();
    for entry in remembrance.told().filter(|entry| entry.is_lost) {
        let one = known.iter().find(|one| one.id() == entry.id);
        for table in one.map(|one| definitions.gone(&one.definitions)).unwrap_or_default() {
            findings.entry(table).or_default().push(&entry.id);
        }
    }
    let told = |(table, ids): (String, Vec<&str>)| {
        let rest = if ids.len() == 1 { "rests" } else { "rest" };
        format!("{} ({} {rest} on it)", gone_in_words(&[table]), ids.join(", "))
    };
    findings.into_iter().map(told).collect()
}

/// Keeps a finding that was not known.
fn begin(known: &mut Vec<Remembered>, index: usize, found: Found<'_>, definitions: &Definitions) -> Entry {
    let finding = &found.findings[index];
    let basis = found.bases.get(index).cloned().unwrap_or_default();
    let Definition { tables, hashes, newest } = definitions.of(&basis);
    let last_day = newest.map_or(found.as_of, |newest| newest.min(found.as_of));
    let lead = finding.facts[0].clone();
    let mut new = Remembered {
        number: known.iter().map(|one| one.number).max().unwrap_or(0) + 1,
        matters: finding.facts.iter().map(Matter::of).collect(),
        severity: finding.severity,
        basis,
        fact: lead.id.clone(),
        last_day,
        newest: last_day,
        first_seen: found.as_of,
        first_run: found.run_id.to_owned(),
        standing: Standing::New,
        since: found.as_of,
        told: None,
        series: Vec::new(),
        tables,
        definitions: hashes,
        lost: None,
        verdict: None,
        told_lead: lead.clone(),
        lead: lead.clone(),
    };
    new.keep(lead, found.as_of);
    new.stand(Standing::New, found.as_of);
    let entry = Entry { finding: Some(finding.id.clone()), ..entry(&new, None, found.as_of) };
    known.push(new);
    entry
}

/// Returns how a finding stands that the run only measured again.
fn entry(known: &Remembered, why: Option<String>, as_of: Date) -> Entry {
    let verdict = known.verdict.as_ref();
    Entry {
        id: known.id(),
        finding: None,
        also: Vec::new(),
        standing: known.standing,
        first_seen: known.first_seen,
        since: known.since,
        severity: known.severity,
        sentence: known.lead.sentence.clone(),
        series: known.series.clone(),
        why,
        is_lost: false,
        silenced: verdict.and_then(|verdict| verdict.silences(size(&known.lead), as_of)),
        is_lowered: false,
    }
}

/// Lets the kinds come last that were called not actionable often, and says so.
fn lower(known: &[Remembered], remembrance: &mut Remembrance) {
    let is_not =
        |one: &&Remembered| one.verdict.as_ref().is_some_and(|verdict| verdict.kind == Feedback::NotActionable);
    let called = known.iter().filter(is_not).map(Remembered::kind).collect::<Vec<_>>();
    let mut said = Vec::new();
    for entry in &mut remembrance.entries {
        let Some(kind) = known.iter().find(|one| one.id() == entry.id).map(Remembered::kind) else { continue };
        let times = called.iter().filter(|other| **other == kind).count();
        entry.is_lowered = times >= LOWERED_BY;
        if entry.is_lowered && !said.contains(&kind) {
            remembrance.remarks.push(format!("{kind} were called not actionable {times} times, and come last"));
            said.push(kind);
        }
    }
}
