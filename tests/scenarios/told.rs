//! What was told of a run, and what must be true of every run.
#![expect(clippy::wildcard_enum_match_arm, reason = "each question is about one kind of event")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shakedown::event::{Attempt, BrokenEnvironment, RunEvent};
use shakedown::id::{AttemptNumber, EnvironmentId, TestId};
use shakedown::verdict::{Outcome, RunVerdict, TestVerdict};

/// What was told of a run.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) verdict: RunVerdict,
    pub(crate) events: Vec<RunEvent>,
    pub(crate) calls: Vec<String>,
    /// How long it took, in virtual time.
    pub(crate) took: Duration,
}

impl Told {
    /// What must be true of every run, whatever happens in it.
    pub(crate) fn check(&self, killed: bool, repeat: u32) {
        let settled = self.events.iter().filter_map(|event| match event {
            RunEvent::TestSettled { test, .. } => Some(test.to_string()),
            _ => None,
        });
        let mut settled: Vec<String> = settled.collect();
        settled.sort();
        let mut planned = self.planned();
        planned.sort();
        assert_eq!(settled, planned, "every planned test settles exactly once");

        let once = repeat == 1;
        // Where tests are run several times, they may be so side by side.
        let name =
            |test: &TestId, number: AttemptNumber| if once { test.to_string() } else { format!("{test} {number}") };
        let mut running: BTreeMap<String, EnvironmentId> = BTreeMap::new();
        for event in &self.events {
            match event {
                RunEvent::AttemptStarted { test, number, environment, .. } => {
                    let before = running.insert(name(test, *number), *environment);
                    assert_eq!(before, None, "{test} runs twice at once");
                }
                RunEvent::AttemptEnded(attempt) => {
                    let place = running.remove(&name(&attempt.test, attempt.number));
                    assert_eq!(place, Some(attempt.environment), "{} ended where it had not started", attempt.test);
                }
                _ => {}
            }
        }
        assert!(killed || running.is_empty(), "started and never ended: {running:?}");
        self.check_environments(killed);

        for test in self.planned() {
            let attempts = self.attempts(&test);
            if !once {
                let numbers: BTreeSet<u32> = attempts.iter().map(|attempt| attempt.number.0).collect();
                assert_eq!(numbers.len(), attempts.len(), "two attempts of {test} have one number");
                continue;
            }
            let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number.0).collect();
            let counted: Vec<u32> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, counted, "attempts of {test} are counted from 1");
            let mut failed_in = BTreeSet::new();
            for attempt in &attempts {
                assert!(!failed_in.contains(&attempt.environment), "{test} was tried again where it had failed");
                if attempt.outcome.counts_against_test() {
                    failed_in.insert(attempt.environment);
                }
            }
            let passed = attempts.iter().any(|attempt| attempt.outcome == Outcome::Passed);
            let good = matches!(self.test_verdict(&test), TestVerdict::Passed | TestVerdict::Flaky);
            assert_eq!(good, passed, "{test} counts as passed if and only if it passed");
        }
        if self.verdict == RunVerdict::Passed {
            for test in self.planned() {
                let verdict = self.test_verdict(&test);
                let fine = matches!(verdict, TestVerdict::Passed | TestVerdict::Flaky | TestVerdict::Skipped);
                assert!(fine, "the run passed, though {test} is {}", verdict.word());
            }
        }
    }

    /// What is told of an environment is told between its beginning and its end: the store takes nothing else.
    fn check_environments(&self, killed: bool) {
        let (mut present, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for event in &self.events {
            match event {
                RunEvent::EnvironmentStarting { environment, .. } => {
                    assert!(!gone.contains(environment), "{environment} comes back");
                    assert!(present.insert(*environment), "{environment} begins twice");
                }
                RunEvent::EnvironmentRemoved { environment, .. } => {
                    assert!(present.remove(environment), "{environment} ends, and never began");
                    gone.insert(*environment);
                }
                RunEvent::EnvironmentReady { environment, .. }
                | RunEvent::EnvironmentBroke { environment, .. }
                | RunEvent::EnvironmentProgress { environment, .. }
                | RunEvent::UnitStarted { environment, .. }
                | RunEvent::AttemptStarted { environment, .. } => {
                    assert!(present.contains(environment), "{event:?} is told of no environment");
                }
                _ => {}
            }
        }
        assert!(killed || present.is_empty(), "never removed: {present:?}");
    }

    fn planned(&self) -> Vec<String> {
        let planned = self.events.iter().find_map(|event| match event {
            RunEvent::Planned { tests, .. } => Some(tests.iter().map(|test| test.id.to_string()).collect()),
            _ => None,
        });
        planned.unwrap_or_default()
    }

    /// How many tests were listed, those included that were not selected.
    pub(crate) fn listed(&self) -> usize {
        let listed = self.events.iter().find_map(|event| match event {
            RunEvent::Planned { listed, .. } => Some(*listed),
            _ => None,
        });
        listed.expect("the tests were listed")
    }

    /// A test's verdict, by the end of its id.
    pub(crate) fn test_verdict(&self, test: &str) -> TestVerdict {
        let verdict = self.events.iter().find_map(|event| match event {
            RunEvent::TestSettled { test: id, verdict } if id.as_str().ends_with(test) => Some(*verdict),
            _ => None,
        });
        verdict.unwrap_or_else(|| panic!("{test} has no verdict in {:#?}", self.events))
    }

    /// All verdicts, by test.
    pub(crate) fn verdicts(&self) -> BTreeMap<String, TestVerdict> {
        self.planned().into_iter().map(|test| (test.clone(), self.test_verdict(&test))).collect()
    }

    /// A test's attempts, by the end of its id.
    pub(crate) fn attempts(&self, test: &str) -> Vec<Attempt> {
        let attempts = self.events.iter().filter_map(|event| match event {
            RunEvent::AttemptEnded(attempt) if attempt.test.as_str().ends_with(test) => Some(attempt.clone()),
            _ => None,
        });
        attempts.collect()
    }

    /// A test's outcomes, as words.
    pub(crate) fn outcomes(&self, test: &str) -> Vec<&'static str> {
        self.attempts(test).iter().map(|attempt| attempt.outcome.word()).collect()
    }

    /// In which environments a test ran.
    pub(crate) fn places(&self, test: &str) -> BTreeSet<EnvironmentId> {
        self.attempts(test).iter().map(|attempt| attempt.environment).collect()
    }

    /// The environments that broke, and why.
    pub(crate) fn broken(&self) -> Vec<BrokenEnvironment> {
        let broken = self.events.iter().filter_map(|event| match event {
            RunEvent::EnvironmentBroke { broken, .. } => Some(broken.clone()),
            _ => None,
        });
        broken.collect()
    }

    /// What was worth saying.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.events.iter().filter_map(|event| match event {
            RunEvent::Warning { message } => Some(message.clone()),
            _ => None,
        });
        warnings.collect()
    }

    /// Why each lane stood down that did.
    pub(crate) fn stood_down(&self) -> Vec<String> {
        let stood_down = self.events.iter().filter_map(|event| match event {
            RunEvent::LaneStoodDown { why, .. } => Some(why.clone()),
            _ => None,
        });
        stood_down.collect()
    }

    /// How many environments began to boot.
    pub(crate) fn boots(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, RunEvent::EnvironmentStarting { .. })).count()
    }

    /// How often a call with these words was made.
    pub(crate) fn called(&self, words: &str) -> usize {
        self.calls.iter().filter(|call| call.contains(words)).count()
    }
}
