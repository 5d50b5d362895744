//! Environments that do not come up.

use std::time::Duration;

use shakedown::engine::RefusalKind;
use shakedown::engine::fake::{Answer, Does, Life, Verb};
use shakedown::verdict::RunVerdict;

use shakedown::manifest::compose::NetworkMode;

use super::harness::{Scenario, passing};

#[tokio::test(start_paused = true)]
async fn an_environment_is_made_in_the_order_that_its_services_ask_for_and_removed_backwards() {
    let told =
        Scenario::new(1, passing(1, 1)).answers("-web", "curl", vec![Answer::code(1), Answer::code(0)]).run().await;
    let calls: Vec<String> = told
        .calls
        .iter()
        .filter(|call| !call.starts_with("exec exit code") && !call.starts_with("inspect"))
        .map(|call| call.replace("shakedown-20260101-000000-abcdef-", ""))
        .collect();
    insta::assert_snapshot!(calls.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_shares_anothers_network_is_made_when_that_one_runs() {
    let mut scenario = Scenario::new(1, passing(1, 1));
    let browser = scenario.manifest.compose.services.get_mut("browser").expect("there");
    browser.network = NetworkMode::Of("web".to_owned());
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let at = |call: &str| told.calls.iter().position(|made| made.starts_with(call)).expect(call);
    let name = "shakedown-20260101-000000-abcdef-1.1";
    assert!(at(&format!("start container {name}-web")) < at(&format!("create container {name}-browser")));
    assert!(at(&format!("create container {name}-web")) < at(&format!("start container {name}-db")));
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_fails_is_made_again() {
    let scenario = Scenario::new(1, passing(2, 2));
    scenario.engine.script(Verb::StartContainer, "1.1-db", 1, 1, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.boots(), 2);
    assert_eq!(told.broken()[0].service.as_deref(), Some("db"));
}

#[tokio::test(start_paused = true)]
async fn three_failed_boots_in_a_row_stand_a_lane_down_and_the_others_go_on() {
    let scenario = Scenario::new(2, passing(4, 2));
    scenario.engine.script(Verb::CreateContainer, "-1.", 1, 99, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.stood_down().len(), 1);
    assert_eq!(told.boots(), 4);
}

#[tokio::test(start_paused = true)]
async fn when_all_lanes_stand_down_the_run_says_why() {
    let scenario = Scenario::new(3, passing(2, 2));
    scenario.engine.script(Verb::CreateContainer, "-web", 1, 99, Does::Refuse(RefusalKind::Other));
    let told = scenario.run().await;
    let RunVerdict::EnvironmentsUnavailable(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("web could not be made: scripted: Other"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_becomes_healthy_is_named_with_its_health_check_and_the_end_of_its_log() {
    let told = Scenario::new(1, passing(1, 1))
        .life("-web", Life::says(&["Booting Puma", "waiting for the cache"]))
        .answers("-web", "curl", vec![Answer::saying(7, "Connection refused")])
        .run()
        .await;
    let broken = &told.broken()[0];
    assert_eq!(broken.service.as_deref(), Some("web"));
    assert_eq!(broken.cause, "web was not ready within 30s: its health check failed: exit code 7: Connection refused");
    assert_eq!(broken.log_tail, ["Booting Puma", "waiting for the cache"]);
    assert!(matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_)));
    assert!(told.took >= Duration::from_secs(90) && told.took < Duration::from_secs(100), "{:?}", told.took);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_is_named_with_its_exit_code_and_log() {
    let migration = Life { says: vec!["relation exists".to_owned()], ..Life::ends(Duration::from_millis(50), 1) };
    let told = Scenario::new(1, passing(1, 1)).life("-migrate", migration).run().await;
    let broken = &told.broken()[0];
    assert_eq!(broken.cause, "migrate ended with exit code 1 instead of completing");
    assert_eq!(broken.log_tail, ["relation exists"]);
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_ends_at_once_is_told_what_it_lacks() {
    let told = Scenario::new(1, passing(1, 1)).life("-browser", Life::ends(Duration::ZERO, 0)).run().await;
    // Its end may be seen by the last look of the boot or by the first of its use.
    assert!(
        told.broken()[0].cause.starts_with("the runner service browser ended at once")
            || told.broken()[0].cause.starts_with("browser ended with exit code 0"),
        "{:?}",
        told.broken()
    );
    assert!(matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_)));
}

#[tokio::test(start_paused = true)]
async fn a_subnet_that_is_taken_is_not_asked_for_again() {
    let scenario = Scenario::new(2, passing(2, 2));
    scenario.engine.script(Verb::CreateNetwork, "", 1, 20, Does::Refuse(RefusalKind::SubnetTaken));
    let told = scenario.run().await;
    assert_eq!((told.boots(), told.verdict), (2, RunVerdict::Passed));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_works_for_a_moment_only_stands_its_lanes_down() {
    for millis in (0..=600).step_by(50) {
        let web = Life::ends(Duration::from_millis(millis), 1);
        let told = Scenario::new(2, passing(10, 10)).life("-web", web).run().await;
        assert!(matches!(told.verdict, RunVerdict::EnvironmentsUnavailable(_)), "{millis} ms: {:?}", told.verdict);
        assert!(told.boots() <= 20, "{millis} ms: {} boots", told.boots());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_of_subnets_with_nothing_free_is_said_in_one_message() {
    let scenario = Scenario::new(1, passing(1, 1));
    scenario.engine.script(Verb::CreateNetwork, "", 1, u32::MAX, Does::Refuse(RefusalKind::SubnetTaken));
    let told = scenario.run().await;
    let RunVerdict::EnvironmentsUnavailable(why) = told.verdict else { panic!("{:?}", told.verdict) };
    assert!(why.contains("all subnets of 10.213.0.0/16 (1024 subnets of /26) are taken by other networks"), "{why}");
    assert!(why.contains("SHAKEDOWN_SUBNETS"), "{why}");
}
