//! Lanes that keep to their side of the bargain and otherwise do anything, and decisions that whole runs rarely reach.

use proptest::prelude::*;

use super::*;
use crate::event::{Attempt, BrokenEnvironment, ResourceUse};
use crate::id::UnitId;
use crate::queue::properties::outcome;
use crate::verdict::{Failure, Interruption, Outcome};

fn rules(max_failures: Option<u32>) -> Rules {
    let limits = AttemptLimits { attempts: 3, environment_attempts: 3 };
    let time_limits = TimeLimits { general: TimeLimit::default_limit(), learnt: HashMap::new() };
    Rules {
        limits,
        seed: 1,
        time_limits,
        selection: Selection::default(),
        history: HashMap::new(),
        starts: Starts::default(),
        order: OrderSettings::default(),
        lanes: 2,
        batching: None,
        repeat: 1,
        max_failures,
        fail_on_flaky: false,
        keeps_failed: true,
    }
}

fn listed(files: &[u8]) -> Vec<ListedTest> {
    let tests = files.iter().enumerate().flat_map(|(file, count)| (0..*count).map(move |n| (file, n)));
    tests
        .map(|(file, n)| ListedTest {
            selector: format!("./{file}[{n}]"),
            file: format!("{file}_spec.rb"),
            line: 1,
            name: format!("test {n}"),
            tags: if n % 3 == 1 { vec!["exclusive:printer".to_owned()] } else { Vec::new() },
            group: None,
            project: None,
        })
        .collect()
}

/// Where a lane is.
#[derive(Debug)]
enum Stand {
    Booting,
    /// It boots, and has loaded the suite already.
    Loaded(Option<Order>),
    /// It has asked for work.
    Waiting(Option<Order>),
    /// It runs these, the first of them now.
    Running(Vec<WorkItem>),
    Gone,
}

/// Lanes around a state, and what they were told.
struct Game {
    state: State,
    files: Vec<u8>,
    lanes: BTreeMap<LaneIndex, (u32, Stand)>,
    planned: Option<usize>,
    settled: HashMap<TestId, TestVerdict>,
    stopped: bool,
    spares: Spares,
}

/// What happens next, to the how-manieth lane.
#[derive(Clone, Debug)]
enum Step {
    GoOn(u16, u8),
    Load(u16),
    LoseWorker(u16),
    Break(u16),
    StandDown(u16),
    Panic(u16),
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => (any::<u16>(), any::<u8>()).prop_map(|(lane, outcome)| Step::GoOn(lane, outcome)),
        4 => any::<u16>().prop_map(Step::Load),
        2 => any::<u16>().prop_map(Step::LoseWorker),
        2 => any::<u16>().prop_map(Step::Break),
        1 => any::<u16>().prop_map(Step::StandDown),
        1 => any::<u16>().prop_map(Step::Panic),
    ]
}

impl Game {
    fn new(files: Vec<u8>, lanes: u16, max_failures: Option<u32>) -> Self {
        let mut game = Self {
            state: State::new(rules(max_failures), lanes),
            files,
            lanes: (0..lanes).map(|lane| (LaneIndex(lane), (0, Stand::Gone))).collect(),
            planned: None,
            settled: HashMap::new(),
            stopped: false,
            spares: Spares::Unwanted,
        };
        for lane in 0..lanes {
            game.boot(LaneIndex(lane));
        }
        game
    }

    fn environment(&self, lane: LaneIndex) -> EnvironmentId {
        EnvironmentId { lane, generation: self.lanes[&lane].0 }
    }

    fn stand(&mut self, lane: LaneIndex) -> &mut Stand {
        &mut self.lanes.get_mut(&lane).expect("a lane of the game").1
    }

    fn report(&mut self, lane: LaneIndex, report: Report) {
        let actions = self.state.handle(lane, report, Timestamp::UNIX_EPOCH);
        self.take(actions);
    }

