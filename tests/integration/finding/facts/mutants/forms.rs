//! Other forms of a statement that mean the same, with the claims that name the same cells in it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, LimitClause, ObjectName, ObjectNamePart, OrderBy, OrderByExpr,
    OrderByKind, OrderByOptions, OrderBySort, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    VisitMut as _, VisitorMut,
};

use super::changes::{is_literal, is_one_row, last, number};
use super::reach::name_of;
use super::sources::CELL;

/// What is written in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// The statement stands in a CTE, and all of it is selected.
    Cte,
    /// Each table stands in a subquery.
    Subquery,
    /// Other names of the outputs.
    Names,
    /// Other names of the tables.
    Tables,
    /// The outputs in the reverse order.
    Columns,
    /// The rows in the reverse order.
    Rows,
    /// LIMIT leaves some rows out: the cells that are left are whole, and of groups the engine asks anew.
    Cut,
    /// `x >= 5` is `5 <= x`.
    Mirrored,
    /// `a AND b` is `b AND a`.
    Conjuncts,
}

pub(super) const FORMS: &[Form] = &[
    Form::Cte,
    Form::Subquery,
    Form::Names,
    Form::Tables,
    Form::Columns,
    Form::Rows,
    Form::Cut,
    Form::Mirrored,
    Form::Conjuncts,
];

/// A statement in another form, and the new names of its outputs.
pub(super) struct Rewritten {
    pub(super) sql: String,
    /// Whether keys that are told by their order are told in the reverse order.
    turned: bool,
    names: BTreeMap<String, String>,
}

/// The statement in another form; `None` if it has none, or if it would mean something else: with LIMIT, order matters.
pub(super) fn rewrite(query: &Query, form: Form) -> Option<Rewritten> {
    if query.limit_clause.is_some() && matches!(form, Form::Cte | Form::Rows | Form::Cut) {
        return None;
    }
    let (mut changed, mut names) = (query.clone(), BTreeMap::new());
    match form {
        Form::Cte => {
            let sql = format!("WITH whole AS ({query}) SELECT * FROM whole");
            return Some(Rewritten { sql, turned: false, names });
        }
        Form::Subquery => drop(changed.visit(&mut Subqueries)),
        Form::Names => names = rename_outputs(&mut changed)?,
        Form::Tables => drop(changed.visit(&mut Tables)),
        Form::Columns => reverse_outputs(&mut changed)?,
        Form::Rows => reverse_rows(&mut changed)?,
        Form::Cut if is_one_row(&query.body) => return None,
        Form::Cut => {
            let limit = Some(number("3"));
            changed.limit_clause = Some(LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() });
        }
        Form::Mirrored => drop(changed.visit(&mut Mirrored)),
        Form::Conjuncts => drop(changed.visit(&mut Conjuncts)),
    }
    let sql = changed.to_string();
    (sql != query.to_string()).then_some(Rewritten { sql, turned: form == Form::Columns, names })
}

impl Rewritten {
    /// The claim, with the new names of the outputs of result `id`.
    pub(super) fn claim(&self, claim: &str, id: &str) -> String {
        static KEY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([\[,]\s*)(\w+)=").unwrap());
        let new = |old: &str| self.names.get(old.trim_matches('"')).cloned().unwrap_or_else(|| old.to_owned());
        let renamed = CELL.replace_all(claim, |found: &Captures| {
            if found[1] != *id {
                return found[0].to_owned();
            }
            let selector = found.get(2).map(|text| text.as_str()).unwrap_or_default();
            let turned = Some(selector).filter(|text| self.turned && !text.contains('='));
            let turned = turned.and_then(|text| text.strip_prefix('[')?.strip_suffix(']'));
            let turned =
                turned.map(|keys| format!("[{}]", keys.split(',').rev().map(str::trim).collect::<Vec<_>>().join(", ")));
            let selector = turned.as_deref().unwrap_or(selector);
            let selector = KEY.replace_all(selector, |key: &Captures| format!("{}{}=", &key[1], new(&key[2])));
            let column = found.get(3).map(|column| format!(".{}", new(column.as_str()))).unwrap_or_default();
            format!("{id}{selector}{column}")
        });
        renamed.into_owned()
    }
}

/// The only SELECT that a statement is.
fn select(query: &mut Query) -> Option<&mut Select> {
    match &mut *query.body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

fn rename_outputs(query: &mut Query) -> Option<BTreeMap<String, String>> {
    let own = select(query)?;
    let mut names = BTreeMap::new();
    for (index, item) in own.projection.iter_mut().enumerate() {
        let old = name_of(item);
        let (expr, new) = match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                (expr.clone(), format!("zz{index}"))
            }
            _ => return None,
        };
        *item = SelectItem::ExprWithAlias { expr, alias: Ident::new(&new) };
        names.insert(old, new);
    }
    // GROUP BY means a column of the rows first, and so an output by its place.
    let places = |name: &Ident| names.get(&name.value).and_then(|new| new[2..].parse::<usize>().ok());
    if let GroupByExpr::Expressions(keys, _) = &mut own.group_by {
        for key in keys {
            if let Expr::Identifier(name) = key
                && let Some(place) = places(name)
                && !is_plain(&own.projection[place], name)
            {
                *key = number(&(place + 1).to_string());
            }
        }
    }
    for key in order_keys(query) {
        if let Expr::Identifier(name) = &mut key.expr
            && let Some(new) = names.get(&name.value)
        {
            *name = Ident::new(new);
        }
    }
    Some(names)
}

