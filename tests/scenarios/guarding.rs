//! Cleaning up after a run that died, with an engine that is slow, late or away.

use std::sync::Arc;
use std::time::Duration;

use shakedown::engine::fake::{Does, FakeEngine, Verb};
use shakedown::engine::{Engine, EngineError, Labelled, Labels, NetworkSpec, RefusalKind, VolumeSpec};
use shakedown::environment::label;
use shakedown::guard::{PATIENCE, sweep_until_quiet};
use shakedown::id::RunId;
use tokio::time::{Instant, sleep};

fn run() -> RunId {
    RunId::from_stored("20261124-090000-000001")
}

fn of(run: &RunId) -> Labels {
    [(label::RUN.to_owned(), run.to_string())].into()
}

async fn make_volume(engine: &FakeEngine, name: &str, run: &RunId) {
    engine.create_volume(&VolumeSpec::new(name, of(run))).await.expect("made");
}

/// A network and two volumes of the run, and a volume of another.
async fn engine() -> FakeEngine {
    let engine = FakeEngine::new();
    let network = NetworkSpec { name: "net".into(), subnet: "10.213.0.0/26".into(), labels: of(&run()) };
    engine.create_network(&network).await.expect("made");
    make_volume(&engine, "one", &run()).await;
    make_volume(&engine, "two", &run()).await;
    make_volume(&engine, "another's", &RunId::from_stored("20261124-090000-000002")).await;
    engine
}

fn names(engine: &FakeEngine) -> Vec<String> {
    engine.things().into_iter().map(|thing: Labelled| thing.name).collect()
}

/// What was told, each with the seconds after the start, and how it ended.
async fn clean_up(engine: &FakeEngine) -> (Vec<(u64, usize)>, Result<(), EngineError>) {
    let start = Instant::now();
    let mut told = Vec::new();
    let connect = async || Ok(Arc::new(engine.clone()) as Arc<dyn Engine>);
    let ended =
        sweep_until_quiet(connect, &run(), async |removed| told.push((start.elapsed().as_secs(), removed))).await;
    (told, ended)
}

#[tokio::test(start_paused = true)]
async fn everything_of_the_run_goes_at_once_and_nothing_of_another() {
    let engine = engine().await;
    let (told, ended) = clean_up(&engine).await;
    assert_eq!((told, ended), (vec![(0, 3)], Ok(())));
    assert_eq!(names(&engine), ["another's"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_brings_up_late_goes_too() {
    let engine = engine().await;
    engine.script(Verb::CreateVolume, "late", 1, 1, Does::LandLate(Duration::from_secs(12)));
    let making = tokio::spawn({
        let engine = engine.clone();
        async move { make_volume(&engine, "late", &run()).await }
    });
    tokio::task::yield_now().await;
    let (told, ended) = clean_up(&engine).await;
    making.await.expect("made");
    assert_eq!(ended, Ok(()));
    assert_eq!(told.first(), Some(&(0, 3)));
    assert!(matches!(told[1..], [(12..=14, 1)]), "{told:?}");
    assert_eq!(names(&engine), ["another's"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_minutes_is_waited_for() {
    let engine = engine().await;
    engine.disconnect();
    let back = tokio::spawn({
        let engine = engine.clone();
        async move {
            sleep(Duration::from_secs(300)).await;
            engine.reconnect();
        }
    });
    let (told, ended) = clean_up(&engine).await;
    back.await.expect("done");
    assert_eq!(ended, Ok(()));
    assert!(matches!(told[..], [(300..=315, 3)]), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_good_is_given_up() {
    let engine = engine().await;
    engine.disconnect();
    let start = Instant::now();
    let (told, ended) = clean_up(&engine).await;
    assert_eq!(told, []);
    assert_eq!(ended.map_err(|error| error.kind()), Err(RefusalKind::Unreachable));
    assert!(start.elapsed() >= PATIENCE && start.elapsed() < PATIENCE + Duration::from_secs(30));
}
