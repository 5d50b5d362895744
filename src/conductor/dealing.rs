//! From the plan of a run to the queue that deals it out.

use std::collections::HashMap;

use super::repeat::Repeats;
use super::state::Rules;
use crate::event::PlannedTest;
use crate::plan::Plan;
use crate::queue::{Queue, Traits};

/// The queue of a plan; no lane takes part in it yet.
pub(super) fn queue_of(plan: &Plan, repeats: &Repeats, rules: &Rules) -> Queue {
    let executions = repeats
        .rounds(&plan.units)
        .map(|(round, unit)| unit.tests.iter().map(|test| repeats.execution(*test, round)).collect());
    // A worker is never asked for one test twice at once, so units are not put together where tests are repeated.
    let batching = rules.batching.clone().filter(|_| rules.repeat <= 1);
    let durations_known = plan.known * 2 >= plan.tests.len();
    Queue::new(repeats.executions(), executions, rules.limits)
        .knowing(repeats.each(&traits(&plan.tests)))
        .batching(batching.map(|batching| batching.with_known_durations(durations_known)))
        .suspecting(rules.keeps_failed)
}

/// What the queue must know of each test.
fn traits(tests: &[PlannedTest]) -> Vec<Traits> {
    fn number<'a>(numbers: &mut HashMap<&'a str, usize>, name: &'a str) -> usize {
        let next = numbers.len();
        *numbers.entry(name).or_insert(next)
    }
    let (mut files, mut resources, mut projects) = (HashMap::new(), HashMap::new(), HashMap::new());
    let traits = tests.iter().map(|test| Traits {
        expected: test.expected,
        file: number(&mut files, &test.file),
        needs: test.needs.iter().map(|need| number(&mut resources, need)).collect(),
        project: test.project.as_deref().map(|project| number(&mut projects, project)),
    });
    traits.collect()
}
