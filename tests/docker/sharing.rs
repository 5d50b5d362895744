//! What a Compose file asks for beyond images and commands reaches the containers: the suite looks from within.

use std::fs;
use std::path::Path;

use crate::stage::Stage;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/shared");

#[test]
fn services_share_what_they_are_to_share_and_are_given_what_they_are_to_have() {
    let stage = Stage::new("services_share_what_they_are_to_share_and_are_given_what_they_are_to_have");
    let run = stage.shakedown(SHARED).env("SHARED_TOKEN", "swordfish-4711").run();
    let record = run.expect_code(0).record();
    let verdicts = record.history.verdicts();
    assert_eq!(record.history.verdict("which nobody then reads"), "flaky");
    assert_eq!(verdicts.values().filter(|verdict| **verdict == "passed").count(), 8, "{verdicts:#?}");

    let log = record.folder.join("logs/1.1/web.log");
    let log = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    assert!(log.contains("token is ***"), "{log}");
    assert_nowhere(&record.folder, b"swordfish");
    assert_nowhere(&record.folder, b"BEGIN-KEY");
}

/// No file below `folder` holds this.
fn assert_nowhere(folder: &Path, secret: &[u8]) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_nowhere(&path, secret);
        } else {
            let content = fs::read(&path).expect("a file");
            assert!(!content.windows(secret.len()).any(|part| part == secret), "it stands in {}", path.display());
        }
    }
}
