//! Makes the run of a scenario.

use std::collections::HashMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use shakedown::conductor::state::{Rules, TimeLimits};
use shakedown::conductor::{EventSink, Stops, conduct, list};
use shakedown::engine::ImageInfo;
use shakedown::engine::fake::{Answer, Behaviour, FakeEngine, FakeSuite, FakeTest, Life};
use shakedown::environment::images::{ImageProgress, Images, ServiceImage};
use shakedown::environment::{Site, Subnets, snapshot, sweep};
use shakedown::event::RunEvent;
use shakedown::evidence::Evidence;
use shakedown::evidence::artifacts::Artifacts;
use shakedown::framework::ListedTest;
use shakedown::id::{RunId, TestId};
use shakedown::lane::standby::Standby;
use shakedown::lane::{Beside, Shared};
use shakedown::manifest::compose::{Condition, Healthcheck, ImageSource, Mount, MountSource, Project, Service};
use shakedown::manifest::{
    EnvironmentSettings, EvidenceSettings, FrameworkKind, Lanes, Manifest, OrderSettings, RetrySettings, Suite,
};
use shakedown::plan::Starts;
use shakedown::queue::Batching;
use shakedown::secrets::Secrets;
use shakedown::selection::Selection;
use shakedown::verdict::{AttemptLimits, LimitSource, RunVerdict, StopReason, TimeLimit};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(crate) use super::told::Told;

/// No run of these takes longer, in virtual time. One that does hangs.
const LONGEST: Duration = Duration::from_secs(3600);
/// The image that all services share.
const IMAGE: &str = "shop:1";

type Deed = Box<dyn FnOnce(&FakeEngine) + Send>;

/// A run to be made.
pub(crate) struct Scenario {
    pub(crate) engine: FakeEngine,
    pub(crate) lanes: u16,
    pub(crate) manifest: Manifest,
    pub(crate) max_failures: Option<u32>,
    /// How often each test is run.
    pub(crate) repeat: u32,
    pub(crate) selection: Selection,
    /// What tests are known to take.
    pub(crate) history: HashMap<TestId, Duration>,
    pub(crate) test_timeout: Duration,
    /// How long units take to start, and how they are put together.
    pub(crate) starts: Starts,
    pub(crate) batching: Option<Batching>,
    /// What was learnt of tests.
    pub(crate) time_limits: HashMap<TestId, TimeLimit>,
    /// How long the store takes for each event.
    pub(crate) store_takes: Duration,
    /// The store fails from this event on.
    pub(crate) store_fails_at: Option<usize>,
    stops: Vec<(Duration, StopReason)>,
    kill: Option<Duration>,
    deeds: Vec<(Duration, Deed)>,
    sweeps: bool,
}

/// A test of a file that behaves so.
pub(crate) fn test(file: &str, name: &str, behaviour: Behaviour) -> FakeTest {
    FakeTest::new(file, name, behaviour)
}

/// Passing tests, `per_file` in each of `files` files.
pub(crate) fn passing(files: usize, per_file: usize) -> Vec<FakeTest> {
    let names = (0..files).flat_map(|file| (0..per_file).map(move |n| (file, n)));
    names.map(|(file, n)| test(&format!("spec/{file}_spec.rb"), &format!("passes {n}"), Behaviour::Passes)).collect()
}

impl Scenario {
    /// A shop with a database, a migration, a web server and a browser, which comes up by itself.
    pub(crate) fn new(lanes: u16, tests: Vec<FakeTest>) -> Self {
        Self::of_suite(lanes, FakeSuite::new(tests))
    }

    pub(crate) fn of_suite(lanes: u16, suite: FakeSuite) -> Self {
        let engine = FakeEngine::new()
            .with_image(IMAGE, ImageInfo { id: "sha256:1".to_owned(), ..ImageInfo::default() })
            .with_suite(suite);
        Self {
            engine,
            lanes,
            manifest: shop(lanes),
            max_failures: None,
            repeat: 1,
            selection: Selection::default(),
            history: HashMap::new(),
            test_timeout: Duration::from_secs(20),
            starts: Starts::default(),
            batching: None,
            time_limits: HashMap::new(),
            store_takes: Duration::ZERO,
            store_fails_at: None,
            stops: Vec::new(),
            kill: None,
            deeds: Vec::new(),
            sweeps: false,
        }
    }

