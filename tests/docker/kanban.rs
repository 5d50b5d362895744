//! The Kanban board, tested by Playwright in a real browser: each planted fault is told for what it is, see the table in
//! its README, and what ends in the midst of a test costs that test only.

use std::fs;

use crate::outcome::{History, Record};
use crate::stage::{Stage, write};

const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/kanban/compose.yaml");

/// Runs some files of the suite with these faults.
fn shake_down(stage: &Stage, files: &[&str], faults: &str, arguments: &str, code: i32) -> Record {
    let paths: Vec<String> = files.iter().map(|file| format!("tests/{file}.spec.js")).collect();
    let text = format!(
        "[suite]\nname = \"kanban\"\nframework = \"playwright\"\npaths = {paths:?}\n\
         [environment]\ncompose = {COMPOSE:?}\nrunner = \"runner\"\nlanes = 2\nready_within = \"90s\"\n"
    );
    let folder = stage.folder().join("manifest");
    write(&folder.join("shakedown.toml"), text);
    let run = stage.shakedown(folder).env("KANBAN_FAULTS", faults).with(arguments);
    run.patiently().run().expect_code(code).record()
}

#[test]
fn races_under_playwright_are_flaky_and_a_serial_suite_stays_together() {
    let stage = Stage::new("races_under_playwright_are_flaky_and_a_serial_suite_stays_together");
    let files = ["search", "adding", "votes", "walkthrough"];
    let record = shake_down(&stage, &files, "short-wait,double-submit,lost-update", "", 0);
    let flaky = [
        "finds cards while one types",
        "makes one card, however often the button is clicked",
        "of two people at the same moment both count",
    ];
    for name in flaky {
        assert_eq!(record.history.outcomes(name), ["failed", "passed"], "{name}");
        assert_eq!(record.history.verdict(name), "flaky", "{name}");
    }
    assert_eq!(record.history.all_but("passed").len(), flaky.len(), "{:#?}", record.history.all_but("passed"));
    let walk = ["is made", "is estimated", "is begun", "is talked about", "is done"].map(|name| {
        let attempts = record.history.attempts(&format!("A card › {name}"));
        (attempts[0].environment, attempts[0].position)
    });
    assert!(walk.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 + 1 == pair[1].1), "{walk:?}");
}

#[test]
fn a_bug_and_a_crash_under_playwright_are_two_different_things_and_evidence_is_kept() {
    let stage = Stage::new("a_bug_and_a_crash_under_playwright_are_two_different_things_and_evidence_is_kept");
    let record = shake_down(&stage, &["points", "report"], "bug,crash", "--attempts 2", 1);
    let (bug, crash) = ("of a column are added up", "counts each column");
    assert_eq!(record.history.outcomes(bug), ["failed"; 2]);
    assert_eq!(record.history.verdict(bug), "failed");
    assert_eq!(record.history.outcomes(crash), ["environment broke", "passed"]);
    assert_eq!(record.history.verdict(crash), "passed");
    assert_eq!(record.json.counts.failed, 1, "nobody else pays for it");

    let failed = record.json.tests.iter().find(|test| test.name.contains(bug)).expect("it is told");
    let failure = failed.attempts[0].failure.as_ref().expect("a failure");
    assert!(
        failure.message.contains("8 points") && failure.message.ends_with("in step: look at the sum"),
        "{failure:#?}"
    );
    assert_eq!(failure.file.as_deref(), Some("tests/points.spec.js"));
    for (attempt, names) in
        failed.attempts.iter().zip([&["test-failed-1.png"][..], &["test-failed-1.png", "trace.zip"]])
    {
        let evidence = attempt.evidence.as_ref().expect("evidence");
        for name in names {
            let path = record.folder.join(&evidence.folder).join("browser").join(name);
            assert!(fs::metadata(&path).is_ok_and(|file| file.len() > 1000), "{name}: {:?}", evidence.files);
        }
    }
}

/// Whatever ended, only the test in whose midst it did had to do with it, and it passed elsewhere.
fn only_that_test_is_lost(history: &History, outcome: &str, verdict: &str) {
    assert_eq!(history.outcomes("Ending › b in the midst"), [outcome, "passed"]);
    assert_eq!(history.verdict("Ending › b in the midst"), verdict);
    for test in ["Ending › a before", "Ending › c after"] {
        assert_eq!(history.outcomes(test), ["passed"], "{test}");
    }
}

#[test]
fn a_worker_or_a_browser_of_playwright_that_is_killed_loses_the_test_in_its_midst_only() {
    let stage = Stage::new("a_worker_or_a_browser_of_playwright_that_is_killed_loses_the_test_in_its_midst_only");
    for fault in ["kill-worker=first", "kill-browser=first"] {
        only_that_test_is_lost(&shake_down(&stage, &["ending"], fault, "", 0).history, "failed", "flaky");
    }
}

#[test]
fn a_runner_of_playwright_that_ends_in_the_midst_of_a_test_is_not_its_fault() {
    let stage = Stage::new("a_runner_of_playwright_that_ends_in_the_midst_of_a_test_is_not_its_fault");
    let history = shake_down(&stage, &["ending"], "kill-runner", "", 0).history;
    only_that_test_is_lost(&history, "environment broke", "passed");
    let broken: Vec<_> = history.environments.iter().filter_map(|row| row.broken.as_ref()).collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].service.as_deref(), Some("runner"));
}
