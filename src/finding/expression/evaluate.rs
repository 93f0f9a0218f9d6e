//! Evaluates an expression to its value and the cells behind it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::{CellReference, Cells, Evaluated, Expression, Function, Kind, Known, Operator, Rows, date_of, number_of};
use crate::finding::format;
use crate::finding::results::{QueryResult, Results, names};
use crate::typeset::figure;

/// Evaluates expressions over the results of a run.
pub(super) struct Evaluator<'a> {
    pub(super) results: &'a Results,
    pub(super) as_of: Date,
    pub(super) known: Known<'a>,
}

/// The value of a part of an expression.
struct Part {
    value: Value,
    kind: Kind,
    groups: Vec<Vec<CellReference>>,
    literals: Vec<Decimal>,
    dates: Vec<Date>,
    shown: String,
}

#[derive(Clone, Copy)]
enum Value {
    Number(Decimal),
    Date(Date),
}

impl Evaluator<'_> {
    pub(super) fn run(&self, expression: &Expression) -> Result<Evaluated, String> {
        if let Expression::Figure(name) = expression
            && let Some((_, figure)) = self.known.iter().find(|(known, _)| known == name)
        {
            return Ok(figure.clone());
        }
        let part = self.part(expression)?;
        let Value::Number(value) = part.value else {
            return Err(
                "the expression is a date, not a number; dates are typed into the text as they stand in a cell".into(),
            );
        };
        let column = match expression {
            Expression::Cells(cells) => self.find(cells).ok().and_then(|(result, _, column)| Some((result, column?))),
            _ => None,
        };
        let column = column.map_or("", |(result, column)| result.table.columns[column].name.as_str());
        let shown = match (part.groups.as_slice(), column) {
            (_, "") => part.shown,
            ([group], _) => {
                group.first().map_or(part.shown, |cell| format!("{}[{}].{column}", cell.query, cell.row + 1))
            }
            _ => part.shown,
        };
        Ok(Evaluated {
            value,
            kind: part.kind,
            groups: part.groups,
            literals: part.literals,
            dates: part.dates,
            counts_losses: format::counts_losses(column),
            may_be_percent: format::may_be_percent(column),
            arithmetic: format!("{shown} = {}", figure::decimal(value)),
        })
    }

    fn part(&self, expression: &Expression) -> Result<Part, String> {
        match expression {
            Expression::Literal(value) => Ok(Part {
                value: Value::Number(*value),
                kind: Kind::Level,
                groups: Vec::new(),
                literals: vec![*value],
                dates: Vec::new(),
                shown: figure::decimal(*value),
            }),
            Expression::Date(date) => Ok(Part { dates: vec![*date], ..dated(*date) }),
            Expression::AsOf => Ok(dated(self.as_of)),
            Expression::Figure(name) => self.figure(name),
            Expression::Cells(cells) => self.single(cells),
            Expression::Negated(inner) => {
                let part = self.part(inner)?;
                let value = Value::Number(-number(&part)?);
                Ok(Part { value, shown: format!("-{}", part.shown), ..part })
            }
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expression::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn figure(&self, name: &str) -> Result<Part, String> {
        let known = self.known.iter().find(|(known, _)| known == name).map(|(_, evaluated)| evaluated);
        let evaluated = known.ok_or_else(|| {
            format!("`{name}` is neither a cell such as q3[2].column nor the name of a figure that stands before it")
        })?;
        Ok(Part {
            value: Value::Number(evaluated.value),
            kind: evaluated.kind,
            groups: evaluated.groups.clone(),
            literals: evaluated.literals.clone(),
            dates: evaluated.dates.clone(),
            shown: figure::decimal(evaluated.value),
        })
    }

    /// Evaluates a reference to a single cell.
    fn single(&self, cells: &Cells) -> Result<Part, String> {
        let (result, rows, column) = self.find(cells)?;
        let &[row] = rows.as_slice() else {
            return Err(format!(
                "{}.{} is a column of {} rows; name a row, as in {}[2], or use sum, avg, min, max or count",
                cells.query,
                cells.column.as_deref().unwrap_or("?"),
                rows.len(),
                cells.query,
            ));
        };
        let Some(column) = column else {
            return Err(format!("{} is a result; name a column, or write count({})", cells.query, cells.query));
        };
        forbid_identifier(result, column)?;
        let text = cell(result, row, column)?;
        let value = match (number_of(text), date_of(text)) {
            (Some(number), _) => Value::Number(number),
            (None, Some(date)) => Value::Date(date),
            (None, None) => return Err(format!("{} is {text:?}, which is no number", place(result, row, column))),
        };
        let shown = match value {
            Value::Number(number) => figure::decimal(number),
            Value::Date(date) => date.to_string(),
        };
        let kind = format::kind_of(&result.table.columns[column].name);
        let groups = vec![vec![CellReference { query: result.id.clone(), row, column }]];
        Ok(Part { value, kind, groups, literals: Vec::new(), dates: Vec::new(), shown })
    }

    /// Returns the result, the rows (from 0) and the column that `cells` refers to.
    fn find(&self, cells: &Cells) -> Result<(&QueryResult, Vec<usize>, Option<usize>), String> {
        let result = self.results.get(&cells.query).ok_or_else(|| unknown_query(&cells.query, self.results))?;
        let count = result.table.rows.len();
        let rows = match &cells.rows {
            Rows::All => (0..count).collect(),
            Rows::Numbers(first, last) if *last <= count && first <= last => (first - 1..*last).collect(),
            Rows::Numbers(_, last) => return Err(format!("{} has no row {last}; it has {count} rows", cells.query)),
            Rows::Holding(text) => vec![row_holding(result, text)?],
        };
        let column = match &cells.column {
            None => None,
            Some(name) => Some(result.table.column(name).ok_or_else(|| unknown_column(result, name))?),
        };
        Ok((result, rows, column))
    }

    fn binary(&self, operator: Operator, left: &Expression, right: &Expression) -> Result<Part, String> {
        self.forbid_added_literal(operator, left, right)?;
        let (left, right) = (self.part(left)?, self.part(right)?);
        let (first, second) = (number(&left)?, number(&right)?);
        let value = match operator {
            Operator::Add => first.checked_add(second),
            Operator::Subtract => first.checked_sub(second),
            Operator::Multiply => first.checked_mul(second),
            Operator::Divide if second.is_zero() => {
                return Err(format!("{} / {} divides by zero", left.shown, right.shown));
            }
            Operator::Divide => first.checked_div(second),
        };
        let symbol = match operator {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "×",
            Operator::Divide => "/",
        };
        let value = value.ok_or("the result is too large a number")?;
        if operator == Operator::Divide {
            forbid_self_division(&left, &right)?;
        }
        let kind = binary_kind(operator, &left, &right);
        let shown = format!("{} {symbol} {}", bracketed(&left.shown), bracketed(&right.shown));
        Ok(joined(value, kind, shown, [left, right]))
    }

    /// Rejects the addition or subtraction of a literal, by which a model could write any figure. A literal may only
    /// scale. The complements `1 - x` and `100 - x` are allowed.
    fn forbid_added_literal(&self, operator: Operator, left: &Expression, right: &Expression) -> Result<(), String> {
        let adds = matches!(operator, Operator::Add | Operator::Subtract);
        let complement = operator == Operator::Subtract
            && matches!(left, Expression::Literal(value) if *value == Decimal::ONE || *value == Decimal::ONE_HUNDRED);
        let bare = |expression| self.part(expression).is_ok_and(|part| part.groups.is_empty());
        if adds && !complement && (bare(left) || bare(right)) {
            return Err("a number may only multiply or divide, not be added or subtracted: take it from a cell".into());
        }
        Ok(())
    }

    fn call(&self, function: Function, arguments: &[Expression]) -> Result<Part, String> {
        match (function, arguments) {
            (
                Function::Sum | Function::Avg | Function::Min | Function::Max | Function::Count,
                [Expression::Cells(cells)],
            ) => self.aggregate(function, cells),
            (Function::Sum | Function::Avg | Function::Min | Function::Max, [_, _, ..]) => {
                let parts = arguments.iter().map(|argument| self.part(argument)).collect::<Result<Vec<_>, _>>()?;
                if parts.iter().any(|part| part.groups.is_empty()) {
                    return Err("sum, avg, min and max take cells, not numbers".into());
                }
                let values = parts.iter().map(number).collect::<Result<Vec<_>, _>>()?;
                let shown = parts.iter().map(|part| part.shown.clone()).collect::<Vec<_>>().join(", ");
                let kind = parts[0].kind;
                let value = fold(function, &values)?;
                let parts = match function {
                    Function::Min | Function::Max => {
                        let is_it = |part: &Part| matches!(part.value, Value::Number(number) if number == value);
                        parts.into_iter().filter(is_it).take(1).collect()
                    }
                    _ => parts,
                };
                Ok(joined(value, kind, format!("{}({shown})", name(function)), parts))
            }
            (Function::Abs, [argument]) => {
                let part = self.part(argument)?;
                let value = Value::Number(number(&part)?.abs());
                Ok(Part { value, kind: Kind::Level, shown: format!("|{}|", part.shown), ..part })
            }
            (Function::DaysBetween, [from, to]) => self.days_between(from, to),
            (_, [first, second]) => self.compare(function, first, second),
            _ => Err(format!("{} is written {}", name(function), usage(function))),
        }
    }

    fn compare(&self, function: Function, first: &Expression, second: &Expression) -> Result<Part, String> {
        let (left, right) = (self.part(first)?, self.part(second)?);
        let (from, to) = (number(&left)?, number(&right)?);
        let divided = |value: Decimal, by: Decimal| match value.checked_div(by) {
            Some(value) => Ok(value),
            None => Err(format!("{}({}, {}) divides by zero", name(function), left.shown, right.shown)),
        };
        let rests_on_cells = |part: &Part| {
            if part.groups.is_empty() {
                Err(format!("{} compares cells; {} is none", name(function), part.shown))
            } else {
                Ok(())
            }
        };
        if function != Function::Change {
            forbid_self_division(&left, &right)?;
        }
        let months = |value: Decimal| divided(value, to);
        let (value, kind, shown) = match function {
            Function::Change => {
                rests_on_cells(&left).and(rests_on_cells(&right))?;
                let value = to.checked_sub(from).ok_or("the result is too large a number")?;
                (value, Kind::Change, format!("{} - {}", bracketed(&right.shown), bracketed(&left.shown)))
            }
            Function::PercentChange => {
                rests_on_cells(&left).and(rests_on_cells(&right))?;
                let value = divided(hundredfold(to.checked_sub(from))?, from.abs())?;
                let (from, to) = (bracketed(&left.shown), bracketed(&right.shown));
                (value, Kind::PercentChange, format!("({to} - {from}) / {from} × 100"))
            }
            Function::Ratio => {
                (divided(from, to)?, Kind::Ratio, format!("{} / {}", bracketed(&left.shown), bracketed(&right.shown)))
            }
            Function::Share => {
                rests_on_cells(&left).and(rests_on_cells(&right))?;
                let value = divided(hundredfold(Some(from))?, to)?;
                (value, Kind::Percent, format!("{} / {} × 100", bracketed(&left.shown), bracketed(&right.shown)))
            }
            Function::PerMonth => {
                (months(from)?, left.kind, format!("{} / {} months", bracketed(&left.shown), right.shown))
            }
            Function::Annualised => {
                let value = months(from)?.checked_mul(Decimal::from(12)).ok_or("the result is too large a number")?;
                (value, left.kind, format!("{} / {} months × 12", bracketed(&left.shown), right.shown))
            }
            _ => return Err(format!("{} is written {}", name(function), usage(function))),
        };
        Ok(joined(value, kind, shown, [left, right]))
    }

    fn days_between(&self, from: &Expression, to: &Expression) -> Result<Part, String> {
        let (from, to) = (self.part(from)?, self.part(to)?);
        let (Value::Date(start), Value::Date(end)) = (from.value, to.value) else {
            return Err("days_between takes two dates: cells, '2025-11-30' or as_of".into());
        };
        let days = start.until(end).map_err(|error| error.to_string())?.get_days();
        let shown = format!("days from {} to {}", from.shown, to.shown);
        Ok(joined(Decimal::from(days), Kind::Level, shown, [from, to]))
    }

    fn aggregate(&self, function: Function, cells: &Cells) -> Result<Part, String> {
        let (result, rows, column) = self.find(cells)?;
        if result.table.more_rows && cells.rows == Rows::All {
            return Err(format!(
                "{} was cut short, so {} of all its rows is not known; aggregate in SQL",
                result.id,
                name(function)
            ));
        }
        if rows.is_empty() && function != Function::Count {
            return Err(format!("{} has no rows", result.id));
        }
        let column_index = column.unwrap_or(0);
        let group = rows.iter().map(|row| CellReference { query: result.id.clone(), row: *row, column: column_index });
        let groups = vec![group.collect::<Vec<_>>()];
        let column_name = column.map_or(String::new(), |column| format!(" of {}", result.table.columns[column].name));
        let shown = format!("{}{column_name} over {} rows of {}", name(function), rows.len(), result.id);
        if function == Function::Count {
            if cells.rows != Rows::All {
                return Err(format!(
                    "count counts a whole result, as in count({}); count some rows of it in SQL",
                    cells.query
                ));
            }
            let value = Value::Number(Decimal::from_usize(rows.len()).unwrap_or_default());
            return Ok(Part { value, kind: Kind::Count, groups, literals: Vec::new(), dates: Vec::new(), shown });
        }
        let Some(column) = column else { return Err(format!("{} is written {}", name(function), usage(function))) };
        forbid_identifier(result, column)?;
        let present = rows.iter().filter(|row| result.table.cell(**row, column).is_some());
        let values = present.map(|row| {
            let text = cell(result, *row, column)?;
            number_of(text).ok_or_else(|| format!("{} is {text:?}, which is no number", place(result, *row, column)))
        });
        let values = values.collect::<Result<Vec<_>, String>>()?;
        let kind = format::kind_of(&result.table.columns[column].name);
        Ok(Part {
            value: Value::Number(fold(function, &values)?),
            kind,
            groups,
            literals: Vec::new(),
            dates: Vec::new(),
            shown,
        })
    }
}

fn hundredfold(value: Option<Decimal>) -> Result<Decimal, String> {
    let value = value.and_then(|value| value.checked_mul(Decimal::ONE_HUNDRED));
    value.ok_or_else(|| "the result is too large a number".to_owned())
}

/// Rejects a figure divided by itself. The quotient is 1, and 1 times a literal is a number of the model's own.
fn forbid_self_division(left: &Part, right: &Part) -> Result<(), String> {
    if !right.groups.is_empty()
        && right.groups.iter().all(|group| left.groups.contains(group))
        && left.groups.len() == right.groups.len()
    {
        return Err(format!("{} / {} divides a figure by itself", bracketed(&left.shown), bracketed(&right.shown)));
    }
    Ok(())
}

fn forbid_identifier(result: &QueryResult, column: usize) -> Result<(), String> {
    let name = &result.table.columns[column].name;
    if names::is_identifier(name) {
        return Err(format!("{}.{name} holds identifiers, which are no quantities; count them in SQL", result.id));
    }
    Ok(())
}

fn fold(function: Function, values: &[Decimal]) -> Result<Decimal, String> {
    let sum = || values.iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value));
    let value = match function {
        Function::Sum => sum(),
        Function::Avg => sum().and_then(|sum| sum.checked_div(Decimal::from_usize(values.len())?)),
        Function::Min => values.iter().min().copied(),
        Function::Max => values.iter().max().copied(),
        _ => None,
    };
    value.ok_or_else(|| format!("{} has no value here", name(function)))
}

