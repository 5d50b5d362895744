//! Of a message with several parts, the one that tells the cause.

use std::sync::LazyLock;

use regex::Regex;

/// What keeps Playwright from acting on an element, the one that counts most first.
const HINDRANCES: &[&str] = &[
    "intercepts pointer events",
    "element is not enabled",
    "element is not visible",
    "element is outside of the viewport",
    "element is not stable",
    "element was detached",
];

/// Without colours and other escapes, with one kind of line end.
pub(super) fn plain(text: &str) -> String {
    static ESCAPES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])").ok());
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = ESCAPES.as_ref().map_or_else(|| text.clone(), |escapes| escapes.replace_all(&text, "").into_owned());
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The first of several numbered errors, and the whole text where it tells of one.
pub(super) fn first_of_several(text: &str) -> String {
    static SEVERAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(?s)(?:\d+ errors:|Got \d+ failures? [^\n]*:)\s*\n+1\) (?:[A-Z][\w:.\\]*: )?(.*?)(?:\n\s*\n2\) .*)?$",
        )
        .ok()
    });
    let found = SEVERAL.as_ref().and_then(|several| several.captures(text.trim()));
    found.map_or_else(|| text.to_owned(), |found| found[1].to_owned())
}

/// With Playwright's log of what it did reduced to what it waited for, and what was in its way.
pub(super) fn of_call_log(text: &str) -> String {
    let Some((head, log)) = text.split_once("Call log:") else { return text.to_owned() };
    let mut lines = vec![head.trim_end().to_owned()];
    let log: Vec<&str> = log.lines().map(|line| line.trim().trim_start_matches("- ")).collect();
    let waits = log.iter().find(|line| line.starts_with("waiting for ") && !line.starts_with("waiting for element"));
    let told = |waits: &str| head.contains(waits.trim_start_matches("waiting for "));
    lines.extend(waits.filter(|waits| !told(waits)).map(|waits| (*waits).to_owned()));
    let hindrance = HINDRANCES.iter().find_map(|words| log.iter().find(|line| line.contains(words)));
    lines.extend(hindrance.map(|line| (*line).to_owned()));
    lines.join("\n")
}

/// A diff without what was found; what was asked for stays where it is one line.
pub(super) fn of_diff(text: &str) -> String {
    let is_diff = |line: &str| {
        ["@@", "--- Expected", "- Expected", "Diff:", "Omitting ", "Differing items", "Full diff", "At index", "Use -v"]
            .iter()
            .any(|head| line.trim_start().starts_with(head))
    };
    let lines: Vec<&str> = text.lines().collect();
    let pytest = text.trim_start().starts_with("assert ") || text.contains("\nassert ");
    let start = lines.iter().position(|line| is_diff(line) || (pytest && line.trim_start().starts_with("- ")));
    let Some(start) = start else { return text.to_owned() };
    let mut kept: Vec<&str> = lines[..start].to_vec();
    if !pytest && !lines[start].trim_start().starts_with("Diff:") {
        let asked = |line: &&&str| line.starts_with('-') && !line.starts_with("---") && !line.contains("Expected");
        let mut asked = lines[start..].iter().filter(asked);
        if let (Some(only), None) = (asked.next(), asked.next()) {
            kept.push(only);
        }
    }
    // What pytest says of where values came from follows the diff.
    kept.extend(lines[start..].iter().filter(|line| line.trim_start().starts_with("+  where")));
    kept.join("\n")
}
