//! Queries in normal form: what they read, on which conditions, by which keys, and what each output is.
//!
//! A subquery that neither groups, orders nor cuts is no more than a place where a part of the outer query was written,
//! so it is part of the outer block here. What remains nested has a grain, an order or a cut of its own.

use std::sync::Arc;

use super::expression::{Column, Expression, Literal, Order, SourceId};

/// Rows that a statement reads, whatever form it wrote them in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Query {
    Block(Box<Block>),
    /// The rows of all branches. GROUPING SETS are one too: a branch for each set.
    UnionAll(Vec<Query>),
    /// Rows that are written in the statement.
    Values(Vec<Vec<Expression>>),
    /// A query that cannot be traced, with the reason.
    Unknown(String),
}

/// One SELECT: what it reads, on which conditions, by which keys, and what it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Block {
    /// What it reads. The measures over them share them.
    pub rows: Arc<Rows>,
    /// The keys of the groups; empty if all rows are one group; `None` without groups.
    pub keys: Option<Vec<Expression>>,
    /// The conditions that a group must meet.
    pub having: Vec<Expression>,
    pub outputs: Vec<Output>,
    pub distinct: Distinct,
    /// The order, if the rows are cut by it.
    pub order: Vec<Order>,
    pub limit: Option<Expression>,
    pub offset: Option<Expression>,
}

/// Whether equal rows are one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Distinct {
    #[default]
    No,
    Rows,
    /// The first row of those that are equal in these expressions.
    On(Vec<Expression>),
}

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Output {
    pub name: String,
    pub value: Expression,
}

/// Sources that are combined row by row, and the conditions on the combinations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rows {
    pub items: Vec<Item>,
    pub conditions: Vec<Expression>,
}

/// A member of FROM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    Source(Source),
    Outer(Box<Outer>),
}

/// An outer join. A RIGHT JOIN is a LEFT JOIN with the sides exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Outer {
    /// Whether the rows of the right side are kept as well.
    pub full: bool,
    pub left: Rows,
    pub right: Rows,
    pub on: Vec<Expression>,
}

/// A table, or a query that is read as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    pub id: SourceId,
    pub relation: Relation,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Relation {
    Table {
        schema: String,
        name: String,
    },
    /// A query, with the names of its columns.
    Query {
        query: Query,
        names: Vec<String>,
    },
    /// A function that returns rows, with the names of its columns.
    Function {
        function: String,
        arguments: Vec<Expression>,
        ordinality: bool,
        names: Vec<String>,
    },
}

/// Returns whether the condition only joins two sources, as `orders.customer = customers.id` does.
pub fn is_link(condition: &Expression) -> bool {
    let sides = condition.as_infix("=");
    matches!(sides, Some((Expression::Column(left), Expression::Column(right))) if left.source != right.source)
}

impl Query {
    /// Returns whether a column is a text that the statement wrote.
    pub fn writes_text(&self, index: usize) -> bool {
        let Self::Block(block) = self else { return false };
        let output = block.outputs.get(index);
        output.is_some_and(|output| matches!(output.value, Expression::Literal(Literal::Text(_))))
    }

