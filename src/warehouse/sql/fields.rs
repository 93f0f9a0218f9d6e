//! The columns that a query reads and makes, as far as the validator needs to know them: their names and order, which
//! of them hold rows, and which must not be shown.
//!
//! In PostgreSQL `x.name` is a column of `x`, or else a call of the function `name`, or a cast to the type `name`. So a
//! name counts as a column only if it is known for sure to be one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::refusal::{Refusal, column, seen};
use crate::warehouse::catalog::Personal;

/// The columns of a relation or query, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The known columns.
    pub(super) list: Vec<Field>,
    /// Whether there may be unknown columns, before and after the known ones.
    pub(super) open: bool,
}

/// A column of a relation or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
    /// The column of a relation whose values it shows unchanged; `None` if there is no such column.
    pub(super) origin: Option<Arc<Origin>>,
    /// Why its values may not be shown; `None` if they may.
    pub(super) secret: Option<Secret>,
}

/// The structure of a column's values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shape {
    /// Values without fields, or with unknown fields.
    #[default]
    Plain,
    /// Rows with these fields.
    Row(Arc<Fields>),
    /// Arrays with elements of this shape.
    Array(Arc<Shape>),
}

/// A column of a relation, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) schema: String,
    pub(super) relation: String,
    pub(super) column: String,
}

/// The reason why values may not be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// The column is marked as sensitive.
    Sensitive,
    /// The column is joined to a column that may not be shown, and has its values.
    Joined,
    /// The column quotes definitions of any relation, and some relations must stay hidden.
    Definition,
    /// The values are personal data, of which only tokens are shown.
    Masked(Personal),
    /// The values are made of several personal values, by the expression with this number. Only tokens of them are
    /// shown, and nothing more may be made of them.
    Made(Personal, u64),
}

impl Secret {
    /// Returns whether tokens of the values may be shown.
    pub(super) fn is_masked(self) -> bool {
        match self {
            Self::Masked(_) | Self::Made(..) => true,
            Self::Sensitive | Self::Joined | Self::Definition => false,
        }
    }
}

/// How the values of an output are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask {
    pub kind: Personal,
    /// The number of the expression that makes them of several values; 0 if they are values of a column.
    pub expression: u64,
}

/// Pairs of columns of which one is computed from the other, in both orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Computed(pub(super) BTreeSet<(Origin, Origin)>);

impl Computed {
    /// Returns the column, and the columns that reveal its values because one is computed from the other.
    pub(super) fn with(&self, origin: &Origin) -> BTreeSet<Origin> {
        let mut found = BTreeSet::new();
        let mut open = vec![origin];
        while let Some(origin) = open.pop() {
            if found.insert(origin.clone()) {
                open.extend(self.0.iter().filter(|(one, _)| one == origin).map(|(_, other)| other));
            }
        }
        found
    }
}

impl Origin {
    /// Returns whether the relation describes the database.
    pub(super) fn is_of_system(&self) -> bool {
        ["pg_catalog", "information_schema"].contains(&self.schema.as_str())
    }
}

impl Field {
    pub(super) fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), shape: Shape::Plain, origin: None, secret: None }
    }

    /// Returns the kind of personal values that it shows unchanged; `None` if it shows none.
    pub(super) fn masked(&self) -> Option<Personal> {
        match self.secret {
            Some(Secret::Masked(kind)) => Some(kind),
            Some(Secret::Sensitive | Secret::Joined | Secret::Definition | Secret::Made(..)) | None => None,
        }
    }

    /// Returns the column itself, or the first field of its values, of which not even tokens may be shown.
    pub(super) fn unshowable(&self) -> Option<&Self> {
        match self.secret {
            Some(secret) if secret.is_masked() => self.shape.secret(),
            Some(_) => Some(self),
            None => self.shape.secret(),
        }
    }

    /// Returns the column itself, or the first field of its values, that may not be shown.
    pub(super) fn secret(&self) -> Option<&Self> {
        if self.secret.is_some() { Some(self) } else { self.shape.secret() }
    }
}

