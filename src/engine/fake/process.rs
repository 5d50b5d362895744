//! Processes within containers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, DuplexStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Happened, Output};
use super::script::Answer;
use super::suite::FakeSuite;
use super::{FakeEngine, command, worker};

/// When the exit code of a process that has ended is known.
const NOTED_AFTER: Duration = Duration::from_millis(2);
/// The exit code of a process that was killed.
pub(super) const KILLED: i64 = 137;

/// How many lines a worker has said and heard.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) said: AtomicU64,
    pub(super) heard: AtomicU64,
    /// Whether a test has left the worker in a state in which every other one fails.
    pub(super) poisoned: std::sync::atomic::AtomicBool,
}

/// A process, as its container knows it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) container: String,
    /// The environment it was started with, by which a worker is found.
    pub(super) environment: Vec<(String, String)>,
    pub(super) exit_code: Option<i64>,
    pub(super) kill: CancellationToken,
    pub(super) account: Arc<Account>,
}

/// What a process does.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// Writes and ends.
    Answers(Answer),
    /// Writes what it reads.
    Copies,
    /// Runs tests.
    Works(Arc<FakeSuite>),
    /// Lists or runs tests, as its words say.
    Commands {
        /// The tests.
        suite: Arc<FakeSuite>,
        /// The words, from the first that is ours.
        words: Vec<String>,
        /// The attempt of which its environment tells.
        attempt: u64,
    },
    /// Tells what the worker whose environment holds this value has said and heard.
    Tells(String),
    /// Neither writes nor ends.
    Hangs,
    /// Kills every process whose environment holds this value.
    Kills(String),
}

/// A process' own end of its streams, and what it can reach.
pub(super) struct Inside {
    pub(super) engine: FakeEngine,
    pub(super) container: String,
    pub(super) input: BufReader<DuplexStream>,
    pub(super) output: mpsc::UnboundedSender<Output>,
    pub(super) account: Arc<Account>,
}

impl Inside {
    pub(super) fn write(&self, text: impl Into<Vec<u8>>) {
        let _ = self.output.send(Output::Stdout(Bytes::from(text.into())));
    }

    pub(super) fn write_error(&self, text: impl Into<Vec<u8>>) {
        let _ = self.output.send(Output::Stderr(Bytes::from(text.into())));
    }

    /// Whether a service runs in the same environment.
    pub(super) fn has_beside(&self, service: &str) -> bool {
        self.engine.world().runs_beside(&self.container, service)
    }

    pub(super) async fn read_line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.input.read_line(&mut line).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line),
        }
    }
}

/// Runs a process to its end. As with a real engine, its exit code is known a moment after its streams have closed.
pub(super) async fn run(id: String, program: Program, mut inside: Inside, kill: CancellationToken) {
    let code = tokio::select! {
        biased;
        () = kill.cancelled() => KILLED,
        code = execute(program, &mut inside) => code,
    };
    let engine = inside.engine.clone();
    drop(inside);
    tokio::time::sleep(NOTED_AFTER).await;
    engine.world().process_ended(&id, code);
}

async fn execute(program: Program, inside: &mut Inside) -> i64 {
    match program {
        Program::Answers(answer) => {
            tokio::time::sleep(answer.after).await;
            for (text, write) in
                [(answer.stdout, Inside::write as fn(&Inside, String)), (answer.stderr, Inside::write_error)]
            {
                if !text.is_empty() {
                    write(inside, text);
                }
            }
            if answer.out_of_memory {
                inside.engine.world().tell(&inside.container, Happened::OutOfMemory);
            }
            answer.code
        }
        Program::Hangs => std::future::pending().await,
        Program::Copies => {
            let mut text = Vec::new();
            let _ = inside.input.read_to_end(&mut text).await;
            inside.write(text);
            0
        }
        Program::Works(suite) => worker::work(&suite, inside).await,
        Program::Commands { suite, words, attempt } => command::execute(&suite, inside, &words, attempt).await,
        Program::Tells(token) => {
            if let Some(told) = inside.engine.world().account(&inside.container, &token) {
                inside.write(told);
            }
            0
        }
        Program::Kills(token) => {
            inside.engine.world().kill_processes(&inside.container, &token);
            0
        }
    }
}
