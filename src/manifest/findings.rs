//! What was found while reading one file.

use std::path::{Path, PathBuf};

use super::{Problem, Problems, Warning};

/// The problems and warnings of one file, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Findings {
    file: PathBuf,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Findings {
    /// Nothing found yet in `file`, which is named in messages as it is given here.
    pub(super) fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// The file, as the user named it.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Adds a problem with what would be accepted.
    pub(super) fn problem(
        &mut self,
        line: impl Into<Option<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = self.at(line.into(), message.into(), Some(help.into()));
        self.problems.push(problem);
    }

    /// Adds a problem whose message says all there is to say.
    pub(super) fn plain_problem(&mut self, line: impl Into<Option<usize>>, message: impl Into<String>) {
        let problem = self.at(line.into(), message.into(), None);
        self.problems.push(problem);
    }

    /// Adds a problem that lies in another file.
    pub(super) fn problem_elsewhere(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds a warning.
    pub(super) fn warning(
        &mut self,
        line: impl Into<Option<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let warning = self.at(line.into(), message.into(), Some(help.into()));
        self.warnings.push(warning);
    }

    /// Takes over everything that was found in `other`.
    pub(super) fn absorb(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.warnings.extend(other.warnings);
    }

    /// The warnings, or the problems if there are any; sorted by place.
    ///
    /// What is written once and used twice by way of a YAML anchor is reported once.
    pub(super) fn finish(mut self) -> Result<Vec<Warning>, Problems> {
        let found = if self.problems.is_empty() { &mut self.warnings } else { &mut self.problems };
        found.sort();
        found.dedup();
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }

    fn at(&self, line: Option<usize>, message: String, help: Option<String>) -> Problem {
        Problem { file: self.file.clone(), line, message, help }
    }
}
