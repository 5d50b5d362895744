//! What a command's exit code and results mean for the test that it was to run. Pure.
//!
//! - A file that was listed is a test: all testcases in its results are folded into it. It failed if one of them
//!   failed, was skipped if all were skipped, and passed if the others passed.
//! - A test that was listed by name must be named by the results.
//! - The exit code counts as well: without results it decides, and no test passes whose command ended with another
//!   one than 0. Results that name nothing are never a pass.

use super::names::Index;
use crate::framework::junit::{Case, CaseEnding, Results};
use crate::framework::protocol::{SaidFailure, SaidOutcome};
use crate::manifest::ItemKind;

/// How many testcases a message names.
const MOST_NAMES: usize = 5;
/// How many frames of a failure's text are kept.
const MOST_FRAMES: usize = 60;

/// How a command ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Its exit code.
    pub(super) code: i64,
    /// The last that it wrote.
    pub(super) said: String,
    /// Its results, where it was asked for any.
    pub(super) results: Option<Result<Results, String>>,
}

/// What is said of a test.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judgement {
    pub(super) outcome: SaidOutcome,
    pub(super) failure: Option<SaidFailure>,
    pub(super) reason: Option<String>,
}

impl Judgement {
    fn passed() -> Self {
        Self { outcome: SaidOutcome::Passed, failure: None, reason: None }
    }

    fn failed(failure: SaidFailure) -> Self {
        Self { outcome: SaidOutcome::Failed, failure: Some(failure), reason: None }
    }

    /// Failed, by what the command did besides its testcases.
    fn faulted(message: String) -> Self {
        Self::failed(SaidFailure { message, ..SaidFailure::default() })
    }
}

/// Judges the test `item`, which a command of its own was to run.
pub(super) fn judge(item: &str, kind: ItemKind, ended: &Ended) -> Judgement {
    let how = how(ended.code);
    let last = last_words(&ended.said);
    let results = match &ended.results {
        None if ended.code == 0 => return Judgement::passed(),
        None => return Judgement::faulted(format!("{how}{last}")),
        Some(Err(why)) => return Judgement::faulted(format!("{how}, but {why}{last}")),
        Some(Ok(results)) => results,
    };
    let flaw = results.flaw.as_ref().map(|flaw| format!("the results file {flaw}"));
    let cases: Vec<&Case> = match kind {
        ItemKind::File => results.cases.iter().collect(),
        ItemKind::Test => {
            Index::new(&results.cases).named(item).places.iter().map(|place| &results.cases[*place]).collect()
        }
    };
    if cases.is_empty() {
        let but = match (&flaw, results.cases.as_slice()) {
            (Some(flaw), _) => flaw.clone(),
            (None, []) => "its results name no test".to_owned(),
            (None, cases) => format!("its results do not name this test; they name {}", names(cases)),
        };
        return Judgement::faulted(format!("{how}, but {but}{last}"));
    }
    let judgement = fold(&cases, &flaw);
    if judgement.outcome == SaidOutcome::Failed {
        return judgement;
    }
    // A file of which some results are missing may have failed there; a test that was found is known.
    if let (Some(flaw), ItemKind::File) = (flaw, kind) {
        return Judgement::faulted(format!("{how}, but {flaw}{last}"));
    }
    if ended.code != 0 {
        let none = if cases.len() == 1 {
            "its testcase did not fail".to_owned()
        } else {
            format!("none of its {} testcases failed", cases.len())
        };
        return Judgement::faulted(format!("{how}, though {none}{last}"));
    }
    judgement
}

/// What the testcases of one test mean by themselves.
pub(super) fn fold(cases: &[&Case], flaw: &Option<String>) -> Judgement {
    let failed: Vec<&Case> =
        cases.iter().filter(|case| matches!(case.ending, CaseEnding::Failed { .. })).copied().collect();
    if !failed.is_empty() {
        return Judgement::failed(folded(&failed, cases.len(), flaw.clone()));
    }
    let reasons = cases.iter().map(|case| match &case.ending {
        CaseEnding::Skipped { reason } => Some(reason),
        CaseEnding::Passed | CaseEnding::Failed { .. } => None,
    });
    match reasons.collect::<Option<Vec<&String>>>() {
        None => Judgement::passed(),
        Some(reasons) => {
            let reason = reasons.into_iter().find(|reason| !reason.is_empty()).cloned();
            Judgement { outcome: SaidOutcome::Skipped, failure: None, reason }
        }
    }
}

