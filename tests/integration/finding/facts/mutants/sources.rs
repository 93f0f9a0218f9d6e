//! Statements with claims over them that hold: those of true findings, and those that results offer by themselves.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use explore::finding::companions::Evaluator;
use explore::finding::fact::{self, Fact};
use explore::finding::workbook::{Sheet, Workbook};
use explore::warehouse::lineage::meaning::Kind;
use futures_util::future::join_all;
use regex::Regex;

use super::known::Known;
use super::reach::{About, Extent};
use crate::finding::facts::{Ground, LIMITS, cases};
use crate::support::server::{client, execute, fresh, url};
use crate::warehouse::lineage::{generated, sets};

/// Rows of each table whose rows are made by chance.
const ROWS: usize = 300;
/// Claims that are taken of one statement.
const OFFERS_MAX: usize = 4;

/// A cell or a column in a claim: the result, the brackets, the column.
pub(super) static CELL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\b(q\d+)(\[[^\]]*\])?(?:\.("[^"]*"|\w+))?"#).unwrap());

/// A database, with statements over it.
pub(super) struct Setting {
    pub(super) ground: Ground,
    pub(super) known: Known,
    pub(super) sources: Vec<Source>,
}

/// Statements and claims over their results.
pub(super) struct Source {
    pub(super) statements: Vec<String>,
    pub(super) claims: Vec<Claimed>,
}

/// A claim that holds.
pub(super) struct Claimed {
    /// The claim, behind the claims whose facts it names.
    pub(super) claims: Vec<String>,
    pub(super) fact: Fact,
}

impl Claimed {
    /// What of result `id` the claim is about.
    pub(super) fn about(&self, id: &str) -> About<'_> {
        static OF_GROUPS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^(rank|top|range|count|alike|trend|since|outlier|each)\b").unwrap());
        static OTHERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r",\s*(all|rest)\s*\)").unwrap());
        let found = self.claims.iter().flat_map(|claim| CELL.captures_iter(claim)).filter(|cell| cell[1] == *id);
        let columns = found.map(|cell| cell.get(3).map(|name| name.as_str().trim_matches('"').to_owned())).collect();
        let is_of_cells = self.claims.iter().all(|claim| !OF_GROUPS.is_match(claim));
        let extent = match self.claims.iter().any(|claim| OTHERS.is_match(claim)) {
            _ if !is_of_cells => Extent::Groups,
            true => Extent::CellsAndAll,
            false => Extent::Cells,
        };
        About { columns, extent, claims: &self.claims }
    }

    /// Whether it names a row by its number.
    pub(super) fn counts_rows(&self) -> bool {
        static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[#?\d+\]").unwrap());
        self.claims.iter().any(|claim| NUMBER.is_match(claim))
    }

    /// Whether it rests on the result.
    pub(super) fn names(&self, id: &str) -> bool {
        names(&self.claims, id)
    }
}

/// The last of the claims over the statements; `None` if a statement does not run. A refusal of one refuses the last.
pub(super) async fn stated(ground: &Ground, statements: &[String], claims: &[String]) -> Option<Result<Fact, String>> {
    let mut book = Workbook::new(Arc::clone(&ground.catalog), ground.as_of);
    for (index, sql) in statements.iter().enumerate() {
        let id = format!("q{}", index + 1);
        if names(claims, &id) {
            book.push(ground.sheet(&id, sql).await.ok()?);
        }
    }
    let mut last = Err("no claim".to_owned());
    for claim in claims {
        last = match Evaluator::new(&mut book, &ground.executor, LIMITS.timeout).evaluate(claim).await {
            Ok(fact) => Ok(book.state(fact)),
            Err(reason) => return Some(Err(reason)),
        };
    }
    Some(last)
}

/// Whether one of the claims names the result.
fn names(claims: &[String], id: &str) -> bool {
    claims.iter().any(|claim| claim.split(|c: char| !c.is_alphanumeric()).any(|word| word == id))
}

