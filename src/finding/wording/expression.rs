//! Expressions in words.

use std::collections::{HashMap, HashSet};

use super::condition::bracketed;
use super::{aggregate, literal, query_words};
use crate::finding::assumption::ASSUMED;
use crate::warehouse::catalog::{Catalog, ValueKind};
use crate::warehouse::lineage::conversion::{self, Rate};
use crate::warehouse::lineage::expression::{Column, Expression, Literal, Operator, SourceId, SubqueryForm, Window};
use crate::warehouse::lineage::query::{Query, Relation, Rows};

/// Characters of an expression beyond which it is named as computed.
const CHARACTERS_MAX: usize = 240;

/// What the columns and measures of an expression are called.
#[derive(Debug, Default)]
pub(super) struct Names<'c> {
    /// The tables; `None` for what needs none.
    pub(super) catalog: Option<&'c Catalog>,
    columns: HashMap<(SourceId, usize), String>,
    /// Whether several tables have a column of that name.
    tables: HashMap<SourceId, String>,
    ambiguous: Vec<String>,
    /// Columns whose name several tables have.
    shared: Vec<String>,
    /// Columns of queries whose name another source has.
    told_apart: HashSet<String>,
    /// The columns of tables that hold dates, and whether without a time of day.
    moments: HashMap<(SourceId, usize), bool>,
    /// What the metadata call columns of tables.
    labels: HashMap<(SourceId, usize), String>,
    /// What the metadata call the time between two columns of tables.
    durations: HashMap<(SourceId, String, String), String>,
    /// The columns of tables whose type is an enum.
    enums: HashSet<(SourceId, usize)>,
    /// The columns of tables that hold no NULL.
    never_null: HashSet<(SourceId, usize)>,
    /// How a table that occurs several times is told apart: by the column that leads to it.
    roles: HashMap<SourceId, String>,
    /// The rates by which amounts are converted.
    rates: Vec<Rate>,
    measures: Vec<String>,
}

impl<'c> Names<'c> {
    /// Returns the names of the columns of all sources. A column of a query is called by what it is there.
    pub(super) fn of(rows: &Rows, catalog: Option<&'c Catalog>) -> Self {
        let rates = catalog.map(|catalog| conversion::rates(rows, catalog)).unwrap_or_default();
        let mut names = Self { catalog, rates, ..Self::default() };
        let mut columns_known = Vec::new();
        for source in rows.sources() {
            match &source.relation {
                Relation::Table { schema, name } => {
                    names.tables.insert(source.id, name.clone());
                    let table = catalog.and_then(|catalog| catalog.table(Some(schema), name));
                    for known in table.iter().flat_map(|table| &table.declared.durations) {
                        let ends = (source.id, known.from.clone(), known.to.clone());
                        names.durations.insert(ends, known.name.clone());
                    }
                    for (index, column) in table.iter().flat_map(|table| table.columns.iter().enumerate()) {
                        columns_known.push((name.clone(), column.name.clone()));
                        if let Some(label) = &column.label {
                            names.labels.insert((source.id, index), label.clone());
                        }
                        if column.value_kind() == ValueKind::Moment {
                            names.moments.insert((source.id, index), column.type_name == "date");
                        }
                        if !column.nullable
                            || column.statistics.as_ref().is_some_and(|known| known.null_fraction == 0.0)
                        {
                            names.never_null.insert((source.id, index));
                        }
                        if !column.enum_values.is_empty() {
                            names.enums.insert((source.id, index));
                        }
                    }
                }
                Relation::Query { query, .. } => {
                    for (index, words) in columns(query, catalog).into_iter().enumerate() {
                        names.columns.insert((source.id, index), words);
                    }
                }
                Relation::Function { function, .. } => {
                    names.columns.insert((source.id, 0), format!("value of {function}()"));
                    names.columns.insert((source.id, 1), format!("place in {function}()"));
                }
            }
        }
        names.tell_apart(rows, &columns_known);
        let mut tables = names.tables.values().cloned().collect::<Vec<_>>();
        tables.sort();
        let is_shared = |(table, column): &&(String, String)| {
            columns_known.iter().any(|(other, name)| name == column && other != table)
        };
        names.shared = columns_known.iter().filter(is_shared).map(|(_, column)| column.clone()).collect();
        names.ambiguous = tables.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
        let is_ambiguous =
            |source: SourceId| names.tables.get(&source).is_some_and(|table| names.ambiguous.contains(table));
        let mut roles = HashMap::new();
        for (left, right) in rows.equalities() {
            let (Expression::Column(left), Expression::Column(right)) = (left, right) else { continue };
            for (from, to) in [(left, right), (right, left)] {
                if is_ambiguous(to.source) && !is_ambiguous(from.source) {
                    roles.entry(to.source).or_insert_with(|| from.name.clone());
                }
            }
        }
        names.roles = roles;
        names
    }

