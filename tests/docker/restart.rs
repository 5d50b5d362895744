//! The engine goes away in the middle of a run: for a moment, or for good.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use shakedown::verdict::Outcome;

use crate::outcome::Record;
use crate::private_engine::PrivateEngine;
use crate::stage::{Stage, TINY, write};

/// An image with Ruby and RSpec in it.
const IMAGE: &str = "shakedown-test/tiny";
/// How long an environment may take to become ready, and so how long an engine is waited for.
const READY_WITHIN: Duration = Duration::from_secs(15);
const FILES: usize = 6;
const TESTS_PER_FILE: usize = 3;

/// A manifest whose tests need nothing but time.
fn manifest(stage: &Stage) -> PathBuf {
    let folder = stage.folder().join("idle");
    for file in 0..FILES {
        let mut spec = format!("RSpec.describe \"Rest {file}\" do\n");
        for test in 0..TESTS_PER_FILE {
            writeln!(spec, "  it(\"lasts for a moment {test}\") {{ sleep 0.4 }}").expect("text");
        }
        write(&folder.join(format!("spec/rest_{file}_spec.rb")), spec + "end\n");
    }
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    init: true\n    command: sleep infinity\n    healthcheck:\n      \
         test: [\"CMD\", \"true\"]\n  runner:\n    image: {IMAGE}\n    init: true\n    command: sleep infinity\n    \
         depends_on: {{web: {{condition: service_healthy}}}}\n    volumes: [\"./spec:/suite/spec:ro\"]\n"
    );
    write(&folder.join("compose.yaml"), compose);
    let settings = "[suite]\nname = \"idle\"\nframework = \"rspec\"\npaths = [\"spec\"]\n\n[environment]\n\
                    runner = \"runner\"\nlanes = 2\nready_within = \"15s\"\n";
    write(&folder.join("shakedown.toml"), settings);
    folder
}

fn engine() -> PrivateEngine {
    let built = Command::new("docker").args(["build", "--tag", IMAGE, TINY]).stdout(Stdio::null()).status();
    assert!(built.expect("docker can be started").success(), "the image can't be built");
    let engine = PrivateEngine::start();
    engine.copy_image(IMAGE);
    engine
}

fn assert_no_test_is_blamed(record: &Record) {
    for attempt in &record.history.attempts {
        let innocent = matches!(attempt.outcome, Outcome::Passed | Outcome::EnvironmentBroke { .. });
        assert!(innocent, "{attempt:?}");
    }
}

#[test]
fn an_engine_that_is_restarted_costs_environments_and_no_verdict() {
    let stage = Stage::elsewhere("an_engine_that_is_restarted_costs_environments_and_no_verdict");
    let mut engine = engine();
    let manifest = manifest(&stage);
    for (way, when) in [("stopped", " PASSED ["), ("killed", " PASSED ["), ("killed", "shakedown of ")] {
        let mut running = stage.shakedown(&manifest).env("DOCKER_HOST", &engine.address()).start();
        running.until(when);
        running.listen_for(Duration::from_millis(300));
        if way == "stopped" {
            engine.stop()
        } else {
            engine.kill()
        }
        running.listen_for(Duration::from_secs(2));
        engine.start_again();
        let finished = running.finish().expect_code(0);
        let record = finished.record();
        assert_no_test_is_blamed(&record);
        assert_eq!(record.json.counts.passed, FILES * TESTS_PER_FILE, "{way} after {when:?}");
        assert!(record.history.environments.iter().any(|row| row.broken.is_some()), "{way} after {when:?}: none lost");
        assert!(record.json.lanes_stood_down.is_empty(), "{way} after {when:?}: {}", finished.said);
        assert_eq!(engine.things(), Vec::<String>::new(), "{way} after {when:?}");
    }
}

#[test]
fn an_engine_that_is_gone_for_good_ends_the_run_and_what_it_left_is_removed_when_it_is_back() {
    let stage =
        Stage::elsewhere("an_engine_that_is_gone_for_good_ends_the_run_and_what_it_left_is_removed_when_it_is_back");
    let mut engine = engine();
    let manifest = manifest(&stage);
    let mut running = stage.shakedown(&manifest).env("DOCKER_HOST", &engine.address()).start();
    running.until(" PASSED [");
    engine.kill();
    let finished = running.finish().expect_code(3);
    let said = &finished.said;
    assert!(said.contains("the guard goes on trying for "), "{said}");
    assert!(said.contains("the engine was lost, and did not answer again within 15s: "), "{said}");
    assert_no_test_is_blamed(&finished.record());
    assert!(finished.took < READY_WITHIN + Duration::from_secs(40), "it took {:?}", finished.took);

    engine.start_again();
    engine.assert_nothing_stays(Duration::from_secs(20));
}
