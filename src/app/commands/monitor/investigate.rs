//! Looks behind the alerts of monitors with `investigate = true`, after they were sent. What is found follows the alert to
//! its recipients, once.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use rand::RngExt as _;

use super::run::send_out;
use crate::agent::Budget;
use crate::agent::journal::{self, Recalled, Run};
use crate::agent::prompt::{Area, InvestigationMaterial, Library};
use crate::agent::robustness::Extent;
use crate::agent::runs::BEHIND_ALERT;
use crate::app::commands::open;
use crate::app::config::Config;
use crate::app::error::{Failure, Kind};
use crate::app::output::Output;
use crate::app::progress::Waiting;
use crate::deliver::settings::ChannelPrivacy;
use crate::deliver::{Channels, Message};
use crate::exploration::digest::{self, Error};
use crate::exploration::{self, Options, Player, Scope, Unwatched};
use crate::finding::lifecycle::Remembrance;
use crate::monitor::day::Incident;
use crate::monitor::masked::masked;
use crate::monitor::message::{self, subject};
use crate::monitor::registry::{Grain, Monitor};
use crate::monitor::run::{Assessed, Outcome};
use crate::semantic::Joins;
use crate::state::{Investigation, State};
use crate::warehouse::Database;
use crate::warehouse::privacy::Masking;

/// The limits of a look behind an alert: nobody waits for it, but the next monitor does.
const QUERIES_MAX: u32 = 5;
const TIME_MAX: Duration = Duration::from_secs(20);
const TIME_MAX_OF_MODEL: Duration = Duration::from_mins(1);
const TURNS_MAX: u32 = 8;
/// Days that are compared with as many before, where an incident goes on for longer.
const DAYS_MAX: i32 = 28;

/// What the looks behind alerts share.
#[derive(Clone, Copy)]
pub(super) struct Investigations<'a> {
    pub(super) database: &'a Arc<dyn Database>,
    pub(super) player: &'a Player,
    pub(super) library: &'a Library,
    pub(super) state: &'a State,
    pub(super) channels: &'a Channels,
    pub(super) masking: &'a Masking,
    pub(super) config: &'a Config,
}

/// An alert to look behind.
#[derive(Clone, Copy)]
struct Alert<'a> {
    monitor: &'a Monitor,
    assessed: &'a Assessed,
    incident: &'a Incident,
}

/// What was found behind an alert.
struct Explored {
    run: Box<Run>,
    /// The same with tokens in the place of what a model did not see.
    sent: Box<Run>,
}

