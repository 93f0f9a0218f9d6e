//! Writes each message to a file in a folder, whole or not at all. The same message produces the same file again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Message;
use super::parcel::{Outcome, Parcel};
use super::settings::FileSection;

/// The length in characters of an incident's id in a file's name.
const NAME_CHARACTERS_MAX: usize = 60;

/// A folder that receives one file per message.
#[derive(Debug)]
pub(super) struct FileChannel {
    directory: PathBuf,
}

/// The content of a message's file.
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

    /// Writes the message to a draft and renames the draft.
    fn write(&self, parcel: &Parcel<'_>) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let name = name(parcel);
        // The draft's name depends only on the message, so the next writer replaces the draft of a killed one.
        let draft = self.directory.join(format!(".{name}.draft"));
        remove_if_there(&draft)?;
        let content = Content { id: parcel.id, message: parcel.message };
        let written = write_new(&draft, &content).and_then(|()| fs::rename(&draft, self.directory.join(name)));
        if written.is_err() {
            // The error of the write is reported, not that of the clean-up.
            let _ = remove_if_there(&draft);
        }
        written
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write_new(path: &Path, content: &Content<'_>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Returns the file's name: the day, the incident, and the message's id, which makes the name unique.
fn name(parcel: &Parcel<'_>) -> String {
    let day = parcel.at.strftime("%Y-%m-%d");
    let safe = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let about = parcel.incident.unwrap_or("digest").chars().take(NAME_CHARACTERS_MAX).map(safe).collect::<String>();
    format!("{day}_{about}_{}.json", parcel.id)
}
