//! A whole Compose file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use indexmap::IndexMap;

use super::super::findings::Findings;
use super::dependencies;
use super::interpolate::{Lookup, fill};
use super::reader::{Reader, clean};
use super::settings::{TOP_LEVEL, is_always_https};
use super::tree::{Entry, Node};
use super::{Project, environment, service};
use crate::manifest::{suggest, text};

/// A Compose file as far as it could be read: complete if there were no problems.
#[derive(Debug)]
pub(in crate::manifest) struct Read {
    pub(in crate::manifest) project: Project,
    /// Every service of the file with its line, also those that are left out.
    pub(in crate::manifest) lines: IndexMap<String, usize>,
    /// Host paths that services can write to, and the line they stand in.
    pub(in crate::manifest) writable_binds: Vec<(String, usize)>,
}

/// Reads `file`. Services with a profile are left out, but for the `runner`: to name it is to ask for it, as with
/// `docker compose run`. `None` if there is no telling what the services are.
pub(in crate::manifest) fn read(
    file: &Path,
    runner: Option<&str>,
    variables: Lookup<'_>,
    findings: &mut Findings,
) -> Option<Read> {
    let content = match text::read(file) {
        Ok(content) => content,
        Err(problem) => {
            findings.problem_elsewhere(problem);
            return None;
        }
    };
    let root = match Node::parse(&content) {
        Ok(root) => root,
        Err(error) => {
            findings.plain_problem(error.line, format!("not valid YAML: {}", error.message));
            return None;
        }
    };
    if root.value == super::tree::Value::Null {
        findings.problem(None, "is empty", "a Compose file has at least \"services:\"");
        return None;
    }

    let shown_folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let folder = std::path::absolute(if shown_folder.as_os_str().is_empty() { Path::new(".") } else { &shown_folder });
    let folder = clean(&folder.unwrap_or_else(|_| shown_folder.clone()));
    let dot_env = dot_env(&shown_folder.join(".env"), variables, findings);
    let lookup = |name: &str| variables(name).or_else(|| dot_env.get(name).cloned());

    let mut reader = Reader {
        folder,
        shown_folder,
        lookup: &lookup,
        volumes: BTreeSet::new(),
        writable_binds: Vec::new(),
        without_effect: BTreeMap::new(),
        findings: Findings::new(file),
    };
    let read = read_root(&mut reader, root, runner);
    report_without_effect(&mut reader);
    findings.absorb(reader.findings);
    read.map(|(project, lines)| Read { project, lines, writable_binds: reader.writable_binds })
}

fn dot_env(file: &Path, variables: Lookup<'_>, findings: &mut Findings) -> HashMap<String, String> {
    if !file.is_file() {
        return HashMap::new();
    }
    match environment::read_file(file, false, variables) {
        Ok((variables, problems)) => {
            problems.into_iter().for_each(|problem| findings.problem_elsewhere(problem));
            variables.into_iter().filter_map(|variable| Some((variable.name, variable.value?))).collect()
        }
        Err(problem) => {
            findings.problem_elsewhere(problem);
            HashMap::new()
        }
    }
}

