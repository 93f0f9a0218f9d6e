//! What every format shows of a run: findings in order, their evidence, what is at stake, how it ended. No markup.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::text;
use crate::finding::{Category, Confidence, Finding, Severity};
use crate::journal::{Run, StopReason};
use crate::results::QueryResult;
use crate::table::Column;

/// Characters of one line of a finding: its title, an assumption, an action's part.
pub(super) const LINE_CHARACTERS: usize = 400;
/// Characters of a narrative.
pub(super) const PROSE_CHARACTERS: usize = 4_000;
/// Characters of a statement.
pub(super) const SQL_CHARACTERS: usize = 20_000;
/// Rows of one table of evidence.
pub(super) const EVIDENCE_ROWS: usize = 12;

/// ISO 4217, those that business is done in.
const CURRENCIES: &str = "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP ETB EUR GBP GEL GHS HKD HUF \
                          IDR ILS INR IQD ISK JOD JPY KES KRW KWD KZT LBP LKR MAD MMK MUR MXN MYR NGN NOK NPR NZD OMR \
                          PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD TZS UAH UGX USD UYU UZS VND XAF \
                          XOF ZAR ZMW";

/// Severities as reports list them.
pub(super) const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// The findings: the gravest first, of these those of money, of these the largest amount.
pub(super) fn ordered(findings: &[Finding]) -> Vec<&Finding> {
    let mut ordered = findings.iter().collect::<Vec<_>>();
    ordered.sort_by_key(|finding| {
        let money = is_money(&finding.impact.unit);
        let amount = if money { finding.impact.amount.abs() } else { Decimal::ZERO };
        Reverse((finding.severity, money, amount))
    });
    ordered
}

/// How many findings there are of each severity that occurs, the gravest first.
pub(super) fn by_severity(findings: &[Finding]) -> Vec<(Severity, usize)> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    SEVERITIES.into_iter().map(|severity| (severity, count(severity))).filter(|(_, count)| *count > 0).collect()
}

/// The impacts of one unit, summed.
#[derive(Debug)]
pub(super) struct Stake {
    pub(super) amount: String,
    pub(super) unit: String,
    pub(super) findings: usize,
}

impl Stake {
    /// `354,000 INR per year`, and of how many findings where it is of several.
    pub(super) fn text(&self) -> String {
        let amount = format!("{} {}", self.amount, self.unit);
        match self.findings {
            0 | 1 => amount,
            count => format!("{amount} (sum of {count} findings, which may overlap)"),
        }
    }
}

/// The money that findings are worth, by unit, in the findings' order. Findings may overlap, which no sum can know.
pub(super) fn at_stake(findings: &[&Finding]) -> Vec<Stake> {
    let mut sums: Vec<(&str, Decimal, usize)> = Vec::new();
    for impact in findings.iter().map(|finding| &finding.impact).filter(|impact| is_money(&impact.unit)) {
        match sums.iter_mut().find(|(unit, ..)| *unit == impact.unit) {
            Some((_, sum, count)) => {
                *sum = sum.saturating_add(impact.amount.abs());
                *count += 1;
            }
            None => sums.push((&impact.unit, impact.amount.abs(), 1)),
        }
    }
    let stake = |(unit, sum, findings): (&str, Decimal, usize)| {
        let decimals = if sum >= Decimal::ONE_THOUSAND { 0 } else { 2 };
        let amount = text::group_digits(&sum.round_dp(decimals).normalize().to_string());
        Stake { amount, unit: text::line(unit, LINE_CHARACTERS), findings }
    };
    sums.into_iter().map(stake).collect()
}

fn is_money(unit: &str) -> bool {
    let is_currency = |word: &str| word.len() == 3 && CURRENCIES.split(' ').any(|currency| currency == word);
    unit.contains(['$', '€', '£', '¥', '₹']) || unit.split(|c: char| !c.is_alphanumeric()).any(is_currency)
}

/// The rows and columns that a finding cites of one query.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    /// The id of the query.
    pub(super) query: &'a str,
    /// Its result; `None` where the journal lost it.
    pub(super) result: Option<&'a QueryResult>,
    /// Indices of the cited columns, in the order of citation; all of them where none was named. Where only numbers were
    /// named, the first column that is none stands before them, to say whose they are.
    pub(super) columns: Vec<usize>,
    /// Indices of the cited rows, ascending.
    pub(super) rows: Vec<usize>,
}

