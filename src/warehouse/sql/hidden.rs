//! Finds what must stay hidden in a database, and the relations that show it nevertheless: views of it, tables that
//! inherit from it, and tables that it is a part of.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::Fields;
use super::policy::Unseen;
use crate::warehouse::catalog::code::{Code, View};

type Relation = (String, String);

/// The relations and columns whose values must stay hidden.
#[derive(Debug)]
pub(super) struct Hidden {
    /// Relations that are excluded by name, and those that hold some of their rows. Each has the relation that was
    /// named.
    excluded: BTreeMap<Relation, Relation>,
    /// Relations that read a part of themselves that is excluded, each with that part.
    holders: BTreeMap<Relation, Relation>,
    /// Sensitive columns, by relation.
    sensitive: BTreeMap<Relation, BTreeSet<String>>,
}

impl Hidden {
    pub(super) fn new(code: &Code, unseen: Unseen<'_>) -> Self {
        let named = code.columns.keys().filter(|(schema, name)| (unseen.excludes)(schema, name));
        let excluded = spread(named, code, Direction::Down);
        let holders = spread(excluded.keys(), code, Direction::Up);
        let holders = holders.into_iter().filter(|(relation, _)| !excluded.contains_key(relation)).collect();
        let mut sensitive = BTreeMap::<_, BTreeSet<_>>::new();
        for ((schema, name), columns) in &code.columns {
            let marked = columns.iter().filter(|column| (unseen.is_sensitive)(schema, name, column)).cloned();
            let marked = marked.collect::<BTreeSet<_>>();
            if !marked.is_empty() {
                sensitive.insert((schema.clone(), name.clone()), marked);
            }
        }
        spread_columns(&mut sensitive, code);
        Self { excluded, holders, sensitive }
    }

    /// Returns whether anything is hidden.
    pub(super) fn is_any(&self) -> bool {
        !self.excluded.is_empty() || !self.sensitive.is_empty()
    }

    /// Returns whether the relation is excluded, or is a part of one that is.
    pub(super) fn excludes(&self, schema: &str, name: &str) -> bool {
        self.excluded.contains_key(&(schema.to_owned(), name.to_owned()))
    }

    /// Returns why a relation may not be read although it was not excluded by name; `None` if nothing prevents it.
    pub(super) fn reason(&self, schema: &str, name: &str) -> Option<String> {
        let relation = (schema.to_owned(), name.to_owned());
        let full = |(schema, name): &Relation| format!("{schema}.{name}");
        if let Some(whole) = self.excluded.get(&relation) {
            return Some(format!("is a part of {}, which is excluded", full(whole)));
        }
        let part = self.holders.get(&relation)?;
        Some(format!("has {} among its partitions or children, which is excluded", full(part)))
    }

    pub(super) fn is_sensitive(&self, schema: &str, name: &str, column: &str) -> bool {
        let columns = self.sensitive.get(&(schema.to_owned(), name.to_owned()));
        columns.is_some_and(|columns| columns.contains(column))
    }

    /// Returns whether a view reads a relation with a sensitive column.
    pub(super) fn touches(&self, view: &View) -> bool {
        view.reads.iter().any(|read| self.sensitive.contains_key(&(read.schema.clone(), read.name.clone())))
    }

    /// Adds the columns of a view that show sensitive columns.
    pub(super) fn add_view(&mut self, view: &View, outputs: &Fields) {
        let columns = view.columns.iter().zip(&outputs.list).filter(|(_, output)| output.secret.is_some());
        let columns = columns.map(|(column, _)| column.clone()).collect::<BTreeSet<_>>();
        if !columns.is_empty() {
            self.sensitive.entry((view.schema.clone(), view.name.clone())).or_default().extend(columns);
        }
    }
}

/// The direction in which rows are shared: a table's parts hold its rows, and the table shows theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

/// Returns the given relations and all that are reached from them, each with the given relation that it was reached
/// from.
fn spread<'code>(
    from: impl IntoIterator<Item = &'code Relation>,
    code: &'code Code,
    direction: Direction,
) -> BTreeMap<Relation, Relation> {
    let mut reached = BTreeMap::new();
    let mut open = from.into_iter().map(|relation| (relation, relation)).collect::<Vec<_>>();
    while let Some((relation, origin)) = open.pop() {
        if reached.contains_key(relation) {
            continue;
        }
        reached.insert(relation.clone(), origin.clone());
        open.extend(code.inherits.iter().filter_map(|inherits| {
            let (here, there) = match direction {
                Direction::Down => (&inherits.parent, &inherits.child),
                Direction::Up => (&inherits.child, &inherits.parent),
            };
            (here == relation).then_some((there, origin))
        }));
    }
    reached
}

/// Marks the columns of the same name in all tables that share rows, and the columns of which one is computed from the
/// other.
fn spread_columns(sensitive: &mut BTreeMap<Relation, BTreeSet<String>>, code: &Code) {
    loop {
        let mut found = Vec::new();
        for inherits in &code.inherits {
            for (from, to) in [(&inherits.parent, &inherits.child), (&inherits.child, &inherits.parent)] {
                let marked = |column: &String| sensitive.get(to).is_some_and(|columns| columns.contains(column));
                let has = |column: &String| code.columns.get(to).is_some_and(|columns| columns.contains(column));
                let columns = sensitive.get(from).into_iter().flatten();
                let missing = columns.filter(|column| has(column) && !marked(column)).cloned();
                found.extend(missing.map(|column| (to.clone(), column)));
            }
        }
        for generated in &code.generated {
            let relation = (generated.schema.clone(), generated.name.clone());
            let marked = |column: &String| sensitive.get(&relation).is_some_and(|columns| columns.contains(column));
            // Each of the two columns reveals the values of the other.
            for (from, to) in [(&generated.from, &generated.column), (&generated.column, &generated.from)] {
                if marked(from) && !marked(to) {
                    found.push((relation.clone(), to.clone()));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for (relation, column) in found {
            sensitive.entry(relation).or_default().insert(column);
        }
    }
}
