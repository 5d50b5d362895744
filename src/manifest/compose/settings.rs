//! The settings that Compose knows, by what becomes of them here.

/// Settings of a service that are acted on.
pub(super) const ACTED_ON: &[&str] = &[
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "cpus",
    "depends_on",
    "deploy",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "extra_hosts",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "labels",
    "mem_limit",
    "network_mode",
    "networks",
    "ports",
    "privileged",
    "profiles",
    "shm_size",
    "stop_signal",
    "tmpfs",
    "user",
    "volumes",
    "working_dir",
    "container_name",
];

/// Settings of a service that make no difference to a test, so that nothing need be said about them.
pub(super) const HARMLESS: &[&str] = &["annotations", "attach", "develop", "stdin_open", "tty"];

/// Settings of a service that are left out, which its writer should know.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "blkio_config",
    "cgroup",
    "cgroup_parent",
    "configs",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpuset",
    "credential_spec",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "external_links",
    "gpus",
    "group_add",
    "ipc",
    "isolation",
    "label_file",
    "links",
    "logging",
    "mac_address",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "post_start",
    "pre_stop",
    "provider",
    "pull_policy",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "stop_grace_period",
    "storage_opt",
    "sysctls",
    "ulimits",
    "use_api_socket",
    "userns_mode",
    "uts",
    "volumes_from",
];

/// Top-level keys of a Compose file.
pub(super) const TOP_LEVEL: &[&str] =
    &["services", "volumes", "networks", "name", "version", "secrets", "configs", "include", "models"];

/// Names for which Chromium insists on https, as whole top-level domains are on its preload list.
const ALWAYS_HTTPS: &[&str] = &[
    "android",
    "app",
    "bank",
    "boo",
    "channel",
    "chrome",
    "dad",
    "day",
    "dev",
    "eat",
    "esq",
    "fly",
    "foo",
    "gle",
    "gmail",
    "google",
    "hangout",
    "ing",
    "insurance",
    "meet",
    "meme",
    "mov",
    "new",
    "nexus",
    "page",
    "phd",
    "play",
    "prof",
    "rsvp",
    "search",
    "youtube",
    "zip",
];

/// Whether Chromium refuses to talk plain http to a host of this name.
pub(super) fn is_always_https(host: &str) -> bool {
    let last_label = host.rsplit('.').next().unwrap_or(host);
    ALWAYS_HTTPS.contains(&last_label.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_stands_in_one_list_only() {
        let mut all: Vec<&str> = ACTED_ON.iter().chain(HARMLESS).chain(WITHOUT_EFFECT).copied().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn names_that_are_top_level_domains_force_https() {
        assert!(is_always_https("app"));
        assert!(is_always_https("shop.dev"));
        assert!(!is_always_https("web"));
        assert!(!is_always_https("app.internal"));
    }
}
