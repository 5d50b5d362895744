//! Opening: what is made, and what is said of everything that can't be a history.

use std::fs;
use std::path::Path;
use std::time::Duration;

use shakedown::store::{Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::script::*;

async fn refused(path: &Path) -> StoreError {
    Store::open_with_patience(path, Duration::from_millis(50)).await.expect_err("must be refused")
}

async fn plain(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("opens")
}

async fn execute(path: &Path, statement: &'static str) {
    let mut connection = plain(path).await;
    sqlx::query(statement).execute(&mut connection).await.expect("executes");
    connection.close().await.expect("closes");
}

#[tokio::test]
async fn missing_folders_and_an_empty_file_become_a_history_that_opens_again() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("reports/of/shop/history.db");
    open(&path).await.close().await;
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").expect("writes");
    let store = open(&empty).await;
    begin(&store, &run_id(1), "shop", 3).await;
    store.close().await;
    for _ in 0..2 {
        let store = open(&empty).await;
        assert_eq!(store.test_verdicts(&run_id(1)).await.expect("reads").len(), 3);
        assert_eq!(file(store.place()), empty);
        store.close().await;
    }
    assert!(!folder.path().join("empty.db-wal").exists(), "a closed history is one file");
}

#[tokio::test]
async fn a_folder_is_not_a_history() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let error = refused(folder.path()).await;
    assert!(matches!(error, StoreError::IsFolder { .. }), "{error:?}");
    let path = folder.path().display();
    let expected =
        format!("can't keep the history in {path}: it is a folder. Name a file in it, such as {path}/history.db");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("notes.txt");
    for contents in ["short".to_owned(), "a longer text\n".repeat(1_000)] {
        fs::write(&path, &contents).expect("writes");
        let error = refused(&path).await;
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
        assert!(error.to_string().contains("notes.txt: the file is not an SQLite database"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("reads"), contents);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("other.db");
    execute(&path, "CREATE TABLE customers (id INTEGER)").await;
    let before = fs::read(&path).expect("reads");
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::ForeignDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("belongs to another program (it has a table customers)"), "{error}");
    assert_eq!(fs::read(&path).expect("reads"), before);
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused_with_both_versions() {
    let History { store, place, folder: _folder } = history(Kind::Sqlite).await;
    let path = file(&place);
    store.close().await;
    execute(&path, "INSERT INTO _sqlx_migrations SELECT 9000, 'x', installed_on, true, x'00', 0 FROM _sqlx_migrations WHERE version = 1")
        .await;
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Newer { found: 9000, .. }), "{error:?}");
    assert!(error.to_string().contains("schema is version 9000, and this shakedown knows versions up to"), "{error}");
}

#[tokio::test]
async fn a_schema_of_an_unreleased_build_is_refused() {
    let History { store, place, folder: _folder } = history(Kind::Sqlite).await;
    let path = file(&place);
    store.close().await;
    execute(&path, "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::OtherSchema { version: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let History { store, place, folder: _folder } = history(Kind::Sqlite).await;
    let path = file(&place);
    begin(&store, &run_id(1), "shop", 500).await;
    store.close().await;
    let mut bytes = fs::read(&path).expect("reads");
    // The first page is left, so that the file still looks like a database.
    bytes[4096..].fill(0x5a);
    fs::write(&path, bytes).expect("writes");
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("it is damaged: database disk image is malformed"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_or_folder_without_write_permission_is_read_only_even_for_root() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets the mode");
    let History { store, place, folder } = history(Kind::Sqlite).await;
    let path = file(&place);
    store.close().await;
    mode(&path, 0o444);
    let error = refused(&path).await;
    assert!(matches!(&error, StoreError::ReadOnly { what, .. } if *what == path), "{error:?}");
    assert!(error.to_string().contains("history.db is read-only. Allow this user to write there"), "{error}");

    mode(&path, 0o644);
    let log = folder.path().join("history.db-wal");
    fs::write(&log, "").expect("writes");
    mode(&log, 0o444);
    let error = refused(&path).await;
    assert!(matches!(&error, StoreError::ReadOnly { what, .. } if *what == log), "{error:?}");

    fs::remove_file(&log).expect("removes");
    mode(folder.path(), 0o555);
    let error = refused(&path).await;
    mode(folder.path(), 0o755);
    assert!(matches!(&error, StoreError::ReadOnly { what, .. } if *what == folder.path()), "{error:?}");
}

#[tokio::test]
async fn a_folder_that_can_not_be_made_says_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("writes");
    let error = refused(&file.join("history.db")).await;
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    assert!(error.to_string().contains("Not a directory"), "{error}");
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_log_is_named() {
    for name in ["history.db-wal", "history.db-shm"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::create_dir(folder.path().join(name)).expect("makes a folder");
        let error = refused(&folder.path().join("history.db")).await;
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("{name} is a folder. Check that")), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_into_a_folder_that_is_not_there_can_not_be_opened() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("history.db");
    std::os::unix::fs::symlink(folder.path().join("gone/history.db"), &path).expect("links");
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    assert!(error.to_string().contains("unable to open database file"), "{error}");
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("history.db");
    let mut other = plain(&path).await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.expect("takes the file");
    let error = refused(&path).await;
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("gives it back");
    open(&path).await;
}
