//! Expressions: columns, calls, operators, casts, and the forms of the grammar that are calls in disguise.

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgOperator, FunctionArgumentClause, FunctionArguments, Ident, InTarget, Interval,
    ObjectName, ObjectNamePart, Query, Subscript, TypedString, Value, WindowFrame, WindowFrameBound, WindowSpec,
    WindowType,
};

use super::{Refusal, Walk, functions, names, scope, types, unknown};
use crate::sql::refusal::{column, function, operator, syntax};

/// What looks like a call and is part of PostgreSQL's grammar, harmless by itself.
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
            // A call, whatever columns there are.
            Expr::Identifier(Ident { value, quote_style: None, span: _ })
                if WITHOUT_PARENTHESES.contains(&value.as_str()) =>
            {
                Ok(())
            }
            Expr::Identifier(name) => {
                self.found.rows |= self.scope.has_range(&name.value);
                names::check(name)
            }
            Expr::CompoundIdentifier(parts) => self.qualified(parts),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::Value(value) => match &value.value {
                // The lexer lets these through only where their values are bound.
                Value::Placeholder(name) if matches!(name.as_str(), "$1" | "$2") => Ok(()),
                Value::Placeholder(_) => Err(syntax("parameters such as $1 cannot be used; write the value itself")),
                _ => Ok(()),
            },
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => match value.value {
                Value::Number(..) => Err(syntax("a type before a number is no cast; write number::type")),
                _ => types::check(data_type, self.policy),
            },
            Expr::Interval(interval) => check_interval(interval),
            Expr::Function(function) => self.call(function),
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
                operand.iter().chain(else_result).try_for_each(|part| self.expression(part))?;
                conditions.iter().try_for_each(|CaseWhen { condition, result }| self.both(condition, result))
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => self.subquery(subquery),
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
            Expr::QualifiedWildcard(name, _) => {
                self.found.rows = true;
                names::checked_parts(name).map(|_| ())
            }
            _ => self.keyword_expression(expression),
        }
    }

    /// Expressions that PostgreSQL writes with words of their own.
    fn keyword_expression(&mut self, expression: &'query Expr) -> Result<(), Refusal> {
        match expression {
            Expr::IsFalse(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsTrue(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsNull(expr)
            | Expr::IsNotNull(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotUnknown(expr)
            | Expr::IsJson { expr, .. }
            | Expr::IsNormalized { expr, .. }
            | Expr::Collate { expr, collation: _ }
            | Expr::Extract { field: _, syntax: ExtractSyntax::From, expr }
            | Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) }
            | Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => self.expression(expr),
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

    /// A member of GROUPING SETS, where the parser takes ROLLUP and CUBE for calls.
    fn grouping_member(&mut self, member: &'query Expr) -> Result<(), Refusal> {
        if let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = member
            && let [ObjectNamePart::Identifier(Ident { value, quote_style: None, span: _ })] = &*name.0
            && ["cube", "rollup"].contains(&value.as_str())
        {
            return list.args.iter().try_for_each(|argument| self.argument(argument));
        }
        self.expression(member)
    }

    fn in_target(&mut self, target: &'query InTarget) -> Result<(), Refusal> {
        match target {
            InTarget::List(list) => self.expressions(list),
            InTarget::Subquery(query) => self.subquery(query),
            _ => Err(unknown("this after IN (write a list or a SELECT in parentheses)")),
        }
    }

    fn subquery(&mut self, query: &'query Query) -> Result<(), Refusal> {
        let mark = self.scope.mark();
        self.query(query)?;
        self.scope.leave(mark);
        Ok(())
    }

    /// `table.column` or `schema.table.column`.
    fn qualified(&self, parts: &[Ident]) -> Result<(), Refusal> {
        if let Some(first) = parts.first() {
            names::check(first)?;
        }
        match parts {
            [range, name] | [_, range, name] => self.scope.check_column(range, name),
            _ => Err(column("a column's name has at most a schema and a table before it")),
        }
    }

    /// Subscripts, slices and fields: `tags[1]`, `t.tags[1]`, `(value).field`.
    fn access(&mut self, root: &'query Expr, chain: &'query [AccessExpr]) -> Result<(), Refusal> {
        let mut steps = chain.iter();
        match (root, chain.first()) {
            (Expr::Identifier(range), Some(AccessExpr::Dot(Expr::Identifier(name)))) => {
                names::check(range)?;
                self.scope.check_column(range, name)?;
                steps.next();
            }
            (Expr::Nested(nested), Some(AccessExpr::Dot(Expr::Identifier(name)))) => match &**nested {
                Expr::Identifier(range) if self.scope.has_range(&range.value) => {
                    self.scope.check_column(range, name)?;
                    steps.next();
                }
                nested => self.expression(nested)?,
            },
            _ => self.expression(root)?,
        }
        for step in steps {
            match step {
                AccessExpr::Dot(Expr::Identifier(name)) => scope::check_field(name)?,
                AccessExpr::Dot(_) => return Err(unknown("what follows this dot")),
                AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index)?,
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                    lower_bound.iter().chain(upper_bound).try_for_each(|bound| self.expression(bound))?;
                }
                AccessExpr::Subscript(Subscript::Slice { .. }) => return Err(unknown("a slice with a stride")),
            }
        }
        Ok(())
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
            FunctionArguments::Subquery(query) => self.subquery(query)?,
            FunctionArguments::List(list) => {
                list.args.iter().try_for_each(|argument| self.argument(argument))?;
                list.clauses.iter().try_for_each(|clause| self.argument_clause(clause))?;
            }
        }
        self.order_by(within_group)?;
        filter.iter().try_for_each(|condition| self.expression(condition))?;
        match over {
            None => Ok(()),
            Some(WindowType::NamedWindow(name)) => names::check(name),
            Some(WindowType::WindowSpec(specification)) => self.window(specification),
        }
    }

    fn check_callee(&self, name: &'query ObjectName, args: &FunctionArguments) -> Result<(), Refusal> {
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

    /// The name of a function that may be called.
    pub(super) fn callee(&self, name: &'query ObjectName) -> Result<&'query str, Refusal> {
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
            FunctionArgExpr::QualifiedWildcard(name) => {
                self.found.rows = true;
                names::checked_parts(name).map(|_| ())
            }
            FunctionArgExpr::Wildcard => Ok(()),
            FunctionArgExpr::WildcardWithOptions(_) => Err(unknown("* with exceptions (list the columns)")),
        }
    }

    fn argument_clause(&mut self, clause: &'query FunctionArgumentClause) -> Result<(), Refusal> {
        match clause {
            FunctionArgumentClause::OrderBy(expressions) => self.order_by(expressions),
            FunctionArgumentClause::JsonNullClause(_) => Ok(()),
            FunctionArgumentClause::JsonReturningClause(returning) => types::check(&returning.data_type, self.policy),
            _ => Err(unknown("this clause within a call")),
        }
    }

    pub(super) fn window(&mut self, window: &'query WindowSpec) -> Result<(), Refusal> {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = window;
        window_name.iter().try_for_each(names::check)?;
        self.expressions(partition_by)?;
        self.order_by(order_by)?;
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

/// An interval is a constant: PostgreSQL reads `interval` before anything else as a column.
fn check_interval(interval: &Interval) -> Result<(), Refusal> {
    match &*interval.value {
        Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => Ok(()),
        _ => Err(syntax("INTERVAL takes a string constant; write n * INTERVAL '1 day'")),
    }
}

/// The lexer lets through PostgreSQL's own operators only; what is left out here are the words and signs that other
/// databases use as operators.
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
