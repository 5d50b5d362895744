//! A container with an adapter's suite, and workers in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use shakedown::engine::docker::DockerEngine;
use shakedown::framework::protocol::{AskedTest, FromWorker, SaidFailure, SaidOutcome};
use shakedown::framework::{Heard, ListedTest, Worker, WorkerError};
use shakedown::id::LaneIndex;
use shakedown::manifest::Suite;
use shakedown::owner::Owner;
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout, timeout_at};

use super::adapters::Adapter;
use crate::docker;
use crate::stage::Stage;

/// Nothing here takes longer, on a busy machine.
const LONGEST: Duration = Duration::from_secs(90);
/// What a test writes and what its worker says take different ways, and the one may come later than the other.
const LATE: Duration = Duration::from_secs(10);
/// The fourth.
const LANE: LaneIndex = LaneIndex(3);
/// When nothing is written for so long, nothing more is expected.
const QUIET: Duration = Duration::from_millis(50);

/// A container with an adapter's suite.
pub(crate) struct Ground {
    pub(crate) adapter: Adapter,
    runtime: Runtime,
    engine: Arc<DockerEngine>,
    container: String,
    _stage: Stage,
}

impl Ground {
    /// Builds the adapter's image where it is not there yet, and starts a container of it.
    pub(crate) fn new(name: &'static str, adapter: Adapter) -> Self {
        let stage = Stage::new(name);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let image = format!("shakedown-test/conformance-{}", adapter.folder);
        build(&image, &folder(&adapter));
        let container = format!("shakedown-conformance-{}-{:08x}", adapter.name, rand::random::<u32>());
        // With labels as a run's, so that the container is removed even if this process is killed.
        let lease = Owner::this_process().expect("/proc");
        let labels = ["dev.shakedown.run=conformance".to_owned(), format!("dev.shakedown.lease={lease}")];
        let mut arguments = vec!["run", "--detach", "--init", "--shm-size", "256m", "--name", &container];
        labels.iter().for_each(|label| arguments.extend(["--label", label]));
        docker::output(&[&arguments[..], &[&image, "sleep", "infinity"]].concat());
        let engine = Arc::new(runtime.block_on(DockerEngine::connect()).expect("an engine"));
        Self { adapter, runtime, engine, container, _stage: stage }
    }

    /// Starts a worker on some paths of the suite; `token` names it.
    pub(crate) fn start(&self, token: &str, paths: &[&str]) -> Result<Talk<'_>, WorkerError> {
        let suite = Suite {
            name: "conformance".to_owned(),
            framework: self.adapter.framework.clone(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            artifacts: Vec::new(),
        };
        let variables = [("SHAKEDOWN_RUN_ID", "r1"), ("SHAKEDOWN_SEED", "7"), ("TEST_ENV_NUMBER", "4")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let engine = self.engine.clone();
        let start = Worker::start(engine, &self.container, &suite, variables, token, LONGEST);
        let worker = self.runtime.block_on(start)?;
        Ok(Talk { ground: self, worker })
    }

    /// A worker that has loaded the suite.
    pub(crate) fn worker(&self, token: &str) -> Talk<'_> {
        self.start(token, self.adapter.paths).unwrap_or_else(|error| panic!("{token}: {error}"))
    }

    /// The processes of the container whose command line matches a pattern of `grep`.
    pub(crate) fn processes(&self, pattern: &str) -> Vec<String> {
        let script = "grep -las -e \"$0\" /proc/[0-9]*/cmdline; true";
        let found = docker::output(&["exec", &self.container, "sh", "-c", script, &bracketed(pattern)]);
        found.lines().map(str::to_owned).collect()
    }

    /// A file of the suite, as lines.
    pub(crate) fn source(&self, file: &str) -> Vec<String> {
        let path = folder(&self.adapter).join("suite").join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", "--volumes", &self.container]).output();
    }
}

/// So that a pattern does not match the command line in which it stands itself.
fn bracketed(pattern: &str) -> String {
    let (first, rest) = pattern.split_at(1);
    format!("[{first}]{rest}")
}

fn folder(adapter: &Adapter) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frameworks").join(adapter.folder)
}

fn build(image: &str, folder: &Path) {
    let output = Command::new("docker").args(["build", "--quiet", "--tag", image]).arg(folder).output();
    let output = output.expect("docker can be started");
    assert!(output.status.success(), "{image}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A worker, and what was heard of it.
pub(crate) struct Talk<'a> {
    ground: &'a Ground,
    worker: Worker,
}

/// How a unit went.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    /// Selectors of the tests that started, in their order.
    pub(crate) started: Vec<String>,
    /// What ended, in its order.
    pub(crate) ended: Vec<End>,
    /// What the worker does not know.
    pub(crate) unknown: Vec<String>,
    /// What went wrong outside of any test.
    pub(crate) errors: Vec<String>,
    /// Whatever was written.
    pub(crate) output: String,
    /// Whether the worker ended before the unit did.
    pub(crate) lost: Option<WorkerError>,
}

/// How a test ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) selector: String,
    pub(crate) outcome: SaidOutcome,
    pub(crate) failure: Option<SaidFailure>,
    pub(crate) reason: Option<String>,
}

impl Unit {
    /// How a test ended, which it did once.
    pub(crate) fn end(&self, selector: &str) -> &End {
        let ends: Vec<&End> = self.ended.iter().filter(|end| end.selector == selector).collect();
        let [end] = ends[..] else { panic!("{selector} ended {} times: {self:#?}", ends.len()) };
        end
    }

