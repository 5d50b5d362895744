//! Which unit may start now, in which environment. Synchronous and pure: no clock, no I/O.
//!
//! Lanes [`join`](Queue::join), then [`take`](Queue::take) units. What a lane holds is either
//! [`ended`](Queue::ended), test by test, or [given back](Queue::give_back). A failed test comes back as a unit of
//! its own, ahead of the rest, that no environment may take in which it failed. Every test settles exactly once,
//! whatever the order of endings, lane losses and stops; the property tests hold that.
//!
//! Where environments outlive failures, one in which too much fails is suspect ([`stretch`]): it is recycled, and its
//! failures are tried elsewhere before they count. Until that is known, a verdict may have to wait; it comes out of
//! [`take_settled`](Queue::take_settled) then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, UnitId};
use crate::verdict::{AttemptLimits, NextStep, Outcome, TestVerdict, next_step, verdict_at_stop};

mod batch;
mod locks;
mod stretch;

#[cfg(test)]
mod handouts;
#[cfg(test)]
pub(crate) mod properties;

pub use batch::Batching;
pub use locks::Resource;
use locks::{Locks, Look};
use stretch::Stretch;

/// A test, by its place in the plan.
pub type TestIndex = usize;

/// What a lane that asks for work is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// Run this.
    Unit(Handout),
    /// Ask again when something has changed: work may come back, or is for others.
    Wait,
    /// What is left must not run in this environment, and no other lane will take it: get a fresh environment.
    Recycle,
    /// Every test is settled.
    Finished,
}

/// A unit in a lane's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handout {
    /// The unit.
    pub unit: UnitId,
    /// Its tests, in order, each with the number of the attempt that this will be.
    pub tests: Vec<(TestIndex, AttemptNumber)>,
}

/// A unit that waits.
#[derive(Debug)]
struct Waiting {
    tests: Vec<TestIndex>,
    /// Where its only test has failed; empty for units that were never tried.
    avoid: BTreeSet<EnvironmentId>,
    /// Its only test was tried before: it is handed out by itself.
    alone: bool,
    /// What its lane must have for itself.
    needs: BTreeSet<Resource>,
}

/// What the queue knows of a test from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How long an attempt is expected to take.
    pub expected: Duration,
    /// The number of its file: failures of one file cast no suspicion on an environment.
    pub file: usize,
    /// What only one lane may use at a time, and this test uses.
    pub needs: BTreeSet<Resource>,
    /// The number of its project: units of different ones are not put together.
    pub project: Option<usize>,
}

#[derive(Debug, Default)]
struct TestState {
    traits: Traits,
    /// The unit that it was planned in.
    unit: usize,
    outcomes: Vec<Outcome>,
    failed_in: BTreeSet<EnvironmentId>,
    /// Failures in suspect environments, which do not use up attempts.
    excused: u32,
    verdict: Option<TestVerdict>,
}

/// Where a lane stands, as far as the queue must know it.
#[derive(Debug)]
enum LaneState {
    /// It boots an environment that nothing has failed in yet.
    Booting,
    /// It has this environment, and holds these tests.
    Ready { environment: EnvironmentId, holds: VecDeque<TestIndex>, stretch: Stretch },
}

/// The queue of a run.
#[derive(Debug)]
pub struct Queue {
    tests: Vec<TestState>,
    waiting: VecDeque<Waiting>,
    lanes: BTreeMap<LaneIndex, LaneState>,
    limits: AttemptLimits,
    locks: Locks,
    batching: Option<Batching>,
    handed_out: u32,
    suspects: bool,
    settled_late: Vec<(TestIndex, TestVerdict)>,
    newly_suspect: Vec<Suspect>,
}

/// An environment that has become suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Which.
    pub environment: EnvironmentId,
    /// How many tests failed in it in a row.
    pub failed: usize,
    /// Whether there is no other environment, so that it is held against its own past.
    pub alone: bool,
}

impl Queue {
    /// A queue over `tests` tests that hands out `units` in their order; every test is in exactly one unit.
    pub fn new(tests: usize, units: impl IntoIterator<Item = Vec<TestIndex>>, limits: AttemptLimits) -> Self {
        let mut states: Vec<TestState> = std::iter::repeat_with(TestState::default).take(tests).collect();
        let mut waiting = VecDeque::new();
        for (number, tests) in units.into_iter().enumerate() {
            for test in &tests {
                states[*test].unit = number;
                states[*test].traits.file = number;
            }
            waiting.push_back(Waiting { tests, avoid: BTreeSet::new(), alone: false, needs: BTreeSet::new() });
        }
        Self {
            tests: states,
            waiting,
            lanes: BTreeMap::new(),
            limits,
            locks: Locks::default(),
            batching: None,
            handed_out: 0,
            suspects: false,
            settled_late: Vec::new(),
            newly_suspect: Vec::new(),
        }
    }

