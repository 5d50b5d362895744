//! A run is read back as it was told.

use proptest::prelude::*;
use rstest::rstest;
use shakedown::event::{Attempt, BrokenEnvironment, PlannedTest, ResourceUse, RunEvent};
use shakedown::id::{LaneIndex, RunId, TestId, UnitId};
use shakedown::store::{EnvironmentRow, SignatureRow, Store, StoreError, TestRow};
use shakedown::verdict::{Failure, Interruption, Outcome, RunVerdict, StopReason, TestVerdict};

use crate::script::*;

fn failure() -> Failure {
    Failure {
        class: "RSpec::Expectations::ExpectationNotMetError".into(),
        message: "expected: 'it''s'\n     got: \"naïve\" 🛒".into(),
        file: Some("spec/cart_spec.rb".into()),
        line: Some(14),
        backtrace: vec!["spec/cart_spec.rb:14:in `block'".into(), "lib/a, b.rb:2".into()],
    }
}

/// One attempt of each outcome, of five tests in two environments.
fn used() -> ResourceUse {
    ResourceUse { cpu: ms(4_321), memory_peak: 5 << 30, ..ResourceUse::default() }
}

fn attempts() -> Vec<Attempt> {
    let second =
        |attempt: Attempt| Attempt { environment: environment(1, 1), predecessor: Some(test_id(0)), ..attempt };
    vec![
        attempt(test_id(0), 1, Outcome::Failed(failure())),
        Attempt { started: at(2_000), ..second(attempt(test_id(0), 2, Outcome::Passed)) },
        Attempt {
            started: at(3_000),
            output: "log\u{1b}[31m line\n".into(),
            ..second(attempt(test_id(1), 1, Outcome::TimedOut { limit: ms(120_000), why: "by --test-timeout".into() }))
        },
        Attempt { started: at(4_000), ..attempt(test_id(2), 1, Outcome::Skipped { reason: "pending".into() }) },
        Attempt {
            started: at(5_000),
            unit: UnitId(u32::MAX),
            ..attempt(test_id(3), 1, Outcome::EnvironmentBroke { cause: "web exited with code 1".into() })
        },
        Attempt { started: at(6_000), ..attempt(test_id(4), 1, Outcome::Interrupted) },
    ]
}

fn broken() -> BrokenEnvironment {
    BrokenEnvironment {
        service: Some("web".into()),
        cause: "web exited with code 1".into(),
        log_tail: vec!["Booting".into(), "KeyError: 'DATABASE_URL'".into()],
    }
}

