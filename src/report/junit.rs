//! JUnit XML by surefire's schema 3.0.2, as GitLab, Jenkins and the usual actions read it.
//!
//! One `<testsuite>` per file, one `<testcase>` per test. The root `<testsuites>`, the timestamps and the attributes
//! `file` and `line` go beyond the schema, as nearly every writer and reader of the format does.
//!
//! The time of a test case is that of the attempt that decided, so that tools which plan by these times get the time
//! of one execution. The time of a suite is the sum of its cases, that of the root the wall time of the run.

use std::collections::HashSet;
use std::io;

use indexmap::IndexMap;
use jiff::Timestamp;
use quick_junit::{
    FlakyOrRerun, NonSuccessKind, NonSuccessReruns, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
    XmlString,
};

use super::record::{RunRecord, TestRecord};
use super::{summary, text};
use crate::event::Attempt;
use crate::verdict::{Failure, Outcome, TestVerdict};

/// How much is kept, in bytes, of a test's output, over all its attempts and from the end; and of what is said of
/// one failure, from the beginning.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// How much of a message stands in the attribute, in characters. The whole of it follows as text.
const MESSAGE_LIMIT: usize = 1000;

/// The run as a JUnit report.
pub fn junit_xml(record: &RunRecord) -> String {
    let report = report(record);
    // The only errors are those of the writer below, and a `Vec` has none; an empty report would still be one.
    report.to_string().unwrap_or_else(|error| format!("<!-- this report could not be written: {error} -->\n"))
}

/// Writes what [`junit_xml`] returns.
///
/// # Errors
/// Those of the writer.
pub fn write(record: &RunRecord, to: &mut impl io::Write) -> io::Result<()> {
    report(record).serialize(to).map_err(io::Error::other)
}

fn report(record: &RunRecord) -> Report {
    let mut report = Report::new(xml(&text::one_line(&record.header.suite)));
    report.timestamp = record.started.and_then(timestamp);
    report.time = record.wall_time();
    let mut files: IndexMap<&str, Vec<&TestRecord>> = IndexMap::new();
    for test in record.tests.values() {
        files.entry(&test.planned.file).or_default().push(test);
    }
    let mut names = Names::default();
    for (file, tests) in files {
        report.add_test_suite(suite(record, file, &tests, &mut names));
    }
    report
}

fn suite(record: &RunRecord, file: &str, tests: &[&TestRecord], names: &mut Names) -> TestSuite {
    let mut suite = TestSuite::new(xml(&text::one_line(file)));
    let first = tests.iter().flat_map(|t| t.attempts.iter().map(|a| a.started)).min();
    suite.timestamp = first.and_then(timestamp);
    let header = &record.header;
    suite.add_properties([
        Property::new("shakedown.run", xml(header.run.as_str())),
        Property::new("shakedown.candidate", xml(&text::one_line(&header.candidate))),
        Property::new("shakedown.trigger", xml(&header.trigger)),
        Property::new("shakedown.seed", header.seed.to_string()),
    ]);
    for test in tests {
        suite.add_test_case(case(record, test, names));
    }
    suite.time = Some(suite.test_cases.iter().filter_map(|c| c.time).sum());
    suite
}

fn case(record: &RunRecord, test: &TestRecord, names: &mut Names) -> TestCase {
    let (classname, name) = names.unique(classname(&test.planned.file), text::name(&test.planned.name));
    let mut case = TestCase::new(xml(&name), status(record, test));
    case.set_classname(xml(&classname));
    let deciding = test.deciding();
    case.timestamp = deciding.and_then(|a| timestamp(a.started));
    case.time = Some(deciding.map(|a| a.duration).unwrap_or_default());
    case.extra.insert("file".into(), xml(&text::one_line(&test.planned.file)));
    if test.planned.line > 0 {
        case.extra.insert("line".into(), test.planned.line.to_string().into());
    }
    case.system_out = output(test).map(|o| xml(&o));
    case
}

