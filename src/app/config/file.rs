//! The layer of the file `explore.toml`. Every error names the file and the line. None quotes the line, because it may
//! contain a password.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::FILE_NAME;
use super::setting::{Definition, Definitions, Layer, Origin, Raw, Shape};
use super::sql_section::SqlSection;
use super::verify_section::VerifySection;
use crate::app::error::Failure;
use crate::deliver::settings::{self, ChannelSection};
use crate::model::price::Price;
use crate::typeset::spelling::did_you_mean;

const PRICES: &str = "prices";
const SQL: &str = "sql";
const CHANNELS: &str = "channels";
const VERIFY: &str = "verify";

/// The content of the file: its settings and its sections.
#[derive(Default)]
pub(super) struct File {
    pub(super) layer: Layer,
    pub(super) sections: Sections,
}

/// The sections of the file, which have no flags and no variables.
#[derive(Default, Clone)]
pub(super) struct Sections {
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) sql: SqlSection,
    pub(super) channels: BTreeMap<String, ChannelSection>,
    pub(super) verify: VerifySection,
}

pub(super) type Entry<'e, 'i> = (&'e Spanned<Cow<'i, str>>, &'e Spanned<DeValue<'i>>);

/// Reads the named file, or `explore.toml` in `directory` if it exists.
pub(super) fn read(definitions: &Definitions, named: Option<&Path>, directory: &Path) -> Result<File, Failure> {
    let path = named.unwrap_or(Path::new(FILE_NAME));
    let text = match std::fs::read_to_string(directory.join(path)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(File::default()),
        Err(error) => return Err(Failure::usage(format!("cannot read the configuration {}: {error}", path.display()))),
    };
    let origin = |path: PathBuf, line| Origin::File { path, line };
    let source = Source { path, text: &text, line_before: 0, origin, definitions };
    let root = source.parse()?;
    let mut file = File::default();
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            (PRICES, DeValue::Table(prices)) => file.sections.prices = source.prices(prices)?,
            (SQL, DeValue::Table(sql)) => file.sections.sql = source.sql(sql)?,
            (CHANNELS, DeValue::Table(channels)) => file.sections.channels = source.channels(channels)?,
            (VERIFY, DeValue::Table(verify)) => file.sections.verify = source.verify(verify)?,
            (name @ (PRICES | SQL | CHANNELS | VERIFY), _) => return Err(source.expected(value, name, "a table")),
            (name, _) => {
                let known = || definitions.iter().map(Definition::key).chain([PRICES, SQL, CHANNELS, VERIFY]);
                let definition = definitions.get(name).ok_or_else(|| source.unknown(key, known()))?;
                file.layer.insert(name.to_owned(), source.raw(definition, name, (key, value))?);
            }
        }
    }
    Ok(file)
}

/// TOML of a file with its path, to report the line of an error.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    /// The number of the line before the text in the file.
    pub(super) line_before: usize,
    /// Makes the origin of a value on a line.
    pub(super) origin: fn(PathBuf, usize) -> Origin,
    pub(super) definitions: &'a Definitions,
}

