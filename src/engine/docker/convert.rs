//! Between our types and those of Docker's API. Pure.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerStatsResponse, ContainerSummary,
    DeviceMapping, EndpointSettings, EventMessage, HealthConfig, HostConfig, HostConfigLogConfig, ImageInspect, Ipam,
    IpamConfig, Mount, MountType, NetworkCreateRequest, NetworkingConfig, PortBinding, ResourcesUlimits,
    Volume as VolumeModel, VolumeCreateRequest,
};
use indexmap::IndexMap;

use super::super::{
    ContainerEvent, ContainerSpec, ContainerState, Figures, Happened, ImageDefaults, ImageInfo, Labelled, NetworkOf,
    NetworkSpec, Refusal, RefusalKind, ThingKind, Volume, VolumeSource, VolumeSpec,
};
use crate::manifest::compose::{Device, Tuning};

/// CPU quotas are parts of this period, in microseconds.
const CPU_PERIOD: i64 = 100_000;

/// How engines say that a network's addresses are another's: Docker in the first two ways, Podman in the last.
const SUBNET_TAKEN: [&str; 3] =
    ["overlaps with other one", "conflicts with network", "is already used on the host or by another config"];
/// How Podman says what Docker says by status 409: of a name that is given, and of a container that does not run.
const IN_CONFLICT: [&str; 2] = ["is already in use by", "container state improper"];

/// Tells the refusals apart that the program acts on. The engine gives no codes for them, only words.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the client's enum; all others mean that there was no proper answer"
)]
pub(super) fn refusal(error: Error) -> Refusal {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            let kind = if message.contains("port is already allocated") || message.contains("address already in use") {
                RefusalKind::PortTaken
            } else if SUBNET_TAKEN.iter().any(|words| message.contains(words)) {
                RefusalKind::SubnetTaken
            } else if IN_CONFLICT.iter().any(|words| message.contains(words)) {
                RefusalKind::Conflict
            } else {
                match status_code {
                    404 => RefusalKind::NotFound,
                    409 => RefusalKind::Conflict,
                    _ => RefusalKind::Other,
                }
            };
            Refusal { kind, message }
        }
        Error::DockerStreamError { error } => Refusal { kind: RefusalKind::Other, message: error },
        Error::RequestTimeoutError => {
            Refusal { kind: RefusalKind::TimedOut, message: "the engine did not answer in time".to_owned() }
        }
        // What the HTTP client says of itself is of no use to anybody.
        Error::HyperLegacyError { err } => {
            Refusal { kind: RefusalKind::Unreachable, message: format!("no connection: {}", innermost(&err)) }
        }
        Error::HyperResponseError { err } => Refusal {
            kind: RefusalKind::Unreachable,
            message: format!("the connection broke off: {}", innermost(&err)),
        },
        other => Refusal { kind: RefusalKind::Unreachable, message: with_sources(&other) },
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// The error with its causes: the outermost alone often says no more than `client error`.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

pub(super) fn image_info(image: ImageInspect) -> ImageInfo {
    let config = image.config.unwrap_or_default();
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let defaults = ImageDefaults {
        environment: config
            .env
            .unwrap_or_default()
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        command: config.cmd,
        entrypoint: config.entrypoint,
        user: given(config.user),
        working_dir: given(config.working_dir),
        stop_signal: given(config.stop_signal),
    };
    ImageInfo {
        id: image.id.unwrap_or_default(),
        platform: format!("{}/{}", image.os.unwrap_or_default(), image.architecture.unwrap_or_default()),
        ports: config
            .exposed_ports
            .unwrap_or_default()
            .iter()
            .filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok())
            .collect(),
        healthcheck: config.healthcheck.and_then(|check| health_command(check.test.unwrap_or_default())),
        defaults,
    }
}

/// Docker writes a health check as `CMD …`, `CMD-SHELL line` or `NONE`.
fn health_command(test: Vec<String>) -> Option<Vec<String>> {
    let mut words = test.into_iter();
    match words.next()?.as_str() {
        "CMD" => Some(words.collect()),
        "CMD-SHELL" => Some(["/bin/sh", "-c"].map(str::to_owned).into_iter().chain(words).collect()),
        _ => None,
    }
}

