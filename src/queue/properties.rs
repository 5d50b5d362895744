//! Random runs of the queue: lanes that boot, take, lose their environments, stand down; outcomes of any kind.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::verdict::Failure;

pub(super) const LIMITS: AttemptLimits = AttemptLimits { attempts: 3, environment_attempts: 3 };

/// What the outside does next; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Take(u16),
    End(u16, u8),
    LoseEnvironment(u16),
    StandDown(u16),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u16>().prop_map(Step::Take),
        16 => (any::<u16>(), any::<u8>()).prop_map(|(lane, outcome)| Step::End(lane, outcome)),
        2 => any::<u16>().prop_map(Step::LoseEnvironment),
        1 => any::<u16>().prop_map(Step::StandDown),
    ]
}

/// An outcome for each number; most of them pass.
pub(crate) fn outcome(n: u8) -> Outcome {
    match n % 8 {
        0 => Outcome::Failed(Failure::observed("no")),
        1 => Outcome::TimedOut { limit: Duration::from_secs(1), why: String::new() },
        2 => Outcome::Skipped { reason: String::new() },
        _ => Outcome::Passed,
    }
}

/// What the tests of a game are like.
#[derive(Clone, Copy, Debug)]
struct Suite {
    suspects: bool,
    /// Tests need none, one or two of three resources.
    locks: bool,
    /// Units are put together, of which each start costs a second.
    batches: bool,
}

impl Suite {
    fn traits(self, test: TestIndex) -> Traits {
        let needs = [test % 4 == 1, test % 5 == 1, test % 7 == 2].into_iter().enumerate();
        Traits {
            expected: Duration::from_millis(test as u64 * 977 % 3000),
            file: test / 3,
            needs: needs.filter(|(_, needs)| self.locks && *needs).map(|(resource, _)| resource).collect(),
            project: (test % 11 < 5).then_some(test % 2),
        }
    }
}

fn suite() -> impl Strategy<Value = Suite> {
    any::<(bool, bool, bool)>().prop_map(|(suspects, locks, batches)| Suite { suspects, locks, batches })
}

/// Drives a queue as the conductor would, and checks on the way what must hold at every moment.
struct Game {
    queue: Queue,
    suite: Suite,
    generation: HashMap<LaneIndex, u32>,
    holding: HashMap<LaneIndex, Vec<TestIndex>>,
    /// What each lane may still use, though it may hold no test any more.
    uses: HashMap<LaneIndex, BTreeSet<Resource>>,
    failed_in: HashSet<(TestIndex, EnvironmentId)>,
    settled: HashMap<TestIndex, TestVerdict>,
}

impl Game {
    fn new(units: &[u8], lanes: u16, suite: Suite) -> Self {
        let mut next = 0;
        let units: Vec<Vec<TestIndex>> = units
            .iter()
            .map(|count| {
                let tests = (next..next + usize::from(*count)).collect();
                next += usize::from(*count);
                tests
            })
            .filter(|tests: &Vec<_>| !tests.is_empty())
            .collect();
        let batching = suite.batches.then(|| Batching::new(8, Some(Duration::from_secs(1))));
        let queue = Queue::new(next, units, LIMITS).knowing((0..next).map(|test| suite.traits(test)));
        let mut game = Self {
            queue: queue.batching(batching).suspecting(suite.suspects),
            suite,
            generation: HashMap::new(),
            holding: HashMap::new(),
            uses: HashMap::new(),
            failed_in: HashSet::new(),
            settled: HashMap::new(),
        };
        for lane in 0..lanes {
            game.boot(LaneIndex(lane));
        }
        game
    }

    fn boot(&mut self, lane: LaneIndex) {
        let generation = self.generation.entry(lane).or_default();
        *generation += 1;
        let environment = EnvironmentId { lane, generation: *generation };
        self.holding.insert(lane, vec![]);
        self.queue.booting(lane);
        self.hear();
        // The old environment is still there, and the others go on.
        for other in self.lanes() {
            if other != lane {
                self.ask(other);
            }
        }
        self.uses.remove(&lane);
        self.queue.rests(lane);
        self.queue.join(environment);
        self.hear();
    }

