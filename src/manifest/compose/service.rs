//! One service of a Compose file.

use indexmap::IndexMap;

use super::super::findings::Place;
use super::reader::Reader;
use super::settings::{ACTED_ON, HARMLESS, WITHOUT_EFFECT};
use super::tree::{Entry, Node, Value};
use super::{Condition, ImageSource, Service, build, environment, healthcheck, network, ports, units, volumes, words};
use crate::manifest::suggest;

/// A service, and what else must be known of it to check it against the others.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) service: Service,
    pub(super) dependencies: Vec<Dependency>,
}

/// An entry of `depends_on`.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) condition: Condition,
    pub(super) required: bool,
    pub(super) place: Place,
}

/// Reads the service `entry`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Draft {
    let mut draft = Draft::default();
    let (mut image, mut built) = (None, None);
    let mut deploy_limits = Limits::default();
    let service = &mut draft.service;
    if let Value::Text(_) | Value::List(_) = entry.node.value {
        reader.expected(&entry.node, &entry.key, "a map");
        return draft;
    }
    let mut declared = Vec::new();
    let mut tmpfs = IndexMap::new();
    for setting in reader.entries(&entry.node, &entry.key) {
        let (key, node) = (setting.key.as_str(), &setting.node);
        match key {
            "image" => image = reader.text(node, key).filter(|image| !image.is_empty()),
            "build" => built = Some(build::read(reader, node)),
            "command" => service.command = command(reader, node, key),
            "entrypoint" => service.entrypoint = command(reader, node, key),
            "environment" => declared = reader.pairs(node, key),
            "env_file" => {
                let (variables, names) = environment::from_files(reader, node);
                service.environment = variables;
                service.secret_variables = names;
            }
            "depends_on" => draft.dependencies = depends_on(reader, node),
            "healthcheck" => service.healthcheck = healthcheck::read(reader, node),
            "ports" => service.ports = network::ports(reader, node),
            "expose" => {
                for (text, place) in reader.texts(node, key) {
                    match ports::exposed(&text) {
                        Ok(exposed) => service.expose.extend(exposed),
                        Err(reason) => reader.findings.problem(place, reason, "\"3000\" or \"3000/tcp\""),
                    }
                }
            }
            "volumes" => service.mounts = volumes::read(reader, node, &mut tmpfs),
            "tmpfs" => service.tmpfs = volumes::read_tmpfs(reader, node),
            "shm_size" => service.shm_size = reader.parsed(node, key, units::SIZE_HELP, units::bytes),
            "mem_limit" => service.memory = reader.parsed(node, key, units::SIZE_HELP, units::bytes),
            "cpus" => service.cpus = reader.parsed(node, key, "a number, such as 0.5", units::cpus),
            "deploy" => deploy_limits = deploy(reader, node),
            "init" => service.init = reader.flag(node, key),
            "user" => service.user = reader.text(node, key),
            "working_dir" => service.working_dir = reader.text(node, key),
            "hostname" => service.hostname = reader.text(node, key),
            "stop_signal" => service.stop_signal = reader.text(node, key),
            "cap_add" => service.cap_add = reader.names(node, key),
            "cap_drop" => service.cap_drop = reader.names(node, key),
            "privileged" => service.privileged = reader.flag(node, key),
            "extra_hosts" => service.extra_hosts = network::extra_hosts(reader, node),
            "networks" => service.aliases = network::aliases(reader, node),
            "network_mode" => network::mode(reader, node, setting.place),
            "labels" => {
                let pairs = reader.pairs(node, key).into_iter();
                service.labels = pairs.map(|(name, value)| (name, value.unwrap_or_default())).collect();
            }
            "profiles" => {}
            "container_name" => reader.findings.warning(
                setting.place,
                "\"container_name\" is left out: copies of a service can't share a name",
                "the service's own name leads to it within its environment",
            ),
            other => unknown(reader, other, setting.place),
        }
    }
    for (path, options) in tmpfs {
        service.tmpfs.entry(path).or_insert(options);
    }
    service.memory = service.memory.or(deploy_limits.memory).filter(|bytes| *bytes > 0);
    service.shm_size = service.shm_size.filter(|bytes| *bytes > 0);
    service.cpus = service.cpus.or(deploy_limits.cpus).filter(|cpus| cpus.milli > 0);
    environment::overlay(reader, service, declared);
    match (built, image) {
        (Some(Some(build)), _) => service.image = ImageSource::Built(build),
        // What is wrong with the build was reported.
        (Some(None), _) => {}
        (None, Some(image)) => service.image = ImageSource::Named(image),
        (None, None) => reader.findings.problem(
            entry.place,
            format!("service \"{}\" has neither \"image\" nor \"build\"", entry.key),
            "name an image, or the folder of a Dockerfile",
        ),
    }
    draft
}

