//! A day as it leaves this machine: with tokens in the place of personal data.

use std::collections::BTreeMap;

use serde_json::Value;

use super::run::Assessed;
use crate::warehouse::privacy::{Masker, Masking, masked_document, masked_text};

/// Returns the day with tokens in the place of the values of personal dimensions, wherever they stand in it.
pub fn masked(masking: &Masking, assessed: &Assessed) -> serde_json::Result<Assessed> {
    let masker = masking.masker();
    let mut known = BTreeMap::new();
    gather(masking, &serde_json::to_value(&assessed.day)?, &masker, &mut known);
    if known.is_empty() {
        return Ok(assessed.clone());
    }
    let known = known.into_iter().collect::<Vec<_>>();
    let charts = assessed.charts.iter().map(|(id, chart)| {
        let mut chart = chart.clone();
        chart.title = masked_text(&chart.title, &known);
        (id.clone(), chart)
    });
    Ok(Assessed {
        day: masked_document(&assessed.day, &known)?,
        charts: charts.collect(),
        influences: masked_document(&assessed.influences, &known)?,
        analysis: masked_document(&assessed.analysis, &known)?,
    })
}

/// Adds the values of personal dimensions: texts that a segment holds under the dimension's name.
fn gather(masking: &Masking, value: &Value, masker: &Masker, known: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let (Some(kind), Some(text)) = (masking.marks.kind_of_name(name), field.as_str()) {
                    known.entry(text.to_owned()).or_insert_with(|| masker.token(kind, text));
                }
                gather(masking, field, masker, known);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(masking, item, masker, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
