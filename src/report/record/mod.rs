//! The whole picture of a run, folded from its events.
//!
//! Every report at the end is a function of a [`RunRecord`]. While the run lasts, the terminal reads it too, so it
//! also knows what runs where just now.

mod figures;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;

pub use figures::{Counts, Limit, LowerBound, Rate, StartUp, Upkeep};

use crate::event::{Attempt, BrokenEnvironment, PlannedTest, ResourceUse, RunEvent, RunHeader};
use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, RunId, TestId, UnitId};
use crate::verdict::{Outcome, RunVerdict, StopReason, TestVerdict, verdict_at_stop};

/// All that is known of a run so far.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What the run set out to do; blank until `RunStarted` is folded.
    pub header: RunHeader,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When the tests were known.
    pub planned: Option<Timestamp>,
    /// The tests, in the order in which they were listed.
    pub tests: IndexMap<TestId, TestRecord>,
    /// How many tests the suite has, those included that were not selected.
    pub listed: usize,
    /// How many units the tests were dealt into.
    pub units: usize,
    /// How many of the tests had a duration in the store.
    pub known: usize,
    /// How long each unit took from being handed out until its first test started.
    pub starts: Vec<Duration>,
    /// The environments, by lane and generation.
    pub environments: BTreeMap<EnvironmentId, EnvironmentRecord>,
    /// Processor time of spare environments that no lane took.
    pub spare_cpu: Duration,
    /// Images that were built or fetched, by service, with the time it took; `None` while it lasts.
    pub images: IndexMap<String, Option<Duration>>,
    /// Lanes that gave up, with the reason.
    pub stood_down: BTreeMap<LaneIndex, String>,
    /// Warnings, in the order in which they came.
    pub warnings: Vec<String>,
    /// When and why the run began to stop early.
    pub stop: Option<(Timestamp, StopReason)>,
    /// How the run ended; `None` while it lasts.
    pub ending: Option<Ending>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When nothing of it was left on the engine.
    pub at: Timestamp,
    /// What it means.
    pub verdict: RunVerdict,
    /// The exit code.
    pub exit_code: u8,
}

/// A test and what became of it.
#[derive(Clone, Debug)]
pub struct TestRecord {
    /// The test as it was planned.
    pub planned: PlannedTest,
    /// Its attempts that ended, oldest first.
    pub attempts: Vec<Attempt>,
    /// What was kept of attempts that did not pass; known at the end of the run.
    pub evidence: BTreeMap<AttemptNumber, Kept>,
    /// What its attempts mean, once it is settled.
    pub settled: Option<TestVerdict>,
}

/// Evidence of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The folder, as seen from the working directory.
    pub folder: PathBuf,
    /// The files, relative to the folder.
    pub files: Vec<String>,
}

impl TestRecord {
    /// The verdict. A test that was never settled gets the one that it has if the run stops now.
    pub fn verdict(&self) -> TestVerdict {
        self.settled.unwrap_or_else(|| {
            let outcomes: Vec<Outcome> = self.attempts.iter().map(|a| a.outcome.clone()).collect();
            verdict_at_stop(&outcomes)
        })
    }

    /// The attempt that decided: the first pass; without one the first that failed; else the last.
    pub fn deciding(&self) -> Option<&Attempt> {
        let passed = self.attempts.iter().find(|a| a.outcome == Outcome::Passed);
        let failed = || self.failures().next();
        passed.or_else(failed).or(self.attempts.last())
    }

    /// How many attempts passed.
    pub fn passes(&self) -> usize {
        self.attempts.iter().filter(|a| a.outcome == Outcome::Passed).count()
    }

    /// The attempts that count against the test, oldest first.
    pub fn failures(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|a| a.outcome.counts_against_test())
    }
}

/// An environment and what became of it.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentRecord {
    /// When it began to boot.
    pub started: Option<Timestamp>,
    /// What its boot waited for last.
    pub step: Option<String>,
    /// How long it booted, if it became ready.
    pub boot: Option<Duration>,
    /// When and how it broke, if it did.
    pub broke: Option<(Timestamp, BrokenEnvironment)>,
    /// When it was gone from the engine.
    pub removed: Option<Timestamp>,
    /// What its containers used, as far as the engine told it.
    pub used: ResourceUse,
    /// How often its state was reset.
    pub resets: u32,
    /// How long that took together.
    pub resetting: Duration,
    /// Whether it had stood by before its lane took it.
    pub standby: bool,
    /// The unit that it works on or worked on last.
    pub unit: Option<UnitId>,
    /// The attempt that runs in it now.
    pub running: Option<Running>,
}

/// An attempt that has not ended yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The test.
    pub test: TestId,
    /// The how-manieth attempt.
    pub number: AttemptNumber,
    /// Since when.
    pub since: Timestamp,
}

impl Default for RunRecord {
    fn default() -> Self {
        Self {
            header: RunHeader {
                run: RunId::from_stored(""),
                suite: String::new(),
                candidate: String::new(),
                trigger: String::new(),
                seed: 0,
                lanes: 0,
                attempts: 0,
                repeat: 1,
                cpus: 0,
                fail_on_flaky: false,
                selection: Vec::new(),
                owner: String::new(),
            },
            started: None,
            planned: None,
            listed: 0,
            tests: IndexMap::new(),
            units: 0,
            known: 0,
            starts: Vec::new(),
            environments: BTreeMap::new(),
            spare_cpu: Duration::ZERO,
            images: IndexMap::new(),
            stood_down: BTreeMap::new(),
            warnings: Vec::new(),
            stop: None,
            ending: None,
        }
    }
}

