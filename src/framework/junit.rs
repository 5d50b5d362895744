//! Reading JUnit XML as frameworks really write it.
//!
//! There is no one format, so that this asks for little: every `<testcase>` counts, wherever it stands, with or
//! without a root, in nested suites, and before the place at which a file is cut off or broken. What it makes of the
//! rest:
//!
//! - `<failure>` and `<error>` mean failed, `<skipped>` means skipped; `<rerunFailure>` and `<flakyFailure>` tell of
//!   earlier tries within the framework, whose last word counts.
//! - A failure that stands in a suite and in no testcase is a failed testcase of its own.
//! - Odd numbers, unknown elements and attributes, wrong encodings and stray closing tags cost nothing else.

use std::borrow::Cow;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// No text of a failure is longer, in bytes; the rest is left out.
const LONGEST_TEXT: usize = 64 << 10;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// The complete testcases, in their order.
    pub cases: Vec<Case>,
    /// Why there may be less here than was meant to be: the file is cut off, or broken.
    pub flaw: Option<String>,
    /// Whether it tells of a test that the framework tried again by itself.
    pub reruns: bool,
}

/// A testcase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The suites in which it stands, outermost first, where they have names.
    pub suites: Vec<String>,
    /// `classname`; empty where it is not given.
    pub class: String,
    /// `name`.
    pub name: String,
    /// `file`, its own or that of the suite next to it.
    pub file: Option<String>,
    /// `line`.
    pub line: Option<u32>,
    /// `time`, where it can be read.
    pub time: Option<Duration>,
    /// How it ended.
    pub ending: CaseEnding,
}

/// How a testcase ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CaseEnding {
    /// It held.
    #[default]
    Passed,
    /// It did not.
    Failed {
        /// `type`: the exception's class, for most.
        class: String,
        /// `message`, or the first line of `text` where there is none.
        message: String,
        /// What stands within the element: most often message and stack.
        text: String,
    },
    /// It was not run.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// Reads a file. Never fails: what can't be read is not there, and [`Results::flaw`] says so.
pub fn read(content: &[u8]) -> Results {
    let text = decoded(content);
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut reading = Reading::default();
    let mut cut = false;
    let flaw = loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => reading.open(&tag),
            Ok(Event::Empty(tag)) => {
                reading.open(&tag);
                reading.close(tag.local_name().as_ref());
            }
            Ok(Event::End(tag)) => reading.close(tag.local_name().as_ref()),
            Ok(Event::Text(text)) => reading.write(&text.decode().unwrap_or_default()),
            Ok(Event::CData(text)) => reading.write(&text.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(reference)) => {
                let name = reference.decode().unwrap_or_default();
                reading.write(&unescaped(&format!("&{name};")));
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Ok(Event::Eof) => break None,
            Err(error) => {
                // All that the reader calls bad syntax is that something has no end.
                cut = matches!(error, quick_xml::Error::Syntax(_));
                break Some(format!("is broken at byte {}: {error}", reader.error_position()));
            }
        }
    };
    cut |= flaw.is_none() && !reading.open.is_empty();
    let held = match reading.cases.len() {
        1 => "1 testcase".to_owned(),
        count => format!("{count} testcases"),
    };
    let flaw = match flaw {
        _ if text.trim().is_empty() => Some("is empty".to_owned()),
        _ if !reading.is_junit && !cut => Some("holds no JUnit XML".to_owned()),
        Some(flaw) if !cut => Some(format!("{flaw}; {held} came before")),
        _ if cut => Some(format!("is cut off after {held}")),
        _ if reading.dropped => Some(format!("has a testcase that does not end, besides {held}")),
        _ => None,
    };
    Results { cases: reading.cases, flaw, reruns: reading.reruns }
}

/// UTF-8, or UTF-16 with its mark, as Windows' tools write it.
fn decoded(content: &[u8]) -> Cow<'_, str> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match content {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(content),
    }
}

