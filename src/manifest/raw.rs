//! `shakedown.toml` by itself: every key known, every value within its bounds, not yet held against Compose.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::findings::Findings;
use super::section::{Located, Section, kind_of};
use super::snapshot::{self, RawSnapshot};
use super::subnets::{self, Subnet, SubnetPool};
use super::text::line_at;
use super::{
    EvidenceSettings, FrameworkKind, Lanes, OrderSettings, Probe, Reset, THREE, TWO_MINUTES, evidence, framework,
    history, order, ready, reset, suggest,
};

const SECTIONS: [&str; 6] = ["suite", "environment", "order", "retry", "evidence", "history"];
const SECTIONS_NOT_YET: [&str; 1] = ["schedule"];
const SUITE: &[&str] = &["name", "framework", "paths", "command", "artifacts"];
const ENVIRONMENT: &[&str] = &[
    "compose",
    "runner",
    "profiles",
    "lanes",
    "subnets",
    "subnet_size",
    "ready",
    "ready_within",
    "attempts",
    "publish",
    "reset",
    "snapshot",
    "standby",
];
const RETRY: &[&str] = &["attempts", "test_timeout"];
const EVIDENCE: &[&str] = &["log_cap"];

const MOST_LANES: u16 = 64;
const MOST_STANDBY: u32 = 8;
const LONGEST_NAME: usize = 40;

/// What the file says, with defaults filled in. What is required is `None` only if a problem was reported.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) name: Option<String>,
    pub(super) framework: Option<FrameworkKind>,
    pub(super) paths: Vec<String>,
    pub(super) compose: Option<Vec<Located<String>>>,
    pub(super) runner: Runner,
    pub(super) profiles: Vec<String>,
    pub(super) lanes: Lanes,
    pub(super) subnets: SubnetPool,
    pub(super) ready: Vec<(Located<String>, Probe)>,
    pub(super) ready_within: Duration,
    pub(super) attempts: NonZeroU32,
    pub(super) publish: Vec<Located<String>>,
    pub(super) reset: Reset,
    pub(super) reset_service: Option<Located<String>>,
    pub(super) snapshot: RawSnapshot,
    pub(super) standby: u16,
    pub(super) retry_attempts: NonZeroU32,
    pub(super) test_timeout: Option<Duration>,
    pub(super) artifacts: Vec<String>,
    pub(super) order: OrderSettings,
    pub(super) evidence: EvidenceSettings,
    pub(super) history: Option<String>,
}

/// The runner, as far as the file by itself can tell.
#[derive(Debug)]
pub(super) enum Runner {
    /// A name, which Compose may know or not.
    Named(Located<String>),
    /// Not given, in the section at this line: reported once the services are known, so that they can be listed.
    Missing(Option<usize>),
    /// Not text; already reported.
    Wrong,
}

/// Reads the file's text. `None` if it is no TOML, or empty.
pub(super) fn read(text: &str, findings: &mut Findings) -> Option<Raw> {
    let root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let line = error.span().map(|span| line_at(text, span.start));
            let message = error.message().replace('\n', ", ");
            findings.problem(line, format!("not valid TOML: {message}"), "see https://toml.io for the syntax");
            return None;
        }
    };
    let root = root.get_ref();
    if root.is_empty() {
        findings.problem(None, "is empty", "a manifest has at least [suite] and [environment]");
        return None;
    }
    report_unknown_sections(root, text, findings);

    let suite = Section::open(root, "suite", SUITE, &[], text, findings);
    let environment = Section::open(root, "environment", ENVIRONMENT, &[], text, findings);
    let order = Section::open(root, "order", order::KEYS, &[], text, findings);
    let retry = Section::open(root, "retry", RETRY, &[], text, findings);
    let history = Section::open(root, "history", history::KEYS, &[], text, findings);
    let kept = Section::open(root, "evidence", EVIDENCE, &[], text, findings);

    let (reset, reset_service) = reset::read(&environment, findings).unwrap_or_default();

    Some(Raw {
        name: name(&suite, findings),
        framework: framework::read(&suite, findings),
        paths: framework::paths(&suite, findings),
        compose: compose(&environment, findings),
        runner: match environment.get("runner") {
            None => Runner::Missing(environment.line()),
            Some(_) => environment.text("runner", findings).map_or(Runner::Wrong, Runner::Named),
        },
        profiles: environment.texts("profiles", findings).unwrap_or_default().into_iter().map(|p| p.value).collect(),
        lanes: lanes(&environment, findings),
        subnets: subnets(&environment, findings),
        ready: ready::read(&environment, findings),
        ready_within: environment.wait("ready_within", findings).unwrap_or(TWO_MINUTES),
        attempts: attempts(&environment, findings),
        publish: environment.texts("publish", findings).unwrap_or_default(),
        reset,
        reset_service,
        snapshot: snapshot::read(&environment, findings),
        standby: environment.whole("standby", 0..=MOST_STANDBY, findings).map_or(0, |n| u16::try_from(n).unwrap_or(0)),
        retry_attempts: attempts(&retry, findings),
        test_timeout: retry.wait("test_timeout", findings),
        artifacts: evidence::artifacts(&suite, findings),
        order: order::read(&order, findings),
        evidence: evidence::settings(&kept, findings),
        history: history::read(&history, findings),
    })
}

