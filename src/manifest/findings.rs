//! What was found while reading one file.

use std::path::{Path, PathBuf};

use super::{Problem, Problems, Warning};

/// A line of one of the files that findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The file's number: 0 for the first, else what [`Findings::add_file`] gave.
    pub(super) file: usize,
    /// The line, from 1.
    pub(super) line: usize,
}

/// Where something was found: a place, or a line of the first file, or that file as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    file: usize,
    line: Option<usize>,
}

impl At {
    /// A line of the file with this number, or that file as a whole.
    pub(super) fn in_file(file: usize, line: Option<usize>) -> Self {
        Self { file, line }
    }
}

impl From<Place> for At {
    fn from(place: Place) -> Self {
        Self { file: place.file, line: Some(place.line) }
    }
}

impl From<usize> for At {
    fn from(line: usize) -> Self {
        Self { file: 0, line: Some(line) }
    }
}

impl From<Option<usize>> for At {
    fn from(line: Option<usize>) -> Self {
        Self { file: 0, line }
    }
}

/// The problems and warnings of a file and those that it draws in, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Findings {
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Findings {
    /// Nothing found yet in `file`, which is named in messages as it is given here.
    pub(super) fn new(file: impl Into<PathBuf>) -> Self {
        Self { files: vec![file.into()], problems: Vec::new(), warnings: Vec::new() }
    }

    /// The first file, as the user named it.
    pub(super) fn file(&self) -> &Path {
        self.named(0)
    }

    /// The file with this number, as the user named it.
    pub(super) fn named(&self, file: usize) -> &Path {
        &self.files[file]
    }

    /// Adds a file, which is named in messages as it is given here, and returns its number for places in it.
    pub(super) fn add_file(&mut self, file: impl Into<PathBuf>) -> usize {
        self.files.push(file.into());
        self.files.len() - 1
    }

    /// Nothing found yet in the same files: for what is only to be reported if it matters.
    pub(super) fn aside(&self) -> Self {
        Self { files: self.files.clone(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// Adds a problem with what would be accepted.
    pub(super) fn problem(&mut self, at: impl Into<At>, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.at(at.into(), message.into(), Some(help.into()));
        self.problems.push(problem);
    }

    /// Adds a problem whose message says all there is to say.
    pub(super) fn plain_problem(&mut self, at: impl Into<At>, message: impl Into<String>) {
        let problem = self.at(at.into(), message.into(), None);
        self.problems.push(problem);
    }

    /// Adds a problem that lies in another file.
    pub(super) fn problem_elsewhere(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, at: impl Into<At>, message: impl Into<String>, help: impl Into<String>) {
        let warning = self.at(at.into(), message.into(), Some(help.into()));
        self.warnings.push(warning);
    }

    /// Whether there is no problem so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Takes over everything that was found in `other`.
    pub(super) fn absorb(&mut self, other: Self) {
        if other.files.len() > self.files.len() && other.files.starts_with(&self.files) {
            self.files = other.files;
        }
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

    fn at(&self, at: At, message: String, help: Option<String>) -> Problem {
        Problem { file: self.files[at.file].clone(), line: at.line, message, help }
    }
}
