//! Exit codes: the one table from how a run ended to the number that CI sees.

use crate::verdict::{Interruption, RunVerdict};

/// Every test that ran held, at least in a later attempt.
pub const PASSED: u8 = 0;
/// A test failed and gates.
pub const FAILED: u8 = 1;
/// The command line, the manifest, the suite itself or the history file can't be used.
pub const USAGE: u8 = 2;
/// Environments could not be provided, or the container engine was lost.
pub const NO_ENVIRONMENTS: u8 = 3;
/// No test was selected.
pub const NO_TESTS: u8 = 4;
/// Stopped by a limit before every test was settled.
pub const INCOMPLETE: u8 = 5;
/// Stopped by SIGINT.
pub const INTERRUPTED: u8 = 130;
/// Stopped by SIGTERM.
pub const TERMINATED: u8 = 143;

/// The exit code of a run.
pub fn code(verdict: &RunVerdict) -> u8 {
    match verdict {
        RunVerdict::Passed => PASSED,
        RunVerdict::Failed => FAILED,
        RunVerdict::NoTests => NO_TESTS,
        RunVerdict::SuiteBroken(_) => USAGE,
        RunVerdict::Incomplete(_) => INCOMPLETE,
        RunVerdict::EnvironmentsUnavailable(_) => NO_ENVIRONMENTS,
        RunVerdict::Interrupted(Interruption::Interrupt) => INTERRUPTED,
        RunVerdict::Interrupted(Interruption::Terminate) => TERMINATED,
    }
}
