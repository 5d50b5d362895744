//! What every adapter must hold. See `src/framework/mod.rs` for the contract.

use std::collections::BTreeSet;
use std::time::Duration;

use shakedown::framework::protocol::SaidOutcome;
use shakedown::framework::{ListedTest, WorkerError};

use super::ground::{Ground, Unit};
use super::roles::{FEATURES, ODD_NAMES, ROLES, all, is_harmless, one};
use crate::patience::comes_true;

fn selectors<'a>(tests: impl IntoIterator<Item = &'a ListedTest>) -> Vec<&'a str> {
    tests.into_iter().map(|test| test.selector.as_str()).collect()
}

/// The test with an odd name; names may be shown after those of groups or files.
fn odd<'a>(ground: &Ground, tests: &'a [ListedTest], name: &str) -> Option<&'a ListedTest> {
    let shown = (ground.adapter.shows)(name);
    let found: Vec<&ListedTest> = tests.iter().filter(|test| test.name.contains(&shown)).collect();
    match found[..] {
        _ if !ground.adapter.has(name) => None,
        [test] => Some(test),
        _ => panic!("{} tests are named {shown:?}; all: {tests:#?}", found.len()),
    }
}

pub(crate) fn the_suite_plays_every_role_and_says_what_it_lacks(ground: Ground) {
    let tests = ground.worker("w1").list();
    for (role, meaning) in ROLES {
        let expected = match *role {
            role if !ground.adapter.has(role) => 0,
            "twin" => 2,
            _ => 1,
        };
        assert_eq!(all(&tests, role).len(), expected, "tests that play \"{role}\": {meaning}");
    }
    let known: BTreeSet<&str> =
        ROLES.iter().chain(FEATURES).map(|(word, _)| *word).chain(ODD_NAMES.iter().copied()).collect();
    let unknown: Vec<&&str> = ground.adapter.lacks.iter().filter(|lack| !known.contains(**lack)).collect();
    assert!(unknown.is_empty(), "neither roles nor features: {unknown:?}");
}

pub(crate) fn listing_is_stable(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    let distinct: BTreeSet<&str> = tests.iter().map(|test| test.selector.as_str()).collect();
    assert_eq!(distinct.len(), tests.len(), "two tests have the same selector");
    worker.run(&[&one(&tests, "passes").selector, &one(&tests, "fails").selector]);
    assert_eq!(worker.list(), tests, "after a unit was run");
    worker.quit();
    assert_eq!(ground.worker("w2").list(), tests, "by another worker");

    for test in &tests {
        let source = ground.source(&test.file);
        if ground.adapter.has("line") {
            assert!(test.line >= 1 && test.line as usize <= source.len(), "{test:?}");
        }
    }
    let passes = one(&tests, "passes");
    if ground.adapter.has("line") {
        let line = &ground.source(&passes.file)[passes.line as usize - 1];
        assert!(line.contains("passes"), "{passes:?} stands at: {line}");
    }
    if ground.adapter.has("tagged") {
        let tags = &one(&tests, "tagged").tags;
        assert!(tags.iter().any(|tag| tag.contains("smoke")), "{tags:?}");
        assert!(!passes.tags.iter().any(|tag| tag.contains("smoke")), "{:?}", passes.tags);
    }
    if ground.adapter.has("shared") {
        let shared = one(&tests, "shared");
        assert_eq!(shared.file, passes.file, "it belongs to the file that asks for it");
    }
}

pub(crate) fn every_test_runs_alone(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    for test in tests.iter().filter(|test| is_harmless(test)) {
        let unit = worker.run(&[&test.selector]);
        assert!(unit.lost.is_none() && unit.unknown.is_empty() && unit.errors.is_empty(), "{unit:#?}");
        assert_eq!(unit.started, [test.selector.as_str()]);
        assert_eq!(unit.ended.len(), 1, "{unit:#?}");
        unit.end(&test.selector);
        let others: Vec<&str> = unit.marks().into_iter().filter(|mark| *mark != "context").collect();
        assert!(others.len() <= 1, "{others:?} ran instead of {} alone", test.name);
    }
    for role in ["passes", "shared", "number_1", "number_10"].into_iter().filter(|role| ground.adapter.has(role)) {
        let mut unit = worker.run(&[&one(&tests, role).selector]);
        worker.expect_only(&mut unit, &[role]);
    }
    let mut twins = all(&tests, "twin");
    twins.sort_by_key(|twin| &twin.file);
    for (twin, mark) in twins.iter().zip(["twin a", "twin b"]) {
        let mut unit = worker.run(&[&twin.selector]);
        worker.expect_only(&mut unit, &[mark]);
    }
    assert!(twins.is_empty() || twins[0].file != twins[1].file, "they stand in two files: {twins:#?}");
}

