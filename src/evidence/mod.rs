//! What is kept of an attempt that did not pass, in a folder of its own: `failures/TEST/ATTEMPT` in the run folder.
//!
//! | file | what it holds |
//! |---|---|
//! | `failure.txt` | the message and the backtrace |
//! | `output.txt` | what the test and its processes wrote |
//! | `attempt.json` | the circumstances: where, when, after what, beside what |
//! | `containers.json` | how the containers were, and what they used during the attempt |
//! | `logs/SERVICE.log` | every service's lines from a little before the attempt until a little after it |
//! | `browser/…` | what the browser showed, where the framework can tell |
//! | `artifacts/…` | the files that the manifest asks for |
//!
//! What only a living environment can tell is asked while the lane waits, for seconds at most. The rest is written by
//! tasks that [`Evidence::finish`] joins. Architecture invariant: nothing here decides anything. Evidence that can't
//! be had is a warning, and no outcome changes by it.

pub mod artifacts;
mod board;
mod page;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::task::TaskTracker;

use crate::environment::Environment;
use crate::event::Attempt;
use crate::framework::protocol::SaidAttachment;
use crate::id::{AttemptNumber, EnvironmentId, RunId, TestId};
use crate::secrets::Secrets;
use crate::verdict::TimeLimit;
use artifacts::Artifacts;
use board::Board;
use write::Collected;

/// Logs are cut from so long before an attempt until so long after it.
const AROUND: Duration = Duration::from_secs(2);
/// A followed log lags behind by less than this.
const LAG: Duration = Duration::from_millis(500);
/// How long an environment may take to tell what only it can tell.
const ASKED_WITHIN: Duration = Duration::from_secs(8);
/// How long the last folders may take to be written when the run is over.
const WRITTEN_WITHIN: Duration = Duration::from_secs(15);
/// Of so many attempts evidence is kept. Where more fail, something is wrong that the first ones show as well.
const MOST_ATTEMPTS: usize = 500;

/// Collects evidence during a run.
#[derive(Debug)]
pub struct Evidence {
    run: RunId,
    seed: u64,
    run_folder: PathBuf,
    artifacts: Artifacts,
    secrets: Secrets,
    tasks: TaskTracker,
    board: Mutex<Board>,
    told: Mutex<Told>,
}

/// Evidence of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The test.
    pub test: TestId,
    /// Its attempt.
    pub number: AttemptNumber,
    /// The folder, under the run folder as that was given.
    pub folder: PathBuf,
    /// The files in it.
    pub files: Vec<String>,
}

#[derive(Debug, Default)]
struct Told {
    begun: usize,
    kept: Vec<Kept>,
    warnings: Vec<String>,
}

/// Where a test stands in the suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line in it; 0 where it is not known.
    pub line: u32,
}

impl Evidence {
    /// Evidence of this run, in its folder.
    pub fn new(run: RunId, seed: u64, run_folder: &Path, artifacts: Artifacts, secrets: Secrets) -> Self {
        Self {
            run,
            seed,
            run_folder: run_folder.to_owned(),
            artifacts,
            secrets,
            tasks: TaskTracker::new(),
            board: Mutex::default(),
            told: Mutex::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt starts: the others run beside it from now on.
    pub fn started(&self, environment: EnvironmentId, test: &TestId, number: AttemptNumber, at: Timestamp) {
        self.board().started(environment, test, number, at);
    }

    /// An attempt ended in an environment that may still be there. Returns when the environment is not needed any more
    /// for the evidence of it.
    pub async fn ended(
        self: &Arc<Self>,
        attempt: &Attempt,
        place: &Place,
        limit: &TimeLimit,
        environment: &Environment,
        attachments: &[SaidAttachment],
    ) {
        let ended = attempt.started.saturating_add(attempt.duration).unwrap_or(attempt.started);
        let beside = self.board().ended(attempt.environment, attempt.started, ended);
        if !attempt.outcome.leaves_evidence() || !self.begin() {
            return;
        }
        let asked = async {
            let fetched = page::fetch(environment, attachments).await;
            let artifacts = self.artifacts.fetch(environment, attempt.started).await;
            let states = environment.states().await;
            (fetched, artifacts, states)
        };
        let (mut notes, mut files, mut states) = (Vec::new(), Vec::new(), Vec::new());
        match tokio::time::timeout(ASKED_WITHIN, asked).await {
            Ok((fetched, artifacts, told)) => {
                for found in [fetched, artifacts] {
                    files.extend(found.files);
                    notes.extend(found.notes);
                }
                states = told;
            }
            Err(_) => notes.push(format!("the environment did not answer within {} s", ASKED_WITHIN.as_secs())),
        }
        let traces = environment.traces();
        let collected = Collected {
            run: self.run.clone(),
            seed: self.seed,
            attempt: attempt.clone(),
            place: place.clone(),
            limit: limit.clone(),
            ended,
            environment_age: attempt.started.duration_since(environment.since()),
            load: std::fs::read_to_string("/proc/loadavg").ok(),
            beside,
            states,
            files,
            notes,
        };
        let (evidence, secrets) = (self.clone(), self.secrets.clone());
        let folder = self.run_folder.join("failures").join(attempt.test.folder()).join(attempt.number.to_string());
        self.tasks.spawn(async move {
            // Logs that are complete have no more to tell.
            tokio::select! {
                () = tokio::time::sleep(AROUND + LAG) => {}
                () = traces.complete() => {}
            }
            let (test, number) = (collected.attempt.test.clone(), collected.attempt.number);
            let into = folder.clone();
            let written =
                tokio::task::spawn_blocking(move || write::write(&collected, &traces, AROUND, &secrets, &into));
            match written.await.map_err(|error| error.to_string()).and_then(|files| files.map_err(|e| e.to_string())) {
                Ok(files) => evidence.told().kept.push(Kept { test, number, folder, files }),
                Err(error) => evidence.told().warnings.push(format!(
                    "evidence of attempt {number} of {test} could not be written to {}: {error}",
                    folder.display()
                )),
            }
        });
    }

    /// Whether there is room for one more.
    fn begin(&self) -> bool {
        let mut told = self.told();
        told.begun += 1;
        if told.begun == MOST_ATTEMPTS + 1 {
            told.warnings.push(format!("evidence is kept of the first {MOST_ATTEMPTS} attempts that did not pass"));
        }
        told.begun <= MOST_ATTEMPTS
    }

    /// Waits, for seconds, until everything is written; returns what was kept, and what is worth a warning. Call it when
    /// the lanes are over.
    pub async fn finish(&self) -> (Vec<Kept>, Vec<String>) {
        self.tasks.close();
        let late = tokio::time::timeout(WRITTEN_WITHIN, self.tasks.wait()).await.is_err();
        let mut told = self.told();
        let (mut kept, mut warnings) = (std::mem::take(&mut told.kept), std::mem::take(&mut told.warnings));
        if late {
            warnings.push(format!("evidence was not all written {} s after the run", WRITTEN_WITHIN.as_secs()));
        }
        kept.sort_by(|a, b| (&a.test, a.number).cmp(&(&b.test, b.number)));
        (kept, warnings)
    }
}
