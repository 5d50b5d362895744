//! Failures in a row in one environment, and whether they say more of it than of the tests. Pure.
//!
//! An environment is suspect when three tests or more, of two files or more, have failed in it in a row, each for the
//! first time anywhere, while a test passed elsewhere; where there is no elsewhere, after a test had passed here. Two files: one broken file must not cast suspicion on where it
//! ran. For the first time: a test that has failed elsewhere before says nothing of this place, and so no test has more
//! than one of its failures excused. Suspicion never falls on a lane: it gets a fresh environment, as any other.

use std::collections::BTreeSet;

use super::TestIndex;

/// How many tests have to fail in a row.
const TESTS: usize = 3;
/// Of how many files they have to be.
const FILES: usize = 2;

/// The failures in a row in one environment, since the last pass there.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// The tests, each with the number of its file.
    failed: Vec<(TestIndex, usize)>,
    passed_elsewhere: bool,
    /// Whether a test has ever passed here.
    passed_here: bool,
    /// Whether it was suspect once; then it stays so.
    suspect: bool,
    /// Tests of `failed` whose verdict waits for what the stretch turns out to be.
    held: Vec<TestIndex>,
}

impl Stretch {
    /// A test failed here, for the first time anywhere.
    pub(super) fn fail(&mut self, test: TestIndex, file: usize) {
        self.failed.push((test, file));
    }

    /// The verdict of a test that failed here waits.
    pub(super) fn hold(&mut self, test: TestIndex) {
        self.held.push(test);
    }

    /// A test passed here. Returns the tests whose verdict does not wait any longer.
    pub(super) fn pass(&mut self) -> Vec<TestIndex> {
        self.passed_here = true;
        self.close()
    }

    /// Nothing more is learnt of the failures so far. Returns the tests whose verdict does not wait any longer.
    pub(super) fn close(&mut self) -> Vec<TestIndex> {
        self.failed.clear();
        self.passed_elsewhere = false;
        std::mem::take(&mut self.held)
    }

    /// A test passed in another environment.
    pub(super) fn pass_elsewhere(&mut self) {
        self.passed_elsewhere |= !self.failed.is_empty();
    }

    /// Whether a test has ever passed here.
    pub(super) fn has_passed(&self) -> bool {
        self.passed_here
    }

    /// Whether the environment is suspect.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Whether its failures in a row make the environment suspect by now. Returns the tests that are to be excused for
    /// it, and how many of them have a verdict that waited. An environment that is `alone` is held against its own past.
    pub(super) fn judge(&mut self, alone: bool) -> Option<Excused> {
        let files: BTreeSet<usize> = self.failed.iter().map(|(_, file)| *file).collect();
        let enough =
            self.failed.len() >= TESTS && files.len() >= FILES && (self.passed_elsewhere || alone && self.passed_here);
        if self.failed.is_empty() || !(enough || self.suspect) {
            return None;
        }
        let newly = !self.suspect;
        self.suspect = true;
        let tests = std::mem::take(&mut self.failed).into_iter().map(|(test, _)| test).collect();
        Some(Excused { newly, tests, held: std::mem::take(&mut self.held) })
    }
}

/// Tests whose failure in a suspect environment does not use up an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excused {
    /// Whether the environment was not suspect before.
    pub(super) newly: bool,
    /// The tests.
    pub(super) tests: Vec<TestIndex>,
    /// Those of them whose verdict had to wait.
    pub(super) held: Vec<TestIndex>,
}
