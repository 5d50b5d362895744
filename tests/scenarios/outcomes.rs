//! What becomes of tests.

use shakedown::engine::fake::Behaviour;
use shakedown::verdict::{Outcome, RunVerdict, TestVerdict};

use super::harness::{Scenario, passing, test};

#[tokio::test(start_paused = true)]
async fn all_pass_on_one_lane_and_on_three_with_the_same_verdicts() {
    let one = Scenario::new(1, passing(6, 3)).run().await;
    let three = Scenario::new(3, passing(6, 3)).run().await;
    assert_eq!((&one.verdict, &three.verdict), (&RunVerdict::Passed, &RunVerdict::Passed));
    assert_eq!(one.verdicts(), three.verdicts());
    assert_eq!(one.verdicts().len(), 18);
    assert!(three.took < one.took, "three lanes are faster: {:?} and {:?}", three.took, one.took);
}

#[tokio::test(start_paused = true)]
async fn a_failed_test_is_tried_again_in_another_environment_and_is_flaky_when_it_passes_there() {
    let mut tests = passing(3, 2);
    tests.push(test("spec/0_spec.rb", "flaky", Behaviour::FailsUpTo(1)));
    let told = Scenario::new(2, tests).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.test_verdict("::flaky"), TestVerdict::Flaky);
    assert_eq!(told.outcomes("::flaky"), ["failed", "passed"]);
    assert_eq!(told.places("::flaky").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_always_fails_is_failed_after_three_attempts_in_three_environments() {
    for lanes in [1, 2, 4] {
        let mut tests = passing(3, 2);
        tests.push(test("spec/0_spec.rb", "broken", Behaviour::Fails));
        let told = Scenario::new(lanes, tests).run().await;
        assert_eq!(told.verdict, RunVerdict::Failed);
        assert_eq!(told.test_verdict("::broken"), TestVerdict::Failed);
        assert_eq!(told.outcomes("::broken"), ["failed"; 3]);
        assert_eq!(told.places("::broken").len(), 3, "with {lanes} lanes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_lane_takes_a_fresh_environment_to_try_again() {
    let told = Scenario::new(1, vec![test("spec/a_spec.rb", "flaky", Behaviour::FailsUpTo(1))]).run().await;
    assert_eq!(told.boots(), 2);
    assert_eq!(told.test_verdict("::flaky"), TestVerdict::Flaky);
}

#[tokio::test(start_paused = true)]
async fn a_skipped_test_is_skipped_with_its_reason() {
    let told = Scenario::new(1, vec![test("spec/a_spec.rb", "later", Behaviour::Skips)]).run().await;
    assert_eq!(told.test_verdict("::later"), TestVerdict::Skipped);
    let outcome = told.attempts("::later").remove(0).outcome;
    assert_eq!(outcome, Outcome::Skipped { reason: "not today".to_owned() });
}

#[tokio::test(start_paused = true)]
async fn what_a_failing_test_writes_is_kept_up_to_its_last_lines() {
    let tests = vec![test("spec/a_spec.rb", "noisy", Behaviour::FailsNoisily(10_000))];
    let told = Scenario::new(1, tests).run().await;
    let output = &told.attempts("::noisy")[0].output;
    assert!(output.ends_with("line 9999 of what the test writes\n"), "{output}");
    assert!(output.len() <= 64 << 10);
}

#[tokio::test(start_paused = true)]
async fn a_suite_without_tests_is_told_as_such() {
    let told = Scenario::new(2, Vec::new()).run().await;
    assert_eq!(told.verdict, RunVerdict::NoTests);
}

#[tokio::test(start_paused = true)]
async fn where_a_test_ran_is_told_with_its_position_and_predecessor() {
    let told = Scenario::new(1, passing(1, 3)).run().await;
    let last = told.attempts("passes 2").remove(0);
    assert_eq!(last.position, 3);
    assert_eq!(last.predecessor.map(|test| test.to_string()), Some("spec/0_spec.rb::passes 1".to_owned()));
}