fn read_root(
    reader: &mut Reader<'_>,
    mut root: Node,
    runner: Option<&str>,
) -> Option<(Project, IndexMap<String, usize>)> {
    let super::tree::Value::Map(entries) = &mut root.value else {
        reader.findings.problem(root.line, "is not a Compose file", "a Compose file has at least \"services:\"");
        return None;
    };
    let mut services = None;
    // Volumes first, as services refer to them.
    entries.sort_by_key(|entry| entry.key == "services");
    for entry in entries {
        match entry.key.as_str() {
            "services" => services = Some(entry),
            "volumes" => volumes(reader, entry),
            "networks" => networks(reader, entry),
            "name" | "version" => {}
            "secrets" | "configs" | "models" => reader.no_effect(entry.key.clone(), entry.line),
            "include" => reader.findings.problem(
                entry.line,
                "\"include\" is not supported yet",
                "write one file, for example with \"docker compose config\"",
            ),
            extension if extension.starts_with("x-") => {}
            unknown => {
                let help = suggest::help(unknown, "keys", TOP_LEVEL.iter().copied());
                let message = format!("the unknown key \"{unknown}\" has no effect");
                reader.findings.warning(entry.line, message, help);
            }
        }
    }
    let Some(services) = services else {
        reader.findings.problem(None, "has no \"services\"", "a Compose file has at least \"services:\"");
        return None;
    };
    let super::tree::Value::Map(entries) = &mut services.node.value else {
        reader.findings.problem(
            services.line,
            "\"services\" is no map of services",
            "each service is a key of its own below it",
        );
        return None;
    };
    let lines: IndexMap<String, usize> = entries.iter().map(|entry| (entry.key.clone(), entry.line)).collect();
    let mut drafts = IndexMap::new();
    for entry in entries {
        if runner != Some(entry.key.as_str()) && has_profile(reader, entry) {
            continue;
        }
        check_name(reader, entry);
        fill(&mut entry.node, reader.lookup, &mut reader.findings);
        let draft = service::read(reader, entry);
        warn_of_https(reader, entry, &draft.service.aliases);
        drafts.insert(entry.key.clone(), draft);
    }
    let services = dependencies::resolve(drafts, &lines, &mut reader.findings);
    Some((Project { file: reader.findings.file().to_owned(), services }, lines))
}

fn has_profile(reader: &mut Reader<'_>, service: &Entry) -> bool {
    let Some(profiles) = service.node.get("profiles") else { return false };
    !reader.texts(&profiles.node, "profiles").is_empty()
}

fn check_name(reader: &mut Reader<'_>, service: &Entry) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if service.key.is_empty() || !service.key.chars().all(allowed) {
        let message = format!("\"{}\" can't be a service's name", service.key);
        reader.findings.problem(service.line, message, "letters, digits, \".\", \"_\" and \"-\"");
    }
}

fn warn_of_https(reader: &mut Reader<'_>, service: &Entry, aliases: &[String]) {
    let names = std::iter::once(&service.key).chain(aliases);
    for name in names.filter(|name| is_always_https(name)) {
        reader.findings.warning(
            service.line,
            format!("Chromium only talks https to a host named \"{name}\""),
            "another name, such as \"web\", avoids failures that look like a server that is down",
        );
    }
}

fn volumes(reader: &mut Reader<'_>, entry: &mut Entry) {
    fill(&mut entry.node, reader.lookup, &mut reader.findings);
    for volume in reader.entries(&entry.node, "volumes") {
        reader.volumes.insert(volume.key.clone());
        for setting in reader.entries(&volume.node, &volume.key) {
            match setting.key.as_str() {
                "external" if is_external(reader, setting) => reader.findings.problem(
                    setting.line,
                    format!("the external volume \"{}\" would be shared by all environments", volume.key),
                    "leave \"external\" out: each environment gets a volume of its own",
                ),
                "external" | "name" | "labels" => {}
                extension if extension.starts_with("x-") => {}
                other => reader.no_effect(format!("volumes.{}.{other}", volume.key), setting.line),
            }
        }
    }
}

fn networks(reader: &mut Reader<'_>, entry: &mut Entry) {
    fill(&mut entry.node, reader.lookup, &mut reader.findings);
    for network in reader.entries(&entry.node, "networks") {
        for setting in reader.entries(&network.node, &network.key) {
            if setting.key == "external" && is_external(reader, setting) {
                reader.no_effect(format!("networks.{}.external", network.key), setting.line);
            }
        }
    }
}

/// `external: true`, or the older `external: { name: … }`.
fn is_external(reader: &mut Reader<'_>, setting: &Entry) -> bool {
    setting.node.get("name").is_some() || reader.flag(&setting.node, "external")
}

/// One warning for all settings that are left out.
fn report_without_effect(reader: &mut Reader<'_>) {
    let first = reader.without_effect.values().flatten().min().copied();
    let named: Vec<String> = reader
        .without_effect
        .iter()
        .map(|(name, lines)| {
            let numbers: Vec<String> = lines.iter().map(usize::to_string).collect();
            format!("{name} (line {})", numbers.join(", "))
        })
        .collect();
    if first.is_some() {
        reader.findings.warning(
            first,
            format!("these settings have no effect yet: {}", named.join(", ")),
            "the environments start without them",
        );
    }
}
