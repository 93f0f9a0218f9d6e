//! Queries: WITH, set operations, the clauses of a SELECT.

use sqlparser::ast::{
    Cte, Distinct, Fetch, GroupByExpr, LimitClause, NamedWindowDefinition, NamedWindowExpr, Offset, OrderBy,
    OrderByExpr, OrderByKind, OrderByOptions, OrderBySort, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, WildcardAdditionalOptions, With,
};

use super::{Refusal, Walk, names, unknown};
use crate::sql::refusal::{read_only, row_lock};

impl<'query> Walk<'query, '_> {
    pub(super) fn query(&mut self, query: &'query Query) -> Result<(), Refusal> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        if !locks.is_empty() {
            return Err(row_lock("FOR UPDATE and FOR SHARE take locks; remove it"));
        }
        if for_clause.is_some() || settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty() {
            return Err(unknown("a clause after the query"));
        }
        let mark = self.scope.mark();
        if let Some(with) = with {
            self.with(with)?;
        }
        // The FROM of a plain SELECT stays in scope for its ORDER BY and LIMIT.
        self.set_expression(body)?;
        if let Some(order_by) = order_by {
            self.order_by_clause(order_by)?;
        }
        if let Some(limit) = limit_clause {
            self.limit(limit)?;
        }
        if let Some(Fetch { with_ties: _, percent: _, quantity: Some(quantity) }) = fetch {
            self.expression(quantity)?;
        }
        self.scope.leave(mark);
        Ok(())
    }

    fn with(&mut self, with: &'query With) -> Result<(), Refusal> {
        let With { with_token: _, recursive, cte_tables } = with;
        if *recursive {
            for cte in cte_tables {
                self.scope.add_cte(&cte.alias.name.value);
            }
        }
        for cte in cte_tables {
            let Cte { alias, query, from, materialized: _, closing_paren_token: _ } = cte;
            if from.is_some() {
                return Err(unknown("FROM after a CTE"));
            }
            self.table_alias(alias)?;
            self.query(query)?;
            // Not before its own query: without RECURSIVE a CTE's name in its query is a table's.
            self.scope.add_cte(&alias.name.value);
        }
        Ok(())
    }

    fn set_expression(&mut self, body: &'query SetExpr) -> Result<(), Refusal> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                match op {
                    SetOperator::Union | SetOperator::Except | SetOperator::Intersect => {}
                    SetOperator::Minus => return Err(unknown("MINUS (write EXCEPT)")),
                }
                match set_quantifier {
                    SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None => {}
                    _ => return Err(unknown("BY NAME")),
                }
                for side in [left, right] {
                    let mark = self.scope.mark();
                    self.set_expression(side)?;
                    self.scope.leave(mark);
                }
                Ok(())
            }
            SetExpr::Values(values) => values.rows.iter().try_for_each(|row| self.expressions(&row.content)),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(read_only("a statement that writes stands where a SELECT belongs; only SELECT is allowed"))
            }
            SetExpr::Table(_) => Err(unknown("TABLE in this place (write SELECT * FROM)")),
        }
    }

    fn select(&mut self, select: &'query Select) -> Result<(), Refusal> {
        check_select_is_plain(select)?;
        self.scope.enter_from();
        self.from(&select.from)?;
        if let Some(Distinct::On(expressions)) = &select.distinct {
            self.expressions(expressions)?;
        }
        for item in &select.projection {
            self.select_item(item)?;
        }
        for condition in [&select.selection, &select.having].into_iter().flatten() {
            self.expression(condition)?;
        }
        match &select.group_by {
            GroupByExpr::Expressions(expressions, modifiers) if modifiers.is_empty() => {
                self.expressions(expressions)?;
            }
            _ => return Err(unknown("this kind of GROUP BY (write GROUP BY ROLLUP (...))")),
        }
        for NamedWindowDefinition(name, window) in &select.named_window {
            names::check(name)?;
            match window {
                NamedWindowExpr::WindowSpec(specification) => self.window(specification)?,
                NamedWindowExpr::NamedWindow(_) => return Err(unknown("a window named after another")),
            }
        }
        Ok(())
    }

    fn select_item(&mut self, item: &'query SelectItem) -> Result<(), Refusal> {
        match item {
            SelectItem::UnnamedExpr(expression) => self.expression(expression),
            SelectItem::ExprWithAlias { expr, alias } => {
                self.label(alias)?;
                self.expression(expr)
            }
            SelectItem::Wildcard(options) => check_wildcard(options),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                names::checked_parts(name)?;
                check_wildcard(options)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expression), options) => {
                check_wildcard(options)?;
                self.expression(expression)
            }
            _ => Err(unknown("this kind of output column")),
        }
    }

    fn order_by_clause(&mut self, order_by: &'query OrderBy) -> Result<(), Refusal> {
        match order_by {
            OrderBy { kind: OrderByKind::Expressions(expressions), interpolate: None } => self.order_by(expressions),
            _ => Err(unknown("ORDER BY ALL")),
        }
    }

    pub(super) fn order_by(&mut self, expressions: &'query [OrderByExpr]) -> Result<(), Refusal> {
        for OrderByExpr { expr, options, with_fill } in expressions {
            let OrderByOptions { sort, nulls_first: _ } = options;
            match sort {
                None | Some(OrderBySort::Asc | OrderBySort::Desc) => {}
                Some(_) => return Err(unknown("ORDER BY ... USING (write ASC or DESC)")),
            }
            if with_fill.is_some() {
                return Err(unknown("WITH FILL"));
            }
            self.expression(expr)?;
        }
        Ok(())
    }

    fn limit(&mut self, limit: &'query LimitClause) -> Result<(), Refusal> {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } if limit_by.is_empty() => {
                let offset = offset.as_ref().map(|Offset { value, rows: _ }| value);
                limit.iter().chain(offset).try_for_each(|expression| self.expression(expression))
            }
            _ => Err(unknown("this kind of LIMIT (write LIMIT n OFFSET m)")),
        }
    }
}

/// Refuses the clauses of other databases. Every field is named, so that one the parser gains is thought about.
fn check_select_is_plain(select: &Select) -> Result<(), Refusal> {
    let Select {
        select_token: _,
        optimizer_hints,
        distinct: _,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection: _,
        exclude,
        into,
        from: _,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by: _,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window: _,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    if into.is_some() {
        return Err(read_only("SELECT INTO creates a table; remove INTO"));
    }
    if qualify.is_some() {
        return Err(unknown("QUALIFY (put the query in WITH and filter it outside)"));
    }
    if top.is_some() {
        return Err(unknown("TOP (write LIMIT n at the end)"));
    }
    let plain = optimizer_hints.is_empty()
        && select_modifiers.is_none()
        && exclude.is_none()
        && lateral_views.is_empty()
        && prewhere.is_none()
        && connect_by.is_empty()
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
        && value_table_mode.is_none()
        && matches!(flavor, SelectFlavor::Standard);
    if plain { Ok(()) } else { Err(unknown("a clause of another database")) }
}

fn check_wildcard(options: &WildcardAdditionalOptions) -> Result<(), Refusal> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike: None,
        opt_exclude: None,
        opt_except: None,
        opt_replace: None,
        opt_rename: None,
        opt_alias: None,
    } = options
    else {
        return Err(unknown("* with exceptions (list the columns)"));
    };
    Ok(())
}
