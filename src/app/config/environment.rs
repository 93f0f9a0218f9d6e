//! The layer of the environment variables. An empty variable counts as not set.

use std::ffi::OsString;
use std::path::PathBuf;

use super::setting::{Definition, Definitions, Layer, Origin, Raw, Shape};
use super::{FILE_VARIABLE, PREFIX};
use crate::app::error::Failure;
use crate::typeset::spelling::{hint, nearest_by};

/// The settings in the environment, with the variables that are not settings.
pub(super) struct Environment {
    pub(super) layer: Layer,
    /// The configuration file that `EXPLORE_CONFIG` names.
    pub(super) file: Option<PathBuf>,
    pub(super) rest: Rest,
}

/// What the environment says beyond settings.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) warnings: Vec<String>,
    /// The folder in which programs keep the user's data, by the XDG Base Directory Specification.
    pub(super) data_home: Option<PathBuf>,
}

pub(super) fn read(
    definitions: &Definitions,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Environment, Failure> {
    let mut environment = Environment { layer: Layer::new(), file: None, rest: Rest::default() };
    let mut home = None;
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        if value.is_empty() {
            continue;
        }
        if name == FILE_VARIABLE {
            environment.file = Some(value.into());
        } else if name == "HOME" {
            home = Some(PathBuf::from(value));
        } else if name == "XDG_DATA_HOME" {
            // The specification says that a relative path must be ignored.
            environment.rest.data_home = Some(PathBuf::from(value)).filter(|path| path.is_absolute());
        } else if let Some(definition) = definitions.iter().find(|definition| definition.variable() == name) {
            let texts = match definition.shape() {
                Shape::List => value.to_string_lossy().split(',').map(|text| text.trim().into()).collect(),
                _ => vec![value],
            };
            definition.check(&texts).map_err(|reason| Failure::usage(format!("{name}: {reason}")))?;
            environment.layer.insert(definition.key().to_owned(), Raw { texts, origin: Origin::Variable { name } });
        } else if name.starts_with(PREFIX) {
            environment.rest.warnings.push(unknown(definitions, &name));
        }
    }
    environment.rest.data_home = environment.rest.data_home.or_else(|| home.map(|home| home.join(".local/share")));
    Ok(environment)
}

fn unknown(definitions: &Definitions, name: &str) -> String {
    let key = name.trim_start_matches(PREFIX).to_lowercase();
    let meant = nearest_by(&key, definitions.iter(), |definition| definition.key());
    format!("unknown variable {name}{}", hint(meant.map(Definition::variable)))
}
