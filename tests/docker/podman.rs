//! Podman's service, which speaks Docker's API: what a run does on Docker, it does there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use shakedown::verdict::Outcome;

use crate::doctor::{doctor, said};
use crate::private_podman::PrivatePodman;
use crate::program::Invocation;
use crate::stage::{Stage, TINY, write};

/// An image with Ruby and RSpec in it.
const IMAGE: &str = "shakedown-test/tiny";
/// What a killed run has made is gone within this.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Podman with an image to start from: within its namespaces there is no way to any package.
fn podman() -> PrivatePodman {
    let built = Command::new("docker").args(["build", "--tag", IMAGE, TINY]).stdout(Stdio::null()).status();
    assert!(built.expect("docker can be started").success(), "the image can't be built");
    let podman = PrivatePodman::start();
    podman.copy_image(IMAGE);
    podman
}

/// The tiny suite, whose image the run builds on that one.
fn manifest(stage: &Stage) -> PathBuf {
    let folder = stage.folder().join("tiny");
    copy(Path::new(TINY), &folder);
    let copied = "WORKDIR /suite\nCOPY app ./app\nCOPY spec ./spec\nCOPY variants ./variants\nEXPOSE 8000\n";
    write(&folder.join("Dockerfile"), format!("FROM {IMAGE}\n{copied}"));
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            write(&target, fs::read(entry.path()).expect("a file"));
        }
    }
}

fn on(podman: &PrivatePodman, stage: &Stage, manifest: &Path) -> Invocation {
    stage.shakedown(manifest).with(&format!("--engine {}", podman.address()))
}

#[test]
fn on_podman_a_suite_passes_or_fails_as_it_does_on_docker() {
    let stage = Stage::elsewhere("on_podman_a_suite_passes_or_fails_as_it_does_on_docker");
    let podman = podman();
    let manifest = manifest(&stage);
    let passed = on(&podman, &stage, &manifest).run().expect_code(0);
    let record = passed.record();
    assert_eq!((record.json.counts.total, record.json.counts.passed, record.json.counts.skipped), (26, 25, 1));
    assert!(record.history.environments.iter().all(|row| row.broken.is_none()), "{}", passed.said);
    assert!(passed.said.contains("IMAGE web: ready"), "it was built there: {}", passed.said);
    assert_eq!(podman.things(), Vec::<String>::new());

    // The images are found again. One test fails everywhere, one is flaky, and an application that crashes is no test's
    // fault.
    let failed = on(&podman, &stage, &manifest).faults("broken=always,flaky,crash").run().expect_code(1);
    assert!(!failed.said.contains("IMAGE"), "built again: {}", failed.said);
    let history = failed.record().history;
    assert_eq!(history.verdict("adds up"), "failed");
    assert_eq!(history.verdict("comes in time"), "flaky");
    assert_eq!(history.outcomes("is made"), ["environment broke", "passed"], "{}", failed.said);
    assert!(failed.said.contains("web ended with exit code 7 while tests ran"), "{}", failed.said);

    let text = said(&doctor(&[TINY], stage.folder(), Some(&podman.address())), 0);
    assert!(text.contains("Podman ") && text.contains("A run can start"), "{text}");

    // What Podman can't do is refused before a service comes up empty.
    let settings = fs::read_to_string(manifest.join("shakedown.toml")).expect("it is there");
    let with = settings.replace("[environment]", "[environment]\nsnapshot = [\"migrate\", \"web\"]");
    write(&manifest.join("shakedown.toml"), with);
    let refused = on(&podman, &stage, &manifest).run().expect_code(3);
    let expected = "no snapshot could be made: Podman leaves volumes out of what it hands over of a container, so that a \
                    frozen service would come up empty";
    assert!(refused.said.contains(expected), "{}", refused.said);
    assert_eq!(podman.things(), Vec::<String>::new());
}

#[test]
fn on_podman_nothing_stays_of_a_run_that_is_killed_and_a_lost_service_blames_no_test() {
    let stage = Stage::elsewhere("on_podman_nothing_stays_of_a_run_that_is_killed_and_a_lost_service_blames_no_test");
    let mut podman = podman();
    let manifest = manifest(&stage);
    // Ten tests are enough.
    let settings = fs::read_to_string(manifest.join("shakedown.toml")).expect("it is there");
    let fewer = "paths = [\"spec/counter_spec.rb\", \"spec/names_spec.rb\", \"spec/value_spec.rb\"]";
    write(&manifest.join("shakedown.toml"), settings.replace("paths = [\"spec\"]", fewer));
    let mut running = on(&podman, &stage, &manifest).faults("slow").start();
    running.until(" PASSED [");
    assert!(!podman.things().is_empty());
    running.signal(Signal::SIGKILL);
    running.finish();
    podman.assert_nothing_stays(GONE_WITHIN);

    let mut running = on(&podman, &stage, &manifest).faults("slow").start();
    running.until(" PASSED [");
    podman.kill();
    running.listen_for(Duration::from_secs(1));
    podman.start_again();
    let finished = running.finish().expect_code(0);
    let record = finished.record();
    for attempt in &record.history.attempts {
        let innocent = matches!(attempt.outcome, Outcome::Passed | Outcome::EnvironmentBroke { .. });
        assert!(innocent, "{attempt:?}");
    }
    assert!(record.history.environments.iter().any(|row| row.broken.is_some()), "none lost: {}", finished.said);
    assert_eq!(record.json.counts.passed, 10, "{}", finished.said);
    podman.assert_nothing_stays(GONE_WITHIN);
}
