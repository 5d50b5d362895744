//! Settings of a container that are handed to the engine as they are: limits, devices, name servers, logging.

use indexmap::IndexMap;

use super::super::findings::Place;
use super::reader::Reader;
use super::tree::{Node, Value};
use super::{Namespace, Service, units};
use crate::manifest::{duration, suggest};

/// Settings that no part of the program looks at but the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Limits of the kernel's, by name: soft and hard, -1 for none.
    pub ulimits: IndexMap<String, (i64, i64)>,
    /// The most processes, -1 for no limit.
    pub pids_limit: Option<i64>,
    /// Whether the container's own file system can only be read.
    pub read_only: bool,
    /// Further groups of the user.
    pub group_add: Vec<String>,
    /// Security options.
    pub security_opt: Vec<String>,
    /// Settings of the kernel's, for the container's namespaces.
    pub sysctls: IndexMap<String, String>,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Rules for devices.
    pub device_cgroup_rules: Vec<String>,
    /// Name servers.
    pub dns: Vec<String>,
    /// Options of the resolver.
    pub dns_opt: Vec<String>,
    /// Domains in which names are looked up.
    pub dns_search: Vec<String>,
    /// The processors it may use: `0-1`.
    pub cpuset: Option<String>,
    /// Its weight among others when processors are scarce; 1024 is usual.
    pub cpu_shares: Option<i64>,
    /// Memory and swap together in bytes, -1 for no limit.
    pub memory_swap: Option<i64>,
    /// Memory in bytes that is left to it when memory is scarce.
    pub memory_reservation: Option<u64>,
    /// How readily its memory is swapped out, 0 to 100.
    pub memory_swappiness: Option<i64>,
    /// How readily the kernel kills it for want of memory, -1000 to 1000.
    pub oom_score_adj: Option<i64>,
    /// Whether the kernel must not kill it for want of memory.
    pub oom_kill_disable: bool,
    /// The runtime that runs it.
    pub runtime: Option<String>,
    /// The control group above its own.
    pub cgroup_parent: Option<String>,
    /// The user namespace.
    pub userns_mode: Option<String>,
    /// Domain name within the container.
    pub domainname: Option<String>,
    /// Options of the storage driver.
    pub storage_opt: IndexMap<String, String>,
    /// Seconds between the signal that ends it and the one that kills it.
    pub stop_seconds: Option<i64>,
    /// The driver that keeps its log, and the driver's options. Always one whose logs can be read.
    pub logging: Option<(String, IndexMap<String, String>)>,
}

/// A device of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its path on the host.
    pub host: String,
    /// Its path in the container.
    pub container: String,
    /// Some of `r`, `w` and `m`.
    pub permissions: String,
}

/// Drivers whose logs the engine can read back.
const READABLE_LOGS: [&str; 3] = ["json-file", "local", "journald"];
const NUMBER_HELP: &str = "a number without a fraction, such as 1024";
/// Takes the place of the host's `/dev/shm` where a service asks for that: browsers do, as 64 MiB are too few for them.
const SHM_FOR_HOST_IPC: u64 = 1 << 30;

