//! `shakedown run`: wires manifest, store, engine, conductor and reporters together.

mod changed;
mod error;
pub mod lanes;
mod preview;
mod select;
mod sink;
mod stops;
pub mod subnets;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::RunArgs;
use crate::conductor::state::{Rules, TimeLimits};
use crate::conductor::{EventSink as _, conduct};
use crate::engine::docker::DockerEngine;
use crate::engine::docker::connection::Connection;
use crate::engine::{Engine, EngineError, Labelled, ThingKind};
use crate::environment::images::{self, ImageProgress};
use crate::environment::lease::{self, Lease};
use crate::environment::{Site, Subnets, host_routes, snapshot, sweep};
use crate::event::{RunEvent, RunHeader};
use crate::evidence::artifacts::Artifacts;
use crate::evidence::{Evidence, Kept};
use crate::exit;
use crate::guard::{self, Guard, Guarded};
use crate::id::RunId;
use crate::lane::standby::Standby;
use crate::lane::{Beside, Shared};
use crate::manifest::compose::{ImageSource, Service};
use crate::manifest::{self, Manifest, ResetAfter, StartUp};
use crate::owner::{self, Owner};
use crate::plan::Starts;
use crate::queue::Batching;
use crate::report;
use crate::secrets::Secrets;
use crate::store::{self, Place, Store};
use crate::verdict::{AttemptLimits, LimitSource, RunVerdict, StopReason, TimeLimit, learnt_limit};

pub use error::RunError;
use lanes::Room;
use select::Asked;
use sink::Telling;
use stops::Listening;

/// How long the engine may take to create what nobody waits for any more, before the run looks for leftovers.
const LANDED_WITHIN: Duration = Duration::from_secs(15);

/// Runs a suite and returns the exit code. Everything there is to say has been said when it returns.
pub async fn run(args: RunArgs) -> u8 {
    let listening = match Listening::start(args.deadline) {
        Ok(listening) => listening,
        Err(error) => return RunError::Signals(error).tell(),
    };
    match Prepared::new(&args).await {
        Ok(prepared) if args.selection.only_shows() => prepared.preview(&args, listening).await,
        Ok(prepared) => prepared.run(listening).await,
        Err(error) => error.tell(),
    }
}

/// Reads the variables that a Compose file may use.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `shakedown check`: says what is wrong with a manifest, or what it describes.
pub fn check(folder: &Path) -> u8 {
    match manifest::load(folder, &variable) {
        Ok((manifest, warnings)) => {
            for warning in &warnings {
                eprintln!("warning: {warning}");
            }
            let built = |source: &ImageSource| matches!(source, ImageSource::Built(_));
            let services = manifest.compose.services.iter();
            let described = |(name, service): (&String, &Service)| {
                let built = built(&service.image).then(|| "built".to_owned());
                let limits = report::summary::limits(service.memory, service.cpus.map(|cpus| cpus.milli));
                let limits = (!limits.is_empty()).then(|| format!("at most {limits}"));
                let notes: Vec<String> = built.into_iter().chain(limits).collect();
                if notes.is_empty() { name.clone() } else { format!("{name} ({})", notes.join(", ")) }
            };
            let services: Vec<String> = services.map(described).collect();
            println!("{}: the manifest of suite {} is well-formed", folder.display(), manifest.suite.name);
            println!("  services: {}; tests run in {}", services.join(", "), manifest.environment.runner);
            exit::PASSED
        }
        Err(problems) => RunError::Manifest(problems).tell(),
    }
}

/// Everything that a run needs before its first event.
struct Prepared {
    manifest: Arc<Manifest>,
    engine: Arc<dyn Engine>,
    header: RunHeader,
    telling: Telling,
    run_folder: std::path::PathBuf,
    rules: Rules,
    notes: Vec<String>,
    /// Absent where it could not be started.
    guard: Option<Guard>,
    lease: Option<Lease>,
    subnets: Subnets,
    /// How long an environment boots, where that is known.
    boot: Option<Duration>,
}

