//! What is computed from a run's record: counts, rates, and how fast the run could have been.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::{RunRecord, TestRecord, between};
use crate::event::ServiceUse;
use crate::id::{EnvironmentId, UnitId};
use crate::verdict::{Outcome, TestVerdict};

/// How many tests have which verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<TestVerdict, usize>);

impl Counts {
    /// How many tests have the verdict.
    pub fn of(&self, verdict: TestVerdict) -> usize {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    /// How many tests there are.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl FromIterator<TestVerdict> for Counts {
    fn from_iter<T: IntoIterator<Item = TestVerdict>>(verdicts: T) -> Self {
        let mut counts = BTreeMap::new();
        for verdict in verdicts {
            *counts.entry(verdict).or_insert(0) += 1;
        }
        Self(counts)
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many passed.
    pub passed: usize,
    /// Of how many.
    pub of: usize,
}

impl Rate {
    /// From 0 to 100; `None` where nothing was counted.
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| self.passed as f64 * 100.0 / self.of as f64)
    }
}

/// What keeps a run from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The longest chain of things that must happen one after another.
    Chain,
    /// All work, dealt evenly over the lanes.
    Work,
    /// The processors of the engine's host.
    Cpu,
}

impl Limit {
    /// All limits, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Chain, Self::Work, Self::Cpu];

    /// The limit in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chain => "longest chain",
            Self::Work => "work over lanes",
            Self::Cpu => "CPU",
        }
    }
}

/// The wall time below which a run that does the same work can't come, three times for three reasons. The largest
/// of them is the run's lower bound.
///
/// All three are measured in the run itself, so they judge how well its work was dealt out, not how well the suite
/// is written. A chain counts the quickest boot and start of a unit and not those that it really waited for, and nothing
/// counts the time to make images, list tests and tear down. A file that could be split is no chain, and of the units'
/// starts each lane is charged the quickest one only, as there might have been one unit for each lane.
///
/// The bound on work takes a boot for something that occupies its lane. Where standbys boot beside a lane's tests,
/// that is not so, and a good run may come below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LowerBound {
    /// The quickest boot and start of a unit, and after them the longest of: all attempts of one test, which wait for one
    /// another; all attempts within one unit of tests that are run in one go; all attempts of tests that share a resource
    /// which one lane at a time may use.
    pub chain: Duration,
    /// All boots that became ready and all attempts, divided by the number of lanes, and the quickest start of a unit.
    pub work: Duration,
    /// The processor time of all containers, divided by the number of processors; zero where the engine told none.
    pub cpu: Duration,
}

impl LowerBound {
    /// The figure that belongs to a limit.
    pub fn of(&self, limit: Limit) -> Duration {
        match limit {
            Limit::Chain => self.chain,
            Limit::Work => self.work,
            Limit::Cpu => self.cpu,
        }
    }

    /// The limit that keeps the run from being faster, and its figure.
    pub fn bound(&self) -> (Limit, Duration) {
        let mut largest = Limit::Chain;
        for limit in Limit::ALL {
            if self.of(limit) > self.of(largest) {
                largest = limit;
            }
        }
        (largest, self.of(largest))
    }
}

/// What starting units cost: the time from handing one to a worker until its first test starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartUp {
    /// How many units began.
    pub units: usize,
    /// The median of what they took.
    pub typical: Duration,
    /// All of it, of all that was spent on starts and attempts.
    pub percent: f64,
}

/// What was done to keep environments clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// How often an environment's state was reset.
    pub resets: u32,
    /// How long that took together.
    pub resetting: Duration,
    /// Environments that were replaced though they had not broken.
    pub recycled: usize,
    /// Environments that had stood by before their lane took them.
    pub from_standby: usize,
}

impl RunRecord {
    /// How many tests have which verdict. Tests that are not settled count as what they are if the run stops now.
    pub fn counts(&self) -> Counts {
        self.tests.values().map(TestRecord::verdict).collect()
    }

