//! Running one unit in a warm worker.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::life::connection_lost;
use super::reset::{Upkeep, after_failure};
use super::seat::Seat;
use super::{Lane, Report, Stopped, Work, WorkItem};
use crate::environment::Environment;
use crate::event::{Attempt, BrokenEnvironment};
use crate::framework::protocol::{AskedTest, FromWorker, SaidAttachment, SaidBlocked, SaidFailure, SaidOutcome};
use crate::framework::{Heard, Worker, WorkerError, keep_last};
use crate::id::UnitId;
use crate::verdict::{Failure, Outcome, TimeLimit};

/// What a test and its processes wrote is kept up to this many bytes, the last ones.
const MOST_OUTPUT: usize = 64 << 10;
/// When a worker ends, its container may have ended first; the engine tells that within this time.
const DEATH_WITHIN: Duration = Duration::from_millis(300);

/// How long a worker has for ending a process that runs several tests, and for reading what that told of them.
const PART_WITHIN: Duration = Duration::from_secs(90);

/// How a unit ended.
#[derive(Debug)]
pub(super) enum UnitEnd {
    /// Everything asked for was reported, and nothing of it failed.
    Clean,
    /// Everything asked for was reported. Something failed.
    Failed,
    /// An attempt failed, after which nothing else may run here as it is; what was not run goes back. The worker may
    /// be running on.
    CutShort,
    /// The worker is of no use any more; what was not run goes back.
    WorkerLost,
    /// The environment broke; what was not run goes back.
    Broke(BrokenEnvironment),
    /// The run stops.
    Stopped,
}

/// A unit that is being run.
struct UnitRun<'a> {
    lane: &'a Lane,
    environment: &'a Environment,
    seat: &'a mut Seat,
    unit: UnitId,
    /// When the worker was asked for the unit, until its first test starts.
    asked: Option<Instant>,
    /// What starting the unit took so far, from its first test's start to that test's end.
    start_up: Option<Duration>,
    waiting: Vec<WorkItem>,
    current: Option<Current>,
    /// What was not asked for and runs now, as tests of the unit build on it.
    before: Option<String>,
    output: String,
    /// What the worker says shows how the current test failed.
    attachments: Vec<SaidAttachment>,
    /// Whether an attempt counted against its test.
    failed: bool,
    /// Selectors of those that run in one process and of which nothing was told yet.
    together: BTreeSet<String>,
    /// Whether their process was told that its time is up.
    parted: bool,
}

/// The test that runs now.
struct Current {
    item: WorkItem,
    started: Timestamp,
    clock: Instant,
}

impl Lane {
    /// Runs a unit. Every test of it that was started has been reported as ended when this returns; those that were
    /// not started only where that is known to be their own doing.
    pub(super) async fn run_unit(
        &self,
        environment: &Environment,
        worker: &mut Worker,
        seat: &mut Seat,
        work: Work,
    ) -> UnitEnd {
        let asked = work
            .tests
            .iter()
            .map(|item| AskedTest { selector: item.selector.clone(), attempt: item.attempt.0 })
            .collect();
        let mut run = UnitRun {
            lane: self,
            environment,
            seat,
            unit: work.unit,
            asked: Some(Instant::now()),
            start_up: None,
            waiting: work.tests,
            current: None,
            before: None,
            output: String::new(),
            attachments: Vec::new(),
            failed: false,
            together: BTreeSet::new(),
            parted: false,
        };
        if let Err(error) = worker.run(work.unit.to_string(), self.index, asked).await {
            return run.worker_lost(error).await;
        }
        let mut heard_last = Instant::now();
        loop {
            let deadline = heard_last + run.patience();
            let heard = tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return run.stopped().await,
                heard = worker.next() => heard,
                () = environment.ended() => return run.environment_ended().await,
                () = tokio::time::sleep_until(deadline) => match run.time_is_up(worker).await {
                    Some(end) => return end,
                    None => {
                        heard_last = Instant::now();
                        continue;
                    }
                },
            };
            let message = match heard {
                Ok(Heard::Message(message)) => message,
                Ok(Heard::Output(text)) => {
                    run.keep(&text);
                    // A worker that writes without pause would keep the wait for the deadline from its turn.
                    if Instant::now() >= deadline {
                        return run.timed_out(worker).await;
                    }
                    continue;
                }
                Ok(Heard::Together(selectors)) => {
                    if let Some(end) = run.run_together(selectors) {
                        return end;
                    }
                    heard_last = Instant::now();
                    continue;
                }
                Ok(Heard::End) => return run.worker_lost(worker.end().await).await,
                Err(error) => return run.worker_lost(error).await,
            };
            if let Some(end) = run.take(message).await {
                return end;
            }
            // What runs between two tests, hooks for instance, has a limit of its own; our own looking around does not
            // count.
            heard_last = Instant::now();
        }
    }
}

