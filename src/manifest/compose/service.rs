//! One service of a Compose file.

use indexmap::IndexMap;

use super::super::findings::Place;
use super::reader::Reader;
use super::settings::{ACTED_ON, HARMLESS, WITHOUT_EFFECT};
use super::tree::{Entry, Node, Value};
use super::{
    Condition, ImageSource, PullPolicy, Service, build, environment, healthcheck, network, ports, tuning, units,
    volumes, words,
};
use crate::manifest::suggest;

/// A service, and what else must be known of it to check it against the others.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) service: Service,
    pub(super) dependencies: Vec<Dependency>,
    /// Entries of `links`: service, alias and place.
    pub(super) links: Vec<(String, String, Place)>,
    /// Where it says that it shares something with another service.
    pub(super) shares: Option<Place>,
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
    let mut quota = (None, None);
    let service = &mut draft.service;
    if let Value::Text(_) | Value::List(_) = entry.node.value {
        reader.expected(&entry.node, &entry.key, "a map");
        return draft;
    }
    let mut declared = Vec::new();
    let mut tmpfs = IndexMap::new();
    for setting in reader.entries(&entry.node, &entry.key) {
        let (key, node) = (setting.key.as_str(), &setting.node);
        if matches!(key, "network_mode" | "ipc" | "pid" | "volumes_from") {
            draft.shares = Some(setting.place);
        }
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
            "restart" => service.restarts = reader.parsed(node, key, RESTART_HELP, restarts).unwrap_or(false),
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
            "network_mode" => service.network = network::mode(reader, node),
            "links" => draft.links = network::links(reader, node),
            "volumes_from" => service.volumes_from = volumes::from_services(reader, node),
            "platform" => service.platform = reader.text(node, key).filter(|platform| !platform.is_empty()),
            "pull_policy" => service.pull = pull_policy(reader, node, setting.place),
            "label_file" => environment::labels_from_files(reader, node, &mut service.labels),
            "cpu_period" => quota.1 = tuning::number(reader, node, key),
            "cpu_quota" => quota.0 = tuning::number(reader, node, key),
            "labels" => {
                let pairs = reader.pairs(node, key).into_iter();
                service.labels.extend(pairs.map(|(name, value)| (name, value.unwrap_or_default())));
            }
            "profiles" | "configs" | "secrets" => {}
            "container_name" => reader.findings.warning(
                setting.place,
                "\"container_name\" is left out: copies of a service can't share a name",
                "the service's own name leads to it within its environment",
            ),
            other => {
                if !tuning::setting(reader, service, other, node, setting.place) {
                    unknown(reader, other, setting.place);
                }
            }
        }
    }
    network::check_mode(reader, service, &entry.node);
    for (path, options) in tmpfs {
        service.tmpfs.entry(path).or_insert(options);
    }
    service.tuning.pids_limit = service.tuning.pids_limit.or(deploy_limits.pids);
    service.tuning.memory_reservation = service.tuning.memory_reservation.or(deploy_limits.reserved_memory);
    service.cpus = service.cpus.or(of_quota(quota));
    service.memory = service.memory.or(deploy_limits.memory).filter(|bytes| *bytes > 0);
    service.shm_size = service.shm_size.filter(|bytes| *bytes > 0);
    service.cpus = service.cpus.or(deploy_limits.cpus).filter(|cpus| cpus.milli > 0);
    environment::overlay(reader, service, declared);
    match (built, image) {
        (Some(Some(build)), _) => service.image = ImageSource::Built(Box::new(build)),
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

const RESTART_HELP: &str = "\"no\", always, unless-stopped, on-failure or on-failure:3";

/// Whether a service with this `restart` is meant to run on even when it has ended well.
fn restarts(text: &str) -> Result<bool, String> {
    match text.split_once(':').map_or(text, |(policy, _)| policy) {
        "always" | "unless-stopped" => Ok(true),
        // YAML reads a bare `no` as false.
        "no" | "false" | "on-failure" => Ok(false),
        _ => Err(format!("\"{text}\" is not a restart policy")),
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
                // About a restart by hand, which there is none of.
                "restart" => {}
                other => reader.no_effect(format!("depends_on.{other}"), setting.place),
            }
        }
        // A condition that was reported must not hide a service that doesn't exist.
        let condition = condition.unwrap_or(Condition::Started);
        dependencies.push(Dependency { name: entry.key.clone(), condition, required, place: entry.place });
    }
    dependencies
}

/// What `deploy.resources` says.
#[derive(Default)]
struct Limits {
    memory: Option<u64>,
    cpus: Option<super::Cpus>,
    pids: Option<i64>,
    reserved_memory: Option<u64>,
}

fn deploy(reader: &mut Reader<'_>, node: &Node) -> Limits {
    let mut limits = Limits::default();
    for setting in reader.entries(node, "deploy") {
        if setting.key != "resources" {
            reader.no_effect(format!("deploy.{}", setting.key), setting.place);
            continue;
        }
        for resource in reader.entries(&setting.node, "deploy.resources") {
            let what = format!("deploy.resources.{}", resource.key);
            for limit in reader.entries(&resource.node, &what) {
                let (key, node) = (limit.key.as_str(), &limit.node);
                match (resource.key.as_str(), key) {
                    ("limits", "memory") => limits.memory = reader.parsed(node, key, units::SIZE_HELP, units::bytes),
                    ("limits", "cpus") => {
                        limits.cpus = reader.parsed(node, key, "a number, such as 0.5", units::cpus);
                    }
                    ("limits", "pids") => limits.pids = tuning::number(reader, node, key),
                    ("reservations", "memory") => {
                        limits.reserved_memory = reader.parsed(node, key, units::SIZE_HELP, units::bytes);
                    }
                    (_, other) => reader.no_effect(format!("{what}.{other}"), limit.place),
                }
            }
        }
    }
    limits
}

/// Processors as a quota of a period, in microseconds.
fn of_quota((quota, period): (Option<i64>, Option<i64>)) -> Option<super::Cpus> {
    let quota = quota.filter(|quota| *quota > 0)?;
    let period = period.filter(|period| *period > 0).unwrap_or(100_000);
    u32::try_from(quota.saturating_mul(1000) / period).ok().map(|milli| super::Cpus { milli })
}

const PULL_POLICIES: [&str; 7] = ["always", "missing", "if_not_present", "never", "build", "daily", "weekly"];

fn pull_policy(reader: &mut Reader<'_>, node: &Node, place: Place) -> PullPolicy {
    match reader.text(node, "pull_policy").as_deref() {
        // Images that are built are tagged by their contents, and so never out of date.
        None | Some("" | "missing" | "if_not_present" | "build") => PullPolicy::Missing,
        Some("always") => PullPolicy::Always,
        Some("never") => PullPolicy::Never,
        Some(policy) => {
            if matches!(policy, "daily" | "weekly") || policy.starts_with("every_") {
                reader.no_effect(format!("pull_policy: {policy}"), place);
            } else {
                let help = suggest::help(policy, "policies", PULL_POLICIES);
                reader.findings.problem(node.place, format!("unknown policy \"{policy}\""), help);
            }
            PullPolicy::Missing
        }
    }
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
