//! Spare environments, ready with a warm worker, so that a lane whose environment is replaced need not wait.
//!
//! One task, the [`Keeper`], boots them for all lanes together; a lane [takes](Standby::take) one and gives it a name
//! of its own. Whoever holds a spare tears its ledger down.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::select_all;
use tokio::sync::{Notify, mpsc, watch};

use super::Shared;
use super::beside::{NotUp, come_up};
use crate::environment::{Environment, Ledger};
use crate::event::RunEvent;
use crate::framework::Worker;
use crate::id::EnvironmentName;

/// After this many failures in a row no more spares are made: the lanes find out for themselves what is wrong.
const FAILURES_IN_A_ROW: u32 = 3;

/// Whether spares are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spares {
    /// Not now: lanes still boot their own, or there is no more work to be handed out.
    Unwanted,
    /// There are lanes that may need one.
    Wanted,
    /// Never again.
    Over,
}

/// The spare environments of a run.
pub struct Standby {
    size: usize,
    ready: Mutex<VecDeque<Spare>>,
    taken: Notify,
    wanted: watch::Sender<Spares>,
}

/// An environment that stands by.
pub(super) struct Spare {
    pub(super) ledger: Ledger,
    pub(super) environment: Box<Environment>,
    pub(super) worker: Box<Worker>,
}

impl Standby {
    /// Room for `size` spares.
    pub fn new(size: usize) -> Self {
        Self { size, ready: Mutex::default(), taken: Notify::new(), wanted: watch::channel(Spares::Unwanted).0 }
    }

    /// How many are kept.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Says whether spares are of use from now on.
    pub fn set(&self, spares: Spares) {
        self.wanted.send_replace(spares);
    }

    /// Takes one that is ready. One that has broken meanwhile is left to the keeper.
    pub(super) fn take(&self) -> Option<Spare> {
        let mut ready = self.ready();
        let place = ready.iter().position(|spare| !spare.environment.has_ended())?;
        let spare = ready.remove(place);
        self.taken.notify_one();
        spare
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<Spare>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_broken(&self) -> Option<Spare> {
        let mut ready = self.ready();
        let place = ready.iter().position(|spare| spare.environment.has_ended())?;
        ready.remove(place)
    }

    /// Ends when a spare was taken or has broken, or the wish has changed.
    async fn changed(&self) {
        let endings: Vec<_> = self.ready().iter().map(|spare| spare.environment.ending().boxed()).collect();
        let broken = async {
            if endings.is_empty() {
                std::future::pending().await
            } else {
                drop(select_all(endings).await);
            }
        };
        let mut wanted = self.wanted.subscribe();
        tokio::select! {
            () = self.taken.notified() => {}
            _ = wanted.changed() => {}
            () = broken => {}
        }
    }
}

/// Makes spares as long as they are of use.
pub struct Keeper {
    /// What it shares with the lanes.
    pub shared: Arc<Shared>,
    /// Where it tells what is worth telling.
    pub events: mpsc::Sender<RunEvent>,
}

impl Keeper {
    /// Keeps spares until the run is over. Nothing of those that no lane has taken is left on the engine then.
    pub async fn keep(self) {
        let shared = self.shared.clone();
        let mut failures = 0;
        for number in 1.. {
            tokio::select! {
                biased;
                () = self.over() => break,
                () = self.until_needed() => {}
            }
            match self.make(number).await {
                Ok(()) => failures = 0,
                Err(why) => failures += 1_u32.saturating_mul(u32::from(why.is_some())),
            }
            if failures == FAILURES_IN_A_ROW {
                let message = format!("no more environments are kept on standby: {FAILURES_IN_A_ROW} in a row failed");
                self.tell(RunEvent::Warning { message }).await;
                break;
            }
        }
        self.over().await;
        loop {
            let Some(spare) = shared.standby.ready().pop_front() else { return };
            self.discard(spare.ledger, Some(*spare.environment)).await;
        }
    }

    async fn tell(&self, event: RunEvent) {
        // The conductor outlives the keeper; if it is gone after all, there is nobody left to tell.
        let _ = self.events.send(event).await;
    }

    async fn over(&self) {
        let mut wanted = self.shared.standby.wanted.subscribe();
        tokio::select! {
            () = self.shared.stop.cancelled() => {}
            _ = wanted.wait_for(|wanted| *wanted == Spares::Over) => {}
        }
    }

    /// Waits until there are fewer than there should be. Throws away what breaks meanwhile.
    async fn until_needed(&self) {
        let standby = &self.shared.standby;
        loop {
            while let Some(broken) = standby.take_broken() {
                self.discard(broken.ledger, Some(*broken.environment)).await;
            }
            if *standby.wanted.borrow() == Spares::Wanted && standby.ready().len() < standby.size {
                return;
            }
            standby.changed().await;
        }
    }

    /// Makes one. The error says why there is none; `None` where the run is over.
    async fn make(&self, number: u32) -> Result<(), Option<String>> {
        let ledger = Ledger::new(self.shared.site.in_flight.clone());
        let mut environment = None;
        let made = tokio::select! {
            biased;
            () = self.over() => Err(None),
            made = self.boot(number, &ledger, &mut environment) => made.map_err(Some),
        };
        match (made, environment) {
            (Ok(worker), Some(environment)) => {
                let spare = Spare { ledger, environment: Box::new(environment), worker: Box::new(worker) };
                self.shared.standby.ready().push_back(spare);
                Ok(())
            }
            (Err(why), environment) => {
                self.discard(ledger, environment).await;
                Err(why)
            }
            (Ok(_), None) => Ok(()),
        }
    }

    async fn boot(&self, number: u32, ledger: &Ledger, kept: &mut Option<Environment>) -> Result<Worker, String> {
        let shared = &self.shared;
        let _permit = shared.boots.acquire().await.map_err(|error| error.to_string())?;
        let name = EnvironmentName::Standby(number);
        come_up(shared, name, ledger, &|_| {}, None, kept).await.map_err(|why| match why {
            NotUp::Broke(broken) => broken.cause,
            NotUp::Ended => "it ended before its worker served".to_owned(),
            NotUp::NoWorker(error) => error.to_string(),
        })
    }

    async fn discard(&self, ledger: Ledger, environment: Option<Environment>) {
        let cpu = environment.as_ref().map(Environment::cpu).unwrap_or_default();
        for error in ledger.tear_down(&*self.shared.site.engine).await {
            let message = format!("{error}; it is tried again at the end of the run");
            self.tell(RunEvent::Warning { message }).await;
        }
        if let Some(environment) = environment {
            environment.finish_logs().await;
        }
        self.tell(RunEvent::StandbyRemoved { cpu }).await;
    }
}
