-- A verified question about one database, as it stood when it was last checked. What is told of it is told when the
-- status changes; since is when it did, and incident names the failure that goes on.
CREATE TABLE explore.verified_questions (
    database text NOT NULL,
    question text NOT NULL,
    definition text,
    status text NOT NULL CHECK (status IN ('holds', 'failed', 'unchecked')),
    since timestamptz NOT NULL,
    incident text,
    PRIMARY KEY (database, question)
);

-- A value that never moves, as it was first seen or accepted. The key is a JSON array of the cells that tell rows apart.
CREATE TABLE explore.verified_values (
    database text NOT NULL,
    question text NOT NULL,
    series text NOT NULL,
    key text NOT NULL,
    value text,
    since timestamptz NOT NULL,
    PRIMARY KEY (database, question, series, key),
    FOREIGN KEY (database, question) REFERENCES explore.verified_questions ON DELETE CASCADE
);

-- Values that moved and that somebody took as right.
CREATE TABLE explore.verified_acceptances (
    acceptance integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    database text NOT NULL,
    question text NOT NULL,
    at timestamptz NOT NULL,
    reason text,
    taken jsonb NOT NULL
);