fn report_unknown_sections(root: &DeTable<'_>, text: &str, findings: &mut Findings) {
    for (key, value) in root.iter() {
        let (name, line) = (key.get_ref().as_ref(), line_at(text, key.span().start));
        if SECTIONS.contains(&name) {
            continue;
        }
        let written = if value.get_ref().is_table() { format!("section [{name}]") } else { format!("key \"{name}\"") };
        if SECTIONS_NOT_YET.contains(&name) {
            findings.problem(line, format!("the {written} is not supported yet"), "leave it out for now");
        } else {
            let known = SECTIONS.map(|section| format!("[{section}]")).join(", ");
            let help = match suggest::closest(name, SECTIONS) {
                Some(candidate) => format!("did you mean [{candidate}]? known sections: {known}"),
                None => format!("known sections: {known}"),
            };
            findings.problem(line, format!("unknown {written}"), help);
        }
    }
}

fn name(suite: &Section<'_>, findings: &mut Findings) -> Option<String> {
    const HELP: &str = "lower-case letters, digits, - and _, at most 40 of them; the first is a letter or a digit";
    if suite.get("name").is_none() {
        suite.missing("name", HELP, findings);
        return None;
    }
    let name = suite.text("name", findings)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let fits = name.value.len() <= LONGEST_NAME
        && name.value.chars().all(allowed)
        && name.value.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !fits {
        findings.problem(name.line, format!("\"{}\" can't be a suite's name", name.value), HELP);
        return None;
    }
    Some(name.value)
}

/// One Compose file, or several of which each is put over those before it.
fn compose(environment: &Section<'_>, findings: &mut Findings) -> Option<Vec<Located<String>>> {
    let found = environment.get("compose")?;
    if !found.value.is_array() {
        return environment.text("compose", findings).map(|file| vec![file]);
    }
    let files = environment.texts("compose", findings)?;
    if files.is_empty() {
        findings.problem(found.line, "\"compose\" is empty", "name a file, or leave it out for compose.yaml");
    }
    Some(files)
}

fn lanes(environment: &Section<'_>, findings: &mut Findings) -> Lanes {
    let Some(found) = environment.get("lanes") else { return Lanes::Auto };
    if found.value.as_str() == Some("auto") {
        return Lanes::Auto;
    }
    let count = found.value.as_integer().and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok());
    let count = count.filter(|count| *count <= MOST_LANES).and_then(NonZeroU16::new);
    count.map_or_else(
        || {
            let written = text_of(found.value);
            findings.problem(
                found.line,
                format!("{written} is not a number of lanes"),
                format!("\"auto\", or a number from 1 to {MOST_LANES}"),
            );
            Lanes::Auto
        },
        Lanes::Count,
    )
}

/// One network or several, cut into subnets of one size.
fn subnets(environment: &Section<'_>, findings: &mut Findings) -> SubnetPool {
    let sizes = u32::from(*subnets::SIZES.start())..=u32::from(*subnets::SIZES.end());
    let size = environment.whole("subnet_size", sizes, findings).and_then(|size| u8::try_from(size).ok());
    let (line, texts) = match environment.get("subnets") {
        None => (environment.get("subnet_size").map(|size| size.line), None),
        Some(found) if found.value.is_array() => (Some(found.line), environment.texts("subnets", findings)),
        Some(found) => (Some(found.line), environment.text("subnets", findings).map(|text| vec![text])),
    };
    let named = texts.is_some();
    let mut blocks = Vec::new();
    for text in texts.unwrap_or_default() {
        match Subnet::parse(&text.value) {
            Ok(block) => blocks.push(block),
            Err(why) => {
                findings.problem(text.line, format!("\"subnets\": {why}"), subnets::HELP);
                return SubnetPool::default();
            }
        }
    }
    let made = if named { SubnetPool::new(blocks, size) } else { SubnetPool::default().with_size(size) };
    made.unwrap_or_else(|why| {
        findings.problem(line, format!("\"subnets\": {why}"), subnets::HELP);
        SubnetPool::default()
    })
}

fn attempts(section: &Section<'_>, findings: &mut Findings) -> NonZeroU32 {
    section.whole("attempts", 1..=20, findings).and_then(NonZeroU32::new).unwrap_or(THREE)
}

/// A value as it may stand in a message.
fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => kind_of(value).to_owned(),
    }
}