impl Prepared {
    async fn new(args: &RunArgs) -> Result<Self, RunError> {
        let (manifest, warnings) = manifest::load(&args.manifest, &variable)?;
        let named = variable(store::VARIABLE);
        let asked = args.database.as_deref();
        let place = Place::choose(asked, named.as_deref(), manifest.history.as_deref(), &args.reports)?;
        let store = Store::open(&place).await?;
        let connection = Connection::find(&args.engine.asked()).map_err(RunError::Usage)?;
        let engine = DockerEngine::connect_to(&connection).await?;
        let info = engine.describe().await?;
        let footprints = store.footprints(&manifest.suite.name).await?;
        let room = Room {
            engine: &info,
            free: lanes::free_memory(&info),
            footprints: &footprints,
            compose: &manifest.compose,
        };
        let (lanes, why) = lanes::choose(args.lanes, manifest.environment.lanes, room);
        lanes::check_ports(&manifest, lanes)?;
        let pool = subnets::pool(&manifest.environment.subnets, variable(subnets::VARIABLE).as_deref())?;
        let routes = if subnets::is_here(&engine.host().await?) { host_routes() } else { Vec::new() };
        let (subnets, routed) = subnets::choose(pool, &routes, lanes, rand::random())?;
        let mut notes: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        notes.extend(connection.warning());
        notes.extend(why);
        notes.extend(routed);
        for run in store.mark_dead_runs(&|owner| !owner::is_dead(owner)).await? {
            notes.push(format!("run {run} was cut off; it is kept as incomplete"));
        }
        notes.extend(swept(&sweep::sweep_dead(&engine).await?));

        let suite = &manifest.suite.name;
        let Asked { selection, words } =
            select::gather(&args.selection, &args.manifest, suite, &args.candidate, &store, &variable).await?;

        let owner = Owner::this_process().map_err(RunError::Owner)?;
        let repeat = args.repeat.map_or(1, std::num::NonZero::get);
        let seed = args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
        let header = RunHeader {
            run: RunId::new(Timestamp::now(), rand::random()),
            suite: manifest.suite.name.clone(),
            candidate: args.candidate.clone(),
            trigger: args.trigger.word().to_owned(),
            seed,
            lanes,
            attempts: if repeat > 1 { 1 } else { args.attempts.unwrap_or(manifest.retry.attempts).get() },
            repeat,
            cpus: info.cpus,
            fail_on_flaky: args.fail_on_flaky || repeat > 1,
            selection: words,
            owner: owner.to_string(),
        };
        let starts = store.unit_starts(&manifest.suite.name).await?;
        let time_limits = time_limits(args, &manifest, &store).await?;
        let rules = Rules {
            time_limits,
            limits: AttemptLimits {
                attempts: header.attempts,
                environment_attempts: manifest.environment.attempts.get(),
            },
            seed,
            selection,
            repeat,
            history: store.expected_durations(&manifest.suite.name).await?,
            batching: batching(&manifest, starts.typical),
            starts: Starts { typical: starts.typical, by_file: starts.by_file },
            order: manifest.order.clone(),
            lanes,
            max_failures: args.max_failures.map(std::num::NonZero::get),
            fail_on_flaky: header.fail_on_flaky,
            keeps_failed: manifest.environment.reset.keeps_failed(),
        };
        let run_folder = args.reports.join(&manifest.suite.name).join(header.run.as_str());
        std::fs::create_dir_all(&run_folder)
            .map_err(|error| RunError::RunFolder { folder: run_folder.clone(), error })?;
        let guarded = Guarded {
            run: &header.run,
            owner: &header.owner,
            run_folder: &run_folder,
            history: &place,
            engine: &args.engine.as_arguments(),
        };
        let guard = match Guard::start(guarded).await {
            Ok(guard) => Some(guard),
            Err(error) => {
                notes.push(unguarded(&error));
                None
            }
        };
        let boot = store.expected_boot(&manifest.suite.name).await?;
        let telling = match args.selection.only_shows() {
            true => Telling::unrecorded(store, &run_folder),
            false => Telling::start(store, &run_folder),
        };
        let engine = Arc::new(engine);
        Ok(Self {
            manifest: Arc::new(manifest),
            engine,
            header,
            telling,
            run_folder,
            rules,
            notes,
            guard,
            lease: None,
            subnets,
            boot,
        })
    }

    async fn run(mut self, listening: Listening) -> u8 {
        let verdict = self.reach_verdict(listening).await;
        self.leave_engine().await;
        let exit_code = exit::code(&verdict);
        let ended = RunEvent::RunEnded { at: Timestamp::now(), verdict, exit_code };
        // Without a store there is nothing left to lose; the reporters are told all the same.
        let recorded = self.telling.take(ended).await;
        self.telling.finish(&self.run_folder).await;
        match recorded {
            Ok(()) => exit_code,
            Err(why) => {
                eprintln!("error: the end of the run could not be recorded: {why}");
                exit_code.max(exit::INCOMPLETE)
            }
        }
    }

