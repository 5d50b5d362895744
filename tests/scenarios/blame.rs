//! What is the environment's fault, and how that is found out.

use std::num::NonZeroU32;
use std::time::Duration;

use shakedown::engine::Happened;
use shakedown::engine::fake::{Answer, Behaviour, Life};
use shakedown::event::RunEvent;
use shakedown::manifest::ResetAfter;
use shakedown::manifest::compose::{ImageSource, Service};
use shakedown::verdict::{RunVerdict, TestVerdict};

use super::harness::{Scenario, passing, test};
use super::told::Told;

const WEB: &str = "shakedown-20260101-000000-abcdef-1.1-web";
const DB: &str = "shakedown-20260101-000000-abcdef-1.1-db";

/// A run over two lanes of some passing tests and one that behaves so.
async fn with(behaviour: Behaviour) -> Told {
    let mut tests = passing(2, 3);
    tests.push(test("spec/0_spec.rb", "unlucky", behaviour));
    Scenario::new(2, tests).run().await
}

/// The unlucky test lost one attempt to its environment, for this reason.
#[track_caller]
fn assert_blamed(told: &Told, cause: &str) {
    assert_eq!(told.outcomes("::unlucky"), ["environment broke", "passed"]);
    assert_eq!((told.test_verdict("::unlucky"), told.verdict.clone()), (TestVerdict::Passed, RunVerdict::Passed));
    let broken = told.broken();
    let causes: Vec<&str> = broken.iter().map(|broken| broken.cause.as_str()).collect();
    assert_eq!(causes, [cause]);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_fails_after_a_service_lost_a_process_for_want_of_memory_is_not_to_blame() {
    let mut tests = passing(2, 3);
    tests.push(test("spec/0_spec.rb", "unlucky", Behaviour::Starves { service: "db".to_owned(), up_to: 1 }));
    let mut scenario = Scenario::new(2, tests);
    scenario.manifest.compose.services["db"].memory = Some(64 << 20);
    let told = scenario.run().await;
    let cause = "db ran out of memory while tests ran, and a process of it was killed: limit 64 MiB, all of it in use at \
                 the kill";
    assert_blamed(&told, cause);
    assert_eq!(told.broken()[0].service.as_deref(), Some("db"));
    assert_eq!(told.broken()[0].log_tail, ["worker 7 was killed"]);
    assert_eq!(told.warnings(), Vec::<String>::new(), "it is said once");
}

/// The kernel kills a service's first process and tells of it; the test fails on that; only then does the engine find
/// out that the container has ended.
#[tokio::test(start_paused = true)]
async fn an_end_for_want_of_memory_is_told_as_an_end_though_the_test_fails_before_it_is_known() {
    let starves = Behaviour::Starves { service: "db".to_owned(), up_to: 1 };
    let told = Scenario::new(1, vec![test("spec/0_spec.rb", "unlucky", starves)])
        .at(Duration::from_secs(2), |engine| engine.end_container(DB, 137, true))
        .run()
        .await;
    let cause = "db ran out of memory while tests ran: it has no memory limit of its own; it ended with exit code 137";
    assert_blamed(&told, cause);
}

#[tokio::test(start_paused = true)]
async fn want_of_memory_that_costs_no_test_is_said_and_costs_no_environment() {
    let told = Scenario::new(1, passing(4, 2))
        .at(Duration::from_secs(4), |engine| engine.tell(WEB, Happened::OutOfMemory))
        .run()
        .await;
    assert_eq!((told.verdict.clone(), told.boots()), (RunVerdict::Passed, 1));
    let said = "environment 1.1: web ran out of memory, and a process of it was killed: it has no memory limit of its \
                own; tests that fail now are not to blame";
    assert_eq!(told.warnings(), [said]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_killed_for_want_of_memory_is_not_its_tests_doing() {
    let told = with(Behaviour::OutOfMemory).await;
    assert_blamed(
        &told,
        "browser ran out of memory while tests ran, and a process of it was killed: it has no memory limit of its own",
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_that_times_out_as_a_service_hangs_is_not_to_blame() {
    let told = with(Behaviour::Freezes { service: "web".to_owned(), up_to: 1 }).await;
    let cause = &told.broken()[0].cause;
    assert!(cause.starts_with("web became unhealthy while tests ran: its health check failed 3 times"), "{cause}");
    assert!(cause.ends_with("no answer within 1s") || cause.ends_with("no answer within 3s"), "{cause}");
    assert_blamed(&told, cause);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_becomes_unhealthy_breaks_its_environment_though_every_test_passes() {
    let mut tests = passing(1, 1);
    tests[0].takes = Duration::from_secs(19);
    let told = Scenario::new(1, tests).at(Duration::from_secs(2), |engine| engine.freeze(WEB)).run().await;
    assert_eq!(told.outcomes("::passes 0"), ["environment broke", "passed"]);
    let cause = "web became unhealthy while tests ran: its health check failed 3 times in a row, at last: no answer \
                 within 1s";
    assert_eq!(told.broken()[0].cause, cause);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_fails_once_is_no_illness() {
    let mut tests = passing(1, 1);
    tests[0].takes = Duration::from_secs(19);
    let (ok, bad) = (|| Answer::code(0), || Answer::code(1));
    let answers = vec![ok(), bad(), bad(), ok(), bad(), bad(), ok()];
    let told = Scenario::new(1, tests).answers("-web", "curl", answers).run().await;
    assert_eq!((told.verdict.clone(), told.boots()), (RunVerdict::Passed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_beside_a_health_check_that_recovers_counts() {
    let mut tests = passing(2, 3);
    tests.push(test("spec/0_spec.rb", "broken", Behaviour::Fails));
    let answers = vec![Answer::code(0), Answer::code(1), Answer::code(0)];
    let told = Scenario::new(2, tests).answers("-web", "curl", answers).run().await;
    assert_eq!(told.test_verdict("::broken"), TestVerdict::Failed);
    assert_eq!(told.broken().len(), 0);
}

/// A service that others neither wait for nor use.
fn with_step(ends: Life) -> Scenario {
    let mut tests = passing(4, 4);
    tests.push(test("spec/9_spec.rb", "fails", Behaviour::FailsUpTo(1)));
    let mut scenario = Scenario::new(1, tests);
    let image = ImageSource::Named("shop:1".to_owned());
    scenario.manifest.compose.services.insert("warmup".to_owned(), Service { image, ..Service::default() });
    scenario.life("-warmup", ends)
}

#[tokio::test(start_paused = true)]
async fn a_step_that_nothing_waits_for_may_end_well_at_any_time() {
    for seconds in 0..8 {
        let told = with_step(Life::ends(Duration::from_secs(seconds), 0)).run().await;
        assert_eq!((told.verdict.clone(), told.broken().len()), (RunVerdict::Passed, 0), "after {seconds} s");
        assert_eq!(told.outcomes("::fails"), ["failed", "passed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_ends_badly_breaks_its_environment() {
    let ends = Life { times: Some(1), ..Life::ends(Duration::from_secs(4), 2) };
    let told = with_step(ends).run().await;
    assert_eq!(told.broken()[0].cause, "warmup ended with exit code 2 while tests ran");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_well_breaks_its_environment() {
    let mut scenario = with_step(Life { times: Some(1), ..Life::ends(Duration::from_secs(4), 0) });
    scenario.manifest.compose.services["warmup"].restarts = true;
    let told = scenario.run().await;
    assert_eq!(told.broken()[0].cause, "warmup ended with exit code 0 while tests ran");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_somebody_else_paused_is_to_blame_for_what_fails_meanwhile() {
    let mut tests = passing(2, 3);
    tests.push(test("spec/0_spec.rb", "slow", Behaviour::FailsUpTo(1)));
    tests.last_mut().expect("it").takes = Duration::from_secs(10);
    let told =
        Scenario::new(1, tests).at(Duration::from_secs(6), |engine| engine.tell(WEB, Happened::Paused)).run().await;
    assert_eq!(told.outcomes("::slow"), ["environment broke", "passed"]);
    assert_eq!(told.broken()[0].cause, "web was paused by somebody else while tests ran");
}

/// Tests of which some fail in environment 1.1 only, over two lanes whose environments are used on after a failure;
/// each test has one attempt.
fn in_a_bad_place(bad_files: std::ops::Range<usize>) -> Scenario {
    let mut tests = passing(10, 2);
    for test in &mut tests {
        if bad_files.clone().any(|file| test.file.starts_with(&format!("spec/{file}_"))) {
            test.behaviour = Behaviour::FailsIn("1.1".to_owned());
        }
    }
    let mut scenario = Scenario::new(2, tests);
    scenario.manifest.environment.reset.after = ResetAfter::Never;
    scenario.manifest.retry.attempts = NonZeroU32::MIN;
    scenario
}

#[tokio::test(start_paused = true)]
async fn a_suspect_environment_is_replaced_and_its_failures_are_tried_elsewhere_before_they_count() {
    let told = in_a_bad_place(0..10).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let failed: usize = told.events.iter().filter(|event| is_failure(event)).count();
    assert!(failed >= 3, "they stay on record: {failed}");
    let flaky = told.verdicts().into_values().filter(|verdict| *verdict == TestVerdict::Flaky).count();
    assert_eq!(flaky, failed);
    let warnings = told.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let said = "environment 1.1 is suspect: 3 tests in a row failed in it while others passed elsewhere; it is replaced, \
                and they are tried elsewhere before they count";
    assert_eq!(warnings[0], said);
    assert_eq!(told.boots(), 3);
}

fn is_failure(event: &RunEvent) -> bool {
    matches!(event, RunEvent::AttemptEnded(attempt) if attempt.outcome.counts_against_test())
}

#[tokio::test(start_paused = true)]
async fn one_file_that_fails_casts_no_suspicion_on_its_environment() {
    let told = in_a_bad_place(0..1).run().await;
    assert_eq!(told.warnings(), Vec::<String>::new());
    assert_eq!(told.boots(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_suite_that_fails_everywhere_fails() {
    let mut tests = passing(6, 2);
    for test in &mut tests {
        test.behaviour = Behaviour::Fails;
    }
    let mut scenario = Scenario::new(2, tests);
    scenario.manifest.environment.reset.after = ResetAfter::Never;
    scenario.manifest.retry.attempts = NonZeroU32::MIN;
    let told = scenario.run().await;
    assert_eq!((told.verdict.clone(), told.boots(), told.warnings().len()), (RunVerdict::Failed, 2, 0));
}

/// Twelve passing files of two tests over two lanes, with one attempt for each test. After the first test of the second
/// file everything fails that the same worker runs.
fn with_a_poisoned_worker(after: ResetAfter) -> Scenario {
    let mut tests = passing(12, 2);
    tests[2].behaviour = Behaviour::PoisonsWorker;
    let mut scenario = Scenario::new(2, tests);
    scenario.manifest.environment.reset.after = after;
    scenario.manifest.retry.attempts = NonZeroU32::MIN;
    scenario
}

#[tokio::test(start_paused = true)]
async fn a_worker_in_which_everything_fails_is_replaced_and_its_failures_are_tried_elsewhere_before_they_count() {
    let told = with_a_poisoned_worker(ResetAfter::Never).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let failed: usize = told.events.iter().filter(|event| is_failure(event)).count();
    assert!((3..=4).contains(&failed), "noticed early: {failed}");
    let flaky = told.verdicts().into_values().filter(|verdict| *verdict == TestVerdict::Flaky).count();
    assert_eq!((flaky, told.boots(), told.warnings().len()), (failed, 3, 1), "{:?}", told.warnings());
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_worker_costs_one_failure_where_environments_are_made_clean_after_failures() {
    for after in [ResetAfter::Unit, ResetAfter::Failure] {
        let mut scenario = with_a_poisoned_worker(after);
        scenario.manifest.retry.attempts = NonZeroU32::new(2).expect("two");
        let told = scenario.run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{after:?}");
        let failed: usize = told.events.iter().filter(|event| is_failure(event)).count();
        assert_eq!(failed, 1, "{after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_lane_holds_a_poisoned_worker_against_its_own_past() {
    let mut scenario = with_a_poisoned_worker(ResetAfter::Never);
    scenario.lanes = 1;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let failed: usize = told.events.iter().filter(|event| is_failure(event)).count();
    assert!((3..=4).contains(&failed), "noticed early: {failed}");
    let said = "environment 1.1 is suspect: 3 tests in a row failed in it after others had passed in it; it is replaced, \
                and they are tried elsewhere before they count";
    assert_eq!((told.boots(), told.warnings()), (2, vec![said.to_owned()]));
}
