//! JUnit XML: valid by the schema, unique names, the right elements for each verdict.

use std::process::Command;

use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};
use shakedown::event::{PlannedTest, RunEvent};
use shakedown::id::TestId;
use shakedown::report::RunRecord;
use shakedown::report::junit::junit_xml;
use shakedown::verdict::{AttemptLimits, Failure, NextStep, Outcome, TestVerdict, next_step};

use super::sample::{Script, environment, header, ms, one_of_each, passed, test};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report/surefire-test-report-3.0.2.xsd");

fn assert_valid(xml: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("junit.xml");
    std::fs::write(&file, xml).expect("written");
    let checked = Command::new("xmllint").args(["--noout", "--nonet", "--schema", SCHEMA]).arg(&file).output();
    let checked = checked.expect("xmllint is needed to check junit.xml: install it (Debian: libxml2-utils)");
    assert!(checked.status.success(), "{}\n{xml}", String::from_utf8_lossy(&checked.stderr));
}

fn case<'a>(report: &'a Report, name: &str) -> &'a TestCase {
    let mut cases = report.test_suites.iter().flat_map(|s| &s.test_cases);
    cases.find(|c| c.name.as_str().starts_with(name)).expect("the test is in the report")
}

#[test]
fn every_verdict_and_hostile_names_are_valid_by_the_schema() {
    assert_valid(&junit_xml(&RunRecord::of(&one_of_each())));
    assert_valid(&junit_xml(&RunRecord::of(&passed())));
    assert_valid(&junit_xml(&RunRecord::default()));
}

