//! `kill -9`, when nothing can be cleaned up any more: what was said to have passed is on disk, and the next run
//! removes what was left.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::{RngExt as _, SeedableRng as _};

use crate::docker;
use crate::outcome::History;
use crate::program::{Finished, Running};
use crate::stage::Stage;

/// Where `SHAKEDOWN_TEST_SEED` names no other.
const SEED: u64 = 20_261_124;
const KILLS: usize = 10;

/// Lets the run come to some moment of its life: any moment of the boot, or of the tests.
fn some_moment(running: &mut Running, nth: usize, random: &mut impl rand::Rng) {
    let within = |random: &mut dyn FnMut(u64) -> u64, most: u64| Duration::from_millis(random(most));
    let mut below = |most: u64| random.random_range(0..most);
    match nth % 4 {
        // While it looks around, before it has said anything.
        0 => {
            running.listen_for(within(&mut below, 200));
        }
        1 => {
            running.until("shakedown of ");
            running.listen_for(within(&mut below, 1500));
        }
        2 => {
            running.until("READY environment");
            running.listen_for(within(&mut below, 500));
        }
        _ => {
            for _ in 0..1 + below(10) {
                running.until(" PASSED [");
            }
            running.listen_for(within(&mut below, 500));
        }
    }
}

#[test]
fn what_a_killed_run_has_told_is_kept_and_what_it_has_made_is_removed_by_the_next() {
    let stage = Stage::new("what_a_killed_run_has_told_is_kept_and_what_it_has_made_is_removed_by_the_next");
    let seed = std::env::var("SHAKEDOWN_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let mut dead = Vec::new();
    let (mut had_left, mut had_passed) = (0, 0);
    for nth in 0..KILLS {
        let mut running = stage.tiny().faults("slow").start();
        some_moment(&mut running, nth, &mut random);
        running.signal(Signal::SIGKILL);
        let killed = running.finish();
        assert!(killed.was_ended_by(Signal::SIGKILL), "{killed:?}");
        let Some(run) = killed.run_id() else { continue };
        had_left += usize::from(!docker::things_of(&run).is_empty());
        had_passed += assert_passed_are_on_disk(&killed, &run);
        dead.push(run);
    }
    eprintln!("seed {seed}: {} runs, {had_left} had left something, {had_passed} tests had passed", dead.len());
    assert!(had_left >= 3, "only {had_left} of {KILLS} had left something: they were not killed in their midst");
    assert!(had_passed >= 3, "only {had_passed} tests had passed: they were not killed in their midst");

    let next = stage.tiny().run().expect_code(0);
    let last = dead.last().expect("some runs began");
    assert!(next.said.contains(&format!("run {last} was cut off; it is kept as incomplete")), "{}", next.said);
    assert!(next.said.contains("removed what a run that was cut off had left: "), "{}", next.said);
    let reports = stage.folder().join("reports");
    for run in &dead {
        assert_eq!(docker::things_of(run), []);
        assert_incomplete(&reports, run);
    }
}

/// Returns how many there were.
fn assert_passed_are_on_disk(killed: &Finished, run: &str) -> usize {
    let history = History::read(&killed.reports, run);
    let passed = |id: &_| history.attempts.iter().any(|a| a.test == *id && a.outcome.word() == "passed");
    let on_disk: HashSet<String> = history
        .tests
        .iter()
        .filter(|row| passed(&row.test))
        .map(|row| format!("{} › {}", row.file, row.name))
        .collect();
    let said = killed.said_passed();
    for title in &said {
        assert!(on_disk.contains(*title), "{title} was said to have passed, and is not in the history");
    }
    said.len()
}

fn assert_incomplete(reports: &Path, run: &str) {
    let row = History::read(reports, run).run;
    assert_eq!(
        (row.verdict.as_deref(), row.reason.as_deref()),
        (Some("incomplete"), Some("its process died")),
        "{run}"
    );
    assert_eq!(row.ended, None, "nobody saw its end");
}