/// The true findings of others, by their tables.
pub(super) async fn true_findings(test: &str) -> Vec<Setting> {
    const FOLDER: &str = "tests/material/facts";
    let mut by_tables = BTreeMap::<String, Vec<_>>::new();
    for case in cases(&format!("{FOLDER}/true.jsonl")) {
        by_tables.entry(case.load.clone()).or_default().push(case);
    }
    join_all(by_tables.into_iter().map(async |(tables, cases)| {
        let name = format!("{test}_{tables}");
        let sql = std::fs::read_to_string(format!("{FOLDER}/{tables}.sql")).unwrap();
        let ground = Ground::new(&name, &sql).await;
        let known = Known::read(&ground.catalog, &client(&url(&name)).await).await;
        let mut sources = Vec::new();
        for case in cases {
            sources.push(source(&ground, case.sql, &case.claims).await);
        }
        Setting { ground, known, sources }
    }))
    .await
}

async fn source(ground: &Ground, statements: Vec<String>, claims: &[String]) -> Source {
    static FACT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bf\d+\b").unwrap());
    let mut claimed = Vec::new();
    for (index, claim) in claims.iter().enumerate() {
        let first = if FACT.is_match(claim) { 0 } else { index };
        let claims = claims[first..=index].to_vec();
        if let Some(Ok(fact)) = stated(ground, &statements, &claims).await {
            claimed.push(Claimed { claims, fact });
        }
    }
    Source { statements, claims: claimed }
}

/// What players wrote, each `step`th statement, on rows made by chance, with the claims that the results offer.
pub(super) async fn of_players(test: &str, step: usize) -> Vec<Setting> {
    join_all(sets("queries.json").iter().enumerate().map(async |(index, set)| {
        let name = format!("{test}_players_{index}");
        let url = fresh(&name, &set.tables.join(";")).await;
        let client = client(&url).await;
        let sql = set.queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>();
        generated::fill(&client, &sql, ROWS).await;
        execute(&url, "ANALYZE").await;
        let ground = Ground::over(&url).await;
        let known = Known::read(&ground.catalog, &client).await;
        let mut sources = Vec::new();
        for sql in sql.iter().skip(index).step_by(step) {
            sources.extend(offered(&ground, sql).await);
        }
        Setting { ground, known, sources }
    }))
    .await
}

/// The statement with claims that its result offers; rows are named by their keys, which a change leaves in place.
async fn offered(ground: &Ground, sql: &str) -> Option<Source> {
    let mut book = ground.book(&[sql]).await.ok()?;
    let mut claimed = Vec::new();
    for claim in fact::offers("q1", &book) {
        if claimed.len() == OFFERS_MAX {
            break;
        }
        let Some(claim) = by_key(&claim, book.sheet("q1")?) else { continue };
        let evaluated = Evaluator::new(&mut book, &ground.executor, LIMITS.timeout).evaluate(&claim).await;
        if let Ok(fact) = evaluated {
            claimed.push(Claimed { claims: vec![claim], fact });
        }
    }
    Some(Source { statements: vec![sql.to_owned()], claims: claimed })
}

/// The claim with `[#3]` as the keys of the third row; `None` if they cannot be written.
fn by_key(claim: &str, sheet: &Sheet) -> Option<String> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[#(\d+)\]").unwrap());
    let Some(found) = NUMBER.captures(claim) else { return Some(claim.to_owned()) };
    let row = found[1].parse::<usize>().ok()? - 1;
    let table = &sheet.result.table;
    let is_key = |index: &usize| sheet.lineage.branches.iter().any(|branch| branch.columns[*index].kind == Kind::Key);
    let mut keys = Vec::new();
    for index in (0..table.columns.len()).filter(is_key) {
        let name = &table.columns[index].name;
        keys.push(match table.cell(row, index) {
            Some(value) if value.contains(['"', ']']) => return None,
            Some(value) => format!("{name}=\"{value}\""),
            None => format!("{name}=NULL"),
        });
    }
    (!keys.is_empty()).then(|| NUMBER.replace(claim, regex::NoExpand(&format!("[{}]", keys.join(", ")))).into_owned())
}
