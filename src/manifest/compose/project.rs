//! A whole Compose project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use indexmap::IndexMap;

use super::super::findings::{Findings, Place};
use super::files::{Filled, Folder, Loader, Model};
use super::injected::{self, Kind};
use super::interpolate::Lookup;
use super::reader::Reader;
use super::settings::{TOP_LEVEL, is_always_https};
use super::tree::Entry;
use super::{NetworkMode, Project, dependencies, merge, network, service};
use crate::manifest::suggest;

/// A Compose project as far as it could be read: complete if there were no problems.
#[derive(Debug)]
pub(in crate::manifest) struct Read {
    pub(in crate::manifest) project: Project,
    /// Every service of the files with its place, also those that are left out.
    pub(in crate::manifest) places: IndexMap<String, Place>,
    /// Host paths that services can write to, and the place they stand in.
    pub(in crate::manifest) writable_binds: Vec<(String, Place)>,
}

/// Which part of a project is wanted.
#[derive(Clone, Copy, Debug)]
pub(in crate::manifest) struct Wanted<'a> {
    /// To name the runner is to ask for it, whatever profiles it has, as with `docker compose run`.
    pub(in crate::manifest) runner: Option<&'a str>,
    /// The profiles that are switched on, besides those in the variable `COMPOSE_PROFILES`; `*` stands for all.
    pub(in crate::manifest) profiles: &'a [String],
}

/// Reads `files`, each over those before it. Services of which no profile is wanted are left out. `None` if there is
/// no telling what the services are. `findings` knows the first file; it is given back with what was found.
pub(in crate::manifest) fn read(
    files: &[PathBuf],
    wanted: Wanted<'_>,
    variables: Lookup<'_>,
    findings: Findings,
) -> (Option<Read>, Findings) {
    let folder = Folder::of(findings.file());
    let mut loader = Loader::new(findings);
    let dot_env = loader.dot_env(&folder, variables);
    let lookup = |name: &str| variables(name).or_else(|| dot_env.get(name).cloned());
    let Some(model) = loader.together(files, &folder, &lookup, &mut Vec::new()) else {
        return (None, loader.findings);
    };
    let mut profiles = wanted.profiles.to_vec();
    profiles.extend(lookup("COMPOSE_PROFILES").iter().flat_map(|list| list.split(',')).map(|name| name.trim().into()));

    let mut reader = Reader {
        folders: loader.folders,
        lookup: &lookup,
        volumes: BTreeSet::new(),
        volumes_in_memory: IndexMap::new(),
        writable_binds: Vec::new(),
        secrets: Vec::new(),
        without_effect: BTreeMap::new(),
        findings: loader.findings,
    };
    let read = read_model(&mut reader, model, wanted.runner, &profiles);
    report_without_effect(&mut reader);
    let read = read.map(|(project, places)| Read { project, places, writable_binds: reader.writable_binds });
    (read, reader.findings)
}

fn read_model(
    reader: &mut Reader<'_>,
    model: Model,
    runner: Option<&str>,
    profiles: &[String],
) -> Option<(Project, IndexMap<String, Place>)> {
    let (mut configs, mut secrets) = (IndexMap::new(), IndexMap::new());
    // What is declared before services, which refer to them.
    for (_, mut entry) in model.others {
        merge::without_reset(&mut entry.node);
        match entry.key.as_str() {
            "volumes" => volumes(reader, &entry),
            "networks" => declared_networks(reader, &entry),
            "name" | "version" => {}
            "configs" => configs = injected::define(reader, &entry),
            "secrets" => secrets = injected::define(reader, &entry),
            "models" => reader.no_effect(entry.key.clone(), entry.place),
            extension if extension.starts_with("x-") => {}
            unknown => {
                let help = suggest::help(unknown, "keys", TOP_LEVEL.iter().copied());
                let message = format!("the unknown key \"{unknown}\" has no effect");
                reader.findings.warning(entry.place, message, help);
            }
        }
    }
    let Some(services) = model.services else {
        if reader.findings.is_clean() {
            reader.findings.problem(None, "has no \"services\"", "a Compose file has at least \"services:\"");
        }
        return None;
    };
    let places = services.iter().map(|(name, service)| (name.clone(), service.entry.place)).collect();
    let (mut drafts, mut networks) = (IndexMap::new(), Vec::new());
    for (name, Filled { mut entry, unfilled }) in services {
        merge::without_reset(&mut entry.node);
        if runner != Some(name.as_str()) && !is_wanted(reader, &entry, profiles) {
            continue;
        }
        reader.findings.absorb(unfilled);
        check_name(reader, &entry);
        let mut draft = service::read(reader, &entry);
        for (key, definitions, kind) in [("configs", &configs, Kind::Config), ("secrets", &secrets, Kind::Secret)] {
            if let Some(used) = entry.node.get(key) {
                injected::of_service(reader, definitions, kind, &used.node, &mut draft.service);
            }
        }
        if draft.service.network == NetworkMode::Environment {
            let named = entry.node.get("networks");
            networks
                .push((network::names(named.map(|named| &named.node)), named.map_or(entry.place, |named| named.place)));
        }
        injected::check_read_only(reader, &draft.service, &entry.node, runner == Some(name.as_str()));
        warn_of_https(reader, &entry, &draft.service.aliases);
        drafts.insert(name, draft);
    }
    warn_of_one_network(reader, &networks);
    let services = dependencies::resolve(drafts, &places, &mut reader.findings);
    let secrets = std::mem::take(&mut reader.secrets);
    Some((
        Project {
            file: reader.findings.file().to_owned(),
            services,
            volumes_in_memory: std::mem::take(&mut reader.volumes_in_memory),
            secrets,
        },
        places,
    ))
}

