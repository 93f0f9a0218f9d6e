//! Mail over SMTP: one mail per recipient, with plain text, HTML and the chart.
//!
//! The SMTP session is run command by command, because the place of a failure decides what is known. Before the server
//! asks for the data it has accepted nothing. Once the data are being sent, the outcome is unknown.

use std::time::{Duration, SystemTime};

use lettre::address::{Address, Envelope};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::http::shown;
use super::parcel::{Outcome, Parcel};
use super::settings::{Encryption, MailSection};
use super::{CHART_CID, fingerprint};

/// The factor by which a server may take longer over a mail than over the commands before it. It may scan the mail for
/// viruses meanwhile, and giving up too early leaves the outcome unknown.
const DATA_PATIENCE: u32 = 4;
/// The time limit of QUIT after the server has accepted the mail.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// A mail server, with the sender and the recipients of mails.
#[derive(Debug)]
pub(super) struct Mail {
    server: String,
    port: u16,
    encryption: Encryption,
    user: Option<(String, SecretString)>,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
}

/// A formatted mail with its envelope.
struct Ready {
    envelope: Envelope,
    bytes: Vec<u8>,
}

impl Mail {
    pub(super) fn open(
        section: &MailSection,
        secret: &dyn Fn(&str) -> Result<SecretString, String>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let MailSection { server, port, encryption, user, password_env, from, to } = section;
        let mailbox =
            |text: &String| text.parse::<Mailbox>().map_err(|error| format!("{text:?} is not a mail address: {error}"));
        let user = match (user, password_env) {
            (Some(user), Some(password_env)) => Some((user.clone(), secret(password_env)?)),
            _ => None,
        };
        let default_port = match encryption {
            Encryption::Tls => 465,
            Encryption::Starttls => 587,
            Encryption::None => 25,
        };
        Ok(Self {
            server: server.clone(),
            port: port.unwrap_or(default_port),
            encryption: *encryption,
            user,
            from: mailbox(from)?,
            to: to.iter().map(mailbox).collect::<Result<_, _>>()?,
            timeout,
        })
    }

    pub(super) fn recipients(&self) -> Vec<String> {
        self.to.iter().map(|mailbox| mailbox.email.to_string()).collect()
    }

    pub(super) async fn send(&self, parcel: &Parcel<'_>) -> Outcome {
        let ready = match self.ready(parcel) {
            Ok(ready) => ready,
            Err(problem) => return Outcome::refused(problem),
        };
        let mut connection = match timeout(self.timeout, self.up_to_data(&ready.envelope)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return before_data(&error),
            Err(_) => return Outcome::not_accepted(format!("{} did not answer in time", self.server)),
        };
        match timeout(self.timeout * DATA_PATIENCE, connection.message(&ready.bytes)).await {
            Ok(Ok(_)) => {
                let _ = timeout(FAREWELL_TIMEOUT, connection.quit()).await;
                Outcome::Accepted { reference: None }
            }
            Ok(Err(error)) => after_data(&error),
            Err(_) => Outcome::unknown("the server did not confirm in time whether it accepted the mail"),
        }
    }

    /// Runs the SMTP session up to the point where the server waits for the data.
    async fn up_to_data(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, Error> {
        let (name, tls) = (ClientId::default(), || TlsParameters::new(self.server.clone()));
        let wrapper = if self.encryption == Encryption::Tls { Some(tls()?) } else { None };
        let address = (self.server.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(self.timeout), &name, wrapper, None).await?;
        if self.encryption == Encryption::Starttls {
            connection.starttls(tls()?, &name).await?;
        }
        if let Some((user, password)) = &self.user {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        connection.command(From::new(envelope.from().cloned(), Vec::new())).await?;
        for recipient in envelope.to() {
            connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        connection.command(Data).await?;
        Ok(connection)
    }

    fn ready(&self, parcel: &Parcel<'_>) -> Result<Ready, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot create the mail: {error}");
        let to = parcel.recipient.parse::<Address>().map_err(|error| failed(&error))?;
        let envelope =
            Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(|error| failed(&error))?;
        let domain = self.from.email.domain();
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(SystemTime::try_from(parcel.now).map_err(|error| failed(&error))?)
            .message_id(Some(format!("<{}@{domain}>", parcel.id)))
            .subject(one_line(&parcel.message.subject));
        if let Some(incident) = parcel.incident {
            // No mail has this id. All mails about an incident refer to it, which makes them a thread.
            let thread = format!("<incident-{}@{domain}>", fingerprint([incident]));
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let mail = builder.multipart(parts(parcel)?).map_err(|error| failed(&error))?;
        Ok(Ready { envelope, bytes: mail.formatted() })
    }
}

fn parts(parcel: &Parcel<'_>) -> Result<MultiPart, String> {
    let message = parcel.message;
    let html = SinglePart::html(message.html.clone());
    let alternative = MultiPart::alternative().singlepart(SinglePart::plain(message.text.clone()));
    let Some(chart) = &message.chart_png else { return Ok(alternative.singlepart(html)) };
    let png = ContentType::parse("image/png").map_err(|error| format!("cannot create the mail: {error}"))?;
    let chart = Attachment::new_inline(CHART_CID.to_owned()).body(chart.clone(), png);
    Ok(alternative.multipart(MultiPart::related().singlepart(html).singlepart(chart)))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the outcome of an error before the server has seen the data.
fn before_data(error: &Error) -> Outcome {
    let problem = shown(&error.to_string());
    if error.is_permanent() || error.is_client() {
        Outcome::Refused { problem }
    } else {
        Outcome::not_accepted(problem)
    }
}

/// Returns the outcome of an error after the server has seen the data, or a part of them.
fn after_data(error: &Error) -> Outcome {
    let problem = shown(&error.to_string());
    if error.is_permanent() {
        Outcome::Refused { problem }
    } else if error.is_transient() {
        Outcome::not_accepted(problem)
    } else {
        Outcome::unknown(format!("the connection was lost while the mail was being sent: {problem}"))
    }
}
