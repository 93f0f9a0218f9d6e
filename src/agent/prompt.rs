//! The words a model is briefed with: `prompts/*.md`, compiled in, replaceable by files of a directory.
//!
//! The system prompt is the same in every run; the first message carries context, schema, focus and limits, the stable
//! before the changing, so that providers' prompt caches hit. A file in `focus/` is a focus area.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use minijinja::{Environment, UndefinedBehavior, context};

use crate::typeset::spelling::nearest;

const SYSTEM: &str = include_str!("../../prompts/system.md");
const FIRST: &str = include_str!("../../prompts/first.md");
/// How figures are checked: what every prompt says that asks for findings.
const CHECKING: &str = include_str!("../../prompts/checking.md");
const ANALYST: &str = include_str!("../../prompts/analyst.md");
const ANALYST_FIRST: &str = include_str!("../../prompts/analyst_first.md");
const INFLUENCE: &str = include_str!("../../prompts/influence.md");
const INFLUENCE_FIRST: &str = include_str!("../../prompts/influence_first.md");
const AREAS: [(&str, &str); 5] = [
    ("broad", include_str!("../../prompts/focus/broad.md")),
    ("customer_churn", include_str!("../../prompts/focus/customer_churn.md")),
    ("margin_analysis", include_str!("../../prompts/focus/margin_analysis.md")),
    ("product_performance", include_str!("../../prompts/focus/product_performance.md")),
    ("regional_analysis", include_str!("../../prompts/focus/regional_analysis.md")),
];

/// The focus area of a run that names none.
pub const DEFAULT_FOCUS: &str = "broad";

/// The prompts of a run.
#[derive(Debug, Clone)]
pub struct Library {
    system: String,
    first: String,
    analyst: String,
    influence: String,
    areas: BTreeMap<String, String>,
}

/// A focus area, as `explore focus list` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus<'a> {
    /// The name to choose it by: the file's name without `.md`.
    pub name: &'a str,
    /// What it looks for: the first line of the file's text after its heading.
    pub summary: &'a str,
    /// The whole file.
    pub text: &'a str,
}

/// What the first request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Briefing {
    /// The system prompt.
    pub system: String,
    /// The first message.
    pub first: String,
}

/// What the first message is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The focus area's name.
    pub focus: &'a str,
    /// The schema's listing.
    pub catalog: &'a str,
    /// The domain, in people's words.
    pub business_context: Option<&'a str>,
    /// The day taken for today.
    pub as_of: Date,
    /// The newest day in the data, where it is known and before today.
    pub data_end: Option<Date>,
    /// The limits of the run, in words.
    pub limits: &'a str,
}

/// What the analyst of a monitor's day is told.
#[derive(Debug, Clone, Copy)]
pub struct AnalystMaterial<'a> {
    /// The monitor and its day.
    pub day: &'a str,
    /// The engine's numbers, as tables with ids.
    pub tables: &'a str,
    /// The schema's listing.
    pub catalog: &'a str,
    /// The limits of the run, in words.
    pub limits: &'a str,
}

/// What is asked whether events influenced an incident.
#[derive(Debug, Clone, Copy)]
pub struct InfluenceMaterial<'a> {
    /// The day.
    pub day: &'a str,
    /// The incident in words.
    pub incident: &'a str,
    /// The events, a line each that begins with its row's id.
    pub events: &'a str,
}

/// Prompts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template does not render.
    #[error("the prompt {name} does not render: {source:#}")]
    Template {
        /// The prompt's name.
        name: String,
        /// Why.
        source: minijinja::Error,
    },
    /// There is no such focus area.
    #[error("no focus area called `{name}`{}; the areas are {}", nearest_hint(.nearest.as_deref()), .known.join(", "))]
    UnknownFocus {
        /// What was asked for.
        name: String,
        /// The area whose name is nearest.
        nearest: Option<String>,
        /// All areas.
        known: Vec<String>,
    },
}

fn nearest_hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}

impl Default for Library {
    fn default() -> Self {
        Self {
            system: SYSTEM.to_owned(),
            first: FIRST.to_owned(),
            analyst: ANALYST.to_owned(),
            influence: INFLUENCE.to_owned(),
            areas: AREAS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        }
    }
}

