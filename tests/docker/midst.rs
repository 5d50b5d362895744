//! Ruby's frameworks with a real browser, in whose midst something ends: the worker, the browser, the runner's container.
//! The guestbook is a Rails application with minitest, `midst/` has RSpec.

use std::fs;

use crate::outcome::{History, Record};
use crate::stage::{Stage, write};

const GUESTBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test-manifests/guestbook");
const RSPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/midst");

/// Runs some files of the guestbook's suite with these faults.
fn guestbook(stage: &Stage, files: &[&str], faults: &str, settings: &str, code: i32) -> Record {
    let paths: Vec<String> = files.iter().map(|file| format!("test/system/{file}_test.rb")).collect();
    let text = format!(
        "[suite]\nname = \"guestbook\"\nframework = \"minitest\"\npaths = {paths:?}\n\
         [environment]\ncompose = \"{GUESTBOOK}/compose.yaml\"\nrunner = \"rails\"\nlanes = 2\n{settings}\n"
    );
    let folder = stage.folder().join("manifest");
    write(&folder.join("shakedown.toml"), text);
    let run = stage.shakedown(folder).env("GUESTBOOK_FAULTS", faults).with("--seed 7 --attempts 2");
    run.patiently().run().expect_code(code).record()
}

/// Runs RSpec's examples with this fault.
fn rspec(stage: &Stage, fault: &str) -> Record {
    let run = stage.shakedown(RSPEC).env("MIDST", fault).with("--lanes 1");
    run.patiently().run().expect_code(0).record()
}

/// Whatever ended, only the test in whose midst it did had to do with it, and it passed elsewhere.
fn only_that_test_is_lost(history: &History, outcome: &str, verdict: &str) {
    let name = |test: &str| if history.tests[0].name.contains('#') { test.replace(' ', "_") } else { test.to_owned() };
    assert_eq!(history.outcomes(&name("b in the midst")), [outcome, "passed"]);
    assert_eq!(history.verdict(&name("b in the midst")), verdict);
    for test in ["a before", "c after"] {
        assert_eq!(history.outcomes(&name(test)), ["passed"], "{test}");
    }
}

#[test]
fn a_rails_suite_without_a_web_service_tells_races_and_bugs_and_keeps_its_pictures() {
    let stage = Stage::new("a_rails_suite_without_a_web_service_tells_races_and_bugs_and_keeps_its_pictures");
    let record = guestbook(&stage, &["browsing", "liking"], "short-wait,bug", "", 1);
    let history = &record.history;
    assert_eq!(history.outcomes("counts_a_like_without_loading_the_page_again"), ["failed", "passed"]);
    assert_eq!(history.outcomes("shows_the_newest_entry_first"), ["failed", "failed"]);
    assert_eq!(record.json.counts.failed, 2, "{:#?}", history.all_but("passed"));
    let failed = record.json.tests.iter().find(|test| test.name.contains("the_newest_entry")).expect("it is told");
    let evidence = failed.attempts[0].evidence.as_ref().expect("evidence");
    for name in ["page.png", "page.html", "page.txt", "failures_test_shows_the_newest_entry_first.png"] {
        let size = fs::metadata(record.folder.join(&evidence.folder).join("browser").join(name)).map(|file| file.len());
        assert!(size.as_ref().is_ok_and(|size| *size > 20), "{name}: {size:?} of {:?}", evidence.files);
    }
}

#[test]
fn a_worker_that_is_killed_in_the_midst_of_a_test_loses_that_test_only() {
    let stage = Stage::new("a_worker_that_is_killed_in_the_midst_of_a_test_loses_that_test_only");
    only_that_test_is_lost(&guestbook(&stage, &["ending"], "kill-worker", "", 0).history, "failed", "flaky");
    only_that_test_is_lost(&rspec(&stage, "kill-worker").history, "failed", "flaky");
}

#[test]
fn a_browser_that_is_killed_in_the_midst_of_a_test_fails_that_test_only() {
    let stage = Stage::new("a_browser_that_is_killed_in_the_midst_of_a_test_fails_that_test_only");
    only_that_test_is_lost(&guestbook(&stage, &["ending"], "kill-browser", "", 0).history, "failed", "flaky");
    only_that_test_is_lost(&rspec(&stage, "kill-browser").history, "failed", "flaky");
}

#[test]
fn a_runner_that_ends_in_the_midst_of_a_test_is_not_its_fault() {
    let stage = Stage::new("a_runner_that_ends_in_the_midst_of_a_test_is_not_its_fault");
    for history in [guestbook(&stage, &["ending"], "kill-runner", "", 0).history, rspec(&stage, "kill-runner").history]
    {
        only_that_test_is_lost(&history, "environment broke", "passed");
        let broken: Vec<_> = history.environments.iter().filter_map(|row| row.broken.as_ref()).collect();
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].cause.ends_with("ended with exit code 143 while tests ran"), "{broken:?}");
    }
}

#[test]
fn a_worker_in_which_test_after_test_fails_is_replaced_and_what_failed_there_is_tried_elsewhere() {
    let stage =
        Stage::new("a_worker_in_which_test_after_test_fails_is_replaced_and_what_failed_there_is_tried_elsewhere");
    let files = ["browsing", "ending", "liking", "moderation", "signing"];
    let record = guestbook(&stage, &files, "poison", "reset = { after = \"never\" }", 0);
    let history = &record.history;
    assert_eq!(history.outcomes("finds_entries_by_a_word"), ["failed", "passed"]);
    let failed: Vec<_> = history.attempts.iter().filter(|attempt| attempt.outcome.word() == "failed").collect();
    let first = failed[0].environment;
    assert!(failed.iter().all(|attempt| attempt.environment == first), "all in one environment: {failed:#?}");
    let used = history.environments.len();
    assert!(failed.len() >= 3 && used >= 3, "{} failed, {used} environments", failed.len());
    assert!(history.attempts.iter().filter(|attempt| attempt.number.0 > 1).all(|again| again.environment != first));
}
