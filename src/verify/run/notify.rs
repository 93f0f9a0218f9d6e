//! Who is told of a question, and in which messages.

use std::collections::BTreeMap;

use super::{Checked, Context};
use crate::state::{NewMessage, WrittenMessage};
use crate::verify::folder::Entry;
use crate::verify::memory::Change;
use crate::verify::message::{self, Error};

/// Returns the open channels that are told of a question: those that its file names, or else the configured ones.
pub(super) fn channels(entry: &Entry, context: &Context<'_>) -> Vec<String> {
    let own = entry.question.as_ref().map_or(&[][..], |question| &question.notify);
    let names = if own.is_empty() { context.notify } else { own };
    names.iter().filter(|name| (context.recipients)(name).is_some()).cloned().collect()
}

/// Writes the messages about all questions that have something to tell, each to each recipient. On the channel of a
/// digest all are one message.
pub(super) fn messages(
    all: &[Checked],
    changes: &[Change],
    context: &Context<'_>,
) -> Result<Vec<WrittenMessage>, Error> {
    let mut messages = Vec::new();
    let mut digests = BTreeMap::<(&str, String), Vec<(&Checked, NewMessage)>>::new();
    for checked in all.iter().filter(|checked| !checked.notified.is_empty()) {
        let change = changes.iter().find(|change| change.question == checked.name);
        let incident = change.and_then(|change| change.incident.clone()).unwrap_or_else(|| checked.name.clone());
        let content = serde_json::to_value(message::alert(checked, context)?)?;
        for channel in &checked.notified {
            let Some((recipients, is_digest)) = (context.recipients)(channel) else { continue };
            for recipient in recipients {
                let (incident, channel_name) = (incident.clone(), channel.clone());
                let row = NewMessage { incident, channel: channel_name, recipient: recipient.clone(), is_digest };
                if is_digest {
                    digests.entry((channel, recipient)).or_default().push((checked, row));
                } else {
                    messages.push(WrittenMessage { rows: vec![row], content: content.clone() });
                }
            }
        }
    }
    for told in digests.into_values() {
        let (checked, rows): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        let content = match checked.as_slice() {
            [one] => message::alert(one, context)?,
            several => message::digest(several, context)?,
        };
        messages.push(WrittenMessage { rows, content: serde_json::to_value(content)? });
    }
    Ok(messages)
}
