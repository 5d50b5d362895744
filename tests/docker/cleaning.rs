//! `shakedown clean`, on what was left by a run that was killed together with its guard.

use std::process::Command;

use nix::sys::signal::{Signal, kill};

use crate::docker;
use crate::guard::in_its_midst;
use crate::stage::Stage;

/// Standard output, once the program has ended with this code.
#[track_caller]
fn clean(arguments: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shakedown")).arg("clean").args(arguments).output().expect("started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}{errors}");
    said
}

#[test]
fn clean_removes_what_a_dead_run_left_and_leaves_a_living_one_alone() {
    let stage = Stage::alone("clean_removes_what_a_dead_run_left_and_leaves_a_living_one_alone");
    let (dead, dead_run, guard) = in_its_midst(&stage);
    kill(guard, Signal::SIGKILL).expect("killed");
    dead.signal(Signal::SIGKILL);
    dead.finish();
    let left = docker::things_of(&dead_run);
    assert!(left.len() >= 3, "{left:?}");

    let said = clean(&["--dry-run"], 0);
    assert!(said.contains("nothing was touched") && said.matches(&dead_run).count() >= left.len(), "{said}");
    assert_eq!(docker::things_of(&dead_run), left);

    let said = clean(&["--run", &dead_run], 0);
    assert!(said.contains("removed "), "{said}");
    assert_eq!(docker::things_of(&dead_run), []);
    assert!(clean(&["--run", &dead_run], 0).contains("nothing of run"), "it can be done again");

    let (living, living_run, _) = in_its_midst(&stage);
    let said = clean(&[], 0);
    assert!(said.contains(&format!("left alone: run {living_run}, as its process lives")), "{said}");
    assert!(!docker::things_of(&living_run).is_empty());
    clean(&["--images"], 2);
    living.finish().expect_code(0);
}

#[test]
fn clean_says_where_it_looked_for_an_engine_that_is_not_there() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shakedown"));
    let output = command.arg("clean").env("DOCKER_HOST", "unix:///nowhere.sock").output().expect("started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("/nowhere.sock"), "{errors}");
}