pub(super) fn volume(volume: &VolumeSpec) -> VolumeCreateRequest {
    let in_memory = volume.in_memory.as_ref().map(|options| {
        let fixed = [("type", "tmpfs"), ("device", "tmpfs")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = (!options.is_empty()).then(|| ("o".to_owned(), options.clone()));
        fixed.into_iter().chain(given).collect()
    });
    VolumeCreateRequest {
        name: Some(volume.name.clone()),
        labels: Some(volume.labels.clone().into_iter().collect()),
        driver_opts: in_memory,
        ..Default::default()
    }
}

pub(super) fn network(network: &NetworkSpec) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: network.name.clone(),
        driver: Some("bridge".to_owned()),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig { subnet: Some(network.subnet.clone()), ..Default::default() }]),
            ..Default::default()
        }),
        labels: Some(network.labels.clone().into_iter().collect()),
        ..Default::default()
    }
}

pub(super) fn container(spec: &ContainerSpec) -> ContainerCreateBody {
    let endpoint = EndpointSettings { aliases: Some(spec.aliases.clone()), ..Default::default() };
    let own_network = spec.shared.network == NetworkOf::Itself;
    let endpoints = HashMap::from([(spec.network.clone(), endpoint)]);
    ContainerCreateBody {
        hostname: spec.hostname.clone(),
        domainname: spec.tuning.domainname.clone(),
        user: spec.user.clone(),
        env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        cmd: spec.command.clone(),
        entrypoint: spec.entrypoint.clone(),
        image: Some(spec.image.clone()),
        working_dir: spec.working_dir.clone(),
        labels: Some(spec.labels.clone().into_iter().collect()),
        stop_signal: spec.stop_signal.clone(),
        // What is to end by itself is given its time when it is stopped. Podman also gives it that time when it is removed
        // by force, which Docker does at once.
        stop_timeout: Some(0),
        exposed_ports: Some(
            spec.ports.iter().map(|port| format!("{}/{}", port.container_port, port.protocol)).collect(),
        ),
        // Readiness is probed by us, faster than the engine can; its own checks would only cost processor time.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..Default::default() }),
        host_config: Some(host_config(spec)),
        networking_config: own_network.then_some(NetworkingConfig { endpoints_config: Some(endpoints) }),
        ..Default::default()
    }
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    let port_bindings = spec
        .ports
        .iter()
        .map(|port| {
            let binding = PortBinding {
                host_ip: Some(port.host_ip.clone()),
                host_port: port.host_port.map(|port| port.to_string()),
            };
            (format!("{}/{}", port.container_port, port.protocol), Some(vec![binding]))
        })
        .collect();
    HostConfig {
        network_mode: Some(match &spec.shared.network {
            NetworkOf::Itself => spec.network.clone(),
            NetworkOf::Container(name) => format!("container:{name}"),
            NetworkOf::Nobody => "none".to_owned(),
        }),
        ipc_mode: spec.shared.ipc.clone(),
        pid_mode: spec.shared.pid_of.as_ref().map(|name| format!("container:{name}")),
        volumes_from: Some(
            spec.shared
                .volumes_from
                .iter()
                .map(|(name, ro)| format!("{name}:{}", if *ro { "ro" } else { "rw" }))
                .collect(),
        ),
        // A folder that isn't there is made for a bind, as Compose has it, and refused for a mount.
        binds: Some(spec.volumes.iter().filter_map(bind).collect()),
        mounts: Some(spec.volumes.iter().filter(|volume| bind(volume).is_none()).map(mount).collect()),
        tmpfs: Some(spec.tmpfs.iter().cloned().collect()),
        port_bindings: Some(port_bindings),
        shm_size: spec.shm_size.and_then(|bytes| i64::try_from(bytes).ok()),
        memory: spec.memory.and_then(|bytes| i64::try_from(bytes).ok()),
        cpu_period: spec.cpus_milli.map(|_| CPU_PERIOD),
        cpu_quota: spec.cpus_milli.map(|milli| i64::from(milli) * CPU_PERIOD / 1000),
        init: Some(spec.init),
        cap_add: Some(spec.cap_add.clone()),
        cap_drop: Some(spec.cap_drop.clone()),
        privileged: Some(spec.privileged),
        extra_hosts: Some(spec.extra_hosts.clone()),
        ..tuned(&spec.tuning)
    }
}

