//! The guard's own process.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{DONE, PATIENCE, READY, sweep_until_quiet};
use crate::cli::GuardArgs;
use crate::engine::Engine;
use crate::engine::docker::DockerEngine;
use crate::engine::docker::connection::Connection;
use crate::id::RunId;
use crate::owner;
use crate::store::{self, Place, Store, StoreError};

/// How long a process that closed its files may take to be dead.
const DEAD_WITHIN: Duration = Duration::from_secs(10);
/// The pause between two looks whether it is.
const DEAD_LOOK: Duration = Duration::from_millis(20);
/// Signals that are let pass.
const LET_PASS: [fn() -> SignalKind; 4] =
    [SignalKind::interrupt, SignalKind::terminate, SignalKind::hangup, SignalKind::quit];

/// Leaves the run's session, so that what ends a terminal or a process group does not end the guard, and closes all
/// files but the standard ones: whatever the run was started with is not the guard's to hold open. Call it before
/// there is a runtime, which has files of its own.
pub fn step_aside() {
    // Fails only where the guard already leads a session.
    let _ = nix::unistd::setsid();
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for file in open.into_iter().filter(|file| *file > 2) {
        // The folder that was just read is among them, and closed already.
        let _ = nix::unistd::close(file);
    }
}

/// Guards a run until its end, and cleans up after it where it did not do so itself. Returns an exit code that nobody
/// but a test sees: 0, or 1 where something may be left.
pub async fn watch(args: GuardArgs) -> u8 {
    let mut streams = Vec::new();
    for kind in LET_PASS {
        // Once a signal has a stream it does not end the process, read or not.
        streams.push(signal(kind()));
    }
    // There is nothing to do meanwhile, so these may block.
    let mut stdout = std::io::stdout();
    if writeln!(stdout, "{READY}").and_then(|()| stdout.flush()).is_err() {
        // The run is dead already, and has made nothing: it waits for this line.
        return 0;
    }
    let mut said = Vec::new();
    // A pipe that fails is as good as one that ends.
    let _ = std::io::stdin().read_to_end(&mut said);
    if said.starts_with(DONE.as_bytes()) {
        return 0;
    }
    clean_up(&args).await
}

async fn clean_up(args: &GuardArgs) -> u8 {
    let log = Log { path: args.log.clone(), started: Instant::now() };
    log.say("the run's process ended before everything was removed");
    let run = RunId::from_stored(args.run.clone());
    let connection = match Connection::find(&args.engine.asked()) {
        Ok(connection) => connection,
        Err(why) => {
            log.say(&why);
            return 1;
        }
    };
    let connect =
        async || DockerEngine::connect_to(&connection).await.map(|engine| Arc::new(engine) as Arc<dyn Engine>);
    let mut marked = false;
    let swept = sweep_until_quiet(connect, &run, async |removed| {
        log.say(&match removed {
            0 => "nothing of the run is on the engine".to_owned(),
            1 => "removed 1 thing of the run".to_owned(),
            _ => format!("removed {removed} things of the run"),
        });
        if !std::mem::replace(&mut marked, true) {
            mark(args, &log).await;
        }
    });
    match swept.await {
        Ok(()) => 0,
        Err(error) => {
            let minutes = PATIENCE.as_secs() / 60;
            log.say(&format!(
                "gave up after {minutes} min: {error}\nwhat is left is removed by the next `shakedown run` on this host, \
                 or by `shakedown clean`"
            ));
            if !marked {
                mark(args, &log).await;
            }
            1
        }
    }
}

/// Marks the run as incomplete in the history, unless it got as far as its verdict.
async fn mark(args: &GuardArgs, log: &Log) {
    let deadline = Instant::now() + DEAD_WITHIN;
    while !owner::is_dead(&args.owner) && Instant::now() < deadline {
        tokio::time::sleep(DEAD_LOOK).await;
    }
    let named = std::env::var(store::VARIABLE).ok();
    let marked = async {
        let place = Place::choose(args.database.as_deref(), named.as_deref(), None, Path::new(""))?;
        try_mark(&place, &args.owner).await
    };
    if let Err(error) = marked.await {
        log.say(&format!("{error}; the next run marks this one as incomplete"));
    }
}

async fn try_mark(place: &Place, of: &str) -> Result<(), StoreError> {
    let store = Store::open(place).await?;
    // Other dead runs are left to the next run, which tells of them.
    let marked = store.mark_dead_runs(&|owner| owner != of || !owner::is_dead(owner)).await;
    store.close().await;
    marked.map(drop)
}

struct Log {
    path: PathBuf,
    started: Instant,
}

impl Log {
    /// There is nobody to tell that a log can't be written.
    fn say(&self, message: &str) {
        let after = self.started.elapsed().as_secs_f64();
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.path) {
            let _ = writeln!(file, "{} (after {after:.1} s) {message}", Timestamp::now());
        }
    }
}
