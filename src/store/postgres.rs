//! From a server's address to a history of the current schema, and how living runs are told from dead ones there.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Error};
use tokio::sync::Mutex;

use super::error::{Context, StoreError};
use super::place::Server;
use super::pools::{Pools, answer};
use super::schema::{self, Dialect};
use super::sql;
use crate::id::RunId;

/// How many connections one store has to a server, besides the one that shows it alive.
const CONNECTIONS: u32 = 4;

/// Opens the history on a server, within the context's patience for each answer. Where the database is empty and it
/// must not be `made`, there is none.
pub(super) async fn open(context: Context<'_>, server: &Server, made: bool) -> Result<Option<Pools>, StoreError> {
    let within = context.patience;
    let options = server.options.clone().application_name("shakedown").disable_statement_logging();
    let wrong = |error| context.sqlx(error);
    // Not through the pool, which would try again until its time is over, and then not say why.
    let mut connection = answer(within, options.connect()).await.map_err(wrong)?;
    let state = look(context, server, &mut connection).await?;
    let there = match state {
        State::Empty if !made => false,
        State::Current => true,
        State::Empty | State::Older => {
            migrate(context, &mut connection).await?;
            true
        }
    };
    if there {
        let denied: Vec<(String,)> =
            answer(within, sqlx::query_as(sql::DENIED).fetch_all(&mut connection)).await.map_err(wrong)?;
        if let Some((table,)) = denied.first() {
            let why = format!("it may not read, insert and update rows of table {table}");
            return Err(StoreError::MayNotWrite { server: server.to_string(), why });
        }
    }
    // Nothing is under way on it.
    let _ = answer(within, connection.close()).await;
    let pool =
        PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(within).connect_lazy_with(options.clone());
    Ok(there.then(|| Pools::Server { pool, within, alive: Box::new(Alive { options, connection: Mutex::default() }) }))
}

/// How far a database's schema is.
enum State {
    /// It has no table.
    Empty,
    /// Its schema is of an earlier version.
    Older,
    /// There is nothing to do.
    Current,
}

async fn look(context: Context<'_>, server: &Server, connection: &mut PgConnection) -> Result<State, StoreError> {
    let within = context.patience;
    let wrong = |error| context.sqlx(error);
    let (read_only,): (bool,) =
        answer(within, sqlx::query_as(sql::READ_ONLY).fetch_one(&mut *connection)).await.map_err(wrong)?;
    if read_only {
        let why = "the server takes no changes: it is a standby, or set to be read-only".to_owned();
        return Err(StoreError::MayNotWrite { server: server.to_string(), why });
    }
    let tables: Vec<(String,)> =
        answer(within, sqlx::query_as(sql::SERVER_TABLES).fetch_all(&mut *connection)).await.map_err(wrong)?;
    let Some((first,)) = tables.first() else { return Ok(State::Empty) };
    if !schema::SIGNS.iter().all(|sign| tables.iter().any(|(table,)| table == sign)) {
        return Err(context.foreign(format!("it has a table {first}")));
    }
    // Who may only read the schema must not need the right to change it, so it is looked at first.
    let applied: Vec<(i64, Vec<u8>)> =
        answer(within, sqlx::query_as(sql::APPLIED).fetch_all(&mut *connection)).await.map_err(wrong)?;
    let known = schema::newest();
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > known) {
        return Err(StoreError::Newer { place: context.place.clone(), found: *found, known });
    }
    let migrator = schema::migrator(Dialect::Postgres);
    for (version, checksum) in &applied {
        let same = |ours: &&sqlx::migrate::Migration| ours.version == *version && *ours.checksum == checksum[..];
        if !migrator.iter().any(|ours| same(&ours)) {
            return Err(StoreError::OtherSchema { place: context.place.clone(), version: *version });
        }
    }
    Ok(if applied.len() == migrator.iter().count() { State::Current } else { State::Older })
}

/// Brings the schema up to date in one transaction, and under a lock for which others wait, on whatever machine.
async fn migrate(context: Context<'_>, connection: &mut PgConnection) -> Result<(), StoreError> {
    let within = context.patience;
    let wrong = |error| context.sqlx(error);
    let milliseconds = within.as_millis().max(1).to_string();
    let mut transaction = answer(within, connection.begin()).await.map_err(wrong)?;
    let limit = sqlx::query(sql::LOCK_TIMEOUT).bind(milliseconds).execute(&mut *transaction);
    answer(within, limit).await.map_err(wrong)?;
    // The server gives up first, and says why.
    let locked = sqlx::query(sql::MIGRATION_LOCK).bind(key("migration")).execute(&mut *transaction);
    answer(within * 2, locked).await.map_err(wrong)?;
    let migrator = schema::migrator(Dialect::Postgres);
    let work = migrator.run_direct(None, &mut *transaction, false);
    let done = tokio::time::timeout(within.max(MIGRATED_WITHIN), work).await;
    let done = done.map_err(|_| context.late(within.max(MIGRATED_WITHIN)))?;
    done.map_err(|error| context.migration(error, schema::newest()))?;
    answer(within, transaction.commit()).await.map_err(wrong)
}

