//! Determines the messages that a day requires.

use crate::deliver::Channels;
use crate::monitor::day::Day;
use crate::state::NewMessage;

/// Returns a message for each incident that fires and each recipient of the channels in `names`. Unknown channels are
/// skipped.
pub fn messages(channels: &Channels, names: &[String], day: &Day) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for (name, (recipients, is_digest)) in names.iter().filter_map(|name| Some((name, channels.recipients(name)?))) {
        for incident in day.incidents.iter().filter(|incident| incident.decision.fires.is_some()) {
            messages.extend(recipients.iter().map(|recipient| NewMessage {
                incident: incident.id.clone(),
                channel: name.clone(),
                recipient: recipient.clone(),
                is_digest,
            }));
        }
    }
    messages
}
