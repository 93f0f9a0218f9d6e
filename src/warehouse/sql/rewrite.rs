//! Rewrites PostgreSQL syntax that the parser does not know into syntax that it knows.
//!
//! The database executes the text, and the parsed tree is only inspected. So a form may be rewritten under two
//! conditions. The rewritten form must have the same relations, calls, types and expressions in it, in the same scopes.
//! And the words must leave no doubt that PostgreSQL reads that form there: otherwise the walk would not see what
//! PostgreSQL reads.

mod json;
mod xml;

use std::collections::BTreeMap;

use sqlparser::tokenizer::Token as ParserToken;

use super::keywords;
use super::lexer::{Kind, Token};

/// Operators that the parser knows before ANY and ALL.
const QUANTIFIED: &[&str] =
    &["=", "<>", "!=", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*"];

/// Words that are followed by an expression, and not by a query or table.
const BEFORE_EXPRESSIONS: &[&str] =
    &["and", "array", "else", "exists", "having", "not", "on", "or", "select", "then", "when", "where"];

/// Words that follow a query in parentheses if it is the first part of a longer one.
const AFTER_QUERIES: &[&str] = &["except", "fetch", "intersect", "limit", "offset", "order", "union"];

/// The tokens that the parser gets in place of the text's tokens, by their indexes.
#[derive(Debug, Default)]
pub(super) struct Edits {
    instead: BTreeMap<usize, Vec<ParserToken>>,
    after: BTreeMap<usize, Vec<ParserToken>>,
}

impl Edits {
    /// Returns whether the tokens stay as they are.
    pub(super) fn is_empty(&self) -> bool {
        self.instead.is_empty() && self.after.is_empty()
    }

    /// Returns the tokens that replace the token; `None` if it stays.
    pub(super) fn instead(&self, index: usize) -> Option<&[ParserToken]> {
        self.instead.get(&index).map(Vec::as_slice)
    }

    /// Returns the tokens that are inserted after the token.
    pub(super) fn after(&self, index: usize) -> &[ParserToken] {
        self.after.get(&index).map_or(&[], Vec::as_slice)
    }

    fn leave_out(&mut self, indexes: impl IntoIterator<Item = usize>) {
        self.instead.extend(indexes.into_iter().map(|index| (index, Vec::new())));
    }

    fn replace(&mut self, index: usize, tokens: Vec<ParserToken>) {
        self.instead.insert(index, tokens);
    }

    fn add_after(&mut self, index: usize, tokens: impl IntoIterator<Item = ParserToken>) {
        self.after.entry(index).or_default().extend(tokens);
    }
}

/// The name that stands for `*` in `(value).*`. Nobody can write it, because PostgreSQL accepts no text with a NUL.
pub(super) const ALL_FIELDS: &str = "\0*";

/// Returns the edits that a text needs for the parser.
pub(super) fn edits(tokens: &[Token<'_>]) -> Edits {
    let text = Text::new(tokens);
    let mut edits = Edits::default();
    for index in 0..tokens.len() {
        match tokens[index].kind {
            Kind::Word if !is_label(tokens, index) => text.word(index, &mut edits),
            Kind::Operator => text.sign(index, &mut edits),
            Kind::Symbol => text.symbol(index, &mut edits),
            Kind::Word | Kind::QuotedWord | Kind::Number | Kind::Text | Kind::Parameter => {}
        }
    }
    edits
}

/// Returns whether a word is at a place where PostgreSQL accepts any key word as a name: after AS, or after a dot.
pub(super) fn is_label(tokens: &[Token<'_>], index: usize) -> bool {
    index > 0 && (tokens[index - 1].is_word("as") || tokens[index - 1].is_symbol("."))
}

/// Returns whether a token ends an operand for certain, so that the next token cannot begin one.
pub(super) fn ends_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::QuotedWord | Kind::Number | Kind::Text | Kind::Parameter => true,
        Kind::Word => keywords::is_name(&token.text) && !keywords::takes_text(&token.text),
        Kind::Symbol => token.is_symbol(")") || token.is_symbol("]"),
        Kind::Operator => false,
    }
}

fn keyword(word: &str) -> ParserToken {
    ParserToken::make_word(word, None)
}

/// The tokens, with the parentheses that belong together.
struct Text<'a> {
    tokens: &'a [Token<'a>],
    /// The index of the closing parenthesis, for each opening one.
    closes: Vec<Option<usize>>,
    /// The index of the innermost open parenthesis around each token.
    within: Vec<Option<usize>>,
}

