//! From a folder to a checked manifest.

use std::path::{Path, PathBuf};

use super::check::check;
use super::findings::Findings;
use super::raw::{Raw, Runner};
use super::section::Located;
use super::{
    EnvironmentSettings, FILE_NAME, Manifest, Problem, Problems, RetrySettings, Suite, Warning, compose, raw, snapshot,
    text,
};

/// The names that Compose itself looks for, in its order.
const COMPOSE_NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Reads the manifest in `folder`, or the `shakedown.toml` that `folder` itself names, and its Compose file.
///
/// `variables` is the process environment, which wins over a file `.env` beside the Compose file.
///
/// # Errors
/// All problems of both files together, sorted by file and line. A file that can't be parsed has one.
pub fn load(folder: &Path, variables: &dyn Fn(&str) -> Option<String>) -> Result<(Manifest, Vec<Warning>), Problems> {
    let (folder, file) = locate(folder)?;
    let mut findings = Findings::new(&file);
    let manifest = assemble(&folder, &file, variables, &mut findings);
    let warnings = findings.finish()?;
    // What keeps a manifest from being assembled was reported above; if it ever isn't, that is no success either.
    manifest.map(|manifest| (manifest, warnings)).ok_or_else(|| single(&file, "is incomplete", "this is a bug"))
}

fn single(file: &Path, message: &str, help: &str) -> Problems {
    let help = Some(help.to_owned());
    Problems(vec![Problem { file: file.to_owned(), line: None, message: message.to_owned(), help }])
}

fn locate(given: &Path) -> Result<(PathBuf, PathBuf), Problems> {
    if given.is_dir() {
        let file = given.join(FILE_NAME);
        if file.is_dir() {
            return Err(single(&file, "is a folder", "it must be a file"));
        }
        if !file.exists() {
            let help = "a manifest is a folder with shakedown.toml and a Compose file";
            return Err(single(given, "holds no shakedown.toml", help));
        }
        return Ok((given.to_owned(), file));
    }
    if !given.exists() {
        let help = "give a folder that holds shakedown.toml and a Compose file";
        return Err(single(given, "there is no such folder", help));
    }
    if given.extension().is_none_or(|extension| extension != "toml") {
        return Err(single(given, "is not a manifest", "give the folder that holds shakedown.toml, or that file"));
    }
    let folder = given.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((folder.to_owned(), given.to_owned()))
}

fn assemble(
    folder: &Path,
    file: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
    findings: &mut Findings,
) -> Option<Manifest> {
    let content = match text::read(file) {
        Ok(content) => content,
        Err(problem) => {
            findings.problem_elsewhere(problem);
            return None;
        }
    };
    let mut raw = raw::read(&content, findings)?;
    let read = compose_files(folder, &raw, findings).and_then(|files| {
        let runner = match &raw.runner {
            Runner::Named(runner) => Some(runner.value.as_str()),
            Runner::Missing(_) | Runner::Wrong => None,
        };
        let wanted = compose::Wanted { runner, profiles: &raw.profiles };
        let (read, mut compose_findings) = compose::read(&files, wanted, variables, Findings::new(files.first()?));
        if let Some(read) = &read {
            check(&raw, read, findings, &mut compose_findings);
        }
        findings.absorb(compose_findings);
        read
    });
    if read.is_none() {
        report_missing_runner(&raw, findings);
    }
    let snapshot = snapshot::settle(std::mem::take(&mut raw.snapshot), folder, findings);
    let Runner::Named(runner) = raw.runner else { return None };
    Some(Manifest {
        folder: folder.to_owned(),
        suite: Suite { name: raw.name?, framework: raw.framework?, paths: raw.paths, artifacts: raw.artifacts },
        environment: EnvironmentSettings {
            lanes: raw.lanes,
            subnets: raw.subnets,
            ready_within: raw.ready_within,
            attempts: raw.attempts,
            ready: raw.ready.into_iter().map(|(service, probe)| (service.value, probe)).collect(),
            publish: raw.publish.into_iter().map(|service| service.value).collect(),
            reset: raw.reset,
            snapshot,
            standby: raw.standby,
            ..EnvironmentSettings::new(runner.value)
        },
        retry: RetrySettings { attempts: raw.retry_attempts, test_timeout: raw.test_timeout },
        order: raw.order,
        evidence: raw.evidence,
        history: raw.history,
        compose: read?.project,
    })
}

/// The files that are named, or the one that Compose itself would take.
fn compose_files(folder: &Path, raw: &Raw, findings: &mut Findings) -> Option<Vec<PathBuf>> {
    if let Some(named) = &raw.compose {
        let mut files = Vec::new();
        for Located { value, line } in named {
            let file = folder.join(value);
            if file.is_file() {
                files.push(file);
                continue;
            }
            let help = match COMPOSE_NAMES.iter().find(|name| folder.join(name).is_file()) {
                Some(name) => format!("there is a \"{name}\"; the path starts at the manifest's folder"),
                None => "the path starts at the manifest's folder".to_owned(),
            };
            findings.problem(*line, format!("there is no Compose file \"{value}\""), help);
        }
        return (!files.is_empty() && files.len() == named.len()).then_some(files);
    }
    let found = COMPOSE_NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let help = format!("looked for {}; another is named by \"compose\" in [environment]", COMPOSE_NAMES.join(", "));
        findings.problem(None, "there is no Compose file beside it", help);
    }
    found.map(|file| vec![file])
}

/// Without the services' names there is nothing to choose from, but the key is missing all the same.
fn report_missing_runner(raw: &Raw, findings: &mut Findings) {
    if let Runner::Missing(line) = raw.runner {
        findings.problem(line, "[environment] has no \"runner\"", "the Compose service in which the tests run");
    }
}
