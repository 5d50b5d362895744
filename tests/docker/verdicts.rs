//! What each kind of failure comes to: in the exit code, in every report and in the history.

use std::fs;
use std::time::Duration;

use shakedown::verdict::Outcome;

use crate::outcome::Record;
use crate::stage::{Manifest, Stage};

#[test]
fn an_honest_suite_passes_and_leaves_every_report() {
    let stage = Stage::new("an_honest_suite_passes_and_leaves_every_report");
    let first = stage.tiny().with("--seed 7 --candidate 3f2c1d0 --trigger candidate").run().expect_code(0);
    let record = first.record();
    let header = &record.history.run.header;
    assert_eq!((header.seed, header.candidate.as_str(), header.trigger.as_str()), (7, "3f2c1d0", "candidate"));
    assert_eq!((record.json.counts.total, record.json.counts.passed, record.json.counts.skipped), (26, 25, 1));
    assert_eq!(record.history.run.verdict.as_deref(), Some("passed"));
    assert_every_service_is_logged(&record);

    let second = stage.tiny().run().expect_code(0);
    assert!(!second.said.contains("IMAGE"), "nothing has changed, and yet it was built again:\n{}", second.said);
    assert!(second.took < Duration::from_secs(30), "it took {:?}", second.took);
    let record = second.record();
    assert_eq!(record.json.images, []);
    assert_eq!(record.json.tests_with_known_duration, 25, "all but the skipped one are known from the first run");
    let latest = fs::read_link(record.folder.with_file_name("latest")).expect("a link");
    assert_eq!(Some(latest.as_os_str()), record.folder.file_name());
}

fn assert_every_service_is_logged(record: &Record) {
    let environment = record.history.attempts.first().expect("an attempt").environment.to_string();
    let first_lines =
        [("migrate", "migrate: is at work"), ("web", "web: listens on port 8000"), ("runner", "runner: is up")];
    for (service, said) in first_lines {
        let file = record.folder.join("logs").join(&environment).join(format!("{service}.log"));
        let log = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(log.lines().next().is_some_and(|line| line.ends_with(said)), "{}: {log}", file.display());
    }
}

#[test]
fn the_number_of_lanes_changes_no_verdict() {
    let stage = Stage::new("the_number_of_lanes_changes_no_verdict");
    let with_lanes = |lanes: u16| {
        let run = stage.tiny().faults("flaky,broken=always").with(&format!("--lanes {lanes}")).run();
        let record = run.expect_code(1).record();
        assert_eq!(record.history.run.header.lanes, lanes);
        record.history.verdicts()
    };
    let one = with_lanes(1);
    assert_eq!(one, with_lanes(3));
    let count = |word: &str| one.values().filter(|verdict| **verdict == word).count();
    assert_eq!((count("passed"), count("flaky"), count("failed"), count("skipped")), (23, 1, 1, 1));
}

#[test]
fn a_failure_that_passes_elsewhere_is_flaky_and_gates_only_when_asked_to() {
    let stage = Stage::new("a_failure_that_passes_elsewhere_is_flaky_and_gates_only_when_asked_to");
    // What fails is not replaced here: the next test tells how long a failure keeps its lane.
    let settings = "reset = { after = \"never\" }";
    let manifest = Manifest { paths: &["spec/flaky_spec.rb"], settings, ..Manifest::default() };
    let greeting = || stage.shakedown(stage.manifest(&manifest)).faults("flaky");
    let allowed = greeting().run().expect_code(0);
    let record = allowed.record();
    assert_eq!(record.history.verdict("comes in time"), "flaky");
    assert_eq!(record.history.verdict("is the same for all"), "passed");
    assert_eq!(record.failures("comes in time"), (0, 1), "one flakyFailure and no failure");
    assert_eq!((record.json.first_try.passed, record.json.after_retry.passed), (1, 2));
    let attempts = record.history.attempts("comes in time");
    let [first, second] = &attempts[..] else { panic!("{attempts:?}") };
    let Outcome::Failed(failure) = &first.outcome else { panic!("{first:?}") };
    assert!(failure.message.contains("too late"), "{failure:?}");
    assert_eq!(failure.place().as_deref(), Some("spec/flaky_spec.rb:7"));
    assert_eq!(second.outcome, Outcome::Passed);
    assert_ne!(first.environment, second.environment, "a retry is an experiment in another environment");
    assert!(allowed.said.contains("━━━ PASSED ━━━"), "{}", allowed.said);
    // The image exposes the application's port in the runner as well, where nothing listens: that is no sign of a crash,
    // and costs no time.
    let next = record.history.attempts("is the same for all")[0];
    assert_eq!(next.environment, first.environment);
    let gap = next.started.duration_since(first.started);
    assert!(gap.as_secs_f64() < 2.0, "it was {gap:?} until the next test");

    let refused = greeting().with("--fail-on-flaky").run().expect_code(1);
    assert_eq!(refused.record().history.verdict("comes in time"), "flaky");
    let said = "exit code 1: 1 flaky test, and --fail-on-flaky is set";
    assert!(refused.said.contains(said), "{}", refused.said);
}

