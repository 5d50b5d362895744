//! What can go wrong with the history, one variant for each thing that the user would do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use thiserror::Error;

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
    /// The file is a database of another program.
    #[error(
        "can't keep the history in {}: the database belongs to another program ({found}), and nothing was changed in it. Name another file",
        path.display()
    )]
    ForeignDatabase {
        /// The file.
        path: PathBuf,
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
    /// The file was written by a later version of the program.
    #[error(
        "can't use the history {}: its schema is version {found}, and this shakedown knows versions up to {known}. Update shakedown, or name another file",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's version in the file.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file's schema has a version that this program knows, with other contents.
    #[error(
        "can't use the history {}: version {version} of its schema is not the one that this shakedown would have made, so the file comes from an unreleased build. Name another file, or move this one away",
        path.display()
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
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
    #[error("can't {doing} the history {}: the disk is full. Free some space, then run again", path.display())]
    Full {
        /// The file.
        path: PathBuf,
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
    /// The file is damaged.
    #[error(
        "can't {doing} the history {}: the file is damaged: {why}. Restore it from a backup, or move it away and a new history is begun",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An event does not fit to what was recorded before it.
    #[error(
        "can't {doing} the history {}: {why}. This is a fault in shakedown; please report it with this message",
        path.display()
    )]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What does not fit.
        why: String,
    },
}

fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

/// What was being done, to which file, and how patiently: whatever a message needs beside the error itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) path: &'a Path,
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
        let path = self.path.to_owned();
        let doing = self.doing;
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
                let why = format!("{}, SQLite code {code}", database.message());
                match code & 0xff {
                    BUSY | LOCKED => StoreError::Busy { path, doing, waited: self.patience },
                    READONLY | PERM => StoreError::ReadOnly { what: path.clone(), path, why },
                    FULL => StoreError::Full { path, doing },
                    IOERR => StoreError::Io { path, doing, why },
                    CANTOPEN => StoreError::CannotOpen { path, why },
                    CORRUPT => StoreError::Damaged { path, doing, why },
                    NOTADB => StoreError::NotADatabase { path },
                    _ => StoreError::Unexpected { path, doing, why },
                }
            }
            sqlx::Error::PoolTimedOut => StoreError::Busy { path, doing, waited: self.patience },
            sqlx::Error::Io(io) => self.io(io),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Damaged { path, doing, why: error.to_string() }
            }
            // What is left can't be caused from outside of this program.
            _ => StoreError::Unexpected { path, doing, why: error.to_string() },
        }
    }

    /// The variant for an error while the schema was brought up to date; `known` is the newest version we know.
    pub(super) fn migration(self, error: MigrateError, known: i64) -> StoreError {
        let path = self.path.to_owned();
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.sqlx(error),
            MigrateError::VersionMissing(found) if found > known => StoreError::Newer { path, found, known },
            MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
                StoreError::OtherSchema { path, version }
            }
            other => StoreError::Unexpected { path, doing: self.doing, why: other.to_string() },
        }
    }

    /// The variant for an error of the file system.
    pub(super) fn io(self, error: &io::Error) -> StoreError {
        let path = self.path.to_owned();
        let why = error.to_string();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { what: folder_of(self.path).to_owned(), path, why }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path, doing: self.doing },
            _ => StoreError::CannotOpen { path, why },
        }
    }

    /// Something read from the file that can't be.
    pub(super) fn damaged(self, why: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.to_owned(), doing: self.doing, why: why.into() }
    }

    /// Something asked of the store that does not fit to what it holds.
    pub(super) fn unexpected(self, why: impl Into<String>) -> StoreError {
        StoreError::Unexpected { path: self.path.to_owned(), doing: self.doing, why: why.into() }
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
        let path = || PathBuf::from("reports/history.db");
        let why = || "disk I/O error, SQLite code 778".to_owned();
        let doing = "record an attempt in";
        let all = [
            StoreError::IsFolder { path: "reports".into() },
            StoreError::NotADatabase { path: path() },
            StoreError::ForeignDatabase { path: path(), found: "it has a table customers".into() },
            StoreError::ReadOnly { path: path(), what: "reports".into(), why: String::new() },
            StoreError::ReadOnly { path: path(), what: path(), why: "Permission denied (os error 13)".into() },
            StoreError::CannotOpen { path: path(), why: "Not a directory (os error 20)".into() },
            StoreError::Newer { path: path(), found: 3, known: 1 },
            StoreError::OtherSchema { path: path(), version: 1 },
            StoreError::Busy { path: path(), doing, waited: Duration::from_secs(5) },
            StoreError::Full { path: path(), doing },
            StoreError::Io { path: path(), doing, why: why() },
            StoreError::Damaged { path: path(), doing: "read the runs from", why: "column lanes holds -1".into() },
            StoreError::Unexpected { path: path(), doing, why: "no run was started in this store".into() },
        ];
        let text: Vec<_> = all.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn every_kind_of_file_system_error_has_its_variant() {
        let context = Context { path: Path::new("a/b.db"), patience: Duration::ZERO, doing: "open" };
        let of = |kind: io::ErrorKind| context.io(&kind.into());
        assert!(matches!(of(io::ErrorKind::PermissionDenied), StoreError::ReadOnly { .. }));
        assert!(matches!(of(io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(of(io::ErrorKind::StorageFull), StoreError::Full { .. }));
        assert!(matches!(of(io::ErrorKind::QuotaExceeded), StoreError::Full { .. }));
        assert!(matches!(of(io::ErrorKind::NotADirectory), StoreError::CannotOpen { .. }));
    }
}
