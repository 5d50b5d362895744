//! What a person sees.

use std::path::Path;

use indicatif::{InMemoryTerm, ProgressDrawTarget};
use jiff::Timestamp;
use shakedown::event::{RunEvent, RunHeader};
use shakedown::id::AttemptNumber;
use shakedown::report::terminal::{Fancy, Paint, Plain, Reporter, summary};
use shakedown::report::{ReportPaths, RunRecord};
use shakedown::verdict::{Interruption, Outcome, RunVerdict, StopReason, TestVerdict};

use super::sample::{Script, at, environment, header, not_equal, one_of_each, passed, test};

const FOLDER: &str = "reports/shop/20261124-052900-0000ab";

fn folder() -> &'static Path {
    Path::new(FOLDER)
}

/// Tells events to a reporter as the run does; the time is that of the latest event that has one.
fn tell(reporter: &mut dyn Reporter, record: &mut RunRecord, events: &[RunEvent]) -> Timestamp {
    let mut now = at(0);
    for event in events {
        if let RunEvent::EnvironmentReady { at, .. } | RunEvent::AttemptStarted { at, .. } = event {
            now = *at;
        }
        record.fold(event);
        reporter.handle(event, record, now);
    }
    now
}

fn plain(events: &[RunEvent], paint: Paint) -> String {
    let mut reporter = Plain::new(Vec::new(), paint, folder());
    tell(&mut reporter, &mut RunRecord::default(), events);
    String::from_utf8(reporter.written().clone()).expect("UTF-8")
}

fn summary_of(events: &[RunEvent]) -> String {
    summary(&RunRecord::of(events), Some(&ReportPaths::of(folder())), Paint::PLAIN)
}

#[test]
fn plain_says_one_line_per_settled_test_and_more_where_something_went_wrong() {
    insta::assert_snapshot!(plain(&one_of_each(), Paint::PLAIN));
}

#[test]
fn nothing_foreign_brings_control_characters_to_the_terminal() {
    let said = plain(&one_of_each(), Paint::PLAIN) + &summary_of(&one_of_each());
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!said.contains('\u{202e}'));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = plain(&one_of_each(), Paint::COLOURED);
    assert!(coloured.contains("\u{1b}[31m"));
    assert_eq!(console::strip_ansi_codes(&coloured), plain(&one_of_each(), Paint::PLAIN));
}

#[test]
fn a_heartbeat_comes_every_30_seconds_while_the_run_lasts() {
    let tests = [test("a.py", 1, "a", 30_000), test("a.py", 2, "b", 60_000), test("a.py", 3, "c", 9_000)];
    let mut script = Script::new(header());
    let mut reporter = Plain::new(Vec::new(), Paint::PLAIN, folder());
    let mut record = RunRecord::default();
    tell(&mut reporter, &mut record, &script.events);
    for second in [10, 29, 30, 31, 59] {
        reporter.tick(&record, at(second * 1_000));
    }
    let from = script.events.len();
    script.boot(environment(1, 1), 0, 500).plan(500, &tests);
    script.attempt(&tests[0], environment(1, 1), 500, 1_000, Outcome::Passed).settle(&tests[0], TestVerdict::Passed);
    script.attempt(&tests[2], environment(1, 1), 1_500, 1_000, not_equal());
    tell(&mut reporter, &mut record, &script.events[from..]);
    reporter.tick(&record, at(60_000));
    reporter.tick(&record, at(75_000));
    let text = String::from_utf8(reporter.written().clone()).expect("UTF-8");
    let beats: Vec<_> = text.lines().filter(|line| line.trim_start().starts_with('…')).collect();
    let expected = [
        "          … tests not listed yet, 3 lanes",
        "          … 1 of 3 settled, 1 to be tried again, about 1 min left, 3 lanes",
    ];
    assert_eq!(beats, expected);
}

#[test]
fn the_summary_of_a_run_with_one_of_each_verdict() {
    insta::assert_snapshot!(summary_of(&one_of_each()));
}

#[test]
fn the_summary_of_a_run_that_passed() {
    insta::assert_snapshot!(summary_of(&passed()));
}

