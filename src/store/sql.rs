//! Every statement that the program sends. One text for SQLite and PostgreSQL: `$1` placeholders, no function of
//! one dialect. A missing bind would be NULL without a word on SQLite, so every statement's numbers are counted
//! and every column is read back by the tests.

/// Declares the statements, and lists them so that a test can prepare each.
macro_rules! statements {
    ($list:ident: $($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*

        #[cfg(test)]
        pub(super) const $list: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

// PostgreSQL only.
statements! { SERVER:
    /// Whether the server takes no changes: a standby, or a user or database for which it is so set.
    READ_ONLY = "SELECT current_setting('transaction_read_only')::boolean";

    /// The tables where ours would be made.
    SERVER_TABLES = "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY 1";

    /// The versions of the schema that are there.
    APPLIED = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";

    /// Which tables this user may not use as the program does.
    DENIED = "SELECT tablename::text FROM pg_catalog.pg_tables
        WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations' AND NOT (
            has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'SELECT')
            AND has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'INSERT')
            AND has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), 'UPDATE'))
        ORDER BY 1";

    /// For how long this transaction waits for locks, in milliseconds.
    LOCK_TIMEOUT = "SELECT set_config('lock_timeout', $1, true)";

    /// One program at a time changes the schema.
    MIGRATION_LOCK = "SELECT pg_advisory_xact_lock($1)";

    /// So that the server notices within a minute that this host is gone.
    KEEP_ALIVE = "SELECT set_config('tcp_keepalives_idle', '30', false),
        set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)";

    /// Shows a run alive for as long as the connection is there.
    HOLD = "SELECT pg_advisory_lock($1)";

    /// Whether nobody shows the run alive, and keeps it so until the end of the transaction.
    IS_FREE = "SELECT pg_try_advisory_xact_lock($1)";
}

/// SQLite only: takes the write lock at the start. A transaction that reads first and asks for the lock later
/// fails at once where another process wrote in between, and no busy timeout helps.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// SQLite only: what the file holds before anything of ours is written to it.
pub(super) const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table'";

/// Before the rows of a plan's tests, which are many: they go in by hundreds, as one by one a large plan would keep
/// the file from other processes for seconds.
pub(super) const INSERT_TESTS: &str =
    "INSERT INTO tests (suite, id, file, line, name, tags, first_planned_ms, last_planned_ms) ";

/// After those rows.
pub(super) const UPDATE_TESTS: &str = " ON CONFLICT (suite, id) DO UPDATE SET file = excluded.file,
    line = excluded.line, name = excluded.name, tags = excluded.tags, last_planned_ms = excluded.last_planned_ms";

/// Before the rows of the same tests within their run.
pub(super) const INSERT_RUN_TESTS: &str = "INSERT INTO run_tests (run_id, test_id, listed, expected_ms, suite) ";

