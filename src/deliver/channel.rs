//! Opens the channels of `explore.toml`: reads their secrets and checks their addresses.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::file::FileChannel;
use super::http;
use super::mail::Mail;
use super::parcel::{Outcome, Parcel};
use super::settings::{ChannelKind, ChannelPrivacy, ChannelSection};
use super::slack::Slack;
use super::webhook::Webhook;

/// A channel that cannot be used as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel {channel}: {problem}")]
pub struct Invalid {
    pub channel: String,
    /// Contains no secret.
    pub problem: String,
}

/// The time-outs and retry limits of the sender.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The time limit of one attempt.
    pub timeout: Duration,
    /// The number of attempts that one run makes for one message.
    pub attempts_in_run_max: u32,
    /// The number of attempts over all runs after which a message has failed.
    pub attempts_max: u32,
    /// The delay after the first attempt. It doubles with every further attempt.
    pub delay: Duration,
    /// The total time that a run waits between attempts. A message that must wait longer is left to the next run.
    pub wait_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempts_in_run_max: 3,
            attempts_max: 20,
            delay: Duration::from_secs(1),
            wait_max: Duration::from_secs(5),
        }
    }
}

/// The open channels for alerts, by name. Their debug output contains no secret.
#[derive(Debug)]
pub struct Channels {
    channels: BTreeMap<String, Open>,
    pub(super) pace: Pace,
}

#[derive(Debug)]
struct Open {
    channel: Channel,
    is_digest: bool,
    privacy: ChannelPrivacy,
}

#[derive(Debug)]
enum Channel {
    Slack(Slack),
    Mail(Mail),
    Webhook(Webhook),
    File(FileChannel),
}

impl Channels {
    /// Opens the channels without connecting to them. `variable` looks up secrets in the environment.
    pub fn open(
        sections: &BTreeMap<String, ChannelSection>,
        variable: &dyn Fn(&str) -> Option<String>,
        pace: Pace,
    ) -> Result<Self, Invalid> {
        let invalid = |name: &String, problem: String| Invalid { channel: name.clone(), problem };
        let client = http::client(pace.timeout);
        let open = |(name, section): (&String, &ChannelSection)| {
            let secret = |name: &str| match variable(name).filter(|value| !value.trim().is_empty()) {
                Some(value) => Ok(SecretString::from(value.trim())),
                None => Err(format!("the environment variable {name} is not set")),
            };
            let client = client.clone().map_err(|problem| invalid(name, problem));
            let channel = match &section.kind {
                ChannelKind::Slack(slack) => Slack::open(slack, &secret, client?).map(Channel::Slack),
                ChannelKind::Mail(mail) => Mail::open(mail, &secret, pace.timeout).map(Channel::Mail),
                ChannelKind::Webhook(webhook) => Webhook::open(webhook, &secret, client?).map(Channel::Webhook),
                ChannelKind::File(file) => Ok(Channel::File(FileChannel::open(file))),
            };
            let channel = channel.map_err(|problem| invalid(name, problem))?;
            Ok((name.clone(), Open { channel, is_digest: section.digest, privacy: section.privacy }))
        };
        Ok(Self { channels: sections.iter().map(open).collect::<Result<_, _>>()?, pace })
    }

    /// Adds other open channels. A channel that is already open is kept.
    pub fn add(&mut self, others: Self) {
        for (name, open) in others.channels {
            self.channels.entry(name).or_insert(open);
        }
    }

    /// Checks that every channel that a monitor sends to exists.
    pub fn check(&self, monitor: &str, names: &[String]) -> Result<(), Invalid> {
        match names.iter().find(|name| !self.channels.contains_key(*name)) {
            None => Ok(()),
            Some(name) => {
                let problem = format!("the monitor {monitor} sends to it, but explore.toml has no [channels.{name}]");
                Err(Invalid { channel: name.clone(), problem })
            }
        }
    }

    /// Returns the recipients on the channel called `name`, and whether it receives one message a day about all
    /// incidents. Returns `None` if there is no such channel.
    pub fn recipients(&self, name: &str) -> Option<(Vec<String>, bool)> {
        self.channels.get(name).map(|open| (open.channel.recipients(), open.is_digest))
    }

    /// Returns what the channel gets of personal data; tokens if it is not open.
    pub fn privacy(&self, name: &str) -> ChannelPrivacy {
        self.channels.get(name).map_or(ChannelPrivacy::Masked, |open| open.privacy)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.channels.contains_key(name)
    }

    /// Returns whether sending a message twice does no harm on the channel, or `None` if it is not open.
    pub(super) fn is_repeatable(&self, name: &str) -> Option<bool> {
        self.channels.get(name).map(|open| match open.channel {
            Channel::Webhook(_) | Channel::File(_) => true,
            Channel::Slack(_) | Channel::Mail(_) => false,
        })
    }

    /// Makes one attempt to send a message.
    pub(super) async fn attempt(&self, name: &str, parcel: &Parcel<'_>) -> Outcome {
        match self.channels.get(name).map(|open| &open.channel) {
            Some(Channel::Slack(slack)) => slack.send(parcel).await,
            Some(Channel::Mail(mail)) => mail.send(parcel).await,
            Some(Channel::Webhook(webhook)) => webhook.send(parcel).await,
            Some(Channel::File(file)) => file.send(parcel),
            None => Outcome::not_accepted(format!("channel {name} is not open")),
        }
    }
}

impl Channel {
    /// Returns the recipients under the names that messages carry.
    fn recipients(&self) -> Vec<String> {
        match self {
            Self::Slack(slack) => vec![slack.recipient()],
            Self::Mail(mail) => mail.recipients(),
            Self::Webhook(_) | Self::File(_) => vec![String::new()],
        }
    }
}
