//! The guard: what becomes of a run's things when the run itself can do nothing any more.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};

use crate::docker;
use crate::patience::comes_true;
use crate::program::Running;
use crate::stage::Stage;

/// A killed run's things are gone within this.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// The process that guards a run; `None` where there is none.
pub(crate) fn guard_of(run: &str) -> Option<Pid> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let mut found = processes.filter_map(|entry| {
        let process: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        (words.contains(&&b"guard"[..]) && words.contains(&run.as_bytes())).then(|| Pid::from_raw(process))
    });
    found.next()
}

/// Waits until `is_so`.
#[track_caller]
fn within(span: Duration, what: &str, is_so: impl Fn() -> bool) {
    assert!(comes_true(span, is_so), "not within {span:?}: {what}");
}

#[track_caller]
pub(crate) fn assert_gone_soon(run: &str) {
    within(GONE_WITHIN, "everything is gone", || docker::things_of(run).is_empty());
}

/// A run, its id and its guard.
pub(crate) fn in_its_midst(stage: &Stage) -> (Running, String, Pid) {
    let mut running = stage.tiny().faults("slow").start();
    running.until(" PASSED [");
    let run = running.run_id().expect("it has said it");
    let guard = guard_of(&run).expect("a guard");
    (running, run, guard)
}

fn log(reports: &Path, run: &str) -> Option<String> {
    std::fs::read_to_string(reports.join("tiny").join(run).join("guard.log")).ok()
}

#[test]
fn at_a_clean_end_the_guard_is_gone_and_has_said_nothing() {
    let stage = Stage::new("at_a_clean_end_the_guard_is_gone_and_has_said_nothing");
    let (running, run, guard) = in_its_midst(&stage);
    assert_eq!(getsid(Some(guard)), Ok(guard), "it has a session of its own");
    let finished = running.finish().expect_code(0);
    assert_eq!(guard_of(&run), None);
    assert_eq!(log(&finished.reports, &run), None);
}

#[test]
fn the_guard_holds_nothing_of_a_killed_run_open() {
    let stage = Stage::alone("the_guard_holds_nothing_of_a_killed_run_open");
    let (running, run, guard) = in_its_midst(&stage);
    let held = |number: &str| std::fs::read_link(format!("/proc/{guard}/fd/{number}")).ok();
    assert_eq!(held("2").as_deref(), Some(Path::new("/dev/null")));
    // A guard that can do nothing at all keeps nobody waiting who reads what the run says.
    kill(guard, Signal::SIGSTOP).expect("stopped");
    running.signal(Signal::SIGKILL);
    let killed = Instant::now();
    let finished = running.finish();
    assert!(killed.elapsed() < Duration::from_secs(5), "its output was held open for {:?}", killed.elapsed());
    assert!(!docker::things_of(&run).is_empty());
    kill(guard, Signal::SIGCONT).expect("continued");
    assert_gone_soon(&run);
    within(GONE_WITHIN, "it is logged", || log(&finished.reports, &run).is_some_and(|log| log.contains("removed ")));
}

#[test]
fn a_guard_lets_signals_pass_that_end_others() {
    let stage = Stage::new("a_guard_lets_signals_pass_that_end_others");
    let (running, run, guard) = in_its_midst(&stage);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        kill(guard, signal).expect("signalled");
    }
    running.signal(Signal::SIGKILL);
    running.finish();
    assert_gone_soon(&run);
}

#[test]
fn what_neither_the_run_nor_its_guard_could_remove_the_next_run_does() {
    let stage = Stage::alone("what_neither_the_run_nor_its_guard_could_remove_the_next_run_does");
    let (running, run, guard) = in_its_midst(&stage);
    kill(guard, Signal::SIGKILL).expect("killed");
    running.signal(Signal::SIGKILL);
    running.finish();
    assert!(!docker::things_of(&run).is_empty());
    let next = stage.tiny().run().expect_code(0);
    assert!(next.said.contains(&format!("run {run} was cut off; it is kept as incomplete")), "{}", next.said);
    assert!(next.said.contains("removed what a run that was cut off had left: "), "{}", next.said);
    assert_eq!(docker::things_of(&run), []);
}