impl UnitRun<'_> {
    /// Takes in a message; says how the unit ended if it did.
    async fn take(&mut self, message: FromWorker) -> Option<UnitEnd> {
        match message {
            FromWorker::Before { name } => self.before = Some(name),
            FromWorker::Started { selector, ago_ms } => {
                self.before = None;
                let ago = Duration::try_from_secs_f64(ago_ms / 1000.0).unwrap_or_default();
                self.begin(&selector, ago).await;
                self.start_before(&selector, ago).await;
            }
            FromWorker::Ended { selector, outcome, duration_ms, failure, reason, attachments } => {
                if !self.runs(&selector) {
                    self.start(&selector).await;
                }
                if !self.runs(&selector) {
                    // It was not asked for; what runs now goes on.
                    return None;
                }
                let duration = Duration::try_from_secs_f64(duration_ms / 1000.0).unwrap_or_default();
                self.has_begun(duration).await;
                let outcome = match outcome {
                    SaidOutcome::Passed => Outcome::Passed,
                    SaidOutcome::Skipped => Outcome::Skipped { reason: self.mask(&reason.unwrap_or_default()) },
                    SaidOutcome::Failed => match self.lane.diagnose(self.environment).await {
                        Err(Stopped) => return Some(self.stopped().await),
                        Ok(Some(broken)) => return Some(self.broke(broken).await),
                        Ok(None) => Outcome::Failed(self.failure(failure.unwrap_or_default())),
                    },
                };
                self.attachments = attachments;
                self.end_current_after(outcome, Some(duration)).await;
                self.together.remove(&selector);
                return self.is_cut_short().then_some(UnitEnd::CutShort);
            }
            FromWorker::UnitEnded { unknown, not_run, blocked, spoiled, .. } => {
                self.before = None;
                for SaidBlocked { selector, cause } in blocked {
                    self.block(&selector, &cause).await;
                }
                if self.failed {
                    // They go back with all that this lane still holds. Without a failure there is no reason for it.
                    self.waiting.retain(|item| !not_run.contains(&item.selector));
                }
                // Asked equals ran: what was asked for and not reported has failed, with the reason.
                while let Some(item) = self.waiting.first().cloned() {
                    let why = if unknown.contains(&item.selector) { "does not know" } else { "did not run" };
                    let message =
                        format!("the framework {why} this test, though it had listed it as {}", item.selector);
                    self.start(&item.selector).await;
                    self.end_current(Outcome::Failed(Failure::observed(message))).await;
                }
                return Some(match (spoiled, self.failed) {
                    (true, _) => UnitEnd::WorkerLost,
                    (false, true) => UnitEnd::Failed,
                    (false, false) => UnitEnd::Clean,
                });
            }
            FromWorker::Note { message } => {
                let message = self.mask(&message);
                self.lane.report(Report::Warning(message)).await;
            }
            FromWorker::Error { message, file, line } => {
                let place = file.map(|file| format!(" ({file}:{})", line.unwrap_or(0))).unwrap_or_default();
                let message = self.mask(&format!("outside of any test{place}: {message}"));
                self.lane.report(Report::Warning(message)).await;
            }
            FromWorker::Hello { .. }
            | FromWorker::Loaded { .. }
            | FromWorker::LoadError { .. }
            | FromWorker::Test { .. }
            | FromWorker::Listed { .. } => {
                self.lane.report(Report::Warning(format!("the worker said something out of turn: {message:?}"))).await;
            }
        }
        None
    }

    /// From now on these run in one process: all that it tells of them has happened, so that the unit is not cut short
    /// before the last of them.
    fn run_together(&mut self, selectors: Vec<String>) -> Option<UnitEnd> {
        self.together = selectors.into_iter().collect();
        self.parted = false;
        self.is_cut_short().then_some(UnitEnd::CutShort)
    }

    /// Whether the unit ends here, as an attempt failed and the environment is not fit for the next one. A fresh
    /// environment can be had at once; for a reset the worker may end its unit where that holds no more tests.
    fn is_cut_short(&self) -> bool {
        self.failed
            && self.together.is_empty()
            && match after_failure(&self.lane.shared.site.manifest.environment.reset) {
                Upkeep::None => false,
                Upkeep::Reset => !self.waiting.is_empty(),
                Upkeep::Recycle => true,
            }
    }

    fn mask(&self, text: &str) -> String {
        self.lane.shared.site.secrets.mask(text)
    }

    fn failure(&self, said: SaidFailure) -> Failure {
        Failure {
            class: said.class,
            message: self.mask(&said.message),
            file: said.file,
            line: said.line,
            backtrace: said.backtrace.iter().map(|frame| self.mask(frame)).collect(),
        }
    }

    fn keep(&mut self, text: &str) {
        keep_last(&mut self.output, text, MOST_OUTPUT);
    }

    /// The worker says of a test that it started some time ago: the first time, that is how long the unit took to begin.
    async fn begin(&mut self, selector: &str, ago: Duration) {
        let Some(item) = self.waiting.iter().find(|item| item.selector == selector) else { return };
        let Some(asked) = self.asked.take() else { return };
        let (file, took) = (item.place.file.clone(), asked.elapsed().saturating_sub(ago));
        if ago == Duration::ZERO {
            self.start_up = Some(took);
        } else {
            self.began(file, took).await;
        }
    }

    /// The first test of the unit has ended. What passed since its start beyond its own `duration`, as far as that is
    /// known, is the start of what its framework counts to no test, such as a browser.
    async fn has_begun(&mut self, duration: Duration) {
        let Some(current) = &self.current else { return };
        let Some(took) = self.start_up.take() else { return };
        let (file, beyond) = (current.item.place.file.clone(), current.clock.elapsed().saturating_sub(duration));
        self.began(file, took + beyond).await;
    }

    async fn began(&mut self, file: String, took: Duration) {
        let (environment, unit) = (self.seat.environment, self.unit);
        self.lane.report(Report::UnitBegan { environment, unit, file, took }).await;
    }

    /// A test of the unit starts.
    async fn start(&mut self, selector: &str) {
        self.start_before(selector, Duration::ZERO).await;
    }

    /// A test of the unit started some time ago; one that was not asked for is nothing to us.
    async fn start_before(&mut self, selector: &str, ago: Duration) {
        let Some(place) = self.waiting.iter().position(|item| item.selector == selector) else { return };
        let message = format!("the framework went on to {selector} and did not say how this test ended");
        self.end_current(Outcome::Failed(Failure::observed(message))).await;
        let item = self.waiting.remove(place);
        let started = Timestamp::now().saturating_sub(ago).unwrap_or_else(|_| Timestamp::now());
        self.current = Some(Current { item: item.clone(), started, clock: Instant::now() });
        self.lane.shared.evidence.started(self.seat.environment, &item.test, item.attempt, started);
        self.lane.report(Report::Started(item, self.seat.environment, started)).await;
    }

    /// How long nothing may be told.
    fn patience(&self) -> Duration {
        if self.current.is_some() || self.together.is_empty() {
            return self.limit().span;
        }
        if self.parted {
            return PART_WITHIN;
        }
        let together = self.waiting.iter().filter(|item| self.together.contains(&item.selector));
        together.map(|item| item.limit.span).sum()
    }

    /// How long what goes on now may take.
    fn limit(&self) -> &TimeLimit {
        self.current.as_ref().map_or(&self.lane.shared.test_timeout, |current| &current.item.limit)
    }

    fn runs(&self, selector: &str) -> bool {
        self.current.as_ref().is_some_and(|current| current.item.selector == selector)
    }

    async fn end_current(&mut self, outcome: Outcome) {
        self.end_current_after(outcome, None).await;
    }

    async fn end_current_after(&mut self, outcome: Outcome, duration: Option<Duration>) {
        self.has_begun(Duration::MAX).await;
        let Some(current) = self.current.take() else { return };
        self.seat.position += 1;
        self.failed |= outcome.counts_against_test();
        self.seat.fruitful |= !matches!(outcome, Outcome::EnvironmentBroke { .. } | Outcome::Interrupted);
        let output = std::mem::take(&mut self.output);
        let output = if outcome == Outcome::Passed { String::new() } else { self.mask(&output) };
        let attempt = Attempt {
            test: current.item.test.clone(),
            number: current.item.attempt,
            environment: self.seat.environment,
            unit: self.unit,
            position: self.seat.position,
            predecessor: self.seat.predecessor.replace(current.item.test),
            started: current.started,
            duration: duration.unwrap_or_else(|| current.clock.elapsed()),
            outcome,
            output,
        };
        self.lane.report(Report::Ended(current.item.index, attempt.clone())).await;
        let attachments = std::mem::take(&mut self.attachments);
        let evidence = &self.lane.shared.evidence;
        let (place, limit) = (&current.item.place, &current.item.limit);
        tokio::select! {
            biased;
            () = self.lane.shared.stop.cancelled() => {}
            () = evidence.ended(&attempt, place, limit, self.environment, &attachments) => {}
        }
    }

    /// A test was kept from running by what is done before it. That is tried again elsewhere, as if the environment had
    /// broken: the test itself has done nothing. This one is as after any failure.
    async fn block(&mut self, selector: &str, cause: &str) {
        if !self.waiting.iter().any(|item| item.selector == selector) {
            return;
        }
        self.start(selector).await;
        let cause = self.mask(cause);
        self.end_current_after(Outcome::EnvironmentBroke { cause }, Some(Duration::ZERO)).await;
        self.failed = true;
        self.seat.fruitful = true;
    }

    /// Ends the test that runs. Where none does, the next one is to blame for what happened before it could start.
    async fn blame(&mut self, outcome: Outcome) {
        if self.current.is_none()
            && let Some(next) = self.waiting.first().map(|item| item.selector.clone())
        {
            self.start(&next).await;
        }
        self.end_current(outcome).await;
    }

    async fn stopped(&mut self) -> UnitEnd {
        self.end_current(Outcome::Interrupted).await;
        UnitEnd::Stopped
    }

    /// An attempt in a broken environment is free, up to a limit; by it a test that breaks its environments before it
    /// is said to have started, in a hook for instance, settles at last.
    async fn broke(&mut self, broken: BrokenEnvironment) -> UnitEnd {
        self.blame(Outcome::EnvironmentBroke { cause: broken.cause.clone() }).await;
        UnitEnd::Broke(broken)
    }

    async fn environment_ended(&mut self) -> UnitEnd {
        match self.lane.diagnose(self.environment).await {
            Err(Stopped) => self.stopped().await,
            Ok(broken) => self.broke(broken.unwrap_or_else(connection_lost)).await,
        }
    }

    /// Nothing was told for too long. Of tests that run together it is not known which one takes so long: their process
    /// is told to end, once, and the unit goes on.
    async fn time_is_up(&mut self, worker: &mut Worker) -> Option<UnitEnd> {
        if self.together.is_empty() || self.parted {
            return Some(self.timed_out(worker).await);
        }
        match self.lane.diagnose(self.environment).await {
            Err(Stopped) => Some(self.stopped().await),
            Ok(Some(broken)) => Some(self.broke(broken).await),
            Ok(None) if worker.part() => {
                self.parted = true;
                None
            }
            Ok(None) => Some(self.timed_out(worker).await),
        }
    }

    async fn timed_out(&mut self, worker: &mut Worker) -> UnitEnd {
        match self.lane.diagnose(self.environment).await {
            Err(Stopped) => return self.stopped().await,
            Ok(Some(broken)) => return self.broke(broken).await,
            Ok(None) => {}
        }
        let out_of_touch = tokio::select! {
            biased;
            () = self.lane.shared.stop.cancelled() => return self.stopped().await,
            out_of_touch = worker.is_out_of_touch() => out_of_touch,
        };
        match out_of_touch {
            Ok(true) => self.worker_lost(WorkerError::Lost("let something get lost")).await,
            Err(error) => self.worker_lost(error).await,
            Ok(false) => {
                let limit = self.limit();
                let (limit, why) = (limit.span, limit.to_string());
                let outcome = match self.before.take() {
                    Some(before) if self.current.is_none() => {
                        let limit = limit.as_secs_f64();
                        let message = format!(
                            "did not run, as {before}, which has to run before, ran longer than {limit:.1} s, and was stopped"
                        );
                        Outcome::Failed(Failure::observed(self.mask(&message)))
                    }
                    Some(_) | None => Outcome::TimedOut { limit, why },
                };
                self.blame(outcome).await;
                UnitEnd::WorkerLost
            }
        }
    }

    async fn worker_lost(&mut self, error: WorkerError) -> UnitEnd {
        let _ = tokio::time::timeout(DEATH_WITHIN, self.environment.ended()).await;
        let broken = match (self.lane.diagnose(self.environment).await, &error) {
            (Err(Stopped), _) => return self.stopped().await,
            (Ok(Some(broken)), _) => Some(broken),
            (Ok(None), WorkerError::Lost(_) | WorkerError::Engine(_)) => Some(self.lane.runner_broke(&error)),
            (
                Ok(None),
                WorkerError::Suite { .. }
                | WorkerError::CannotStart { .. }
                | WorkerError::Ended { .. }
                | WorkerError::Silent { .. }
                | WorkerError::Protocol(_),
            ) => None,
        };
        match broken {
            Some(broken) => self.broke(broken).await,
            None => {
                let message = self.mask(&error.to_string());
                self.blame(Outcome::Failed(Failure::observed(message))).await;
                UnitEnd::WorkerLost
            }
        }
    }
}
