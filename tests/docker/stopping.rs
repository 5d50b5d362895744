//! Runs that are stopped: the exit code says by what, the reports are written, and nothing stays.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rstest::rstest;

use crate::docker;
use crate::outcome::Record;
use crate::program::{Finished, Running};
use crate::stage::Stage;

/// A run that never ends by itself, at a point where some of its tests have passed.
fn in_its_midst(stage: &Stage, arguments: &str) -> Running {
    let mut running = stage.tiny().faults("hang=always").with(arguments).start();
    running.until(" PASSED [");
    running
}

fn stopped(finished: &Finished, verdict: &str) -> Record {
    let record = finished.record();
    assert_eq!(record.history.run.verdict.as_deref(), Some(verdict));
    assert!(record.history.run.stopping.is_some() && record.json.stopped.is_some());
    assert_eq!(record.history.verdict("Invoice is shown"), "not run", "what is not settled has not passed");
    record
}

#[rstest]
#[case::interrupt(Signal::SIGINT, 130, "exit code 130: stopped by SIGINT (Ctrl-C)")]
#[case::terminate(Signal::SIGTERM, 143, "exit code 143: stopped by SIGTERM")]
fn a_signal_ends_the_run_in_an_orderly_way(#[case] signal: Signal, #[case] code: i32, #[case] meaning: &str) {
    let stage = Stage::new("a_signal_ends_the_run_in_an_orderly_way");
    let running = in_its_midst(&stage, "");
    running.signal(signal);
    let finished = running.finish().expect_code(code);
    let record = stopped(&finished, "interrupted");
    assert!(finished.said.contains(meaning), "{}", finished.said);
    let removed = |row: &shakedown::store::EnvironmentRow| row.removed.is_some();
    assert!(record.history.environments.iter().all(removed), "{:?}", record.history.environments);
}

#[test]
fn a_signal_during_the_boot_leaves_nothing() {
    let stage = Stage::new("a_signal_during_the_boot_leaves_nothing");
    let mut running = stage.tiny().start();
    running.until("shakedown of ");
    let run = running.run_id().expect("it has said it");
    let deadline = Instant::now() + Duration::from_secs(60);
    while docker::things_of(&run).is_empty() {
        assert!(Instant::now() < deadline, "it makes nothing");
    }
    running.signal(Signal::SIGINT);
    let finished = running.finish().expect_code(130);
    assert_eq!(finished.record().history.attempts.len(), 0);
}

#[test]
fn a_second_signal_does_not_wait_for_the_lanes() {
    let stage = Stage::new("a_second_signal_does_not_wait_for_the_lanes");
    let mut running = in_its_midst(&stage, "");
    running.signal(Signal::SIGINT);
    running.until("STOPPING");
    let second = Instant::now();
    running.signal(Signal::SIGINT);
    let finished = running.finish().expect_code(130);
    assert!(second.elapsed() < Duration::from_secs(10), "it took {:?}", second.elapsed());
    stopped(&finished, "interrupted");
}

#[test]
fn past_its_deadline_a_run_is_incomplete() {
    let stage = Stage::new("past_its_deadline_a_run_is_incomplete");
    // Long enough for the tests to be listed, on a busy host.
    let finished = stage.tiny().faults("hang=always").with("--deadline 12s").run().expect_code(5);
    stopped(&finished, "incomplete");
    assert!(finished.said.contains("exit code 5: not every test was settled: "), "{}", finished.said);
    assert!(finished.took >= Duration::from_secs(12) && finished.took < Duration::from_secs(40), "{:?}", finished.took);
}

#[test]
fn after_max_failures_a_run_is_incomplete() {
    let stage = Stage::new("after_max_failures_a_run_is_incomplete");
    // One lane hangs, so that the run can't be complete by the time the other has seen the failure.
    let run = stage.tiny().faults("hang=always,broken=always").with("--attempts 1 --max-failures 1").run();
    let finished = run.expect_code(5);
    let record = stopped(&finished, "incomplete");
    assert_eq!(record.history.verdict("Total adds up"), "failed");
    assert_eq!(record.failures("Total adds up"), (1, 0));
}
