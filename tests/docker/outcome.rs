//! What a run left behind on purpose: its reports and its rows in the history, which must tell the same story.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use quick_junit::{Report, TestCase, TestCaseStatus};
use shakedown::event::Attempt;
use shakedown::id::RunId;
use shakedown::report::run_json::RunJson;
use shakedown::store::{EnvironmentRow, Place, RunRow, Store, TestRow};

use crate::program::Finished;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/report/surefire-test-report-3.0.2.xsd");

/// A run in the history.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) run: RunRow,
    pub(crate) tests: Vec<TestRow>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) environments: Vec<EnvironmentRow>,
}

impl History {
    /// Reads a run from `history.db` in the reports folder.
    pub(crate) fn read(reports: &Path, run: &str) -> Self {
        Self::read_at(reports.join("history.db").as_path().into(), run)
    }

    /// Reads a run from wherever the history is.
    pub(crate) fn read_at(place: Place, run: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let store = Store::open(place).await.expect("the history opens");
            let run = RunId::from_stored(run);
            let history = Self {
                run: store.run(&run).await.expect("it can be read").expect("the run is in the history"),
                tests: store.test_verdicts(&run).await.expect("they can be read"),
                attempts: store.attempts(&run).await.expect("they can be read"),
                environments: store.environments(&run).await.expect("they can be read"),
            };
            store.close().await;
            history
        })
    }

    /// Each test's verdict, by its id.
    pub(crate) fn verdicts(&self) -> BTreeMap<String, &'static str> {
        let word = |test: &TestRow| test.verdict.map_or("none", |verdict| verdict.word());
        self.tests.iter().map(|test| (test.test.to_string(), word(test))).collect()
    }

    /// The verdict of the one test whose name ends so.
    pub(crate) fn verdict(&self, name: &str) -> &'static str {
        let mut found = self.tests.iter().filter(|test| test.name.ends_with(name));
        let test = found.next().unwrap_or_else(|| panic!("no test {name:?}"));
        assert!(found.next().is_none(), "several tests {name:?}");
        test.verdict.map_or("none", |verdict| verdict.word())
    }

    /// The attempts of the test whose name ends so, in their order.
    pub(crate) fn attempts(&self, name: &str) -> Vec<&Attempt> {
        let mut attempts: Vec<&Attempt> =
            self.attempts.iter().filter(|attempt| attempt.test.as_str().ends_with(name)).collect();
        attempts.sort_by_key(|attempt| attempt.number);
        attempts
    }

    /// How each of those attempts ended, in words.
    pub(crate) fn outcomes(&self, name: &str) -> Vec<&'static str> {
        self.attempts(name).into_iter().map(|attempt| attempt.outcome.word()).collect()
    }

    /// The tests that have another verdict than this.
    pub(crate) fn all_but(&self, verdict: &str) -> BTreeMap<String, &'static str> {
        self.verdicts().into_iter().filter(|(_, found)| *found != verdict).collect()
    }
}

/// All that is on record of a run that came to its end.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) folder: PathBuf,
    pub(crate) junit: Report,
    pub(crate) json: RunJson,
    pub(crate) history: History,
}

impl Record {
    /// The JUnit case of the one test whose name ends so.
    pub(crate) fn case(&self, name: &str) -> &TestCase {
        let mut found = cases(&self.junit).filter(|case| case.name.as_str().ends_with(name));
        let case = found.next().unwrap_or_else(|| panic!("no case {name:?}"));
        assert!(found.next().is_none(), "several cases {name:?}");
        case
    }

    /// `(failures, reruns or flaky runs)`: of a case that passed in the end, and of one that did not.
    pub(crate) fn failures(&self, name: &str) -> (usize, usize) {
        match &self.case(name).status {
            TestCaseStatus::Success { flaky_runs } => (0, flaky_runs.len()),
            TestCaseStatus::NonSuccess { reruns, .. } => (1, reruns.runs.len()),
            TestCaseStatus::Skipped { .. } => (0, 0),
        }
    }
}

fn cases(report: &Report) -> impl Iterator<Item = &TestCase> {
    report.test_suites.iter().flat_map(|suite| &suite.test_cases)
}

impl Finished {
    /// Reads all that is on record, and checks that it is whole and agrees.
    #[track_caller]
    pub(crate) fn record(&self) -> Record {
        let run = self.run_id().unwrap_or_else(|| panic!("it began no run:\n{}", self.said));
        let history = History::read(&self.reports, &run);
        let folder = self.reports.join(&history.run.header.suite).join(&run);

        let file = folder.join("junit.xml");
        assert_valid(&file);
        let junit = Report::deserialize_from_str(&fs::read_to_string(&file).expect("junit.xml is there"));
        let junit = junit.expect("quick-junit reads it");
        let mut names = HashSet::new();
        for case in cases(&junit) {
            let name = (case.classname.as_ref().map(|class| class.as_str()), case.name.as_str());
            assert!(names.insert(name), "{name:?} is there twice in {}", file.display());
        }

        let text = fs::read_to_string(folder.join("run.json")).expect("run.json is there");
        let json: RunJson = serde_json::from_str(&text).expect("run.json has its documented shape");
        assert!(folder.join("summary.md").is_file());
        let latest = fs::read_link(folder.with_file_name("latest")).expect("latest is a link");
        assert!(latest.as_os_str() >= std::ffi::OsStr::new(&run), "latest points at an older run");

        let exit_code = self.code().and_then(|code| u8::try_from(code).ok());
        assert_eq!((json.exit_code, history.run.exit_code), (exit_code, exit_code));
        assert_eq!(json.verdict, history.run.verdict);
        let of_json: BTreeMap<_, _> = json.tests.iter().map(|test| (test.id.clone(), test.verdict.as_str())).collect();
        assert_eq!(of_json, history.verdicts());
        assert_eq!((junit.tests, names.len()), (history.tests.len(), history.tests.len()));
        let attempts: usize = json.tests.iter().map(|test| test.attempts.len()).sum();
        assert_eq!(attempts, history.attempts.len());
        // What was booted was removed; only after a second signal lanes are not waited for, and a sweep does it.
        let removed = json.environments.iter().all(|environment| environment.removed.is_some());
        assert!(removed || json.stopped.is_some(), "{:#?}", json.environments);
        Record { folder, junit, json, history }
    }
}

/// By surefire's schema, which is what CI systems were written for.
fn assert_valid(file: &Path) {
    let checked = Command::new("xmllint").args(["--noout", "--nonet", "--schema", SCHEMA]).arg(file).output();
    let checked = checked.expect("xmllint is needed to check junit.xml: install it (Debian: libxml2-utils)");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
