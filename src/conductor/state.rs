//! What the conductor knows and decides. Synchronous: a report goes in, actions come out, so that every decision,
//! stopping included, is tested without a runtime.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::dealing::queue_of;
use super::repeat::Repeats;
use crate::event::{PlannedTest, RunEvent};
use crate::evidence::Place;
use crate::framework::ListedTest;
use crate::id::{EnvironmentId, LaneIndex, TestId};
use crate::lane::standby::Spares;
use crate::lane::{Order, Report, Work, WorkItem};
use crate::manifest::OrderSettings;
use crate::plan::{Basis, Plan, Starts, named, plan};
use crate::queue::{Batching, Handout, Queue, Suspect, Take, TestIndex};
use crate::selection::{Chosen, Selection};
use crate::verdict::{AttemptLimits, RunVerdict, StopReason, TestVerdict, TimeLimit, run_verdict};

#[cfg(test)]
mod tests;

/// What a run's decisions depend on.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How often a test is tried.
    pub limits: AttemptLimits,
    /// The plan's seed.
    pub seed: u64,
    /// How long each test may take.
    pub time_limits: TimeLimits,
    /// Which of the listed tests are run.
    pub selection: Selection,
    /// How long each test is expected to take.
    pub history: HashMap<TestId, Duration>,
    /// What it costs to start a unit.
    pub starts: Starts,
    /// Which tests stay together, and which resources they need.
    pub order: OrderSettings,
    /// How many lanes the run has.
    pub lanes: u16,
    /// How units are put together, where each handout pays for a start.
    pub batching: Option<Batching>,
    /// How often each test is run, 1 for once.
    pub repeat: u32,
    /// Failed tests after which the run stops.
    pub max_failures: Option<u32>,
    /// Whether flaky tests gate.
    pub fail_on_flaky: bool,
    /// Whether an environment is used on after an attempt failed in it; one in which too much fails is suspected then.
    pub keeps_failed: bool,
}

/// Which tests are run, and how.
#[derive(Debug)]
pub struct Planning {
    /// The plan.
    pub plan: Plan,
    /// How many tests the suite has, those included that were not selected.
    pub listed: usize,
    /// What is worth saying of how they were selected.
    pub notes: Vec<String>,
}

impl Rules {
    /// Selects among the listed tests, and plans those.
    pub fn plan(&self, listed: Vec<ListedTest>) -> Planning {
        let Chosen { tests, listed, notes } = self.selection.choose(named(listed), &self.history, &self.order);
        let Self { history, starts, order, lanes, seed, .. } = self;
        let plan = plan(tests, &Basis { history, starts, order, lanes: *lanes, seed: *seed });
        Planning { plan, listed, notes }
    }
}

/// How long attempts may take.
#[derive(Clone, Debug)]
pub struct TimeLimits {
    /// The limit of tests that have none of their own.
    pub general: TimeLimit,
    /// What was learnt of tests; empty where somebody has named a limit.
    pub learnt: HashMap<TestId, TimeLimit>,
}

impl TimeLimits {
    /// The limit of a test's next attempt, where earlier ones of this run have passed the limit `passed`.
    fn of(&self, test: &TestId, passed: Option<Duration>) -> TimeLimit {
        let limit = self.learnt.get(test).unwrap_or(&self.general).clone();
        match passed {
            Some(passed) => limit.after_timeout(passed),
            None => limit,
        }
    }
}

/// What the conductor is to do, in this order.
#[derive(Debug)]
pub enum Action {
    /// Tell the store and the reporters.
    Emit(RunEvent),
    /// Tell a lane what to do in this environment of its.
    Order(EnvironmentId, Order),
    /// End all lanes, whatever they do.
    EndLanes,
    /// Say whether spare environments are of use.
    Standby(Spares),
}

/// How far the run is.
#[derive(Debug)]
enum Phase {
    /// The tests are not known yet. The first lane in which the suite is loaded is asked.
    Discovering { asked: Option<LaneIndex> },
    /// Units are dealt out.
    Dealing { tests: Vec<PlannedTest>, repeats: Repeats, queue: Box<Queue> },
}

/// The conductor's state.
#[derive(Debug)]
pub struct State {
    rules: Rules,
    phase: Phase,
    /// Lanes that take part, with their environment when they have one that is ready.
    lanes: BTreeMap<LaneIndex, Option<EnvironmentId>>,
    /// Lanes that asked for work and got none yet.
    idle: BTreeSet<LaneIndex>,
    /// Why each lane that stood down did so.
    stood_down: BTreeMap<LaneIndex, String>,
    stopping: Option<StopReason>,
    failed: u32,
    spares: Spares,
    listing: Listing,
}

