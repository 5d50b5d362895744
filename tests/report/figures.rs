//! Counts, rates and the lower bound.

use shakedown::event::{PlannedTest, RunEvent, RunHeader};
use shakedown::report::RunRecord;
use shakedown::report::record::{Limit, Rate};
use shakedown::verdict::{Outcome, StopReason, TestVerdict};

use super::sample::{Script, at, environment, header, ms, not_equal, one_of_each, passed, test};

#[test]
fn skipped_never_run_and_environment_broke_are_in_no_rate() {
    let record = RunRecord::of(&one_of_each());
    // passed, flaky, failed, slow and quarantined ran; of them passed and slow passed at once.
    assert_eq!(record.first_try(), Rate { passed: 2, of: 5 });
    assert_eq!(record.after_retry(), Rate { passed: 3, of: 5 });
    let counts = record.counts();
    assert_eq!(counts.total(), 8);
    assert!(TestVerdict::ALL.iter().all(|v| counts.of(*v) == if *v == TestVerdict::Passed { 2 } else { 1 }));
}

#[test]
fn an_attempt_lost_to_a_broken_environment_is_no_try() {
    let one = test("a.py", 1, "adds", 0);
    let mut script = Script::new(header());
    script.plan(0, std::slice::from_ref(&one));
    script.attempt(&one, environment(1, 1), 0, 10, Outcome::EnvironmentBroke { cause: "db exited".into() });
    script.attempt(&one, environment(2, 1), 10, 10, Outcome::Passed);
    let record = RunRecord::of(&script.events);
    assert_eq!(record.first_try(), Rate { passed: 1, of: 1 });
}

#[test]
fn the_chain_is_the_quickest_boot_and_start_and_the_longest_of_what_must_be_one_after_another() {
    let in_one_go = |line, name| PlannedTest { together: Some(7), ..test("a.py", line, name, 0) };
    let (one, two) = (in_one_go(1, "adds"), in_one_go(2, "pays"));
    let mut script = Script::new(RunHeader { lanes: 2, ..header() });
    script.boot(environment(1, 1), 0, 500).boot(environment(2, 1), 0, 300);
    script.plan(0, &[one.clone(), two.clone()]);
    script.attempt(&one, environment(1, 1), 500, 1_000, not_equal());
    script.attempt(&one, environment(2, 1), 1_500, 1_100, Outcome::Passed);
    let bound = RunRecord::of(&script.events).lower_bound().expect("there was work");
    assert_eq!((bound.chain, bound.work), (ms(2_610), ms(1_660)));
    assert_eq!(bound.bound(), (Limit::Chain, ms(2_610)));

    // What is run in one go goes on in the same unit: a chain of 1.0 + 1.5 s.
    script.attempt(&two, environment(1, 1), 1_500, 1_500, Outcome::Passed);
    for event in &mut script.events {
        if let RunEvent::AttemptEnded(attempt) = event
            && attempt.environment == environment(1, 1)
        {
            attempt.unit = shakedown::id::UnitId(7);
        }
    }
    assert_eq!(RunRecord::of(&script.events).lower_bound().map(|b| b.chain), Some(ms(3_010)));
}

#[test]
fn tests_that_share_a_resource_are_a_chain_and_a_file_that_could_be_split_is_none() {
    for (needs, chain) in [(&[][..], 300 + 210 + 1_000), (&["sandbox"][..], 300 + 210 + 4_000)] {
        let tests = [1, 2, 3, 4].map(|line| PlannedTest {
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            ..test("a.py", line, &format!("pays {line}"), 0)
        });
        let mut script = Script::new(RunHeader { lanes: 2, ..header() });
        script.boot(environment(1, 1), 0, 300);
        script.plan(0, &tests);
        for test in &tests {
            script.attempt(test, environment(1, 1), 500, 1_000, Outcome::Passed);
        }
        assert_eq!(RunRecord::of(&script.events).lower_bound().map(|b| b.chain), Some(ms(chain)));
    }
}

#[test]
fn work_over_few_lanes_and_processors_bound_the_run_too() {
    let record = RunRecord::of(&passed());
    let bound = record.lower_bound().expect("there was work");
    assert_eq!((bound.chain, bound.work, bound.cpu), (ms(5_110), ms(4_810), ms(2_250)));
    assert!(record.wall_time().is_some_and(|wall| wall >= bound.bound().1));
    let mut few = record;
    few.header.cpus = 1;
    assert_eq!(few.lower_bound().map(|b| b.bound()), Some((Limit::Cpu, ms(9_000))));
}

#[test]
fn a_record_of_nothing_has_figures_without_a_division_by_zero() {
    let record = RunRecord::default();
    assert_eq!(record.first_try().percent(), None);
    assert_eq!(record.lower_bound(), None);
    assert_eq!((record.wall_time(), record.time_to_first_test(), record.remaining(at(0))), (None, None, None));
}

#[test]
fn an_unsettled_test_has_the_verdict_that_a_stop_gives_it() {
    let (one, two) = (test("a.py", 1, "adds", 0), test("a.py", 2, "pays", 0));
    let mut script = Script::new(header());
    script.plan(0, &[one.clone(), two]).attempt(&one, environment(1, 1), 0, 10, not_equal());
    let verdicts: Vec<_> = RunRecord::of(&script.events).tests.values().map(|t| t.verdict()).collect();
    assert_eq!(verdicts, [TestVerdict::Failed, TestVerdict::NotRun]);
}

#[test]
fn a_test_that_no_plan_named_is_not_lost() {
    let one = test("a.py", 1, "adds", 0);
    let mut script = Script::new(header());
    script.attempt(&one, environment(1, 1), 0, 10, Outcome::Passed).settle(&one, TestVerdict::Passed);
    let record = RunRecord::of(&script.events);
    let planned = &record.tests[&one.id].planned;
    assert_eq!((planned.file.as_str(), planned.name.as_str()), ("a.py", "adds"));
}

#[test]
fn what_remains_is_shared_by_live_lanes_but_never_shorter_than_its_longest_test() {
    let tests = [test("a.py", 1, "a", 3_000), test("a.py", 2, "b", 3_000), test("a.py", 3, "c", 6_000)];
    let mut script = Script::new(RunHeader { lanes: 2, ..header() });
    script.plan(0, &tests);
    let record = RunRecord::of(&script.events);
    assert_eq!(record.remaining(at(0)), Some(ms(6_000)));
    script.settle(&tests[0], TestVerdict::Passed).events.push(RunEvent::AttemptStarted {
        at: at(1_000),
        test: tests[2].id.clone(),
        number: shakedown::id::AttemptNumber::FIRST,
        environment: environment(1, 1),
    });
    assert_eq!(RunRecord::of(&script.events).remaining(at(5_000)), Some(ms(3_000)));
    script.stop(5_000, StopReason::Deadline);
    assert_eq!(RunRecord::of(&script.events).settled(), 1);
}
