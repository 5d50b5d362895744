//! A screen that is drawn again and again at the bottom of the terminal, with what is worth keeping above it.

use std::fmt;
use std::path::Path;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::log::Log;
use super::{Paint, Reporter, screen};
use crate::event::RunEvent;
use crate::report::paths::ReportPaths;
use crate::report::record::RunRecord;
use crate::report::text;

/// Tells how many rows and columns the terminal has just now.
pub type Size = Box<dyn Fn() -> (u16, u16) + Send>;

/// The live screen. indicatif only places the lines and takes them away again; what they say is a function of the
/// record.
pub struct Fancy {
    progress: MultiProgress,
    lines: Vec<ProgressBar>,
    size: Size,
    paint: Paint,
    log: Log,
    /// The latest of the images that are being made ready.
    image: Option<String>,
}

impl Fancy {
    /// Draws on a target that is not hidden, with `size` to ask for its rows and columns. The run folder is only named.
    pub fn new(target: ProgressDrawTarget, size: Size, paint: Paint, run_folder: &Path) -> Self {
        Self {
            progress: MultiProgress::with_draw_target(target),
            lines: Vec::new(),
            size,
            paint,
            log: Log::new(paint, run_folder.to_owned(), false),
            image: None,
        }
    }

    fn draw(&mut self, record: &RunRecord, now: Timestamp) {
        let (rows, columns) = (self.size)();
        let size = (usize::from(rows), usize::from(columns));
        let screen = screen::screen(record, self.image.as_deref(), now, size, self.paint);
        while self.lines.len() > screen.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.progress.remove(&line);
            }
        }
        while self.lines.len() < screen.len() {
            let line = ProgressBar::no_length().with_style(style());
            self.lines.push(self.progress.add(line));
        }
        for (line, text) in self.lines.iter().zip(screen) {
            line.set_message(text);
        }
    }

    fn clear(&mut self) {
        for line in self.lines.drain(..) {
            line.finish_and_clear();
            self.progress.remove(&line);
        }
        let _ = self.progress.clear();
    }

    fn print(&self, text: &str) {
        let _ = self.progress.println(text);
    }
}

impl Reporter for Fancy {
    fn handle(&mut self, event: &RunEvent, record: &RunRecord, now: Timestamp) {
        if let RunEvent::ImageProgress { service, line } = event {
            self.image = Some(format!("image for {}: {}", text::one_line(service), text::one_line(line)));
        } else if let RunEvent::ImageReady { .. } = event {
            self.image = None;
        }
        let lines = self.log.lines(event, record);
        if !lines.is_empty() {
            self.print(&lines.join("\n"));
        }
        if record.ending.is_some() {
            self.clear();
        } else {
            self.draw(record, now);
        }
    }

    fn tick(&mut self, record: &RunRecord, now: Timestamp) {
        if record.started.is_some() && record.ending.is_none() {
            self.draw(record, now);
        }
    }

    fn finish(&mut self, record: &RunRecord, reports: Option<&ReportPaths>) {
        self.clear();
        self.print(&format!("\n{}", super::summary(record, reports, self.paint)));
    }
}

impl Drop for Fancy {
    /// Also where a panic ends the run: whatever is printed then starts on a clean line.
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Fancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fancy").field("lines", &self.lines.len()).finish_non_exhaustive()
    }
}

/// The message and nothing else: colour, bar and width are already in it.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}
