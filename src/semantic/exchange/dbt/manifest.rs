//! The parts of dbt's manifests that say what tables mean, as dbt 1.10 writes them. Other keys are passed over.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};

use crate::semantic::metadata::ByName;

/// `manifest.json` or `semantic_manifest.json`, which has lists where the other one has objects.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Document {
    pub(super) nodes: Option<BTreeMap<String, Node>>,
    pub(super) sources: Option<BTreeMap<String, Node>>,
    #[serde(default, deserialize_with = "list")]
    pub(super) semantic_models: Vec<Value>,
    #[serde(default, deserialize_with = "list")]
    pub(super) metrics: Vec<Value>,
    #[serde(default, deserialize_with = "list")]
    pub(super) saved_queries: Vec<Value>,
    pub(super) exposures: Option<BTreeMap<String, Exposure>>,
}

/// Reads a list, or the values of an object.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Array(list)) => list,
        Some(Value::Object(object)) => object.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    })
}

/// Somebody who reads tables.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Exposure {
    pub(super) name: Option<String>,
}

/// A model, seed, snapshot, source or test.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Node {
    pub(super) resource_type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) source_name: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) identifier: Option<String>,
    pub(super) relation_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) columns: Option<ByName<Column>>,
    pub(super) constraints: Option<Vec<Constraint>>,
    pub(super) config: Option<Config>,
    pub(super) meta: Option<Map<String, Value>>,
    pub(super) test_metadata: Option<TestMetadata>,
    pub(super) column_name: Option<String>,
    #[serde(rename = "attached_node")]
    pub(super) attached: Option<String>,
    pub(super) depends_on: Option<DependsOn>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Column {
    pub(super) description: Option<String>,
    pub(super) constraints: Option<Vec<Constraint>>,
    pub(super) meta: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Constraint {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) to: Option<String>,
    pub(super) to_columns: Option<Vec<String>>,
    pub(super) columns: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) enabled: Option<bool>,
    pub(super) materialized: Option<String>,
    pub(super) severity: Option<String>,
    #[serde(rename = "where")]
    pub(super) condition: Option<String>,
    pub(super) error_if: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TestMetadata {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) kwargs: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct DependsOn {
    pub(super) nodes: Option<Vec<String>>,
}

/// A semantic model.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SemanticModel {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) node_relation: Option<Relation>,
    pub(super) defaults: Option<Defaults>,
    pub(super) primary_entity: Option<String>,
    pub(super) entities: Option<Vec<Element>>,
    pub(super) dimensions: Option<Vec<Element>>,
    pub(super) measures: Option<Vec<Measure>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Relation {
    pub(super) alias: Option<String>,
    pub(super) schema_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Defaults {
    pub(super) agg_time_dimension: Option<String>,
}

/// An entity or a dimension.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Element {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    pub(super) label: Option<String>,
    pub(super) expr: Option<Text>,
    pub(super) type_params: Option<TimeParams>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TimeParams {
    pub(super) time_granularity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) agg: Option<String>,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) expr: Option<Text>,
    pub(super) agg_params: Option<AggregateParams>,
    pub(super) agg_time_dimension: Option<String>,
    pub(super) non_additive_dimension: Option<NonAdditive>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct AggregateParams {
    pub(super) percentile: Option<f64>,
    pub(super) use_discrete_percentile: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct NonAdditive {
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) type_params: Option<MetricParams>,
    pub(super) filter: Option<Filter>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct MetricParams {
    pub(super) measure: Option<Input>,
    pub(super) numerator: Option<Input>,
    pub(super) denominator: Option<Input>,
    pub(super) expr: Option<Text>,
    pub(super) metrics: Option<Vec<Input>>,
}

/// What a metric is made of: a measure or another metric.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) filter: Option<Filter>,
    pub(super) fill_nulls_with: Option<Value>,
    pub(super) offset_window: Option<IgnoredAny>,
    pub(super) offset_to_grain: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    pub(super) where_filters: Option<Vec<Where>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Where {
    pub(super) where_sql_template: Option<String>,
}

/// SQL, which may be written as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Words(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl std::fmt::Display for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Words(words) => formatter.write_str(words),
            Self::Number(number) => number.fmt(formatter),
            Self::Truth(truth) => truth.fmt(formatter),
        }
    }
}
