//! Following the logs of an environment's services, from the first byte to the last.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::engine::{Engine, Output};
use crate::secrets::Secrets;

/// How many of a log's last lines are kept at hand for messages.
const TAIL_LINES: usize = 50;
/// A service's log file grows no further.
const MOST_BYTES: u64 = 64 << 20;
/// How long the end of a log is waited for after its container ended.
const END_WITHIN: Duration = Duration::from_millis(1500);

/// The logs of one environment.
#[derive(Debug)]
pub(super) struct Logs {
    folder: PathBuf,
    secrets: Secrets,
    services: Mutex<BTreeMap<String, Following>>,
}

type Tail = Arc<Mutex<VecDeque<String>>>;

#[derive(Debug)]
struct Following {
    tail: Tail,
    ended: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Logs {
    /// Logs go to `folder/SERVICE.log`.
    pub(super) fn new(folder: &Path, secrets: Secrets) -> Self {
        Self { folder: folder.to_owned(), secrets, services: Mutex::default() }
    }

    /// Gives the folder another name; the files in it are written on. Where that can't be done it keeps its name.
    pub(super) fn rename(&mut self, name: &str) {
        let renamed = self.folder.with_file_name(name);
        if std::fs::rename(&self.folder, &renamed).is_ok() {
            self.folder = renamed;
        }
    }

    /// Follows a container that was just started.
    pub(super) fn follow(&self, engine: &dyn Engine, service: &str, container: &str) {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (ending, ended) = watch::channel(false);
        let lines = Lines { tail: tail.clone(), secrets: self.secrets.clone(), rest: Vec::new() };
        let stream = engine.follow_logs(container);
        let path = self.folder.join(format!("{service}.log"));
        let task = tokio::spawn(async move {
            // A log that can't be written costs evidence, not the run: the tail still works.
            let mut file = open(&path).await.ok();
            keep(stream, lines, &mut file).await;
            if let Some(file) = &mut file {
                let _ = file.flush().await;
            }
            let _ = ending.send(true);
        });
        self.lock().insert(service.to_owned(), Following { tail, ended, task });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Following>> {
        self.services.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The last lines of a service that ended; waits for a moment until its log is complete.
    pub(super) async fn tail_at_end(&self, service: &str) -> Vec<String> {
        let ended = self.lock().get(service).map(|following| following.ended.clone());
        if let Some(mut ended) = ended {
            let _ = tokio::time::timeout(END_WITHIN, ended.wait_for(|ended| *ended)).await;
        }
        self.tail(service)
    }

    /// The last lines of a service so far.
    pub(super) fn tail(&self, service: &str) -> Vec<String> {
        let Some(tail) = self.lock().get(service).map(|following| following.tail.clone()) else { return Vec::new() };
        let tail = tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tail.iter().cloned().collect()
    }

    /// Waits, for a moment, until all logs are complete on disk: call it when the containers are gone.
    pub(super) async fn finish(&self) {
        let endings: Vec<_> = self.lock().values().map(|following| following.ended.clone()).collect();
        let all = endings.into_iter().map(|mut ended| async move {
            let _ = ended.wait_for(|ended| *ended).await;
        });
        let _ = tokio::time::timeout(END_WITHIN, futures::future::join_all(all)).await;
    }
}

async fn open(path: &Path) -> std::io::Result<tokio::fs::File> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    tokio::fs::File::create(path).await
}

async fn keep(
    mut stream: futures::stream::BoxStream<'static, Result<Output, crate::engine::EngineError>>,
    mut lines: Lines,
    file: &mut Option<tokio::fs::File>,
) {
    let mut written = 0_u64;
    while let Some(Ok(Output::Stdout(chunk) | Output::Stderr(chunk))) = stream.next().await {
        for line in lines.take(&chunk) {
            let Some(open) = file else { continue };
            written += line.len() as u64;
            if written > MOST_BYTES {
                let _ = open.write_all(b"[the rest of this log was left out]\n").await;
                let _ = open.flush().await;
                *file = None;
            } else if open.write_all(line.as_bytes()).await.is_err() {
                *file = None;
            }
        }
    }
}

/// Makes masked lines of chunks, and keeps the last ones.
struct Lines {
    tail: Tail,
    secrets: Secrets,
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, chunk: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(chunk);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = self.secrets.mask(&String::from_utf8_lossy(&line));
            // The engine puts a time before each line; in messages it only takes room.
            let text = line.split_once(' ').map_or(line.as_str(), |(_, text)| text).trim_end().to_owned();
            let mut tail = self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(text);
            lines.push(line);
        }
        lines
    }
}
