//! One lane's life: an environment, a warm worker in it that loads the suite while the environment still comes up, units
//! one after another, and a fresh environment when the old one breaks or is not wanted any more.
//!
//! A lane decides nothing about the run. It tells what happens ([`Report`]) and does as it is told ([`Order`]).
//! Every wait listens for stop. Whatever ends an environment's life, its ledger is torn down.
//!
//! Architecture invariant: nothing here knows the queue's insides or SQL.

mod beside;
mod life;
mod reset;
mod seat;
pub mod standby;
mod unit;
mod work;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use crate::environment::{Environment, Ledger, Presence, Site};
use crate::event::{Attempt, BrokenEnvironment, ResourceUse};
use crate::evidence::{Evidence, Place};
use crate::framework::{ListedTest, Worker};
use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, TestId, UnitId};
use crate::queue::TestIndex;
use crate::verdict::TimeLimit;
pub use beside::Beside;
use standby::Standby;

/// A lane stands down that has this many environments in a row which break before any attempt ended in them.
const UNUSED_IN_A_ROW: u32 = 3;
/// And one that has this many in a row in which no attempt came to an outcome of its own: some tests may break every
/// environment that they get, but not all of them.
const FRUITLESS_IN_A_ROW: u32 = 10;

/// What a lane tells.
#[derive(Debug)]
pub enum Report {
    /// It boots an environment.
    Booting(EnvironmentId),
    /// The boot waits for something else now.
    Step(EnvironmentId, String),
    /// The suite is loaded there, though the environment is not ready yet: the tests could be listed. The answer is
    /// [`Order::List`] or [`Order::GetReady`], and comes in any case unless the run stops.
    Loaded(EnvironmentId),
    /// The tests could not be listed there before the environment is ready, as was ordered.
    CannotListYet(EnvironmentId),
    /// An environment is ready, its worker warm.
    Ready {
        /// Which.
        environment: EnvironmentId,
        /// How long the lane has waited for it.
        boot: Duration,
        /// Whether it had stood by.
        standby: bool,
    },
    /// The environment's state was reset; how long that took.
    Reset(EnvironmentId, Duration),
    /// All tests, as ordered by [`Order::List`]; the environment may not be ready yet.
    Listed(Vec<ListedTest>),
    /// The suite can't be loaded, wherever it is tried; why.
    SuiteBroken(String),
    /// It has nothing to do. Whatever it still holds is given back.
    WantsWork,
    /// The first test of a unit was started; told when it ends.
    UnitBegan {
        /// Where.
        environment: EnvironmentId,
        /// The unit.
        unit: UnitId,
        /// The test's file.
        file: String,
        /// How long that took since the worker was asked for the unit, with what the framework did in that test and
        /// does not count as the test's.
        took: Duration,
    },
    /// A test starts.
    Started(WorkItem, EnvironmentId, Timestamp),
    /// An attempt ended.
    Ended(TestIndex, Attempt),
    /// Something is worth saying.
    Warning(String),
    /// The environment did not come up, or broke.
    Broke(EnvironmentId, BrokenEnvironment),
    /// The environment is gone from the engine, with what it had used.
    Removed(EnvironmentId, ResourceUse),
    /// Too many of its environments in a row were of no use; it ends.
    StoodDown(String),
}

/// What a lane is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Name all tests.
    List,
    /// Others see to the listing: the environment only has to become ready.
    GetReady,
    /// Run this.
    Run(Work),
    /// Get a fresh environment.
    Recycle,
    /// There is nothing more to do.
    Finish,
}

/// A unit to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The unit.
    pub unit: UnitId,
    /// Its tests.
    pub tests: Vec<WorkItem>,
}

/// A test to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkItem {
    /// Its place in the plan.
    pub index: TestIndex,
    /// The test.
    pub test: TestId,
    /// How the framework addresses it.
    pub selector: String,
    /// The attempt that this will be.
    pub attempt: AttemptNumber,
    /// Where it stands.
    pub place: Place,
    /// How long the attempt may take.
    pub limit: TimeLimit,
}

/// What all lanes of a run share.
pub struct Shared {
    /// Where environments are made.
    pub site: Site,
    /// How many environments may start at once.
    pub boots: Semaphore,
    /// Environments that stand by for them.
    pub standby: Standby,
    /// What is kept of attempts that do not pass.
    pub evidence: Arc<Evidence>,
    /// How long may pass between two tests of a unit, in which hooks run.
    pub test_timeout: TimeLimit,
    /// The run's seed.
    pub seed: u64,
    /// Whether the suite is loaded beside the boot.
    pub beside: Beside,
    /// Ends all lanes: whatever runs is interrupted.
    pub stop: CancellationToken,
}

