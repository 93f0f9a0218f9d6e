//! Reads dbt's `manifest.json` and `semantic_manifest.json`: descriptions, tests, semantic models and metrics.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::manifest::{Document, Metric, Node, SemanticModel};
use super::{Error, Gathering, Imported, Names, Place, read_text};
use crate::semantic::metadata::{ColumnMetadata, TableMetadata};

mod manifest;
mod metrics;
mod models;
mod template;
mod tests;

/// The largest manifest that is read, in bytes: one of a project of some thousand models.
const BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The names of the two manifests in dbt's target folder.
const FILES: [&str; 2] = ["manifest.json", "semantic_manifest.json"];

/// Reads a manifest, or both in a folder.
pub fn import(path: &Path) -> Result<Imported, Error> {
    let mut documents = Vec::new();
    for path in paths(path)? {
        let text = read_text(&path, BYTES_MAX)?;
        let document = serde_json::from_str::<Document>(&text)
            .map_err(|error| Error(format!("{}: is no manifest of dbt: {error}", path.display())))?;
        if document.nodes.is_none() && document.semantic_models.is_empty() && document.metrics.is_empty() {
            return Err(Error(format!(
                "{}: is no manifest of dbt: it has no nodes and no semantic models",
                path.display()
            )));
        }
        documents.push(document);
    }
    Ok(import_documents(documents))
}

fn paths(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let present = FILES.iter().map(|name| path.join(name)).filter(|path| path.is_file()).collect::<Vec<_>>();
    if present.is_empty() {
        let path = path.display();
        return Err(Error(format!(
            "{path}: has no {}; run `dbt parse`, and name the folder `target`",
            FILES.join(" and no ")
        )));
    }
    Ok(present)
}

fn import_documents(documents: Vec<Document>) -> Imported {
    let mut project = Project::default();
    let nodes = project.take(documents);
    project.find_tables(&nodes);
    project.describe(&nodes);
    project.read_keys(&nodes);
    project.read_entities();
    project.read_tests(&nodes);
    project.read_models();
    project.found.imported()
}

/// Models, sources and tests, by their ids.
type Nodes = BTreeMap<String, Node>;

/// What manifests say, as it is being read.
#[derive(Debug, Default)]
struct Project {
    semantic_models: Vec<SemanticModel>,
    metrics: Vec<Metric>,
    /// The table of each node that is one.
    places: HashMap<String, Place>,
    /// The node of each relation, as dbt quotes it.
    relations: HashMap<String, String>,
    names: Names,
    /// The columns that tell the rows of a table apart, sorted.
    unique: HashSet<(Place, Vec<String>)>,
    found: Gathering,
}

impl Project {
    /// Reads what does not depend on tables, and returns the nodes.
    fn take(&mut self, documents: Vec<Document>) -> Nodes {
        let mut nodes = Nodes::new();
        for document in documents {
            nodes.extend(document.nodes.unwrap_or_default());
            nodes.extend(document.sources.unwrap_or_default());
            self.read_meaning(document.semantic_models, document.metrics);
            for (id, exposure) in document.exposures.unwrap_or_default() {
                let name = exposure.name.unwrap_or(id);
                self.found.lose(format!("exposure {name}"), "it says who reads a table, and nothing of what it means");
            }
            for query in document.saved_queries {
                self.found.lose(format!("saved query {}", name_of(&query)), "a query is no meaning of a table");
            }
        }
        self.found.lost.sort();
        self.found.lost.dedup();
        nodes.retain(|_, node| node.config.as_ref().and_then(|config| config.enabled) != Some(false));
        nodes
    }

    /// Reads semantic models and metrics, unless another manifest had them.
    fn read_meaning(&mut self, models: Vec<Value>, metrics: Vec<Value>) {
        for value in models {
            let name = format!("semantic model {}", name_of(&value));
            match serde_json::from_value::<SemanticModel>(value) {
                Ok(model) if self.semantic_models.iter().any(|known| known.name == model.name) => {}
                Ok(model) => self.semantic_models.push(model),
                Err(error) => self.found.lose(name, format!("it cannot be read: {error}")),
            }
        }
        for value in metrics {
            let name = format!("metric {}", name_of(&value));
            match serde_json::from_value::<Metric>(value) {
                Ok(metric) if self.metrics.iter().any(|known| known.name == metric.name) => {}
                Ok(metric) => self.metrics.push(metric),
                Err(error) => self.found.lose(name, format!("it cannot be read: {error}")),
            }
        }
    }

    fn find_tables(&mut self, nodes: &Nodes) {
        for (id, node) in nodes {
            let Some(place) = node.place() else { continue };
            if let Some(relation) = &node.relation_name {
                self.relations.insert(relation.clone(), id.clone());
            }
            self.places.insert(id.clone(), place);
        }
        let of_models = self.semantic_models.iter().filter_map(SemanticModel::place).collect::<Vec<_>>();
        self.names = Names::of(self.places.values().chain(&of_models));
    }

    /// Takes the descriptions of tables and columns.
    fn describe(&mut self, nodes: &Nodes) {
        for (id, node) in nodes {
            if let Some(place) = self.places.get(id).cloned() {
                self.found.add(&place, &node.said());
                self.lose_meta(&place.1, node);
            } else if node.is_ephemeral() {
                let name = node.name.as_deref().unwrap_or(id);
                self.found.lose(name, "an ephemeral model is no table");
            }
        }
    }

    fn lose_meta(&mut self, table: &str, node: &Node) {
        let of_columns = node.columns.iter().flat_map(|columns| &columns.0);
        let of_columns =
            of_columns.filter_map(|(name, column)| Some((format!("{table}.{name}"), column.meta.as_ref()?)));
        let of_table = node.meta.as_ref().map(|meta| (table.to_owned(), meta));
        for (name, meta) in of_table.into_iter().chain(of_columns).filter(|(_, meta)| !meta.is_empty()) {
            let keys = meta.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.found.lose(name, format!("meta ({keys}) is the project's own"));
        }
    }
}

impl Node {
    /// Returns the table that it is.
    fn place(&self) -> Option<Place> {
        let kind = self.resource_type.as_deref()?;
        if !["model", "seed", "snapshot", "source"].contains(&kind) || self.is_ephemeral() {
            return None;
        }
        let name = self.identifier.as_ref().or(self.alias.as_ref()).or(self.name.as_ref())?;
        Some((self.schema.clone(), name.clone()))
    }

    fn is_ephemeral(&self) -> bool {
        self.config.as_ref().and_then(|config| config.materialized.as_deref()) == Some("ephemeral")
    }

    /// Returns the descriptions of the table and its columns.
    fn said(&self) -> TableMetadata {
        let mut said = TableMetadata { description: tidied(self.description.as_deref()), ..TableMetadata::default() };
        for (name, column) in self.columns.iter().flat_map(|columns| &columns.0) {
            if let Some(description) = tidied(column.description.as_deref()) {
                let column = ColumnMetadata { description: Some(description), ..ColumnMetadata::default() };
                said.columns.0.push((name.clone(), column));
            }
        }
        said
    }
}

fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or("without a name")
}

/// Returns a text without white space around it; `None` if nothing is left.
fn tidied(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
