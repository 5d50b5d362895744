//! Listing tests and running units of them in the runner service.
//!
//! There are two kinds of frameworks, behind one [`Worker`]:
//!
//! - A framework with a **shim**: a small script in the suite's own language, which is copied into the runner service
//!   and speaks [`protocol`], JSON Lines over its standard streams. It loads the suite once and stays warm, as far as
//!   the framework lets it.
//! - `command`: any program. One command lists the tests, one is executed for each test or for several, and its results
//!   are read from the JUnit XML that it writes ([`junit`]), or from its exit code. The runner service needs nothing but
//!   a shell.
//!
//! # The contract
//! Whatever the kind, this is what a lane relies on, and what a further kind would have to keep:
//!
//! 1. *List* names every test once, with a selector that means this test alone; listing again says the same.
//! 2. *Run* is given selectors and tells of each [`Started`](protocol::FromWorker::Started) and
//!    [`Ended`](protocol::FromWorker::Ended), one test at a time, and then
//!    [`UnitEnded`](protocol::FromWorker::UnitEnded). What the test writes is told as [`Heard::Output`] in between.
//!    Tests that share a process which tells of them at its end are [`Heard::Together`]: they have the sum of their
//!    times, and the unit ends after the last of them at the earliest.
//! 3. *Asked equals ran*: a test that was asked for and is not told of has failed, with a message. Nothing passes
//!    because nothing was heard of it.
//!    A worker may say of tests that they did not run because one of the same unit, which they build on, has failed:
//!    those are given back.
//! 4. When the worker ends in the middle of a unit, what was told stays true, the test that ran has failed, and those
//!    that had not started can be given to another worker.
//! 5. *Kill* ends everything that the worker has started, whatever signals that ignores, and nothing else.
//! 6. Names reach the framework as they are, with blanks, quotes, brackets, dollar signs and all.
//! 7. The tests' processes see `SHAKEDOWN_RUN_ID`, `SHAKEDOWN_LANE`, `SHAKEDOWN_ATTEMPT`, `SHAKEDOWN_SEED` and
//!    `TEST_ENV_NUMBER`.
//! 8. A failure says class, message and place as far as the framework knows them. The message of what failed before or
//!    after the test itself, in a hook or a fixture, begins with `in setup: ` or `in teardown: `.
//! 9. Marks mean what they mean in the framework: what it skips or expects to fail is skipped, with the reason, and
//!    where it would run focused tests only, only those are listed.
//!
//! To add a framework with a shim: write a script that speaks [`protocol`], an adapter with its [`Shim`] as `rspec`
//! has it, and a variant of [`FrameworkKind`](crate::manifest::FrameworkKind). Then give it a row in
//! `tests/docker/conformance` and a suite in `tests/frameworks`, by which all of this is checked with the real
//! framework in a real container.
//!
//! Architecture invariant: nothing here knows what an environment is made of, or of SQL.

mod command;
pub mod junit;
mod kind;
mod line;
mod minitest;
mod playwright;
pub mod protocol;
mod pytest;
mod rspec;
mod worker;

pub use kind::Worker;
pub use worker::{Heard, WorkerError};

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
    /// Tests of one file with the same group build on each other: they are run in one go, in the order in which they are
    /// listed. An adapter that is asked for some of them sees to it that those before them have run.
    pub group: Option<String>,
    /// What the framework starts a process of its own for, such as a browser that a suite is run with: a unit holds tests
    /// of one project only. `None` where all tests share a process.
    pub project: Option<String>,
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
    /// The command that prints how many lines a worker has said and how many it has heard; the worker's token comes
    /// after.
    pub tell: &'static [&'static str],
}

/// Adds `more` to what is kept of a stream of text, of which only the last `most` bytes are kept.
pub(crate) fn keep_last(kept: &mut String, more: &str, most: usize) {
    kept.push_str(more);
    let cut = kept.ceil_char_boundary(kept.len().saturating_sub(most));
    kept.drain(..cut);
}
