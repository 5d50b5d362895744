//! What a filter asks of a test.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::Status;
use crate::verdict::TestVerdict;

/// Conditions on a test. An `And` holds no `And`, an `Or` no `Or`, and each at least two conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Its file matches.
    File(FilePattern),
    /// Its full name holds this.
    Name(Words),
    /// One of its tags is this.
    Tag(Words),
    /// What the history says of it.
    Status(Status),
    /// The contrary.
    Not(Box<Self>),
    /// All of these.
    And(Vec<Self>),
    /// At least one of these.
    Or(Vec<Self>),
}

/// What a filter is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The file as it was listed, without `./` in front.
    pub file: &'a str,
    /// The full name.
    pub name: &'a str,
    /// The suite's own tags.
    pub tags: &'a [String],
    /// Its newest verdicts, newest first.
    pub told: &'a [TestVerdict],
}

impl Filter {
    /// Whether a test is what the filter asks for.
    pub fn matches(&self, test: Candidate<'_>) -> bool {
        match self {
            Self::File(pattern) => pattern.matches(test.file),
            Self::Name(words) => words.matches(test.name),
            Self::Tag(words) => test.tags.iter().any(|tag| words.matches(tag)),
            Self::Status(status) => status.holds(test.told),
            Self::Not(filter) => !filter.matches(test),
            Self::And(filters) => filters.iter().all(|filter| filter.matches(test)),
            Self::Or(filters) => filters.iter().any(|filter| filter.matches(test)),
        }
    }

    /// Whether the answer depends on the history.
    pub fn asks_history(&self) -> bool {
        match self {
            Self::File(_) | Self::Name(_) | Self::Tag(_) => false,
            Self::Status(_) => true,
            Self::Not(filter) => filter.asks_history(),
            Self::And(filters) | Self::Or(filters) => filters.iter().any(Self::asks_history),
        }
    }

    /// All of these; joins what is joined already.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut flat = Vec::new();
        for filter in filters {
            if let Self::And(inner) = filter { flat.extend(inner) } else { flat.push(filter) }
        }
        if flat.len() > 1 { Some(Self::And(flat)) } else { flat.pop() }
    }

    /// At least one of these; joins what is joined already.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut flat = Vec::new();
        for filter in filters {
            if let Self::Or(inner) = filter { flat.extend(inner) } else { flat.push(filter) }
        }
        if flat.len() > 1 { Some(Self::Or(flat)) } else { flat.pop() }
    }

    /// As an operand: in parentheses where it would be read otherwise.
    fn operand(&self, f: &mut fmt::Formatter<'_>, within_and: bool) -> fmt::Result {
        match self {
            Self::Or(_) => write!(f, "({self})"),
            Self::And(_) if within_and => write!(f, "({self})"),
            Self::And(_) | Self::Not(_) | Self::File(_) | Self::Name(_) | Self::Tag(_) | Self::Status(_) => {
                write!(f, "{self}")
            }
        }
    }
}

/// As it can be written on the command line.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(pattern) => write!(f, "file({})", quoted(&pattern.text)),
            Self::Name(words) => write!(f, "name({words})"),
            Self::Tag(Words::Exactly(tag)) => write!(f, "tag({})", quoted(tag)),
            Self::Tag(words) => write!(f, "tag({words})"),
            Self::Status(status) => write!(f, "status({})", status.word()),
            Self::Not(filter) => {
                write!(f, "not ")?;
                filter.operand(f, true)
            }
            Self::And(filters) => joined(f, filters, " and ", true),
            Self::Or(filters) => joined(f, filters, " or ", false),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, filters: &[Filter], word: &str, within_and: bool) -> fmt::Result {
    for (place, filter) in filters.iter().enumerate() {
        if place > 0 {
            f.write_str(word)?;
        }
        filter.operand(f, within_and)?;
    }
    Ok(())
}

/// A pattern for files. One that names a folder matches all that lies below it.
#[derive(Clone, Debug)]
pub struct FilePattern {
    text: String,
    itself: GlobMatcher,
    below: GlobMatcher,
}

impl FilePattern {
    /// Reads a pattern. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let pattern = plain(text).trim_end_matches('/');
        let glob = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
        };
        Ok(Self { text: text.to_owned(), itself: glob(pattern)?, below: glob(&format!("{pattern}/**"))? })
    }

    /// Whether the file is meant.
    pub fn matches(&self, file: &str) -> bool {
        self.itself.is_match(file) || self.below.is_match(file)
    }
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FilePattern {}

/// A path as it is compared: without `./` in front.
pub(super) fn plain(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    path
}

/// What a text must be.
#[derive(Clone, Debug)]
pub enum Words {
    /// It holds this somewhere.
    Hold(String),
    /// It is this.
    Exactly(String),
    /// A part of it matches.
    Match(Regex),
}

impl Words {
    /// Whether the text is what is asked for.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Hold(words) => text.contains(words),
            Self::Exactly(words) => text == words,
            Self::Match(regex) => regex.is_match(text),
        }
    }

    fn source(&self) -> (u8, &str) {
        match self {
            Self::Hold(words) => (0, words),
            Self::Exactly(words) => (1, words),
            Self::Match(regex) => (2, regex.as_str()),
        }
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Words {}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold(words) => f.write_str(&quoted(words)),
            Self::Exactly(words) => write!(f, "={}", quoted(words)),
            Self::Match(regex) => write!(f, "/{}/", slashed(regex.as_str())),
        }
    }
}

/// A text as it is written within parentheses.
fn quoted(text: &str) -> String {
    let special = |c: char| matches!(c, '(' | ')' | '"' | '\\') || c.is_control();
    let plain = !text.is_empty() && text.trim() == text && !text.starts_with(['=', '/']) && !text.contains(special);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// A pattern as it is written between slashes.
fn slashed(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => written.extend(['\\'].into_iter().chain(rest.next())),
            '/' => written.push_str("\\/"),
            c => written.push(c),
        }
    }
    written
}
