//! Any program as a framework: one command names the tests, and one runs a test, which is executed in the runner
//! service for each, or for several at once. Results are read from the JUnit XML that it writes, or from its exit code.
//!
//! Nothing stays warm, so that there is no worker process: a [`CommandWorker`] is this program's own task for the unit
//! that runs. `find` is about listing, `fill` about templates, `judge` about what an ending means.

mod apart;
mod fill;
mod find;
mod judge;
mod names;
mod unit;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::junit::{self, Results};
use super::protocol::AskedTest;
use super::{Heard, ListedTest, WorkerError, keep_last};
use crate::engine::{self, Engine, EngineError, ExecSpec, Output, RefusalKind};
use crate::id::LaneIndex;
use crate::manifest::{CommandItems, CommandSuite};
use fill::{Filling, words};
use unit::{Ear, UnitRun};

/// Kills what a command has started; see there.
const KILL: &str = include_str!("kill.sh");
/// How long killing may take.
const KILL_WITHIN: Duration = Duration::from_secs(15);
/// Under this folder of the runner service, each command gets one of its own for its results.
const RESULTS: &str = "/tmp/shakedown-results";
/// In a command's folder, this file was made when it began.
const BEGUN: &str = "begun";
/// Moves files to where they are told apart by numbers.
const MOVE: &str = "n=0; for file; do n=$((n + 1)); mv -- \"$file\" \"$0-$n.xml\" || exit; done";
/// How many files one command moves.
const MOVED_AT_ONCE: usize = 200;
/// No results of one command are larger, in bytes.
const MOST_RESULTS: usize = 64 << 20;
/// How long reading results may take.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// How much of a command's output is kept for messages.
const LAST_WORDS: usize = 2048;
/// No listing is larger, in bytes.
const MOST_LISTED: usize = 64 << 20;
/// How long the engine is asked for the exit code of a command whose output has ended.
const CODE_WITHIN: Duration = Duration::from_secs(30);
/// What a command leaves running may hold its output open: this often it is asked whether the command has ended.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The exit code of a program that was killed.
const KILLED: i64 = 137;
/// How many messages may wait to be heard.
const UNHEARD: usize = 64;

/// A unit that runs, or none.
pub(super) struct CommandWorker {
    site: Arc<Place>,
    token: String,
    /// How many units it was given.
    units: u32,
    heard: Option<mpsc::Receiver<Result<Heard, WorkerError>>>,
    /// Runs the unit; goes with this worker.
    running: JoinSet<()>,
    /// Ends the command that runs several tests.
    time_is_up: Arc<Notify>,
}

/// Where commands are executed, and which.
struct Place {
    engine: Arc<dyn Engine>,
    container: String,
    suite: CommandSuite,
    environment: Vec<(String, String)>,
    /// By which its processes are found.
    token: String,
    /// Whether it was said that the framework tries tests again by itself.
    reruns_told: AtomicBool,
}

/// A command that has ended.
struct Done {
    code: i64,
    stdout: Vec<u8>,
    said: String,
}

impl CommandWorker {
    /// Nothing is started: what the runner service lacks is said by the first command.
    pub(super) fn new(
        engine: Arc<dyn Engine>,
        container: &str,
        suite: CommandSuite,
        mut environment: Vec<(String, String)>,
        token: &str,
    ) -> Self {
        // A token that begins like another must not be taken for it.
        let token = format!("{token};");
        environment.push(("SHAKEDOWN_WORKER".to_owned(), token.clone()));
        let site = Arc::new(Place {
            engine,
            container: container.to_owned(),
            suite,
            environment,
            token: token.clone(),
            reruns_told: AtomicBool::new(false),
        });
        Self { site, token, units: 0, heard: None, running: JoinSet::new(), time_is_up: Arc::default() }
    }

