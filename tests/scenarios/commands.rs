//! A suite that is run by commands: the same rules as for a warm worker hold.

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Answer, Behaviour, Does, FakeEngine, FakeSuite, FakeTest, SuiteFault, Verb};
use shakedown::manifest::{CommandItems, CommandSuite, CommandTemplate, FrameworkKind, ItemKind, ResetAfter};
use shakedown::verdict::{Interruption, Outcome, RunVerdict, StopReason, TestVerdict};

use super::harness::{Scenario, passing, test};

fn words(words: &[&str]) -> CommandTemplate {
    CommandTemplate::Words(words.iter().map(|word| (*word).to_owned()).collect())
}

/// A scenario whose tests are run one by one, with results or without.
fn commands_of(lanes: u16, suite: FakeSuite, junit: &[&str]) -> Scenario {
    let mut scenario = Scenario::of_suite(lanes, suite);
    let run = words(&[&[FakeEngine::RUN_TESTS, "{tests}"], junit].concat());
    let items = CommandItems::List { command: words(&[FakeEngine::LIST_TESTS]), names: ItemKind::Test };
    scenario.manifest.suite.framework = FrameworkKind::Command(CommandSuite::new(items, run));
    scenario
}

fn commands(lanes: u16, tests: Vec<FakeTest>) -> Scenario {
    commands_of(lanes, FakeSuite::new(tests), &["{junit}"])
}

fn message(outcome: Outcome) -> String {
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    failure.message
}

#[tokio::test(start_paused = true)]
async fn each_test_is_run_by_its_command_and_judged_by_its_results() {
    let mut tests = passing(4, 2);
    tests.push(test("spec/x", "fails", Behaviour::Fails));
    tests.push(test("spec/x", "flaky", Behaviour::FailsUpTo(1)));
    tests.push(test("spec/x", "skipped", Behaviour::Skips));
    let told = commands(2, tests).run().await;
    assert_eq!(told.verdict, RunVerdict::Failed);
    assert_eq!(told.outcomes("::fails"), ["failed"; 3]);
    assert_eq!(told.places("::fails").len(), 3);
    assert_eq!(message(told.attempts("::fails").remove(0).outcome), "expected 1, got 2");
    assert_eq!(told.outcomes("::flaky"), ["failed", "passed"]);
    assert_eq!(told.attempts("::skipped").remove(0).outcome, Outcome::Skipped { reason: "not today".to_owned() });
    assert_eq!(told.test_verdict("3_spec.rb::passes 1"), TestVerdict::Passed);
    assert!(told.attempts("::fails")[0].output.contains("expected 1, got 2"));
}

#[tokio::test(start_paused = true)]
async fn a_list_command_that_needs_the_application_is_run_again_when_that_is_ready() {
    for fault in [SuiteFault::NeedsToList("web"), SuiteFault::NeedsToFind("web")] {
        let mut scenario = commands_of(2, FakeSuite::faulty(fault, passing(2, 2)), &[]);
        scenario.manifest.compose.services.get_mut("browser").expect("there").depends_on.clear();
        let slow = Answer { after: Duration::from_secs(5), ..Answer::default() };
        let told = scenario.answers("-db", "pg_isready", vec![slow, Answer::default()]).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{fault:?}");
        assert!((2..=3).contains(&told.called(FakeEngine::LIST_TESTS)), "{fault:?}: {:#?}", told.calls);
    }
}

#[tokio::test(start_paused = true)]
async fn without_results_the_exit_code_decides() {
    let tests = vec![test("spec/a", "fails", Behaviour::Fails), test("spec/a", "passes", Behaviour::Passes)];
    let told = commands_of(1, FakeSuite::new(tests), &[]).run().await;
    let failed = message(told.attempts("::fails").remove(0).outcome);
    assert_eq!(failed, "the command ended with exit code 1; it said last:\nexpected 1, got 2");
    assert_eq!(told.test_verdict("::passes"), TestVerdict::Passed);
    assert_eq!(told.called("read archive"), 0);
}

#[tokio::test(start_paused = true)]
async fn files_are_tests_into_which_their_testcases_are_folded() {
    let tests = vec![
        test("spec/a", "one", Behaviour::Passes),
        test("spec/b", "one", Behaviour::Passes),
        test("spec/b", "two", Behaviour::Fails),
        test("spec/c", "one", Behaviour::Skips),
        test("spec/d", "one", Behaviour::Silent),
    ];
    let mut scenario = commands(2, tests);
    let FrameworkKind::Command(suite) = &mut scenario.manifest.suite.framework else { panic!("set above") };
    suite.items = CommandItems::List { command: words(&[FakeEngine::LIST_TESTS]), names: ItemKind::File };
    suite.run = words(&[FakeEngine::RUN_TESTS, "{files}", "{junit}"]);
    let told = scenario.run().await;
    assert_eq!(told.test_verdict("spec/a::one"), TestVerdict::Passed);
    let failed = message(told.attempts("spec/b::two").remove(0).outcome);
    assert_eq!(failed, "1 of 2 testcases failed\nspec/b two: expected 1, got 2");
    assert_eq!(told.test_verdict("spec/c::one"), TestVerdict::Skipped);
    let failed = message(told.attempts("spec/d::one").remove(0).outcome);
    assert_eq!(failed, "the command ended with exit code 0, but its results name no test");
}

