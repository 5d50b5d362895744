//! Reading runs back, for reports and for whoever looks into the past.

use std::time::Duration;

use super::error::{Context, StoreError};
use super::rows::{EnvironmentRow, RunRow, TestRow};
use super::statement::query;
use super::told::verdict;
use super::values::{Columns, text};
use super::{Store, sql};
use crate::event::{Attempt, BrokenEnvironment, RunHeader};
use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, RunId, TestId, UnitId};
use crate::verdict::{Failure, Outcome};

impl Store {
    /// The newest `limit` runs, newest first; of one suite, or of all.
    pub async fn runs(&self, suite: Option<&str>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let context = self.context("read the runs from");
        let statement = match suite {
            Some(suite) => query(sql::RUNS_OF_SUITE).bind(text(suite).into_owned()),
            None => query(sql::RUNS),
        };
        let rows = self.pools.fetch(statement.bind(i64::from(limit))).await;
        let rows = rows.map_err(|error| context.sqlx(error))?;
        rows.iter().map(|row| run_row(Columns::new(row, context))).collect()
    }

    /// One run; `None` where the history does not have it.
    pub async fn run(&self, run: &RunId) -> Result<Option<RunRow>, StoreError> {
        let context = self.context("read a run from");
        let rows = self.pools.fetch(query(sql::RUN).bind(run.to_string())).await;
        let rows = rows.map_err(|error| context.sqlx(error))?;
        rows.first().map(|row| run_row(Columns::new(row, context))).transpose()
    }

    /// A run's environments, by lane and then by generation.
    pub async fn environments(&self, run: &RunId) -> Result<Vec<EnvironmentRow>, StoreError> {
        self.rows_of(run, sql::ENVIRONMENTS, "read a run's environments from", environment_row).await
    }

    /// A run's attempts that ended, in the order in which they started.
    pub async fn attempts(&self, run: &RunId) -> Result<Vec<Attempt>, StoreError> {
        self.rows_of(run, sql::ATTEMPTS, "read a run's attempts from", attempt_row).await
    }

    /// A run's tests with their verdicts, in the order in which they were listed.
    pub async fn test_verdicts(&self, run: &RunId) -> Result<Vec<TestRow>, StoreError> {
        self.rows_of(run, sql::TEST_VERDICTS, "read a run's verdicts from", test_row).await
    }

    async fn rows_of<T>(
        &self,
        run: &RunId,
        statement: &'static str,
        doing: &'static str,
        build: fn(Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let context: Context<'_> = self.context(doing);
        let rows = self.pools.fetch(query(statement).bind(run.to_string())).await;
        let rows = rows.map_err(|error| context.sqlx(error))?;
        rows.iter().map(|row| build(Columns::new(row, context))).collect()
    }
}

fn run_row(columns: Columns<'_>) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        header: RunHeader {
            run: RunId::from_stored(columns.text("id")?),
            suite: columns.text("suite")?,
            candidate: columns.text("candidate")?,
            trigger: columns.text("triggered_by")?,
            seed: columns.number::<i64>("seed")?.cast_unsigned(),
            lanes: columns.number("lanes")?,
            attempts: columns.number("attempt_limit")?,
            repeat: columns.number("repeat_count")?,
            cpus: columns.number("cpus")?,
            fail_on_flaky: columns.get("fail_on_flaky")?,
            selection: columns.list("selection")?,
            owner: columns.text("owner")?,
        },
        started: columns.time("started_ms")?,
        planned: columns.optional_time("planned_ms")?,
        units: columns.optional_number("units")?,
        known: columns.optional_number("known_tests")?,
        listed: columns.optional_number("listed_tests")?,
        stopping: columns.optional_time("stopping_ms")?,
        ended: columns.optional_time("ended_ms")?,
        verdict: columns.get("verdict")?,
        reason: columns.get("reason")?,
        exit_code: columns.optional_number("exit_code")?,
    })
}

fn environment_row(columns: Columns<'_>) -> Result<EnvironmentRow, StoreError> {
    let broke = columns.optional_time("broke_ms")?;
    let broken = match broke {
        Some(_) => Some(BrokenEnvironment {
            service: columns.get("broken_service")?,
            cause: columns.text("broken_cause")?,
            log_tail: columns.list("broken_log")?,
        }),
        None => None,
    };
    Ok(EnvironmentRow {
        environment: environment(columns)?,
        starting: columns.time("starting_ms")?,
        ready: columns.optional_time("ready_ms")?,
        boot: columns.optional_span("boot_ms")?,
        broke,
        broken,
        removed: columns.optional_time("removed_ms")?,
        cpu: columns.optional_span("cpu_ms")?,
        memory_peak: columns.optional_number("memory_peak")?,
    })
}

fn test_row(columns: Columns<'_>) -> Result<TestRow, StoreError> {
    Ok(TestRow {
        test: TestId::from_stored(columns.text("test_id")?),
        file: columns.text("file")?,
        line: columns.number("line")?,
        name: columns.text("name")?,
        tags: columns.list("tags")?,
        expected: columns.span("expected_ms")?,
        verdict: verdict(columns)?,
    })
}

fn attempt_row(columns: Columns<'_>) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        test: TestId::from_stored(columns.text("test_id")?),
        number: AttemptNumber(columns.number("number")?),
        environment: environment(columns)?,
        unit: UnitId(columns.number("unit")?),
        position: columns.number("position")?,
        predecessor: columns.get::<Option<String>>("predecessor")?.map(TestId::from_stored),
        started: columns.time("started_ms")?,
        duration: columns.span("duration_ms")?,
        outcome: outcome(columns)?,
        output: columns.text("output")?,
    })
}

fn environment(columns: Columns<'_>) -> Result<EnvironmentId, StoreError> {
    Ok(EnvironmentId { lane: LaneIndex(columns.number("lane")?), generation: columns.number("generation")? })
}

/// The outcome whose word is stored. The words come from [`Outcome::word`], so that a word that is changed there
/// can't be missed here.
fn outcome(columns: Columns<'_>) -> Result<Outcome, StoreError> {
    let word = columns.text("outcome")?;
    let candidates = [
        Outcome::Passed,
        Outcome::Failed(Failure::default()),
        Outcome::TimedOut { limit: Duration::ZERO, why: String::new() },
        Outcome::Skipped { reason: String::new() },
        Outcome::EnvironmentBroke { cause: String::new() },
        Outcome::Interrupted,
    ];
    let kind = candidates.into_iter().find(|outcome| outcome.word() == word);
    Ok(match kind.ok_or_else(|| columns.odd("outcome", &word))? {
        Outcome::Passed => Outcome::Passed,
        Outcome::Interrupted => Outcome::Interrupted,
        Outcome::Failed(_) => Outcome::Failed(Failure {
            class: columns.text("class")?,
            message: columns.text("message")?,
            file: columns.get("file")?,
            line: columns.optional_number("line")?,
            backtrace: columns.list("backtrace")?,
        }),
        Outcome::TimedOut { .. } => Outcome::TimedOut {
            limit: columns.span("limit_ms")?,
            // Older versions did not record it.
            why: columns.get::<Option<String>>("detail")?.unwrap_or_default(),
        },
        Outcome::Skipped { .. } => Outcome::Skipped { reason: columns.text("detail")? },
        Outcome::EnvironmentBroke { .. } => Outcome::EnvironmentBroke { cause: columns.text("detail")? },
    })
}
