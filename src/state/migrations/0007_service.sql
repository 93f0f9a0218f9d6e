-- What the service keeps: the explorations that it was asked for, the keys of its callers, and who is signed in at its page.
CREATE TABLE explore.jobs (
    run text PRIMARY KEY,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    request jsonb NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('completed', 'failed', 'cancelled')),
    problem text
);
CREATE TABLE explore.keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    -- SHA-256 of the secret, which is shown once and stored nowhere.
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE TABLE explore.page_sessions (
    -- SHA-256 of the cookie's value.
    hash bytea PRIMARY KEY,
    key text NOT NULL REFERENCES explore.keys (id),
    expires_at timestamptz NOT NULL
);
-- Every statement that a caller ran or was refused, without any value of a row.
CREATE TABLE explore.query_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    caller text NOT NULL,
    request text NOT NULL,
    sql text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('ran', 'refused', 'failed')),
    rule text,
    rows bigint,
    milliseconds bigint NOT NULL
);
CREATE INDEX query_log_at ON explore.query_log (at);
-- Lists of many findings read the documents of those alone that they show, and of those that may be silenced.
ALTER TABLE explore.findings ADD COLUMN is_judged boolean GENERATED ALWAYS AS (document ? 'verdict') STORED;
-- Answers to requests that carry an Idempotency-Key, so that a request that is sent twice is done once.
CREATE TABLE explore.idempotency (
    caller text NOT NULL,
    key text NOT NULL,
    -- SHA-256 of method, path and body.
    hash bytea NOT NULL,
    at timestamptz NOT NULL,
    -- Null as long as the first request is under way.
    status integer,
    location text,
    body bytea,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_at ON explore.idempotency (at);