    /// Nothing is left on the engine, or somebody takes care of it.
    async fn leave_engine(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.end().await;
        }
        self.sweep().await;
    }

    async fn reach_verdict(&mut self, mut listening: Listening) -> RunVerdict {
        let started = RunEvent::RunStarted { at: Timestamp::now(), header: self.header.clone() };
        if let Err(why) = self.telling.take(started).await {
            return RunVerdict::Incomplete(StopReason::StoreLost(why));
        }
        let (shared, in_flight) = match self.provide(&mut listening).await {
            Ok(provided) => provided,
            Err(verdict) => return verdict,
        };
        let (evidence, lanes) = (shared.evidence.clone(), self.header.lanes);
        let verdict = conduct(self.rules.clone(), shared, lanes, listening.stops, &mut self.telling).await;
        landed(&in_flight).await;
        self.tell_evidence(&evidence).await;
        verdict
    }

    /// Provides what lanes need, and counts what is being made for them; otherwise the verdict of a run that can't have
    /// lanes.
    async fn provide(&mut self, listening: &mut Listening) -> Result<(Arc<Shared>, TaskTracker), RunVerdict> {
        for message in std::mem::take(&mut self.notes) {
            self.note(message).await;
        }
        let secrets = secrets(&self.manifest);
        let warnings = self.telling.progress();
        let failed = move |error: &_| warnings.tell(RunEvent::Warning { message: unrenewed(error) });
        match Lease::take(self.engine.clone(), &self.header.run, &self.header.owner, failed).await {
            Ok(lease) => self.lease = Some(lease),
            Err(error) => return Err(RunVerdict::EnvironmentsUnavailable(error.to_string())),
        }
        let progress = self.telling.progress();
        let images = tokio::select! {
            images = images::provide(&*self.engine, &self.header.suite, &self.manifest.compose, &progress) => images,
            Some(reason) = listening.stops.reasons.recv() => return Err(stopped(reason)),
        };
        let images = match images {
            Ok(images) => images,
            Err(error) => return Err(RunVerdict::EnvironmentsUnavailable(secrets.mask(&error.to_string()))),
        };
        let in_flight = TaskTracker::new();
        let site = Site {
            engine: self.engine.clone(),
            manifest: self.manifest.clone(),
            images,
            run: self.header.run.clone(),
            lease: self.header.owner.clone(),
            logs: self.run_folder.join("logs"),
            secrets: secrets.clone(),
            subnets: self.subnets.clone(),
            in_flight: in_flight.clone(),
        };
        let site = tokio::select! {
            site = snapshot::provide(site, &progress) => site,
            Some(reason) = listening.stops.reasons.recv() => {
                landed(&in_flight).await;
                return Err(stopped(reason));
            }
        };
        let site = match site {
            Ok(site) => site,
            Err(error) => return Err(RunVerdict::EnvironmentsUnavailable(secrets.mask(&error.to_string()))),
        };
        let artifacts = Artifacts::new(&self.manifest.suite.artifacts);
        let (run, seed) = (self.header.run.clone(), self.header.seed);
        let evidence = Arc::new(Evidence::new(run, seed, &self.run_folder, artifacts, secrets.clone()));
        let shared = Arc::new(Shared {
            site,
            standby: Standby::new(usize::from(self.manifest.environment.standby)),
            boots: Semaphore::new(self.header.cpus as usize),
            evidence,
            test_timeout: self.rules.time_limits.general.clone(),
            seed: self.header.seed,
            beside: Beside::default(),
            stop: CancellationToken::new(),
        });
        Ok((shared, in_flight))
    }

    /// The reports name the files that were kept.
    async fn tell_evidence(&mut self, evidence: &Evidence) {
        let (kept, warnings) = evidence.finish().await;
        for Kept { test, number, folder, files } in kept {
            // As for notes: it is no reason to stop, and what can't be recorded shows elsewhere.
            let _ = self.telling.take(RunEvent::EvidenceKept { test, number, folder, files }).await;
        }
        for message in warnings {
            self.note(message).await;
        }
    }

    async fn note(&mut self, message: String) {
        // A note that can't be recorded is no reason to stop; a result that can't be is, and will show it.
        let _ = self.telling.take(RunEvent::Warning { message }).await;
    }

    /// Lanes remove what they made. This is for what an engine created while nobody waited for it any more. What can't
    /// be removed now is left to the guard.
    async fn sweep(&mut self) {
        let guard = self.guard.take();
        match (sweep::sweep_run(&*self.engine, &self.header.run).await, guard) {
            (Ok(_), Some(guard)) => guard.stand_down().await,
            (Ok(_), None) => {}
            (Err(error), Some(guard)) => {
                guard.take_over();
                let minutes = guard::PATIENCE.as_secs() / 60;
                let later = format!("the guard goes on trying for {minutes} min, as will the next run on this host");
                self.note(format!("{error}; {later}")).await;
            }
            (Err(error), None) => self.note(format!("{error}; the next run on this host removes what is left")).await,
        }
    }
}

