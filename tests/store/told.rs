//! What the history says of tests to whoever selects by it.

use rstest::rstest;
use shakedown::event::{RunEvent, RunHeader};
use shakedown::id::RunId;
use shakedown::store::{Store, Unsettled};
use shakedown::verdict::{RunVerdict, TestVerdict};

use crate::script::*;
use TestVerdict::{EnvironmentBroke, Failed, Flaky, NotRun, Passed, Skipped};

/// A run that ended, of tests that it found to be this; of the whole suite where `part` is empty.
async fn run(
    store: &Store,
    salt: u32,
    candidate: &str,
    part: &str,
    verdicts: &[(usize, Option<TestVerdict>)],
) -> RunId {
    let run = run_id(salt);
    let selection = if part.is_empty() { Vec::new() } else { vec![part.to_owned()] };
    let header = RunHeader { candidate: candidate.into(), selection, ..header(run.clone(), "shop") };
    let mut events = vec![
        RunEvent::RunStarted { at: at(i64::from(salt)), header },
        planned(verdicts.iter().map(|(test, _)| test_id(*test))),
    ];
    let settled = verdicts.iter().filter_map(|(test, verdict)| Some((test_id(*test), (*verdict)?)));
    events.extend(settled.map(|(test, verdict)| RunEvent::TestSettled { test, verdict }));
    events.push(RunEvent::RunEnded { at: at(i64::from(salt) + 1), verdict: RunVerdict::Failed, exit_code: 1 });
    record_all(store, &events).await;
    run
}

/// The same tests with these verdicts, from 0.
fn all(verdicts: &[TestVerdict]) -> Vec<(usize, Option<TestVerdict>)> {
    verdicts.iter().map(|verdict| Some(*verdict)).enumerate().collect()
}

#[rstest]
#[tokio::test]
async fn only_what_says_something_of_a_test_is_told_newest_first(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    run(store, 1, "", "", &all(&[Failed, Passed])).await;
    run(store, 2, "", "", &all(&[Flaky, NotRun])).await;
    run(store, 3, "", "", &all(&[EnvironmentBroke, Skipped])).await;
    run(store, 4, "", "a part", &[(0, Some(Passed)), (2, None)]).await;
    begin(store, &run_id(5), "blog", 1).await;
    let told = store.told("shop").await.expect("reads");
    assert_eq!(told, [(test_id(0), vec![Passed, Flaky, Failed]), (test_id(1), vec![Passed])].into());
    assert!(store.told("blog").await.expect("reads").is_empty());
}

#[rstest]
#[tokio::test]
async fn ten_verdicts_are_told_however_many_runs_leave_the_test_out(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    for salt in 1..=12 {
        let verdict = if salt == 2 { Failed } else { Passed };
        run(&history.store, salt, "", "", &all(&[verdict])).await;
        run(&history.store, 100 + salt, "", "a part", &[(1, Some(Passed))]).await;
    }
    let told = history.store.told("shop").await.expect("reads");
    assert_eq!(told[&test_id(0)], [Passed; 10], "the failure is the eleventh");
}

#[rstest]
#[tokio::test]
async fn what_failed_or_was_not_settled_in_the_last_run_is_found(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    assert_eq!(store.unsettled("shop", "").await.expect("reads"), None);
    run(store, 1, "", "", &all(&[Failed, Failed, Failed, Failed, Failed, Failed])).await;
    let mut verdicts = all(&[Passed, Flaky, Skipped, Failed, NotRun]);
    verdicts.push((5, None));
    let last = run(store, 2, "", "", &verdicts).await;
    // One that is under way says nothing yet.
    begin(store, &run_id(3), "shop", 2).await;
    let unsettled = store.unsettled("shop", "").await.expect("reads").expect("there is a run");
    assert_eq!(unsettled, Unsettled { runs: vec![last], tests: [3, 4, 5].map(test_id).into() });
}

#[rstest]
#[tokio::test]
async fn runs_of_a_part_of_the_suite_correct_the_run_of_the_whole_before_them(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    let store = &history.store;
    run(store, 1, "", "", &all(&[Failed, Failed, Failed, Failed])).await;
    let whole = run(store, 2, "", "", &all(&[Failed, Failed, Failed, Passed])).await;
    let part = run(store, 3, "", "what failed", &[(0, Some(Passed)), (1, Some(Failed))]).await;
    let other = run(store, 4, "", "a file", &[(3, Some(Failed))]).await;
    let unsettled = store.unsettled("shop", "").await.expect("reads").expect("there is a run");
    assert_eq!(unsettled.runs, [other, part, whole]);
    assert_eq!(unsettled.tests, [1, 2, 3].map(test_id).into());
}

#[rstest]
#[tokio::test]
async fn the_candidates_own_last_run_comes_before_the_suites(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    let mine = run(store, 1, "3f2c1d0", "", &all(&[Failed, Passed])).await;
    let others = run(store, 2, "9b8a7c6", "", &all(&[Passed, Failed])).await;
    let of = async |candidate| store.unsettled("shop", candidate).await.expect("reads").expect("there is a run");
    assert_eq!(of("3f2c1d0").await, Unsettled { runs: vec![mine], tests: [test_id(0)].into() });
    assert_eq!(of("unknown").await, Unsettled { runs: vec![others.clone()], tests: [test_id(1)].into() });
    assert_eq!(of("").await.runs, [others]);
}
