//! What the analyst can look at, by the catalog alone: each table is analysed, read with another one, or says why not.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::{self, Subject};
use crate::warehouse::catalog::{Catalog, Role, Table};

/// What the analyst makes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The table, as `schema.name`.
    pub table: String,
    /// What it is good for.
    pub prospect: Prospect,
}

/// What a table is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prospect {
    /// It is analysed, by what stands in these columns.
    Analysed {
        /// Whose rows it holds, when they are of, and what can be summed and grouped: a few words.
        by: String,
    },
    /// It is read with a table that refers to it.
    ReadWith {
        /// That table.
        table: String,
    },
    /// It could be analysed, but refers to a table that promises more and is analysed in its place.
    SetAside {
        /// That table.
        table: String,
    },
    /// The analyst cannot look at it.
    Unusable {
        /// What it lacks.
        why: String,
    },
}

/// What the analyst makes of each table, in the catalog's order.
pub fn survey(catalog: &Catalog) -> Vec<Outlook> {
    of_subjects(catalog, &subject::subjects(catalog))
}

/// The same, where the subjects are known.
pub(super) fn of_subjects(catalog: &Catalog, subjects: &[Subject]) -> Vec<Outlook> {
    let mut readers = BTreeMap::<&Relation, &Subject>::new();
    for subject in subjects {
        for relation in &subject.relations[1..] {
            readers.entry(relation).or_insert(subject);
        }
    }
    let bases = subjects.iter().map(|subject| (subject.own_table(), subject)).collect::<BTreeMap<_, _>>();
    let outlook = |table: &Table| {
        let own = (table.schema.clone(), table.name.clone());
        let prospect = match (bases.get(&own), readers.get(&own)) {
            (Some(subject), _) => Prospect::Analysed { by: goes_by(subject) },
            (None, Some(reader)) => Prospect::ReadWith { table: reader.full_name() },
            (None, None) => alone(catalog, table, &bases),
        };
        Outlook { table: format!("{}.{}", table.schema, table.name), prospect }
    };
    catalog.tables.iter().map(outlook).collect()
}

type Relation = (String, String);

/// A table that no subject reads.
fn alone(catalog: &Catalog, table: &Table, bases: &BTreeMap<&Relation, &Subject>) -> Prospect {
    match Subject::new(catalog, table) {
        Ok(dropped) => {
            let better = dropped.relations.iter().find_map(|relation| bases.get(relation));
            Prospect::SetAside { table: better.map_or_else(|| dropped.full_name(), |better| better.full_name()) }
        }
        Err(why) => Prospect::Unusable { why },
    }
}

/// `customer_code by billing_date; net_sales_value_2; region, product`
fn goes_by(subject: &Subject) -> String {
    let name = |role: Role| subject.field(role).map(|field| field.name.clone());
    let who = [Role::Entity, Role::Date].into_iter().filter_map(name).collect::<Vec<_>>().join(" by ");
    let value = if subject.is_summed() { subject.value_words() } else { "rows counted".to_owned() };
    let grouped = [Role::Region, Role::Product, Role::Batch, Role::EventType].into_iter().filter_map(name);
    let grouped = grouped.chain(subject.dimensions().map(|field| field.name.clone()));
    let grouped = grouped.collect::<BTreeSet<_>>().into_iter().take(4).collect::<Vec<_>>();
    let parts = [who, value, grouped.join(", ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
