//! One table of `shakedown.toml`, read by hand.
//!
//! A derived `Deserialize` stops at the first thing it dislikes. This reports them all, each with its line.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::findings::Findings;
use super::text::line_at;
use super::{duration, suggest};

/// A value and the line it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// A key and its value, each with its line.
pub(super) type Entry<'a> = (Located<String>, Located<&'a DeValue<'a>>);

/// A table, or its absence: then every key is absent.
pub(super) struct Section<'a> {
    name: &'static str,
    line: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    text: &'a str,
}

impl<'a> Section<'a> {
    /// Opens the table `name` of the file `text` and reports each key of it that isn't `known`.
    pub(super) fn open(
        root: &'a DeTable<'a>,
        name: &'static str,
        known: &[&str],
        not_yet: &[&str],
        text: &'a str,
        findings: &mut Findings,
    ) -> Self {
        let Some(found) = root.get(name) else { return Self { name, line: None, table: None, text } };
        Self::of(found, name, known, not_yet, text, findings)
    }

    fn of(
        found: &'a Spanned<DeValue<'a>>,
        name: &'static str,
        known: &[&str],
        not_yet: &[&str],
        text: &'a str,
        findings: &mut Findings,
    ) -> Self {
        let line = line_at(text, found.span().start);
        let table = found.get_ref().as_table();
        if table.is_none() {
            let kind = kind_of(found.get_ref());
            findings.problem(line, format!("\"{name}\" is {kind}"), format!("it is a section: [{name}]"));
        }
        for (key, _) in table.into_iter().flat_map(DeTable::iter) {
            let (word, line) = (key.get_ref().as_ref(), line_at(text, key.span().start));
            if not_yet.contains(&word) {
                findings.problem(line, format!("\"{word}\" in [{name}] is not supported yet"), "leave it out for now");
            } else if !known.contains(&word) {
                let help = suggest::help(word, "keys", known.iter().copied());
                findings.problem(line, format!("unknown key \"{word}\" in [{name}]"), help);
            }
        }
        Self { name, line: Some(line), table, text }
    }

    /// The table `key` of this one, which messages call `name`. `None` if it is absent, or no table.
    pub(super) fn table(
        &self,
        key: &str,
        name: &'static str,
        known: &[&str],
        findings: &mut Findings,
    ) -> Option<Section<'a>> {
        let found = self.table?.get(key)?;
        let section = Self::of(found, name, known, &[], self.text, findings);
        section.table.is_some().then_some(section)
    }

    /// The tables of the list `key`, which messages call `name`. `None` if it is absent, or no list of tables.
    pub(super) fn tables(
        &self,
        key: &str,
        name: &'static str,
        known: &[&str],
        findings: &mut Findings,
    ) -> Option<Vec<Section<'a>>> {
        let found = self.table?.get(key)?;
        let line = line_at(self.text, found.span().start);
        let Some(items) = found.get_ref().as_array() else {
            let message = format!("\"{key}\" in [{}] is {}", self.name, kind_of(found.get_ref()));
            findings.problem(line, message, format!("each is a section of its own: [[{name}]]"));
            return None;
        };
        let sections = items.iter().filter_map(|item| {
            if !item.get_ref().is_table() {
                let line = line_at(self.text, item.span().start);
                let message = format!("\"{key}\" in [{}] holds {}", self.name, kind_of(item.get_ref()));
                findings.problem(line, message, format!("each is a section of its own: [[{name}]]"));
                return None;
            }
            Some(Self::of(item, name, known, &[], self.text, findings))
        });
        Some(sections.collect())
    }

    /// The entries of the table `key`, whose keys are names of the user's: each with its line. `None` if it is absent.
    pub(super) fn entries(&self, key: &str, findings: &mut Findings) -> Option<Vec<Entry<'a>>> {
        let found = self.get(key)?;
        let Some(table) = found.value.as_table() else {
            let kind = kind_of(found.value);
            let help = format!("it is a section: [{}.{key}]", self.name);
            findings.problem(found.line, format!("\"{key}\" is {kind}"), help);
            return None;
        };
        let entry = |(name, value): (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let line = line_at(self.text, name.span().start);
            (Located { value: name.get_ref().to_string(), line }, self.located(value))
        };
        Some(table.iter().map(entry).collect())
    }

    /// The line at which the section starts; `None` if it is absent.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<Located<&'a DeValue<'a>>> {
        self.table?.get(key).map(|value| self.located(value))
    }

    /// Reports that `key` is required.
    pub(super) fn missing(&self, key: &str, help: &str, findings: &mut Findings) {
        findings.problem(self.line, format!("[{}] has no \"{key}\"", self.name), help);
    }

    /// A text that isn't empty.
    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<Located<String>> {
        let found = self.get(key)?;
        text(key, &found, findings)
    }

    /// A list of texts that aren't empty. `None` if there is no list; what isn't text is reported and left out.
    pub(super) fn texts(&self, key: &str, findings: &mut Findings) -> Option<Vec<Located<String>>> {
        let found = self.get(key)?;
        let Some(items) = found.value.as_array() else {
            let kind = kind_of(found.value);
            findings.problem(found.line, format!("\"{key}\" is {kind}"), format!("a list of texts: {key} = [\"…\"]"));
            return None;
        };
        let items = items.iter().map(|item| self.located(item));
        Some(items.filter_map(|item| text(key, &item, findings)).collect())
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, key: &str, bounds: RangeInclusive<u32>, findings: &mut Findings) -> Option<u32> {
        let found = self.get(key)?;
        let help = format!("a number from {} to {}", bounds.start(), bounds.end());
        let Some(number) = found.value.as_integer() else {
            let kind = kind_of(found.value);
            findings.problem(found.line, format!("\"{key}\" is {kind}"), help);
            return None;
        };
        let within = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| bounds.contains(number));
        if within.is_none() {
            findings.problem(found.line, format!("\"{key}\" can't be {number}"), help);
        }
        within
    }

    /// A time to wait.
    pub(super) fn wait(&self, key: &str, findings: &mut Findings) -> Option<Duration> {
        let found = self.get(key)?;
        let Some(written) = found.value.as_str() else {
            let kind = kind_of(found.value);
            findings.problem(found.line, format!("\"{key}\" is {kind}"), duration::HELP);
            return None;
        };
        match duration::parse_wait(written) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                findings.problem(
                    found.line,
                    format!("\"{key}\": {reason}"),
                    format!("{}, at most a day", duration::HELP),
                );
                None
            }
        }
    }

    fn located(&self, value: &'a Spanned<DeValue<'a>>) -> Located<&'a DeValue<'a>> {
        Located { value: value.get_ref(), line: line_at(self.text, value.span().start) }
    }
}

fn text(key: &str, found: &Located<&DeValue<'_>>, findings: &mut Findings) -> Option<Located<String>> {
    match found.value.as_str() {
        Some("") => {
            findings.plain_problem(found.line, format!("\"{key}\" is empty"));
            None
        }
        Some(text) => Some(Located { value: text.to_owned(), line: found.line }),
        None => {
            let kind = kind_of(found.value);
            findings.problem(found.line, format!("\"{key}\" holds {kind}"), "a text in quotes");
            None
        }
    }
}

/// What a value is, in a sentence.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