fn status(record: &RunRecord, test: &TestRecord) -> TestCaseStatus {
    match test.verdict() {
        TestVerdict::Passed => TestCaseStatus::success(),
        TestVerdict::Flaky => TestCaseStatus::Success { flaky_runs: test.failures().map(rerun).collect() },
        TestVerdict::Failed => failed(test),
        TestVerdict::Quarantined => {
            skipped("quarantined: it failed in a way for which the quarantine vouches; see system-out".to_owned())
        }
        TestVerdict::Skipped => skipped(skip_reason(test)),
        TestVerdict::NotRun => skipped(format!("not run: {}", text::one_line(&summary::why_not_run(record)))),
        TestVerdict::EnvironmentBroke => environment_broke(test),
    }
}

fn failed(test: &TestRecord) -> TestCaseStatus {
    let mut failures = test.failures();
    // A verdict without an attempt that explains it would come from a hole in the events; say so, and stay failed.
    let said = match failures.next() {
        Some(first) => said(first),
        None => Said { class: String::new(), message: "no attempt that failed was recorded".into(), whole: None },
    };
    TestCaseStatus::NonSuccess {
        kind: NonSuccessKind::Failure,
        message: Some(xml(&said.message)),
        ty: Some(xml(&said.class)),
        description: said.whole.map(|w| xml(&w)),
        reruns: NonSuccessReruns { kind: FlakyOrRerun::Rerun, runs: failures.map(rerun).collect() },
    }
}

fn environment_broke(test: &TestRecord) -> TestCaseStatus {
    let causes: Vec<&str> = test.attempts.iter().filter_map(cause).collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("environment broke");
    status.set_message(match causes.last() {
        Some(last) => xml(&text::one_line(last)),
        None => "no environment lasted long enough to run the test".into(),
    });
    let attempts: Vec<String> = test.attempts.iter().filter_map(lost).collect();
    if !attempts.is_empty() {
        status.set_description(xml(&attempts.join("\n")));
    }
    status
}

fn skipped(message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(&message));
    status
}

fn skip_reason(test: &TestRecord) -> String {
    let said = test.attempts.iter().rev().find_map(|a| match &a.outcome {
        Outcome::Skipped { reason } => Some(text::one_line(reason)),
        Outcome::Passed
        | Outcome::Failed(_)
        | Outcome::TimedOut { .. }
        | Outcome::EnvironmentBroke { .. }
        | Outcome::Interrupted => None,
    });
    said.filter(|reason| !reason.is_empty()).unwrap_or_else(|| "skipped by the suite".to_owned())
}

/// What is said of an attempt that counts against its test.
struct Said {
    class: String,
    /// One line, cut.
    message: String,
    /// Everything, over several lines.
    whole: Option<String>,
}

fn said(attempt: &Attempt) -> Said {
    let circumstances = format!("{}, {}", circumstances(attempt), text::duration(attempt.duration));
    match &attempt.outcome {
        Outcome::Failed(failure) => {
            let message = cut(&text::one_line(&failure.message));
            let class = text::one_line(&failure.class);
            Said {
                // `type` is required by older versions of the schema and by some readers.
                class: if class.is_empty() { "failure".to_owned() } else { class },
                message: if message.is_empty() { "failed without a message".to_owned() } else { message },
                whole: Some(format!("{}\n\n{circumstances}", whole(failure))),
            }
        }
        Outcome::TimedOut { limit, why } => {
            let message = text::timed_out(*limit, why);
            Said { class: "timeout".into(), whole: Some(format!("{message}\n\n{circumstances}")), message }
        }
        Outcome::Passed | Outcome::Skipped { .. } | Outcome::EnvironmentBroke { .. } | Outcome::Interrupted => {
            let message = attempt.outcome.word().to_owned();
            Said { class: message.clone(), whole: Some(circumstances), message }
        }
    }
}

fn whole(failure: &Failure) -> String {
    let mut lines = Vec::new();
    if !failure.class.is_empty() {
        lines.push(text::one_line(&failure.class));
    }
    lines.extend(text::lines(&failure.message));
    lines.extend(failure.place().map(|place| format!("at {}", text::one_line(&place))));
    lines.extend(failure.backtrace.iter().map(|frame| format!("    {}", text::one_line(frame))));
    text::head_bytes(&lines.join("\n"), OUTPUT_LIMIT)
}

fn circumstances(attempt: &Attempt) -> String {
    let Attempt { number, environment, position, .. } = attempt;
    format!("attempt {number}, in environment {environment} as its test {position}")
}