/// What a finding cites, one entry a query.
pub(super) fn evidence<'a>(run: &'a Run, finding: &'a Finding) -> Vec<Evidence<'a>> {
    let mut queries: Vec<&str> = Vec::new();
    for citation in &finding.evidence {
        if !queries.iter().any(|known| known.eq_ignore_ascii_case(&citation.query)) {
            queries.push(&citation.query);
        }
    }
    queries.into_iter().map(|query| evidence_of(run, finding, query)).collect()
}

fn evidence_of<'a>(run: &'a Run, finding: &'a Finding, query: &'a str) -> Evidence<'a> {
    let Some(result) = run.results.get(query) else {
        return Evidence { query, result: None, columns: Vec::new(), rows: Vec::new() };
    };
    let table = &result.table;
    let citations = finding.evidence.iter().filter(|citation| citation.query.eq_ignore_ascii_case(query));
    let mut rows = BTreeSet::new();
    let mut columns = Vec::new();
    let mut all_columns = false;
    for citation in citations {
        rows.extend(citation.rows.iter().filter(|row| (1..=table.rows.len()).contains(row)).map(|row| row - 1));
        all_columns |= citation.columns.is_empty();
        for column in citation.columns.iter().filter_map(|name| table.column(name)) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    if all_columns || columns.is_empty() {
        columns = (0..table.columns.len()).collect();
    } else if columns.iter().all(|column| is_numeric(&table.columns[*column])) {
        let name = table.columns.iter().position(|column| !is_numeric(column));
        columns.splice(0..0, name);
    }
    Evidence { query: &result.id, result: Some(result), columns, rows: rows.into_iter().collect() }
}

