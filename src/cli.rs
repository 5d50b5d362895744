//! The command line.

use std::ffi::OsString;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::docker::connection::Asked;
use crate::selection::{self, Shard};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs a browser suite in parallel against N Docker copies of its application, and says which failures are real.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0  passed (flaky tests allowed unless --fail-on-flaky)
  1  a test failed
  2  the command line, the manifest, the suite or the history file can't be used
  3  environments could not be provided, or the container engine was lost
  4  no test was selected
  5  incomplete: --deadline or --max-failures
  130, 143  interrupted by SIGINT, SIGTERM";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a suite over N environments and give a verdict
    Run(RunArgs),
    /// Check a manifest and its Compose file without starting anything
    Check {
        /// The folder with shakedown.toml
        manifest: PathBuf,
    },
    /// Look whether a run could work here, and say what to do where not
    Doctor(DoctorArgs),
    /// Remove what dead runs left on the engine
    Clean(CleanArgs),
    /// Remove what a run made, once its process is dead; started by the run itself
    #[command(hide = true)]
    Guard(GuardArgs),
}

/// `shakedown doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// The folder with shakedown.toml; without it, only the engine and this host are looked at
    pub manifest: Option<PathBuf>,

    /// Where run folders are made and the history is kept
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub reports: PathBuf,

    /// The history: a file instead of history.db in the reports folder, or postgres://USER@HOST/DATABASE; above the
    /// variable DATABASE_URL and the manifest
    #[arg(long, value_name = "PLACE")]
    pub database: Option<PathBuf>,
}

/// Which engine.
#[derive(Clone, Debug, Default, Args)]
pub struct EngineArgs {
    /// The engine's address, unix:///PATH or tcp://HOST:PORT; above DOCKER_HOST and Docker's current context
    #[arg(long, value_name = "ADDRESS", help_heading = "Engine")]
    pub engine: Option<String>,

    /// The certificate of the authority that the engine's comes from; otherwise as DOCKER_TLS_VERIFY and
    /// DOCKER_CERT_PATH say
    #[arg(long, value_name = "FILE", help_heading = "Engine")]
    pub tls_ca: Option<PathBuf>,

    /// The certificate to show to the engine
    #[arg(long, value_name = "FILE", help_heading = "Engine")]
    pub tls_cert: Option<PathBuf>,

    /// The key to that certificate
    #[arg(long, value_name = "FILE", help_heading = "Engine")]
    pub tls_key: Option<PathBuf>,
}

impl EngineArgs {
    /// What they ask for.
    pub fn asked(&self) -> Asked {
        let Self { engine, tls_ca, tls_cert, tls_key } = self.clone();
        Asked { address: engine, ca: tls_ca, cert: tls_cert, key: tls_key }
    }

    /// The same, as arguments for another process of this program.
    pub fn as_arguments(&self) -> Vec<OsString> {
        let engine = self.engine.as_ref().map(|engine| ("--engine", OsString::from(engine)));
        let file = |name, file: &Option<PathBuf>| file.as_ref().map(|file| (name, file.clone().into_os_string()));
        let files =
            [file("--tls-ca", &self.tls_ca), file("--tls-cert", &self.tls_cert), file("--tls-key", &self.tls_key)];
        engine.into_iter().chain(files.into_iter().flatten()).flat_map(|(name, value)| [name.into(), value]).collect()
    }
}

/// `shakedown clean`.
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Only what this run made, also if it lives; can be given several times
    #[arg(long = "run", value_name = "ID")]
    pub runs: Vec<String>,

    /// What every run made, also those that live
    #[arg(long, conflicts_with = "runs")]
    pub all_runs: bool,

    /// Also the images that were built for suites; the next runs build them again
    #[arg(long)]
    pub images: bool,
}

/// `shakedown guard`, which is not for people.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// The run
    #[arg(long)]
    pub run: String,

    /// The run's process
    #[arg(long)]
    pub owner: String,

    /// Where to say what had to be done
    #[arg(long)]
    pub log: PathBuf,

    /// The run's history; where it is not given, DATABASE_URL has it
    #[arg(long)]
    pub database: Option<PathBuf>,
}

