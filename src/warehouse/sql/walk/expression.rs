//! Checks expressions: columns, calls, operators, casts, and the forms of the grammar that are calls in disguise.

use std::sync::Arc;

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgOperator, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    InTarget, Interval, ObjectName, ObjectNamePart, Query, Subscript, TypedString, Value, WindowFrame,
    WindowFrameBound, WindowSpec, WindowType,
};

use super::scope::{self, Meaning};
use super::{Refusal, Walk, functions, names, sensitive, types, unknown};
use crate::warehouse::sql::fields::{Field, Fields, Shape};
use crate::warehouse::sql::refusal::{column, function, operator, seen, syntax};
use crate::warehouse::sql::rewrite::ALL_FIELDS;
use crate::warehouse::sql::{relations, rows};

/// Words that look like calls and are part of PostgreSQL's grammar. They are harmless in themselves.
const GRAMMAR: &[&str] =
    &["all", "any", "coalesce", "greatest", "grouping", "least", "nullif", "row", "some", "xmlconcat"];

/// Functions of PostgreSQL's grammar that are called without parentheses.
const WITHOUT_PARENTHESES: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// Refuses `*` where PostgreSQL's grammar does not allow it: beside another argument, and in a form that only looks
/// like a call.
fn check_star(name: &ObjectName, list: &FunctionArgumentList) -> Result<(), Refusal> {
    let is_star = |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
    let is_form = matches!(&*name.0, [ObjectNamePart::Identifier(name)] if GRAMMAR.contains(&name.value.as_str()));
    if list.args.iter().any(is_star) && (is_form || list.args.len() > 1) {
        return Err(syntax("* is not an argument here; write the columns"));
    }
    Ok(())
}

