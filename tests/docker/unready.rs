//! Environments that don't come up: the message names the service and shows what it said, and no test is blamed.

use crate::program::Finished;
use crate::stage::{Manifest, Stage};

/// A run over one lane whose environments have this long to become ready.
fn with_one_lane(stage: &Stage, ready_within: &str, variable: (&str, &str)) -> Finished {
    let settings = format!("lanes = 1\nready_within = \"{ready_within}\"");
    let manifest = stage.manifest(&Manifest { settings: &settings, ..Manifest::default() });
    let finished = stage.shakedown(manifest).env(variable.0, variable.1).run().expect_code(3);
    let record = finished.record();
    assert_eq!(record.history.run.verdict.as_deref(), Some("environments unavailable"));
    assert_eq!(record.history.attempts.len(), 0);
    assert_eq!(record.json.lanes_stood_down.len(), 1);
    finished
}

#[test]
fn a_service_that_never_becomes_healthy_is_named_with_the_end_of_its_log() {
    let stage = Stage::new("a_service_that_never_becomes_healthy_is_named_with_the_end_of_its_log");
    let finished = with_one_lane(&stage, "6s", ("TINY_FAULTS", "sick"));
    let cause = "web was not ready within 6s: its health check failed: exit code 1";
    assert_eq!(finished.said.matches(&format!("ENV BROKE environment 1.1: {cause}")).count(), 1, "{}", finished.said);
    assert!(finished.said.contains("web | web: the licence has expired"), "{}", finished.said);
    // The last environment's cause; on a busy host it may be that it did not come as far as that.
    let gives_up = finished.said.lines().find_map(|line| line.split_once(" gives up: ")).expect("it gives up").1;
    let meaning = format!("exit code 3: environments could not be provided: lane 1: {gives_up}");
    assert!(finished.said.contains(&meaning), "{}", finished.said);
}

#[test]
fn a_service_is_ready_when_it_answers_and_what_it_answered_instead_is_told() {
    let stage = Stage::new("a_service_is_ready_when_it_answers_and_what_it_answered_instead_is_told");
    let run = |faults: &str| {
        let settings = "lanes = 1\nready_within = \"6s\"\nready = { web = \"http:8000/healthz\", runner = [\"true\"] }";
        let manifest = stage.manifest(&Manifest { settings, paths: &["spec/counter_spec.rb"], ..Manifest::default() });
        stage.shakedown(manifest).faults(faults).run()
    };
    run("").expect_code(0);
    let finished = run("sick").expect_code(3);
    let (before, after) =
        ("ENV BROKE environment 1.1: web was not ready within 6s: GET http://10.213.", "was answered with status 503");
    let told = finished.said.lines().any(|line| line.contains(before) && line.ends_with(after));
    assert!(told, "{}", finished.said);
}

#[test]
fn a_step_that_must_complete_and_fails_is_named_with_the_end_of_its_log() {
    let stage = Stage::new("a_step_that_must_complete_and_fails_is_named_with_the_end_of_its_log");
    let finished = with_one_lane(&stage, "60s", ("TINY_FAULTS", "migrate"));
    let cause = "migrate ended with exit code 1 instead of completing";
    assert!(finished.said.contains(&format!("ENV BROKE environment 1.1: {cause}")), "{}", finished.said);
    assert!(finished.said.contains("migrate | migrate: column \"price\" is missing"), "{}", finished.said);
    let meaning = format!("exit code 3: environments could not be provided: lane 1: {cause}");
    assert!(finished.said.contains(&meaning), "{}", finished.said);
}

#[test]
fn a_runner_that_ends_at_once_is_told_to_stay() {
    let stage = Stage::new("a_runner_that_ends_at_once_is_told_to_stay");
    let finished = with_one_lane(&stage, "60s", ("TINY_RUNNER", "exit 0"));
    let meaning = "exit code 3: environments could not be provided: lane 1: the runner service runner ended at once; \
                   it must stay up, for example with `command: sleep infinity`";
    assert!(finished.said.contains(meaning), "{}", finished.said);
    assert!(finished.said.contains("runner | runner: is up"), "{}", finished.said);
}
