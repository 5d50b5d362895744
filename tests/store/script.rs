//! Events to record.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use shakedown::event::{Attempt, PlannedTest, RunEvent, RunHeader};
use shakedown::id::{AttemptNumber, EnvironmentId, LaneIndex, RunId, TestId, UnitId};
use shakedown::store::{Place, Store};
use shakedown::verdict::Outcome;

use crate::server::Server;

/// A point in time, `ms` milliseconds into the script.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + ms).expect("in range")
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn run_id(salt: u32) -> RunId {
    RunId::new(at(0), salt)
}

pub(crate) fn test_id(n: usize) -> TestId {
    TestId::new("spec/cart_spec.rb", &format!("adds item {n}"), 1)
}

pub(crate) fn environment(lane: u16, generation: u32) -> EnvironmentId {
    EnvironmentId { lane: LaneIndex(lane), generation }
}

pub(crate) fn header(run: RunId, suite: &str) -> RunHeader {
    RunHeader {
        run,
        suite: suite.into(),
        candidate: "4f2d9c1".into(),
        trigger: "hourly".into(),
        // More than an i64 holds.
        seed: u64::MAX - 41,
        lanes: 4,
        attempts: 3,
        repeat: 5,
        cpus: 8,
        fail_on_flaky: true,
        selection: vec!["--filter 'tag(smoke)'".into()],
        owner: "boot:812:99".into(),
    }
}

pub(crate) fn planned_test(id: TestId) -> PlannedTest {
    PlannedTest {
        selector: "./spec/cart_spec.rb[1:2]".into(),
        file: "spec/cart_spec.rb".into(),
        line: 12,
        name: "adds an item".into(),
        tags: vec!["js".into(), "slow, very".into()],
        expected: ms(1_250),
        together: None,
        project: None,
        needs: std::collections::BTreeSet::new(),
        id,
    }
}

pub(crate) fn planned(tests: impl IntoIterator<Item = TestId>) -> RunEvent {
    let tests: Vec<_> = tests.into_iter().map(planned_test).collect();
    RunEvent::Planned { at: at(20), listed: tests.len() + 3, units: 2, known: 1, tests, notes: Vec::new() }
}

pub(crate) fn attempt(test: TestId, number: u32, outcome: Outcome) -> Attempt {
    Attempt {
        test,
        number: AttemptNumber(number),
        environment: environment(0, 1),
        unit: UnitId(3),
        position: 1,
        predecessor: None,
        started: at(1_000),
        duration: ms(800),
        outcome,
        output: String::new(),
    }
}

/// Starts a run with one environment and `tests` tests, so that attempts can be recorded.
pub(crate) async fn begin(store: &Store, run: &RunId, suite: &str, tests: usize) {
    record_all(
        store,
        &[
            RunEvent::RunStarted { at: at(0), header: header(run.clone(), suite) },
            RunEvent::EnvironmentStarting { at: at(10), environment: environment(0, 1) },
            planned((0..tests).map(test_id)),
        ],
    )
    .await;
}

pub(crate) async fn record_all(store: &Store, events: &[RunEvent]) {
    for event in events {
        store.record(event).await.expect("records");
    }
}

/// Which database a rule is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

pub(crate) struct History {
    pub(crate) store: Store,
    pub(crate) place: Place,
    pub(crate) folder: tempfile::TempDir,
}

/// A new history: in a folder of its own, or in a database of its own.
pub(crate) async fn history(kind: Kind) -> History {
    let folder = tempfile::tempdir().expect("temporary folder");
    let place = new_place(kind, folder.path()).await;
    History { store: open(&place).await, place, folder }
}

/// Where there is no history yet.
pub(crate) async fn new_place(kind: Kind, folder: &Path) -> Place {
    match kind {
        Kind::Sqlite => Place::from(folder.join("history.db").as_path()),
        Kind::Postgres => {
            let server = Server::of_tests();
            server_place(&server.url("owner", &server.database().await))
        }
    }
}

/// The place that such an address names.
pub(crate) fn server_place(url: &str) -> Place {
    Place::choose(Some(Path::new(url)), None, None, Path::new("")).expect("an address")
}

/// The path of a history in a file.
pub(crate) fn file(place: &Place) -> PathBuf {
    match place {
        Place::File(path) => path.clone(),
        Place::Server(server) => panic!("{server} is no file"),
    }
}

pub(crate) async fn open(place: impl Into<Place>) -> Store {
    Store::open(place).await.expect("opens")
}

/// What has no equality of its own is compared as it is printed, which shows every field.
#[track_caller]
pub(crate) fn assert_same<T: std::fmt::Debug>(left: T, right: T) {
    assert_eq!(format!("{left:#?}"), format!("{right:#?}"));
}
