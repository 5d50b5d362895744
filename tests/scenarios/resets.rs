//! What follows a failure, or a unit, before anything else runs in the environment.
#![expect(clippy::wildcard_enum_match_arm, reason = "each question is about one kind of event")]

use std::time::Duration;

use shakedown::engine::fake::{Answer, Behaviour};
use shakedown::event::RunEvent;
use shakedown::manifest::{Reset, ResetAfter, ResetHow};
use shakedown::verdict::{RunVerdict, TestVerdict};

use super::harness::{Scenario, passing, test};
use super::told::Told;

fn command(after: ResetAfter) -> Reset {
    let how = ResetHow::Command {
        service: "db".to_owned(),
        command: vec!["/reset.sh".to_owned()],
        within: Duration::from_secs(30),
    };
    Reset { after, how }
}

fn scenario(lanes: u16, reset: Reset, behaviour: Behaviour) -> Scenario {
    let mut tests = vec![test("spec/0_spec.rb", "odd", behaviour)];
    tests.extend(passing(3, 3));
    let mut scenario = Scenario::new(lanes, tests);
    scenario.manifest.environment.reset = reset;
    scenario
}

/// What ran in one environment after something that failed in it: nothing, where it was recycled.
fn ran_after_a_failure(told: &Told) -> usize {
    let mut dirty = std::collections::BTreeSet::new();
    let mut ran = 0;
    for event in &told.events {
        if let RunEvent::AttemptEnded(attempt) = event {
            ran += usize::from(dirty.contains(&attempt.environment));
            if attempt.outcome.counts_against_test() {
                dirty.insert(attempt.environment);
            }
        }
    }
    ran
}

