//! Following the logs of an environment's services, from the first byte to the last.

mod file;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::{ContainerState, Engine, EngineError, Output};
use crate::secrets::Secrets;
use file::{LogFile, time_of};

/// How many of a log's last lines are kept at hand for messages.
const TAIL_LINES: usize = 50;
/// How long the end of a log is waited for after its container ended.
const END_WITHIN: Duration = Duration::from_millis(1500);
/// How long it is tried to go on with a log whose stream broke, and how often.
const AGAIN: (Duration, u32) = (Duration::from_millis(250), 120);

/// The logs of one environment.
#[derive(Debug)]
pub(super) struct Logs {
    folder: PathBuf,
    secrets: Secrets,
    /// The most bytes that are kept of each service's log.
    cap: u64,
    services: Mutex<BTreeMap<String, Following>>,
    slices: LogSlices,
}

/// Cuts the lines of a stretch of time out of an environment's logs, also when the environment is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct LogSlices {
    files: Arc<Mutex<BTreeMap<String, Arc<LogFile>>>>,
    complete: CancellationToken,
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

impl Drop for Logs {
    fn drop(&mut self) {
        self.slices.complete.cancel();
    }
}

impl LogSlices {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<LogFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing more comes.
    pub(super) async fn complete(&self) {
        self.complete.cancelled().await;
    }

    /// Each service's lines from one time to another, by the engine's clock. Reads files: not for where nothing may
    /// wait.
    ///
    /// # Errors
    /// When a log can't be read.
    pub(super) fn cut(&self, from: Timestamp, to: Timestamp) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
        let files = self.files().clone();
        files.into_iter().map(|(service, file)| Ok((service, file.slice(from, to)?))).collect()
    }
}

impl Logs {
    /// Logs go to `folder/SERVICE.log`, of at most `cap` bytes each.
    pub(super) fn new(folder: &Path, secrets: Secrets, cap: u64) -> Self {
        let slices = LogSlices::default();
        Self { folder: folder.to_owned(), secrets, cap, services: Mutex::default(), slices }
    }

    /// Gives the folder another name; the files in it are written on. Where that can't be done it keeps its name.
    pub(super) fn rename(&mut self, name: &str) {
        let renamed = self.folder.with_file_name(name);
        if std::fs::rename(&self.folder, &renamed).is_ok() {
            self.folder = renamed;
        }
    }

    /// Follows a container that was just started.
    pub(super) fn follow(&self, engine: &Arc<dyn Engine>, service: &str, container: &str) {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (ending, ended) = watch::channel(false);
        // A log that can't be written costs evidence, not the run: the tail still works.
        let file = LogFile::create(&self.folder.join(format!("{service}.log")), self.cap).ok().map(Arc::new);
        if let Some(file) = &file {
            self.slices.files().insert(service.to_owned(), file.clone());
        }
        let mut lines = Lines::new(tail.clone(), self.secrets.clone(), file);
        let (engine, container) = (engine.clone(), container.to_owned());
        // From here on, so that the first look at the container is not missed by who counts what is asked.
        let stream = engine.follow_logs(&container, None);
        let task = tokio::spawn(async move {
            let mut broken = keep(stream, &mut lines).await;
            while broken {
                let Some(stream) = again(&*engine, &container, &mut lines).await else { break };
                broken = keep(stream, &mut lines).await;
            }
            let _ = ending.send(true);
        });
        self.lock().insert(service.to_owned(), Following { tail, ended, task });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Following>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
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
        let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.iter().cloned().collect()
    }

    /// What cuts lines out of them.
    pub(super) fn slices(&self) -> LogSlices {
        self.slices.clone()
    }

    /// Waits, for a moment, until all logs are complete on disk: call it when the containers are gone.
    pub(super) async fn finish(&self) {
        let endings: Vec<_> = self.lock().values().map(|following| following.ended.clone()).collect();
        let all = endings.into_iter().map(|mut ended| async move {
            let _ = ended.wait_for(|ended| *ended).await;
        });
        let _ = tokio::time::timeout(END_WITHIN, futures::future::join_all(all)).await;
        for following in std::mem::take(&mut *self.lock()).into_values() {
            drop(following);
        }
        for file in self.slices.files().values() {
            // As above: what can't be written costs evidence.
            let _ = file.complete();
        }
        self.slices.complete.cancel();
    }
}

