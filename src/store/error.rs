//! What can go wrong with the history, one variant for each thing that the user would do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use thiserror::Error;

use super::place::Place;

/// Why the history could not be opened, written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The path names a folder.
    #[error("can't keep the history in {}: it is a folder. Name a file in it, such as {}", path.display(), path.join("history.db").display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file is not an SQLite database.
    #[error(
        "can't read the history in {}: the file is not an SQLite database. Name another file, or move this one away and a new history is begun",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database is another program's.
    #[error(
        "can't keep the history in {}: the database belongs to another program ({found}), and nothing was changed in it. Name another place",
        place
    )]
    ForeignDatabase {
        /// Which.
        place: Place,
        /// What showed it.
        found: String,
    },
    /// The file or its folder can't be written.
    #[error(
        "can't write the history {}: {} is read-only{}. Allow this user to write there, or name a file elsewhere",
        path.display(), what.display(), because(why)
    )]
    ReadOnly {
        /// The history file.
        path: PathBuf,
        /// What is read-only: the file or its folder.
        what: PathBuf,
        /// The system's words, empty where permission bits showed it.
        why: String,
    },
    /// The file could not be opened or created.
    #[error(
        "can't open the history {}: {why}. Check that its folder exists, that this user may write there, and that nothing else has the names {0}-wal and {0}-shm",
        path.display()
    )]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The history was written by a later version of the program.
    #[error(
        "can't use the history {}: its schema is version {found}, and this shakedown knows versions up to {known}. Update shakedown, or name another place",
        place
    )]
    Newer {
        /// Which.
        place: Place,
        /// The schema's version there.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema has a version that this program knows, with other contents.
    #[error(
        "can't use the history {}: version {version} of its schema is not the one that this shakedown would have made, so it comes from an unreleased build. Name another place, or move this one away",
        place
    )]
    OtherSchema {
        /// Which.
        place: Place,
        /// The schema's version.
        version: i64,
    },
    /// Another process holds the file.
    #[error(
        "can't {doing} the history {}: another process has held the file for {} s. See who has it open (fuser {}), and try again when it is done",
        path.display(), waited.as_secs_f64(), path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The disk is full.
    #[error("can't {doing} the history {}: the disk is full. Free some space, then run again", place)]
    Full {
        /// Which.
        place: Place,
        /// What was to be done.
        doing: &'static str,
    },
    /// The disk, or the file system, failed.
    #[error(
        "can't {doing} the history {}: {why}. Check the disk and its file system; a network folder can't hold a history",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// The system's words.
        why: String,
    },
    /// The history is damaged.
    #[error(
        "can't {doing} the history {}: it is damaged: {why}. Restore it from a backup, or move it away and a new history is begun",
        place
    )]
    Damaged {
        /// Which.
        place: Place,
        /// What was to be done.
        doing: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An event does not fit to what was recorded before it.
    #[error(
        "can't {doing} the history {}: {why}. This is a fault in shakedown; please report it with this message",
        place
    )]
    Unexpected {
        /// Which.
        place: Place,
        /// What was to be done.
        doing: &'static str,
        /// What does not fit.
        why: String,
    },
    /// What is meant to be an address can't be one of a PostgreSQL database.
    #[error(
        "can't use {whence} as the history's place: {why}. Give postgres://USER@HOST/DATABASE, or the path of a file by --database"
    )]
    BadAddress {
        /// Who gave the address.
        whence: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The server can't be reached, or does not answer.
    #[error(
        "can't {doing} the history {server}: the server can't be reached: {why}. Check the host, the port and the network, and that the server runs and takes connections"
    )]
    Unreachable {
        /// The database, without a password.
        server: String,
        /// What was to be done.
        doing: &'static str,
        /// The system's or the server's words.
        why: String,
    },
    /// The server does not let this user in.
    #[error(
        "can't open the history {server}: the server refuses this user ({why}). Check the user's name, and the password: in DATABASE_URL, in PGPASSWORD, or in ~/.pgpass"
    )]
    Refused {
        /// The database, without a password.
        server: String,
        /// The server's words.
        why: String,
    },
    /// The server has no such database.
    #[error(
        "can't open the history {server}: the server has no database {database}. Create it (createdb {database}), or name another"
    )]
    NoDatabase {
        /// The database, without a password.
        server: String,
        /// Its name.
        database: String,
    },
    /// The database can be read, and not written.
    #[error(
        "can't write the history {server}: {why}. Connect to a server that takes changes, as a user who owns the database or has the rights (GRANT)"
    )]
    MayNotWrite {
        /// The database, without a password.
        server: String,
        /// The server's words, or what it allows.
        why: String,
    },
    /// Another program is changing the database's schema.
    #[error(
        "can't {doing} the history {server}: another program has held it for {} s. See which (pg_stat_activity), and try again when it is done",
        waited.as_secs_f64()
    )]
    Locked {
        /// The database, without a password.
        server: String,
        /// What was to be done.
        doing: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

/// What was being done, to which history, and how patiently: whatever a message needs beside the error itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) place: &'a Place,
    pub(super) patience: Duration,
    /// Completes `can't … the history`: `record an attempt in`.
    pub(super) doing: &'static str,
}

// SQLite's primary result codes, the low byte of what the driver reports. They are part of the file format's
// public interface and never change.
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

