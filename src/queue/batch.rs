//! Several units in one handout, where each handout pays for the start of a process: guided self-scheduling. Pure.
//!
//! What waits and what other lanes still hold is all that is left; a lane's share of it is what it would run if all
//! lanes ended at the same moment. A handout takes a part of that share, so that handouts shrink towards the end of the
//! run, and what took longer than was expected is made up for. It is worth several starts at least, as long as that is no
//! more than the share. A single lane has nobody to end with, and takes all.

use std::time::Duration;

/// What a start is taken to cost before one was seen.
const GUESS: Duration = Duration::from_secs(2);
/// A handout is worth so many starts, at least.
const STARTS: u32 = 4;
/// The part of its share that a lane takes, in percent, where most tests' durations are guessed.
const CAUTIOUS: u32 = 50;
/// The same where they are known from earlier runs.
const CONFIDENT: u32 = 75;
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
    /// The part of its share that a lane takes, in percent.
    part: u32,
}

impl Batching {
    /// Puts units together up to `most` tests; `known` is what a start cost in earlier runs.
    pub fn new(most: usize, known: Option<Duration>) -> Self {
        Self { most, known, seen: Vec::new(), part: CAUTIOUS }
    }

    /// Whether most tests' durations are known from earlier runs.
    pub fn with_known_durations(self, known: bool) -> Self {
        Self { part: if known { CONFIDENT } else { CAUTIOUS }, ..self }
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

    /// How much expected work the next handout holds at most, of all that is `left` to so many lanes.
    pub(super) fn size(&self, left: Duration, lanes: usize) -> Duration {
        let lanes = u32::try_from(lanes).unwrap_or(u32::MAX).max(1);
        let share = left / lanes;
        if lanes == 1 { share } else { (share * self.part / 100).max((self.start() * STARTS).min(share)) }
    }
}