/// A run that was asked for a part of the suite, and took so many tests of it.
fn of_a_part(taken: usize) -> Vec<RunEvent> {
    let selection = vec!["what matches tag(smoke) and not name(pays)".into(), "shard 1 of 2 (--shard 1/2)".into()];
    let mut script = Script::new(RunHeader { selection, ..header() });
    let tests = [test("a.py", 1, "adds", 1_000), test("a.py", 2, "looks", 1_000)];
    let tests = &tests[..taken];
    script.boot(environment(1, 1), 0, 2_000);
    script.events.push(RunEvent::Planned {
        at: at(2_000),
        tests: tests.to_vec(),
        listed: 12,
        units: taken,
        known: 0,
        notes: vec![],
    });
    for test in tests {
        script.attempt(test, environment(1, 1), 2_000, 700, Outcome::Passed).settle(test, TestVerdict::Passed);
    }
    script.remove(environment(1, 1), 3_500, 1_000);
    let (verdict, code) = if taken == 0 { (RunVerdict::NoTests, 4) } else { (RunVerdict::Passed, 0) };
    script.end(3_600, verdict, code);
    script.events
}

#[test]
fn a_run_of_a_part_says_of_which() {
    let text = format!("{}\n\n{}", plain(&of_a_part(2), Paint::PLAIN), summary_of(&of_a_part(0)));
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_that_repeats_says_how_often_each_test_passed() {
    let tests = [test("a.py", 1, "adds", 1_000), test("a.py", 2, "pays", 1_000)];
    let mut script = Script::new(RunHeader { repeat: 6, attempts: 1, fail_on_flaky: true, ..header() });
    let (one, two) = (environment(1, 1), environment(2, 1));
    script.boot(one, 0, 2_000).boot(two, 0, 2_000).plan(2_000, &tests);
    for time in 0..6 {
        let outcome = if time % 3 == 0 { Outcome::Passed } else { not_equal() };
        script.attempt(&tests[0], one, 2_000 + time * 100, 90, Outcome::Passed);
        script.attempt(&tests[1], two, 2_000 + time * 100, 90, outcome);
    }
    script.settle(&tests[0], TestVerdict::Passed).settle(&tests[1], TestVerdict::Flaky);
    script.remove(one, 3_000, 500).remove(two, 3_000, 500).end(3_100, RunVerdict::Failed, 1);
    insta::assert_snapshot!(format!("{}\n{}", plain(&script.events, Paint::PLAIN), summary_of(&script.events)));
}

#[test]
fn the_summary_of_an_interrupted_run() {
    let tests = [test("a.py", 1, "adds", 1_000), test("a.py", 2, "pays", 1_000)];
    let mut script = Script::new(header());
    script.boot(environment(1, 1), 0, 2_000).plan(2_000, &tests);
    script.attempt(&tests[0], environment(1, 1), 2_000, 700, Outcome::Interrupted);
    script.stop(2_600, StopReason::Signal(Interruption::Interrupt));
    for test in &tests {
        script.settle(test, TestVerdict::NotRun);
    }
    script.end(3_100, RunVerdict::Interrupted(Interruption::Interrupt), 130);
    insta::assert_snapshot!(summary_of(&script.events));
}

#[test]
fn the_summary_where_environments_could_not_be_provided() {
    let why = "all 3 lanes stood down:\nweb did not answer on port 3000 within 90 s\nlast line of its log: boom";
    let mut script = Script::new(header());
    for lane in 1..=3 {
        script.events.push(RunEvent::EnvironmentStarting { at: at(0), environment: environment(lane, 1) });
        script.broke(environment(lane, 1), 90_000, "web did not answer on port 3000 within 90 s");
    }
    script.stop(90_100, StopReason::NoEnvironments(why.into()));
    script.end(91_000, RunVerdict::EnvironmentsUnavailable(why.into()), 3);
    insta::assert_snapshot!(summary_of(&script.events));
}

#[test]
fn a_long_list_of_failed_tests_is_cut_and_counted() {
    let tests: Vec<_> = (1..=13).map(|n| test("a.py", n, &format!("case {n}"), 10)).collect();
    let mut script = Script::new(header());
    script.plan(0, &tests);
    for test in &tests {
        script.attempt(test, environment(1, 1), 0, 10, not_equal()).settle(test, TestVerdict::Failed);
    }
    script.end(1_000, RunVerdict::Failed, 1);
    let summary = summary_of(&script.events);
    assert!(summary.contains("case 10 ") && !summary.contains("case 11"), "{summary}");
    assert!(summary.contains("and 3 more") && summary.contains("exit code 1: 13 tests failed"), "{summary}");
}

fn fancy(terminal: &InMemoryTerm, rows: u16, columns: u16) -> Fancy {
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    Fancy::new(target, Box::new(move || (rows, columns)), Paint::PLAIN, folder())
}

fn mid_run() -> Vec<RunEvent> {
    let tests = [
        test(
            "spec/features/checkout/payment_by_invoice_spec.rb",
            1,
            "Payment by invoice sends the invoice to an address abroad",
            9_000,
        ),
        test("spec/cart_spec.rb", 2, "Cart adds 商品 to itself", 8_000),
        test("spec/cart_spec.rb", 3, "Cart is emptied", 5_000),
        test("spec/cart_spec.rb", 4, "Cart survives a login", 20_000),
    ];
    let mut script = Script::new(RunHeader { lanes: 5, ..header() });
    script.boot(environment(1, 1), 0, 3_000).boot(environment(2, 1), 0, 3_100).boot(environment(4, 1), 0, 3_200);
    script.plan(3_200, &tests);
    script.attempt(&tests[2], environment(1, 1), 3_200, 900, not_equal());
    script.attempt(&tests[2], environment(2, 1), 4_100, 900, Outcome::Passed).settle(&tests[2], TestVerdict::Flaky);
    script.broke(environment(4, 1), 4_500, "db exited with code 1").remove(environment(4, 1), 4_900, 100);
    script.events.extend([
        RunEvent::EnvironmentStarting { at: at(1_000), environment: environment(3, 2) },
        RunEvent::EnvironmentProgress { environment: environment(3, 2), step: "web: waits for db".into() },
        RunEvent::LaneStoodDown { lane: shakedown::id::LaneIndex(4), why: "three boots failed".into() },
    ]);
    script.attempt(&tests[1], environment(1, 1), 4_200, 300, not_equal());
    for (test, lane, number) in [(&tests[0], 1, 1), (&tests[1], 2, 2)] {
        let (test, number) = (test.id.clone(), AttemptNumber(number));
        let (at, environment) = (at(5_000), environment(lane, 1));
        script.events.push(RunEvent::AttemptStarted { at, test, number, environment });
    }
    script.events
}

#[test]
fn the_screen_shows_each_lane_and_the_whole_and_keeps_above_what_went_wrong() {
    let terminal = InMemoryTerm::new(40, 90);
    let mut reporter = fancy(&terminal, 40, 90);
    let mut record = RunRecord::default();
    tell(&mut reporter, &mut record, &mid_run());
    reporter.tick(&record, at(9_400));
    insta::assert_snapshot!(terminal.contents());
}

#[test]
fn lanes_that_have_no_room_are_counted_and_the_total_stays() {
    let terminal = InMemoryTerm::new(7, 40);
    let mut reporter = fancy(&terminal, 7, 40);
    let mut record = RunRecord::default();
    let mut script = Script::new(RunHeader { lanes: 12, ..header() });
    script.boot(environment(1, 1), 0, 10);
    tell(&mut reporter, &mut record, &script.events);
    let contents = terminal.contents();
    assert!(contents.contains("… and 8 more lanes"), "{contents}");
    assert!(contents.lines().last().is_some_and(|line| line.starts_with("────")), "{contents}");
}

#[test]
fn the_screen_is_gone_before_the_summary_and_the_summary_stays() {
    let terminal = InMemoryTerm::new(60, 90);
    let mut reporter = fancy(&terminal, 60, 90);
    let mut record = RunRecord::default();
    tell(&mut reporter, &mut record, &passed());
    reporter.finish(&record, Some(&ReportPaths::of(folder())));
    drop(reporter);
    insta::assert_snapshot!(terminal.contents());
}

#[test]
fn a_screen_that_is_dropped_leaves_no_line_behind() {
    let terminal = InMemoryTerm::new(40, 90);
    let mut reporter = fancy(&terminal, 40, 90);
    tell(&mut reporter, &mut RunRecord::default(), &mid_run());
    drop(reporter);
    assert!(!terminal.contents().contains("settled"), "{}", terminal.contents());
}
