//! `run.json`: the whole record of a run, for other programs.
//!
//! Times are RFC 3339 in UTC, durations whole milliseconds in fields that end in `_ms`, verdicts and outcomes the
//! words of the documentation. Fields are only ever added under one `schema_version`; readers should ignore those
//! that they do not know. Foreign text stands as it came, escape sequences included.

mod fill;

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::RunRecord;

/// The version of the shape below. Grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunJson {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run's id.
    pub run: String,
    /// The suite's name.
    pub suite: String,
    /// The version under test; empty where it is not known.
    pub candidate: String,
    /// `manual`, `candidate` or `hourly`.
    pub trigger: String,
    /// The seed of the plan, as text: it may be larger than the numbers that JavaScript can hold.
    pub seed: String,
    /// How many lanes.
    pub lanes: u16,
    /// Failed attempts until a test counts as failed.
    pub attempts_limit: u32,
    /// How often each test was run, whatever came of it; where it is more than 1, no attempt is a retry.
    #[serde(default = "once")]
    pub repeat: u32,
    /// The processors of the engine's host.
    pub cpus: u32,
    /// Whether flaky tests make the run fail.
    pub fail_on_flaky: bool,
    /// When the run began.
    pub started: Option<Timestamp>,
    /// When its tests were known.
    pub planned: Option<Timestamp>,
    /// When its first attempt started.
    pub first_attempt: Option<Timestamp>,
    /// When nothing of it was left on the engine; none in the record of a run that did not come to its end.
    pub ended: Option<Timestamp>,
    /// From the beginning to the end.
    pub wall_time_ms: Option<u64>,
    /// From the beginning to the first attempt.
    pub time_to_first_test_ms: Option<u64>,
    /// `passed`, `failed`, `no tests`, `suite broken`, `incomplete`, `environments unavailable` or `interrupted`;
    /// none as above.
    pub verdict: Option<String>,
    /// Why, where the verdict is one of the last four.
    pub verdict_reason: Option<String>,
    /// The exit code; none as above.
    pub exit_code: Option<u8>,
    /// Why the run began to stop early, if it did.
    pub stopped: Option<StopJson>,
    /// How many tests have which verdict.
    pub counts: CountsJson,
    /// Of the tests that ran, those that passed in the first attempt that says anything.
    pub first_try: RateJson,
    /// Of the tests that ran, those that passed in any attempt.
    pub after_retry: RateJson,
    /// How fast the same work could have been done; none where no attempt ended.
    pub lower_bound: Option<LowerBoundJson>,
    /// Which tests were asked for, one condition each, of which all had to hold; empty for the whole suite.
    #[serde(default)]
    pub selection: Vec<String>,
    /// How many tests the suite has, those included that were not selected and are in no other figure.
    #[serde(default)]
    pub tests_listed: usize,
    /// How many units the tests were dealt into.
    pub units: usize,
    /// How many of the tests had a duration in the store.
    pub tests_with_known_duration: usize,
    /// The tests, in the order in which they were listed.
    pub tests: Vec<TestJson>,
    /// The environments, by lane and generation.
    pub environments: Vec<EnvironmentJson>,
    /// The images that had to be built or fetched.
    pub images: Vec<ImageJson>,
    /// The lanes that gave up.
    pub lanes_stood_down: Vec<LaneStoodDownJson>,
    /// What is worth saying and nobody's failure.
    pub warnings: Vec<String>,
    /// The other reports, relative to this file.
    pub reports: ReportsJson,
}

fn once() -> u32 {
    1
}

/// Why a run stopped early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopJson {
    /// When it began to stop.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// How many tests have which verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountsJson {
    /// All tests.
    pub total: usize,
    /// Passed in the first attempt that said anything.
    pub passed: usize,
    /// Failed and passed later.
    pub flaky: usize,
    /// Failed and never passed.
    pub failed: usize,
    /// Failed in ways for which the quarantine vouches.
    pub quarantined: usize,
    /// Not run because the suite says so.
    pub skipped: usize,
    /// Never settled.
    pub not_run: usize,
    /// Every environment that they were given broke.
    pub environment_broke: usize,
}

/// So many of so many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateJson {
    /// How many passed.
    pub passed: usize,
    /// Of how many.
    pub of: usize,
    /// From 0 to 100; none where `of` is 0.
    pub percent: Option<f64>,
}

/// How fast the same work could have been done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LowerBoundJson {
    /// Which of the three is the largest: `longest chain`, `work over lanes` or `CPU`.
    pub limit: String,
    /// The largest of the three.
    pub bound_ms: u64,
    /// The quickest boot and the longest of what has to happen one after another.
    pub longest_chain_ms: u64,
    /// All boots and attempts over the number of lanes.
    pub work_over_lanes_ms: u64,
    /// All processor time over the number of processors.
    pub cpu_ms: u64,
}

