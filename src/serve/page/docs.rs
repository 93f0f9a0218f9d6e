//! The documentation of the API, made of the same routes, and of its problems.

use axum::extract::Extension;
use axum::response::Html;
use serde::Serialize;
use serde_json::Value;

use super::rendered;
use crate::serve::api::Documentation;
use crate::serve::problem::{Kind, Problem};

#[derive(Serialize)]
struct Content {
    here: &'static str,
    operations: Vec<Operation>,
}

#[derive(Serialize)]
struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    scope: String,
    parameters: Vec<Value>,
    /// The schema of its body.
    body: Option<String>,
}

#[derive(Serialize)]
struct Problems {
    here: &'static str,
    problems: Vec<(&'static str, &'static str, u16)>,
}

pub(super) async fn show(Extension(Documentation(api)): Extension<Documentation>) -> Result<Html<String>, Problem> {
    let document = serde_json::to_value(&*api).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, operation)| described(path, method, operation, &document)).collect::<Vec<_>>()
    });
    rendered(include_str!("docs.html"), None, Content { here: "docs", operations: operations.collect() })
}

fn described(path: &str, method: &str, operation: &Value, document: &Value) -> Operation {
    let text = |key: &str| operation[key].as_str().unwrap_or_default().to_owned();
    let scope = operation["security"][0]["key"][0].as_str().unwrap_or("none").to_owned();
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let schema = name.map_or(schema, |name| &document["components"]["schemas"][name]);
    let body = (!schema.is_null()).then(|| format!("{schema:#}"));
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text("summary"),
        description: text("description"),
        scope,
        parameters,
        body,
    }
}

pub(super) async fn problems() -> Result<Html<String>, Problem> {
    let problems = Kind::ALL.map(|kind| (kind.name(), kind.title(), kind.status().as_u16())).to_vec();
    rendered(include_str!("problems.html"), None, Problems { here: "docs", problems })
}
