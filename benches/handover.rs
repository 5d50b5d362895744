//! What lies between two tests: the time from one test's end to the next one's start in a lane, beside the plain ways to
//! run the same suite, in the same session: `cargo bench --bench handover`, or for one suite
//! `cargo bench --bench handover -- --suite kanban`.
//!
//! The plain ways are a process of the framework for each file, by `docker exec` in one environment, and the framework's
//! own parallel mode in that environment (RSpec's is `parallel_rspec`, of the gem parallel_tests). What a process for a file costs is its time less that of its
//! tests, which are taken from the run with one lane just before.
//!
//! Needs a Docker engine, the base image and docker-compose; `scripts/test` sets all of it up. A further suite is a line
//! of [`SUITES`].

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use shakedown::report::run_json::{AttemptJson, RunJson};

/// A suite, and how one would run it without this program.
struct Suite {
    /// Its folder under `test-manifests`.
    name: &'static str,
    /// The Compose service in which its tests run.
    runner: &'static str,
    /// Runs one file, whose path comes last.
    file: &'static [&'static str],
    /// Runs all of it in two processes.
    parallel: &'static [&'static str],
    /// Installs what that needs and the suite's image does not have, before anything is timed; empty where that is nothing.
    install: &'static [&'static str],
}

const SUITES: &[Suite] = &[
    Suite {
        name: "storefront",
        runner: "browser",
        file: &["rspec"],
        parallel: &["parallel_rspec", "-n", "2", "spec"],
        install: &[
            "sh",
            "-c",
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends ruby-parallel-tests",
        ],
    },
    Suite {
        name: "guestbook",
        runner: "rails",
        file: &["env", "PARALLEL_WORKERS=1", "ruby", "-Itest"],
        parallel: &["env", "PARALLEL_WORKERS=2", "bin/rails", "test", "test/system"],
        install: &[],
    },
    Suite {
        name: "kanban",
        runner: "runner",
        file: &["node", "node_modules/@playwright/test/cli.js", "test", "--workers=1", "--retries=0", "--reporter=dot"],
        parallel: &[
            "node",
            "node_modules/@playwright/test/cli.js",
            "test",
            "--workers=2",
            "--retries=0",
            "--reporter=dot",
        ],
        install: &[],
    },
    Suite {
        name: "helpdesk",
        runner: "browser",
        file: &["python3", "-m", "pytest", "-q"],
        parallel: &["python3", "-m", "pytest", "-q", "-n", "2"],
        install: &[],
    },
];

#[derive(Parser)]
struct Arguments {
    /// A suite; can be given several times. Without it, all of them.
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// What Cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    println!(
        "| suite | tests, files | within a unit | between units | process per file, each | 1 lane | 2 lanes | \
         process per file | own parallel mode, 2 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for suite in SUITES {
        if arguments.suites.is_empty() || arguments.suites.iter().any(|name| name == suite.name) {
            println!("{}", measure(suite)?);
        }
    }
    Ok(())
}

fn measure(suite: &Suite) -> Result<String, Box<dyn Error>> {
    let reports = tempfile::tempdir()?;
    eprintln!("{}: images and history, by a run that is not counted", suite.name);
    run(suite, reports.path(), 2)?;
    eprintln!("{}: 1 lane, then 2", suite.name);
    let one = run(suite, reports.path(), 1)?;
    let two = run(suite, reports.path(), 2)?;
    let (within, between) = gaps(&one);
    let mut tests: BTreeMap<&str, Duration> = BTreeMap::new();
    for test in &one.tests {
        let took = test.attempts.iter().map(|attempt| Duration::from_millis(attempt.duration_ms)).sum::<Duration>();
        *tests.entry(&test.file).or_default() += took;
    }

    eprintln!("{}: without this program", suite.name);
    let plain = Plain::up(suite)?;
    if !suite.install.is_empty() {
        plain.exec(suite.install)?;
    }
    let mut per_file = Vec::new();
    let started = Instant::now();
    for (file, tests) in &tests {
        let took = plain.exec(&[suite.file, &[file]].concat())?;
        per_file.push(took.saturating_sub(*tests));
    }
    let all_files = started.elapsed();
    let parallel = plain.exec(suite.parallel)?;
    Ok(format!(
        "| {} | {}, {} | {} | {} | {} | {} | {} | {:.1} s | {:.1} s |",
        suite.name,
        one.tests.len(),
        tests.len(),
        told(within),
        told(between),
        told(per_file),
        tests_took(&one),
        tests_took(&two),
        all_files.as_secs_f64(),
        parallel.as_secs_f64(),
    ))
}

