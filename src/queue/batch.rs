//! Several units in one handout, where each handout pays for the start of a process: guided self-scheduling. Pure.
//!
//! A handout takes its lane's part of half of what is left, so that handouts shrink towards the end of the run and the
//! lanes end at about the same time. It is worth several starts at least, as long as every lane can still have so much.

use std::time::Duration;

/// What a start is taken to cost before one was seen.
const GUESS: Duration = Duration::from_secs(2);
/// A handout is worth so many starts, at least.
const STARTS: u32 = 4;
/// From so many starts on, what this run has seen counts, and no earlier one.
const ENOUGH: usize = 3;

/// How units are put together.
#[derive(Clone, Debug)]
pub struct Batching {
    /// As many tests as one process takes; more of them gain nothing.
    most: usize,
    /// What a start cost in earlier runs.
    known: Option<Duration>,
    /// What starts cost in this run.
    seen: Vec<Duration>,
}

impl Batching {
    /// Puts units together up to `most` tests; `known` is what a start cost in earlier runs.
    pub fn new(most: usize, known: Option<Duration>) -> Self {
        Self { most, known, seen: Vec::new() }
    }

    /// As many tests as one process takes.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// So long it took from a handout until its first test started.
    pub(super) fn saw(&mut self, start: Duration) {
        let place = self.seen.partition_point(|seen| *seen < start);
        self.seen.insert(place, start);
    }

    /// What a start costs.
    pub(super) fn start(&self) -> Duration {
        let median = self.seen.get(self.seen.len() / 2).copied();
        match (median, self.known) {
            (Some(median), _) if self.seen.len() >= ENOUGH => median,
            (_, Some(known)) => known,
            (Some(median), None) => median,
            (None, None) => GUESS,
        }
    }

    /// How much expected work the next handout holds, of all that waits to be handed out to so many lanes.
    pub(super) fn size(&self, waiting: Duration, lanes: usize) -> Duration {
        let lanes = u32::try_from(lanes).unwrap_or(u32::MAX).max(1);
        let share = waiting / lanes;
        (share / 2).max((self.start() * STARTS).min(share))
    }
}
