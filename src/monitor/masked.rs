//! A day as it leaves this machine: with tokens in the place of personal data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::run::Assessed;
use crate::warehouse::privacy::{Key, Marks, Masker, masked_text};

/// What is known of personal data, and the key of the tokens.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    pub marks: Marks,
    pub key: Key,
}

impl Masking {
    /// Returns the day with tokens in the place of the values of personal dimensions, wherever they stand in it.
    pub fn masked(&self, assessed: &Assessed) -> serde_json::Result<Assessed> {
        let masker = Masker::new(self.key.clone());
        let mut known = BTreeMap::new();
        self.gather(&serde_json::to_value(&assessed.day)?, &masker, &mut known);
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
            day: replaced(&assessed.day, &known)?,
            charts: charts.collect(),
            influences: replaced(&assessed.influences, &known)?,
            analysis: replaced(&assessed.analysis, &known)?,
        })
    }

    /// Adds the values of personal dimensions: texts that a segment holds under the dimension's name.
    fn gather(&self, value: &Value, masker: &Masker, known: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if let (Some(kind), Some(text)) = (self.marks.kind_of_name(name), field.as_str()) {
                        known.entry(text.to_owned()).or_insert_with(|| masker.token(kind, text));
                    }
                    self.gather(field, masker, known);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item, masker, known)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn replaced<T: Serialize + DeserializeOwned>(of: &T, known: &[(String, String)]) -> serde_json::Result<T> {
    let mut value = serde_json::to_value(of)?;
    replace(&mut value, known);
    serde_json::from_value(value)
}

fn replace(value: &mut Value, known: &[(String, String)]) {
    match value {
        Value::String(text) => *text = masked_text(text, known),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, known)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
