//! Fingerprints of failures: what went wrong and where, without what differs from one occurrence to the next.
//!
//! A signature is made of the exception's class, the place of the first frame in the project's own code, and the
//! message. Equal causes have equal signatures, so that failures can be counted by cause, and quarantine can vouch for
//! one cause and no other. What is masked and what stays:
//!
//! - Ids, figures, addresses, ports, times, durations, temporary paths and names that a test draws are masked, in every
//!   text. Status codes, exit codes and codes of database errors stay, as they tell causes apart.
//! - **What was found is masked, what was asked for stays.** `expected: "Paid"  got: "Open"` keeps `"Paid"`, which the
//!   test's author wrote, and loses `"Open"`, which is whatever the page held at that moment. Nothing found at all
//!   (`nil`, `None`, `undefined`, `element(s) not found`) stays, as a missing value has another cause than a wrong one.
//! - A quoted name stays where the words beside it say that it is one: `no attribute 'price'`, `constraint "orders_key"`,
//!   `Unable to find button "Save"`. Another quoted text is masked: the class, the place and the words round it decide.
//! - Of the place the file and the function stay. Lines move whenever somebody edits the file.
//! - Of several errors of one attempt the first decides.
//!
//! Two causes that differ in nothing else than what is masked have one signature; a test that draws names from a list
//! of real names, and asks for them, has as many signatures as names. When a rule changes, so does [`VERSION`]: a
//! signature is only compared to those of its own version.
//!
//! Architecture invariant: pure functions over text. The patterns stand in the tables of `rules.rs` and `place.rs`.

mod excerpt;
mod log;
mod place;
mod quoted;
mod rules;

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::verdict::{Failure, Outcome};

/// The version of the rules. Goes up with every change that gives an old text another signature.
pub const VERSION: u32 = 1;

/// No message is read further than so many bytes; what tells causes apart stands at its beginning.
const READ: usize = 8 << 10;
/// A signature's text has at most so many bytes.
const LONGEST: usize = 700;
/// No line of a message counts for more bytes.
const LONGEST_LINE: usize = 240;
/// So many lines of a message count.
const LINES: usize = 8;
/// How often the rules are used on one text until they change nothing more.
const PASSES: usize = 12;

/// A failure's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The version of the rules that made it, see [`VERSION`].
    pub version: u32,
    /// What is left of the failure, on one line, to be read by people.
    pub text: String,
    /// 16 hexadecimal digits over the text.
    pub hash: String,
}

impl Signature {
    fn of(text: &str) -> Self {
        let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ");
        let text = cut(&line, LONGEST).to_owned();
        let digest = Sha256::digest(text.as_bytes());
        let hash = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { version: VERSION, text, hash }
    }
}

/// `v1:` and the hash: what is stored and compared.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}:{}", self.version, self.hash)
    }
}

/// The signature of an outcome that counts against its test, or of an environment that broke; `None` for the others.
pub fn of_outcome(outcome: &Outcome) -> Option<Signature> {
    match outcome {
        Outcome::Failed(failure) => Some(of_failure(failure)),
        // The limit is learnt anew from run to run.
        Outcome::TimedOut { .. } => Some(Signature::of("ran longer than it may")),
        Outcome::EnvironmentBroke { cause } => {
            Some(Signature::of(&format!("environment broke: {}", normalise("", cause))))
        }
        Outcome::Passed | Outcome::Skipped { .. } | Outcome::Interrupted => None,
    }
}

/// The signature of a failure, as a framework tells it.
pub fn of_failure(failure: &Failure) -> Signature {
    let class = rules::class(cut(&failure.class, LONGEST_LINE));
    let message = normalise(&failure.class, &failure.message);
    let place = place::of(failure).map(|place| format!("at {place}"));
    let head = [Some(class), place].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let parts = [head, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    Signature::of(&parts.join(": "))
}

/// The signature of a line that a service logged, where it is of level error or graver.
pub fn of_log_line(service: &str, line: &str) -> Option<Signature> {
    let said = log::error(cut(line, READ))?;
    Some(Signature::of(&format!("{service} logged: {}", normalise("", &said))))
}

/// A message without what differs from one occurrence to the next. Of a message that is normalised already nothing
/// changes. `class` is the exception's: a failed expectation is read otherwise than an error.
pub fn normalise(class: &str, message: &str) -> String {
    let mut text = excerpt::plain(cut(message, READ));
    for _ in 0..PASSES {
        let next = pass(class, &text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// The rules in the order in which they are used: name, and what it is for where the name does not say it.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    rules::listed()
}

fn pass(class: &str, text: &str) -> String {
    let text = excerpt::first_of_several(text);
    let text = excerpt::of_call_log(&text);
    let text = rules::cuts(text);
    let text = excerpt::of_diff(&text);
    let expectation = rules::is_expectation(class, message_head(&text));
    let text = rules::shapes(text, expectation);
    let text = rules::objects(text);
    let text = rules::tokens(text);
    let text = quoted::mask(&text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).take(LINES).collect();
    let lines: Vec<&str> = lines.iter().map(|line| cut(line, LONGEST_LINE).trim_end()).collect();
    lines.join("\n")
}

fn message_head(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default()
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