fn command(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    match &node.value {
        Value::Null => None,
        Value::Text(text) => match words::split(text) {
            Ok(words) => Some(words),
            Err(reason) => {
                let help = format!("a list needs no quoting: {what}: [\"program\", \"argument\"]");
                reader.findings.problem(node.place, format!("\"{what}\": {reason}"), help);
                None
            }
        },
        Value::List(_) | Value::Map(_) => Some(reader.names(node, what)),
    }
}

const CONDITIONS: [&str; 3] = ["service_started", "service_healthy", "service_completed_successfully"];

fn depends_on(reader: &mut Reader<'_>, node: &Node) -> Vec<Dependency> {
    let Value::Map(entries) = &node.value else {
        let started = |(name, place)| Dependency { name, condition: Condition::Started, required: true, place };
        return reader.texts(node, "depends_on").into_iter().map(started).collect();
    };
    let mut dependencies = Vec::new();
    for entry in entries {
        let (mut condition, mut required) = (Some(Condition::Started), true);
        for setting in reader.entries(&entry.node, &entry.key) {
            match setting.key.as_str() {
                "condition" => {
                    condition = reader.text(&setting.node, "condition").and_then(|word| match word.as_str() {
                        "service_started" => Some(Condition::Started),
                        "service_healthy" => Some(Condition::Healthy),
                        "service_completed_successfully" => Some(Condition::CompletedSuccessfully),
                        unknown => {
                            let help = suggest::help(unknown, "conditions", CONDITIONS);
                            reader.findings.problem(
                                setting.node.place,
                                format!("unknown condition \"{unknown}\""),
                                help,
                            );
                            None
                        }
                    });
                }
                "required" => required = reader.flag(&setting.node, "required"),
                other => reader.no_effect(format!("depends_on.{other}"), setting.place),
            }
        }
        // A condition that was reported must not hide a service that doesn't exist.
        let condition = condition.unwrap_or(Condition::Started);
        dependencies.push(Dependency { name: entry.key.clone(), condition, required, place: entry.place });
    }
    dependencies
}

#[derive(Default)]
struct Limits {
    memory: Option<u64>,
    cpus: Option<super::Cpus>,
}

fn deploy(reader: &mut Reader<'_>, node: &Node) -> Limits {
    let mut limits = Limits::default();
    for setting in reader.entries(node, "deploy") {
        if setting.key != "resources" {
            reader.no_effect(format!("deploy.{}", setting.key), setting.place);
            continue;
        }
        for resource in reader.entries(&setting.node, "deploy.resources") {
            if resource.key != "limits" {
                reader.no_effect(format!("deploy.resources.{}", resource.key), resource.place);
                continue;
            }
            for limit in reader.entries(&resource.node, "deploy.resources.limits") {
                let (key, node) = (limit.key.as_str(), &limit.node);
                match key {
                    "memory" => limits.memory = reader.parsed(node, key, units::SIZE_HELP, units::bytes),
                    "cpus" => limits.cpus = reader.parsed(node, key, "a number, such as 0.5", units::cpus),
                    other => reader.no_effect(format!("deploy.resources.limits.{other}"), limit.place),
                }
            }
        }
    }
    limits
}

fn unknown(reader: &mut Reader<'_>, key: &str, place: Place) {
    if key.starts_with("x-") || HARMLESS.contains(&key) {
        return;
    }
    if WITHOUT_EFFECT.contains(&key) {
        reader.no_effect(key, place);
        return;
    }
    let known = ACTED_ON.iter().chain(HARMLESS).chain(WITHOUT_EFFECT).copied();
    let help = match suggest::closest(key, known) {
        Some(candidate) => format!("did you mean \"{candidate}\"?"),
        None => "Compose has no such setting that is known here".to_owned(),
    };
    reader.findings.warning(place, format!("the unknown setting \"{key}\" has no effect"), help);
}