pub(super) fn how(code: i64) -> String {
    match code {
        // A shell's codes, and the engine's, for a program that can't be run and for one that is not there.
        126 | 127 => format!("the command could not be started (exit code {code})"),
        137 => format!("the command was killed (exit code {code})"),
        _ => format!("the command ended with exit code {code}"),
    }
}

pub(super) fn last_words(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() { String::new() } else { format!("; it said last:\n{said}") }
}

fn names(cases: &[Case]) -> String {
    let mut names: Vec<String> = cases.iter().take(MOST_NAMES).map(title).collect();
    if cases.len() > MOST_NAMES {
        names.push(format!("{} more", cases.len() - MOST_NAMES));
    }
    names.join(", ")
}

fn title(case: &Case) -> String {
    if case.class.is_empty() || case.name.contains(&case.class) {
        case.name.clone()
    } else {
        format!("{} {}", case.class, case.name)
    }
}

/// One failure for all testcases that failed.
fn folded(failed: &[&Case], of: usize, flaw: Option<String>) -> SaidFailure {
    let mut folded = SaidFailure::default();
    let mut messages = Vec::new();
    for case in failed {
        let CaseEnding::Failed { class, message, text } = &case.ending else { continue };
        if messages.is_empty() {
            folded.class.clone_from(class);
            folded.file.clone_from(&case.file);
            folded.line = case.line;
        }
        let own_lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        folded.backtrace.extend(own_lines.map(str::to_owned));
        messages.push(if of == 1 { message.clone() } else { format!("{}: {message}", title(case)) });
    }
    folded.backtrace.truncate(MOST_FRAMES);
    if of > 1 {
        messages.insert(0, format!("{} of {of} testcases failed", failed.len()));
    }
    messages.extend(flaw);
    folded.message = messages.join("\n");
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::framework::junit;

    fn ended(code: i64, results: &str) -> Ended {
        Ended { code, said: "Done.\n".to_owned(), results: Some(Ok(junit::read(results.as_bytes()))) }
    }

    fn message(item: &str, kind: ItemKind, ended: &Ended) -> String {
        judge(item, kind, ended).failure.unwrap_or_default().message
    }

    #[rstest]
    // As pytest, RSpec, Playwright, Mocha, PHPUnit and Go name what they would list.
    #[case("tests/test_cart.py::TestCart::test_sum[1-2 \\u20ac]", "pytest", "test_sum[1-2")]
    #[case("spec/features/cart_spec.rb::Cart adds up three products and more", "rspec", "Cart adds up")]
    #[case("cart.spec.js::Cart › later", "playwright", "Cart › later")]
    #[case("test/cart.spec.cjs::Cart adds up", "mocha", "Cart adds up")]
    #[case("tests/CartTest.php::testAddsUp", "phpunit", "testAddsUp")]
    #[case("TestAddsUp", "go", "TestAddsUp")]
    #[case("example.com/shop/cart.TestAddsUp", "go", "TestAddsUp")]
    #[case("TestSends", "go", "TestSends/once_only")]
    #[case("shop.CartIT::isQuick", "surefire_reruns", "isQuick")]
    fn a_listed_name_finds_its_testcase(#[case] item: &str, #[case] shape: &str, #[case] wanted: &str) {
        let content = std::fs::read(format!("tests/junit_shapes/{shape}.xml")).expect("a fixture");
        let cases = junit::read(&content).cases;
        let found: Vec<&str> =
            Index::new(&cases).named(item).places.iter().map(|place| cases[*place].name.as_str()).collect();
        assert_eq!(found.len(), 1, "{item}: {found:?}");
        assert!(found[0].starts_with(wanted), "{item}: {found:?}");
    }

    #[test]
    fn a_name_in_two_files_means_the_one_that_was_listed() {
        let cases =
            junit::read(b"<x><testcase classname='a.b' name='t'/><testcase classname='a.c' name='t'/></x>").cases;
        assert_eq!(Index::new(&cases).named("a/c.py::t").places, [1]);
        assert_eq!(Index::new(&cases).named("t").places, [0, 1]);
        assert_eq!(Index::new(&cases).named("u").places, [0usize; 0]);
    }

    #[test]
    fn what_was_not_reported_has_not_passed_and_is_told_with_what_was() {
        let two = "<testsuite><testcase name='a'/><testcase classname='k' name='b'/></testsuite>";
        assert_eq!(
            message("f::c", ItemKind::Test, &ended(0, two)),
            "the command ended with exit code 0, but its results do not name this test; they name a, k b; it said \
             last:\nDone."
        );
        let none = ended(0, "<testsuites/>");
        assert_eq!(
            message("f", ItemKind::File, &none),
            "the command ended with exit code 0, but its results name no test; it said last:\nDone."
        );
        let cut = ended(0, "<testsuite><testcase name='a'/>");
        assert_eq!(
            message("f", ItemKind::File, &cut),
            "the command ended with exit code 0, but the results file is cut off after 1 testcase; it said last:\nDone."
        );
        assert_eq!(judge("a", ItemKind::Test, &cut).outcome, SaidOutcome::Passed);
    }

    #[test]
    fn no_test_passes_whose_command_failed() {
        let two = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";
        assert_eq!(judge("f", ItemKind::File, &ended(0, two)).outcome, SaidOutcome::Passed);
        assert_eq!(
            message("f", ItemKind::File, &ended(3, two)),
            "the command ended with exit code 3, though none of its 2 testcases failed; it said last:\nDone."
        );
        assert_eq!(
            message("f", ItemKind::File, &Ended { code: 127, said: String::new(), results: None }),
            "the command could not be started (exit code 127)"
        );
    }

    #[test]
    fn a_file_is_skipped_if_all_of_it_is_and_failed_if_any_of_it_is() {
        let skipped = "<testcase name='a'><skipped/></testcase><testcase name='b'><skipped message='why'/></testcase>";
        let judged = judge("f", ItemKind::File, &ended(0, skipped));
        assert_eq!((judged.outcome, judged.reason.as_deref()), (SaidOutcome::Skipped, Some("why")));
        let mixed = format!("<testsuite>{skipped}<testcase name='c'/></testsuite>");
        assert_eq!(judge("f", ItemKind::File, &ended(0, &mixed)).outcome, SaidOutcome::Passed);
        let failed = "<testsuite><testcase name='c' file='c.js' line='7'><failure type='E' message='no'>at c.js:7\n</failure>\
                      </testcase><testcase name='d'/>";
        let failure = judge("f", ItemKind::File, &ended(1, failed)).failure.expect("failed");
        assert_eq!(failure.message, "1 of 2 testcases failed\nc: no\nthe results file is cut off after 2 testcases");
        assert_eq!((failure.class.as_str(), failure.file.as_deref(), failure.line), ("E", Some("c.js"), Some(7)));
        assert_eq!(failure.backtrace, ["at c.js:7"]);
    }

    fn any_case() -> impl Strategy<Value = Case> {
        let ending = prop_oneof![
            Just(CaseEnding::Passed),
            Just(CaseEnding::Skipped { reason: String::new() }),
            Just(CaseEnding::Failed { class: String::new(), message: "no".to_owned(), text: String::new() }),
        ];
        ("[ab]?", "[abc]", ending).prop_map(|(class, name, ending)| Case { class, name, ending, ..Case::default() })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a command reports: a test passes only by what was said of it, and by exit code 0.
        #[test]
        fn nothing_passes_unsaid(
            cases in proptest::collection::vec(any_case(), 0..5), code in prop_oneof![Just(0i64), 1i64..140],
            flaw in proptest::option::of(Just("is cut off".to_owned())), file in any::<bool>(), item in "[abc]",
        ) {
            let kind = if file { ItemKind::File } else { ItemKind::Test };
            let results = Results { cases: cases.clone(), flaw: flaw.clone(), reruns: false };
            let judged = judge(&item, kind, &Ended { code, said: String::new(), results: Some(Ok(results)) });
            let own: Vec<&Case> = cases.iter().filter(|case| file || case.name == item).collect();
            let failed = own.iter().any(|case| matches!(case.ending, CaseEnding::Failed { .. }));
            let passed = own.iter().any(|case| case.ending == CaseEnding::Passed);
            if judged.outcome == SaidOutcome::Passed {
                prop_assert!(code == 0 && passed && !failed && !(file && flaw.is_some()));
            }
            prop_assert_eq!(judged.failure.is_some(), judged.outcome == SaidOutcome::Failed);
            prop_assert!(judged.failure.is_none_or(|failure| !failure.message.is_empty()));
        }
    }
}