    fn boot(&mut self, lane: LaneIndex) {
        let (generation, stand) = self.lanes.get_mut(&lane).expect("a lane of the game");
        *generation += 1;
        *stand = Stand::Booting;
        let environment = self.environment(lane);
        self.report(lane, Report::Booting(environment));
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Emit(RunEvent::TestSettled { test, verdict }) => {
                    assert!(self.settled.insert(test, verdict).is_none(), "settled twice");
                }
                Action::Emit(RunEvent::Planned { tests, .. }) => {
                    assert!(self.planned.replace(tests.len()).is_none(), "planned twice");
                }
                Action::Emit(_) => {}
                Action::EndLanes => self.stopped = true,
                Action::Standby(spares) => {
                    assert_ne!(self.spares, Spares::Over, "spares are over for good");
                    let boots = |stand: &Stand| matches!(stand, Stand::Booting | Stand::Loaded(_));
                    let all_have_one = !self.lanes.values().any(|(_, stand)| boots(stand));
                    assert!(spares != Spares::Wanted || all_have_one, "spares before all lanes have one of their own");
                    self.spares = spares;
                }
                Action::Order(environment, order) => {
                    assert!(!self.stopped || order == Order::Finish, "after the stop: {order:?}");
                    assert_eq!(environment, self.environment(environment.lane), "for an environment that is gone");
                    match (self.stand(environment.lane), &order) {
                        (Stand::Loaded(given @ None), Order::List | Order::GetReady)
                        | (
                            Stand::Waiting(given @ None),
                            Order::List | Order::Run(_) | Order::Recycle | Order::Finish,
                        ) => {
                            *given = Some(order);
                        }
                        (stand, _) => panic!("{order:?} for a lane that had not asked: {stand:?}"),
                    }
                }
            }
        }
        self.no_test_is_in_two_hands();
    }

    fn no_test_is_in_two_hands(&self) {
        let mut held: Vec<usize> = Vec::new();
        for (_, stand) in self.lanes.values() {
            match stand {
                Stand::Waiting(Some(Order::Run(work))) => held.extend(work.tests.iter().map(|item| item.index)),
                Stand::Running(items) => held.extend(items.iter().map(|item| item.index)),
                Stand::Booting | Stand::Loaded(_) | Stand::Waiting(_) | Stand::Gone => {}
            }
        }
        let distinct: BTreeSet<_> = held.iter().collect();
        assert_eq!(distinct.len(), held.len(), "two lanes hold the same test: {:?}", self.lanes);
    }

    /// A lane does whatever comes next for it.
    fn go_on(&mut self, lane: LaneIndex, outcome: Outcome) {
        let environment = self.environment(lane);
        match std::mem::replace(self.stand(lane), Stand::Gone) {
            Stand::Gone => {}
            Stand::Booting | Stand::Loaded(Some(Order::GetReady)) => self.ready(lane),
            Stand::Loaded(None) => panic!("a lane that has loaded the suite is not answered"),
            Stand::Loaded(Some(Order::List)) => {
                *self.stand(lane) = Stand::Loaded(Some(Order::GetReady));
                let failed = outcome.counts_against_test();
                let tests = if failed { Vec::new() } else { listed(&self.files) };
                // What is empty is not told before everything is ready.
                let nothing = tests.is_empty();
                self.report(lane, if nothing { Report::CannotListYet(environment) } else { Report::Listed(tests) });
            }
            Stand::Loaded(Some(Order::Run(_) | Order::Recycle | Order::Finish)) => panic!("it had not asked for that"),
            Stand::Waiting(None) => *self.stand(lane) = Stand::Waiting(None),
            Stand::Waiting(Some(Order::List)) => {
                let tests = listed(&self.files);
                self.report(lane, Report::Listed(tests));
                self.ask(lane);
            }
            Stand::Waiting(Some(Order::GetReady)) => panic!("it is ready"),
            Stand::Waiting(Some(Order::Recycle)) => self.boot(lane),
            Stand::Waiting(Some(Order::Finish)) => self.over(lane, None),
            Stand::Waiting(Some(Order::Run(work))) => *self.stand(lane) = Stand::Running(work.tests),
            Stand::Running(items) if items.is_empty() => self.ask(lane),
            Stand::Running(mut items) => {
                let item = items.remove(0);
                *self.stand(lane) = Stand::Running(items);
                self.report(lane, Report::Ended(item.index, attempt(&item, environment, outcome)));
            }
        }
    }

    fn ready(&mut self, lane: LaneIndex) {
        let environment = self.environment(lane);
        // The report is told of before the lane asks for anything.
        *self.stand(lane) = Stand::Running(Vec::new());
        self.report(lane, Report::Ready { environment, boot: Duration::ZERO, standby: false });
        self.ask(lane);
    }

    /// The suite is loaded before the environment is ready.
    fn load(&mut self, lane: LaneIndex) {
        *self.stand(lane) = Stand::Loaded(None);
        let environment = self.environment(lane);
        self.report(lane, Report::Loaded(environment));
    }

    fn ask(&mut self, lane: LaneIndex) {
        *self.stand(lane) = Stand::Waiting(None);
        self.report(lane, Report::WantsWork);
    }

    fn breaks(&mut self, lane: LaneIndex) {
        let environment = self.environment(lane);
        if matches!(self.stand(lane), Stand::Running(items) if !items.is_empty()) {
            self.go_on(lane, Outcome::EnvironmentBroke { cause: "web exited".to_owned() });
        }
        *self.stand(lane) = Stand::Booting;
        let broken = BrokenEnvironment { service: None, cause: "web exited".to_owned(), log_tail: Vec::new() };
        self.report(lane, Report::Broke(environment, broken));
        self.report(lane, Report::Removed(environment, ResourceUse::default()));
    }

    fn over(&mut self, lane: LaneIndex, panicked: Option<&str>) {
        *self.stand(lane) = Stand::Gone;
        let actions = self.state.lane_is_over(lane, panicked.map(str::to_owned), Timestamp::UNIX_EPOCH);
        self.take(actions);
    }

    fn alive(&self) -> Vec<LaneIndex> {
        self.lanes.iter().filter(|(_, (_, stand))| !matches!(stand, Stand::Gone)).map(|(lane, _)| *lane).collect()
    }

    fn step(&mut self, step: &Step) {
        let alive = self.alive();
        let (Step::GoOn(n, _)
        | Step::Load(n)
        | Step::LoseWorker(n)
        | Step::Break(n)
        | Step::StandDown(n)
        | Step::Panic(n)) = step
        else {
            let reason = StopReason::Signal(Interruption::Interrupt);
            let actions = self.state.stop(reason, Timestamp::UNIX_EPOCH);
            return self.take(actions);
        };
        let Some(lane) = (!alive.is_empty()).then(|| alive[usize::from(*n) % alive.len()]) else { return };
        match step {
            Step::GoOn(_, outcome) => self.go_on(lane, self::outcome(*outcome)),
            Step::Load(_) => {
                if !self.stopped && matches!(self.stand(lane), Stand::Booting) {
                    self.load(lane);
                }
            }
            Step::LoseWorker(_) => {
                if matches!(self.stand(lane), Stand::Running(_)) {
                    self.ask(lane);
                }
            }
            Step::Break(_) => {
                self.breaks(lane);
                self.boot(lane);
            }
            Step::StandDown(_) => {
                self.breaks(lane);
                self.report(lane, Report::StoodDown("web exited".to_owned()));
                self.over(lane, None);
            }
            Step::Panic(_) => self.over(lane, Some("oh no")),
            Step::Stop => {}
        }
    }

    /// Everything passes from now on, until all lanes are over; then the run is finished.
    fn finish(mut self) -> (RunVerdict, HashMap<TestId, TestVerdict>) {
        for _ in 0..10_000 {
            for lane in self.alive() {
                if self.stopped {
                    self.over(lane, None);
                } else {
                    self.go_on(lane, Outcome::Passed);
                }
            }
            if self.alive().is_empty() {
                let (actions, verdict) = self.state.finish();
                self.take(actions);
                assert_eq!(self.settled.len(), self.planned.unwrap_or(0), "every planned test settles");
                return (verdict, self.settled);
            }
        }
        panic!("the lanes wait for ever: {:?} {:?}", self.lanes, self.state);
    }
}