    fn environment(&self, lane: LaneIndex) -> EnvironmentId {
        EnvironmentId { lane, generation: self.generation[&lane] }
    }

    /// The lane asks for work. One whose unit is over uses nothing any more.
    fn ask(&mut self, lane: LaneIndex) -> Take {
        if self.holding[&lane].is_empty() {
            self.uses.remove(&lane);
            self.queue.rests(lane);
        }
        let left = self.queue.left();
        let took = self.queue.take(lane);
        if let Take::Unit(handout) = &took {
            assert!(self.holding[&lane].is_empty(), "a lane that holds tests was given more");
            for (test, _) in &handout.tests {
                assert!(!self.failed_in.contains(&(*test, self.environment(lane))), "retried where it failed");
                assert!(!self.settled.contains_key(test), "a settled test was handed out");
                assert!(self.holding.values().all(|held| !held.contains(test)), "two lanes hold the same test");
            }
            let tests: Vec<TestIndex> = handout.tests.iter().map(|(test, _)| *test).collect();
            let needs: BTreeSet<Resource> = tests.iter().flat_map(|test| self.suite.traits(*test).needs).collect();
            assert!(self.uses.values().all(|used| used.is_disjoint(&needs)), "two lanes hold the same resource");
            self.uses.insert(lane, needs);
            self.check_batch(handout, left);
            self.holding.insert(lane, tests);
        }
        self.hear();
        took
    }

    /// What was put together is fresh, and no more than its share; and without batches nothing is put together.
    fn check_batch(&self, handout: &Handout, left: Duration) {
        let units: BTreeSet<usize> = handout.tests.iter().map(|(test, _)| self.queue.tests[*test].unit).collect();
        if units.len() < 2 {
            return;
        }
        assert!(self.suite.batches, "units were put together");
        assert!(handout.tests.iter().all(|(_, attempt)| *attempt == AttemptNumber::FIRST), "a retry was put together");
        assert!(handout.tests.len() <= 8, "more than a process takes");
        let projects: BTreeSet<Option<usize>> = units
            .iter()
            .filter_map(|unit| handout.tests.iter().find(|(test, _)| self.queue.tests[*test].unit == *unit))
            .map(|(first, _)| self.suite.traits(*first).project)
            .collect();
        assert_eq!(projects.len(), 1, "units of two projects were put together");
        let expected: Duration = handout.tests.iter().map(|(test, _)| self.suite.traits(*test).expected).sum();
        let size = self.queue.batching.as_ref().expect("batches").size(left, self.queue.lanes.len());
        let of_unit = |unit: &usize| -> Duration {
            let tests = handout.tests.iter().filter(|(test, _)| self.queue.tests[*test].unit == *unit);
            tests.map(|(test, _)| self.suite.traits(*test).expected).sum()
        };
        let size = size.max(units.iter().map(of_unit).max().unwrap_or_default());
        assert!(expected <= size, "{expected:?} of {left:?}, at most {size:?}");
    }

    fn take(&mut self, lane: LaneIndex) -> Take {
        let took = self.ask(lane);
        if took == Take::Recycle {
            self.boot(lane);
        }
        took
    }

    fn end(&mut self, lane: LaneIndex, outcome: Outcome) {
        let Some(test) = self.holding.get(&lane).and_then(|held| held.first().copied()) else { return };
        self.holding.get_mut(&lane).expect("known").remove(0);
        if outcome.counts_against_test() {
            self.failed_in.insert((test, self.environment(lane)));
        }
        if let Some(verdict) = self.queue.ended(lane, test, outcome) {
            assert!(self.settled.insert(test, verdict).is_none(), "settled twice");
        }
        self.hear();
    }

