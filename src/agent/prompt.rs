//! The prompts for the model: `prompts/*.md`, compiled in and replaceable by the files of a directory.
//!
//! The system prompt is the same in every run. The first message contains context, schema, focus and limits, with the
//! stable parts before the changing ones, so that providers' prompt caches hit. A file in `focus/` is a focus area.

mod focus;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use minijinja::{Environment, UndefinedBehavior, context};

use self::focus::AREAS;
pub use self::focus::{Aims, Area, DEFAULT_FOCUS, Focus, Front, QUESTIONS_MAX};
use super::journal::Question;
use crate::typeset::spelling::{hint, nearest};

const SYSTEM: &str = include_str!("../../prompts/system.md");
const FIRST: &str = include_str!("../../prompts/first.md");
const ANALYST: &str = include_str!("../../prompts/analyst.md");
const ANALYST_FIRST: &str = include_str!("../../prompts/analyst_first.md");
const INFLUENCE: &str = include_str!("../../prompts/influence.md");
const INVESTIGATION: &str = include_str!("../../prompts/investigation.md");
const INFLUENCE_FIRST: &str = include_str!("../../prompts/influence_first.md");

/// The prompt templates and the focus areas of a run.
#[derive(Debug, Clone)]
pub struct Library {
    system: String,
    first: String,
    analyst: String,
    influence: String,
    areas: BTreeMap<String, Area>,
}

/// The system prompt and the first message of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Briefing {
    pub system: String,
    pub first: String,
}

/// The values that the first message is rendered from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The name of the focus area.
    pub focus: &'a str,
    /// The listing of the schema.
    pub catalog: &'a str,
    /// The users' description of their business.
    pub business_context: Option<&'a str>,
    /// The date that the run treats as today.
    pub as_of: Date,
    /// The newest day in the data; `None` if it is unknown or not before today.
    pub data_end: Option<Date>,
    /// The limits of the run, in words.
    pub limits: &'a str,
    /// The questions that the run answers.
    pub questions: &'a [Question],
}

/// The values that the prompts for a monitor's analyst are rendered from.
#[derive(Debug, Clone, Copy)]
pub struct AnalystMaterial<'a> {
    /// The monitor and its day.
    pub day: &'a str,
    /// The engine's facts, a line each, beginning with their ids.
    pub facts: &'a str,
    /// The engine's other numbers, as tables.
    pub tables: &'a str,
    /// The listing of the schema.
    pub catalog: &'a str,
    /// The limits of the run, in words.
    pub limits: &'a str,
}

/// The values that the question whether events influenced an incident is rendered from.
#[derive(Debug, Clone, Copy)]
pub struct InfluenceMaterial<'a> {
    pub day: &'a str,
    /// The incident in words.
    pub incident: &'a str,
    /// The events, one line each, starting with the id of the event's row.
    pub events: &'a str,
}

/// The values that the focus of a look behind an alert is rendered from.
#[derive(Debug, Clone, Copy)]
pub struct InvestigationMaterial<'a> {
    /// The alert in words.
    pub alert: &'a str,
    /// The tables that its metric is of.
    pub tables: &'a str,
    /// The days that it is about.
    pub first: Date,
    pub last: Date,
    pub days: u32,
}

/// An error while prompts are loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot render the prompt {name}: {source:#}")]
    Template { name: String, source: minijinja::Error },
    #[error("no focus area called `{name}`{}; the areas are {}", hint(.nearest.as_deref()), .known.join(", "))]
    UnknownFocus {
        name: String,
        /// The area with the most similar name.
        nearest: Option<String>,
        known: Vec<String>,
    },
}

impl Default for Library {
    fn default() -> Self {
        Self {
            system: SYSTEM.to_owned(),
            first: FIRST.to_owned(),
            analyst: ANALYST.to_owned(),
            influence: INFLUENCE.to_owned(),
            areas: AREAS.iter().map(|(name, text)| ((*name).to_owned(), Area::plain(*text))).collect(),
        }
    }
}

impl Library {
    /// Returns the compiled-in prompts, replaced and extended by the files of `directory`: `system.md`, `first.md`,
    /// `analyst.md`, `influence.md` and `focus/*.md`.
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
                    let area = Area::of_file(path.clone(), &read(&path)?);
                    library.areas.insert(name.to_owned(), area);
                }
            }
        }
        Ok(library)
    }

    /// Returns the focus areas, sorted by name.
    pub fn areas(&self) -> impl Iterator<Item = Focus<'_>> {
        self.areas.iter().map(|(name, area)| area.focus(name))
    }

    /// Adds a focus area of the user's own.
    pub fn add(&mut self, name: &str, area: Area) {
        self.areas.insert(name.to_owned(), area);
    }

    /// Takes over what the front matter of the area called `name` tells the model.
    pub fn aim(&mut self, name: &str, aims: Aims) {
        if let Some(area) = self.areas.get_mut(name) {
            area.aim(aims);
        }
    }

    /// Returns the focus area called `name`.
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
        let context = context! {
            focus => focus.name,
            focus_text => focus.told(),
            catalog => fenced(material.catalog),
            business_context => fenced(material.business_context.unwrap_or("(none was given)")),
            as_of => material.as_of.to_string(),
            data_end => material.data_end.map(|date| date.to_string()),
            limits => material.limits,
            questions => material.questions.iter().map(|one| format!("{}. {}", one.number, one.text)).collect::<Vec<_>>(),
        };
        Ok(Briefing {
            system: render("system.md", &self.system, &context)?,
            first: render("first.md", &self.first, &context)?,
        })
    }

    /// Renders the briefing for the analyst of a monitor's day.
    pub fn analyst(&self, material: AnalystMaterial<'_>) -> Result<Briefing, Error> {
        let context = context! {
            day => material.day,
            facts => fenced(material.facts),
            tables => fenced(material.tables),
            catalog => fenced(material.catalog),
            limits => material.limits,
        };
        Ok(Briefing {
            system: render("analyst.md", &self.analyst, &context)?,
            first: render("analyst_first.md", ANALYST_FIRST, &context)?,
        })
    }

    /// Renders the text of a focus: what lies behind an alert.
    pub fn investigation(&self, material: InvestigationMaterial<'_>) -> Result<String, Error> {
        let context = context! {
            alert => fenced(material.alert),
            tables => material.tables,
            first => material.first.to_string(),
            last => material.last.to_string(),
            days => material.days,
        };
        render("investigation.md", INVESTIGATION, &context)
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

/// Escapes text from the database or its documentation, so that it cannot close the `<data>` tag around it.
pub(super) fn fenced(text: &str) -> String {
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
