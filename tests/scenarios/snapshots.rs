//! Services that start from a frozen state.

use std::time::Duration;

use shakedown::engine::fake::{Answer, Does, FakeEngine, Life, Verb};
use shakedown::engine::{Engine, RefusalKind};
use shakedown::environment::{Site, snapshot};
use shakedown::manifest::{Seed, Snapshot};
use shakedown::verdict::RunVerdict;

use super::harness::{Scenario, Unheard, passing};

const RUN: &str = "20260101-000000-abcdef";

/// The database and its migration are frozen, after a seed in the web server.
fn frozen(lanes: u16) -> Scenario {
    let mut scenario = Scenario::new(lanes, passing(2, 2));
    scenario.manifest.environment.snapshot = Snapshot {
        services: vec!["db".to_owned(), "migrate".to_owned()],
        seed: Some(Seed {
            service: "web".to_owned(),
            command: vec!["rails".to_owned(), "db:seed".to_owned()],
            within: Duration::from_secs(60),
        }),
        files: Vec::new(),
    };
    scenario
}

fn calls(engine: &FakeEngine, verb: &str) -> Vec<String> {
    let calls = engine.calls();
    calls.iter().filter(|call| call.starts_with(verb)).map(|call| call.replace(RUN, "RUN")).collect()
}

async fn provide(site: Site) -> Result<Site, String> {
    snapshot::provide(site, &Unheard).await.map_err(|error| error.to_string())
}

/// The references of all frozen states, newest first.
async fn states(engine: &FakeEngine) -> Vec<String> {
    engine.list_images(&["dev.shakedown.snapshot=db".to_owned()]).await.expect("listed")
}

#[tokio::test(start_paused = true)]
async fn what_is_frozen_is_made_once_and_every_environment_starts_from_it() {
    let scenario = frozen(2);
    let engine = scenario.engine.clone();
    let told = scenario.run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    let seeds = told.calls.iter().filter(|call| call.contains("rails db:seed")).count();
    assert_eq!(seeds, 1);
    let migrations = calls(&engine, "start container").into_iter().filter(|call| call.ends_with("-migrate"));
    assert_eq!(migrations.collect::<Vec<_>>(), ["start container shakedown-RUN-snapshot-migrate"]);
    let databases = calls(&engine, "create container").into_iter().filter(|call| call.contains("-db "));
    let from: Vec<String> = databases.map(|call| call.split("from ").last().expect("an image").to_owned()).collect();
    let [state] = &states(&engine).await[..] else { panic!("one state") };
    assert_eq!(from, ["shop:1", state, state]);
    assert!(state.starts_with("shakedown/shop-db:snapshot-"), "{state}");
}

#[tokio::test(start_paused = true)]
async fn services_are_stopped_in_order_before_their_files_are_kept() {
    let scenario = frozen(1);
    let engine = scenario.engine.clone();
    provide(scenario.site(RUN)).await.expect("frozen");
    let order: Vec<String> = engine
        .calls()
        .iter()
        .filter(|call| ["exec shake", "stop", "read archive", "import"].iter().any(|verb| call.starts_with(verb)))
        .filter(|call| !call.contains("pg_isready") && !call.contains("curl"))
        .map(|call| call.replace("shakedown-20260101-000000-abcdef-snapshot-", ""))
        .map(|call| call.split(":freezing").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        order,
        [
            "exec web rails db:seed",
            "stop container web",
            "stop container migrate",
            "stop container db",
            "import image shakedown/shop-db",
            "read archive db /",
        ]
    );
    assert_eq!(engine.things(), [], "left on the engine");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_there_is_used_and_one_that_is_stale_is_made_anew_and_pruned() {
    let mut scenario = frozen(1);
    let engine = scenario.engine.clone();
    for _ in 0..2 {
        provide(scenario.site(RUN)).await.expect("frozen");
        assert_eq!(calls(&engine, "import image").len(), 1);
    }
    let mut newest = states(&engine).await;
    for change in ["one", "two", "three"] {
        scenario.manifest.compose.services["db"].environment.insert("CHANGE".to_owned(), change.to_owned());
        provide(scenario.site(RUN)).await.expect("frozen");
        let now = states(&engine).await;
        assert_eq!(now[1..], newest[..1], "one older state is kept");
        newest = now;
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_that_freeze_at_once_end_with_one_state_and_nothing_half_made() {
    let scenario = frozen(1);
    let engine = scenario.engine.clone();
    let (one, two) = (scenario.site("20260101-000000-aaaaaa"), scenario.site("20260101-000000-bbbbbb"));
    let two = Site { subnets: shakedown::environment::Subnets::starting_at(500), ..two };
    let (one, two) = tokio::join!(provide(one), provide(two));
    let (one, two) = (one.expect("frozen"), two.expect("frozen"));
    assert_eq!(one.images["db"].reference, two.images["db"].reference);
    assert_eq!(states(&engine).await, [one.images["db"].reference.clone()]);
    assert_eq!(engine.things(), [], "left on the engine");
}

#[tokio::test(start_paused = true)]
async fn a_seed_that_fails_is_told_with_its_last_words_and_freezes_nothing() {
    let scenario = frozen(1).answers("-web", "db:seed", vec![Answer::saying(1, "relation orders does not exist")]);
    let engine = scenario.engine.clone();
    let error = provide(scenario.site(RUN)).await.err().expect("no state");
    assert_eq!(
        error,
        "no snapshot could be made: the seed `rails db:seed` in web failed: exit code 1: relation orders does not exist"
    );
    assert_eq!((states(&engine).await.len(), engine.things().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_and_an_engine_that_refuses_are_told_and_leave_nothing() {
    let scenario = frozen(1).life("-migrate", Life::ends(Duration::from_millis(10), 3));
    let error = provide(scenario.site(RUN)).await.err().expect("no state");
    assert!(error.contains("migrate ended with exit code 3"), "{error}");
    for verb in [Verb::ImportImage, Verb::TagImage, Verb::StopContainer, Verb::ReadArchive] {
        let scenario = frozen(1);
        let engine = scenario.engine.clone();
        engine.script(verb, "", 1, 1, Does::Refuse(RefusalKind::Other));
        let error = provide(scenario.site(RUN)).await.err().expect("no state");
        assert!(error.starts_with("no snapshot could be made: ") && error.ends_with("scripted: Other"), "{error}");
        assert!(states(&engine).await.iter().all(|state| !state.contains(":snapshot-")), "{verb:?}");
        assert_eq!(engine.things(), [], "{verb:?}");
    }
}