    /// Verdicts that had to wait.
    fn hear(&mut self) {
        for (test, verdict) in self.queue.take_settled() {
            assert!(self.settled.insert(test, verdict).is_none(), "settled twice");
        }
    }

    fn lose_environment(&mut self, lane: LaneIndex) {
        self.end(lane, Outcome::EnvironmentBroke { cause: "web exited".into() });
        self.boot(lane);
    }

    fn lanes(&self) -> Vec<LaneIndex> {
        let mut lanes: Vec<_> = self.holding.keys().copied().collect();
        lanes.sort_unstable();
        lanes
    }

    fn step(&mut self, step: &Step) {
        let lanes = self.lanes();
        let pick = |n: &u16| lanes[usize::from(*n) % lanes.len()];
        match step {
            Step::Take(n) => drop(self.take(pick(n))),
            Step::End(n, o) => self.end(pick(n), outcome(*o)),
            Step::LoseEnvironment(n) => self.lose_environment(pick(n)),
            Step::StandDown(n) if lanes.len() > 1 => {
                self.queue.leave(pick(n));
                self.holding.remove(&pick(n));
                self.uses.remove(&pick(n));
                self.hear();
            }
            Step::StandDown(_) => {}
            Step::Stop => {
                for (test, verdict) in self.queue.stop() {
                    assert!(self.settled.insert(test, verdict).is_none(), "settled twice");
                }
            }
        }
    }

    /// Everything still open passes, until all lanes are told that it is finished.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            let mut finished = true;
            for lane in self.lanes() {
                while !self.holding[&lane].is_empty() {
                    self.end(lane, Outcome::Passed);
                }
                finished &= self.take(lane) == Take::Finished;
            }
            if finished {
                return;
            }
        }
        panic!("the lanes wait for each other for ever: {:?}", self.queue);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_test_settles_exactly_once_whatever_happens(
        units in prop::collection::vec(0..6u8, 0..12), lanes in 1..5u16, steps in prop::collection::vec(step(), 0..200),
        suite in suite(),
    ) {
        let mut game = Game::new(&units, lanes, suite);
        for step in &steps {
            game.step(step);
        }
        game.finish();
        prop_assert!(game.queue.is_settled());
        prop_assert_eq!(game.settled.len(), game.queue.tests.len());
        for (test, state) in game.queue.tests.iter().enumerate() {
            let failed = state.outcomes.iter().filter(|outcome| outcome.counts_against_test()).count();
            prop_assert!(state.excused <= u32::from(suite.suspects), "one failure of a test is excused at most");
            prop_assert!(failed <= (LIMITS.attempts + state.excused) as usize);
            prop_assert_eq!(game.settled[&test] == TestVerdict::Flaky, failed > 0 && state.outcomes.contains(&Outcome::Passed));
        }
    }

    #[test]
    fn a_stop_at_any_moment_settles_everything_exactly_once(
        units in prop::collection::vec(0..6u8, 0..12), lanes in 1..5u16, steps in prop::collection::vec(step(), 0..60),
        suite in suite(),
    ) {
        let mut game = Game::new(&units, lanes, suite);
        for step in &steps {
            game.step(step);
        }
        game.step(&Step::Stop);
        prop_assert!(game.queue.is_settled());
        prop_assert_eq!(game.settled.len(), game.queue.tests.len());
        for lane in game.lanes() {
            prop_assert!(!matches!(game.queue.take(lane), Take::Unit(_)));
        }
    }
}

pub(super) fn environment(lane: u16, generation: u32) -> EnvironmentId {
    EnvironmentId { lane: LaneIndex(lane), generation }
}

#[test]
fn a_failed_test_comes_back_ahead_of_the_rest_in_another_environment() {
    let mut queue = Queue::new(3, [vec![0, 1], vec![2]], LIMITS);
    queue.join(environment(0, 1));
    queue.join(environment(1, 1));
    assert!(matches!(queue.take(LaneIndex(0)), Take::Unit(u) if u.tests.len() == 2));
    queue.ended(LaneIndex(0), 0, Outcome::Failed(Failure::observed("no")));
    let Take::Unit(retry) = queue.take(LaneIndex(1)) else { panic!("lane 2 should get the retry") };
    assert_eq!(retry.tests, [(0, AttemptNumber(2))]);
}

