//! The message about a run, in the form of every channel: what is new, worse, better or over since the run before it, at most
//! a page; or, of a run that looked behind an alert, what it found. Names and values from the database are hostile: they are escaped for the syntax that they appear in.

mod masked;

use serde::Serialize;
use serde_json::{Value, json};

pub use self::masked::masked;
use super::report::{self, Drawn};
use crate::agent::journal::{Run, StopReason};
use crate::deliver::block_kit::{context, escape, header, section};
use crate::deliver::{CHART_CID, Message};
use crate::finding::Severity;
use crate::finding::lifecycle::{Entry, Remembrance, Standing};
use crate::finding::record::Finding;
use crate::typeset::html::{colour, fragment};
use crate::typeset::layout::Layout;
use crate::typeset::page::Page;
use crate::typeset::png;
use crate::typeset::text::{count, line};

/// The version of the data for programs. It increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

const MAIL: &str = include_str!("digest/mail.html");
const SUBJECT_CHARACTERS: usize = 180;
const SENTENCE_CHARACTERS: usize = 420;
const ACTION_CHARACTERS: usize = 240;
/// News that are told in full; the rest is counted. So a message is at most a page.
const ITEMS_MAX: usize = 6;
/// News of which impact and first action are told, too.
const DETAILED_MAX: usize = 3;
/// Lines that say what was not looked at behind an alert.
const UNSEEN_MAX: usize = 3;
/// Facts that are told of a finding behind an alert.
const FACTS_MAX: usize = 3;
/// The width of plain text, in columns.
const WIDTH: usize = 76;

