//! The suite is loaded, and its tests are listed, while other services still come up.

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Answer, Behaviour, Does, FakeSuite, Life, SuiteFault, Verb};
use shakedown::event::RunEvent;
use shakedown::manifest::compose::{Condition, NetworkMode};
use shakedown::manifest::{Reset, ResetAfter, ResetHow};
use shakedown::verdict::{RunVerdict, StopReason};

use super::harness::{Scenario, Told, passing, test};

/// How the environment's worker is started.
const WORKER: &str = "ruby /shakedown_rspec_worker.rb spec";

/// A suite that takes three seconds to load, in a runner that waits for nobody, beside a web server that takes five
/// seconds to become healthy.
fn scenario(lanes: u16, fault: Option<SuiteFault>) -> Scenario {
    let mut tests = passing(4, 3);
    tests.push(test("spec/0_spec.rb", "odd", Behaviour::FailsUpTo(1)));
    let suite = FakeSuite { load: Duration::from_secs(3), fault, ..FakeSuite::new(tests) };
    let mut scenario = Scenario::of_suite(lanes, suite);
    scenario.manifest.compose.services.get_mut("browser").expect("there").depends_on.clear();
    let slow = Answer { after: Duration::from_secs(5), ..Answer::default() };
    scenario.answers("-web", "curl", vec![slow, Answer::default()])
}

/// The place of the first event that `is_it`.
fn place(told: &Told, is_it: impl Fn(&RunEvent) -> bool) -> usize {
    told.events.iter().position(is_it).unwrap_or_else(|| panic!("it was not told: {:#?}", told.events))
}

/// The place of the first call that begins so.
fn call(told: &Told, words: &str) -> usize {
    let of = told.calls.iter().map(|call| call.replace("shakedown-20260101-000000-abcdef-", ""));
    let place = of.into_iter().position(|call| call.starts_with(words));
    place.unwrap_or_else(|| panic!("{words}: {:#?}", told.calls))
}

