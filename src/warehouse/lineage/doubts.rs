//! What may be wrong with a measure although the SQL computes it: each with an id and a sentence for the reader.
//!
//! They are read off the statement and the catalog. A doubt does not say that a figure is wrong: it says why it may be.

pub(crate) mod joins;
mod missing;
mod money;
mod types;

use super::conversion;
use super::definition::alone;
use super::expression::{Aggregate, Expression, Literal};
use super::meaning::Meaning;
use super::measure::Measure;
use super::query::{Item, Query, Relation, Rows, Source};
use super::types::is_moment;
use crate::warehouse::catalog::{Catalog, Column, Role, Table, TableKind, VOID_STEMS, ValueKind};

/// A reason why a figure may say something else than it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    pub id: &'static str,
    /// One sentence for the reader of a report.
    pub sentence: String,
}

fn doubt(id: &'static str, sentence: impl Into<String>) -> Doubt {
    Doubt { id, sentence: sentence.into() }
}

/// What the checks look at.
struct Look<'m> {
    aggregate: &'m Aggregate,
    rows: &'m Rows,
    catalog: &'m Catalog,
}

/// Returns the doubts about a column: those about its measures, and about the arithmetic over them.
pub fn of_meaning(meaning: &Meaning, catalog: &Catalog) -> Vec<Doubt> {
    let divides = types::divides_measures(&meaning.value, &meaning.measures, catalog);
    let of_measures = meaning.measures.iter().flat_map(|one| of_measure(one, catalog));
    let mut doubts = Vec::new();
    for doubt in of_measures.chain(divides.then(types::integer_division)) {
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    doubts
}

/// Returns the doubts about a measure.
pub fn of_measure(measure: &Measure, catalog: &Catalog) -> Vec<Doubt> {
    let look = Look { aggregate: &measure.aggregate, rows: &measure.rows, catalog };
    let keys = measure.keys.iter().map(|key| &key.key).collect::<Vec<_>>();
    let checks = [
        joins::multiplied(&look, &keys),
        look.not_additive(),
        look.one_sided(),
        look.month_end(),
        look.last_day(),
        look.integer_division(&keys),
        look.text_order(&keys),
        look.mixed_currencies(&keys),
        look.mixed_units(&keys),
        look.nulls_dropped(&keys),
        look.not_in(),
        look.missing_term(),
        look.missing_group(),
        look.united(),
        look.other_calendar(&keys),
        look.stock(&keys),
        look.closed_only(&keys),
        look.still_open(&keys),
        look.unknown_value(),
        look.empty_periods(),
        look.no_partner(&keys),
        look.same_name(&keys),
        look.other_case(&keys),
        look.void_rows(),
        look.validity(),
        look.views(),
    ];
    let mut found = checks.into_iter().flatten().collect::<Vec<_>>();
    for doubt in of_inner(measure, catalog) {
        if !found.iter().any(|known| known.id == doubt.id) {
            found.push(doubt);
        }
    }
    found
}

/// Returns the doubts about the rows of queries inside that hold for what is computed of them.
fn of_inner(measure: &Measure, catalog: &Catalog) -> Vec<Doubt> {
    let blocks = measure.rows.sources().into_iter().filter_map(|source| match source.query() {
        Some(Query::Block(block)) => Some(block),
        _ => None,
    });
    let mut found = Vec::new();
    for block in blocks {
        let keys = block.keys.iter().flatten().collect::<Vec<_>>();
        found.extend(Look { aggregate: &measure.aggregate, rows: &block.rows, catalog }.void_rows());
        for output in &block.outputs {
            output.value.visit(&mut |part| {
                if let Expression::Aggregate(aggregate) = part {
                    let look = Look { aggregate, rows: &block.rows, catalog };
                    found.extend(look.mixed_currencies(&keys).into_iter().chain(look.mixed_units(&keys)));
                }
            });
        }
    }
    found
}

/// Returns the name of a column that a measure is of and that may be missing; `None` if none may.
pub(crate) fn missing_argument(measure: &Measure, catalog: &Catalog) -> Option<String> {
    let look = Look { aggregate: &measure.aggregate, rows: &measure.rows, catalog };
    let columns = measure.aggregate.arguments.iter().flat_map(Expression::columns);
    columns.into_iter().find_map(|column| look.missing(&Expression::Column(column.clone())))
}

/// Returns the currency column of the money that a measure is of; `None` if it is not of money, or of one currency.
pub(crate) fn currency_of(measure: &Measure, catalog: &Catalog) -> Option<Expression> {
    let look = Look { aggregate: &measure.aggregate, rows: &measure.rows, catalog };
    let within = measure.aggregate.within.iter().map(|order| &order.key);
    let (source, currency) = look.currency(measure.aggregate.arguments.iter().chain(within))?;
    let (_, table) = look.tables().find(|(known, _)| known.id == source.id)?;
    let index = table.columns.iter().position(|column| column.name == currency.name)?;
    let column = super::expression::Column { source: source.id, index, name: currency.name.clone() };
    Some(Expression::Column(column))
}

/// The schema and the name of a table.
fn table_of(source: &Source) -> Option<(&str, &str)> {
    match &source.relation {
        Relation::Table { schema, name } => Some((schema, name)),
        Relation::Query { .. } | Relation::Function { .. } => None,
    }
}

impl Look<'_> {
    /// The conditions that a row meets if it counts.
    fn conditions(&self) -> impl Iterator<Item = &Expression> {
        self.rows.conditions.iter().chain(&self.aggregate.filter)
    }

    /// All that the statement computes for the measure: its arguments, its order, its conditions and its keys.
    fn parts<'p>(&'p self, keys: &'p [&'p Expression]) -> impl Iterator<Item = &'p Expression> {
        let within = self.aggregate.within.iter().map(|order| &order.key);
        self.aggregate.arguments.iter().chain(within).chain(self.conditions()).chain(keys.iter().copied())
    }

    fn sums_or_averages(&self) -> bool {
        matches!(self.aggregate.function.as_str(), "sum" | "avg")
    }

    /// The column of the catalog that an expression is, through queries that only show it.
    fn column(&self, expression: &Expression) -> Option<&Column> {
        column_in(expression, self.rows, self.catalog)
    }

    /// The tables of the rows, those of queries inside not included, nor those of rates that only convert amounts.
    fn tables(&self) -> impl Iterator<Item = (&Source, &Table)> {
        let rates = conversion::rates(self.rows, self.catalog);
        let sources = self.rows.sources().into_iter().filter(move |source| !conversion::is_of(&rates, source));
        sources.filter_map(|source| match &source.relation {
            Relation::Table { schema, name } => Some((source, self.catalog.table(Some(schema), name)?)),
            Relation::Query { .. } | Relation::Function { .. } => None,
        })
    }

    /// Whether a condition or key names the column.
    fn is_named(&self, source: &Source, name: &str, keys: &[&Expression]) -> bool {
        let on = self.rows.items.iter().flat_map(|item| match item {
            Item::Outer(outer) => outer.on.as_slice(),
            Item::Source(_) => &[],
        });
        let mut parts = self.conditions().chain(on).chain(keys.iter().copied());
        parts.any(|part| part.columns().iter().any(|column| column.source == source.id && column.name == name))
    }

    /// The average of averages weighs small groups like large ones; a sum of shares or prices is no amount.
    fn not_additive(&self) -> Option<Doubt> {
        let argument = self.aggregate.arguments.first().filter(|_| self.sums_or_averages())?;
        let Expression::Column(column) = argument else { return None };
        if let Some(Query::Block(inner)) = self.rows.source_of(column).and_then(Source::query) {
            let mut functions = Vec::new();
            inner.outputs.get(column.index)?.value.visit(&mut |part| {
                if let Expression::Aggregate(aggregate) = part {
                    functions.push((aggregate.function.clone(), aggregate.distinct));
                }
            });
            let word = if self.aggregate.function == "sum" { "sum" } else { "average" };
            let is_ratio = functions.len() == 2
                && word == "average"
                && inner.outputs.get(column.index)?.value.any(&mut |part| part.as_infix("/").is_some());
            if is_ratio {
                return Some(doubt(
                    "average_of_averages",
                    "It is an average of ratios, in which small groups weigh as much as large ones.",
                ));
            }
            return match functions.as_slice() {
                [(function, _)] if function == "avg" => Some(doubt(
                    "average_of_averages",
                    format!("It is a {word} of averages, in which small groups weigh as much as large ones."),
                )),
                [(_, true)] if word == "sum" => Some(doubt(
                    "sum_of_distinct",
                    "It adds up counts of distinct values, so that what is in several groups counts several times.",
                )),
                _ => None,
            };
        }
        let role = self.column(argument)?.role?;
        (self.aggregate.function == "sum" && matches!(role, Role::Rate | Role::UnitPrice)).then(|| {
            doubt(
                "sum_of_rates",
                format!(
                    "It adds up {}, which is no amount that may be added up: a rate, a price or a balance.",
                    column.name
                ),
            )
        })
    }

    /// abs() of what a condition holds on one side of a bound shows nothing of the other side.
    fn one_sided(&self) -> Option<Doubt> {
        let mut inside = Vec::new();
        for argument in &self.aggregate.arguments {
            argument.visit(&mut |part| {
                if let Expression::Call { function, arguments } = part
                    && function == "abs"
                {
                    inside.extend(arguments.first());
                }
            });
        }
        let is_bound = |condition: &Expression, value: &Expression| {
            condition.as_ordering().is_some_and(|(left, right)| left == value || right == value)
        };
        inside.iter().any(|value| self.conditions().any(|condition| is_bound(condition, value))).then(|| {
            doubt("one_side", "It is the size of a difference, of which a condition keeps only one direction.")
        })
    }

    /// Months that are counted from the 29th or later end early.
    fn month_end(&self) -> Option<Doubt> {
        let from_late = |source: &Source| match &source.relation {
            Relation::Function { function, arguments, .. } if function == "generate_series" => {
                let day = arguments.first().and_then(date_text).and_then(|text| text.get(8..10)?.parse::<u8>().ok());
                let step = arguments.get(2).and_then(date_text).unwrap_or_default();
                day.is_some_and(|day| day > 28) && step.contains("mon")
            }
            _ => false,
        };
        self.rows.sources().into_iter().any(from_late).then(|| {
            doubt("month_end", "Its months are counted from the 29th or later, so that they drift to earlier days.")
        })
    }

    /// A timestamp is compared with a date: the last day ends as it begins.
    fn last_day(&self) -> Option<Doubt> {
        let cut = |condition: &Expression| {
            let (value, bound) = condition.as_infix("<=").or_else(|| condition.as_infix(">")).or_else(|| {
                let (bound, value) = condition.as_infix(">=")?;
                Some((value, bound))
            })?;
            let text = date_text(bound).filter(|text| text.trim().len() == 10)?;
            let is_timestamp = self.column(value)?.type_name.starts_with("timestamp");
            is_timestamp.then(|| text.to_owned())
        };
        let parts = self.conditions().flat_map(|condition| condition.clone().conjuncts()).collect::<Vec<_>>();
        let day = parts.iter().find_map(cut)?;
        Some(doubt(
            "last_day",
            format!(
                "Of {day} what happened at midnight is treated unlike the rest of the day: a time is compared with a date."
            ),
        ))
    }

    /// A row that meets the conditions of several parts of a UNION ALL is there several times.
    fn united(&self) -> Option<Doubt> {
        let of_branches = |source: &Source| match source.query() {
            Some(Query::UnionAll(branches)) => {
                let tables = branches.iter().map(|branch| match branch {
                    Query::Block(block) => {
                        block.rows.sources().iter().filter_map(|source| table_of(source)).collect::<Vec<_>>()
                    }
                    Query::UnionAll(_) | Query::Values(_) | Query::Unknown(_) => Vec::new(),
                });
                let tables = tables.collect::<Vec<_>>();
                let mut found = None;
                for (index, one) in tables.iter().enumerate() {
                    found = found.or_else(|| {
                        one.iter().find(|table| tables[index + 1..].iter().any(|other| other.contains(table))).copied()
                    });
                }
                found.map(|(_, name)| name.to_owned())
            }
            _ => None,
        };
        let name = self.rows.sources().into_iter().find_map(of_branches)?;
        Some(doubt(
            "united",
            format!("Rows of {name} come in by several parts of a UNION ALL: one row may be there several times."),
        ))
    }

    /// Periods of another table than the one that is counted: those after its data end count as 0.
    fn other_calendar(&self, keys: &[&Expression]) -> Option<Doubt> {
        let rates = conversion::rates(self.rows, self.catalog);
        let is_of_rates = |rows: &Rows| rows.sources().iter().all(|source| conversion::is_of(&rates, source));
        let optional = self.rows.items.iter().filter_map(|item| match item {
            Item::Outer(outer) => Some(&outer.left).filter(|_| !is_of_rates(&outer.right)),
            Item::Source(_) => None,
        });
        let left = optional.flat_map(|left| left.sources()).map(|source| source.id).collect::<Vec<_>>();
        let is_left = |key: &&&Expression| {
            is_moment(key, self.rows, self.catalog) && key.columns().iter().any(|column| left.contains(&column.source))
        };
        keys.iter().find(is_left)?;
        Some(doubt(
            "other_calendar",
            "The periods come from another table than what is measured: where its data have ended, it seems to be 0.",
        ))
    }

    /// A stock that is added up over several dates counts the same thing several times.
    fn stock(&self, keys: &[&Expression]) -> Option<Doubt> {
        if self.aggregate.function != "sum" {
            return None;
        }
        let summed = self.aggregate.arguments.first().and_then(|argument| self.column(argument));
        let written = summed.filter(|column| !column.role_guessed).and_then(|column| column.role);
        // Somebody said that it is an amount.
        if written.is_some_and(|role| role != Role::Level) {
            return None;
        }
        self.tables().find_map(|(source, table)| {
            let date = table.dated_by().or_else(|| {
                let date = table.column_with(Role::Date).filter(|_| written == Some(Role::Level))?;
                Some(date.name.as_str())
            })?;
            let is_it = |part: &Expression| {
                part.columns().iter().any(|column| column.source == source.id && column.name == date)
            };
            let is_fixed = keys.iter().any(|key| matches!(key, Expression::Column(_)) && is_it(key))
                || self.conditions().any(|condition| condition.as_infix("=").is_some() && is_it(condition));
            let sentence = match written {
                Some(_) => format!("It adds up a level over several {date}: what stays there counts several times."),
                None => format!("{} has a row for each {date}: if it holds what there is, not what was added, a sum over several dates counts it several times.", table.name),
            };
            (!is_fixed).then(|| doubt("stock", sentence))
        })
    }

    /// Rows that the table itself marks as void are counted.
    fn void_rows(&self) -> Option<Doubt> {
        const MARKS: &[&str] = &[
            "deleted_at",
            "cancelled_at",
            "canceled_at",
            "voided_at",
            "is_deleted",
            "is_test",
            "is_cancelled",
            "is_void",
        ];
        let begins_void = |word: &str| VOID_STEMS.iter().any(|stem| word.to_lowercase().starts_with(stem));
        if let Some(sentence) = self.not_counted() {
            return Some(doubt("void_rows", sentence));
        }
        let is_open = |(_, table): &(&Source, &Table)| table.declared.filter.as_ref().is_none_or(|known| known.guessed);
        let marks = self.tables().filter(is_open).flat_map(|(source, table)| {
            let is_void = move |column: &&Column| {
                let values = column.statistics.iter().flat_map(|known| &known.common_values).chain(&column.enum_values);
                let stem = |value: &String| begins_void(value) || value.to_lowercase().starts_with("test");
                let is_flag = column.value_kind() == ValueKind::Boolean && column.name.split('_').any(begins_void);
                let named = is_flag || MARKS.contains(&column.name.as_str());
                (named || values.into_iter().any(stem)) && !self.is_named(source, &column.name, &[])
            };
            table.columns.iter().filter(is_void).map(|column| column.name.as_str())
        });
        let mut marks = marks.collect::<Vec<_>>();
        marks.sort_unstable();
        marks.dedup();
        let verb = if marks.len() == 1 { "marks" } else { "mark" };
        let names = marks.join(" or ");
        (!marks.is_empty()).then(|| doubt("void_rows", format!("Rows that {names} {verb} as void are counted too.")))
    }

    /// Rows count that people said do not.
    fn not_counted(&self) -> Option<String> {
        self.tables().find_map(|(source, table)| {
            let filter = table.declared.filter.as_ref().filter(|filter| !filter.guessed && !filter.parts.is_empty())?;
            let stated = self.conditions().filter_map(|condition| alone(condition, source)).collect::<Vec<_>>();
            let is_counted = filter.parts.iter().all(|part| stated.contains(part));
            (!is_counted).then(|| {
                format!("Rows of {} that do not count are counted too: those without {}.", table.name, filter.sql)
            })
        })
    }

    /// Several rows of a table have one name: a key of names takes them for one.
    fn same_name(&self, keys: &[&Expression]) -> Option<Doubt> {
        const SHARE_OF_NAMES: f64 = 0.8;
        const SHARE_OF_CALLED: f64 = 0.5;
        const ROWS_MIN: f64 = 10.0;
        let shared = |key: &Expression| {
            let Expression::Column(named) = key else { return None };
            let (source, table) = self.tables().find(|(source, _)| source.id == named.source)?;
            let column = table.column(&named.name).filter(|column| column.value_kind() == ValueKind::Text)?;
            #[expect(clippy::cast_precision_loss, reason = "an estimate needs no more digits")]
            let rows = table.rows_estimate? as f64;
            let distinct = column.statistics.as_ref()?.distinct?;
            let [id] = table.primary_key.as_slice() else { return None };
            // Nearly each row has its own: it is meant to name the row.
            let words = column.name.rsplit('_').next().unwrap_or_default();
            let is_called_so = matches!(words, "name" | "title" | "label") && distinct > SHARE_OF_CALLED * rows;
            let is_unlike = rows >= ROWS_MIN && distinct > SHARE_OF_NAMES * rows;
            let is_name = *id != column.name && distinct < rows && (is_called_so || is_unlike);
            let is_id = |key: &&Expression| matches!(key, Expression::Column(column) if column.source == source.id && column.name == *id);
            (is_name && !keys.iter().any(is_id)).then(|| (table.name.clone(), column.name.clone()))
        };
        let (table, name) = keys.iter().find_map(|key| shared(key))?;
        Some(doubt("same_name", format!("Several rows of {table} have the same {name}: they count as one.")))
    }

    /// A value that no row is known to have, where some have it in other letters.
    fn other_case(&self, keys: &[&Expression]) -> Option<Doubt> {
        let twice = |key: &&Expression| {
            let column = self.column(key).filter(|column| column.value_kind() == ValueKind::Text)?;
            let known = &column.statistics.as_ref()?.common_values;
            let is_near = |one: &&String| {
                known.iter().any(|other| other != *one && other.trim().eq_ignore_ascii_case(one.trim()))
            };
            known.iter().find(is_near).map(|one| (column.name.clone(), one.clone()))
        };
        if let Some((column, value)) = keys.iter().find_map(twice) {
            let sentence =
                format!("'{value}' is also written in other letters as {column}, which is a group of its own.");
            return Some(doubt("other_case", sentence));
        }
        let of_value = |column: &Expression, value: &Expression| {
            let Expression::Literal(Literal::Text(written)) = value else { return None };
            let column = self.column(column)?;
            let known = &column.statistics.as_ref()?.common_values;
            let is_near = |value: &&String| *value != written && value.trim().eq_ignore_ascii_case(written.trim());
            let near = known.iter().find(is_near)?;
            Some((column.name.clone(), written.clone(), near.clone(), known.contains(written)))
        };
        let of_condition = |condition: &Expression| {
            let mut found = None;
            condition.visit(&mut |part| {
                let here = match part {
                    Expression::In { value, list } => list.iter().find_map(|one| of_value(value, one)),
                    other => ["=", "<>"]
                        .iter()
                        .find_map(|sign| other.as_infix(sign))
                        .and_then(|(left, right)| of_value(left, right).or_else(|| of_value(right, left))),
                };
                found = found.take().or(here);
            });
            found
        };
        let (column, written, near, is_known) = self.conditions().find_map(of_condition)?;
        let sentence = if is_known {
            format!("Some rows have '{near}' as {column}, which does not count as '{written}'.")
        } else {
            format!("No row is known whose {column} is '{written}'; there is '{near}'.")
        };
        Some(doubt("other_case", sentence))
    }

    /// A table with validity dates is read without a date.
    fn validity(&self) -> Option<Doubt> {
        const PAIRS: &[(&str, &str)] =
            &[("valid_from", "valid_to"), ("effective_from", "effective_to"), ("valid_from", "valid_until")];
        self.tables().find_map(|(source, table)| {
            let has = |name: &str| table.column(name).is_some();
            let pair = PAIRS.iter().find(|(from, to)| has(from) && has(to))?;
            let is_named = self.is_named(source, pair.0, &[]) || self.is_named(source, pair.1, &[]);
            (!is_named).then(|| {
                doubt(
                    "validity",
                    format!(
                        "Rows of {} count whether or not they were valid at the time: {} is not used.",
                        table.name, pair.0
                    ),
                )
            })
        })
    }

    fn views(&self) -> Option<Doubt> {
        let view =
            self.tables().find(|(_, table)| matches!(table.kind, TableKind::View | TableKind::MaterializedView))?;
        Some(doubt("view", format!("It is read from the view {}, which may leave rows out.", view.1.name)))
    }
}

/// The text of a date, timestamp or interval that is written in the statement.
fn date_text(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Literal(Literal::Text(text)) => Some(text),
        Expression::Cast { value, .. } => date_text(value),
        _ => None,
    }
}

/// The column of the catalog that an expression is.
fn column_in<'c>(expression: &Expression, rows: &Rows, catalog: &'c Catalog) -> Option<&'c Column> {
    let Expression::Column(column) = expression else { return None };
    match &rows.source_of(column)?.relation {
        Relation::Table { schema, name } => catalog.table(Some(schema), name)?.column(&column.name),
        Relation::Query { query: Query::Block(inner), .. } => {
            column_in(&inner.outputs.get(column.index)?.value, &inner.rows, catalog)
        }
        Relation::Query { .. } | Relation::Function { .. } => None,
    }
}