    pub(super) async fn list(&mut self, limit: Duration) -> Result<Vec<ListedTest>, WorkerError> {
        let (command, what) = match &self.site.suite.items {
            CommandItems::Files(patterns) => (find::walk(patterns), "looking for test files".to_owned()),
            CommandItems::List { command, .. } => {
                let command = words(command, Filling { tests: &[], files: &[], junit: "" });
                let what = format!("the list command `{}`", command.last().map(String::as_str).unwrap_or_default());
                (command, what)
            }
        };
        let spec = ExecSpec { command, environment: self.site.environment.clone(), with_input: false };
        let done = match timeout(limit, self.site.execute(&spec, None, MOST_LISTED)).await {
            Ok(done) => done?,
            Err(_) => return Err(WorkerError::Silent { what: "list the tests", limit, said: String::new() }),
        };
        if done.code != 0 {
            let last = if done.said.trim().is_empty() { String::new() } else { format!(":\n{}", done.said.trim()) };
            let message = format!("{what} ended with exit code {}{last}", done.code);
            return Err(WorkerError::Suite { message, place: None });
        }
        let listed = String::from_utf8_lossy(&done.stdout);
        Ok(match &self.site.suite.items {
            CommandItems::Files(patterns) => find::chosen(patterns, &listed),
            CommandItems::List { .. } => find::lines(&listed),
        })
    }

    pub(super) fn run(&mut self, unit: String, lane: LaneIndex, tests: Vec<AskedTest>) {
        self.units += 1;
        let (sender, heard) = mpsc::channel(UNHEARD);
        self.heard = Some(heard);
        let folder = format!("{RESULTS}/{}-{}", self.token.trim_end_matches(';').replace('/', "-"), self.units);
        self.time_is_up = Arc::default();
        let run = UnitRun {
            place: self.site.clone(),
            folder,
            lane: ("SHAKEDOWN_LANE".to_owned(), lane.to_string()),
            ear: sender,
            time_is_up: self.time_is_up.clone(),
        };
        self.running.spawn(async move {
            if let Err(error) = run.run(unit, tests).await {
                let _ = run.ear.send(Err(error)).await;
            }
        });
    }

    /// See [`Worker::part`](super::Worker::part).
    pub(super) fn part(&mut self) -> bool {
        self.time_is_up.notify_one();
        true
    }

    pub(super) async fn next(&mut self) -> Result<Heard, WorkerError> {
        match &mut self.heard {
            Some(heard) => heard.recv().await.unwrap_or(Ok(Heard::End)),
            None => Ok(Heard::End),
        }
    }

    /// Only a failure of this program ends the task before its unit.
    #[expect(clippy::unused_self, reason = "as with a worker that is a process")]
    pub(super) fn end(&mut self) -> WorkerError {
        WorkerError::Protocol("a unit ended without a word; this is a bug, please report it".to_owned())
    }

    pub(super) async fn kill(mut self) -> Result<(), WorkerError> {
        self.running.shutdown().await;
        self.site.kill().await
    }
}

