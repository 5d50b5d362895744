//! Our end of a worker: a process in the runner service that stays warm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::line::{Line, Lines};
use super::protocol::{self, AskedTest, FromWorker, ToWorker, VERSION};
use super::{ListedTest, Shim, keep_last};
use crate::engine::{self, Engine, EngineError, Exec, ExecSpec, Output};
use crate::id::LaneIndex;

/// A line of the protocol is no longer than this; listings and messages are far shorter.
const LONGEST_LINE: usize = 4 << 20;
/// How much of what a worker wrote is kept to explain its end.
const LAST_WORDS: usize = 4096;
/// How long writing to a worker may take: it reads between units only, so its input never fills up.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// How long the engine is asked for the exit code of a worker that has ended.
const CODE_WITHIN: Duration = Duration::from_secs(1);
/// How long a worker may take to end when it is asked to.
const QUIT_WITHIN: Duration = Duration::from_secs(5);
/// How long a worker's account of what it said and heard is waited for.
const TELL_WITHIN: Duration = Duration::from_secs(15);
/// How long killing a worker with all its descendants may take.
const KILL_WITHIN: Duration = Duration::from_secs(15);

/// What can go wrong with a worker, besides failing tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// The suite itself can't be loaded, in every environment alike.
    #[error("the suite could not be loaded{}:\n{message}", place.as_ref().map(|p| format!(" ({p})")).unwrap_or_default())]
    Suite {
        /// The framework's words.
        message: String,
        /// File and line, where they are known.
        place: Option<String>,
    },
    /// The runner service lacks what the worker needs.
    #[error("the runner service can't start the worker `{command}` (exit code {code}): {said}")]
    CannotStart {
        /// What was to be started.
        command: String,
        /// The exit code.
        code: i64,
        /// What was said.
        said: String,
    },
    /// The worker ended without being asked to.
    #[error("the worker ended by itself{}{}", code.map(|c| format!(" with exit code {c}")).unwrap_or_default(), last_words(said))]
    Ended {
        /// The exit code, where it is known.
        code: Option<i64>,
        /// Its last words.
        said: String,
    },
    /// The worker did not answer in time.
    #[error("the worker did not {what} within {} s{}", limit.as_secs(), last_words(said))]
    Silent {
        /// What it should have done.
        what: &'static str,
        /// The limit.
        limit: Duration,
        /// Its last words.
        said: String,
    },
    /// The worker said something that is not of the protocol.
    #[error("the worker said something that is not understood: {0}")]
    Protocol(String),
    /// The connection to the worker was cut, stalled, or changed what went through it.
    #[error("the connection to the worker {0}")]
    Lost(&'static str),
    /// The engine, between us and the worker, failed.
    #[error("{0}")]
    Engine(#[from] EngineError),
}

fn last_words(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!("; it said last: {}", words.trim()) }
}

/// What was heard from a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A message.
    Message(FromWorker),
    /// The suite, or something it started, wrote this.
    Output(String),
    /// These tests run in one process from now on, which tells of them when it is over. None: what is left of those
    /// before is run one by one.
    Together(Vec<String>),
    /// The worker has ended.
    End,
}

/// A worker that is a process and speaks the protocol.
pub(super) struct ShimWorker {
    engine: Arc<dyn Engine>,
    container: String,
    shim: Shim,
    token: String,
    exec: Exec,
    partial: Vec<u8>,
    lines: Lines,
    /// How many lines were said to it.
    said: u64,
    heard: VecDeque<Heard>,
    last_words: String,
}