pub(crate) fn asked_equals_ran(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    let gone = ground.adapter.gone;
    let passes = one(&tests, "passes").selector.as_str();
    let unit = worker.run(&[gone, passes]);
    assert_eq!(unit.end(passes).outcome, SaidOutcome::Passed);
    is_refused(&unit, gone);
    is_refused(&worker.run(&[gone]), gone);

    let harmless = selectors(tests.iter().filter(|test| is_harmless(test)));
    for attempt in [1, 2] {
        let unit = worker.run_attempt(&harmless, attempt);
        assert!(unit.lost.is_none() && unit.unknown.is_empty(), "{unit:#?}");
        assert_eq!(unit.ended.len(), harmless.len());
        let ended: Vec<&str> = unit.ended.iter().map(|end| end.selector.as_str()).collect();
        assert_eq!(unit.started, ended, "one test at a time");
        assert_eq!(ended.into_iter().collect::<BTreeSet<_>>(), harmless.iter().copied().collect());
        for role in ["passes", "plain"] {
            let end = unit.end(&one(&tests, role).selector);
            assert_eq!(end.outcome, SaidOutcome::Passed, "attempt {attempt}: {end:#?}");
        }
    }
}

/// A test that is not there is said to be unknown, or fails.
fn is_refused(unit: &Unit, selector: &str) {
    let failed = unit.ended.iter().any(|end| end.selector == selector && end.outcome == SaidOutcome::Failed);
    assert!(unit.unknown == [selector] || failed, "{unit:#?}");
}

pub(crate) fn names_reach_the_framework_as_they_are(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    for (index, name) in ODD_NAMES.iter().enumerate() {
        let Some(test) = odd(&ground, &tests, name) else { continue };
        let mut unit = worker.run(&[&test.selector]);
        assert_eq!(unit.end(&test.selector).outcome, SaidOutcome::Passed, "{name}: {unit:#?}");
        worker.expect_only(&mut unit, &[&format!("odd {}", index + 1)]);
    }
}

pub(crate) fn marks_mean_what_they_mean_in_the_framework(ground: Ground) {
    let adapter = &ground.adapter;
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    let mut end = |role| {
        let selector = &one(&tests, role).selector;
        let mut unit = worker.run(&[selector]);
        assert_eq!(unit.ended.len(), 1, "{unit:#?}");
        unit.ended.remove(0)
    };
    if adapter.has("skipped") {
        let skipped = end("skipped");
        assert_eq!(skipped.outcome, SaidOutcome::Skipped, "{skipped:#?}");
        if adapter.has("reason") {
            assert!(skipped.reason.as_ref().is_some_and(|reason| reason.contains("not on a Tuesday")), "{skipped:#?}");
        }
    }
    for (role, meant) in ["pending", "fixed"].into_iter().zip(adapter.known_failures) {
        if adapter.has(role) {
            let end = end(role);
            assert_eq!(end.outcome, meant, "{role}: {end:#?}");
        }
    }
    if adapter.has("focus") {
        let mut worker = ground.start("w2", adapter.focus).expect("a worker");
        let tests = worker.list();
        assert_eq!(selectors(&tests), selectors(all(&tests, "focused")), "only what is focused is listed");
        let mut unit = worker.run(&selectors(&tests));
        worker.expect_only(&mut unit, &["focused"]);
    }
}

pub(crate) fn failures_say_what_where_and_when(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    let cases = [
        ("fails", "", "expected one, got two", "fails here"),
        ("setup", "in setup: ", "no table", "setup fails here"),
        ("teardown", "in teardown: ", "stuck door", "teardown fails here"),
    ];
    for (role, stage, said, mark) in cases.into_iter().filter(|(role, ..)| ground.adapter.has(role)) {
        let selector = &one(&tests, role).selector;
        let unit = worker.run(&[selector]);
        let failure = unit.failure(selector);
        assert!(failure.message.contains(said), "{failure:#?}");
        if ground.adapter.has("stages") {
            assert!(failure.message.starts_with(stage), "{role}: {failure:#?}");
            assert!(!stage.is_empty() || !failure.message.starts_with("in "), "{failure:#?}");
        }
        assert!(!ground.adapter.has("class") || !failure.class.is_empty(), "{failure:#?}");
        if ground.adapter.has("place") {
            let file = failure.file.as_ref().unwrap_or_else(|| panic!("{failure:#?}"));
            let line = &ground.source(file)[failure.line.expect("a line") as usize - 1];
            assert!(line.contains(mark), "{failure:#?} points at: {line}");
            assert!(!failure.backtrace.is_empty(), "{failure:#?}");
        }
    }
    let unit = worker.run(&[&one(&tests, "passes").selector]);
    assert_eq!(unit.ended[0].outcome, SaidOutcome::Passed, "what failed before does not matter: {unit:#?}");
}