#[test]
fn the_schema_of_this_test_refuses_what_surefire_refuses() {
    let refused = |body: &str| {
        let xml = format!(
            r#"<testsuites tests="1" failures="0" errors="0" skipped="0">
            <testsuite name="a" tests="1" failures="0" errors="0" skipped="0">{body}</testsuite></testsuites>"#
        );
        std::panic::catch_unwind(|| assert_valid(&xml)).is_err()
    };
    let case = |inner: &str| format!(r#"<testcase name="a" classname="a" time="0.1" file="a">{inner}</testcase>"#);
    assert!(!refused(&case("<system-out/>")));
    assert!(refused(&case("<system-out/><skipped/>")), "elements out of order");
    assert!(refused(&case(r#"<flakyFailure type="x">text</flakyFailure>"#)), "text outside of stackTrace");
    assert!(refused(&case("<failure/>")), "a failure without a type");
    assert!(refused(r#"<testcase name="a" classname="a" file="a"/>"#), "a case without a time");
    assert!(refused(&format!("{0}{0}", case(""))), "two cases of the same names");
}

#[test]
fn each_verdict_is_told_as_ci_systems_read_it() {
    let xml = junit_xml(&RunRecord::of(&one_of_each()));
    insta::assert_snapshot!(xml);
    let report = Report::deserialize_from_str(&xml).expect("quick-junit reads it");
    assert_eq!((report.tests, report.failures, report.errors, report.skipped), (8, 1, 1, 3));
    let TestCaseStatus::Success { flaky_runs } = &case(&report, "Cart adds \"two\"").status else {
        panic!("a flaky test has no failure")
    };
    assert_eq!(flaky_runs.len(), 1);
    let failed = case(&report, "Pay by card");
    let TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, reruns, .. } = &failed.status else {
        panic!("a failed test has a failure")
    };
    let types: Vec<_> = reruns.runs.iter().map(|r| r.ty.as_ref().map_or("", |t| t.as_str())).collect();
    assert_eq!(types, ["RSpec::Expectations::ExpectationNotMetError", "timeout"]);
    assert_eq!(failed.time, Some(ms(2_500)));
}

#[test]
fn names_that_differ_only_in_what_xml_can_not_hold_stay_apart() {
    let mut script = Script::new(header());
    script.plan(
        0,
        &[
            test("a.py", 1, "adds", 0),
            test("a.py", 2, "ad\u{1}ds", 0),
            test("a.py", 3, "adds #2", 0),
            test("a.rb", 1, "adds", 0),
        ],
    );
    let report = Report::deserialize_from_str(&junit_xml(&RunRecord::of(&script.events))).expect("readable");
    let names: Vec<_> = report.test_suites.iter().flat_map(|s| &s.test_cases).map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["adds", "adds #2", "adds #2 #2", "adds #3"]);
}

#[test]
fn an_attempt_lost_to_a_broken_environment_is_told_in_system_out_only() {
    let one = test("a.py", 1, "adds", 0);
    let mut script = Script::new(header());
    script.plan(0, std::slice::from_ref(&one));
    script.attempt(&one, environment(1, 1), 0, 10, Outcome::EnvironmentBroke { cause: "db exited".into() });
    script.attempt(&one, environment(2, 1), 10, 10, Outcome::Passed).settle(&one, TestVerdict::Passed);
    let report = Report::deserialize_from_str(&junit_xml(&RunRecord::of(&script.events))).expect("readable");
    let case = case(&report, "adds");
    assert_eq!(case.status, TestCaseStatus::success());
    let out = case.system_out.as_ref().map_or("", |o| o.as_str());
    assert!(out.contains("environment 1.1") && out.contains("db exited"), "{out}");
}

#[test]
fn output_is_cut_at_64_kib_and_says_so() {
    let one = test("a.py", 1, "adds", 0);
    let mut script = Script::new(header());
    script.plan(0, std::slice::from_ref(&one)).attempt(&one, environment(1, 1), 0, 10, Outcome::Passed);
    if let Some(RunEvent::AttemptEnded(attempt)) = script.events.last_mut() {
        attempt.output = format!("{}the end", "ä\n".repeat(60_000));
    }
    let xml = junit_xml(&RunRecord::of(&script.events));
    assert!(xml.len() < 70_000, "{}", xml.len());
    assert!(xml.contains("bytes are left out") && xml.contains("the end"));
    assert_valid(&xml);
}

fn hostile() -> impl Strategy<Value = String> {
    let known = [
        "]]>",
        "<a>&\"'",
        "\u{1b}[31m",
        "\u{0}\u{1f}\u{85}",
        "🛒",
        "\u{202e}שלום",
        "\u{fffe}\u{ffff}",
        "\n\t",
        "",
        "a",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(String::from), any::<String>(), "[ab]{0,2}"]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Passed),
        3 => (hostile(), hostile()).prop_map(|(class, message)| {
            Outcome::Failed(Failure { class, backtrace: vec![message.clone()], message, ..Failure::default() })
        }),
        1 => Just(Outcome::TimedOut { limit: ms(1_000), why: "by --test-timeout".into() }),
        1 => hostile().prop_map(|reason| Outcome::Skipped { reason }),
        1 => hostile().prop_map(|cause| Outcome::EnvironmentBroke { cause }),
        1 => Just(Outcome::Interrupted),
    ]
}

/// Tests of any names, each with the attempts that the rules of retry give it.
fn any_run() -> impl Strategy<Value = Vec<RunEvent>> {
    let tests = prop::collection::vec((hostile(), hostile(), prop::collection::vec(outcome(), 0..6)), 0..8);
    tests.prop_map(|tests| {
        let limits = AttemptLimits { attempts: 2, environment_attempts: 2 };
        let mut script = Script::new(header());
        let planned: Vec<PlannedTest> = tests
            .iter()
            .enumerate()
            .map(|(n, (file, name, _))| PlannedTest {
                id: TestId::from_stored(n.to_string()),
                ..test(file, 1, name, 9)
            })
            .collect();
        script.plan(0, &planned);
        for (planned, (_, _, outcomes)) in planned.iter().zip(&tests) {
            for end in 1..=outcomes.len() {
                script.attempt(planned, environment(1, 1), 0, 10, outcomes[end - 1].clone());
                if let NextStep::Settle(verdict) = next_step(&outcomes[..end], limits) {
                    script.settle(planned, verdict);
                    break;
                }
            }
        }
        script.events
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn names_are_unique_and_counts_agree_with_the_verdicts(events in any_run()) {
        let record = RunRecord::of(&events);
        let xml = junit_xml(&record);
        let report = Report::deserialize_from_str(&xml).expect("quick-junit reads what we write");
        let counts = record.counts();
        let of = |verdicts: &[TestVerdict]| verdicts.iter().map(|v| counts.of(*v)).sum::<usize>();
        prop_assert_eq!(report.tests, counts.total());
        prop_assert_eq!(report.failures, of(&[TestVerdict::Failed]));
        prop_assert_eq!(report.errors, of(&[TestVerdict::EnvironmentBroke]));
        prop_assert_eq!(report.skipped, of(&[TestVerdict::Skipped, TestVerdict::NotRun, TestVerdict::Quarantined]));
        let cases: Vec<_> = report.test_suites.iter().flat_map(|s| &s.test_cases).collect();
        prop_assert_eq!(cases.len(), counts.total());
        let flaky = |c: &&TestCase| matches!(&c.status, TestCaseStatus::Success { flaky_runs } if !flaky_runs.is_empty());
        prop_assert_eq!(cases.iter().copied().filter(flaky).count(), of(&[TestVerdict::Flaky]));
        let names: std::collections::HashSet<_> = cases.iter().map(|c| (c.classname.clone(), c.name.clone())).collect();
        prop_assert_eq!(names.len(), cases.len());
        let forbidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
        prop_assert!(!xml.contains(forbidden), "{xml:?}");
    }
}

proptest! {
    // Each case starts a process.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_run_is_valid_by_the_schema(events in any_run()) {
        assert_valid(&junit_xml(&RunRecord::of(&events)));
    }
}
