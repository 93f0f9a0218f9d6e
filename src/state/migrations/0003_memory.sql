-- Whose findings are remembered: a database, and within it who looks at what.
CREATE TABLE explore.memories (
    memory text PRIMARY KEY,
    -- Where the database was when it was first explored, without user and secrets.
    address text NOT NULL
);

-- A finding that is remembered. The columns repeat what is in the document, for those who ask in SQL.
CREATE TABLE explore.findings (
    memory text NOT NULL REFERENCES explore.memories ON DELETE CASCADE,
    number integer NOT NULL,
    fingerprint text NOT NULL,
    standing text NOT NULL,
    is_open boolean NOT NULL,
    severity text NOT NULL,
    first_seen date NOT NULL,
    since date NOT NULL,
    headline text NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (memory, number)
);

-- An exploration that was remembered, once, with how each finding stood after it.
CREATE TABLE explore.explorations (
    memory text NOT NULL REFERENCES explore.memories ON DELETE CASCADE,
    run text NOT NULL,
    as_of date NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (memory, run)
);

-- What people said of a finding.
CREATE TABLE explore.feedback (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    memory text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    by_whom text NOT NULL,
    reason text,
    until date,
    FOREIGN KEY (memory, number) REFERENCES explore.findings ON DELETE CASCADE
);
CREATE INDEX feedback_by_finding ON explore.feedback (memory, number);
