//! Where things are in a run folder.

use std::path::{Path, PathBuf};

use crate::id::TestId;

/// Where a run's reports are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPaths {
    /// The run folder.
    pub folder: PathBuf,
    /// JUnit XML.
    pub junit: PathBuf,
    /// The record for other programs.
    pub run_json: PathBuf,
    /// The summary in Markdown.
    pub summary: PathBuf,
}

impl ReportPaths {
    /// The name of the JUnit report in the run folder.
    pub const JUNIT: &str = "junit.xml";
    /// The name of the record in the run folder.
    pub const RUN_JSON: &str = "run.json";
    /// The name of the summary in the run folder.
    pub const SUMMARY: &str = "summary.md";

    /// Where the reports of a run with this folder are, or will be.
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            junit: folder.join(Self::JUNIT),
            run_json: folder.join(Self::RUN_JSON),
            summary: folder.join(Self::SUMMARY),
        }
    }

    /// What there is, with a word for each.
    pub fn listed(&self) -> [(&'static str, &Path); 3] {
        [("JUnit", &self.junit), ("summary", &self.summary), ("record", &self.run_json)]
    }
}

/// Where evidence of a test's attempts is, in one folder for each attempt, relative to the run folder:
/// `failures/cart_spec-adds-an-item-1f0c3a5b/1`.
pub fn evidence_of(test: &TestId) -> PathBuf {
    Path::new("failures").join(test.folder())
}

/// Where a run's logs are, in one folder for each environment: `logs/2.1/web.log`.
pub fn logs_of(run_folder: &Path) -> PathBuf {
    run_folder.join("logs")
}