impl Place {
    /// Kills whatever its commands have started.
    async fn kill(&self) -> Result<(), WorkerError> {
        let command = ["sh", "-c", KILL, "--kill", &self.token].map(str::to_owned).into();
        let spec = ExecSpec { command, ..ExecSpec::default() };
        match timeout(KILL_WITHIN, self.execute(&spec, None, 0)).await {
            Ok(Ok(done)) if done.code == 0 => Ok(()),
            Ok(Ok(done)) => Err(WorkerError::Ended { code: Some(done.code), said: done.said }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(WorkerError::Silent { what: "die", limit: KILL_WITHIN, said: String::new() }),
        }
    }

    /// The results of a command, where it writes any.
    async fn results_of(&self, folder: &str) -> Result<Option<Result<Results, String>>, EngineError> {
        if !self.suite.writes_results() {
            return Ok(None);
        }
        if !self.suite.reports.is_empty()
            && let Err(why) = self.collect(folder).await?
        {
            return Ok(Some(Err(why)));
        }
        self.results(folder).await.map(Some)
    }

    /// Moves the results that a command wrote to places of its own into its folder here. There they are out of the way
    /// of the next command; what was there before this one began stays.
    async fn collect(&self, folder: &str) -> Result<Result<(), String>, EngineError> {
        let patterns = &self.suite.reports;
        let begun = ("NOT_BEFORE".to_owned(), format!("{folder}/{BEGUN}"));
        let walk = ExecSpec { command: find::walk(patterns), environment: vec![begun], with_input: false };
        let Ok(walked) = timeout(READ_WITHIN, self.execute(&walk, None, MOST_LISTED)).await else {
            return Ok(Err(not_in_time()));
        };
        let walked = String::from_utf8_lossy(&walked?.stdout).into_owned();
        let reports: Vec<&str> = find::matching(patterns, &walked).into_iter().collect();
        for (nth, reports) in reports.chunks(MOVED_AT_ONCE).enumerate() {
            let into = format!("{folder}/{nth}");
            let command = ["sh", "-c", MOVE, &into].into_iter().chain(reports.iter().copied()).map(str::to_owned);
            let spec = ExecSpec { command: command.collect(), ..ExecSpec::default() };
            let Ok(moved) = timeout(READ_WITHIN, self.execute(&spec, None, 0)).await else {
                return Ok(Err(not_in_time()));
            };
            let Done { code, said, .. } = moved?;
            if code != 0 {
                return Ok(Err(format!("its results could not be collected: {}", said.trim())));
            }
        }
        Ok(if reports.is_empty() { Err(format!("it wrote no results to {}", patterns.join(", "))) } else { Ok(()) })
    }

    /// Reads the results that were written, in one file or many; `Err` says in words why there are none.
    async fn results(&self, folder: &str) -> Result<Result<Results, String>, EngineError> {
        let reading = engine::read_files(&*self.engine, &self.container, folder, MOST_RESULTS);
        let files = match timeout(READ_WITHIN, reading).await {
            Ok(Ok(files)) => files,
            Ok(Err(error)) if error.kind() == RefusalKind::NotFound => Vec::new(),
            Ok(Err(error)) if error.kind() == RefusalKind::Other => return Ok(Err(error.to_string())),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(Err(not_in_time())),
        };
        if files.is_empty() {
            return self.results_by_command(folder).await;
        }
        let mut all = Results::default();
        let mut read = 0;
        for file in files.iter().filter(|file| file.path.ends_with(".xml")) {
            let mut results = junit::read(&file.content);
            all.cases.append(&mut results.cases);
            all.flaw = all.flaw.or(results.flaw);
            all.reruns |= results.reruns;
            read += 1;
        }
        Ok(if read == 0 { Err(no_results(folder)) } else { Ok(all) })
    }

    /// Reads the results by a command: the engine sees nothing that lies in a file system in memory, as `/tmp` may be.
    async fn results_by_command(&self, folder: &str) -> Result<Result<Results, String>, EngineError> {
        let script = "cat \"$0\"/*.xml \"$0\"/*/*.xml 2> /dev/null";
        let command = ["sh", "-c", script, folder].map(str::to_owned).into();
        let spec = ExecSpec { command, ..ExecSpec::default() };
        match timeout(READ_WITHIN, self.execute(&spec, None, MOST_RESULTS)).await {
            Ok(Ok(done)) if done.stdout.is_empty() => Ok(Err(no_results(folder))),
            Ok(Ok(done)) => Ok(Ok(junit::read(&done.stdout))),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(Err(not_in_time())),
        }
    }

    /// Executes a command to its end. What it writes is told to `ear`, and kept of its standard output up to `most`
    /// bytes.
    async fn execute(&self, spec: &ExecSpec, ear: Option<&Ear>, most: usize) -> Result<Done, EngineError> {
        let mut exec = self.engine.exec(&self.container, spec).await?;
        let mut done = Done { code: 0, stdout: Vec::new(), said: String::new() };
        let mut looks = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            let chunk = tokio::select! {
                biased;
                chunk = exec.output.next() => chunk,
                _ = looks.tick() => match self.engine.exec_exit_code(&exec.id).await? {
                    Some(_) => None,
                    None => continue,
                },
            };
            let chunk = match chunk {
                None => break,
                Some(Err(error)) => return Err(error),
                Some(Ok(Output::Stdout(chunk))) => {
                    let room = most.saturating_sub(done.stdout.len()).min(chunk.len());
                    done.stdout.extend_from_slice(&chunk[..room]);
                    chunk
                }
                Some(Ok(Output::Stderr(chunk))) => chunk,
            };
            let text = String::from_utf8_lossy(&chunk).into_owned();
            keep_last(&mut done.said, &text, LAST_WORDS);
            if let Some(ear) = ear {
                let _ = ear.send(Ok(Heard::Output(text))).await;
            }
        }
        let code = timeout(CODE_WITHIN, engine::exit_code(&*self.engine, &exec.id)).await;
        done.code = code.unwrap_or_else(|_| {
            Err(EngineError::Exec {
                container: self.container.clone(),
                command: spec.command.join(" "),
                refusal: engine::Refusal {
                    kind: RefusalKind::TimedOut,
                    message: format!("its exit code was not known within {} s", CODE_WITHIN.as_secs()),
                },
            })
        })?;
        Ok(done)
    }
}