/// Where in a file the reader is.
#[derive(Default)]
struct Reading {
    /// The elements that are open, outermost first.
    open: Vec<Element>,
    case: Option<Case>,
    cases: Vec<Case>,
    /// Whether a testcase was left open when another began.
    dropped: bool,
    /// Whether there was a suite or a testcase at all.
    is_junit: bool,
    /// Whether the framework tried a test again by itself.
    reruns: bool,
}

struct Element {
    name: Vec<u8>,
    kind: Kind,
}

enum Kind {
    Suite {
        name: String,
        file: Option<String>,
    },
    Case,
    /// A failure that is being read.
    Failure {
        class: String,
        message: String,
        text: String,
    },
    Skipped {
        message: String,
        text: String,
    },
    Other,
}

impl Reading {
    fn open(&mut self, tag: &BytesStart<'_>) {
        let name = tag.local_name().as_ref().to_ascii_lowercase();
        let attribute = |wanted: &str| attribute(tag, wanted);
        let kind = match name.as_slice() {
            b"testsuite" | b"testsuites" => {
                Kind::Suite { name: attribute("name").unwrap_or_default(), file: attribute("file") }
            }
            b"testcase" => {
                self.dropped |= self.case.is_some();
                self.case = Some(self.begin(tag));
                Kind::Case
            }
            // What a test wrote may look like anything.
            _ if self.is_in_output() => Kind::Other,
            b"flakyfailure" | b"flakyerror" | b"rerunfailure" | b"rerunerror" => {
                self.reruns = true;
                Kind::Other
            }
            b"failure" | b"error" => Kind::Failure {
                class: attribute("type").unwrap_or_default(),
                message: attribute("message").unwrap_or_default(),
                text: String::new(),
            },
            b"skipped" => Kind::Skipped { message: attribute("message").unwrap_or_default(), text: String::new() },
            _ => Kind::Other,
        };
        self.is_junit |= matches!(kind, Kind::Suite { .. } | Kind::Case);
        self.open.push(Element { name, kind });
    }

    fn is_in_output(&self) -> bool {
        self.open.iter().any(|element| matches!(element.name.as_slice(), b"system-out" | b"system-err"))
    }

    fn begin(&self, tag: &BytesStart<'_>) -> Case {
        let suites = self.open.iter().filter_map(|element| match &element.kind {
            Kind::Suite { name, file } => Some((name, file)),
            Kind::Case | Kind::Failure { .. } | Kind::Skipped { .. } | Kind::Other => None,
        });
        let nearest_file = suites.clone().filter_map(|(_, file)| file.clone()).next_back();
        let word = attribute(tag, "status").or_else(|| attribute(tag, "result")).unwrap_or_default();
        Case {
            suites: suites.map(|(name, _)| name).filter(|name| !name.is_empty()).cloned().collect(),
            class: attribute(tag, "classname").or_else(|| attribute(tag, "class")).unwrap_or_default(),
            name: attribute(tag, "name").unwrap_or_default(),
            file: attribute(tag, "file").or(nearest_file),
            line: attribute(tag, "line").and_then(|line| line.trim().parse().ok()),
            time: attribute(tag, "time").and_then(|time| seconds(&time)),
            ending: match word.to_ascii_lowercase().as_str() {
                "skipped" | "notrun" | "disabled" | "ignored" | "pending" => {
                    CaseEnding::Skipped { reason: String::new() }
                }
                "failed" | "failure" | "error" => {
                    let message = format!("its status is \"{word}\"");
                    CaseEnding::Failed { class: String::new(), message, text: String::new() }
                }
                _ => CaseEnding::Passed,
            },
        }
    }

    /// Closes the innermost element of that name, and whatever was left open in it; a stray closing tag is passed over.
    fn close(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        let Some(place) = self.open.iter().rposition(|element| element.name == name) else { return };
        for element in self.open.split_off(place).into_iter().rev() {
            self.end(element.kind);
        }
    }

