//! `[channels.NAME]` of the configuration file: where alerts are sent. The file contains no secrets, only the names of
//! the environment variables that hold them.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

/// The settings of one channel for alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelSection {
    #[serde(flatten)]
    pub kind: ChannelKind,
    /// Whether one message a day covers all incidents.
    pub digest: bool,
    /// Whether messages show personal data or tokens in their place.
    pub privacy: ChannelPrivacy,
}

/// What a channel gets of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelPrivacy {
    /// The values.
    Full,
    /// Tokens in their place.
    Masked,
}

impl ChannelPrivacy {
    /// Returns what a channel gets that does not say: one that leaves this machine gets tokens.
    fn default_of(kind: &ChannelKind) -> Self {
        match kind {
            ChannelKind::Slack(_) | ChannelKind::Mail(_) | ChannelKind::Webhook(_) => Self::Masked,
            ChannelKind::File(_) => Self::Full,
        }
    }
}

/// The kind of a channel, with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ChannelKind {
    Slack(SlackSection),
    Mail(MailSection),
    Webhook(WebhookSection),
    File(FileSection),
}

/// A Slack channel: an incoming webhook, or a bot, which keeps the messages about an incident in one thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackSection {
    /// The environment variable that holds the URL of an incoming webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// The environment variable that holds a bot's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// The bot's channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The base URL of Slack's API, for the bot.
    #[serde(default = "slack_api")]
    pub api_url: String,
}

fn slack_api() -> String {
    "https://slack.com/api".to_owned()
}

/// The settings of mail over SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSection {
    /// The server's host name.
    pub server: String,
    /// The server's port; `None` means the default port of the encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default)]
    pub encryption: Encryption,
    /// The user for the login; `None` if the server requires no login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The environment variable that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// The sender's mailbox.
    pub from: String,
    /// The recipients' mailboxes. Each receives a mail of its own.
    pub to: Vec<String>,
}

/// The encryption of the connection to a mail server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// TLS from the start, by default on port 465.
    #[default]
    Tls,
    /// TLS after the greeting, by default on port 587. Nothing is sent without it.
    Starttls,
    /// No encryption, by default on port 25, for a server on the same machine.
    None,
}

/// A URL that receives JSON messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    /// The environment variable that holds the URL.
    pub url_env: String,
    /// The environment variable that holds the secret for signing requests.
    pub secret_env: String,
}

/// A folder that receives messages as JSON files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSection {
    /// The folder. It is created if it does not exist.
    pub directory: PathBuf,
}

/// A problem in a section, with its place in the file. It never quotes a value, which may be a misplaced secret.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) span: Option<Range<usize>>,
    pub(crate) message: String,
}

impl Problem {
    fn new(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into() }
    }
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        // The message quotes the value that was found, followed by what was expected. Only the latter is kept.
        let message = error.message();
        let message = match message.split_once(": ") {
            Some((what @ ("invalid type" | "invalid value"), rest)) => {
                let expected = rest.rsplit_once("expected ").map_or("another value", |(_, expected)| expected);
                format!("{what}, expected {expected}")
            }
            _ => message.to_owned(),
        };
        Self { span: error.span(), message }
    }
}

/// Reads one section, which must be a table.
pub(crate) fn read(mut section: Spanned<DeValue<'_>>) -> Result<ChannelSection, Problem> {
    let mut kind = None;
    let mut digest = false;
    let mut privacy = None;
    if let DeValue::Table(table) = section.get_mut() {
        if let Some(value) = table.remove("kind") {
            let span = value.span();
            let name = value.get_ref().as_str().map(str::to_owned);
            kind = Some(name.ok_or(Problem { span: Some(span), message: KINDS.to_owned() })?);
        }
        if let Some(value) = table.remove("digest") {
            let span = Some(value.span());
            let message = "digest: expected true or false".to_owned();
            digest = value.get_ref().as_bool().ok_or(Problem { span, message })?;
        }
        if let Some(value) = table.remove("privacy") {
            privacy = Some(match value.get_ref().as_str() {
                Some("full") => ChannelPrivacy::Full,
                Some("masked") => ChannelPrivacy::Masked,
                Some(_) | None => {
                    let message = "privacy: expected \"full\" or \"masked\"".to_owned();
                    return Err(Problem { span: Some(value.span()), message });
                }
            });
        }
    }
    let deserializer = ValueDeserializer::from(section);
    let kind = match kind.as_deref() {
        Some("slack") => ChannelKind::Slack(SlackSection::deserialize(deserializer)?),
        Some("mail") => ChannelKind::Mail(MailSection::deserialize(deserializer)?),
        Some("webhook") => ChannelKind::Webhook(WebhookSection::deserialize(deserializer)?),
        Some("file") => ChannelKind::File(FileSection::deserialize(deserializer)?),
        Some(_) | None => return Err(Problem::new(KINDS)),
    };
    check(&kind)?;
    let privacy = privacy.unwrap_or_else(|| ChannelPrivacy::default_of(&kind));
    Ok(ChannelSection { kind, digest, privacy })
}

const KINDS: &str = "kind: expected \"slack\", \"mail\", \"webhook\" or \"file\"";

fn check(kind: &ChannelKind) -> Result<(), Problem> {
    match kind {
        ChannelKind::Slack(SlackSection { url_env, token_env, channel, api_url: _ }) => {
            names_variable("url_env", url_env.as_deref())?;
            names_variable("token_env", token_env.as_deref())?;
            match (url_env, token_env, channel) {
                (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(()),
                _ => Err(Problem::new(
                    "give either url_env, for an incoming webhook, or token_env and channel, for a bot",
                )),
            }
        }
        ChannelKind::Mail(MailSection { user, password_env, to, .. }) => {
            names_variable("password_env", password_env.as_deref())?;
            if to.is_empty() {
                return Err(Problem::new("to: expected at least one address"));
            }
            match (user, password_env) {
                (Some(_), Some(_)) | (None, None) => Ok(()),
                _ => Err(Problem::new("user and password_env go together")),
            }
        }
        ChannelKind::Webhook(WebhookSection { url_env, secret_env }) => {
            names_variable("url_env", Some(url_env))?;
            names_variable("secret_env", Some(secret_env))
        }
        ChannelKind::File(FileSection { directory: _ }) => Ok(()),
    }
}

/// Rejects a secret that was written in place of its variable's name. The error does not repeat it.
fn names_variable(key: &str, name: Option<&str>) -> Result<(), Problem> {
    let is_name = |name: &str| {
        let is_letter = |character: char| character.is_ascii_uppercase() || character == '_';
        name.starts_with(is_letter) && name.chars().all(|character| is_letter(character) || character.is_ascii_digit())
    };
    match name {
        Some(name) if !is_name(name) => Err(Problem::new(format!(
            "{key}: expected the name of an environment variable, in capitals, such as SLACK_URL"
        ))),
        Some(_) | None => Ok(()),
    }
}