fn no_results(folder: &str) -> String {
    format!("it wrote no results to {folder}")
}

fn not_in_time() -> String {
    format!("its results could not be read within {} s", READ_WITHIN.as_secs())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use super::{KILL, find};

    /// The processes that look like this.
    fn sleeping(seconds: &str) -> usize {
        let folders = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        let lines = folders.filter_map(|folder| std::fs::read(folder.path().join("cmdline")).ok());
        lines.filter(|line| *line == format!("sleep\0{seconds}\0").into_bytes()).count()
    }

    #[test]
    fn whatever_a_command_has_started_is_killed_and_nothing_else() {
        let token = format!("test/{}/1;", std::process::id());
        let start = |token: &str, seconds: u32| {
            let script = format!(
                "trap '' TERM; sleep {seconds} & setsid sleep {seconds} & env -i sleep {seconds} & \
                 (sleep {seconds} &) & wait"
            );
            let environment = [("SHAKEDOWN_WORKER", token), ("BEFORE", "a\nb"), ("ZZ", "1")];
            Command::new("sh").args(["-c", &script]).envs(environment).stdout(Stdio::null()).spawn().expect("sh")
        };
        let seconds = 100_000 + std::process::id();
        let mut ours = start(&token, seconds);
        let mut others = start(&token.replace("/1;", "/12;"), seconds + 1);
        let deadline = Instant::now() + Duration::from_secs(20);
        while sleeping(&seconds.to_string()) < 4 || sleeping(&(seconds + 1).to_string()) < 4 {
            assert!(Instant::now() < deadline, "they did not start");
            std::thread::yield_now();
        }
        let kill = |token: &str| Command::new("sh").args(["-c", KILL, "--kill", token]).status().expect("sh").success();
        assert!(kill(&token));
        assert_eq!(sleeping(&seconds.to_string()), 0);
        assert_eq!(sleeping(&(seconds + 1).to_string()), 4, "another's");
        assert!(kill(&token.replace("/1;", "/12;")));
        assert_eq!(sleeping(&(seconds + 1).to_string()), 0);
        ours.wait().expect("it was started");
        others.wait().expect("it was started");
    }

    #[test]
    fn files_of_earlier_times_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |file: &str, seconds: u64| {
            let file = std::fs::File::create(folder.path().join(file)).expect("made");
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
        };
        write("begun", 2_000);
        write("old.xml", 1_999);
        write("same.xml", 2_000);
        write("new.xml", 2_001);
        let patterns = ["*.xml".to_owned()];
        let words = find::walk(&patterns);
        let mut command = Command::new(&words[0]);
        let output = command.args(&words[1..]).current_dir(folder.path()).env("NOT_BEFORE", "begun").output();
        let walked = String::from_utf8_lossy(&output.expect("sh").stdout).into_owned();
        assert_eq!(find::matching(&patterns, &walked).into_iter().collect::<Vec<_>>(), ["new.xml", "same.xml"]);
    }

    #[test]
    fn files_are_found_in_any_depth_by_a_shell() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["a/b c/d.sh", "a/x\ny.sh", "a/.hidden.sh", "a/node_modules/n.sh", "z.sh", "a/t.txt"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        std::os::unix::fs::symlink(".", folder.path().join("a/round")).expect("linked");
        let patterns = ["a/**/*.sh".to_owned(), "z.sh".to_owned()];
        let words = find::walk(&patterns);
        let output = Command::new(&words[0]).args(&words[1..]).current_dir(folder.path()).output().expect("sh");
        let found = find::chosen(&patterns, &String::from_utf8_lossy(&output.stdout));
        let found: Vec<&str> = found.iter().map(|test| test.selector.as_str()).collect();
        assert_eq!(found, ["a/.hidden.sh", "a/b c/d.sh", "a/x\ny.sh", "z.sh"]);
    }
}
