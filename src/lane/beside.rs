//! Loading the suite beside the boot: a worker is started as soon as the runner's container can be used, while other
//! services of the environment still come up, and lists the tests if it is asked to.
//!
//! The suite's own files may need those services already when they are loaded. So whatever goes wrong with such a worker
//! is no error: it is killed, and another is started when everything is ready, which counts. Tests are run only then.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::life::{start_worker, token};
use super::work::next_order;
use super::{Order, Report, Shared};
use crate::environment::{Environment, Ledger};
use crate::event::BrokenEnvironment;
use crate::framework::{Worker, WorkerError};
use crate::id::{EnvironmentId, EnvironmentName, LaneIndex};

/// The number of a worker that is started beside the boot; those after it count from 1.
const BESIDE: u32 = 0;

/// Whether the suite is loaded beside the boot. A suite that could not be is not tried in the run's later environments.
#[derive(Debug, Default)]
pub struct Beside {
    in_vain: AtomicBool,
}

impl Beside {
    fn is_worth_trying(&self) -> bool {
        !self.in_vain.load(Ordering::Relaxed)
    }

    /// What went wrong with the engine says nothing of the suite.
    fn went_wrong(&self, error: &WorkerError) {
        let of_suite = match error {
            WorkerError::Suite { .. }
            | WorkerError::CannotStart { .. }
            | WorkerError::Ended { .. }
            | WorkerError::Silent { .. }
            | WorkerError::Protocol(_) => true,
            WorkerError::Lost(_) | WorkerError::Engine(_) => false,
        };
        self.in_vain.fetch_or(of_suite, Ordering::Relaxed);
    }
}

/// How a lane that boots asks whether to list the tests, and is told.
pub(super) struct Asking<'a> {
    pub(super) environment: EnvironmentId,
    pub(super) reports: &'a mpsc::Sender<(LaneIndex, Report)>,
    pub(super) orders: &'a mut mpsc::UnboundedReceiver<(EnvironmentId, Order)>,
}

/// Why there is no environment with a worker.
pub(super) enum NotUp {
    /// It did not become ready.
    Broke(BrokenEnvironment),
    /// It ended before its worker served.
    Ended,
    /// It has no worker that serves.
    NoWorker(WorkerError),
}

/// What became of a worker beside the boot.
enum Early {
    /// The suite is loaded.
    Loaded(Box<Worker>),
    /// There is none, or none any more.
    None,
    /// It came to nothing, and could not be killed.
    Stuck(WorkerError),
}

/// Boots an environment and starts its worker, as much at the same time as can be. `kept` holds the environment as soon
/// as it is ready. When this is dropped, what it had started goes with the ledger.
pub(super) async fn come_up(
    shared: &Shared,
    name: EnvironmentName,
    ledger: &Ledger,
    step: &(dyn Fn(String) + Send + Sync),
    asking: Option<Asking<'_>>,
    kept: &mut Option<Environment>,
) -> Result<Worker, NotUp> {
    let (runner, usable) = watch::channel(None);
    let ready = CancellationToken::new();
    let mut beside = pin!(beside(shared, name, usable, asking, &ready));
    let mut early = None;
    let booted = {
        let mut boot = pin!(shared.site.boot(name, ledger, step, &runner));
        loop {
            tokio::select! {
                biased;
                booted = &mut boot => break booted,
                ended = &mut beside, if early.is_none() => early = Some(ended),
            }
        }
    };
    let environment = &*kept.insert(booted.map_err(NotUp::Broke)?);
    ready.cancel();
    let serving = async {
        let early = match early {
            Some(early) => early,
            None => {
                step("loading the suite".to_owned());
                beside.await
            }
        };
        match early {
            Early::Loaded(worker) => Ok(*worker),
            Early::None => {
                step("loading the suite".to_owned());
                start_worker(shared, name, environment.runner(), 1).await
            }
            Early::Stuck(error) => Err(error),
        }
    };
    tokio::select! {
        biased;
        () = environment.ended() => Err(NotUp::Ended),
        worker = serving => worker.map_err(NotUp::NoWorker),
    }
}

/// The worker beside the boot: from the moment the runner can be used until the environment is `ready`.
async fn beside(
    shared: &Shared,
    name: EnvironmentName,
    mut usable: watch::Receiver<Option<String>>,
    asking: Option<Asking<'_>>,
    ready: &CancellationToken,
) -> Early {
    let container = tokio::select! {
        biased;
        () = ready.cancelled() => return Early::None,
        container = usable.wait_for(Option::is_some) => container.ok().and_then(|container| container.clone()),
    };
    let Some(container) = container.filter(|_| shared.beside.is_worth_trying()) else { return Early::None };
    let site = &shared.site;
    let (error, killed) = match start_worker(shared, name, &container, BESIDE).await {
        Ok(mut worker) => match serve(shared, &mut worker, asking, ready).await {
            Ok(()) => return Early::Loaded(Box::new(worker)),
            Err(error) => (error, worker.kill().await),
        },
        Err(error) => {
            let token = token(site, name, BESIDE);
            (error, Worker::clear(&*site.engine, &container, &site.manifest.suite, &token).await)
        }
    };
    shared.beside.went_wrong(&error);
    killed.map_or_else(Early::Stuck, |()| Early::None)
}

/// Lists the tests where that is wanted, and sees to it that the worker is still there when the environment is ready.
async fn serve(
    shared: &Shared,
    worker: &mut Worker,
    asking: Option<Asking<'_>>,
    ready: &CancellationToken,
) -> Result<(), WorkerError> {
    if let Some(Asking { environment, reports, orders }) = asking {
        let tell = async |report| {
            // The conductor outlives its lanes; if it is gone after all, there is nobody left to tell.
            let _ = reports.send((environment.lane, report)).await;
        };
        tell(Report::Loaded(environment)).await;
        match next_order(orders, environment).await {
            Some(Order::List) => {
                let listed = worker.list(shared.site.manifest.environment.ready_within).await;
                match listed {
                    // A list command may find nothing only because the application is not there yet.
                    Ok(tests) if tests.is_empty() => tell(Report::CannotListYet(environment)).await,
                    Ok(tests) => tell(Report::Listed(tests)).await,
                    Err(error) => {
                        tell(Report::CannotListYet(environment)).await;
                        return Err(error);
                    }
                }
            }
            // The others are given to those who ask for work, which this lane has not done.
            Some(Order::GetReady | Order::Run(_) | Order::Recycle | Order::Finish) | None => {}
        }
    }
    tokio::select! {
        // An end that was heard by now came before the environment was ready.
        biased;
        () = worker.ended() => Err(worker.end().await),
        () = ready.cancelled() => Ok(()),
    }
}
