//! Personal data, of which only tokens are shown.
//!
//! A value may be moved as a whole: selected, grouped, ordered by, counted, joined by `=` to a column of such data, compared
//! by `=` or IN with a token, chosen by min, CASE or coalesce among its like. The outputs that show it are marked, so that
//! the executor puts tokens there. Everything else would tell what a value consists of, by its parts, by its order among
//! values that the statement names, or by what it equals, and is refused: this is what the walk does with a column that
//! it meets anywhere but here.
//!
//! A literal that has the form of a token stands for its value where it is such a value, and for itself elsewhere.

use sha2::{Digest as _, Sha256};
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CharacterLength, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, InTarget, ObjectNamePart, OrderByExpr, Value,
    Values, WindowFrame, WindowFrameUnits, WindowType,
};

use super::scope::Meaning;
use super::sensitive::bare;
use super::{Refusal, Walk, names, types};
use crate::warehouse::catalog::Personal;
use crate::warehouse::privacy::kind_of_token;
use crate::warehouse::sql::fields::{Field, Fields, Secret, hidden};
use crate::warehouse::sql::parse::index_of;
use crate::warehouse::sql::refusal::column;

/// Functions of one value that return it, but for white space and the case of its letters.
const WRITTEN_OTHERWISE: &[&str] = &["btrim", "initcap", "lower", "upper"];
/// Aggregates and window functions that return one of the values.
const ONE_OF_MANY: &[&str] = &["any_value", "first_value", "lag", "last_value", "lead", "max", "min"];
/// Aggregates that return one of the values of their ORDER BY, and tell nothing of its place.
const ONE_IN_ORDER: &[&str] = &["mode"];
/// Aggregates that return all values.
const LISTS: &[&str] = &["array_agg", "string_agg"];