impl<'a> Source<'a> {
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'a>>, Failure> {
        DeTable::parse(self.text).map_err(|error| {
            let message = format!("not TOML: {}", error.message().replace('\n', ", "));
            self.failure(error.span().unwrap_or_default(), message)
        })
    }
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().iter().take(span.start);
        before.filter(|byte| **byte == b'\n').count() + self.line_before + 1
    }

    pub(super) fn failure(&self, span: Range<usize>, message: impl fmt::Display) -> Failure {
        Failure::usage(format!("{}:{}: {message}", self.path.display(), self.line(&span)))
    }

    pub(super) fn expected(&self, value: &Spanned<DeValue<'_>>, name: &str, expected: &str) -> Failure {
        self.failure(value.span(), format!("{name}: expected {expected}, found {}", kind(value.get_ref())))
    }

    fn unknown<'k>(&self, key: &Spanned<Cow<'_, str>>, known: impl Iterator<Item = &'k str>) -> Failure {
        let known = known.collect::<Vec<_>>();
        let name = key.get_ref();
        let advice = if self.definitions.get(name).is_some() {
            "it belongs above the first [table] of the file".to_owned()
        } else {
            did_you_mean(name, &known, || format!("the keys here are {}", known.join(", ")))
        };
        self.failure(key.span(), format!("unknown key `{name}`; {advice}"))
    }

    /// Returns the value of a setting, which errors call `name`.
    pub(super) fn raw(&self, definition: &Definition, name: &str, (key, value): Entry<'_, '_>) -> Result<Raw, Failure> {
        let texts = texts(definition.shape(), value.get_ref())
            .ok_or_else(|| self.expected(value, name, definition.shape().expected()))?;
        definition.check(&texts).map_err(|reason| self.failure(value.span(), format!("{name}: {reason}")))?;
        Ok(Raw { texts, origin: (self.origin)(PathBuf::from(self.path), self.line(&key.span())) })
    }

    fn prices(&self, models: &DeTable<'_>) -> Result<BTreeMap<String, Price>, Failure> {
        models.iter().map(|(model, price)| Ok((model.get_ref().to_string(), self.price(model, price)?))).collect()
    }

    fn price(&self, model: &Spanned<Cow<'_, str>>, price: &Spanned<DeValue<'_>>) -> Result<Price, Failure> {
        const KNOWN: [&str; 3] = ["input", "cached_input", "output"];
        let name = format!("{PRICES}.{:?}", model.get_ref());
        let DeValue::Table(amounts) = price.get_ref() else { return Err(self.expected(price, &name, "a table")) };
        if let Some(key) = amounts.keys().find(|key| !KNOWN.contains(&key.get_ref().as_ref())) {
            return Err(self.unknown(key, KNOWN.into_iter()));
        }
        let amount = |field: &str| {
            let Some((_, value)) = amounts.iter().find(|(key, _)| key.get_ref() == field) else { return Ok(None) };
            let amount = number(value.get_ref()).and_then(|text| text.parse::<Decimal>().ok());
            match amount.filter(|amount| !amount.is_sign_negative()) {
                Some(amount) => Ok(Some(amount)),
                None => Err(self.expected(value, &format!("{name}.{field}"), "US dollars per million tokens")),
            }
        };
        let required = |field: &str| {
            amount(field)?.ok_or_else(|| self.failure(model.span(), format!("{name}: `{field}` is missing")))
        };
        Ok(Price { input: required("input")?, cached_input: amount("cached_input")?, output: required("output")? })
    }

    fn sql(&self, section: &DeTable<'_>) -> Result<SqlSection, Failure> {
        let mut sql = SqlSection::default();
        for (key, value) in section {
            match key.get_ref().as_ref() {
                "allow_functions" => sql.allow_functions = self.names(value, "sql.allow_functions")?,
                "allow_views" => sql.allow_views = self.names(value, "sql.allow_views")?,
                "allow_operators" => sql.allow_operators = self.names(value, "sql.allow_operators")?,
                "set_local" => sql.set_local = self.set_local(value)?,
                _ => {
                    let known = ["allow_functions", "allow_views", "allow_operators", "set_local"];
                    return Err(self.unknown(key, known.into_iter()));
                }
            }
        }
        Ok(sql)
    }

    fn channels(&self, channels: &DeTable<'_>) -> Result<BTreeMap<String, ChannelSection>, Failure> {
        let channel = |(name, value): Entry<'_, '_>| {
            let key = format!("{CHANNELS}.{:?}", name.get_ref());
            if !matches!(value.get_ref(), DeValue::Table(_)) {
                return Err(self.expected(value, &key, "a table"));
            }
            let section = settings::read(value.clone());
            let section = section.map_err(|problem| {
                self.failure(problem.span.unwrap_or_else(|| name.span()), format!("{key}: {}", problem.message))
            })?;
            Ok((name.get_ref().to_string(), section))
        };
        channels.iter().map(channel).collect()
    }

    fn verify(&self, section: &DeTable<'_>) -> Result<VerifySection, Failure> {
        let mut verify = VerifySection::default();
        for (key, value) in section {
            if key.get_ref() != "notify" {
                return Err(self.unknown(key, ["notify"].into_iter()));
            }
            verify.notify = self.names(value, "verify.notify")?.into_iter().collect();
        }
        Ok(verify)
    }

    fn names(&self, value: &Spanned<DeValue<'_>>, key: &str) -> Result<BTreeSet<String>, Failure> {
        let DeValue::Array(names) = value.get_ref() else {
            return Err(self.expected(value, key, Shape::List.expected()));
        };
        let name = |name: &Spanned<DeValue<'_>>| {
            let text = name.get_ref().as_str().filter(|text| !text.trim().is_empty());
            text.map(str::to_owned).ok_or_else(|| self.expected(name, key, "a name"))
        };
        names.iter().map(name).collect()
    }

    /// Parses `set_local`. Only settings with a dot in their name are accepted, such as those that row-level policies
    /// read. Settings without a dot are the server's own, and some of them keep a query within its limits.
    fn set_local(&self, value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, String>, Failure> {
        const KEY: &str = "sql.set_local";
        let expected = "a table of settings, such as { \"app.tenant\" = \"42\" }";
        let DeValue::Table(settings) = value.get_ref() else { return Err(self.expected(value, KEY, expected)) };
        let setting = |(name, value): Entry<'_, '_>| {
            let name = name.get_ref().to_string();
            let text = value.get_ref().as_str().map(str::to_owned);
            let text = text.ok_or_else(|| self.expected(value, &format!("{KEY}.{name:?}"), Shape::Text.expected()))?;
            if name.contains('.') {
                return Ok((name, text));
            }
            let message = format!(
                "{KEY}: {name:?} is a setting of the server; only those with a dot, such as \
                                   \"app.tenant\", can be set here"
            );
            Err(self.failure(value.span(), message))
        };
        settings.iter().map(setting).collect()
    }
}

/// Returns the texts of a value, or `None` if the value does not have the shape.
fn texts(shape: Shape, value: &DeValue<'_>) -> Option<Vec<OsString>> {
    let text = match (shape, value) {
        (Shape::Switch, DeValue::Boolean(value)) => value.to_string(),
        (Shape::Repeats | Shape::Count, DeValue::Integer(_))
        | (Shape::Amount, DeValue::Integer(_) | DeValue::Float(_)) => number(value)?,
        (Shape::Date, DeValue::Datetime(date)) => date.to_string(),
        (Shape::Amount | Shape::Date | Shape::Text | Shape::List, DeValue::String(text)) => text.to_string(),
        (Shape::List, DeValue::Array(items)) => {
            return items.iter().map(|item| item.get_ref().as_str().map(OsString::from)).collect();
        }
        _ => return None,
    };
    Some(vec![text.into()])
}

/// Returns a number as decimal text.
fn number(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|integer| integer.to_string())
        }
        DeValue::Float(float) => Some(float.as_str().to_owned()),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
