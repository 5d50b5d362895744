//! Leases: renewed while a run lives, and honoured by runs on other hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shakedown::engine::fake::{Does, FakeEngine, Verb};
use shakedown::engine::{Engine, Labels, NetworkSpec, RefusalKind};
use shakedown::environment::lease::{HOLDS, Lease, RENEWED_EVERY};
use shakedown::environment::{label, sweep};
use shakedown::id::RunId;
use tokio::time::sleep;

/// An owner on a host that is not this one.
const ELSEWHERE: &str = "elsewhere.example/boot/1/1";

fn run() -> RunId {
    RunId::from_stored("20261124-090000-000001")
}

fn names(engine: &FakeEngine) -> Vec<String> {
    engine.things().into_iter().map(|thing| thing.name).collect()
}

async fn take(engine: &FakeEngine, failures: &Arc<AtomicUsize>) -> Lease {
    let failures = failures.clone();
    let failed = move |_: &_| {
        failures.fetch_add(1, Ordering::SeqCst);
    };
    Lease::take(Arc::new(engine.clone()), &run(), ELSEWHERE, failed).await.expect("a lease")
}

/// What a run elsewhere has besides its lease.
async fn make_network(engine: &FakeEngine) {
    let labels: Labels = [(label::RUN, run().to_string()), (label::LEASE, ELSEWHERE.to_owned())]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
    let network = NetworkSpec { name: "net".into(), subnet: "10.213.0.0/26".into(), labels };
    engine.create_network(&network).await.expect("made");
}

async fn sweep_from_here(engine: &FakeEngine) -> usize {
    sweep::sweep_dead(engine).await.expect("swept").len()
}

#[tokio::test(start_paused = true)]
async fn a_run_elsewhere_is_left_alone_while_it_renews_its_lease_and_swept_when_it_has_run_out() {
    let engine = FakeEngine::new();
    let failures = Arc::default();
    let lease = take(&engine, &failures).await;
    make_network(&engine).await;
    for _ in 0..30 {
        sleep(RENEWED_EVERY).await;
        assert_eq!(sweep_from_here(&engine).await, 0);
        assert!(names(&engine).len() <= 3, "{:?}", names(&engine));
    }
    // The host is lost: nobody renews any more, and nobody removes.
    lease.end().await;
    sleep(HOLDS).await;
    assert_eq!(sweep_from_here(&engine).await, 0);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(sweep_from_here(&engine).await, 3);
    assert_eq!(names(&engine), [""; 0]);
    assert_eq!(failures.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn renewals_that_fail_are_said_once_and_go_on() {
    let engine = FakeEngine::new();
    let failures = Arc::default();
    engine.script(Verb::CreateVolume, "lease", 2, 5, Does::Refuse(RefusalKind::Other));
    let lease = take(&engine, &failures).await;
    make_network(&engine).await;
    for _ in 0..20 {
        sleep(RENEWED_EVERY).await;
        assert_eq!(sweep_from_here(&engine).await, 0, "a lease outlives some failures");
    }
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    lease.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_up_is_not_renewed_any_more() {
    let engine = FakeEngine::new();
    let lease = take(&engine, &Arc::default()).await;
    lease.end().await;
    let calls = engine.calls().len();
    sleep(HOLDS).await;
    assert_eq!(engine.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn as_long_as_something_else_of_a_run_is_left_its_lease_is_too() {
    let engine = FakeEngine::new();
    let lease = take(&engine, &Arc::default()).await;
    make_network(&engine).await;
    lease.end().await;
    engine.script(Verb::RemoveNetwork, "", 1, 3, Does::Refuse(RefusalKind::Other));
    sleep(HOLDS * 2).await;
    assert_eq!(sweep_from_here(&engine).await, 2);
    let order: Vec<String> = engine.calls().into_iter().filter(|call| call.starts_with("remove ")).collect();
    assert_eq!(order.len(), 5, "{order:?}");
    assert!(order[4].starts_with("remove volume"), "{order:?}");
}
