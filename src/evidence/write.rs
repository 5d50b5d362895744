//! Writing an evidence folder, when all that belongs into it is known.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Place;
use super::board::Ran;
use crate::environment::{ServiceState, Traces};
use crate::event::Attempt;
use crate::id::RunId;
use crate::secrets::Secrets;
use crate::signature;
use crate::verdict::{Outcome, TimeLimit};

/// What is known of an attempt when its lane goes on.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) run: RunId,
    pub(super) seed: u64,
    pub(super) attempt: Attempt,
    pub(super) place: Place,
    pub(super) limit: TimeLimit,
    pub(super) ended: Timestamp,
    /// Of the environment, when the attempt started, since it was ready.
    pub(super) environment_age: SignedDuration,
    /// `/proc/loadavg` of this host when it ended.
    pub(super) load: Option<String>,
    pub(super) beside: Vec<Ran>,
    pub(super) states: Vec<ServiceState>,
    /// By path within the folder.
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) notes: Vec<String>,
}

/// `attempt.json`.
#[derive(Serialize)]
struct AttemptFile<'a> {
    schema_version: u32,
    run: &'a str,
    /// As text: it may be larger than the numbers that JavaScript can hold.
    seed: String,
    test: &'a str,
    file: &'a str,
    line: Option<u32>,
    attempt: u32,
    outcome: &'a str,
    /// What went wrong and where, without what differs between occurrences: the same for each failure of one cause.
    signature: Option<String>,
    /// What the signature stands for.
    signature_text: Option<String>,
    environment: String,
    lane: u32,
    unit: u32,
    position: u32,
    predecessor: Option<&'a str>,
    started: Timestamp,
    ended: Timestamp,
    duration_ms: u64,
    /// How long the attempt might have taken, and why so long.
    time_limit_ms: u64,
    time_limit_reason: String,
    /// How long the environment had been ready when the attempt started.
    environment_age_ms: i64,
    /// Processes that ran or waited on the program's host, on average over 1, 5 and 15 minutes.
    load: Option<Vec<f64>>,
    /// What other lanes ran in the meantime.
    beside: &'a [Ran],
    /// What is missing from the folder, and why.
    notes: &'a [String],
}

/// A service in `containers.json`.
#[derive(Serialize)]
struct ContainerFile<'a> {
    service: &'a str,
    container: &'a str,
    /// How the container was right after the attempt.
    state: &'a str,
    /// What it used during the attempt; none where the engine told nothing.
    used: Option<UsedFile>,
}

#[derive(Serialize)]
struct UsedFile {
    cpu_ms: u64,
    memory_peak_bytes: u64,
    memory_bytes: u64,
    processes_peak: u64,
    read_bytes: u64,
    written_bytes: u64,
    /// How many figures, one a second, these come from.
    figures: usize,
}

/// Writes the folder; returns the files in it.
pub(super) fn write(
    collected: &Collected,
    traces: &Traces,
    around: Duration,
    secrets: &Secrets,
    folder: &Path,
) -> io::Result<Vec<String>> {
    let Collected { attempt, ended, .. } = collected;
    let (from, to) = (attempt.started - around, *ended + around);
    let mut files: Vec<(String, Vec<u8>)> = vec![("failure.txt".to_owned(), failure(attempt).into_bytes())];
    if !attempt.output.is_empty() {
        files.push(("output.txt".to_owned(), attempt.output.clone().into_bytes()));
    }
    files.extend(collected.files.iter().map(|(name, content)| (name.clone(), masked(content, secrets))));
    let mut notes = collected.notes.clone();
    match traces.logs(from, to) {
        // The lines were masked when they came.
        Ok(logs) => files.extend(logs.into_iter().map(|(service, lines)| (format!("logs/{service}.log"), lines))),
        Err(error) => notes.push(format!("logs could not be cut: {error}")),
    }
    let used = traces.used(attempt.started, *ended);
    files.push(("containers.json".to_owned(), json(&containers(collected, &used))?));
    files.push(("attempt.json".to_owned(), json(&circumstances(collected, &notes))?));
    for (name, content) in &files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn json<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
    text.push(b'\n');
    Ok(text)
}

/// Text is masked; what is no text, such as an image, can't be.
fn masked(content: &[u8], secrets: &Secrets) -> Vec<u8> {
    std::str::from_utf8(content).map_or_else(|_| content.to_owned(), |text| secrets.mask(text).into_bytes())
}

fn failure(attempt: &Attempt) -> String {
    let mut lines = vec![format!("{}, attempt {}: {}", attempt.test, attempt.number, attempt.outcome.word())];
    match &attempt.outcome {
        Outcome::Failed(failure) => {
            lines.extend([String::new(), failure.class.clone(), failure.message.clone()]);
            lines.extend(failure.place().map(|place| format!("at {place}")));
            lines.push(String::new());
            lines.extend(failure.backtrace.iter().map(|frame| format!("    {frame}")));
        }
        Outcome::TimedOut { limit, why } => {
            lines.push(format!("ran longer than {:.1} s ({why}), and was stopped", limit.as_secs_f64()));
        }
        Outcome::Skipped { reason: words } | Outcome::EnvironmentBroke { cause: words } => lines.push(words.clone()),
        Outcome::Passed | Outcome::Interrupted => {}
    }
    lines.push(String::new());
    lines.join("\n")
}

fn containers<'a>(
    collected: &'a Collected,
    used: &BTreeMap<String, crate::environment::UseDuring>,
) -> Vec<ContainerFile<'a>> {
    let of = |state: &'a ServiceState| ContainerFile {
        service: &state.service,
        container: &state.container,
        state: &state.state,
        used: used.get(&state.service).map(|used| UsedFile {
            cpu_ms: millis(used.cpu),
            memory_peak_bytes: used.memory_peak,
            memory_bytes: used.memory,
            processes_peak: used.processes_peak,
            read_bytes: used.read,
            written_bytes: used.written,
            figures: used.figures,
        }),
    };
    collected.states.iter().map(of).collect()
}

fn circumstances<'a>(collected: &'a Collected, notes: &'a [String]) -> AttemptFile<'a> {
    let Collected { attempt, place, .. } = collected;
    let load = collected
        .load
        .as_deref()
        .map(|load| load.split_whitespace().take(3).filter_map(|figure| figure.parse().ok()).collect());
    let signature = signature::of_outcome(&attempt.outcome);
    AttemptFile {
        schema_version: 1,
        run: collected.run.as_str(),
        seed: collected.seed.to_string(),
        test: attempt.test.as_str(),
        file: &place.file,
        line: (place.line > 0).then_some(place.line),
        attempt: attempt.number.0,
        outcome: attempt.outcome.word(),
        signature: signature.as_ref().map(ToString::to_string),
        signature_text: signature.map(|signature| signature.text),
        environment: attempt.environment.to_string(),
        lane: u32::from(attempt.environment.lane.0) + 1,
        unit: attempt.unit.0,
        position: attempt.position,
        predecessor: attempt.predecessor.as_ref().map(crate::id::TestId::as_str),
        started: attempt.started,
        ended: collected.ended,
        duration_ms: millis(attempt.duration),
        time_limit_ms: millis(collected.limit.span),
        time_limit_reason: collected.limit.to_string(),
        environment_age_ms: i64::try_from(collected.environment_age.as_millis()).unwrap_or(i64::MAX),
        load,
        beside: &collected.beside,
        notes,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