impl Library {
    /// The prompts that are compiled in, with those replaced or added that `directory` holds: `system.md`, `first.md`,
    /// `analyst.md`, `influence.md`, `focus/*.md`.
    pub fn with_directory(directory: &Path) -> Result<Self, Error> {
        let mut library = Self::default();
        std::fs::read_dir(directory).map_err(|source| Error::Read { path: directory.to_owned(), source })?;
        replace(&mut library.system, &directory.join("system.md"))?;
        replace(&mut library.first, &directory.join("first.md"))?;
        replace(&mut library.analyst, &directory.join("analyst.md"))?;
        replace(&mut library.influence, &directory.join("influence.md"))?;
        let areas = directory.join("focus");
        if areas.is_dir() {
            let entries = std::fs::read_dir(&areas).map_err(|source| Error::Read { path: areas.clone(), source })?;
            for entry in entries {
                let path = entry.map_err(|source| Error::Read { path: areas.clone(), source })?.path();
                if let (Some("md"), Some(name)) =
                    (path.extension().and_then(|name| name.to_str()), path.file_stem().and_then(|name| name.to_str()))
                {
                    let text = read(&path)?;
                    library.areas.insert(name.to_owned(), text);
                }
            }
        }
        Ok(library)
    }

    /// The focus areas, by name.
    pub fn areas(&self) -> impl Iterator<Item = Focus<'_>> {
        self.areas.iter().map(|(name, text)| Focus { name, summary: summary(text), text })
    }

    /// The focus area of that name.
    pub fn focus(&self, name: &str) -> Result<Focus<'_>, Error> {
        self.areas().find(|focus| focus.name == name).ok_or_else(|| Error::UnknownFocus {
            name: name.to_owned(),
            nearest: nearest(name, self.areas.keys()).cloned(),
            known: self.areas.keys().cloned().collect(),
        })
    }

    /// Renders the system prompt and the first message.
    pub fn brief(&self, material: Material<'_>) -> Result<Briefing, Error> {
        let focus = self.focus(material.focus)?;
        let body =
            focus.text.split_once('\n').filter(|(line, _)| line.starts_with('#')).map_or(focus.text, |(_, body)| body);
        let context = context! {
            focus => focus.name,
            focus_text => body.trim(),
            catalog => fenced(material.catalog),
            business_context => fenced(material.business_context.unwrap_or("(none was given)")),
            as_of => material.as_of.to_string(),
            data_end => material.data_end.map(|date| date.to_string()),
            limits => material.limits,
            checking => CHECKING.trim(),
        };
        Ok(Briefing {
            system: render("system.md", &self.system, &context)?,
            first: render("first.md", &self.first, &context)?,
        })
    }

    /// Renders what the analyst of a monitor's day is briefed with.
    pub fn analyst(&self, material: AnalystMaterial<'_>) -> Result<Briefing, Error> {
        let context = context! {
            day => material.day,
            tables => fenced(material.tables),
            catalog => fenced(material.catalog),
            limits => material.limits,
            checking => CHECKING.trim(),
        };
        Ok(Briefing {
            system: render("analyst.md", &self.analyst, &context)?,
            first: render("analyst_first.md", ANALYST_FIRST, &context)?,
        })
    }

    /// Renders the question whether events influenced an incident.
    pub fn influence(&self, material: InfluenceMaterial<'_>) -> Result<Briefing, Error> {
        let context = context! {
            day => material.day,
            incident => fenced(material.incident),
            events => fenced(material.events),
        };
        Ok(Briefing {
            system: render("influence.md", &self.influence, &context)?,
            first: render("influence_first.md", INFLUENCE_FIRST, &context)?,
        })
    }
}

fn render(name: &str, template: &str, context: &minijinja::Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .render_named_str(name, template, context)
        .map(|text| text.trim().to_owned())
        .map_err(|source| Error::Template { name: name.to_owned(), source })
}

/// Text of the database or its documentation, unable to close the `<data>` that it stands in.
fn fenced(text: &str) -> String {
    text.trim().replace("</data", "<\u{200b}/data")
}

fn replace(text: &mut String, path: &Path) -> Result<(), Error> {
    if path.is_file() {
        *text = read(path)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn summary(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default()
}