/// Reads one setting; `false` if it is none of these.
pub(super) fn setting(reader: &mut Reader<'_>, service: &mut Service, key: &str, node: &Node, place: Place) -> bool {
    let tuning = &mut service.tuning;
    match key {
        "ulimits" => tuning.ulimits = ulimits(reader, node),
        "pids_limit" => tuning.pids_limit = number(reader, node, key),
        "read_only" => tuning.read_only = reader.flag(node, key),
        "group_add" => tuning.group_add = reader.names(node, key),
        "security_opt" => tuning.security_opt = security_options(reader, node),
        "sysctls" => tuning.sysctls = with_values(reader.pairs(node, key)),
        "storage_opt" => tuning.storage_opt = with_values(reader.pairs(node, key)),
        "devices" => tuning.devices = devices(reader, node),
        "device_cgroup_rules" => tuning.device_cgroup_rules = reader.names(node, key),
        "dns" => tuning.dns = names(reader, node, key),
        "dns_opt" => tuning.dns_opt = names(reader, node, key),
        "dns_search" => tuning.dns_search = names(reader, node, key),
        "cpuset" => tuning.cpuset = reader.text(node, key),
        "cpu_shares" => tuning.cpu_shares = number(reader, node, key),
        "memswap_limit" => {
            tuning.memory_swap = reader.parsed(node, key, units::SIZE_HELP, |text| match text {
                "-1" => Ok(-1),
                text => units::bytes(text).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            });
        }
        "mem_reservation" => tuning.memory_reservation = reader.parsed(node, key, units::SIZE_HELP, units::bytes),
        "mem_swappiness" => tuning.memory_swappiness = number(reader, node, key),
        "oom_score_adj" => tuning.oom_score_adj = number(reader, node, key),
        "oom_kill_disable" => tuning.oom_kill_disable = reader.flag(node, key),
        "runtime" => tuning.runtime = reader.text(node, key),
        "cgroup_parent" => tuning.cgroup_parent = reader.text(node, key),
        "userns_mode" => tuning.userns_mode = reader.text(node, key),
        "domainname" => tuning.domainname = reader.text(node, key),
        "stop_grace_period" => {
            let period = reader.parsed(node, key, duration::HELP, duration::parse);
            tuning.stop_seconds = period.and_then(|period| i64::try_from(period.as_millis().div_ceil(1000)).ok());
        }
        "logging" => tuning.logging = logging(reader, node),
        "ipc" => ipc(reader, service, node),
        "pid" => pid(reader, service, node, place),
        _ => return false,
    }
    true
}

/// A whole number.
pub(super) fn number(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<i64> {
    reader.parsed(node, what, NUMBER_HELP, |text| text.parse().map_err(|_| format!("\"{text}\" is not a whole number")))
}

fn names(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<String> {
    reader.text_or_texts(node, what).into_iter().map(|(text, _)| text).collect()
}

fn with_values(pairs: Vec<(String, Option<String>)>) -> IndexMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
}

/// Reads `security_opt`. A profile for system calls goes to the engine as its text, not as the name of its file.
fn security_options(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let mut options = Vec::new();
    for (option, place) in reader.texts(node, "security_opt") {
        let profile = option.strip_prefix("seccomp").and_then(|rest| rest.strip_prefix(['=', ':']));
        match profile.filter(|profile| !matches!(*profile, "unconfined" | "builtin")) {
            None => options.push(option),
            Some(profile) => match std::fs::read_to_string(reader.host_path(profile, place)) {
                Ok(text) => options.push(format!("seccomp={text}")),
                Err(error) => {
                    let message = format!("the seccomp profile \"{profile}\" can't be read: {error}");
                    reader.findings.problem(place, message, "the path starts at this file's folder");
                }
            },
        }
    }
    options
}

fn ulimits(reader: &mut Reader<'_>, node: &Node) -> IndexMap<String, (i64, i64)> {
    let mut limits = IndexMap::new();
    for entry in reader.entries(node, "ulimits") {
        let what = format!("ulimits.{}", entry.key);
        let (soft, hard) = if let Value::Map(_) = entry.node.value {
            let part = |reader: &mut Reader<'_>, key: &str| {
                entry.node.get(key).and_then(|part| number(reader, &part.node, &format!("{what}.{key}")))
            };
            let (soft, hard) = (part(reader, "soft"), part(reader, "hard"));
            (soft.or(hard), hard.or(soft))
        } else {
            let both = number(reader, &entry.node, &what);
            (both, both)
        };
        if let (Some(soft), Some(hard)) = (soft, hard) {
            limits.insert(entry.key.clone(), (soft, hard));
        }
    }
    limits
}