/// A lane.
pub struct Lane {
    /// Which one.
    pub index: LaneIndex,
    /// What it shares with the others.
    pub shared: Arc<Shared>,
    /// Where it tells what happens.
    pub reports: mpsc::Sender<(LaneIndex, Report)>,
    /// Where it is told what to do, and for which environment: an order may still be on its way when the environment
    /// that it was meant for breaks.
    pub orders: mpsc::UnboundedReceiver<(EnvironmentId, Order)>,
}

/// How a lane comes to an environment.
enum Start<'a> {
    /// It boots one, as one of those that may start at once.
    Boot(SemaphorePermit<'a>),
    /// It takes one that stood by, with its worker.
    Adopt(Box<Environment>, Box<Worker>),
}

/// How an environment's life ended.
enum Ending {
    /// There is nothing more to do, or the run stops.
    Over,
    /// Another one is wanted.
    Recycle,
    /// It did not become ready, or broke.
    Broke(BrokenEnvironment),
}

/// The run stops.
struct Stopped;

impl Lane {
    /// Lives until the run is over or the lane stands down. Nothing of it is left on the engine then.
    pub async fn live(mut self) {
        let (mut unused, mut fruitless) = (0, 0);
        let shared = self.shared.clone();
        for generation in 1.. {
            let id = EnvironmentId { lane: self.index, generation };
            let (ledger, start) = match shared.standby.take() {
                Some(spare) => (spare.ledger, Start::Adopt(spare.environment, spare.worker)),
                // An environment that may not begin to boot any more is none: it is not told of, nor torn down.
                None => tokio::select! {
                    biased;
                    () = shared.stop.cancelled() => return,
                    Ok(permit) = shared.boots.acquire() => {
                        (Ledger::new(shared.site.in_flight.clone()), Start::Boot(permit))
                    }
                    // The semaphore is never closed.
                    else => return,
                },
            };
            let mut environment = None;
            let mut seat = seat::Seat::new(id);
            // A panic costs an environment, not what is on the engine, nor the run.
            let life = AssertUnwindSafe(self.life(&ledger, start, &mut environment, &mut seat)).catch_unwind();
            let ending = life.await.unwrap_or_else(|panic| Ending::Broke(own_failure(&*panic)));
            let mut presence = Presence::There;
            if let Ending::Broke(broken) = &ending {
                self.report(Report::Broke(id, broken.clone())).await;
                presence = self.until_engine_answers().await;
            } else if let Some(environment) = &environment {
                self.tell_notes(id, environment).await;
            }
            self.tear_down(id, &ledger, environment).await;
            match ending {
                Ending::Over => return,
                Ending::Recycle => (unused, fruitless) = (0, 0),
                Ending::Broke(broken) => {
                    if let Presence::Away(why) = presence {
                        self.report(Report::StoodDown(why)).await;
                        return;
                    }
                    // That the engine was away for a while says nothing of the environment.
                    let counts = presence == Presence::There;
                    unused = if seat.was_used() { 0 } else { unused + u32::from(counts) };
                    fruitless = if seat.was_fruitful() { 0 } else { fruitless + 1 };
                    if unused == UNUSED_IN_A_ROW || fruitless == FRUITLESS_IN_A_ROW {
                        self.report(Report::StoodDown(broken.cause)).await;
                        return;
                    }
                }
            }
        }
    }

    async fn report(&self, report: Report) {
        // The conductor outlives its lanes; if it is gone after all, there is nobody left to tell.
        let _ = self.reports.send((self.index, report)).await;
    }

    /// Some seconds without an engine, as when it is restarted, must not use up the lane's tries.
    async fn until_engine_answers(&self) -> Presence {
        let presence = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => return Presence::There,
            presence = self.shared.site.until_engine_answers() => presence,
        };
        if let Presence::Back(after) = presence {
            let after = after.as_secs_f64();
            let message = format!("lane {}: the engine did not answer for {after:.1} s; now it does", self.index);
            self.report(Report::Warning(message)).await;
        }
        presence
    }

    async fn tear_down(&self, id: EnvironmentId, ledger: &Ledger, environment: Option<Environment>) {
        let used = environment.as_ref().map(Environment::used).unwrap_or_default();
        let errors = ledger.tear_down(&*self.shared.site.engine).await;
        if let Some(environment) = environment {
            environment.finish_logs().await;
        }
        // Where one thing can't be removed, the others often can't for the same reason.
        if let Some(first) = errors.first() {
            let more = match errors.len() - 1 {
                0 => String::new(),
                more => format!("; nor could {more} more of environment {id}"),
            };
            let message = format!("{first}{more}; this is tried again at the end of the run");
            self.report(Report::Warning(message)).await;
        }
        self.report(Report::Removed(id, used)).await;
    }
}

/// What a panic means, in words.
fn own_failure(panic: &(dyn Any + Send)) -> BrokenEnvironment {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    BrokenEnvironment {
        service: None,
        cause: format!("shakedown itself failed, please report it: {}", text.unwrap_or("it did not say how")),
        log_tail: Vec::new(),
    }
}
