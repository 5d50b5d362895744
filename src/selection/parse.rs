//! Reading a filter.
//!
//! ```text
//! filter    = all { "or" all }
//! all       = one { "and" one }
//! one       = "not" one | "(" filter ")" | condition
//! condition = "file(" TEXT ")" | "name(" [ "=" ] TEXT ")" | "name(/" REGEX "/)"
//!           | "tag(" TEXT ")" | "tag(/" REGEX "/)" | "status(" WORD ")"
//! TEXT      = what stands there, with balanced parentheses | '"' text with \" and \\ '"'
//! ```

use std::fmt;

use regex::Regex;

use super::Status;
use super::filter::{FilePattern, Filter, Words};

/// What can be asked for.
const CONDITIONS: &str = "file(GLOB), name(TEXT), name(=TEXT), name(/REGEX/), tag(TAG), tag(/REGEX/), \
                     status(new), status(failed-last-run), status(flaky)";
/// Filters within filters, at most: deeper ones would end the program.
const DEEPEST: usize = 100;

/// Why a filter can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FilterError {
    /// The whole filter.
    text: String,
    /// Where in it, in bytes.
    at: usize,
    /// What is wrong there.
    what: String,
    /// What would be accepted, if that is a matter of choice.
    known: Option<&'static str>,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One character for each, so that the place stays what it is.
        let shown = |text: &str| text.replace(char::is_control, " ");
        let before = self.text.get(..self.at).unwrap_or(&self.text).chars().count();
        write!(f, "{}\n    {}\n    {}^", self.what, shown(&self.text), " ".repeat(before))?;
        match self.known {
            Some(known) => write!(f, "\n    known: {known}"),
            None => Ok(()),
        }
    }
}