    /// How many tests are settled, whatever the verdict.
    pub fn settled(&self) -> usize {
        self.tests.values().filter(|t| t.settled.is_some()).count()
    }

    /// How many settled tests have the verdict.
    pub fn settled_as(&self, verdict: TestVerdict) -> usize {
        self.tests.values().filter(|t| t.settled == Some(verdict)).count()
    }

    /// Of the tests that ran, those that passed in the first attempt that says anything about the test.
    ///
    /// A test ran if one of its attempts passed, failed or timed out. Skipped tests, tests that were never run and
    /// tests whose environments all broke are in neither number.
    pub fn first_try(&self) -> Rate {
        self.rate(|telling| telling.first() == Some(&&Outcome::Passed))
    }

    /// Of the tests that ran, those that passed in any attempt. Counted from the same tests as
    /// [`first_try`](Self::first_try).
    pub fn after_retry(&self) -> Rate {
        self.rate(|telling| telling.contains(&&Outcome::Passed))
    }

    /// Of all attempts that passed, failed or timed out, those that passed.
    pub fn executions(&self) -> Rate {
        let passed = self.tests.values().map(TestRecord::passes).sum();
        Rate { passed, of: passed + self.tests.values().map(|test| test.failures().count()).sum::<usize>() }
    }

    fn rate(&self, passed: impl Fn(&[&Outcome]) -> bool) -> Rate {
        let mut rate = Rate { passed: 0, of: 0 };
        for test in self.tests.values() {
            let telling: Vec<&Outcome> = test
                .attempts
                .iter()
                .map(|a| &a.outcome)
                .filter(|o| **o == Outcome::Passed || o.counts_against_test())
                .collect();
            if !telling.is_empty() {
                rate.of += 1;
                rate.passed += usize::from(passed(&telling));
            }
        }
        rate
    }

    /// When the first attempt started.
    pub fn first_attempt(&self) -> Option<Timestamp> {
        let ended = self.tests.values().flat_map(|t| t.attempts.iter().map(|a| a.started));
        let running = self.environments.values().filter_map(|e| e.running.as_ref().map(|r| r.since));
        ended.chain(running).min()
    }

    /// From the start of the run to the start of its first attempt.
    pub fn time_to_first_test(&self) -> Option<Duration> {
        Some(between(self.started?, self.first_attempt()?))
    }

    /// From the start of the run until nothing of it was left; `None` while it lasts.
    pub fn wall_time(&self) -> Option<Duration> {
        Some(between(self.started?, self.ending.as_ref()?.at))
    }

    /// How fast the same work could have been done; `None` where no attempt ended, so that there was none.
    pub fn lower_bound(&self) -> Option<LowerBound> {
        let boots = || self.environments.values().filter(|e| !e.standby).filter_map(|e| e.boot);
        let attempts = || self.tests.values().flat_map(|t| &t.attempts);
        attempts().next()?;
        let of_one_test = self.tests.values().map(|t| {
            let durations = t.attempts.iter().map(|a| a.duration);
            // Where a test is run several times, none of these waits for another.
            if self.header.repeat > 1 { durations.max().unwrap_or_default() } else { durations.sum() }
        });
        let mut in_one_go: HashMap<(EnvironmentId, UnitId, u32), Duration> = HashMap::new();
        let mut sharing: HashMap<&str, Duration> = HashMap::new();
        for test in self.tests.values() {
            for attempt in &test.attempts {
                if let Some(together) = test.planned.together {
                    *in_one_go.entry((attempt.environment, attempt.unit, together)).or_default() += attempt.duration;
                }
                for need in &test.planned.needs {
                    *sharing.entry(need).or_default() += attempt.duration;
                }
            }
        }
        let chains = of_one_test.chain(in_one_go.into_values()).chain(sharing.into_values());
        let longest: Duration = chains.max().unwrap_or_default();
        let start = self.starts.iter().min().copied().unwrap_or_default();
        let resets = self.environments.values().map(|e| e.resetting);
        let work: Duration = boots().chain(attempts().map(|a| a.duration)).chain(resets).sum();
        let cpu = self.environments.values().map(|e| e.used.cpu).sum::<Duration>() + self.spare_cpu;
        Some(LowerBound {
            chain: boots().min().unwrap_or_default() + start + longest,
            work: work / u32::from(self.header.lanes.max(1)) + start,
            cpu: cpu / self.header.cpus.max(1),
        })
    }

