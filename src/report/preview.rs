//! What a run would do, without doing it: the tests as a list, and the plan.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{summary, text};
use crate::id::TestId;

/// The version of the list's shape. Grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The suite.
    pub suite: String,
    /// What was asked for, one condition each; empty for the whole suite.
    pub selection: Vec<String>,
    /// How many tests the suite has.
    pub listed: usize,
    /// The selected tests, in the order in which they were listed.
    pub tests: Vec<PreviewTest>,
    /// The units, first to be dealt first.
    pub units: Vec<PreviewUnit>,
    /// How many lanes.
    pub lanes: u16,
    /// How often each test would be run.
    pub repeat: u32,
    /// The plan's seed.
    pub seed: u64,
    /// How long an environment boots, where that is known.
    pub boot: Option<Duration>,
    /// What is worth saying of the plan.
    pub notes: Vec<String>,
}

/// A test.
#[derive(Clone, Debug)]
pub struct PreviewTest {
    /// Stable from run to run.
    pub id: TestId,
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u32,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
    /// How long it takes, where that is known.
    pub takes: Option<Duration>,
}

/// A unit.
#[derive(Clone, Debug)]
pub struct PreviewUnit {
    /// What it is called.
    pub file: String,
    /// How many tests it holds.
    pub tests: usize,
    /// How many of them have a known duration.
    pub known: usize,
    /// What it is expected to take.
    pub expected: Duration,
}

/// The list for other programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListJson {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The suite's name.
    pub suite: String,
    /// When it was listed.
    pub at: Timestamp,
    /// Which tests were asked for, one condition each, of which all had to hold; empty for the whole suite.
    pub selection: Vec<String>,
    /// How many tests the suite has, those included that were not selected.
    pub tests_listed: usize,
    /// The selected tests, in the order in which they were listed.
    pub tests: Vec<ListedJson>,
}

/// A test of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedJson {
    /// Stable from run to run.
    pub id: String,
    /// The file, relative to the suite's folder.
    pub file: String,
    /// The line, from 1; none where it is not known.
    pub line: Option<u32>,
    /// The full name.
    pub name: String,
    /// The suite's own tags.
    pub tags: Vec<String>,
    /// How long an attempt is expected to take; none where no attempt has passed yet.
    pub expected_ms: Option<u64>,
}

/// The list as JSON, indented, with a line break at its end.
pub fn list_json(preview: &Preview, at: Timestamp) -> std::io::Result<String> {
    let test = |test: &PreviewTest| ListedJson {
        id: test.id.to_string(),
        file: test.file.clone(),
        line: (test.line > 0).then_some(test.line),
        name: test.name.clone(),
        tags: test.tags.clone(),
        expected_ms: test.takes.map(|takes| u64::try_from(takes.as_millis()).unwrap_or(u64::MAX)),
    };
    let list = ListJson {
        schema_version: SCHEMA_VERSION,
        suite: preview.suite.clone(),
        at,
        selection: preview.selection.clone(),
        tests_listed: preview.listed,
        tests: preview.tests.iter().map(test).collect(),
    };
    let mut text = serde_json::to_string_pretty(&list).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// The list as text: expected duration, place, id and tags of each test in a line, and nothing else.
pub fn list(preview: &Preview) -> String {
    let place = |test: &PreviewTest| {
        let file = text::one_line(&test.file);
        if test.line > 0 { format!("{file}:{}", test.line) } else { file }
    };
    let width = preview.tests.iter().map(|test| place(test).chars().count()).max().unwrap_or(0).min(WIDEST);
    let mut page = String::new();
    for test in &preview.tests {
        let takes = test.takes.map_or_else(|| "–".to_owned(), text::duration);
        let tags = test.tags.iter().map(|tag| text::one_line(tag)).collect::<Vec<_>>().join(", ");
        let tags = if tags.is_empty() { tags } else { format!("  [{tags}]") };
        let (place, id) = (place(test), text::one_line(test.id.as_str()));
        page.push_str(&format!("{takes:>10}  {place:<width$}  {id}{tags}\n"));
    }
    page
}

/// What is said of the list as a whole.
pub fn of_list(preview: &Preview) -> String {
    let known = preview.tests.iter().filter(|test| test.takes.is_some()).count();
    let work: Duration = preview.tests.iter().filter_map(|test| test.takes).sum();
    let tests = summary::selected(preview.tests.len(), preview.listed);
    format!("{tests}, {known} with a known duration, {} together", text::duration(work))
}

/// Places that are longer than this make no column for all.
const WIDEST: usize = 60;

/// The plan as text.
pub fn plan(preview: &Preview) -> String {
    let Preview { lanes, repeat, seed, units, .. } = preview;
    let tests = summary::selected(preview.tests.len(), preview.listed);
    let times = if *repeat > 1 { format!(", each {repeat} times") } else { String::new() };
    let mut lines = vec![format!(
        "{}: {tests}{times}, in {} over {}, seed {seed}",
        text::one_line(&preview.suite),
        text::count(units.len(), "unit"),
        text::count(usize::from(*lanes), "lane"),
    )];
    lines.extend(preview.selection.iter().map(|condition| format!("only {}", text::one_line(condition))));
    lines.extend(preview.notes.iter().map(|note| text::one_line(note)));
    lines.push(String::new());
    for (place, unit) in (1..).zip(units) {
        let about = if unit.known < unit.tests { "~" } else { "" };
        let takes = format!("{about}{}", text::duration(unit.expected));
        let tests = text::count(unit.tests, "test");
        lines.push(format!("{place:>5}  {takes:>10}  {tests:>9}  {}", text::one_line(&unit.file)));
    }
    lines.push(String::new());
    lines.extend(figures(preview));
    lines.push(String::new());
    lines.join("\n")
}

/// What the plan comes to.
fn figures(preview: &Preview) -> Vec<String> {
    let unit_tests: usize = preview.units.iter().map(|unit| unit.tests).sum();
    let known: usize = preview.units.iter().map(|unit| unit.known).sum();
    let once: Duration = preview.units.iter().map(|unit| unit.expected).sum();
    let work = once * preview.repeat.max(1);
    let longest = preview.units.iter().map(|unit| unit.expected).max().unwrap_or_default();
    let boot = preview.boot.unwrap_or_default();
    let lanes = u32::from(preview.lanes.max(1));
    let (chain, share) = (boot + longest, boot + work / lanes);
    let mut lines = vec![format!("expected work  {}", text::duration(work))];
    if known < unit_tests {
        let unknown = unit_tests - known;
        lines.push(format!(
            "               ~ marks what is not known: {unknown} of {unit_tests} tests have never passed and are taken \
             to need the median of the others"
        ));
    }
    let boot = preview.boot.map_or_else(
        || "; how long an environment boots is not known yet, and left out".to_owned(),
        |boot| format!(", each with a boot of {}", text::duration(boot)),
    );
    lines.push(format!(
        "lower bound    {}: longest unit {} · work over {} {}{boot}",
        text::duration(chain.max(share)),
        text::duration(chain),
        text::count(usize::from(preview.lanes), "lane"),
        text::duration(share),
    ));
    lines
}