/// Whether the tests are only to be listed.
#[derive(Debug)]
enum Listing {
    /// They are to be run.
    Unwanted,
    /// They are only to be listed.
    Wanted,
    /// They were, and these are they.
    Known(Vec<ListedTest>),
}

impl State {
    /// The state of a run that starts with `lanes` lanes.
    pub fn new(rules: Rules, lanes: u16) -> Self {
        Self {
            rules,
            phase: Phase::Discovering { asked: None },
            lanes: (0..lanes).map(|lane| (LaneIndex(lane), None)).collect(),
            idle: BTreeSet::new(),
            stood_down: BTreeMap::new(),
            stopping: None,
            failed: 0,
            spares: Spares::Unwanted,
            listing: Listing::Unwanted,
        }
    }

    /// The tests are only to be listed: when they are known, everything ends.
    pub fn only_listing(self) -> Self {
        Self { listing: Listing::Wanted, ..self }
    }

    /// The tests, where they were only to be listed, and are known; otherwise what kept that from happening.
    pub fn into_listed(mut self) -> Result<Vec<ListedTest>, RunVerdict> {
        match std::mem::replace(&mut self.listing, Listing::Unwanted) {
            Listing::Known(listed) => Ok(listed),
            Listing::Wanted | Listing::Unwanted => Err(self.finish().1),
        }
    }

    /// Takes in what a lane tells.
    pub fn handle(&mut self, lane: LaneIndex, report: Report, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut emit = |event| actions.push(Action::Emit(event));
        match report {
            Report::Booting(environment) => {
                self.boots(lane);
                emit(RunEvent::EnvironmentStarting { at: now, environment });
            }
            Report::Step(environment, step) => emit(RunEvent::EnvironmentProgress { environment, step }),
            Report::Loaded(environment) => actions.extend(self.loaded(environment)),
            Report::CannotListYet(environment) => self.asks_no_more(environment.lane),
            Report::Ready { environment, boot, standby } => {
                self.lanes.insert(lane, Some(environment));
                if let Phase::Dealing { queue, .. } = &mut self.phase {
                    queue.join(environment);
                }
                emit(RunEvent::EnvironmentReady { at: now, environment, boot, standby });
            }
            Report::Reset(environment, took) => emit(RunEvent::EnvironmentReset { environment, took }),
            Report::Listed(listed) => actions.extend(self.listed(listed, now)),
            Report::SuiteBroken(why) => {
                self.leaves(lane);
                actions.extend(self.stop(StopReason::SuiteBroken(why), now));
            }
            Report::WantsWork => {
                if let Phase::Dealing { queue, .. } = &mut self.phase {
                    queue.rests(lane);
                }
                self.idle.insert(lane);
            }
            Report::UnitBegan { environment, unit, file, took } => {
                if let Phase::Dealing { queue, .. } = &mut self.phase {
                    queue.saw_start(took);
                }
                emit(RunEvent::UnitBegan { at: now, environment, unit, file, took });
            }
            Report::Started(item, environment, at) => {
                emit(RunEvent::AttemptStarted { at, test: item.test, number: item.attempt, environment });
            }
            Report::Ended(index, attempt) => {
                let outcome = attempt.outcome.clone();
                emit(RunEvent::AttemptEnded(attempt));
                let verdict = match &mut self.phase {
                    Phase::Dealing { queue, .. } => queue.ended(lane, index, outcome),
                    Phase::Discovering { .. } => None,
                };
                if let Some(verdict) = verdict {
                    actions.extend(self.settled(index, verdict, now));
                }
            }
            Report::Warning(message) => emit(RunEvent::Warning { message }),
            Report::Broke(environment, broken) => {
                self.boots(lane);
                emit(RunEvent::EnvironmentBroke { at: now, environment, broken });
            }
            Report::Removed(environment, used) => {
                if let Phase::Dealing { queue, .. } = &mut self.phase {
                    queue.rests(lane);
                }
                emit(RunEvent::EnvironmentRemoved { at: now, environment, used });
            }
            Report::StoodDown(why) => {
                self.stood_down.insert(lane, why.clone());
                emit(RunEvent::LaneStoodDown { lane, why });
            }
        }
        actions.extend(self.settle_and_deal(now));
        actions.extend(self.spares());
        actions
    }

