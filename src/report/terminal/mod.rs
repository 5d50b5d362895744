//! The run on the terminal: [`Fancy`] where there is one, [`Plain`] lines where there is none, and the [`summary()`]
//! at the end of both.
//!
//! A reporter gets each event together with the record into which it was already folded, and keeps next to nothing
//! itself. Both are handled in one task, one after another; a ticker calls [`Reporter::tick`] in between, several
//! times a second where somebody watches.
//!
//! Nothing here fails a run: a terminal that went away is no reason to lose results, so errors of writing to it are
//! dropped.

mod fancy;
mod log;
mod paint;
mod plain;
mod screen;
mod summary;

use std::io;
use std::path::Path;

use indicatif::ProgressDrawTarget;
use jiff::Timestamp;

pub use fancy::{Fancy, Size};
pub use paint::Paint;
pub use plain::Plain;
pub use summary::summary;

use super::paths::ReportPaths;
use super::record::RunRecord;
use crate::event::RunEvent;

/// Shows a run while it lasts and says at its end what came of it.
pub trait Reporter: Send {
    /// Something happened, at `now`; the record has it already.
    fn handle(&mut self, event: &RunEvent, record: &RunRecord, now: Timestamp);

    /// Time passed, whether or not something happened.
    fn tick(&mut self, record: &RunRecord, now: Timestamp);

    /// The run is over and its reports are written, or could not be.
    fn finish(&mut self, record: &RunRecord, reports: Option<&ReportPaths>);
}

/// The reporter that suits standard error. `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` are heeded. The run folder is
/// only named, to say where logs are.
pub fn for_stderr(run_folder: &Path) -> Box<dyn Reporter> {
    let paint = Paint::for_stderr();
    let target = ProgressDrawTarget::stderr();
    // Where indicatif would hide its bars (no terminal, a dumb one), it hides everything that is printed above too.
    if target.is_hidden() {
        Box::new(Plain::new(io::stderr(), paint, run_folder))
    } else {
        Box::new(Fancy::new(target, Box::new(|| console::Term::stderr().size()), paint, run_folder))
    }
}
