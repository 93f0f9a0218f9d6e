//! Finds what must stay hidden in a database, and the relations that show it nevertheless: views of it, tables that
//! inherit from it, and tables that it is a part of.

use std::collections::BTreeMap;

use super::fields::{Fields, Secret};
use super::policy::Unseen;
use crate::warehouse::catalog::Personal;
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
    /// Columns that may not be shown and why, by relation.
    columns: BTreeMap<Relation, BTreeMap<String, Secret>>,
}

impl Hidden {
    pub(super) fn new(code: &Code, unseen: Unseen<'_>) -> Self {
        let named = code.columns.keys().filter(|(schema, name)| (unseen.excludes)(schema, name));
        let excluded = spread(named, code, Direction::Down);
        let holders = spread(excluded.keys(), code, Direction::Up);
        let holders = holders.into_iter().filter(|(relation, _)| !excluded.contains_key(relation)).collect();
        let mut secrets = BTreeMap::<_, BTreeMap<_, _>>::new();
        for ((schema, name), columns) in &code.columns {
            let secret = |column: &String| {
                let is_sensitive = (unseen.is_sensitive)(schema, name, column).then_some(Secret::Sensitive);
                is_sensitive.or_else(|| (unseen.personal)(schema, name, column).map(Secret::Masked))
            };
            let marked = columns.iter().filter_map(|column| Some((column.clone(), secret(column)?)));
            let marked = marked.collect::<BTreeMap<_, _>>();
            if !marked.is_empty() {
                secrets.insert((schema.clone(), name.clone()), marked);
            }
        }
        spread_columns(&mut secrets, code);
        Self { excluded, holders, columns: secrets }
    }

    /// Returns whether anything is hidden.
    pub(super) fn is_any(&self) -> bool {
        !self.excluded.is_empty() || !self.columns.is_empty()
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

    /// Returns whether only tokens are shown of some column.
    pub(super) fn masks(&self) -> bool {
        self.columns.values().flat_map(BTreeMap::values).any(|secret| secret.is_masked())
    }

    /// Returns why a column may not be shown; `None` if it may.
    pub(super) fn secret(&self, schema: &str, name: &str, column: &str) -> Option<Secret> {
        self.columns.get(&(schema.to_owned(), name.to_owned()))?.get(column).copied()
    }

    /// Returns whether a view reads a relation with a column that may not be shown.
    pub(super) fn touches(&self, view: &View) -> bool {
        view.reads.iter().any(|read| self.columns.contains_key(&(read.schema.clone(), read.name.clone())))
    }

    /// Takes every column of a view for free text, because nobody knows what its body makes of personal data.
    pub(super) fn mask_view(&mut self, view: &View) {
        if self.masks() && self.touches(view) {
            let columns = view.columns.iter().map(|column| (column.clone(), Secret::Masked(Personal::Text)));
            self.columns.entry((view.schema.clone(), view.name.clone())).or_default().extend(columns);
        }
    }

    /// Adds the columns of a view that show columns that may not be shown.
    pub(super) fn add_view(&mut self, view: &View, outputs: &Fields) {
        let columns = view.columns.iter().zip(&outputs.list);
        let columns = columns.filter_map(|(column, output)| Some((column.clone(), output.secret?)));
        let columns = columns.collect::<BTreeMap<_, _>>();
        if !columns.is_empty() {
            self.columns.entry((view.schema.clone(), view.name.clone())).or_default().extend(columns);
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
fn spread_columns(secrets: &mut BTreeMap<Relation, BTreeMap<String, Secret>>, code: &Code) {
    loop {
        let mut found = Vec::new();
        for inherits in &code.inherits {
            for (from, to) in [(&inherits.parent, &inherits.child), (&inherits.child, &inherits.parent)] {
                let has = |column: &String| code.columns.get(to).is_some_and(|columns| columns.contains(column));
                for (column, secret) in secrets.get(from).into_iter().flatten().filter(|(column, _)| has(column)) {
                    found.push((to.clone(), column.clone(), *secret));
                }
            }
        }
        for generated in &code.generated {
            let relation = (generated.schema.clone(), generated.name.clone());
            // Each of the two columns reveals the values of the other.
            for (from, to) in [(&generated.from, &generated.column), (&generated.column, &generated.from)] {
                if let Some(secret) = secrets.get(&relation).and_then(|columns| columns.get(from)) {
                    found.push((relation.clone(), to.clone(), *secret));
                }
            }
        }
        let mut is_new = false;
        for (relation, column, secret) in found {
            let known = secrets.entry(relation).or_default();
            // A sensitive column stays one, whatever it is computed from.
            let is_stricter = known.get(&column).is_none_or(|before| before.is_masked() && !secret.is_masked());
            if is_stricter {
                known.insert(column, secret);
                is_new = true;
            }
        }
        if !is_new {
            return;
        }
    }
}
