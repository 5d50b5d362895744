//! What the history says of tests, for those who select by it.

use std::collections::{HashMap, HashSet};

use super::error::StoreError;
use super::statement::query;
use super::values::{Columns, text};
use super::{Store, sql};
use crate::id::{RunId, TestId};
use crate::verdict::TestVerdict;

/// How many of the newest verdicts count. The statement holds the same number.
const NEWEST: usize = 10;

/// What failed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// The runs that were looked at, newest first: back to the newest of the whole suite, or all where there is none.
    pub runs: Vec<RunId>,
    /// The tests that failed, or were not settled, in the newest of these runs that had them.
    pub tests: HashSet<TestId>,
}

impl Store {
    /// The newest 10 verdicts of each test of the suite that say something of it, newest first: passed, flaky, failed and
    /// quarantined. A run that had left a test out says nothing of it.
    pub async fn told(&self, suite: &str) -> Result<HashMap<TestId, Vec<TestVerdict>>, StoreError> {
        let context = self.context("read the tests' verdicts from");
        let rows = self.pools.fetch(query(sql::TOLD).bind(text(suite).into_owned()));
        let mut told: HashMap<TestId, Vec<TestVerdict>> = HashMap::new();
        for row in &rows.await.map_err(|error| context.sqlx(error))? {
            let columns = Columns::new(row, context);
            let Some(verdict) = verdict(columns)? else { continue };
            let verdicts = told.entry(TestId::from_stored(columns.text("test_id")?)).or_default();
            if verdicts.len() < NEWEST {
                verdicts.push(verdict);
            }
        }
        Ok(told)
    }

    /// What failed, or was not settled, in the last run of the candidate that came to its end; where it has none, or is
    /// empty, of the suite. A run of a part of the suite changes only what it had: it is read as a correction of the
    /// run of the whole suite before it. `None` where there is no run.
    pub async fn unsettled(&self, suite: &str, candidate: &str) -> Result<Option<Unsettled>, StoreError> {
        let mut runs = self.ended_runs(suite, candidate).await?;
        if runs.is_empty() && !candidate.is_empty() {
            runs = self.ended_runs(suite, "").await?;
        }
        if runs.is_empty() {
            return Ok(None);
        }
        let (mut seen, mut tests) = (HashSet::new(), HashSet::new());
        for run in &runs {
            for (test, verdict) in self.verdicts(run).await? {
                let left = match verdict {
                    Some(TestVerdict::Failed | TestVerdict::NotRun | TestVerdict::EnvironmentBroke) | None => true,
                    Some(
                        TestVerdict::Passed | TestVerdict::Flaky | TestVerdict::Quarantined | TestVerdict::Skipped,
                    ) => false,
                };
                if seen.insert(test.clone()) && left {
                    tests.insert(test);
                }
            }
        }
        Ok(Some(Unsettled { runs, tests }))
    }

    /// Newest first, back to the newest of the whole suite.
    async fn ended_runs(&self, suite: &str, candidate: &str) -> Result<Vec<RunId>, StoreError> {
        let context = self.context("look for the last run in");
        let statement = query(sql::ENDED_RUNS).bind(text(suite).into_owned()).bind(text(candidate).into_owned());
        let rows = self.pools.fetch(statement).await.map_err(|error| context.sqlx(error))?;
        let mut runs = Vec::new();
        for row in &rows {
            let columns = Columns::new(row, context);
            runs.push(RunId::from_stored(columns.text("id")?));
            if columns.list("selection")?.is_empty() {
                break;
            }
        }
        Ok(runs)
    }

    async fn verdicts(&self, run: &RunId) -> Result<Vec<(TestId, Option<TestVerdict>)>, StoreError> {
        let context = self.context("read a run's verdicts from");
        let rows = self.pools.fetch(query(sql::RUN_VERDICTS).bind(run.to_string())).await;
        let of = |row| {
            let columns = Columns::new(row, context);
            Ok((TestId::from_stored(columns.text("test_id")?), verdict(columns)?))
        };
        rows.map_err(|error| context.sqlx(error))?.iter().map(of).collect()
    }
}

/// The column `verdict`.
pub(super) fn verdict(columns: Columns<'_>) -> Result<Option<TestVerdict>, StoreError> {
    let Some(word) = columns.get::<Option<String>>("verdict")? else { return Ok(None) };
    let known = TestVerdict::ALL.into_iter().find(|verdict| verdict.word() == word);
    known.map(Some).ok_or_else(|| columns.odd("verdict", &word))
}
