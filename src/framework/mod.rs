//! Listing tests and running units of them in the runner service.
//!
//! Each framework has a small adapter here and a small worker shim of its own kind, which is copied into the runner
//! service and speaks [`protocol`]: JSON Lines over its standard streams. The worker loads the suite once and stays
//! warm. [`Worker`] is our end of it.
//!
//! Architecture invariant: nothing here knows what an environment is made of, or of SQL.

pub mod junit;
pub mod protocol;
mod rspec;
mod worker;

pub use worker::{Heard, Worker, WorkerError};

use crate::manifest::FrameworkKind;

/// A test as its framework lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTest {
    /// How the framework addresses it.
    pub selector: String,
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line in `file`, from 1; 0 where it is not known.
    pub line: u32,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
}

/// What an adapter says of its worker shim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shim {
    /// The path under which it is written into the runner service.
    pub path: &'static str,
    /// Its source.
    pub source: &'static str,
    /// The command that starts it; the suite's paths come after.
    pub start: &'static [&'static str],
    /// The command that kills a worker and all its descendants; the worker's token comes after.
    pub kill: &'static [&'static str],
}

/// The shim of a framework.
pub fn shim(framework: FrameworkKind) -> Shim {
    match framework {
        FrameworkKind::Rspec => rspec::SHIM,
    }
}

/// Adds `more` to what is kept of a stream of text, of which only the last `most` bytes are kept.
pub(crate) fn keep_last(kept: &mut String, more: &str, most: usize) {
    kept.push_str(more);
    let cut = kept.ceil_char_boundary(kept.len().saturating_sub(most));
    kept.drain(..cut);
}
