//! The table of adapters.

use shakedown::framework::protocol::SaidOutcome;
use shakedown::manifest::{CommandItems, CommandSuite, CommandTemplate, FrameworkKind, ItemKind};

/// An adapter, and the suite that plays the roles for it.
pub(crate) struct Adapter {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The folder in `tests/frameworks`: a `Dockerfile`, and `suite`, which it copies into its working directory.
    pub(crate) folder: &'static str,
    /// What the manifest of that suite would say.
    pub(crate) framework: FrameworkKind,
    /// The paths of the suite.
    pub(crate) paths: &'static [&'static str],
    /// The roles and features that the framework has no notion of; each with a word why, beside it.
    pub(crate) lacks: &'static [&'static str],
    /// How the framework shows a name in its listing.
    pub(crate) shows: fn(&str) -> String,
    /// A selector as the framework forms it, of a test that is not there.
    pub(crate) gone: &'static str,
    /// How a test ends that is marked as a known failure: one that fails as it should, and one that has been fixed.
    pub(crate) known_failures: [SaidOutcome; 2],
    /// The paths of a suite with a focused test and others.
    pub(crate) focus: &'static [&'static str],
    /// The paths of a suite that can't be loaded.
    pub(crate) broken: &'static [&'static str],
}

impl Adapter {
    /// Whether the framework has a notion of this role or feature.
    pub(crate) fn has(&self, what: &str) -> bool {
        !self.lacks.contains(&what)
    }
}

pub(crate) fn rspec() -> Adapter {
    Adapter {
        name: "rspec",
        folder: "rspec",
        framework: FrameworkKind::Rspec,
        paths: &["spec"],
        lacks: &[],
        shows: str::to_owned,
        gone: "./spec/roles_spec.rb[9:9]",
        known_failures: [SaidOutcome::Skipped, SaidOutcome::Failed],
        focus: &["focus"],
        broken: &["broken"],
    }
}

pub(crate) fn minitest() -> Adapter {
    Adapter {
        name: "minitest",
        folder: "minitest",
        framework: FrameworkKind::Minitest,
        paths: &["test"],
        // It has neither known failures nor tags.
        lacks: &["pending", "fixed", "tagged"],
        shows: str::to_owned,
        gone: "test/roles_test.rb::RolesTest#test_role_gone",
        known_failures: [SaidOutcome::Skipped, SaidOutcome::Failed],
        focus: &["focus"],
        broken: &["broken"],
    }
}

pub(crate) fn playwright() -> Adapter {
    Adapter {
        name: "playwright",
        folder: "playwright",
        framework: FrameworkKind::Playwright,
        paths: &["tests/"],
        lacks: &[],
        shows: str::to_owned,
        gone: "tests/roles.spec.js › gone",
        // A failure that is expected counts as passed.
        known_failures: [SaidOutcome::Passed, SaidOutcome::Failed],
        focus: &["focus/"],
        broken: &["broken/"],
    }
}

pub(crate) fn pytest() -> Adapter {
    Adapter {
        name: "pytest",
        folder: "pytest",
        framework: FrameworkKind::Pytest,
        paths: &["tests"],
        // Its tests can't be focused.
        lacks: &["focus"],
        shows: escaped,
        gone: "tests/test_a_roles.py::test_role_gone",
        known_failures: [SaidOutcome::Skipped, SaidOutcome::Passed],
        focus: &[],
        broken: &["broken"],
    }
}

/// The same tests as pytest's, by a process for each, of which nothing is known but what it writes: JUnit XML.
pub(crate) fn command() -> Adapter {
    let list = "python3 -m pytest --collect-only -q tests -k 'not role_first and not role_second and not role_tagged' \
                > /tmp/listed || { cat /tmp/listed; exit 1; }; grep :: /tmp/listed";
    let run = "python3 -u -m pytest -q -s --junitxml={junit} {tests}";
    let items = CommandItems::List { command: CommandTemplate::Shell(list.to_owned()), names: ItemKind::Test };
    Adapter {
        name: "command",
        framework: FrameworkKind::Command(CommandSuite::new(items, CommandTemplate::Shell(run.to_owned()))),
        lacks: &[
            "focus", // A line of a listing is a name and no more.
            "line", "tagged", // pytest's JUnit XML has none of them.
            "place", "class", "stages",
            // Each test has a process of its own, so that nothing is shared between two.
            "first", "second",
            // Nothing is loaded but by the list command, whose failure tests/docker/command.rs looks at.
            "load",
        ],
        broken: &[],
        ..pytest()
    }
}

/// As pytest shows a parameter: everything but plain ASCII by its escape in Python.
fn escaped(name: &str) -> String {
    let escape = |char: char| match u32::from(char) {
        0x5c => "\\\\".to_owned(),
        0x0a => "\\n".to_owned(),
        0x20..0x7f => char.to_string(),
        code @ ..=0xff => format!("\\x{code:02x}"),
        code @ ..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    name.chars().map(escape).collect()
}
