//! Which tests, in which units, in which order. Pure: the same listing, history and seed give the same plan.
//!
//! A unit is one file's tests. Units are dealt longest expected first, so that no long one is left for the end;
//! the shortest of them, which together hold at most a third of the expected work, are shuffled by the seed, so that
//! a dependence on the order can't hide. A test without history is expected to take the median of the known ones.

use std::collections::HashMap;
use std::time::Duration;

use indexmap::IndexMap;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

use crate::event::PlannedTest;
use crate::framework::ListedTest;
use crate::id::TestId;

/// What a new test is expected to take where there is no history at all.
const UNKNOWN: Duration = Duration::from_secs(1);

/// The tests of a run and the units in the order in which they are dealt out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All tests, as listed.
    pub tests: Vec<PlannedTest>,
    /// The units, first to be dealt first. Every test is in exactly one.
    pub units: Vec<PlannedUnit>,
    /// How many tests have a duration in the history.
    pub known: usize,
}

/// A unit before it is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedUnit {
    /// The file that its tests share.
    pub file: String,
    /// Indices into [`Plan::tests`], in the order in which the framework listed them.
    pub tests: Vec<usize>,
    /// What they are expected to take together.
    pub expected: Duration,
}

/// A test as it was listed, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTest {
    /// Stable from run to run.
    pub id: TestId,
    /// As the framework listed it.
    pub listed: ListedTest,
}

/// Names all tests of a suite. A name depends on the others of its file, so it is given before any are left out.
pub fn named(listed: Vec<ListedTest>) -> Vec<NamedTest> {
    let ids = test_ids(&listed);
    ids.into_iter().zip(listed).map(|(id, listed)| NamedTest { id, listed }).collect()
}

/// Makes the plan of the tests that are to be run.
pub fn plan(tests: Vec<NamedTest>, history: &HashMap<TestId, Duration>, seed: u64) -> Plan {
    let (ids, listed): (Vec<TestId>, Vec<ListedTest>) = tests.into_iter().map(|test| (test.id, test.listed)).unzip();
    let durations: Vec<Option<Duration>> = ids.iter().map(|id| history.get(id).copied()).collect();
    let typical = median(durations.iter().flatten().copied().collect()).unwrap_or(UNKNOWN);
    let known = durations.iter().flatten().count();
    let tests: Vec<PlannedTest> = listed
        .into_iter()
        .zip(ids)
        .zip(durations)
        .map(|((test, id), duration)| PlannedTest {
            id,
            selector: test.selector,
            file: test.file,
            line: test.line,
            name: test.name,
            tags: test.tags,
            expected: duration.unwrap_or(typical),
        })
        .collect();
    let units = order(units_by_file(&tests), seed);
    Plan { tests, units, known }
}

/// Names tests stably; tests of the same file and name are told apart by their order.
fn test_ids(listed: &[ListedTest]) -> Vec<TestId> {
    let mut seen: HashMap<(&str, &str), u32> = HashMap::new();
    listed
        .iter()
        .map(|test| {
            let occurrence = seen.entry((&test.file, &test.name)).or_default();
            *occurrence += 1;
            TestId::new(&test.file, &test.name, *occurrence)
        })
        .collect()
}

fn units_by_file(tests: &[PlannedTest]) -> Vec<PlannedUnit> {
    let mut by_file: IndexMap<&str, PlannedUnit> = IndexMap::new();
    for (index, test) in tests.iter().enumerate() {
        let unit = by_file.entry(&test.file).or_insert_with(|| PlannedUnit {
            file: test.file.clone(),
            tests: Vec::new(),
            expected: Duration::ZERO,
        });
        unit.tests.push(index);
        unit.expected += test.expected;
    }
    by_file.into_values().collect()
}