#[tokio::test(start_paused = true)]
async fn the_plan_is_made_while_the_first_environment_comes_up_and_tests_wait_for_it() {
    let told = scenario(1, None).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let planned = place(&told, |event| matches!(event, RunEvent::Planned { .. }));
    let ready = place(&told, |event| matches!(event, RunEvent::EnvironmentReady { .. }));
    let first = place(&told, |event| matches!(event, RunEvent::AttemptStarted { .. }));
    assert!(planned < ready && ready < first, "{planned} {ready} {first}");
    // Each of the two environments has one worker.
    assert_eq!((told.boots(), told.called(WORKER), told.called("--kill")), (2, 2, 0));
    let RunEvent::EnvironmentReady { boot, .. } = &told.events[ready] else { panic!("it is one") };
    assert!(*boot < Duration::from_secs(6), "loading has cost no time of its own: {boot:?}");
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_is_ready_before_the_suite_is_loaded_waits_for_it_and_starts_no_other_worker() {
    let mut scenario = scenario(1, None);
    scenario.manifest.compose.services.get_mut("web").expect("there").healthcheck = None;
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!((told.boots(), told.called(WORKER), told.called("--kill")), (2, 2, 0));
    let ready = place(&told, |event| matches!(event, RunEvent::EnvironmentReady { .. }));
    let RunEvent::EnvironmentReady { boot, .. } = &told.events[ready] else { panic!("it is one") };
    assert!(*boot >= Duration::from_secs(3), "{boot:?}");
}

#[tokio::test(start_paused = true)]
async fn a_suite_that_needs_the_other_services_is_loaded_again_when_all_are_ready() {
    for fault in [
        SuiteFault::NeedsToLoad("web"),
        SuiteFault::NeedsToLive("web"),
        SuiteFault::NeedsToList("web"),
        SuiteFault::NeedsToFind("web"),
    ] {
        for lanes in [1, 3] {
            let mut scenario = scenario(lanes, Some(fault));
            // The web server is not even started before the suite is loaded.
            let slow = Answer { after: Duration::from_secs(5), ..Answer::default() };
            scenario.engine = scenario.engine.with_answers("-db", "pg_isready", vec![slow, Answer::default()]);
            let told = scenario.run().await;
            assert_eq!(told.verdict, RunVerdict::Passed, "{fault:?}");
            assert_eq!((told.broken(), told.warnings()), (vec![], vec![]), "{fault:?}");
            // What failed once is not tried again in the environments after it.
            let kills = told.called("--kill");
            let in_vain = usize::from(fault != SuiteFault::NeedsToFind("web"));
            assert!(kills >= in_vain && kills <= 2 * in_vain, "{fault:?}: {kills} of {} boots", told.boots());
            // Several lanes: the run may be over before the last environment is ready.
            let workers = told.called(WORKER);
            assert!(workers <= told.boots() + kills, "{fault:?}: {workers} workers");
            assert!(lanes > 1 || workers == told.boots() + kills, "{fault:?}: {workers} workers");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_suite_that_cant_be_loaded_when_all_is_ready_either_ends_the_run() {
    let told = scenario(2, Some(SuiteFault::LoadError)).run().await;
    let RunVerdict::SuiteBroken(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("undefined local variable"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cant_be_killed_before_all_is_ready_costs_its_environment() {
    let scenario = scenario(1, Some(SuiteFault::NeedsToLoad("web")));
    let slow = Answer { after: Duration::from_secs(5), ..Answer::default() };
    let scenario = scenario.answers("-db", "pg_isready", vec![slow, Answer::default()]);
    scenario.engine.script(Verb::Exec, "--kill", 1, 1, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken()[0].service.as_deref(), Some("browser"));
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_breaks_beside_the_loading_is_made_again() {
    for millis in (0..6000).step_by(250) {
        let web = Life { times: Some(1), ..Life::ends(Duration::from_millis(millis), 1) };
        let told = scenario(2, None).life("1.1-web", web).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{millis} ms");
        assert_eq!(told.broken()[0].service.as_deref(), Some("web"), "{millis} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_ends_beside_the_boot_breaks_its_environment_only() {
    for millis in (0..6000).step_by(500) {
        let browser = Life { times: Some(1), ..Life::ends(Duration::from_millis(millis), 1) };
        let told = scenario(2, None).life("1.1-browser", browser).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed, "{millis} ms");
        assert_eq!(told.broken()[0].service.as_deref(), Some("browser"), "{millis} ms: {:?}", told.broken());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_whenever_the_run_is_stopped_or_killed() {
    // The harness looks for leftovers.
    for fault in [None, Some(SuiteFault::NeedsToLoad("web"))] {
        for millis in (0..7000).step_by(250) {
            let moment = Duration::from_millis(millis);
            let told = scenario(2, fault).stop_at(moment, StopReason::Deadline).run().await;
            assert!(matches!(told.verdict, RunVerdict::Incomplete(_)), "{millis} ms: {:?}", told.verdict);
            scenario(2, fault).kill_at(moment).run().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn spares_are_loaded_beside_their_boot_too() {
    let mut scenario = scenario(1, None);
    scenario.manifest.environment.standby = 1;
    let told = scenario.run().await;
    assert!(call(&told, &format!("exec s1-browser {WORKER}")) < call(&told, "exec s1-web curl"), "{:#?}", told.calls);
}

#[tokio::test(start_paused = true)]
async fn the_suite_is_loaded_after_the_steps_that_must_complete_before_the_runner() {
    let mut scenario = scenario(1, None).life("-migrate", Life::ends(Duration::from_secs(2), 0));
    let browser = scenario.manifest.compose.services.get_mut("browser").expect("there");
    // The web server waits for the migration.
    browser.depends_on.insert("web".to_owned(), Condition::Started);
    let told = scenario.run().await;
    assert!(call(&told, "start container 1.1-web") < call(&told, &format!("exec 1.1-browser {WORKER}")));
    let planned = place(&told, |event| matches!(event, RunEvent::Planned { .. }));
    assert!(planned < place(&told, |event| matches!(event, RunEvent::EnvironmentReady { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_only_waits_is_started_at_once_and_any_other_in_its_order() {
    for (command, network, early) in [
        ("sleep infinity", None, true),
        ("bundle exec guard", None, false),
        ("sleep infinity", Some(NetworkMode::Of("web".to_owned())), false),
    ] {
        let mut scenario = scenario(1, None);
        let browser = scenario.manifest.compose.services.get_mut("browser").expect("there");
        browser.depends_on.insert("web".to_owned(), Condition::Healthy);
        browser.command = Some(command.split(' ').map(str::to_owned).collect());
        browser.network = network.unwrap_or(browser.network.clone());
        let told = scenario.run().await;
        assert_eq!(told.verdict, RunVerdict::Passed);
        let (runner, web) = (call(&told, "start container 1.1-browser"), call(&told, "start container 1.1-web"));
        assert_eq!(runner < web, early, "{command}: {:#?}", told.calls);
        let planned = place(&told, |event| matches!(event, RunEvent::Planned { .. }));
        let ready = place(&told, |event| matches!(event, RunEvent::EnvironmentReady { .. }));
        assert_eq!(planned < ready, early, "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_of_the_database_is_made_before_the_suite_is_loaded() {
    let mut scenario = scenario(1, None).answers("-db", "psql", vec![Answer::default()]);
    let how = ResetHow::PostgresTemplate {
        service: "db".to_owned(),
        database: "shop".to_owned(),
        user: None,
        within: Duration::from_secs(30),
    };
    scenario.manifest.environment.reset = Reset { after: ResetAfter::Unit, how };
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert!(call(&told, "exec 1.1-db psql") < call(&told, &format!("exec 1.1-browser {WORKER}")));
}
