//! A worker of either kind.

use std::sync::Arc;
use std::time::Duration;

use super::command::CommandWorker;
use super::protocol::AskedTest;
use super::worker::{self, ShimWorker};
use super::{Heard, ListedTest, Shim, WorkerError, minitest, playwright, pytest, rspec};
use crate::engine::Engine;
use crate::id::LaneIndex;
use crate::manifest::{CommandSuite, FrameworkKind, Suite};

/// Lists tests and runs units in one runner service: the one contract that every framework keeps. See the module's
/// documentation for what it asks.
pub struct Worker(Kind);

enum Kind {
    /// A process that stays warm.
    Shim(Box<ShimWorker>),
    /// A command for each test.
    Command(Box<CommandWorker>),
}

/// What a framework's tests are run by.
enum Program<'a> {
    Shim(Shim),
    Command(&'a CommandSuite),
}

fn program(framework: &FrameworkKind) -> Program<'_> {
    match framework {
        FrameworkKind::Rspec => Program::Shim(rspec::SHIM),
        FrameworkKind::Minitest => Program::Shim(minitest::SHIM),
        FrameworkKind::Playwright => Program::Shim(playwright::SHIM),
        FrameworkKind::Pytest => Program::Shim(pytest::SHIM),
        FrameworkKind::Command(command) => Program::Command(command),
    }
}

impl Worker {
    /// Starts a worker in a container and waits until it has loaded the suite. `token` must be unlike that of any
    /// other worker in the container.
    pub async fn start(
        engine: Arc<dyn Engine>,
        container: &str,
        suite: &Suite,
        environment: Vec<(String, String)>,
        token: &str,
        limit: Duration,
    ) -> Result<Self, WorkerError> {
        match program(&suite.framework) {
            Program::Shim(shim) => {
                let worker = ShimWorker::start(engine, container, shim, &suite.paths, environment, token, limit);
                worker.await.map(|worker| Self(Kind::Shim(Box::new(worker))))
            }
            Program::Command(command) => {
                let worker = CommandWorker::new(engine, container, command.clone(), environment, token);
                Ok(Self(Kind::Command(Box::new(worker))))
            }
        }
    }

    /// Kills what is left of a worker that was started and did not come to load the suite.
    pub async fn clear(engine: &dyn Engine, container: &str, suite: &Suite, token: &str) -> Result<(), WorkerError> {
        match program(&suite.framework) {
            Program::Shim(shim) => worker::kill(engine, container, &shim, token).await,
            // Nothing is started before it is asked for something.
            Program::Command(_) => Ok(()),
        }
    }

    /// Names all tests.
    pub async fn list(&mut self, limit: Duration) -> Result<Vec<ListedTest>, WorkerError> {
        match &mut self.0 {
            Kind::Shim(worker) => worker.list(limit).await,
            Kind::Command(worker) => worker.list(limit).await,
        }
    }

    /// Asks for a unit. What comes of it is heard from [`next`](Self::next), up to its
    /// [`UnitEnded`](super::protocol::FromWorker::UnitEnded).
    pub async fn run(&mut self, unit: String, lane: LaneIndex, tests: Vec<AskedTest>) -> Result<(), WorkerError> {
        match &mut self.0 {
            Kind::Shim(worker) => worker.run(unit, lane, tests).await,
            Kind::Command(worker) => {
                worker.run(unit, lane, tests);
                Ok(())
            }
        }
    }

    /// The next thing heard. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Heard, WorkerError> {
        match &mut self.0 {
            Kind::Shim(worker) => worker.next().await,
            Kind::Command(worker) => worker.next().await,
        }
    }

    /// What the worker's end means: call it after [`Heard::End`].
    pub async fn end(&mut self) -> WorkerError {
        match &mut self.0 {
            Kind::Shim(worker) => worker.end().await,
            Kind::Command(worker) => worker.end(),
        }
    }

    /// Whether something that was said on either side has not arrived on the other: asked when a test seems to hang, for
    /// then the connection may be at fault.
    pub async fn is_out_of_touch(&mut self) -> Result<bool, WorkerError> {
        match &mut self.0 {
            Kind::Shim(worker) => worker.is_out_of_touch().await,
            // Each command is asked after by itself.
            Kind::Command(_) => Ok(false),
        }
    }

    /// Tests that run [together](Heard::Together) have used up their time: what they have told so far counts, the others
    /// are run one by one. `false` where that is not to be had.
    pub fn part(&mut self) -> bool {
        match &mut self.0 {
            Kind::Shim(_) => false,
            Kind::Command(worker) => worker.part(),
        }
    }

    /// Ends when the worker has ended without being asked to, or can't be relied on any more. Call it only while nothing
    /// is asked of the worker; what it writes meanwhile is dropped.
    pub async fn ended(&mut self) {
        match &mut self.0 {
            Kind::Shim(worker) => worker.ended().await,
            // Between two units nothing of it runs.
            Kind::Command(_) => std::future::pending().await,
        }
    }

    /// Lets the worker clean up after the suite and end; not for long.
    pub async fn quit(self) {
        match self.0 {
            Kind::Shim(worker) => worker.quit().await,
            // Between two units nothing of it runs.
            Kind::Command(_) => {}
        }
    }

    /// Kills the worker and everything it has started, the browser included.
    pub async fn kill(self) -> Result<(), WorkerError> {
        match self.0 {
            Kind::Shim(worker) => worker.kill().await,
            Kind::Command(worker) => worker.kill().await,
        }
    }
}
