//! From a path to two pools on a history of the current schema, without touching what is not ours.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::error::{Context, StoreError, folder_of};
use super::pools::Pools;
use super::schema::{self, Dialect};
use super::sql;

/// How many may read at once. Reading never waits for writing, so a few are enough.
const READERS: u32 = 4;

/// Waiting for this process's own writer, on top of the patience with other processes.
const QUEUE: Duration = Duration::from_secs(30);

/// The wait between two tries where SQLite itself does not wait: while two processes create one file.
const RETRY: Duration = Duration::from_millis(20);

/// Opens or creates the history in the file at `path`.
pub(super) async fn open(context: Context<'_>, path: &Path) -> Result<Pools, StoreError> {
    check_place(context, path)?;
    let deadline = Instant::now() + context.patience;
    loop {
        match try_open(context, path).await {
            // The switch to WAL and the first page don't wait for a lock, whatever the busy timeout.
            Err(StoreError::Busy { .. }) if Instant::now() < deadline => tokio::time::sleep(RETRY).await,
            done => return done,
        }
    }
}

/// What can be said before SQLite is asked, in better words than it has. Permission bits are respected even where
/// this process could ignore them: who took them away meant it.
fn check_place(context: Context<'_>, path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let read_only =
        |what: &Path| StoreError::ReadOnly { path: path.to_owned(), what: what.to_owned(), why: String::new() };
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err(StoreError::IsFolder { path: path.to_owned() }),
        Ok(found) if found.permissions().readonly() => return Err(read_only(path)),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).map_err(|error| context.io(path, &error))?;
        }
        Err(error) => return Err(context.io(path, &error)),
    }
    // SQLite keeps its log in two files beside the history. Where they can't be used it finds many words.
    for suffix in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        let beside = Path::new(&beside);
        match beside.metadata() {
            Ok(found) if found.is_dir() => {
                let why = format!("{} is a folder", beside.display());
                return Err(StoreError::CannotOpen { path: path.to_owned(), why });
            }
            Ok(found) if found.permissions().readonly() => return Err(read_only(beside)),
            Ok(_) | Err(_) => {}
        }
    }
    // As they are created there, the folder counts even where the history is there.
    match folder.metadata() {
        Ok(found) if found.permissions().readonly() => Err(read_only(folder)),
        Ok(_) => Ok(()),
        Err(error) => Err(context.io(path, &error)),
    }
}

async fn try_open(context: Context<'_>, path: &Path) -> Result<Pools, StoreError> {
    let plain = SqliteConnectOptions::new().filename(path).busy_timeout(context.patience).disable_statement_logging();
    check_owner(context, path, &plain).await?;

    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(context.patience + QUEUE)
        .connect_with(
            plain
                .clone()
                .create_if_missing(true)
                .foreign_keys(true)
                // WAL with NORMAL: a commit survives the death of the process, `kill -9` included. After a power
                // cut the newest commits may be gone, but the file is whole.
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal),
        )
        .await
        .map_err(|error| context.sqlx(error))?;
    migrate(context, &writer).await?;

    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .acquire_timeout(context.patience + QUEUE)
        .connect_lazy_with(plain.read_only(true));
    Ok(Pools::File { writer, readers })
}

/// Looks into the file before anything is changed in it, the journal mode included.
async fn check_owner(context: Context<'_>, path: &Path, options: &SqliteConnectOptions) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let mut connection = options.connect().await.map_err(|error| context.sqlx(error))?;
    let tables: Result<Vec<(String,)>, _> = sqlx::query_as(sql::TABLES).fetch_all(&mut connection).await;
    // Nothing was written, so nothing can be lost by a failed close.
    connection.close().await.ok();
    let tables: Vec<String> = tables.map_err(|error| context.sqlx(error))?.into_iter().map(|row| row.0).collect();
    let ours = schema::SIGNS.iter().all(|name| tables.iter().any(|table| table == name));
    match tables.first() {
        Some(first) if !ours => Err(context.foreign(format!("it has a table {first}"))),
        Some(_) | None => Ok(()),
    }
}

/// Brings the schema up to date within one transaction: the driver takes no lock on SQLite, and two processes
/// that both find an empty file would both create the tables.
async fn migrate(context: Context<'_>, writer: &SqlitePool) -> Result<(), StoreError> {
    let migrator = schema::migrator(Dialect::Sqlite);
    let mut transaction = writer.begin_with(sql::BEGIN).await.map_err(|error| context.sqlx(error))?;
    // `run` is generic in a way that makes this future not `Send`; this is what it calls.
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| context.migration(error, schema::newest()))?;
    transaction.commit().await.map_err(|error| context.sqlx(error))
}
