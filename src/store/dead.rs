//! Runs whose process died.

use super::error::StoreError;
use super::values::Columns;
use super::{Store, sql};
use crate::id::RunId;

/// The reason that such a run is given, unless it had begun to stop for another.
const REASON: &str = "its process died";

impl Store {
    /// Marks the runs that have no verdict and whose owner is not alive as `incomplete`, and returns them, oldest
    /// first. `is_alive` gets the owner as the run's header named it. Where two processes do this at once, each
    /// run is returned to one of them.
    ///
    /// A marked run has no end, as nobody saw it; its last attempt tells how far it came. Its tests that were not
    /// settled stay without a verdict.
    pub async fn mark_dead_runs(&self, is_alive: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<RunId>, StoreError> {
        let context = self.context("mark runs whose process died in");
        let rows = sqlx::query(sql::UNFINISHED_RUNS).fetch_all(&self.pools.readers);
        let rows = rows.await.map_err(|error| context.sqlx(error))?;
        let mut dead = Vec::new();
        for row in &rows {
            let columns = Columns::new(row, context);
            if !is_alive(&columns.text("owner")?) {
                dead.push(columns.text("id")?);
            }
        }
        let mut marked = Vec::new();
        for id in dead {
            let query = sqlx::query(sql::MARK_DEAD).bind(id.clone()).bind(REASON).execute(&self.pools.writer);
            if query.await.map_err(|error| context.sqlx(error))?.rows_affected() == 1 {
                marked.push(RunId::from_stored(id));
            }
        }
        Ok(marked)
    }
}
