//! Run events: the only vocabulary in which a run is told to the outside, to the store first and then to the
//! reporters. Whoever folds them can rebuild the whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::id::{AttemptNumber, EnvironmentId, LaneIndex, RunId, TestId, UnitId};
use crate::verdict::{Outcome, RunVerdict, StopReason, TestVerdict};

/// What a run sets out to do, known before anything is started.
#[derive(Clone, Debug)]
pub struct RunHeader {
    /// The run.
    pub run: RunId,
    /// The suite's name.
    pub suite: String,
    /// The version under test, a commit where one is known; empty otherwise.
    pub candidate: String,
    /// What asked for the run: `manual`, `candidate` or `hourly`.
    pub trigger: String,
    /// The seed of the plan.
    pub seed: u64,
    /// How many lanes.
    pub lanes: u16,
    /// Failed attempts until a test counts as failed.
    pub attempts: u32,
    /// How often each test is run, whatever comes of it; 1 for once. Where it is more, nothing is tried again.
    pub repeat: u32,
    /// The processors of the engine's host, for the lower bound.
    pub cpus: u32,
    /// Whether a flaky test makes the run fail.
    pub fail_on_flaky: bool,
    /// Which tests are asked for, one condition each, such as `--filter 'tag(smoke)'`; empty for the whole suite.
    pub selection: Vec<String>,
    /// Names the process: boot id, process id and process start time, so that a dead owner can be told.
    pub owner: String,
}

/// A test as the framework listed it and the plan took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTest {
    /// Stable from run to run.
    pub id: TestId,
    /// How the framework addresses it in this run.
    pub selector: String,
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line in `file`, from 1; 0 where it is not known.
    pub line: u32,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
    /// How long one attempt is expected to take; the median of the known ones for a new test.
    pub expected: Duration,
    /// Tests with the same number are run in one go, in the order in which they are listed; `None` for one that stands
    /// by itself.
    pub together: Option<u32>,
    /// What only one lane may use at a time, and this test uses.
    pub needs: BTreeSet<String>,
    /// What the framework starts a process of its own for, such as a browser that a suite is run with: a unit holds tests
    /// of one project only. `None` where all tests share a process.
    pub project: Option<String>,
}

/// One execution of one test, with its circumstances.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The test.
    pub test: TestId,
    /// The how-manieth of the test in this run.
    pub number: AttemptNumber,
    /// Where it ran.
    pub environment: EnvironmentId,
    /// The unit it was a part of.
    pub unit: UnitId,
    /// The how-manieth attempt in its environment, from 1.
    pub position: u32,
    /// What ran just before it in the same environment.
    pub predecessor: Option<TestId>,
    /// When it started.
    pub started: Timestamp,
    /// How long it took, by the framework's own clock where it ended by itself.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// What the test and its processes wrote, as far as it was kept.
    pub output: String,
}

/// Why an environment did not come up, or broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenEnvironment {
    /// The service that is to blame, where one is.
    pub service: Option<String>,
    /// What happened, in words: `web exited with code 1 while tests ran`.
    pub cause: String,
    /// The last lines of that service's log.
    pub log_tail: Vec<String>,
}

/// What an environment's containers used of the engine, as far as that was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceUse {
    /// Processor time.
    pub cpu: Duration,
    /// The most memory that all of them held at one time, in bytes; 0 where it was not told.
    pub memory_peak: u64,
    /// By service, those that ran as long as the environment.
    pub services: BTreeMap<String, ServiceUse>,
}

/// What one service of an environment used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceUse {
    /// Processor time.
    pub cpu: Duration,
    /// The most memory that it held at one time, in bytes; 0 where it was not told.
    pub memory_peak: u64,
    /// The most memory that it may hold, in bytes.
    pub memory_limit: Option<u64>,
    /// The most that it may use at one time, in thousandths of a processor.
    pub cpus_milli_limit: Option<u32>,
}

