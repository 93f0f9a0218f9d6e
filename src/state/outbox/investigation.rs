//! The messages that tell what was found behind an alert.

use jiff::civil::DateTime;

use super::{READ, WRITE};
use crate::state::session::failed;
use crate::state::{Error, State, json};
use crate::warehouse::postgres::temporal::Sql;

/// What was found behind an alert, for one recipient of the alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Investigation {
    pub channel: String,
    pub recipient: String,
    pub content: serde_json::Value,
}

impl State {
    /// Returns the channels and recipients of an alert who were not told yet what lies behind it. Those whom the alert could
    /// not reach are left out.
    pub async fn uninvestigated(
        &self,
        monitor: &str,
        at: DateTime,
        incident: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let statement = "SELECT channel, recipient FROM explore.outbox AS alert
            WHERE monitor = $1 AND at = $2 AND incident = $3 AND part = 'alert' AND state <> 'failed' AND NOT EXISTS (
                SELECT FROM explore.outbox AS told WHERE told.part = 'investigation'
                AND (told.monitor, told.at, told.incident, told.channel, told.recipient)
                    = (alert.monitor, alert.at, alert.incident, alert.channel, alert.recipient))
            ORDER BY id";
        let session = self.session().await?;
        let rows = session.rows(READ, statement, &[&monitor, &Sql(at), &incident]).await?;
        let read = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        read.collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Writes what was found behind an alert, with its content. A recipient who is told already is left out.
    pub async fn add_investigations(
        &self,
        monitor: &str,
        at: DateTime,
        incident: &str,
        found: &[Investigation],
    ) -> Result<(), Error> {
        let statement = "INSERT INTO explore.outbox
                (monitor, at, incident, channel, recipient, is_digest, content, part)
            SELECT $1, $2, $3, channel, recipient, false, content::json, 'investigation'
            FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY
                AS new (channel, recipient, content, place)
            ORDER BY place
            ON CONFLICT (monitor, at, incident, channel, recipient, part) DO NOTHING";
        let channels = found.iter().map(|one| one.channel.as_str()).collect::<Vec<_>>();
        let recipients = found.iter().map(|one| one.recipient.as_str()).collect::<Vec<_>>();
        let contents = found.iter().map(|one| json::write(WRITE, &one.content)).collect::<Result<Vec<_>, _>>()?;
        let session = self.session().await?;
        let at = Sql(at);
        session.execute(WRITE, statement, &[&monitor, &at, &incident, &channels, &recipients, &contents]).await?;
        Ok(())
    }
}