fn devices(reader: &mut Reader<'_>, node: &Node) -> Vec<Device> {
    let mut devices = Vec::new();
    for item in reader.items(node, "devices") {
        let (mut host, mut container, mut permissions) = (None, None, None);
        if let Value::Map(_) = item.value {
            let mut part = |key: &str| item.get(key).and_then(|part| reader.text(&part.node, key));
            (host, container, permissions) = (part("source"), part("target"), part("permissions"));
        } else if let Some(text) = reader.text(item, "devices") {
            let mut parts = text.split(':').map(str::to_owned);
            (host, container, permissions) = (parts.next(), parts.next(), parts.next());
        }
        match host.filter(|host| host.starts_with('/')) {
            Some(host) => devices.push(Device {
                container: container.unwrap_or_else(|| host.clone()),
                permissions: permissions.unwrap_or_else(|| "rwm".to_owned()),
                host,
            }),
            None => reader.findings.problem(
                item.place,
                "a device has no path on the host",
                "\"/dev/fuse\", \"/dev/a:/dev/b:r\", or a map with \"source\" and \"target\"",
            ),
        }
    }
    devices
}

/// Logs are followed from their first byte, which the engine allows for some drivers only.
fn logging(reader: &mut Reader<'_>, node: &Node) -> Option<(String, IndexMap<String, String>)> {
    let (mut driver, mut options) = (None, IndexMap::new());
    for entry in reader.entries(node, "logging") {
        match entry.key.as_str() {
            "driver" => driver = reader.text(&entry.node, "logging.driver").map(|driver| (driver, entry.node.place)),
            "options" => options = with_values(reader.pairs(&entry.node, "logging.options")),
            other if other.starts_with("x-") => {}
            other => reader.no_effect(format!("logging.{other}"), entry.place),
        }
    }
    match driver {
        None if options.is_empty() => None,
        // Options without a driver are the default driver's, and only the engine knows which that is.
        None => Some((String::new(), options)),
        Some((driver, _)) if READABLE_LOGS.contains(&driver.as_str()) => Some((driver, options)),
        Some((driver, place)) => {
            reader.findings.warning(
                place,
                format!("\"json-file\" takes the place of the log driver \"{driver}\", whose logs can't be followed"),
                format!("known drivers: {}", READABLE_LOGS.join(", ")),
            );
            Some(("json-file".to_owned(), IndexMap::new()))
        }
    }
}

fn ipc(reader: &mut Reader<'_>, service: &mut Service, node: &Node) {
    match reader.text(node, "ipc").as_deref() {
        None | Some("") => {}
        Some(mode @ ("private" | "shareable" | "none")) => service.ipc = Namespace::Own(mode.to_owned()),
        Some("host") => {
            service.shm_size.get_or_insert(SHM_FOR_HOST_IPC);
            reader.findings.warning(
                node.place,
                "\"ipc: host\" is left out, as all copies would share the host's memory segments",
                "the service gets a /dev/shm of its own, of 1 GiB unless \"shm_size\" says more",
            );
        }
        Some(mode) => match mode.strip_prefix("service:") {
            Some(other) => service.ipc = Namespace::Of(other.to_owned()),
            None => wrong_mode(reader, node, "ipc", mode, &["private", "shareable", "none", "host", "service:NAME"]),
        },
    }
}

fn pid(reader: &mut Reader<'_>, service: &mut Service, node: &Node, place: Place) {
    match reader.text(node, "pid").as_deref() {
        None | Some("") => {}
        Some("host") => reader.findings.warning(
            place,
            "\"pid: host\" is left out: a copy must not see the processes of others",
            "use \"service:NAME\" to see those of one service",
        ),
        Some(mode) => match mode.strip_prefix("service:") {
            Some(other) => service.pid_of = Some(other.to_owned()),
            None => wrong_mode(reader, node, "pid", mode, &["host", "service:NAME"]),
        },
    }
}

