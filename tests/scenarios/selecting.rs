//! Runs of a part of the suite.

use std::time::Duration;

use shakedown::engine::fake::{Behaviour, FakeSuite, SuiteFault};
use shakedown::id::TestId;
use shakedown::selection::{Selection, Shard, ShardBy, parse};
use shakedown::verdict::{Interruption, RunVerdict, StopReason, TestVerdict};

use super::harness::{Scenario, passing, test};

fn filter(text: &str) -> Selection {
    Selection { filter: Some(parse(text).expect("a filter")), ..Selection::default() }
}

#[tokio::test(start_paused = true)]
async fn tests_that_are_not_selected_are_not_run_and_do_not_count() {
    let mut tests = passing(3, 2);
    tests.push(test("spec/1_spec.rb", "never holds", Behaviour::Fails));
    let mut scenario = Scenario::new(2, tests);
    scenario.selection = filter("file(spec/1_spec.rb) and name(passes)");
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let tests: Vec<String> = told.verdicts().into_keys().collect();
    assert_eq!(tests, ["spec/1_spec.rb::passes 0", "spec/1_spec.rb::passes 1"]);
    assert_eq!(told.listed(), 7);
    assert_eq!(told.attempts("never holds").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_no_test_is_no_pass() {
    let mut scenario = Scenario::new(2, passing(3, 2));
    scenario.selection = filter("tag(smoke)");
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::NoTests);
    assert_eq!((told.verdicts().len(), told.listed()), (0, 6));
}

#[tokio::test(start_paused = true)]
async fn a_test_keeps_its_name_when_the_one_before_it_of_the_same_name_is_left_out() {
    let tests = vec![test("spec/a_spec.rb", "passes", Behaviour::Passes); 2];
    let mut scenario = Scenario::new(1, tests);
    let second = TestId::new("spec/a_spec.rb", "passes", 2);
    scenario.selection = Selection { failed: Some([second.clone()].into()), ..Selection::default() };
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.verdicts().into_keys().collect::<Vec<_>>(), [second.to_string()]);
}

#[tokio::test(start_paused = true)]
async fn shards_together_run_every_test_once() {
    let mut run = Vec::new();
    for index in 1..=3 {
        let mut scenario = Scenario::new(2, passing(7, 2));
        let shard = Some(Shard::new(index, 3, ShardBy::Tests, "--shard").expect("one of three"));
        scenario.selection = Selection { shard, ..Selection::default() };
        let told = scenario.run().await;
        assert_eq!(told.verdict, RunVerdict::Passed);
        assert!(told.warnings()[0].starts_with(&format!("shard {index} of 3 (--shard): ")), "{:?}", told.warnings());
        run.extend(told.verdicts().into_keys());
    }
    run.sort();
    assert_eq!(run, Scenario::new(2, passing(7, 2)).run().await.verdicts().into_keys().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn listing_takes_one_environment_and_runs_nothing() {
    let mut scenario = Scenario::new(3, passing(4, 2));
    scenario.manifest.environment.standby = 2;
    let (listed, told) = scenario.list().await;
    let names: Vec<String> = listed.expect("they are listed").into_iter().map(|test| test.name).collect();
    assert_eq!(names.len(), 8);
    assert_eq!((told.boots(), told.broken().len()), (1, 0));
    assert!(told.attempts("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_keeps_tests_from_being_listed_is_said() {
    let broken = FakeSuite { fault: Some(SuiteFault::LoadError), ..FakeSuite::new(passing(1, 1)) };
    let (listed, _) = Scenario::of_suite(1, broken).list().await;
    assert!(matches!(listed, Err(RunVerdict::SuiteBroken(_))), "{listed:?}");
    let dies = FakeSuite { fault: Some(SuiteFault::DiesWhileListing), ..FakeSuite::new(passing(1, 1)) };
    let (listed, told) = Scenario::of_suite(1, dies).list().await;
    assert!(matches!(listed, Err(RunVerdict::EnvironmentsUnavailable(_))), "{listed:?}");
    assert_eq!(told.boots(), 3, "it is tried in other environments");
    let scenario = Scenario::new(1, passing(1, 1));
    let reason = StopReason::Signal(Interruption::Interrupt);
    let (listed, _) = scenario.stop_at(Duration::from_millis(10), reason).list().await;
    assert_eq!(listed, Err(RunVerdict::Interrupted(Interruption::Interrupt)));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_test_runs_as_often_as_asked_for_side_by_side_and_in_every_lane() {
    let mut scenario = Scenario::new(4, passing(1, 1));
    scenario.repeat = 20;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.attempts("passes 0").len(), 20);
    assert_eq!(told.places("passes 0").len(), 4, "each lane comes to it");
    let mut alone = Scenario::new(1, passing(1, 1));
    alone.repeat = 20;
    assert!(told.took < alone.run().await.took, "four lanes are quicker than one");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_test_that_fails_once_is_flaky_and_fails_the_run() {
    let mut tests = passing(2, 2);
    tests.push(test("spec/1_spec.rb", "fails at first", Behaviour::FailsUpTo(1)));
    tests.push(test("spec/1_spec.rb", "never holds", Behaviour::Fails));
    tests.push(test("spec/2_spec.rb", "is skipped", Behaviour::Skips));
    let mut scenario = Scenario::new(2, tests);
    scenario.repeat = 5;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Failed);
    assert_eq!(told.test_verdict("fails at first"), TestVerdict::Flaky);
    assert_eq!(told.test_verdict("never holds"), TestVerdict::Failed);
    assert_eq!(told.test_verdict("is skipped"), TestVerdict::Skipped);
    for test in told.verdicts().keys() {
        assert_eq!(told.attempts(test).len(), 5, "{test}: no failure is tried again, and nothing stops at one");
    }
    let passed = told.outcomes("fails at first").into_iter().filter(|outcome| *outcome == "passed").count();
    assert_eq!(passed, 4);
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_environment_cost_a_repeated_test_is_run_again() {
    let crash = Behaviour::Crashes { service: "web".to_owned(), up_to: 2 };
    let mut scenario = Scenario::new(2, vec![test("spec/a_spec.rb", "crashes twice", crash)]);
    scenario.repeat = 4;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let passed = told.outcomes("crashes twice").into_iter().filter(|outcome| *outcome == "passed").count();
    assert_eq!((passed, told.broken().len()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_test_that_a_stop_cuts_short_has_not_passed() {
    let mut scenario = Scenario::new(1, passing(1, 1));
    scenario.repeat = 1_000;
    let told = scenario.stop_at(Duration::from_secs(30), StopReason::Deadline).run().await;
    assert_eq!(told.verdict, RunVerdict::Incomplete(StopReason::Deadline));
    assert_eq!(told.test_verdict("passes 0"), TestVerdict::NotRun);
}