    /// What starting units cost; `None` where none was measured.
    pub fn start_up(&self) -> Option<StartUp> {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        let total: Duration = starts.iter().sum();
        let attempts: Duration = self.tests.values().flat_map(|t| &t.attempts).map(|a| a.duration).sum();
        let all = (total + attempts).as_secs_f64();
        let percent = if all > 0.0 { total.as_secs_f64() * 100.0 / all } else { 0.0 };
        Some(StartUp { units: starts.len(), typical: *starts.get(starts.len() / 2)?, percent })
    }

    /// What was done to keep environments clean.
    pub fn upkeep(&self) -> Upkeep {
        let environments = || self.environments.values();
        let replaced = self.environments.iter().filter(|(id, environment)| {
            let next = EnvironmentId { generation: id.generation + 1, ..**id };
            environment.broke.is_none() && self.environments.contains_key(&next)
        });
        Upkeep {
            resets: environments().map(|e| e.resets).sum(),
            resetting: environments().map(|e| e.resetting).sum(),
            recycled: replaced.count(),
            from_standby: environments().filter(|e| e.standby).count(),
        }
    }

    /// The most memory that one environment held at one time, and the most that each service did, each with its
    /// limits; `None` where the engine told of none.
    pub fn memory_peaks(&self) -> Option<(u64, BTreeMap<&str, ServiceUse>)> {
        let most = self.environments.values().map(|e| e.used.memory_peak).max().filter(|most| *most > 0)?;
        let mut services: BTreeMap<&str, ServiceUse> = BTreeMap::new();
        for (service, used) in self.environments.values().flat_map(|e| &e.used.services) {
            let peak = services.entry(service).or_insert(*used);
            peak.memory_peak = peak.memory_peak.max(used.memory_peak);
        }
        Some((most, services))
    }

    /// The lanes that have not given up.
    pub fn live_lanes(&self) -> usize {
        usize::from(self.header.lanes).saturating_sub(self.stood_down.len())
    }

    /// About how long the unsettled tests still take: their expected work over the lanes that are left, but not
    /// less than the longest of them. `None` before the tests are known, and where nothing is known of any.
    pub fn remaining(&self, now: Timestamp) -> Option<Duration> {
        self.planned?;
        let running: HashMap<_, _> = self
            .environments
            .values()
            .filter_map(|e| e.running.as_ref())
            .map(|r| (&r.test, between(r.since, now)))
            .collect();
        let left = |test: &TestRecord| {
            let spent = running.get(&test.planned.id).copied().unwrap_or_default();
            let ended = u32::try_from(test.attempts.len()).unwrap_or(u32::MAX);
            // Unless it is run several times, one that failed is run once more.
            let times = if self.header.repeat > 1 { self.header.repeat.saturating_sub(ended) } else { 1 };
            (test.planned.expected * times).saturating_sub(spent)
        };
        let unsettled: Vec<&TestRecord> = self.tests.values().filter(|t| t.settled.is_none()).collect();
        if !unsettled.is_empty() && unsettled.iter().all(|t| t.planned.expected.is_zero()) {
            return None;
        }
        let work: Duration = unsettled.iter().map(|t| left(t)).sum();
        let longest = unsettled.iter().map(|t| left(t)).max().unwrap_or_default();
        let lanes = u32::try_from(self.live_lanes().max(1)).unwrap_or(u32::MAX);
        Some((work / lanes).max(longest))
    }
}
