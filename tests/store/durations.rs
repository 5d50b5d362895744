//! What the plan learns from the history, and how fast.

use std::time::{Duration, Instant};

use rstest::rstest;
use shakedown::event::{Attempt, ResourceUse, RunEvent};
use shakedown::id::TestId;
use shakedown::store::{Footprint, Store};
use shakedown::verdict::{Failure, Outcome, Past};

use crate::script::*;

/// Records one attempt of test 0 in a run of its own, `salt` seconds into the script.
async fn one_attempt(store: &Store, salt: u32, suite: &str, duration: Duration, outcome: Outcome) {
    begin(store, &run_id(salt), suite, 1).await;
    let started = at(i64::from(salt) * 1_000);
    let ended = Attempt { duration, started, ..attempt(test_id(0), 1, outcome) };
    record_all(store, &[RunEvent::AttemptEnded(ended)]).await;
}

#[rstest]
#[tokio::test]
async fn a_duration_is_the_median_of_the_newest_ten_passes(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    // Recorded in mixed order: what counts is when an attempt started. The newest ten are 3..=12.
    for salt in [12, 1, 7, 3, 9, 2, 5, 11, 4, 10, 6, 8] {
        one_attempt(&history.store, salt, "shop", ms(u64::from(salt) * 100), Outcome::Passed).await;
    }
    let durations = history.store.expected_durations("shop").await.expect("reads");
    assert_eq!(durations, [(test_id(0), ms(750))].into());
}

