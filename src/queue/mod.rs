//! Which unit may start now, in which environment. Synchronous and pure: no clock, no I/O.
//!
//! Lanes [`join`](Queue::join), then [`take`](Queue::take) units. What a lane holds is either
//! [`ended`](Queue::ended), test by test, or [given back](Queue::give_back). A failed test comes back as a unit of
//! its own, ahead of the rest, that no environment may take in which it failed. Every test settles exactly once,
//! whatever the order of endings, lane losses and stops; the property tests hold that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, UnitId};
use crate::verdict::{AttemptLimits, NextStep, Outcome, TestVerdict, next_step, verdict_at_stop};

#[cfg(test)]
pub(crate) mod properties;

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
}

#[derive(Debug, Default)]
struct TestState {
    outcomes: Vec<Outcome>,
    failed_in: BTreeSet<EnvironmentId>,
    verdict: Option<TestVerdict>,
}

/// Where a lane stands, as far as the queue must know it.
#[derive(Debug)]
enum LaneState {
    /// It boots an environment that nothing has failed in yet.
    Booting,
    /// It has this environment, and holds these tests.
    Ready { environment: EnvironmentId, holds: VecDeque<TestIndex> },
}

/// The queue of a run.
#[derive(Debug)]
pub struct Queue {
    tests: Vec<TestState>,
    waiting: VecDeque<Waiting>,
    lanes: BTreeMap<LaneIndex, LaneState>,
    limits: AttemptLimits,
    handed_out: u32,
}

impl Queue {
    /// A queue over `tests` tests that hands out `units` in their order; every test is in exactly one unit.
    pub fn new(tests: usize, units: impl IntoIterator<Item = Vec<TestIndex>>, limits: AttemptLimits) -> Self {
        Self {
            tests: std::iter::repeat_with(TestState::default).take(tests).collect(),
            waiting: units.into_iter().map(|tests| Waiting { tests, avoid: BTreeSet::new() }).collect(),
            lanes: BTreeMap::new(),
            limits,
            handed_out: 0,
        }
    }

    /// A lane starts to boot an environment: its first, or one in place of one that broke or was recycled. What
    /// it held before is given back.
    pub fn booting(&mut self, lane: LaneIndex) {
        self.give_back(lane);
        self.lanes.insert(lane, LaneState::Booting);
    }

    /// A lane's environment is ready.
    pub fn join(&mut self, environment: EnvironmentId) {
        self.give_back(environment.lane);
        self.lanes.insert(environment.lane, LaneState::Ready { environment, holds: VecDeque::new() });
    }

    /// A lane takes no more part. What it held is given back.
    pub fn leave(&mut self, lane: LaneIndex) {
        self.give_back(lane);
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
        let Some(LaneState::Ready { environment, holds }) = self.lanes.get(&lane) else { return Take::Wait };
        if !holds.is_empty() {
            return Take::Wait;
        }
        let environment = *environment;
        if let Some(place) = self.waiting.iter().position(|unit| !unit.avoid.contains(&environment)) {
            let Some(unit) = self.waiting.remove(place) else { return Take::Wait };
            return Take::Unit(self.hand_out(lane, unit));
        }
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

    fn hand_out(&mut self, lane: LaneIndex, unit: Waiting) -> Handout {
        self.handed_out += 1;
        let tests = unit.tests.iter().map(|&test| (test, self.next_attempt(test))).collect();
        if let Some(LaneState::Ready { holds, .. }) = self.lanes.get_mut(&lane) {
            *holds = unit.tests.into();
        }
        Handout { unit: UnitId(self.handed_out), tests }
    }

    fn next_attempt(&self, test: TestIndex) -> AttemptNumber {
        AttemptNumber(u32::try_from(self.tests[test].outcomes.len()).unwrap_or(u32::MAX - 1) + 1)
    }

    /// An attempt of a test that the lane holds has ended. Returns the verdict if that settles the test. An ending
    /// of a test that the lane does not hold changes nothing.
    pub fn ended(&mut self, lane: LaneIndex, test: TestIndex, outcome: Outcome) -> Option<TestVerdict> {
        let Some(LaneState::Ready { environment, holds }) = self.lanes.get_mut(&lane) else { return None };
        let place = holds.iter().position(|held| *held == test)?;
        holds.remove(place);
        let state = &mut self.tests[test];
        if outcome.counts_against_test() {
            state.failed_in.insert(*environment);
        }
        state.outcomes.push(outcome);
        match next_step(&state.outcomes, self.limits) {
            NextStep::Settle(verdict) => {
                state.verdict = Some(verdict);
                Some(verdict)
            }
            NextStep::TryAgain => {
                let avoid = state.failed_in.clone();
                self.waiting.push_front(Waiting { tests: vec![test], avoid });
                None
            }
        }
    }

    /// The lane won't run what it still holds, and nothing is known of it: back to the front of the queue.
    pub fn give_back(&mut self, lane: LaneIndex) {
        let Some(LaneState::Ready { holds, .. }) = self.lanes.get_mut(&lane) else { return };
        let held: Vec<TestIndex> = std::mem::take(holds).into();
        let (fresh, tried): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|test| self.tests[*test].failed_in.is_empty());
        if !fresh.is_empty() {
            self.waiting.push_front(Waiting { tests: fresh, avoid: BTreeSet::new() });
        }
        for test in tried {
            let avoid = self.tests[test].failed_in.clone();
            self.waiting.push_front(Waiting { tests: vec![test], avoid });
        }
    }

    /// The run stops: settles what is not settled yet and returns it. Nothing is handed out any more.
    pub fn stop(&mut self) -> Vec<(TestIndex, TestVerdict)> {
        self.waiting.clear();
        self.lanes.clear();
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

    /// Whether every test is settled.
    pub fn is_settled(&self) -> bool {
        self.tests.iter().all(|test| test.verdict.is_some())
    }

    /// The verdicts so far, in the plan's order.
    pub fn verdicts(&self) -> impl Iterator<Item = Option<TestVerdict>> + '_ {
        self.tests.iter().map(|test| test.verdict)
    }
}
