//! Checks queries: WITH, set operations, and the clauses of a SELECT.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, Cte, Distinct, Expr, Fetch, GroupByExpr, LimitClause, NamedWindowDefinition, NamedWindowExpr,
    ObjectNamePart, Offset, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, OrderBySort, Query, Select,
    SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias,
    WildcardAdditionalOptions, With, visit_relations,
};

use super::scope::Known;
use super::{Refusal, Walk, column_names, masked, names, naming, sensitive, unknown};
use crate::warehouse::sql::fields::{Field, Fields, Shape, hidden};
use crate::warehouse::sql::lexer::Token;
use crate::warehouse::sql::refusal::{read_only, row_lock};
use crate::warehouse::sql::rewrite::ALL_FIELDS;

impl<'query> Walk<'query, '_> {
    /// Walks a query and returns its columns.
    pub(super) fn query(&mut self, query: &'query Query) -> Result<Fields, Refusal> {
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
            return Err(row_lock("FOR UPDATE and FOR SHARE take locks; remove them"));
        }
        if for_clause.is_some() || settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty() {
            return Err(unknown("a clause after the query"));
        }
        let mark = self.scope.mark();
        if let Some(with) = with {
            self.with(with)?;
        }
        // The FROM of a plain SELECT stays in scope for its ORDER BY and LIMIT.
        let fields = self.set_expression(body)?;
        if let Some(order_by) = order_by {
            check_order(order_by, &fields)?;
            self.order_by_clause(order_by)?;
        }
        if let Some(limit) = limit_clause {
            self.limit(limit)?;
        }
        if let Some(Fetch { with_ties: _, percent: _, quantity: Some(quantity) }) = fetch {
            self.expression(quantity)?;
        }
        self.scope.leave(mark);
        Ok(fields)
    }

    fn with(&mut self, with: &'query With) -> Result<(), Refusal> {
        let With { with_token: _, recursive, cte_tables } = with;
        if *recursive {
            for cte in cte_tables {
                self.scope.add_cte(&cte.alias.name.value, Known::Unknown);
            }
        }
        for cte in cte_tables {
            let Cte { alias, query, from, materialized: _, closing_paren_token: _ } = cte;
            if from.is_some() {
                return Err(unknown("FROM after a CTE"));
            }
            self.table_alias(alias)?;
            if *recursive {
                self.recursive(alias, query)?;
            } else {
                let fields = self.query(query)?.renamed(&column_names(alias));
                // Added only after its own query: without RECURSIVE, a CTE's name in its own query refers to a table.
                self.scope.add_cte(&alias.name.value, Known::Known(fields.into()));
            }
        }
        Ok(())
    }

    /// Walks a CTE of WITH RECURSIVE, whose name refers to itself in its own query.
    fn recursive(&mut self, alias: &'query TableAlias, query: &'query Query) -> Result<(), Refusal> {
        let mut body = &*query.body;
        while let SetExpr::Query(inner) = body {
            body = &inner.body;
        }
        self.recursions.push((body, alias));
        let mut fields = self.query(query)?.renamed(&column_names(alias));
        // Adds the columns of SEARCH and CYCLE, because the parser does not see these clauses.
        let added = search_columns(self.tokens).filter(|name| !self.policy.callable.contains(*name));
        fields.list.extend(added.map(Field::plain));
        self.recursions.pop();
        if reads(query, &alias.name.value) {
            sensitive::check_none(&fields)?;
        }
        self.scope.set_cte(&alias.name.value, fields);
        Ok(())
    }

    fn set_expression(&mut self, body: &'query SetExpr) -> Result<Fields, Refusal> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                match op {
                    SetOperator::Union | SetOperator::Except | SetOperator::Intersect => {}
                    SetOperator::Minus => return Err(unknown("MINUS (write EXCEPT)")),
                }
                if !matches!(set_quantifier, SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None) {
                    return Err(unknown("BY NAME"));
                }
                let mark = self.scope.mark();
                let left = self.set_expression(left)?;
                self.scope.leave(mark);
                if let Some((_, alias)) = self.recursions.iter().find(|(recursive, _)| std::ptr::eq(*recursive, body)) {
                    // The columns are those of the left side, which does not read the CTE.
                    self.scope.set_cte(&alias.name.value, left.renamed(&column_names(alias)));
                }
                let right = self.set_expression(right)?;
                self.scope.leave(mark);
                masked::check_united(&left, &right)?;
                Ok(left.united(&right))
            }
            SetExpr::Values(values) => self.written(values),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(read_only("a statement that writes takes the place of a SELECT; only SELECT is allowed"))
            }
            SetExpr::Table(_) => Err(unknown("TABLE in this place (write SELECT * FROM)")),
        }
    }

    fn select(&mut self, select: &'query Select) -> Result<Fields, Refusal> {
        check_select_is_plain(select)?;
        self.scope.enter_from();
        let from = self.from(&select.from)?;
        if let Some(Distinct::On(expressions)) = &select.distinct {
            self.values(expressions)?;
        }
        let mut fields = Fields::default();
        for item in &select.projection {
            self.select_item(item, &from, &mut fields)?;
        }
        for condition in [&select.selection, &select.having].into_iter().flatten() {
            self.expression(condition)?;
        }
        let grouped = match &select.group_by {
            GroupByExpr::Expressions(expressions, modifiers) if modifiers.is_empty() => {
                self.values(expressions)?;
                !expressions.is_empty()
            }
            _ => return Err(unknown("this kind of GROUP BY (write GROUP BY ROLLUP (...))")),
        };
        if grouped || select.distinct.is_some() {
            sensitive::check_showable(&fields)?;
        }
        for NamedWindowDefinition(name, window) in &select.named_window {
            names::check(name)?;
            match window {
                NamedWindowExpr::WindowSpec(specification) => self.window(specification)?,
                NamedWindowExpr::NamedWindow(_) => return Err(unknown("a window named after another")),
            }
        }
        Ok(fields)
    }

    fn select_item(&mut self, item: &'query SelectItem, from: &Fields, fields: &mut Fields) -> Result<(), Refusal> {
        let (expression, name) = match item {
            SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { root, access_chain })
                if takes_all_fields(access_chain) =>
            {
                let known = match self.access(root, access_chain)? {
                    Shape::Row(known) => (*known).clone(),
                    Shape::Plain | Shape::Array(_) => Fields::unknown(),
                };
                *fields = std::mem::take(fields).and(&known);
                return Ok(());
            }
            SelectItem::UnnamedExpr(expression) => (expression, self.output_name(expression)),
            SelectItem::ExprWithAlias { expr, alias } => {
                self.label(alias)?;
                (expr, alias.value.clone())
            }
            SelectItem::Wildcard(options) => {
                check_wildcard(options)?;
                *fields = std::mem::take(fields).and(from);
                return Ok(());
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                check_wildcard(options)?;
                let parts = names::checked_parts(name)?;
                let known = parts.last().and_then(|last| self.scope.range(&last.value));
                let known = known.map_or_else(Fields::unknown, |known| (**known).clone());
                *fields = std::mem::take(fields).and(&known);
                return Ok(());
            }
            _ => return Err(unknown("this kind of output column")),
        };
        let field = if let Some(field) = self.masked_output(expression)? {
            field
        } else if let Some(field) = self.plain_column(expression)? {
            field
        } else {
            self.expression(expression)?;
            Field { shape: self.shape(expression), ..Field::plain(String::new()) }
        };
        fields.list.push(Field { name, ..field });
        Ok(())
    }

    /// Returns the name of an expression without an alias. A name that PostgreSQL derives is not certain to be a column
    /// if it could call something. Such an expression counts as having no name.
    fn output_name(&self, expression: &'query Expr) -> String {
        let name = naming::of(expression);
        let is_written = matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if !is_written && self.policy.callable.contains(&name) { naming::NONE.to_owned() } else { name }
    }

    fn order_by_clause(&mut self, order_by: &'query OrderBy) -> Result<(), Refusal> {
        match order_by {
            OrderBy { kind: OrderByKind::Expressions(expressions), interpolate: None } => self.order_by(expressions),
            _ => Err(unknown("ORDER BY ALL")),
        }
    }

    /// Checks an ORDER BY in which personal values may stand as wholes: the order of a result.
    pub(super) fn order_by(&mut self, expressions: &'query [OrderByExpr]) -> Result<(), Refusal> {
        expressions.iter().try_for_each(|order| check_direction(order).and_then(|()| self.value(&order.expr)))
    }

    /// Checks an ORDER BY within a call or a window, whose result may tell where a value stands.
    pub(super) fn inner_order_by(&mut self, expressions: &'query [OrderByExpr]) -> Result<(), Refusal> {
        expressions.iter().try_for_each(|order| check_direction(order).and_then(|()| self.expression(&order.expr)))
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

fn check_direction(OrderByExpr { expr: _, options, with_fill }: &OrderByExpr) -> Result<(), Refusal> {
    let OrderByOptions { sort, nulls_first: _ } = options;
    match sort {
        None | Some(OrderBySort::Asc | OrderBySort::Desc) => {}
        Some(_) => return Err(unknown("ORDER BY ... USING (write ASC or DESC)")),
    }
    if with_fill.is_some() { Err(unknown("WITH FILL")) } else { Ok(()) }
}

/// Refuses the clauses of other databases. Every field is named, so that a field added to the parser does not compile
/// until it is reviewed.
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

/// Returns whether the access takes all fields of a value as output columns: `(value).*`.
fn takes_all_fields(chain: &[AccessExpr]) -> bool {
    matches!(chain.last(), Some(AccessExpr::Dot(Expr::Identifier(name))) if name.value == ALL_FIELDS)
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

/// Refuses an ORDER BY with the number or name of a column that may not be shown, because the order reveals its values.
fn check_order(order_by: &OrderBy, fields: &Fields) -> Result<(), Refusal> {
    let (Some(secret), OrderByKind::Expressions(expressions)) = (fields.unshowable(), &order_by.kind) else {
        return Ok(());
    };
    for OrderByExpr { expr, .. } in expressions {
        match sensitive::bare(expr) {
            Expr::Identifier(name) if fields.get(&name.value).is_none_or(|field| field.unshowable().is_none()) => {}
            Expr::Identifier(_) | Expr::Value(_) => return Err(hidden(secret)),
            _ => {}
        }
    }
    Ok(())
}

/// Returns whether the query reads a table of that name anywhere.
fn reads(query: &Query, name: &str) -> bool {
    let reads = visit_relations(query, |relation| match relation.0.as_slice() {
        [ObjectNamePart::Identifier(known)] if known.value == name => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    reads.is_break()
}

/// Returns the names after SET and USING in SEARCH and CYCLE clauses.
fn search_columns<'tokens>(tokens: &'tokens [Token<'_>]) -> impl Iterator<Item = &'tokens str> {
    let clause = |index: usize| index > 0 && tokens[index - 1].is_symbol(")") && is_clause(&tokens[index]);
    let clauses = (0..tokens.len()).filter(move |index| clause(*index));
    clauses.flat_map(move |index| {
        let rest = &tokens[index..];
        ["set", "using"].into_iter().filter_map(move |word| {
            let at = rest.iter().position(|token| token.is_word(word))?;
            rest.get(at + 1).map(|name| &*name.text)
        })
    })
}

fn is_clause(token: &Token<'_>) -> bool {
    token.is_word("search") || token.is_word("cycle")
}
