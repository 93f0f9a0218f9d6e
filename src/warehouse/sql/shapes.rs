//! Finds which values of the users' types have fields or elements, from the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::{Field, Fields, Shape};
use super::hidden::Hidden;
use crate::warehouse::catalog::code::{Code, Type};

/// The maximum number of levels of nested types that are followed.
const DEPTH_MAX: usize = 16;

/// The shapes of the users' types, and of the columns that have such types.
#[derive(Debug)]
pub(super) struct Shapes {
    of_types: BTreeMap<u32, Shape>,
    names: Vec<(String, u32)>,
    of_columns: BTreeMap<(String, String), Vec<(String, u32)>>,
}

impl Shapes {
    pub(super) fn new(code: &Code, hidden: &Hidden) -> Self {
        let types = code.types.iter().map(|made| (made.oid, made)).collect::<BTreeMap<_, _>>();
        let mut of_types = BTreeMap::new();
        for oid in types.keys() {
            shape(*oid, &types, hidden, &mut of_types, DEPTH_MAX);
        }
        let names = code.types.iter().flat_map(|made| {
            let full = format!("{}.{}", made.schema, made.name);
            [Some(full), made.visible.then(|| made.name.clone())].into_iter().flatten().map(|name| (name, made.oid))
        });
        Self { of_types, names: names.collect(), of_columns: code.typed_columns.clone() }
    }

    /// Returns the shapes by the names that find their types: with the schema, and without it if the type is on the
    /// search path. Plain shapes are left out.
    pub(super) fn by_name(&self) -> BTreeMap<String, Shape> {
        let known = |(name, oid): &(String, u32)| Some((name.clone(), self.of_types.get(oid)?.clone()));
        self.names.iter().filter_map(known).filter(|(_, shape)| *shape != Shape::Plain).collect()
    }

    /// Returns the shape of a relation's column.
    pub(super) fn of_column(&self, schema: &str, relation: &str, column: &str) -> Shape {
        let columns = self.of_columns.get(&(schema.to_owned(), relation.to_owned()));
        let typed = columns.into_iter().flatten().find(|(name, _)| name == column);
        typed.and_then(|(_, oid)| self.of_types.get(oid)).cloned().unwrap_or_default()
    }
}

fn shape(
    oid: u32,
    types: &BTreeMap<u32, &Type>,
    hidden: &Hidden,
    known: &mut BTreeMap<u32, Shape>,
    depth: usize,
) -> Shape {
    if let Some(shape) = known.get(&oid) {
        return shape.clone();
    }
    let (Some(made), Some(depth)) = (types.get(&oid), depth.checked_sub(1)) else { return Shape::Plain };
    let found = match (made.kind.as_str(), made.holds.as_slice()) {
        ("c", _) => {
            // A table's row type has the name of the table, and its values have the table's columns.
            let fields = made.fields.iter().map(|(name, oid)| Field {
                shape: shape(*oid, types, hidden, known, depth),
                secret: hidden.secret(&made.schema, &made.name, name),
                ..Field::plain(name.as_str())
            });
            Shape::Row(Arc::new(Fields { list: fields.collect(), open: false }))
        }
        ("d", [base]) => shape(*base, types, hidden, known, depth),
        ("b", [element]) if made.is_array => Shape::Array(Arc::new(shape(*element, types, hidden, known, depth))),
        _ => Shape::Plain,
    };
    known.insert(oid, found.clone());
    found
}
