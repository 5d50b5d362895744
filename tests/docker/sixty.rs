//! As many environments as one engine is promised to carry, each of two tiny containers. `benches/sixty.rs` measures it.

use std::collections::BTreeSet;
use std::fs::OpenOptions;

use crate::stage::{Stage, write};

const ENVIRONMENTS: usize = 60;

#[test]
fn sixty_environments_are_up_at_once_run_a_test_each_and_are_gone() {
    let stage = Stage::alone("sixty_environments_are_up_at_once_run_a_test_each_and_are_gone");
    let folder = stage.folder().join("manifest");
    write(&folder.join("compose.yaml"), include_str!("sixty/compose.yaml"));
    write(&folder.join("shakedown.toml"), include_str!("sixty/shakedown.toml"));
    for test in 0..ENVIRONMENTS {
        write(&folder.join(format!("suite/tests/{test:02}.sh")), include_str!("sixty/test.sh"));
    }
    write(&folder.join("suite/gate/README"), "");
    let gate = folder.join("suite/gate/fifo");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().expect("mkfifo").success());

    let arguments = format!("--lanes {ENVIRONMENTS} --attempts 1");
    let mut running = stage.shakedown(&folder).with(&arguments).patiently().start();
    for _ in 0..ENVIRONMENTS {
        running.until("READY environment");
    }
    // No test has ended so far, so that every environment has one.
    write(&folder.join("suite/gate/open"), "");
    let _open = OpenOptions::new().read(true).write(true).open(&gate).expect("it is opened");
    let record = running.finish().expect_code(0).record();
    assert_eq!(record.json.first_try.passed, ENVIRONMENTS);
    let environments: BTreeSet<_> = record.history.attempts.iter().map(|attempt| attempt.environment).collect();
    assert_eq!(environments.len(), ENVIRONMENTS);
}
