//! `framework` and `paths` of `[suite]`.

use super::command;
use super::findings::Findings;
use super::section::Section;
use super::{FrameworkKind, suggest};

/// Every name of a framework that is understood, in the order in which messages list them.
const KNOWN: [&str; 5] = ["rspec", "minitest", "playwright", "pytest", "command"];
const HELP: &str = "known frameworks: rspec, minitest, playwright, pytest, command (any program that writes JUnit XML)";

/// A framework with a worker of its own, by its name, and where its tests are when `paths` is left out; nothing where the
/// framework's own configuration says so.
fn with_worker(name: &str) -> Option<(FrameworkKind, &'static [&'static str])> {
    match name {
        "rspec" => Some((FrameworkKind::Rspec, &["spec"])),
        "minitest" => Some((FrameworkKind::Minitest, &["test"])),
        "playwright" => Some((FrameworkKind::Playwright, &[])),
        "pytest" => Some((FrameworkKind::Pytest, &[])),
        _ => None,
    }
}

/// The framework, if what the section says of it holds.
pub(super) fn read(suite: &Section<'_>, findings: &mut Findings) -> Option<FrameworkKind> {
    if suite.get("framework").is_none() {
        suite.missing("framework", HELP, findings);
        return None;
    }
    let framework = suite.text("framework", findings)?;
    let name = framework.value.as_str();
    if let Some((kind, _)) = with_worker(name) {
        if let Some(command) = suite.get("command") {
            let message = format!("[suite.command] means nothing to the framework \"{name}\"");
            findings.problem(command.line, message, "leave it out, or use framework = \"command\"");
        }
        return Some(kind);
    }
    match name {
        "command" => command::read(suite, findings).map(FrameworkKind::Command),
        unknown => {
            let help = match suggest::closest(unknown, KNOWN) {
                Some(candidate) => format!("did you mean \"{candidate}\"? {HELP}"),
                None => HELP.to_owned(),
            };
            findings.problem(framework.line, format!("unknown framework \"{unknown}\""), help);
            None
        }
    }
}

/// Where the tests are.
pub(super) fn paths(suite: &Section<'_>, findings: &mut Findings) -> Vec<String> {
    let name = suite.get("framework").and_then(|found| found.value.as_str());
    let default = name.and_then(with_worker).map_or::<&[&str], _>(&[], |(_, paths)| paths);
    let Some(paths) = suite.texts("paths", findings) else {
        return default.iter().map(|path| (*path).to_owned()).collect();
    };
    if paths.is_empty() {
        let line = suite.get("paths").map(|value| value.line);
        let otherwise = match default {
            [] => "leave it out".to_owned(),
            paths => format!("leave it out for {paths:?}"),
        };
        findings.problem(line, "\"paths\" is empty", format!("name a folder or file with tests, or {otherwise}"));
    }
    paths.into_iter().map(|path| path.value).collect()
}
