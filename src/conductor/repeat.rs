//! Running each test several times.
//!
//! For the queue, each of them is a test of its own, so that they run side by side and none waits for another. Towards
//! the outside they are attempts of one test, which is settled when all of them are.

use crate::id::AttemptNumber;
use crate::queue::TestIndex;
use crate::verdict::{TestVerdict, repeated};

/// Which of the queue's tests are executions of which test of the plan.
#[derive(Debug)]
pub(super) struct Repeats {
    tests: usize,
    times: u32,
    verdicts: Vec<Option<TestVerdict>>,
}

impl Repeats {
    /// Each of `tests` tests is run `times` times, at least once.
    pub(super) fn new(tests: usize, times: u32) -> Self {
        let times = times.max(1);
        Self { tests, times, verdicts: vec![None; tests * times as usize] }
    }

    /// How many tests the queue has.
    pub(super) fn executions(&self) -> usize {
        self.verdicts.len()
    }

    /// What comes in rounds, once for each: in each round it begins one later, so that it is not always the same lane
    /// that comes to the same unit.
    pub(super) fn rounds<T: Clone>(&self, units: &[T]) -> impl Iterator<Item = (usize, T)> {
        let of_round = move |round: usize| {
            let (late, early) = units.split_at(round % units.len().max(1));
            early.iter().chain(late).map(move |unit| (round, unit.clone()))
        };
        (0..self.times as usize).flat_map(of_round)
    }

    /// What is so of each execution, from what is so of each test.
    pub(super) fn each<T: Clone>(&self, of_tests: &[T]) -> Vec<T> {
        of_tests.iter().cycle().take(self.executions()).cloned().collect()
    }

    /// The execution of a test in a round, counted from 0.
    pub(super) fn execution(&self, test: usize, round: usize) -> TestIndex {
        round * self.tests + test
    }

    /// The test that is executed.
    pub(super) fn test(&self, execution: TestIndex) -> usize {
        execution % self.tests.max(1)
    }

    /// The attempt of the test that the `number`th try of an execution is. A further try, after an environment broke,
    /// comes after all first ones, so that no two attempts have the same number.
    pub(super) fn attempt(&self, execution: TestIndex, AttemptNumber(number): AttemptNumber) -> AttemptNumber {
        let round = u32::try_from(execution / self.tests.max(1)).unwrap_or(u32::MAX);
        let before = number.saturating_sub(1).saturating_mul(self.times);
        AttemptNumber(before.saturating_add(round).saturating_add(1))
    }

    /// An execution is settled; returns the test and its verdict, if that is known now.
    pub(super) fn settled(&mut self, execution: TestIndex, verdict: TestVerdict) -> Option<(usize, TestVerdict)> {
        *self.verdicts.get_mut(execution)? = Some(verdict);
        let test = self.test(execution);
        self.verdict(test).map(|verdict| (test, verdict))
    }

    fn verdict(&self, test: usize) -> Option<TestVerdict> {
        let of_test = (0..self.times as usize).map(|round| self.verdicts[self.execution(test, round)]);
        of_test.collect::<Option<Vec<_>>>().map(repeated)
    }

    /// The verdicts of the tests that are settled, in the plan's order.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = TestVerdict> + '_ {
        (0..self.tests).filter_map(|test| self.verdict(test))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_test_is_executed_as_often_as_asked_for_and_settles_with_its_last_execution(
            units in prop::collection::vec(1..4usize, 1..6), times in 1..6u32,
        ) {
            let tests: usize = units.iter().sum();
            let mut next = 0;
            let units: Vec<Vec<usize>> =
                units.into_iter().map(|count| { next += count; (next - count..next).collect() }).collect();
            let mut repeats = Repeats::new(tests, times);
            let executions: Vec<usize> = repeats.rounds(&units)
                .flat_map(|(round, unit)| unit.into_iter().map(move |test| (test, round)))
                .map(|(test, round)| repeats.execution(test, round)).collect();
            let distinct: HashSet<usize> = executions.iter().copied().collect();
            prop_assert_eq!(distinct.len(), executions.len());
            prop_assert_eq!(repeats.executions(), executions.len());

            let mut numbers = HashSet::new();
            for execution in &executions {
                for number in 1..=3 {
                    let attempt = repeats.attempt(*execution, AttemptNumber(number));
                    prop_assert!(numbers.insert((repeats.test(*execution), attempt)), "{attempt} twice");
                }
            }
            let first: HashSet<u32> = executions.iter().filter(|execution| repeats.test(**execution) == 0)
                .map(|execution| repeats.attempt(*execution, AttemptNumber(1)).0).collect();
            prop_assert_eq!(first, (1..=times).collect::<HashSet<_>>(), "what is tried once is counted from 1");

            let mut settled = vec![0; tests];
            for execution in executions {
                if let Some((test, verdict)) = repeats.settled(execution, TestVerdict::Passed) {
                    prop_assert_eq!(verdict, TestVerdict::Passed);
                    settled[test] += 1;
                }
            }
            prop_assert_eq!(settled, vec![1; tests]);
            prop_assert_eq!(repeats.verdicts().count(), tests);
        }
    }

    #[test]
    fn two_lanes_that_take_turns_come_to_all_units() {
        let repeats = Repeats::new(2, 4);
        let order: Vec<&str> = repeats.rounds(&["a", "b"]).map(|(_, unit)| unit).collect();
        assert_eq!(order, ["a", "b", "b", "a", "a", "b", "b", "a"]);
    }
}