/// From the first test's start to the last one's end, as the plain ways have their environment already.
fn tests_took(record: &RunJson) -> String {
    let attempts = || record.tests.iter().flat_map(|test| &test.attempts);
    let first = attempts().map(|attempt| attempt.started).min();
    let last = attempts().map(end).max();
    let took = first.zip(last).map_or(0.0, |(first, last)| last.duration_since(first).as_secs_f64());
    format!("{took:.1} s")
}

fn end(attempt: &AttemptJson) -> jiff::Timestamp {
    let took = jiff::SignedDuration::from_millis(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX));
    attempt.started.saturating_add(took).unwrap_or(attempt.started)
}

/// From each test's end to the next one's start in the same environment: within units, and from one to the next.
fn gaps(record: &RunJson) -> (Vec<Duration>, Vec<Duration>) {
    let mut lanes: BTreeMap<&str, Vec<&AttemptJson>> = BTreeMap::new();
    for attempt in record.tests.iter().flat_map(|test| &test.attempts) {
        lanes.entry(&attempt.environment).or_default().push(attempt);
    }
    let (mut within, mut between) = (Vec::new(), Vec::new());
    for attempts in lanes.values_mut() {
        attempts.sort_by_key(|attempt| attempt.position);
        for pair in attempts.windows(2) {
            // Durations are the framework's, and may reach past what it tells next.
            let gap = Duration::try_from(pair[1].started.duration_since(end(pair[0]))).unwrap_or_default();
            if pair[0].unit == pair[1].unit { within.push(gap) } else { between.push(gap) }
        }
    }
    (within, between)
}

/// Median and 95th percentile.
fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    let shown = |time: Option<&Duration>| time.map_or(0, Duration::as_millis);
    format!("{} ms, {} ms", shown(at(50)), shown(at(95)))
}

fn folder(suite: &Suite) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test-manifests").join(suite.name)
}

fn run(suite: &Suite, reports: &Path, lanes: u16) -> Result<RunJson, Box<dyn Error>> {
    let status = Command::new(env!("CARGO_BIN_EXE_shakedown"))
        .args(["run".as_ref(), folder(suite).as_os_str(), "--reports".as_ref(), reports.as_os_str()])
        .args(["--lanes", &lanes.to_string()])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        eprintln!("a run of {} with {lanes} lanes ended with {status}", suite.name);
    }
    let record = std::fs::read_to_string(reports.join(suite.name).join("latest/run.json"))?;
    Ok(serde_json::from_str(&record)?)
}

/// The environment by docker-compose, under a project's name of its own.
struct Plain<'a> {
    suite: &'a Suite,
    project: String,
}

impl<'a> Plain<'a> {
    fn up(suite: &'a Suite) -> Result<Self, Box<dyn Error>> {
        let plain = Self { suite, project: format!("handover-{}-{}", suite.name, std::process::id()) };
        let output = plain.compose(&["up", "--build", "--detach"]).output()?;
        if !output.status.success() {
            return Err(format!("docker-compose up: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(plain)
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker-compose");
        command.current_dir(folder(self.suite)).args(["--project-name", &self.project]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// How long a command took in the runner.
    fn exec(&self, words: &[&str]) -> Result<Duration, Box<dyn Error>> {
        let container = format!("{}_{}_1", self.project, self.suite.runner);
        let started = Instant::now();
        let output = Command::new("docker").arg("exec").arg(container).args(words).output()?;
        let took = started.elapsed();
        if !output.status.success() {
            eprintln!("{words:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stdout));
        }
        Ok(took)
    }
}

impl Drop for Plain<'_> {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "--volumes", "--timeout", "1"]).stderr(Stdio::null()).status();
    }
}
