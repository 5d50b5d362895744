-- How long each unit took from being handed to a worker until its first test started: what starting one costs.

CREATE TABLE unit_starts (
    run_id  TEXT   NOT NULL REFERENCES runs (id),
    unit    BIGINT NOT NULL,
    suite   TEXT   NOT NULL, -- the run's, repeated for the index below
    file    TEXT   NOT NULL, -- of the first test
    at_ms   BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, unit)
);
CREATE INDEX unit_starts_by_time ON unit_starts (suite, at_ms, file, took_ms);
