//! How near runs of the storefront come to their own lower bound, with 1 to 4 lanes, one after another in one session:
//! `cargo bench --bench storefront`. With `-- --repeat N` it also runs the honest suite N times over two lanes and
//! counts the runs in which every test passed at its first try.
//!
//! Needs a Docker engine and the base image: `scripts/engine` and `scripts/base-image`. Times depend on the machine and
//! on what else it does; the ratio of wall time to lower bound, both measured in the same run, is the figure to read.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use shakedown::report::run_json::RunJson;

/// How far above its lower bound a run may be.
const ALLOWED: f64 = 1.15;
/// When the first test must have started, in seconds.
const FIRST_TEST_WITHIN: f64 = 10.0;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let repeat = arguments.iter().position(|argument| argument == "--repeat");
    let repeat: u32 = repeat.and_then(|place| arguments.get(place + 1)).map_or(Ok(0), |count| count.parse())?;
    let reports = tempfile::tempdir()?;

    eprintln!("images and history: one run that is not counted");
    run(reports.path(), 2)?;
    println!("| lanes | verdicts | first test | wall time | lower bound | above |");
    println!("|---|---|---|---|---|---|");
    let mut verdicts: Vec<BTreeMap<String, String>> = Vec::new();
    for lanes in [1, 2, 3, 4] {
        let record = run(reports.path(), lanes)?;
        let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
        let wall = seconds(record.wall_time_ms.unwrap_or_default());
        let first = seconds(record.time_to_first_test_ms.unwrap_or_default());
        let bound = seconds(record.lower_bound.as_ref().map_or(0, |bound| bound.bound_ms));
        let passed = record.counts.passed;
        let above = wall / bound;
        println!(
            "| {lanes} | {passed} of {} passed | {first:.1} s | {wall:.1} s | {bound:.1} s | {:.0} %{}{} |",
            record.counts.total,
            (above - 1.0) * 100.0,
            if above > ALLOWED { ", more than 15 %" } else { "" },
            if first > FIRST_TEST_WITHIN { ", first test after more than 10 s" } else { "" },
        );
        verdicts.push(record.tests.iter().map(|test| (test.id.clone(), test.verdict.clone())).collect());
    }
    let same = verdicts.windows(2).all(|pair| pair[0] == pair[1]);
    println!("\nverdicts with 1, 2, 3 and 4 lanes: {}", if same { "the same" } else { "NOT the same" });

    let mut clean = 0;
    for _ in 0..repeat {
        let record = run(reports.path(), 2)?;
        clean += u32::from(record.counts.total > 0 && record.first_try.passed == record.counts.total);
    }
    if repeat > 0 {
        println!("runs in which every test passed at its first try: {clean} of {repeat}");
    }
    Ok(())
}

fn run(reports: &Path, lanes: u16) -> Result<RunJson, Box<dyn Error>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-manifests/storefront");
    let status = Command::new(env!("CARGO_BIN_EXE_shakedown"))
        .args(["run".as_ref(), manifest.as_os_str(), "--reports".as_ref(), reports.as_os_str()])
        .args(["--lanes", &lanes.to_string()])
        .env_remove("STOREFRONT_FAULTS")
        .stderr(Stdio::null())
        .status()?;
    let record = std::fs::read_to_string(reports.join("storefront/latest/run.json"))?;
    if !status.success() {
        eprintln!("a run with {lanes} lanes ended with {status}");
    }
    Ok(serde_json::from_str(&record)?)
}
