//! Where a failure happened: file and function of the first frame in the project's own code.

use std::sync::LazyLock;

use regex::Regex;

use crate::verdict::Failure;

/// So many frames are looked at.
const FRAMES: usize = 50;
/// No longer frame is looked at, in bytes.
const LONGEST_FRAME: usize = 1000;

/// Code that is not the project's own, by a part of its path or by the beginning of its package's name.
const FOREIGN: &[&str] = &[
    "node_modules/",
    "node:",
    "/vendor/",
    "vendor/bundle",
    "/gems/",
    ".bundle/",
    "site-packages/",
    "dist-packages/",
    "/usr/lib/",
    "/usr/local/lib/",
    "<internal:",
    "phar://",
    "java.base/",
    "at java.",
    "at jdk.",
    "at sun.",
    "at org.junit.",
    "at org.opentest4j.",
    "at org.openqa.",
    "at org.hamcrest.",
    "at org.assertj.",
    "at org.testng.",
    "<anonymous>:",
    "__cypress/",
    "at System.",
    "at Xunit.",
    "at NUnit.",
    "/usr/share/",
];

/// How frames are written. The groups `file` and `function`.
const FRAMES_OF: &[(&str, &str)] = &[
    ("ruby", r"^(?<file>[^\s:]+\.\w+):\d+:in [`'](?<function>.*)'$"),
    ("pytest", r"^(?<file>[^\s:]+\.py):\d+: in (?<function>\S+)$"),
    ("python", r#"^File "(?<file>[^"]+)", line \d+, in (?<function>\S+)"#),
    ("java", r"^at (?:\S+/)?(?<function>[\w.$<>]+)\((?<file>\w+\.(?:java|kt|scala|groovy)):\d+\)"),
    (".net", r"^at (?<function>\S+)\(.*\) in (?<file>.+):line \d+"),
    ("javascript", r"^(?:at )?(?:async )?(?:new )?(?<function>[\w.$<>\[\] ]+?) \((?<file>[^()]+?):\d+:\d+\)"),
    ("javascript, no function", r"^(?:at )?(?:async )?\(?(?<file>[^\s()]+\.\w+):\d+:\d+\)?$"),
    ("php", r"^#\d+ (?<file>[^\s(]+\.php)\(\d+\): (?<function>[\w\\:>-]+)"),
    ("bare", r"^(?<file>[^\s:()]+\.\w{1,5}):\d+(?::.*)?$"),
];

/// `spec/support/shopping.rb expect_stock`; `None` where no frame and no file is told.
pub(super) fn of(failure: &Failure) -> Option<String> {
    let frames = failure.backtrace.iter().take(FRAMES).map(|frame| frame.trim()).filter(|f| f.len() <= LONGEST_FRAME);
    let own = || frames.clone().filter(|frame| !is_foreign(frame)).filter_map(read);
    let told = failure.file.as_deref().map(file).filter(|told| !told.is_empty());
    let (file, function) = match told {
        // The framework has told the file; a frame in it may tell the function.
        Some(told) => {
            let function = own().find(|(file, _)| same(file, &told)).and_then(|(_, function)| function);
            (told, function)
        }
        None => own().next()?,
    };
    Some(function.map_or_else(|| file.clone(), |function| format!("{file} {function}")))
}

fn is_foreign(frame: &str) -> bool {
    FOREIGN.iter().any(|part| frame.contains(part))
}

/// A path and a shorter way of writing it.
fn same(one: &str, other: &str) -> bool {
    one == other || one.ends_with(&format!("/{other}")) || other.ends_with(&format!("/{one}"))
}

fn read(frame: &str) -> Option<(String, Option<String>)> {
    static PATTERNS: LazyLock<Vec<Regex>> =
        LazyLock::new(|| FRAMES_OF.iter().filter_map(|(_, pattern)| Regex::new(pattern).ok()).collect());
    let found = PATTERNS.iter().find_map(|pattern| pattern.captures(frame))?;
    let function = found.name("function").and_then(|function| function_name(function.as_str()));
    Some((file(&found["file"]), function))
}

/// Relative paths as they are; of absolute ones the last two parts, as checkouts stand in different folders.
fn file(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    let path = path.trim_start_matches("file://").split("://").last().unwrap_or_default();
    let relative = path.trim_start_matches("./").to_owned();
    if path.starts_with('/') || path.get(1..3) == Some(":/") {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        parts[parts.len().saturating_sub(2)..].join("/")
    } else {
        relative
    }
}

/// A function's own name, without what Ruby says of blocks; `None` where it has none.
fn function_name(told: &str) -> Option<String> {
    let name = ["block (", "block in ", "rescue in ", "ensure in ", "rescue (", "ensure ("];
    let mut told = told.trim();
    while name.iter().any(|head| told.starts_with(head)) {
        told = told.split_once(" in ").map_or("", |(_, rest)| rest);
    }
    // Newer Rubies, JavaScript, Java and .NET name the class as well.
    let own = told.rsplit(['#', '.', '\\']).next().unwrap_or_default();
    let own = own.rsplit("::").next().unwrap_or_default().rsplit("->").next().unwrap_or_default();
    let nameless = own.is_empty() || own.contains(['<', '>', ' ', '[']) || ["block", "eval"].contains(&own);
    (!nameless).then(|| own.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        for (name, pattern) in FRAMES_OF {
            assert!(Regex::new(pattern).is_ok(), "{name}");
        }
    }
}
