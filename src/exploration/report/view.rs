//! The content that every format shows of a run: findings in order, their impact and how the run ended. It contains no
//! markup.

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::super::analyst;
use super::remembered;
use crate::agent::journal::{ModelPart, PartEnd, Run, StopReason};
use crate::finding::results::QueryResult;
use crate::finding::told::{Impact, Told};
use crate::finding::{Severity, evidence};
use crate::typeset::text;
use crate::warehouse::table::Column;

/// The length in characters of one line of a finding: its title, an assumption or a part of an action.
pub(super) const LINE_CHARACTERS: usize = 400;
/// The length in characters of a narrative.
pub(super) const PROSE_CHARACTERS: usize = 4_000;
/// The length in characters of a statement.
pub(super) const SQL_CHARACTERS: usize = 20_000;
/// The number of rows in one table of evidence.
pub(super) const EVIDENCE_ROWS: usize = 12;

/// Codes of ISO 4217 in which business is commonly done.
const CURRENCIES: &str = "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP ETB EUR GBP GEL GHS HKD HUF \
                          IDR ILS INR IQD ISK JOD JPY KES KRW KWD KZT LBP LKR MAD MMK MUR MXN MYR NGN NOK NPR NZD OMR \
                          PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD UYU UZS VND XAF \
                          XOF ZAR ZMW";

/// Units whose amounts are whole numbers.
const INDIVISIBLE: &str = "accounts articles batches buyers claims clients complaints contracts customers dealers \
                           deliveries employees invoices items lines members orders partners patients people pieces \
                           products records returns rows shipments stores subscribers suppliers tickets transactions \
                           units users vendors visits";

/// The severities in the order of reports.
pub(super) const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// Returns the findings by severity. Within a severity those worth money come first, the largest amount at the top.
pub(super) fn ordered(findings: &[Told]) -> Vec<&Told> {
    let mut ordered = findings.iter().collect::<Vec<_>>();
    ordered.sort_by_key(|finding| {
        let money = is_money(&finding.impact.unit);
        let amount = if money { finding.impact.amount.abs() } else { Decimal::ZERO };
        Reverse((finding.severity, money, amount))
    });
    ordered
}

/// Returns the amount of an impact. From 10 on, an amount of indivisible units is rounded to a whole number.
pub(super) fn amount(impact: &Impact) -> String {
    let first_word = impact.unit.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let counts = INDIVISIBLE.split(' ').any(|noun| noun == first_word);
    if counts && impact.amount.abs() >= Decimal::TEN {
        text::group_digits(&impact.amount.round().normalize().to_string())
    } else {
        text::line(&impact.amount_text, LINE_CHARACTERS)
    }
}

/// Returns the unit of an impact without the part that the amount contains: `of sales` if the amount is `21.5%` and the
/// unit `% of sales`.
pub(super) fn unit(impact: &Impact) -> &str {
    const PERCENT: [&str; 4] = ["%", "percent", "per cent", "pct"];
    let (amount, unit) = (amount(impact), impact.unit.trim());
    let is_word = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    let after = |word: &str| unit.strip_prefix(word).filter(|rest| is_word(rest));
    let said = if amount.trim_end().ends_with('%') {
        PERCENT.iter().find_map(|word| after(word)).filter(|rest| !rest.trim_start().starts_with("point"))
    } else {
        unit.split_whitespace().next().filter(|word| amount.trim_end().ends_with(word)).and_then(after)
    };
    said.unwrap_or(unit).trim_start()
}

/// Returns the amount of an impact with its unit, without repeating a part of it.
pub(super) fn amount_and_unit(impact: &Impact) -> String {
    format!("{} {}", amount(impact), unit(impact)).trim_end().to_owned()
}

/// Returns the arithmetic of an impact. An equation of a number with itself is left out.
pub(super) fn arithmetic(finding: &Told) -> Option<String> {
    let line = text::line(&finding.impact.arithmetic, LINE_CHARACTERS);
    let says = line.split_once(" = ").is_none_or(|(left, right)| left.trim() != right.trim());
    (says && !line.is_empty()).then_some(line)
}

/// Returns the number of findings of each severity that occurs, the most severe first.
pub(super) fn by_severity(run: &Run) -> Vec<(Severity, usize)> {
    let count = |severity| remembered::severities(run).filter(|found| *found == severity).count();
    SEVERITIES.into_iter().map(|severity| (severity, count(severity))).filter(|(_, count)| *count > 0).collect()
}

/// Returns whether a unit contains a currency.
pub(super) fn is_money(unit: &str) -> bool {
    let is_currency = |word: &str| word.len() == 3 && CURRENCIES.split(' ').any(|currency| currency == word);
    unit.contains(['$', '€', '£', '¥', '₹']) || unit.split(|c: char| !c.is_alphanumeric()).any(is_currency)
}

