//! From a service's settings to those of its container that only the engine looks at, and to what it shares.

use indexmap::IndexMap;

use crate::engine;
use crate::manifest::compose::{Namespace, NetworkMode, Service, Tuning};

/// What the container of `service` shares with others; `prefix` is what their containers' names start with.
pub(super) fn shared(service: &Service, prefix: &str) -> engine::Shared {
    let container = |service: &String| format!("{prefix}-{service}");
    engine::Shared {
        network: match &service.network {
            NetworkMode::Environment => engine::NetworkOf::Itself,
            NetworkMode::Of(other) => engine::NetworkOf::Container(container(other)),
            NetworkMode::None => engine::NetworkOf::Nobody,
        },
        ipc: match &service.ipc {
            Namespace::Own(mode) => Some(mode.clone()).filter(|mode| !mode.is_empty()),
            Namespace::Of(other) => Some(format!("container:{}", container(other))),
        },
        pid_of: service.pid_of.as_ref().map(container),
        volumes_from: service.volumes_from.iter().map(|(other, read_only)| (container(other), *read_only)).collect(),
    }
}

/// The files that are in the container of `service` before it starts.
pub(super) fn files(service: &Service) -> Vec<engine::FileSpec> {
    let files = service.files.iter().map(|file| engine::FileSpec {
        path: file.path.clone(),
        content: file.content.clone(),
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    });
    files.collect()
}

/// The settings that are handed on as they are.
pub(super) fn tuning(tuning: &Tuning) -> engine::Tuning {
    let pairs = |map: &IndexMap<String, String>| map.clone().into_iter().collect();
    engine::Tuning {
        ulimits: tuning.ulimits.iter().map(|(name, (soft, hard))| (name.clone(), *soft, *hard)).collect(),
        pids_limit: tuning.pids_limit,
        read_only: tuning.read_only,
        group_add: tuning.group_add.clone(),
        security_opt: tuning.security_opt.clone(),
        sysctls: pairs(&tuning.sysctls),
        devices: (tuning.devices.iter())
            .map(|device| (device.host.clone(), device.container.clone(), device.permissions.clone()))
            .collect(),
        device_cgroup_rules: tuning.device_cgroup_rules.clone(),
        dns: tuning.dns.clone(),
        dns_opt: tuning.dns_opt.clone(),
        dns_search: tuning.dns_search.clone(),
        cpuset: tuning.cpuset.clone(),
        cpu_shares: tuning.cpu_shares,
        memory_swap: tuning.memory_swap,
        memory_reservation: tuning.memory_reservation,
        memory_swappiness: tuning.memory_swappiness,
        oom_score_adj: tuning.oom_score_adj,
        oom_kill_disable: tuning.oom_kill_disable,
        runtime: tuning.runtime.clone(),
        cgroup_parent: tuning.cgroup_parent.clone(),
        userns_mode: tuning.userns_mode.clone(),
        domainname: tuning.domainname.clone(),
        storage_opt: pairs(&tuning.storage_opt),
        stop_seconds: tuning.stop_seconds,
        logging: tuning.logging.as_ref().map(|(driver, options)| (driver.clone(), pairs(options))),
    }
}
