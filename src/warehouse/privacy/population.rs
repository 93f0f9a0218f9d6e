//! Of whom an aggregate is: what a statement counts and sums, over which rows, by which keys, and the statements that count
//! the entities behind it. Pure: it reads a statement in normal form and writes SQL.
//!
//! What it cannot tell is refused: subqueries, windows, unions, aggregates of aggregates, and arguments that choose rows.

use std::collections::BTreeSet;

use crate::warehouse::catalog::{Catalog, Role, Table, ValueKind};
use crate::warehouse::lineage::expression::{Aggregate, Column, Expression, Literal, Operator};
use crate::warehouse::lineage::print;
use crate::warehouse::lineage::query::{Block, Distinct, Item, Output, Query, Relation, Rows, Source};

/// Aggregates that tell of a group as a whole.
const OF_A_GROUP: &[&str] = &[
    "avg",
    "corr",
    "count",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// What a statement tells of which entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::warehouse) struct Population {
    /// The sources, as the text after FROM.
    from: String,
    /// What every row meets.
    conditions: BTreeSet<String>,
    keys: Vec<String>,
    /// The outputs that are no aggregates, with their places in the result.
    labels: Vec<(usize, String)>,
    cells: Vec<Cell>,
    /// Expressions of each of which a group has an entity a value.
    entities: Vec<String>,
}

/// An aggregate, and what the rows behind it meet besides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    aggregate: String,
    conditions: BTreeSet<String>,
}

impl Population {
    /// Reads a statement in normal form. Returns why it cannot tell of whom its figures are.
    pub(in crate::warehouse) fn of(query: &Query, catalog: &Catalog) -> Result<Self, String> {
        let Query::Block(block) = query else {
            let why = query.unknown().unwrap_or("it is not one SELECT with GROUP BY or aggregates alone");
            return Err(why.to_owned());
        };
        if let Some(why) = block.unknown() {
            return Err(why.to_owned());
        }
        if block.distinct != Distinct::No {
            return Err("it has DISTINCT; write GROUP BY and count(*)".to_owned());
        }
        let keys = block.keys.as_deref().ok_or("it shows single rows; write GROUP BY and aggregates")?;
        let sources = tables(&block.rows, catalog)?;
        let whole = block.rows.conditions.iter().chain(keys).chain(&block.having);
        if whole.clone().any(|part| part.has_subquery() || part.has_window()) {
            return Err("it has a subquery or a window among its conditions or keys".to_owned());
        }
        let mut reading = Reading { block, catalog, keys, aggregates: Vec::new() };
        block.having.iter().try_for_each(|condition| reading.output(condition))?;
        let mut labels = Vec::new();
        for (place, Output { value, .. }) in block.outputs.iter().enumerate() {
            reading.output(value)?;
            if !value.has_aggregate() {
                labels.push((place, print::expression(value, block)?));
            }
        }
        let cells = reading.aggregates.iter().map(|aggregate| cell(aggregate, block)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            from: from(block)?,
            conditions: texts(&block.rows.conditions, block)?,
            keys: keys.iter().map(|key| print::expression(key, block)).collect::<Result<_, _>>()?,
            labels,
            cells,
            entities: entities(&sources, block)?,
        })
    }

    /// Returns the places of the outputs that are no aggregates, in the order in which [`Self::counts`] shows them.
    pub(in crate::warehouse) fn labels(&self) -> impl Iterator<Item = usize> + '_ {
        self.labels.iter().map(|(place, _)| *place)
    }

    /// Returns the statement that counts the entities behind each row: the labels, then the fewest entities behind any of
    /// the row's aggregates.
    pub(in crate::warehouse) fn counts(&self) -> String {
        let labels = self.labels.iter().map(|(_, label)| label.clone());
        let counts = self.cells.iter().map(|cell| self.entities_that(&all(&cell.conditions)));
        let counts = counts.chain([self.entities_that("")]).collect::<Vec<_>>().join(", ");
        let shown = labels.chain([format!("least({counts})")]).collect::<Vec<_>>().join(", ");
        let grouped = if self.keys.is_empty() { String::new() } else { format!(" GROUP BY {}", self.keys.join(", ")) };
        let met = if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", all(&self.conditions)) };
        format!("SELECT {shown} FROM {}{met}{grouped}", self.from)
    }

    /// Returns the statements that count the groups in which fewer than `entities_min` entities, and at least one, are told
    /// of by this and not by `other`, or the other way round: what one tells less what the other tells is of them.
    pub(in crate::warehouse) fn differences(&self, other: &Self, entities_min: u32) -> Vec<String> {
        let mut statements = Vec::new();
        if self.from != other.from {
            return statements;
        }
        for cell in &self.cells {
            for known in other.cells.iter().filter(|known| known.aggregate == cell.aggregate) {
                let mine = self.conditions.union(&cell.conditions).cloned().collect::<BTreeSet<_>>();
                let theirs = other.conditions.union(&known.conditions).cloned().collect::<BTreeSet<_>>();
                if mine == theirs {
                    continue;
                }
                let groupings = BTreeSet::from([Vec::new(), self.keys.clone(), other.keys.clone()]);
                statements.extend(groupings.iter().map(|keys| self.difference(&mine, &theirs, keys, entities_min)));
            }
        }
        statements.sort();
        statements.dedup();
        statements
    }

    fn difference(
        &self,
        mine: &BTreeSet<String>,
        theirs: &BTreeSet<String>,
        keys: &[String],
        entities_min: u32,
    ) -> String {
        let but = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            let kept = if one.is_empty() { String::new() } else { format!("{} AND ", all(one)) };
            let other = if other.is_empty() { "true".to_owned() } else { all(other) };
            self.entities_that(&format!("{kept}({other}) IS NOT TRUE"))
        };
        let (mine_alone, theirs_alone) = (but(mine, theirs), but(theirs, mine));
        let (of_mine, of_theirs) = (self.entities_that(&all(mine)), self.entities_that(&all(theirs)));
        let grouped = if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) };
        let few = |name: &str| format!("{name} BETWEEN 1 AND {}", entities_min.saturating_sub(1));
        format!(
            "SELECT count(*) FROM (SELECT {mine_alone} AS a, {theirs_alone} AS b, {of_mine} AS m, {of_theirs} AS t FROM \
             {}{grouped}) d WHERE m >= {entities_min} AND t >= {entities_min} AND ({} OR {})",
            self.from,
            few("a"),
            few("b")
        )
    }

    /// Returns the count of the entities that meet a condition; of all if it is empty.
    fn entities_that(&self, condition: &str) -> String {
        let filter = if condition.is_empty() { String::new() } else { format!(" FILTER (WHERE {condition})") };
        let counts = self.entities.iter().map(|entity| format!("count(DISTINCT {entity}){filter}"));
        let counts = counts.collect::<Vec<_>>();
        if let [only] = counts.as_slice() { only.clone() } else { format!("least({})", counts.join(", ")) }
    }
}

