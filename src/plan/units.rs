//! From tests to units, and from units to their order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_pcg::Pcg64;

use super::PlannedUnit;
use crate::event::PlannedTest;

/// Deals tests into units: the files of a group form one; otherwise the tests of one file and project that need the same
/// resources.
pub(super) fn units(tests: &[PlannedTest], group_of: impl Fn(&str) -> Option<usize>) -> Vec<PlannedUnit> {
    #[derive(PartialEq, Eq, Hash)]
    enum Key<'a> {
        Group(usize),
        File(&'a str, &'a BTreeSet<String>, Option<&'a str>),
    }
    let mut units: IndexMap<Key<'_>, PlannedUnit> = IndexMap::new();
    for (index, test) in tests.iter().enumerate() {
        let group = group_of(&test.file);
        let key = group.map_or(Key::File(&test.file, &test.needs, test.project.as_deref()), Key::Group);
        let unit = units.entry(key).or_insert_with(|| PlannedUnit {
            file: test.file.clone(),
            tests: Vec::new(),
            expected: Duration::ZERO,
            needs: BTreeSet::new(),
            whole: group.is_some(),
        });
        unit.tests.push(index);
        unit.expected += test.expected;
        unit.needs.extend(test.needs.iter().cloned());
    }
    units.into_values().collect()
}

/// The order in which units are dealt out, the longest first. Units that share a resource run one after another, so that
/// each counts as long as all of them together. The shortest, which together hold at most a third of the expected work,
/// are shuffled by the seed.
pub(super) fn order(mut units: Vec<PlannedUnit>, seed: u64) -> Vec<PlannedUnit> {
    let mut chains: BTreeMap<String, Duration> = BTreeMap::new();
    for unit in &units {
        for resource in &unit.needs {
            *chains.entry(resource.clone()).or_default() += unit.expected;
        }
    }
    let weight = |unit: &PlannedUnit| {
        let chains = unit.needs.iter().filter_map(|resource| chains.get(resource).copied());
        chains.max().unwrap_or_default().max(unit.expected)
    };
    units.sort_by_cached_key(|unit| (std::cmp::Reverse((weight(unit), unit.expected)), unit.file.clone()));
    let total: Duration = units.iter().map(|unit| unit.expected).sum();
    let mut tail_work = Duration::ZERO;
    let tail = units
        .iter()
        .rev()
        .take_while(|unit| {
            tail_work += unit.expected;
            tail_work <= total / 3 && unit.needs.is_empty()
        })
        .count();
    let start = units.len() - tail;
    units[start..].shuffle(&mut Pcg64::seed_from_u64(seed));
    units
}