impl<'a> Text<'a> {
    fn new(tokens: &'a [Token<'a>]) -> Self {
        let mut text = Self { tokens, closes: vec![None; tokens.len()], within: vec![None; tokens.len()] };
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if token.is_symbol(")")
                && let Some(opened) = open.pop()
            {
                text.closes[opened] = Some(index);
            }
            text.within[index] = open.last().copied();
            if token.is_symbol("(") {
                open.push(index);
            }
        }
        text
    }

    fn is(&self, index: usize, word: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_word(word))
    }

    fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    fn before(&self, index: usize, words: &[&str]) -> bool {
        index > 0 && self.is_any(index - 1, words)
    }

    fn is_symbol(&self, index: usize, symbol: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_symbol(symbol))
    }

    fn is_name(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(Token::is_name)
    }

    fn closes(&self, index: usize) -> Option<usize> {
        self.closes.get(index).copied().flatten()
    }

    /// Returns the indexes of the parentheses that follow a word.
    fn arguments(&self, index: usize) -> Option<(usize, usize)> {
        Some((index + 1, self.closes(index + 1)?))
    }

    /// Returns the indexes between two parentheses, without those within further ones.
    fn flat(&self, open: usize, close: usize) -> impl Iterator<Item = usize> {
        (open + 1..close).filter(move |index| self.within[*index] == Some(open))
    }

    fn word(&self, index: usize, edits: &mut Edits) {
        match &*self.tokens[index].text {
            "table" => {
                // TABLE name is short for SELECT * FROM name. The parser would read what follows the name as part of
                // it. The words are in lower case, as all words are here, so that one read as a name is recognized as
                // reserved.
                let select = [ParserToken::make_keyword("select"), ParserToken::Mul, ParserToken::make_keyword("from")];
                edits.replace(index, select.into());
            }
            "symmetric" | "asymmetric" if self.before(index, &["between"]) => edits.leave_out([index]),
            "distinct" | "all" if self.before(index, &["by"]) && index > 1 && self.is(index - 2, "group") => {
                edits.leave_out([index]);
            }
            "any" | "some" | "all" if index > 0 && self.is_symbol(index + 1, "(") => {
                let before = &self.tokens[index - 1];
                if before.kind == Kind::Operator && !QUANTIFIED.contains(&&*before.text) {
                    edits.leave_out([index]);
                }
            }
            "national" if self.is_any(index + 1, &["char", "character"]) => edits.leave_out([index]),
            "nchar" if self.is_national(index) => edits.replace(index, vec![keyword("char")]),
            "exclude" => self.exclusion(index, edits),
            "isnull" if !self.is_symbol(index + 1, "(") => edits.replace(index, vec![keyword("is"), keyword("null")]),
            "notnull" if !self.is_symbol(index + 1, "(") => {
                edits.replace(index, vec![keyword("is"), keyword("not"), keyword("null")]);
            }
            "document"
                if self.before(index, &["is"])
                    || index > 1 && self.before(index, &["not"]) && self.is(index - 2, "is") =>
            {
                edits.replace(index, vec![keyword("null")]);
            }
            "variadic" if self.is_last_argument(index) => edits.leave_out([index]),
            "collation" if self.is(index + 1, "for") && self.is_symbol(index + 2, "(") => {
                edits.replace(index, vec![keyword("pg_collation_for")]);
                edits.leave_out([index + 1]);
            }
            "similar" if is_substring_pattern(self.tokens, index) => self.substring(index, edits),
            "for" if is_argument_of(self.tokens, index, &["substring"]) => self.substring(index, edits),
            "operator" if is_own_operator(self.tokens, index) => {
                let sign = index + if self.is_symbol(index + 3, ".") { 4 } else { 2 };
                edits.leave_out((index..sign).chain([sign + 1]));
            }
            "fetch" => self.fetch(index, edits),
            "grouping" => self.grouping_sets(index, edits),
            "search" | "cycle" if index > 0 => self.search(index, edits),
            "rows" if self.is(index + 1, "from") && self.is_table(index) => self.rows_from(index, edits),
            _ => {
                self.json(index, edits);
                self.xml(index, edits);
            }
        }
    }

    fn sign(&self, index: usize, edits: &mut Edits) {
        // The parser knows these only as binary operators, or not at all.
        let prefix = ["!!", "@-@", "#", "@@", "?-", "?|"].contains(&&*self.tokens[index].text);
        if prefix && !self.tokens[..index].last().is_some_and(ends_operand) {
            edits.replace(index, vec![ParserToken::Tilde]);
        }
    }

    fn symbol(&self, index: usize, edits: &mut Edits) {
        let token = &self.tokens[index];
        if token.is_symbol("::")
            && self.is(index + 1, "interval")
            && self.is_any(index + 2, &["preceding", "following"])
        {
            edits.leave_out([index, index + 1]);
        }
        if token.is_symbol(".") && self.is_whole_value(index) {
            edits.replace(index + 1, vec![ParserToken::make_word(ALL_FIELDS, Some('"'))]);
        }
        if token.is_symbol("(")
            && let Some(close) = self.closes(index)
            && self.is_query_in_expression(index)
        {
            let select = [keyword("select"), ParserToken::Mul, keyword("from"), ParserToken::LParen];
            edits.add_after(index, select);
            edits.add_after(close, [ParserToken::RParen]);
        }
    }

    /// Returns whether all fields of a value in parentheses are taken, `(value).*`. The parser knows this form only for
    /// names.
    fn is_whole_value(&self, dot: usize) -> bool {
        let star = self.tokens.get(dot + 1).is_some_and(|next| next.kind == Kind::Operator && next.text == "*");
        let open = (0..dot).rev().find(|open| dot > 0 && self.closes(*open) == Some(dot - 1));
        let is_call = |open: usize| {
            let before = open.checked_sub(1).map(|before| &self.tokens[before]);
            before.is_some_and(|before| before.is_name() && !keywords::is_reserved(&before.text))
        };
        star && open.is_some_and(|open| !is_call(open))
    }

    /// Returns whether a query in parentheses is an operand of an expression and does not begin with SELECT or WITH, by
    /// which the parser recognizes one.
    fn is_query_in_expression(&self, open: usize) -> bool {
        let first = (open + 1..self.tokens.len()).find(|index| !self.is_symbol(*index, "(")).unwrap_or(open);
        let longer = self.closes(open + 1).is_some_and(|close| self.is_any(close + 1, AFTER_QUERIES))
            && self.is_any(first, &["select", "table", "values", "with"]);
        (longer || self.is_any(open + 1, &["table", "values"])) && self.is_operand(open)
    }

    /// Returns whether the parentheses that open there contain an expression, and not a table.
    fn is_operand(&self, open: usize) -> bool {
        let Some(before) = open.checked_sub(1) else { return false };
        let after_operator = |index: usize| self.tokens[index].kind == Kind::Operator;
        let quantified = self.is_any(before, &["all", "any", "some"]) && before > 0 && after_operator(before - 1);
        let listed = self.is_symbol(before, ",") && self.clause(open).is_some_and(|clause| clause != "from");
        quantified || after_operator(before) || self.is_any(before, BEFORE_EXPRESSIONS) || listed
    }

    /// Returns whether the last argument of a call begins there.
    fn is_last_argument(&self, index: usize) -> bool {
        let Some(open) = self.within[index].filter(|open| *open > 0) else { return false };
        let callee = &self.tokens[open - 1];
        let called =
            callee.kind == Kind::QuotedWord || callee.kind == Kind::Word && !keywords::takes_parenthesis(&callee.text);
        let begins = index == open + 1 || self.is_symbol(index - 1, ",");
        let last = |close: usize| {
            let mut brackets = 0_usize;
            !self.flat(open, close).filter(|at| *at > index).any(|at| {
                brackets += usize::from(self.is_symbol(at, "["));
                brackets -= usize::from(self.is_symbol(at, "]")).min(brackets);
                brackets == 0 && self.is_symbol(at, ",")
            })
        };
        called && begins && self.closes(open).is_some_and(last)
    }

    /// Returns whether `nchar` is a type there, and not a column.
    fn is_national(&self, index: usize) -> bool {
        let before_text = self.tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Text);
        let cast = index > 0 && self.is_symbol(index - 1, "::");
        cast || before_text || self.is_symbol(index + 1, "(") || self.is(index + 1, "varying")
    }

    /// Leaves out `EXCLUDE TIES` and similar words in a window's frame.
    fn exclusion(&self, index: usize, edits: &mut Edits) {
        if !self.before(index, &["row", "preceding", "following"]) {
            return;
        }
        let two_words = self.is(index + 1, "current") && self.is(index + 2, "row")
            || self.is(index + 1, "no") && self.is(index + 2, "others");
        if two_words && self.is_symbol(index + 3, ")") {
            edits.leave_out(index..index + 3);
        } else if self.is_any(index + 1, &["group", "ties"]) && self.is_symbol(index + 2, ")") {
            edits.leave_out(index..index + 2);
        }
    }

    /// Rewrites `substring(text SIMILAR pattern ESCAPE sign)` and `substring(text FOR length FROM start)` as
    /// `substring(text FROM … FOR …)`, which has the same arguments.
    fn substring(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.within[index].and_then(|open| Some((open, self.closes(open)?))) else { return };
        if self.flat(open, close).any(|at| at < index && self.is_any(at, &["from", "similar"])) {
            return;
        }
        edits.replace(index, vec![keyword("from")]);
        let second = if self.is(index, "for") { "from" } else { "escape" };
        if let Some(second) = self.flat(open, close).find(|at| *at > index && self.is(*at, second)) {
            edits.replace(second, vec![keyword("for")]);
        }
    }

    /// Rewrites `FETCH FIRST (n) ROWS ONLY` as `LIMIT (n)`, which is the same to the walk.
    fn fetch(&self, index: usize, edits: &mut Edits) {
        if self.is_any(index + 1, &["first", "next"])
            && let Some(close) = self.closes(index + 2)
            && self.is_any(close + 1, &["row", "rows"])
        {
            let end = if self.is(close + 2, "only") { close + 3 } else { close + 4 };
            edits.replace(index, vec![keyword("limit")]);
            edits.leave_out((index + 1..index + 2).chain(close + 1..end.min(self.tokens.len())));
        }
    }

    /// Replaces GROUPING SETS within GROUPING SETS by their members, which is equivalent.
    fn grouping_sets(&self, index: usize, edits: &mut Edits) {
        let outer = self.within[index].is_some_and(|open| open > 1 && self.is_grouping_sets(open - 2));
        if outer
            && self.is_grouping_sets(index)
            && let Some(close) = self.closes(index + 2)
        {
            edits.leave_out([index, index + 1, index + 2, close]);
        }
    }

    fn is_grouping_sets(&self, index: usize) -> bool {
        self.is(index, "grouping") && self.is(index + 1, "sets") && self.is_symbol(index + 2, "(")
    }

    /// Leaves out `SEARCH DEPTH FIRST BY a SET b` and `CYCLE a SET b USING c` after a CTE. They only make columns from
    /// columns.
    fn search(&self, index: usize, edits: &mut Edits) {
        let opened = self.closes.iter().position(|close| *close == Some(index - 1));
        let after_cte = opened.is_some_and(|open| self.before(open, &["as", "materialized"]));
        let after_search = edits.instead(index - 1).is_some_and(<[_]>::is_empty) && self.is_name(index - 1);
        let end = match &*self.tokens[index].text {
            "search" if after_cte => self.search_end(index),
            "cycle" if after_cte || after_search => self.cycle_end(index),
            _ => None,
        };
        edits.leave_out(end.into_iter().flat_map(|end| index..end));
    }

    fn search_end(&self, index: usize) -> Option<usize> {
        let known =
            self.is_any(index + 1, &["breadth", "depth"]) && self.is(index + 2, "first") && self.is(index + 3, "by");
        let names_end = self.names_end(index + 4)?;
        (known && self.is(names_end, "set") && self.is_name(names_end + 1)).then_some(names_end + 2)
    }

    fn cycle_end(&self, index: usize) -> Option<usize> {
        let set = self.names_end(index + 1)?;
        let constant = |at: usize| {
            let plain = self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Number));
            plain || self.is_any(at, &["false", "null", "true"])
        };
        let marked = self.is(set + 2, "to") && constant(set + 3) && self.is(set + 4, "default") && constant(set + 5);
        let using = if marked { set + 6 } else { set + 2 };
        let known = self.is(set, "set") && self.is_name(set + 1) && self.is(using, "using") && self.is_name(using + 1);
        known.then_some(using + 2)
    }

    /// Returns the index after a list of names; `None` if there is no such list.
    fn names_end(&self, start: usize) -> Option<usize> {
        let mut index = start;
        while self.is_name(index) && self.is_symbol(index + 1, ",") {
            index += 2;
        }
        self.is_name(index).then_some(index + 1)
    }

    /// Returns whether a table of FROM begins there. A column called `rows` before the word FROM does not count.
    fn is_table(&self, index: usize) -> bool {
        let follows_comma = index > 0 && self.is_symbol(index - 1, ",");
        self.before(index, &["from", "join", "lateral"]) || follows_comma && self.clause(index) == Some("from")
    }

    /// Returns the word that began the token's clause, within the same parentheses.
    fn clause(&self, index: usize) -> Option<&str> {
        let begins = |at: &usize| {
            self.is_any(*at, &["group", "having", "order", "select", "where"])
                || self.is(*at, "from") && !self.before(*at, &["distinct"])
        };
        let clause = (0..index).rev().filter(|at| self.within[*at] == self.within[index]).find(begins);
        clause.map(|at| &*self.tokens[at].text)
    }

    /// Rewrites `ROWS FROM (f(1), g(2)) WITH ORDINALITY` as a join of the functions. A SELECT is joined too, because
    /// the parser does not read one function in parentheses as a join.
    fn rows_from(&self, index: usize, edits: &mut Edits) {
        let Some((open, close)) = self.arguments(index + 1) else { return };
        edits.leave_out([index, index + 1]);
        if self.before(index, &["lateral"]) {
            edits.leave_out([index - 1]);
        }
        for comma in self.flat(open, close).filter(|at| self.is_symbol(*at, ",")) {
            edits.replace(comma, ["cross", "join", "lateral"].map(keyword).into());
        }
        // `AS (a int)` lists the columns of a function that has no alias here, so it gets one.
        for list in self.flat(open, close).filter(|at| self.is(*at, "as") && self.is_symbol(*at + 1, "(")) {
            edits.add_after(list, [keyword("unnamed")]);
        }
        let join = ["cross", "join"].map(keyword);
        let select = [ParserToken::LParen, keyword("select"), ParserToken::Number("1".to_owned(), false)];
        edits
            .replace(close, join.into_iter().chain(select).chain([ParserToken::RParen, ParserToken::RParen]).collect());
        if self.is(close + 1, "with") && self.is(close + 2, "ordinality") {
            edits.leave_out([close + 1, close + 2]);
        }
    }
}