impl ShimWorker {
    /// Starts a worker in a container and waits until it has loaded the suite. `token` must be unlike that of any
    /// other worker in the container.
    pub(super) async fn start(
        engine: Arc<dyn Engine>,
        container: &str,
        shim: Shim,
        paths: &[String],
        mut environment: Vec<(String, String)>,
        token: &str,
        limit: Duration,
    ) -> Result<Self, WorkerError> {
        engine.write_file(container, shim.path, shim.source.as_bytes()).await?;
        environment.push(("SHAKEDOWN_WORKER".to_owned(), token.to_owned()));
        let command = shim.start.iter().map(|word| (*word).to_owned()).chain(paths.iter().cloned()).collect();
        let exec = engine.exec(container, &ExecSpec { command, environment, with_input: true }).await?;
        let mut worker = Self {
            engine,
            container: container.to_owned(),
            shim,
            token: token.to_owned(),
            exec,
            partial: Vec::new(),
            lines: Lines::default(),
            said: 0,
            heard: VecDeque::new(),
            last_words: String::new(),
        };
        worker.load(Instant::now() + limit, limit).await?;
        Ok(worker)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else a worker says here is out of turn")]
    async fn load(&mut self, deadline: Instant, limit: Duration) -> Result<(), WorkerError> {
        loop {
            match self.message(deadline, limit, "load the suite").await? {
                FromWorker::Hello { protocol, .. } if protocol != VERSION => {
                    return Err(WorkerError::Protocol(format!("protocol {protocol} instead of {VERSION}")));
                }
                FromWorker::Hello { .. } => {}
                FromWorker::Loaded { .. } => return Ok(()),
                other => return Err(unexpected(other)),
            }
        }
    }

    /// Names all tests.
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else a worker says here is out of turn")]
    pub(super) async fn list(&mut self, limit: Duration) -> Result<Vec<ListedTest>, WorkerError> {
        self.say(&ToWorker::List).await?;
        let deadline = Instant::now() + limit;
        let mut tests = Vec::new();
        loop {
            match self.message(deadline, limit, "list the tests").await? {
                FromWorker::Test { selector, file, line, name, tags, group, project } => {
                    tests.push(ListedTest { selector, file, line: line.unwrap_or(0), name, tags, group, project });
                }
                FromWorker::Listed { count } if count == tests.len() => return Ok(tests),
                FromWorker::Listed { count } => {
                    return Err(WorkerError::Protocol(format!("{} of {count} tests were listed", tests.len())));
                }
                other => return Err(unexpected(other)),
            }
        }
    }

    /// Asks for a unit. What comes of it is heard from [`next`](Self::next), up to its
    /// [`UnitEnded`](FromWorker::UnitEnded).
    pub(super) async fn run(
        &mut self,
        unit: String,
        lane: LaneIndex,
        tests: Vec<AskedTest>,
    ) -> Result<(), WorkerError> {
        self.say(&ToWorker::Run { unit, lane: lane.to_string(), tests }).await
    }

    /// The next thing heard. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Heard, WorkerError> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            match self.exec.output.next().await {
                Some(Ok(Output::Stdout(chunk))) => self.take_lines(&chunk)?,
                Some(Ok(Output::Stderr(chunk))) => {
                    let text = String::from_utf8_lossy(&chunk).into_owned();
                    self.remember(&text);
                    return Ok(Heard::Output(text));
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(Heard::End),
            }
        }
    }

    fn take_lines(&mut self, chunk: &[u8]) -> Result<(), WorkerError> {
        self.partial.extend_from_slice(chunk);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            match self.lines.take(&line[..end]) {
                Line::Message(message) => {
                    let message = serde_json::from_slice(message);
                    let message = message.map_err(|error| WorkerError::Protocol(error.to_string()))?;
                    self.heard.push_back(Heard::Message(message));
                }
                Line::Foreign => {
                    let text = String::from_utf8_lossy(&line).trim().chars().take(200).collect::<String>();
                    self.remember(&text);
                    self.heard.push_back(Heard::Output(format!("{text}\n")));
                }
                Line::Garbled => return Err(WorkerError::Lost("garbled what it said")),
            }
        }
        if self.partial.len() > LONGEST_LINE {
            return Err(WorkerError::Protocol(format!("a line of more than {LONGEST_LINE} bytes")));
        }
        Ok(())
    }

    fn remember(&mut self, text: &str) {
        keep_last(&mut self.last_words, text, LAST_WORDS);
    }

    /// The next message, before any test runs.
    async fn message(
        &mut self,
        deadline: Instant,
        limit: Duration,
        what: &'static str,
    ) -> Result<FromWorker, WorkerError> {
        loop {
            match tokio::time::timeout_at(deadline, self.next()).await {
                Ok(Ok(Heard::Message(message))) => return Ok(message),
                Ok(Ok(Heard::Output(_) | Heard::Together(_))) => {}
                Ok(Ok(Heard::End)) => return Err(self.end().await),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(WorkerError::Silent { what, limit, said: self.last_words.clone() }),
            }
        }
    }

    /// What the worker's end means: call it after [`Heard::End`].
    pub(super) async fn end(&mut self) -> WorkerError {
        let code = match tokio::time::timeout(CODE_WITHIN, engine::exit_code(&*self.engine, &self.exec.id)).await {
            Ok(Ok(protocol::CUT_OFF)) => return WorkerError::Lost("was cut"),
            Ok(Ok(code)) => Some(code),
            Ok(Err(error)) => return error.into(),
            // It runs, and yet we hear nothing of it any more.
            Err(_) => return WorkerError::Lost("was cut"),
        };
        let partial = String::from_utf8_lossy(&self.partial).into_owned();
        let said = format!("{}{partial}", self.last_words);
        match code {
            // The engine's codes for a program that is there but can't be run, and for one that is not there.
            // With the former it also answers for one whose connection was cut, whatever that does now.
            Some(126 | 127) if self.lines.count() > 0 || said.trim().is_empty() => WorkerError::Lost("was cut"),
            Some(code @ (126 | 127)) => WorkerError::CannotStart { command: self.shim.start.join(" "), code, said },
            code => WorkerError::Ended { code, said },
        }
    }

    async fn say(&mut self, message: &ToWorker) -> Result<(), WorkerError> {
        let mut line = serde_json::to_vec(message).map_err(|error| WorkerError::Protocol(error.to_string()))?;
        line.push(b'\n');
        let write = async {
            self.exec.input.write_all(&line).await?;
            self.exec.input.flush().await
        };
        match tokio::time::timeout(WRITE_WITHIN, write).await {
            Ok(Ok(())) => {
                self.said += 1;
                Ok(())
            }
            Ok(Err(_)) => Err(self.end().await),
            Err(_) => Err(WorkerError::Lost("takes nothing any more")),
        }
    }

    /// Whether something that was said on either side has not arrived on the other, as the worker tells by another
    /// way: asked when it seems to hang, for then its connection may be at fault.
    pub(super) async fn is_out_of_touch(&mut self) -> Result<bool, WorkerError> {
        let command =
            self.shim.tell.iter().map(|word| (*word).to_owned()).chain([self.token.clone()]).collect::<Vec<_>>();
        let asking = async {
            let exec = ExecSpec { command, ..ExecSpec::default() };
            let mut exec = self.engine.exec(&self.container, &exec).await?;
            let mut told = Vec::new();
            while let Some(Ok(output)) = exec.output.next().await {
                if let Output::Stdout(chunk) = output {
                    told.extend_from_slice(&chunk);
                }
            }
            Ok::<_, EngineError>(told)
        };
        match tokio::time::timeout(TELL_WITHIN, asking).await {
            Ok(Ok(told)) => Ok(is_more(&told, self.lines.count(), self.said)),
            Ok(Err(error)) => Err(WorkerError::Engine(error)),
            // A container that has no time left even for this is not the connection's fault.
            Err(_) => Ok(false),
        }
    }

    /// Ends when the worker has ended, or says something though it was not asked. Meanwhile its output is dropped.
    pub(super) async fn ended(&mut self) {
        while matches!(self.next().await, Ok(Heard::Output(_))) {}
    }

    /// Lets the worker clean up after the suite and end; not for long.
    pub(super) async fn quit(mut self) {
        if self.say(&ToWorker::Quit).await.is_ok() {
            let until_end = async { while !matches!(self.next().await, Ok(Heard::End) | Err(_)) {} };
            let _ = tokio::time::timeout(QUIT_WITHIN, until_end).await;
        }
    }

    /// Kills the worker and everything it has started, the browser included.
    pub(super) async fn kill(self) -> Result<(), WorkerError> {
        kill(&*self.engine, &self.container, &self.shim, &self.token).await
    }
}