#[rstest]
#[tokio::test]
async fn a_run_is_read_back_exactly_as_it_was_told(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    let run = run_id(1);
    let mut events = vec![
        RunEvent::RunStarted { at: at(0), header: header(run.clone(), "shop") },
        RunEvent::ImageReady { service: "web".into(), took: ms(5) },
        RunEvent::EnvironmentStarting { at: at(5), environment: environment(0, 1) },
        RunEvent::EnvironmentStarting { at: at(6), environment: environment(1, 1) },
        planned((0..6).map(test_id)),
        RunEvent::EnvironmentReady { at: at(905), environment: environment(0, 1), boot: ms(900), standby: false },
        RunEvent::AttemptStarted {
            at: at(1_000),
            test: test_id(0),
            number: shakedown::id::AttemptNumber::FIRST,
            environment: environment(0, 1),
        },
    ];
    events.extend(attempts().into_iter().map(RunEvent::AttemptEnded));
    let settled = |n, verdict| RunEvent::TestSettled { test: test_id(n), verdict };
    events.extend([
        settled(0, TestVerdict::Flaky),
        settled(1, TestVerdict::Failed),
        settled(2, TestVerdict::Skipped),
        RunEvent::EnvironmentBroke { at: at(7_000), environment: environment(1, 1), broken: broken() },
        RunEvent::LaneStoodDown { lane: LaneIndex(1), why: "web".into() },
        RunEvent::EnvironmentRemoved { at: at(8_000), environment: environment(0, 1), used: used() },
        RunEvent::RunEnded { at: at(9_000), verdict: RunVerdict::Failed, exit_code: 1 },
    ]);
    record_all(store, &events).await;

    let row = store.run(&run).await.expect("reads").expect("is there");
    assert_same(&row.header, &header(run.clone(), "shop"));
    assert_eq!((row.started, row.planned, row.ended), (at(0), Some(at(20)), Some(at(9_000))));
    assert_eq!((row.units, row.known, row.exit_code), (Some(2), Some(1), Some(1)));
    assert_eq!((row.verdict.as_deref(), row.reason, row.stopping), (Some("failed"), None, None));

    assert_same(store.attempts(&run).await.expect("reads"), attempts());
    let with_signature = attempts().into_iter().filter_map(|attempt| {
        let signature = shakedown::signature::of_outcome(&attempt.outcome)?;
        let (test, number, label) = (attempt.test, attempt.number, signature.to_string());
        Some(SignatureRow { test, number, signature: label, text: signature.text })
    });
    let with_signature: Vec<_> = with_signature.collect();
    assert_eq!(with_signature.len(), 3, "failed, timed out, environment broke");
    assert_eq!(store.signatures(&run).await.expect("reads"), with_signature);

    let starting = |lane, ms| EnvironmentRow {
        environment: environment(lane, 1),
        starting: at(ms),
        ready: None,
        boot: None,
        broke: None,
        broken: None,
        removed: None,
        cpu: None,
        memory_peak: None,
    };
    let first = EnvironmentRow {
        ready: Some(at(905)),
        boot: Some(ms(900)),
        removed: Some(at(8_000)),
        cpu: Some(ms(4_321)),
        memory_peak: Some(5 << 30),
        ..starting(0, 5)
    };
    let second = EnvironmentRow { broke: Some(at(7_000)), broken: Some(broken()), ..starting(1, 6) };
    assert_eq!(store.environments(&run).await.expect("reads"), [first, second]);

    let verdicts = [Some(TestVerdict::Flaky), Some(TestVerdict::Failed), Some(TestVerdict::Skipped), None, None, None];
    let expected: Vec<_> = verdicts
        .into_iter()
        .enumerate()
        .map(|(n, verdict)| {
            let test = planned_test(test_id(n));
            let (file, line, name, tags, expected) = (test.file, test.line, test.name, test.tags, test.expected);
            TestRow { test: test.id, file, line, name, tags, expected, verdict }
        })
        .collect();
    assert_eq!(store.test_verdicts(&run).await.expect("reads"), expected);
}

#[rstest]
#[tokio::test]
async fn a_plan_of_many_tests_keeps_their_order_and_what_was_listed_last(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    begin(&history.store, &run_id(1), "shop", 1_001).await;
    let renamed = PlannedTest { name: "adds one item".into(), line: 99, tags: vec![], ..planned_test(test_id(1_000)) };
    begin(&history.store, &run_id(2), "shop", 0).await;
    let tests = vec![renamed, planned_test(test_id(0))];
    let planned = RunEvent::Planned { at: at(99), listed: tests.len(), tests, units: 1, known: 0, notes: Vec::new() };
    record_all(&history.store, &[planned]).await;

    let rows = history.store.test_verdicts(&run_id(1)).await.expect("reads");
    assert_eq!(
        rows.iter().map(|row| row.test.clone()).collect::<Vec<_>>(),
        (0..1_001).map(test_id).collect::<Vec<_>>()
    );
    let last = rows.last().expect("there are 1,001");
    assert_eq!((last.name.as_str(), last.line, last.tags.as_slice()), ("adds one item", 99, [].as_slice()));
    let rows = history.store.test_verdicts(&run_id(2)).await.expect("reads");
    assert_eq!(rows.iter().map(|row| row.test.clone()).collect::<Vec<_>>(), [test_id(1_000), test_id(0)]);
}

