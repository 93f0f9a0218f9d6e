-- What a monitor's observations look like. Their order is that of the registry when they were first stored; a measure that
-- comes later is added at the end, and what the registry no longer names stays.
CREATE TABLE explore.monitors (
    monitor text PRIMARY KEY,
    dimensions text[] NOT NULL,
    measures text[] NOT NULL
);

-- One combination of dimension values, in the order of explore.monitors.dimensions.
CREATE TABLE explore.series (
    series integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    monitor text NOT NULL REFERENCES explore.monitors ON DELETE CASCADE,
    dimensions text[] NOT NULL,
    UNIQUE (monitor, dimensions)
);

-- What was measured, in the order of explore.monitors.measures; a list that is too short ends in NULLs.
CREATE TABLE explore.observations (
    series integer NOT NULL REFERENCES explore.series ON DELETE CASCADE,
    at timestamp NOT NULL,
    measures double precision[] NOT NULL,
    PRIMARY KEY (series, at)
);

-- A step of a monitor that was judged.
CREATE TABLE explore.days (
    monitor text NOT NULL,
    at timestamp NOT NULL,
    label text NOT NULL,
    holiday text,
    notes text[] NOT NULL,
    PRIMARY KEY (monitor, at)
);

-- A value beside what was expected of it. The columns repeat what is in the document, for those who ask in SQL.
CREATE TABLE explore.judgements (
    monitor text NOT NULL,
    at timestamp NOT NULL,
    metric text NOT NULL,
    segment jsonb NOT NULL,
    place integer NOT NULL,
    status text NOT NULL,
    actual double precision,
    filled double precision,
    expected double precision,
    lower double precision,
    upper double precision,
    trend double precision,
    season double precision,
    year double precision,
    holiday double precision,
    difference double precision,
    deviation double precision,
    z double precision,
    probability double precision,
    is_anomalous boolean NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (monitor, metric, segment, at),
    FOREIGN KEY (monitor, at) REFERENCES explore.days ON DELETE CASCADE
);
CREATE INDEX judgements_by_day ON explore.judgements (monitor, at);

-- An incident on one of the days on which it was open.
CREATE TABLE explore.incidents (
    monitor text NOT NULL,
    at timestamp NOT NULL,
    incident text NOT NULL,
    place integer NOT NULL,
    opened timestamp NOT NULL,
    metric text NOT NULL,
    severity text NOT NULL,
    impact text NOT NULL,
    is_closed boolean NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (monitor, at, incident),
    FOREIGN KEY (monitor, at) REFERENCES explore.days ON DELETE CASCADE
);
CREATE INDEX incidents_by_incident ON explore.incidents (monitor, incident, at);

-- What was decided on an incident on a day: who is told, and why.
CREATE VIEW explore.decisions AS
    SELECT monitor, at, incident, document -> 'decision' ->> 'fires' AS fires,
           document -> 'decision' -> 'reasons' AS reasons
    FROM explore.incidents;

-- What the analyst made of a day.
CREATE TABLE explore.analyses (
    monitor text NOT NULL,
    at timestamp NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (monitor, at),
    FOREIGN KEY (monitor, at) REFERENCES explore.days ON DELETE CASCADE
);

-- Metrics that nobody is told of for a while. An empty monitor is any.
CREATE TABLE explore.snoozes (
    snooze integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    monitor text NOT NULL DEFAULT '',
    metric text NOT NULL,
    starts date NOT NULL,
    until date NOT NULL,
    reason text,
    CHECK (starts <= until)
);

-- What happens in the world. An empty monitor, metric or segment is any.
CREATE TABLE explore.context_events (
    event integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('planned', 'campaign', 'news')),
    label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 500),
    starts date NOT NULL,
    ends date NOT NULL,
    monitor text NOT NULL DEFAULT '',
    metric text NOT NULL DEFAULT '',
    segment jsonb NOT NULL DEFAULT '{}',
    source text NOT NULL DEFAULT 'by hand',
    CHECK (starts <= ends),
    UNIQUE (kind, label, starts, ends, monitor, metric, segment)
);

-- Thresholds that hold in place of those in the monitor's file, for people to edit. NULL leaves the file's; an empty
-- monitor is any.
CREATE TABLE explore.monitor_config (
    monitor text NOT NULL DEFAULT '',
    metric text NOT NULL,
    enabled boolean,
    probability_threshold double precision CHECK (probability_threshold > 0 AND probability_threshold < 1),
    medium_deviation double precision CHECK (medium_deviation > 0),
    critical_deviation double precision CHECK (critical_deviation > 0),
    PRIMARY KEY (monitor, metric),
    CHECK (medium_deviation <= critical_deviation)
);

-- Who is told what: the ledger of what was sent. A row that is carried by another is sent as part of that one's message
-- and shares its fate.
CREATE TABLE explore.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    monitor text NOT NULL,
    at timestamp NOT NULL,
    incident text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    is_digest boolean NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'unknown')),
    carried_by bigint REFERENCES explore.outbox ON DELETE CASCADE,
    content json,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    settled_at timestamptz,
    reference text,
    problem text,
    UNIQUE (monitor, at, incident, channel, recipient)
);
CREATE INDEX outbox_unsettled ON explore.outbox (state) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_carried ON explore.outbox (carried_by);