impl Investigations<'_> {
    /// Looks behind the most urgent alert of each monitor that asks for it, and sends what was found. What goes wrong is a
    /// warning: the alerts are sent by now.
    pub(super) async fn run(self, outcomes: &[Outcome], output: &Output) {
        for alert in outcomes.iter().filter_map(alert) {
            let key = &alert.monitor.key;
            let waiting = Waiting::start(output.talk(), &format!("looking behind the alert of {key}"));
            let looked = Box::pin(self.look(alert, output)).await;
            drop(waiting);
            match looked {
                Ok(false) => {}
                Ok(true) => {
                    if let Err(failure) = send_out(self.state, self.channels, output).await {
                        output.talk().failure(&failure);
                    }
                }
                Err(failure) => {
                    output.talk().warn(&format!("{key}: nobody was told what lies behind the alert: {failure}"));
                }
            }
        }
    }

    /// Looks behind an alert unless that was done, and writes the messages about it. Returns whether there are any.
    async fn look(self, alert: Alert<'_>, output: &Output) -> Result<bool, Failure> {
        let (key, at) = (&alert.monitor.key, alert.assessed.day.at);
        let recipients = self.state.uninvestigated(key, at, &alert.incident.id).await?;
        if recipients.is_empty() {
            return Ok(false);
        }
        let explored = self.explore(alert).await.map_err(|failure| {
            output.talk().warn(&format!("{key}: nobody could look behind the alert: {failure}"));
            // The words of a database or of files are not for everybody who gets the alert.
            match failure.kind() {
                Kind::Database => "the database did not answer",
                Kind::Usage | Kind::Refused => "its statement or the settings do not allow it now",
                Kind::Model => "the model did not answer",
                Kind::Unexpected => "an error of the program, which its messages name",
            }
        });
        let mut found = Vec::with_capacity(recipients.len());
        for (channel, recipient) in recipients {
            let message = self.message(alert, &explored, &channel).map_err(anyhow::Error::from)?;
            let content = serde_json::to_value(message).map_err(anyhow::Error::from)?;
            found.push(Investigation { channel, recipient, content });
        }
        self.state.add_investigations(key, at, &alert.incident.id, &found).await?;
        Ok(true)
    }

    /// Returns the message for a channel about what was found, with tokens in the place of personal data unless it is to have
    /// them; or why nobody could look.
    fn message(self, alert: Alert<'_>, explored: &Result<Explored, &str>, channel: &str) -> Result<Message, Error> {
        let is_full = self.channels.privacy(channel) == ChannelPrivacy::Full;
        let masked_day = if is_full { alert.assessed.clone() } else { masked(self.masking, alert.assessed)? };
        let subject = alert.subject(&masked_day);
        match explored {
            Ok(Explored { run, .. }) if is_full => digest::follow_up(run, &subject),
            Ok(Explored { sent, .. }) => {
                let (sent, _) = digest::masked(self.masking, sent, &Remembrance::default())?;
                digest::follow_up(&sent, &subject)
            }
            Err(why) => digest::unable(&subject, why),
        }
    }

    /// Explores what lies behind an alert.
    async fn explore(self, alert: Alert<'_>) -> Result<Explored, Failure> {
        let Self { database, player, library, config, .. } = self;
        let opened = open::read(config, Arc::clone(database), Joins::Guessed).await?;
        let select = opened.executor.validate_with_range(&alert.monitor.sql).await;
        let select = select.map_err(|refusal| Failure::usage(refusal.to_string()))?;
        let tables = select.relations().iter().map(|(schema, name)| format!("{schema}.{name}")).collect::<Vec<_>>();
        let (first, last, days) = alert.days();
        let text =
            message::alert(alert.assessed.reported(alert.monitor), alert.incident).map_err(anyhow::Error::from)?;
        let material = InvestigationMaterial { alert: &text.text, tables: &tables.join(", "), first, last, days };
        let mut library = library.clone();
        library.add(BEHIND_ALERT, Area::plain(library.investigation(material).map_err(anyhow::Error::from)?));
        let is_program = matches!(player, Player::Offline);
        let options = Options {
            run_id: journal::run_id(Timestamp::now(), BEHIND_ALERT, rand::rng().random()),
            focus: BEHIND_ALERT,
            library: &library,
            player: player.clone(),
            scope: Scope::Days { tables, days },
            as_of: last,
            budget: Budget {
                iterations_max: TURNS_MAX,
                queries_max: Some(QUERIES_MAX),
                time_max: Some(if is_program { TIME_MAX } else { TIME_MAX_OF_MODEL }),
                ..config.budget
            },
            caps: config.caps,
            spending_dir: &config.runs_dir,
            time_zone: open::time_zone(config),
            robustness: Extent::Off,
            plans: false,
            runs_dir: &config.runs_dir,
            recalled: Recalled::default(),
            resume: None,
            configuration: config.masked(),
        };
        let recorded = exploration::run(options, opened, std::future::pending(), &mut Unwatched).await?;
        recorded.outcome?;
        let run = journal::read(&recorded.journal).map_err(anyhow::Error::from)?;
        let sent = journal::read_as_sent(&recorded.journal).map_err(anyhow::Error::from)?;
        Ok(Explored { run: Box::new(run), sent: Box::new(sent) })
    }
}

/// Returns the most urgent alert of the latest day with one, of a monitor that asks to look behind it. Data that could not be
/// read leave nothing to look into.
fn alert(outcome: &Outcome) -> Option<Alert<'_>> {
    let Outcome { monitor, days, .. } = outcome;
    days.iter().rev().filter(|_| monitor.investigates).find_map(|assessed| {
        let incidents = assessed.day.incidents.iter().filter(|one| one.kind.is_deviation());
        let fired = incidents.filter_map(|incident| Some((incident.decision.fires?, incident)));
        let (_, incident) = fired.min_by_key(|(priority, _)| *priority)?;
        Some(Alert { monitor, assessed, incident })
    })
}

impl Alert<'_> {
    /// Returns the alert in a line.
    fn subject(self, assessed: &Assessed) -> String {
        // The id of an incident names its segment, so that it is another one where that is masked.
        let place = self.assessed.day.incidents.iter().position(|one| one.id == self.incident.id);
        let incident = place.and_then(|place| assessed.day.incidents.get(place));
        incident.map_or_else(String::new, |incident| subject(assessed.reported(self.monitor), incident))
    }

    /// Returns the first and the last day that the incident goes on, and how many these are.
    fn days(self) -> (Date, Date, u32) {
        let last = match self.monitor.calendar.grain {
            Grain::Week => self.assessed.day.at.date().saturating_add(6.days()),
            Grain::Day | Grain::Hour => self.assessed.day.at.date(),
        };
        let days = ((last - self.incident.opened.date()).get_days() + 1).clamp(1, DAYS_MAX);
        (last.saturating_sub((days - 1).days()), last, days.unsigned_abs())
    }
}
