//! Recording a run: one committed transaction for each event that matters to the history.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::{Context, StoreError};
use super::pools::Pools;
use super::statement::{Statement, Value, query};
use super::values::{count, list, span, text, time};
use super::{Current, Store, sql};
use crate::event::{Attempt, BrokenEnvironment, PlannedTest, RunEvent, RunHeader};
use crate::id::EnvironmentId;
use crate::signature;
use crate::verdict::{Failure, Interruption, Outcome, RunVerdict, StopReason};

/// Rows in one statement. SQLite takes 32,766 values in one, PostgreSQL twice as many; a row has at most 8.
const ROWS_AT_ONCE: usize = 250;

impl Store {
    /// Records what the event means for the history. When this returns it is on disk, and a `kill -9` does not
    /// lose it. Events that say nothing lasting return at once.
    ///
    /// Events must come in the order in which they happened. One that does not fit to those before it, such as an
    /// attempt of a test that was never planned, is refused with [`StoreError::Unexpected`].
    pub async fn record(&self, event: &RunEvent) -> Result<(), StoreError> {
        match event {
            RunEvent::RunStarted { at, header } => self.run_started(*at, header).await,
            RunEvent::EnvironmentStarting { at, environment } => {
                let (context, current) = self.current_run("record the start of an environment in")?;
                let statement = of_environment(sql::INSERT_ENVIRONMENT, &current, *environment)
                    .bind(current.suite.clone())
                    .bind(time(*at));
                self.one_row(context, statement, &format!("environment {environment}")).await
            }
            RunEvent::EnvironmentReady { at, environment, boot, standby } => {
                let (context, current) = self.current_run("record that an environment is ready in")?;
                let statement = of_environment(sql::ENVIRONMENT_READY, &current, *environment)
                    .bind(time(*at))
                    .bind((!standby).then(|| span(*boot)));
                self.one_row(context, statement, &format!("environment {environment}")).await
            }
            RunEvent::EnvironmentBroke { at, environment, broken } => {
                self.environment_broke(*at, *environment, broken).await
            }
            RunEvent::EnvironmentRemoved { at, environment, used } => {
                let (context, current) = self.current_run("record the end of an environment in")?;
                let memory = (used.memory_peak > 0).then(|| i64::try_from(used.memory_peak).unwrap_or(i64::MAX));
                let statement = of_environment(sql::ENVIRONMENT_REMOVED, &current, *environment)
                    .bind(time(*at))
                    .bind(span(used.cpu))
                    .bind(memory);
                self.one_row(context, statement, &format!("environment {environment}")).await
            }
            RunEvent::UnitBegan { at, environment: _, unit, file, took } => {
                let (context, current) = self.current_run("record the start of a unit in")?;
                let statement = query(sql::INSERT_UNIT_START)
                    .bind(current.run.to_string())
                    .bind(i64::from(unit.0))
                    .bind(current.suite.clone())
                    .bind(text(file).into_owned())
                    .bind(time(*at))
                    .bind(span(*took));
                self.one_row(context, statement, &format!("unit {unit}")).await
            }
            RunEvent::Planned { at, tests, listed, units, known, notes: _ } => {
                self.planned(*at, tests, [*listed, *units, *known]).await
            }
            RunEvent::AttemptEnded(attempt) => self.attempt_ended(attempt).await,
            RunEvent::TestSettled { test, verdict } => {
                let (context, current) = self.current_run("record a test's verdict in")?;
                let statement = query(sql::TEST_SETTLED)
                    .bind(current.run.to_string())
                    .bind(text(test.as_str()).into_owned())
                    .bind(verdict.word());
                self.one_row(context, statement, &format!("test {test}")).await
            }
            RunEvent::Stopping { at, reason } => {
                let (context, current) = self.current_run("record that the run stops in")?;
                let statement = query(sql::RUN_STOPPING)
                    .bind(current.run.to_string())
                    .bind(time(*at))
                    .bind(text(stop_reason(reason)).into_owned());
                self.one_row(context, statement, &format!("run {}", current.run)).await
            }
            RunEvent::RunEnded { at, verdict, exit_code } => {
                let (context, current) = self.current_run("record the end of the run in")?;
                let statement = query(sql::RUN_ENDED)
                    .bind(current.run.to_string())
                    .bind(time(*at))
                    .bind(verdict.word())
                    .bind(verdict_reason(verdict).map(|reason| text(reason).into_owned()))
                    .bind(i64::from(*exit_code));
                self.one_row(context, statement, &format!("run {}", current.run)).await
            }
            RunEvent::ImageProgress { .. }
            | RunEvent::ImageReady { .. }
            | RunEvent::EnvironmentReset { .. }
            | RunEvent::StandbyRemoved { .. }
            | RunEvent::EnvironmentProgress { .. }
            | RunEvent::LaneStoodDown { .. }
            | RunEvent::UnitStarted { .. }
            | RunEvent::AttemptStarted { .. }
            | RunEvent::EvidenceKept { .. }
            | RunEvent::Warning { .. } => Ok(()),
        }
    }