/// Returns whether the word is the SIMILAR of `substring(text SIMILAR pattern ESCAPE sign)`.
pub(super) fn is_substring_pattern(tokens: &[Token<'_>], index: usize) -> bool {
    let follows = index > 0 && ends_operand(&tokens[index - 1]);
    let similar_to = tokens.get(index + 1).is_some_and(|next| next.is_word("to"));
    tokens[index].is_word("similar") && follows && !similar_to && is_argument_of(tokens, index, &["substring"])
}

/// Returns whether the token is directly within the parentheses of a call of one of the words.
pub(super) fn is_argument_of(tokens: &[Token<'_>], index: usize, words: &[&str]) -> bool {
    let mut depth = 0_usize;
    for at in (0..index).rev() {
        if tokens[at].is_symbol(")") {
            depth += 1;
        } else if tokens[at].is_symbol("(") && depth > 0 {
            depth -= 1;
        } else if tokens[at].is_symbol("(") {
            let name = at.checked_sub(1).filter(|name| !is_label(tokens, *name));
            return name.is_some_and(|name| words.iter().any(|word| tokens[name].is_word(word)));
        }
    }
    false
}

/// Returns whether `OPERATOR(pg_catalog.+)`, or the same without a schema, begins there.
pub(super) fn is_own_operator(tokens: &[Token<'_>], index: usize) -> bool {
    let sign = |at: usize| {
        tokens.get(at).is_some_and(|token| token.kind == Kind::Operator)
            && tokens.get(at + 1).is_some_and(|token| token.is_symbol(")"))
    };
    let qualified = tokens.get(index + 2).is_some_and(|token| token.is_name() && token.text == "pg_catalog")
        && tokens.get(index + 3).is_some_and(|token| token.is_symbol("."))
        && sign(index + 4);
    tokens[index].is_word("operator")
        && tokens.get(index + 1).is_some_and(|token| token.is_symbol("("))
        && (qualified || sign(index + 2))
}
