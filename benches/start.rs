//! How long N copies of the storefront take until all are ready, by this program and by `docker-compose` 1.29 as Debian
//! packages it, and how much sooner a seeded database is there from its frozen state: `cargo bench --bench start`.
//!
//! Needs a Docker engine, the base image (`scripts/engine`, `scripts/base-image`) and `apt-get install docker-compose`.
//! `-- --rounds N` takes the median of N rounds (3), `-- --copies 1,2` other numbers of copies.
//!
//! Everything is interleaved in one run, so that what else the machine does falls on both; the ratio is the figure to
//! read. A copy is ready when its web server answers `GET /healthz`, asked by this benchmark every 10 ms at the
//! container's address, for either program in the same way, and when the program itself has said that all of it is up:
//! the browser's container starts after the web server is healthy. Images are there before. Copies are all started at
//! the same moment, and removed before the next are.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use shakedown::engine::docker::DockerEngine;
use shakedown::engine::{ContainerState, Engine};
use shakedown::environment::images::{self, ImageProgress};
use shakedown::environment::{Ledger, Site, Subnets, snapshot};
use shakedown::id::{EnvironmentId, EnvironmentName, LaneIndex, RunId};
use shakedown::manifest;
use shakedown::owner::Owner;
use shakedown::secrets::Secrets;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

type Failure = Box<dyn Error>;

const STOREFRONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/storefront");
/// The pause between two questions whether a copy is ready.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(10);
/// Nothing takes longer.
const LONGEST: Duration = Duration::from_secs(300);

struct Unheard;

impl ImageProgress for Unheard {
    fn line(&self, _service: &str, _line: &str) {}

    fn ready(&self, _service: &str, _took: Duration) {}
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let rounds: usize = option("--rounds").map_or(Ok(3), |rounds| rounds.parse())?;
    let copies: Vec<u16> = option("--copies")
        .unwrap_or_else(|| "1,2,4,8".to_owned())
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let engine: Arc<dyn Engine> = Arc::new(DockerEngine::connect().await?);
    let folder = tempfile::tempdir()?;
    let ours = site(Path::new(STOREFRONT), &engine, folder.path()).await?;
    let theirs = Compose::new(&ours, folder.path())?;

    println!("| copies | shakedown | docker-compose | ahead by |");
    println!("|---|---|---|---|");
    for copies in copies {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Whoever comes second finds a busier engine, so they take turns.
            if round % 2 == 0 {
                fast.push(start_ours(&ours, copies).await?);
                slow.push(theirs.start(&engine, copies).await?);
            } else {
                slow.push(theirs.start(&engine, copies).await?);
                fast.push(start_ours(&ours, copies).await?);
            }
        }
        println!("| {copies} | {} | {} | {} |", told(&mut fast), told(&mut slow), ratio(&mut slow, &mut fast));
    }

    let seeded = folder.path().join("seeded");
    write_seeded(&seeded, false)?;
    let fresh = site(&seeded, &engine, folder.path()).await?;
    write_seeded(&seeded, true)?;
    let started = Instant::now();
    let frozen = snapshot::provide(site(&seeded, &engine, folder.path()).await?, &Unheard).await?;
    println!("\nfreezing the seeded database: {:.1} s, once", started.elapsed().as_secs_f64());
    println!("\n| copies | seeded | from the snapshot | ahead by |");
    println!("|---|---|---|---|");
    for copies in [1, 2, 4] {
        let (mut slow, mut fast) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            slow.push(start_seeded(&fresh, copies, true).await?);
            fast.push(start_seeded(&frozen, copies, false).await?);
        }
        println!("| {copies} | {} | {} | {} |", told(&mut slow), told(&mut fast), ratio(&mut slow, &mut fast));
    }
    for image in engine.list_images(&["dev.shakedown.suite=start-bench".to_owned()]).await? {
        engine.remove_image(&image).await?;
    }
    Ok(())
}