    async fn run_started(&self, at: Timestamp, header: &RunHeader) -> Result<(), StoreError> {
        let context = self.context("record the start of a run in");
        if let Pools::Server { within, alive, .. } = &self.pools {
            alive.show(&header.run, *within).await.map_err(|error| context.sqlx(error))?;
        }
        let statement = query(sql::INSERT_RUN)
            .bind(header.run.to_string())
            .bind(text(&header.suite).into_owned())
            .bind(text(&header.candidate).into_owned())
            .bind(text(&header.trigger).into_owned())
            .bind(header.seed.cast_signed())
            .bind(i64::from(header.lanes))
            .bind(i64::from(header.attempts))
            .bind(i64::from(header.cpus))
            .bind(header.fail_on_flaky)
            .bind(text(&header.owner).into_owned())
            .bind(time(at))
            .bind(list(&header.selection))
            .bind(i64::from(header.repeat));
        self.one_row(context, statement, &format!("run {}", header.run)).await?;
        self.set_current(&header.run, &text(&header.suite));
        Ok(())
    }

    async fn environment_broke(
        &self,
        at: Timestamp,
        environment: EnvironmentId,
        broken: &BrokenEnvironment,
    ) -> Result<(), StoreError> {
        let (context, current) = self.current_run("record that an environment broke in")?;
        let statement = of_environment(sql::ENVIRONMENT_BROKE, &current, environment)
            .bind(time(at))
            .bind(broken.service.as_deref().map(|service| text(service).into_owned()))
            .bind(text(&broken.cause).into_owned())
            .bind(list(&broken.log_tail));
        self.one_row(context, statement, &format!("environment {environment}")).await
    }

    async fn planned(
        &self,
        at: Timestamp,
        tests: &[PlannedTest],
        [listed, units, known]: [usize; 3],
    ) -> Result<(), StoreError> {
        let (context, current) = self.current_run("record the plan in")?;
        let mut work = self.pools.begin().await.map_err(|error| context.sqlx(error))?;
        let planned = query(sql::RUN_PLANNED)
            .bind(current.run.to_string())
            .bind(time(at))
            .bind(count(units))
            .bind(count(known))
            .bind(count(listed));
        exactly(1, context, work.execute(planned).await, &format!("run {}", current.run))?;
        let mut listed: Vec<(i64, &PlannedTest)> = (1..).zip(tests).collect();
        // Everyone in the same order: two runs of a suite that plan at once would wait for each other for ever.
        listed.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
        for some in listed.chunks(ROWS_AT_ONCE) {
            let what = format!("a test from {} on", some.first().map_or("none", |(_, test)| test.id.as_str()));
            let known = some.iter().map(|(_, test)| known_test(&current, at, test)).collect();
            let known = Statement::of_rows(sql::INSERT_TESTS, known, sql::UPDATE_TESTS);
            exactly(some.len(), context, work.execute(known).await, &what)?;

            let in_run = some.iter().map(|(listed, test)| test_of_run(&current, *listed, test)).collect();
            let in_run = Statement::of_rows(sql::INSERT_RUN_TESTS, in_run, "");
            exactly(some.len(), context, work.execute(in_run).await, &what)?;
        }
        work.commit().await.map_err(|error| context.sqlx(error))
    }

    async fn attempt_ended(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let (context, current) = self.current_run("record an attempt in")?;
        let what = format!("attempt {} of test {}", attempt.number, attempt.test);
        let (detail, limit, failure) = match &attempt.outcome {
            Outcome::Passed | Outcome::Interrupted => (None, None, None),
            Outcome::Failed(failure) => (None, None, Some(failure)),
            Outcome::TimedOut { limit, why } => (Some(why.as_str()), Some(span(*limit)), None),
            Outcome::Skipped { reason } => (Some(reason.as_str()), None, None),
            Outcome::EnvironmentBroke { cause } => (Some(cause.as_str()), None, None),
        };
        let statement = of_attempt(sql::INSERT_ATTEMPT, &current, attempt)
            .bind(current.suite.clone())
            .bind(i64::from(attempt.environment.lane.0))
            .bind(i64::from(attempt.environment.generation))
            .bind(i64::from(attempt.unit.0))
            .bind(i64::from(attempt.position))
            .bind(attempt.predecessor.as_ref().map(|test| text(test.as_str()).into_owned()))
            .bind(time(attempt.started))
            .bind(span(attempt.duration))
            .bind(attempt.outcome.word())
            .bind(detail.map(|detail| text(detail).into_owned()))
            .bind(limit)
            .bind(text(&attempt.output).into_owned());
        let signature = signature::of_outcome(&attempt.outcome);
        let statement = statement.bind(signature.as_ref().map(ToString::to_string));
        let Some(signature) = signature else { return self.one_row(context, statement, &what).await };

        let mut work = self.pools.begin().await.map_err(|error| context.sqlx(error))?;
        exactly(1, context, work.execute(statement).await, &what)?;
        if let Some(failure) = failure {
            exactly(1, context, work.execute(failure_row(&current, attempt, failure)).await, &what)?;
        }
        let known = query(sql::INSERT_SIGNATURE).bind(signature.to_string()).bind(text(&signature.text).into_owned());
        work.execute(known).await.map_err(|error| context.sqlx(error))?;
        work.commit().await.map_err(|error| context.sqlx(error))
    }