pub(crate) fn an_end_in_the_middle_of_a_unit_loses_that_test_only(ground: Ground) {
    let tests = ground.worker("listing").list();
    let [before, after] = ["passes", "plain"].map(|role| one(&tests, role).selector.as_str());
    for role in ["exits", "dies", "killed"].into_iter().filter(|role| ground.adapter.has(role)) {
        let violent = one(&tests, role).selector.as_str();
        let mut worker = ground.worker(&format!("{role}-1"));
        let mut unit = worker.run(&[before, violent, after]);
        worker.expect(&mut unit, &format!("last words of {role}"));
        assert!(unit.unknown.is_empty(), "{unit:#?}");
        match &unit.lost {
            // It ended with its test, of which no more is known.
            Some(WorkerError::Ended { .. }) => {
                assert_eq!(unit.started.last().map(String::as_str), Some(violent), "{unit:#?}");
                assert!(!unit.ended.iter().any(|end| end.selector == violent), "{unit:#?}");
            }
            Some(error) => panic!("{role}: {error}"),
            None => assert_eq!(unit.end(violent).outcome, SaidOutcome::Failed, "{unit:#?}"),
        }
        let others = unit.ended.iter().filter(|end| end.selector != violent);
        for end in others.clone() {
            assert_eq!(end.outcome, SaidOutcome::Passed, "{end:#?}");
        }
        let told: Vec<&str> = others.map(|end| end.selector.as_str()).collect();
        let left: Vec<&str> = [before, after].into_iter().filter(|test| !told.contains(test)).collect();
        assert!(unit.lost.is_some() || left.is_empty(), "{unit:#?}");
        worker.kill();

        if !left.is_empty() {
            let mut worker = ground.worker(&format!("{role}-2"));
            let unit = worker.run(&left);
            for selector in left {
                assert_eq!(unit.end(selector).outcome, SaidOutcome::Passed, "{unit:#?}");
            }
            worker.quit();
        }
    }
}

pub(crate) fn tests_know_where_they_run(ground: Ground) {
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    for attempt in [1, 2] {
        let mut unit = worker.run_attempt(&[&one(&tests, "environment").selector], attempt);
        worker.expect(&mut unit, &format!("env(r1 4 {attempt} 7 4)"));
    }
}

pub(crate) fn kill_ends_all_that_the_worker_started_and_nothing_else(ground: Ground) {
    const CHILD: &str = "48211";
    let mut other = ground.worker("other");
    let mut worker = ground.worker("deaf");
    let tests = worker.list();
    worker.ask(&[&one(&tests, "deaf").selector], 1);
    let is_started = || !ground.processes(CHILD).is_empty();
    assert!(comes_true(Duration::from_secs(60), is_started), "the test did not start its child");
    worker.kill();
    assert!(ground.processes(CHILD).is_empty(), "its child lives on");
    let passes = one(&tests, "passes").selector.as_str();
    assert_eq!(other.run(&[passes]).end(passes).outcome, SaidOutcome::Passed, "the other worker is gone");
}

pub(crate) fn what_a_group_sets_up_is_paid_once_for_each_unit(ground: Ground) {
    if !ground.adapter.has("first") {
        return;
    }
    let mut worker = ground.worker("w1");
    let tests = worker.list();
    let [first, second] = ["first", "second"].map(|role| one(&tests, role).selector.as_str());
    for (asked, passed) in [(vec![first, second], 2), (vec![second], 1)] {
        let mut unit = worker.run(&asked);
        worker.expect(&mut unit, "<<second>>");
        assert_eq!(unit.output.matches("<<context>>").count(), 1, "{unit:#?}");
        assert_eq!(unit.ended.iter().filter(|end| end.outcome == SaidOutcome::Passed).count(), passed, "{unit:#?}");
    }
}

pub(crate) fn a_suite_that_cant_be_loaded_says_where(ground: Ground) {
    if !ground.adapter.has("load") {
        return;
    }
    let result = ground.start("w1", ground.adapter.broken).and_then(|mut worker| worker.try_list());
    let Err(WorkerError::Suite { message, place: Some(place) }) = result else { panic!("{result:#?}") };
    assert!(!message.is_empty());
    let (file, line) = place.rsplit_once(':').unwrap_or_else(|| panic!("{place}"));
    let line = &ground.source(file)[line.parse::<usize>().expect("a number") - 1];
    assert!(line.contains("broken here"), "{place} is: {line}; {message}");
}