/// Units are put together where each of them starts a process, unless the environment is to be made clean after each.
fn batching(manifest: &Manifest, known: Option<Duration>) -> Option<Batching> {
    let most = match manifest.suite.framework.start_up() {
        StartUp::Unit { most } => most.get(),
        StartUp::Worker | StartUp::Test => return None,
    };
    (manifest.environment.reset.after != ResetAfter::Unit).then(|| Batching::new(most, known))
}

/// The limit that the command line or else the manifest names; otherwise what the history has learnt of each test.
async fn time_limits(args: &RunArgs, manifest: &Manifest, store: &Store) -> Result<TimeLimits, RunError> {
    let named = match (args.test_timeout, manifest.retry.test_timeout) {
        (Some(span), _) => Some(TimeLimit::named(span, LimitSource::Flag)),
        (None, Some(span)) => Some(TimeLimit::named(span, LimitSource::Manifest)),
        (None, None) => None,
    };
    let Some(general) = named else {
        let pasts = store.pasts(&manifest.suite.name).await?;
        let learnt = pasts.into_iter().filter_map(|(test, past)| Some((test, learnt_limit(&past)?))).collect();
        return Ok(TimeLimits { general: TimeLimit::default_limit(), learnt });
    };
    Ok(TimeLimits { general, learnt: HashMap::new() })
}

/// Waits for what is still being made. Lanes wait for it, unless they were not waited for themselves.
async fn landed(in_flight: &TaskTracker) {
    in_flight.close();
    let _ = tokio::time::timeout(LANDED_WITHIN, in_flight.wait()).await;
}

/// What a stop means before any lane was started.
fn stopped(reason: StopReason) -> RunVerdict {
    crate::verdict::run_verdict([], Some(reason), false)
}

fn secrets(manifest: &Manifest) -> Secrets {
    let of_services =
        manifest.compose.services.values().flat_map(|service| {
            service.secret_variables.iter().filter_map(|name| service.environment.get(name).cloned())
        });
    Secrets::new(of_services.chain(manifest.compose.secrets.iter().cloned()))
}

/// Says what it means that a lease was not renewed.
fn unrenewed(error: &EngineError) -> String {
    let minutes = lease::HOLDS.as_secs() / 60;
    format!(
        "the lease of this run was not renewed: {error}; it is tried again every {} s, and only after {minutes} min would \
         another host that shares the engine take this run for dead",
        lease::RENEWED_EVERY.as_secs()
    )
}

/// Says what it means that there is no guard.
fn unguarded(error: &std::io::Error) -> String {
    format!(
        "the guard, which cleans up should this process be killed, could not be started: {error}; after a kill -9 all \
         that this run made would stay until the next run on this host"
    )
}

/// Says what was left by runs that are dead, and is gone now.
fn swept(removed: &[Labelled]) -> Option<String> {
    let count = |kind: ThingKind| {
        let count = removed.iter().filter(|thing| thing.kind == kind).count();
        format!("{count} {}{}", kind.word(), if count == 1 { "" } else { "s" })
    };
    let kinds = ThingKind::ALL.map(count);
    (!removed.is_empty()).then(|| format!("removed what a run that was cut off had left: {}", kinds.join(", ")))
}

impl ImageProgress for sink::ImageLines {
    fn line(&self, service: &str, line: &str) {
        self.tell(RunEvent::ImageProgress { service: service.to_owned(), line: line.to_owned() });
    }

    fn ready(&self, service: &str, took: Duration) {
        self.tell(RunEvent::ImageReady { service: service.to_owned(), took });
    }
}
