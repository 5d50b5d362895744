//! What is read back: plain data, as it was recorded.

use std::time::Duration;

use jiff::Timestamp;

use crate::event::{BrokenEnvironment, RunHeader};
use crate::id::{EnvironmentId, TestId};
use crate::verdict::TestVerdict;

/// A run.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// What it set out to do.
    pub header: RunHeader,
    /// When it started.
    pub started: Timestamp,
    /// When its tests were known and dealt; `None` where it did not come so far.
    pub planned: Option<Timestamp>,
    /// How many units it was dealt into.
    pub units: Option<u64>,
    /// How many of its tests had a duration in the history.
    pub known: Option<u64>,
    /// How many tests the suite had, those included that were not selected; `None` in old runs, too.
    pub listed: Option<u64>,
    /// When it began to stop early; `None` where nothing stopped it.
    pub stopping: Option<Timestamp>,
    /// When it ended. `None` while it is under way, and in a run whose process died, as nobody saw that.
    pub ended: Option<Timestamp>,
    /// The verdict's word, see [`RunVerdict::word`](crate::verdict::RunVerdict::word); `None` while it is under way.
    pub verdict: Option<String>,
    /// Why it stopped early, the last reason where there were several: `SIGINT`, `SIGTERM`, `deadline`, `max failures`, `its process died`, or the whole text
    /// for environments and the store.
    pub reason: Option<String>,
    /// The run's exit code, where it came to that.
    pub exit_code: Option<u8>,
}

/// One environment of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// Which.
    pub environment: EnvironmentId,
    /// When its boot began.
    pub starting: Timestamp,
    /// When it was ready to run tests, where it came to that.
    pub ready: Option<Timestamp>,
    /// How long the boot took.
    pub boot: Option<Duration>,
    /// When it broke.
    pub broke: Option<Timestamp>,
    /// Why it broke.
    pub broken: Option<BrokenEnvironment>,
    /// When it was gone from the engine.
    pub removed: Option<Timestamp>,
    /// Processor time that its containers used.
    pub cpu: Option<Duration>,
    /// The most memory that its containers held at one time, in bytes.
    pub memory_peak: Option<u64>,
}

/// One test of a run, with what the run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRow {
    /// The test.
    pub test: TestId,
    /// The file, relative to the suite's folder, as it was listed last.
    pub file: String,
    /// The line in `file`, from 1; 0 where it is not known.
    pub line: u32,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
    /// How long one attempt was expected to take.
    pub expected: Duration,
    /// What its attempts mean; `None` where the run never settled it.
    pub verdict: Option<TestVerdict>,
}