/// An error while a message is written. Each is a bug in the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot render the mail: {0}")]
    Mail(#[from] minijinja::Error),
    #[error(transparent)]
    Chart(#[from] png::Error),
    #[error("cannot write the message as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A finding in the message.
#[derive(Debug, Serialize)]
struct Item {
    id: String,
    word: &'static str,
    severity: &'static str,
    /// Since when, and how its size moved.
    detail: String,
    sentences: Vec<String>,
    impact: Option<String>,
    action: Option<String>,
}

/// How messages are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style<'a> {
    /// Whether there is a line when there is no news.
    pub is_always: bool,
    /// Where reports are served: an address in which `{run}` is the run's id and `{day}` the day that it took for today.
    pub link: Option<&'a str>,
}

/// Writes the message about a run; `None` if there is no news and the style does not ask for a line about that.
pub fn digest(run: &Run, remembrance: &Remembrance, style: Style<'_>) -> Result<Option<Message>, Error> {
    let news = remembrance.told().filter(|entry| entry.is_news()).collect::<Vec<_>>();
    if news.is_empty() && run.complete && !style.is_always {
        return Ok(None);
    }
    let finding = |entry: &Entry| run.findings.iter().find(|one| Some(&one.id) == entry.finding.as_ref());
    let shown = news.iter().take(ITEMS_MAX).enumerate();
    let detailed = |index: usize, entry: &Entry| finding(entry).filter(|_| index < DETAILED_MAX);
    let items = shown.map(|(index, entry)| item(entry, detailed(index, entry))).collect::<Vec<_>>();
    let pictured = news.iter().find_map(|entry| report::drawn(finding(entry)?.picture.as_ref()?));
    let words = Words::of(run, remembrance, &news, style.link);
    let data = json!({
        "schema_version": SCHEMA_VERSION,
        "subject": words.subject,
        "run_id": run.run_id,
        "as_of": run.as_of(),
        "complete": run.complete,
        "remembrance": remembrance,
    });
    message(report::player(run), words, &items, pictured.as_ref(), data).map(Some)
}

/// Writes the message about a run that looked behind an alert, for the thread of the alert with this subject. No report of it
/// is written that it could link to.
pub fn follow_up(run: &Run, alert: &str) -> Result<Message, Error> {
    let items = run.findings.iter().take(DETAILED_MAX).map(found).collect::<Vec<_>>();
    let pictured = run.findings.first().and_then(|finding| report::drawn(finding.picture.as_ref()?));
    let words = Words::of_follow_up(run, alert);
    let data = json!({
        "schema_version": SCHEMA_VERSION,
        "subject": words.subject,
        "alert": alert,
        "run_id": run.run_id,
        "as_of": run.as_of(),
        "complete": run.complete,
        "findings": run.findings,
    });
    message(report::player(run), words, &items, pictured.as_ref(), data)
}

/// Writes that nobody could look behind an alert, and why, for its thread.
pub fn unable(alert: &str, why: &str) -> Result<Message, Error> {
    let words = Words {
        subject: line(&format!("Re: {alert}"), SUBJECT_CHARACTERS),
        intro: line(alert, SUBJECT_CHARACTERS),
        summary: format!("could not look behind the alert: {}", line(why, SENTENCE_CHARACTERS)),
        caution: None,
        gone: Vec::new(),
        rest: None,
        hint: "The alert itself stands.".to_owned(),
        link: None,
    };
    let data = json!({
        "schema_version": SCHEMA_VERSION,
        "subject": words.subject,
        "alert": alert,
        "problem": words.summary,
    });
    message("", words, &[], None, data)
}

/// Puts a message together in the form of every channel. `player` is who proposes what to do.
fn message(player: &str, words: Words, items: &[Item], chart: Option<&Drawn>, data: Value) -> Result<Message, Error> {
    let chart_png = chart.map(|Drawn { svg, .. }| png::rasterise(svg)).transpose()?;
    let html = fragment(MAIL, mail(player, &words, items, chart))?;
    let (text, blocks) = (text(&words, items), blocks(&words, items));
    Ok(Message { subject: words.subject, text, html, blocks, chart_png, data })
}

/// The texts around the items.
struct Words {
    subject: String,
    intro: String,
    summary: String,
    caution: Option<String>,
    /// What findings rest on that is not there any more.
    gone: Vec<String>,
    rest: Option<String>,
    hint: String,
    /// The address of the report.
    link: Option<String>,
}

impl Words {
    fn of(run: &Run, remembrance: &Remembrance, news: &[&Entry], link: Option<&str>) -> Self {
        let title = report::title(run);
        let summary = if news.is_empty() { "nothing new".to_owned() } else { remembrance.summary() };
        let worst = news.iter().filter(|entry| entry.standing != Standing::Over).map(|entry| entry.severity).max();
        let urgent = worst.filter(|worst| *worst >= Severity::High).map(|worst| format!("[{}] ", worst.name()));
        let incomplete = if run.complete { "" } else { "INCOMPLETE: " };
        let subject = format!("{incomplete}{}{title}: {summary} ({})", urgent.unwrap_or_default(), run.as_of());
        let more = news.len().saturating_sub(ITEMS_MAX);
        let more =
            (more > 0).then(|| format!("{} more in the report.", count(more, "piece of news", "pieces of news")));
        let same = remembrance.told().filter(|entry| !entry.is_news()).collect::<Vec<_>>();
        let ids = same.iter().take(20).map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(", ");
        let same =
            (!same.is_empty()).then(|| format!("{} as before: {ids}.", count(same.len(), "finding", "findings")));
        let rest = more.into_iter().chain(same).collect::<Vec<_>>().join(" ");
        Self {
            subject: line(&subject, SUBJECT_CHARACTERS),
            intro: line(&format!("{title}, as of {}", run.as_of()), SUBJECT_CHARACTERS),
            summary,
            caution: (!run.complete).then(|| line(&report::verdict(run), SENTENCE_CHARACTERS)),
            gone: remembrance.gone.iter().map(|text| line(&format!("{text}."), SENTENCE_CHARACTERS)).collect(),
            rest: (!rest.is_empty()).then_some(rest),
            hint: hint(run),
            link: link.map(|link| linked(run, link)),
        }
    }

    /// The texts of a message that follows an alert.
    fn of_follow_up(run: &Run, alert: &str) -> Self {
        let asked = count(run.totals.queries as usize, "query", "queries");
        let summary = match run.findings.len() {
            0 if run.complete || run.stop_reason == StopReason::Finished => {
                format!("looked behind the alert with {asked}: no part went another way than the others, beyond chance")
            }
            0 => format!("looked behind the alert with {asked}, and could not look at everything"),
            findings => format!("looked behind the alert with {asked}: {}", count(findings, "finding", "findings")),
        };
        let more = run.findings.len().saturating_sub(DETAILED_MAX);
        // The limits of such a run are not the reader's to raise.
        let ended = match run.stop_reason {
            StopReason::QueryLimit => Some(format!("It ended after {asked}: there may be more.")),
            StopReason::TimeLimit => Some("Its time was over: there may be more.".to_owned()),
            _ => None,
        };
        let more = (more > 0).then(|| format!("{} more in the report.", count(more, "finding", "findings")));
        let unseen = run.looked_at.iter().filter(|text| text.contains("not looked at"));
        let unseen = unseen.take(UNSEEN_MAX).map(|text| line(text, SENTENCE_CHARACTERS));
        let rest = more.into_iter().chain(ended).chain(unseen).collect::<Vec<_>>();
        Self {
            subject: line(&format!("Re: {alert}"), SUBJECT_CHARACTERS),
            intro: line(alert, SUBJECT_CHARACTERS),
            summary,
            caution: match run.stop_reason {
                StopReason::Finished | StopReason::QueryLimit | StopReason::TimeLimit => None,
                _ => Some(line(&report::verdict(run), SENTENCE_CHARACTERS)),
            },
            gone: Vec::new(),
            rest: (!rest.is_empty()).then(|| rest.join(" ")),
            hint: hint(run),
            link: None,
        }
    }
}

impl Words {
    /// Returns the summary, where the subject does not tell it.
    fn aside(&self) -> Option<&str> {
        (!self.subject.contains(&self.summary)).then_some(self.summary.as_str())
    }
}

/// Returns the address of a run's report.
fn linked(run: &Run, link: &str) -> String {
    link.replace("{run}", &run.run_id).replace("{day}", &run.as_of().to_string())
}

/// Returns how the whole report is shown.
fn hint(run: &Run) -> String {
    format!("The whole report: explore replay {}", line(&run.run_id, 80))
}

fn item(entry: &Entry, finding: Option<&Finding>) -> Item {
    let since = match entry.standing {
        Standing::New => None,
        _ => Some(format!("first seen {}", entry.first_seen)),
    };
    // What its course is told of is no more than what was measured before.
    let course = entry.course().filter(|_| !entry.is_lost);
    let detail = since.into_iter().chain(course).collect::<Vec<_>>().join(": ");
    let why = entry.why.as_ref().filter(|_| entry.is_lost).map(|why| format!("{why}; as it was measured last"));
    let detail = [detail].into_iter().filter(|detail| !detail.is_empty()).chain(why).collect::<Vec<_>>().join("; ");
    let impact = finding.and_then(|finding| finding.impact.as_ref());
    Item {
        id: entry.id.clone(),
        word: entry.standing.word(),
        severity: entry.severity.name(),
        detail: line(&detail, SENTENCE_CHARACTERS),
        sentences: vec![line(&entry.sentence, SENTENCE_CHARACTERS)],
        impact: impact.map(|impact| line(&impact.sentence, SENTENCE_CHARACTERS)),
        action: finding.and_then(|finding| finding.actions.first()).map(|action| line(action, ACTION_CHARACTERS)),
    }
}

/// Returns the facts of a finding of a run that looked behind an alert.
fn found(finding: &Finding) -> Item {
    let sentences = finding.facts.iter().take(FACTS_MAX).map(|fact| line(&fact.sentence, SENTENCE_CHARACTERS));
    let action = finding.actions.first().map(|action| line(action, ACTION_CHARACTERS));
    Item {
        id: finding.id.clone(),
        word: "found",
        severity: finding.severity.name(),
        detail: String::new(),
        sentences: sentences.collect(),
        impact: finding.impact.as_ref().map(|impact| line(&impact.sentence, SENTENCE_CHARACTERS)),
        action,
    }
}

fn mail(player: &str, words: &Words, items: &[Item], chart: Option<&Drawn>) -> Value {
    let names = ["page", "card", "ink", "muted", "line", "accent", "critical", "high", "medium", "low"];
    let colours = names.into_iter().map(|name| (name, colour(name))).collect::<std::collections::BTreeMap<_, _>>();
    json!({
        "subject": words.subject,
        "intro": words.intro,
        "summary": words.summary,
        "caution": words.caution,
        "gone": words.gone,
        "items": items,
        "rest": words.rest,
        "hint": words.hint,
        "link": words.link,
        "player": player,
        "chart": chart.map(|_| CHART_CID),
        "chart_title": chart.map(|chart| chart.title.as_str()),
        "colours": colours,
    })
}

fn text(words: &Words, items: &[Item]) -> String {
    let mut page = Page::new(Layout { width: WIDTH, colours: false });
    page.paragraph(&words.subject);
    words.aside().iter().for_each(|summary| page.paragraph(summary));
    words.gone.iter().chain(&words.caution).for_each(|text| page.paragraph(&format!("! {text}")));
    for item in items {
        let detail = if item.detail.is_empty() { String::new() } else { format!(" \u{b7} {}", item.detail) };
        page.line(&format!("{} \u{b7} {} \u{b7} {}{detail}", item.word.to_uppercase(), item.severity, item.id), 0);
        item.sentences.iter().for_each(|sentence| page.line(&format!("\u{25c6} {sentence}"), 2));
        item.impact.iter().for_each(|impact| page.line(&format!("Impact: \u{25c6} {impact}"), 2));
        item.action.iter().for_each(|action| page.line(&format!("Do: {action}"), 2));
        page.blank();
    }
    words.rest.iter().for_each(|rest| page.paragraph(rest));
    // An address is not wrapped.
    if let Some(link) = &words.link {
        page.text.push_str(link);
        page.text.push('\n');
    }
    page.line(&words.hint, 0);
    page.text
}

fn blocks(words: &Words, items: &[Item]) -> Value {
    let one = |item: &Item| {
        let mut lines = vec![format!("*{}* \u{b7} {} \u{b7} {}", escape(item.word), item.severity, escape(&item.id))];
        lines.extend((!item.detail.is_empty()).then(|| escape(&item.detail)));
        lines.extend(item.sentences.iter().map(|sentence| format!("\u{25c6} {}", escape(sentence))));
        lines.extend(item.impact.iter().map(|impact| format!("*Impact:* \u{25c6} {}", escape(impact))));
        lines.extend(item.action.iter().map(|action| format!("*Do:* {}", escape(action))));
        section(&lines.join("\n"))
    };
    let caution = words.caution.iter().map(|caution| section(&format!("*Incomplete.* {}", escape(caution))));
    let rest = words.rest.iter().map(|rest| context(&escape(rest)));
    let aside = words.aside().map(|summary| section(&escape(summary)));
    let gone = words.gone.iter().map(|text| section(&escape(text)));
    let before = [header(&words.subject)].into_iter().chain(gone).chain(aside).chain(caution);
    let blocks = before.chain(items.iter().map(one)).chain(rest);
    let link = words.link.as_ref().map(|link| context(&format!("<{}|The report>", escape(link))));
    blocks.chain(link).chain([context(&escape(&words.hint))]).collect()
}
