//! How near runs of the suites under `test-manifests` come to their own lower bound, and how they compare with a static
//! split of the files, made beforehand: `cargo bench --bench suites`, or for one of them
//! `cargo bench --bench suites -- --suite storefront`.
//!
//! The static split is this program with one lane and `--shard i/n`, n processes side by side on the same engine, so that
//! only the dealing differs. With `--clean N` the honest suite is also run N times over two lanes, and the runs are
//! counted in which every test passed at its first try.
//!
//! Needs a Docker engine and the base image: `scripts/engine` and `scripts/base-image`. Times depend on the machine and
//! on what else it does; the ratios, measured in the same session, are the figures to read.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use shakedown::report::run_json::RunJson;

#[derive(Parser)]
struct Arguments {
    /// A folder under test-manifests; can be given several times. Without it, all of them.
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// How many lanes; can be given several times.
    #[arg(long = "lanes", value_name = "N", default_values_t = [2, 4])]
    lanes: Vec<u16>,
    /// How often each is measured, in turn.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// How many honest runs over two lanes are counted.
    #[arg(long, default_value_t = 0)]
    clean: u32,
    /// What Cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = Arguments::parse();
    if arguments.suites.is_empty() {
        arguments.suites = suites()?;
    }
    println!(
        "| suite | lanes | passed | first test | wall time | lower bound | above | static split | static is slower by |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut notes = Vec::new();
    for suite in &arguments.suites {
        notes.extend(measure(suite, &arguments)?);
    }
    println!();
    for note in notes {
        println!("{note}");
    }
    Ok(())
}

/// The folders that hold a manifest.
fn suites() -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(manifests())? {
        let entry = entry?;
        if entry.path().join("shakedown.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test-manifests")
}

/// Prints the lines of one suite, and returns what is to be said below the table.
fn measure(suite: &str, arguments: &Arguments) -> Result<Vec<String>, Box<dyn Error>> {
    let reports = tempfile::tempdir()?;
    eprintln!("{suite}: images and history, by a run that is not counted");
    let first = run(suite, &reports.path().join("dealt"), 2)?;
    let mut verdicts = vec![verdicts_of(&first.record)];
    for _ in 0..arguments.rounds {
        for &lanes in &arguments.lanes {
            eprintln!("{suite}: {lanes} lanes");
            let dealt = run(suite, &reports.path().join("dealt"), lanes)?;
            eprintln!("{suite}: {lanes} shards");
            let split = run_split(suite, reports.path(), lanes)?;
            println!("{}", line(suite, lanes, &dealt, split));
            verdicts.push(verdicts_of(&dealt.record));
        }
    }
    let same = verdicts.windows(2).all(|pair| pair[0] == pair[1]);
    let mut notes = vec![format!("{suite}: verdicts in all runs {}", if same { "the same" } else { "NOT the same" })];
    let mut clean = 0;
    for _ in 0..arguments.clean {
        let record = run(suite, &reports.path().join("dealt"), 2)?.record;
        clean += u32::from(record.counts.total > 0 && record.first_try.passed == record.counts.total);
    }
    if arguments.clean > 0 {
        notes.push(format!("{suite}: every test passed at its first try in {clean} of {} runs", arguments.clean));
    }
    Ok(notes)
}

fn line(suite: &str, lanes: u16, dealt: &Ran, split: Duration) -> String {
    let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
    let record = &dealt.record;
    let wall = seconds(record.wall_time_ms.unwrap_or_default());
    let bound = seconds(record.lower_bound.as_ref().map_or(0, |bound| bound.bound_ms));
    format!(
        "| {suite} | {lanes} | {} of {} | {:.1} s | {wall:.1} s | {bound:.1} s | {:.0} % | {:.1} s | {:.0} % |",
        record.counts.passed,
        record.counts.total,
        seconds(record.time_to_first_test_ms.unwrap_or_default()),
        (wall / bound - 1.0) * 100.0,
        split.as_secs_f64(),
        (split.as_secs_f64() / dealt.took.as_secs_f64() - 1.0) * 100.0,
    )
}

fn verdicts_of(record: &RunJson) -> BTreeMap<String, String> {
    record.tests.iter().map(|test| (test.id.clone(), test.verdict.clone())).collect()
}

/// A run, and how long its process took.
struct Ran {
    record: RunJson,
    took: Duration,
}

fn run(suite: &str, reports: &Path, lanes: u16) -> Result<Ran, Box<dyn Error>> {
    let started = Instant::now();
    let status = start(suite, reports, &["--lanes", &lanes.to_string(), "--shard", "1/1"])?.wait()?;
    let took = started.elapsed();
    if !status.success() {
        eprintln!("a run of {suite} with {lanes} lanes ended with {status}");
    }
    let record = std::fs::read_to_string(reports.join(suite).join("latest/run.json"))?;
    Ok(Ran { record: serde_json::from_str(&record)?, took })
}

/// How long it takes until the last of `shards` processes with one lane each is through with its files.
fn run_split(suite: &str, reports: &Path, shards: u16) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let mut processes = Vec::new();
    for shard in 1..=shards {
        let folder = reports.join(format!("shard-{shard}-of-{shards}"));
        processes.push(start(suite, &folder, &["--lanes", "1", "--shard", &format!("{shard}/{shards}")])?);
    }
    for mut process in processes {
        let status = process.wait()?;
        if !status.success() {
            eprintln!("a shard of {suite} ended with {status}");
        }
    }
    Ok(started.elapsed())
}

fn start(suite: &str, reports: &Path, arguments: &[&str]) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shakedown"));
    command.arg("run").arg(manifests().join(suite)).arg("--reports").arg(reports).args(arguments);
    // Faults that somebody has switched on in their shell.
    for (name, _) in std::env::vars().filter(|(name, _)| name.ends_with("_FAULTS")) {
        command.env_remove(name);
    }
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}