#[expect(clippy::wildcard_enum_match_arm, reason = "the lists of the driver and of the system are open")]
impl Context<'_> {
    /// The variant for an error of the driver.
    pub(super) fn sqlx(self, error: sqlx::Error) -> StoreError {
        match self.place {
            Place::File(path) => self.of_file(path, &error),
            Place::Server(server) => self.of_server(server, &error),
        }
    }

    fn of_file(self, path: &Path, error: &sqlx::Error) -> StoreError {
        let (path, place, doing) = (path.to_owned(), self.place.clone(), self.doing);
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
                let why = format!("{}, SQLite code {code}", database.message());
                match code & 0xff {
                    BUSY | LOCKED => StoreError::Busy { path, doing, waited: self.patience },
                    READONLY | PERM => StoreError::ReadOnly { what: path.clone(), path, why },
                    FULL => StoreError::Full { place, doing },
                    IOERR => StoreError::Io { path, doing, why },
                    CANTOPEN => StoreError::CannotOpen { path, why },
                    CORRUPT => StoreError::Damaged { place, doing, why },
                    NOTADB => StoreError::NotADatabase { path },
                    _ => StoreError::Unexpected { place, doing, why },
                }
            }
            sqlx::Error::PoolTimedOut => StoreError::Busy { path, doing, waited: self.patience },
            sqlx::Error::Io(io) => self.io(&path, io),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => self.damaged(error.to_string()),
            // What is left can't be caused from outside of this program.
            _ => self.unexpected(error.to_string()),
        }
    }

    /// The variant for an error while the schema was brought up to date; `known` is the newest version we know.
    pub(super) fn migration(self, error: MigrateError, known: i64) -> StoreError {
        let place = self.place.clone();
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.sqlx(error),
            MigrateError::VersionMissing(found) if found > known => StoreError::Newer { place, found, known },
            MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
                StoreError::OtherSchema { place, version }
            }
            other => self.unexpected(other.to_string()),
        }
    }

    /// The variant for an error of the file system with the file at `path`.
    pub(super) fn io(self, path: &Path, error: &io::Error) -> StoreError {
        let what = folder_of(path).to_owned();
        let (path, why) = (path.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { what, path, why }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreError::Full { place: self.place.clone(), doing: self.doing }
            }
            _ => StoreError::CannotOpen { path, why },
        }
    }

    /// The variant for a server that has not done something after that long.
    pub(super) fn late(self, within: Duration) -> StoreError {
        let why = format!("it is not done after {} s", within.as_secs_f64());
        self.sqlx(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    }

    /// A database of another program.
    pub(super) fn foreign(self, found: String) -> StoreError {
        StoreError::ForeignDatabase { place: self.place.clone(), found }
    }

    /// Something read that can't be.
    pub(super) fn damaged(self, why: impl Into<String>) -> StoreError {
        StoreError::Damaged { place: self.place.clone(), doing: self.doing, why: why.into() }
    }

    /// Something asked of the store that does not fit to what it holds.
    pub(super) fn unexpected(self, why: impl Into<String>) -> StoreError {
        StoreError::Unexpected { place: self.place.clone(), doing: self.doing, why: why.into() }
    }
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_failed_on_which_file_why_and_what_to_do() {
        let place = || Place::File("reports/history.db".into());
        let server = || "postgres://ann@db.example:5432/history".to_owned();
        let path = || PathBuf::from("reports/history.db");
        let why = || "disk I/O error, SQLite code 778".to_owned();
        let doing = "record an attempt in";
        let all = [
            StoreError::IsFolder { path: "reports".into() },
            StoreError::NotADatabase { path: path() },
            StoreError::ForeignDatabase { place: place(), found: "it has a table customers".into() },
            StoreError::ReadOnly { path: path(), what: "reports".into(), why: String::new() },
            StoreError::ReadOnly { path: path(), what: path(), why: "Permission denied (os error 13)".into() },
            StoreError::CannotOpen { path: path(), why: "Not a directory (os error 20)".into() },
            StoreError::Newer { place: place(), found: 3, known: 1 },
            StoreError::OtherSchema { place: place(), version: 1 },
            StoreError::Busy { path: path(), doing, waited: Duration::from_secs(5) },
            StoreError::Full { place: place(), doing },
            StoreError::Io { path: path(), doing, why: why() },
            StoreError::Damaged { place: place(), doing: "read the runs from", why: "column lanes holds -1".into() },
            StoreError::Unexpected { place: place(), doing, why: "no run was started in this store".into() },
            StoreError::BadAddress { whence: "DATABASE_URL", why: "mysql:// is another kind of database".into() },
            StoreError::Unreachable { server: server(), doing, why: "Connection refused (os error 111)".into() },
            StoreError::Refused { server: server(), why: "password authentication failed, SQLSTATE 28P01".into() },
            StoreError::NoDatabase { server: server(), database: "history".into() },
            StoreError::MayNotWrite { server: server(), why: "permission denied, SQLSTATE 42501".into() },
            StoreError::Locked { server: server(), doing, waited: Duration::from_secs(30) },
        ];
        let text: Vec<_> = all.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn every_kind_of_file_system_error_has_its_variant() {
        let place = Place::File("a/b.db".into());
        let context = Context { place: &place, patience: Duration::ZERO, doing: "open" };
        let of = |kind: io::ErrorKind| context.io(Path::new("a/b.db"), &kind.into());
        assert!(matches!(of(io::ErrorKind::PermissionDenied), StoreError::ReadOnly { .. }));
        assert!(matches!(of(io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(of(io::ErrorKind::StorageFull), StoreError::Full { .. }));
        assert!(matches!(of(io::ErrorKind::QuotaExceeded), StoreError::Full { .. }));
        assert!(matches!(of(io::ErrorKind::NotADirectory), StoreError::CannotOpen { .. }));
    }
}
