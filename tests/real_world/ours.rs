//! A service as we read it.

use shakedown::manifest::compose::{
    Condition, Healthcheck, ImageSource, Mount, MountSource, Namespace, NetworkMode, Service,
};

use super::{LINKED, LINKED_AS, Settings, map, put, sorted};

/// Its settings in words that both sides use.
pub(crate) fn of_ours(service: &Service) -> Settings {
    let mut settings = Settings::new();
    let mut put = |name, value: String| put(&mut settings, name, value);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    match &service.image {
        ImageSource::Named(image) => put("image", image.clone()),
        ImageSource::Built(build) => {
            put("build.context", build.context.display().to_string());
            put("build.dockerfile", build.dockerfile.clone());
            put("build.args", map(&build.args));
            put("build.target", text(&build.target));
        }
    }
    put("command", service.command.as_ref().map(|words| format!("{words:?}")).unwrap_or_default());
    put("entrypoint", service.entrypoint.as_ref().map(|words| format!("{words:?}")).unwrap_or_default());
    put("environment", map(&service.environment));
    let condition = |condition: &Condition| match condition {
        Condition::Started => "service_started",
        Condition::Healthy => "service_healthy",
        Condition::CompletedSuccessfully => "service_completed_successfully",
    };
    // What is shared makes a dependency of ours only.
    let shared = service.shares_with();
    let waits = service.depends_on.iter().filter(|(name, is)| {
        **is != Condition::Started || (!shared.contains(&name.as_str()) && !LINKED.contains(&name.as_str()))
    });
    put("depends_on", sorted(waits.map(|(name, is)| format!("{name}: {}", condition(is)))));
    put("volumes", sorted(service.mounts.iter().map(mount)));
    let port = |port: &shakedown::manifest::compose::PublishedPort| {
        let host = port.host_port.map(|port| port.to_string()).unwrap_or_default();
        format!("{}:{host}:{}/{}", port.host_ip, port.container_port, port.protocol)
    };
    put("ports", sorted(service.ports.iter().map(port)));
    put("expose", sorted(service.expose.iter().map(u16::to_string)));
    put(
        "healthcheck",
        match &service.healthcheck {
            None => String::new(),
            Some(Healthcheck::Disabled) => "NONE".to_owned(),
            Some(Healthcheck::Command { command, interval, timeout, retries, start_period }) => {
                format!("{command:?} {interval:?} {timeout:?} {retries} {start_period:?}")
            }
        },
    );
    put("tmpfs", sorted(service.tmpfs.iter().map(|(path, options)| format!("{path}:{options}"))));
    put("shm_size", service.shm_size.map(|bytes| bytes.to_string()).unwrap_or_default());
    put("memory", service.memory.map(|bytes| bytes.to_string()).unwrap_or_default());
    put("cpus", service.cpus.map(|cpus| cpus.milli.to_string()).unwrap_or_default());
    put("init", if service.init { "true".to_owned() } else { String::new() });
    put("privileged", if service.privileged { "true".to_owned() } else { String::new() });
    put("user", text(&service.user));
    put("working_dir", text(&service.working_dir));
    put("hostname", text(&service.hostname));
    put("stop_signal", text(&service.stop_signal));
    put("cap_add", sorted(service.cap_add.clone()));
    put("cap_drop", sorted(service.cap_drop.clone()));
    put("extra_hosts", sorted(service.extra_hosts.clone()));
    put("aliases", sorted(service.aliases.iter().filter(|alias| !LINKED_AS.contains(&alias.as_str())).cloned()));
    put("labels", map(&service.labels));
    put(
        "network_mode",
        match &service.network {
            NetworkMode::Environment => String::new(),
            NetworkMode::Of(other) => format!("service:{other}"),
            NetworkMode::None => "none".to_owned(),
        },
    );
    put(
        "ipc",
        match &service.ipc {
            Namespace::Own(mode) => mode.clone(),
            Namespace::Of(other) => format!("service:{other}"),
        },
    );
    put("pid", service.pid_of.as_ref().map(|other| format!("service:{other}")).unwrap_or_default());
    let from = |(name, read_only): &(String, bool)| format!("{name}:{}", if *read_only { "ro" } else { "rw" });
    put("volumes_from", sorted(service.volumes_from.iter().map(from)));
    let tuning = &service.tuning;
    put("ulimits", sorted(tuning.ulimits.iter().map(|(name, (soft, hard))| format!("{name}={soft}:{hard}"))));
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    put("pids_limit", number(tuning.pids_limit));
    put("cpu_shares", number(tuning.cpu_shares));
    put("oom_score_adj", number(tuning.oom_score_adj));
    put("memswap_limit", number(tuning.memory_swap));
    put("mem_reservation", tuning.memory_reservation.map(|bytes| bytes.to_string()).unwrap_or_default());
    put("cpuset", text(&tuning.cpuset));
    put("domainname", text(&tuning.domainname));
    put("read_only", if tuning.read_only { "true".to_owned() } else { String::new() });
    put("group_add", sorted(tuning.group_add.clone()));
    put("security_opt", sorted(tuning.security_opt.clone()));
    put("dns", sorted(tuning.dns.clone()));
    put("dns_search", sorted(tuning.dns_search.clone()));
    put("sysctls", map(&tuning.sysctls));
    put("stop_grace_period", number(tuning.stop_seconds));
    let device = |device: &shakedown::manifest::compose::Device| {
        format!("{}:{}:{}", device.host, device.container, device.permissions)
    };
    put("devices", sorted(tuning.devices.iter().map(device)));
    let log = tuning.logging.as_ref().map(|(driver, options)| format!("{driver} {}", map(options)));
    put("logging", log.unwrap_or_default());
    settings
}

fn mount(mount: &Mount) -> String {
    let source = match &mount.source {
        MountSource::Bind(path) => path.display().to_string(),
        MountSource::Volume(name) => name.clone(),
        MountSource::Anonymous => String::new(),
    };
    format!("{source}:{}:{}", mount.target, if mount.read_only { "ro" } else { "rw" })
}
