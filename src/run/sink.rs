//! Telling what happens: to the store first, then to the reporters.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::conductor::EventSink;
use crate::event::RunEvent;
use crate::report::{self, Reporter, RunRecord};
use crate::store::{Store, StoreError};

/// How many events may wait for the reporters.
const EVENTS: usize = 1024;
/// How often the terminal is refreshed while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Records events and passes them on.
pub(super) struct Telling {
    store: Store,
    /// Whether the store gets to know.
    records: bool,
    /// What was said of a server that went away: it is not asked again, as each answer is waited for, and the run is
    /// over.
    away: Option<String>,
    events: mpsc::Sender<RunEvent>,
    reporters: JoinHandle<(RunRecord, Box<dyn Reporter>)>,
}

/// Passes progress of images on; when the reporters can't keep up, lines are left out.
pub(super) struct ImageLines(mpsc::Sender<RunEvent>);

impl ImageLines {
    pub(super) fn tell(&self, event: RunEvent) {
        let _ = self.0.try_send(event);
    }
}

impl Telling {
    /// Starts to tell.
    pub(super) fn start(store: Store, run_folder: &Path) -> Self {
        let (events, told) = mpsc::channel(EVENTS);
        let reporter = report::terminal::for_stderr(run_folder);
        Self { store, records: true, away: None, events, reporters: tokio::spawn(report_all(told, reporter)) }
    }

    /// Starts to tell, in plain lines, and records nothing.
    pub(super) fn unrecorded(store: Store, run_folder: &Path) -> Self {
        let (events, told) = mpsc::channel(EVENTS);
        let reporter =
            report::terminal::Plain::new(std::io::stderr(), report::terminal::Paint::for_stderr(), run_folder);
        Self {
            store,
            records: false,
            away: None,
            events,
            reporters: tokio::spawn(report_all(told, Box::new(reporter))),
        }
    }

    /// Everything was told, and nothing came of it that is to be reported.
    pub(super) async fn quit(self) {
        drop(self.events);
        if let Err(error) = self.reporters.await {
            eprintln!("error: the reporters failed, please report it: {error}");
        }
        self.store.close().await;
    }

    pub(super) fn progress(&self) -> ImageLines {
        ImageLines(self.events.clone())
    }

    /// Everything was told: writes the reports and says what came of the run.
    pub(super) async fn finish(self, run_folder: &Path) {
        let Self { store, events, reporters, .. } = self;
        drop(events);
        match reporters.await {
            Ok((record, mut reporter)) => match report::write_reports(&record, run_folder) {
                Ok(paths) => reporter.finish(&record, Some(&paths)),
                Err(error) => {
                    reporter.finish(&record, None);
                    eprintln!("error: {error}");
                }
            },
            Err(error) => eprintln!("error: the reporters failed, please report it: {error}"),
        }
        store.close().await;
    }
}

#[async_trait]
impl EventSink for Telling {
    async fn take(&mut self, event: RunEvent) -> Result<(), String> {
        let recorded = match &self.away {
            Some(why) => Err(why.clone()),
            None if self.records => self.store.record(&event).await.map_err(|error| {
                let why = error.to_string();
                if let StoreError::Unreachable { .. } = error {
                    self.away = Some(why.clone());
                }
                why
            }),
            None => Ok(()),
        };
        // The reporters' task ends with this sender; if it failed, its end tells so.
        let _ = self.events.send(event).await;
        recorded
    }
}

async fn report_all(
    mut events: mpsc::Receiver<RunEvent>,
    mut reporter: Box<dyn Reporter>,
) -> (RunRecord, Box<dyn Reporter>) {
    let mut record = RunRecord::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    record.fold(&event);
                    reporter.handle(&event, &record, Timestamp::now());
                }
                None => return (record, reporter),
            },
            _ = ticks.tick() => reporter.tick(&record, Timestamp::now()),
        }
    }
}