    pub(crate) fn life(mut self, name: &str, life: Life) -> Self {
        self.engine = self.engine.with_life(name, life);
        self
    }

    pub(crate) fn answers(mut self, container: &str, words: &str, answers: Vec<Answer>) -> Self {
        self.engine = self.engine.with_answers(container, words, answers);
        self
    }

    /// Does something to the engine at a moment.
    pub(crate) fn at(mut self, moment: Duration, deed: impl FnOnce(&FakeEngine) + Send + 'static) -> Self {
        self.deeds.push((moment, Box::new(deed)));
        self
    }

    pub(crate) fn stop_at(mut self, moment: Duration, reason: StopReason) -> Self {
        self.stops.push((moment, reason));
        self
    }

    /// Kills the run, after which it is swept, as the program does.
    pub(crate) fn kill_at(mut self, moment: Duration) -> Self {
        self.kill = Some(moment);
        self.swept()
    }

    /// The connection comes back after the run, and what is left is swept, as the program or its next run does.
    pub(crate) fn swept(mut self) -> Self {
        self.sweeps = true;
        self
    }

    fn test_timeout(&self) -> TimeLimit {
        TimeLimit::named(self.test_timeout, LimitSource::Flag)
    }

    /// What is shared by the environments of a run that is not made.
    pub(crate) fn site(&self, run: &str) -> Site {
        let engine = self.engine.clone().with_life("-migrate", Life::ends(Duration::from_millis(100), 0));
        shared(self, &engine, RunId::from_stored(run), std::env::temp_dir().join("shakedown-no-logs")).site
    }

    /// Makes the run.
    pub(crate) async fn run(self) -> Told {
        self.make(false).await.1
    }

    /// Only asks for the tests.
    pub(crate) async fn list(self) -> (Result<Vec<ListedTest>, RunVerdict>, Told) {
        self.make(true).await
    }

    async fn make(self, only_lists: bool) -> (Result<Vec<ListedTest>, RunVerdict>, Told) {
        // The migration ends by itself, unless the scenario has said otherwise before.
        let engine = self.engine.clone().with_life("-migrate", Life::ends(Duration::from_millis(100), 0));
        let logs = tempfile::tempdir().expect("a folder for logs");
        let run = RunId::from_stored("20260101-000000-abcdef");
        let mut shared = shared(&self, &engine, run.clone(), logs.path().to_owned());
        shared.site = snapshot::provide(shared.site, &Unheard).await.expect("frozen");
        let rules = Rules {
            time_limits: TimeLimits { general: self.test_timeout(), learnt: self.time_limits.clone() },
            limits: AttemptLimits {
                attempts: if self.repeat > 1 { 1 } else { self.manifest.retry.attempts.get() },
                environment_attempts: 3,
            },
            seed: 1,
            selection: self.selection,
            history: self.history,
            starts: self.starts.clone(),
            order: self.manifest.order.clone(),
            lanes: self.lanes,
            batching: self.batching.clone(),
            repeat: self.repeat,
            max_failures: self.max_failures,
            fail_on_flaky: self.repeat > 1,
            keeps_failed: self.manifest.environment.reset.keeps_failed(),
        };
        let (sender, reasons) = mpsc::channel(4);
        let kill = CancellationToken::new();
        let stops = Stops { reasons, kill: kill.clone() };
        let mut triggers = tokio::task::JoinSet::new();
        for (moment, deed) in self.deeds {
            let engine = engine.clone();
            triggers.spawn(async move {
                sleep(moment).await;
                deed(&engine);
            });
        }
        for (moment, reason) in self.stops {
            let sender = sender.clone();
            triggers.spawn(async move {
                sleep(moment).await;
                let _ = sender.send(reason).await;
            });
        }
        if let Some(moment) = self.kill {
            triggers.spawn(async move {
                sleep(moment).await;
                kill.cancel();
            });
        }
        let mut sink = Collecting { events: Vec::new(), takes: self.store_takes, fails_at: self.store_fails_at };
        let started = Instant::now();
        let shared = Arc::new(shared);
        let conducting = async {
            if only_lists {
                list(rules, shared, stops, &mut sink).await
            } else {
                Err(conduct(rules, shared, self.lanes, stops, &mut sink).await)
            }
        };
        let listed = tokio::time::timeout(LONGEST, conducting).await.expect("the run hangs");
        let verdict = listed.as_ref().err().cloned().unwrap_or(RunVerdict::NoTests);
        let took = started.elapsed();
        drop(triggers);
        let calls = engine.calls();
        if self.sweeps {
            engine.reconnect();
            sweep::sweep_run(&engine, &run).await.expect("the sweep works");
        }
        assert_eq!(engine.things(), [], "left on the engine");
        let told = Told { verdict, events: sink.events, calls, took };
        told.check(self.kill.is_some(), self.repeat);
        (listed, told)
    }
}

