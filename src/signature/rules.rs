//! The tables of what is masked, in the order in which it is. A rule's name and its words say what it is for.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::quoted::is_nothing;

/// What a pattern's finds become.
#[derive(Clone, Copy)]
enum To {
    /// This text, in which `$1` stands for a group.
    Text(&'static str),
    /// Whatever the function makes of the find; it is given what stands before and after as well.
    Made(fn(&Captures<'_>, [&str; 2]) -> String),
}

/// A rule: its name, what it is for where the name does not say it, its pattern, and what becomes of what it finds.
struct Rule(&'static str, &'static str, &'static str, To);

/// All rules, in the order in which they are used: name and what it is for.
pub(super) fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    [CUTS, EXPECTATIONS, OBJECTS, TOKENS].into_iter().flatten().map(|Rule(name, words, _, _)| (*name, *words))
}

use To::{Made, Text};

/// What stands at the end of a message and tells nothing of the cause. Each goes on to the end of the text.
const CUTS: &[Rule] = &[
    Rule(
        "stack",
        "frames of a browser's driver, and stacks that a message repeats",
        r"(?s)\n?(Stacktrace:|#0 0x|---Backtrace---|[ \t]+at \S+ \(\S+:\d+).*",
        Text(""),
    ),
    Rule("backtrace", "RSpec's backtrace of another error than the expected one", r"(?s) with backtrace:.*", Text("")),
    Rule("also found", "Capybara's list of what is on the page", r"(?s)( Also found ).*", Text("$1<VALUE>")),
    Rule(
        "matches",
        "Capybara's list of matches that are too many",
        r"(?s)\b(found )\d+ match(?:es)?: .*",
        Text("${1}matches"),
    ),
    Rule(
        "page text",
        "the page in which a text was not found, or was",
        r#"(?s)(to find (?:visible |hidden )?text .+?) in ["'].*"#,
        Text("$1 in <VALUE>"),
    ),
    Rule(
        "session",
        "what Selenium adds of browser, driver and documentation",
        r"(?s);?\s*(\(Session info:|For documentation on this error|Build info:|System info:|Driver info:).*",
        Text(""),
    ),
    Rule(
        "sql",
        "statements and the place in them",
        r"(?s)\n(DETAIL:|LINE \d+:|HINT:|CONTEXT:|\[SQL:|\[parameters:|\(Background on this error).*",
        Text(""),
    ),
    Rule("documentation", "where to read on", r"(?s)\s+See https?://\S+.*", Text("")),
    Rule("body", "a response", r"(?s)\nResponse body:.*", Text("")),
    Rule("browser logs", "what a browser wrote", r"(?s)\n(Browser logs:|=+ logs =+\n<launch).*", Text("")),
    Rule("fixtures", "pytest's list of those that are there", r"(?s)\n>\s+available fixtures:.*", Text("")),
    Rule("compared", "how RSpec compared", r"\n?\(compared using \S+\)", Text("")),
    Rule("rule", "lines that only separate", r"(?m)^=+( logs =+)?$", Text("")),
    Rule(
        "stale",
        "the same in the words of several versions of ChromeDriver",
        r"(stale element reference)[:;] [^\n]*",
        Text("$1"),
    ),
    Rule(
        "count",
        "minitest and Rails, in the words of several versions",
        r#"(?m)^["'`]([^"'`\n]+)["'`] (didn't change by [^,.\n]+?)(?:, but by [^\n]*?)?\.?$"#,
        Text("$1 $2"),
    ),
    Rule("request", "nginx' list of who asked for what", r", client: .*", Text("")),
];

/// How frameworks tell what was asked for and what was found.
const EXPECTATIONS: &[Rule] = &[
    Rule(
        "found line",
        "`got: 3`, `Actual: 3`, `Received string: \"x\"`",
        r"(?m)^(\s*(?:got|Actual|Received[ \w]*|received|actual collection contained|the missing elements were|the extra elements were)\s*:)[ \t]*(\S.*)?$",
        Made(found),
    ),
    Rule("but was", "JUnit: `but was: <3>`", r"(but was: )<([^<>\n]*)>", Made(found_inline)),
    Rule("got", "`…, got \"x\"`", r#"(, got )("(?:[^"\\]|\\.)*"|\[.*\]|-?\d[\d.,]*)"#, Made(found_inline)),
    Rule(
        "to",
        "RSpec and Chai: `expected \"x\" to equal`",
        r#"(?m)^(expected )("(?:[^"\\\n]|\\.)*"|'[^\n]*?'|-?\d[\d.,]*|[\[{][^\n]*[\]}])( (?:not )?to )"#,
        Made(found_before),
    ),
    Rule(
        "to match",
        "minitest: `Expected /x/ to match \"y\"`",
        r#"(?m)^(Expected /[^\n]+/ (?:to )?(?:not )?(?:to )?match )([^\n]+?)\.?$"#,
        Text("$1<VALUE>"),
    ),
    Rule(
        "minitest",
        "minitest: `Expected [1] to include 2`",
        r#"(?m)^(Expected )("(?:[^"\\\n]|\\.)*"|-?\d[\d.,]*|\[[^\n]*?\]|#<[^\n]*?>|#[A-Z][\w:]*)( (?:not )?to )"#,
        Made(found_before),
    ),
    Rule(
        "phpunit",
        "PHPUnit: `Failed asserting that 3 matches`",
        r#"(asserting that )('[^\n]*?'|"[^"\n]*"|-?\d[\d.]*)( \[[A-Z0-9-]+\]\(length: \d+\))?( (?:is|are|matches|contains|equals|starts|ends|has) )"#,
        Text("$1<VALUE>$4"),
    ),
    Rule(
        "pytest",
        "`assert 3 == 4`: what stands on the left was found",
        r#"(?m)^((?:AssertionError: )?assert )('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|-?\d[\d.]*|[\[{(][^\n]*?[\]})])( (?:==|!=|<|>|<=|>=|is|is not) )"#,
        Made(found_before),
    ),
    Rule(
        "pytest in",
        "`assert 'x' in 'page'`: what stands on the right was found",
        r#"(?m)^((?:AssertionError: )?assert [^\n]+? (?:not )?in )(['"\[{(][^\n]*)$"#,
        Text("$1<VALUE>"),
    ),
    Rule(
        "pytest where",
        "`+ where 3 = len([1])`",
        r"(?m)^(\s*\+\s+(?:where|and)\s+)('(?:[^'\\\n]|\\.)*'|-?\d[\d.]*|[\[{(][^\n]*?[\]})])( = )",
        Made(found_before),
    ),
    Rule(
        "collection",
        "lists and maps: records that a test made",
        r#"(^|[\s(])([\[{])([^\[\]{}\n]*)[\]}]"#,
        Made(collection),
    ),
];

/// Objects and elements, of which the kind stays.
const OBJECTS: &[Rule] = &[
    Rule("nil", "older Rubies name nil's class", r"\bnil:NilClass\b", Text("nil")),
    Rule("instance", "newer Rubies name the class only", r"\bfor an instance of ([A-Z][\w:]*)", Text("for #$1")),
    Rule("object", "Ruby's objects", r"#<([A-Za-z]\w*(?:::\w+)*)[^<>]*>", Text("#$1")),
    Rule(
        "element",
        "an element of a page, with its class",
        r#"<([a-z][a-z0-9-]*)((?:\s+[\w:-]+(?:="[^"]*")?)+)\s*/?>"#,
        Made(element),
    ),
    Rule("end of element", "", r"(?:\.\.\.|…)?</[a-z][a-z0-9-]*>", Text("")),
];

/// What is the same in any text, whatever it tells.
const TOKENS: &[Rule] = &[
    Rule("uuid", "", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", Text("<N>")),
    Rule("ours", "networks, containers, leases", r"\bshakedown-\d[\w.-]*", Text("<OURS>")),
    Rule("line", "`cart.rb:12:in`, `cart.js:12:5`", r"(\.[a-z]{1,5}):\d+(?::\d+)?\b", Text("$1")),
    Rule(
        "date and time",
        "ISO 8601 and what comes near to it",
        r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:\s?(?:Z\b|UTC|GMT|[+-]\d\d:?\d\d\b))*",
        Text("<TIME>"),
    ),
    Rule(
        "log's date",
        "`24/Nov/2026:09:01:12 +0000`",
        r"\b\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?",
        Text("<TIME>"),
    ),
    Rule(
        "day in words",
        "`Tue, 24 Nov 2026 09:01`, `Tue Nov 24 09:01:12.482 2026`",
        r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:\d{1,2}\.? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2}\b,?)(?: \d{4}\b)?(?:,? \d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?: \d{4}\b)?(?: (?:UTC|GMT))?(?: [+-]\d\d:?\d\d\b)?",
        Text("<TIME>"),
    ),
    Rule("day", "`24.11.2026`, `11/24/2026`", r"\b\d{1,2}[./]\d{1,2}[./]\d{4}\b", Text("<TIME>")),
    Rule("clock", "", r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AP]M)?\b", Text("<TIME>")),
    Rule("e-mail", "tests draw them", r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+", Text("<EMAIL>")),
    Rule("query", "what follows an address' path", r#"(https?://[^\s"'<>?#)]+)[?#][^\s"'<>)]*"#, Text("$1")),
    Rule(
        "ip address",
        "with its port; with a name that means the same host",
        r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)\b(?::\d+)?",
        Text("<ADDR>"),
    ),
    Rule("ipv6 address", "", r"\[?(?:\b[0-9a-fA-F]{1,4})?(?::[0-9a-fA-F]{0,4}){3,7}\]?(?::\d+)?", Text("<ADDR>")),
    Rule(
        "temporary path",
        "a file's name stays where it has no digit",
        r#"(?:/private)?(?:/tmp|/var/tmp|/var/folders)(/[^\s"':,()<>]*)?"#,
        Made(temporary),
    ),
    Rule("process memory", "", r"\b0x[0-9a-fA-F]+\b", Text("<N>")),
    Rule(
        "duration",
        "`5000ms`, `1m 30s`, `10 seconds`",
        r"\b\d+(?:\.\d+)?\s?(?:ms|µs|milliseconds?|seconds?|second\(s\)|secs?|s|minutes?|mins?|m|hours?|h)\b(?:\s?\d+(?:\.\d+)?\s?(?:ms|s)\b)?",
        Text("<T>"),
    ),
    Rule(
        "number of order",
        "`SF-A7K2M9XX`: `MUG-12`: capitals that a program drew, numbers in a series",
        r"\b[A-Z]{2,6}-(?:[A-Z0-9]{6,}|\d+)\b",
        Text("<N>"),
    ),
    Rule("hexadecimal", "", r"\b[0-9a-f]{7,}\b", Text("<N>")),
    Rule("drawn", "letters and digits in no order, as programs draw them", r"\b[A-Za-z0-9]{6,}\b", Made(drawn)),
    Rule(
        "number",
        "also in a name; not the codes that tell causes apart",
        r"(?:\B-)?\d+(?:\\?[.,]\d+)*(?:[a-z]\b)?",
        Made(number),
    ),
    Rule(
        "plural",
        "`1 match`, `2 matches`",
        r"<N> (match|element|time|failure|item|error|job|row|record|migration|argument)(?:es|s)?\b",
        Text("<N> ${1}s"),
    ),
    Rule("several", "as many as there are", r"<N>(?:[\s,.:;/-]{1,2}<N>)+", Text("<N>")),
];

type Compiled = Vec<(Regex, To)>;

/// Every pattern of the tables is one; the tests say so.
fn compiled(table: &[Rule]) -> Compiled {
    table.iter().filter_map(|Rule(_, _, pattern, to)| Some((Regex::new(pattern).ok()?, *to))).collect()
}

fn used(table: &Compiled, mut text: String) -> String {
    for (pattern, to) in table {
        if !pattern.is_match(&text) {
            continue;
        }
        let next = match to {
            Text(by) => pattern.replace_all(&text, *by).into_owned(),
            Made(make) => {
                let of = |found: &Captures<'_>| {
                    let (start, end) = found.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
                    make(found, [&text[..start], &text[end..]])
                };
                pattern.replace_all(&text, of).into_owned()
            }
        };
        text = next;
    }
    text
}

/// Without what tells nothing of the cause.
pub(super) fn cuts(text: String) -> String {
    static TABLE: LazyLock<Compiled> = LazyLock::new(|| compiled(CUTS));
    used(&TABLE, text)
}

/// With what was found masked, where the text tells of an expectation.
pub(super) fn shapes(text: String, expectation: bool) -> String {
    static TABLE: LazyLock<Compiled> = LazyLock::new(|| compiled(EXPECTATIONS));
    if expectation { used(&TABLE, text) } else { text }
}

/// With objects and elements reduced to their kind.
pub(super) fn objects(text: String) -> String {
    static TABLE: LazyLock<Compiled> = LazyLock::new(|| compiled(OBJECTS));
    used(&TABLE, text)
}

/// With all masked that is the same in any text.
pub(super) fn tokens(text: String) -> String {
    static TABLE: LazyLock<Compiled> = LazyLock::new(|| compiled(TOKENS));
    used(&TABLE, text)
}

/// A class without what is drawn: `#<Class:0x00007f>`.
pub(super) fn class(class: &str) -> String {
    tokens(class.trim().to_owned())
}

/// Whether the failure is an expectation that did not hold, by its class or by its first line.
pub(super) fn is_expectation(class: &str, head: &str) -> bool {
    let by_class = ["Expectation", "Assertion", "AssertionFailed", "ComparisonFailure"];
    let by_head = ["expect", "Expected", "assert", "Failed asserting", "Timed out "];
    by_class.iter().any(|part| class.contains(part)) || by_head.iter().any(|part| head.starts_with(part))
}

fn found(captures: &Captures<'_>, _: [&str; 2]) -> String {
    let value = captures.get(2).map_or("", |value| value.as_str().trim());
    format!("{} {}", &captures[1], mask(value))
}

fn found_inline(captures: &Captures<'_>, _: [&str; 2]) -> String {
    format!("{}{}", &captures[1], mask(&captures[2]))
}

fn found_before(captures: &Captures<'_>, _: [&str; 2]) -> String {
    format!("{}{}{}", &captures[1], mask(&captures[2]), &captures[3])
}

fn mask(value: &str) -> &str {
    if is_nothing(value) { value } else { "<VALUE>" }
}

/// A status line within brackets is no list.
fn collection(captures: &Captures<'_>, _: [&str; 2]) -> String {
    let held = &captures[3];
    let digits = held.bytes().take_while(u8::is_ascii_digit).count();
    let status = digits == 3 && held[digits..].starts_with(' ');
    let code = held.starts_with("Errno") || held.len() == digits && captures[2].starts_with('[') && digits > 0;
    let name = !held.contains([' ', ',', ':', '=', '"', '\'']) && !held.is_empty() && digits == 0;
    if status || code && captures[1].is_empty() || name {
        return captures[0].to_owned();
    }
    let close = if captures[2].starts_with('[') { "]" } else { "}" };
    format!("{}{}<VALUE>{close}", &captures[1], &captures[2])
}

fn element(captures: &Captures<'_>, _: [&str; 2]) -> String {
    let (name, attributes) = (&captures[1], &captures[2]);
    let class = attributes.split_once("class=\"").and_then(|(_, rest)| rest.split(['"', ' ']).next());
    class.filter(|class| !class.is_empty()).map_or_else(|| name.to_owned(), |class| format!("{name}.{class}"))
}

fn temporary(captures: &Captures<'_>, _: [&str; 2]) -> String {
    let name = captures.get(1).and_then(|path| path.as_str().rsplit('/').next()).unwrap_or_default();
    let stays = name.contains('.') && !name.starts_with('.') && !name.contains(|c: char| c.is_ascii_digit());
    if stays { format!("<TMP>/{name}") } else { "<TMP>".to_owned() }
}

/// Whether a word was drawn: digits and letters take turns.
fn drawn(captures: &Captures<'_>, _: [&str; 2]) -> String {
    let word = &captures[0];
    let digits: Vec<bool> = word.bytes().map(|byte| byte.is_ascii_digit()).collect();
    let turns = digits.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if turns >= 2 || (turns == 1 && digits[0]) { "<N>".to_owned() } else { word.to_owned() }
}

/// A code that tells causes apart stays: a status after `status`, before its words; an exit code; an error's number.
fn number(captures: &Captures<'_>, [before, after]: [&str; 2]) -> String {
    let figure = &captures[0];
    let whole = figure.bytes().all(|byte| byte.is_ascii_digit());
    let last = before.chars().next_back();
    // A heading's level is no number of anything.
    let heading = |text: &str| text.ends_with('h') && !text[..text.len() - 1].ends_with(char::is_alphanumeric);
    if figure.len() == 1 && heading(before) && !after.starts_with(char::is_alphanumeric) {
        return figure.to_owned();
    }
    let words = before.trim_end_matches([' ', ':', '=', '(', '[', '"']).to_ascii_lowercase();
    let word = words.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    let told = ["status", "answered", "code", "signal", "errno", "sqlstate", "http"];
    let colon = ["error", "violation", "failure"];
    let status = whole && figure.len() == 3 && matches!(figure.as_bytes()[0], b'1'..=b'5');
    let code = whole
        && figure.len() <= 5
        && (told.contains(&word) || (before.trim_end().ends_with(':') && colon.contains(&word)));
    // A status' name stands beside it: `:not_found (404)`, `503 Service Unavailable`.
    let words_follow = after.trim_start_matches([':', ' ']).starts_with(|c: char| c.is_ascii_uppercase());
    let symbol = before.trim_end_matches([' ', '(']).rsplit(' ').next().is_some_and(|word| word.starts_with(':'));
    let named = status
        && match last {
            None | Some('[' | '<' | '\n') => words_follow,
            Some('(') => after.starts_with(')') && symbol,
            Some(_) => false,
        };
    if code || named { figure.to_owned() } else { "<N>".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pattern_is_one_and_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for Rule(name, _, pattern, _) in [CUTS, EXPECTATIONS, OBJECTS, TOKENS].into_iter().flatten() {
            assert!(Regex::new(pattern).is_ok(), "{name}: {:?}", Regex::new(pattern));
            assert!(names.insert(name), "{name} is there twice");
        }
    }
}