#[rstest]
#[tokio::test]
async fn every_verdict_of_a_test_is_read_back(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    begin(&history.store, &run_id(1), "shop", TestVerdict::ALL.len()).await;
    for (n, verdict) in TestVerdict::ALL.into_iter().enumerate() {
        record_all(&history.store, &[RunEvent::TestSettled { test: test_id(n), verdict }]).await;
    }
    let rows = history.store.test_verdicts(&run_id(1)).await.expect("reads");
    assert_eq!(rows.iter().filter_map(|row| row.verdict).collect::<Vec<_>>(), TestVerdict::ALL);
}

#[rstest]
#[tokio::test]
async fn every_way_to_end_keeps_its_word_and_its_reason(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let why = || "web never became ready\nin 4 lanes".to_owned();
    let ends = [
        (RunVerdict::Passed, "passed", None),
        (RunVerdict::NoTests, "no tests", None),
        (RunVerdict::Incomplete(StopReason::Deadline), "incomplete", Some("deadline".to_owned())),
        (RunVerdict::Incomplete(StopReason::MaxFailures), "incomplete", Some("max failures".to_owned())),
        (RunVerdict::EnvironmentsUnavailable(why()), "environments unavailable", Some(why())),
        (RunVerdict::Interrupted(Interruption::Interrupt), "interrupted", Some("SIGINT".to_owned())),
        (RunVerdict::Interrupted(Interruption::Terminate), "interrupted", Some("SIGTERM".to_owned())),
    ];
    for (salt, (verdict, word, reason)) in (1..).zip(ends) {
        begin(&history.store, &run_id(salt), "shop", 0).await;
        record_all(&history.store, &[RunEvent::RunEnded { at: at(30), verdict, exit_code: 130 }]).await;
        let row = history.store.run(&run_id(salt)).await.expect("reads").expect("is there");
        assert_eq!((row.verdict.as_deref(), row.reason, row.exit_code), (Some(word), reason, Some(130)));
    }
}

#[rstest]
#[tokio::test]
async fn an_interrupted_run_keeps_what_ended_and_when_it_began_to_stop(
    #[values(Kind::Sqlite, Kind::Postgres)] kind: Kind,
) {
    let history = history(kind).await;
    begin(&history.store, &run_id(1), "shop", 2).await;
    let reason = StopReason::Signal(Interruption::Terminate);
    record_all(
        &history.store,
        &[
            RunEvent::AttemptEnded(attempt(test_id(0), 1, Outcome::Passed)),
            RunEvent::Stopping { at: at(1_900), reason: StopReason::Deadline },
            RunEvent::Stopping { at: at(1_950), reason },
            RunEvent::AttemptEnded(attempt(test_id(1), 1, Outcome::Interrupted)),
        ],
    )
    .await;
    let History { store, place, folder: _folder } = history;
    store.close().await;

    let store = open(&place).await;
    let row = store.run(&run_id(1)).await.expect("reads").expect("is there");
    assert_eq!((row.stopping, row.reason.as_deref()), (Some(at(1_900)), Some("SIGTERM")));
    assert_eq!((row.ended, row.verdict, row.exit_code), (None, None, None));
    assert_eq!(store.attempts(&run_id(1)).await.expect("reads").len(), 2);
}

#[rstest]
#[tokio::test]
async fn runs_come_newest_first_by_suite_and_up_to_a_limit(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    for (salt, suite) in [(1, "shop"), (2, "blog"), (3, "shop")] {
        let started = RunEvent::RunStarted { at: at(salt.into()), header: header(run_id(salt), suite) };
        record_all(&history.store, &[started]).await;
    }
    let ids = async |suite, limit| {
        let rows = history.store.runs(suite, limit).await.expect("reads");
        rows.into_iter().map(|row| row.header.run).collect::<Vec<RunId>>()
    };
    assert_eq!(ids(None, 10).await, [run_id(3), run_id(2), run_id(1)]);
    assert_eq!(ids(None, 2).await, [run_id(3), run_id(2)]);
    assert_eq!(ids(Some("shop"), 10).await, [run_id(3), run_id(1)]);
    assert_eq!(ids(Some("none"), 10).await, []);
    assert!(history.store.run(&run_id(9)).await.expect("reads").is_none());
}