/// The settings that are handed on as they are.
fn tuned(tuning: &Tuning) -> HostConfig {
    let pairs = |pairs: &IndexMap<String, String>| pairs.clone().into_iter().collect();
    let ulimit = |(name, (soft, hard)): (&String, &(i64, i64))| ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(*soft),
        hard: Some(*hard),
    };
    let device = |device: &Device| DeviceMapping {
        path_on_host: Some(device.host.clone()),
        path_in_container: Some(device.container.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    };
    HostConfig {
        ulimits: Some(tuning.ulimits.iter().map(ulimit).collect()),
        pids_limit: tuning.pids_limit,
        readonly_rootfs: Some(tuning.read_only),
        group_add: Some(tuning.group_add.clone()),
        security_opt: Some(tuning.security_opt.clone()),
        sysctls: Some(pairs(&tuning.sysctls)),
        devices: Some(tuning.devices.iter().map(device).collect()),
        device_cgroup_rules: Some(tuning.device_cgroup_rules.clone()),
        dns: Some(tuning.dns.clone()),
        dns_options: Some(tuning.dns_opt.clone()),
        dns_search: Some(tuning.dns_search.clone()),
        cpuset_cpus: tuning.cpuset.clone(),
        cpu_shares: tuning.cpu_shares,
        memory_swap: tuning.memory_swap,
        memory_reservation: tuning.memory_reservation.and_then(|bytes| i64::try_from(bytes).ok()),
        memory_swappiness: tuning.memory_swappiness,
        oom_score_adj: tuning.oom_score_adj,
        oom_kill_disable: tuning.oom_kill_disable.then_some(true),
        runtime: tuning.runtime.clone(),
        cgroup_parent: tuning.cgroup_parent.clone(),
        userns_mode: tuning.userns_mode.clone(),
        storage_opt: (!tuning.storage_opt.is_empty()).then(|| pairs(&tuning.storage_opt)),
        log_config: tuning.logging.as_ref().map(|(driver, options)| HostConfigLogConfig {
            typ: Some(driver.clone()).filter(|driver| !driver.is_empty()),
            config: Some(pairs(options)),
        }),
        ..Default::default()
    }
}

/// A bind mount as text; `None` for a volume, or a path that such a text can't hold.
fn bind(volume: &Volume) -> Option<String> {
    match &volume.source {
        VolumeSource::Bind(path) if !path.contains(':') => {
            Some(format!("{path}:{}:{}", volume.target, if volume.read_only { "ro" } else { "rw" }))
        }
        VolumeSource::Bind(_) | VolumeSource::Named(_) | VolumeSource::Anonymous => None,
    }
}

fn mount(volume: &Volume) -> Mount {
    let (typ, source) = match &volume.source {
        VolumeSource::Bind(path) => (MountType::BIND, Some(path.clone())),
        VolumeSource::Named(name) => (MountType::VOLUME, Some(name.clone())),
        VolumeSource::Anonymous => (MountType::VOLUME, None),
    };
    Mount {
        target: Some(volume.target.clone()),
        source,
        typ: Some(typ),
        read_only: Some(volume.read_only),
        ..Default::default()
    }
}

pub(super) fn container_state(container: ContainerInspectResponse) -> ContainerState {
    let Some(state) = container.state else { return ContainerState::Gone };
    match state.status {
        Some(ContainerStateStatusEnum::CREATED) => ContainerState::Created,
        Some(ContainerStateStatusEnum::EXITED) => ContainerState::Exited {
            code: state.exit_code.unwrap_or(-1),
            out_of_memory: state.oom_killed.unwrap_or(false),
        },
        Some(ContainerStateStatusEnum::DEAD | ContainerStateStatusEnum::REMOVING) => ContainerState::Gone,
        Some(
            ContainerStateStatusEnum::RUNNING
            | ContainerStateStatusEnum::PAUSED
            | ContainerStateStatusEnum::RESTARTING
            | ContainerStateStatusEnum::STOPPING
            | ContainerStateStatusEnum::EMPTY,
        )
        | None => {
            let networks = container.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
            let address = networks.into_values().find_map(|network| network.ip_address?.parse().ok());
            ContainerState::Running { address }
        }
    }
}