    /// Puts the table before columns of queries that another source has by the same name.
    fn tell_apart(&mut self, rows: &Rows, columns_known: &[(String, String)]) {
        let mut counts = HashMap::<String, usize>::new();
        for words in self.columns.values().chain(columns_known.iter().map(|(_, column)| column)) {
            *counts.entry(words.clone()).or_default() += 1;
        }
        let of_queries = self.columns.values().filter(|words| counts.get(*words).is_some_and(|count| *count > 1));
        self.told_apart = of_queries.cloned().collect();
        for source in rows.sources() {
            let Some(query) = source.query() else { continue };
            for ((id, index), words) in &mut self.columns {
                let is_shared = *id == source.id && counts.get(words).is_some_and(|count| *count > 1);
                if let Some(table) = origin(query, *index).filter(|_| is_shared) {
                    *words = format!("{table}.{words}");
                }
            }
        }
    }

    /// Returns whether the column holds no NULL.
    pub(super) fn is_never_null(&self, column: &Column) -> bool {
        self.never_null.contains(&(column.source, column.index))
    }

    /// Returns whether the value is a column whose type is an enum.
    pub(super) fn is_enum(&self, value: &Expression) -> bool {
        matches!(value, Expression::Column(column) if self.enums.contains(&(column.source, column.index)))
    }

    /// Returns whether the value is a column that holds dates, as such or as text, and whether without a time of day.
    fn moment(&self, value: &Expression) -> Option<bool> {
        match value {
            Expression::Column(column) => self.moments.get(&(column.source, column.index)).copied(),
            Expression::Cast { type_name, lenient: true, .. } => Some(type_name == "date"),
            _ => None,
        }
    }

    /// Returns what the metadata call the time between two columns.
    fn duration(&self, start: &Expression, end: &Expression) -> Option<&str> {
        let (Expression::Column(start), Expression::Column(end)) = (within_casts(start), within_casts(end)) else {
            return None;
        };
        let ends = (start.source, start.name.clone(), end.name.clone());
        self.durations.get(&ends).filter(|_| start.source == end.source).map(String::as_str)
    }

    /// Adds the names of measures.
    pub(super) fn with_measures(self, measures: &[String]) -> Self {
        Self { measures: measures.to_vec(), ..self }
    }

    fn column(&self, source: SourceId, index: usize, name: &str) -> String {
        if let Some(words) = self.columns.get(&(source, index)) {
            return words.clone();
        }
        let name = self.labels.get(&(source, index)).map_or(name, String::as_str);
        match self.tables.get(&source) {
            Some(table) if !self.ambiguous.contains(table) => {
                let is_alone =
                    self.tables.len() < 2 || self.catalog.is_some() && !self.shared.iter().any(|shared| shared == name);
                if is_alone && !self.told_apart.contains(name) {
                    super::named(name)
                } else {
                    super::named(&format!("{table}.{name}"))
                }
            }
            Some(table) if self.ambiguous.contains(table) => match self.roles.get(&source) {
                Some(role) => format!("{name} of the {table} by {role}"),
                None => format!("{table}({source}).{name}"),
            },
            // Of the query around a subquery.
            None if !self.tables.is_empty() => super::named(&format!("{name} of the row itself")),
            _ => super::named(name),
        }
    }
}