    /// A lane's task is over: it finished, stood down or panicked. When the last one goes before everything is
    /// settled, the run has no environments.
    pub fn lane_is_over(&mut self, lane: LaneIndex, panicked: Option<String>, now: Timestamp) -> Vec<Action> {
        self.leaves(lane);
        let mut actions = Vec::new();
        if let Some(why) = panicked {
            let why = format!("shakedown itself failed in this lane, please report it: {why}");
            self.stood_down.insert(lane, why.clone());
            actions.push(Action::Emit(RunEvent::LaneStoodDown { lane, why }));
        }
        if self.lanes.is_empty() && !self.is_settled() {
            let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for (lane, why) in &self.stood_down {
                reasons.entry(why).or_default().push(lane.to_string());
            }
            let why = reasons.into_iter().map(|(why, lanes)| format!("lane {}: {why}", lanes.join(", ")));
            let why = why.collect::<Vec<_>>().join("\n");
            actions.extend(self.stop(StopReason::NoEnvironments(why), now));
        }
        actions.extend(self.settle_and_deal(now));
        actions.extend(self.spares());
        actions
    }

    /// The run is to stop early. The first reason counts.
    pub fn stop(&mut self, reason: StopReason, now: Timestamp) -> Vec<Action> {
        if self.stopping.is_some() || self.is_settled() {
            return Vec::new();
        }
        self.stopping = Some(reason.clone());
        self.spares = Spares::Over;
        vec![Action::Emit(RunEvent::Stopping { at: now, reason }), Action::EndLanes]
    }

    /// All lanes are over: settles what is left, and says what the run means.
    pub fn finish(&mut self) -> (Vec<Action>, RunVerdict) {
        let Phase::Dealing { tests, repeats, queue } = &mut self.phase else {
            return (Vec::new(), run_verdict([], self.stopping.clone(), self.rules.fail_on_flaky));
        };
        let late = queue.take_settled();
        let left = late.into_iter().chain(queue.stop()).filter_map(|(execution, verdict)| {
            let (test, verdict) = repeats.settled(execution, verdict)?;
            Some(Action::Emit(RunEvent::TestSettled { test: tests[test].id.clone(), verdict }))
        });
        let actions = left.collect();
        let verdict = run_verdict(repeats.verdicts(), self.stopping.clone(), self.rules.fail_on_flaky);
        (actions, verdict)
    }

    /// Says whether spare environments are of use, where that has changed: not before all lanes have one of their own,
    /// nor when nothing waits to be handed out.
    fn spares(&mut self) -> Option<Action> {
        let spares = match &self.phase {
            Phase::Discovering { .. } if self.lanes.is_empty() => Spares::Over,
            Phase::Discovering { .. } => Spares::Unwanted,
            Phase::Dealing { queue, .. } if queue.is_settled() || self.lanes.is_empty() => Spares::Over,
            Phase::Dealing { queue, .. } if queue.has_waiting() && self.lanes.values().all(Option::is_some) => {
                Spares::Wanted
            }
            Phase::Dealing { .. } => Spares::Unwanted,
        };
        let changed = self.stopping.is_none() && spares != self.spares;
        changed.then(|| {
            self.spares = spares;
            Action::Standby(spares)
        })
    }

    fn boots(&mut self, lane: LaneIndex) {
        self.idle.remove(&lane);
        self.lanes.insert(lane, None);
        match &mut self.phase {
            Phase::Dealing { queue, .. } => queue.booting(lane),
            Phase::Discovering { .. } => self.asks_no_more(lane),
        }
    }

    /// The suite is loaded in an environment that is not ready yet: it is told whether to list.
    fn loaded(&mut self, environment: EnvironmentId) -> Option<Action> {
        let order = match &mut self.phase {
            Phase::Discovering { asked: asked @ None } => {
                *asked = Some(environment.lane);
                Order::List
            }
            Phase::Discovering { asked: Some(_) } | Phase::Dealing { .. } => Order::GetReady,
        };
        self.stopping.is_none().then_some(Action::Order(environment, order))
    }

    /// A lane that may have been asked for the tests does not name them: the next one will be.
    fn asks_no_more(&mut self, lane: LaneIndex) {
        if let Phase::Discovering { asked } = &mut self.phase {
            *asked = asked.filter(|asked| *asked != lane);
        }
    }

    fn leaves(&mut self, lane: LaneIndex) {
        self.boots(lane);
        self.lanes.remove(&lane);
        if let Phase::Dealing { queue, .. } = &mut self.phase {
            queue.leave(lane);
        }
    }

    fn is_settled(&self) -> bool {
        match &self.phase {
            Phase::Dealing { queue, .. } => queue.is_settled(),
            Phase::Discovering { .. } => matches!(self.listing, Listing::Known(_)),
        }
    }