impl<'query> Walk<'query, '_> {
    /// Returns the kind of personal value that the expression shows as a whole; `None` if it shows none.
    pub(super) fn masked(&self, expression: &Expr) -> Option<Personal> {
        if !self.policy.masks {
            return None;
        }
        match bare(expression) {
            Expr::Identifier(name) => match self.scope.meaning(&name.value) {
                Meaning::Field(field) => field.masked(),
                Meaning::Row(_) | Meaning::Unknown => None,
            },
            Expr::CompoundIdentifier(parts) => self.qualified(parts).ok()?.and_then(Field::masked),
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => kind_of_token(text),
                _ => None,
            },
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                self.masked(expr).filter(|_| is_unbounded_text(data_type))
            }
            Expr::Trim { trim_where: None, trim_what: None, trim_characters: None, expr } => self.masked(expr),
            Expr::Case { case_token: _, end_token: _, operand: _, conditions, else_result } => {
                self.alike(conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()))
            }
            Expr::Function(call) => self.masked_call(call),
            _ => None,
        }
    }

    fn masked_call(&self, call: &Function) -> Option<Personal> {
        let (name, list) = plain_call(call)?;
        let values = values(list)?;
        match (name, values.as_slice()) {
            ("coalesce", _) => self.alike(values.into_iter()),
            (name, [value]) if WRITTEN_OTHERWISE.contains(&name) => self.masked(value),
            (name, [value]) if ONE_OF_MANY.contains(&name) => self.masked(value),
            ("lag" | "lead", [value, offset]) if is_number(offset) => self.masked(value),
            ("lag" | "lead", [value, offset, otherwise]) if is_number(offset) => {
                self.masked(otherwise).and_then(|_| self.masked(value))
            }
            (name, _) if ONE_IN_ORDER.contains(&name) => match call.within_group.as_slice() {
                [OrderByExpr { expr, .. }] => self.masked(expr),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the kind of the values if all are personal or NULL, and a column is among them.
    fn alike<'e>(&self, values: impl Iterator<Item = &'e Expr>) -> Option<Personal> {
        let mut kind = None;
        for value in values.filter(|value| !is_null(value)) {
            kind = kind.or(Some(self.masked(value)?));
        }
        kind
    }

    /// Returns the kind of the personal values that the expression puts together as wholes.
    pub(super) fn made(&self, expression: &Expr) -> Option<Personal> {
        if !self.policy.masks {
            return None;
        }
        match bare(expression) {
            Expr::Function(call) => {
                let (name, list) = plain_call(call)?;
                let values = values(list)?;
                match (name, values.as_slice()) {
                    (name, [value]) if LISTS.contains(&name) => self.masked(value),
                    ("string_agg", [value, delimiter]) if is_literal(delimiter) => self.masked(value),
                    ("concat" | "concat_ws", _) => self.together(values),
                    _ => None,
                }
            }
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => self.together(vec![left, right]),
            _ => None,
        }
    }

    fn together(&self, parts: Vec<&Expr>) -> Option<Personal> {
        let mut kind = None;
        for part in parts {
            match self.masked(part).or_else(|| self.made(part)) {
                Some(found) => kind = kind.or(Some(found)),
                None if is_literal(part) => {}
                None => return None,
            }
        }
        kind
    }

    /// Checks an expression where a personal value may stand as a whole.
    pub(super) fn value(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        if self.masked(expression).is_some() { self.whole(expression) } else { self.expression(expression) }
    }

    pub(super) fn values(&mut self, expressions: &'query [Expr]) -> Result<(), Refusal> {
        expressions.iter().try_for_each(|expression| self.value(expression))
    }

    /// Checks an output column that shows personal values; `None` if it shows none.
    pub(super) fn masked_output(&mut self, expression: &'query Expr) -> Result<Option<Field>, Refusal> {
        let shown = |secret| Field { secret: Some(secret), ..Field::plain(String::new()) };
        if let Some(kind) = self.masked(expression) {
            self.whole(expression)?;
            let column = self.column_shown(expression);
            return Ok(Some(column.unwrap_or_else(|| shown(Secret::Masked(kind)))));
        }
        if let Some(kind) = self.made(expression) {
            self.together_whole(expression)?;
            return Ok(Some(shown(Secret::Made(kind, number(expression)))));
        }
        match bare(expression) {
            Expr::Subquery(query) if self.policy.masks => {
                let fields = self.subquery(query)?;
                match (fields.list.as_slice(), fields.open) {
                    ([field], false) if field.secret.is_some_and(Secret::is_masked) && field.shape.is_plain() => {
                        Ok(field.secret.map(shown))
                    }
                    _ => super::sensitive::check_none(&fields).map(|()| Some(Field::plain(String::new()))),
                }
            }
            _ => Ok(None),
        }
    }

    /// Checks what is counted, if that is a personal value or a row with one; returns whether it is.
    pub(super) fn counts_masked(&mut self, counted: &'query Expr) -> Result<bool, Refusal> {
        match bare(counted) {
            Expr::Tuple(parts) if parts.iter().any(|part| self.masked(part).is_some()) => {
                self.found.rows = true;
                self.values(parts)?;
                Ok(true)
            }
            _ if self.masked(counted).is_some() => self.value(counted).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Checks `grouping(...)` of personal values, which tells nothing of them; returns whether it is such a call.
    pub(super) fn tells_which_are_grouped(
        &mut self,
        call: &'query Function,
        list: &'query FunctionArgumentList,
    ) -> Result<bool, Refusal> {
        let is_grouping = self.policy.masks && matches!(plain_call(call), Some(("grouping", _)));
        if !is_grouping {
            return Ok(false);
        }
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => self.value(value)?,
                argument => self.argument(argument)?,
            }
        }
        Ok(true)
    }

    fn column_shown(&self, expression: &Expr) -> Option<Field> {
        match bare(expression) {
            Expr::Identifier(name) => match self.scope.meaning(&name.value) {
                Meaning::Field(field) => Some(field.clone()),
                Meaning::Row(_) | Meaning::Unknown => None,
            },
            Expr::CompoundIdentifier(parts) => self.qualified(parts).ok()?.cloned(),
            _ => None,
        }
    }

    /// Checks the parts of an expression that shows a personal value as a whole.
    fn whole(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        match bare(expression) {
            Expr::Identifier(name) => names::check(name),
            Expr::CompoundIdentifier(parts) => self.qualified(parts).map(drop),
            Expr::Value(value) => {
                self.found.tokens.extend(index_of(value.span));
                Ok(())
            }
            Expr::Cast { expr, data_type, .. } => {
                types::check(data_type, self.policy)?;
                self.whole(expr)
            }
            Expr::Trim { expr, .. } => self.whole(expr),
            Expr::Case { operand, conditions, else_result, .. } => {
                let (operand, otherwise) = (operand.as_deref(), else_result.as_deref());
                for CaseWhen { condition, result } in conditions {
                    self.case_condition(operand, condition)?;
                    self.value(result)?;
                }
                otherwise.map_or(Ok(()), |otherwise| self.value(otherwise))
            }
            Expr::Function(call) => self.whole_call(call),
            other => self.expression(other),
        }
    }

    /// Checks a condition of CASE, which is a value to compare with if there is an operand.
    pub(super) fn case_condition(
        &mut self,
        operand: Option<&'query Expr>,
        condition: &'query Expr,
    ) -> Result<(), Refusal> {
        match operand {
            Some(operand) if self.masked(operand).is_some() || self.masked(condition).is_some() => {
                self.comparison(operand, condition)
            }
            Some(operand) => {
                self.expression(operand)?;
                self.expression(condition)
            }
            None => self.expression(condition),
        }
    }

    fn together_whole(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        match bare(expression) {
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
                [left, right].into_iter().try_for_each(|part| self.together_whole(part))
            }
            Expr::Function(call) if self.masked(expression).is_none() && self.made(expression).is_some() => {
                self.whole_call(call)
            }
            expression => self.value(expression),
        }
    }

    /// Checks a call that returns personal values.
    fn whole_call(&mut self, call: &'query Function) -> Result<(), Refusal> {
        self.check_callee(&call.name, &call.args)?;
        if let FunctionArguments::List(FunctionArgumentList { duplicate_treatment: _, args, clauses }) = &call.args {
            for argument in args {
                match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => self.together_whole(value)?,
                    argument => self.argument(argument)?,
                }
            }
            for clause in clauses {
                match clause {
                    FunctionArgumentClause::OrderBy(order) => self.order_by(order)?,
                    clause => self.argument_clause(clause)?,
                }
            }
        }
        self.order_by(&call.within_group)?;
        call.filter.iter().try_for_each(|condition| self.expression(condition))?;
        match &call.over {
            None => Ok(()),
            Some(WindowType::NamedWindow(name)) => names::check(name),
            Some(WindowType::WindowSpec(specification)) => self.window(specification),
        }
    }

    /// Checks a comparison by `=` or `<>` of which a side is a personal value. The other one must be one too, or nothing:
    /// a value that the statement writes could be guessed until it fits.
    pub(super) fn comparison(&mut self, left: &'query Expr, right: &'query Expr) -> Result<(), Refusal> {
        let (of_left, of_right) = (self.masked(left), self.masked(right));
        for (side, kind, other) in [(left, of_left, of_right), (right, of_right, of_left)] {
            if kind.is_none() && !is_nothing(side) {
                return Err(unequal(other));
            }
        }
        self.value(left)?;
        self.value(right)
    }

    /// Checks `value IN (...)` of a personal value.
    pub(super) fn membership(&mut self, value: &'query Expr, target: &'query InTarget) -> Result<(), Refusal> {
        match target {
            InTarget::List(list) => list.iter().try_for_each(|item| self.comparison(value, item)),
            InTarget::Subquery(query) => {
                self.value(value)?;
                let fields = self.subquery(query)?;
                match fields.list.as_slice() {
                    [field] if !fields.open && field.masked().is_some() => Ok(()),
                    _ => Err(unequal(self.masked(value))),
                }
            }
            InTarget::Unnest(_) | InTarget::Table { .. } => Err(unequal(self.masked(value))),
        }
    }

    /// Checks VALUES, and returns its columns. A column of tokens shows the values that they stand for.
    pub(super) fn written(&mut self, values: &'query Values) -> Result<Fields, Refusal> {
        let columns = values.rows.first().map_or(0, |row| row.content.len());
        let mut fields = Fields::plain([]);
        for place in 0..columns {
            let column = || values.rows.iter().filter_map(|row| row.content.get(place));
            let kind = self.alike(column());
            for value in column() {
                if kind.is_some() { self.value(value)? } else { self.expression(value)? }
            }
            let name = format!("column{}", place + 1);
            fields.list.push(Field { secret: kind.map(Secret::Masked), ..Field::plain(name) });
        }
        // Rows of other lengths are an error of the database's; their values are checked all the same.
        for value in values.rows.iter().flat_map(|row| row.content.iter().skip(columns)) {
            self.expression(value)?;
        }
        Ok(fields)
    }

    /// Checks the ORDER BY of a window. It may be by personal values as that of a result, unless a frame measures how far
    /// they are apart.
    pub(super) fn window_order(
        &mut self,
        order: &'query [OrderByExpr],
        frame: Option<&WindowFrame>,
    ) -> Result<(), Refusal> {
        let measures = frame.is_some_and(|frame| !matches!(frame.units, WindowFrameUnits::Rows));
        if measures { self.inner_order_by(order) } else { self.order_by(order) }
    }
}