/// `shakedown run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The folder with shakedown.toml
    pub manifest: PathBuf,

    /// Which engine.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// How many environments side by side; above the manifest's `lanes`
    #[arg(long, value_name = "N")]
    pub lanes: Option<NonZeroU16>,

    /// Failed attempts until a test counts as failed; above the manifest's `attempts`
    #[arg(long, value_name = "N")]
    pub attempts: Option<NonZeroU32>,

    /// Run each test so many times, in whichever environment is free, and try no failure again: a test passes only if it
    /// passes every time, and one that does not fails the run
    #[arg(long, value_name = "N", conflicts_with = "attempts")]
    pub repeat: Option<NonZeroU32>,

    /// How long one attempt of a test may take, such as 90s; above the manifest's `test_timeout`, and above what the
    /// history suggests where neither names a limit
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub test_timeout: Option<Duration>,

    /// Stop the run after this time, such as 30m; it is incomplete then
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub deadline: Option<Duration>,

    /// Stop the run when this many tests have failed for good
    #[arg(long, value_name = "N")]
    pub max_failures: Option<NonZeroU32>,

    /// Let a flaky test fail the run
    #[arg(long)]
    pub fail_on_flaky: bool,

    /// Deal the units as the run with this seed did, given the same history
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// Which tests.
    #[command(flatten)]
    pub selection: SelectionArgs,

    /// The version under test, such as a commit; kept with the results
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub candidate: String,

    /// What asks for the run; kept with the results
    #[arg(long, value_enum, default_value_t = Trigger::Manual)]
    pub trigger: Trigger,

    /// Where run folders are made and the history is kept
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub reports: PathBuf,

    /// The history: a file instead of history.db in the reports folder, or postgres://USER@HOST/DATABASE; above the
    /// variable DATABASE_URL and the manifest
    #[arg(long, value_name = "PLACE")]
    pub database: Option<PathBuf>,
}

/// Which of the suite's tests. All conditions must hold.
#[derive(Clone, Debug, Default, Args)]
pub struct SelectionArgs {
    /// Only tests that match, such as 'file(spec/cart/**) and not tag(slow)'; given several times, one of them must
    /// match. Known: file(GLOB), name(TEXT), name(=TEXT), name(/REGEX/), tag(TAG), tag(/REGEX/), status(new),
    /// status(failed-last-run), status(flaky), not, and, or, ( )
    #[arg(long = "filter", value_name = "EXPRESSION", help_heading = "Which tests")]
    pub filters: Vec<String>,

    /// Only tests that failed, or were not settled, in the last run of this candidate, else of this suite
    #[arg(long, help_heading = "Which tests")]
    pub only_failed: bool,

    /// Only the spec files that have changed since this branch, tag or commit, uncommitted changes included
    #[arg(long, value_name = "REF", help_heading = "Which tests")]
    pub changed_since: Option<String>,

    /// Only this part of what is left, such as 1/4 for the first of four; otherwise as CI_NODE_INDEX/CI_NODE_TOTAL,
    /// BUILDKITE_PARALLEL_JOB and CIRCLE_NODE_INDEX say; 1/1 is everything
    #[arg(long, value_name = "I/N", value_parser = Shard::read, help_heading = "Which tests")]
    pub shard: Option<(u32, u32)>,

    /// What makes shards equal: `durations` only where the machines of all shards have the same history
    #[arg(long, value_enum, default_value_t = ShardBy::Tests, help_heading = "Which tests")]
    pub shard_by: ShardBy,

    /// Print the selected tests and run none; one environment is booted to ask for them
    #[arg(long, conflicts_with = "dry_run", help_heading = "Which tests")]
    pub list: bool,

    /// How --list prints them
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "list", help_heading = "Which tests")]
    pub format: Format,

    /// Print the plan and run no test; one environment is booted to ask for them
    #[arg(long, help_heading = "Which tests")]
    pub dry_run: bool,
}

impl SelectionArgs {
    /// Whether nothing is to be run, only to be shown.
    pub fn only_shows(&self) -> bool {
        self.list || self.dry_run
    }
}

/// How something is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: one line for each.
    #[default]
    Text,
    /// For other programs.
    Json,
}

/// What makes shards equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ShardBy {
    /// As many tests in each.
    #[default]
    Tests,
    /// As much known work in each.
    Durations,
}

impl From<ShardBy> for selection::ShardBy {
    fn from(by: ShardBy) -> Self {
        match by {
            ShardBy::Tests => Self::Tests,
            ShardBy::Durations => Self::Durations,
        }
    }
}

/// What asks for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trigger {
    /// A person.
    Manual,
    /// A deploy candidate.
    Candidate,
    /// The clock.
    Hourly,
}

impl Trigger {
    /// The trigger's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Candidate => "candidate",
            Self::Hourly => "hourly",
        }
    }
}

/// A time span as people write it: `90s`, `30m`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a time span with its unit, such as 90s, 30m or 1h 30m".to_owned())?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) | Err(_) => Err("the time span must be longer than zero".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn time_spans_need_a_unit_and_a_length() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(duration("90").is_err());
        assert!(duration("0s").is_err());
        assert!(duration("-5s").is_err());
    }
}