/// A failed attempt as `flakyFailure` or `rerunFailure`. The schema wants its text in `stackTrace`, and allows no time.
fn rerun(attempt: &Attempt) -> TestRerun {
    let said = said(attempt);
    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
    rerun.set_message(xml(&said.message)).set_type(xml(&said.class));
    rerun.set_stack_trace(xml(&said.whole.unwrap_or_default()));
    rerun
}

/// Says of an attempt that its environment broke, if it did.
fn lost(attempt: &Attempt) -> Option<String> {
    let cause = text::one_line(cause(attempt)?);
    Some(format!("{}: the environment broke: {cause}", circumstances(attempt)))
}

/// What broke the attempt's environment, if it broke.
fn cause(attempt: &Attempt) -> Option<&str> {
    match &attempt.outcome {
        Outcome::EnvironmentBroke { cause } => Some(cause),
        Outcome::Passed
        | Outcome::Failed(_)
        | Outcome::TimedOut { .. }
        | Outcome::Skipped { .. }
        | Outcome::Interrupted => None,
    }
}

/// What the attempts wrote, what the quarantine covers, and which attempts were lost to broken environments.
fn output(test: &TestRecord) -> Option<String> {
    let (verdict, several) = (test.verdict(), test.attempts.len() > 1);
    let mut parts = Vec::new();
    for attempt in &test.attempts {
        // Where nothing else happened to the test, the error says so already.
        if verdict != TestVerdict::EnvironmentBroke {
            parts.extend(lost(attempt));
        }
        if verdict == TestVerdict::Quarantined && attempt.outcome.counts_against_test() {
            parts.extend(said(attempt).whole);
        }
        let written = text::lines(&attempt.output).join("\n");
        if !written.is_empty() {
            let heading = if several { format!("── {} ──\n", circumstances(attempt)) } else { String::new() };
            parts.push(format!("{heading}{written}"));
        }
    }
    let written = (!parts.is_empty()).then(|| text::tail_bytes(&parts.join("\n"), OUTPUT_LIMIT));
    let lines: Vec<String> = written.into_iter().chain(attachments(test)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The files that were kept, as GitLab and Jenkins know attachments. GitLab shows the first one, so that pictures come
/// first.
fn attachments(test: &TestRecord) -> Vec<String> {
    let files = || {
        test.evidence.values().flat_map(|kept| kept.files.iter().map(|file| (kept.folder.join(file), file.as_str())))
    };
    let is_picture = |file: &str| [".png", ".jpg", ".jpeg", ".gif", ".webp"].iter().any(|end| file.ends_with(end));
    let (pictures, others): (Vec<_>, Vec<_>) = files().partition(|(_, file)| is_picture(file));
    let all = pictures.into_iter().chain(others);
    all.map(|(path, _)| format!("[[ATTACHMENT|{}]]", text::one_line(&path.display().to_string()))).collect()
}

/// `spec/features/cart_spec.rb` as `spec.features.cart_spec`, which readers show as a tree.
fn classname(file: &str) -> String {
    let file = text::one_line(file);
    let stem = match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !stem.ends_with('/') && !extension.contains('/') => stem,
        Some(_) | None => &file,
    };
    let classname = stem.trim_start_matches("./").trim_matches('/').replace('/', ".");
    if classname.is_empty() { "(no file)".to_owned() } else { classname }
}

/// The names given so far. GitLab keeps only the first of two cases with the same names.
#[derive(Default)]
struct Names(HashSet<(String, String)>);

impl Names {
    fn unique(&mut self, classname: String, name: String) -> (String, String) {
        let mut candidate = (classname, name.clone());
        let mut occurrence = 2;
        while !self.0.insert(candidate.clone()) {
            candidate.1 = format!("{name} #{occurrence}");
            occurrence += 1;
        }
        candidate
    }
}

fn cut(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{} …", &message[..end]),
        None => message.to_owned(),
    }
}

/// quick-junit removes what it takes for escapes, tabs among them, so text goes through [`text::printable`] first.
fn xml(text: &str) -> XmlString {
    XmlString::new(text::printable(text).replace('\t', "    "))
}

fn timestamp(at: Timestamp) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    chrono::DateTime::from_timestamp_millis(at.as_millisecond()).map(Into::into)
}