fn dated(date: Date) -> Part {
    Part {
        value: Value::Date(date),
        kind: Kind::Level,
        groups: Vec::new(),
        literals: Vec::new(),
        dates: Vec::new(),
        shown: date.to_string(),
    }
}

fn number(part: &Part) -> Result<Decimal, String> {
    match part.value {
        Value::Number(number) => Ok(number),
        Value::Date(date) => Err(format!("{date} is a date; use days_between to compute with dates")),
    }
}

fn joined(value: Decimal, kind: Kind, shown: String, parts: impl IntoIterator<Item = Part>) -> Part {
    let mut whole =
        Part { value: Value::Number(value), kind, groups: Vec::new(), literals: Vec::new(), dates: Vec::new(), shown };
    for part in parts {
        whole.groups.extend(part.groups);
        whole.literals.extend(part.literals);
        whole.dates.extend(part.dates);
    }
    whole
}

fn binary_kind(operator: Operator, left: &Part, right: &Part) -> Kind {
    let scales = |part: &Part| part.groups.is_empty();
    match operator {
        Operator::Multiply if scales(left) => scaled(right.kind, &left.literals),
        Operator::Multiply | Operator::Divide if scales(right) => scaled(left.kind, &right.literals),
        Operator::Divide => Kind::Ratio,
        Operator::Subtract if left.kind == Kind::Percent && right.kind == Kind::Percent => Kind::Percent,
        Operator::Subtract if scales(left) => left_of_complement(left, right),
        Operator::Add | Operator::Subtract if left.kind == right.kind => left.kind,
        Operator::Add | Operator::Subtract | Operator::Multiply => Kind::Level,
    }
}

