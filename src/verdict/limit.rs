//! How long one attempt may take, and what that is learnt from.
//!
//! Where nobody has named a limit, it is learnt from the test's own history. What must hold: an attempt that would have
//! passed, or failed with a message of its own, is not cut off; and one that hangs does not hold its lane for longer than
//! need be. So the limit lies far above what was seen, is never lower than what browsers and their drivers wait for by
//! themselves, and grows after each attempt that passed it.

use std::fmt;
use std::time::Duration;

/// Where neither the command line nor the manifest names a limit, and the history knows too little.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(120);
/// A test with fewer passed attempts in its history has the default limit.
pub const LEAST_PASSES: usize = 5;
/// So many of the newest passed attempts of a test are looked at.
pub const NEWEST_PASSES: usize = 20;
/// So many of the newest attempts of a test that did not pass are looked at.
pub const NEWEST_OTHERS: usize = 10;
/// Longer than the 30 s that frameworks wait by default, so that a test which waits in vain can say so itself.
const FLOOR: Duration = Duration::from_secs(45);
/// The limit is so many times what the slowest passed attempts took.
const FACTOR: u32 = 4;
/// And no more than this many times, where that is above the default.
const MOST_FACTOR: u32 = 2;
/// Of 100 passed attempts, so many are within what the limit is reckoned from.
const QUANTILE: usize = 95;
/// An attempt that passed its limit counts until so many have passed since.
const FORGOTTEN_AFTER: usize = 5;

/// How long one attempt may take, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// How long.
    pub span: Duration,
    /// Why.
    pub source: LimitSource,
}

/// Where a limit comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitSource {
    /// The command line.
    Flag,
    /// The manifest.
    Manifest,
    /// Nobody named one, and too little is known of the test.
    Default,
    /// The test's history.
    Learnt {
        /// How many passed attempts were looked at.
        passes: usize,
        /// What the slowest of them took, but for the outliers.
        slowest: Duration,
        /// The limit that an attempt has passed lately, where one has: in an earlier run or in this one.
        passed_limit: Option<Duration>,
        /// The limit does not grow above this.
        most: Duration,
    },
}

impl TimeLimit {
    /// A limit that somebody has named.
    pub fn named(span: Duration, source: LimitSource) -> Self {
        Self { span, source }
    }

    /// The limit where nothing is known.
    pub fn default_limit() -> Self {
        Self { span: DEFAULT_LIMIT, source: LimitSource::Default }
    }

    /// The limit of an attempt that follows on one which passed the limit `passed`: one that was learnt doubles, as the
    /// test may take longer than was seen so far.
    pub fn after_timeout(self, passed: Duration) -> Self {
        match self.source {
            LimitSource::Flag | LimitSource::Manifest | LimitSource::Default => self,
            LimitSource::Learnt { passes, slowest, passed_limit, most } => {
                let passed_limit = Some(passed_limit.map_or(passed, |before| before.max(passed)));
                Self {
                    span: self.span.max(passed.saturating_mul(2).min(most)),
                    source: LimitSource::Learnt { passes, slowest, passed_limit, most },
                }
            }
        }
    }
}

