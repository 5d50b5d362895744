//! What can't be seen from outside: that each statement finds its index, and what is said
//! where SQLite refuses to write.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::pools::Pools;
use super::{Store, StoreError, sql};
use crate::event::{RunEvent, RunHeader};
use crate::id::RunId;

async fn store(folder: &Path) -> Store {
    Store::open(&folder.join("history.db")).await.expect("opens")
}

fn writer(store: &Store) -> &sqlx::SqlitePool {
    match &store.pools {
        Pools::File { writer, .. } => writer,
        Pools::Server { .. } => unreachable!("these tests are of files"),
    }
}

fn readers(store: &Store) -> &sqlx::SqlitePool {
    match &store.pools {
        Pools::File { readers, .. } => readers,
        Pools::Server { .. } => unreachable!("these tests are of files"),
    }
}

fn run_started(salt: u32) -> RunEvent {
    let header = RunHeader {
        run: RunId::new(Timestamp::UNIX_EPOCH, salt),
        suite: "shop".into(),
        candidate: "x".repeat(10_000),
        trigger: "manual".into(),
        seed: 7,
        lanes: 2,
        attempts: 3,
        repeat: 1,
        cpus: 4,
        fail_on_flaky: false,
        selection: Vec::new(),
        owner: "boot:1:1".into(),
    };
    RunEvent::RunStarted { at: Timestamp::UNIX_EPOCH, header }
}

#[tokio::test]
async fn durations_and_boots_are_found_by_index_without_sorting() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    for (text, index) in [
        (sql::PASSED_DURATIONS, "passed_attempts"),
        (sql::PASSED_TIMES, "passed_attempts"),
        (sql::OTHER_TIMES, "other_attempts"),
        (sql::TOLD, "told_tests"),
        (sql::BOOTS, "environments_by_boot"),
        (sql::UNIT_STARTS, "unit_starts_by_time"),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).bind("shop").fetch_all(readers(&store)).await.expect("explains");
        let plan: Vec<String> = rows.into_iter().map(|row| row.3).collect();
        let uses = |step: &String| step.contains(&format!("COVERING INDEX {index}"));
        assert!(plan.iter().any(uses), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN")), "{plan:#?}");
        // Sorting within one test's ten is cheap; sorting all would not be.
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY")), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_what_was_recorded_stays() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    store.record(&run_started(1)).await.expect("there is room");
    // The lowest limit that SQLite takes is the file's present size.
    sqlx::query("PRAGMA max_page_count = 1").execute(writer(&store)).await.expect("sets the limit");
    let error = store.record(&run_started(2)).await.expect_err("no room for another 10 kB");
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("can't record the start of a run in the history "), "{text}");
    assert!(text.ends_with("the disk is full. Free some space, then run again"), "{text}");
    assert_eq!(store.runs(None, 10).await.expect("still reads").len(), 1);
}

#[tokio::test]
async fn a_file_that_turns_read_only_is_said_to_be_read_only() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    // Fails with SQLITE_READONLY for any user, where a permission bit would not stop root.
    sqlx::query("PRAGMA query_only = ON").execute(writer(&store)).await.expect("sets it");
    let error = store.record(&run_started(1)).await.expect_err("can't write");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(
        error.to_string().contains("is read-only (attempt to write a readonly database, SQLite code 8)"),
        "{error}"
    );
}

#[tokio::test]
async fn readers_can_not_write() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    let error = sqlx::query("DELETE FROM runs").execute(readers(&store)).await.expect_err("refused");
    assert!(matches!(store.context("test").sqlx(error), StoreError::ReadOnly { .. }));
}

#[tokio::test]
async fn a_value_that_can_not_be_is_damage_with_its_column() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    store.record(&run_started(1)).await.expect("records");
    sqlx::query("UPDATE runs SET lanes = -1").execute(writer(&store)).await.expect("spoils it");
    let error = store.runs(None, 10).await.expect_err("no run has -1 lanes");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("column lanes holds -1"), "{error}");
}

#[tokio::test]
async fn the_wait_for_another_process_is_as_long_as_was_asked() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("history.db");
    let other = store(folder.path()).await;
    let store = Store::open_with_patience(&path, Duration::from_millis(50)).await.expect("opens");
    let held = writer(&other).begin_with(sql::BEGIN).await.expect("takes the lock");
    let error = store.record(&run_started(1)).await.expect_err("the other holds the lock");
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert!(error.to_string().contains("another process has held the file for 0.05 s"), "{error}");
    held.rollback().await.expect("gives the lock back");
    store.record(&run_started(1)).await.expect("the lock is free");
}

#[tokio::test]
async fn every_call_can_be_made_from_a_task_that_moves_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = store(folder.path()).await;
    let run = RunId::new(Timestamp::UNIX_EPOCH, 1);
    assert_send(&Store::open(folder.path()));
    assert_send(&store.record(&run_started(1)));
    assert_send(&store.expected_durations("shop"));
    assert_send(&store.expected_boot("shop"));
    assert_send(&store.told("shop"));
    assert_send(&store.unsettled("shop", ""));
    assert_send(&store.mark_dead_runs(&|_| true));
    assert_send(&store.runs(None, 1));
    assert_send(&store.run(&run));
    assert_send(&store.attempts(&run));
    assert_send(&store.signatures(&run));
    assert_send(&store.environments(&run));
    assert_send(&store.test_verdicts(&run));
    assert_send(&store.close());
}
