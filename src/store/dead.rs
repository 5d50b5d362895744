//! Runs whose process died.

use std::time::{Duration, Instant};

use super::error::StoreError;
use super::pools::{Work, answer};
use super::postgres::key;
use super::statement::query;
use super::values::Columns;
use super::{Store, sql};
use crate::id::RunId;

/// The reason that such a run is given, unless it had begun to stop for another.
const REASON: &str = "its process died";

/// How long a server may take to notice that a process of this host is gone.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);
/// The pause between two looks whether it has.
const LOOK: Duration = Duration::from_millis(50);

impl Store {
    /// Marks the runs that have no verdict and whose owner is not alive as `incomplete`, and returns them, oldest
    /// first. `is_alive` gets the owner as the run's header named it. Where two processes do this at once, each
    /// run is returned to one of them. On a server, a run that a process still records is alive, whatever `is_alive`
    /// says: another machine may have this one's name.
    ///
    /// A marked run has no end, as nobody saw it; its last attempt tells how far it came. Its tests that were not
    /// settled stay without a verdict.
    pub async fn mark_dead_runs(&self, is_alive: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<RunId>, StoreError> {
        let context = self.context("mark runs whose process died in");
        let rows = self.pools.fetch(query(sql::UNFINISHED_RUNS));
        let rows = rows.await.map_err(|error| context.sqlx(error))?;
        let mut dead = Vec::new();
        for row in &rows {
            let columns = Columns::new(row, context);
            if !is_alive(&columns.text("owner")?) {
                dead.push(columns.text("id")?);
            }
        }
        let mut marked = Vec::new();
        let deadline = Instant::now() + NOTICED_WITHIN;
        for id in dead {
            while match self.mark(&id).await.map_err(|error| context.sqlx(error))? {
                Mark::Marked => {
                    marked.push(RunId::from_stored(id.clone()));
                    false
                }
                Mark::ByAnother => false,
                Mark::Shown => Instant::now() < deadline,
            } {
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(marked)
    }

    async fn mark(&self, id: &str) -> Result<Mark, sqlx::Error> {
        let mark = query(sql::MARK_DEAD).bind(id).bind(REASON);
        let mut work = self.pools.begin().await?;
        match &mut work {
            Work::Server(transaction, within) => {
                let free = sqlx::query_as(sql::IS_FREE).bind(key(id)).fetch_one(&mut **transaction);
                let (free,): (bool,) = answer(*within, free).await?;
                if !free {
                    return Ok(Mark::Shown);
                }
            }
            Work::File(_) => {}
        }
        let met = work.execute(mark).await?;
        work.commit().await?;
        Ok(if met == 1 { Mark::Marked } else { Mark::ByAnother })
    }
}

/// What came of marking a run.
enum Mark {
    Marked,
    /// It has a verdict meanwhile.
    ByAnother,
    /// A process shows it alive.
    Shown,
}
