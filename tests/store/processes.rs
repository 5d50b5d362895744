//! Many write to one file, and some die.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rstest::rstest;
use shakedown::event::RunEvent;
use shakedown::id::RunId;
use shakedown::store::{Place, Store, StoreError};
use shakedown::verdict::{Interruption, Outcome, RunVerdict, StopReason};

use crate::script::*;

/// Names the place that a child process of these tests records to.
const PLACE: &str = "SHAKEDOWN_TEST_HISTORY";
/// The number of the child's run.
const SALT: &str = "SHAKEDOWN_TEST_SALT";
/// How many attempts the child records.
const ATTEMPTS: &str = "SHAKEDOWN_TEST_ATTEMPTS";

/// This test binary once more, recording to `place` as `child` below says.
fn child(place: &Place, salt: u32, attempts: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "processes::child_process", "--nocapture"]);
    configure(&mut command, place, salt, attempts);
    command
}

fn configure(command: &mut Command, place: &Place, salt: u32, attempts: usize) {
    command
        .env(PLACE, place.to_string())
        .env(SALT, salt.to_string())
        .env(ATTEMPTS, attempts.to_string())
        .stdout(Stdio::piped());
}

/// Not a rule of its own: what `child` starts. It says each attempt after it was recorded, and the first error.
#[tokio::test]
async fn child_process() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let number = |name| std::env::var(name).expect("set").parse::<usize>().expect("a number");
    let salt = u32::try_from(number(SALT)).expect("small");
    let place = Place::choose(Some(Path::new(&place)), None, None, Path::new("")).expect("a place");
    match record_run(&place, salt, number(ATTEMPTS)).await {
        Ok(()) => println!("\ndone"),
        Err(error) => println!("\nerror {error:?}"),
    }
}

async fn record_run(place: &Place, salt: u32, attempts: usize) -> Result<(), StoreError> {
    let store = Store::open(place).await?;
    store.record(&RunEvent::RunStarted { at: at(0), header: header(run_id(salt), "shop") }).await?;
    store.record(&RunEvent::EnvironmentStarting { at: at(10), environment: environment(0, 1) }).await?;
    store.record(&planned((0..attempts).map(test_id))).await?;
    for n in 0..attempts {
        store.record(&RunEvent::AttemptEnded(attempt(test_id(n), 1, Outcome::Passed))).await?;
        println!("\nrecorded {n}");
    }
    Ok(())
}