statements! { ALL:
    INSERT_RUN = "INSERT INTO runs (id, suite, candidate, triggered_by, seed, lanes, attempt_limit, cpus,
            fail_on_flaky, owner, started_ms, selection, repeat_count)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

    RUN_PLANNED = "UPDATE runs SET planned_ms = $2, units = $3, known_tests = $4, listed_tests = $5 WHERE id = $1";

    /// A run may be told to stop again, for a graver reason; it began to stop at the first.
    RUN_STOPPING = "UPDATE runs SET stopping_ms = COALESCE(stopping_ms, $2), reason = $3 WHERE id = $1";

    /// A verdict without a reason of its own keeps the one that was given when the run began to stop.
    RUN_ENDED = "UPDATE runs SET ended_ms = $2, verdict = $3, reason = COALESCE($4, reason), exit_code = $5
        WHERE id = $1";

    INSERT_ENVIRONMENT = "INSERT INTO environments (run_id, lane, generation, suite, starting_ms)
        VALUES ($1, $2, $3, $4, $5)";

    ENVIRONMENT_READY = "UPDATE environments SET ready_ms = $4, boot_ms = $5
        WHERE run_id = $1 AND lane = $2 AND generation = $3";

    ENVIRONMENT_BROKE = "UPDATE environments
        SET broke_ms = $4, broken_service = $5, broken_cause = $6, broken_log = $7
        WHERE run_id = $1 AND lane = $2 AND generation = $3";

    ENVIRONMENT_REMOVED = "UPDATE environments SET removed_ms = $4, cpu_ms = $5, memory_peak = $6
        WHERE run_id = $1 AND lane = $2 AND generation = $3";

    INSERT_UNIT_START = "INSERT INTO unit_starts (run_id, unit, suite, file, at_ms, took_ms)
        VALUES ($1, $2, $3, $4, $5, $6)";

    TEST_SETTLED = "UPDATE run_tests SET verdict = $3 WHERE run_id = $1 AND test_id = $2";

    INSERT_ATTEMPT = "INSERT INTO attempts (run_id, test_id, number, suite, lane, generation, unit, position,
            predecessor, started_ms, duration_ms, outcome, detail, limit_ms, output, signature)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

    /// Most signatures are known.
    INSERT_SIGNATURE = "INSERT INTO signatures (id, text) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";

    INSERT_FAILURE = "INSERT INTO failures (run_id, test_id, number, class, message, file, line, backtrace)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    /// The tenth newest pass of each test is one look into the index, so the cost follows the number of tests and
    /// not the length of the history. CROSS JOIN keeps SQLite from starting at the attempts.
    PASSED_DURATIONS = "SELECT t.id AS test_id, a.duration_ms AS duration_ms
        FROM tests t CROSS JOIN attempts a
        WHERE t.suite = $1 AND a.suite = $1 AND a.test_id = t.id AND a.outcome = 'passed'
            AND a.started_ms >= COALESCE((
                SELECT b.started_ms FROM attempts b
                WHERE b.suite = $1 AND b.test_id = t.id AND b.outcome = 'passed'
                ORDER BY b.started_ms DESC LIMIT 1 OFFSET 9), 0)
        ORDER BY t.id, a.started_ms DESC";

    /// As before, of the newest 20.
    PASSED_TIMES = "SELECT t.id AS test_id, a.started_ms AS started_ms, a.duration_ms AS duration_ms
        FROM tests t CROSS JOIN attempts a
        WHERE t.suite = $1 AND a.suite = $1 AND a.test_id = t.id AND a.outcome = 'passed'
            AND a.started_ms >= COALESCE((
                SELECT b.started_ms FROM attempts b
                WHERE b.suite = $1 AND b.test_id = t.id AND b.outcome = 'passed'
                ORDER BY b.started_ms DESC LIMIT 1 OFFSET 19), 0)
        ORDER BY t.id, a.started_ms DESC";

    /// As before, of the newest 10 that did not pass.
    OTHER_TIMES = "SELECT t.id AS test_id, a.started_ms AS started_ms, a.outcome AS outcome,
            a.duration_ms AS duration_ms, a.limit_ms AS limit_ms
        FROM tests t CROSS JOIN attempts a
        WHERE t.suite = $1 AND a.suite = $1 AND a.test_id = t.id AND a.outcome <> 'passed'
            AND a.started_ms >= COALESCE((
                SELECT b.started_ms FROM attempts b
                WHERE b.suite = $1 AND b.test_id = t.id AND b.outcome <> 'passed'
                ORDER BY b.started_ms DESC LIMIT 1 OFFSET 9), 0)
        ORDER BY t.id, a.started_ms DESC";

    /// The newest 10 verdicts of each test that say something of it, whatever runs had left the test out; found as the
    /// durations are. Ids of runs sort by their start.
    TOLD = "SELECT t.id AS test_id, r.verdict AS verdict
        FROM tests t CROSS JOIN run_tests r
        WHERE t.suite = $1 AND r.suite = $1 AND r.test_id = t.id
            AND r.verdict IN ('passed', 'flaky', 'failed', 'quarantined')
            AND r.run_id >= COALESCE((
                SELECT n.run_id FROM run_tests n
                WHERE n.suite = $1 AND n.test_id = t.id AND n.verdict IN ('passed', 'flaky', 'failed', 'quarantined')
                ORDER BY n.run_id DESC LIMIT 1 OFFSET 9), '')
        ORDER BY t.id, r.run_id DESC";

    /// What runs of the suite came to their end, or died, and knew their tests; of one candidate, or of all where it is
    /// empty.
    ENDED_RUNS = "SELECT id, selection FROM runs
        WHERE suite = $1 AND ($2 = '' OR candidate = $2) AND planned_ms IS NOT NULL AND verdict IS NOT NULL
        ORDER BY started_ms DESC, id DESC LIMIT 200";

    RUN_VERDICTS = "SELECT test_id, verdict FROM run_tests WHERE run_id = $1";

    BOOTS = "SELECT boot_ms FROM environments WHERE suite = $1 AND boot_ms IS NOT NULL
        ORDER BY ready_ms DESC LIMIT 10";

    UNIT_STARTS = "SELECT file, took_ms FROM unit_starts WHERE suite = $1 ORDER BY at_ms DESC LIMIT 5000";

    /// The environments of the suite's newest 5 runs in which memory was measured.
    FOOTPRINTS = "SELECT e.starting_ms, e.removed_ms, e.cpu_ms, e.memory_peak
        FROM environments e JOIN (
            SELECT id FROM runs r WHERE r.suite = $1 AND EXISTS (
                SELECT 1 FROM environments m WHERE m.run_id = r.id AND m.memory_peak IS NOT NULL)
            ORDER BY r.started_ms DESC LIMIT 5) newest ON newest.id = e.run_id
        WHERE e.ready_ms IS NOT NULL AND e.removed_ms IS NOT NULL AND e.memory_peak IS NOT NULL";

    UNFINISHED_RUNS = "SELECT id, owner FROM runs WHERE verdict IS NULL ORDER BY id";

    /// Asks again whether the run is unfinished, so that of two processes only one marks it.
    MARK_DEAD = "UPDATE runs SET verdict = 'incomplete', reason = COALESCE(reason, $2)
        WHERE id = $1 AND verdict IS NULL";

    RUN = "SELECT * FROM runs WHERE id = $1";

    RUNS = "SELECT * FROM runs ORDER BY started_ms DESC, id DESC LIMIT $1";

    RUNS_OF_SUITE = "SELECT * FROM runs WHERE suite = $1 ORDER BY started_ms DESC, id DESC LIMIT $2";

    ENVIRONMENTS = "SELECT * FROM environments WHERE run_id = $1 ORDER BY lane, generation";

    ATTEMPTS = "SELECT a.test_id, a.number, a.lane, a.generation, a.unit, a.position, a.predecessor, a.started_ms,
            a.duration_ms, a.outcome, a.detail, a.limit_ms, a.output,
            f.class, f.message, f.file, f.line, f.backtrace
        FROM attempts a
        LEFT JOIN failures f ON f.run_id = a.run_id AND f.test_id = a.test_id AND f.number = a.number
        WHERE a.run_id = $1
        ORDER BY a.started_ms, a.lane, a.position, a.test_id, a.number";

    SIGNATURES = "SELECT a.test_id, a.number, a.signature, s.text
        FROM attempts a JOIN signatures s ON s.id = a.signature
        WHERE a.run_id = $1
        ORDER BY a.started_ms, a.lane, a.position, a.test_id, a.number";

    TEST_VERDICTS = "SELECT r.test_id, r.expected_ms, r.verdict, t.file, t.line, t.name, t.tags
        FROM run_tests r JOIN runs u ON u.id = r.run_id JOIN tests t ON t.suite = u.suite AND t.id = r.test_id
        WHERE r.run_id = $1
        ORDER BY r.listed";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn placeholders_are_numbered_without_gaps() {
        for (name, text) in ALL {
            let used: BTreeSet<usize> = text
                .split('$')
                .skip(1)
                .map(|rest| {
                    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                    digits.parse().expect("a number after $")
                })
                .collect();
            assert_eq!(used, (1..=used.len()).collect(), "{name}");
        }
    }

    #[test]
    fn no_statement_uses_a_function_of_one_dialect() {
        let dialect = ["strftime", "date_trunc", "datetime(", "now()", "ifnull", "rowid", "::", "autoincrement"];
        for (name, text) in ALL {
            let lower = text.to_lowercase();
            assert_eq!(dialect.iter().find(|word| lower.contains(**word)), None, "{name}");
        }
    }
}
