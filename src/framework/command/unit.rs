//! Running a unit: one command after another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::apart::{Apart, Told, tell_apart};
use super::fill::{Filling, words};
use super::judge::{Ended, Judgement, judge};
use super::{BEGUN, KILLED, Place};
use crate::engine::ExecSpec;
use crate::framework::protocol::{AskedTest, FromWorker};
use crate::framework::{Heard, WorkerError};
use crate::manifest::{CommandItems, ItemKind};

/// What is said, once, where results tell of tries within the framework.
const RERUNS: &str = "the framework tries failed tests again by itself, in the same environment, and its last try counts: \
                      flaky tests are not seen then; switch that off (Surefire: rerunFailingTestsCount = 0)";

/// Where it is told what happens.
pub(super) type Ear = mpsc::Sender<Result<Heard, WorkerError>>;

/// A unit that is being run.
pub(super) struct UnitRun {
    pub(super) place: Arc<Place>,
    /// Its commands' folders begin with this.
    pub(super) folder: String,
    /// The variable that names the lane.
    pub(super) lane: (String, String),
    pub(super) ear: Ear,
    /// Ends the command that runs several tests.
    pub(super) time_is_up: Arc<Notify>,
}

impl UnitRun {
    /// Runs the tests in their order, as many by one command as the suite allows. A command tells its tests one
    /// attempt's number, so that only tests share one that are tried for the same time.
    pub(super) async fn run(&self, unit: String, tests: Vec<AskedTest>) -> Result<(), WorkerError> {
        let most = self.place.suite.at_once.get();
        let alike = tests.chunk_by(|one, next| one.attempt == next.attempt);
        for (nth, tests) in alike.flat_map(|tests| tests.chunks(most)).enumerate() {
            let folder = format!("{}-{}", self.folder, nth + 1);
            match tests {
                [test] => self.run_alone(&folder, test).await?,
                tests => self.run_together(&folder, tests).await?,
            }
        }
        let (unknown, not_run, blocked) = (Vec::new(), Vec::new(), Vec::new());
        self.tell(FromWorker::UnitEnded { unit, unknown, not_run, blocked, spoiled: false }).await;
        Ok(())
    }

    /// Runs a test by a command of its own, so that it has its own time, output and exit code.
    async fn run_alone(&self, folder: &str, test: &AskedTest) -> Result<(), WorkerError> {
        let selector = test.selector.clone();
        self.tell(FromWorker::Started { selector: selector.clone(), ago_ms: 0.0 }).await;
        let started = Instant::now();
        let ended = self.command(folder, &[&selector], test.attempt, Some(&self.ear)).await?;
        let judgement = judge(&selector, self.kind(), &ended);
        self.tell_end(selector, judgement, started.elapsed()).await;
        Ok(())
    }

    /// Runs several tests by one command, and those that it did not tell of clearly by one each.
    async fn run_together(&self, folder: &str, tests: &[AskedTest]) -> Result<(), WorkerError> {
        let selectors: Vec<&str> = tests.iter().map(|test| test.selector.as_str()).collect();
        let all = selectors.iter().map(|selector| (*selector).to_owned()).collect();
        let _ = self.ear.send(Ok(Heard::Together(all))).await;
        let attempt = tests.first().map_or(1, |test| test.attempt);
        let started = Instant::now();
        let (ended, late) = tokio::select! {
            ended = self.command(folder, &selectors, attempt, None) => (ended?, ""),
            () = self.time_is_up.notified() => {
                self.place.kill().await?;
                let results = self.place.results_of(folder).await?;
                (Ended { code: KILLED, said: String::new(), results }, ", as their time was up")
            }
        };
        let took = started.elapsed();
        let Apart { told, left, why } = tell_apart(&selectors, self.kind(), &ended);
        let reported: Duration = told.iter().filter_map(|told| told.took).sum();
        for Told { nth, judgement, took: its, after, .. } in told {
            // What is not known of the time is taken for the program's start.
            let began = (took.saturating_sub(reported) + after).min(took);
            let share = took / u32::try_from(tests.len()).unwrap_or(1);
            let selector = tests[nth].selector.clone();
            let ago_ms = (started.elapsed().saturating_sub(began)).as_secs_f64() * 1000.0;
            self.tell(FromWorker::Started { selector: selector.clone(), ago_ms }).await;
            if judgement.failure.is_some() && !ended.said.trim().is_empty() {
                let said = format!("the command that ran {} tests said last:\n{}\n", tests.len(), ended.said.trim());
                let _ = self.ear.send(Ok(Heard::Output(said))).await;
            }
            self.tell_end(selector, judgement, its.unwrap_or(share)).await;
        }
        if left.is_empty() {
            return Ok(());
        }
        let count = if left.len() == tests.len() { "they".to_owned() } else { format!("{} of them", left.len()) };
        let message =
            format!("{} tests were run by one command, and {count} are now run one by one{late}: {why}", tests.len());
        self.tell(FromWorker::Note { message }).await;
        let _ = self.ear.send(Ok(Heard::Together(Vec::new()))).await;
        for nth in left {
            self.run_alone(&format!("{folder}-{}", nth + 1), &tests[nth]).await?;
        }
        Ok(())
    }

    fn kind(&self) -> ItemKind {
        match &self.place.suite.items {
            CommandItems::Files(_) => ItemKind::File,
            CommandItems::List { names, .. } => *names,
        }
    }

    /// Executes the command for these tests to its end.
    async fn command(
        &self,
        folder: &str,
        tests: &[&str],
        attempt: u32,
        ear: Option<&Ear>,
    ) -> Result<Ended, WorkerError> {
        let suite = &self.place.suite;
        let mut seen = BTreeSet::new();
        let files = tests.iter().map(|test| test.split("::").next().unwrap_or_default());
        let files: Vec<&str> = files.filter(|file| seen.insert(*file)).collect();
        let junit = format!("{folder}/results.xml");
        let mut command = words(&suite.run, Filling { tests, files: &files, junit: &junit });
        if suite.writes_results() {
            let prepare = format!("mkdir -p \"$0\" && : > \"$0/{BEGUN}\" && exec \"$@\"");
            command.splice(0..0, ["sh", "-c", &prepare, folder].map(str::to_owned));
        }
        let mut environment = self.place.environment.clone();
        environment.retain(|(name, _)| *name != self.lane.0);
        environment.push(self.lane.clone());
        environment.push(("SHAKEDOWN_ATTEMPT".to_owned(), attempt.to_string()));
        let spec = ExecSpec { command, environment, with_input: false };
        let done = self.place.execute(&spec, ear, 0).await?;
        let results = self.place.results_of(folder).await?;
        if matches!(&results, Some(Ok(results)) if results.reruns) && !self.place.reruns_told.swap(true, Relaxed) {
            let message = RERUNS.to_owned();
            self.tell(FromWorker::Note { message }).await;
        }
        Ok(Ended { code: done.code, said: done.said, results })
    }

    async fn tell_end(&self, selector: String, judgement: Judgement, took: Duration) {
        let Judgement { outcome, failure, reason } = judgement;
        let duration_ms = took.as_secs_f64() * 1000.0;
        self.tell(FromWorker::Ended { selector, outcome, duration_ms, failure, reason, attachments: Vec::new() }).await;
    }

    /// Nobody may be listening any more; then this task is about to end as well.
    async fn tell(&self, message: FromWorker) {
        let _ = self.ear.send(Ok(Heard::Message(message))).await;
    }
}
