//! A file for each message, in a folder, whole or not at all. The same message makes the same file again.

use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use tempfile::NamedTempFile;

use super::Message;
use super::channel::{Outcome, Parcel};
use crate::config::channels_section::FileSection;

/// Characters of an incident's id in a file's name.
const NAME_CHARACTERS_MAX: usize = 60;

/// A folder.
#[derive(Debug)]
pub(super) struct FileChannel {
    directory: PathBuf,
}

/// What stands in a file.
#[derive(Serialize)]
struct Content<'m> {
    id: &'m str,
    #[serde(flatten)]
    message: &'m Message,
}

impl FileChannel {
    pub(super) fn open(section: &FileSection) -> Self {
        Self { directory: section.directory.clone() }
    }

    pub(super) fn send(&self, parcel: &Parcel<'_>) -> Outcome {
        match self.write(parcel) {
            Ok(()) => Outcome::Accepted { reference: None },
            Err(error) => Outcome::not_accepted(format!("cannot write into {}: {error}", self.directory.display())),
        }
    }

    fn write(&self, parcel: &Parcel<'_>) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let mut file = NamedTempFile::new_in(&self.directory)?;
        serde_json::to_writer_pretty(&mut file, &Content { id: parcel.id, message: parcel.message })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(self.directory.join(name(parcel)))?;
        Ok(())
    }
}

/// The day, what it is about as far as that makes a name, and the message's own id, which makes it unique.
fn name(parcel: &Parcel<'_>) -> String {
    let day = parcel.at.strftime("%Y-%m-%d");
    let safe = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let about = parcel.incident.unwrap_or("digest").chars().take(NAME_CHARACTERS_MAX).map(safe).collect::<String>();
    format!("{day}_{about}_{}.json", parcel.id)
}
