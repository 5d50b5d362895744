//! Quoted texts: which are names that tell causes apart, and which are values that happened to be there.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A quoted text after one of these is a name, or what was asked for.
const NAMING: &str = "method variable key attribute constraint column relation table index module named name fixture property \
    reading constant field button link css xpath selector text element option user role database event response \
    running invoke because function hastext include equal contain contains type path id content match matching \
    label heading container service action parameter argument command template view host expected assert getbytext \
    getbytestid getbylabel getbyrole getbyplaceholder locator matches within select error message msg reason \
    detail checkbox image frame window visible queue topic channel class classname instance interface enum trait \
    struct package";

/// A quoted text before one of these is a name.
const NAMED: &[&str] = &[
    "not found",
    "is not",
    "does not exist",
    "didn't change",
    "is null",
    "is missing",
    "object has",
    "= ",
    "=\u{3c}",
    "is undefined",
];

/// After these only what looks like a name is one: `from 'src/cart.js'`, `for key 'email'`, `not found: "sku"`.
const LIKELY: &[&str] =
    &["from", "file", "found", "with", "for", "of", "missing", "undefined", "unknown", "[get]", "[post]"];

/// Whether a value is none: that nothing was there has another cause than a wrong value.
pub(super) fn is_nothing(value: &str) -> bool {
    let nothing = [
        "nil",
        "None",
        "null",
        "undefined",
        "true",
        "false",
        "True",
        "False",
        "<element(s) not found>",
        "hidden",
        "<VALUE>",
    ];
    nothing.contains(&value) || value.starts_with('#') || value.starts_with("<VALUE>")
}

/// Masks the quoted texts that are values.
pub(super) fn mask(text: &str) -> String {
    static DOUBLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""((?:[^"\\\n]|\\.)*)""#).ok());
    static SINGLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(^|[^\w'\\])'([^'\n]*)'").ok());
    let text = replaced(DOUBLE.as_ref(), 1, &text.replace('`', "'"));
    replaced(SINGLE.as_ref(), 2, &text)
}

fn replaced(pattern: Option<&Regex>, group: usize, text: &str) -> String {
    let Some(pattern) = pattern else { return text.to_owned() };
    let of = |found: &Captures<'_>| {
        let Some((whole, held)) = found.get(0).zip(found.get(group)) else { return String::new() };
        let lead = &text[whole.start()..held.start() - 1];
        let (before, after) = (&text[..held.start() - 1], &text[whole.end()..]);
        if held.as_str() == "<VALUE>" || stays(before, held.as_str(), after) {
            return whole.as_str().to_owned();
        }
        format!("{lead}<VALUE>")
    };
    pattern.replace_all(text, of).into_owned()
}

fn stays(before: &str, held: &str, after: &str) -> bool {
    if matches!(held, "<ADDR>" | "<N>" | "<TIME>" | "<TMP>" | "<EMAIL>") {
        return true;
    }
    // The whole message, as Python's KeyError has it.
    if before.trim().is_empty() && after.trim().is_empty() {
        return looks_like_name(held);
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    if ["Locator:", "Expected", "expected", "waiting for", "- waiting for"]
        .iter()
        .any(|head| line.trim_start().starts_with(head))
    {
        return true;
    }
    if [" ==", " !="].iter().any(|compared| line.trim_end().ends_with(compared)) {
        return true;
    }
    // What a diff has on the side of what was asked for.
    if line.starts_with('-') && !line.trim_start_matches('-').contains(char::is_alphabetic) {
        return true;
    }
    // An argument: `is_visible('.order')`.
    if line.strip_suffix('(').is_some_and(|call| call.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
        return true;
    }
    let near =
        line.trim_end().trim_end_matches([':', '(', '=', '{', ',', '[', '<']).trim_end().trim_end_matches(['"', '\'']);
    let word = near.rsplit([' ', '(', '{', '<', '.', '"', '\'', ',']).next().unwrap_or_default().to_ascii_lowercase();
    let follows = after.trim_start();
    NAMING.split(' ').any(|naming| naming == word)
        || NAMED.iter().any(|words| follows.starts_with(words.trim_end()))
        || is_json_key(follows)
        || (LIKELY.contains(&word.as_str()) && looks_like_name(held))
}

fn is_json_key(follows: &str) -> bool {
    follows.starts_with(':')
}

/// Without spaces and of letters that names have.
fn looks_like_name(text: &str) -> bool {
    let text = text.replace("<N>", "").replace("<ADDR>", "a").replace("<TMP>", "a").replace("<OURS>", "a");
    text.len() <= 60
        && text.chars().any(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || "_.:!?#/@-$*".contains(c))
}
