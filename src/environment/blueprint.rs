//! What one environment is made of, as data. Pure: decided from the manifest, the images and the environment's name;
//! [`boot`](super::boot) only does what stands here.

use std::collections::BTreeSet;
use std::fmt;

use super::health::HealthCheck;
use super::images::{Images, ServiceImage};
use super::label;
use super::probe::Question;
use super::runner;
use super::sharing::{files, shared};
use crate::engine::{ContainerSpec, HostPort, Labels, Volume, VolumeSource, VolumeSpec};
use crate::id::{EnvironmentName, RunId};
use crate::manifest::compose::{Condition, MountSource, NetworkMode, Service};
use crate::manifest::{Manifest, Probe};

/// An environment to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blueprint {
    /// The network's name, with which the names of everything else begin.
    pub(super) network: String,
    /// Labels of everything in it.
    pub(super) labels: Labels,
    /// Its volumes.
    pub(super) volumes: Vec<VolumeSpec>,
    /// Its services.
    pub(super) services: Vec<ServiceBlueprint>,
    /// The services that must be ready, the runner among them, before something may be run in the runner; `None` where
    /// all must be.
    pub(super) runner_serves_after: Option<BTreeSet<String>>,
}

/// A service to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceBlueprint {
    /// The service's name.
    pub(super) service: String,
    /// Its container; the network's id is filled in when it is known.
    pub(super) container: ContainerSpec,
    /// Services whose containers it shares something with: they must run before its own can be made.
    pub(super) shares_with: Vec<String>,
    /// What must hold before it is started.
    pub(super) waits_for: Vec<(String, Condition)>,
    /// When it counts as ready.
    pub(super) ready: Ready,
    /// TCP ports on which it is expected to listen.
    pub(super) ports: Vec<u16>,
    /// Its health check, where it has one.
    pub(super) health: Option<HealthCheck>,
    /// Whether it is meant to run as long as the environment, as a server is. Where that is not known, it may end with
    /// exit code 0 at any time: a step that nothing waits for.
    pub(super) lasts: bool,
}

/// When a service counts as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// As soon as it runs.
    Running,
    /// When this command, run within its container, ends with exit code 0.
    Healthy(Vec<String>),
    /// When it answers this question at this port.
    Answers(u16, Question),
    /// When it has ended with exit code 0.
    Completed,
}

/// The name that everything of an environment starts with.
pub(super) fn prefix(run: &RunId, environment: EnvironmentName) -> String {
    format!("shakedown-{run}-{environment}")
}

fn lane_of(environment: EnvironmentName) -> String {
    match environment {
        EnvironmentName::Lane(id) => id.lane.to_string(),
        EnvironmentName::Standby(_) => "standby".to_owned(),
        EnvironmentName::Snapshot => "snapshot".to_owned(),
    }
}