/// Refuses a set operation that puts personal values together with others: which are equal would tell the values.
pub(super) fn check_united(left: &Fields, right: &Fields) -> Result<(), Refusal> {
    let secret = |fields: &Fields| fields.secret().cloned();
    let Some(any) = secret(left).or_else(|| secret(right)) else { return Ok(()) };
    let is_alike = |(left, right): (&Field, &Field)| match (left.masked(), right.masked()) {
        (Some(_), Some(_)) => left.shape.secret().is_none() && right.shape.secret().is_none(),
        (None, None) => left.secret().is_none() && right.secret().is_none(),
        _ => false,
    };
    let is_closed = !left.open && !right.open && left.list.len() == right.list.len();
    if is_closed && left.list.iter().zip(&right.list).all(is_alike) { Ok(()) } else { Err(hidden(&any)) }
}

fn unequal(kind: Option<Personal>) -> Refusal {
    let kind = kind.map_or("person", Personal::name);
    column(format!(
        "personal data ({kind}) are compared by = or IN only with tokens that results show, or with another column of \
         personal data; leave other values out, and group by the column to see its tokens"
    ))
}

/// Returns the number that tells an expression apart from others.
fn number(expression: &Expr) -> u64 {
    let digest = Sha256::digest(expression.to_string());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte)).max(1)
}