#[test]
fn a_single_lane_recycles_to_try_again() {
    let mut queue = Queue::new(1, [vec![0]], LIMITS);
    queue.join(environment(0, 1));
    assert!(matches!(queue.take(LaneIndex(0)), Take::Unit(_)));
    queue.ended(LaneIndex(0), 0, Outcome::Failed(Failure::observed("no")));
    assert_eq!(queue.take(LaneIndex(0)), Take::Recycle);
    queue.booting(LaneIndex(0));
    queue.join(environment(0, 2));
    assert!(matches!(queue.take(LaneIndex(0)), Take::Unit(_)));
    assert_eq!(queue.ended(LaneIndex(0), 0, Outcome::Passed), Some(TestVerdict::Flaky));
    assert_eq!(queue.take(LaneIndex(0)), Take::Finished);
}

#[test]
fn a_lane_waits_for_another_one_that_can_take_the_retry_and_recycles_when_that_one_leaves() {
    let mut queue = Queue::new(2, [vec![0], vec![1]], LIMITS);
    queue.join(environment(0, 1));
    queue.join(environment(1, 1));
    queue.take(LaneIndex(0));
    queue.take(LaneIndex(1));
    queue.ended(LaneIndex(0), 0, Outcome::Failed(Failure::observed("no")));
    assert_eq!(queue.take(LaneIndex(0)), Take::Wait);
    queue.leave(LaneIndex(1));
    assert!(matches!(queue.take(LaneIndex(0)), Take::Unit(u) if u.tests == [(1, AttemptNumber::FIRST)]));
    queue.ended(LaneIndex(0), 1, Outcome::Passed);
    assert_eq!(queue.take(LaneIndex(0)), Take::Recycle);
}

fn failed() -> Outcome {
    Outcome::Failed(Failure::observed("no"))
}

/// Six tests in units of two, over two lanes; each test has one attempt only.
fn of_pairs() -> Queue {
    let limits = AttemptLimits { attempts: 1, environment_attempts: 3 };
    let mut queue = Queue::new(8, [vec![0, 1], vec![2, 3], vec![4, 5], vec![6, 7]], limits).suspecting(true);
    queue.join(environment(0, 1));
    queue.join(environment(1, 1));
    queue.take(LaneIndex(0));
    queue.take(LaneIndex(1));
    queue
}

#[test]
fn failures_in_a_row_while_others_pass_make_an_environment_suspect_and_are_tried_elsewhere() {
    let mut queue = of_pairs();
    assert_eq!(queue.ended(LaneIndex(0), 0, failed()), None, "it waits");
    assert_eq!(queue.ended(LaneIndex(1), 2, Outcome::Passed), Some(TestVerdict::Passed));
    assert_eq!(queue.ended(LaneIndex(0), 1, failed()), None);
    queue.take(LaneIndex(0));
    assert_eq!(queue.take_suspects(), []);
    assert_eq!(queue.ended(LaneIndex(0), 4, failed()), None);
    assert_eq!(queue.take_suspects(), [Suspect { environment: environment(0, 1), failed: 3, alone: false }]);
    assert_eq!(queue.ended(LaneIndex(0), 5, failed()), None, "what fails there from now on is excused, too");
    assert_eq!(queue.take(LaneIndex(0)), Take::Recycle);
    queue.booting(LaneIndex(0));
    queue.join(environment(0, 2));
    assert_eq!(queue.take_settled(), []);
    for _ in 0..4 {
        let Take::Unit(retry) = queue.take(LaneIndex(0)) else { panic!("a retry waits") };
        let (test, attempt) = retry.tests[0];
        assert_eq!(attempt, AttemptNumber(2));
        let (outcome, verdict) =
            if test == 0 { (failed(), TestVerdict::Failed) } else { (Outcome::Passed, TestVerdict::Flaky) };
        assert_eq!(queue.ended(LaneIndex(0), test, outcome), Some(verdict), "what fails elsewhere counts");
    }
}

