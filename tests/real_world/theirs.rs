//! A service as `docker-compose config` prints it.
#![expect(clippy::wildcard_enum_match_arm, reason = "the values of JSON are no enum of ours")]

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{LINKED, Settings, folder, map, put, sorted};

/// What `docker-compose config` prints, or says instead.
pub(crate) fn config(project: &str, files: &[String], profiles: &[String]) -> Result<Value, String> {
    let mut command = Command::new("docker-compose");
    command.current_dir(folder(project)).env_clear().env("HOME", "/home/somebody");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for file in files {
        command.args(["-f", file]);
    }
    for profile in profiles {
        command.args(["--profile", profile]);
    }
    let output = command.arg("config").output().expect("docker-compose is missing: scripts/test installs it");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).expect("text");
    Ok(serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{project}: {error}")))
}

/// A scalar as text, `$$` being what a plain `$` is written as.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace("$$", "$"),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => panic!("{value} is no text"),
    }
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Null => Vec::new(),
        other => vec![text(other)],
    }
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(map) => map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), text(v))).collect(),
        other => list(other)
            .into_iter()
            .filter_map(|item| item.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect(),
    }
}

fn map_of(value: &Value) -> String {
    let pairs = pairs(value);
    map(pairs.iter().map(|(name, value)| (name, value)))
}

/// Words as a shell splits them.
fn words(value: &Value) -> String {
    let words = match value {
        Value::Null => return String::new(),
        Value::Array(_) => list(value),
        other => {
            let output = Command::new("python3")
                .args(["-c", "import json, shlex, sys; print(json.dumps(shlex.split(sys.argv[1])))", &text(other)])
                .output()
                .expect("python3 comes with docker-compose");
            serde_json::from_slice(&output.stdout).expect("a list")
        }
    };
    format!("{words:?}")
}

fn bytes(value: &Value) -> String {
    let text = text(value).to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let Ok(number) = digits.parse::<u64>() else { return text };
    let shift = match text[digits.len()..].trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        unit => panic!("{unit}"),
    };
    (number << shift).to_string()
}

fn time(value: &Value, default: Duration) -> Duration {
    match value {
        Value::Null => default,
        value => Duration::try_from(text(value).parse::<jiff::SignedDuration>().expect("a duration")).expect("no less"),
    }
}

/// Its settings in words that both sides use.
pub(crate) fn of_theirs(root: &Value, service: &Value) -> Settings {
    let mut settings = Settings::new();
    let mut put = |name, value: String| put(&mut settings, name, value);
    let build = &service["build"];
    if build.is_null() {
        put("image", text(&service["image"]));
    } else {
        put("build.context", text(&build["context"]));
        let dockerfile = text(&build["dockerfile"]);
        put("build.dockerfile", if dockerfile.is_empty() { "Dockerfile".to_owned() } else { dockerfile });
        put("build.args", map_of(&build["args"]));
        put("build.target", text(&build["target"]));
    }
    put("command", words(&service["command"]));
    put("entrypoint", words(&service["entrypoint"]));
    put("environment", map_of(&service["environment"]));
    let waits: Vec<String> = match &service["depends_on"] {
        Value::Object(map) => map.iter().map(|(name, is)| format!("{name}: {}", text(&is["condition"]))).collect(),
        other => list(other).into_iter().map(|name| format!("{name}: service_started")).collect(),
    };
    let from: Vec<String> = list(&service["volumes_from"])
        .iter()
        .map(|from| from.strip_prefix("service:").unwrap_or(from).to_owned())
        .map(|from| if from.contains(':') { from } else { format!("{from}:rw") })
        .collect();
    // What is linked to or shared is compared by itself.
    let aside: Vec<String> = ["network_mode", "pid", "ipc"]
        .iter()
        .filter_map(|key| text(&service[key]).strip_prefix("service:").map(str::to_owned))
        .chain(from.iter().map(|from| from.split(':').next().unwrap_or_default().to_owned()))
        .chain(LINKED.map(str::to_owned))
        .map(|name| format!("{name}: service_started"))
        .collect();
    put("depends_on", sorted(waits.into_iter().filter(|wait| !aside.contains(wait))));
    let (mut volumes, mut tmpfs) = volumes(&service["volumes"]);
    volumes.extend(injected(root, service, "configs", "/"));
    volumes.extend(injected(root, service, "secrets", "/run/secrets/"));
    put("volumes", sorted(volumes));
    tmpfs.extend(list(&service["tmpfs"]).iter().map(|path| {
        let (path, options) = path.split_once(':').unwrap_or((path, ""));
        format!("{path}:{options}")
    }));
    put("tmpfs", sorted(tmpfs));
    put("ports", sorted(service["ports"].as_array().into_iter().flatten().map(port)));
    put("expose", sorted(list(&service["expose"])));
    let check = &service["healthcheck"];
    let test = list(&check["test"]);
    put(
        "healthcheck",
        match test.first().map(String::as_str) {
            _ if check["disable"] == Value::Bool(true) => "NONE".to_owned(),
            None => String::new(),
            Some("NONE") => "NONE".to_owned(),
            Some(kind) => {
                let shell = |line: &str| vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()];
                let command = match kind {
                    "CMD" => test[1..].to_vec(),
                    "CMD-SHELL" => shell(&test[1]),
                    line => shell(line),
                };
                let half = Duration::from_secs(30);
                let (interval, timeout) = (time(&check["interval"], half), time(&check["timeout"], half));
                let start_period = time(&check["start_period"], Duration::ZERO);
                format!(
                    "{command:?} {interval:?} {timeout:?} {} {start_period:?}",
                    check["retries"].as_u64().unwrap_or(3)
                )
            }
        },
    );
    put("shm_size", bytes(&service["shm_size"]));
    let limits = &service["deploy"]["resources"]["limits"];
    put("memory", bytes(if limits["memory"].is_null() { &service["mem_limit"] } else { &limits["memory"] }));
    let cpus = text(if limits["cpus"].is_null() { &service["cpus"] } else { &limits["cpus"] });
    put("cpus", cpus.parse::<f64>().map(|cpus| format!("{:.0}", cpus * 1000.0)).unwrap_or_default());
    for flag in ["init", "privileged", "read_only"] {
        put(flag, if service[flag] == Value::Bool(true) { "true".to_owned() } else { String::new() });
    }
    for name in ["user", "working_dir", "hostname", "stop_signal", "network_mode", "ipc", "pid", "cpuset", "domainname"]
    {
        put(name, text(&service[name]));
    }
    for name in ["pids_limit", "cpu_shares", "oom_score_adj"] {
        put(name, text(&service[name]));
    }
    put("memswap_limit", bytes(&service["memswap_limit"]));
    let reserved = &service["deploy"]["resources"]["reservations"]["memory"];
    put("mem_reservation", bytes(if reserved.is_null() { &service["mem_reservation"] } else { reserved }));
    for name in ["cap_add", "cap_drop", "group_add", "security_opt", "dns", "dns_search"] {
        put(name, sorted(list(&service[name])));
    }
    let hosts = &service["extra_hosts"];
    let hosts = match hosts {
        Value::Object(map) => map.iter().map(|(name, address)| format!("{name}:{}", text(address))).collect(),
        other => list(other),
    };
    put("extra_hosts", sorted(hosts));
    let networks = service["networks"].as_object().into_iter().flat_map(|map| map.values());
    put("aliases", sorted(networks.flat_map(|network| list(&network["aliases"]))));
    put("labels", map_of(&service["labels"]));
    put("sysctls", map_of(&service["sysctls"]));
    let limit = |(name, limit): (&String, &Value)| match limit {
        Value::Object(both) => format!("{name}={}:{}", both["soft"], both["hard"]),
        one => format!("{name}={one}:{one}"),
    };
    put("ulimits", sorted(service["ulimits"].as_object().into_iter().flatten().map(limit)));
    let grace = &service["stop_grace_period"];
    put(
        "stop_grace_period",
        if grace.is_null() { String::new() } else { time(grace, Duration::ZERO).as_secs().to_string() },
    );
    let device = |device: String| {
        let parts: Vec<&str> = device.split(':').collect();
        let at = |index: usize, or: &str| parts.get(index).copied().unwrap_or(or).to_owned();
        format!("{}:{}:{}", parts[0], at(1, parts[0]), at(2, "rwm"))
    };
    put("devices", sorted(list(&service["devices"]).into_iter().map(device)));
    put("volumes_from", sorted(from));
    let log = &service["logging"];
    put(
        "logging",
        if log.is_null() { String::new() } else { format!("{} {}", text(&log["driver"]), map_of(&log["options"])) },
    );
    settings
}

