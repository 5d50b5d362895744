//! A suite of 20,000 tests by the framework `command`: `cargo bench --bench listing`. `-- --tests N` takes another number
//! of them, in files of 500.
//!
//! Two runs against a real engine, with one tiny container: of the whole suite, 500 tests by one command, and of one file
//! of it, a command for each of its 500 tests. Prints how long listing and planning take and the most memory that the
//! process held (`VmHWM`), and fails where that is 100 MiB or more, or where a test has no verdict.
//!
//! Needs a Docker engine and the base image: `scripts/engine` and `scripts/base-image`.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use shakedown::report::run_json::RunJson;

const PER_FILE: usize = 500;
const MOST_MEMORY: u64 = 100 << 20;
const COMPOSE: &str = "services:\n  runner:\n    image: debian:bookworm-slim\n    command: sleep infinity\n    \
                       init: true\n    working_dir: /suite\n    volumes: [\".:/suite:ro\"]\n";
const LIST: &str = "awk 'BEGIN { for (n = 0; n < TESTS; n++) \
                    printf \"tests/checkout_%03d.t::An order of %d things is paid and sent\\n\", n / 500, n }'\n";
/// Passes whatever it is given, and says something of each test, as programs do.
const RUN: &str = r#"junit=$1; shift
{
  echo '<testsuites><testsuite name="listing">'
  for test; do
    echo "about to run ${test#*::}" >&2
    echo "<testcase file=\"${test%%::*}\" name=\"${test#*::}\" time=\"0.01\"/>"
  done
  echo '</testsuite></testsuites>'
} > "$junit"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--tests");
    let tests: usize = given.and_then(|place| arguments.get(place + 1)).map_or(Ok(20_000), |count| count.parse())?;
    println!("| tests | by one command | listed and planned | run | peak memory |");
    println!("|---|---|---|---|---|");
    let mut most = 0;
    for (at_once, filter) in [(PER_FILE, None), (1, Some("file(tests/checkout_000.t)"))] {
        let folder = tempfile::tempdir()?;
        prepare(folder.path(), tests, at_once)?;
        let ran = run(folder.path(), filter)?;
        let wanted = if filter.is_some() { tests.min(PER_FILE) } else { tests };
        if ran.passed != wanted {
            return Err(format!("{} of {wanted} tests passed", ran.passed).into());
        }
        println!(
            "| {wanted} of {tests} | {at_once} | {:.2} s | {:.1} s | {:.1} MiB |",
            ran.planned.as_secs_f64(),
            ran.took.as_secs_f64(),
            ran.peak as f64 / f64::from(1 << 20),
        );
        most = most.max(ran.peak);
    }
    if most < MOST_MEMORY { Ok(()) } else { Err("the process held 100 MiB or more".into()) }
}

/// What was measured of a run.
struct Ran {
    /// From the first environment that was ready to the plan.
    planned: Duration,
    /// The whole run.
    took: Duration,
    /// The most memory that the process held, in bytes.
    peak: u64,
    passed: usize,
}

fn prepare(folder: &Path, tests: usize, at_once: usize) -> Result<(), Box<dyn Error>> {
    fs::write(folder.join("compose.yaml"), COMPOSE)?;
    fs::write(folder.join("list.sh"), LIST.replace("TESTS", &tests.to_string()))?;
    fs::write(folder.join("run.sh"), RUN)?;
    let manifest = format!(
        "[suite]\nname = \"listing\"\nframework = \"command\"\n[suite.command]\nlist = \"sh list.sh\"\n\
         lists = \"tests\"\nrun = \"sh run.sh {{junit}} {{tests}}\"\nat_once = {at_once}\n\
         [environment]\nrunner = \"runner\"\n"
    );
    Ok(fs::write(folder.join("shakedown.toml"), manifest)?)
}

fn run(folder: &Path, filter: Option<&str>) -> Result<Ran, Box<dyn Error>> {
    let reports = folder.join("reports");
    let started = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_shakedown"))
        .args(["run".as_ref(), folder.as_os_str(), "--reports".as_ref(), reports.as_os_str()])
        .args(["--lanes", "1", "--attempts", "1"])
        .args(filter.map(|filter| ["--filter", filter]).into_iter().flatten())
        .stderr(Stdio::piped())
        .spawn()?;
    let over = Arc::new(AtomicBool::new(false));
    let watch = thread::spawn({
        let (over, status) = (over.clone(), format!("/proc/{}/status", program.id()));
        move || watch(&status, &over)
    });
    let lines = BufReader::new(program.stderr.take().ok_or("no standard error")?).lines();
    let (mut ready, mut planned, mut said) = (None, None, Vec::new());
    for line in lines {
        let line = line?;
        if line.contains("READY environment") {
            ready = ready.or_else(|| Some(Instant::now()));
        } else if line.contains("PLANNED") {
            planned = Some(Instant::now());
        }
        if said.len() < 40 || !line.contains("PASSED") {
            said.push(line);
        }
    }
    let status = program.wait()?;
    over.store(true, Ordering::Relaxed);
    let peak = watch.join().map_err(|_| "the watch failed")?;
    if !status.success() {
        return Err(format!("{}\nended with {status}", said.join("\n")).into());
    }
    let record: RunJson = serde_json::from_str(&fs::read_to_string(reports.join("listing/latest/run.json"))?)?;
    let planned = planned.zip(ready).map(|(planned, ready)| planned - ready).ok_or("nothing was planned")?;
    Ok(Ran { planned, took: started.elapsed(), peak, passed: record.first_try.passed })
}

/// The most memory that the process held until it was over, in bytes.
fn watch(status: &str, over: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !over.load(Ordering::Relaxed) {
        let text = fs::read_to_string(status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        peak = kib.map_or(peak, |kib| peak.max(kib * 1024));
        thread::sleep(Duration::from_millis(10));
    }
    peak
}
