//! How long runs take whose units are put together, and in how many handouts.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::properties::{LIMITS, environment};
use super::{Batching, Queue, Take, TestIndex, Traits};
use crate::id::LaneIndex;
use crate::verdict::Outcome;

/// Deals units that take so many seconds out to lanes of which each asks again when it is done; each handout costs a
/// start. Returns what each handout held, in seconds, and how long it all took.
fn dealt(units: &[u64], lanes: u16, start: u64, batching: Option<Batching>) -> (Vec<u64>, u64) {
    let traits = units.iter().map(|s| Traits { expected: Duration::from_secs(*s), ..Traits::default() });
    let one_each = (0..units.len()).map(|test| vec![test]);
    let mut queue = Queue::new(units.len(), one_each, LIMITS).knowing(traits).batching(batching);
    let mut ends: Vec<u64> = vec![0; usize::from(lanes)];
    let mut held: BTreeSet<(u64, LaneIndex, TestIndex)> = BTreeSet::new();
    let mut handouts = Vec::new();
    for lane in 0..lanes {
        queue.join(environment(lane, 1));
    }
    while let Some(lane) = (0..usize::from(lanes)).min_by_key(|lane| ends[*lane]) {
        while let Some((ended, by, test)) = held.pop_first() {
            if ended > ends[lane] {
                held.insert((ended, by, test));
                break;
            }
            queue.ended(by, test, Outcome::Passed);
        }
        let index = LaneIndex(u16::try_from(lane).expect("few"));
        let Take::Unit(handout) = queue.take(index) else { break };
        handouts.push(handout.tests.iter().map(|(test, _)| units[*test]).sum());
        ends[lane] += start;
        for (test, _) in handout.tests {
            ends[lane] += units[test];
            held.insert((ends[lane], index, test));
        }
    }
    (handouts, ends.into_iter().max().unwrap_or_default())
}

#[test]
fn handouts_shrink_towards_the_end_and_are_worth_their_start() {
    let batching = || Some(Batching::new(usize::MAX, Some(Duration::from_secs(2))));
    let (handouts, took) = dealt(&[3; 40], 2, 2, batching());
    assert_eq!(handouts, [30, 30, 15, 15, 6, 6, 3, 3, 6, 6]);
    assert_eq!(took, 70);
    let (handouts, took) = dealt(&[3; 40], 2, 2, batching().map(|batching| batching.with_known_durations(true)));
    assert_eq!((handouts.as_slice(), took), ([60, 60].as_slice(), 62));
    let (handouts, took) = dealt(&[3; 80], 2, 2, batching().map(|batching| batching.with_known_durations(true)));
    assert_eq!((handouts.as_slice(), took), ([90, 90, 30, 30].as_slice(), 124));
    assert_eq!(dealt(&[3; 40], 1, 2, batching()), (vec![120], 122));
    let (each, one_by_one) = dealt(&[3; 40], 2, 2, None);
    assert_eq!((each.len(), one_by_one), (40, 100));
}

proptest! {
    #[test]
    fn batches_are_never_much_slower_than_the_bound_whatever_a_start_costs(
        units in prop::collection::vec(1..30u64, 1..60), lanes in 1..6u16, start in 0..20u64, known: bool,
    ) {
        let mut units = units;
        units.sort_unstable_by_key(|unit| std::cmp::Reverse(*unit));
        let batching = Batching::new(usize::MAX, Some(Duration::from_secs(start))).with_known_durations(known);
        let batching = Some(batching);
        let (handouts, took) = dealt(&units, lanes, start, batching);
        let work: u64 = units.iter().sum();
        prop_assert_eq!(handouts.iter().sum::<u64>(), work);
        let share = work.div_ceil(u64::from(lanes));
        // The last lane to end has at most one handout more than the others: half of what was left, or four starts'
        // worth, or one unit; and between two handouts of it there are not many starts.
        let starts = handouts.len() as u64 * start / u64::from(lanes) + start;
        prop_assert!(took <= share + starts + units[0].max(4 * start).max(share / 2), "{took} s for {handouts:?}");
    }
}
