//! Starting the program, following what it says, and stopping it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;

/// No wait of a test is longer: by then, something hangs.
const PATIENCE: Duration = Duration::from_secs(150);
/// Where an image with a browser in it may have to be built first.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

static RUN_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d{8}-\d{6}-[0-9a-f]{6}").expect("it is one"));

/// `shakedown run`, about to be started.
pub(crate) struct Invocation {
    command: Command,
    reports: PathBuf,
    patience: Duration,
    prints: bool,
}

impl Invocation {
    pub(crate) fn new(manifest: &Path, reports: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shakedown"));
        command.arg("run").arg(manifest).arg("--reports").arg(reports);
        // What the suites themselves read: whoever runs the tests may have set some of it.
        for name in [
            "TINY_FAULTS",
            "TINY_RUNNER",
            "STOREFRONT_FAULTS",
            "GUESTBOOK_FAULTS",
            "MIDST",
            "CLICOLOR_FORCE",
            "DATABASE_URL",
        ] {
            command.env_remove(name);
        }
        // A CI job that runs these tests may be one of several, which is none of their business.
        for name in ["CI_NODE_TOTAL", "BUILDKITE_PARALLEL_JOB_COUNT", "CIRCLE_NODE_TOTAL"] {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, reports: reports.to_owned(), patience: PATIENCE, prints: false }
    }

    /// Plants faults in the tiny suite and its application.
    pub(crate) fn faults(self, faults: &str) -> Self {
        self.env("TINY_FAULTS", faults)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Is given the time to build large images.
    pub(crate) fn patiently(mut self) -> Self {
        self.patience = LONG_PATIENCE;
        self
    }

    /// May print something on standard output, as a run does not.
    pub(crate) fn printing(mut self) -> Self {
        self.prints = true;
        self
    }

    /// Further arguments, as they would be typed.
    pub(crate) fn with(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let started = Instant::now();
        let mut child = self.command.spawn().expect("the program can be started");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Running {
            child,
            lines,
            said: Vec::new(),
            started,
            deadline: started + self.patience,
            reports: self.reports,
            prints: self.prints,
        }
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }
}

/// The program while it runs. Killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    started: Instant,
    /// When a test that waits for it fails.
    deadline: Instant,
    reports: PathBuf,
    prints: bool,
}

impl Running {
    /// Waits until it says a line in which `wanted` stands, and returns that line.
    pub(crate) fn until(&mut self, wanted: &str) -> String {
        loop {
            match self.lines.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(wanted) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with {wanted:?} ({error}):\n{}", self.text()),
            }
        }
    }

    /// Waits until it says a line in which `wanted` stands, or ends; says whether it did say it.
    pub(crate) fn until_or_end(&mut self, wanted: &str) -> bool {
        loop {
            match self.lines.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = line.contains(wanted);
                    self.said.push(line);
                    if found {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("no line with {wanted:?}:\n{}", self.text()),
            }
        }
    }

    /// Listens for as long as `span`; says whether the program still has something to say after that.
    pub(crate) fn listen_for(&mut self, span: Duration) -> bool {
        let deadline = Instant::now() + span;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// The run's id, once it has been said.
    pub(crate) fn run_id(&self) -> Option<String> {
        self.said.iter().find_map(|line| run_id(line))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(process, signal).expect("it can be signalled");
    }

    fn text(&self) -> String {
        self.said.join("\n")
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        loop {
            // Standard error is closed by the program's end, so that no line is missed.
            match self.lines.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.text()),
            }
        }
        let status = self.child.wait().expect("it was started");
        let mut stdout = String::new();
        let piped = self.child.stdout.as_mut().expect("it is piped");
        piped.read_to_string(&mut stdout).expect("text");
        assert!(self.prints || stdout.is_empty(), "a run speaks on standard error, not {stdout:?}");
        Finished {
            status,
            printed: stdout,
            said: self.text(),
            took: self.started.elapsed(),
            reports: self.reports.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program after its end.
#[derive(Debug)]
pub(crate) struct Finished {
    status: ExitStatus,
    /// All that it printed, on standard output.
    pub(crate) printed: String,
    /// All that it said, on standard error.
    pub(crate) said: String,
    pub(crate) took: Duration,
    pub(crate) reports: PathBuf,
}

impl Finished {
    /// Fails with all that was said unless the exit code is this one.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{:?}; it said:\n{}", self.status, self.said);
        self
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether this signal ended it.
    pub(crate) fn was_ended_by(&self, signal: Signal) -> bool {
        self.status.signal() == Some(signal as i32)
    }

    /// The run's id; `None` where it did not come so far.
    pub(crate) fn run_id(&self) -> Option<String> {
        run_id(&self.said)
    }

    /// The tests that it said had passed, by their titles.
    pub(crate) fn said_passed(&self) -> Vec<&str> {
        let lines = self.said.lines().filter(|line| line.trim_start().starts_with("PASSED ["));
        lines
            .filter_map(|line| line.split_once("] ")?.1.trim_start().split_once(' '))
            .map(|(_, title)| title.trim())
            .collect()
    }
}

/// The id in a line that names its own run; warnings may name others.
fn run_id(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("shakedown of "))?;
    RUN_ID.find(line).map(|found| found.as_str().to_owned())
}
