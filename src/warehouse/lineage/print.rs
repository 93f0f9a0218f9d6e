//! A query as SQL. What is printed is sent through the validator like any statement.
//!
//! Sources are called s1, s2 ... in the order of printing, and their columns, unless they are a table's, c1, c2 ...
//! So the text of a definition does not depend on aliases.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::expression::{Aggregate, Column, Expression, Literal, Operator, Order, SourceId, Subquery, SubqueryForm};
use super::query::{Block, Distinct, Item, Outer, Query, Relation, Rows, Source};
use super::resolve::is_constant;
use crate::warehouse::sql::dates;

/// Functions that are called without parentheses.
const BARE: &[&str] = &["current_date", "current_timestamp", "localtimestamp"];
/// Functions whose names are the grammar's names of types.
const TYPES: &[&str] = &["numeric", "timestamp"];

/// Returns the query as SQL, or why a part of it cannot be traced.
pub fn query(query: &Query) -> Result<String, String> {
    let mut printer = Printer::default();
    printer.query(query);
    printer.finish()
}

/// Returns an expression over the sources of a block as SQL, with the names that [`query`] gives to them.
pub fn expression(expression: &Expression, block: &Block) -> Result<String, String> {
    let mut printer = Printer::default();
    printer.rows(&block.rows);
    printer.text.clear();
    printer.expression(expression);
    printer.finish()
}

/// Returns a value of measures alone as SQL. The measures are called by `names`.
pub fn formula(value: &Expression, names: &[String]) -> Result<String, String> {
    let mut printer = Printer { measures: names.to_vec(), ..Printer::default() };
    printer.expression(value);
    printer.finish()
}

/// Returns a name as SQL.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[derive(Default)]
struct Printer {
    text: String,
    names: HashMap<SourceId, Name>,
    /// What the measures of a formula are called.
    measures: Vec<String>,
    count: usize,
    unknown: Option<String>,
}

/// How the columns of a source are called.
#[derive(Clone)]
struct Name {
    source: String,
    /// Whether they have their own names.
    is_table: bool,
}