fn shared(scenario: &Scenario, engine: &FakeEngine, run: RunId, logs: PathBuf) -> Shared {
    let services = scenario.manifest.compose.services.keys();
    let image = ServiceImage { reference: IMAGE.to_owned(), info: ImageInfo::default() };
    let images: Images = services.map(|name| (name.clone(), image.clone())).collect();
    let evidence = Arc::new(Evidence::new(run.clone(), 1, &logs, Artifacts::default(), Secrets::default()));
    Shared {
        site: Site {
            engine: Arc::new(engine.clone()),
            manifest: Arc::new(scenario.manifest.clone()),
            images,
            run,
            lease: "host/boot/1/2".to_owned(),
            logs,
            secrets: Secrets::default(),
            subnets: Subnets::starting_at(0),
            in_flight: tokio_util::task::TaskTracker::new(),
        },
        standby: Standby::new(usize::from(scenario.manifest.environment.standby)),
        boots: Semaphore::new(2),
        evidence,
        test_timeout: scenario.test_timeout(),
        seed: 1,
        beside: Beside::default(),
        stop: CancellationToken::new(),
    }
}

/// The shop: the browser waits for the web server, which waits for the migration, which waits for the database.
fn shop(lanes: u16) -> Manifest {
    let service = |waits: &[(&str, Condition)], health: Option<&str>| Service {
        image: ImageSource::Named(IMAGE.to_owned()),
        depends_on: waits.iter().map(|(name, condition)| ((*name).to_owned(), *condition)).collect(),
        healthcheck: health.map(|command| Healthcheck::Command {
            command: vec![command.to_owned()],
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            retries: 3,
            start_period: Duration::ZERO,
        }),
        ..Service::default()
    };
    let data = Mount { source: MountSource::Volume("data".to_owned()), target: "/data".to_owned(), read_only: false };
    let services: IndexMap<String, Service> = [
        ("db", Service { mounts: vec![data], ..service(&[], Some("pg_isready")) }),
        ("migrate", service(&[("db", Condition::Healthy)], None)),
        ("web", service(&[("migrate", Condition::CompletedSuccessfully)], Some("curl"))),
        ("browser", service(&[("web", Condition::Healthy)], None)),
    ]
    .map(|(name, service)| (name.to_owned(), service))
    .into();
    Manifest {
        folder: PathBuf::from("shop"),
        suite: Suite {
            name: "shop".to_owned(),
            framework: FrameworkKind::Rspec,
            paths: vec!["spec".to_owned()],
            artifacts: Vec::new(),
        },
        environment: EnvironmentSettings {
            lanes: Lanes::Count(NonZeroU16::new(lanes).expect("lanes")),
            ready_within: Duration::from_secs(30),
            ..EnvironmentSettings::new("browser")
        },
        retry: RetrySettings { attempts: NonZeroU32::new(3).expect("three"), test_timeout: None },
        order: OrderSettings::default(),
        evidence: EvidenceSettings::default(),
        history: None,
        compose: Project {
            file: PathBuf::from("shop/compose.yaml"),
            services,
            volumes_in_memory: IndexMap::new(),
            secrets: Vec::new(),
        },
    }
}

/// Nobody listens to what is said of images.
pub(crate) struct Unheard;

impl ImageProgress for Unheard {
    fn line(&self, _service: &str, _line: &str) {}

    fn ready(&self, _service: &str, _took: Duration) {}
}

struct Collecting {
    events: Vec<RunEvent>,
    takes: Duration,
    fails_at: Option<usize>,
}

#[async_trait]
impl EventSink for Collecting {
    async fn take(&mut self, event: RunEvent) -> Result<(), String> {
        if self.takes > Duration::ZERO {
            sleep(self.takes).await;
        }
        self.events.push(event);
        match self.fails_at {
            Some(first) if self.events.len() > first => Err("disk full".to_owned()),
            _ => Ok(()),
        }
    }
}
