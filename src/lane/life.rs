//! One environment's life in its lane: the boot, a warm worker, its work, and what ended it.

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::beside::{Asking, NotUp, come_up};
use super::seat::Seat;
use super::{Ending, Lane, Report, Shared, Start, Stopped};
use crate::environment::{Environment, Ledger, Site};
use crate::event::BrokenEnvironment;
use crate::framework::{Worker, WorkerError};
use crate::id::{EnvironmentId, EnvironmentName};

impl Lane {
    /// One environment's life, however it came to be. `kept` holds the environment afterwards, for its logs.
    pub(super) async fn life(
        &mut self,
        ledger: &Ledger,
        start: Start<'_>,
        kept: &mut Option<Environment>,
        seat: &mut Seat,
    ) -> Ending {
        let id = seat.environment;
        self.report(Report::Booting(id)).await;
        let started = Instant::now();
        let (environment, worker, standby) = match start {
            Start::Boot(permit) => match self.boot(id, ledger, permit, kept).await {
                Ok((environment, worker)) => (environment, worker, false),
                Err(ending) => return ending,
            },
            Start::Adopt(mut environment, worker) => {
                environment.adopt(id);
                (&*kept.insert(*environment), *worker, true)
            }
        };
        environment.put_to_use();
        self.report(Report::Ready { environment: id, boot: started.elapsed(), standby }).await;
        self.work(environment, worker, seat).await
    }

    /// Boots an environment and starts its worker.
    async fn boot<'a>(
        &mut self,
        id: EnvironmentId,
        ledger: &Ledger,
        permit: SemaphorePermit<'_>,
        kept: &'a mut Option<Environment>,
    ) -> Result<(&'a Environment, Worker), Ending> {
        let Self { index, shared, reports, orders } = self;
        let step = |what: String| {
            // Progress is for those who watch: when they can't keep up, a step is left out.
            let _ = reports.try_send((*index, Report::Step(id, what)));
        };
        let asking = Asking { environment: id, reports, orders };
        let up = tokio::select! {
            biased;
            () = shared.stop.cancelled() => return Err(Ending::Over),
            up = come_up(shared, EnvironmentName::Lane(id), ledger, &step, Some(asking), kept) => up,
        };
        drop(permit);
        match (up, kept) {
            (Ok(worker), Some(environment)) => Ok((environment, worker)),
            (Err(NotUp::Broke(broken)), _) => Err(Ending::Broke(broken)),
            (Err(NotUp::NoWorker(error)), Some(environment)) => Err(self.without_worker(environment, error).await),
            (Err(NotUp::Ended), Some(environment)) => Err(self.ended_unless_stopped(environment).await),
            // It is kept as soon as it is ready.
            (Ok(_) | Err(NotUp::Ended | NotUp::NoWorker(_)), None) => Err(Ending::Broke(connection_lost())),
        }
    }

    /// Whether the environment is broken; `Err` when the run stops before that is known.
    pub(super) async fn diagnose(&self, environment: &Environment) -> Result<Option<BrokenEnvironment>, Stopped> {
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => Err(Stopped),
            broken = environment.diagnose() => Ok(broken.map(|broken| BrokenEnvironment {
                // What a health check wrote may hold a secret.
                cause: self.shared.site.secrets.mask(&broken.cause),
                ..broken
            })),
        }
    }

    /// Tells what is worth saying of an environment that is not broken.
    pub(super) async fn tell_notes(&self, id: EnvironmentId, environment: &Environment) {
        for note in environment.take_notes() {
            self.report(Report::Warning(format!("environment {id}: {note}"))).await;
        }
    }

    /// What it means that there is no worker that serves: the suite is at fault, or the environment.
    pub(super) async fn without_worker(&self, environment: &Environment, error: WorkerError) -> Ending {
        match self.diagnose(environment).await {
            Err(Stopped) => return Ending::Over,
            Ok(Some(broken)) => return Ending::Broke(broken),
            Ok(None) => {}
        }
        match error {
            WorkerError::Suite { .. } | WorkerError::CannotStart { .. } => {
                self.report(Report::SuiteBroken(self.shared.site.secrets.mask(&error.to_string()))).await;
                Ending::Over
            }
            WorkerError::Ended { .. }
            | WorkerError::Silent { .. }
            | WorkerError::Protocol(_)
            | WorkerError::Lost(_)
            | WorkerError::Engine(_) => Ending::Broke(self.runner_broke(&error)),
        }
    }

    pub(super) fn runner_broke(&self, error: &WorkerError) -> BrokenEnvironment {
        BrokenEnvironment {
            service: Some(self.shared.site.manifest.environment.runner.clone()),
            cause: self.shared.site.secrets.mask(&error.to_string()),
            log_tail: Vec::new(),
        }
    }

    /// Says why an environment has ended of which that is known.
    pub(super) async fn ended_unless_stopped(&self, environment: &Environment) -> Ending {
        match self.diagnose(environment).await {
            Err(Stopped) => Ending::Over,
            Ok(broken) => Ending::Broke(broken.unwrap_or_else(connection_lost)),
        }
    }
}

/// What it means that an environment has ended though all of its services run.
pub(super) fn connection_lost() -> BrokenEnvironment {
    BrokenEnvironment { service: None, cause: "the connection to the engine was lost".to_owned(), log_tail: Vec::new() }
}

/// Starts the how-manieth worker in an environment; it has loaded the suite then. The lane that an environment is for
/// may not be known yet: then it is told with each unit.
pub(super) async fn start_worker(
    shared: &Shared,
    name: EnvironmentName,
    runner: &str,
    nth: u32,
) -> Result<Worker, WorkerError> {
    let site = &shared.site;
    let mut variables = vec![
        ("SHAKEDOWN_RUN_ID", site.run.to_string()),
        ("SHAKEDOWN_SEED", shared.seed.to_string()),
        ("TEST_ENV_NUMBER", name.lane().map_or_else(|| name.to_string(), |lane| lane.to_string())),
    ];
    variables.extend(name.lane().map(|lane| ("SHAKEDOWN_LANE", lane.to_string())));
    Worker::start(
        site.engine.clone(),
        runner,
        &site.manifest.suite,
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        &token(site, name, nth),
        site.manifest.environment.ready_within,
    )
    .await
}

/// What the how-manieth worker of an environment is known by.
pub(super) fn token(site: &Site, name: EnvironmentName, nth: u32) -> String {
    format!("{}/{name}/{nth}", site.run)
}
