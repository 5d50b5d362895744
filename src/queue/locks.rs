//! Resources that one lane at a time may use. Pure.
//!
//! A unit takes all resources that it needs at once, and its lane keeps them until it is at rest again or its environment
//! is gone: a worker that was given up may run on for a while. A lane that holds resources waits for none, so that no two
//! lanes can wait for each other. A unit that waits for a resource keeps those behind it from all that it needs, so that
//! it is not passed by for ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::LaneIndex;

/// A resource, by a number that the queue's maker gives it.
pub type Resource = usize;

/// Who holds what.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: BTreeMap<Resource, LaneIndex>,
}

impl Locks {
    /// The lane holds these from now on; they were free.
    pub(super) fn hold(&mut self, lane: LaneIndex, needs: &BTreeSet<Resource>) {
        self.held.extend(needs.iter().map(|resource| (*resource, lane)));
    }

    /// The lane uses nothing any more.
    pub(super) fn release(&mut self, lane: LaneIndex) {
        self.held.retain(|_, holder| *holder != lane);
    }

    fn are_free(&self, needs: &BTreeSet<Resource>) -> bool {
        needs.iter().all(|resource| !self.held.contains_key(resource))
    }
}

/// One look through the units that wait, in their order.
pub(super) struct Look<'a> {
    locks: &'a Locks,
    kept: BTreeSet<Resource>,
    /// Whether a unit could not be taken for want of a resource.
    pub(super) blocked: bool,
}

impl<'a> Look<'a> {
    pub(super) fn new(locks: &'a Locks) -> Self {
        Self { locks, kept: BTreeSet::new(), blocked: false }
    }

    /// Whether a unit with these needs may be taken; if not, it keeps what it needs from those behind it.
    pub(super) fn may_take(&mut self, needs: &BTreeSet<Resource>) -> bool {
        if self.locks.are_free(needs) && self.kept.is_disjoint(needs) {
            return true;
        }
        self.kept.extend(needs);
        self.blocked = true;
        false
    }
}
