//! What each column of a SELECT means, derived from the statement alone.
//!
//! ```text
//! resolve     the parsed tree -> queries: names resolved, CTEs and subqueries in their place
//!   normalize   queries that say the same are made the same
//! meaning     a block -> what each of its columns means
//!   presentation   what only presents a value is taken off
//!   trace       the measures that it is made of, through the queries that are read as tables
//!   keys        which output shows a key of a measure
//! completeness  whether all rows and groups are there that the conditions allow
//! doubts      what may be wrong with a measure although the SQL computes it
//! declared    recognises what people declared of the tables
//! conversion  recognises amounts that are converted by declared rates
//! definition  a measure as one text and its hash, whatever the statement around it looked like
//! companion   the queries for what the cells do not hold: counts, all, the rest, the span
//! print       a query -> SQL again, for companions and definitions
//! ```
//!
//! Pure: no I/O, no database. What cannot be traced is unknown, with a reason. Nothing is guessed.

pub mod companion;
pub mod completeness;
pub(crate) mod conversion;
pub(crate) mod declared;
pub mod definition;
pub mod doubts;
pub mod expression;
mod functions;
mod keys;
pub mod meaning;
pub mod measure;
mod normalize;
pub mod presentation;
pub mod print;
pub mod query;
mod resolve;
mod trace;
mod types;

use self::meaning::Meaning;
use self::query::{Block, Query};
use self::resolve::Resolver;
pub(crate) use self::resolve::is_constant;
pub(crate) use self::types::{is_never_null, is_text, type_name};
use super::catalog::Catalog;
use super::sql::Select;

/// What the rows and columns of a statement's result mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The kinds of rows. There are several if the statement unites several queries or grouping sets.
    pub branches: Vec<Branch>,
    /// Why nothing of the statement can be traced; `None` if its rows can.
    pub unknown: Option<String>,
    /// Whether the statement itself has a LIMIT or an OFFSET.
    pub is_limited: bool,
}

/// Rows that mean the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    pub block: Block,
    /// What each column means, in the order of the result.
    pub columns: Vec<Meaning>,
}

/// Returns what the rows and columns of the statement's result mean.
pub fn of(select: &Select, catalog: &Catalog) -> Lineage {
    let resolved = select.with_tree(|tree| {
        let is_limited = tree.limit_clause.is_some() || tree.fetch.is_some();
        (Resolver::new(select, catalog).statement(tree), is_limited)
    });
    let (whole, is_limited) = resolved.unwrap_or_else(|| (unparsed(), false));
    let blocks = match whole {
        Query::Block(block) => Ok(vec![*block]),
        Query::UnionAll(branches) => branches.into_iter().map(block_of).collect(),
        other @ (Query::Values(_) | Query::Unknown(_)) => block_of(other).map(|block| vec![block]),
    };
    let branch = |block: Block| Branch { columns: meaning::of_block(&block, catalog), block };
    match blocks {
        Ok(blocks) => Lineage { branches: blocks.into_iter().map(branch).collect(), unknown: None, is_limited },
        Err(reason) => Lineage { branches: Vec::new(), unknown: Some(reason), is_limited },
    }
}

fn block_of(query: Query) -> Result<Block, String> {
    match query {
        Query::Block(block) => Ok(*block),
        Query::UnionAll(_) => Err("a UNION inside a UNION".to_owned()),
        Query::Values(_) => Err("rows that are written in the statement".to_owned()),
        Query::Unknown(reason) => Err(reason),
    }
}

/// Returns the statement in normal form. The order and the cut of its rows are left out.
pub fn normal_form(select: &Select, catalog: &Catalog) -> Query {
    select.with_tree(|tree| Resolver::new(select, catalog).statement(tree)).unwrap_or_else(unparsed)
}

fn unparsed() -> Query {
    Query::Unknown("a syntax that is not traced".to_owned())
}
