//! Plain lines, for logs of CI jobs and anything else that is no terminal.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::log::Log;
use super::{Paint, Reporter, screen};
use crate::event::RunEvent;
use crate::report::paths::ReportPaths;
use crate::report::record::{RunRecord, between};

/// How often it is said that the run goes on. CI systems take a job that is silent for minutes for dead.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// One line per settled test, more where something went wrong, and a heartbeat.
#[derive(Debug)]
pub struct Plain<W> {
    out: W,
    paint: Paint,
    log: Log,
    last_beat: Option<Timestamp>,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`. The run folder is only named.
    pub fn new(out: W, paint: Paint, run_folder: &Path) -> Self {
        Self { out, paint, log: Log::new(paint, run_folder.to_owned(), true), last_beat: None }
    }

    /// What was written so far, where it can be looked at.
    pub fn written(&self) -> &W {
        &self.out
    }

    fn write(&mut self, text: &str) {
        // See the module: a reader that went away does not stop the run.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl<W: Write + Send> Reporter for Plain<W> {
    fn handle(&mut self, event: &RunEvent, record: &RunRecord, now: Timestamp) {
        self.last_beat.get_or_insert(now);
        let mut text = self.log.lines(event, record).join("\n");
        if !text.is_empty() {
            // In one piece, so that the lines of two processes that share standard error do not mix.
            text.push('\n');
            self.write(&text);
        }
    }

    fn tick(&mut self, record: &RunRecord, now: Timestamp) {
        let last = *self.last_beat.get_or_insert(now);
        if between(last, now) >= HEARTBEAT && record.ending.is_none() {
            self.last_beat = Some(now);
            self.write(&format!("          … {}\n", screen::standing(record, now)));
        }
    }

    fn finish(&mut self, record: &RunRecord, reports: Option<&ReportPaths>) {
        let summary = super::summary(record, reports, self.paint);
        self.write(&format!("\n{summary}"));
    }
}