/// How long bringing the schema of a large history up to date may take.
const MIGRATED_WITHIN: Duration = Duration::from_secs(600);

/// The connection that shows that a run is alive. It holds a lock of the run's own, which the server gives back once
/// the connection is gone, whatever ended the process. Host names don't tell machines apart: a run whose lock is held
/// is alive, whatever its owner's name says here.
#[derive(Debug)]
pub(super) struct Alive {
    options: PgConnectOptions,
    connection: Mutex<Option<PgConnection>>,
}

impl Alive {
    /// Shows the run alive, and no other any more.
    pub(super) async fn show(&self, run: &RunId, within: Duration) -> Result<(), Error> {
        let mut held = self.connection.lock().await;
        // A connection in an unknown state is dropped, and all its locks with it.
        drop(held.take());
        let show = async {
            let mut connection = self.options.connect().await?;
            sqlx::query(sql::KEEP_ALIVE).execute(&mut connection).await?;
            sqlx::query(sql::HOLD).bind(key(run.as_str())).execute(&mut connection).await?;
            Ok(connection)
        };
        *held = Some(answer(within, show).await?);
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // Dropped, it is gone as well.
            let _ = connection.close().await;
        }
    }
}

/// The number that stands for a name among the server's locks.
pub(super) fn key(name: &str) -> i64 {
    let hash = Sha256::digest(format!("shakedown {name}"));
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

// SQLSTATE codes, of the server's documentation, appendix A.
const INVALID_PASSWORD: &str = "28P01";
const INVALID_AUTHORIZATION: &str = "28000";
const NO_DATABASE: &str = "3D000";
const MAY_NOT: &str = "42501";
const READ_ONLY: &str = "25006";
const DISK_FULL: &str = "53100";
const TOO_MANY: &str = "53300";
const LOCKED: &str = "55P03";
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";

#[expect(clippy::wildcard_enum_match_arm, reason = "the driver's list is open")]
impl Context<'_> {
    /// The variant for an error of the driver of a server.
    pub(super) fn of_server(self, server: &Server, error: &Error) -> StoreError {
        let (shown, place, doing) = (server.to_string(), self.place.clone(), self.doing);
        match error {
            Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                let why = format!("{}, SQLSTATE {code}", database.message());
                match &*code {
                    INVALID_PASSWORD | INVALID_AUTHORIZATION => StoreError::Refused { server: shown, why },
                    NO_DATABASE => StoreError::NoDatabase { server: shown, database: server.database().to_owned() },
                    MAY_NOT | READ_ONLY => StoreError::MayNotWrite { server: shown, why },
                    DISK_FULL => StoreError::Full { place, doing },
                    LOCKED => StoreError::Locked { server: shown, doing, waited: self.patience },
                    DATA_CORRUPTED | INDEX_CORRUPTED => StoreError::Damaged { place, doing, why },
                    // Connections that fail, a server that starts or stops, and one that has no room for another.
                    TOO_MANY => StoreError::Unreachable { server: shown, doing, why },
                    other if other.starts_with("08") || other.starts_with("57P") => {
                        StoreError::Unreachable { server: shown, doing, why }
                    }
                    _ => StoreError::Unexpected { place, doing, why },
                }
            }
            Error::ColumnDecode { .. } | Error::Decode(_) => {
                StoreError::Damaged { place, doing, why: error.to_string() }
            }
            Error::Io(error) => StoreError::Unreachable { server: shown, doing, why: error.to_string() },
            Error::PoolTimedOut => {
                let why = format!("no connection within {} s", self.patience.as_secs_f64());
                StoreError::Unreachable { server: shown, doing, why }
            }
            Error::Tls(_) | Error::Protocol(_) | Error::Configuration(_) | Error::WorkerCrashed => {
                StoreError::Unreachable { server: shown, doing, why: error.to_string() }
            }
            _ => StoreError::Unexpected { place, doing, why: error.to_string() },
        }
    }
}