/// Keeps what comes; says whether the stream broke before its end.
async fn keep(mut stream: BoxStream<'static, Result<Output, EngineError>>, lines: &mut Lines) -> bool {
    loop {
        match stream.next().await {
            Some(Ok(Output::Stdout(chunk) | Output::Stderr(chunk))) => lines.take(&chunk),
            Some(Err(_)) => return true,
            None => return false,
        }
    }
}

/// Goes on with a log whose stream broke, once the engine answers again; `None` where the container is gone, or the
/// engine stays away.
async fn again(
    engine: &dyn Engine,
    container: &str,
    lines: &mut Lines,
) -> Option<BoxStream<'static, Result<Output, EngineError>>> {
    for _ in 0..AGAIN.1 {
        tokio::time::sleep(AGAIN.0).await;
        match engine.inspect_container(container).await {
            Ok(ContainerState::Gone | ContainerState::Created) => return None,
            Ok(ContainerState::Running { .. } | ContainerState::Exited { .. }) => {
                return Some(engine.follow_logs(container, lines.go_on()));
            }
            Err(_) => {}
        }
    }
    None
}

/// Makes masked lines of chunks, and keeps the last ones.
struct Lines {
    tail: Tail,
    secrets: Secrets,
    file: Option<Arc<LogFile>>,
    rest: Vec<u8>,
    /// The engine's time of the last line, and how many lines in a row had it.
    last: Option<(Timestamp, u32)>,
    /// Lines up to this time were had before, and so many of that time itself.
    had: Option<(Timestamp, u32)>,
}

impl Lines {
    fn new(tail: Tail, secrets: Secrets, file: Option<Arc<LogFile>>) -> Self {
        Self { tail, secrets, file, rest: Vec::new(), last: None, had: None }
    }

    /// The stream is opened again: returns from when on. What comes twice is left out.
    fn go_on(&mut self) -> Option<Timestamp> {
        self.rest.clear();
        self.had = self.last;
        self.last.map(|(at, _)| at)
    }

    fn take(&mut self, chunk: &[u8]) {
        self.rest.extend_from_slice(chunk);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(at) = time_of(&line)
                && self.was_had(at)
            {
                continue;
            }
            let line = self.secrets.mask(&line);
            // The engine puts a time before each line; in messages it only takes room.
            let text = line.split_once(' ').map_or(line.as_str(), |(_, text)| text).trim_end().to_owned();
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == TAIL_LINES {
                tail.pop_front();
            }
            tail.push_back(text);
            drop(tail);
            if self.file.as_ref().is_some_and(|file| file.add(&line).is_err()) {
                self.file = None;
            }
        }
    }

    fn was_had(&mut self, at: Timestamp) -> bool {
        match &mut self.had {
            Some((last, _)) if at < *last => return true,
            Some((last, left)) if at == *last && *left > 0 => {
                *left -= 1;
                return true;
            }
            Some(_) | None => self.had = None,
        }
        self.last = match self.last {
            Some((last, lines)) if last == at => Some((at, lines + 1)),
            Some(_) | None => Some((at, 1)),
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(nanos: i64, text: &str) -> String {
        let at = Timestamp::from_nanosecond(i128::from(1_795_000_000_000_000_000 + nanos)).unwrap();
        format!("{at:.9} {text}\n")
    }

    #[test]
    fn a_log_that_is_opened_again_loses_and_doubles_nothing() {
        let mut lines = Lines::new(Tail::default(), Secrets::default(), None);
        let all: Vec<String> =
            [(1, "a"), (2, "b"), (2, "c"), (2, "d"), (3, "e")].map(|(nanos, text)| line(nanos, text)).into();
        let whole = all.concat();
        // Cut in the middle of the fourth line.
        let cut = all[..3].concat().len() + 5;
        lines.take(&whole.as_bytes()[..cut]);
        let since = lines.go_on().unwrap();
        assert_eq!(since.as_nanosecond() % 1_000_000_000, 2);
        // The engine gives whole seconds only, and so everything again.
        lines.take(whole.as_bytes());
        assert_eq!(lines.tail.lock().unwrap().iter().cloned().collect::<String>(), "abcde");
        assert_eq!(lines.go_on(), time_of(&all[4]));
    }
}