/// Whether the service has no profile, or one that is switched on.
fn is_wanted(reader: &mut Reader<'_>, service: &Entry, wanted: &[String]) -> bool {
    let Some(profiles) = service.node.get("profiles") else { return true };
    let profiles = reader.names(&profiles.node, "profiles");
    profiles.is_empty() || wanted.iter().any(|name| name == "*" || profiles.contains(name))
}

fn check_name(reader: &mut Reader<'_>, service: &Entry) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if service.key.is_empty() || !service.key.chars().all(allowed) {
        let message = format!("\"{}\" can't be a service's name", service.key);
        reader.findings.problem(service.place, message, "letters, digits, \".\", \"_\" and \"-\"");
    }
}

fn warn_of_https(reader: &mut Reader<'_>, service: &Entry, aliases: &[String]) {
    let names = std::iter::once(&service.key).chain(aliases);
    for name in names.filter(|name| is_always_https(name)) {
        reader.findings.warning(
            service.place,
            format!("Chromium only talks https to a host named \"{name}\""),
            "another name, such as \"web\", avoids failures that look like a server that is down",
        );
    }
}

fn volumes(reader: &mut Reader<'_>, entry: &Entry) {
    for volume in reader.entries(&entry.node, "volumes") {
        reader.volumes.insert(volume.key.clone());
        for setting in reader.entries(&volume.node, &volume.key) {
            match setting.key.as_str() {
                "external" if is_external(reader, setting) => reader.findings.problem(
                    setting.place,
                    format!("the external volume \"{}\" would be shared by all environments", volume.key),
                    "leave \"external\" out: each environment gets a volume of its own",
                ),
                "external" | "name" | "labels" => {}
                "driver" if reader.text(&setting.node, "driver").is_none_or(|driver| driver == "local") => {}
                "driver_opts" if is_in_memory(reader, setting) => {
                    let options = setting.node.get("o").and_then(|options| reader.text(&options.node, "o"));
                    reader.volumes_in_memory.insert(volume.key.clone(), options.unwrap_or_default());
                }
                extension if extension.starts_with("x-") => {}
                other => reader.no_effect(format!("volumes.{}.{other}", volume.key), setting.place),
            }
        }
    }
}

/// What else the local driver can mount is a place of the host or of another one, which the copies would share.
fn is_in_memory(reader: &mut Reader<'_>, options: &Entry) -> bool {
    options.node.get("type").is_some_and(|kind| reader.text(&kind.node, "type").is_some_and(|kind| kind == "tmpfs"))
}

fn declared_networks(reader: &mut Reader<'_>, entry: &Entry) {
    for network in reader.entries(&entry.node, "networks") {
        for setting in reader.entries(&network.node, &network.key) {
            let is_bridge =
                |reader: &mut Reader<'_>| reader.text(&setting.node, "driver").is_some_and(|d| d == "bridge");
            let without_effect = match setting.key.as_str() {
                "external" => is_external(reader, setting),
                "internal" => reader.flag(&setting.node, "internal"),
                "driver" => !is_bridge(reader),
                "name" | "labels" | "attachable" => false,
                other => !other.starts_with("x-"),
            };
            if without_effect {
                reader.no_effect(format!("networks.{}.{}", network.key, setting.key), setting.place);
            }
        }
    }
}

/// All services of an environment share one network; says so if the files keep some apart.
fn warn_of_one_network(reader: &mut Reader<'_>, networks: &[(Vec<String>, Place)]) {
    let apart = networks.iter().enumerate().find(|(index, (names, _))| {
        networks[..*index].iter().any(|(others, _)| !others.iter().any(|other| names.contains(other)))
    });
    if let Some((_, (_, place))) = apart {
        reader.no_effect("networks that keep services apart", *place);
    }
}

/// `external: true`, or the older `external: { name: … }`.
fn is_external(reader: &mut Reader<'_>, setting: &Entry) -> bool {
    setting.node.get("name").is_some() || reader.flag(&setting.node, "external")
}

/// One warning for all settings that are left out. The file is only named where there are several.
fn report_without_effect(reader: &mut Reader<'_>) {
    let Some(first) = reader.without_effect.values().flatten().min().copied() else { return };
    let shown = |place: &Place| match place.file == first.file {
        true => place.line.to_string(),
        false => format!("{}:{}", reader.findings.named(place.file).display(), place.line),
    };
    let named: Vec<String> = reader
        .without_effect
        .iter()
        .map(|(name, places)| format!("{name} (line {})", places.iter().map(shown).collect::<Vec<_>>().join(", ")))
        .collect();
    let message = format!("these settings have no effect yet: {}", named.join(", "));
    reader.findings.warning(first, message, "the environments start without them");
}
