//! Which tests run together, apart, and in how many goes.
#![expect(clippy::wildcard_enum_match_arm, reason = "each question is about one kind of event")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shakedown::engine::fake::{Behaviour, FakeSuite, FakeTest};
use shakedown::event::RunEvent;
use shakedown::id::{EnvironmentId, TestId, UnitId};
use shakedown::manifest::{Exclusive, FilePattern};
use shakedown::queue::Batching;
use shakedown::verdict::{RunVerdict, TestVerdict};

use super::harness::{Scenario, passing, test};
use super::told::Told;

fn pattern(text: &str) -> FilePattern {
    FilePattern::new(text).expect("a pattern")
}

/// Every attempt, with the file of its test, by the unit that it was a part of.
fn units(told: &Told) -> BTreeMap<UnitId, Vec<(TestId, EnvironmentId)>> {
    let mut units: BTreeMap<UnitId, Vec<_>> = BTreeMap::new();
    for event in &told.events {
        if let RunEvent::AttemptEnded(attempt) = event {
            units.entry(attempt.unit).or_default().push((attempt.test.clone(), attempt.environment));
        }
    }
    units
}

fn files(tests: &[(TestId, EnvironmentId)]) -> BTreeSet<&str> {
    tests.iter().filter_map(|(test, _)| test.as_str().split_once("::")).map(|(file, _)| file).collect()
}

#[tokio::test(start_paused = true)]
async fn files_of_a_group_are_one_unit_in_the_order_in_which_they_are_listed() {
    let mut scenario = Scenario::new(3, passing(6, 2));
    scenario.manifest.order.groups = vec![pattern("spec/[1-3]_*")];
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let units = units(&told);
    let group: Vec<_> = units.values().filter(|tests| tests.len() > 2).collect();
    assert_eq!((units.len(), group.len()), (4, 1));
    let names: Vec<&str> = group[0].iter().map(|(test, _)| test.as_str()).collect();
    assert_eq!(names.len(), 6);
    assert!(names.is_sorted(), "{names:?}");
}

/// When each attempt of tests in such files ran, by the engine's clock, which stands still between events: so the events'
/// order tells whether two ran at the same time.
fn most_at_once(told: &Told, file: &str) -> usize {
    let (mut running, mut most) = (BTreeSet::new(), 0);
    for event in &told.events {
        match event {
            RunEvent::AttemptStarted { test, environment, .. } if test.as_str().starts_with(file) => {
                running.insert(*environment);
            }
            // An environment that broke is there until it is removed.
            RunEvent::AttemptEnded(attempt) if attempt.outcome.word() != "environment broke" => {
                running.remove(&attempt.environment);
            }
            RunEvent::EnvironmentRemoved { environment, .. } => {
                running.remove(environment);
            }
            _ => {}
        }
        most = most.max(running.len());
    }
    most
}

#[tokio::test(start_paused = true)]
async fn tests_that_share_a_resource_never_run_at_the_same_time_whatever_becomes_of_them() {
    let bad = [
        Behaviour::FailsUpTo(2),
        Behaviour::KillsWorker,
        Behaviour::Hangs,
        Behaviour::Crashes { service: "web".to_owned(), up_to: 1 },
    ];
    let mut tests = passing(4, 2);
    for (n, behaviour) in bad.into_iter().enumerate() {
        tests.extend((0..3).map(|m| test(&format!("spec/pay{n}_spec.rb"), &format!("pays {m}"), Behaviour::Passes)));
        tests.push(test(&format!("spec/pay{n}_spec.rb"), "is bad", behaviour));
    }
    let mut scenario = Scenario::new(4, tests.clone());
    let sandbox = Exclusive { resource: "sandbox".to_owned(), files: vec![pattern("spec/pay*")], tags: Vec::new() };
    scenario.manifest.order.exclusive = vec![sandbox];
    let told = scenario.run().await;
    assert_eq!(most_at_once(&told, "spec/pay"), 1);
    assert!(most_at_once(&told, "spec/") > 1, "the others run meanwhile");
    assert_eq!(told.test_verdict("pay0_spec.rb::is bad"), TestVerdict::Flaky);
    assert_eq!(told.test_verdict("pay3_spec.rb::is bad"), TestVerdict::Passed);
    assert!(told.verdicts().iter().all(|(test, verdict)| test.contains("bad") || *verdict == TestVerdict::Passed));
    let free = Scenario::new(4, tests).run().await;
    assert!(most_at_once(&free, "spec/pay") > 1, "without it they do");
}