fn plain_call(call: &Function) -> Option<(&str, &FunctionArgumentList)> {
    match (&*call.name.0, &call.args) {
        ([ObjectNamePart::Identifier(name)], FunctionArguments::List(list))
            if !call.uses_odbc_syntax
                && matches!(call.parameters, FunctionArguments::None)
                && call.null_treatment.is_none() =>
        {
            Some((&name.value, list))
        }
        _ => None,
    }
}

fn values(list: &FunctionArgumentList) -> Option<Vec<&Expr>> {
    let value = |argument: &'_ FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    if !list.args.iter().all(value) {
        return None;
    }
    let expressions = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    });
    Some(expressions.collect())
}

/// Returns whether a cast to the type keeps a text as it is.
fn is_unbounded_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Text => true,
        DataType::Varchar(length) | DataType::CharacterVarying(length) => {
            !matches!(length, Some(CharacterLength::IntegerLength { .. } | CharacterLength::Max))
        }
        _ => false,
    }
}

fn is_null(expression: &Expr) -> bool {
    matches!(bare(expression), Expr::Value(value) if value.value == Value::Null)
}

/// Returns whether the expression is NULL or an empty text.
fn is_nothing(expression: &Expr) -> bool {
    match bare(expression) {
        Expr::Value(value) => match &value.value {
            Value::Null => true,
            Value::SingleQuotedString(text) => text.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

fn is_literal(expression: &Expr) -> bool {
    matches!(bare(expression), Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_) | Value::Null))
}

fn is_number(expression: &Expr) -> bool {
    matches!(bare(expression), Expr::Value(value) if matches!(value.value, Value::Number(..)))
}
