//! JUnit XML as many frameworks write it, and as nobody should: what is read of each file in `tests/junit_shapes`.

use std::fs;

use proptest::prelude::*;
use shakedown::framework::junit::{CaseEnding, Results, read};

fn told(results: &Results) -> String {
    let mut lines = Vec::new();
    for case in &results.cases {
        let place = case.file.as_deref().map(|file| format!(" in {file}:{}", case.line.unwrap_or(0)));
        let (suites, place) = (case.suites.join(" > "), place.unwrap_or_default());
        let time = case.time.map(|time| format!(" {time:?}")).unwrap_or_default();
        lines.push(format!("[{suites}] {:?} {:?}{place}{time}", case.class, case.name));
        lines.push(match &case.ending {
            CaseEnding::Passed => "    passed".to_owned(),
            CaseEnding::Skipped { reason } => format!("    skipped {reason:?}"),
            CaseEnding::Failed { class, message, text } => {
                format!("    failed {class:?}\n    message {message:?}\n    text {text:?}")
            }
        });
    }
    lines.extend(results.flaw.iter().map(|flaw| format!("the file {flaw}")));
    lines.join("\n")
}

#[test]
fn each_frameworks_file_is_read_as_it_is_meant() {
    let mut files: Vec<_> = fs::read_dir("tests/junit_shapes").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    let mut text = String::new();
    for file in files {
        let results = read(&fs::read(&file).unwrap());
        text.push_str(&format!("=== {}\n{}\n\n", file.file_name().unwrap().display(), told(&results)));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("junit_shapes/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("each_frameworks_file", text));
}

/// Where in each fixture the testcases end: wherever a file is cut, those before the cut are all there.
#[test]
fn wherever_a_file_is_cut_off_no_testcase_before_the_cut_is_lost() {
    for name in ["rspec", "pytest", "playwright", "surefire_reruns", "mocha", "jest", "phpunit", "go", "googletest"] {
        let content = fs::read(format!("tests/junit_shapes/{name}.xml")).unwrap();
        let whole = read(&content);
        assert_eq!(whole.flaw, None, "{name}");
        let mut seen = 0;
        for cut in 0..content.len() {
            let part = read(&content[..cut]);
            assert!(part.cases.len() >= seen, "{name}: {seen} testcases were there before the cut at {cut}");
            assert_eq!(part.cases, whole.cases[..part.cases.len()], "{name}, cut at {cut}");
            seen = part.cases.len();
            if seen < whole.cases.len() {
                assert!(part.flaw.is_some(), "{name}, cut at {cut}: nothing is said of it");
            }
        }
        assert_eq!(seen, whole.cases.len(), "{name}");
    }
}

/// A testcase as some framework may write it, and whether it failed.
fn testcase() -> impl Strategy<Value = (String, bool)> {
    ("[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f<&\"]{0,20}", any::<bool>(), any::<bool>()).prop_map(|(name, fails, output)| {
        let output = if output { "<system-out><![CDATA[</testcase> <failure> & so on]]></system-out>" } else { "" };
        let failure = if fails { "<failure message='no'>&lt;at&gt; 1</failure>" } else { "" };
        (format!("<testcase name=\"{name}\" time=\"1\">{output}{failure}</testcase>\n"), fails)
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_complete_testcase_before_the_cut_is_never_lost(
        cases in proptest::collection::vec(testcase(), 0..12), cut in any::<proptest::sample::Index>(), nested in 0usize..4,
    ) {
        let mut text = "<testsuite name='s'>".repeat(nested);
        let mut ends = Vec::new();
        for (case, fails) in &cases {
            text.push_str(case);
            ends.push((text.len() - 1, *fails));
        }
        text.push_str(&"</testsuite>".repeat(nested));
        let cut = cut.index(text.len() + 1);
        let before: Vec<bool> = ends.iter().filter(|(end, _)| *end <= cut).map(|(_, fails)| *fails).collect();
        let results = read(&text.as_bytes()[..cut]);
        let read: Vec<bool> =
            results.cases.iter().map(|case| matches!(case.ending, CaseEnding::Failed { .. })).collect();
        prop_assert_eq!(read, before);
    }

    #[test]
    fn whatever_a_file_holds_there_is_an_answer(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&content);
    }

    #[test]
    fn whatever_stands_in_the_middle_of_a_file_there_is_an_answer(
        at in any::<proptest::sample::Index>(), junk in "[<>&;/'\"=!\\[\\]a-z \\-]{0,12}", shape in 0usize..4,
    ) {
        let name = ["pytest", "playwright", "unclean", "phpunit"][shape];
        let mut content = fs::read_to_string(format!("tests/junit_shapes/{name}.xml")).unwrap();
        let at = content.floor_char_boundary(at.index(content.len()));
        content.insert_str(at, &junk);
        read(content.as_bytes());
    }
}