fn wrong_mode(reader: &mut Reader<'_>, node: &Node, what: &str, mode: &str, known: &[&str]) {
    let help = suggest::help(mode, "modes", known.iter().copied());
    reader.findings.problem(node.place, format!("\"{what}: {mode}\" is not supported"), help);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> (Service, String) {
        let mut reader = Reader::for_test();
        let mut service = Service::default();
        for entry in reader.entries(&Node::parse(yaml, 0).unwrap(), "a service").to_vec() {
            assert!(setting(&mut reader, &mut service, &entry.key, &entry.node, entry.place), "{}", entry.key);
        }
        (service, reader.problems())
    }

    fn tuning(yaml: &str) -> Tuning {
        let (service, problems) = read(yaml);
        assert_eq!(problems, "", "{yaml}");
        service.tuning
    }

    #[test]
    fn limits_are_one_number_or_two() {
        let limits =
            tuning("ulimits: { memlock: -1, nofile: { soft: 1024, hard: 65536 }, nproc: { soft: 5 } }").ulimits;
        let expected = [("memlock", (-1, -1)), ("nofile", (1024, 65536)), ("nproc", (5, 5))];
        assert_eq!(limits, expected.map(|(name, limit)| (name.to_owned(), limit)).into());
        assert_eq!(tuning("memswap_limit: -1").memory_swap, Some(-1));
        assert_eq!(tuning("memswap_limit: 1g").memory_swap, Some(1 << 30));
        assert_eq!(tuning("stop_grace_period: 1m30s").stop_seconds, Some(90));
        assert_eq!(tuning("stop_grace_period: 500ms").stop_seconds, Some(1));
    }

    #[test]
    fn devices_have_a_short_and_a_long_form() {
        let device = |host: &str, container: &str, permissions: &str| Device {
            host: host.to_owned(),
            container: container.to_owned(),
            permissions: permissions.to_owned(),
        };
        let read = tuning("devices: [/dev/fuse, '/dev/a:/dev/b:r', { source: /dev/c, target: /dev/d }]").devices;
        let expected = [
            device("/dev/fuse", "/dev/fuse", "rwm"),
            device("/dev/a", "/dev/b", "r"),
            device("/dev/c", "/dev/d", "rwm"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_log_that_could_not_be_followed_is_kept_as_json() {
        let log =
            |yaml: &str| tuning(&format!("logging: {yaml}")).logging.map(|(driver, options)| (driver, options.len()));
        assert_eq!(log("{ driver: local, options: { max-size: 1m } }"), Some(("local".to_owned(), 1)));
        assert_eq!(log("{ driver: syslog, options: { tag: web } }"), Some(("json-file".to_owned(), 0)));
        assert_eq!(log("{ options: { max-size: 1m } }"), Some((String::new(), 1)));
        assert_eq!(log("{}"), None);
    }

    #[test]
    fn the_hosts_namespaces_are_left_out() {
        let (service, _) = read("ipc: host\npid: host");
        assert_eq!((service.ipc, service.shm_size, service.pid_of), (Namespace::default(), Some(1 << 30), None));
        let (service, _) = read("ipc: service:db\npid: service:web");
        assert_eq!((service.ipc, service.pid_of), (Namespace::Of("db".to_owned()), Some("web".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (yaml, expected) in [
            ("ulimits: { nofile: many }", "\"ulimits.nofile\": \"many\" is not a whole number"),
            ("devices: [fuse]", "a device has no path on the host"),
            ("ipc: shared", "\"ipc: shared\" is not supported"),
            ("pid: container:x", "\"pid: container:x\" is not supported"),
            ("memswap_limit: lots", "\"memswap_limit\": \"lots\" is not a size"),
            ("security_opt: ['seccomp:no.json']", "the seccomp profile \"no.json\" can't be read"),
            ("dns: { a: b }", "\"dns\" must be a list"),
        ] {
            let problems = read(yaml).1;
            assert!(problems.contains(expected), "{yaml}: {problems}");
        }
    }
}
