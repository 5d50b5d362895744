//! The help desk, tested by pytest and Selenium in a real browser: each planted fault is told for what it is, see the
//! table in its README, and what ends in the midst of a test costs that test only.

use std::fs;

use crate::outcome::{History, Record};
use crate::stage::{Stage, write};

const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/helpdesk/compose.yaml");

/// Runs some files of the suite with these faults.
fn shake_down(stage: &Stage, files: &[&str], faults: &str, arguments: &str, code: i32) -> Record {
    let paths: Vec<String> = files.iter().map(|file| format!("tests/test_{file}.py")).collect();
    let text = format!(
        "[suite]\nname = \"helpdesk\"\nframework = \"pytest\"\npaths = {paths:?}\n\
         [environment]\ncompose = {COMPOSE:?}\nrunner = \"browser\"\nlanes = 2\nready_within = \"90s\"\n"
    );
    let folder = stage.folder().join("manifest");
    write(&folder.join("shakedown.toml"), text);
    let run = stage.shakedown(folder).env("HELPDESK_FAULTS", faults).with(arguments);
    run.patiently().run().expect_code(code).record()
}

#[test]
fn races_under_pytest_are_flaky() {
    let stage = Stage::new("races_under_pytest_are_flaky");
    let files = ["search", "replying", "affected"];
    let record = shake_down(&stage, &files, "short-wait,double-submit,lost-update", "", 0);
    let flaky = [
        "test_tickets_are_found_while_one_types",
        "test_a_reply_is_sent_once_however_often_the_button_is_clicked",
        "test_two_people_at_the_same_moment_both_count",
    ];
    for name in flaky {
        assert_eq!(record.history.outcomes(name), ["failed", "passed"], "{name}");
        assert_eq!(record.history.verdict(name), "flaky", "{name}");
    }
    assert_eq!(record.history.all_but("passed").len(), flaky.len(), "{:#?}", record.history.all_but("passed"));
}

#[test]
fn a_bug_and_a_crash_under_pytest_are_two_different_things_and_pictures_are_kept() {
    let stage = Stage::new("a_bug_and_a_crash_under_pytest_are_two_different_things_and_pictures_are_kept");
    let record = shake_down(&stage, &["work", "report"], "bug,crash", "--attempts 2", 1);
    let (bug, crash) = ("test_minutes_are_added_up", "test_a_report_counts_each_status");
    assert_eq!(record.history.outcomes(bug), ["failed"; 2]);
    assert_eq!(record.history.verdict(bug), "failed");
    assert_eq!(record.history.outcomes(crash), ["environment broke", "passed"]);
    assert_eq!(record.history.verdict(crash), "passed");
    assert_eq!(record.json.counts.failed, 1, "nobody else pays for it");

    let failed = record.json.tests.iter().find(|test| test.name.contains(bug)).expect("it is told");
    let failure = failed.attempts[0].failure.as_ref().expect("a failure");
    assert!(failure.message.contains("#minutes should say ['42'], and says ['30']"), "{failure:#?}");
    for attempt in &failed.attempts {
        let evidence = attempt.evidence.as_ref().expect("evidence");
        let folder = record.folder.join(&evidence.folder).join("browser");
        let picture = fs::read(folder.join("page.png")).expect("a picture");
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 1000, "{} bytes", picture.len());
        let page = fs::read_to_string(folder.join("page.html")).expect("the page");
        assert!(page.contains("Took it apart"), "{page}");
        let text = fs::read_to_string(folder.join("page.txt")).expect("what else the browser knows");
        assert!(text.starts_with("address: http://web:8000/tickets/") && text.contains("\nconsole:\n"), "{text}");
    }
}

/// Whatever ended, only the test in whose midst it did had to do with it, and it passed elsewhere.
fn only_that_test_is_lost(history: &History, outcome: &str, verdict: &str) {
    assert_eq!(history.outcomes("test_b_in_the_midst"), [outcome, "passed"]);
    assert_eq!(history.verdict("test_b_in_the_midst"), verdict);
    for test in ["test_a_before", "test_c_after"] {
        assert_eq!(history.outcomes(test), ["passed"], "{test}");
    }
}

#[test]
fn a_worker_or_a_browser_of_pytest_that_is_killed_loses_the_test_in_its_midst_only() {
    let stage = Stage::new("a_worker_or_a_browser_of_pytest_that_is_killed_loses_the_test_in_its_midst_only");
    for fault in ["kill-worker", "kill-browser"] {
        only_that_test_is_lost(&shake_down(&stage, &["ending"], fault, "", 0).history, "failed", "flaky");
    }
}

#[test]
fn a_runner_of_pytest_that_ends_in_the_midst_of_a_test_is_not_its_fault() {
    let stage = Stage::new("a_runner_of_pytest_that_ends_in_the_midst_of_a_test_is_not_its_fault");
    let history = shake_down(&stage, &["ending"], "kill-runner", "", 0).history;
    only_that_test_is_lost(&history, "environment broke", "passed");
    let broken: Vec<_> = history.environments.iter().filter_map(|row| row.broken.as_ref()).collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].service.as_deref(), Some("browser"));
}
