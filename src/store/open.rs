//! From a path to two pools on a history of the current schema, without touching what is not ours.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, SqlitePool};

use super::error::{Context, StoreError, folder_of};
use super::sql;

/// How many may read at once. Reading never waits for writing, so a few are enough.
const READERS: u32 = 4;

/// Waiting for this process's own writer, on top of the patience with other processes.
const QUEUE: Duration = Duration::from_secs(30);

/// The wait between two tries where SQLite itself does not wait: while two processes create one file.
const RETRY: Duration = Duration::from_millis(20);

/// The one connection that writes, and those that read.
#[derive(Debug)]
pub(super) struct Pools {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

/// The schema, oldest version first.
fn migrator() -> Migrator {
    let text = include_str!("migrations/0001_history.sql");
    let history = Migration::new(1, "history".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0002_memory.sql");
    let memory = Migration::new(2, "memory".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0003_time_limits.sql");
    let time_limits = Migration::new(3, "time limits".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0004_selection.sql");
    let selection = Migration::new(4, "selection".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0005_unit_starts.sql");
    let unit_starts = Migration::new(5, "unit starts".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0006_repeat.sql");
    let repeat = Migration::new(6, "repeat".into(), MigrationType::Simple, text.into_sql_str(), false);
    let text = include_str!("migrations/0007_signatures.sql");
    let signatures = Migration::new(7, "signatures".into(), MigrationType::Simple, text.into_sql_str(), false);
    Migrator::with_migrations(vec![history, memory, time_limits, selection, unit_starts, repeat, signatures])
}

/// Opens or creates the history at the context's path.
pub(super) async fn open(context: Context<'_>) -> Result<Pools, StoreError> {
    check_place(context)?;
    let deadline = Instant::now() + context.patience;
    loop {
        match try_open(context).await {
            // The switch to WAL and the first page don't wait for a lock, whatever the busy timeout.
            Err(StoreError::Busy { .. }) if Instant::now() < deadline => tokio::time::sleep(RETRY).await,
            done => return done,
        }
    }
}

/// What can be said before SQLite is asked, in better words than it has. Permission bits are respected even where
/// this process could ignore them: who took them away meant it.
fn check_place(context: Context<'_>) -> Result<(), StoreError> {
    let path = context.path;
    let folder = folder_of(path);
    let read_only =
        |what: &Path| StoreError::ReadOnly { path: path.to_owned(), what: what.to_owned(), why: String::new() };
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err(StoreError::IsFolder { path: path.to_owned() }),
        Ok(found) if found.permissions().readonly() => return Err(read_only(path)),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).map_err(|error| context.io(&error))?;
        }
        Err(error) => return Err(context.io(&error)),
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
        Err(error) => Err(context.io(&error)),
    }
}

async fn try_open(context: Context<'_>) -> Result<Pools, StoreError> {
    let plain =
        SqliteConnectOptions::new().filename(context.path).busy_timeout(context.patience).disable_statement_logging();
    check_owner(context, &plain).await?;

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
    Ok(Pools { writer, readers })
}

/// Looks into the file before anything is changed in it, the journal mode included.
async fn check_owner(context: Context<'_>, options: &SqliteConnectOptions) -> Result<(), StoreError> {
    if !context.path.exists() {
        return Ok(());
    }
    let mut connection = options.connect().await.map_err(|error| context.sqlx(error))?;
    let tables: Result<Vec<(String,)>, _> = sqlx::query_as(sql::TABLES).fetch_all(&mut connection).await;
    // Nothing was written, so nothing can be lost by a failed close.
    connection.close().await.ok();
    let tables: Vec<String> = tables.map_err(|error| context.sqlx(error))?.into_iter().map(|row| row.0).collect();
    let ours = ["_sqlx_migrations", "runs", "attempts"].iter().all(|name| tables.iter().any(|table| table == name));
    match tables.first() {
        Some(first) if !ours => {
            Err(StoreError::ForeignDatabase { path: context.path.to_owned(), found: format!("it has a table {first}") })
        }
        Some(_) | None => Ok(()),
    }
}

/// Brings the schema up to date within one transaction: the driver takes no lock on SQLite, and two processes
/// that both find an empty file would both create the tables.
async fn migrate(context: Context<'_>, writer: &SqlitePool) -> Result<(), StoreError> {
    let migrator = migrator();
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let mut transaction = writer.begin_with(sql::BEGIN).await.map_err(|error| context.sqlx(error))?;
    // `run` is generic in a way that makes this future not `Send`; this is what it calls.
    migrator.run_direct(None, &mut *transaction, false).await.map_err(|error| context.migration(error, known))?;
    transaction.commit().await.map_err(|error| context.sqlx(error))
}
