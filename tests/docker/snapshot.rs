//! A real database, seeded by a command, frozen and started again.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shakedown::engine::Engine;
use shakedown::engine::docker::DockerEngine;
use shakedown::environment::images::{self, ImageProgress};
use shakedown::environment::{Environment, Ledger, Site, Subnets, snapshot, sweep};
use shakedown::id::{EnvironmentId, EnvironmentName, LaneIndex, RunId};
use shakedown::manifest;
use shakedown::owner::Owner;
use shakedown::secrets::Secrets;

use crate::docker;
use crate::stage::{Stage, write};

/// The storefront's PostgreSQL keeps its data in a volume here, and a command adds a table to it.
const COMPOSE: &str = concat!(
    "services:\n  db:\n    build: ",
    env!("CARGO_MANIFEST_DIR"),
    "/test-manifests/storefront/db\n",
    "    environment: { POSTGRES_USER: shop, POSTGRES_PASSWORD: shop, POSTGRES_DB: shop }\n",
    "    healthcheck: { test: [CMD, db-ready] }\n",
    "    volumes: [ 'data:/var/lib/postgresql' ]\n",
    "  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    init: true\n",
    "    depends_on: { db: { condition: service_healthy } }\n",
    "volumes: { data: }\n",
);

struct Unheard;

impl ImageProgress for Unheard {
    fn line(&self, _service: &str, _line: &str) {}

    fn ready(&self, _service: &str, _took: Duration) {}
}

fn manifest_text(rows: u32) -> String {
    let seed = format!(
        "psql --quiet --username=shop --dbname=shop --command='CREATE TABLE seeded AS SELECT generate_series(1, {rows}) n'"
    );
    format!(
        "[suite]\nname = \"frozen\"\nframework = \"rspec\"\n[environment]\nrunner = \"runner\"\n\
         [environment.snapshot]\nservices = [\"db\"]\nfiles = [\"seed/*\"]\n\
         seed = {{ service = \"db\", command = \"{seed}\" }}\n"
    )
}

async fn site(folder: &Path, engine: &Arc<dyn Engine>) -> Result<Site, String> {
    let (manifest, _) = manifest::load(folder, &|_| None).expect("a manifest");
    let images = images::provide(&**engine, "frozen", &manifest.compose, &Unheard).await.expect("images");
    let site = Site {
        engine: engine.clone(),
        manifest: Arc::new(manifest),
        images,
        run: RunId::new(jiff::Timestamp::now(), rand::random()),
        lease: Owner::this_process().expect("/proc").to_string(),
        logs: folder.join("logs"),
        secrets: Secrets::default(),
        subnets: Subnets::starting_at(rand::random()),
        in_flight: tokio_util::task::TaskTracker::new(),
    };
    snapshot::provide(site, &Unheard).await.map_err(|error| error.to_string())
}

async fn boot(site: &Site, lane: u16) -> (Environment, Ledger) {
    let ledger = Ledger::new(site.in_flight.clone());
    let name = EnvironmentName::Lane(EnvironmentId { lane: LaneIndex(lane), generation: 1 });
    let environment = site.boot(name, &ledger, &|_| {}, &tokio::sync::watch::channel(None).0).await.expect("ready");
    (environment, ledger)
}

fn query(site: &Site, environment: &Environment, sql: &str) -> String {
    let container = format!("shakedown-{}-{}-db", site.run, environment.name());
    let psql =
        ["exec", &container, "psql", "--username=shop", "--dbname=shop", "--tuples-only", "--no-align", "--quiet"];
    docker::output(&[psql.as_slice(), &["--command", sql]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_database_is_frozen_once_and_each_copy_of_it_is_its_own() {
    let stage = Stage::new("a_seeded_database_is_frozen_once_and_each_copy_of_it_is_its_own");
    let folder = stage.folder().join("manifest");
    write(&folder.join("compose.yaml"), COMPOSE);
    write(&folder.join("seed/rows"), "three");
    write(&folder.join("shakedown.toml"), manifest_text(3));
    let engine: Arc<dyn Engine> = Arc::new(DockerEngine::connect().await.expect("an engine"));

    let first = site(&folder, &engine).await.expect("frozen");
    let started = Instant::now();
    let ((one, one_made), (two, two_made)) = tokio::join!(boot(&first, 0), boot(&first, 1));
    eprintln!("two environments from the frozen state: {:.1} s", started.elapsed().as_secs_f64());
    let count = "SELECT count(*) FROM seeded";
    assert_eq!((query(&first, &one, count), query(&first, &two, count)), ("3".to_owned(), "3".to_owned()));
    assert!(query(&first, &one, "SELECT count(*) FROM products").parse::<u32>().expect("a number") > 0, "the image's");
    query(&first, &one, "DELETE FROM seeded");
    assert_eq!((query(&first, &one, count), query(&first, &two, count)), ("0".to_owned(), "3".to_owned()));
    drop((one, two));
    assert_eq!(one_made.tear_down(&*engine).await, []);
    assert_eq!(two_made.tear_down(&*engine).await, []);

    let started = Instant::now();
    let again = site(&folder, &engine).await.expect("frozen");
    assert!(started.elapsed() < Duration::from_secs(2), "it was there: {:?}", started.elapsed());
    assert_eq!(again.images["db"].reference, first.images["db"].reference);

    write(&folder.join("shakedown.toml"), manifest_text(5));
    let other = site(&folder, &engine).await.expect("frozen");
    assert_ne!(other.images["db"].reference, first.images["db"].reference);
    let (three, three_made) = boot(&other, 0).await;
    assert_eq!(query(&other, &three, count), "5");
    drop(three);
    assert_eq!(three_made.tear_down(&*engine).await, []);

    write(&folder.join("seed/rows"), "four");
    let by_file = site(&folder, &engine).await.expect("frozen");
    assert_ne!(by_file.images["db"].reference, other.images["db"].reference);
    let states = engine.list_images(&["dev.shakedown.suite=frozen".to_owned()]).await.expect("listed");
    let frozen: Vec<&String> = states.iter().filter(|state| state.contains("snapshot-")).collect();
    assert_eq!(frozen.len(), 2, "one older state is kept: {states:?}");

    write(&folder.join("shakedown.toml"), manifest_text(3).replace("generate_series", "no_such_function"));
    let error = site(&folder, &engine).await.err().expect("the seed fails");
    assert!(error.contains("function no_such_function(integer, integer) does not exist"), "{error}");
    for run in [&first.run, &again.run, &other.run, &by_file.run] {
        assert_eq!(sweep::sweep_run(&*engine, run).await, Ok(Vec::new()), "all was removed before");
    }
    for state in states {
        engine.remove_image(&state).await.expect("removed");
    }
}