fn attempt(item: &WorkItem, environment: EnvironmentId, outcome: Outcome) -> Attempt {
    Attempt {
        test: item.test.clone(),
        number: item.attempt,
        environment,
        unit: UnitId(1),
        position: 1,
        predecessor: None,
        started: Timestamp::UNIX_EPOCH,
        duration: Duration::ZERO,
        outcome,
        output: String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_lanes_do_no_test_is_in_two_hands_and_each_settles_exactly_once(
        files in prop::collection::vec(0..6u8, 0..10), lanes in 1..5u16,
        max_failures in prop::option::of(1..4u32), steps in prop::collection::vec(step(), 0..300),
        repeat in prop_oneof![Just(1), 2..4u32],
    ) {
        let mut game = Game::new(files, lanes, max_failures);
        game.state.rules.repeat = repeat;
        for step in &steps {
            game.step(step);
        }
        game.finish();
    }

    #[test]
    fn a_stop_at_any_moment_deals_out_nothing_more_and_settles_everything(
        files in prop::collection::vec(1..6u8, 1..10), lanes in 1..5u16, steps in prop::collection::vec(step(), 0..100),
        more in prop::collection::vec(step(), 0..20), repeat in prop_oneof![Just(1), 2..4u32],
    ) {
        let mut game = Game::new(files, lanes, None);
        game.state.rules.repeat = repeat;
        for step in steps.iter().chain([&Step::Stop]).chain(&more) {
            game.step(step);
        }
        let (verdict, settled) = game.finish();
        let passed = settled.values().all(|verdict| *verdict != TestVerdict::NotRun);
        prop_assert!(verdict != RunVerdict::Passed || passed);
    }
}

#[test]
fn a_lane_that_goes_while_it_lists_leaves_the_listing_to_the_next() {
    let mut game = Game::new(vec![2], 2, None);
    game.go_on(LaneIndex(0), Outcome::Passed);
    assert!(matches!(game.stand(LaneIndex(0)), Stand::Waiting(Some(Order::List))));
    game.go_on(LaneIndex(1), Outcome::Passed);
    assert!(matches!(game.stand(LaneIndex(1)), Stand::Waiting(None)), "one listing is enough");
    game.step(&Step::Break(0));
    assert!(matches!(game.stand(LaneIndex(1)), Stand::Waiting(Some(Order::List))));
}

#[test]
fn the_first_lane_in_which_the_suite_is_loaded_lists_though_none_is_ready() {
    let mut game = Game::new(vec![2, 1], 3, None);
    game.load(LaneIndex(1));
    game.load(LaneIndex(2));
    assert!(matches!(game.stand(LaneIndex(2)), Stand::Loaded(Some(Order::GetReady))), "one listing is enough");
    game.go_on(LaneIndex(1), Outcome::Passed);
    assert_eq!(game.planned, Some(3));
    game.load(LaneIndex(0));
    assert!(matches!(game.stand(LaneIndex(0)), Stand::Loaded(Some(Order::GetReady))), "the tests are known");
    game.go_on(LaneIndex(0), Outcome::Passed);
    assert!(matches!(game.stand(LaneIndex(0)), Stand::Waiting(Some(Order::Run(_)))), "tests run when one is ready");
}

#[test]
fn a_listing_that_fails_before_the_environment_is_ready_is_left_to_the_next() {
    let failed = || Outcome::Failed(Failure::observed("it can't".to_owned()));
    let mut game = Game::new(vec![2], 2, None);
    game.load(LaneIndex(0));
    game.go_on(LaneIndex(0), failed());
    game.load(LaneIndex(1));
    game.go_on(LaneIndex(1), failed());
    assert_eq!(game.planned, None);
    game.go_on(LaneIndex(1), Outcome::Passed);
    assert!(matches!(game.stand(LaneIndex(1)), Stand::Waiting(Some(Order::List))), "asked for again when it is ready");
}

#[test]
fn lanes_that_stood_down_for_the_same_reason_are_named_together() {
    let mut game = Game::new(vec![2], 3, None);
    for lane in [0, 1] {
        game.report(LaneIndex(lane), Report::StoodDown("web exited".to_owned()));
        game.over(LaneIndex(lane), None);
    }
    game.over(LaneIndex(2), Some("oh no"));
    let (verdict, _) = game.finish();
    let why = "lane 3: shakedown itself failed in this lane, please report it: oh no\nlane 1, 2: web exited";
    assert_eq!(verdict, RunVerdict::EnvironmentsUnavailable(why.to_owned()));
}

#[test]
fn lanes_that_still_boot_are_cut_short_when_everything_is_settled() {
    let mut game = Game::new(vec![1], 2, None);
    for _ in 0..4 {
        game.go_on(LaneIndex(0), Outcome::Passed);
    }
    assert!(game.stopped, "{:?}", game.lanes);
    assert_eq!(game.finish().0, RunVerdict::Passed);
}

#[test]
fn a_suite_that_is_broken_stops_the_run_whatever_the_other_lanes_do() {
    let mut game = Game::new(vec![1], 2, None);
    game.report(LaneIndex(1), Report::SuiteBroken("syntax error".to_owned()));
    assert!(game.stopped);
    assert_eq!(game.finish().0, RunVerdict::SuiteBroken("syntax error".to_owned()));
}

#[test]
fn a_stop_after_everything_is_settled_changes_nothing() {
    let mut game = Game::new(vec![1], 1, None);
    for _ in 0..4 {
        game.go_on(LaneIndex(0), Outcome::Passed);
    }
    game.step(&Step::Stop);
    assert_eq!(game.finish().0, RunVerdict::Passed);
}
