//! Tests that failed alike: with one signature, and so most likely for one cause.

use indexmap::IndexMap;

use super::record::{RunRecord, TestRecord};
use super::text;
use crate::signature::{self, Signature};
use crate::verdict::Outcome;

/// How many bytes of a signature's text are shown.
const SHOWN: usize = 240;

/// Signatures that several tests have, with these tests; the one with most tests first. A time limit that passed is no
/// cause that tests share.
pub(super) fn alike(record: &RunRecord) -> Vec<(Signature, Vec<&TestRecord>)> {
    let mut by_signature: IndexMap<Signature, Vec<&TestRecord>> = IndexMap::new();
    for test in record.tests.values() {
        for attempt in &test.attempts {
            let Outcome::Failed(failure) = &attempt.outcome else { continue };
            let tests = by_signature.entry(signature::of_failure(failure)).or_default();
            if tests.last().is_none_or(|last| last.planned.id != test.planned.id) {
                tests.push(test);
            }
        }
    }
    let mut shared: Vec<_> = by_signature.into_iter().filter(|(_, tests)| tests.len() > 1).collect();
    shared.sort_by_key(|(_, tests)| std::cmp::Reverse(tests.len()));
    shared
}

/// `3 tests failed alike: Net::ReadTimeout at spec/support/browser.rb visit`.
pub(super) fn words(signature: &Signature, tests: &[&TestRecord]) -> String {
    let said = text::one_line(&signature.text);
    let shown = &said[..said.floor_char_boundary(SHOWN)];
    let more = if shown.len() < said.len() { "…" } else { "" };
    format!("{} failed alike: {shown}{more}", text::count(tests.len(), "test"))
}