/// A test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestJson {
    /// Stable from run to run.
    pub id: String,
    /// How the framework addresses it in this run.
    pub selector: String,
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line, from 1; none where it is not known.
    pub line: Option<u32>,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
    /// How long an attempt was expected to take.
    pub expected_ms: u64,
    /// `passed`, `flaky`, `failed`, `quarantined`, `skipped`, `not run` or `environment broke`.
    pub verdict: String,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptJson>,
}

/// An attempt and its circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptJson {
    /// The how-manieth of its test, from 1.
    pub number: u32,
    /// Where it ran: `2.1` is lane 2's first environment.
    pub environment: String,
    /// The unit that it was a part of.
    pub unit: u32,
    /// The how-manieth attempt in its environment, from 1.
    pub position: u32,
    /// The id of the test that ran just before in the same environment.
    pub predecessor: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// `passed`, `failed`, `timed out`, `skipped`, `environment broke` or `interrupted`.
    pub outcome: String,
    /// What went wrong and where, without what differs between occurrences: the same for each failure of one cause.
    pub signature: Option<String>,
    /// What the framework says, if it failed.
    pub failure: Option<FailureJson>,
    /// The limit that it passed, if it timed out.
    pub limit_ms: Option<u64>,
    /// The suite's reason if it was skipped, the cause if its environment broke.
    pub reason: Option<String>,
    /// What it wrote, as far as it was kept.
    pub output: String,
    /// What else was kept of it; none where it passed.
    pub evidence: Option<EvidenceJson>,
}

/// Files that were kept of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceJson {
    /// Their folder, relative to the run folder.
    pub folder: String,
    /// Their paths, relative to that folder.
    pub files: Vec<String>,
}

/// What a framework says of a failed test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailureJson {
    /// The exception's class; empty where the framework has none.
    pub class: String,
    /// The whole message.
    pub message: String,
    /// The first place in the project's own code.
    pub file: Option<String>,
    /// The line in `file`, from 1.
    pub line: Option<u32>,
    /// The frames, innermost first.
    pub backtrace: Vec<String>,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentJson {
    /// `2.1` is lane 2's first environment.
    pub id: String,
    /// Its lane, from 1.
    pub lane: u32,
    /// The how-manieth of its lane, from 1.
    pub generation: u32,
    /// When it began to boot.
    pub started: Option<Timestamp>,
    /// How long it booted; none if it never became ready.
    pub boot_ms: Option<u64>,
    /// How it broke, if it did.
    pub broke: Option<BrokeJson>,
    /// When it was gone from the engine.
    pub removed: Option<Timestamp>,
    /// Whether it had stood by before its lane took it.
    pub standby: bool,
    /// How often its state was reset.
    pub resets: u32,
    /// How long that took together.
    pub resets_ms: u64,
    /// Processor time that its containers used; 0 where the engine did not tell.
    pub cpu_ms: u64,
    /// The most memory that its containers held at one time; none where the engine did not tell.
    pub memory_peak_bytes: Option<u64>,
    /// The same of each service that ran as long as the environment, with its limits.
    pub services: Vec<ServiceUseJson>,
}

/// What one service of an environment used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceUseJson {
    /// The service.
    pub service: String,
    /// Processor time.
    pub cpu_ms: u64,
    /// The most memory that it held at one time; none where the engine did not tell.
    pub memory_peak_bytes: Option<u64>,
    /// The most memory that it may hold; none for no limit.
    pub memory_limit_bytes: Option<u64>,
    /// The most that it may use at one time, in thousandths of a processor; none for no limit.
    pub cpus_limit_milli: Option<u32>,
}

/// How an environment broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrokeJson {
    /// When.
    pub at: Timestamp,
    /// The service that is to blame, where one is.
    pub service: Option<String>,
    /// What happened, in words.
    pub cause: String,
    /// The last lines of that service's log.
    pub log_tail: Vec<String>,
}

/// An image that had to be built or fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageJson {
    /// The service that needs it.
    pub service: String,
    /// How long it took; none if it was never ready.
    pub took_ms: Option<u64>,
}

/// A lane that gave up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneStoodDownJson {
    /// The lane, from 1.
    pub lane: u32,
    /// Why.
    pub why: String,
}

/// The other reports of the run, relative to the run folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportsJson {
    /// JUnit XML.
    pub junit: String,
    /// The summary in Markdown.
    pub summary: String,
}

/// The run's record as text, indented, with a line break at its end.
pub fn run_json(record: &RunRecord) -> io::Result<String> {
    let mut text = Vec::new();
    write(record, &mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// Writes what [`run_json`] returns.
pub fn write(record: &RunRecord, to: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, &RunJson::from(record)).map_err(io::Error::other)?;
    to.write_all(b"\n")
}
