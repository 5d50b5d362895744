//! The pytest worker is Python, and so are its own tests; this runs them with all others.

use std::process::Command;

use crate::stage::Stage;

#[test]
fn the_pytest_worker_holds_its_own_tests() {
    let _stage = Stage::new("the_pytest_worker_holds_its_own_tests");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pytest_worker/run");
    let output = Command::new(script).output().expect("tests/pytest_worker/run can be started");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
}
