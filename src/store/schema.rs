//! The schema of a history, version by version, for either database.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// Each version's name and text, oldest first.
const VERSIONS: &[(&str, &str)] = &[
    ("history", include_str!("migrations/0001_history.sql")),
    ("memory", include_str!("migrations/0002_memory.sql")),
    ("time limits", include_str!("migrations/0003_time_limits.sql")),
    ("selection", include_str!("migrations/0004_selection.sql")),
    ("unit starts", include_str!("migrations/0005_unit_starts.sql")),
    ("repeat", include_str!("migrations/0006_repeat.sql")),
    ("signatures", include_str!("migrations/0007_signatures.sql")),
];

/// The tables of which a history that was ever opened has each.
pub(super) const SIGNS: [&str; 3] = ["_sqlx_migrations", "runs", "attempts"];

/// Which database a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What brings a history up to date. The driver's lock is off: the caller has one that has a deadline.
pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = (1..).zip(VERSIONS).map(|(version, (name, text))| {
        let text = AssertSqlSafe(in_dialect(dialect, text).into_owned()).into_sql_str();
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, text, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_locking(false);
    migrator
}

/// The newest version that this program knows.
pub(super) fn newest() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// The one difference: SQLite compares text by its bytes, PostgreSQL by the database's language unless it is told
/// otherwise. Ids of runs must sort by their start in both.
fn in_dialect(dialect: Dialect, text: &'static str) -> Cow<'static, str> {
    match dialect {
        Dialect::Sqlite => Cow::Borrowed(text),
        Dialect::Postgres => Cow::Owned(text.replace(" TEXT", " TEXT COLLATE \"C\"")),
    }
}
