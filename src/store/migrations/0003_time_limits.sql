-- How long attempts took that did not pass: what each test's time limit is learnt from, besides its passed attempts.

CREATE INDEX other_attempts ON attempts (suite, test_id, started_ms, outcome, duration_ms, limit_ms)
    WHERE outcome <> 'passed';
