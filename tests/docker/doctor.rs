//! `shakedown doctor`, on the real engine of this host.

use std::path::Path;
use std::process::{Command, Output};

use crate::docker;
use crate::guard::in_its_midst;
use crate::stage::{Stage, TINY};

pub(crate) fn doctor(arguments: &[&str], reports: &Path, host: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shakedown"));
    command.arg("doctor").args(arguments).arg("--reports").arg(reports);
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    command.output().expect("started")
}

#[track_caller]
pub(crate) fn said(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_doctor_sees_a_living_run_and_changes_nothing() {
    let stage = Stage::alone("the_doctor_sees_a_living_run_and_changes_nothing");
    let (running, run, _) = in_its_midst(&stage);
    let before = docker::things_of(&run);
    let text = said(&doctor(&[TINY], stage.folder(), None), 0);
    for wanted in ["Docker 20", "1 run under way (", "suite tiny of 3 services", "are on the engine", "A run can start"]
    {
        assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text}");
    assert_eq!(docker::things_of(&run).len(), before.len());
    running.finish().expect_code(0);
}

#[test]
fn the_doctor_says_what_to_do_without_an_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = said(&doctor(&[], folder.path(), Some("unix:///nowhere.sock")), 3);
    assert!(text.contains("problem  engine") && text.contains("/nowhere.sock"), "{text}");
    assert!(text.contains("A run would not work here: 1 problem"), "{text}");
}
