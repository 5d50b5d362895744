//! Sixty environments of two tiny containers each, all up at the same time, on one engine: `cargo bench --bench sixty`.
//! `-- --environments N` takes another number.
//!
//! No test ends before all environments are up, so that all of them really run tests side by side. Prints how long it
//! takes until all are up, until every test has its verdict and until all is gone, and fails if anything is left.
//!
//! Needs a Docker engine and the base image: `scripts/engine` and `scripts/base-image`.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use shakedown::report::run_json::RunJson;

const COMPOSE: &str = include_str!("../tests/docker/sixty/compose.yaml");
const MANIFEST: &str = include_str!("../tests/docker/sixty/shakedown.toml");
const TEST: &str = include_str!("../tests/docker/sixty/test.sh");

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--environments");
    let environments: usize = given.and_then(|place| arguments.get(place + 1)).map_or(Ok(60), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    prepare(folder.path(), environments * 2)?;

    let started = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_shakedown"))
        .args(["run".as_ref(), folder.path().as_os_str()])
        .args(["--reports".as_ref(), folder.path().join("reports").as_os_str()])
        .args(["--attempts", "1", "--lanes", &environments.to_string()])
        .stderr(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(program.stderr.take().ok_or("no standard error")?).lines();
    let seconds = || started.elapsed().as_secs_f64();
    let (mut ready, mut passed, mut said) = (0, 0, Vec::new());
    let (mut first_up, mut all_up, mut all_passed, mut gate) = (0.0, 0.0, 0.0, None);
    for line in lines {
        let line = line?;
        if line.contains("READY environment") {
            ready += 1;
            first_up = if ready == 1 { seconds() } else { first_up };
            if ready == environments {
                all_up = seconds();
                gate = Some(open_gate(folder.path())?);
            }
        }
        passed += usize::from(line.contains("PASSED ["));
        if passed == environments * 2 && all_passed == 0.0 {
            all_passed = seconds();
        }
        said.push(line);
    }
    let status = program.wait()?;
    let gone = seconds();
    drop(gate);

    let record: RunJson =
        serde_json::from_str(&fs::read_to_string(folder.path().join("reports/sixty/latest/run.json"))?)?;
    println!("| environments | first up | all up | every test passed | all gone | passed at first try |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {environments} | {first_up:.1} s | {all_up:.1} s | {all_passed:.1} s | {gone:.1} s | {} of {} |",
        record.first_try.passed, record.counts.total,
    );
    let left = left(&record.run)?;
    if !status.success() || !left.is_empty() || record.first_try.passed != environments * 2 {
        eprintln!("{}\nended with {status}; left: {left:?}", said.join("\n"));
        return Err("it did not go as it should".into());
    }
    println!("\nnothing is left on the engine");
    Ok(())
}

fn prepare(folder: &Path, tests: usize) -> Result<(), Box<dyn Error>> {
    for part in ["suite/tests", "suite/gate"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("compose.yaml"), COMPOSE)?;
    fs::write(folder.join("shakedown.toml"), MANIFEST)?;
    for test in 0..tests {
        fs::write(folder.join(format!("suite/tests/{test:03}.sh")), TEST)?;
    }
    let made = Command::new("mkfifo").arg(folder.join("suite/gate/fifo")).status()?;
    if made.success() { Ok(()) } else { Err("mkfifo failed".into()) }
}

/// Lets all tests go on: those that wait, and those that come later. The gate stays open as long as the file does.
fn open_gate(folder: &Path) -> Result<fs::File, Box<dyn Error>> {
    fs::write(folder.join("suite/gate/open"), "")?;
    Ok(fs::OpenOptions::new().read(true).write(true).open(folder.join("suite/gate/fifo"))?)
}

/// What is left of a run on the engine.
fn left(run: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let filter = format!("label=dev.shakedown.run={run}");
    let mut left = Vec::new();
    for list in [["ps", "--all", "--quiet"].as_slice(), &["network", "ls", "--quiet"], &["volume", "ls", "--quiet"]] {
        let output = Command::new("docker").args(list).args(["--filter", &filter]).output()?;
        left.extend(String::from_utf8_lossy(&output.stdout).lines().map(|id| format!("{} {id}", list[0])));
    }
    Ok(left)
}