fn all(conditions: &BTreeSet<String>) -> String {
    conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" AND ")
}

fn texts(conditions: &[Expression], block: &Block) -> Result<BTreeSet<String>, String> {
    conditions.iter().map(|condition| print::expression(condition, block)).collect()
}

fn cell(aggregate: &Aggregate, block: &Block) -> Result<Cell, String> {
    let mut conditions = texts(&aggregate.filter, block)?;
    for argument in &aggregate.arguments {
        conditions.insert(format!("{} IS NOT NULL", print::expression(argument, block)?));
    }
    let plain = Aggregate { filter: Vec::new(), ..aggregate.clone() };
    Ok(Cell { aggregate: print::expression(&Expression::Aggregate(Box::new(plain)), block)?, conditions })
}

/// Returns the sources of the block as the text after FROM.
fn from(block: &Block) -> Result<String, String> {
    let rows = Rows { items: block.rows.items.clone(), conditions: Vec::new() };
    let one = Output { name: "n".to_owned(), value: Expression::Literal(Literal::Number("1".to_owned())) };
    let plain = Block { rows: rows.into(), outputs: vec![one], ..Block::default() };
    let text = print::query(&Query::Block(Box::new(plain)))?;
    let from = text.split_once(" FROM ").map(|(_, from)| from.to_owned());
    from.ok_or_else(|| "it reads no table".to_owned())
}

/// Returns the tables that the block reads; what else it reads cannot be counted.
fn tables<'c, 'b>(rows: &'b Rows, catalog: &'c Catalog) -> Result<Vec<(&'b Source, &'c Table)>, String> {
    let is_plain = |item: &Item| match item {
        Item::Source(_) => true,
        Item::Outer(outer) => !outer.on.iter().any(|on| on.has_subquery() || on.has_window()),
    };
    if !rows.items.iter().all(is_plain) {
        return Err("it joins by a subquery".to_owned());
    }
    let table = |source: &'b Source| match &source.relation {
        Relation::Table { schema, name } => {
            let table = catalog.table(Some(schema), name);
            table.map(|table| (source, table)).ok_or_else(|| format!("{name} is not a known table"))
        }
        Relation::Query { .. } | Relation::Function { .. } => {
            Err("it reads a subquery or a function as a table; group once, over tables alone".to_owned())
        }
    };
    rows.sources().into_iter().map(table).collect()
}

