//! `/v1/schema`: the tables as callers see them.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::extract::{At, Id, Listing, tagged};
use crate::serve::Service;
use crate::serve::access::{By, Read, Schema};
use crate::serve::problem::Problem;
use crate::warehouse::catalog::{Catalog, Column, Table};

/// A table in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Overview {
    /// As `schema.name`.
    name: String,
    description: Option<String>,
    /// The planner's estimate.
    rows_estimate: Option<u64>,
    columns: usize,
}

/// A table.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Described {
    #[serde(flatten)]
    overview: Overview,
    primary_key: Vec<String>,
    fields: Vec<Field>,
}

/// A column of a table.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Field {
    name: String,
    /// The type as PostgreSQL writes it.
    type_name: String,
    nullable: bool,
    description: Option<String>,
    unit: Option<String>,
    /// Whether its values are personal or secret.
    sensitive: bool,
}

impl Overview {
    fn of(table: &Table) -> Self {
        Self {
            name: format!("{}.{}", table.schema, table.name),
            description: table.description.clone(),
            rows_estimate: table.rows_estimate,
            columns: table.columns.len(),
        }
    }
}

impl Field {
    fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            nullable: column.nullable,
            description: column.description.clone(),
            unit: column.unit.clone(),
            sensitive: column.sensitive,
        }
    }
}

fn listing(catalog: &Catalog) -> Listing<Overview> {
    Listing { data: catalog.tables.iter().map(Overview::of).collect(), next_cursor: None }
}

pub(super) async fn list(State(service): State<Service>, _: By<Read>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(tagged(&listing(&service.ready()?.opened().catalog), &headers))
}

pub(super) async fn show(
    State(service): State<Service>,
    _: By<Read>,
    At(Id { id }): At<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let opened = service.ready()?.opened();
    let table = opened.catalog.tables.iter().find(|table| format!("{}.{}", table.schema, table.name) == id);
    let table =
        table.ok_or_else(|| Problem::not_found(format!("there is no table {id:?}; /v1/schema/tables lists them")))?;
    let fields = table.columns.iter().map(Field::of).collect();
    let described = Described { overview: Overview::of(table), primary_key: table.primary_key.clone(), fields };
    Ok(tagged(&described, &headers))
}

pub(super) async fn refresh(State(service): State<Service>, _: By<Schema>) -> Result<Json<Listing<Overview>>, Problem> {
    Ok(Json(listing(&service.ready()?.refresh().await?.catalog)))
}
