//! The history: what every run did, kept in one SQLite file.
//!
//! [`Store::record`] takes the events of a run, and has each on disk when it returns. The other methods read:
//! durations for the plan, rows for the reports. `sql` holds every statement, `migrations/` the schema, `error`
//! what can go wrong. The schema and the statements are meant for PostgreSQL as well; what is SQLite's alone
//! stands in `open`.
//!
//! Times and durations are kept in whole milliseconds; what is finer is cut off. NUL characters are dropped from
//! all text, as PostgreSQL can't hold them.
//!
//! Architecture invariant: the only SQL of the program is here, and nothing here knows of Docker or a terminal.

mod dead;
mod error;
mod expect;
mod open;
mod pasts;
mod read;
mod record;
mod rows;
mod signatures;
mod sql;
mod told;
mod values;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use expect::{Footprint, UnitStarts};
pub use rows::{EnvironmentRow, RunRow, TestRow};
pub use signatures::SignatureRow;
pub use told::Unsettled;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::id::RunId;
use error::Context;
use open::Pools;

/// How long another process may hold the file before it is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// A history file that is open.
///
/// A store records one run at a time: events carry no run id and belong to the last run that was started. For
/// runs side by side open the file once for each; any number of processes and stores may share one file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    patience: Duration,
    pools: Pools,
    current: Mutex<Option<Arc<Current>>>,
}

/// The run to which the events belong.
#[derive(Debug)]
struct Current {
    run: RunId,
    suite: String,
}

impl Store {
    /// Opens the history in the file at `path`, and brings its schema up to date. The file and its folders are
    /// made where they are missing. Files of other programs are refused and left as they are.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with_patience(path, PATIENCE).await
    }

    /// Like [`Store::open`], which waits 5 s for other processes; this waits `patience`, here and in every call.
    pub async fn open_with_patience(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let pools = open::open(Context { path, patience, doing: "open" }).await?;
        Ok(Self { path: path.to_owned(), patience, pools, current: Mutex::default() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file when all calls are done, and folds the write-ahead log into it. Nothing is lost without
    /// this call, but two files stay beside the history until it is opened again.
    pub async fn close(self) {
        self.pools.readers.close().await;
        self.pools.writer.close().await;
    }

    fn context(&self, doing: &'static str) -> Context<'_> {
        Context { path: &self.path, patience: self.patience, doing }
    }

    fn current(&self) -> Option<Arc<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, run: &RunId, suite: &str) {
        let current = Arc::new(Current { run: run.clone(), suite: suite.to_owned() });
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
    }
}