impl fmt::Display for TimeLimit {
    /// Why the limit is what it is, in words that go into brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            LimitSource::Flag => f.write_str("by --test-timeout"),
            LimitSource::Manifest => f.write_str("by test_timeout in the manifest"),
            LimitSource::Default => {
                write!(f, "the default, as fewer than {LEAST_PASSES} passed attempts of this test are known")
            }
            LimitSource::Learnt { passes, slowest, passed_limit, most: _ } => {
                write!(f, "learnt from {passes} passed attempts, which took up to {:.1} s", slowest.as_secs_f64())?;
                match passed_limit {
                    Some(limit) => write!(f, ", and raised after one that was stopped at {:.1} s", limit.as_secs_f64()),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What the history knows of how long one test takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How long its newest passed attempts took, newest first.
    pub passed: Vec<Duration>,
    /// How long its newest attempts took that failed by themselves.
    pub failed: Vec<Duration>,
    /// The limits that its newest attempts have passed, each with the number of attempts that have passed since.
    pub timed_out: Vec<(Duration, usize)>,
}

/// The limit that the test's past suggests; `None` where too little is known.
pub fn learnt_limit(past: &Past) -> Option<TimeLimit> {
    let passes = past.passed.len();
    if passes < LEAST_PASSES {
        return None;
    }
    let mut sorted = past.passed.clone();
    sorted.sort_unstable();
    let rank = (passes * QUANTILE).div_ceil(100);
    let slowest = *sorted.get(rank.checked_sub(1)?)?;
    let most = DEFAULT_LIMIT.max(slowest.saturating_mul(MOST_FACTOR));
    // A failure says less of how long a test may take than a pass does, but it is not to be cut off either.
    let failing = past.failed.iter().max().map(|longest| longest.saturating_mul(3) / 2).unwrap_or_default();
    let span = slowest.saturating_mul(FACTOR).max(failing).clamp(FLOOR, most);
    let learnt = TimeLimit { span, source: LimitSource::Learnt { passes, slowest, passed_limit: None, most } };
    let recent = past.timed_out.iter().filter(|(_, passes_since)| *passes_since < FORGOTTEN_AFTER);
    Some(match recent.map(|(limit, _)| *limit).max() {
        Some(passed) => learnt.after_timeout(passed),
        None => learnt,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: &[u64]) -> Vec<Duration> {
        seconds.iter().map(|seconds| Duration::from_secs(*seconds)).collect()
    }

    fn past() -> impl Strategy<Value = Past> {
        let spans = |most| prop::collection::vec((0..600_000u64).prop_map(Duration::from_millis), 0..most);
        let timed_out = prop::collection::vec(((1..600u64).prop_map(Duration::from_secs), 0..10usize), 0..4);
        (spans(NEWEST_PASSES), spans(NEWEST_OTHERS), timed_out).prop_map(|(passed, failed, timed_out)| Past {
            passed,
            failed,
            timed_out,
        })
    }

    proptest! {
        #[test]
        fn a_limit_is_learnt_from_enough_passes_only_and_is_never_below_the_floor_nor_above_its_bound(past in past()) {
            let learnt = learnt_limit(&past);
            prop_assert_eq!(learnt.is_some(), past.passed.len() >= LEAST_PASSES);
            if let Some(limit) = learnt {
                let slowest = past.passed.iter().max().copied().unwrap_or_default();
                prop_assert!(limit.span >= FLOOR);
                prop_assert!(limit.span <= DEFAULT_LIMIT.max(slowest * MOST_FACTOR));
            }
        }

        #[test]
        fn what_passed_so_far_would_pass_again_but_for_one_outlier_in_twenty(past in past()) {
            if let Some(limit) = learnt_limit(&past) {
                let cut_off = past.passed.iter().filter(|took| **took * 2 > limit.span).count();
                prop_assert!(cut_off * 20 <= past.passed.len(), "{} of {:?} by {:?}", cut_off, past.passed, limit);
            }
        }

        #[test]
        fn the_limit_grows_after_it_was_passed_until_it_is_at_its_bound(mut past in past()) {
            past.timed_out.clear();
            let Some(before) = learnt_limit(&past) else { return Ok(()) };
            past.timed_out.push((before.span, 0));
            let after = learnt_limit(&past).expect("still known");
            prop_assert_eq!(&after, &before.clone().after_timeout(before.span), "the next run as the next attempt");
            let LimitSource::Learnt { most, .. } = before.source else { unreachable!() };
            prop_assert!(after.span > before.span || after.span == most);
            past.timed_out[0].1 = FORGOTTEN_AFTER;
            prop_assert_eq!(learnt_limit(&past).expect("still known").span, before.span, "forgotten");
        }
    }

    #[test]
    fn the_limit_lies_between_the_floor_and_the_default_for_ordinary_tests() {
        let of =
            |passed: &[u64]| learnt_limit(&Past { passed: secs(passed), ..Past::default() }).map(|l| l.span.as_secs());
        assert_eq!(of(&[1; 4]), None);
        assert_eq!(of(&[1; 5]), Some(45));
        assert_eq!(of(&[1, 1, 1, 1, 20]), Some(80));
        assert_eq!(of(&[40; 5]), Some(120));
        assert_eq!(of(&[100; 5]), Some(200), "one that takes long may take longer than the default");
        let mut with_outlier = vec![2; 19];
        with_outlier.push(90);
        assert_eq!(of(&with_outlier), Some(45));
    }

    #[test]
    fn a_failure_of_the_tests_own_is_not_cut_off_by_what_is_learnt_from_its_passes() {
        let past = Past { passed: secs(&[2; 6]), failed: secs(&[62, 3]), timed_out: Vec::new() };
        assert_eq!(learnt_limit(&past).map(|limit| limit.span.as_secs()), Some(93));
    }

    #[test]
    fn limits_that_somebody_named_stay_as_they_are() {
        let named = TimeLimit::named(Duration::from_secs(3), LimitSource::Flag);
        assert_eq!(named.clone().after_timeout(Duration::from_secs(3)), named);
        assert_eq!(TimeLimit::default_limit().after_timeout(DEFAULT_LIMIT), TimeLimit::default_limit());
    }

    #[test]
    fn every_limit_says_why() {
        let learnt = learnt_limit(&Past { passed: secs(&[3; 7]), ..Past::default() }).expect("learnt");
        let raised = learnt.clone().after_timeout(learnt.span);
        let named = |source| TimeLimit::named(Duration::from_secs(9), source);
        let all = [named(LimitSource::Flag), named(LimitSource::Manifest), TimeLimit::default_limit(), learnt, raised];
        assert_eq!(
            all.map(|limit| format!("{} s ({limit})", limit.span.as_secs())),
            [
                "9 s (by --test-timeout)",
                "9 s (by test_timeout in the manifest)",
                "120 s (the default, as fewer than 5 passed attempts of this test are known)",
                "45 s (learnt from 7 passed attempts, which took up to 3.0 s)",
                "90 s (learnt from 7 passed attempts, which took up to 3.0 s, and raised after one that was stopped at 45.0 s)",
            ]
        );
    }
}
