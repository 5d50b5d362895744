//! A suite of tests that behave as they are told, for the scripted worker.

use std::time::Duration;

/// A suite.
#[derive(Clone, Debug)]
pub struct FakeSuite {
    /// Its tests, in the order in which they are listed.
    pub tests: Vec<FakeTest>,
    /// How long it takes to load.
    pub load: Duration,
    /// How long each unit takes to start.
    pub unit_start: Duration,
    /// What is wrong with it as a whole.
    pub fault: Option<SuiteFault>,
}

/// What can be wrong with a whole suite, or with its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteFault {
    /// It can't be loaded.
    LoadError,
    /// There is no such program as the worker's.
    Missing,
    /// The worker speaks another version.
    WrongProtocol,
    /// The worker never says that it has loaded the suite.
    SilentLoad,
    /// The worker's standard output also carries something else.
    Garbage,
    /// The listing's end does not fit the listing.
    Miscounts,
    /// The listing never ends.
    HangsWhileListing,
    /// The worker ends while it lists.
    DiesWhileListing,
    /// It can't be loaded as long as the service of that name does not run.
    NeedsToLoad(&'static str),
    /// The worker ends a moment after it has loaded the suite, where the service of that name does not run by then.
    NeedsToLive(&'static str),
    /// The worker ends while it lists, where the service of that name does not run.
    NeedsToList(&'static str),
    /// There are no tests as long as the service of that name does not run.
    NeedsToFind(&'static str),
}

/// A test.
#[derive(Clone, Debug)]
pub struct FakeTest {
    /// Its file.
    pub file: String,
    /// Its name.
    pub name: String,
    /// How long it takes, where it ends by itself.
    pub takes: Duration,
    /// What it does.
    pub behaviour: Behaviour,
}

/// What a test does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It passes.
    Passes,
    /// It fails.
    Fails,
    /// It fails in the attempts up to this number.
    FailsUpTo(u32),
    /// It is skipped.
    Skips,
    /// It never ends.
    Hangs,
    /// It passes; in the attempts up to this number, the word of its end is changed on its way.
    EndIsGarbled(u32),
    /// It passes; in the attempts up to this number, the word of its end and all that follows never arrives.
    EndIsLost(u32),
    /// It passes; in the attempts up to this number, the connection to its worker is cut before.
    IsCutOff(u32),
    /// It never ends, and writes all the time.
    HangsNoisily,
    /// It ends its worker.
    KillsWorker,
    /// In the attempts up to this number, it ends the service of that name, and fails a moment later.
    Crashes {
        /// The service.
        service: String,
        /// The last attempt that does so.
        up_to: u32,
    },
    /// As [`Crashes`](Self::Crashes), but before the test is said to have started, as a hook would.
    CrashesBeforeStart {
        /// The service.
        service: String,
    },
    /// In the attempts up to this number, the service of that name runs out of memory and loses a process, and the test
    /// fails a moment later.
    Starves {
        /// The service.
        service: String,
        /// The last attempt that does so.
        up_to: u32,
    },
    /// In the attempts up to this number, the service of that name hangs from now on, whatever is run in it, and so does
    /// the test.
    Freezes {
        /// The service.
        service: String,
        /// The last attempt that does so.
        up_to: u32,
    },
    /// In its first attempt, its worker is killed as the container is out of memory.
    OutOfMemory,
    /// It fails in this environment, `1.1`, and passes elsewhere.
    FailsIn(String),
    /// It passes, and every test that its worker runs after it fails.
    PoisonsWorker,
    /// It is listed, but not known when it is asked for.
    Unknown,
    /// It is known, but nothing is heard of it.
    Silent,
    /// It passes, unless the test of that name, of the same unit and before it, has failed: then it is not run.
    BuildsOn(String),
    /// It passes, once so many others have run that it builds on, each for as long as itself.
    ComesAfter(u32),
    /// Up to this attempt, what is done before it fails, so that it is not run; then it passes.
    BlockedUpTo(u32),
    /// It writes this many lines, and fails.
    FailsNoisily(u32),
    /// It passes, and the end of a test that was not asked for is told while it runs.
    PassesBesideStranger,
    /// It passes, and once its unit is over, something that outlives it can't be cleaned up.
    Spoils,
}

impl FakeTest {
    /// A test that takes half a second.
    pub fn new(file: &str, name: &str, behaviour: Behaviour) -> Self {
        Self { file: file.to_owned(), name: name.to_owned(), takes: Duration::from_millis(500), behaviour }
    }

    /// How it is addressed.
    pub fn selector(&self) -> String {
        format!("./{}[{}]", self.file, self.name)
    }
}

impl FakeSuite {
    /// A suite that loads within a fifth of a second.
    pub fn new(tests: Vec<FakeTest>) -> Self {
        Self { tests, load: Duration::from_millis(200), unit_start: Duration::ZERO, fault: None }
    }

    /// A suite that has this fault.
    pub fn faulty(fault: SuiteFault, tests: Vec<FakeTest>) -> Self {
        Self { fault: Some(fault), ..Self::new(tests) }
    }
}
