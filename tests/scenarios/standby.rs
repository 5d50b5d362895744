//! Environments that stand by for any lane.
#![expect(clippy::wildcard_enum_match_arm, reason = "each question is about one kind of event")]

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Answer, Behaviour, Does, Verb};
use shakedown::event::RunEvent;
use shakedown::verdict::{RunVerdict, StopReason};

use super::harness::{Scenario, passing, test};
use super::told::Told;

/// A flaky test among others that keep the lanes busy for a minute.
fn scenario(lanes: u16, standby: u16) -> Scenario {
    let mut tests = passing(8, 10);
    tests.push(test("spec/0_spec.rb", "odd", Behaviour::FailsUpTo(1)));
    tests.push(test("spec/1_spec.rb", "strange", Behaviour::FailsUpTo(1)));
    let mut scenario = Scenario::new(lanes, tests);
    scenario.manifest.environment.standby = standby;
    scenario
}

/// The environments that had stood by, with the time that their lane waited.
fn adopted(told: &Told) -> Vec<Duration> {
    let adopted = told.events.iter().filter_map(|event| match event {
        RunEvent::EnvironmentReady { boot, standby: true, .. } => Some(*boot),
        _ => None,
    });
    adopted.collect()
}

#[tokio::test(start_paused = true)]
async fn a_lane_whose_environment_is_recycled_goes_on_at_once_in_a_spare_one() {
    let told = scenario(1, 1).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let waited = adopted(&told);
    assert!(!waited.is_empty() && waited.iter().all(Duration::is_zero), "{waited:?}");
    let without = scenario(1, 0).run().await;
    assert_eq!(adopted(&without), []);
    assert!(told.took < without.took, "{:?} with a spare, {:?} without", told.took, without.took);
}

#[tokio::test(start_paused = true)]
async fn a_spare_has_a_name_of_its_own_and_its_tests_know_their_lane() {
    let told = scenario(1, 1).run().await;
    assert!(told.called("create container shakedown-20260101-000000-abcdef-s1-web") == 1, "{:#?}", told.calls);
    assert_eq!(told.attempts("::odd")[1].environment.to_string(), "1.2");
}

#[tokio::test(start_paused = true)]
async fn no_spare_is_made_before_all_lanes_have_an_environment() {
    let scenario = scenario(2, 1);
    scenario.engine.script(Verb::StartContainer, "2.1-web", 1, 1, Does::Delay(Duration::from_secs(8)));
    let told = scenario.run().await;
    let first_of = |words: &str| told.calls.iter().position(|call| call.contains(words)).expect("called");
    assert!(first_of("start container shakedown-20260101-000000-abcdef-2.1-browser") < first_of("abcdef-s1"));
}

#[tokio::test(start_paused = true)]
async fn no_spare_is_made_when_nothing_is_left_to_be_handed_out() {
    let mut scenario = Scenario::new(2, passing(2, 40));
    scenario.manifest.environment.standby = 1;
    let told = scenario.run().await;
    assert_eq!(told.called("abcdef-s"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_spare_that_breaks_while_it_waits_is_replaced_and_nobody_is_told() {
    let told = scenario(2, 1)
        .at(Duration::from_secs(5), |engine| engine.end_container("shakedown-20260101-000000-abcdef-s1-web", 1, false))
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken(), []);
    assert!(told.called("create container shakedown-20260101-000000-abcdef-s2-web") == 1, "{:#?}", told.calls);
}

#[tokio::test(start_paused = true)]
async fn spares_that_can_not_be_made_are_given_up_and_cost_the_run_nothing() {
    let scenario = scenario(2, 2);
    scenario.engine.script(Verb::StartContainer, "-s", 1, 99, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.warnings(), ["no more environments are kept on standby: 3 in a row failed"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_spare_is_left_however_the_run_ends() {
    // The harness looks for leftovers; the moments are those of the spare's boot and of its wait.
    for millis in (0..8000).step_by(100) {
        let moment = Duration::from_millis(millis);
        scenario(2, 2).stop_at(moment, StopReason::Deadline).run().await;
        scenario(2, 2).kill_at(moment).run().await;
        let mut slow = scenario(2, 1).answers("-db", "pg_isready", vec![Answer::code(1), Answer::code(0)]);
        slow.store_takes = Duration::from_millis(20);
        slow.at(moment, |engine| {
            engine.disconnect();
            engine.reconnect();
        })
        .swept()
        .run()
        .await;
    }
}
