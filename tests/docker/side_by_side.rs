//! Two runs at once on one engine.

use crate::docker;
use crate::stage::{Stage, TINY};

#[test]
fn runs_side_by_side_do_not_touch_each_other() {
    let stage = Stage::new("runs_side_by_side_do_not_touch_each_other");
    let mut first = stage.tiny().faults("slow").start();
    first.until(" PASSED [");
    let first_run = first.run_id().expect("it has said it");
    let before = docker::things_of(&first_run);

    // The second removes at its start what dead runs have left; the first is alive, and not by its own history.
    let elsewhere = stage.folder().join("elsewhere");
    let second = crate::program::Invocation::new(TINY.as_ref(), &elsewhere).start();
    let second = second.finish().expect_code(0);
    assert!(!second.said.contains("WARNING"), "{}", second.said);
    let record = second.record();
    assert_eq!(docker::things_of(record.history.run.header.run.as_str()), []);

    let first = first.finish().expect_code(0);
    let record = first.record();
    assert!(!before.is_empty());
    assert!(record.history.environments.iter().all(|row| row.broken.is_none()), "{:?}", record.history.environments);
    assert_eq!(record.json.counts.passed, 25);
}
