//! `kill -9`, when the run can clean up nothing any more: what was said to have passed is on disk, and all that was made
//! is gone within seconds, by itself.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::{RngExt as _, SeedableRng as _};

use crate::docker;
use crate::guard::assert_gone_soon;
use crate::outcome::History;
use crate::patience::comes_true;
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
fn what_a_killed_run_has_told_is_kept_and_what_it_has_made_goes_by_itself() {
    let stage = Stage::alone("what_a_killed_run_has_told_is_kept_and_what_it_has_made_goes_by_itself");
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
        assert_gone_soon(&run);
        had_passed += assert_passed_are_on_disk(&killed, &run);
        dead.push(run);
    }
    eprintln!("seed {seed}: {} runs, {had_left} had left something, {had_passed} tests had passed", dead.len());
    assert!(had_left >= 3, "only {had_left} of {KILLS} had left something: they were not killed in their midst");
    assert!(had_passed >= 3, "only {had_passed} tests had passed: they were not killed in their midst");

    let reports = stage.folder().join("reports");
    for run in &dead {
        assert_incomplete_soon(&reports, run);
    }
    let next = stage.tiny().run().expect_code(0);
    assert!(!next.said.contains("cut off"), "nothing is left to be said of it: {}", next.said);
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

/// The guard marks it once it has removed everything.
fn assert_incomplete_soon(reports: &Path, run: &str) {
    let row = || {
        let row = History::read(reports, run).run;
        assert_eq!(row.ended, None, "nobody saw its end");
        row
    };
    comes_true(Duration::from_secs(10), || row().verdict.is_some());
    let row = row();
    let found = (row.verdict.as_deref(), row.reason.as_deref());
    assert_eq!(found, (Some("incomplete"), Some("its process died")), "{run}");
}