fn is_plain(item: &SelectItem, name: &Ident) -> bool {
    match item {
        SelectItem::ExprWithAlias { expr: Expr::Identifier(column), .. } => column.value == name.value,
        SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts), .. } => {
            parts.last().is_some_and(|column| column.value == name.value)
        }
        _ => false,
    }
}

fn order_keys(query: &mut Query) -> Vec<&mut OrderByExpr> {
    match query.order_by.as_mut().map(|order| &mut order.kind) {
        Some(OrderByKind::Expressions(keys)) => keys.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn reverse_outputs(query: &mut Query) -> Option<()> {
    let own = select(query)?;
    let count = own.projection.len();
    own.projection.reverse();
    let turn = |key: &mut Expr| {
        if let Ok(place) = key.to_string().parse::<usize>() {
            *key = number(&(count + 1 - place).to_string());
        }
    };
    match &mut own.group_by {
        GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => keys.iter_mut().for_each(turn),
        _ => return None,
    }
    for key in order_keys(query) {
        turn(&mut key.expr);
    }
    Some(())
}

fn reverse_rows(query: &mut Query) -> Option<()> {
    let count = select(query)?.projection.len();
    if query.order_by.is_none() {
        let key = |place: usize| OrderByExpr {
            expr: number(&place.to_string()),
            options: OrderByOptions { sort: None, nulls_first: None },
            with_fill: None,
        };
        let kind = OrderByKind::Expressions((1..=count).map(key).collect());
        query.order_by = Some(OrderBy { kind, interpolate: None });
    }
    for key in order_keys(query) {
        let falls = matches!(key.options.sort, Some(OrderBySort::Desc));
        key.options.sort = Some(if falls { OrderBySort::Asc } else { OrderBySort::Desc });
    }
    Some(())
}

/// Each table as `(SELECT * FROM table) AS table`.
struct Subqueries;

impl VisitorMut for Subqueries {
    type Break = ();

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        let subquery = Box::new(super::changes::parse(&format!("SELECT * FROM {name}")));
        let alias = alias.clone().unwrap_or_else(|| called(&last(name)));
        *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
        ControlFlow::Continue(())
    }
}

fn called(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: Ident::new(name), columns: Vec::new(), at: None }
}

/// Each table or subquery `a` as `zz_a`.
struct Tables;

impl Tables {
    fn renamed(old: &str) -> String {
        format!("zz_{old}")
    }
}

impl VisitorMut for Tables {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let old = alias.as_ref().map_or_else(|| last(name), |alias| alias.name.value.clone());
                let mut new = alias.clone().unwrap_or_else(|| called(&old));
                new.name = Ident::new(Self::renamed(&old));
                *alias = Some(new);
            }
            TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
                alias.name = Ident::new(Self::renamed(&alias.name.value));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expression
            && let [table, _] = parts.as_mut_slice()
        {
            *table = Ident::new(Self::renamed(&table.value));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(kind, _) = item
                && let sqlparser::ast::SelectItemQualifiedWildcardKind::ObjectName(ObjectName(parts)) = kind
                && let [ObjectNamePart::Identifier(table)] = parts.as_mut_slice()
            {
                *table = Ident::new(Self::renamed(&table.value));
            }
        }
        ControlFlow::Continue(())
    }
}

struct Mirrored;

impl VisitorMut for Mirrored {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { left, op, right } = expression {
            let mirrored = match op {
                BinaryOperator::Eq | BinaryOperator::NotEq => op.clone(),
                BinaryOperator::Lt => BinaryOperator::Gt,
                BinaryOperator::LtEq => BinaryOperator::GtEq,
                BinaryOperator::Gt => BinaryOperator::Lt,
                BinaryOperator::GtEq => BinaryOperator::LtEq,
                _ => return ControlFlow::Continue(()),
            };
            if is_literal(left) == is_literal(right) {
                return ControlFlow::Continue(());
            }
            std::mem::swap(left, right);
            *op = mirrored;
        }
        ControlFlow::Continue(())
    }
}

struct Conjuncts;

impl VisitorMut for Conjuncts {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::BinaryOp { left, op: BinaryOperator::And, right } = expression {
            std::mem::swap(left, right);
        }
        ControlFlow::Continue(())
    }
}
