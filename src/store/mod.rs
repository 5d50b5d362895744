//! The history: what every run did, kept in one SQLite file or in a PostgreSQL database.
//!
//! [`Store::record`] takes the events of a run, and has each on disk when it returns. The other methods read:
//! durations for the plan, rows for the reports. `sql` holds every statement, `migrations/` the schema, `error`
//! what can go wrong. The schema and the statements are the same for both; what is SQLite's alone stands in `open`,
//! what is PostgreSQL's in `postgres`, and `pools` is the surface over both. [`Place`] says which it is.
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
mod place;
mod pools;
mod postgres;
mod read;
mod record;
mod rows;
mod schema;
mod signatures;
mod sql;
mod statement;
mod told;
mod values;

#[cfg(test)]
mod dialects;
#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use expect::{Footprint, UnitStarts};
pub use place::{Place, Server, VARIABLE};
pub use rows::{EnvironmentRow, RunRow, TestRow};
pub use signatures::SignatureRow;
pub use told::Unsettled;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::id::RunId;
use error::Context;
use pools::Pools;

/// How long another process may hold the file before it is an error.
const FILE_PATIENCE: Duration = Duration::from_secs(5);
/// How long a server may take for an answer.
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

/// A history that is open.
///
/// A store records one run at a time: events carry no run id and belong to the last run that was started. For
/// runs side by side open the history once for each; any number of processes and stores may share one, those on a
/// server from several machines.
#[derive(Debug)]
pub struct Store {
    place: Place,
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
    /// Opens the history at `place`, and brings its schema up to date. A file and its folders are made where they are
    /// missing, a database must be there. Files and databases of other programs are refused and left as they are.
    pub async fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let patience = patience(&place);
        Self::open_with_patience(place, patience).await
    }

    /// Like [`Store::open`], which waits 5 s for other processes that hold a file and 30 s for each answer of a server;
    /// this waits `patience`, here and in every call.
    pub async fn open_with_patience(place: impl Into<Place>, patience: Duration) -> Result<Self, StoreError> {
        let place = place.into();
        let context = Context { place: &place, patience, doing: "open" };
        let pools = match &place {
            Place::File(path) => Some(open::open(context, path).await?),
            Place::Server(server) => postgres::open(context, server, true).await?,
        };
        let pools = pools.ok_or_else(|| context.unexpected("its tables were not made"))?;
        Ok(Self { place, patience, pools, current: Mutex::default() })
    }

    /// Opens the history at `place` if there is one. None is made.
    pub async fn open_existing(place: impl Into<Place>) -> Result<Option<Self>, StoreError> {
        let place = place.into();
        let patience = patience(&place);
        let context = Context { place: &place, patience, doing: "open" };
        let pools = match &place {
            Place::File(path) if !path.exists() => None,
            Place::File(path) => Some(open::open(context, path).await?),
            Place::Server(server) => postgres::open(context, server, false).await?,
        };
        Ok(pools.map(|pools| Self { place, patience, pools, current: Mutex::default() }))
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Closes the history when all calls are done, and folds a file's write-ahead log into it. Nothing is lost without
    /// this call, but two files stay beside the history until it is opened again.
    pub async fn close(self) {
        self.pools.close().await;
    }

    fn context(&self, doing: &'static str) -> Context<'_> {
        Context { place: &self.place, patience: self.patience, doing }
    }

    fn current(&self) -> Option<Arc<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, run: &RunId, suite: &str) {
        let current = Arc::new(Current { run: run.clone(), suite: suite.to_owned() });
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
    }
}

fn patience(place: &Place) -> Duration {
    match place {
        Place::File(_) => FILE_PATIENCE,
        Place::Server(_) => SERVER_PATIENCE,
    }
}
