//! Calls of functions, aggregates and windows.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, NamedWindowExpr, OrderByExpr, OrderBySort, Select, Value, WindowFrame, WindowFrameBound,
    WindowSpec, WindowType, visit_expressions,
};

use super::super::expression::{Aggregate, Expression, Order, Window};
use super::super::functions::{self, Kind};
use super::expression::call;
use super::scope::Scope;
use super::{Resolver, names};

/// What is written between a call's parentheses.
#[derive(Default)]
struct Arguments<'q> {
    list: Vec<&'q Expr>,
    distinct: bool,
    order: Vec<&'q OrderByExpr>,
    /// Whether they are `*`.
    all: bool,
}

impl<'q> Resolver<'q> {
    /// Returns a call; `None` if the function or a part of the call is not known.
    pub(super) fn call(&mut self, function: &'q Function, scope: &Scope<'_>) -> Option<Expression> {
        let name = names::function(&function.name)?;
        if function.uses_odbc_syntax || function.null_treatment.is_some() {
            return None;
        }
        let arguments = arguments(&function.args)?;
        if name == "grouping" {
            return Some(call("grouping", self.expressions(arguments.list, scope)));
        }
        let kind = functions::kind(&name)?;
        if let Some(over) = &function.over {
            return matches!(kind, Kind::Aggregate | Kind::Window)
                .then(|| self.window(name, arguments, function, over, scope))?;
        }
        match kind {
            Kind::Aggregate => Some(Expression::Aggregate(Box::new(self.aggregate(name, arguments, function, scope)))),
            Kind::OrderedAggregate if !arguments.order.is_empty() => {
                Some(Expression::Aggregate(Box::new(self.aggregate(name, arguments, function, scope))))
            }
            // With one argument it counts from the moment at which the statement runs.
            Kind::Pure if name == "age" && arguments.list.len() != 2 => None,
            Kind::Pure | Kind::Moment if arguments.is_plain() && function.filter.is_none() => {
                Some(call(&name, self.expressions(arguments.list, scope)))
            }
            Kind::Pure | Kind::Moment | Kind::OrderedAggregate | Kind::Window | Kind::Opaque | Kind::Rows => None,
        }
    }

    fn aggregate(
        &mut self,
        name: String,
        arguments: Arguments<'q>,
        function: &'q Function,
        scope: &Scope<'_>,
    ) -> Aggregate {
        let filter = function.filter.as_deref().map(|filter| self.expression(filter, scope).conjuncts());
        Aggregate {
            function: name,
            distinct: arguments.distinct,
            order: self.order(arguments.order, scope),
            arguments: self.expressions(arguments.list, scope),
            within: self.order(&function.within_group, scope),
            filter: filter.unwrap_or_default(),
        }
    }

    fn window(
        &mut self,
        name: String,
        arguments: Arguments<'q>,
        function: &'q Function,
        over: &'q WindowType,
        scope: &Scope<'_>,
    ) -> Option<Expression> {
        let spec = match over {
            WindowType::WindowSpec(spec) => spec,
            WindowType::NamedWindow(name) => self.windows.iter().rev().find(|(known, _)| *known == name.value)?.1,
        };
        if spec.window_name.is_some() {
            return None;
        }
        Some(Expression::Window(Box::new(Window {
            function: self.aggregate(name, arguments, function, scope),
            partition: self.expressions(&spec.partition_by, scope),
            order: self.order(&spec.order_by, scope),
            frame: spec.window_frame.as_ref().map_or(Some(None), |frame| frame_text(frame).map(Some))?,
        })))
    }

    pub(super) fn order(&mut self, list: impl IntoIterator<Item = &'q OrderByExpr>, scope: &Scope<'_>) -> Vec<Order> {
        list.into_iter().map(|item| order_by(item, self.expression(&item.expr, scope))).collect()
    }

    /// Makes the windows that a SELECT names known.
    pub(super) fn name_windows(&mut self, select: &'q Select) {
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &window.1 {
                self.windows.push((&window.0.value, spec));
            }
        }
    }
}

/// Returns whether a call in the expression may return several rows, and so multiply those of its SELECT: every function
/// may that is not known to return one value.
pub(super) fn may_return_rows(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |part| match part {
        Expr::Function(function) if matches!(function.args, FunctionArguments::Subquery(_)) => {
            ControlFlow::Continue(())
        }
        Expr::Function(function) => {
            let kind = names::function(&function.name).and_then(|name| functions::kind(&name));
            if matches!(kind, None | Some(Kind::Rows)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Returns the key of an order with its direction.
pub(super) fn order_by(item: &OrderByExpr, key: Expression) -> Order {
    let key = match item.options.sort {
        Some(OrderBySort::Using(_)) => Expression::Unknown("ORDER BY USING".to_owned()),
        Some(OrderBySort::Asc | OrderBySort::Desc) | None => key,
    };
    let descending = matches!(item.options.sort, Some(OrderBySort::Desc));
    Order { key, descending, nulls_first: item.options.nulls_first }
}

impl Arguments<'_> {
    fn is_plain(&self) -> bool {
        !self.distinct && self.order.is_empty() && !self.all
    }
}

fn arguments(arguments: &FunctionArguments) -> Option<Arguments<'_>> {
    let FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses }) = arguments else {
        return matches!(arguments, FunctionArguments::None).then(Arguments::default);
    };
    let mut known = Arguments {
        distinct: matches!(duplicate_treatment, Some(DuplicateTreatment::Distinct)),
        ..Arguments::default()
    };
    for argument in args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => known.list.push(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => known.all = true,
            _ => return None,
        }
    }
    for clause in clauses {
        match clause {
            FunctionArgumentClause::OrderBy(order) => known.order.extend(order),
            _ => return None,
        }
    }
    Some(known)
}

/// Returns the frame as SQL; `None` if a bound is more than a number.
fn frame_text(frame: &WindowFrame) -> Option<String> {
    let start = bound_text(&frame.start_bound)?;
    match &frame.end_bound {
        Some(end) => Some(format!("{} BETWEEN {start} AND {}", frame.units, bound_text(end)?)),
        None => Some(format!("{} {start}", frame.units)),
    }
}

fn bound_text(bound: &WindowFrameBound) -> Option<String> {
    let (rows, word) = match bound {
        WindowFrameBound::CurrentRow => return Some("CURRENT ROW".to_owned()),
        WindowFrameBound::Preceding(rows) => (rows, "PRECEDING"),
        WindowFrameBound::Following(rows) => (rows, "FOLLOWING"),
    };
    match rows.as_deref() {
        None => Some(format!("UNBOUNDED {word}")),
        Some(Expr::Value(value)) => match &value.value {
            Value::Number(number, false) => Some(format!("{number} {word}")),
            _ => None,
        },
        Some(_) => None,
    }
}

/// A window that a SELECT names.
pub(super) type NamedWindow<'q> = (&'q str, &'q WindowSpec);