impl<'query> Walk<'query, '_> {
    pub(super) fn expressions(&mut self, expressions: &'query [Expr]) -> Result<(), Refusal> {
        expressions.iter().try_for_each(|expression| self.expression(expression))
    }

    fn both(&mut self, left: &'query Expr, right: &'query Expr) -> Result<(), Refusal> {
        self.expression(left)?;
        self.expression(right)
    }

    pub(super) fn expression(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        match expression {
            // Always a call, even if there is a column of that name.
            Expr::Identifier(Ident { value, quote_style: None, span: _ })
                if WITHOUT_PARENTHESES.contains(&value.as_str()) =>
            {
                Ok(())
            }
            Expr::Identifier(name) => {
                self.found.rows |= self.scope.has_range(&name.value);
                names::check(name)?;
                sensitive::check_meaning(&self.scope.meaning(&name.value))
            }
            Expr::CompoundIdentifier(parts) => sensitive::check_field(self.qualified(parts)?),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain).map(drop),
            Expr::Value(value) => match &value.value {
                // The lexer accepts these only if the caller binds their values.
                Value::Placeholder(name) if matches!(name.as_str(), "$1" | "$2") => Ok(()),
                Value::Placeholder(_) => Err(syntax("parameters such as $1 cannot be used; write the value itself")),
                _ => Ok(()),
            },
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => match value.value {
                Value::Number(..) => Err(syntax("a type before a number is not a cast; write number::type")),
                _ => types::check(data_type, self.policy),
            },
            Expr::Interval(interval) => check_interval(interval),
            Expr::Function(function) => self.call(function),
            Expr::BinaryOp { left, op: BinaryOperator::Eq | BinaryOperator::NotEq, right }
                if self.masked(left).is_some() || self.masked(right).is_some() =>
            {
                self.comparison(left, right)
            }
            Expr::BinaryOp { left, op, right } => {
                check_operator(op)?;
                self.both(left, right)
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ } | Expr::AllOp { left, compare_op, right } => {
                check_operator(compare_op)?;
                self.both(left, right)
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                types::check(data_type, self.policy)?;
                self.expression(expr)
            }
            Expr::Nested(expr) | Expr::UnaryOp { op: _, expr } => self.expression(expr),
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                // Without a condition there would be no CASE, so the operand is checked with the first one.
                for CaseWhen { condition, result } in conditions {
                    self.case_condition(operand.as_deref(), condition)?;
                    self.expression(result)?;
                }
                else_result.iter().try_for_each(|part| self.expression(part))
            }
            Expr::Exists { subquery, negated: _ } => self.subquery(subquery).map(drop),
            Expr::Subquery(subquery) => self.value_subquery(subquery),
            Expr::In { expr, target, negated: _, global: false } if self.masked(expr).is_some() => {
                self.membership(expr, target)
            }
            Expr::In { expr, target, negated: _, global: false } => {
                self.expression(expr)?;
                self.in_target(target)
            }
            Expr::Tuple(expressions) => {
                self.found.rows = true;
                self.expressions(expressions)
            }
            Expr::Array(Array { elem: expressions, named: _ }) => self.expressions(expressions),
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                sets.iter().flatten().try_for_each(|member| self.grouping_member(member))
            }
            Expr::QualifiedWildcard(name, _) => self.whole_row(name),
            _ => self.keyword_expression(expression),
        }
    }

    /// Checks expressions that PostgreSQL writes with key words.
    fn keyword_expression(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        match expression {
            Expr::IsNull(expr) | Expr::IsNotNull(expr) => self.value(expr),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right)
                if self.masked(left).is_some() || self.masked(right).is_some() =>
            {
                self.comparison(left, right)
            }
            Expr::IsFalse(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsTrue(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotUnknown(expr)
            | Expr::IsJson { expr, .. }
            | Expr::IsNormalized { expr, .. }
            | Expr::Extract { field: _, syntax: ExtractSyntax::From, expr }
            | Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) }
            | Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => self.expression(expr),
            // `SELECT a COLLATE FROM t`: PostgreSQL reads COLLATE as a label, and the parser reads a collation called
            // `from`.
            Expr::Collate { expr, collation } => {
                names::checked_parts(collation)?;
                self.expression(expr)
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => self.both(left, right),
            Expr::AtTimeZone { timestamp, time_zone } => self.both(timestamp, time_zone),
            Expr::Position { expr, r#in } => self.both(expr, r#in),
            Expr::Between { expr, negated: _, low, high } => {
                self.expression(expr)?;
                self.both(low, high)
            }
            Expr::Like { negated: _, any: _, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any: _, expr, pattern, escape_char }
            | Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                self.both(expr, pattern)?;
                escape_char.iter().try_for_each(|escape| self.expression(escape))
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.expression(expr)?;
                substring_from.iter().chain(substring_for).try_for_each(|part| self.expression(part))
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.expression(expr)?;
                trim_what.iter().try_for_each(|what| self.expression(what))?;
                trim_characters.iter().try_for_each(|characters| self.expressions(characters))
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.both(expr, overlay_what)?;
                self.expression(overlay_from)?;
                overlay_for.iter().try_for_each(|length| self.expression(length))
            }
            _ => Err(unknown("this kind of expression")),
        }
    }

    /// Checks a member of GROUPING SETS, where the parser reads ROLLUP and CUBE as calls.
    fn grouping_member(&mut self, member: &'query Expr) -> Result<(), Refusal> {
        if let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = member
            && let [ObjectNamePart::Identifier(Ident { value, quote_style: None, span: _ })] = &*name.0
            && ["cube", "rollup"].contains(&value.as_str())
        {
            return list.args.iter().try_for_each(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(member)) => self.value(member),
                argument => self.argument(argument),
            });
        }
        if let Expr::Tuple(members) = member { self.values(members) } else { self.value(member) }
    }

    fn in_target(&mut self, target: &'query InTarget) -> Result<(), Refusal> {
        match target {
            InTarget::List(list) => self.expressions(list),
            InTarget::Subquery(query) => self.value_subquery(query),
            _ => Err(unknown("this operand of IN (write a list or a SELECT in parentheses)")),
        }
    }

    pub(super) fn subquery(&mut self, query: &'query Query) -> Result<Fields, Refusal> {
        let mark = self.scope.mark();
        let fields = self.query(query)?;
        self.scope.leave(mark);
        Ok(fields)
    }

    /// Checks a subquery whose values are used. All of its columns must be ones that may be shown.
    fn value_subquery(&mut self, query: &'query Query) -> Result<(), Refusal> {
        let fields = self.subquery(query)?;
        sensitive::check_none(&fields)
    }

    /// Checks `table.*` as a value.
    fn whole_row(&mut self, name: &'query ObjectName) -> Result<(), Refusal> {
        self.found.rows = true;
        let parts = names::checked_parts(name)?;
        let fields = parts.last().and_then(|last| self.scope.range(&last.value));
        fields.map_or(Ok(()), |fields| sensitive::check_none(fields))
    }

    /// Returns the column `table.column` or `schema.table.column`; `None` if nothing more is known of it.
    pub(super) fn qualified(&self, parts: &[Ident]) -> Result<Option<&Field>, Refusal> {
        if let Some(first) = parts.first() {
            names::check(first)?;
        }
        match parts {
            [range, name] | [_, range, name] => self.scope.column(range, name, self.policy),
            _ => Err(column("a column's name has at most a schema and a table before it")),
        }
    }

    /// Checks subscripts, slices and fields: `tags[1]`, `t.tags[1]`, `(value).field`. Returns the shape of the value.
    pub(super) fn access(&mut self, root: &'query Expr, chain: &'query [AccessExpr]) -> Result<Shape, Refusal> {
        let mut steps = chain.iter();
        let mut shape = match (root, chain.first()) {
            (Expr::Identifier(range), Some(AccessExpr::Dot(Expr::Identifier(name)))) => {
                steps.next();
                names::check(range)?;
                self.column_of(range, name)?
            }
            (Expr::Nested(nested), Some(AccessExpr::Dot(Expr::Identifier(name)))) if name.value != ALL_FIELDS => {
                match &**nested {
                    Expr::Identifier(range) if matches!(self.scope.meaning(&range.value), Meaning::Row(_)) => {
                        steps.next();
                        self.found.rows = true;
                        self.column_of(range, name)?
                    }
                    nested => {
                        self.expression(nested)?;
                        self.shape(nested)
                    }
                }
            }
            _ => {
                self.expression(root)?;
                self.shape(root)
            }
        };
        for step in steps {
            shape = match step {
                AccessExpr::Dot(Expr::Identifier(name)) if name.value == ALL_FIELDS => shape,
                AccessExpr::Dot(Expr::Identifier(name)) => self.field(&shape, name)?,
                AccessExpr::Dot(_) => return Err(unknown("what follows this dot")),
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    self.expression(index)?;
                    shape.element()
                }
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                    lower_bound.iter().chain(upper_bound).try_for_each(|bound| self.expression(bound))?;
                    shape
                }
                AccessExpr::Subscript(Subscript::Slice { .. }) => return Err(unknown("a slice with a stride")),
            };
        }
        Ok(shape)
    }

    /// Returns the shape of `range.name`, which must be a column.
    fn column_of(&self, range: &Ident, name: &Ident) -> Result<Shape, Refusal> {
        let field = self.scope.column(range, name, self.policy)?;
        sensitive::check_field(field)?;
        Ok(field.map(|field| field.shape.clone()).unwrap_or_default())
    }

    /// Returns the shape of `(value).name`. The name must be a field of the value, because it is a call otherwise.
    fn field(&self, shape: &Shape, name: &Ident) -> Result<Shape, Refusal> {
        let Shape::Row(fields) = shape else {
            return Err(column(format!(
                "(value).{} could be a call; put the value in FROM with an alias that lists its columns",
                seen(&name.value)
            )));
        };
        match fields.get(&name.value) {
            Some(field) => sensitive::check_field(Some(field)).map(|()| field.shape.clone()),
            None => Err(scope::missing("(value)", fields, &name.value, self.policy)),
        }
    }

    /// Returns the shape of an expression that was walked before.
    pub(super) fn shape(&self, expression: &Expr) -> Shape {
        let of_field = |field: Option<&Field>| field.map(|field| field.shape.clone()).unwrap_or_default();
        match expression {
            Expr::Nested(inner) => self.shape(inner),
            Expr::Identifier(name) => match self.scope.meaning(&name.value) {
                Meaning::Field(field) => field.shape.clone(),
                Meaning::Row(fields) => Shape::Row(Arc::clone(fields)),
                Meaning::Unknown => Shape::Plain,
            },
            Expr::CompoundIdentifier(parts) => of_field(self.qualified(parts).ok().flatten()),
            Expr::CompoundFieldAccess { root, access_chain } => self.shape_of_access(root, access_chain),
            Expr::Cast { data_type, .. } => self.policy.shape_of(data_type),
            Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) => {
                let argument = || match list.args.first() {
                    Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(value))) => self.shape(value),
                    _ => Shape::Plain,
                };
                match name.0.last() {
                    Some(ObjectNamePart::Identifier(name)) if !self.policy.made.contains_key(&name.value) => {
                        rows::shape(&name.value, argument)
                    }
                    _ => Shape::Plain,
                }
            }
            _ => Shape::Plain,
        }
    }

    fn shape_of_access(&self, root: &Expr, chain: &[AccessExpr]) -> Shape {
        let mut steps = chain.iter();
        let mut shape = match (root, chain.first()) {
            (Expr::Identifier(range), Some(AccessExpr::Dot(Expr::Identifier(name)))) => {
                steps.next();
                self.column_of(range, name).unwrap_or_default()
            }
            _ => self.shape(root),
        };
        for step in steps {
            shape = match step {
                AccessExpr::Dot(Expr::Identifier(name)) => self.field(&shape, name).unwrap_or_default(),
                AccessExpr::Subscript(Subscript::Index { .. }) => shape.element(),
                AccessExpr::Subscript(Subscript::Slice { .. }) => shape,
                AccessExpr::Dot(_) => Shape::Plain,
            };
        }
        shape
    }

    fn call(&mut self, call: &'query Function) -> Result<(), Refusal> {
        let Function { name, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } = call;
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || null_treatment.is_some() {
            return Err(unknown("this kind of call"));
        }
        self.check_callee(name, args)?;
        self.found.rows |= matches!(&*name.0, [ObjectNamePart::Identifier(name)] if name.value == "row");
        match args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => self.value_subquery(query)?,
            FunctionArguments::List(list) => {
                check_star(name, list)?;
                if !self.tells_no_single_value(call, list)? {
                    list.args.iter().try_for_each(|argument| self.argument(argument))?;
                }
                list.clauses.iter().try_for_each(|clause| self.argument_clause(clause))?;
            }
        }
        self.inner_order_by(within_group)?;
        filter.iter().try_for_each(|condition| self.expression(condition))?;
        match over {
            None => Ok(()),
            Some(WindowType::NamedWindow(name)) => names::check(name),
            Some(WindowType::WindowSpec(specification)) => self.window(specification),
        }
    }

    pub(super) fn check_callee(&self, name: &'query ObjectName, args: &FunctionArguments) -> Result<(), Refusal> {
        if let [ObjectNamePart::Identifier(Ident { value, quote_style: None, span: _ })] = &*name.0 {
            let grammar = match args {
                FunctionArguments::None => WITHOUT_PARENTHESES.contains(&value.as_str()),
                FunctionArguments::Subquery(_) => value == "array",
                FunctionArguments::List(_) => {
                    GRAMMAR.contains(&value.as_str()) || WITHOUT_PARENTHESES.contains(&value.as_str())
                }
            };
            if grammar {
                return Ok(());
            }
        }
        self.callee(name).map(|_| ())
    }

    /// Returns the name of a function that may be called, or its refusal.
    pub(super) fn callee(&self, name: &'query ObjectName) -> Result<&'query str, Refusal> {
        if let Some(ObjectNamePart::Identifier(last)) = name.0.last()
            && self.policy.hides
            && relations::function_shows_definitions(&last.value)
        {
            return Err(function(format!(
                "{} may quote values of tables or columns that are kept out of sight; use describe_table",
                last.value
            )));
        }
        match *names::parts(name)?.as_slice() {
            [name] if functions::is_allowed(&name.value, self.policy) => Ok(&name.value),
            [schema, name] if functions::is_allowed_in(&schema.value, &name.value, self.policy) => Ok(&name.value),
            [name] => Err(functions::refused(&name.value, self.policy)),
            [schema, name] => Err(functions::refused(&format!("{}.{}", schema.value, name.value), self.policy)),
            _ => Err(function("a function's name has at most pg_catalog before it; leave the rest out")),
        }
    }

    pub(super) fn argument(&mut self, argument: &'query FunctionArg) -> Result<(), Refusal> {
        let value = match argument {
            FunctionArg::Unnamed(value) => value,
            FunctionArg::Named { name, arg, operator: FunctionArgOperator::RightArrow }
            | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, operator: FunctionArgOperator::RightArrow } =>
            {
                names::check(name)?;
                arg
            }
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                return Err(unknown("this kind of named argument (write name => value)"));
            }
        };
        match value {
            FunctionArgExpr::Expr(expression) => self.expression(expression),
            FunctionArgExpr::QualifiedWildcard(name) => self.whole_row(name),
            FunctionArgExpr::Wildcard => Ok(()),
            FunctionArgExpr::WildcardWithOptions(_) => Err(unknown("* with exceptions (list the columns)")),
        }
    }

    pub(super) fn argument_clause(&mut self, clause: &'query FunctionArgumentClause) -> Result<(), Refusal> {
        match clause {
            FunctionArgumentClause::OrderBy(expressions) => self.inner_order_by(expressions),
            FunctionArgumentClause::JsonNullClause(_) => Ok(()),
            FunctionArgumentClause::JsonReturningClause(returning) => types::check(&returning.data_type, self.policy),
            _ => Err(unknown("this clause within a call")),
        }
    }

    pub(super) fn window(&mut self, window: &'query WindowSpec) -> Result<(), Refusal> {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = window;
        window_name.iter().try_for_each(names::check)?;
        self.values(partition_by)?;
        self.window_order(order_by, window_frame.as_ref())?;
        let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame else { return Ok(()) };
        for bound in [Some(start_bound), end_bound.as_ref()].into_iter().flatten() {
            match bound {
                WindowFrameBound::Preceding(Some(offset)) | WindowFrameBound::Following(Some(offset)) => {
                    self.expression(offset)?;
                }
                WindowFrameBound::CurrentRow
                | WindowFrameBound::Preceding(None)
                | WindowFrameBound::Following(None) => {}
            }
        }
        Ok(())
    }
}

