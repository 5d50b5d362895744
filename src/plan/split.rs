//! Long files in several units, where that is expected to shorten the run. Pure.
//!
//! A file that takes longer than its share, which is all work divided by the lanes, keeps one lane busy while the others
//! have nothing left. It is cut between tests that do not build on each other, in the order in which they are listed, so
//! that its parts take about the same time. What the file runs before its first test is then paid once for each part,
//! which the estimate counts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use indexmap::IndexMap;

use super::PlannedUnit;
use super::starts::Starts;
use crate::event::PlannedTest;

/// Of a run's expected time, in percent: a split that gains less is not worth the hooks that it repeats.
const LEAST_GAIN: u32 = 3;

/// A file that is run in several units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The file.
    pub file: String,
    /// In how many units.
    pub parts: usize,
    /// By how much the run is expected to be shorter for it.
    pub gain: Duration,
}

/// Splits units where that is expected to shorten the run. `known` says of which tests the history knows how long they
/// take.
pub(super) fn split(
    mut units: Vec<PlannedUnit>,
    tests: &[PlannedTest],
    known: &[bool],
    starts: &Starts,
    lanes: u16,
) -> (Vec<PlannedUnit>, Vec<Split>) {
    let mut splits = Vec::new();
    let mut longest: Vec<usize> = (0..units.len()).collect();
    longest.sort_by_key(|unit| (Reverse(units[*unit].expected), *unit));
    // At most one for each lane can take longer than its share.
    let mut parts_of: Vec<(usize, Vec<PlannedUnit>)> = Vec::new();
    let mut costs: Vec<Duration> = units.iter().map(|unit| cost(unit, starts)).collect();
    let share = costs.iter().sum::<Duration>() / u32::from(lanes.max(1));
    let mut estimate = makespan(&costs, lanes);
    for unit in longest.into_iter().take(usize::from(lanes)) {
        if units[unit].expected <= share || !may_be_split(&units[unit], known) {
            continue;
        }
        let Some((parts, better)) = best_parts(&units[unit], unit, tests, starts, &costs, lanes) else { continue };
        if better * 100 > estimate * (100 - LEAST_GAIN) {
            continue;
        }
        splits.push(Split { file: units[unit].file.clone(), parts: parts.len(), gain: estimate - better });
        costs[unit] = cost(&parts[0], starts);
        costs.extend(parts[1..].iter().map(|part| cost(part, starts)));
        parts_of.push((unit, parts));
        estimate = better;
    }
    for (unit, mut parts) in parts_of {
        let rest = parts.split_off(1);
        units[unit] = parts.remove(0);
        units.extend(rest);
    }
    (units, splits)
}

/// A group stays whole, and units that share a resource run one after another anyway. Of most of the tests it must be
/// known how long they take.
fn may_be_split(unit: &PlannedUnit, known: &[bool]) -> bool {
    let known = unit.tests.iter().filter(|test| known[**test]).count();
    !unit.whole && unit.needs.is_empty() && known * 2 >= unit.tests.len()
}

/// The parts of a unit with which the run is expected to be shortest, and how long it takes then.
fn best_parts(
    unit: &PlannedUnit,
    index: usize,
    tests: &[PlannedTest],
    starts: &Starts,
    costs: &[Duration],
    lanes: u16,
) -> Option<(Vec<PlannedUnit>, Duration)> {
    let atoms = atoms(unit, tests);
    let most = atoms.len().min(usize::from(lanes));
    let tried = (2..=most).map(|count| {
        let parts = cut(unit, &atoms, tests, count);
        let mut costs = costs.to_vec();
        costs[index] = Duration::ZERO;
        costs.extend(parts.iter().map(|part| cost(part, starts)));
        let takes = makespan(&costs, lanes);
        (parts, takes)
    });
    tried.filter(|(parts, _)| parts.len() > 1).min_by_key(|(parts, takes)| (*takes, parts.len()))
}

/// The tests of a unit, those together that build on each other.
fn atoms(unit: &PlannedUnit, tests: &[PlannedTest]) -> Vec<Vec<usize>> {
    let mut atoms: IndexMap<(Option<u32>, usize), Vec<usize>> = IndexMap::new();
    for test in &unit.tests {
        let key = tests[*test].together.map_or((None, *test), |together| (Some(together), 0));
        atoms.entry(key).or_default().push(*test);
    }
    atoms.into_values().collect()
}

/// Cuts a unit into at most so many parts that take about the same time.
fn cut(unit: &PlannedUnit, atoms: &[Vec<usize>], tests: &[PlannedTest], count: usize) -> Vec<PlannedUnit> {
    let expected = |atom: &[usize]| atom.iter().map(|test| tests[*test].expected).sum::<Duration>();
    let parts = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    let empty = || PlannedUnit { tests: Vec::new(), expected: Duration::ZERO, ..unit.clone() };
    let mut done = vec![empty()];
    let mut dealt = Duration::ZERO;
    for atom in atoms {
        let takes = expected(atom);
        let number = u32::try_from(done.len()).unwrap_or(u32::MAX);
        // The middle of what comes next lies beyond the end of this part.
        let full = (dealt + takes / 2) * parts > unit.expected * number;
        if full && done.len() < count && done.last().is_some_and(|part| !part.tests.is_empty()) {
            done.push(empty());
        }
        if let Some(part) = done.last_mut() {
            part.tests.extend(atom);
            part.expected += takes;
        }
        dealt += takes;
    }
    for part in &mut done {
        part.tests.sort_unstable();
    }
    done
}

fn cost(unit: &PlannedUnit, starts: &Starts) -> Duration {
    unit.expected + starts.of(&unit.file)
}

/// How long a run takes that deals these out over the lanes, the longest first.
pub(super) fn makespan(costs: &[Duration], lanes: u16) -> Duration {
    let mut costs = costs.to_vec();
    costs.sort_unstable_by_key(|cost| Reverse(*cost));
    let mut ends: BinaryHeap<Reverse<Duration>> = (0..lanes.max(1)).map(|_| Reverse(Duration::ZERO)).collect();
    for cost in costs {
        if let Some(Reverse(end)) = ends.pop() {
            ends.push(Reverse(end + cost));
        }
    }
    ends.into_iter().map(|Reverse(end)| end).max().unwrap_or_default()
}