/// Returns the kind of a scaled quantity: `ratio × 100` is a percentage, and other scales keep the kind.
fn scaled(kind: Kind, literals: &[Decimal]) -> Kind {
    if kind == Kind::Ratio && literals == [Decimal::ONE_HUNDRED] { Kind::Percent } else { kind }
}

fn left_of_complement(left: &Part, right: &Part) -> Kind {
    if left.literals == [Decimal::ONE_HUNDRED] { Kind::Percent } else { right.kind }
}

fn bracketed(shown: &str) -> String {
    if shown.contains(" + ") || shown.contains(" - ") { format!("({shown})") } else { shown.to_owned() }
}

fn cell(result: &QueryResult, row: usize, column: usize) -> Result<&str, String> {
    result.table.cell(row, column).ok_or_else(|| format!("{} is NULL", place(result, row, column)))
}

fn place(result: &QueryResult, row: usize, column: usize) -> String {
    format!("{}[{}].{}", result.id, row + 1, result.table.columns[column].name)
}

fn row_holding(result: &QueryResult, text: &str) -> Result<usize, String> {
    let holds = |row: &Vec<Option<String>>| row.iter().flatten().any(|cell| cell == text);
    let mut rows = result.table.rows.iter().enumerate().filter(|(_, row)| holds(row)).map(|(index, _)| index);
    match (rows.next(), rows.next()) {
        (Some(row), None) => Ok(row),
        (Some(first), Some(second)) => Err(format!(
            "more than one row of {} holds {text:?} (rows {} and {}); name the row by its number",
            result.id,
            first + 1,
            second + 1
        )),
        (None, _) => Err(format!("no row of {} holds a cell equal to {text:?}", result.id)),
    }
}