/// Refuses an interval that is not a constant: PostgreSQL reads `interval` before anything else as a column.
fn check_interval(interval: &Interval) -> Result<(), Refusal> {
    match &*interval.value {
        Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => Ok(()),
        _ => Err(syntax("INTERVAL takes a string constant; write n * INTERVAL '1 day'")),
    }
}

/// Refuses the words and signs that other databases use as operators. The lexer has already refused all other operators
/// that are not PostgreSQL's own.
fn check_operator(known: &BinaryOperator) -> Result<(), Refusal> {
    match known {
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::StringConcat
        | BinaryOperator::Gt
        | BinaryOperator::Lt
        | BinaryOperator::GtEq
        | BinaryOperator::LtEq
        | BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::And
        | BinaryOperator::Or
        | BinaryOperator::BitwiseOr
        | BinaryOperator::BitwiseAnd
        | BinaryOperator::Custom(_)
        | BinaryOperator::PGBitwiseXor
        | BinaryOperator::PGBitwiseShiftLeft
        | BinaryOperator::PGBitwiseShiftRight
        | BinaryOperator::PGExp
        | BinaryOperator::PGOverlap
        | BinaryOperator::PGRegexMatch
        | BinaryOperator::PGRegexIMatch
        | BinaryOperator::PGRegexNotMatch
        | BinaryOperator::PGRegexNotIMatch
        | BinaryOperator::PGLikeMatch
        | BinaryOperator::PGILikeMatch
        | BinaryOperator::PGNotLikeMatch
        | BinaryOperator::PGNotILikeMatch
        | BinaryOperator::PGStartsWith
        | BinaryOperator::Arrow
        | BinaryOperator::LongArrow
        | BinaryOperator::HashArrow
        | BinaryOperator::HashLongArrow
        | BinaryOperator::AtAt
        | BinaryOperator::AtArrow
        | BinaryOperator::ArrowAt
        | BinaryOperator::HashMinus
        | BinaryOperator::AtQuestion
        | BinaryOperator::Question
        | BinaryOperator::QuestionAnd
        | BinaryOperator::QuestionPipe
        | BinaryOperator::Overlaps
        | BinaryOperator::LtDashGt
        | BinaryOperator::AndLt
        | BinaryOperator::AndGt
        | BinaryOperator::LtLtPipe
        | BinaryOperator::PipeGtGt
        | BinaryOperator::TildeEq => Ok(()),
        _ => Err(operator("that word or sign is not an operator of PostgreSQL; write it another way")),
    }
}
