//! EXPLAIN -> [`Proof`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::cost;
use super::protocol::{OWN_LIMITS, Postgres};
use super::session::{Parameters, Statement, Verb};
use crate::warehouse::sql::Select;
use crate::warehouse::{Error, Limits, Proof};

/// Asks for the plan twice: as text, which people read, and as JSON, which names the schema of every relation.
pub(super) async fn prove(database: &dyn Postgres, select: &Select, limits: &Limits) -> Result<Proof, Error> {
    let statement = |verb| Statement { text: select.text(), parameters: Parameters::of(select), verb, made_bytes: 0.0 };
    let text = database.run(&statement(Verb::Explain), limits).await?;
    let lines = text.rows.into_iter().flatten().flatten().collect::<Vec<_>>();
    let (cost, _) = cost::dearest(lines.iter().map(String::as_str));
    // One cell holds the whole plan, so the limit of a query's cell would cut it.
    let whole = Limits { timeout: limits.timeout, ..OWN_LIMITS };
    let tree = database.run(&statement(Verb::ExplainTree), &whole).await?;
    let tree = serde_json::from_str(tree.cell(0, 0).unwrap_or_default())
        .map_err(|error| Error::Statement { message: format!("the server's plan cannot be read: {error}") })?;
    Ok(Proof { plan: lines.join("\n"), relations: relations(&tree), cost })
}

fn relations(tree: &Value) -> BTreeSet<(String, String)> {
    let mut relations = BTreeSet::new();
    let mut nodes = vec![tree];
    while let Some(node) = nodes.pop() {
        match node {
            Value::Array(items) => nodes.extend(items),
            Value::Object(fields) => {
                nodes.extend(fields.values());
                let field = |name| fields.get(name).and_then(Value::as_str).map(str::to_owned);
                relations.extend(field("Schema").zip(field("Relation Name")));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    relations
}
