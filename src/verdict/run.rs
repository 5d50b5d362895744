//! From the verdicts of all tests, and how the run ended, to the run's verdict.

use super::TestVerdict;

/// A signal that asked the run to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// SIGINT, usually Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Why a run stopped before all its tests were settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// A signal.
    Signal(Interruption),
    /// `--deadline` passed.
    Deadline,
    /// `--max-failures` was reached.
    MaxFailures,
    /// The framework can't load the suite; its words.
    SuiteBroken(String),
    /// No lane could get an environment any more; the reason in words, as many lines as it takes.
    NoEnvironments(String),
    /// What ended could not be written to the store, so that going on would lose results.
    StoreLost(String),
}

/// What a run means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    /// Every test that ran held, at least in a later attempt.
    Passed,
    /// At least one test gates.
    Failed,
    /// Nothing to run.
    NoTests,
    /// The framework can't load the suite; its words.
    SuiteBroken(String),
    /// Stopped by a limit before every test was settled.
    Incomplete(StopReason),
    /// At least one test could not be given an environment that lasted.
    EnvironmentsUnavailable(String),
    /// Stopped by a signal.
    Interrupted(Interruption),
}

impl RunVerdict {
    /// The verdict's word, as it is stored and printed.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NoTests => "no tests",
            Self::SuiteBroken(_) => "suite broken",
            Self::Incomplete(_) => "incomplete",
            Self::EnvironmentsUnavailable(_) => "environments unavailable",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

/// What the tests' verdicts mean together. A stop outranks a failed test, so that an incomplete run can't be
/// read as a complete one; `fail_on_flaky` makes flaky tests gate.
pub fn run_verdict(
    verdicts: impl IntoIterator<Item = TestVerdict>,
    stopped: Option<StopReason>,
    fail_on_flaky: bool,
) -> RunVerdict {
    match stopped {
        Some(StopReason::Signal(signal)) => return RunVerdict::Interrupted(signal),
        Some(StopReason::SuiteBroken(why)) => return RunVerdict::SuiteBroken(why),
        Some(StopReason::NoEnvironments(why)) => return RunVerdict::EnvironmentsUnavailable(why),
        Some(reason @ (StopReason::Deadline | StopReason::MaxFailures | StopReason::StoreLost(_))) => {
            return RunVerdict::Incomplete(reason);
        }
        None => {}
    }
    let mut any = false;
    let (mut failed, mut broke, mut unsettled) = (false, 0_usize, false);
    for verdict in verdicts {
        any = true;
        match verdict {
            TestVerdict::Passed | TestVerdict::Quarantined | TestVerdict::Skipped => {}
            TestVerdict::Flaky => failed |= fail_on_flaky,
            TestVerdict::Failed => failed = true,
            TestVerdict::EnvironmentBroke => broke += 1,
            TestVerdict::NotRun => unsettled = true,
        }
    }
    if !any {
        RunVerdict::NoTests
    } else if failed {
        RunVerdict::Failed
    } else if broke > 0 || unsettled {
        RunVerdict::EnvironmentsUnavailable(format!("{broke} tests had no environment that lasted"))
    } else {
        RunVerdict::Passed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Vec<TestVerdict>> {
        prop::collection::vec(prop::sample::select(TestVerdict::ALL.to_vec()), 0..20)
    }

    proptest! {
        #[test]
        fn passed_means_that_every_test_was_settled_and_none_gates(tests in verdicts()) {
            let passed = run_verdict(tests.clone(), None, false) == RunVerdict::Passed;
            let gating = [TestVerdict::Failed, TestVerdict::EnvironmentBroke, TestVerdict::NotRun];
            prop_assert_eq!(passed, !tests.is_empty() && !tests.iter().any(|t| gating.contains(t)));
        }

        #[test]
        fn a_stopped_run_is_never_passed(tests in verdicts()) {
            for reason in [
                StopReason::Signal(Interruption::Interrupt),
                StopReason::Deadline,
                StopReason::MaxFailures,
                StopReason::SuiteBroken("syntax error".into()),
                StopReason::NoEnvironments("gone".into()),
                StopReason::StoreLost("disk full".into()),
            ] {
                prop_assert_ne!(run_verdict(tests.clone(), Some(reason), false), RunVerdict::Passed);
            }
        }
    }

    #[test]
    fn flaky_tests_gate_only_when_asked_to() {
        assert_eq!(run_verdict([TestVerdict::Flaky], None, false), RunVerdict::Passed);
        assert_eq!(run_verdict([TestVerdict::Flaky], None, true), RunVerdict::Failed);
    }
}