#[test]
fn a_pass_in_between_settles_what_waited() {
    let mut queue = of_pairs();
    assert_eq!(queue.ended(LaneIndex(0), 0, failed()), None);
    assert_eq!(queue.ended(LaneIndex(0), 1, Outcome::Passed), Some(TestVerdict::Passed));
    assert_eq!(queue.take_settled(), [(0, TestVerdict::Failed)]);
}

#[test]
fn failures_of_one_unit_or_in_every_environment_make_none_suspect() {
    let limits = AttemptLimits { attempts: 1, environment_attempts: 3 };
    for others_pass in [true, false] {
        let units = if others_pass { vec![vec![0, 1, 2], vec![3]] } else { vec![vec![0], vec![3], vec![1], vec![2]] };
        let mut queue = Queue::new(4, units, limits).suspecting(true);
        queue.join(environment(0, 1));
        queue.join(environment(1, 1));
        queue.take(LaneIndex(0));
        queue.take(LaneIndex(1));
        queue.ended(LaneIndex(1), 3, if others_pass { Outcome::Passed } else { failed() });
        let mut settled = Vec::new();
        for test in 0..3 {
            settled.extend(queue.ended(LaneIndex(0), test, failed()));
            queue.take(LaneIndex(0));
        }
        settled.extend(queue.take_settled().into_iter().map(|(_, verdict)| verdict));
        assert_eq!(queue.take_suspects(), []);
        assert_eq!(settled.iter().filter(|verdict| **verdict == TestVerdict::Failed).count(), settled.len());
    }
}

/// A queue of one test for each of these needs, over two lanes.
fn needing(needs: &[&[Resource]]) -> Queue {
    let traits = needs.iter().map(|needs| Traits { needs: needs.iter().copied().collect(), ..Traits::default() });
    let mut queue = Queue::new(needs.len(), (0..needs.len()).map(|test| vec![test]), LIMITS).knowing(traits);
    queue.join(environment(0, 1));
    queue.join(environment(1, 1));
    queue
}

fn taken(queue: &mut Queue, lane: u16) -> Option<TestIndex> {
    match queue.take(LaneIndex(lane)) {
        Take::Unit(handout) => Some(handout.tests[0].0),
        Take::Wait | Take::Recycle | Take::Finished => None,
    }
}

#[test]
fn a_test_that_waits_for_a_resource_is_not_passed_by_for_ever() {
    let mut queue = needing(&[&[0], &[0, 1], &[1], &[]]);
    assert_eq!(taken(&mut queue, 0), Some(0));
    assert_eq!(taken(&mut queue, 1), Some(3), "1 waits for 0, and 2 for what 1 needs");
    queue.ended(LaneIndex(1), 3, Outcome::Passed);
    queue.rests(LaneIndex(1));
    assert_eq!(queue.take(LaneIndex(1)), Take::Wait);
    queue.ended(LaneIndex(0), 0, Outcome::Passed);
    assert_eq!(queue.take(LaneIndex(1)), Take::Wait, "the worker may still be at it");
    queue.rests(LaneIndex(0));
    assert_eq!(taken(&mut queue, 1), Some(1));
    assert_eq!(queue.take(LaneIndex(0)), Take::Wait);
}

#[test]
fn an_environment_that_broke_keeps_its_resources_until_it_is_gone() {
    let mut queue = needing(&[&[0], &[0]]);
    assert_eq!(taken(&mut queue, 0), Some(0));
    queue.booting(LaneIndex(0));
    assert_eq!(queue.take(LaneIndex(1)), Take::Wait);
    queue.rests(LaneIndex(0));
    assert_eq!(taken(&mut queue, 1), Some(0));
}
