//! A statement asked once more in another way: over fewer rows of one relation, or with medians in place of averages.
//!
//! The texts are new statements. They must pass [`super::validate`] like any other before they run.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{ObjectName, Query, TableAlias, TableFactor, Visit, Visitor};

use super::lexer::{self, Token};
use super::piece::{closing, edited};
use super::{Select, identifier, parse, relation, statement};

impl Select {
    /// Returns the statement over only the rows of a relation that meet a condition on its columns; `None` if it does not
    /// read the relation, or reads it in a form of which that cannot be told.
    pub(crate) fn narrowed(&self, schema: &str, name: &str, condition: &str) -> Option<String> {
        let tokens = lexer::tokens(&self.text).ok()?;
        let found = members(&tokens)?;
        if found.is_strange || found.ctes.contains(name) {
            return None;
        }
        let is_it = |member: &&Member| match member.parts.as_slice() {
            [only] => only == name,
            [first, second] => first == schema && second == name,
            _ => false,
        };
        let own = found.all.iter().filter(is_it).collect::<Vec<_>>();
        if own.is_empty() || !self.relations.contains(&(schema.to_owned(), name.to_owned())) {
            return None;
        }
        let rows = format!("(SELECT * FROM {} WHERE {condition})", relation(schema, name));
        let instead = |member: &&Member| {
            let alias = if member.has_alias { String::new() } else { format!(" AS {}", identifier(name)) };
            (member.range.clone(), format!("{rows}{alias}"))
        };
        Some(edited(&self.text, own.iter().map(instead).collect()))
    }

    /// Returns the statement with the median in place of each average; `None` if it has none, or one of truth values.
    pub(crate) fn with_medians(&self) -> Option<String> {
        let tokens = lexer::tokens(&self.text).ok()?;
        let calls = (0..tokens.len()).filter(|index| is_average(&tokens, *index)).collect::<Vec<_>>();
        let of_rows = |index: &usize| Some((*index, closing(&tokens, index + 1)?));
        let calls = calls.iter().map(of_rows).collect::<Option<Vec<_>>>()?;
        let is_strange = |(first, last): &(usize, usize)| {
            let inside = &tokens[first + 2..*last];
            // An average of conditions as numbers is a share, and windows have no medians.
            inside.iter().any(|token| {
                token.is_word("distinct") || token.is_word("int") || token.is_word("case") || token.is_word("integer")
            }) || tokens.get(last + 1).is_some_and(|token| token.is_word("over"))
        };
        if calls.is_empty() || calls.iter().any(is_strange) {
            return None;
        }
        let begins = |first: usize| {
            let range = tokens[first].start..tokens[first + 1].end;
            (range, "percentile_cont(0.5) WITHIN GROUP (ORDER BY ".to_owned())
        };
        Some(edited(&self.text, calls.iter().map(|(first, _)| begins(*first)).collect()))
    }

    /// Returns whether the statement names a column, of whatever table.
    pub(crate) fn names(&self, column: &str) -> bool {
        lexer::tokens(&self.text).is_ok_and(|tokens| tokens.iter().any(|token| token.is_name() && token.text == column))
    }
}

/// Returns the tables that a statement has in FROM.
fn members(tokens: &[Token<'_>]) -> Option<Members> {
    let stack_bytes = statement::stack_bytes(tokens).ok()?;
    stacker::maybe_grow(stack_bytes * 4, stack_bytes * 8, || {
        let query = parse::query(tokens).ok()?;
        let mut found = Found { tokens, members: Members::default() };
        let _ = query.visit(&mut found);
        Some(found.members)
    })
}

/// Returns whether a call of `avg` begins at a token.
fn is_average(tokens: &[Token<'_>], index: usize) -> bool {
    tokens[index].is_word("avg") && tokens.get(index + 1).is_some_and(|token| token.is_symbol("("))
}

/// A table in FROM.
#[derive(Debug)]
struct Member {
    parts: Vec<String>,
    range: Range<usize>,
    has_alias: bool,
}

/// The tables of a statement, and the names that its CTEs take.
#[derive(Debug, Default)]
struct Members {
    all: Vec<Member>,
    ctes: BTreeSet<String>,
    /// Whether rows are sampled, or a table stands where its place in the text is not known.
    is_strange: bool,
}

struct Found<'t> {
    tokens: &'t [Token<'t>],
    members: Members,
}