    /// What the tests wrote between `<<` and `>>`, of those that ran.
    pub(crate) fn marks(&self) -> BTreeSet<&str> {
        self.output.split("<<").skip(1).filter_map(|rest| Some(rest.split_once(">>")?.0)).collect()
    }

    /// The failure of a test.
    pub(crate) fn failure(&self, selector: &str) -> &SaidFailure {
        let end = self.end(selector);
        assert_eq!(end.outcome, SaidOutcome::Failed, "{end:#?}");
        end.failure.as_ref().unwrap_or_else(|| panic!("{selector} has no failure"))
    }
}

impl Talk<'_> {
    /// All tests.
    pub(crate) fn list(&mut self) -> Vec<ListedTest> {
        self.ground.runtime.block_on(self.worker.list(LONGEST)).expect("a listing")
    }

    /// Asks for a listing that may fail.
    pub(crate) fn try_list(&mut self) -> Result<Vec<ListedTest>, WorkerError> {
        self.ground.runtime.block_on(self.worker.list(LONGEST))
    }

    /// Runs a unit of these selectors, up to its end or the worker's.
    pub(crate) fn run(&mut self, selectors: &[&str]) -> Unit {
        self.run_attempt(selectors, 1)
    }

    /// Runs a unit as a further attempt.
    pub(crate) fn run_attempt(&mut self, selectors: &[&str], attempt: u32) -> Unit {
        self.ask(selectors, attempt);
        let mut unit = Unit::default();
        let worker = &mut self.worker;
        self.ground.runtime.block_on(async {
            let deadline = Instant::now() + LONGEST;
            while !hear(worker, &mut unit, deadline).await {}
            hear_late(worker, &mut unit, Instant::now() + QUIET).await;
        });
        unit
    }

    /// Waits until a unit that has ended has written `text`, which is late at worst.
    pub(crate) fn expect(&mut self, unit: &mut Unit, text: &str) {
        let worker = &mut self.worker;
        self.ground.runtime.block_on(async {
            let deadline = Instant::now() + LATE;
            while !unit.output.contains(text) {
                assert!(Instant::now() < deadline, "{text:?} was not written: {unit:#?}");
                hear_late(worker, unit, Instant::now() + QUIET).await;
            }
        });
    }

    /// As [`expect`](Self::expect), for marks: these are written and no others.
    pub(crate) fn expect_only(&mut self, unit: &mut Unit, marks: &[&str]) {
        for mark in marks {
            self.expect(unit, &format!("<<{mark}>>"));
        }
        assert_eq!(unit.marks(), marks.iter().copied().collect(), "{unit:#?}");
    }

    /// Asks for a unit, and hears nothing of it yet.
    pub(crate) fn ask(&mut self, selectors: &[&str], attempt: u32) {
        let tests = selectors.iter().map(|selector| AskedTest { selector: (*selector).to_owned(), attempt });
        let asking = self.worker.run("u1".to_owned(), LANE, tests.collect());
        self.ground.runtime.block_on(asking).expect("the worker takes a unit");
    }

    /// Kills the worker.
    pub(crate) fn kill(self) {
        let killing = async { timeout(LONGEST, self.worker.kill()).await };
        self.ground.runtime.block_on(killing).expect("in time").expect("it is killed");
    }

    /// Lets the worker end.
    pub(crate) fn quit(self) {
        let quitting = async { timeout(LONGEST, self.worker.quit()).await };
        self.ground.runtime.block_on(quitting).expect("in time");
    }
}

/// Hears what is written until then.
async fn hear_late(worker: &mut Worker, unit: &mut Unit, until: Instant) {
    while unit.lost.is_none() {
        match timeout_at(until, worker.next()).await {
            Ok(Ok(Heard::Output(text))) => unit.output.push_str(&text),
            // `command` has nothing more to say after a unit.
            Ok(Ok(Heard::End)) | Err(_) => return,
            Ok(other) => panic!("after the unit: {other:?}"),
        }
    }
}

/// Hears the next thing; whether the unit or its worker ended.
async fn hear(worker: &mut Worker, unit: &mut Unit, deadline: Instant) -> bool {
    let heard = timeout_at(deadline, worker.next()).await;
    match heard.unwrap_or_else(|_| panic!("nothing more within {LONGEST:?}: {unit:#?}")) {
        Ok(Heard::Message(FromWorker::Started { selector, .. })) => unit.started.push(selector),
        Ok(Heard::Message(FromWorker::Ended { selector, outcome, failure, reason, .. })) => {
            unit.ended.push(End { selector, outcome, failure, reason });
        }
        Ok(Heard::Message(FromWorker::UnitEnded { unit: name, unknown, not_run, .. })) => {
            assert_eq!((name.as_str(), not_run), ("u1", Vec::new()));
            unit.unknown = unknown;
            return true;
        }
        Ok(Heard::Message(FromWorker::Before { .. })) => {}
        Ok(Heard::Message(FromWorker::Error { message, .. })) => unit.errors.push(message),
        Ok(Heard::Message(other)) => panic!("out of turn: {other:?}"),
        Ok(Heard::Output(text)) => unit.output.push_str(&text),
        Ok(Heard::Together(_)) => {}
        Ok(Heard::End) => {
            unit.lost = Some(worker.end().await);
            return true;
        }
        Err(error) => panic!("{error}: {unit:#?}"),
    }
    false
}
