//! The lending desk: PHPUnit and a browser, of which nothing is known but JUnit XML.

use crate::stage::Stage;

const LENDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/lending");

#[test]
fn a_suite_that_writes_junit_only_is_told_apart_by_test() {
    let stage = Stage::new("a_suite_that_writes_junit_only_is_told_apart_by_test");
    let run = stage.shakedown(LENDING).env("LENDING_FAULTS", "lost-update,bug=always").with("--lanes 2");
    let record = run.patiently().run().expect_code(1).record();
    let raced = "testTwoReadersAtTheSameMomentDoNotGetTheSameCopy";
    assert_eq!(record.history.outcomes(raced), ["failed", "passed"]);
    assert_eq!(record.history.verdict(raced), "flaky");
    assert_eq!(record.history.outcomes("testEachFurtherDayIsPaid"), ["failed"; 3]);
    assert_eq!(record.history.verdict("testTheDeskLendsByItsForm"), "passed");
    assert_eq!((record.json.counts.failed, record.json.counts.total), (3, 16));
}