fn option(name: &str) -> Option<String> {
    let arguments: Vec<String> = std::env::args().collect();
    arguments.iter().position(|argument| argument == name).and_then(|place| arguments.get(place + 1)).cloned()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

/// Median, and the fastest and slowest round.
fn told(times: &mut [Duration]) -> String {
    let median = median(times);
    let (first, last) = (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
    format!("{median:.1} s ({:.1}–{:.1})", first.as_secs_f64(), last.as_secs_f64())
}

fn ratio(slow: &mut [Duration], fast: &mut [Duration]) -> String {
    format!("{:.1} ×", median(slow) / median(fast))
}

async fn site(folder: &Path, engine: &Arc<dyn Engine>, logs: &Path) -> Result<Site, Failure> {
    let (manifest, _) = manifest::load(folder, &|_| None).map_err(|problems| problems.to_string())?;
    let images = images::provide(&**engine, &manifest.suite.name, &manifest.compose, &Unheard).await?;
    Ok(Site {
        engine: engine.clone(),
        manifest: Arc::new(manifest),
        images,
        run: RunId::new(jiff::Timestamp::now(), rand::random()),
        lease: Owner::this_process()?.to_string(),
        logs: logs.join("logs"),
        secrets: Secrets::default(),
        subnets: Subnets::starting_at(rand::random()),
        in_flight: tokio_util::task::TaskTracker::new(),
    })
}

/// Boots copies as a run does, with as many boots at a time as the engine has processors, and waits until each web
/// server answers.
async fn start_ours(site: &Site, copies: u16) -> Result<Duration, Failure> {
    start(site, copies, |environment| async move {
        let web = format!("shakedown-{}-{environment}-web", site.run);
        until_web_answers(&*site.engine, &web).await
    })
    .await
}

/// Boots copies with nothing but a database, and seeds them where they don't come from a frozen state.
async fn start_seeded(site: &Site, copies: u16, seeds: bool) -> Result<Duration, Failure> {
    start(site, copies, |environment| async move {
        if seeds {
            let database = format!("shakedown-{}-{environment}-db", site.run);
            let seeded = tokio::process::Command::new("docker")
                .args(["exec", &database, "sh", "-c", SEED])
                .stdout(Stdio::null())
                .status()
                .await?;
            if !seeded.success() {
                return Err("the seed failed".into());
            }
        }
        Ok(())
    })
    .await
}

async fn start<F: Future<Output = Result<(), Failure>>>(
    site: &Site,
    copies: u16,
    then: impl Fn(EnvironmentName) -> F,
) -> Result<Duration, Failure> {
    let boots = Semaphore::new(site.engine.describe().await?.cpus as usize);
    let ledgers: Vec<Ledger> = (0..copies).map(|_| Ledger::new(site.in_flight.clone())).collect();
    let started = Instant::now();
    let all = ledgers.iter().zip(0..).map(|(ledger, lane)| {
        let (boots, then) = (&boots, &then);
        async move {
            let name = EnvironmentName::Lane(EnvironmentId { lane: LaneIndex(lane), generation: 1 });
            let permit = boots.acquire().await?;
            let booted = site.boot(name, ledger, &|_| {}, &tokio::sync::watch::channel(None).0).await;
            let environment = booted.map_err(|broken| format!("{name}: {}", broken.cause))?;
            then(name).await?;
            drop(permit);
            Ok::<_, Failure>(environment)
        }
    });
    let all = join_all(all).await;
    let took = started.elapsed();
    let ready: Result<Vec<_>, _> = all.into_iter().collect();
    drop(ready?);
    let errors = join_all(ledgers.iter().map(|ledger| ledger.tear_down(&*site.engine))).await;
    errors.into_iter().flatten().next().map_or(Ok(took), |error| Err(error.into()))
}

/// Waits until the web server of a container answers.
async fn until_web_answers(engine: &dyn Engine, container: &str) -> Result<(), Failure> {
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        if let Ok(ContainerState::Running { address: Some(address) }) = engine.inspect_container(container).await
            && answers((address, 8000).into()).await.unwrap_or(false)
        {
            return Ok(());
        }
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
    }
    Err(format!("{container} did not answer").into())
}

async fn answers(address: SocketAddr) -> std::io::Result<bool> {
    let asking = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        Ok(start.ends_with(b" 200"))
    };
    tokio::time::timeout(Duration::from_secs(2), asking).await.unwrap_or(Ok(false))
}

