//! Filters of metrics: SQL in which Jinja names a dimension, `{{ Dimension('order__status') }} = 'returned'`.

use std::sync::LazyLock;

use regex::Regex;

use super::manifest::{Element, SemanticModel};
use crate::warehouse::sql::{self, piece};

/// The precisions of `date_trunc` that a dimension of time may have.
const GRAINS: [&str; 8] = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

#[expect(clippy::expect_used, reason = "the expressions are constants, which the tests compile")]
static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{(.*?)\}\}").expect("a valid expression"));

#[expect(clippy::expect_used, reason = "the expressions are constants, which the tests compile")]
static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"^\s*(Dimension|TimeDimension|Entity)\(\s*['"]([^'"]+)['"]\s*(?:,\s*(?:time_granularity_name\s*=\s*)?['"](\w+)['"]\s*)?\)\s*(?:\.grain\(\s*['"](\w+)['"]\s*\))?\s*$"#,
    )
    .expect("a valid expression")
});

/// Returns the condition in SQL over the columns of the model's table, or why it is none.
pub(super) fn resolved(template: &str, model: &SemanticModel) -> Result<String, String> {
    let mut sql = String::new();
    let mut done = 0;
    for found in EXPRESSION.captures_iter(template) {
        let (Some(whole), Some(inner)) = (found.get(0), found.get(1)) else { continue };
        sql.push_str(&template[done..whole.start()]);
        sql.push_str(&object(inner.as_str(), model)?);
        done = whole.end();
    }
    sql.push_str(&template[done..]);
    if sql.contains("{{") || sql.contains("{%") {
        return Err("its filter has Jinja that cannot be resolved".to_owned());
    }
    let read = piece::read(&sql).map_err(|refusal| format!("its filter is no condition: {}", refusal.message))?;
    if read.has_aggregate() {
        return Err("its filter has an aggregate".to_owned());
    }
    Ok(read.text().to_owned())
}

/// Returns the SQL of one object of Jinja.
fn object(text: &str, model: &SemanticModel) -> Result<String, String> {
    let unknown = || format!("its filter names {{{{{text}}}}}, which cannot be resolved");
    let captures = OBJECT.captures(text).ok_or_else(unknown)?;
    let (kind, name) = (captures.get(1).ok_or_else(unknown)?.as_str(), captures.get(2).ok_or_else(unknown)?.as_str());
    let grain = captures.get(4).or(captures.get(3)).map(|grain| grain.as_str());
    if kind == "Entity" {
        let entity = model.entities.iter().flatten().find(|entity| entity.name == name);
        return entity.map(part).ok_or_else(|| format!("its filter names {name}, which is of another table"));
    }
    let dimension = match name.rsplit_once("__") {
        None if name == "metric_time" => model.time_dimension().ok_or_else(unknown)?,
        Some((entity, dimension)) if model.is_entity(entity) => dimension,
        _ => return Err(format!("its filter names {name}, which is of another table")),
    };
    let known = model.dimensions.iter().flatten().find(|known| known.name == dimension);
    let known = known.ok_or_else(|| format!("its filter names {name}, which is no dimension"))?;
    let own = known.type_params.as_ref().and_then(|params| params.time_granularity.as_deref());
    match grain.or(own).filter(|_| known.kind.as_deref() == Some("time")) {
        None => Ok(part(known)),
        Some(grain) if GRAINS.contains(&grain) => Ok(format!("date_trunc('{grain}', {})", known.sql())),
        Some(grain) => Err(format!("its filter goes by {grain}, which is no period of PostgreSQL")),
    }
}

/// Returns a dimension or an entity as a part of a condition.
fn part(element: &Element) -> String {
    match element.column() {
        Some(column) => sql::identifier(&column),
        None => format!("({})", element.sql()),
    }
}