    /// Environments are used on after a failure, so that one in which too much fails is suspected.
    pub fn suspecting(self, suspects: bool) -> Self {
        Self { suspects, ..self }
    }

    /// What is known of the tests, in their order; without it they take no time, need nothing, and each unit counts as a
    /// file.
    pub fn knowing(mut self, traits: impl IntoIterator<Item = Traits>) -> Self {
        for (state, traits) in self.tests.iter_mut().zip(traits) {
            state.traits = traits;
        }
        for unit in &mut self.waiting {
            unit.needs = needs(&self.tests, &unit.tests);
        }
        self
    }

    /// Each handout pays for a start, so that units are put together.
    pub fn batching(self, batching: Option<Batching>) -> Self {
        Self { batching, ..self }
    }

    /// So long it took from a handout until its first test started.
    pub fn saw_start(&mut self, took: Duration) {
        if let Some(batching) = &mut self.batching {
            batching.saw(took);
        }
    }

    /// Verdicts that had to wait and are known by now.
    pub fn take_settled(&mut self) -> Vec<(TestIndex, TestVerdict)> {
        std::mem::take(&mut self.settled_late)
    }

    /// Environments that have become suspect since the last time.
    pub fn take_suspects(&mut self) -> Vec<Suspect> {
        std::mem::take(&mut self.newly_suspect)
    }

    /// Nothing runs in the lane, which may have a ready environment or none: what it held is given back, its resources
    /// are free.
    pub fn rests(&mut self, lane: LaneIndex) {
        self.give_back(lane);
        self.locks.release(lane);
    }

    /// A lane starts to boot an environment: its first, or one in place of one that broke or was recycled. What
    /// it held before is given back. Its resources stay its own until it [`rests`](Self::rests): the environment that
    /// broke may not be gone yet.
    pub fn booting(&mut self, lane: LaneIndex) {
        self.give_back(lane);
        self.close(lane);
        self.lanes.insert(lane, LaneState::Booting);
    }

    /// A lane's environment is ready.
    pub fn join(&mut self, environment: EnvironmentId) {
        self.give_back(environment.lane);
        self.close(environment.lane);
        let stretch = Stretch::default();
        self.lanes.insert(environment.lane, LaneState::Ready { environment, holds: VecDeque::new(), stretch });
    }

    /// A lane takes no more part, and its environment is gone. What it held is given back.
    pub fn leave(&mut self, lane: LaneIndex) {
        self.rests(lane);
        self.close(lane);
        self.lanes.remove(&lane);
    }