/// Forty files, ten of which take far longer than the others, of which the history knows the mean only, in a suite in which a process for each unit takes
/// two seconds to start, over four lanes.
fn with_starts(batching: Option<Batching>) -> Scenario {
    of_tests(suite_of_files(), batching)
}

fn suite_of_files() -> Vec<FakeTest> {
    let mut tests: Vec<FakeTest> = passing(40, 1);
    for (n, test) in tests.iter_mut().enumerate() {
        test.takes = Duration::from_millis(if n >= 30 { 4_000 } else { 400 + 97 * (n as u64 * 7 % 5) });
    }
    tests
}

fn of_tests(tests: Vec<FakeTest>, batching: Option<Batching>) -> Scenario {
    let mean = tests.iter().map(|test| test.takes).sum::<Duration>() / 40;
    let history = tests.iter().map(|test| (TestId::new(&test.file, &test.name, 1), mean)).collect();
    let suite = FakeSuite { unit_start: Duration::from_secs(2), ..FakeSuite::new(tests) };
    let mut scenario = Scenario::of_suite(4, suite);
    (scenario.history, scenario.batching) = (history, batching);
    scenario
}

#[tokio::test(start_paused = true)]
async fn batches_that_shrink_end_sooner_than_a_process_for_each_file_and_than_one_for_each_lane() {
    let known = Some(Duration::from_secs(2));
    let per_file = with_starts(None).run().await;
    let shrinking = with_starts(Some(Batching::new(usize::MAX, known))).run().await;
    // The same in four parts that are expected to take equally long, each with one start.
    let mut per_lane = with_starts(None);
    per_lane.manifest.order.groups = ["spec/?_*", "spec/1?_*", "spec/2?_*", "spec/3?_*"].map(pattern).into();
    let per_lane = per_lane.run().await;
    for told in [&per_file, &shrinking, &per_lane] {
        assert_eq!((told.verdict.clone(), told.verdicts().len()), (RunVerdict::Passed, 40));
    }
    assert_eq!(units(&per_file).len(), 40);
    let handouts: Vec<usize> = units(&shrinking).values().map(|tests| files(tests).len()).collect();
    assert!(handouts.len() < 20, "{handouts:?}");
    assert!(shrinking.took * 10 < per_file.took * 9, "{:?} and {:?}", shrinking.took, per_file.took);
    assert!(shrinking.took * 10 < per_lane.took * 9, "{:?} and {:?}", shrinking.took, per_lane.took);
}

#[tokio::test(start_paused = true)]
async fn what_starts_cost_is_told_and_learnt_within_the_run() {
    let told = with_starts(Some(Batching::new(usize::MAX, None))).run().await;
    let starts: Vec<Duration> = told
        .events
        .iter()
        .filter_map(|event| match event {
            RunEvent::UnitBegan { took, .. } => Some(*took),
            _ => None,
        })
        .collect();
    assert_eq!(starts.len(), units(&told).len());
    assert!(
        starts.iter().all(|took| *took >= Duration::from_secs(2) && *took < Duration::from_millis(2100)),
        "{starts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_within_a_batch_is_tried_again_by_itself_and_the_rest_is_dealt_out_anew() {
    let mut tests = suite_of_files();
    tests[4].behaviour = Behaviour::FailsUpTo(1);
    let told = of_tests(tests, Some(Batching::new(usize::MAX, Some(Duration::from_secs(2))))).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.test_verdict("spec/4_spec.rb::passes 0"), TestVerdict::Flaky);
    let retried = told.attempts("spec/4_spec.rb::passes 0")[1].unit;
    assert_eq!(units(&told)[&retried].len(), 1);
    let told_of: usize = units(&told).values().map(Vec::len).sum();
    assert_eq!(told_of, 41, "nothing else ran twice");
}
