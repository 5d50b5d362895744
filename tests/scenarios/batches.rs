//! Several tests run by one command.

use std::num::NonZeroUsize;
use std::time::Duration;

use shakedown::engine::fake::{Behaviour, FakeEngine, FakeSuite, FakeTest};
use shakedown::manifest::{CommandItems, CommandSuite, CommandTemplate, FrameworkKind, ItemKind, ResetAfter, StartUp};
use shakedown::verdict::{Interruption, Outcome, RunVerdict, StopReason, TestVerdict};

use super::harness::{Scenario, test};
use super::told::Told;

fn words(words: &[&str]) -> CommandTemplate {
    CommandTemplate::Words(words.iter().map(|word| (*word).to_owned()).collect())
}

/// Tests of one file, which takes that many at once.
fn together(lanes: u16, at_once: usize, tests: Vec<FakeTest>) -> Scenario {
    let mut scenario = Scenario::of_suite(lanes, FakeSuite::new(tests));
    let items = CommandItems::List { command: words(&[FakeEngine::LIST_TESTS]), names: ItemKind::Test };
    let mut suite = CommandSuite::new(items, words(&[FakeEngine::RUN_TESTS, "{tests}", "{junit}"]));
    suite.at_once = NonZeroUsize::new(at_once).expect("at least one");
    scenario.manifest.suite.framework = FrameworkKind::Command(suite);
    scenario
}

/// Passing tests of one file, but for those at these places.
fn passing_but(count: usize, others: &[(usize, Behaviour)]) -> Vec<FakeTest> {
    let behaviour = |n| others.iter().find(|(place, _)| *place == n).map_or(Behaviour::Passes, |(_, b)| b.clone());
    (0..count).map(|n| test("spec/a", &format!("test {n}"), behaviour(n))).collect()
}

/// How many tests each command was given.
fn commands(told: &Told) -> Vec<usize> {
    let commands = told.calls.iter().filter(|call| call.contains("exec") && call.contains(FakeEngine::RUN_TESTS));
    commands.map(|call| call.matches("spec/a::").count()).collect()
}

#[tokio::test(start_paused = true)]
async fn tests_that_run_together_are_told_apart_and_each_is_told_of_once() {
    let others = [(1, Behaviour::Skips), (6, Behaviour::PassesBesideStranger)];
    let scenario = together(1, 3, passing_but(7, &others));
    assert_eq!(scenario.manifest.suite.framework.start_up(), StartUp::Unit { most: NonZeroUsize::new(3).expect("3") });
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(commands(&told), [3, 3, 1]);
    assert_eq!(told.attempts("").len(), 7);
    assert_eq!(told.test_verdict("test 1"), TestVerdict::Skipped);
    // What is not known of a test's time is its share of the command's.
    let attempts = told.attempts("");
    assert!(attempts.iter().all(|attempt| (400..700).contains(&attempt.duration.as_millis())), "{attempts:#?}");
    assert_eq!(told.warnings(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn all_that_a_command_told_counts_before_its_environment_is_replaced() {
    let others = [(1, Behaviour::FailsUpTo(1)), (2, Behaviour::Fails)];
    let told = together(1, 4, passing_but(6, &others)).run().await;
    assert_eq!(told.verdict, RunVerdict::Failed);
    assert_eq!(told.outcomes("test 1"), ["failed", "passed"]);
    assert_eq!(told.outcomes("test 2"), ["failed"; 3]);
    assert!(["0", "3", "4", "5"].iter().all(|n| told.outcomes(&format!("test {n}")) == ["passed"]));
    let first = told.attempts("test 0").remove(0).environment;
    assert!(["1", "2", "3"].iter().all(|n| told.attempts(&format!("test {n}"))[0].environment == first));
    assert_ne!(told.attempts("test 4")[0].environment, first);
    let output = &told.attempts("test 2")[0].output;
    assert!(output.starts_with("the command that ran 4 tests said last:\nexpected 1"), "{output}");
    // The failed ones are tried again one by one, the rest together.
    let commands = commands(&told);
    assert_eq!(commands.iter().filter(|tests| **tests == 1).count(), 3, "{commands:?}");
    assert!(commands.contains(&2), "{commands:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_keeps_what_was_told_and_the_rest_is_run_one_by_one() {
    let told = together(1, 5, passing_but(5, &[(2, Behaviour::KillsWorker)])).run().await;
    assert_eq!(commands(&told)[..2], [5, 1]);
    assert!(["0", "1", "3", "4"].iter().all(|n| told.outcomes(&format!("test {n}")) == ["passed"]));
    assert_eq!(told.outcomes("test 2"), ["failed"; 3]);
    let Outcome::Failed(failure) = told.attempts("test 2").remove(0).outcome else { panic!("it crashed") };
    assert!(failure.message.starts_with("the command was killed (exit code 137)"), "{failure:?}");
    let warning = &told.warnings()[0];
    let said = "5 tests were run by one command, and 3 of them are now run one by one: the command was killed (exit code \
                137), but the results file is cut off after 2 testcases";
    assert_eq!(warning, said);
}

#[tokio::test(start_paused = true)]
async fn of_tests_that_take_too_long_together_the_one_that_hangs_is_found() {
    let mut scenario = together(1, 4, passing_but(4, &[(1, Behaviour::Hangs)]));
    scenario.test_timeout = Duration::from_secs(20);
    scenario.manifest.environment.reset.after = ResetAfter::Never;
    let told = scenario.run().await;
    assert!(["0", "2", "3"].iter().all(|n| told.outcomes(&format!("test {n}")) == ["passed"]));
    assert_eq!(told.outcomes("test 1"), ["timed out"; 3]);
    assert!(told.attempts("test 1").iter().all(|attempt| attempt.duration.as_secs() == 20));
    let warning = &told.warnings()[0];
    assert!(
        warning.contains("3 of them are now run one by one, as their time was up: the command was killed"),
        "{warning}"
    );
    // Eighty seconds for the four of them, and twenty for each attempt of the one.
    assert!(told.took > Duration::from_secs(140) && told.took < Duration::from_secs(170), "{:?}", told.took);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_breaks_beneath_several_tests_costs_none_of_them() {
    let crash = Behaviour::Crashes { service: "web".to_owned(), up_to: 1 };
    let told = together(2, 4, passing_but(8, &[(2, crash)])).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert!(told.attempts("").iter().all(|attempt| !attempt.outcome.counts_against_test()));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_while_several_tests_run_ends_quickly_and_leaves_nothing() {
    for millis in (0..9_000).step_by(170) {
        let tests = passing_but(8, &[(1, Behaviour::FailsUpTo(1)), (6, Behaviour::Hangs)]);
        let moment = Duration::from_millis(millis);
        let stop = StopReason::Signal(Interruption::Interrupt);
        let told = together(2, 4, tests).stop_at(moment, stop).run().await;
        assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt), "stopped at {millis} ms");
        assert!(told.took.saturating_sub(moment) < Duration::from_secs(2), "stopped at {millis} ms");
    }
}
