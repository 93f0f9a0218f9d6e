//! What a name refers to: the sources of FROM and those of the queries around.

use std::rc::Rc;

use super::super::expression::Expression;

/// The names that an expression may use.
#[derive(Debug, Default)]
pub(super) struct Scope<'p> {
    pub(super) ranges: Vec<Rc<Range>>,
    /// The columns that USING and NATURAL made of two, in the order of `*`.
    pub(super) merged: Vec<Field>,
    /// The scope of the query around.
    pub(super) outer: Option<&'p Scope<'p>>,
}

/// A table or alias of FROM.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The alias, or else the table's name; empty if there is none.
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// A column of a range.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Expression,
    /// Whether a merged column stands for it where no range is named.
    pub(super) is_merged: bool,
}

impl Scope<'_> {
    /// Returns what a name without a dot refers to.
    pub(super) fn name(&self, name: &str) -> Expression {
        self.own_name(name)
            .or_else(|| self.outer.map(|outer| outer.name(name)))
            .unwrap_or_else(|| Expression::Unknown(format!("{name} is not a column of a known source")))
    }

    /// Returns what a name without a dot refers to in this FROM; `None` if it is no column of it.
    pub(super) fn own_name(&self, name: &str) -> Option<Expression> {
        let ranges = self.ranges.iter().flat_map(|range| &range.fields).filter(|field| !field.is_merged);
        let mut fields = self.merged.iter().chain(ranges).filter(|field| field.name == name);
        let field = fields.next()?;
        Some(match fields.next() {
            None => field.value.clone(),
            Some(_) => Expression::Unknown(format!("several sources have a column {name}")),
        })
    }

    /// Returns what `range.name` refers to.
    pub(super) fn qualified(&self, range: &str, name: &str) -> Expression {
        let mut ranges = self.ranges.iter().filter(|known| known.name == range);
        let unknown = || Expression::Unknown(format!("{range}.{name} is not a column of a known source"));
        match (ranges.next(), ranges.next()) {
            (None, _) => self.outer.map_or_else(unknown, |outer| outer.qualified(range, name)),
            (Some(_), Some(_)) => Expression::Unknown(format!("several sources are called {range}")),
            (Some(range), None) => {
                let mut fields = range.fields.iter().filter(|field| field.name == name);
                match (fields.next(), fields.next()) {
                    (Some(field), None) => field.value.clone(),
                    _ => unknown(),
                }
            }
        }
    }

    /// Returns the columns of `*`, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Field> {
        let ranges = self.ranges.iter().flat_map(|range| &range.fields).filter(|field| !field.is_merged);
        self.merged.iter().chain(ranges)
    }
}