/// Whether this is how Podman tells of a container that has ended and whose exit code is not there yet: a state for a
/// few tens of milliseconds, by a word that the client does not know.
pub(super) fn is_being_put_away(refusal: &Refusal) -> bool {
    refusal.message.contains("unknown variant `stopped`")
}

pub(super) fn figures(stats: ContainerStatsResponse) -> Figures {
    let cpu = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
    let memory = stats.memory_stats.unwrap_or_default();
    // The names under control groups of version 1 and 2, in this order.
    let inactive = ["total_inactive_file", "inactive_file"];
    let inactive = memory.stats.and_then(|stats| inactive.iter().find_map(|name| stats.get(*name).copied()));
    let disks = stats.blkio_stats.and_then(|disks| disks.io_service_bytes_recursive).unwrap_or_default();
    let bytes = |which: &str| {
        let entries = disks.iter().filter(|entry| entry.op.as_deref().is_some_and(|op| op.eq_ignore_ascii_case(which)));
        entries.filter_map(|entry| entry.value).sum()
    };
    Figures {
        cpu: Duration::from_nanos(cpu.unwrap_or(0)),
        memory: memory.usage.unwrap_or(0).saturating_sub(inactive.unwrap_or(0)),
        processes: stats.pids_stats.and_then(|processes| processes.current).unwrap_or(0),
        read: bytes("read"),
        written: bytes("write"),
    }
}

/// A reference as Docker has it: without the registry where that is Docker's own, which Podman always names.
pub(super) fn short_reference(reference: String) -> String {
    let rest = reference.strip_prefix("docker.io/");
    rest.map_or_else(|| reference.clone(), |rest| rest.strip_prefix("library/").unwrap_or(rest).to_owned())
}

/// The actions of [`event`], by which the engine is asked for them. Podman wants to be asked for `died`, of which it tells
/// as `die` then, and calls a removal `remove`.
pub(super) const ACTIONS: [&str; 9] = ["start", "oom", "kill", "pause", "unpause", "die", "died", "destroy", "remove"];

/// `None` for an action that was not asked for.
pub(super) fn event(event: EventMessage) -> Option<ContainerEvent> {
    let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
    let what = match event.action.unwrap_or_default().as_str() {
        "start" => Happened::Started,
        "oom" => Happened::OutOfMemory,
        "kill" => Happened::Signalled(attributes.get("signal").cloned().unwrap_or_default()),
        "pause" => Happened::Paused,
        "unpause" => Happened::Resumed,
        "die" | "died" => Happened::Ended(attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(-1)),
        "destroy" | "remove" => Happened::Removed,
        _ => return None,
    };
    Some(ContainerEvent { container: attributes.get("name").cloned().unwrap_or_default(), what })
}