fn port(port: &Value) -> String {
    if let Value::Object(port) = port {
        let part = |key: &str| port.get(key).map(text).unwrap_or_default();
        let protocol = Some(part("protocol")).filter(|protocol| !protocol.is_empty());
        let protocol = protocol.unwrap_or_else(|| "tcp".to_owned());
        return format!("{}:{}:{}/{protocol}", part("host_ip"), part("published"), part("target"));
    }
    let port = text(port);
    let (numbers, protocol) = port.split_once('/').unwrap_or((&port, "tcp"));
    let parts: Vec<&str> = numbers.rsplit(':').collect();
    let at = |index: usize| parts.get(index).copied().unwrap_or_default();
    format!("{}:{}:{}/{protocol}", at(2), at(1), at(0))
}

/// Configs or secrets as the mounts that they come to.
fn injected(root: &Value, service: &Value, key: &str, folder: &str) -> Vec<String> {
    let mount = |usage: &Value| {
        let source = if usage.is_object() { text(&usage["source"]) } else { text(usage) };
        let target = Some(&usage["target"]).filter(|target| target.is_string()).map_or_else(|| source.clone(), text);
        let target = if target.starts_with('/') { target } else { format!("{folder}{target}") };
        format!("{}:{target}:ro", text(&root[key][&source]["file"]))
    };
    service[key].as_array().into_iter().flatten().map(mount).collect()
}

/// Volumes, and file systems in memory.
fn volumes(value: &Value) -> (Vec<String>, Vec<String>) {
    let (mut volumes, mut tmpfs) = (Vec::new(), Vec::new());
    for volume in value.as_array().into_iter().flatten() {
        if let Value::Object(long) = volume {
            let part = |key: &str| long.get(key).map(text).unwrap_or_default();
            if part("type") == "tmpfs" {
                tmpfs.push(format!("{}:", part("target")));
                continue;
            }
            let mode = if part("read_only") == "true" { "ro" } else { "rw" };
            volumes.push(format!("{}:{}:{mode}", part("source"), part("target")));
            continue;
        }
        let volume = text(volume);
        let parts: Vec<&str> = volume.split(':').collect();
        let modes: HashMap<&str, &str> = HashMap::from([("ro", "ro"), ("ro,z", "ro")]);
        volumes.push(match parts.as_slice() {
            [target] => format!(":{target}:rw"),
            [source, target] => format!("{source}:{target}:rw"),
            [source, target, mode, ..] => format!("{source}:{target}:{}", modes.get(mode).unwrap_or(&"rw")),
            [] => unreachable!("a split gives one part at least"),
        });
    }
    (volumes, tmpfs)
}