    /// Whether any unit waits to be handed out.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether any lane takes part.
    pub fn has_lanes(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// What a lane with a ready environment is to do next. A lane that still holds tests is told to wait.
    pub fn take(&mut self, lane: LaneIndex) -> Take {
        let Some(LaneState::Ready { environment, holds, stretch, .. }) = self.lanes.get(&lane) else {
            return Take::Wait;
        };
        if !holds.is_empty() {
            return Take::Wait;
        }
        let environment = *environment;
        if stretch.is_suspect() && !self.is_settled() {
            return Take::Recycle;
        }
        let mut look = Look::new(&self.locks);
        let first =
            self.waiting.iter().position(|unit| !unit.avoid.contains(&environment) && look.may_take(&unit.needs));
        if let Some(place) = first {
            let Some(unit) = self.take_from(place) else { return Take::Wait };
            return Take::Unit(self.hand_out(lane, unit));
        }
        if look.blocked {
            return Take::Wait;
        }
        // Nothing more will be learnt of this environment for now.
        self.close(lane);
        if self.waiting.is_empty() {
            return if self.is_settled() { Take::Finished } else { Take::Wait };
        }
        let another_can = |unit: &Waiting| {
            self.lanes.iter().any(|(other, state)| {
                *other != lane
                    && match state {
                        LaneState::Booting => true,
                        LaneState::Ready { environment, .. } => !unit.avoid.contains(environment),
                    }
            })
        };
        if self.waiting.iter().all(another_can) { Take::Wait } else { Take::Recycle }
    }

    /// Takes the unit at a place out of those that wait, and where units are put together as many of those behind it as
    /// fit.
    fn take_from(&mut self, place: usize) -> Option<Waiting> {
        let Some(batching) = &self.batching else { return self.waiting.remove(place) };
        let (size, most) = (batching.size(self.left(), self.lanes.len()), batching.most());
        let mut unit = self.waiting.remove(place)?;
        let mut left = size.saturating_sub(self.expected(&unit));
        let mut next = place;
        while !unit.alone && unit.tests.len() < most && next < self.waiting.len() {
            let candidate = &self.waiting[next];
            let takes = self.expected(candidate);
            let fits = takes <= left && unit.tests.len() + candidate.tests.len() <= most;
            let alike = candidate.needs == unit.needs && self.project(candidate) == self.project(&unit);
            if candidate.alone || !alike || !fits {
                next += 1;
                continue;
            }
            left -= takes;
            unit.tests.extend(self.waiting.remove(next)?.tests);
        }
        Some(unit)
    }

    /// What all that waits and all that lanes hold is expected to take.
    fn left(&self) -> Duration {
        let held = self.lanes.values().flat_map(|state| match state {
            LaneState::Booting => None,
            LaneState::Ready { holds, .. } => Some(holds),
        });
        let waiting = self.waiting.iter().flat_map(|unit| &unit.tests);
        waiting.chain(held.flatten()).map(|test| self.tests[*test].traits.expected).sum()
    }

    fn expected(&self, unit: &Waiting) -> Duration {
        unit.tests.iter().map(|test| self.tests[*test].traits.expected).sum()
    }

    fn project(&self, unit: &Waiting) -> Option<usize> {
        unit.tests.first().and_then(|test| self.tests[*test].traits.project)
    }

    fn hand_out(&mut self, lane: LaneIndex, unit: Waiting) -> Handout {
        self.handed_out += 1;
        self.locks.hold(lane, &unit.needs);
        let tests = unit.tests.iter().map(|&test| (test, self.next_attempt(test))).collect();
        if let Some(LaneState::Ready { holds, .. }) = self.lanes.get_mut(&lane) {
            *holds = unit.tests.into();
        }
        Handout { unit: UnitId(self.handed_out), tests }
    }

    fn next_attempt(&self, test: TestIndex) -> AttemptNumber {
        AttemptNumber(u32::try_from(self.tests[test].outcomes.len()).unwrap_or(u32::MAX - 1) + 1)
    }

    /// An attempt of a test that the lane holds has ended. Returns the verdict if that settles the test at once. An
    /// ending of a test that the lane does not hold changes nothing.
    pub fn ended(&mut self, lane: LaneIndex, test: TestIndex, outcome: Outcome) -> Option<TestVerdict> {
        let Some(LaneState::Ready { environment, holds, stretch }) = self.lanes.get_mut(&lane) else {
            return None;
        };
        let place = holds.iter().position(|held| *held == test)?;
        holds.remove(place);
        let state = &mut self.tests[test];
        let first_failure = outcome.counts_against_test() && state.failed_in.is_empty();
        if outcome.counts_against_test() {
            state.failed_in.insert(*environment);
        }
        if self.suspects && first_failure {
            stretch.fail(test, state.traits.file);
        }
        let passed = outcome == Outcome::Passed;
        state.outcomes.push(outcome);
        let verdict = match self.next_step(test) {
            NextStep::Settle(_) if first_failure && self.may_turn_out_suspect(lane) => {
                if let Some(LaneState::Ready { stretch, .. }) = self.lanes.get_mut(&lane) {
                    stretch.hold(test);
                }
                None
            }
            NextStep::Settle(verdict) => {
                self.tests[test].verdict = Some(verdict);
                Some(verdict)
            }
            NextStep::TryAgain => {
                self.try_again(test);
                None
            }
        };
        self.judge(lane, passed);
        verdict
    }

    fn next_step(&self, test: TestIndex) -> NextStep {
        let state = &self.tests[test];
        let attempts = self.limits.attempts.saturating_add(state.excused);
        next_step(&state.outcomes, AttemptLimits { attempts, ..self.limits })
    }

    fn try_again(&mut self, test: TestIndex) {
        let avoid = self.tests[test].failed_in.clone();
        let needs = self.tests[test].traits.needs.clone();
        self.waiting.push_front(Waiting { tests: vec![test], avoid, alone: true, needs });
    }

    /// Whether it may still come out that the failures in a lane's environment are the environment's: others run
    /// beside it, or tests had passed in it, and more will run in it.
    fn may_turn_out_suspect(&self, lane: LaneIndex) -> bool {
        let (holds, passed) = match self.lanes.get(&lane) {
            Some(LaneState::Ready { holds, stretch, .. }) => (!holds.is_empty(), stretch.has_passed()),
            Some(LaneState::Booting) | None => (false, false),
        };
        self.suspects && (self.lanes.len() > 1 || passed) && (holds || !self.waiting.is_empty())
    }

    /// After an attempt in a lane: what it means for the failures in a row, in its environment and in the others'.
    fn judge(&mut self, lane: LaneIndex, passed: bool) {
        let (mut released, mut excused) = (Vec::new(), Vec::new());
        let alone = self.lanes.len() == 1;
        for (other, state) in &mut self.lanes {
            let LaneState::Ready { environment, stretch, .. } = state else { continue };
            match (passed, *other == lane) {
                (true, true) => released.extend(stretch.pass()),
                (true, false) => stretch.pass_elsewhere(),
                (false, _) => {}
            }
            excused.extend(stretch.judge(alone).map(|excused| (*environment, excused)));
        }
        self.settle(released);
        for (environment, stretch::Excused { newly, tests, held }) in excused {
            if newly {
                self.newly_suspect.push(Suspect { environment, failed: tests.len(), alone });
            }
            for test in tests {
                self.tests[test].excused += 1;
            }
            for test in held {
                self.try_again(test);
            }
        }
    }

    /// A lane's environment is of no more use, or there is nothing more for it: what waited is settled.
    fn close(&mut self, lane: LaneIndex) {
        if let Some(LaneState::Ready { stretch, .. }) = self.lanes.get_mut(&lane) {
            let released = stretch.close();
            self.settle(released);
        }
    }

    fn settle(&mut self, tests: Vec<TestIndex>) {
        for test in tests {
            let verdict = verdict_at_stop(&self.tests[test].outcomes);
            self.tests[test].verdict = Some(verdict);
            self.settled_late.push((test, verdict));
        }
    }

    /// The lane won't run what it still holds, and nothing is known of it: back to the front of the queue.
    fn give_back(&mut self, lane: LaneIndex) {
        let Some(LaneState::Ready { holds, .. }) = self.lanes.get_mut(&lane) else { return };
        let held: Vec<TestIndex> = std::mem::take(holds).into();
        let (fresh, tried): (Vec<_>, Vec<_>) = held.into_iter().partition(|test| self.tests[*test].outcomes.is_empty());
        // What was put together is units again, so that it can be put together anew.
        for unit in fresh.chunk_by(|a, b| self.tests[*a].unit == self.tests[*b].unit).rev() {
            let needs = needs(&self.tests, unit);
            self.waiting.push_front(Waiting { tests: unit.to_vec(), avoid: BTreeSet::new(), alone: false, needs });
        }
        for test in tried {
            self.try_again(test);
        }
    }

    /// The run stops: settles what is not settled yet and returns it. Nothing is handed out any more.
    pub fn stop(&mut self) -> Vec<(TestIndex, TestVerdict)> {
        self.waiting.clear();
        self.lanes.clear();
        self.locks = Locks::default();
        let mut settled = Vec::new();
        for (index, state) in self.tests.iter_mut().enumerate() {
            if state.verdict.is_none() {
                let verdict = verdict_at_stop(&state.outcomes);
                state.verdict = Some(verdict);
                settled.push((index, verdict));
            }
        }
        settled
    }

    /// The longest time limit that an attempt of the test has passed.
    pub fn passed_limit(&self, test: TestIndex) -> Option<Duration> {
        let limits = self.tests[test].outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::TimedOut { limit, .. } => Some(*limit),
            Outcome::Passed
            | Outcome::Failed(_)
            | Outcome::Skipped { .. }
            | Outcome::EnvironmentBroke { .. }
            | Outcome::Interrupted => None,
        });
        limits.max()
    }

    /// Whether every test is settled.
    pub fn is_settled(&self) -> bool {
        self.tests.iter().all(|test| test.verdict.is_some())
    }

    /// The verdicts so far, in the plan's order.
    pub fn verdicts(&self) -> impl Iterator<Item = Option<TestVerdict>> + '_ {
        self.tests.iter().map(|test| test.verdict)
    }
}

/// What a lane must have for itself to run these tests.
fn needs(states: &[TestState], tests: &[TestIndex]) -> BTreeSet<Resource> {
    tests.iter().flat_map(|test| states[*test].traits.needs.iter().copied()).collect()
}
