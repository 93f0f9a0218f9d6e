//! The words a model is briefed with: `prompts/*.md`, compiled in, replaceable by files of a directory.
//!
//! The system prompt is the same in every run; the first message carries context, schema, focus and limits, the stable
//! before the changing, so that providers' prompt caches hit. A file in `focus/` is a focus area.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use minijinja::{Environment, UndefinedBehavior, context};

const SYSTEM: &str = include_str!("../prompts/system.md");
const FIRST: &str = include_str!("../prompts/first.md");
const AREAS: [(&str, &str); 5] = [
    ("broad", include_str!("../prompts/focus/broad.md")),
    ("customer_churn", include_str!("../prompts/focus/customer_churn.md")),
    ("margin_analysis", include_str!("../prompts/focus/margin_analysis.md")),
    ("product_performance", include_str!("../prompts/focus/product_performance.md")),
    ("regional_analysis", include_str!("../prompts/focus/regional_analysis.md")),
];

/// The focus area of a run that names none.
pub const DEFAULT_FOCUS: &str = "broad";

/// The prompts of a run.
#[derive(Debug, Clone)]
pub struct Library {
    system: String,
    first: String,
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
            areas: AREAS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        }
    }
}

impl Library {
    /// The prompts that are compiled in, with those replaced or added that `directory` holds: `system.md`, `first.md`,
    /// `focus/*.md`.
    pub fn with_directory(directory: &Path) -> Result<Self, Error> {
        let mut library = Self::default();
        std::fs::read_dir(directory).map_err(|source| Error::Read { path: directory.to_owned(), source })?;
        replace(&mut library.system, &directory.join("system.md"))?;
        replace(&mut library.first, &directory.join("first.md"))?;
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
            nearest: nearest(name, self.areas.keys()),
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
        };
        Ok(Briefing {
            system: render("system.md", &self.system, &context)?,
            first: render("first.md", &self.first, &context)?,
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

/// The name that is most like `name`, if any is like enough to be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.clone())
}