/// Returns what tells the entities apart: the columns of that role, or else the first primary key.
fn entities(sources: &[(&Source, &Table)], block: &Block) -> Result<Vec<String>, String> {
    let column = |source: &Source, table: &Table, name: &str| {
        let index = table.columns.iter().position(|column| column.name == name).unwrap_or_default();
        let column = Column { source: source.id, index, name: name.to_owned() };
        print::expression(&Expression::Column(column), block)
    };
    let by_role = sources.iter().filter_map(|(source, table)| {
        table.column_with(Role::Entity).map(|entity| column(source, table, &entity.name))
    });
    let by_role = by_role.collect::<Result<Vec<_>, _>>()?;
    if !by_role.is_empty() {
        return Ok(by_role);
    }
    let keyed = sources.iter().find(|(_, table)| !table.primary_key.is_empty());
    let (source, table) = keyed.ok_or(
        "no table of it has a column of the role entity or a primary key, so nobody can count of how many it is; write the \
         role into the metadata",
    )?;
    let key = table.primary_key.iter().map(|name| column(source, table, name)).collect::<Result<Vec<_>, _>>()?;
    Ok(vec![if let [only] = key.as_slice() { only.clone() } else { format!("({})", key.join(", ")) }])
}

struct Reading<'q> {
    block: &'q Block,
    catalog: &'q Catalog,
    keys: &'q [Expression],
    aggregates: Vec<&'q Aggregate>,
}

impl<'q> Reading<'q> {
    /// Checks that an output is made of keys, aggregates and constants alone.
    fn output(&mut self, value: &'q Expression) -> Result<(), String> {
        if self.keys.contains(value) {
            return Ok(());
        }
        match value {
            Expression::Aggregate(aggregate) => self.aggregate(aggregate),
            Expression::Column(column) => Err(format!("{} is neither a key nor within an aggregate", column.name)),
            Expression::Window(_) | Expression::Subquery(_) | Expression::Measure(_) => {
                Err("it has a window or a subquery".to_owned())
            }
            Expression::Unknown(why) => Err(why.clone()),
            Expression::Literal(_)
            | Expression::Call { .. }
            | Expression::Operation { .. }
            | Expression::Case { .. }
            | Expression::Cast { .. }
            | Expression::In { .. }
            | Expression::Quantified { .. }
            | Expression::Array(_)
            | Expression::Row(_) => {
                let mut children = Vec::new();
                value.each_child(&mut |child| children.push(child));
                children.into_iter().try_for_each(|child| self.output(child))
            }
        }
    }

    fn aggregate(&mut self, aggregate: &'q Aggregate) -> Result<(), String> {
        let Aggregate { function, arguments, distinct, order, within, filter } = aggregate;
        let is_of_days =
            || ["min", "max"].contains(&function.as_str()) && arguments.iter().all(|it| self.is_moment(it));
        if !OF_A_GROUP.contains(&function.as_str()) && !is_of_days() {
            return Err(format!("{function} shows the value of a single row; write count, sum, avg or stddev"));
        }
        if *distinct && function != "count" {
            return Err(format!("{function}(DISTINCT ...) is of single values"));
        }
        if !order.is_empty() || !within.is_empty() {
            return Err(format!("{function} with an ORDER BY shows single values"));
        }
        if filter.iter().any(|condition| condition.has_subquery() || condition.has_window()) {
            return Err("a FILTER has a subquery".to_owned());
        }
        if !arguments.iter().all(is_plain) || arguments.iter().map(|it| it.columns().len()).sum::<usize>() > 2 {
            return Err(format!(
                "{function} is of an expression that may choose rows; aggregate a column, or two that are added, subtracted \
                 or multiplied, and write conditions into FILTER or WHERE"
            ));
        }
        self.aggregates.push(aggregate);
        Ok(())
    }

    fn is_moment(&self, value: &Expression) -> bool {
        match value {
            Expression::Column(column) => match self.block.rows.source_of(column).map(|source| &source.relation) {
                Some(Relation::Table { schema, name }) => {
                    let table = self.catalog.table(Some(schema), name);
                    let column = table.and_then(|table| table.column(&column.name));
                    column.is_some_and(|column| column.value_kind() == ValueKind::Moment)
                }
                _ => false,
            },
            Expression::Cast { value, .. } => self.is_moment(value),
            _ => false,
        }
    }
}

/// Returns whether a value is a column or plain arithmetic that cannot make the values of chosen rows vanish.
fn is_plain(value: &Expression) -> bool {
    match value {
        Expression::Column(_) | Expression::Literal(Literal::Number(_)) => true,
        Expression::Cast { value, type_name, .. } => type_name != "boolean" && is_plain(value),
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            match (sign.as_str(), operands.as_slice()) {
                ("+" | "-" | "*", operands) => operands.iter().all(is_plain),
                ("/", [value, Expression::Literal(Literal::Number(_))]) => is_plain(value),
                _ => false,
            }
        }
        _ => false,
    }
}