impl Printer {
    fn finish(self) -> Result<String, String> {
        self.unknown.map_or(Ok(self.text), Err)
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn fail(&mut self, reason: &str) {
        self.unknown.get_or_insert_with(|| reason.to_owned());
    }

    fn list<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expression>, between: &str) {
        for (index, expression) in expressions.into_iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            self.expression(expression);
        }
    }

    fn conditions<'e>(&mut self, word: &str, conditions: impl IntoIterator<Item = &'e Expression>) {
        let mut conditions = conditions.into_iter().peekable();
        if conditions.peek().is_some() {
            self.push(word);
            self.list(conditions, " AND ");
        }
    }

    fn query(&mut self, query: &Query) {
        match query {
            Query::Block(block) => self.block(block),
            Query::UnionAll(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    self.push(if index > 0 { " UNION ALL (" } else { "(" });
                    self.query(branch);
                    self.push(")");
                }
            }
            Query::Values(rows) => {
                self.push("VALUES ");
                for (index, row) in rows.iter().enumerate() {
                    self.push(if index > 0 { ", (" } else { "(" });
                    self.list(row, ", ");
                    self.push(")");
                }
            }
            Query::Unknown(reason) => self.fail(reason),
        }
    }

    fn block(&mut self, block: &Block) {
        // The sources get their names first.
        let before = std::mem::take(&mut self.text);
        self.rows(&block.rows);
        let from = std::mem::replace(&mut self.text, before);
        self.push("SELECT ");
        match &block.distinct {
            Distinct::No => {}
            Distinct::Rows => self.push("DISTINCT "),
            Distinct::On(keys) => {
                self.push("DISTINCT ON (");
                self.list(keys, ", ");
                self.push(") ");
            }
        }
        for (index, output) in block.outputs.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.expression(&output.value);
            let _ = write!(self.text, " AS c{}", index + 1);
        }
        if !from.is_empty() {
            self.push(" FROM ");
            self.push(&from);
        }
        self.conditions(" WHERE ", &block.rows.conditions);
        self.groups(block);
        self.order(" ORDER BY ", block.order.iter().filter(|order| !is_constant(&order.key)));
        for (word, number) in [(" LIMIT ", &block.limit), (" OFFSET ", &block.offset)] {
            self.conditions(word, number);
        }
    }

    fn groups(&mut self, block: &Block) {
        let keys = block.keys.as_deref().unwrap_or_default();
        let mut grouped = keys.iter().filter(|key| !is_constant(key)).peekable();
        let is_by_constants = !keys.is_empty() && grouped.peek().is_none();
        if grouped.peek().is_some() {
            self.push(" GROUP BY ");
            self.list(grouped, ", ");
        }
        // Without an aggregate, nothing else says that all rows are one group.
        let has_aggregate = block.outputs.iter().any(|output| output.value.has_aggregate())
            || block.having.iter().any(Expression::has_aggregate);
        if block.keys.as_ref().is_some_and(Vec::is_empty) && !has_aggregate {
            self.push(" GROUP BY ()");
        }
        self.conditions(" HAVING ", &block.having);
        // Groups by constants alone are one group, and none without rows.
        if is_by_constants {
            self.push(if block.having.is_empty() { " HAVING count(*) > 0" } else { " AND count(*) > 0" });
        }
    }

    /// Prints FROM without its word, and names the sources.
    fn rows(&mut self, rows: &Rows) {
        for (index, item) in rows.items.iter().enumerate() {
            match (index, item) {
                (0, _) => self.item(item),
                (_, Item::Source(source)) => {
                    self.push(" CROSS JOIN ");
                    self.source(source);
                }
                (_, Item::Outer(outer)) => {
                    self.push(" CROSS JOIN (");
                    self.outer(outer);
                    self.push(")");
                }
            }
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Source(source) => self.source(source),
            Item::Outer(outer) => self.outer(outer),
        }
    }

    fn outer(&mut self, outer: &Outer) {
        // What the optional side must meet can stand in ON, unless its own rows are kept too.
        let moved = if outer.full { &[] } else { outer.right.conditions.as_slice() };
        self.side(&outer.left, &outer.left.conditions);
        self.push(if outer.full { " FULL JOIN " } else { " LEFT JOIN " });
        self.side(&outer.right, if outer.full { &outer.right.conditions } else { &[] });
        let on = outer.on.iter().chain(moved);
        match on.clone().next() {
            Some(_) => self.conditions(" ON ", on),
            None => self.push(" ON true"),
        }
    }

    /// Prints a side of an outer join with the conditions on it.
    fn side(&mut self, rows: &Rows, conditions: &[Expression]) {
        match (rows.items.as_slice(), conditions) {
            ([], _) => self.fail("an outer join with nothing"),
            ([Item::Source(source)], []) => self.source(source),
            ([_], [_, ..]) => self.fail("a condition inside an outer join"),
            (_, []) => {
                self.push("(");
                self.rows(rows);
                self.push(")");
            }
            ([first @ .., last], _) => {
                self.push("(");
                self.rows(&Rows { items: first.to_vec(), conditions: Vec::new() });
                self.push(" JOIN ");
                self.item(last);
                self.conditions(" ON ", conditions);
                self.push(")");
            }
        }
    }

    fn source(&mut self, source: &Source) {
        self.count += 1;
        let name = format!("s{}", self.count);
        let is_table = matches!(source.relation, Relation::Table { .. });
        self.names.insert(source.id, Name { source: name.clone(), is_table });
        match &source.relation {
            Relation::Table { schema, name: table } => {
                let _ = write!(self.text, "{}.{} AS {name}", identifier(schema), identifier(table));
            }
            Relation::Query { query, names } => {
                self.push(if query.is_closed() { "(" } else { "LATERAL (" });
                self.query(query);
                let _ = write!(self.text, ") AS {name}{}", columns(names.len()));
            }
            Relation::Function { function, arguments, ordinality, names } => {
                self.call(function, arguments);
                self.push(if *ordinality { " WITH ORDINALITY" } else { "" });
                let _ = write!(self.text, " AS {name}{}", columns(names.len()));
            }
        }
    }

    fn order<'o>(&mut self, word: &str, order: impl IntoIterator<Item = &'o Order>) {
        for (index, order) in order.into_iter().enumerate() {
            self.push(if index > 0 { ", " } else { word });
            self.expression(&order.key);
            self.push(if order.descending { " DESC" } else { "" });
            match order.nulls_first {
                Some(true) => self.push(" NULLS FIRST"),
                Some(false) => self.push(" NULLS LAST"),
                None => {}
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Column(column) => self.column(column),
            Expression::Literal(literal) => self.literal(literal),
            Expression::Call { function, arguments } => self.call(function, arguments),
            Expression::Operation { operator, operands } => self.operation(operator, operands),
            Expression::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref());
            }
            Expression::Cast { value, type_name, lenient: true } => self.lenient_cast(value, type_name),
            Expression::Cast { value, type_name, lenient: false } => {
                self.push("CAST(");
                self.expression(value);
                let _ = write!(self.text, " AS {type_name})");
            }
            Expression::In { value, list } => {
                self.push("(");
                self.expression(value);
                self.push(" IN (");
                self.list(list, ", ");
                self.push("))");
            }
            Expression::Quantified { left, operator, quantifier, right } => {
                self.push("(");
                self.expression(left);
                let _ = write!(self.text, " {operator} {quantifier} (");
                self.expression(right);
                self.push("))");
            }
            Expression::Array(list) => self.bracketed("ARRAY[", list, "]"),
            Expression::Row(list) => self.bracketed("ROW(", list, ")"),
            Expression::Aggregate(aggregate) => self.aggregate(aggregate),
            Expression::Window(window) => {
                self.aggregate(&window.function);
                self.push(" OVER (");
                if !window.partition.is_empty() {
                    self.push("PARTITION BY ");
                    self.list(&window.partition, ", ");
                }
                self.order(" ORDER BY ", &window.order);
                if let Some(frame) = &window.frame {
                    self.push(" ");
                    self.push(frame);
                }
                self.push(")");
            }
            Expression::Subquery(subquery) => self.subquery(subquery),
            Expression::Measure(index) => match self.measures.get(*index).cloned() {
                Some(name) => self.push(&name),
                None => self.fail("a measure without a name"),
            },
            Expression::Unknown(reason) => self.fail(reason),
        }
    }

    fn lenient_cast(&mut self, value: &Expression, type_name: &str) {
        let before = std::mem::take(&mut self.text);
        self.expression(value);
        let text = std::mem::replace(&mut self.text, before);
        self.push(&dates::read(&text, type_name == "timestamp"));
    }

    fn bracketed(&mut self, open: &str, list: &[Expression], close: &str) {
        self.push(open);
        self.list(list, ", ");
        self.push(close);
    }

    fn column(&mut self, column: &Column) {
        let Some(name) = self.names.get(&column.source) else {
            self.fail(&format!("{} belongs to another query", column.name));
            return;
        };
        let text = if name.is_table {
            format!("{}.{}", name.source, identifier(&column.name))
        } else {
            format!("{}.c{}", name.source, column.index + 1)
        };
        self.push(&text);
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Number(text) | Literal::Parameter(text) => self.push(text),
            Literal::Text(text) => {
                let text = format!("'{}'", text.replace('\'', "''"));
                self.push(&text);
            }
            Literal::Boolean(value) => self.push(if *value { "true" } else { "false" }),
            Literal::Null => self.push("NULL"),
        }
    }

    fn call(&mut self, function: &str, arguments: &[Expression]) {
        if let ("extract", [Expression::Literal(Literal::Text(field)), from]) = (function, arguments) {
            let _ = write!(self.text, "extract({field} FROM ");
            self.expression(from);
            self.push(")");
            return;
        }
        if arguments.is_empty() && BARE.contains(&function) {
            self.push(function);
            return;
        }
        let name = if TYPES.contains(&function) { identifier(function) } else { function.to_owned() };
        self.push(&name);
        self.bracketed("(", arguments, ")");
    }

    fn operation(&mut self, operator: &Operator, operands: &[Expression]) {
        self.push("(");
        match (operator, operands) {
            (Operator::Prefix(sign), [operand]) => {
                let _ = write!(self.text, "{sign} ");
                self.expression(operand);
            }
            (Operator::Infix(sign), [left, right]) => {
                self.expression(left);
                let _ = write!(self.text, " {sign} ");
                self.expression(right);
            }
            (Operator::Postfix(sign), [operand]) => {
                self.expression(operand);
                let _ = write!(self.text, " {sign}");
            }
            _ => self.fail("an operation with other operands"),
        }
        self.push(")");
    }

    fn case(
        &mut self,
        operand: Option<&Expression>,
        branches: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) {
        self.push("CASE");
        if let Some(operand) = operand {
            self.push(" ");
            self.expression(operand);
        }
        for (condition, value) in branches {
            self.push(" WHEN ");
            self.expression(condition);
            self.push(" THEN ");
            self.expression(value);
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.expression(otherwise);
        }
        self.push(" END");
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        self.push(&aggregate.function);
        self.push(if aggregate.distinct { "(DISTINCT " } else { "(" });
        if aggregate.counts_rows() {
            self.push("*");
        }
        self.list(&aggregate.arguments, ", ");
        self.order(" ORDER BY ", &aggregate.order);
        self.push(")");
        if !aggregate.within.is_empty() {
            self.order(" WITHIN GROUP (ORDER BY ", &aggregate.within);
            self.push(")");
        }
        if !aggregate.filter.is_empty() {
            self.conditions(" FILTER (WHERE ", &aggregate.filter);
            self.push(")");
        }
    }

    fn subquery(&mut self, subquery: &Subquery) {
        match &subquery.form {
            SubqueryForm::Value => self.push("("),
            SubqueryForm::Exists => self.push("EXISTS ("),
            SubqueryForm::In(value) => {
                self.push("(");
                self.expression(value);
                self.push(" IN (");
            }
        }
        // The same subquery has the same text wherever it stands, so that a key is known again.
        let count = self.count;
        self.query(&subquery.query);
        self.count = count;
        self.push(if matches!(subquery.form, SubqueryForm::In(_)) { "))" } else { ")" });
    }
}

/// Returns the list of a source's columns in brackets; nothing if it has none.
fn columns(count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    let names = (1..=count).map(|number| format!("c{number}")).collect::<Vec<_>>();
    format!("({})", names.join(", "))
}