    fn current_run(&self, doing: &'static str) -> Result<(Context<'_>, Arc<Current>), StoreError> {
        let context = self.context(doing);
        let current = self.current().ok_or_else(|| context.unexpected("no run was started in this store"))?;
        Ok((context, current))
    }

    /// Runs a statement that must meet exactly one row, and commits it.
    async fn one_row(&self, context: Context<'_>, statement: Statement, what: &str) -> Result<(), StoreError> {
        exactly(1, context, self.pools.execute(statement).await, what)
    }
}

/// Looks whether a statement met as many rows as it must. An update that meets none would lose the event without a
/// word.
fn exactly(rows: usize, context: Context<'_>, met: Result<u64, sqlx::Error>, what: &str) -> Result<(), StoreError> {
    match met {
        Ok(met) if met == rows as u64 => Ok(()),
        Ok(_) => Err(context.unexpected(format!("{what} was not recorded before"))),
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            Err(context.unexpected(format!("the test or the environment of {what} was not recorded before")))
        }
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(context.unexpected(format!("{what} was recorded before")))
        }
        Err(error) => Err(context.sqlx(error)),
    }
}

/// A row of the tests that the suite has.
fn known_test(current: &Current, at: Timestamp, test: &PlannedTest) -> Vec<Value> {
    vec![
        current.suite.clone().into(),
        text(test.id.as_str()).into_owned().into(),
        text(&test.file).into_owned().into(),
        i64::from(test.line).into(),
        text(&test.name).into_owned().into(),
        list(&test.tags).into(),
        time(at).into(),
        time(at).into(),
    ]
}

/// A row of the tests that a run has.
fn test_of_run(current: &Current, listed: i64, test: &PlannedTest) -> Vec<Value> {
    vec![
        current.run.to_string().into(),
        text(test.id.as_str()).into_owned().into(),
        listed.into(),
        span(test.expected).into(),
        current.suite.clone().into(),
    ]
}

fn of_environment(statement: &'static str, current: &Current, environment: EnvironmentId) -> Statement {
    query(statement)
        .bind(current.run.to_string())
        .bind(i64::from(environment.lane.0))
        .bind(i64::from(environment.generation))
}

fn of_attempt(statement: &'static str, current: &Current, attempt: &Attempt) -> Statement {
    query(statement)
        .bind(current.run.to_string())
        .bind(text(attempt.test.as_str()).into_owned())
        .bind(i64::from(attempt.number.0))
}

fn failure_row(current: &Current, attempt: &Attempt, failure: &Failure) -> Statement {
    of_attempt(sql::INSERT_FAILURE, current, attempt)
        .bind(text(&failure.class).into_owned())
        .bind(text(&failure.message).into_owned())
        .bind(failure.file.as_deref().map(|file| text(file).into_owned()))
        .bind(failure.line.map(i64::from))
        .bind(list(&failure.backtrace))
}

/// Why a run stopped, as it is stored: a word, or the whole text where there is one.
fn stop_reason(reason: &StopReason) -> &str {
    match reason {
        StopReason::Signal(Interruption::Interrupt) => "SIGINT",
        StopReason::Signal(Interruption::Terminate) => "SIGTERM",
        StopReason::Deadline => "deadline",
        StopReason::MaxFailures => "max failures",
        StopReason::SuiteBroken(why) | StopReason::NoEnvironments(why) | StopReason::StoreLost(why) => why,
    }
}

fn verdict_reason(verdict: &RunVerdict) -> Option<&str> {
    match verdict {
        RunVerdict::Passed | RunVerdict::Failed | RunVerdict::NoTests => None,
        RunVerdict::Incomplete(reason) => Some(stop_reason(reason)),
        RunVerdict::SuiteBroken(why) | RunVerdict::EnvironmentsUnavailable(why) => Some(why),
        RunVerdict::Interrupted(Interruption::Interrupt) => Some("SIGINT"),
        RunVerdict::Interrupted(Interruption::Terminate) => Some("SIGTERM"),
    }
}
