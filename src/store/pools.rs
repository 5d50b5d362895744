//! One surface over the connections of both databases.

use std::io;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::SqlitePool;
use sqlx::{Error, Postgres, Sqlite, Transaction};

use super::postgres::Alive;
use super::sql;
use super::statement::{Row, Statement};

/// The connections to a history.
#[derive(Debug)]
pub(super) enum Pools {
    /// The one connection that writes, and those that read.
    File { writer: SqlitePool, readers: SqlitePool },
    /// Those that read and write, each answer waited for up to `within`, and the one that shows that the run is alive.
    Server { pool: PgPool, within: Duration, alive: Box<Alive> },
}

/// A transaction that writes.
#[derive(Debug)]
pub(super) enum Work {
    File(Transaction<'static, Sqlite>),
    Server(Transaction<'static, Postgres>, Duration),
}

impl Pools {
    /// All rows of a statement that only reads.
    pub(super) async fn fetch(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        match self {
            Self::File { readers, .. } => {
                let rows = statement.for_sqlite().fetch_all(readers).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Server { pool, within, .. } => {
                let rows = answer(*within, statement.for_postgres().fetch_all(pool)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The same, row by row.
    pub(super) fn stream(&self, statement: Statement) -> BoxStream<'_, Result<Row, Error>> {
        match self {
            Self::File { readers, .. } => statement.for_sqlite().fetch(readers).map(|row| row.map(Row::Sqlite)).boxed(),
            Self::Server { pool, within, .. } => {
                let rows = statement.for_postgres().fetch(pool);
                futures::stream::unfold((rows, *within), next_row).boxed()
            }
        }
    }

    /// Writes, and commits it. Returns how many rows were met.
    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, Error> {
        match self {
            Self::File { writer, .. } => Ok(statement.for_sqlite().execute(writer).await?.rows_affected()),
            Self::Server { pool, within, .. } => {
                Ok(answer(*within, statement.for_postgres().execute(pool)).await?.rows_affected())
            }
        }
    }

    /// Begins a transaction; dropped, it is as if it had never been.
    pub(super) async fn begin(&self) -> Result<Work, Error> {
        match self {
            Self::File { writer, .. } => writer.begin_with(sql::BEGIN).await.map(Work::File),
            Self::Server { pool, within, .. } => Ok(Work::Server(answer(*within, pool.begin()).await?, *within)),
        }
    }

    /// Waits for what is under way, and closes.
    pub(super) async fn close(self) {
        match self {
            Self::File { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Server { pool, within, alive } => {
                // A server that is away notices by itself that nobody is there.
                let _ = tokio::time::timeout(within, async {
                    alive.close().await;
                    pool.close().await;
                })
                .await;
            }
        }
    }
}

impl Work {
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, Error> {
        match self {
            Self::File(transaction) => Ok(statement.for_sqlite().execute(&mut **transaction).await?.rows_affected()),
            Self::Server(transaction, within) => {
                let done = answer(*within, statement.for_postgres().execute(&mut **transaction)).await?;
                Ok(done.rows_affected())
            }
        }
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::File(transaction) => transaction.commit().await,
            Self::Server(transaction, within) => answer(within, transaction.commit()).await,
        }
    }
}

/// The rows of a server that are to come, and how long each may take.
type Coming<'a> = (BoxStream<'a, Result<PgRow, Error>>, Duration);

async fn next_row((mut rows, within): Coming<'_>) -> Option<(Result<Row, Error>, Coming<'_>)> {
    let row = answer(within, async { rows.next().await.transpose() }).await.transpose()?;
    Some((row.map(Row::Postgres), (rows, within)))
}

/// Waits for a server no longer than that: a network may swallow the question.
pub(super) async fn answer<T>(within: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
        let why = format!("it did not answer within {} s", within.as_secs_f64());
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}
