//! `snapshot` in `[environment]`: services that are seeded once and start from their frozen state from then on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ignore::gitignore::GitignoreBuilder;

use super::compose::{Condition, MountSource, Read};
use super::findings::Findings;
use super::raw::{Raw, Runner};
use super::section::{Located, Section};
use super::{suggest, words};

const KEYS: &[&str] = &["services", "seed", "files"];
const SEED_KEYS: &[&str] = &["service", "command", "within"];
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// What is frozen, and what its state is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The services that are frozen. Those that end by themselves are run before, and never again. Empty: none.
    pub services: Vec<String>,
    /// A command that fills them.
    pub seed: Option<Seed>,
    /// Files whose contents the state depends on, relative to the manifest's folder, in their order.
    pub files: Vec<PathBuf>,
}

/// A command that fills services before they are frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The service in which it is run.
    pub service: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// How long it may take.
    pub within: Duration,
}

/// What the file says, not yet held against the Compose file and the folder.
#[derive(Debug, Default)]
pub(super) struct RawSnapshot {
    services: Vec<Located<String>>,
    seed_service: Option<Located<String>>,
    seed: Option<Seed>,
    files: Vec<Located<String>>,
}

/// Reads it: a list of services, or a table.
pub(super) fn read(environment: &Section<'_>, findings: &mut Findings) -> RawSnapshot {
    let Some(found) = environment.get("snapshot") else { return RawSnapshot::default() };
    if found.value.is_array() {
        let services = environment.texts("snapshot", findings).unwrap_or_default();
        return RawSnapshot { services: some(services, "snapshot", found.line, findings), ..RawSnapshot::default() };
    }
    let Some(snapshot) = environment.table("snapshot", "environment.snapshot", KEYS, findings) else {
        return RawSnapshot::default();
    };
    if snapshot.get("services").is_none() {
        snapshot.missing("services", "the services that are frozen: [\"db\"]", findings);
    }
    let services = snapshot.texts("services", findings).map(|services| {
        let line = snapshot.get("services").map_or(found.line, |services| services.line);
        some(services, "services", line, findings)
    });
    let (seed_service, seed) = seed(&snapshot, findings);
    let files = snapshot.texts("files", findings).unwrap_or_default();
    RawSnapshot { services: services.unwrap_or_default(), seed_service, seed, files }
}

fn some(services: Vec<Located<String>>, key: &str, line: usize, findings: &mut Findings) -> Vec<Located<String>> {
    if services.is_empty() {
        findings.problem(line, format!("\"{key}\" is empty"), "the services that are frozen: [\"db\"]");
    }
    services
}

fn seed(snapshot: &Section<'_>, findings: &mut Findings) -> (Option<Located<String>>, Option<Seed>) {
    const COMMAND: &str = "program and arguments: [\"bin/rails\", \"db:seed\"]";
    let Some(seed) = snapshot.table("seed", "environment.snapshot.seed", SEED_KEYS, findings) else {
        return (None, None);
    };
    if seed.get("service").is_none() {
        seed.missing("service", "the service in which it is run", findings);
    }
    if seed.get("command").is_none() {
        seed.missing("command", COMMAND, findings);
    }
    let service = seed.text("service", findings);
    let command = words::read(&seed, "command", COMMAND, findings);
    let within = seed.wait("within", findings).unwrap_or(TEN_MINUTES);
    let whole = service.clone().zip(command);
    (service, whole.map(|(service, command)| Seed { service: service.value, command, within }))
}

/// Reports what can't be frozen.
pub(super) fn check(raw: &Raw, read: &Read, findings: &mut Findings) {
    let snapshot = &raw.snapshot;
    let project = &read.project;
    let runner = match &raw.runner {
        Runner::Named(runner) => Some(&runner.value),
        Runner::Missing(_) | Runner::Wrong => None,
    };
    let mut seen = BTreeSet::new();
    for Located { value: name, line } in &snapshot.services {
        if !seen.insert(name) {
            findings.problem(*line, format!("\"snapshot\" names \"{name}\" twice"), "leave one of them out");
        }
        let Some(service) = project.services.get(name) else {
            unknown(name, *line, read, findings);
            continue;
        };
        if Some(name) == runner {
            let message = format!("the runner \"{name}\" can't be in \"snapshot\"");
            findings.problem(*line, message, "the services that hold the application's state, such as its database");
        }
        let writable = service.mounts.iter().filter(|mount| !mount.read_only);
        for mount in writable {
            if let MountSource::Bind(_) = mount.source {
                let message = format!(
                    "\"{name}\" can't be in \"snapshot\": it can write to the host's folder at {}",
                    mount.target
                );
                findings.problem(*line, message, "add \":ro\", or use a named volume");
            }
        }
    }
    if let Some(Located { value: name, line }) = &snapshot.seed_service
        && !project.services.contains_key(name)
    {
        unknown(name, *line, read, findings);
    }
    let ends = |name: &String| {
        let mut services = project.services.values();
        services.any(|service| service.depends_on.get(name) == Some(&Condition::CompletedSuccessfully))
    };
    if let Some(first) = snapshot.services.first()
        && snapshot.services.iter().all(|service| ends(&service.value))
    {
        let message = "all services of \"snapshot\" end by themselves: there is nothing to be frozen";
        findings.problem(first.line, message, "add the service that they fill, such as the database");
    }
}

fn unknown(name: &str, line: usize, read: &Read, findings: &mut Findings) {
    let help = suggest::help(name, "services", read.places.keys().map(String::as_str));
    findings.problem(line, format!("\"snapshot\" names \"{name}\", which is not a service of the environment"), help);
}

/// Looks up the files, as patterns are written in `.gitignore` files, and reports patterns that match nothing.
pub(super) fn settle(raw: RawSnapshot, folder: &Path, findings: &mut Findings) -> Snapshot {
    let mut files = BTreeSet::new();
    let all = if raw.files.is_empty() { Vec::new() } else { files_in(folder) };
    for Located { value: pattern, line } in &raw.files {
        let mut builder = GitignoreBuilder::new(folder);
        let anchored =
            if pattern.contains('/') { format!("/{}", pattern.trim_start_matches('/')) } else { pattern.clone() };
        let built = builder.add_line(None, &anchored).and_then(|builder| builder.build());
        let matcher = match built {
            Ok(matcher) => matcher,
            Err(error) => {
                findings.problem(*line, format!("\"{pattern}\" is not a pattern: {error}"), "such as \"db/**\"");
                continue;
            }
        };
        let matching = |path: &&PathBuf| matcher.matched_path_or_any_parents(path, false).is_ignore();
        let found: Vec<&PathBuf> = all.iter().filter(matching).collect();
        if found.is_empty() {
            let help = format!("patterns start at the manifest's folder, {}", folder.display());
            findings.problem(*line, format!("\"files\" has \"{pattern}\", which matches no file"), help);
        }
        files.extend(found.into_iter().cloned());
    }
    let services = raw.services.into_iter().map(|service| service.value).collect();
    Snapshot { services, seed: raw.seed, files: files.into_iter().collect() }
}

/// All files below a folder, relative to it. What can't be read is left out, as it matches nothing then.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let walk =
        ignore::WalkBuilder::new(folder).standard_filters(false).filter_entry(|e| e.file_name() != ".git").build();
    walk.filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_owned))
        .collect()
}