#[test]
fn a_failure_in_three_environments_fails_the_run() {
    let stage = Stage::new("a_failure_in_three_environments_fails_the_run");
    let finished = stage.tiny_part(&["spec/broken_spec.rb"]).faults("broken=always").run().expect_code(1);
    let record = finished.record();
    assert_eq!(record.history.verdict("adds up"), "failed");
    assert_eq!(record.history.verdict("of nothing is nothing"), "passed");
    assert_eq!(record.failures("adds up"), (1, 2), "a failure and two rerunFailures");
    let attempts = record.history.attempts("adds up");
    let mut environments: Vec<_> = attempts.iter().map(|attempt| attempt.environment).collect();
    environments.sort();
    environments.dedup();
    assert_eq!((attempts.len(), environments.len()), (3, 3));
    assert!(finished.said.contains("exit code 1: 1 test failed"), "{}", finished.said);
}

#[test]
fn a_test_that_hangs_is_stopped_and_tried_again() {
    let stage = Stage::new("a_test_that_hangs_is_stopped_and_tried_again");
    let run = stage.tiny_part(&["spec/hang_spec.rb"]).faults("hang").with("--test-timeout 3s").run();
    let record = run.expect_code(0).record();
    assert_eq!(record.history.outcomes("is shown"), ["timed out", "passed"]);
    assert_eq!(record.history.verdict("is shown"), "flaky");
    assert_eq!(record.history.verdict("can be numbered"), "passed");
    let stopped = record.history.attempts("is shown")[0];
    assert_eq!(
        stopped.outcome,
        Outcome::TimedOut { limit: Duration::from_secs(3), why: "by --test-timeout".to_owned() }
    );
    assert!(stopped.duration >= Duration::from_secs(3) && stopped.duration < Duration::from_secs(10), "{stopped:?}");
    assert_eq!(record.failures("is shown"), (0, 1));
}

#[test]
fn a_test_that_kills_its_worker_fails_and_the_rest_goes_on() {
    let stage = Stage::new("a_test_that_kills_its_worker_fails_and_the_rest_goes_on");
    let run = stage.tiny_part(&["spec/worker_spec.rb"]).faults("kill").run();
    let record = run.expect_code(0).record();
    assert_eq!(record.history.outcomes("can be drawn"), ["failed", "passed"]);
    let Outcome::Failed(failure) = &record.history.attempts("can be drawn")[0].outcome else { panic!() };
    assert_eq!(failure.message, "the worker ended by itself with exit code 137");
    assert_eq!(record.history.verdict("can be drawn"), "flaky");
    assert_eq!(record.history.verdict("can be framed"), "passed");
    let broken: Vec<_> = record.history.environments.iter().filter(|row| row.broken.is_some()).collect();
    assert!(broken.is_empty(), "it was the test's doing, not the environment's: {broken:?}");
}

#[test]
fn a_crash_of_the_application_counts_against_no_test() {
    let stage = Stage::new("a_crash_of_the_application_counts_against_no_test");
    let run = stage.tiny_part(&["spec/crash_spec.rb", "spec/health_spec.rb"]).faults("crash").run();
    let finished = run.expect_code(0);
    let record = finished.record();
    assert_eq!(record.history.outcomes("is made"), ["environment broke", "passed"]);
    assert_eq!(record.history.all_but("passed").len(), 0, "{:?}", record.history.verdicts());
    assert_eq!(record.failures("is made"), (0, 0));
    assert_eq!((record.json.first_try.passed, record.json.first_try.of), (4, 4));
    let broken: Vec<_> = record.history.environments.iter().filter_map(|row| row.broken.as_ref()).collect();
    let [broken] = &broken[..] else { panic!("{broken:?}") };
    assert_eq!(broken.cause, "web ended with exit code 7 while tests ran");
    assert_eq!(broken.log_tail.last().map(String::as_str), Some("web: can't go on"));
    assert!(finished.said.contains("web | web: can't go on"), "{}", finished.said);
}

#[test]
fn a_test_that_breaks_every_environment_never_ends_as_passed() {
    let stage = Stage::new("a_test_that_breaks_every_environment_never_ends_as_passed");
    let run = stage.tiny_part(&["spec/crash_spec.rb"]).faults("crash=always").run();
    let record = run.expect_code(3).record();
    assert_eq!(record.history.verdict("is made"), "environment broke");
    assert_eq!(record.history.outcomes("is made"), ["environment broke"; 3]);
    assert_eq!(record.history.verdict("is sent"), "passed");
    assert_eq!(record.history.run.verdict.as_deref(), Some("environments unavailable"));
}

#[test]
fn what_ran_before_a_failure_is_on_record() {
    let stage = Stage::new("what_ran_before_a_failure_is_on_record");
    let run = stage.tiny_part(&["spec/notice_spec.rb"]).faults("leftover").run();
    let record = run.expect_code(0).record();
    assert_eq!(record.history.verdict("can be put up"), "passed");
    assert_eq!(record.history.verdict("is not there on an ordinary day"), "flaky");
    let attempts = record.history.attempts("is not there on an ordinary day");
    let [failed, passed] = &attempts[..] else { panic!("{attempts:?}") };
    let predecessor = failed.predecessor.as_ref().map(|test| test.as_str());
    assert_eq!(predecessor, Some("spec/notice_spec.rb::Notice can be put up"));
    assert_eq!((failed.position, passed.position, passed.predecessor.as_ref()), (2, 1, None));
}