/// What a table of evidence leaves out when it shows so many of the cited rows and columns.
pub(super) fn cut_note(evidence: &Evidence<'_>, rows: usize, columns: usize) -> Option<String> {
    let mut notes = Vec::new();
    if rows < evidence.rows.len() {
        notes.push(format!("{rows} of {} shown", text::count(evidence.rows.len(), "cited row", "cited rows")));
    }
    if columns < evidence.columns.len() {
        notes.push(format!("{columns} of {} columns shown", evidence.columns.len()));
    }
    if evidence.result.is_some_and(|result| result.table.more_rows) {
        notes.push("the query had more rows than were fetched".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// A cell for reading: one line, digits grouped, decimals of divisions rounded; `None` for NULL.
pub(super) fn cell(result: &QueryResult, row: usize, column: usize, characters_max: usize) -> Option<String> {
    let cell = result.table.cell(row, column)?;
    Some(match result.table.columns.get(column) {
        Some(heading) if is_numeric(heading) => number(heading, cell),
        _ => text::line(cell, characters_max),
    })
}

/// Whether a column's cells are numbers, by its type.
pub(super) fn is_numeric(column: &Column) -> bool {
    matches!(column.type_name.as_str(), "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money")
}

/// Whether a column of numbers holds names rather than amounts.
pub(super) fn is_identifier(column: &Column) -> bool {
    let name = column.name.to_ascii_lowercase();
    let last_word = name.rsplit('_').next().unwrap_or(&name);
    matches!(last_word, "id" | "code" | "number" | "no" | "key" | "year" | "rank")
}

fn number(column: &Column, cell: &str) -> String {
    match cell.parse::<Decimal>() {
        Ok(_) if is_identifier(column) => cell.to_owned(),
        Ok(value) => text::group_digits(&text::round(value).to_string()),
        Err(_) => text::line(cell, LINE_CHARACTERS),
    }
}

/// `critical`.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

/// `data quality`.
pub(super) fn category(category: Category) -> &'static str {
    match category {
        Category::Churn => "churn",
        Category::Margin => "margin",
        Category::Quality => "quality",
        Category::Concentration => "concentration",
        Category::Growth => "growth",
        Category::Decline => "decline",
        Category::DataQuality => "data quality",
        Category::Other => "other",
    }
}

/// `high`.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// `Customer churn`, of `customer_churn`.
pub(super) fn focus(run: &Run) -> String {
    let focus = run.started.as_ref().map_or("unknown focus", |started| &started.focus);
    let words = text::line(&focus.replace('_', " "), LINE_CHARACTERS);
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `demo on embedded PostgreSQL 18.4, as explore`.
pub(super) fn database(run: &Run) -> Option<String> {
    let server = &run.started.as_ref()?.server;
    let text = format!("{} on {} {}, as {}", server.database, server.engine, server.version, server.role);
    Some(text::line(&text, LINE_CHARACTERS))
}

/// `2 findings: 1 critical, 1 low`.
pub(super) fn summary(run: &Run) -> String {
    let counts = by_severity(&run.findings);
    let counts = counts.into_iter().map(|(level, count)| format!("{count} {}", severity(level))).collect::<Vec<_>>();
    format!("{}: {}", text::count(run.findings.len(), "finding", "findings"), counts.join(", "))
}

/// Why there is nothing to report.
pub(super) fn why_nothing(run: &Run) -> String {
    let queries = text::count(run.totals.queries as usize, "query", "queries");
    let refused = match run.findings_refused {
        0 => String::new(),
        count => format!(
            " {} sent back, because figures or rows did not check.",
            text::count(count as usize, "draft was", "drafts were")
        ),
    };
    match run.stop_reason {
        StopReason::Finished => format!("After {queries} nothing stood out that is worth acting on.{refused}"),
        StopReason::IterationLimit
        | StopReason::QueryLimit
        | StopReason::TokenLimit
        | StopReason::CostLimit
        | StopReason::TimeLimit => {
            format!("The run reached its limit after {queries}, before anything was recorded.{refused}")
        }
        StopReason::Interrupted | StopReason::ModelFailed | StopReason::DatabaseLost | StopReason::Killed => {
            format!("The run ended early, after {queries}; this says nothing about the data.{refused}")
        }
    }
}

/// Whether the run ended of itself.
pub(super) fn is_complete(run: &Run) -> bool {
    run.stop_reason == StopReason::Finished
}

/// How it ended: the reason in a sentence, its name, and the detail.
pub(super) fn ending(run: &Run) -> String {
    let reason = run.stop_reason;
    let limit = |what: &str, flag: &str| format!("Stopped at the limit of {what} ({reason}); {flag} raises it.");
    let sentence = match reason {
        StopReason::Finished => format!("The exploration ran to its end ({reason})."),
        StopReason::IterationLimit => limit("iterations", "--max-iterations"),
        StopReason::QueryLimit => limit("queries", "--max-queries"),
        StopReason::TokenLimit => limit("tokens", "--max-tokens-total"),
        StopReason::CostLimit => limit("cost", "--max-cost"),
        StopReason::TimeLimit => limit("time", "--time-limit"),
        StopReason::Interrupted => format!("Stopped from outside ({reason}); the report holds what was known by then."),
        StopReason::ModelFailed => format!("Stopped because the model gave no answer ({reason})."),
        StopReason::DatabaseLost => format!("Stopped because the database was lost ({reason})."),
        StopReason::Killed => format!("The process was {reason}: the journal ends without saying why."),
    };
    match run.stop_detail.as_deref().map(|detail| text::line(detail, LINE_CHARACTERS)) {
        Some(detail) if !detail.is_empty() => format!("{sentence} {detail}"),
        _ => sentence,
    }
}

/// The warnings, and what of the journal could not be read.
pub(super) fn warnings(run: &Run) -> Vec<String> {
    let damaged = run.damage.iter().map(|damage| {
        let place = format!("{}:{}", run.journal.display(), damage.line);
        format!("{place} cannot be read and is missing here: {}", damage.problem)
    });
    run.warnings.iter().cloned().chain(damaged).map(|warning| text::line(&warning, LINE_CHARACTERS)).collect()
}

/// What was used, as label and value.
pub(super) fn usage(run: &Run) -> Vec<(&'static str, String)> {
    let totals = &run.totals;
    let number = |count: u64| text::group_digits(&count.to_string());
    let failed = match run.queries_failed {
        0 => String::new(),
        failed => format!(" ({failed} refused or failed)"),
    };
    let tokens = match (totals.input_tokens, totals.output_tokens) {
        (None, None) => "unknown".to_owned(),
        (input, output) => {
            let cached = totals.cached_tokens.filter(|cached| *cached > 0);
            let cached = cached.map_or_else(String::new, |cached| format!(" ({} cached)", number(cached)));
            format!("{} in{cached}, {} out", number(input.unwrap_or(0)), number(output.unwrap_or(0)))
        }
    };
    let cost = totals.cost_usd.map_or("unknown".to_owned(), |cost| format!("${}", cost.round_dp(4).normalize()));
    vec![
        ("Iterations", number(totals.iterations.into())),
        ("Queries", format!("{}{failed}", number(totals.queries.into()))),
        ("Tokens", tokens),
        ("Cost", cost),
        ("Time", text::duration(totals.elapsed_milliseconds)),
    ]
}
