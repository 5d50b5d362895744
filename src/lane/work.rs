//! Doing what is ordered in an environment that is ready.

use tokio::sync::mpsc;

use super::life::start_worker;
use super::reset::{Upkeep, after_failure, after_unit};
use super::seat::Seat;
use super::unit::UnitEnd;
use super::{Ending, Lane, Order, Report};
use crate::environment::Environment;
use crate::framework::Worker;
use crate::id::EnvironmentId;

impl Lane {
    /// Does what is ordered, until the environment's life ends.
    pub(super) async fn work(&mut self, environment: &Environment, mut worker: Worker, seat: &mut Seat) -> Ending {
        let stop = self.shared.stop.clone();
        let id = seat.environment;
        loop {
            self.tell_notes(id, environment).await;
            self.report(Report::WantsWork).await;
            let order = tokio::select! {
                biased;
                () = stop.cancelled() => return Ending::Over,
                () = environment.ended() => return self.ended_unless_stopped(environment).await,
                order = next_order(&mut self.orders, id) => order,
            };
            match order {
                None | Some(Order::Finish) => {
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = worker.quit() => {}
                    }
                    return Ending::Over;
                }
                Some(Order::Recycle) => return Ending::Recycle,
                // It is ready already.
                Some(Order::GetReady) => {}
                Some(Order::List) => {
                    let listed = tokio::select! {
                        biased;
                        () = stop.cancelled() => return Ending::Over,
                        () = environment.ended() => return self.ended_unless_stopped(environment).await,
                        listed = worker.list(self.shared.site.manifest.environment.ready_within) => listed,
                    };
                    match listed {
                        Ok(tests) => self.report(Report::Listed(tests)).await,
                        Err(error) => return self.without_worker(environment, error).await,
                    }
                }
                Some(Order::Run(work)) => {
                    let reset = &self.shared.site.manifest.environment.reset;
                    let (upkeep, serves) = match self.run_unit(environment, &mut worker, seat, work).await {
                        UnitEnd::Stopped => return Ending::Over,
                        UnitEnd::Broke(broken) => return Ending::Broke(broken),
                        UnitEnd::Clean => (after_unit(reset), true),
                        UnitEnd::Failed => (after_failure(reset), true),
                        UnitEnd::CutShort | UnitEnd::WorkerLost => (after_failure(reset), false),
                    };
                    worker = match self.tend(environment, worker, seat, upkeep, serves).await {
                        Ok(worker) => worker,
                        Err(ending) => return ending,
                    };
                }
            }
        }
    }

    /// Makes the environment and its worker fit for the next unit, unless their life ends here. A worker that does not
    /// `serve` any more is killed before the state is reset, as it may be in the middle of a test.
    async fn tend(
        &self,
        environment: &Environment,
        worker: Worker,
        seat: &mut Seat,
        upkeep: Upkeep,
        serves: bool,
    ) -> Result<Worker, Ending> {
        if upkeep == Upkeep::Recycle {
            return Err(Ending::Recycle);
        }
        let tending = async {
            let serving = if serves {
                Some(worker)
            } else {
                worker.kill().await.map_err(|error| Ending::Broke(self.runner_broke(&error)))?;
                None
            };
            if upkeep == Upkeep::Reset && !self.reset(seat.environment, environment).await {
                return Err(Ending::Recycle);
            }
            match serving {
                Some(worker) => Ok(worker),
                None => {
                    let fresh =
                        start_worker(&self.shared, environment.name(), environment.runner(), seat.next_worker()).await;
                    fresh.map_err(|error| Ending::Broke(self.runner_broke(&error)))
                }
            }
        };
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => Err(Ending::Over),
            () = environment.ended() => Err(self.ended_unless_stopped(environment).await),
            tended = tending => tended,
        }
    }
}

/// The next order that is meant for this environment. What was meant for an earlier one was given back when that one
/// broke, and may be in other hands by now.
pub(super) async fn next_order(
    orders: &mut mpsc::UnboundedReceiver<(EnvironmentId, Order)>,
    environment: EnvironmentId,
) -> Option<Order> {
    loop {
        let (meant_for, order) = orders.recv().await?;
        if meant_for == environment {
            return Some(order);
        }
    }
}