    fn listed(&mut self, listed: Vec<ListedTest>, now: Timestamp) -> Vec<Action> {
        if let Listing::Wanted = self.listing {
            self.listing = Listing::Known(listed);
            return vec![Action::EndLanes];
        }
        let Planning { plan, listed, notes } = self.rules.plan(listed);
        let mut actions: Vec<Action> =
            notes.into_iter().map(|message| Action::Emit(RunEvent::Warning { message })).collect();
        let (units, notes) = (plan.units.len(), plan.notes(&self.rules.order));
        let repeats = Repeats::new(plan.tests.len(), self.rules.repeat);
        let mut queue = queue_of(&plan, &repeats, &self.rules);
        for (lane, environment) in &self.lanes {
            match environment {
                Some(environment) => queue.join(*environment),
                None => queue.booting(*lane),
            }
        }
        let tests = plan.tests.clone();
        self.phase = Phase::Dealing { tests: plan.tests, repeats, queue: Box::new(queue) };
        actions.push(Action::Emit(RunEvent::Planned { at: now, tests, listed, units, known: plan.known, notes }));
        actions.extend(self.is_settled().then_some(Action::EndLanes));
        actions
    }

    fn settled(&mut self, execution: TestIndex, verdict: TestVerdict, now: Timestamp) -> Vec<Action> {
        let Phase::Dealing { tests, repeats, .. } = &mut self.phase else { return Vec::new() };
        let mut actions = Vec::new();
        if let Some((test, verdict)) = repeats.settled(execution, verdict) {
            actions.push(Action::Emit(RunEvent::TestSettled { test: tests[test].id.clone(), verdict }));
            self.failed += u32::from(verdict == TestVerdict::Failed);
        }
        if self.is_settled() {
            // Lanes with a warm worker are told to finish when they ask; those that still boot are cut short.
            if self.lanes.values().any(Option::is_none) {
                actions.push(Action::EndLanes);
            }
        } else if self.rules.max_failures.is_some_and(|most| self.failed >= most) {
            actions.extend(self.stop(StopReason::MaxFailures, now));
        }
        actions
    }

    /// Deals out work, and tells what the queue has come to know meanwhile.
    fn settle_and_deal(&mut self, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        loop {
            actions.extend(self.deal());
            let Phase::Dealing { queue, .. } = &mut self.phase else { return actions };
            let settled = queue.take_settled();
            actions.extend(queue.take_suspects().into_iter().map(suspicion));
            if settled.is_empty() {
                return actions;
            }
            for (execution, verdict) in settled {
                actions.extend(self.settled(execution, verdict, now));
            }
        }
    }

    /// Gives every idle lane that can have work some.
    fn deal(&mut self) -> Vec<Action> {
        if self.stopping.is_some() {
            return Vec::new();
        }
        let mut actions = Vec::new();
        for lane in self.idle.clone() {
            let Some(Some(environment)) = self.lanes.get(&lane).copied() else { continue };
            let order = match &mut self.phase {
                Phase::Discovering { asked: Some(_) } => continue,
                Phase::Discovering { asked } => {
                    *asked = Some(lane);
                    Order::List
                }
                Phase::Dealing { tests, repeats, queue } => match queue.take(lane) {
                    Take::Wait => continue,
                    Take::Finished => Order::Finish,
                    Take::Recycle => {
                        queue.booting(lane);
                        Order::Recycle
                    }
                    Take::Unit(handout) => {
                        actions.push(Action::Emit(RunEvent::UnitStarted {
                            environment,
                            unit: handout.unit,
                            tests: handout.tests.len(),
                        }));
                        Order::Run(work(handout, tests, repeats, queue, &self.rules.time_limits))
                    }
                },
            };
            self.idle.remove(&lane);
            actions.push(Action::Order(environment, order));
        }
        actions
    }
}

fn suspicion(Suspect { environment, failed, alone }: Suspect) -> Action {
    let others = if alone { "after others had passed in it" } else { "while others passed elsewhere" };
    let message = format!(
        "environment {environment} is suspect: {failed} tests in a row failed in it {others}; it is replaced, and they are tried elsewhere before they count"
    );
    Action::Emit(RunEvent::Warning { message })
}

fn work(handout: Handout, tests: &[PlannedTest], repeats: &Repeats, queue: &Queue, limits: &TimeLimits) -> Work {
    let items = handout.tests.into_iter().map(|(index, attempt)| {
        let test = &tests[repeats.test(index)];
        WorkItem {
            index,
            test: test.id.clone(),
            selector: test.selector.clone(),
            attempt: repeats.attempt(index, attempt),
            place: Place { file: test.file.clone(), line: test.line },
            limit: limits.of(&test.id, queue.passed_limit(index)),
        }
    });
    Work { unit: handout.unit, tests: items.collect() }
}