    /// Calls `visit` with every expression in the query.
    pub fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Expression)) {
        match self {
            Self::Block(block) => block.visit(visit),
            Self::UnionAll(branches) => branches.iter().for_each(|branch| branch.visit(visit)),
            Self::Values(rows) => rows.iter().flatten().for_each(|value| value.visit(visit)),
            Self::Unknown(_) => {}
        }
    }

    /// Replaces expressions as [`Expression::replace`] does.
    pub fn replace(&mut self, replace: &mut dyn FnMut(&Expression) -> Option<Expression>) {
        match self {
            Self::Block(block) => block.replace(replace),
            Self::UnionAll(branches) => branches.iter_mut().for_each(|branch| branch.replace(replace)),
            Self::Values(rows) => rows.iter_mut().flatten().for_each(|value| value.replace(replace)),
            Self::Unknown(_) => {}
        }
    }

    /// Returns the names of the columns. Those of UNION ALL are the first branch's.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Block(block) => block.outputs.iter().map(|output| output.name.clone()).collect(),
            Self::UnionAll(branches) => branches.first().map(Self::names).unwrap_or_default(),
            Self::Values(rows) => {
                let width = rows.first().map_or(0, Vec::len);
                (1..=width).map(|number| format!("column{number}")).collect()
            }
            Self::Unknown(_) => Vec::new(),
        }
    }

    /// Returns whether every column in the query belongs to a source in it.
    pub fn is_closed(&self) -> bool {
        let own = self.sources();
        let mut is_closed = true;
        self.visit(&mut |expression| {
            if let Expression::Column(column) = expression {
                is_closed &= own.contains(&column.source);
            }
        });
        is_closed
    }

    /// Returns the sources of the query, those of queries inside it included.
    fn sources(&self) -> Vec<SourceId> {
        let mut found = Vec::new();
        match self {
            Self::Block(block) => {
                for source in block.rows.sources() {
                    found.push(source.id);
                    found.extend(source.query().into_iter().flat_map(Self::sources));
                }
            }
            Self::UnionAll(branches) => found.extend(branches.iter().flat_map(Self::sources)),
            Self::Values(_) | Self::Unknown(_) => {}
        }
        self.visit(&mut |expression| {
            if let Expression::Subquery(subquery) = expression {
                found.extend(subquery.query.sources());
            }
        });
        found
    }

    /// Returns why a column of the query or of a query in it is unknown: it cannot be written as SQL then.
    pub fn unlisted(&self) -> Option<&str> {
        match self {
            Self::Block(block) => {
                let own = block.outputs.iter().find_map(|output| output.value.unknown());
                own.or_else(|| block.rows.sources().into_iter().filter_map(Source::query).find_map(Self::unlisted))
            }
            Self::UnionAll(branches) => branches.iter().find_map(Self::unlisted),
            Self::Values(rows) => rows.iter().flatten().find_map(Expression::unknown),
            Self::Unknown(reason) => Some(reason),
        }
    }

    /// Returns why the query cannot be traced; `None` if it can, although single columns may be unknown.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::Block(block) => block.unknown(),
            Self::UnionAll(branches) => branches.iter().find_map(Self::unknown),
            Self::Values(rows) => rows.iter().flatten().find_map(Expression::unknown),
        }
    }
}

impl Block {
    /// Returns why the rows of the block cannot be traced: a source, condition, key or cut is unknown.
    pub fn unknown(&self) -> Option<&str> {
        let on = match &self.distinct {
            Distinct::On(keys) => keys.as_slice(),
            Distinct::No | Distinct::Rows => &[],
        };
        let order = self.order.iter().map(|order| &order.key);
        let parts = self.having.iter().chain(self.keys.iter().flatten()).chain(on).chain(order);
        let mut parts = parts.chain(&self.limit).chain(&self.offset);
        self.rows.unknown().or_else(|| parts.find_map(Expression::unknown))
    }

    fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Expression)) {
        self.rows.visit(visit);
        let keys = self.keys.iter().flatten().chain(&self.having);
        keys.chain(self.outputs.iter().map(|output| &output.value)).for_each(|part| part.visit(visit));
        if let Distinct::On(keys) = &self.distinct {
            for key in keys {
                key.visit(visit);
            }
        }
        let order = self.order.iter().map(|order| &order.key);
        order.chain(&self.limit).chain(&self.offset).for_each(|part| part.visit(visit));
    }

    /// Replaces expressions as [`Expression::replace`] does.
    pub fn replace(&mut self, replace: &mut dyn FnMut(&Expression) -> Option<Expression>) {
        Arc::make_mut(&mut self.rows).replace(replace);
        let keys = self.keys.iter_mut().flatten().chain(&mut self.having);
        keys.chain(self.outputs.iter_mut().map(|output| &mut output.value)).for_each(|part| part.replace(replace));
        if let Distinct::On(keys) = &mut self.distinct {
            for key in keys {
                key.replace(replace);
            }
        }
        let order = self.order.iter_mut().map(|order| &mut order.key);
        order.chain(&mut self.limit).chain(&mut self.offset).for_each(|part| part.replace(replace));
    }

    /// Returns whether the block returns fewer rows or groups than there are: LIMIT, OFFSET or DISTINCT ON.
    pub fn is_cut(&self) -> bool {
        self.limit.is_some() || self.offset.is_some() || matches!(self.distinct, Distinct::On(_))
    }

    /// Returns whether an output is a window function's.
    pub fn has_windows(&self) -> bool {
        self.outputs.iter().any(|output| output.value.has_window())
    }

    /// Returns whether a row of the block is nothing but a row of its sources.
    pub fn is_plain(&self) -> bool {
        self.keys.is_none() && self.distinct == Distinct::No && !self.is_cut() && !self.has_windows()
    }
}