#[rstest]
#[tokio::test]
async fn an_event_that_fits_to_nothing_is_refused_with_what_it_was(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let history = history(kind).await;
    let store = &history.store;
    let refused = async |event: RunEvent| {
        let error = store.record(&event).await.expect_err("must be refused");
        assert!(matches!(error, StoreError::Unexpected { .. }), "{error:?}");
        error.to_string()
    };
    let of = |n, number| RunEvent::AttemptEnded(attempt(test_id(n), number, Outcome::Failed(failure())));
    assert!(refused(of(0, 1)).await.contains("can't record an attempt in"));
    begin(store, &run_id(1), "shop", 1).await;
    record_all(store, &[of(0, 1)]).await;
    for (event, why) in [
        (of(0, 1), "attempt 1 of test spec/cart_spec.rb::adds item 0 was recorded before"),
        (of(7, 1), "attempt 1 of test spec/cart_spec.rb::adds item 7 was not recorded before"),
        (
            RunEvent::EnvironmentReady { at: at(0), environment: environment(6, 2), boot: ms(1), standby: false },
            "environment 7.2 was not recorded before",
        ),
        (
            RunEvent::TestSettled { test: test_id(7), verdict: TestVerdict::Passed },
            "test spec/cart_spec.rb::adds item 7 was not recorded before",
        ),
        (
            RunEvent::RunStarted { at: at(0), header: header(run_id(1), "shop") },
            &format!("run {} was recorded before", run_id(1)),
        ),
    ] {
        let message = refused(event).await;
        assert!(message.contains(why), "{message}");
    }
    assert_eq!(store.attempts(&run_id(1)).await.expect("reads").len(), 1);
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![any::<char>(), Just('\0'), Just('\''), Just('$')], 0..12)
        .prop_map(String::from_iter)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let optional = || prop::option::of(text());
    prop_oneof![
        Just(Outcome::Passed),
        (text(), text(), optional(), prop::option::of(any::<u32>()), prop::collection::vec(text(), 0..3)).prop_map(
            |(class, message, file, line, backtrace)| Outcome::Failed(Failure {
                class,
                message,
                file,
                line,
                backtrace
            })
        ),
        (0..u64::from(u32::MAX), text()).prop_map(|(limit, why)| Outcome::TimedOut { limit: ms(limit), why }),
        text().prop_map(|reason| Outcome::Skipped { reason }),
        text().prop_map(|cause| Outcome::EnvironmentBroke { cause }),
        Just(Outcome::Interrupted),
    ]
}

#[rstest]
fn any_attempt_is_read_back_as_it_was_without_nul_characters(#[values(Kind::Sqlite, Kind::Postgres)] kind: Kind) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let history = runtime.block_on(history(kind));
    let salts = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let cases = (text(), text(), prop::option::of(text()), outcome(), 0..u64::from(u32::MAX), any::<u32>());
    let result = runner.run(&cases, |(name, output, predecessor, outcome, duration, position)| {
        let run = run_id(salts.replace(salts.get() + 1));
        let test = TestId::new("a.rb", &name, 1);
        let predecessor = predecessor.map(TestId::from_stored);
        let told = Attempt { predecessor, output, position, duration: ms(duration), ..attempt(test, 1, outcome) };
        let read = runtime.block_on(tell(&history.store, &run, &told));
        let expected = format!("{:?}", [&told]).replace("\\0", "");
        prop_assert_eq!(format!("{:?}", read), expected);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

async fn tell(store: &Store, run: &RunId, attempt: &Attempt) -> Vec<Attempt> {
    begin(store, run, "shop", 0).await;
    let test = attempt.test.clone();
    record_all(store, &[planned([test]), RunEvent::AttemptEnded(attempt.clone())]).await;
    store.attempts(run).await.expect("reads")
}
