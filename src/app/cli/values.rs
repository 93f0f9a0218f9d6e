//! Parsers of option values. Their error messages say what was expected.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory as _, ValueEnum};
use jiff::SignedDuration;
use jiff::civil::Date;
use reqwest::Url;
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::app::config::PlanCost;
use crate::app::output::{Color, LogFormat};
use crate::typeset::spelling::{hint, nearest};

/// Parses a whole number from 1. Underscores may group the digits.
pub fn count<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let digits = text.replace('_', "");
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0);
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| "expected a whole number from 1".to_owned())
}

/// Parses an amount of US dollars above 0.
pub fn money(text: &str) -> Result<Decimal, String> {
    let amount = text.parse::<Decimal>().ok().filter(|amount| amount.is_sign_positive() && !amount.is_zero());
    amount.ok_or_else(|| "expected an amount of US dollars above 0, such as 2.50".to_owned())
}

/// Parses a cost above 0, such as `1e9`, or `off`.
pub fn plan_cost(text: &str) -> Result<PlanCost, String> {
    if text == "off" {
        return Ok(PlanCost(None));
    }
    let cost = text.replace('_', "").parse::<f64>().ok().filter(|cost| cost.is_finite() && *cost > 0.0);
    cost.map(|cost| PlanCost(Some(cost))).ok_or_else(|| "expected a cost above 0, such as 1e9, or off".to_owned())
}

/// Parses a duration above 0, such as `30s` or `1h30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a length of time with its unit, such as 30s, 10m or 1h30m".to_owned())
}

/// Parses the name of a data file. A word without a dot and a slash is taken for a command.
pub fn file_argument(text: &str) -> Result<PathBuf, String> {
    if text.contains(['.', '/', std::path::MAIN_SEPARATOR]) {
        return Ok(text.into());
    }
    let command = super::Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>();
    if names.contains(&text) {
        return Err(format!("{text} is a command, and a command stands before its files and options"));
    }
    let meant = hint(nearest(text, names));
    Err(format!("there is no command {text}{meant}; the name of a file has a dot or a slash, such as ./{text}"))
}

/// Parses a name, without the spaces around it.
pub fn name(text: &str) -> Result<String, String> {
    let name = Some(text.trim()).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| "expected a name".to_owned())
}

/// Parses the address of reports, in which `{run}` and `{day}` may stand.
pub fn link(text: &str) -> Result<String, String> {
    endpoint(&text.replace("{run}", "run").replace("{day}", "day"))?;
    Ok(text.trim().to_owned())
}

/// Parses a calendar date.
pub fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "expected a date, such as 2025-11-30".to_owned())
}

/// Parses the URL of an endpoint. A URL with a password is rejected, because the URL is shown in messages.
pub fn endpoint(text: &str) -> Result<Url, String> {
    let expected = || "expected a URL that begins with http:// or https://".to_owned();
    let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(expected)?;
    if url.password().is_some() {
        return Err("expected a URL without a password; the key belongs in OPENAI_API_KEY".to_owned());
    }
    Ok(url)
}

/// Accepts any text as a secret. It never fails, because an error message would show the value.
pub fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

/// Parses the id of a finding that is remembered: `M12`, or `12`.
pub fn finding(text: &str) -> Result<i32, String> {
    let digits = text.strip_prefix(['M', 'm']).unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a finding, such as M12; `explore findings list` lists them".to_owned())
}

/// Parses a share: `20%`, or `0.2`.
pub fn share(text: &str) -> Result<Decimal, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<Decimal>().ok().map(|percent| percent / Decimal::ONE_HUNDRED),
        None => text.parse::<Decimal>().ok(),
    };
    number.filter(|share| *share > Decimal::ZERO).ok_or_else(|| "expected a share, such as 20% or 0.2".to_owned())
}

/// Parses one of `names`, which must be the names that `T` deserialises from.
pub fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(serde_json::Value::String(name)))
}

impl ValueEnum for LogFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Text => PossibleValue::new("text").help("Text for people"),
            Self::Json => PossibleValue::new("json").help("One JSON object per line"),
        })
    }
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto").help("On a terminal, unless the environment says otherwise"),
            Self::Always => PossibleValue::new("always").help("Always"),
            Self::Never => PossibleValue::new("never").help("Never"),
        })
    }
}