pub(super) fn labelled(
    containers: Vec<ContainerSummary>,
    networks: Vec<bollard::models::Network>,
    volumes: Vec<VolumeModel>,
) -> Vec<Labelled> {
    let containers = containers.into_iter().map(|container| {
        let id = container.id.unwrap_or_default();
        let name = container.names.and_then(|names| names.into_iter().next());
        let name = name.map_or_else(|| id.clone(), |name| name.trim_start_matches('/').to_owned());
        let labels = container.labels.unwrap_or_default().into_iter().collect();
        Labelled { kind: ThingKind::Container, id, name, labels }
    });
    let networks = networks.into_iter().map(|network| Labelled {
        kind: ThingKind::Network,
        id: network.id.unwrap_or_default(),
        name: network.name.unwrap_or_default(),
        labels: network.labels.unwrap_or_default().into_iter().collect(),
    });
    let volumes = volumes.into_iter().map(|volume| Labelled {
        kind: ThingKind::Volume,
        id: volume.name.clone(),
        name: volume.name,
        labels: volume.labels.into_iter().collect(),
    });
    containers.chain(networks).chain(volumes).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::super::Shared;
    use super::*;

    #[rstest]
    #[case(404, "No such container: x", RefusalKind::NotFound)]
    #[case(409, "Conflict. The container name is already in use", RefusalKind::Conflict)]
    #[case(403, "Pool overlaps with other one on this address space", RefusalKind::SubnetTaken)]
    #[case(403, "cannot create network: conflicts with network 1234", RefusalKind::SubnetTaken)]
    #[case(500, "Bind for 0.0.0.0:8000 failed: port is already allocated", RefusalKind::PortTaken)]
    #[case(500, "listen tcp4 0.0.0.0:8000: bind: address already in use", RefusalKind::PortTaken)]
    #[case(500, "no space left on device", RefusalKind::Other)]
    #[case(500, "subnet 10.213.0.0/26 is already used on the host or by another config", RefusalKind::SubnetTaken)]
    #[case(500, "container create: the container name \"x\" is already in use by 9fb495b", RefusalKind::Conflict)]
    #[case(500, "can only create exec sessions on running containers: container state improper", RefusalKind::Conflict)]
    fn refusals_are_told_apart_by_status_and_words(
        #[case] status_code: u16,
        #[case] message: &str,
        #[case] kind: RefusalKind,
    ) {
        let error = Error::DockerResponseServerError { status_code, message: message.to_owned() };
        assert_eq!(refusal(error), Refusal { kind, message: message.to_owned() });
    }

    #[rstest]
    #[case("docker.io/library/debian:bookworm-slim", "debian:bookworm-slim")]
    #[case("docker.io/shakedown/shop-web:1", "shakedown/shop-web:1")]
    #[case("shakedown/shop-web:1", "shakedown/shop-web:1")]
    #[case("quay.io/library/debian:12", "quay.io/library/debian:12")]
    fn a_reference_is_the_same_whether_or_not_its_registry_is_named(#[case] named: &str, #[case] short: &str) {
        assert_eq!(short_reference(named.to_owned()), short);
    }

    #[test]
    fn a_processor_limit_is_a_quota_of_the_period() {
        let spec = ContainerSpec { cpus_milli: Some(500), ..Default::default() };
        let host = host_config(&spec);
        assert_eq!((host.cpu_period, host.cpu_quota), (Some(100_000), Some(50_000)));
    }

    #[test]
    fn a_container_that_has_anothers_network_has_none_of_its_own() {
        let shared = Shared {
            network: NetworkOf::Container("web".to_owned()),
            ipc: Some("container:web".to_owned()),
            pid_of: Some("web".to_owned()),
            volumes_from: vec![("web".to_owned(), true), ("db".to_owned(), false)],
        };
        let body = container(&ContainerSpec { network: "ignored".to_owned(), shared, ..Default::default() });
        assert_eq!(body.networking_config, None);
        let host = body.host_config.unwrap();
        assert_eq!(host.network_mode.as_deref(), Some("container:web"));
        assert_eq!(host.ipc_mode.as_deref(), Some("container:web"));
        assert_eq!(host.pid_mode.as_deref(), Some("container:web"));
        assert_eq!(host.volumes_from, Some(vec!["web:ro".to_owned(), "db:rw".to_owned()]));
    }

    #[test]
    fn what_nobody_asked_for_is_left_to_the_engine() {
        let host = tuned(&Tuning::default());
        assert_eq!((host.log_config, host.pids_limit, host.storage_opt), (None, None, None));
        let tuning = Tuning {
            ulimits: IndexMap::from([("nofile".to_owned(), (1024, 2048))]),
            logging: Some((String::new(), IndexMap::from([("max-size".to_owned(), "1m".to_owned())]))),
            ..Tuning::default()
        };
        let host = tuned(&tuning);
        let limit = host.ulimits.unwrap().remove(0);
        assert_eq!((limit.name.as_deref(), limit.soft, limit.hard), (Some("nofile"), Some(1024), Some(2048)));
        let log = host.log_config.unwrap();
        assert_eq!((log.typ, log.config.unwrap().len()), (None, 1));
    }

    #[test]
    fn a_health_check_in_the_shell_form_is_run_by_a_shell() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(health_command(words("CMD curl web")), Some(words("curl web")));
        assert_eq!(health_command(words("CMD-SHELL true")), Some(words("/bin/sh -c true")));
        assert_eq!(health_command(words("NONE")), None);
    }
}