impl Found<'_> {
    fn member(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Option<Member> {
        let parts = name.0.iter().map(|part| part.as_ident()).collect::<Option<Vec<_>>>()?;
        let token = |part: Option<&&sqlparser::ast::Ident>| self.tokens.get(parse::index_of(part?.span)?);
        let (first, last) = (token(parts.first())?, token(parts.last())?);
        (first.is_name() && last.is_name()).then(|| Member {
            parts: parts.iter().map(|part| part.value.clone()).collect(),
            range: first.start..last.end,
            has_alias: alias.is_some(),
        })
    }
}

impl Visitor for Found<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.members.ctes.extend(ctes.map(|cte| cte.alias.name.value.clone()));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, sample, .. } = factor {
            match self.member(name, alias.as_ref()) {
                Some(member) if sample.is_none() => self.members.all.push(member),
                _ => self.members.is_strange = true,
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(text: &str) -> Select {
        let relations = [("public".to_owned(), "sales".to_owned())].into();
        Select { text: text.to_owned(), relations, range: None, made_bytes: 0, masks: Vec::new(), tokens: Vec::new() }
    }

    fn narrowed(text: &str) -> Option<String> {
        select(text).narrowed("public", "sales", "amount < 9")
    }

    const ROWS: &str = "(SELECT * FROM public.sales WHERE amount < 9)";

    #[test]
    fn each_mention_of_the_table_is_narrowed_and_keeps_its_name() {
        let told = [
            ("SELECT count(*) FROM sales", format!("SELECT count(*) FROM {ROWS} AS sales")),
            ("SELECT s.a FROM public.sales s -- all", format!("SELECT s.a FROM {ROWS} s -- all")),
            (
                "SELECT (SELECT max(a) FROM sales) FROM items JOIN sales AS s USING (id)",
                format!("SELECT (SELECT max(a) FROM {ROWS} AS sales) FROM items JOIN {ROWS} AS s USING (id)"),
            ),
            (
                "WITH x AS (SELECT * FROM \"sales\") SELECT 'sales' FROM x",
                format!("WITH x AS (SELECT * FROM {ROWS} AS sales) SELECT 'sales' FROM x"),
            ),
        ];
        for (text, expected) in told {
            assert_eq!(narrowed(text).as_deref(), Some(expected.as_str()));
        }
    }

    #[test]
    fn what_is_no_mention_of_the_table_is_left_alone() {
        for text in [
            "SELECT 1 FROM items",
            "SELECT 1 FROM other.sales",
            "WITH sales AS (SELECT 1) SELECT * FROM sales",
            "SELECT 1 FROM sales TABLESAMPLE SYSTEM (1)",
        ] {
            assert_eq!(narrowed(text), None, "{text}");
        }
    }

    #[test]
    fn averages_become_medians_unless_they_are_shares() {
        let median = "percentile_cont(0.5) WITHIN GROUP (ORDER BY ";
        assert_eq!(
            select("SELECT avg(a + b) FILTER (WHERE c) AS avg FROM sales").with_medians(),
            Some(format!("SELECT {median}a + b) FILTER (WHERE c) AS avg FROM sales"))
        );
        for text in
            ["SELECT avg((a = 1)::int) FROM sales", "SELECT avg(a) OVER () FROM sales", "SELECT sum(a) FROM sales"]
        {
            assert_eq!(select(text).with_medians(), None, "{text}");
        }
    }
}
