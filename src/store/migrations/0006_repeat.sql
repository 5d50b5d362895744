-- How often each test of a run was run, whatever came of it; where it is more than 1, no attempt is a retry.
ALTER TABLE runs ADD COLUMN repeat_count BIGINT NOT NULL DEFAULT 1;
