//! The focus of a run, and the layer of its file: TOML between two lines of `+++` at the top. Every error names the file,
//! the line and the key.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use super::file::Source;
use super::setting::{Definition, Definitions, Layer, Origin, Setting, Shape};
use super::{Config, file};
use crate::agent::prompt::{Aims, Area, Focus, Library, QUESTIONS_MAX};
use crate::app::error::Failure;
use crate::typeset::spelling::{hint, nearest};

/// The keys of the front matter.
const KEYS: [&str; 6] = ["questions", "measures", "tables", "model", "effort", "limits"];
/// The name of an area that the user wrote on the command line.
const OWN: &str = "own_question";
/// The heading of the settings that the front matter may have under `limits`.
const LIMITS: &str = "Limits";

/// The front matter of a focus area.
#[derive(Debug, Default)]
pub struct Front {
    pub aims: Aims,
    /// The settings under the names that they have in the front matter.
    pub settings: Vec<Setting>,
    pub(super) layer: Layer,
}

impl Config {
    /// Returns the built-in prompts, replaced and extended by the files in the folder of `--prompts`.
    pub fn library(&self) -> Result<Library, Failure> {
        Ok(match &self.prompts {
            Some(directory) => Library::with_directory(directory)?,
            None => Library::default(),
        })
    }

    /// Returns the prompts with the area to explore, and its name: one of the library, a file, or a text of the user's.
    pub fn area(&self) -> Result<(Library, String), Failure> {
        let Some(text) = &self.focus_text else {
            let (mut library, name) = self.find(&self.focus)?;
            library.aim(&name, self.aims.clone());
            return Ok((library, name));
        };
        if text.trim().is_empty() {
            return Err(Failure::usage(
                "--focus-text is empty: write what to explore, such as \"Why did returns rise?\"",
            ));
        }
        let mut library = self.library()?;
        library.add(OWN, Area::plain(text.as_str()));
        Ok((library, OWN.to_owned()))
    }

    /// Returns the prompts with the area that `wanted` names, and its name: one of the library, or a file.
    pub fn find(&self, wanted: &str) -> Result<(Library, String), Failure> {
        let mut library = self.library()?;
        let path = Path::new(wanted);
        if !path.is_file() || library.focus(wanted).is_ok() {
            return Ok((library, wanted.to_owned()));
        }
        let content = std::fs::read_to_string(path);
        let content = content.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        let name = path.file_stem().map_or_else(|| OWN.to_owned(), |name| name.to_string_lossy().into_owned());
        library.add(&name, Area::of_file(path.to_owned(), &content));
        Ok((library, name))
    }

    /// Returns the front matter of the focus; that of none if the focus cannot be found, which a run says.
    pub(super) fn front(&self) -> Result<Front, Failure> {
        if self.focus_text.is_some() {
            return Ok(Front::default());
        }
        let Ok((library, name)) = self.find(&self.focus) else { return Ok(Front::default()) };
        library.focus(&name).map_or_else(|_| Ok(Front::default()), read)
    }
}

/// Reads the front matter of an area. An area without any has nothing of it.
pub fn read(focus: Focus<'_>) -> Result<Front, Failure> {
    let (Some(front), Some(path)) = (focus.front, focus.path) else { return Ok(Front::default()) };
    if !front.is_closed {
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path}:1: the front matter does not end: a second line of +++ is missing"
        )));
    }
    let definitions = Definitions::all();
    let origin = |path: PathBuf, line| Origin::Focus { path, line };
    let source = Source { path, text: &front.toml, line_before: 1, origin, definitions: &definitions };
    let root = source.parse()?;
    let mut front = Front::default();
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "questions" => front.aims.questions = questions(&source, value)?,
            "measures" => front.aims.measures = texts(&source, value, "measures")?,
            name @ ("tables" | "model") => front.set(&source, name, name, (key, value))?,
            "effort" => front.set(&source, "effort", "reasoning_effort", (key, value))?,
            "limits" => front.limit(&source, value)?,
            _ => return Err(unknown(&source, key, &KEYS, &definitions)),
        }
    }
    Ok(front)
}

impl Front {
    /// Sets the setting `key`, which the front matter calls `name`.
    fn set(&mut self, source: &Source<'_>, name: &str, key: &str, entry: file::Entry<'_, '_>) -> Result<(), Failure> {
        let Some(definition) = source.definitions.get(key) else { return Ok(()) };
        let raw = source.raw(definition, name, entry)?;
        self.settings.push(definition.setting(name, raw.clone()));
        self.layer.insert(key.to_owned(), raw);
        Ok(())
    }

    fn limit(&mut self, source: &Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<(), Failure> {
        let DeValue::Table(limits) = value.get_ref() else {
            return Err(source.expected(value, "limits", "a table, such as { max_queries = 20 }"));
        };
        let known = limits_of(source.definitions);
        for (key, value) in limits {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                return Err(unknown(source, key, &known, source.definitions));
            }
            self.set(source, &format!("limits.{name}"), name, (key, value))?;
        }
        Ok(())
    }
}

fn limits_of(definitions: &Definitions) -> Vec<&str> {
    definitions.iter().filter(|definition| definition.heading() == Some(LIMITS)).map(Definition::key).collect()
}

fn unknown(source: &Source<'_>, key: &Spanned<Cow<'_, str>>, known: &[&str], definitions: &Definitions) -> Failure {
    let name = key.get_ref().as_ref();
    let advice = if limits_of(definitions).contains(&name) {
        "; it belongs under [limits]".to_owned()
    } else {
        hint(nearest(name, known))
    };
    source.failure(key.span(), format!("unknown key `{name}`; the keys here are {}{advice}", known.join(", ")))
}

fn questions(source: &Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Failure> {
    let questions = texts(source, value, "questions")?;
    if questions.len() > QUESTIONS_MAX {
        let message = format!("questions: at most {QUESTIONS_MAX} are asked, found {}", questions.len());
        return Err(source.failure(value.span(), message));
    }
    Ok(questions)
}

/// Returns the texts of a list.
fn texts(source: &Source<'_>, value: &Spanned<DeValue<'_>>, name: &str) -> Result<Vec<String>, Failure> {
    let DeValue::Array(items) = value.get_ref() else {
        return Err(source.expected(value, name, Shape::List.expected()));
    };
    let text = |item: &Spanned<DeValue<'_>>| match item.get_ref().as_str().map(str::trim) {
        Some("") => Err(source.failure(item.span(), format!("{name}: expected a text, found an empty one"))),
        Some(text) => Ok(text.to_owned()),
        None => Err(source.expected(item, name, Shape::Text.expected())),
    };
    items.iter().map(text).collect()
}
