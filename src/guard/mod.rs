//! The guard: a second process that removes what a run made when the run can't, as after a `kill -9`.
//!
//! [`Guard::start`] starts the same program again, as the hidden subcommand `guard`, before the run makes anything. The
//! guard's standard input is a pipe from the run, its lifeline: a word on it means that everything is gone, and the
//! guard ends; an end without that word means that the run is dead. Then [`watch`](watch::watch) sweeps the run's things
//! from the engine and marks the run as incomplete in the history.
//!
//! The guard has a session of its own and lets signals pass, so that neither a Ctrl-C nor the end of a terminal takes
//! it along, and holds none of the run's open files, so that nobody who reads a run's output waits for the guard.

mod sweeping;
pub mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::id::RunId;
use crate::store::{self, Place};

pub use sweeping::{PATIENCE, sweep_until_quiet};

/// The guard's file in the run folder: written only when the guard had something to do.
pub const LOG: &str = "guard.log";

/// What the guard says when it listens.
const READY: &str = "ready";
/// What the run says when nothing is left to guard.
const DONE: &str = "done";
/// How long the guard may take to start, and to end.
const WITHIN: Duration = Duration::from_secs(10);

/// Variables by which CI systems find the processes that a job left, in order to kill them: with these values, which
/// those systems document, they let a process be.
const LET_BE: [(&str, &str); 3] =
    [("JENKINS_NODE_COOKIE", "dontKillMe"), ("BUILD_ID", "dontKillMe"), ("RUNNER_TRACKING_ID", "")];

/// A guard that listens.
#[derive(Debug)]
pub struct Guard {
    process: Child,
    lifeline: ChildStdin,
}

/// Whom a guard guards.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The run's process, as text.
    pub owner: &'a str,
    /// Its folder.
    pub run_folder: &'a Path,
    /// Its history.
    pub history: &'a Place,
    /// Arguments that name its engine.
    pub engine: &'a [OsString],
}

impl Guard {
    /// Starts the guard of a run, and returns when it listens. It finds the engine by the same environment variables.
    pub async fn start(guarded: Guarded<'_>) -> std::io::Result<Self> {
        // Not `current_exe`: the program may have been replaced since it was started.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("shakedown")
            .arg("guard")
            .args(guarded.engine)
            .args(["--run", guarded.run.as_str(), "--owner", guarded.owner])
            .arg("--log")
            .arg(std::path::absolute(guarded.run_folder)?.join(LOG))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        match guarded.history {
            Place::File(path) => command.arg("--database").arg(std::path::absolute(path)?),
            // Not as an argument, which everyone on this host can read: it may hold a password.
            Place::Server(server) => command.env(store::VARIABLE, server.address()),
        };
        for (name, value) in LET_BE.iter().filter(|(name, _)| std::env::var_os(name).is_some()) {
            command.env(name, value);
        }
        let mut process = command.spawn()?;
        let (Some(lifeline), Some(says)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(std::io::Error::other("it has no pipes"));
        };
        let mut line = String::new();
        let mut says = BufReader::new(says);
        match timeout(WITHIN, says.read_line(&mut line)).await {
            Ok(Ok(_)) if line.trim_end() == READY => Ok(Self { process, lifeline }),
            Ok(Ok(_)) => Err(std::io::Error::other("it ended at once")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(std::io::Error::other(format!("it did not answer within {} s", WITHIN.as_secs()))),
        }
    }

    /// Nothing is left to guard: waits until the guard has ended.
    pub async fn stand_down(mut self) {
        // A guard that is gone can't be told, and need not be.
        let told = self.lifeline.write_all(format!("{DONE}\n").as_bytes()).await;
        drop(self.lifeline);
        if told.is_ok() {
            let _ = timeout(WITHIN, self.process.wait()).await;
        }
    }

    /// Leaves what is there to the guard, as if the run had died.
    pub fn take_over(self) {
        drop(self.lifeline);
    }
}
