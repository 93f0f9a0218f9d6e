-- What a look further after an alert found is a message of its own. It follows the alert's to the same recipient.
ALTER TABLE explore.outbox ADD COLUMN part text NOT NULL DEFAULT 'alert' CHECK (part IN ('alert', 'investigation'));
ALTER TABLE explore.outbox DROP CONSTRAINT outbox_monitor_at_incident_channel_recipient_key;
ALTER TABLE explore.outbox ADD UNIQUE (monitor, at, incident, channel, recipient, part);
