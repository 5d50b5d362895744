//! What a lane has done in its environment.

use crate::id::{EnvironmentId, TestId};

/// A lane's place in an environment: what it has run there so far.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) environment: EnvironmentId,
    workers: u32,
    pub(super) position: u32,
    pub(super) predecessor: Option<TestId>,
    pub(super) fruitful: bool,
}

impl Seat {
    pub(super) fn new(environment: EnvironmentId) -> Self {
        Self { environment, workers: 1, position: 0, predecessor: None, fruitful: false }
    }

    /// The number of the worker that is started next.
    pub(super) fn next_worker(&mut self) -> u32 {
        self.workers += 1;
        self.workers
    }

    /// Whether any attempt ended here.
    pub(super) fn was_used(&self) -> bool {
        self.position > 0
    }

    /// Whether any attempt here came to an outcome of its own.
    pub(super) fn was_fruitful(&self) -> bool {
        self.fruitful
    }
}
