//! `explore config`: the settings that hold, and where each comes from.

use std::fmt::Write as _;

use serde_json::json;

use crate::cli::ConfigCommand;
use crate::config::Config;
use crate::config::setting::Setting;
use crate::error::{ExitStatus, Failure};
use crate::model::price::Price;
use crate::output::{Output, printable};

pub(super) fn run(command: &ConfigCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let text = if command.json { format!("{:#}\n", json(config)) } else { toml(config) };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Lines of TOML with the origin as a comment; what has no value is a comment as a whole.
fn toml(config: &Config) -> String {
    let mut lines = config.settings.iter().map(line).collect::<String>();
    if !config.allowed_functions.is_empty() {
        let names = toml::Value::from(config.allowed_functions.iter().cloned().collect::<Vec<_>>());
        let _ = write!(lines, "\n[sql]\nallow_functions = {names}\n");
    }
    for (model, price) in &config.prices {
        let Price { input, cached_input, output } = price;
        let cached = cached_input.map(|amount| format!("cached_input = {amount}\n")).unwrap_or_default();
        let _ = write!(
            lines,
            "\n[prices.{}]\ninput = {input}\n{cached}output = {output}\n",
            toml::Value::from(model.as_str())
        );
    }
    lines
}

fn line(setting: &Setting) -> String {
    match &setting.origin {
        None => format!("# {} is not set\n", setting.key),
        Some(origin) => {
            let assignment = format!("{} = {}", setting.key, printable(&setting.toml()));
            format!("{assignment:<44} # {}\n", printable(&origin.to_string()))
        }
    }
}

fn json(config: &Config) -> serde_json::Value {
    let entry = |setting: &Setting| {
        let origin = setting.origin.as_ref().map(ToString::to_string);
        (setting.key.clone(), json!({ "value": setting.json(), "origin": origin }))
    };
    let mut object = config.settings.iter().map(entry).collect::<serde_json::Map<_, _>>();
    object.insert("sql".to_owned(), json!({ "allow_functions": config.allowed_functions }));
    object.insert("prices".to_owned(), json!(config.prices));
    object.into()
}
