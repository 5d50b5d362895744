//! The loop of a run: it owns the queue, the lanes and the stop level, and turns everything that happens into events.
//!
//! Decisions are made in [`state`], without waiting; this file only carries them out. Architecture invariant: nothing
//! here knows of terminals or SQL.

mod dealing;
mod repeat;
pub mod state;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::event::RunEvent;
use crate::framework::ListedTest;
use crate::id::{EnvironmentId, LaneIndex};
use crate::lane::standby::Keeper;
use crate::lane::{Lane, Order, Shared};
use crate::verdict::{Interruption, RunVerdict, StopReason};
use state::{Action, Rules, State};

/// How many reports may wait for the conductor.
const REPORTS: usize = 256;

/// Takes the run's events, one after another. An event that is taken is on disk where it matters.
#[async_trait]
pub trait EventSink: Send {
    /// Takes an event. The error, in words, ends the run: going on would lose results.
    async fn take(&mut self, event: RunEvent) -> Result<(), String>;
}

/// Asks a run to stop.
pub struct Stops {
    /// Reasons to stop, from signals and deadlines.
    pub reasons: mpsc::Receiver<StopReason>,
    /// Stop now: lanes are not waited for. What they leave must be swept.
    pub kill: CancellationToken,
}

/// Runs all tests over `lanes` lanes, and returns what that means. Unless it was killed, every lane has torn down
/// what it made.
pub async fn conduct(
    rules: Rules,
    shared: Arc<Shared>,
    lanes: u16,
    stops: Stops,
    sink: &mut dyn EventSink,
) -> RunVerdict {
    let mut conductor = drive(State::new(rules, lanes), shared, lanes, stops, sink).await;
    let (actions, verdict) = conductor.state.finish();
    conductor.act(actions).await;
    match conductor.lost {
        Some(why) => RunVerdict::Incomplete(StopReason::StoreLost(why)),
        None => verdict,
    }
}

/// Lists all tests in one environment, and runs none. Where that did not come to its end, says why. As for
/// [`conduct`], nothing is left.
pub async fn list(
    rules: Rules,
    shared: Arc<Shared>,
    stops: Stops,
    sink: &mut dyn EventSink,
) -> Result<Vec<ListedTest>, RunVerdict> {
    drive(State::new(rules, 1).only_listing(), shared, 1, stops, sink).await.state.into_listed()
}

/// Lets lanes live around a state until all are over.
async fn drive(
    state: State,
    shared: Arc<Shared>,
    lanes: u16,
    mut stops: Stops,
    sink: &mut dyn EventSink,
) -> Conductor<'_> {
    let (sender, mut reports) = mpsc::channel(REPORTS);
    let mut conductor = Conductor { state, orders: Vec::new(), shared: shared.clone(), sink, lost: None };
    let mut tasks = JoinSet::new();
    let mut of_task = std::collections::HashMap::new();
    for lane in (0..lanes).map(LaneIndex) {
        // There is at most one order for each environment that asked, so it can't grow without bound; and the
        // conductor must never wait for a lane that may itself wait for the conductor.
        let (orders, ordered) = mpsc::unbounded_channel();
        conductor.orders.push(orders);
        let lane_task = Lane { index: lane, shared: shared.clone(), reports: sender.clone(), orders: ordered };
        of_task.insert(tasks.spawn(lane_task.live()).id(), lane);
    }
    drop(sender);
    let (spare_events, mut of_spares) = mpsc::channel(REPORTS);
    if shared.standby.size() > 0 {
        tasks.spawn(Keeper { shared, events: spare_events }.keep());
    }
    loop {
        tokio::select! {
            // Reports come first, so that a lane's last words are heard before its end.
            biased;
            () = stops.kill.cancelled() => {
                let reason = stops.reasons.try_recv().unwrap_or(StopReason::Signal(Interruption::Interrupt));
                let actions = conductor.state.stop(reason, Timestamp::now());
                conductor.act(actions).await;
                tasks.shutdown().await;
                // What lanes had told by then has happened.
                while let Ok((lane, report)) = reports.try_recv() {
                    let actions = conductor.state.handle(lane, report, Timestamp::now());
                    conductor.act(actions).await;
                }
                break;
            }
            Some((lane, report)) = reports.recv() => {
                let actions = conductor.state.handle(lane, report, Timestamp::now());
                conductor.act(actions).await;
            }
            Some(event) = of_spares.recv() => conductor.act(vec![Action::Emit(event)]).await,
            Some(reason) = stops.reasons.recv() => {
                let actions = conductor.state.stop(reason, Timestamp::now());
                conductor.act(actions).await;
            }
            ended = tasks.join_next_with_id() => {
                let Some(ended) = ended else { break };
                let (id, panicked) = match ended {
                    Ok((id, ())) => (id, None),
                    Err(error) => (error.id(), Some(error.to_string())),
                };
                if let Some(lane) = of_task.get(&id) {
                    let actions = conductor.state.lane_is_over(*lane, panicked, Timestamp::now());
                    conductor.act(actions).await;
                }
            }
        }
    }
    conductor
}

struct Conductor<'a> {
    state: State,
    orders: Vec<mpsc::UnboundedSender<(EnvironmentId, Order)>>,
    shared: Arc<Shared>,
    sink: &'a mut dyn EventSink,
    lost: Option<String>,
}

impl Conductor<'_> {
    async fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Emit(event) => {
                    if let Err(why) = self.sink.take(event).await
                        && self.lost.is_none()
                    {
                        self.lost = Some(why.clone());
                        // Its actions would end up here again; the lanes only need to know that it is over.
                        let _ = self.state.stop(StopReason::StoreLost(why), Timestamp::now());
                        self.shared.stop.cancel();
                    }
                }
                Action::Order(environment, order) => {
                    // A lane that is gone is reported as such.
                    if let Some(orders) = self.orders.get(usize::from(environment.lane.0)) {
                        let _ = orders.send((environment, order));
                    }
                }
                Action::EndLanes => self.shared.stop.cancel(),
                Action::Standby(spares) => self.shared.standby.set(spares),
            }
        }
    }
}