/// Returns the table that a column of a query is of, where it is one.
fn origin(query: &Query, index: usize) -> Option<&str> {
    let Query::Block(block) = query else { return None };
    let Expression::Column(column) = &block.outputs.get(index)?.value else { return None };
    let source = block.rows.source_of(column)?;
    match &source.relation {
        Relation::Table { name, .. } => Some(name),
        Relation::Query { query, .. } => origin(query, column.index),
        Relation::Function { .. } => None,
    }
}

/// Returns what each column of a query is. An alias of the statement is no name.
fn columns(query: &Query, catalog: Option<&Catalog>) -> Vec<String> {
    match query {
        Query::Block(block) => {
            let names = Names::of(&block.rows, catalog);
            let keys = block.keys.iter().flatten().map(|key| phrase(key, &names)).collect::<Vec<_>>().join(" and ");
            let words = |value: &Expression| match phrase(value, &names) {
                words if !value.has_aggregate() => words,
                words if keys.is_empty() => format!("({words})"),
                words => format!("({words} of each {keys})"),
            };
            block.outputs.iter().map(|output| words(&output.value)).collect()
        }
        Query::UnionAll(branches) => {
            let all = branches.iter().map(|branch| columns(branch, catalog)).collect::<Vec<_>>();
            let width = all.iter().map(Vec::len).min().unwrap_or(0);
            let either = |index: usize| {
                if branches.iter().all(|branch| branch.writes_text(index)) {
                    return "the name of the part".to_owned();
                }
                let mut words = all.iter().map(|branch| branch[index].clone()).collect::<Vec<_>>();
                words.dedup();
                words.join(" or ")
            };
            (0..width).map(either).collect()
        }
        Query::Values(rows) => {
            let width = rows.first().map_or(0, Vec::len);
            let written = (0..width).map(|index| {
                let values = rows.iter().filter_map(|row| row.get(index)).map(|value| phrase(value, &Names::default()));
                format!("({} of the statement)", values.collect::<Vec<_>>().join(" or "))
            });
            written.collect()
        }
        Query::Unknown(_) => Vec::new(),
    }
}

/// Returns whether a query shows no column of its own sources, but one of the row around it.
fn is_outer(query: &Query) -> bool {
    let Query::Block(block) = query else { return false };
    let own = block.rows.sources().iter().map(|source| source.id).collect::<Vec<_>>();
    let columns = block.outputs.iter().flat_map(|output| output.value.columns()).collect::<Vec<_>>();
    !columns.is_empty() && columns.iter().any(|column| !own.contains(&column.source))
}

/// Returns the unit of so many seconds.
fn unit(seconds: &str) -> Option<&'static str> {
    match seconds.trim_end_matches(".0") {
        "60" => Some("minutes"),
        "3600" => Some("hours"),
        "86400" => Some("days"),
        _ => None,
    }
}

/// Returns an expression in words.
pub(super) fn phrase(value: &Expression, names: &Names) -> String {
    let words = Words { names }.of(value);
    if words.chars().count() > CHARACTERS_MAX { "an expression as computed by the statement".to_owned() } else { words }
}

/// Returns what is cast, whatever the types.
fn within_casts(value: &Expression) -> &Expression {
    match value {
        Expression::Cast { value, .. } => within_casts(value),
        other => other,
    }
}

struct Words<'w> {
    names: &'w Names<'w>,
}

