//! What time limits are learnt from.

use std::collections::HashMap;
use std::time::Duration;

use futures::TryStreamExt as _;
use jiff::Timestamp;

use super::error::StoreError;
use super::statement::query;
use super::values::{Columns, text};
use super::{Store, sql};
use crate::id::TestId;
use crate::verdict::{Failure, NEWEST_OTHERS, NEWEST_PASSES, Outcome, Past};

/// A passed attempt: when it started, and how long it took.
type Pass = (Timestamp, Duration);

impl Store {
    /// How long the newest attempts of each of the suite's tests took. Tests that never passed are left out, as nothing
    /// is learnt of them.
    pub async fn pasts(&self, suite: &str) -> Result<HashMap<TestId, Past>, StoreError> {
        let context = self.context("read how long attempts took from");
        let suite = text(suite).into_owned();
        let mut passes: HashMap<TestId, Vec<Pass>> = HashMap::new();
        // Row by row: of a large suite there are hundreds of thousands.
        let mut rows = self.pools.stream(query(sql::PASSED_TIMES).bind(suite.clone()));
        while let Some(row) = rows.try_next().await.map_err(|error| context.sqlx(error))? {
            let columns = Columns::new(&row, context);
            let newest = passes.entry(TestId::from_stored(columns.text("test_id")?)).or_default();
            // Attempts that started in the same millisecond as the last one come as well.
            if newest.len() < NEWEST_PASSES {
                newest.push((columns.time("started_ms")?, columns.span("duration_ms")?));
            }
        }
        drop(rows);
        let past = |passes: &Vec<Pass>| Past { passed: passes.iter().map(|pass| pass.1).collect(), ..Past::default() };
        let mut pasts: HashMap<TestId, Past> = passes.iter().map(|(test, p)| (test.clone(), past(p))).collect();

        let failed = Outcome::Failed(Failure::default()).word();
        let timed_out = Outcome::TimedOut { limit: Duration::ZERO, why: String::new() }.word();
        let mut rows = self.pools.stream(query(sql::OTHER_TIMES).bind(suite));
        while let Some(row) = rows.try_next().await.map_err(|error| context.sqlx(error))? {
            let columns = Columns::new(&row, context);
            let test = TestId::from_stored(columns.text("test_id")?);
            let (Some(past), Some(passes)) = (pasts.get_mut(&test), passes.get(&test)) else { continue };
            let outcome = columns.text("outcome")?;
            if past.failed.len() + past.timed_out.len() >= NEWEST_OTHERS {
                continue;
            }
            if outcome == failed {
                past.failed.push(columns.span("duration_ms")?);
            } else if outcome == timed_out {
                let started = columns.time("started_ms")?;
                let since = passes.iter().take_while(|(at, _)| *at > started).count();
                past.timed_out.push((columns.span("limit_ms")?, since));
            }
        }
        Ok(pasts)
    }
}