/// Reads a filter.
///
/// # Errors
/// The first thing that is not understood, with its place.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let filter = parser.any()?;
    match parser.rest().chars().next() {
        None => Ok(filter),
        Some(')') => Err(parser.wrong("this parenthesis was not opened", None)),
        Some(_) => Err(parser.wrong("expected `and`, `or` or the end here", None)),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, what: impl Into<String>, known: Option<&'static str>) -> FilterError {
        self.wrong_at(self.at, what, known)
    }

    fn wrong_at(&self, at: usize, what: impl Into<String>, known: Option<&'static str>) -> FilterError {
        FilterError { text: self.text.to_owned(), at, what: what.into(), known }
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes what must stand here.
    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    /// The word that stands here, without taking it.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let found = self.word() == wanted;
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let first = self.all()?;
        let mut more = vec![first];
        while self.take_word("or") {
            more.push(self.all()?);
        }
        self.skip_blanks();
        Filter::any(more).ok_or_else(|| self.wrong("expected a condition", Some(CONDITIONS)))
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let first = self.one()?;
        let mut more = vec![first];
        while self.take_word("and") {
            more.push(self.one()?);
        }
        Filter::all(more).ok_or_else(|| self.wrong("expected a condition", Some(CONDITIONS)))
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(format!("more than {DEEPEST} filters within each other"), None));
        }
        let filter = if self.take_word("not") { Filter::Not(Box::new(self.one()?)) } else { self.primary()? };
        self.depth -= 1;
        Ok(filter)
    }

    fn primary(&mut self) -> Result<Filter, FilterError> {
        self.skip_blanks();
        let opened = self.at;
        if self.take('(') {
            let filter = self.any()?;
            return match self.take(')') {
                true => Ok(filter),
                false if self.rest().is_empty() => Err(self.wrong_at(opened, "this parenthesis is not closed", None)),
                false => Err(self.wrong("expected `and`, `or` or `)` here", None)),
            };
        }
        let start = self.at;
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("expected a condition here", Some(CONDITIONS)));
        }
        self.at += word.len();
        if !matches!(word, "file" | "name" | "tag" | "status") {
            return Err(self.wrong_at(start, format!("there is no condition `{word}`"), Some(CONDITIONS)));
        }
        if !self.take('(') {
            return Err(self.wrong(format!("expected `(` after `{word}`"), Some(CONDITIONS)));
        }
        self.skip_blanks();
        let place = self.at;
        let asked = match word {
            "file" => {
                let pattern = self.text(word)?;
                let wrong = |why| self.wrong_at(place, format!("this is no pattern for files: {why}"), None);
                Filter::File(FilePattern::new(&pattern).map_err(wrong)?)
            }
            "name" if self.take('=') => Filter::Name(Words::Exactly(self.text(word)?)),
            "name" => Filter::Name(self.words(word, Words::Hold)?),
            "tag" => Filter::Tag(self.words(word, Words::Exactly)?),
            _ => Filter::Status(self.status()?),
        };
        self.skip_blanks();
        if !self.take(')') {
            return Err(self.wrong(format!("expected `)`, the end of `{word}(`"), None));
        }
        Ok(asked)
    }

    /// A regular expression between slashes, or a text.
    fn words(&mut self, test: &str, otherwise: fn(String) -> Words) -> Result<Words, FilterError> {
        let start = self.at;
        if !self.take('/') {
            return self.text(test).map(otherwise);
        }
        let mut pattern = String::new();
        let mut rest = self.rest().char_indices();
        while let Some((place, c)) = rest.next() {
            match c {
                '/' => {
                    self.at += place + 1;
                    let wrong = |error: regex::Error| {
                        // Its last line says what is wrong, those before show where.
                        let why = error.to_string();
                        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                        self.wrong_at(start, format!("this is no regular expression: {why}"), None)
                    };
                    return Regex::new(&pattern).map(Words::Match).map_err(wrong);
                }
                '\\' => match rest.next() {
                    Some((_, '/')) => pattern.push('/'),
                    Some((_, next)) => pattern.extend(['\\', next]),
                    None => {}
                },
                c => pattern.push(c),
            }
        }
        Err(self.wrong_at(start, "the regular expression has no `/` at its end", None))
    }

    /// A text, in quotes or up to the parenthesis that closes.
    fn text(&mut self, test: &str) -> Result<String, FilterError> {
        self.skip_blanks();
        let start = self.at;
        let text = if self.take('"') { self.in_quotes(start)? } else { self.bare(test)? };
        if text.is_empty() {
            return Err(self.wrong_at(start, format!("`{test}( )` needs something to look for"), Some(CONDITIONS)));
        }
        Ok(text)
    }

    fn in_quotes(&mut self, start: usize) -> Result<String, FilterError> {
        let mut text = String::new();
        let mut rest = self.rest().char_indices();
        while let Some((place, c)) = rest.next() {
            match c {
                '"' => {
                    self.at += place + 1;
                    return Ok(text);
                }
                '\\' => text.extend(rest.next().map(|(_, next)| next)),
                c => text.push(c),
            }
        }
        Err(self.wrong_at(start, "this quote is not closed", None))
    }

    fn bare(&mut self, test: &str) -> Result<String, FilterError> {
        let mut open = 0;
        for (place, c) in self.rest().char_indices() {
            match c {
                '(' => open += 1,
                ')' if open == 0 => {
                    let text = self.rest()[..place].trim_end().to_owned();
                    self.at += place;
                    return Ok(text);
                }
                ')' => open -= 1,
                _ => {}
            }
        }
        let start = self.text[..self.at].rfind('(').unwrap_or(self.at);
        Err(self.wrong_at(start, format!("`{test}(` is not closed"), None))
    }

    fn status(&mut self) -> Result<Status, FilterError> {
        let start = self.at;
        let word = self.text("status")?;
        match Status::ALL.into_iter().find(|status| status.word() == word) {
            Some(status) => Ok(status),
            None if word == "quarantined" => {
                let what = "no test can be quarantined yet, so that none could be selected by it";
                Err(self.wrong_at(start, what, Some(STATUSES)))
            }
            None => Err(self.wrong_at(start, format!("there is no status `{word}`"), Some(STATUSES))),
        }
    }
}

const STATUSES: &str = "new, failed-last-run, flaky";