impl Words<'_> {
    fn of(&self, value: &Expression) -> String {
        if let Some((amount, unit)) = conversion::converted(value, &self.names.rates) {
            return format!("{} in {}", self.bracketed(amount), super::named(unit));
        }
        match value {
            Expression::Column(column) => self.names.column(column.source, column.index, &column.name),
            Expression::Literal(value) => literal(value),
            Expression::Measure(index) => self.names.measures.get(*index).cloned().unwrap_or_default(),
            Expression::Call { function, arguments } => self.call(function, arguments),
            Expression::Operation { operator, operands } => self.operation(operator, operands),
            Expression::Cast { value, lenient: true, .. } => self.of(value),
            Expression::Cast { value, type_name, lenient: false } => self.cast(value, type_name),
            Expression::Case { operand: None, branches, otherwise } => {
                let cases = branches.iter().map(|(condition, value)| {
                    format!("{} where {}", self.of(value), super::condition::one(condition, self.names))
                });
                let cases = cases.collect::<Vec<_>>().join(", else ");
                let others = otherwise.as_deref().map_or_else(|| "nothing".to_owned(), |value| self.of(value));
                format!("({cases}, else {others})")
            }
            Expression::Case { operand: Some(operand), branches, otherwise } => {
                let cases = branches.iter().map(|(known, value)| format!("{} for {}", self.of(value), self.of(known)));
                let cases = cases.collect::<Vec<_>>().join(", ");
                let others = otherwise.as_deref().map_or_else(|| "nothing".to_owned(), |value| self.of(value));
                format!("(by {}: {cases}, else {others})", self.of(operand))
            }
            Expression::In { value, list } => format!("{} among {}", self.of(value), self.list(list)),
            Expression::Quantified { left, operator, quantifier, right } => {
                format!("{} {operator} {} {}", self.of(left), quantifier.to_lowercase(), self.of(right))
            }
            Expression::Array(list) | Expression::Row(list) => format!("({})", self.list(list)),
            Expression::Aggregate(one) => {
                let words = aggregate(one, "rows", self.names);
                let filter = one.filter.iter().collect::<Vec<_>>();
                if filter.is_empty() {
                    words
                } else {
                    format!("{words} {}", super::condition::conditions(&filter, self.names))
                }
            }
            Expression::Window(window) => self.window(window),
            Expression::Subquery(subquery) => match &subquery.form {
                SubqueryForm::Value => {
                    let column = columns(&subquery.query, self.names.catalog).into_iter().next().unwrap_or_default();
                    format!("the {column} of {}", query_words(&subquery.query, self.names.catalog))
                }
                SubqueryForm::Exists => format!("there are {}", query_words(&subquery.query, self.names.catalog)),
                SubqueryForm::In(value) => {
                    let column = columns(&subquery.query, self.names.catalog).into_iter().next().unwrap_or_default();
                    if is_outer(&subquery.query) {
                        let rows = query_words(&subquery.query, self.names.catalog);
                        return format!(
                            "{} is equal to a value of the row itself, and there are {rows}",
                            self.of(value)
                        );
                    }
                    format!(
                        "{} is among the {column} of {}",
                        self.of(value),
                        query_words(&subquery.query, self.names.catalog)
                    )
                }
            },
            Expression::Unknown(reason) => format!("unknown ({reason})"),
        }
    }

    /// Returns a value in another type, where that changes it.
    fn cast(&self, value: &Expression, type_name: &str) -> String {
        let is_truncated = matches!(value, Expression::Call { function, .. } if function == "date_trunc");
        let words = self.of(value);
        match type_name {
            "date" if is_truncated || matches!(value, Expression::Literal(_)) => words,
            "date" => format!("date of {}", bracketed(&words, value)),
            "integer" | "int" | "bigint" | "smallint" | "int4" | "int8" => {
                format!("{} as a whole number", bracketed(&words, value))
            }
            "numeric" | "decimal" | "double precision" | "float" | "float8" | "real" | "text" | "varchar"
            | "character varying" | "interval" | "timestamp" | "timestamptz" | "boolean" => words,
            _ if matches!(value, Expression::Literal(_)) => words,
            other => format!("{} as {other}", bracketed(&words, value)),
        }
    }

    fn window(&self, window: &Window) -> String {
        if let Some(next) = self.next(window) {
            return next;
        }
        let function = match (window.function.function.as_str(), self.list(&window.function.arguments)) {
            ("row_number", _) => "place".to_owned(),
            (function, arguments) => format!("{function}({arguments})"),
        };
        let partition = match self.list(&window.partition) {
            words if words.is_empty() => String::new(),
            words => format!(" among those with the same {words}"),
        };
        let order = window.order.iter().map(|order| {
            let way = if order.descending { " downwards" } else { "" };
            format!("{}{way}", self.of(&order.key))
        });
        let order = match order.collect::<Vec<_>>().join(", ") {
            words if words.is_empty() => String::new(),
            words => format!(" in the order of {words}"),
        };
        let frame = window.frame.as_ref().map(|frame| format!(" over {}", frame.to_lowercase())).unwrap_or_default();
        format!("{function}{partition}{order}{frame}")
    }

    /// Returns the next value after a row's own, in the order of these values.
    fn next(&self, window: &Window) -> Option<String> {
        let Window { function, partition, order, frame: None } = window else { return None };
        let ([value], [by]) = (function.arguments.as_slice(), order.as_slice()) else { return None };
        let is_next = function.function == "lead" && by.key == *value && !by.descending && function.filter.is_empty();
        let same = match self.list(partition) {
            words if words.is_empty() => String::new(),
            words => format!(" of the same {words}"),
        };
        is_next.then(|| format!("next {}{same}", self.of(value)))
    }

    fn bracketed(&self, value: &Expression) -> String {
        bracketed(&self.of(value), value)
    }

    fn list(&self, list: &[Expression]) -> String {
        list.iter().map(|one| self.of(one)).collect::<Vec<_>>().join(", ")
    }

    fn call(&self, function: &str, arguments: &[Expression]) -> String {
        match (function, arguments) {
            ("date_trunc", [Expression::Literal(Literal::Text(unit)), value]) => {
                format!("{unit} of {}", self.bracketed(value))
            }
            ("to_char", [value, Expression::Literal(Literal::Text(format))]) => {
                format!("{} as {format}", self.of(value))
            }
            ("extract" | "date_part", [Expression::Literal(Literal::Text(field)), value]) if field == "epoch" => {
                self.duration("seconds", value)
            }
            ("extract" | "date_part", [Expression::Literal(Literal::Text(field)), value]) => match self.ends(value) {
                Some((end, start)) => {
                    format!("whole {field}s of the time from {} to {}", self.of(start), self.of(end))
                }
                None => format!("{field} number of {}", self.bracketed(value)),
            },
            ("timezone", [Expression::Literal(Literal::Text(zone)), value]) if zone.starts_with(['+', '-']) => {
                format!("{} in the zone {} of POSIX, where + is west", self.of(value), super::quoted(zone))
            }
            ("timezone", [Expression::Literal(Literal::Text(zone)), value]) => {
                format!("{} in {}", self.of(value), super::quoted(zone))
            }
            (ASSUMED, [Expression::Literal(Literal::Text(id)), _]) => id.clone(),
            ("round", [value]) => format!("{} rounded", self.bracketed(value)),
            ("round", [value, decimals]) => {
                format!("{} rounded to {} decimals", self.bracketed(value), self.of(decimals))
            }
            ("trunc", [value, ..]) => format!("{} cut to whole parts", self.bracketed(value)),
            ("coalesce", [value, instead]) => format!("{} (or {})", self.bracketed(value), self.of(instead)),
            (function, arguments) => format!("{function}({})", self.list(arguments)),
        }
    }

    /// Returns end and start of the time between two moments: a day less a number of days is another day.
    fn ends<'v>(&self, value: &'v Expression) -> Option<(&'v Expression, &'v Expression)> {
        let (end, start) = value.as_infix("-")?;
        (!self.is_shift(start)).then_some((end, start))
    }

    /// Returns whether a value is a number or an interval, by which a moment is shifted.
    fn is_shift(&self, value: &Expression) -> bool {
        match value {
            Expression::Literal(Literal::Number(_)) => true,
            Expression::Cast { value, type_name, lenient: false } => type_name == "interval" || self.is_shift(value),
            Expression::Column(column) => {
                self.names.tables.contains_key(&column.source) && self.names.moment(value).is_none()
            }
            Expression::Operation { operator: Operator::Infix(sign), operands }
                if matches!(sign.as_str(), "*" | "/") =>
            {
                operands.iter().any(|operand| self.is_shift(operand))
            }
            _ => false,
        }
    }

    /// Returns the time between two moments, by its name if it has one.
    fn between(&self, unit: &str, start: &Expression, end: &Expression) -> String {
        match self.names.duration(start, end) {
            Some(name) if unit == "time" => super::named(name),
            Some(name) => format!("{} in {unit}", super::named(name)),
            None => format!("{unit} from {} to {}", self.of(start), self.of(end)),
        }
    }

    /// Returns the time between two moments, or since the beginning of 1970.
    fn duration(&self, unit: &str, value: &Expression) -> String {
        match self.ends(value) {
            Some((end, start)) => self.between(unit, start, end),
            None if matches!(value, Expression::Call { function, .. } if function == "age") => {
                format!("{unit} of {}, in months of 30 days", self.of(value))
            }
            None if self.names.moment(value).is_some() => format!("{unit} since 1970 of {}", self.of(value)),
            None => format!("{unit} of {}", self.bracketed(value)),
        }
    }

    fn operation(&self, operator: &Operator, operands: &[Expression]) -> String {
        match (operator, operands) {
            (
                Operator::Infix(sign),
                [Expression::Call { function, arguments }, Expression::Literal(Literal::Number(number))],
            ) if sign == "/" && function == "extract" && unit(number).is_some() => {
                match (arguments.as_slice(), unit(number)) {
                    ([Expression::Literal(Literal::Text(field)), value], Some(unit)) if field == "epoch" => {
                        self.duration(unit, value)
                    }
                    _ => format!("{} / {number}", self.call(function, arguments)),
                }
            }
            (
                Operator::Infix(sign),
                [
                    Expression::Cast { value: end, type_name, .. },
                    Expression::Cast { value: start, type_name: other, .. },
                ],
            ) if sign == "-" && type_name == "date" && other == "date" => self.between("days", start, end),
            (Operator::Infix(sign), [end, start])
                if sign == "-" && self.names.moment(end).is_some() && self.names.moment(start).is_some() =>
            {
                let is_date = self.names.moment(end) == Some(true) && self.names.moment(start) == Some(true);
                let unit = if is_date { "days" } else { "time" };
                self.between(unit, start, end)
            }
            (Operator::Infix(sign), [left, right]) => {
                let bracketed = |side: &Expression| match within_casts(side) {
                    Expression::Operation { operator: Operator::Infix(inner), .. }
                        if inner != sign || sign == "-" || sign == "/" =>
                    {
                        format!("({})", self.of(side))
                    }
                    Expression::Operation { .. } | Expression::Column(_) => self.of(side),
                    _ => self.bracketed(side),
                };
                let sign = match sign.as_str() {
                    "*" => "x",
                    "AND" => "and",
                    "OR" => "or",
                    sign => sign,
                };
                format!("{} {sign} {}", bracketed(left), bracketed(right))
            }
            (Operator::Prefix(sign), [operand]) if sign == "NOT" => format!("not ({})", self.of(operand)),
            (Operator::Prefix(sign), [operand]) => format!("{sign}{}", self.bracketed(operand)),
            (Operator::Postfix(sign), [operand]) => format!("{} {}", self.of(operand), sign.to_lowercase()),
            _ => "an operation".to_owned(),
        }
    }
}
