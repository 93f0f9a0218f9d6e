-- The key under which tokens stand for personal data, so that they are the same in every run.
CREATE TABLE explore.privacy (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);