/// Makes the blueprint of one environment.
pub(super) fn blueprint(
    manifest: &Manifest,
    images: &Images,
    run: &RunId,
    lease: &str,
    environment: EnvironmentName,
) -> Blueprint {
    let prefix = prefix(run, environment);
    let labels: Labels = [
        (label::RUN, run.to_string()),
        (label::LANE, lane_of(environment)),
        (label::ENVIRONMENT, format!("{run}/{environment}")),
        (label::LEASE, lease.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let project = &manifest.compose;
    let names: BTreeSet<&String> = project
        .services
        .values()
        .flat_map(|service| &service.mounts)
        .filter_map(|mount| match &mount.source {
            MountSource::Volume(name) => Some(name),
            MountSource::Bind(_) | MountSource::Anonymous => None,
        })
        .collect();
    let volume = |name: &String| VolumeSpec {
        in_memory: project.volumes_in_memory.get(name).cloned(),
        ..VolumeSpec::new(format!("{prefix}-{name}"), labels.clone())
    };
    let volumes = names.into_iter().map(volume).collect();
    let services = project
        .services
        .iter()
        .map(|(name, service)| {
            let image = images.get(name);
            let must_complete =
                project.services.values().any(|s| s.depends_on.get(name) == Some(&Condition::CompletedSuccessfully));
            // What others listen on that have its network is reached by its address, too.
            let beside = project.services.iter().filter(|(_, other)| other.network == NetworkMode::Of(name.clone()));
            let mut ports: Vec<u16> = std::iter::once((name, service))
                .chain(beside)
                .flat_map(|(name, service)| {
                    let of_image = images.get(name).map(|image| image.info.ports.clone()).unwrap_or_default();
                    service.expose.iter().copied().chain(of_image)
                })
                .collect();
            ports.sort_unstable();
            ports.dedup();
            let health =
                HealthCheck::of(service.healthcheck.as_ref(), image.and_then(|image| image.info.healthcheck.clone()));
            ServiceBlueprint {
                service: name.clone(),
                container: ContainerSpec {
                    name: format!("{prefix}-{name}"),
                    image: image.map(|image| image.reference.clone()).unwrap_or_default(),
                    labels: with_service(&service.labels, &labels, name),
                    aliases: std::iter::once(name).chain(&service.aliases).cloned().collect(),
                    volumes: volumes_of(service, &prefix),
                    ports: published(manifest, name, service),
                    shared: shared(service, &prefix),
                    ..container(service)
                },
                shares_with: service.shares_with().into_iter().map(str::to_owned).collect(),
                waits_for: if waits_for_nobody(manifest, name, service, image) {
                    Vec::new()
                } else {
                    service.depends_on.iter().map(|(name, condition)| (name.clone(), *condition)).collect()
                },
                ready: ready(manifest.environment.ready.get(name), health.as_ref(), must_complete),
                ports,
                lasts: *name == manifest.environment.runner || lasts(service, health.as_ref()),
                health,
            }
        })
        .collect();
    let runner_serves_after = runner::serves_after(project, &manifest.environment);
    Blueprint { network: prefix, labels, volumes, services, runner_serves_after }
}

fn with_service(own: &indexmap::IndexMap<String, String>, ours: &Labels, service: &str) -> Labels {
    let mut labels: Labels = own.clone().into_iter().collect();
    labels.extend(ours.clone());
    labels.insert(label::SERVICE.to_owned(), service.to_owned());
    labels
}

fn container(service: &Service) -> ContainerSpec {
    ContainerSpec {
        command: service.command.clone(),
        entrypoint: service.entrypoint.clone(),
        environment: service.environment.clone().into_iter().collect(),
        hostname: service.hostname.clone(),
        tmpfs: service.tmpfs.clone().into_iter().collect(),
        shm_size: service.shm_size,
        memory: service.memory,
        cpus_milli: service.cpus.map(|cpus| cpus.milli),
        init: service.init,
        user: service.user.clone(),
        working_dir: service.working_dir.clone(),
        stop_signal: service.stop_signal.clone(),
        cap_add: service.cap_add.clone(),
        cap_drop: service.cap_drop.clone(),
        privileged: service.privileged,
        extra_hosts: service.extra_hosts.clone(),
        platform: service.platform.clone(),
        tuning: service.tuning.clone(),
        files: files(service),
        ..ContainerSpec::default()
    }
}

fn volumes_of(service: &Service, prefix: &str) -> Vec<Volume> {
    service
        .mounts
        .iter()
        .map(|mount| Volume {
            source: match &mount.source {
                MountSource::Bind(path) => VolumeSource::Bind(path.display().to_string()),
                MountSource::Volume(name) => VolumeSource::Named(format!("{prefix}-{name}")),
                MountSource::Anonymous => VolumeSource::Anonymous,
            },
            target: mount.target.clone(),
            read_only: mount.read_only,
        })
        .collect()
}

/// Published ports are kept only where the manifest asks for them.
fn published(manifest: &Manifest, name: &str, service: &Service) -> Vec<HostPort> {
    if !manifest.environment.publish.iter().any(|published| published == name) {
        return Vec::new();
    }
    service
        .ports
        .iter()
        .map(|port| HostPort {
            host_ip: port.host_ip.clone(),
            host_port: port.host_port,
            container_port: port.container_port,
            protocol: port.protocol.clone(),
        })
        .collect()
}

/// Whether the order of starts is nothing to a service: it is the runner, which only waits until something is run in it,
/// and that is not done before the others are ready.
fn waits_for_nobody(manifest: &Manifest, name: &str, service: &Service, image: Option<&ServiceImage>) -> bool {
    name == manifest.environment.runner
        && service.shares_with().is_empty()
        && image.is_some_and(|image| runner::only_waits(service, &image.info.defaults))
}

fn ready(probe: Option<&Probe>, health: Option<&HealthCheck>, must_complete: bool) -> Ready {
    if must_complete {
        return Ready::Completed;
    }
    match probe {
        Some(Probe::Http { port, path }) => return Ready::Answers(*port, Question::Http { path: path.clone() }),
        Some(Probe::Tcp { port }) => return Ready::Answers(*port, Question::Tcp),
        Some(Probe::Command(command)) => return Ready::Healthy(command.clone()),
        None => {}
    }
    health.map_or(Ready::Running, |health| Ready::Healthy(health.command.clone()))
}

/// Whether others are meant to use it for as long as they run. An image may expose ports that only some of its
/// services listen on, so that those say nothing.
fn lasts(service: &Service, health: Option<&HealthCheck>) -> bool {
    health.is_some() || service.restarts || !service.ports.is_empty() || !service.expose.is_empty()
}

/// The steps as text, for tests and for those who read along.
impl fmt::Display for Blueprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {}", self.network)?;
        for volume in &self.volumes {
            let place = if volume.in_memory.is_some() { " in memory" } else { "" };
            writeln!(f, "volume {}{place}", volume.name)?;
        }
        for service in &self.services {
            writeln!(f, "container {} from {}", service.container.name, service.container.image)?;
            for other in &service.shares_with {
                writeln!(f, "  shares with {other}")?;
            }
            for (other, condition) in &service.waits_for {
                let condition = match condition {
                    Condition::Started => "started",
                    Condition::Healthy => "healthy",
                    Condition::CompletedSuccessfully => "completed",
                };
                writeln!(f, "  after {other} is {condition}")?;
            }
            match &service.ready {
                Ready::Running => writeln!(f, "  ready when it runs")?,
                Ready::Healthy(command) => writeln!(f, "  ready when `{}` succeeds", command.join(" "))?,
                Ready::Answers(port, Question::Tcp) => writeln!(f, "  ready when port {port} accepts connections")?,
                Ready::Answers(port, Question::Http { path }) => {
                    writeln!(f, "  ready when a GET of {path} at port {port} succeeds")?;
                }
                Ready::Completed => writeln!(f, "  ready when it has ended with exit code 0")?,
            }
        }
        Ok(())
    }
}