    fn end(&mut self, kind: Kind) {
        match kind {
            Kind::Case => self.cases.extend(self.case.take()),
            Kind::Failure { class, message, text } => self.failed(class, message, text),
            Kind::Skipped { message, text } => {
                let reason = if message.trim().is_empty() { text } else { message };
                if let Some(case) = &mut self.case
                    && !matches!(case.ending, CaseEnding::Failed { .. })
                {
                    case.ending = CaseEnding::Skipped { reason: reason.trim().to_owned() };
                }
            }
            Kind::Suite { .. } | Kind::Other => {}
        }
    }

    /// The first failure of a testcase says its class and message; the others' texts are kept too.
    fn failed(&mut self, class: String, message: String, text: String) {
        let text = text.trim().to_owned();
        let first_line = text.lines().next().unwrap_or_default().trim();
        let message = if message.trim().is_empty() { first_line.to_owned() } else { message.trim().to_owned() };
        let Some(case) = &mut self.case else {
            let mut case = self.begin(&BytesStart::new("testcase"));
            case.name = format!("{} (outside of any testcase)", case.suites.last().map_or("suite", String::as_str));
            case.ending = CaseEnding::Failed { class, message, text };
            self.cases.push(case);
            return;
        };
        match &mut case.ending {
            CaseEnding::Failed { text: earlier, .. } if !earlier.is_empty() => {
                for more in ["\n\n", &message, "\n", &text] {
                    push_within(earlier, more);
                }
            }
            CaseEnding::Failed { .. } | CaseEnding::Passed | CaseEnding::Skipped { .. } => {
                case.ending = CaseEnding::Failed { class, message, text };
            }
        }
    }

    /// Text stands within the innermost element that keeps any: frameworks put unescaped mark-up there.
    fn write(&mut self, more: &str) {
        for element in self.open.iter_mut().rev() {
            match &mut element.kind {
                Kind::Failure { text, .. } | Kind::Skipped { text, .. } => {
                    push_within(text, more);
                    return;
                }
                Kind::Suite { .. } | Kind::Case => return,
                Kind::Other => {}
            }
        }
    }
}

fn push_within(text: &mut String, more: &str) {
    let room = LONGEST_TEXT.saturating_sub(text.len());
    text.push_str(&more[..more.floor_char_boundary(room)]);
}

fn attribute(tag: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let mut attributes = tag.html_attributes();
    let found = attributes
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|attribute| attribute.key.local_name().as_ref().eq_ignore_ascii_case(wanted.as_bytes()))?;
    Some(unescaped(&String::from_utf8_lossy(&found.value)))
}

/// Resolves each reference that is understood, and leaves the others as they stand.
fn unescaped(raw: &str) -> String {
    let mut parts = raw.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escaped = format!("&{part}");
        let end = escaped.find(';').map_or(0, |end| end + 1);
        let (reference, rest) = escaped.split_at(end);
        text.push_str(&unescape(reference).unwrap_or(Cow::Borrowed(reference)));
        text.push_str(rest);
    }
    text
}

/// A time in seconds as programs of many countries write it: `1.5`, `1,234.5`, `0,5`, `1.5s`.
fn seconds(written: &str) -> Option<Duration> {
    let written = written.trim().trim_end_matches(['s', ' ']);
    let groups = |whole: &str| whole.split(',').skip(1).all(|group| group.len() == 3);
    let plain = match (written.split_once('.'), written.contains(',')) {
        (_, false) => written.to_owned(),
        (Some((whole, fraction)), true) => format!("{}.{fraction}", whole.replace(',', "")),
        (None, true) if groups(written) && !written.starts_with("0,") => written.replace(',', ""),
        (None, true) => written.replacen(',', ".", 1),
    };
    Duration::try_from_secs_f64(plain.parse().ok()?).ok()
}
