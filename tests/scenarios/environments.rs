//! Environments that break while tests run.

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Behaviour, Does, Verb};
use shakedown::verdict::{Interruption, RunVerdict, StopReason, TestVerdict};

use super::harness::{Scenario, passing, test};

fn crashes(up_to: u32) -> Behaviour {
    Behaviour::Crashes { service: "web".to_owned(), up_to }
}

#[tokio::test(start_paused = true)]
async fn a_test_whose_environment_broke_is_tried_again_elsewhere_and_free() {
    for lanes in [1, 2] {
        let mut tests = passing(2, 2);
        tests.push(test("spec/0_spec.rb", "unlucky", crashes(1)));
        let told = Scenario::new(lanes, tests).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed);
        assert_eq!(told.test_verdict("::unlucky"), TestVerdict::Passed);
        assert_eq!(told.outcomes("::unlucky"), ["environment broke", "passed"]);
        let broken = told.broken();
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].cause, "web ended with exit code 1 while tests ran");
        assert_eq!(broken[0].log_tail, ["Segmentation fault"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_that_breaks_every_environment_ends_as_environment_broke_and_the_rest_still_runs() {
    let mut tests = passing(2, 3);
    tests.push(test("spec/poison_spec.rb", "poison", crashes(u32::MAX)));
    let told = Scenario::new(2, tests).run().await;
    assert_eq!(told.test_verdict("::poison"), TestVerdict::EnvironmentBroke);
    assert_eq!(told.outcomes("::poison"), ["environment broke"; 3]);
    assert!(matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_)), "{:?}", told.verdict);
    let passed = told.verdicts().into_values().filter(|verdict| *verdict == TestVerdict::Passed).count();
    assert_eq!(passed, 6);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_breaks_before_its_first_test_starts_does_not_go_round_for_ever() {
    let behaviour = Behaviour::CrashesBeforeStart { service: "web".to_owned() };
    let mut tests = passing(1, 2);
    tests.push(test("spec/hook_spec.rb", "hook", behaviour));
    let told = Scenario::new(2, tests).run().await;
    assert_eq!(told.test_verdict("::hook"), TestVerdict::EnvironmentBroke);
    assert_eq!(told.test_verdict("::passes 1"), TestVerdict::Passed);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_breaks_while_idle_is_replaced() {
    let mut tests = passing(1, 1);
    tests[0].takes = Duration::from_secs(15);
    let told = Scenario::new(2, tests)
        .at(Duration::from_secs(5), |engine| {
            // One of the two lanes is idle, since there is only one unit; ending both webs breaks the busy one too.
            engine.end_container("shakedown-20260101-000000-abcdef-1.1-web", 3, true);
            engine.end_container("shakedown-20260101-000000-abcdef-2.1-web", 3, true);
        })
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(
        told.broken()[0].cause,
        "web ran out of memory while tests ran: it has no memory limit of its own; it ended with exit code 3"
    );
    assert_eq!(told.broken().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_breaks_as_work_is_dealt_never_leads_to_a_test_running_twice() {
    // A slow store puts orders on their way while their lane's environment breaks.
    for millis in (1000..9000).step_by(50) {
        let mut scenario = Scenario::new(2, passing(4, 2)).at(Duration::from_millis(millis), |engine| {
            engine.end_container("shakedown-20260101-000000-abcdef-1.1-web", 1, false);
        });
        scenario.store_takes = Duration::from_millis(30);
        let told = scenario.run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "broken at {millis} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ends_just_when_the_environment_is_ready_is_not_missed() {
    // All that a boot does after a service was found to run takes a while here.
    let scenario = Scenario::new(1, passing(2, 2));
    scenario.engine.script(Verb::InspectContainer, "1.1-browser", 1, 1, Does::Delay(Duration::from_secs(2)));
    let told = scenario
        .at(Duration::from_millis(1200), |engine| {
            engine.end_container("shakedown-20260101-000000-abcdef-1.1-web", 1, false);
        })
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken().len(), 1, "{:#?}", told.events);
}

#[tokio::test(start_paused = true)]
async fn losing_the_engine_ends_the_run_and_passes_nothing_that_did_not_run() {
    for millis in (0..12_000).step_by(250) {
        let told = Scenario::new(2, passing(6, 3))
            .at(Duration::from_millis(millis), |engine| engine.disconnect())
            .swept()
            .run()
            .await;
        let done = told.verdicts().len() == 18 && told.verdicts().into_values().all(|v| v == TestVerdict::Passed);
        let unavailable = matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_));
        assert!(unavailable || (done && told.verdict == RunVerdict::Passed), "at {millis} ms: {:?}", told.verdict);
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_comes_back_at_once_costs_the_environments_and_not_the_tests() {
    let told = Scenario::new(2, passing(6, 3))
        .at(Duration::from_secs(3), |engine| {
            engine.disconnect();
            engine.reconnect();
        })
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.boots(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_breaks_one_environment_and_not_the_run() {
    let scenario = Scenario::new(2, passing(4, 2));
    scenario.engine.script(Verb::StartContainer, "1.1-web", 1, 1, Does::Panic);
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken().len(), 1);
    assert!(told.broken()[0].cause.contains("scripted: start container"), "{:?}", told.broken());
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_panics_every_time_stands_down_and_the_others_go_on() {
    let scenario = Scenario::new(2, passing(4, 2));
    scenario.engine.script(Verb::StartContainer, "-1.", 1, 99, Does::Panic);
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.stood_down().len(), 1);
}

/// The engine is away from a moment on, for so long.
fn away_for(scenario: Scenario, from: Duration, span: Duration) -> Scenario {
    scenario.at(from, |engine| engine.disconnect()).at(from + span, |engine| engine.reconnect())
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_restarted_costs_its_environments_and_no_verdict_and_no_lane() {
    for millis in (0..9_000).step_by(500) {
        let scenario = Scenario::new(3, passing(6, 3));
        let told = away_for(scenario, Duration::from_millis(millis), Duration::from_secs(12)).run().await;
        assert_eq!((told.stood_down().len(), told.verdict), (0, RunVerdict::Passed), "away from {millis} ms on");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stays_away_is_waited_for_as_long_as_a_boot_may_take() {
    let told =
        Scenario::new(2, passing(6, 3)).at(Duration::from_secs(3), |engine| engine.disconnect()).swept().run().await;
    let RunVerdict::EnvironmentsUnavailable(why) = told.verdict.clone() else { panic!("{:?}", told.verdict) };
    let said = "lane 1, 2: the engine was lost, and did not answer again within 30s: the connection is lost";
    assert_eq!(why, said);
    assert!(told.took < Duration::from_secs(45), "{:?}", told.took);
    assert_eq!(told.boots(), 2, "nothing is booted without an engine");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_heard_while_the_engine_is_away() {
    let told = Scenario::new(2, passing(6, 3))
        .at(Duration::from_secs(3), |engine| engine.disconnect())
        .stop_at(Duration::from_secs(5), StopReason::Signal(Interruption::Interrupt))
        .swept()
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Interrupted(Interruption::Interrupt));
    assert!(told.took < Duration::from_secs(15), "{:?}", told.took);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_removed_at_once_is_tried_again_by_its_lane() {
    let scenario = Scenario::new(1, passing(1, 1));
    scenario.engine.script(Verb::RemoveContainer, "", 1, 3, Does::Refuse(RefusalKind::Unreachable));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.warnings(), Vec::<String>::new());
}