/// Kills the worker with this token and everything it has started, whether or not it came to serve.
pub(super) async fn kill(engine: &dyn Engine, container: &str, shim: &Shim, token: &str) -> Result<(), WorkerError> {
    let command = shim.kill.iter().map(|word| (*word).to_owned()).chain([token.to_owned()]).collect();
    let killing = async {
        let exec = ExecSpec { command, ..ExecSpec::default() };
        let mut exec = engine.exec(container, &exec).await?;
        while let Some(Ok(_)) = exec.output.next().await {}
        Ok(())
    };
    match tokio::time::timeout(KILL_WITHIN, killing).await {
        Ok(result) => result,
        Err(_) => Err(WorkerError::Silent { what: "die", limit: KILL_WITHIN, said: String::new() }),
    }
}

/// Whether a worker that has `told` how much it said and heard, said more than was heard, or heard less than was said.
/// A worker that can keep no account says nothing.
fn is_more(told: &[u8], heard: u64, said: u64) -> bool {
    let told = String::from_utf8_lossy(told);
    let mut numbers = told.split_whitespace().map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(its_said)), Some(Ok(its_heard))) => its_said > heard || its_heard < said,
        _ => false,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else a worker says here is out of turn")]
fn unexpected(message: FromWorker) -> WorkerError {
    match message {
        FromWorker::LoadError { message, file, line } => {
            let place = file.map(|file| line.map_or(file.clone(), |line| format!("{file}:{line}")));
            WorkerError::Suite { message, place }
        }
        other => WorkerError::Protocol(format!("{other:?}").chars().take(200).collect()),
    }
}