impl RunRecord {
    /// Folds all events of a run.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Self {
        let mut record = Self::default();
        for event in events {
            record.fold(event);
        }
        record
    }

    /// Takes in what happened next.
    pub fn fold(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { at, header } => {
                self.started = Some(*at);
                self.header = header.clone();
            }
            RunEvent::ImageProgress { service, line: _ } => {
                self.images.entry(service.clone()).or_insert(None);
            }
            // One that was there needs no place in a record of what was made.
            RunEvent::ImageReady { took, .. } if took.is_zero() => {}
            RunEvent::ImageReady { service, took } => {
                self.images.insert(service.clone(), Some(*took));
            }
            RunEvent::EnvironmentStarting { at, environment } => self.environment(*environment).started = Some(*at),
            RunEvent::EnvironmentProgress { environment, step } => {
                self.environment(*environment).step = Some(step.clone());
            }
            RunEvent::EnvironmentReady { at: _, environment, boot, standby } => {
                let environment = self.environment(*environment);
                environment.boot = Some(*boot);
                environment.standby = *standby;
            }
            RunEvent::EnvironmentBroke { at, environment, broken } => {
                self.environment(*environment).broke = Some((*at, broken.clone()));
            }
            RunEvent::EnvironmentRemoved { at, environment, used } => {
                let environment = self.environment(*environment);
                environment.removed = Some(*at);
                environment.used = used.clone();
                environment.running = None;
            }
            RunEvent::EnvironmentReset { environment, took } => {
                let environment = self.environment(*environment);
                environment.resets += 1;
                environment.resetting += *took;
            }
            RunEvent::StandbyRemoved { cpu } => self.spare_cpu += *cpu,
            RunEvent::LaneStoodDown { lane, why } => {
                self.stood_down.insert(*lane, why.clone());
            }
            RunEvent::Planned { at, tests, listed, units, known, notes: _ } => {
                self.planned = Some(*at);
                self.listed = *listed;
                self.units = *units;
                self.known = *known;
                for test in tests {
                    self.tests.insert(
                        test.id.clone(),
                        TestRecord {
                            planned: test.clone(),
                            attempts: Vec::new(),
                            evidence: BTreeMap::new(),
                            settled: None,
                        },
                    );
                }
            }
            RunEvent::UnitStarted { environment, unit, tests: _ } => {
                self.environment(*environment).unit = Some(*unit);
            }
            RunEvent::UnitBegan { at: _, environment: _, unit: _, file: _, took } => self.starts.push(*took),
            RunEvent::AttemptStarted { at, test, number, environment } => {
                let running = Running { test: test.clone(), number: *number, since: *at };
                self.environment(*environment).running = Some(running);
            }
            RunEvent::AttemptEnded(attempt) => {
                let environment = self.environment(attempt.environment);
                if environment.running.as_ref().is_some_and(|r| r.test == attempt.test) {
                    environment.running = None;
                }
                self.test(&attempt.test).attempts.push(attempt.clone());
            }
            RunEvent::TestSettled { test, verdict } => self.test(test).settled = Some(*verdict),
            RunEvent::EvidenceKept { test, number, folder, files } => {
                let kept = Kept { folder: folder.clone(), files: files.clone() };
                self.test(test).evidence.insert(*number, kept);
            }
            RunEvent::Warning { message } => self.warnings.push(message.clone()),
            RunEvent::Stopping { at, reason } => {
                // The first reason is the one that stopped the run; later ones only hurry it.
                self.stop.get_or_insert((*at, reason.clone()));
            }
            RunEvent::RunEnded { at, verdict, exit_code } => {
                self.ending = Some(Ending { at: *at, verdict: verdict.clone(), exit_code: *exit_code });
            }
        }
    }

    fn environment(&mut self, id: EnvironmentId) -> &mut EnvironmentRecord {
        self.environments.entry(id).or_default()
    }

    /// A test that no plan named is still reported, by what its id tells.
    fn test(&mut self, id: &TestId) -> &mut TestRecord {
        self.tests.entry(id.clone()).or_insert_with(|| {
            let (file, name) = id.as_str().split_once("::").unwrap_or(("", id.as_str()));
            let planned = PlannedTest {
                id: id.clone(),
                selector: id.as_str().to_owned(),
                file: file.to_owned(),
                line: 0,
                name: name.to_owned(),
                tags: Vec::new(),
                expected: Duration::ZERO,
                together: None,
                project: None,
                needs: std::collections::BTreeSet::new(),
            };
            TestRecord { planned, attempts: Vec::new(), evidence: BTreeMap::new(), settled: None }
        })
    }

    /// The tests with the verdict, in the order in which they were listed.
    pub fn tests_with(&self, verdict: TestVerdict) -> impl Iterator<Item = &TestRecord> {
        self.tests.values().filter(move |test| test.verdict() == verdict)
    }

    /// The environments that broke, with when and how.
    pub fn broken_environments(&self) -> impl Iterator<Item = (EnvironmentId, &Timestamp, &BrokenEnvironment)> {
        self.environments.iter().filter_map(|(id, e)| e.broke.as_ref().map(|(at, broken)| (*id, at, broken)))
    }
}

/// From one time to a later one; nothing where the clock went backwards.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