impl Fields {
    /// Returns columns of plain values.
    pub(super) fn plain<'name>(names: impl IntoIterator<Item = &'name str>) -> Self {
        Self { list: names.into_iter().map(Field::plain).collect(), open: false }
    }

    /// Returns a list that may have columns of which none is known.
    pub(super) fn unknown() -> Self {
        Self { list: Vec::new(), open: true }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        let mut alike = self.list.iter().filter(|field| field.name == name);
        let first = alike.next();
        // If several columns have the name, one that may not be shown is preferred.
        alike.find(|field| field.secret.is_some()).or(first)
    }

    /// Returns the first column that may not be shown, also within a row.
    pub(super) fn secret(&self) -> Option<&Field> {
        self.list.iter().find_map(Field::secret)
    }

    /// Returns the first column of which not even tokens may be shown, also within a row.
    pub(super) fn unshowable(&self) -> Option<&Field> {
        self.list.iter().find_map(Field::unshowable)
    }

    /// Returns how each column is masked; empty if none is.
    pub(super) fn masks(&self) -> Vec<Option<Mask>> {
        let mask = |field: &Field| match field.secret {
            Some(Secret::Masked(kind)) => Some(Mask { kind, expression: 0 }),
            Some(Secret::Made(kind, expression)) => Some(Mask { kind, expression }),
            Some(Secret::Sensitive | Secret::Joined | Secret::Definition) | None => None,
        };
        let masks = self.list.iter().map(mask).collect::<Vec<_>>();
        if masks.iter().any(Option::is_some) { masks } else { Vec::new() }
    }

    /// Returns the columns under an alias that renames the first of them.
    pub(super) fn renamed(&self, names: &[&str]) -> Self {
        if names.is_empty() {
            return self.clone();
        }
        let known = if self.open { &[][..] } else { &self.list[..] };
        let renamed = names.iter().enumerate().map(|(place, name)| {
            let field = known.get(place).cloned().unwrap_or_else(|| Field::plain(String::new()));
            Field { name: (*name).to_owned(), ..field }
        });
        Self { list: renamed.chain(known.iter().skip(names.len()).cloned()).collect(), open: self.open }
    }

    /// Appends the other columns.
    pub(super) fn and(mut self, others: &Self) -> Self {
        self.list.extend(others.list.iter().cloned());
        self.open |= others.open;
        self
    }

    /// Returns the columns of a join that merges the columns that both sides have under these names.
    pub(super) fn joined(&self, right: &Self, names: &[&str]) -> Self {
        let others = |fields: &Self| {
            let merged = |field: &&Field| !names.contains(&field.name.as_str());
            fields.list.iter().filter(merged).cloned().collect::<Vec<_>>()
        };
        let common = names.iter().map(|name| match (self.get(name), right.get(name)) {
            (Some(left), Some(right)) if right.secret.is_some() => {
                Field { origin: left.origin.clone(), ..right.clone() }
            }
            (Some(field), _) | (None, Some(field)) => field.clone(),
            (None, None) => Field::plain(*name),
        });
        Self { list: common.chain(others(self)).chain(others(right)).collect(), open: self.open || right.open }
    }

    /// Returns the columns of a set operation, which have the names of the left side.
    pub(super) fn united(mut self, right: &Self) -> Self {
        for (field, other) in self.list.iter_mut().zip(&right.list) {
            field.origin = None;
            field.secret = field.secret.or(other.secret);
            if field.shape != other.shape {
                field.shape = Shape::Plain;
            }
        }
        self.open |= right.open;
        self
    }

    /// Returns the columns, with those marked whose origin is in `secret`.
    pub(super) fn marked(&self, secret: &BTreeSet<Origin>) -> Self {
        let mark = |field: &Field| {
            let is_secret = field.origin.as_ref().is_some_and(|origin| secret.contains(&**origin));
            Field { secret: field.secret.or(is_secret.then_some(Secret::Joined)), ..field.clone() }
        };
        Self { list: self.list.iter().map(mark).collect(), open: self.open }
    }
}

impl Shape {
    /// Returns whether the values have no fields and elements that are known.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Returns the first field that may not be shown.
    pub(super) fn secret(&self) -> Option<&Field> {
        match self {
            Self::Plain => None,
            Self::Row(fields) => fields.secret(),
            Self::Array(element) => element.secret(),
        }
    }

    /// Returns the shape of an array's element; plain if the values are not arrays.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::Array(element) => (**element).clone(),
            Self::Plain | Self::Row(_) => Self::Plain,
        }
    }
}

/// Returns the refusal of a value that may not be shown.
pub(super) fn hidden(field: &Field) -> Refusal {
    let name = match &field.origin {
        Some(origin) => format!("{}.{}", seen(&origin.relation), seen(&origin.column)),
        None => seen(&field.name),
    };
    match field.secret {
        Some(Secret::Definition) => column(format!(
            "{name} may show values of tables or columns that are kept out of sight; leave it out, use describe_table"
        )),
        Some(Secret::Joined) => column(format!(
            "{name} has the values of the sensitive column that it is joined to; leave it out here, and show another \
             column of its table"
        )),
        Some(Secret::Masked(kind)) => column(format!(
            "{name} is personal data ({kind}): select, group, order, count or join it as it is, or compare it by = or IN with \
             tokens that results show; not by LIKE, by parts of values or with other literals"
        )),
        Some(Secret::Made(..)) => column(format!(
            "{name} is made of several personal values and can only be shown: group, join and compare by the columns \
             themselves"
        )),
        Some(Secret::Sensitive) | None => column(format!(
            "{name} is sensitive: only count, count(DISTINCT ...), sum, avg and stddev of a table's own column are \
             allowed, and a join (ON with =, USING) to another table's own column; leave it out here"
        )),
    }
}
