//! Runs that are stopped, at any moment.

use std::time::Duration;

use shakedown::engine::fake::{Behaviour, Does, FakeSuite, SuiteFault, Verb};
use shakedown::event::RunEvent;
use shakedown::verdict::{Interruption, RunVerdict, StopReason, TestVerdict};

use super::harness::{Scenario, Told, passing, test};

const INTERRUPT: StopReason = StopReason::Signal(Interruption::Interrupt);

/// A run with something of everything in it.
fn eventful() -> Scenario {
    let mut tests = passing(2, 2);
    tests.push(test("spec/0_spec.rb", "hangs", Behaviour::Hangs));
    tests.push(test("spec/1_spec.rb", "flaky", Behaviour::FailsUpTo(1)));
    tests.push(test("spec/2_spec.rb", "crashes", Behaviour::Crashes { service: "web".to_owned(), up_to: 1 }));
    tests.push(test("spec/2_spec.rb", "fatal", Behaviour::KillsWorker));
    let mut scenario = Scenario::new(2, tests);
    scenario.test_timeout = Duration::from_secs(3);
    scenario
}

/// What happened after the run began to stop.
fn after_stop(told: &Told) -> &[RunEvent] {
    let stopping = told.events.iter().position(|event| matches!(event, RunEvent::Stopping { .. }));
    stopping.map_or(&[], |place| &told.events[place..])
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_at_any_moment_is_interrupted_quickly_and_leaves_nothing() {
    for millis in (0..16_000).step_by(110) {
        let told = eventful().stop_at(Duration::from_millis(millis), INTERRUPT).run().await;
        let late = told.took.saturating_sub(Duration::from_millis(millis));
        if told.verdict != RunVerdict::Interrupted(Interruption::Interrupt) {
            // Everything was settled before.
            assert_eq!(told.verdict, RunVerdict::Failed, "stopped at {millis} ms");
        }
        assert!(late < Duration::from_secs(2), "took {late:?} to stop at {millis} ms");
        for event in after_stop(&told) {
            let starts = matches!(
                event,
                RunEvent::EnvironmentStarting { .. } | RunEvent::UnitStarted { .. } | RunEvent::EnvironmentBroke { .. }
            );
            assert!(!starts, "after the stop at {millis} ms: {event:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_has_not_begun_to_boot_when_the_run_stops_tells_of_no_environment() {
    // The harness lets two lanes boot at once; the others wait for their turn.
    let told = Scenario::new(4, passing(2, 2)).stop_at(Duration::from_millis(300), INTERRUPT).run().await;
    assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt));
    assert_eq!(told.boots(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_any_moment_is_interrupted_at_once_and_can_be_swept() {
    for millis in (0..16_000).step_by(110) {
        let moment = Duration::from_millis(millis);
        let told = eventful().stop_at(moment, INTERRUPT).kill_at(moment).run().await;
        let expected = [RunVerdict::Interrupted(Interruption::Interrupt), RunVerdict::Failed];
        assert!(expected.contains(&told.verdict), "at {millis} ms: {:?}", told.verdict);
        assert!(told.took <= moment + Duration::from_millis(1), "at {millis} ms: {:?}", told.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_without_a_reason_is_an_interruption_and_never_a_run_without_tests() {
    for millis in [0, 100, 700, 3000] {
        let told = eventful().kill_at(Duration::from_millis(millis)).run().await;
        assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt), "at {millis} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_that_the_engine_never_answers_once_a_run_is_stopped() {
    for (verb, subject) in [
        (Verb::InspectContainer, "1.1-db"),
        (Verb::Exec, "1.1-web"),
        (Verb::Exec, "1.1-browser"),
        (Verb::Exec, "--kill"),
        (Verb::WriteFile, "1.1-browser"),
        (Verb::ExecExitCode, ""),
    ] {
        for first in 1..5 {
            let scenario = eventful();
            scenario.engine.script(verb, subject, first, 99, Does::Never);
            let told = scenario.stop_at(Duration::from_secs(6), INTERRUPT).run().await;
            assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt), "{verb:?} {subject} {first}");
            assert!(told.took < Duration::from_secs(8), "{verb:?} {subject} {first} took {:?}", told.took);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_hangs_is_not_waited_for_once_a_run_is_stopped() {
    let suite = FakeSuite::faulty(SuiteFault::HangsWhileListing, passing(1, 1));
    let told = Scenario::of_suite(2, suite).stop_at(Duration::from_secs(3), INTERRUPT).run().await;
    assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt));
    assert!(told.took < Duration::from_secs(4), "{:?}", told.took);
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_creates_after_its_boot_was_cut_short_is_removed_too() {
    for verb in [Verb::CreateNetwork, Verb::CreateVolume, Verb::CreateContainer] {
        for millis in (0..3000).step_by(70) {
            let scenario = Scenario::new(2, passing(2, 2));
            scenario.engine.script(verb, "", 1, 99, Does::LandLate(Duration::from_millis(900)));
            let told = scenario.stop_at(Duration::from_millis(millis), INTERRUPT).run().await;
            let expected = [RunVerdict::Interrupted(Interruption::Interrupt), RunVerdict::Passed];
            assert!(expected.contains(&told.verdict), "{:?}", told.verdict);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_creates_after_its_boot_was_too_late_is_removed_too() {
    let scenario = Scenario::new(1, passing(1, 1));
    scenario.engine.script(Verb::CreateContainer, "1.1-web", 1, 1, Does::LandLate(Duration::from_secs(45)));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken()[0].cause, "web was not ready within 30s: the engine had not created it");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_leaves_the_run_incomplete_and_what_was_not_run_not_run() {
    let told = Scenario::new(1, passing(4, 4)).stop_at(Duration::from_secs(4), StopReason::Deadline).run().await;
    assert_eq!(told.verdict, RunVerdict::Incomplete(StopReason::Deadline));
    let verdicts: Vec<TestVerdict> = told.verdicts().into_values().collect();
    assert!(verdicts.contains(&TestVerdict::Passed) && verdicts.contains(&TestVerdict::NotRun));
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_to_stop_counts() {
    let told = Scenario::new(1, passing(4, 4))
        .stop_at(Duration::from_secs(2), StopReason::Deadline)
        .stop_at(Duration::from_millis(2001), INTERRUPT)
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Incomplete(StopReason::Deadline));
}

#[tokio::test(start_paused = true)]
async fn the_run_stops_at_the_most_failures_that_it_may_have() {
    let tests = (0..6).map(|n| test(&format!("spec/{n}_spec.rb"), "broken", Behaviour::Fails)).collect();
    let mut scenario = Scenario::new(3, tests);
    scenario.max_failures = Some(2);
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Incomplete(StopReason::MaxFailures));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_at_any_event_ends_the_run_incomplete_and_tears_everything_down() {
    for first in 0..60 {
        let mut scenario = Scenario::new(2, passing(3, 2));
        scenario.store_fails_at = Some(first);
        let told = scenario.run().await;
        if told.events.len() > first {
            let lost = StopReason::StoreLost("disk full".to_owned());
            assert_eq!(told.verdict, RunVerdict::Incomplete(lost), "from event {first} on");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_slows_the_run_and_changes_nothing_else() {
    let mut scenario = Scenario::new(3, passing(30, 10));
    scenario.store_takes = Duration::from_millis(400);
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
}