#[rstest]
#[tokio::test]
async fn only_passed_attempts_of_the_suite_count_for_durations(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    let failed = || Outcome::Failed(Failure::observed("no"));
    one_attempt(store, 1, "shop", ms(10), Outcome::Passed).await;
    one_attempt(store, 2, "shop", ms(99_999), failed()).await;
    one_attempt(store, 3, "shop", ms(99_999), Outcome::TimedOut { limit: ms(99_999), why: String::new() }).await;
    one_attempt(store, 4, "shop", ms(99_999), Outcome::Skipped { reason: String::new() }).await;
    one_attempt(store, 5, "shop", ms(99_999), Outcome::EnvironmentBroke { cause: "web".into() }).await;
    one_attempt(store, 6, "shop", ms(99_999), Outcome::Interrupted).await;
    one_attempt(store, 7, "blog", ms(50), Outcome::Passed).await;
    one_attempt(store, 8, "wiki", ms(50), failed()).await;
    let durations = async |suite| store.expected_durations(suite).await.expect("reads");
    assert_eq!(durations("shop").await, [(test_id(0), ms(10))].into());
    assert_eq!(durations("blog").await, [(test_id(0), ms(50))].into());
    assert!(durations("wiki").await.is_empty(), "a test that never passed has no duration");
    assert!(durations("unknown").await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_tests_past_is_its_newest_passes_its_failures_and_the_limits_that_it_passed(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    let store = &history.store;
    let timed_out = |limit| Outcome::TimedOut { limit: ms(limit), why: String::new() };
    one_attempt(store, 1, "shop", ms(1), Outcome::Passed).await;
    one_attempt(store, 2, "shop", ms(45_100), timed_out(45_000)).await;
    for salt in 3..=22 {
        one_attempt(store, salt, "shop", ms(u64::from(salt)), Outcome::Passed).await;
    }
    one_attempt(store, 23, "shop", ms(90_000), timed_out(90_000)).await;
    one_attempt(store, 24, "shop", ms(7_000), Outcome::Failed(Failure::observed("no"))).await;
    one_attempt(store, 25, "shop", ms(99_999), Outcome::EnvironmentBroke { cause: "web".into() }).await;
    one_attempt(store, 26, "wiki", ms(7_000), Outcome::Failed(Failure::observed("no"))).await;
    let pasts = store.pasts("shop").await.expect("reads");
    let past = Past {
        passed: (3..=22).rev().map(ms).collect(),
        failed: vec![ms(7_000)],
        timed_out: vec![(ms(90_000), 0), (ms(45_000), 20)],
    };
    assert_eq!(pasts, [(test_id(0), past)].into());
    assert!(store.pasts("wiki").await.expect("reads").is_empty(), "nothing is learnt of a test that never passed");
}

#[rstest]
#[tokio::test]
async fn the_boot_is_the_median_of_the_newest_ten_ready_environments(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    let store = &history.store;
    assert_eq!(store.expected_boot("shop").await.expect("reads"), None);
    begin(store, &run_id(1), "shop", 0).await;
    for generation in 2..=14_u32 {
        let environment = environment(0, generation);
        let boot = ms(u64::from(generation) * 1_000);
        let at = at(i64::from(generation) * 10);
        record_all(store, &[RunEvent::EnvironmentStarting { at, environment }]).await;
        // The thirteenth and fourteenth never become ready; the newest ten are 3..=12.
        if generation <= 12 {
            record_all(store, &[RunEvent::EnvironmentReady { at, environment, boot, standby: false }]).await;
        }
    }
    assert_eq!(store.expected_boot("shop").await.expect("reads"), Some(ms(7_500)));
    assert_eq!(store.expected_boot("blog").await.expect("reads"), None);
}

#[rstest]
#[tokio::test]
async fn attempts_are_recorded_far_faster_than_tests_run(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let attempts = match kind {
        Kind::Sqlite => 20_000,
        Kind::Postgres => 2_000,
    };
    let history = history(kind).await;
    let begun = Instant::now();
    begin(&history.store, &run_id(1), "shop", attempts).await;
    println!("recorded the plan of {attempts} tests in {:.2?}", begun.elapsed());
    let events: Vec<_> = (0..attempts)
        .map(|n| {
            let failed = || Outcome::Failed(Failure::observed("expected 1, got 2"));
            let outcome = if n % 10 == 0 { failed() } else { Outcome::Passed };
            RunEvent::AttemptEnded(Attempt {
                output: "a line of output\n".repeat(10),
                ..attempt(test_id(n), 1, outcome)
            })
        })
        .collect();
    let begun = Instant::now();
    record_all(&history.store, &events).await;
    let took = begun.elapsed();
    println!("recorded {attempts} attempts one by one in {took:.2?}: {:.0}/s", attempts as f64 / took.as_secs_f64());
    assert_eq!(history.store.attempts(&run_id(1)).await.expect("reads").len(), attempts);
    assert!(took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test]
async fn durations_of_a_long_history_are_read_quickly() {
    const RUNS: u32 = 200;
    const TESTS: usize = 500;
    let History { store, place, folder: _folder } = history(Kind::Sqlite).await;
    let path = file(&place);
    begin(&store, &run_id(1), "shop", TESTS).await;
    record_all(&store, &[RunEvent::AttemptEnded(attempt(test_id(0), 1, Outcome::Passed))]).await;
    store.close().await;
    multiply(&path, RUNS, TESTS).await;

    let store = open(&place).await;
    let size = std::fs::metadata(&path).expect("is there").len();
    let begun = Instant::now();
    let durations = store.expected_durations("shop").await.expect("reads");
    let took = begun.elapsed();
    println!("{} attempts, {} kB: durations of {TESTS} tests in {took:.2?}", RUNS as usize * TESTS, size / 1024);
    assert_eq!(durations.len(), TESTS);
    assert_eq!(durations.get(&test_id(7)), Some(&ms(1_955)), "the newest ten runs are 191..=200");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Turns the one attempt into one of each test in each of `runs` runs, by SQL and in one transaction: through
/// events it would take longer than all other tests together.
async fn multiply(path: &std::path::Path, runs: u32, tests: usize) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opens");
    let mut all = pool.begin().await.expect("begins");
    sqlx::query("DELETE FROM attempts").execute(&mut *all).await.expect("empties");
    for run in 1..=runs {
        let id = run_id(run).to_string();
        if run > 1 {
            for statement in [
                "INSERT INTO runs (id, suite, candidate, triggered_by, seed, lanes, attempt_limit, cpus, fail_on_flaky,
                    owner, started_ms) SELECT $1, suite, candidate, triggered_by, seed, lanes, attempt_limit, cpus,
                    fail_on_flaky, owner, started_ms FROM runs LIMIT 1",
                "INSERT INTO environments (run_id, lane, generation, suite, starting_ms) VALUES ($1, 0, 1, 'shop', 0)",
                "INSERT INTO run_tests (run_id, test_id, listed, expected_ms)
                    SELECT $1, id, 1, 0 FROM tests WHERE suite = 'shop'",
            ] {
                sqlx::query(statement).bind(&id).execute(&mut *all).await.expect("multiplies");
            }
        }
        for n in 0..tests {
            let test: TestId = test_id(n);
            sqlx::query(
                "INSERT INTO attempts (run_id, test_id, number, suite, lane, generation, unit, position, started_ms,
                    duration_ms, outcome, output) VALUES ($1, $2, 1, 'shop', 0, 1, 1, 1, $3, $4, 'passed', '')",
            )
            .bind(&id)
            .bind(test.as_str())
            .bind(i64::from(run) * 3_600_000)
            .bind(i64::from(run) * 10)
            .execute(&mut *all)
            .await
            .expect("inserts");
        }
    }
    all.commit().await.expect("commits");
    pool.close().await;
}

#[rstest]
#[tokio::test]
async fn footprints_are_those_of_environments_that_were_ready_in_the_newest_runs(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    let store = &history.store;
    assert_eq!(store.footprints("shop").await.expect("reads"), []);
    for n in 0..7_u32 {
        let run = run_id(n);
        let started = RunEvent::RunStarted { at: at(i64::from(n)), header: header(run, "shop") };
        let starting = |lane| RunEvent::EnvironmentStarting { at: at(1_000), environment: environment(lane, 1) };
        let of = environment(0, 1);
        let ready = RunEvent::EnvironmentReady { at: at(2_000), environment: of, boot: ms(900), standby: false };
        let removed = |lane| RunEvent::EnvironmentRemoved {
            at: at(21_000),
            environment: environment(lane, 1),
            used: ResourceUse { cpu: ms(5_000), memory_peak: u64::from(n) << 20, ..ResourceUse::default() },
        };
        record_all(store, &[started, starting(0), starting(1), ready, removed(0), removed(1)]).await;
    }
    let mut footprints = store.footprints("shop").await.expect("reads");
    footprints.sort_by_key(|footprint| footprint.memory_peak);
    let expected = (2..7).map(|n| Footprint { memory_peak: n << 20, cpu: ms(5_000), lived: ms(20_000) });
    assert_eq!(footprints, expected.collect::<Vec<_>>());
    assert_eq!(store.footprints("bakery").await.expect("reads"), []);
}