/// What happened, in the order in which it happened.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// The run begins.
    RunStarted {
        /// When.
        at: Timestamp,
        /// What it sets out to do.
        header: RunHeader,
    },
    /// An image is being built or fetched. No event follows where all images are there.
    ImageProgress {
        /// The service that needs the image.
        service: String,
        /// One line of progress.
        line: String,
    },
    /// An image is ready.
    ImageReady {
        /// The service that needs the image.
        service: String,
        /// How long it took; zero where the image was there.
        took: Duration,
    },
    /// An environment begins to boot.
    EnvironmentStarting {
        /// When.
        at: Timestamp,
        /// Which.
        environment: EnvironmentId,
    },
    /// A step of the boot, for those who watch.
    EnvironmentProgress {
        /// Which.
        environment: EnvironmentId,
        /// What it waits for now: `web: starting`.
        step: String,
    },
    /// An environment is ready to run tests.
    EnvironmentReady {
        /// When.
        at: Timestamp,
        /// Which.
        environment: EnvironmentId,
        /// How long its lane has waited for it, from the start of the boot.
        boot: Duration,
        /// Whether it had stood by, and so was booted ahead of need.
        standby: bool,
    },
    /// An environment's state was reset, so that it serves for the next test.
    EnvironmentReset {
        /// Which.
        environment: EnvironmentId,
        /// How long that took.
        took: Duration,
    },
    /// A spare environment that no lane has taken is gone from the engine.
    StandbyRemoved {
        /// Processor time that its containers used, where the engine told it.
        cpu: Duration,
    },
    /// An environment did not come up, or broke while it was used. Its tests are run again elsewhere.
    EnvironmentBroke {
        /// When.
        at: Timestamp,
        /// Which.
        environment: EnvironmentId,
        /// What happened.
        broken: BrokenEnvironment,
    },
    /// An environment is gone from the engine.
    EnvironmentRemoved {
        /// When.
        at: Timestamp,
        /// Which.
        environment: EnvironmentId,
        /// What its containers used.
        used: ResourceUse,
    },
    /// A lane gave up: it failed too often in a row to bring an environment up.
    LaneStoodDown {
        /// Which.
        lane: LaneIndex,
        /// Why.
        why: String,
    },
    /// The tests are known and dealt into units.
    Planned {
        /// When.
        at: Timestamp,
        /// All tests of the run, in the order in which they were listed.
        tests: Vec<PlannedTest>,
        /// How many tests the suite has, those included that were not selected.
        listed: usize,
        /// How many units.
        units: usize,
        /// How many of the tests have a duration in the store.
        known: usize,
        /// What else is worth saying of the plan, a line each: files that are split, resources that few may use.
        notes: Vec<String>,
    },
    /// A lane took a unit.
    UnitStarted {
        /// Which lane, and in which environment.
        environment: EnvironmentId,
        /// The unit.
        unit: UnitId,
        /// How many tests it holds.
        tests: usize,
    },
    /// The first test of a unit was started; told when it ends.
    UnitBegan {
        /// When that is told.
        at: Timestamp,
        /// Where.
        environment: EnvironmentId,
        /// The unit.
        unit: UnitId,
        /// The test's file.
        file: String,
        /// How long that took since the unit was handed to the worker: what the framework and the suite do before the
        /// first test, and what the framework does in it that it does not count as the test's, such as starting a browser.
        took: Duration,
    },
    /// A test starts.
    AttemptStarted {
        /// When.
        at: Timestamp,
        /// The test.
        test: TestId,
        /// The how-manieth attempt.
        number: AttemptNumber,
        /// Where.
        environment: EnvironmentId,
    },
    /// A test's attempt ended. It is on disk before its lane takes the next unit.
    AttemptEnded(Attempt),
    /// A test will not be tried again in this run.
    TestSettled {
        /// The test.
        test: TestId,
        /// What its attempts mean.
        verdict: TestVerdict,
    },
    /// Evidence of an attempt that did not pass was written.
    EvidenceKept {
        /// The test.
        test: TestId,
        /// The attempt.
        number: AttemptNumber,
        /// The folder, as seen from the working directory.
        folder: PathBuf,
        /// The files, relative to the folder.
        files: Vec<String>,
    },
    /// Something worth saying that is nobody's failure: a setting that has no effect, an error outside of tests.
    Warning {
        /// The whole text.
        message: String,
    },
    /// The run begins to stop early.
    Stopping {
        /// When.
        at: Timestamp,
        /// Why.
        reason: StopReason,
    },
    /// The run is over, and nothing of it is left on the engine.
    RunEnded {
        /// When.
        at: Timestamp,
        /// What it means.
        verdict: RunVerdict,
        /// The run's exit code.
        exit_code: u8,
    },
}
