//! Several units in one handout, where each handout pays for the start of a process: guided self-scheduling. Pure.
//!
//! What waits and what other lanes still hold is all that is left; a lane's share of it is what it would run if all
//! lanes ended at the same moment. A handout takes a part of that share, so that handouts shrink towards the end of the
//! run, and what took longer than was expected is made up for. Where the rest of the share would not be worth several
//! starts, it takes that, too. A single lane has nobody to end with, and takes all.

use std::time::Duration;

/// What a start is taken to cost before one was seen.
const GUESS: Duration = Duration::from_secs(2);
/// Where most tests' durations are guessed: there is much to be made up for.
const CAUTIOUS: Caution = Caution { part: 50, starts: 2 };
/// Where they are known from earlier runs. A start costs about twice what is seen of it, as the next process is started
/// beside the tests.
const CONFIDENT: Caution = Caution { part: 75, starts: 8 };
/// From so many starts on, what this run has seen counts, and no earlier one.
const ENOUGH: usize = 3;

/// How much a lane leaves for later of what is expected to be its share.
#[derive(Clone, Copy, Debug)]
struct Caution {
    /// The part that it takes, in percent.
    part: u32,
    /// How many starts the rest has to be worth.
    starts: u32,
}

/// How units are put together.
#[derive(Clone, Debug)]
pub struct Batching {
    /// As many tests as one process takes; more of them gain nothing.
    most: usize,
    /// What a start cost in earlier runs.
    known: Option<Duration>,
    /// What starts cost in this run.
    seen: Vec<Duration>,
    caution: Caution,
}

impl Batching {
    /// Puts units together up to `most` tests; `known` is what a start cost in earlier runs.
    pub fn new(most: usize, known: Option<Duration>) -> Self {
        Self { most, known, seen: Vec::new(), caution: CAUTIOUS }
    }

    /// Whether most tests' durations are known from earlier runs.
    pub fn with_known_durations(self, known: bool) -> Self {
        Self { caution: if known { CONFIDENT } else { CAUTIOUS }, ..self }
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
        let part = share * self.caution.part / 100;
        if lanes == 1 || share - part < self.start() * self.caution.starts { share } else { part }
    }
}
