//! `explore config`: prints the settings in effect and the origin of each.

use std::fmt::Write as _;

use serde_json::json;

use crate::app::cli::ConfigCommand;
use crate::app::config::setting::Setting;
use crate::app::config::{Config, SqlSection};
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::model::price::Price;
use crate::typeset::text::printable;

pub(super) fn run(command: &ConfigCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let text = if command.json { format!("{:#}\n", json(config)) } else { toml(config) };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Formats the settings as TOML. The origin of a setting is a comment after it. A setting without a value is a comment.
fn toml(config: &Config) -> String {
    let mut lines = config.settings.iter().map(line).collect::<String>();
    lines.push_str(&sql(&config.sql));
    if !config.verify.notify.is_empty() {
        let _ = write!(lines, "\n[verify]\nnotify = {}\n", toml::Value::from(config.verify.notify.clone()));
    }
    for (name, channel) in &config.channels {
        let keys = toml::to_string(channel).unwrap_or_default();
        let _ = write!(lines, "\n[channels.{}]\n{keys}", toml::Value::from(name.as_str()));
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

/// Formats the section `[sql]` without its empty keys. Returns an empty text if all keys are empty.
fn sql(section: &SqlSection) -> String {
    let SqlSection { allow_functions, allow_views, allow_operators, set_local } = section;
    let mut lines = String::new();
    let lists =
        [("allow_functions", allow_functions), ("allow_views", allow_views), ("allow_operators", allow_operators)];
    for (key, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(lines, "{key} = {}", toml::Value::from(names.iter().cloned().collect::<Vec<_>>()));
    }
    if !set_local.is_empty() {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let settings = set_local.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
        let _ = writeln!(lines, "set_local = {{ {} }}", settings.collect::<Vec<_>>().join(", "));
    }
    if lines.is_empty() { lines } else { format!("\n[sql]\n{lines}") }
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
    object.insert("sql".to_owned(), json!(config.sql));
    object.insert("verify".to_owned(), json!(config.verify));
    object.insert("channels".to_owned(), json!(config.channels));
    object.insert("prices".to_owned(), json!(config.prices));
    object.into()
}