fn order(mut units: Vec<PlannedUnit>, seed: u64) -> Vec<PlannedUnit> {
    units.sort_by(|a, b| b.expected.cmp(&a.expected).then_with(|| a.file.cmp(&b.file)));
    let total: Duration = units.iter().map(|unit| unit.expected).sum();
    let mut tail_work = Duration::ZERO;
    let tail = units
        .iter()
        .rev()
        .take_while(|unit| {
            tail_work += unit.expected;
            tail_work <= total / 3
        })
        .count();
    let start = units.len() - tail;
    units[start..].shuffle(&mut Pcg64::seed_from_u64(seed));
    units
}

/// The median; of an even number of values the lower of the middle two.
fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed(files: &[u8]) -> Vec<NamedTest> {
        let tests = files.iter().enumerate().map(|(index, count)| (index, *count)).flat_map(|(file, count)| {
            (0..count).map(move |n| ListedTest {
                selector: format!("./spec/{file}_spec.rb[1:{n}]"),
                file: format!("spec/{file}_spec.rb"),
                line: u32::from(n) + 1,
                name: format!("does {}", n / 2),
                tags: vec![],
                group: None,
            })
        });
        named(tests.collect())
    }

    fn history(plan: &Plan, seconds: &[u8]) -> HashMap<TestId, Duration> {
        plan.tests
            .iter()
            .zip(seconds)
            .filter(|(_, s)| **s > 0)
            .map(|(test, s)| (test.id.clone(), Duration::from_secs(u64::from(*s))))
            .collect()
    }

    proptest! {
        #[test]
        fn every_listed_test_is_in_exactly_one_unit_and_has_an_id_of_its_own(
            files in prop::collection::vec(0..9u8, 0..20), seconds in prop::collection::vec(0..60u8, 0..100), seed: u64,
        ) {
            let first = plan(listed(&files), &HashMap::new(), seed);
            let plan = plan(listed(&files), &history(&first, &seconds), seed);
            let mut dealt: Vec<usize> = plan.units.iter().flat_map(|u| u.tests.clone()).collect();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, (0..plan.tests.len()).collect::<Vec<_>>());
            let ids: std::collections::HashSet<_> = plan.tests.iter().map(|t| &t.id).collect();
            prop_assert_eq!(ids.len(), plan.tests.len());
        }

        #[test]
        fn the_same_seed_and_history_give_the_same_plan(
            files in prop::collection::vec(0..9u8, 0..20), seconds in prop::collection::vec(0..60u8, 0..100), seed: u64,
        ) {
            let first = plan(listed(&files), &HashMap::new(), seed);
            let history = history(&first, &seconds);
            prop_assert_eq!(plan(listed(&files), &history, seed), plan(listed(&files), &history, seed));
        }

        #[test]
        fn two_thirds_of_the_expected_work_are_dealt_longest_first(
            files in prop::collection::vec(1..9u8, 1..20), seconds in prop::collection::vec(1..60u8, 180), seed: u64,
        ) {
            let first = plan(listed(&files), &HashMap::new(), seed);
            let plan = plan(listed(&files), &history(&first, &seconds), seed);
            let total: Duration = plan.units.iter().map(|u| u.expected).sum();
            let mut done = Duration::ZERO;
            for pair in plan.units.windows(2) {
                done += pair[0].expected;
                if done * 3 < total * 2 {
                    prop_assert!(pair[0].expected >= pair[1].expected);
                }
            }
        }
    }

    #[test]
    fn a_new_test_is_expected_to_take_the_median_of_the_known_ones() {
        let tests = listed(&[2, 2]);
        let first = plan(tests.clone(), &HashMap::new(), 1);
        let second = plan(tests, &history(&first, &[3, 7, 9]), 1);
        assert_eq!(second.tests[3].expected, Duration::from_secs(7));
        assert_eq!((first.known, second.known), (0, 3));
    }

    #[test]
    fn another_seed_gives_another_order_of_the_short_units() {
        let order = |seed| plan(listed(&[1; 30]), &HashMap::new(), seed).units;
        assert_ne!(order(1), order(2));
    }
}