#[tokio::test(start_paused = true)]
async fn a_test_that_the_results_do_not_name_has_failed() {
    let mut tests = passing(1, 1);
    tests.push(test("spec/a", "silent", Behaviour::Silent));
    let told = commands(1, tests).run().await;
    assert_eq!(told.verdict, RunVerdict::Failed);
    let failed = message(told.attempts("::silent").remove(0).outcome);
    assert_eq!(failed, "the command ended with exit code 0, but its results name no test");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_killed_when_its_time_is_up_and_the_rest_runs() {
    let mut tests = vec![test("spec/0_spec.rb", "hangs", Behaviour::Hangs)];
    tests.extend(passing(1, 3));
    let mut scenario = commands(1, tests);
    scenario.test_timeout = Duration::from_secs(20);
    scenario.manifest.environment.reset.after = ResetAfter::Never;
    let told = scenario.run().await;
    assert_eq!(told.outcomes("::hangs"), ["timed out"; 3]);
    assert_eq!(told.attempts("::hangs")[0].duration.as_secs(), 20);
    assert_eq!(told.test_verdict("passes 2"), TestVerdict::Passed);
    assert_eq!(told.called("--kill"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_killed_from_elsewhere_has_failed() {
    let told = commands(1, vec![test("spec/a", "fatal", Behaviour::KillsWorker)]).run().await;
    let failed = message(told.attempts("::fatal").remove(0).outcome);
    assert!(failed.starts_with("the command was killed (exit code 137), but it wrote no results to /tmp/"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_beneath_a_command_is_the_environments() {
    let mut tests = passing(2, 2);
    tests.push(test("spec/a", "crashes", Behaviour::Crashes { service: "web".to_owned(), up_to: 1 }));
    let told = commands(2, tests).run().await;
    assert_eq!(told.outcomes("::crashes"), ["environment broke", "passed"]);
    assert_eq!(told.verdict, RunVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_run_a_command_is_the_environments_fault() {
    let scenario = commands(1, passing(1, 2));
    scenario.engine.script(Verb::Exec, "passes 1", 1, 1, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.outcomes("passes 1"), ["environment broke", "passed"]);
}

#[tokio::test(start_paused = true)]
async fn results_that_the_engine_loses_are_the_environments_fault() {
    let scenario = commands(1, passing(1, 1));
    scenario.engine.script(Verb::ReadArchive, "browser", 1, 1, Does::Refuse(RefusalKind::Unreachable));
    let told = scenario.run().await;
    assert_eq!(told.outcomes("passes 0"), ["environment broke", "passed"]);
}

#[tokio::test(start_paused = true)]
async fn results_in_a_file_system_in_memory_are_read_by_a_command() {
    let junit = "<testsuite><testcase name='passes 0'/></testsuite>";
    let scenario = commands_of(1, FakeSuite::new(passing(1, 1)), &["in memory: {junit}"]);
    let told = scenario.answers("browser", "cat", vec![Answer::saying(0, junit)]).run().await;
    assert_eq!(told.outcomes("passes 0"), ["passed"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_while_a_command_runs_is_interrupted_quickly_and_leaves_nothing() {
    for millis in (0..6_000).step_by(130) {
        let mut tests = passing(1, 2);
        tests.push(test("spec/a", "hangs", Behaviour::Hangs));
        tests.push(test("spec/b", "flaky", Behaviour::FailsUpTo(1)));
        let moment = Duration::from_millis(millis);
        let told = commands(2, tests).stop_at(moment, StopReason::Signal(Interruption::Interrupt)).run().await;
        assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt), "stopped at {millis} ms");
        assert!(told.took.saturating_sub(moment) < Duration::from_secs(2), "stopped at {millis} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_command_that_fails_ends_the_run_with_its_words() {
    let told = commands_of(2, FakeSuite::faulty(SuiteFault::Missing, passing(1, 1)), &["{junit}"]).run().await;
    let RunVerdict::SuiteBroken(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("the list command `list-tests` ended with exit code 127"), "{why}");
    assert!(why.contains("sh: 1: list-tests: not found"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_list_command_that_names_nothing_is_no_test_and_one_that_hangs_stands_its_lanes_down() {
    let told = commands(1, Vec::new()).run().await;
    assert_eq!(told.verdict, RunVerdict::NoTests);
    let hangs = FakeSuite::faulty(SuiteFault::HangsWhileListing, passing(1, 1));
    let told = commands_of(1, hangs, &["{junit}"]).run().await;
    let RunVerdict::EnvironmentsUnavailable(why) = &told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("did not list the tests within 30 s"), "{why}");
}