async fn attempts_of(store: &Store, salt: u32) -> usize {
    store.attempts(&run_id(salt)).await.expect("reads").len()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stores_that_create_and_fill_one_history_at_once_lose_and_double_nothing(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = new_place(kind, folder.path()).await;
    let tasks: Vec<_> = (1..=4)
        .map(|salt| {
            let place = place.clone();
            tokio::spawn(async move { record_run(&place, salt, 200).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("records");
    }
    let store = open(&place).await;
    for salt in 1..=4 {
        assert_eq!(attempts_of(&store, salt).await, 200);
    }
    assert_eq!(store.runs(None, 10).await.expect("reads").len(), 4);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_that_plan_the_same_tests_in_opposite_orders_at_once_do_not_wait_for_each_other_for_ever(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let History { store, place, folder: _folder } = history(kind).await;
    // So that every row is there, and each plan changes it.
    begin(&store, &run_id(1), "shop", 1_000).await;
    let tasks: Vec<_> = (0..4_u32)
        .map(|writer| {
            let place = place.clone();
            tokio::spawn(async move {
                let store = open(&place).await;
                for round in 0..5 {
                    let run = run_id(10 + writer * 10 + round);
                    begin(&store, &run, "shop", 0).await;
                    let mut tests: Vec<_> = (0..1_000).map(test_id).collect();
                    if writer % 2 == 1 {
                        tests.reverse();
                    }
                    store.record(&planned(tests.clone())).await.expect("records");
                    let told = store.test_verdicts(&run).await.expect("reads");
                    let told: Vec<_> = told.into_iter().map(|row| row.test).collect();
                    assert_eq!(told, tests, "the order in which they were listed is kept");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}

#[rstest]
#[tokio::test]
async fn processes_that_create_and_fill_one_history_at_once_lose_and_double_nothing(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = new_place(kind, folder.path()).await;
    let children: Vec<_> = (1..=3).map(|salt| child(&place, salt, 300).spawn().expect("starts")).collect();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.lines().any(|line| line == "done"), "{text}");
    }
    let store = open(&place).await;
    for salt in 1..=3 {
        assert_eq!(attempts_of(&store, salt).await, 300);
    }
}

#[rstest]
#[tokio::test]
async fn an_attempt_that_was_recorded_survives_a_kill(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let History { store, place, folder: _folder } = history(kind).await;
    let mut process = child(&place, 1, 5_000).spawn().expect("starts");
    let lines = BufReader::new(process.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let told = lines.filter_map(|line| line.strip_prefix("recorded ")?.parse::<usize>().ok()).take(50).last();
    process.kill().expect("kills");
    process.wait().expect("is gone");

    let told = told.expect("the child recorded something");
    assert!(attempts_of(&store, 1).await > told, "attempts 0..={told} were said to be on disk");
    assert_eq!(store.mark_dead_runs(&|_| false).await.expect("marks"), [run_id(1)]);
    // The dead process's locks are gone with it.
    begin(&store, &run_id(2), "shop", 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_refuses_a_write_is_an_error_of_the_disk() {
    let folder = tempfile::tempdir().expect("temporary folder");
    // The system refuses to let any file grow beyond 256 blocks of 512 bytes, or of 1 kB: the log gets too long.
    let limited = "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(std::env::current_exe().expect("this test"));
    command.args(["--exact", "processes::child_process", "--nocapture"]);
    configure(&mut command, &Place::from(folder.path().join("history.db").as_path()), 1, 20_000);
    let output = command.output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let error = text.lines().find(|line| line.starts_with("error")).unwrap_or_default();
    assert!(error.starts_with("error Io {"), "{error} in {} bytes", text.len());
}

async fn unfinished(store: &Store, salt: u32, owner: &str) {
    let header = shakedown::event::RunHeader { owner: owner.into(), ..header(run_id(salt), "shop") };
    record_all(store, &[RunEvent::RunStarted { at: at(0), header }]).await;
}

#[rstest]
#[tokio::test]
async fn only_unfinished_runs_of_dead_owners_are_marked_and_only_once(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    let store = &history.store;
    unfinished(store, 1, "dead").await;
    record_all(store, &[RunEvent::Stopping { at: at(50), reason: StopReason::Signal(Interruption::Interrupt) }]).await;
    unfinished(store, 2, "alive").await;
    unfinished(store, 3, "dead").await;
    unfinished(store, 4, "dead").await;
    record_all(store, &[RunEvent::RunEnded { at: at(60), verdict: RunVerdict::Passed, exit_code: 0 }]).await;

    let mark = async || store.mark_dead_runs(&|owner| owner == "alive").await.expect("marks");
    assert_eq!(mark().await, [run_id(1), run_id(3)]);
    assert_eq!(mark().await, Vec::<RunId>::new());

    let row = async |salt| store.run(&run_id(salt)).await.expect("reads").expect("is there");
    let (first, second, third, fourth) = (row(1).await, row(2).await, row(3).await, row(4).await);
    assert_eq!((first.verdict.as_deref(), first.reason.as_deref()), (Some("incomplete"), Some("SIGINT")));
    assert_eq!((second.verdict, second.reason), (None, None));
    assert_eq!((third.verdict.as_deref(), third.reason.as_deref()), (Some("incomplete"), Some("its process died")));
    assert_eq!((third.ended, third.exit_code), (None, None), "nobody saw the end");
    assert_eq!((fourth.verdict.as_deref(), fourth.ended), (Some("passed"), Some(at(60))));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_dead_run_is_returned_to_one_of_those_who_look_at_once(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let History { store, place, folder: _folder } = history(kind).await;
    for salt in 1..=20 {
        unfinished(&store, salt, "dead").await;
    }
    // On a server it shows the last of them alive.
    store.close().await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let place = place.clone();
            tokio::spawn(async move { open(&place).await.mark_dead_runs(&|_| false).await.expect("marks") })
        })
        .collect();
    let mut marked = Vec::new();
    for task in tasks {
        marked.extend(task.await.expect("no panic"));
    }
    marked.sort();
    assert_eq!(marked, (1..=20).map(run_id).collect::<Vec<_>>());
}
