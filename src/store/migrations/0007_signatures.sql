-- What went wrong in each attempt that failed or whose environment broke, without what differs from one occurrence to
-- the next; NULL in attempts of older versions. The texts stand once each, as most failures come again.

ALTER TABLE attempts ADD COLUMN signature TEXT; -- v1:0123456789abcdef
CREATE INDEX attempts_by_signature ON attempts (suite, signature, started_ms) WHERE signature IS NOT NULL;

CREATE TABLE signatures (
    id   TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
);
