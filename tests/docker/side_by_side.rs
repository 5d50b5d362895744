//! Two runs at once on one engine.

use crate::docker;
use crate::stage::{Manifest, Stage, TINY};

#[test]
fn runs_side_by_side_do_not_touch_each_other() {
    let stage = Stage::alone("runs_side_by_side_do_not_touch_each_other");
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

#[test]
fn a_pool_of_subnets_that_others_have_taken_ends_the_run_with_the_reason() {
    let stage = Stage::new("a_pool_of_subnets_that_others_have_taken_ends_the_run_with_the_reason");
    // A /28 for each of two lanes; the first run has both.
    let settings = "subnets = \"10.214.7.0/27\"\nsubnet_size = 28\nlanes = 2";
    let manifest = stage.manifest(&Manifest { settings, ..Manifest::default() });
    let mut first = stage.shakedown(&manifest).faults("slow").start();
    first.until(" PASSED [");
    first.until(" PASSED [");
    let second = crate::program::Invocation::new(TINY.as_ref(), &stage.folder().join("elsewhere"));
    let second = second.env("SHAKEDOWN_SUBNETS", "10.214.7.0/26").with("--lanes 1").run().expect_code(3);
    let told = "all subnets of 10.214.7.0/26 (1 subnet of /26) are taken by other networks";
    assert!(second.said.contains(told), "{}", second.said);
    first.finish().expect_code(0);

    let bad = stage.tiny().env("SHAKEDOWN_SUBNETS", "10.214.7.0").run().expect_code(2);
    assert!(
        bad.said.contains("SHAKEDOWN_SUBNETS: \"10.214.7.0\" is not an IPv4 network with its size"),
        "{}",
        bad.said
    );
}