impl Rows {
    /// Returns the sources, in the order of FROM.
    pub fn sources(&self) -> Vec<&Source> {
        self.items
            .iter()
            .flat_map(|item| match item {
                Item::Source(source) => vec![source],
                Item::Outer(outer) => outer.left.sources().into_iter().chain(outer.right.sources()).collect(),
            })
            .collect()
    }

    /// Returns the source that the column belongs to; `None` if that is another block's.
    pub fn source_of(&self, column: &Column) -> Option<&Source> {
        self.items.iter().find_map(|item| match item {
            Item::Source(source) => Some(source).filter(|source| source.id == column.source),
            Item::Outer(outer) => outer.left.source_of(column).or_else(|| outer.right.source_of(column)),
        })
    }

    /// Returns the two sides of each condition that something equals something, those of outer joins included.
    pub fn equalities(&self) -> Vec<(&Expression, &Expression)> {
        let mut found = self.conditions.iter().filter_map(|condition| condition.as_infix("=")).collect::<Vec<_>>();
        for item in &self.items {
            if let Item::Outer(outer) = item {
                found.extend(outer.on.iter().filter_map(|condition| condition.as_infix("=")));
                found.extend(outer.left.equalities());
                found.extend(outer.right.equalities());
            }
        }
        found
    }

    fn unknown(&self) -> Option<&str> {
        let items = self.items.iter().find_map(|item| match item {
            Item::Source(source) => source.unknown(),
            Item::Outer(outer) => {
                let sides = outer.left.unknown().or_else(|| outer.right.unknown());
                sides.or_else(|| outer.on.iter().find_map(Expression::unknown))
            }
        });
        items.or_else(|| self.conditions.iter().find_map(Expression::unknown))
    }

    fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Expression)) {
        for item in &self.items {
            match item {
                Item::Source(source) => source.visit(visit),
                Item::Outer(outer) => {
                    outer.left.visit(visit);
                    outer.right.visit(visit);
                    for condition in &outer.on {
                        condition.visit(visit);
                    }
                }
            }
        }
        for condition in &self.conditions {
            condition.visit(visit);
        }
    }

    /// Replaces expressions as [`Expression::replace`] does.
    pub fn replace(&mut self, replace: &mut dyn FnMut(&Expression) -> Option<Expression>) {
        for item in &mut self.items {
            match item {
                Item::Source(source) => source.replace(replace),
                Item::Outer(outer) => {
                    outer.left.replace(replace);
                    outer.right.replace(replace);
                    for condition in &mut outer.on {
                        condition.replace(replace);
                    }
                }
            }
        }
        for condition in &mut self.conditions {
            condition.replace(replace);
        }
    }
}

impl Source {
    fn unknown(&self) -> Option<&str> {
        match &self.relation {
            Relation::Table { .. } => None,
            Relation::Query { query, .. } => query.unknown(),
            Relation::Function { arguments, .. } => arguments.iter().find_map(Expression::unknown),
        }
    }

    fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Expression)) {
        match &self.relation {
            Relation::Table { .. } => {}
            Relation::Query { query, .. } => query.visit(visit),
            Relation::Function { arguments, .. } => arguments.iter().for_each(|argument| argument.visit(visit)),
        }
    }

    fn replace(&mut self, replace: &mut dyn FnMut(&Expression) -> Option<Expression>) {
        match &mut self.relation {
            Relation::Table { .. } => {}
            Relation::Query { query, .. } => query.replace(replace),
            Relation::Function { arguments, .. } => {
                for argument in arguments {
                    argument.replace(replace);
                }
            }
        }
    }

    /// Returns the query that the source is; `None` if it is a table or a function.
    pub fn query(&self) -> Option<&Query> {
        match &self.relation {
            Relation::Query { query, .. } => Some(query),
            Relation::Table { .. } | Relation::Function { .. } => None,
        }
    }
}
