//! The settings that Compose knows, by what becomes of them here.

/// Settings of a service that are acted on.
pub(super) const ACTED_ON: &[&str] = &[
    "build",
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_period",
    "cpu_quota",
    "cpu_shares",
    "cpus",
    "cpuset",
    "depends_on",
    "deploy",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "extra_hosts",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "label_file",
    "labels",
    "links",
    "logging",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "privileged",
    "profiles",
    "pull_policy",
    "read_only",
    "restart",
    "runtime",
    "secrets",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "ulimits",
    "user",
    "userns_mode",
    "volumes",
    "volumes_from",
    "working_dir",
];

/// Settings of a service that make no difference to a test, so that nothing need be said about them.
pub(super) const HARMLESS: &[&str] = &["annotations", "attach", "develop", "stdin_open", "tty"];

/// Settings of a service that are left out, which its writer should know.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "blkio_config",
    "cgroup",
    "cpu_count",
    "cpu_percent",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "credential_spec",
    "external_links",
    "gpus",
    "isolation",
    "mac_address",
    "models",
    "post_start",
    "pre_stop",
    "provider",
    "scale",
    "use_api_socket",
    "uts",
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