/// One project of `docker-compose` for each copy.
struct Compose {
    file: PathBuf,
}

impl Compose {
    /// The storefront's own file, with the images that are there, and without the host port that copies can't share.
    fn new(ours: &Site, folder: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(Path::new(STOREFRONT).join("compose.yaml"))?;
        let image = |service: &str| ours.images.get(service).map(|image| image.reference.clone()).unwrap_or_default();
        let text = text
            .replace("build: ./db", &format!("image: {}", image("db")))
            .replace("build: ./web", &format!("image: {}", image("web")))
            .replace(
                "    build:\n      context: .\n      dockerfile: browser/Dockerfile",
                &format!("    image: {}", image("browser")),
            )
            .replace("    ports: [\"8000:8000\"]\n", "");
        if text.contains("build:") || text.contains("8000:8000") {
            return Err("the storefront's Compose file has changed: this benchmark must follow".into());
        }
        let file = folder.join("compose.yaml");
        std::fs::write(&file, text)?;
        Ok(Self { file })
    }

    async fn start(&self, engine: &Arc<dyn Engine>, copies: u16) -> Result<Duration, Failure> {
        let started = Instant::now();
        let all = (0..copies).map(|copy| async move {
            let up = self.run(copy, &["up", "--detach"]);
            // Its web server is looked for from the start on, while the command still starts the browser.
            let web = format!("shakedownbench{copy}_web_1");
            let ready = until_web_answers(&**engine, &web);
            let (up, ready) = tokio::join!(up, ready);
            up.and(ready)
        });
        let ready: Result<Vec<()>, _> = join_all(all).await.into_iter().collect();
        let took = started.elapsed();
        join_all((0..copies).map(|copy| self.run(copy, &["down", "--volumes", "--timeout", "0"]))).await;
        ready.map(|_| took)
    }

    async fn run(&self, copy: u16, words: &[&str]) -> Result<(), Failure> {
        let status = tokio::process::Command::new("docker-compose")
            .arg("--file")
            .arg(&self.file)
            .args(["--project-name", &format!("shakedownbench{copy}")])
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await
            .map_err(|error| format!("docker-compose can't be run: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("docker-compose {words:?} ended with {status}").into()) }
    }
}

/// What an application's seed may be: 200,000 rows and an index.
const SEED: &str = "psql --quiet --username=shop --dbname=shop --command=\"CREATE TABLE seeded AS SELECT n, \
                    md5(n::text) AS word FROM generate_series(1, 200000) n; CREATE INDEX ON seeded (word)\"";

/// A manifest of the storefront's database by itself, seeded by a command.
fn write_seeded(folder: &Path, is_frozen: bool) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    let compose = format!(
        "services:\n  db:\n    build: {STOREFRONT}/db\n    environment: {{ POSTGRES_USER: shop, POSTGRES_PASSWORD: shop, \
         POSTGRES_DB: shop }}\n    healthcheck: {{ test: [CMD, db-ready] }}\n    volumes: [ 'data:/var/lib/postgresql' ]\n\
         \x20 runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    init: true\n\
         \x20   depends_on: {{ db: {{ condition: service_healthy }} }}\nvolumes: {{ data: }}\n"
    );
    std::fs::write(folder.join("compose.yaml"), compose)?;
    let seed = SEED.replace('\\', "\\\\").replace('"', "\\\"");
    let snapshot =
        format!("[environment.snapshot]\nservices = [\"db\"]\nseed = {{ service = \"db\", command = \"{seed}\" }}\n");
    let snapshot = if is_frozen { snapshot.as_str() } else { "" };
    let manifest = format!(
        "[suite]\nname = \"start-bench\"\nframework = \"rspec\"\n[environment]\nrunner = \"runner\"\n{snapshot}"
    );
    std::fs::write(folder.join("shakedown.toml"), manifest)?;
    Ok(())
}
