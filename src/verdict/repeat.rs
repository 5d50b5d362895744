//! What several executions of one test, none of which was tried again, mean together.

use super::TestVerdict;

/// The verdict of a test that was run several times: it passed only if it passed every time. One that failed and passed
/// is flaky, whatever else became of it; what was not settled every time says so.
pub fn repeated(executions: Vec<TestVerdict>) -> TestVerdict {
    let some = |wanted: TestVerdict| executions.contains(&wanted);
    let (passed, failed) = (some(TestVerdict::Passed), some(TestVerdict::Failed));
    if some(TestVerdict::Flaky) || (passed && failed) {
        return TestVerdict::Flaky;
    }
    let first = [
        TestVerdict::Failed,
        TestVerdict::EnvironmentBroke,
        TestVerdict::NotRun,
        TestVerdict::Quarantined,
        TestVerdict::Passed,
        TestVerdict::Skipped,
    ];
    first.into_iter().find(|verdict| some(*verdict)).unwrap_or(TestVerdict::NotRun)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use TestVerdict::{EnvironmentBroke, Failed, Flaky, NotRun, Passed, Quarantined, Skipped};

    proptest! {
        #[test]
        fn passed_means_every_time(
            executions in prop::collection::vec(prop::sample::select(TestVerdict::ALL.to_vec()), 1..8),
        ) {
            let verdict = repeated(executions.clone());
            let every = executions.contains(&Passed) && executions.iter().all(|v| matches!(v, Passed | Skipped));
            prop_assert_eq!(verdict == Passed, every);
            let fails = executions.iter().any(|verdict| matches!(verdict, Failed | Flaky));
            prop_assert_eq!(matches!(verdict, Failed | Flaky), fails);
            prop_assert!(executions.contains(&verdict) || verdict == Flaky);
            let mut backwards = executions;
            backwards.reverse();
            prop_assert_eq!(repeated(backwards), verdict);
        }

        #[test]
        fn one_execution_means_what_it_means(verdict in prop::sample::select(TestVerdict::ALL.to_vec())) {
            prop_assert_eq!(repeated(vec![verdict]), verdict);
        }
    }

    #[test]
    fn what_failed_and_passed_is_flaky_and_what_was_lost_is_not_passed() {
        assert_eq!(repeated(vec![Passed, Failed, NotRun]), Flaky);
        assert_eq!(repeated(vec![Failed, Failed, EnvironmentBroke]), Failed);
        assert_eq!(repeated(vec![Passed, EnvironmentBroke]), EnvironmentBroke);
        assert_eq!(repeated(vec![Passed, NotRun]), NotRun);
        assert_eq!(repeated(vec![Passed, Quarantined]), Quarantined);
    }
}
