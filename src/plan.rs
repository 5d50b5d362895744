//! Which tests, in which units, in which order. Pure: the same listing, history and seed give the same plan.
//!
//! A unit is one file's tests, unless the manifest groups files, tests of a file differ in the resources or the project
//! that they need, or the file is so long that it is [split]. Units are dealt longest expected first, so that no long one is left for
//! the end; the shortest of them, which together hold at most a third of the expected work, are shuffled by the seed, so
//! that a dependence on the order can't hide. A test without history is expected to take the median of the known ones.

mod split;
mod starts;
mod units;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use indexmap::IndexSet;

use crate::event::PlannedTest;
use crate::framework::ListedTest;
use crate::id::TestId;
use crate::manifest::OrderSettings;

pub use split::Split;
pub use starts::Starts;

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
    /// Files that are run in several units.
    pub splits: Vec<Split>,
}

/// What the plan goes by, besides the tests.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// How long each test is expected to take, as far as it is known.
    pub history: &'a HashMap<TestId, Duration>,
    /// What it costs to start a unit.
    pub starts: &'a Starts,
    /// Which tests stay together, and which resources they need.
    pub order: &'a OrderSettings,
    /// How many lanes there are.
    pub lanes: u16,
    /// Shuffles the short units.
    pub seed: u64,
}

impl Plan {
    /// What is worth saying of the plan, a line each.
    pub fn notes(&self, order: &OrderSettings) -> Vec<String> {
        let splits = self.splits.iter().map(|split| {
            format!(
                "{} is run in {} parts, as it takes longer than its share: that should save {:.1} s",
                split.file,
                split.parts,
                split.gain.as_secs_f64()
            )
        });
        let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let groups = order.groups.iter().enumerate().filter_map(|(number, pattern)| {
            let tests = || self.tests.iter().filter(|test| order.group_of(&test.file) == Some(number));
            let files: BTreeSet<&str> = tests().map(|test| test.file.as_str()).collect();
            let (tests, files) = (tests().count(), files.len());
            let said = format!("{}: {} of {}", pattern.text(), counted(tests, "test"), counted(files, "file"));
            (files > 0).then(|| format!("{said} stay together"))
        });
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for need in self.tests.iter().flat_map(|test| &test.needs) {
            *held.entry(need).or_default() += 1;
        }
        let held = held
            .into_iter()
            .map(|(resource, tests)| format!("{resource} is used by one lane at a time: {}", counted(tests, "test")));
        splits.chain(groups).chain(held).collect()
    }
}

/// A unit before it is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedUnit {
    /// The file that its tests share; of a group the first.
    pub file: String,
    /// Indices into [`Plan::tests`], in the order in which the framework listed them.
    pub tests: Vec<usize>,
    /// What they are expected to take together.
    pub expected: Duration,
    /// What only one lane may use at a time, and these tests use.
    pub needs: BTreeSet<String>,
    /// Whether it is a group of files, which the manifest wants to stay together.
    pub whole: bool,
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
pub fn plan(tests: Vec<NamedTest>, basis: &Basis<'_>) -> Plan {
    let (ids, listed): (Vec<TestId>, Vec<ListedTest>) = tests.into_iter().map(|test| (test.id, test.listed)).unzip();
    let durations: Vec<Option<Duration>> = ids.iter().map(|id| basis.history.get(id).copied()).collect();
    let typical = median(durations.iter().flatten().copied().collect()).unwrap_or(UNKNOWN);
    let known: Vec<bool> = durations.iter().map(Option::is_some).collect();
    let together = together(&listed, basis.order);
    let needs = needs(&listed, &together, basis.order);
    let tests: Vec<PlannedTest> = listed
        .into_iter()
        .zip(ids)
        .zip(durations)
        .zip(together.into_iter().zip(needs))
        .map(|(((test, id), duration), (together, needs))| PlannedTest {
            id,
            selector: test.selector,
            file: test.file,
            line: test.line,
            name: test.name,
            tags: test.tags,
            expected: duration.unwrap_or(typical),
            together,
            needs,
            project: test.project,
        })
        .collect();
    let units = units::units(&tests, |file| basis.order.group_of(file));
    let (units, splits) = split::split(units, &tests, &known, basis.starts, basis.lanes);
    let known = known.into_iter().filter(|known| *known).count();
    Plan { tests, units: units::order(units, basis.seed), known, splits }
}

/// What tests must be run in one go with: the same number for all tests of a group of files, and for tests of one file
/// that the framework says build on each other.
fn together(listed: &[ListedTest], order: &OrderSettings) -> Vec<Option<u32>> {
    #[derive(PartialEq, Eq, Hash)]
    enum Key<'a> {
        Files(usize),
        Tests(&'a str, &'a str, Option<&'a str>),
    }
    let mut numbers: IndexSet<Key<'_>> = IndexSet::new();
    listed
        .iter()
        .map(|test| {
            let by_files = order.group_of(&test.file).map(Key::Files);
            let by_tests = || Some(Key::Tests(&test.file, test.group.as_deref()?, test.project.as_deref()));
            let key = by_files.or_else(by_tests)?;
            let (number, _) = numbers.insert_full(key);
            u32::try_from(number).ok()
        })
        .collect()
}

/// What each test needs for itself; what one needs, all need that are run in one go with it.
fn needs(listed: &[ListedTest], together: &[Option<u32>], order: &OrderSettings) -> Vec<BTreeSet<String>> {
    let own: Vec<BTreeSet<String>> = listed.iter().map(|test| order.needs_of(&test.file, &test.tags)).collect();
    let mut shared: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (own, together) in own.iter().zip(together) {
        if let Some(together) = together {
            shared.entry(*together).or_default().extend(own.iter().cloned());
        }
    }
    let all = own.into_iter().zip(together);
    all.map(|(own, together)| together.and_then(|together| shared.get(&together).cloned()).unwrap_or(own)).collect()
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

/// The median; of an even number of values the lower of the middle two.
fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests;
