//! Keys, joins and values, as constraints and tests state them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::manifest::{Constraint, Node, TestMetadata};
use super::{Nodes, Project};
use crate::semantic::exchange::Place;
use crate::semantic::metadata::{ColumnMetadata, JoinMetadata, TableMetadata};

/// The most values of a column that are taken as examples.
const EXAMPLES_MAX: usize = 100;

/// What a test names: `ref('orders')` or `source('raw', 'orders')`, within Jinja or not.
#[expect(clippy::expect_used, reason = "the expression is a constant, which the tests compile")]
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(ref|source)\(\s*['"]([^'"]*)['"]\s*(?:,\s*['"]([^'"]*)['"])?"#).expect("a valid expression")
});

/// A test that is read, with its table.
struct Test<'project> {
    node: &'project Node,
    metadata: &'project TestMetadata,
    place: Place,
}

impl Test<'_> {
    fn name(&self) -> String {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        match &self.metadata.namespace {
            Some(namespace) => format!("{namespace}.{name}"),
            None => name.to_owned(),
        }
    }

    fn argument(&self, name: &str) -> Option<&Value> {
        let arguments = self.metadata.kwargs.as_ref()?;
        arguments.get(name).or_else(|| arguments.get("arguments")?.get(name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.argument(name)?.as_str()
    }

    fn column(&self) -> Option<String> {
        self.node.column_name.clone().or_else(|| self.text("column_name").map(str::to_owned))
    }

    /// Returns the columns that a test of uniqueness says tell rows apart.
    fn unique(&self) -> Option<Vec<String>> {
        match self.name().as_str() {
            "unique" => Some(vec![self.column()?]),
            "dbt_utils.unique_combination_of_columns" => {
                let columns = self.argument("combination_of_columns")?.as_array()?;
                columns.iter().map(|column| column.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        }
    }

    /// Returns why a test does not hold of all rows.
    fn doubt(&self) -> Option<&'static str> {
        let config = self.node.config.as_ref()?;
        let is_strict = |bound: &str| ["!=0", ">0"].contains(&bound.replace(' ', "").as_str());
        if config.condition.as_deref().is_some_and(|condition| !condition.trim().is_empty()) {
            Some("it holds of some rows only, by its `where`")
        } else if config.severity.as_deref().is_some_and(|severity| severity.eq_ignore_ascii_case("warn")) {
            Some("it only warns")
        } else if config.error_if.as_deref().is_some_and(|bound| !is_strict(bound)) {
            Some("it tolerates failures, by its `error_if`")
        } else {
            None
        }
    }
}

impl Project {
    /// Takes what tells rows apart, by constraints and tests, before joins ask for it.
    pub(super) fn read_keys(&mut self, nodes: &Nodes) {
        for (id, node) in nodes {
            if let Some(place) = self.places.get(id).cloned() {
                for (columns, constraint) in constraints(node) {
                    if matches!(constraint.kind.as_deref(), Some("primary_key" | "unique")) {
                        self.add_unique(&place, columns);
                    }
                }
            }
        }
        for node in nodes.values() {
            let Some(test) = self.test(node, nodes) else { continue };
            if let Some(columns) = test.unique()
                && test.doubt().is_none()
            {
                self.add_unique(&test.place, columns);
            }
        }
    }

    pub(super) fn add_unique(&mut self, place: &Place, columns: Vec<String>) {
        let mut sorted = columns.clone();
        sorted.sort();
        self.unique.insert((place.clone(), sorted));
        self.found.add(place, &TableMetadata { unique: vec![columns], ..TableMetadata::default() });
    }

    fn is_unique(&self, place: &Place, columns: &[String]) -> bool {
        let mut sorted = columns.to_vec();
        sorted.sort();
        self.unique.contains(&(place.clone(), sorted))
    }

    /// Takes the joins of constraints and tests, and accepted values.
    pub(super) fn read_tests(&mut self, nodes: &Nodes) {
        for (id, node) in nodes {
            if let Some(place) = self.places.get(id).cloned() {
                for (columns, constraint) in constraints(node) {
                    self.read_constraint(&place, columns, constraint);
                }
            }
        }
        for (id, node) in nodes.iter().filter(|(_, node)| node.resource_type.as_deref() == Some("test")) {
            if let Some(test) = self.test(node, nodes) {
                self.read_test(&test, nodes);
            } else {
                let name = node.name.as_deref().unwrap_or(id);
                self.found.lose(format!("test {name}"), "it is a query of its own, or of no table");
            }
        }
    }

    fn read_constraint(&mut self, place: &Place, columns: Vec<String>, constraint: &Constraint) {
        let table = &place.1;
        match constraint.kind.as_deref().unwrap_or_default() {
            "primary_key" | "unique" | "not_null" => {}
            "foreign_key" => {
                let to = constraint.to.as_ref().and_then(|to| self.places.get(self.relations.get(to)?)).cloned();
                let referred = constraint.to_columns.clone().unwrap_or_default();
                match to {
                    Some(to) if !columns.is_empty() && columns.len() == referred.len() => {
                        self.add_join(place, columns, &to, referred);
                    }
                    _ => self.found.lose(
                        format!("{table}: foreign key of {}", columns.join(", ")),
                        "it does not say which table and columns of the project it leads to",
                    ),
                }
            }
            kind => self.found.lose(format!("{table}: {kind} constraint"), "metadata have no place for it"),
        }
    }

    pub(super) fn add_join(&mut self, place: &Place, columns: Vec<String>, to: &Place, referred: Vec<String>) {
        let join = JoinMetadata { columns, table: self.names.reference(to), referred, ..JoinMetadata::default() };
        self.found.add(place, &TableMetadata { joins: vec![join], ..TableMetadata::default() });
    }

    fn read_test(&mut self, test: &Test<'_>, nodes: &Nodes) {
        let column = test.column().unwrap_or_default();
        let name = test.name();
        let what = match column.as_str() {
            "" => format!("{}: test {name}", test.place.1),
            column => format!("{}.{column}: test {name}", test.place.1),
        };
        match name.as_str() {
            "unique" | "dbt_utils.unique_combination_of_columns" => match test.doubt() {
                Some(doubt) => self.found.lose(what, doubt),
                None if test.unique().is_none() => self.found.lose(what, "it names no columns"),
                None => {}
            },
            "not_null" if self.is_unique(&test.place, std::slice::from_ref(&column)) => {}
            "not_null" => self.found.lose(what, "metadata do not say which values are missing"),
            "accepted_values" => self.read_values(test, &column, &what),
            "relationships" => match self.relationship(test, nodes) {
                Ok((to, referred)) => self.add_join(&test.place, vec![column], &to, vec![referred]),
                Err(why) => self.found.lose(what, why),
            },
            _ => self.found.lose(what, "metadata have no place for it"),
        }
    }

    fn read_values(&mut self, test: &Test<'_>, column: &str, what: &str) {
        let values = test.argument("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        });
        let mut examples = values.collect::<Vec<_>>();
        if examples.is_empty() || column.is_empty() {
            self.found.lose(what, "it lists no values of a column");
            return;
        }
        if examples.len() > EXAMPLES_MAX {
            self.found.lose(what, format!("only the first {EXAMPLES_MAX} of {} values are taken", examples.len()));
            examples.truncate(EXAMPLES_MAX);
        }
        let said = ColumnMetadata { examples, ..ColumnMetadata::default() };
        let mut table = TableMetadata::default();
        table.columns.0.push((column.to_owned(), said));
        self.found.add(&test.place, &table);
    }

    /// Returns where the relationship leads. A join multiplies nothing only if what it leads to is there once.
    fn relationship(&self, test: &Test<'_>, nodes: &Nodes) -> Result<(Place, String), String> {
        if let Some(doubt) = test.doubt() {
            return Err(doubt.to_owned());
        }
        let (to, field) = test.text("to").zip(test.text("field")).ok_or("it does not say where it leads")?;
        let place = self.referred(to, test.node, nodes).ok_or_else(|| format!("{to} is no table of the project"))?;
        if !self.is_unique(&place, &[field.to_owned()]) {
            let table = &place.1;
            return Err(format!(
                "nothing says that {table}.{field} is there once, as a join needs; test that it is unique"
            ));
        }
        Ok((place, field.to_owned()))
    }

    fn test<'project>(&self, node: &'project Node, nodes: &Nodes) -> Option<Test<'project>> {
        let metadata = node.test_metadata.as_ref().filter(|_| node.resource_type.as_deref() == Some("test"))?;
        let attached = node.attached.as_ref().and_then(|id| self.places.get(id)).cloned();
        let named = || {
            let model = metadata.kwargs.as_ref()?.get("model")?.as_str()?;
            self.referred(model, node, nodes)
        };
        let only = || match node.depends_on.as_ref()?.nodes.as_deref()? {
            [only] => self.places.get(only).cloned(),
            _ => None,
        };
        Some(Test { node, metadata, place: attached.or_else(named).or_else(only)? })
    }

    /// Returns the table that a `ref` or `source` means, among those that a node depends on.
    fn referred(&self, text: &str, node: &Node, nodes: &Nodes) -> Option<Place> {
        let captures = REFERENCE.captures(text)?;
        let (first, second) = (captures.get(2)?.as_str(), captures.get(3).map(|second| second.as_str()));
        let is_source = captures.get(1)?.as_str() == "source";
        let name = second.unwrap_or(first);
        let is_meant = |id: &&String| {
            nodes.get(*id).is_some_and(|known| {
                known.name.as_deref() == Some(name) && (!is_source || known.source_name.as_deref() == Some(first))
            })
        };
        let mut meant = node.depends_on.as_ref()?.nodes.iter().flatten().filter(is_meant);
        let id = meant.next()?;
        if meant.next().is_some() { None } else { self.places.get(id).cloned() }
    }
}

/// Returns the constraints of a table and of its columns, with the columns of each.
fn constraints(node: &Node) -> Vec<(Vec<String>, &Constraint)> {
    let of_table = node.constraints.iter().flatten();
    let of_table = of_table.map(|constraint| (constraint.columns.clone().unwrap_or_default(), constraint));
    let of_columns = node.columns.iter().flat_map(|columns| &columns.0).flat_map(|(name, column)| {
        column.constraints.iter().flatten().map(move |constraint| (vec![name.clone()], constraint))
    });
    of_table
        .chain(of_columns)
        .filter(|(columns, constraint)| {
            !columns.is_empty() || !matches!(constraint.kind.as_deref(), Some("primary_key" | "unique"))
        })
        .collect()
}
