//! Which of the listed tests a run takes: by filters, by what failed last, by what has changed, and by shard. Pure:
//! what the history and git know is given.
//!
//! A test is taken when every condition that was asked for holds for it: one of the filters, the failure, the change.
//! What is left is dealt out to the shards.

mod changed;
mod filter;
mod parse;
mod shard;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub use changed::Changed;
pub use filter::{Candidate, FilePattern, Filter, Words};
pub use parse::{FilterError, parse};
pub use shard::{Shard, ShardBy};

use crate::framework::ListedTest;
use crate::id::TestId;
use crate::manifest::OrderSettings;
use crate::plan::NamedTest;
use crate::verdict::TestVerdict;

/// A status of a test in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// No run has found out anything of it.
    New,
    /// It failed in the last run that found out something of it.
    FailedLastRun,
    /// It was flaky in one of the last 10 runs that found out something of it.
    Flaky,
}

impl Status {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::New, Self::FailedLastRun, Self::Flaky];

    /// The status's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::FailedLastRun => "failed-last-run",
            Self::Flaky => "flaky",
        }
    }

    /// Whether a test with these verdicts, newest first, has the status.
    fn holds(self, told: &[TestVerdict]) -> bool {
        match self {
            Self::New => told.is_empty(),
            Self::FailedLastRun => {
                told.first().is_some_and(|last| matches!(last, TestVerdict::Failed | TestVerdict::Quarantined))
            }
            Self::Flaky => told.contains(&TestVerdict::Flaky),
        }
    }
}

/// What was asked for. By default every test is taken.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only what this asks for.
    pub filter: Option<Filter>,
    /// Only these, which failed or were not settled.
    pub failed: Option<HashSet<TestId>>,
    /// Only what has changed.
    pub changed: Option<Changed>,
    /// Only this part of what is left.
    pub shard: Option<Shard>,
    /// Each test's newest verdicts that say something of it, newest first.
    pub told: HashMap<TestId, Vec<TestVerdict>>,
}

/// What was taken.
#[derive(Debug)]
pub struct Chosen {
    /// The tests, in the order in which they were listed.
    pub tests: Vec<NamedTest>,
    /// How many were listed.
    pub listed: usize,
    /// What is worth saying of how they came to be chosen.
    pub notes: Vec<String>,
}

impl Selection {
    /// Chooses. `durations` is what tests are known to take; only a shard by durations asks for it.
    /// `order` says which files stay together, in a shard too.
    pub fn choose(
        &self,
        tests: Vec<NamedTest>,
        durations: &HashMap<TestId, Duration>,
        order: &OrderSettings,
    ) -> Chosen {
        let listed = tests.len();
        let mut notes = Vec::new();
        let changed = self.changed.as_ref().map(|changed| {
            let (files, note) = changed.files(tests.iter().map(|test| test.listed.file.as_str()));
            notes.extend(note);
            files
        });
        if let Some(failed) = &self.failed {
            let there: HashSet<&TestId> = tests.iter().map(|test| &test.id).collect();
            let gone = failed.iter().filter(|id| !there.contains(id)).count();
            if gone > 0 {
                notes.push(format!("--only-failed: {gone} of {} are not listed any more", failed.len()));
            }
        }
        let by_listing = |test: &NamedTest| {
            let changed = changed.as_ref().is_none_or(|files| files.contains(filter::plain(&test.listed.file)));
            changed && (self.asks_history() || self.wanted(test))
        };
        let part: Option<HashSet<TestId>> = self.shard.as_ref().map(|shard| {
            let among: Vec<&NamedTest> = tests.iter().filter(|test| by_listing(test)).collect();
            let dealt = shard.part(&among, durations, order);
            notes.push(dealt.note);
            dealt.tests
        });
        let taken = |test: &NamedTest| {
            by_listing(test) && self.wanted(test) && part.as_ref().is_none_or(|part| part.contains(&test.id))
        };
        Chosen { tests: tests.into_iter().filter(taken).collect(), listed, notes }
    }

    /// Whether what is taken depends on a history, which may be another one on another machine. Shards are then cut from
    /// all tests, so that no test is in two of them, or in none.
    fn asks_history(&self) -> bool {
        self.failed.is_some() || self.filter.as_ref().is_some_and(Filter::asks_history)
    }

    fn wanted(&self, NamedTest { id, listed }: &NamedTest) -> bool {
        let ListedTest { selector: _, file, line: _, name, tags, group: _, project: _ } = listed;
        let told = self.told.get(id).map(Vec::as_slice).unwrap_or_default();
        let candidate = Candidate { file: filter::plain(file), name, tags, told };
        self.failed.as_ref().is_none_or(|failed| failed.contains(id))
            && self.filter.as_ref().is_none_or(|filter| filter.matches(candidate))
    }
}
