//! What it costs to start a unit: the time from handing it out until its first test starts.
//!
//! With a warm worker this is what runs before a file's first test, such as `before(:context)` hooks; with a process for
//! each unit, the start of that process.

use std::collections::HashMap;
use std::time::Duration;

/// What starting cost in earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// The median of the suite's newest units; `None` where none is known.
    pub typical: Option<Duration>,
    /// The median of units that began with a test of the file.
    pub by_file: HashMap<String, Duration>,
}

impl Starts {
    /// What starting a unit of this file is expected to cost; nothing where nothing is known.
    pub fn of(&self, file: &str) -> Duration {
        self.by_file.get(file).copied().or(self.typical).unwrap_or_default()
    }
}
