-- What every run did. One text for SQLite and PostgreSQL: ids are TEXT, times are BIGINT milliseconds since 1970,
-- lengths of time are BIGINT milliseconds, lists are JSON in TEXT.
--
-- Never edit a migration that was released: its checksum is kept in every history file. Add the next one.

CREATE TABLE runs (
    id            TEXT    NOT NULL PRIMARY KEY,
    suite         TEXT    NOT NULL,
    candidate     TEXT    NOT NULL,
    triggered_by  TEXT    NOT NULL,
    seed          BIGINT  NOT NULL, -- the 64 bits of an unsigned number
    lanes         BIGINT  NOT NULL,
    attempt_limit BIGINT  NOT NULL,
    cpus          BIGINT  NOT NULL,
    fail_on_flaky BOOLEAN NOT NULL,
    owner         TEXT    NOT NULL,
    started_ms    BIGINT  NOT NULL,
    planned_ms    BIGINT,
    units         BIGINT,
    known_tests   BIGINT,
    stopping_ms   BIGINT,
    ended_ms      BIGINT,           -- NULL as well in a run whose process died
    verdict       TEXT,             -- NULL while the run is under way
    reason        TEXT,
    exit_code     BIGINT
);
CREATE INDEX runs_by_suite ON runs (suite, started_ms);

CREATE TABLE environments (
    run_id         TEXT   NOT NULL REFERENCES runs (id),
    lane           BIGINT NOT NULL,
    generation     BIGINT NOT NULL,
    suite          TEXT   NOT NULL, -- the run's, repeated for the index below
    starting_ms    BIGINT NOT NULL,
    ready_ms       BIGINT,
    boot_ms        BIGINT,
    broke_ms       BIGINT,
    broken_service TEXT,
    broken_cause   TEXT,
    broken_log     TEXT,
    removed_ms     BIGINT,
    cpu_ms         BIGINT,
    PRIMARY KEY (run_id, lane, generation)
);
CREATE INDEX environments_by_boot ON environments (suite, ready_ms, boot_ms) WHERE boot_ms IS NOT NULL;

-- A suite's tests as they were listed last, kept once and not per run: an hourly suite would repeat every name
-- thousands of times a year.
CREATE TABLE tests (
    suite            TEXT   NOT NULL,
    id               TEXT   NOT NULL,
    file             TEXT   NOT NULL,
    line             BIGINT NOT NULL,
    name             TEXT   NOT NULL,
    tags             TEXT   NOT NULL,
    first_planned_ms BIGINT NOT NULL,
    last_planned_ms  BIGINT NOT NULL,
    PRIMARY KEY (suite, id)
);

CREATE TABLE run_tests (
    run_id      TEXT   NOT NULL REFERENCES runs (id),
    test_id     TEXT   NOT NULL,
    listed      BIGINT NOT NULL, -- the how-manieth in the run's list, from 1
    expected_ms BIGINT NOT NULL,
    verdict     TEXT,            -- NULL while the test is not settled
    PRIMARY KEY (run_id, test_id)
);

CREATE TABLE attempts (
    run_id      TEXT   NOT NULL,
    test_id     TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    suite       TEXT   NOT NULL, -- the run's, repeated for the index below
    lane        BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    unit        BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    predecessor TEXT,
    started_ms  BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    detail      TEXT,            -- why it was skipped, or what broke
    limit_ms    BIGINT,          -- the limit that a timed out attempt passed
    output      TEXT   NOT NULL,
    PRIMARY KEY (run_id, test_id, number),
    FOREIGN KEY (run_id, test_id) REFERENCES run_tests (run_id, test_id),
    FOREIGN KEY (run_id, lane, generation) REFERENCES environments (run_id, lane, generation)
);
CREATE INDEX passed_attempts ON attempts (suite, test_id, started_ms, duration_ms) WHERE outcome = 'passed';

CREATE TABLE failures (
    run_id    TEXT   NOT NULL,
    test_id   TEXT   NOT NULL,
    number    BIGINT NOT NULL,
    class     TEXT   NOT NULL,
    message   TEXT   NOT NULL,
    file      TEXT,
    line      BIGINT,
    backtrace TEXT   NOT NULL,
    PRIMARY KEY (run_id, test_id, number),
    FOREIGN KEY (run_id, test_id, number) REFERENCES attempts (run_id, test_id, number)
);
