//! From the attempts of one test to what happens next and what they mean.

use super::Outcome;

/// How often a test may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Failed and timed-out attempts until the test counts as failed; at least 1.
    pub attempts: u32,
    /// Attempts lost to broken environments until no more are made; at least 1.
    pub environment_attempts: u32,
}

/// What a test's attempts mean together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestVerdict {
    /// Passed in the first attempt that said anything.
    Passed,
    /// Failed at least once and passed later, same candidate.
    Flaky,
    /// Never passed, and failed at least once.
    Failed,
    /// Failed only in ways for which somebody vouches in the quarantine.
    Quarantined,
    /// Not run because the suite says so.
    Skipped,
    /// Never settled: the run ended before.
    NotRun,
    /// Every environment it was given broke.
    EnvironmentBroke,
}

impl TestVerdict {
    /// All verdicts, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::Passed,
        Self::Flaky,
        Self::Failed,
        Self::Quarantined,
        Self::Skipped,
        Self::NotRun,
        Self::EnvironmentBroke,
    ];

    /// The verdict's word, as it is stored and printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
            Self::EnvironmentBroke => "environment broke",
        }
    }
}

/// What follows from the attempts so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Back to the queue, for another environment.
    TryAgain,
    /// Nothing more is learnt by trying again.
    Settle(TestVerdict),
}

/// Decides from all outcomes of a test so far, oldest first, whether it is tried again.
///
/// A pass after a failure is flaky. A test that failed and is then skipped has not passed: it stays failed.
/// Attempts in environments that broke are free, up to their own limit. No outcome yet means: try.
pub fn next_step(outcomes: &[Outcome], limits: AttemptLimits) -> NextStep {
    let Some(last) = outcomes.last() else { return NextStep::TryAgain };
    let failed = outcomes.iter().filter(|o| o.counts_against_test()).count();
    match last {
        Outcome::Passed if failed > 0 => NextStep::Settle(TestVerdict::Flaky),
        Outcome::Passed => NextStep::Settle(TestVerdict::Passed),
        Outcome::Skipped { .. } if failed > 0 => NextStep::Settle(TestVerdict::Failed),
        Outcome::Skipped { .. } => NextStep::Settle(TestVerdict::Skipped),
        Outcome::Failed(_) | Outcome::TimedOut { .. } if failed < limits.attempts as usize => NextStep::TryAgain,
        Outcome::Failed(_) | Outcome::TimedOut { .. } => NextStep::Settle(TestVerdict::Failed),
        Outcome::EnvironmentBroke { .. } => {
            let broke = outcomes.iter().filter(|o| matches!(o, Outcome::EnvironmentBroke { .. })).count();
            if broke < limits.environment_attempts as usize {
                NextStep::TryAgain
            } else if failed > 0 {
                NextStep::Settle(TestVerdict::Failed)
            } else {
                NextStep::Settle(TestVerdict::EnvironmentBroke)
            }
        }
        Outcome::Interrupted => NextStep::Settle(verdict_at_stop(outcomes)),
    }
}

/// What an unsettled test's attempts mean when the run stops: failed if it was seen to fail, otherwise not run.
pub fn verdict_at_stop(outcomes: &[Outcome]) -> TestVerdict {
    if outcomes.iter().any(Outcome::counts_against_test) { TestVerdict::Failed } else { TestVerdict::NotRun }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::Failure;
    use super::*;

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Passed),
            Just(Outcome::Failed(Failure::observed("no"))),
            Just(Outcome::TimedOut { limit: Duration::from_secs(1), why: String::new() }),
            Just(Outcome::Skipped { reason: String::new() }),
            Just(Outcome::EnvironmentBroke { cause: "web exited".into() }),
            Just(Outcome::Interrupted),
        ]
    }

    /// Feeds outcomes until the test settles, as the queue would.
    fn play(outcomes: &[Outcome], limits: AttemptLimits) -> Option<(Vec<Outcome>, TestVerdict)> {
        for end in 1..=outcomes.len() {
            if let NextStep::Settle(verdict) = next_step(&outcomes[..end], limits) {
                return Some((outcomes[..end].to_vec(), verdict));
            }
        }
        None
    }

    proptest! {
        #[test]
        fn every_test_settles_within_its_limits(
            outcomes in prop::collection::vec(outcome(), 12), attempts in 1..5u32, environment_attempts in 1..5u32,
        ) {
            let limits = AttemptLimits { attempts, environment_attempts };
            let (used, _) = play(&outcomes, limits).expect("12 outcomes settle any test with limits under 5");
            prop_assert!(used.len() <= (attempts + environment_attempts) as usize);
        }

        #[test]
        fn a_test_that_never_passed_is_never_called_passed_or_flaky(
            outcomes in prop::collection::vec(outcome(), 12), attempts in 1..5u32,
        ) {
            let limits = AttemptLimits { attempts, environment_attempts: 3 };
            let (used, verdict) = play(&outcomes, limits).expect("settles");
            let passed = used.contains(&Outcome::Passed);
            let failed = used.iter().any(Outcome::counts_against_test);
            prop_assert_eq!(verdict == TestVerdict::Passed, passed && !failed);
            prop_assert_eq!(verdict == TestVerdict::Flaky, passed && failed);
            prop_assert_eq!(verdict == TestVerdict::Failed, !passed && failed);
        }

        #[test]
        fn broken_environments_never_change_what_the_other_attempts_mean(
            outcomes in prop::collection::vec(outcome(), 12), at in 0..12usize,
        ) {
            let limits = AttemptLimits { attempts: 3, environment_attempts: u32::MAX };
            let mut with = outcomes.clone();
            with.insert(at, Outcome::EnvironmentBroke { cause: "db exited".into() });
            let without: Vec<_> =
                outcomes.into_iter().filter(|o| !matches!(o, Outcome::EnvironmentBroke { .. })).collect();
            prop_assert_eq!(play(&with, limits).map(|p| p.1), play(&without, limits).map(|p| p.1));
        }
    }

    #[test]
    fn one_attempt_means_no_second_try() {
        let limits = AttemptLimits { attempts: 1, environment_attempts: 1 };
        let failed = [Outcome::Failed(Failure::observed("no"))];
        assert_eq!(next_step(&failed, limits), NextStep::Settle(TestVerdict::Failed));
    }

    #[test]
    fn a_test_interrupted_after_a_failure_is_failed_and_without_one_not_run() {
        assert_eq!(verdict_at_stop(&[Outcome::Failed(Failure::observed("no"))]), TestVerdict::Failed);
        assert_eq!(verdict_at_stop(&[Outcome::Interrupted]), TestVerdict::NotRun);
        assert_eq!(verdict_at_stop(&[]), TestVerdict::NotRun);
    }
}
