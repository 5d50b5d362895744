//! Workers that do not do as they should.

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Behaviour, Does, FakeSuite, SuiteFault, Verb};
use shakedown::id::TestId;
use shakedown::manifest::ResetAfter;
use shakedown::verdict::{Outcome, Past, RunVerdict, TestVerdict, learnt_limit};

use super::harness::{Scenario, Told, passing, test};

/// How often a worker was killed.
fn kills(told: &Told) -> usize {
    told.called("--kill")
}

#[tokio::test(start_paused = true)]
async fn a_test_that_hangs_is_timed_out_its_worker_replaced_and_the_rest_of_its_unit_goes_on() {
    for behaviour in [Behaviour::Hangs, Behaviour::HangsNoisily] {
        let mut tests = vec![test("spec/0_spec.rb", "hangs", behaviour)];
        tests.extend(passing(1, 3));
        let mut scenario = Scenario::new(1, tests);
        scenario.manifest.environment.reset.after = ResetAfter::Never;
        let told = scenario.run().await;
        assert_eq!(told.outcomes("::hangs"), ["timed out"; 3]);
        assert_eq!(told.attempts("::hangs")[0].duration.as_secs(), 20);
        assert_eq!(told.verdict, RunVerdict::Failed);
        assert_eq!(told.test_verdict("passes 2"), TestVerdict::Passed);
        assert_eq!(kills(&told), 3);
        // The rest went on in the environment in which the test had hung.
        assert_eq!(told.attempts("passes 2")[0].environment, told.attempts("::hangs")[0].environment);
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_that_ends_its_worker_has_failed_and_the_rest_runs() {
    let mut tests = vec![test("spec/0_spec.rb", "fatal", Behaviour::KillsWorker)];
    tests.extend(passing(1, 3));
    let told = Scenario::new(2, tests).run().await;
    assert_eq!(told.outcomes("::fatal"), ["failed"; 3]);
    let Outcome::Failed(failure) = told.attempts("::fatal").remove(0).outcome else { panic!("failed") };
    assert_eq!(failure.message, "the worker ended by itself with exit code 137; it said last: Killed");
    assert_eq!(told.test_verdict("passes 2"), TestVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_spoiled_is_replaced_before_the_next_unit() {
    let mut tests = vec![test("spec/0_spec.rb", "spoils", Behaviour::Spoils)];
    tests.last_mut().expect("a test").takes = Duration::from_secs(9);
    tests.extend(passing(1, 3));
    let mut scenario = Scenario::new(1, tests);
    scenario.manifest.environment.reset.after = ResetAfter::Never;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.outcomes("::spoils"), ["passed"], "what was told of its tests stays true");
    assert_eq!(kills(&told), 1);
    assert_eq!(told.attempts("passes 2")[0].environment, told.attempts("::spoils")[0].environment);
}

#[tokio::test(start_paused = true)]
async fn a_suite_that_cant_be_loaded_ends_the_run_with_the_frameworks_words() {
    let told = Scenario::of_suite(2, FakeSuite::faulty(SuiteFault::LoadError, passing(1, 1))).run().await;
    let RunVerdict::SuiteBroken(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("spec/helper.rb:7") && why.contains("undefined local variable"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_without_the_workers_program_ends_the_run_with_what_is_missing() {
    let told = Scenario::of_suite(2, FakeSuite::faulty(SuiteFault::Missing, passing(1, 1))).run().await;
    let RunVerdict::SuiteBroken(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("exit code 127") && why.contains("\"ruby\": executable file not found"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_speaks_another_version_or_never_loads_or_cant_list_stands_its_lanes_down() {
    for (fault, words) in [
        (SuiteFault::WrongProtocol, "protocol 99 instead of 2"),
        (SuiteFault::SilentLoad, "did not load the suite within 30 s"),
        (SuiteFault::Miscounts, "1 of 2 tests were listed"),
        (SuiteFault::HangsWhileListing, "did not list the tests within 30 s"),
        (SuiteFault::DiesWhileListing, "the worker ended by itself"),
    ] {
        let told = Scenario::of_suite(2, FakeSuite::faulty(fault, passing(1, 1))).run().await;
        let RunVerdict::EnvironmentsUnavailable(why) = &told.verdict else { panic!("{fault:?}: {:?}", told.verdict) };
        assert!(why.contains(words), "{fault:?}: {why}");
        assert!(told.boots() <= 6, "{fault:?}: {} boots", told.boots());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_of_the_protocol_on_a_workers_output_is_passed_over() {
    let told = Scenario::of_suite(1, FakeSuite::faulty(SuiteFault::Garbage, passing(1, 2))).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_was_listed_and_is_not_known_or_not_run_has_failed() {
    for (behaviour, words) in [(Behaviour::Unknown, "does not know"), (Behaviour::Silent, "did not run")] {
        let mut tests = passing(1, 2);
        tests.push(test("spec/0_spec.rb", "lost", behaviour));
        let told = Scenario::new(2, tests).run().await;
        assert_eq!(told.verdict, RunVerdict::Failed);
        let Outcome::Failed(failure) = told.attempts("::lost").remove(0).outcome else { panic!("failed") };
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!(told.test_verdict("passes 1"), TestVerdict::Passed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_test_that_nobody_asked_for_is_not_taken_for_the_one_that_runs() {
    let tests = vec![test("spec/a_spec.rb", "beside", Behaviour::PassesBesideStranger)];
    let told = Scenario::new(1, tests).run().await;
    assert_eq!(told.outcomes("::beside"), ["passed"]);
    assert_eq!(told.verdict, RunVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cant_be_killed_costs_its_environment_and_no_more() {
    let mut tests = vec![test("spec/0_spec.rb", "hangs", Behaviour::Hangs)];
    tests.extend(passing(2, 3));
    let scenario = Scenario::new(1, tests);
    scenario.engine.script(Verb::Exec, "--kill", 1, 1, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.test_verdict("::hangs"), TestVerdict::Failed);
    assert_eq!(told.test_verdict("1_spec.rb::passes 2"), TestVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_learnt_ends_a_hanging_test_early_and_grows_with_each_attempt() {
    let mut tests = passing(2, 2);
    tests.push(test("spec/0_spec.rb", "hangs", Behaviour::Hangs));
    tests.last_mut().expect("a test").takes = Duration::from_secs(1);
    let past = Past { passed: vec![Duration::from_secs(1); 8], ..Past::default() };
    let hangs = TestId::new("spec/0_spec.rb", "hangs", 1);
    let mut scenario = Scenario::new(2, tests);
    scenario.test_timeout = Duration::from_secs(500);
    scenario.time_limits.insert(hangs, learnt_limit(&past).expect("learnt"));
    let told = scenario.run().await;
    let limits: Vec<(u64, String)> = told
        .attempts("::hangs")
        .into_iter()
        .map(|attempt| {
            let Outcome::TimedOut { limit, why } = attempt.outcome else { panic!("{:?}", attempt.outcome) };
            (limit.as_secs(), why)
        })
        .collect();
    let learnt = "learnt from 8 passed attempts, which took up to 1.0 s";
    let raised = |by: &str| format!("{learnt}, and raised after one that was stopped at {by} s");
    assert_eq!(limits, [(45, learnt.to_owned()), (90, raised("45.0")), (120, raised("90.0"))]);
    assert_eq!(told.test_verdict("passes 1"), TestVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_slow_diagnosis_does_not_take_the_next_tests_time() {
    let mut tests = vec![test("spec/0_spec.rb", "fails", Behaviour::Fails)];
    tests.extend(passing(1, 1));
    let mut scenario = Scenario::new(1, tests);
    scenario.test_timeout = Duration::from_secs(1);
    // Boots look at each container a few times; the looks of the diagnosis come after those.
    scenario.engine.script(Verb::InspectContainer, "1.1-db", 3, 1, Does::Delay(Duration::from_millis(1500)));
    let told = scenario.run().await;
    assert_eq!(told.outcomes("passes 0"), ["passed"]);
}

/// What the connection does to the word of an honest test's end.
fn on_a_bad_connection(attempts: u32) -> [Behaviour; 3] {
    [Behaviour::EndIsGarbled(attempts), Behaviour::EndIsLost(attempts), Behaviour::IsCutOff(attempts)]
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_connection_does_is_blamed_on_no_test() {
    for behaviour in on_a_bad_connection(1) {
        let mut tests = passing(2, 2);
        tests.push(test("spec/far_spec.rb", "far", behaviour.clone()));
        let told = Scenario::new(2, tests).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{behaviour:?}");
        assert_eq!(told.outcomes("::far"), ["environment broke", "passed"], "{behaviour:?}");
        let cause = &told.broken()[0].cause;
        assert!(cause.starts_with("the connection to the worker "), "{behaviour:?}: {cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_always_bad_never_lets_a_test_pass_or_fail() {
    for behaviour in on_a_bad_connection(u32::MAX) {
        let mut tests = passing(2, 2);
        tests.push(test("spec/far_spec.rb", "far", behaviour.clone()));
        let told = Scenario::new(2, tests).run().await;
        assert!(matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_)), "{behaviour:?}: {:?}", told.verdict);
        assert_eq!(told.test_verdict("::far"), TestVerdict::EnvironmentBroke, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_builds_on_a_test_that_failed_is_given_back_and_pays_for_nothing() {
    let tests = || {
        let builds_on = Behaviour::BuildsOn("begins".to_owned());
        vec![
            test("spec/serial_spec.rb", "begins", Behaviour::FailsUpTo(1)),
            test("spec/serial_spec.rb", "goes on", builds_on.clone()),
            test("spec/serial_spec.rb", "ends", builds_on),
            test("spec/serial_spec.rb", "stands alone", Behaviour::Passes),
        ]
    };
    for after in [ResetAfter::Never, ResetAfter::Failure] {
        let mut scenario = Scenario::new(2, tests());
        scenario.manifest.environment.reset.after = after;
        let told = scenario.run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{after:?}");
        assert_eq!(told.outcomes("::begins"), ["failed", "passed"], "{after:?}");
        for name in ["::goes on", "::ends", "::stands alone"] {
            assert_eq!(told.outcomes(name), ["passed"], "{name}, {after:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_runs_before_a_test_has_time_of_its_own() {
    let mut tests = vec![test("spec/0_spec.rb", "third", Behaviour::ComesAfter(3))];
    tests[0].takes = Duration::from_secs(9);
    let told = Scenario::new(1, tests).run().await;
    assert_eq!(told.outcomes("::third"), ["passed"], "though all of it takes 36 s and the limit is 20 s");
    assert_eq!(told.attempts("::third")[0].duration.as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn what_runs_before_a_test_and_does_not_end_is_named() {
    let mut tests = vec![test("spec/0_spec.rb", "third", Behaviour::ComesAfter(3))];
    tests[0].takes = Duration::from_secs(30);
    let told = Scenario::new(1, tests).run().await;
    assert_eq!(told.outcomes("::third"), ["failed"; 3]);
    let Outcome::Failed(failure) = told.attempts("::third").remove(0).outcome else { panic!("failed") };
    let words = "did not run, as other 1, which has to run before, ran longer than 20.0 s, and was stopped";
    assert_eq!(failure.message, words);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_something_else_keeps_from_running_is_tried_in_another_environment_and_not_blamed() {
    let mut tests = passing(1, 2);
    tests.push(test("spec/0_spec.rb", "behind", Behaviour::BlockedUpTo(2)));
    let told = Scenario::new(1, tests).run().await;
    assert_eq!(told.outcomes("::behind"), ["environment broke", "environment broke", "passed"]);
    assert_eq!(told.test_verdict("::behind"), TestVerdict::Passed, "and not flaky");
    assert_eq!(told.verdict, RunVerdict::Passed);
    let attempts = told.attempts("::behind");
    assert_ne!(attempts[0].environment, attempts[1].environment);
    assert_eq!(attempts[0].outcome, Outcome::EnvironmentBroke { cause: "the set-up failed: no".into() });
}

#[tokio::test(start_paused = true)]
async fn tests_that_something_else_always_keeps_from_running_do_not_end_the_run_before_the_others() {
    let mut tests: Vec<_> =
        (0..9).map(|n| test("spec/0_spec.rb", &format!("behind {n}"), Behaviour::BlockedUpTo(9))).collect();
    tests.push(test("spec/9_spec.rb", "logs in", Behaviour::Fails));
    let told = Scenario::new(2, tests).run().await;
    assert_eq!(told.outcomes("::logs in"), ["failed"; 3]);
    assert_eq!(told.outcomes("::behind 8"), ["environment broke"; 3]);
    assert_eq!(told.verdict, RunVerdict::Failed);
}