fn resets(told: &Told) -> usize {
    told.events.iter().filter(|event| matches!(event, RunEvent::EnvironmentReset { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn by_default_nothing_runs_in_an_environment_in_which_an_attempt_failed_or_timed_out() {
    for behaviour in [Behaviour::FailsUpTo(2), Behaviour::Fails, Behaviour::Hangs, Behaviour::KillsWorker] {
        for lanes in [1, 2, 3] {
            let told = scenario(lanes, Reset::default(), behaviour.clone()).run().await;
            assert_eq!(ran_after_a_failure(&told), 0, "{behaviour:?} with {lanes} lanes");
            let passed = told.verdicts().into_values().filter(|verdict| *verdict == TestVerdict::Passed).count();
            assert_eq!(passed, 9);
            assert_eq!(told.broken(), [], "an environment that is recycled has not broken");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_unit_runs_in_the_fresh_environment() {
    let told = scenario(1, Reset::default(), Behaviour::FailsUpTo(1)).run().await;
    assert_eq!(told.boots(), 2);
    assert_eq!(told.attempts("passes 2")[0].environment.generation, 2);
    assert_eq!(told.outcomes("::odd"), ["failed", "passed"]);
}

#[tokio::test(start_paused = true)]
async fn an_environment_may_be_used_up_by_each_unit() {
    let reset = Reset { after: ResetAfter::Unit, how: ResetHow::Recycle };
    let told = scenario(1, reset, Behaviour::Passes).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    // Each of the three files has one of its own. The last boot may have begun before it was known to be in vain.
    let places: std::collections::BTreeSet<_> = ["0_spec", "1_spec", "2_spec"]
        .iter()
        .map(|file| {
            let places: Vec<_> = told
                .events
                .iter()
                .filter_map(|event| match event {
                    RunEvent::AttemptEnded(attempt) if attempt.test.as_str().contains(file) => {
                        Some(attempt.environment)
                    }
                    _ => None,
                })
                .collect();
            assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{file} ran in {places:?}");
            places[0]
        })
        .collect();
    assert_eq!(places.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_never_everything_goes_on_where_it_is() {
    let reset = Reset { after: ResetAfter::Never, how: ResetHow::Recycle };
    let told = scenario(1, reset, Behaviour::Fails).run().await;
    assert!(ran_after_a_failure(&told) > 0);
    assert_eq!(resets(&told), 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_after_a_failure_runs_before_the_next_test_and_the_worker_is_replaced_in_mid_unit() {
    let told = scenario(2, command(ResetAfter::Failure), Behaviour::FailsUpTo(1)).run().await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!((resets(&told), told.boots()), (1, 2));
    assert_eq!(told.called("/reset.sh"), 1);
    assert_eq!(told.called("--kill"), 1, "the worker was in the middle of its unit");
    let place = |words: &str| told.calls.iter().position(|call| call.contains(words)).expect("called");
    assert!(place("--kill") < place("/reset.sh"), "nothing may run while the state is reset");
}

#[tokio::test(start_paused = true)]
async fn a_command_after_each_unit_leaves_the_worker_warm() {
    let told = scenario(1, command(ResetAfter::Unit), Behaviour::Passes).run().await;
    assert_eq!((resets(&told), told.boots()), (3, 1));
    assert_eq!(told.called("--kill"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_the_end_of_a_unit_leaves_the_worker_warm_where_a_command_cleans_up() {
    let mut scenario = Scenario::new(2, vec![test("spec/a_spec.rb", "odd", Behaviour::FailsUpTo(1))]);
    scenario.manifest.environment.reset = command(ResetAfter::Failure);
    let told = scenario.run().await;
    assert_eq!((resets(&told), told.called("--kill")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_fails_or_hangs_recycles_the_environment_and_says_why() {
    let hangs = Answer { after: Duration::from_secs(3600), ..Answer::default() };
    for (answer, why) in [
        (Answer::saying(1, "database is being accessed"), "exit code 1: database is being accessed"),
        (hangs, "no answer within 30s"),
    ] {
        let scenario = scenario(1, command(ResetAfter::Failure), Behaviour::FailsUpTo(1));
        let told = scenario.answers("-db", "/reset.sh", vec![answer]).run().await;
        assert_eq!(told.verdict, RunVerdict::Passed);
        assert_eq!((resets(&told), told.boots()), (0, 2));
        assert_eq!(ran_after_a_failure(&told), 0);
        let message = format!("environment 1.1 could not be reset, and is replaced: `/reset.sh` in db: {why}");
        assert_eq!(told.warnings(), [message]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_breaks_while_it_is_reset_has_broken() {
    let slow = Answer { after: Duration::from_secs(20), ..Answer::default() };
    let scenario = scenario(1, command(ResetAfter::Unit), Behaviour::Passes).answers("-db", "/reset.sh", vec![slow]);
    let told = scenario
        .at(Duration::from_secs(15), |engine| {
            engine.end_container("shakedown-20260101-000000-abcdef-1.1-web", 1, false);
        })
        .run()
        .await;
    assert_eq!(told.verdict, RunVerdict::Passed);
    assert_eq!(told.broken()[0].cause, "web ended with exit code 1 while tests ran");
}

#[tokio::test(start_paused = true)]
async fn a_database_whose_template_can_not_be_made_never_becomes_an_environment() {
    let how = ResetHow::PostgresTemplate {
        service: "db".to_owned(),
        database: "shop".to_owned(),
        user: None,
        within: Duration::from_secs(30),
    };
    let reset = Reset { after: ResetAfter::Unit, how };
    let answer = Answer::saying(3, "ERROR:  database \"shop\" does not exist");
    let told = scenario(1, reset.clone(), Behaviour::Passes).answers("-db", "psql", vec![answer]).run().await;
    assert_eq!(told.broken()[0].service.as_deref(), Some("db"));
    let why =
        "the PostgreSQL database in db could not be cloned: exit code 3: ERROR:  database \"shop\" does not exist";
    assert_eq!(told.broken()[0].cause, why);

    let fine = scenario(1, reset, Behaviour::Passes).answers("-db", "psql", vec![Answer::code(0)]);
    let told = fine.run().await;
    assert_eq!((told.verdict.clone(), resets(&told)), (RunVerdict::Passed, 3));
    assert_eq!(told.called("psql"), 4, "the template, and three units");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_while_it_resets_ends_at_once() {
    let slow = Answer { after: Duration::from_secs(25), ..Answer::default() };
    let scenario = scenario(1, command(ResetAfter::Unit), Behaviour::Passes).answers("-db", "/reset.sh", vec![slow]);
    let told = scenario.stop_at(Duration::from_secs(10), shakedown::verdict::StopReason::Deadline).run().await;
    assert!(told.took < Duration::from_secs(12), "{:?}", told.took);
}
