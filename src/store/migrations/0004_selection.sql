-- Which tests a run was asked for, as a list of conditions; [] for the whole suite, as all runs were before.
ALTER TABLE runs ADD COLUMN selection TEXT NOT NULL DEFAULT '[]';
-- How many tests the suite had, those included that were not selected.
ALTER TABLE runs ADD COLUMN listed_tests BIGINT;

-- The run's suite, repeated for the index below.
ALTER TABLE run_tests ADD COLUMN suite TEXT NOT NULL DEFAULT '';
UPDATE run_tests SET suite = (SELECT runs.suite FROM runs WHERE runs.id = run_tests.run_id);
CREATE INDEX told_tests ON run_tests (suite, test_id, run_id, verdict)
    WHERE verdict IN ('passed', 'flaky', 'failed', 'quarantined');