/// Returns an error that names the known results.
pub(in crate::finding) fn unknown_query(id: &str, results: &Results) -> String {
    let known = results.iter().map(|result| result.id.as_str()).collect::<Vec<_>>();
    if known.is_empty() {
        return format!("there is no result {id}: no query has given one yet");
    }
    format!("there is no result {id}; the results are {}", known.join(", "))
}

/// Returns an error that names the columns of the result.
pub(in crate::finding) fn unknown_column(result: &QueryResult, name: &str) -> String {
    let known = result.table.columns.iter().map(|column| column.name.as_str()).take(30).collect::<Vec<_>>();
    format!("{} has no column {name:?}; its columns are {}", result.id, known.join(", "))
}

fn name(function: Function) -> &'static str {
    usage(function).split('(').next().unwrap_or_default()
}

fn usage(function: Function) -> &'static str {
    match function {
        Function::Sum => "sum(q3.column)",
        Function::Avg => "avg(q3.column)",
        Function::Min => "min(q3.column)",
        Function::Max => "max(q3.column)",
        Function::Count => "count(q3)",
        Function::Abs => "abs(value)",
        Function::Change => "change(from, to)",
        Function::PercentChange => "percent_change(from, to)",
        Function::Ratio => "ratio(value, to)",
        Function::Share => "share(part, whole)",
        Function::PerMonth => "per_month(amount, months)",
        Function::Annualised => "annualised(amount, months)",
        Function::DaysBetween => "days_between(from, to)",
    }
}
