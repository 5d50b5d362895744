//! What the user asked for: a folder with `shakedown.toml` and the application's own Compose file.
//!
//! [`load()`] reads both and checks them against each other. It reports every problem at once, each with file,
//! line and what would be accepted.
//!
//! `raw` reads the TOML by itself and [`compose`] the Compose file by itself; `check` holds them against each other,
//! and `load` puts the three in a row. All of them report into `findings` and read on.
//!
//! Architecture invariant: nothing here knows of Docker or of async code.

mod check;
mod command;
pub mod compose;
mod duration;
mod evidence;
mod findings;
mod framework;
mod history;
mod load;
mod order;
mod problem;
mod raw;
mod ready;
mod reset;
mod section;
mod snapshot;
mod subnets;
mod suggest;
mod text;
mod words;

pub use command::{CommandItems, CommandSuite, CommandTemplate, ItemKind};
pub use load::load;
pub use order::{Exclusive, FilePattern, OrderSettings};
pub use problem::{Problem, Problems, Warning};
pub use ready::Probe;
pub use reset::{Reset, ResetAfter, ResetHow};
pub use snapshot::{Seed, Snapshot};
pub use subnets::{Subnet, SubnetPool};

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

/// The file's name within the manifest's folder.
pub const FILE_NAME: &str = "shakedown.toml";

/// The default of time spans.
const TWO_MINUTES: Duration = Duration::from_secs(120);
/// The default of attempts.
const THREE: NonZeroU32 = NonZeroU32::new(3).expect("three is not zero");

/// A manifest that was checked: every reference holds, every value is within its bounds.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The folder that holds the manifest; paths in it are relative to this folder.
    pub folder: PathBuf,
    /// What is tested.
    pub suite: Suite,
    /// How its environments are made.
    pub environment: EnvironmentSettings,
    /// How often and how long a test may run.
    pub retry: RetrySettings,
    /// Which tests stay together, and which must not run at the same time.
    pub order: OrderSettings,
    /// What is kept of a run.
    pub evidence: EvidenceSettings,
    /// The address of the PostgreSQL database that keeps the history, without a password; `None` where the manifest
    /// does not say.
    pub history: Option<String>,
    /// The application as its Compose file describes it.
    pub compose: compose::Project,
}

/// `[suite]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Lower-case letters, digits, `-` and `_`; part of folder and container names.
    pub name: String,
    /// The framework that runs the tests.
    pub framework: FrameworkKind,
    /// Files or folders with tests, relative to the runner's working directory; none where the framework's own
    /// configuration says where they are. Nothing to the framework `command`.
    pub paths: Vec<String>,
    /// Patterns of files that are kept of an attempt that did not pass, relative to the runner's working directory.
    pub artifacts: Vec<String>,
}

/// The frameworks that are understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameworkKind {
    /// RSpec 3.10 or later.
    Rspec,
    /// minitest 5.11 or later, of Rails or not.
    Minitest,
    /// Playwright Test 1.42 or later.
    Playwright,
    /// pytest 7.0 or later.
    Pytest,
    /// Any program.
    Command(CommandSuite),
}

impl FrameworkKind {
    /// Who pays for starting the framework.
    pub fn start_up(&self) -> StartUp {
        match self {
            Self::Rspec | Self::Minitest | Self::Pytest => StartUp::Worker,
            Self::Playwright => StartUp::Unit { most: NonZeroUsize::MAX },
            Self::Command(command) if command.at_once == NonZeroUsize::MIN => StartUp::Test,
            Self::Command(command) => StartUp::Unit { most: command.at_once },
        }
    }
}

/// Who pays for starting a framework's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartUp {
    /// A worker, once; it stays warm.
    Worker,
    /// Each unit: tests that are handed out together share a process.
    Unit {
        /// As many tests as one process takes. A unit with more of them has several, one after another.
        most: NonZeroUsize,
    },
    /// Each test: it gains nothing by company.
    Test,
}

/// `[environment]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentSettings {
    /// The Compose service in which the tests run.
    pub runner: String,
    /// How many environments.
    pub lanes: Lanes,
    /// Where the networks' addresses come from.
    pub subnets: SubnetPool,
    /// The time from the start of a boot within which an environment must be ready.
    pub ready_within: Duration,
    /// Attempts of one test that may be lost to broken environments.
    pub attempts: NonZeroU32,
    /// When services count as ready, by their names; for all others their health check tells.
    pub ready: BTreeMap<String, Probe>,
    /// Services whose published ports are kept; all others' are dropped, as N copies can't share them.
    pub publish: Vec<String>,
    /// How an environment is made clean again.
    pub reset: Reset,
    /// What is seeded once and starts from its frozen state.
    pub snapshot: Snapshot,
    /// Spare environments that are kept ready, so that a lane need not wait for a fresh one.
    pub standby: u16,
}

impl EnvironmentSettings {
    /// What holds for a suite that names nothing but its `runner`.
    pub fn new(runner: impl Into<String>) -> Self {
        Self {
            runner: runner.into(),
            lanes: Lanes::Auto,
            subnets: SubnetPool::default(),
            ready_within: TWO_MINUTES,
            attempts: THREE,
            ready: BTreeMap::new(),
            publish: Vec::new(),
            reset: Reset::default(),
            snapshot: Snapshot::default(),
            standby: 0,
        }
    }
}

/// How many environments run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// As many as suit the engine.
    Auto,
    /// This many.
    Count(NonZeroU16),
}

/// `[evidence]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// The most that is kept of one service's log in one environment, in bytes.
    pub log_cap: u64,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        Self { log_cap: 64 << 20 }
    }
}

/// `[retry]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// Failed attempts until a test counts as failed.
    pub attempts: NonZeroU32,
    /// How long one attempt may take; `None`: what the history suggests.
    pub test_timeout: Option<Duration>,
}