/// Formats a cell for reading: one line, digits grouped, long decimals rounded. Returns `None` for NULL.
pub(super) fn cell(result: &QueryResult, row: usize, column: usize, characters_max: usize) -> Option<String> {
    let cell = result.table.cell(row, column)?;
    Some(match result.table.columns.get(column) {
        Some(heading) if heading.is_numeric() => number(heading, cell),
        _ => text::line(cell, characters_max),
    })
}

fn number(column: &Column, cell: &str) -> String {
    match cell.parse::<Decimal>() {
        Ok(_) if evidence::is_identifier(column) => cell.to_owned(),
        Ok(value) => text::group_digits(&text::round(value).to_string()),
        Err(_) => text::line(cell, LINE_CHARACTERS),
    }
}

/// Returns whose the readings, actions and severities are: the model's, or the built-in analyst's.
pub(in crate::exploration) fn player(run: &Run) -> &'static str {
    let is_analyst = run.started.as_ref().is_some_and(|started| started.model == analyst::NAME);
    if is_analyst { "analyst" } else { "model" }
}

/// Returns the name of a severity, such as `critical`.
pub(super) fn severity(severity: Severity) -> &'static str {
    severity.name()
}

/// Returns the focus area as a heading: `Customer churn` for `customer_churn`.
pub(super) fn focus(run: &Run) -> String {
    let focus = run.started.as_ref().map_or("unknown focus", |started| &started.focus);
    let words = text::line(&focus.replace('_', " "), LINE_CHARACTERS);
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Returns what was explored, as a heading: `Customer churn: orders and customers of shop`.
pub(in crate::exploration) fn title(run: &Run) -> String {
    let focus = focus(run);
    let Some((coverage, started)) = run.coverage.as_ref().zip(run.started.as_ref()) else { return focus };
    let name = |table: &String| text::line(table.rsplit('.').next().unwrap_or(table), LINE_CHARACTERS);
    let names = coverage.tables_looked_at.iter().map(name).collect::<Vec<_>>();
    let what = match names.as_slice() {
        [] => return focus,
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        many => text::count(many.len(), "table", "tables"),
    };
    format!("{focus}: {what} of {}", text::line(&started.server.database, LINE_CHARACTERS))
}

/// Returns the database in words, such as `demo on embedded PostgreSQL 18.4, as explore`.
pub(super) fn database(run: &Run) -> Option<String> {
    let server = &run.started.as_ref()?.server;
    let writable = if server.grade.may_write() { ", a role that may write" } else { "" };
    let text = format!("{} on {} {}, as {}{writable}", server.database, server.engine, server.version, server.role);
    Some(text::line(&text, LINE_CHARACTERS))
}

/// Returns the number of findings that are shown in words, such as `2 findings: 1 critical, 1 low, and 1 silenced`.
pub(super) fn summary(run: &Run) -> String {
    let counts = by_severity(run);
    let counts = counts.into_iter().map(|(level, count)| format!("{count} {}", severity(level))).collect::<Vec<_>>();
    let silenced = remembered::silenced(run);
    let silenced = if silenced > 0 { format!(", and {silenced} silenced") } else { String::new() };
    let found = text::count(remembered::severities(run).count(), "finding", "findings");
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{found}{colon}{}{silenced}", counts.join(", "))
}

/// Returns a sentence on how the run ended and what to do about it, with the reason's name.
pub(super) fn outcome(run: &Run) -> String {
    let reason = run.stop_reason;
    let limit = |what: &str, flag: &str| format!("Stopped at the limit of {what} ({reason}); {flag} raises it.");
    let capped = |what: &str, when: &str, flag: &str| {
        format!("Stopped at the limit of {what} over all runs ({reason}): run it again {when}, or raise {flag}.")
    };
    let lost =
        |what: &str, check: &str| format!("Stopped early because {what} ({reason}): {check}, then run it again.");
    match reason {
        StopReason::Finished => format!("The exploration ran to its end ({reason})."),
        StopReason::IterationLimit => limit("iterations", "--max-iterations"),
        StopReason::QueryLimit => limit("queries", "--max-queries"),
        StopReason::TokenLimit => limit("tokens", "--max-tokens-total"),
        StopReason::CostLimit => limit("cost", "--max-cost"),
        StopReason::DayCostLimit => capped("the cost of a day", "tomorrow", "--max-cost-day"),
        StopReason::MonthCostLimit => capped("the cost of a month", "next month", "--max-cost-month"),
        StopReason::TimeLimit => limit("time", "--time-limit"),
        StopReason::Interrupted => format!("Stopped from outside ({reason}); the report holds what was known by then."),
        StopReason::ModelFailed => lost("the model gave no answer", "check the model's server"),
        StopReason::DatabaseLost => lost("the database was lost", "check the database's server"),
        StopReason::Unfinished => match run.stop_detail.as_deref() {
            Some(detail) => {
                let detail = text::line(detail, LINE_CHARACTERS);
                format!("Stopped early because its journal could not be written ({reason}): {detail}.")
            }
            None => format!("The run is {reason}: it was killed, or is still running."),
        },
    }
}

/// Returns the outcome with its detail, such as the error of the model's client or the database.
pub(super) fn ending(run: &Run) -> String {
    let outcome = outcome(run);
    if run.stop_reason == StopReason::Unfinished {
        return outcome;
    }
    match run.stop_detail.as_deref().map(|detail| text::line(detail, LINE_CHARACTERS)) {
        Some(detail) if !detail.is_empty() => format!("{outcome} Detail: {detail}"),
        _ => outcome,
    }
}

/// The statement on which figures were checked.
pub(super) const CHECKED: &str = "Figures in title, narrative and impact were checked against the rows cited; those \
                                  in actions are proposals.";

/// Returns the warnings of the run itself, which are shown before the findings.
pub(super) fn cautions(run: &Run) -> Vec<String> {
    let cautions = run.warnings.iter().filter(|warning| !is_of_connection(run, warning));
    cautions.map(|warning| text::line(warning, LINE_CHARACTERS)).collect()
}

/// Returns the warnings of the connection, and the journal lines that could not be read.
pub(super) fn remarks(run: &Run) -> Vec<String> {
    let connection = run.warnings.iter().filter(|warning| is_of_connection(run, warning));
    let connection = connection.map(|warning| text::line(warning, LINE_CHARACTERS));
    let damaged = run.damage.iter().map(|damage| {
        let place = format!("{}:{}", run.journal.display(), damage.line);
        let remark = format!("{place} cannot be read and is missing here: {}", damage.problem);
        text::line(&remark, LINE_CHARACTERS)
    });
    versions(run).into_iter().chain(connection).chain(damaged).collect()
}

/// Returns which version wrote the journal, if it was another one.
fn versions(run: &Run) -> Option<String> {
    let own = env!("CARGO_PKG_VERSION");
    let written = run.started.as_ref().map(|started| started.version.as_str()).filter(|version| *version != own)?;
    Some(text::line(
        &format!("the run was written by version {written}, and is rendered by version {own}"),
        LINE_CHARACTERS,
    ))
}

fn is_of_connection(run: &Run, warning: &String) -> bool {
    run.started.as_ref().is_some_and(|started| started.server.warnings.contains(warning))
}

/// Returns the usage of the run, as pairs of label and value.
pub(super) fn usage(run: &Run) -> Vec<(&'static str, String)> {
    let totals = &run.totals;
    let failed = match run.queries_failed {
        0 => String::new(),
        failed => format!(" ({failed} refused or failed)"),
    };
    vec![
        ("Iterations", grouped(totals.iterations.into())),
        ("Queries", format!("{}{failed}", grouped(totals.queries.into()))),
        ("Tokens", tokens([totals.input_tokens, totals.cached_tokens, totals.output_tokens])),
        ("Cost", cost(totals.cost_usd)),
        ("Time", text::duration(totals.elapsed_milliseconds)),
    ]
}

fn grouped(count: u64) -> String {
    text::group_digits(&count.to_string())
}

/// Returns tokens in words: those sent, of these cached, and received.
fn tokens([input, cached, output]: [Option<u64>; 3]) -> String {
    if input.is_none() && output.is_none() {
        return "unknown".to_owned();
    }
    let cached = cached.filter(|cached| *cached > 0);
    let cached = cached.map_or_else(String::new, |cached| format!(" ({} cached)", grouped(cached)));
    format!("{} in{cached}, {} out", grouped(input.unwrap_or(0)), grouped(output.unwrap_or(0)))
}

fn cost(amount: Option<Decimal>) -> String {
    amount.map_or("unknown".to_owned(), |cost| format!("${}", cost.round_dp(4).normalize()))
}

/// Returns what each model of a run of several did and used, a line each.
pub(super) fn models(run: &Run) -> Vec<String> {
    run.models.iter().map(model).collect()
}

fn model(part: &ModelPart) -> String {
    let name = text::line(&part.model, LINE_CHARACTERS);
    let ending = part.ending.map_or("going on", PartEnd::words);
    if part.questions.is_empty() {
        return format!("{name}: {ending}");
    }
    let numbers = part.questions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let questions = if part.questions.len() == 1 { "question" } else { "questions" };
    let turns = text::count(part.iterations as usize, "iteration", "iterations");
    let tokens = tokens([part.input_tokens, part.cached_tokens, part.output_tokens]);
    let cost = cost(part.cost_usd);
    format!("{name}: {questions} {numbers} \u{b7} {turns} \u{b7} tokens: {tokens} \u{b7} cost: {cost} \u{b7} {ending}")
}
