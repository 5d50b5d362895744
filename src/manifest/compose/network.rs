//! `ports`, `networks`, `network_mode` and `extra_hosts` of a service.
//!
//! All services of an environment share its one network, so only the names they have in it matter.

use super::super::findings::Place;
use super::reader::Reader;
use super::tree::{Node, Value};
use super::{NetworkMode, PublishedPort, Service, ports};
use crate::manifest::suggest;

/// Reads `ports`.
pub(super) fn ports(reader: &mut Reader<'_>, node: &Node) -> Vec<PublishedPort> {
    let mut published = Vec::new();
    for item in reader.items(node, "ports") {
        match &item.value {
            Value::Map(_) => published.extend(long_port(reader, item)),
            Value::Null | Value::Text(_) | Value::List(_) => {
                let Some(text) = reader.text(item, "ports") else { continue };
                match ports::published(&text) {
                    Ok(read) => published.extend(read),
                    Err(reason) => reader.findings.problem(item.place, reason, ports::HELP),
                }
            }
        }
    }
    published
}

fn long_port(reader: &mut Reader<'_>, node: &Node) -> Vec<PublishedPort> {
    let (mut target, mut published, mut host_ip, mut protocol) = (None, None, None, None);
    for setting in reader.entries(node, "ports") {
        let value = &setting.node;
        match setting.key.as_str() {
            "target" => target = reader.text(value, "target"),
            "published" => published = reader.text(value, "published"),
            "host_ip" => host_ip = reader.text(value, "host_ip"),
            "protocol" => protocol = reader.text(value, "protocol"),
            "mode" | "app_protocol" | "name" => {}
            other => reader.no_effect(format!("ports.{other}"), setting.place),
        }
    }
    let Some(target) = target else {
        reader.findings.problem(node.place, "a port has no \"target\"", "the container's port");
        return Vec::new();
    };
    let protocol = protocol.unwrap_or_else(|| "tcp".to_owned());
    if !matches!(protocol.as_str(), "tcp" | "udp") {
        reader.findings.problem(node.place, format!("unknown protocol \"{protocol}\""), "known protocols: tcp, udp");
        return Vec::new();
    }
    let published = published.unwrap_or_default();
    let written = if published.is_empty() { target.clone() } else { format!("{published}:{target}") };
    match ports::pair(&written, &host_ip.unwrap_or_default(), &published, &target, &protocol) {
        Ok(ports) => ports,
        Err(reason) => {
            reader.findings.problem(node.place, reason, ports::HELP);
            Vec::new()
        }
    }
}

/// The networks that a service names; without any it is in the one called `default`.
pub(super) fn names(node: Option<&Node>) -> Vec<String> {
    let names: Vec<String> = match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
        Some(Value::List(items)) => items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) => Some(text.clone()),
                Value::Null | Value::List(_) | Value::Map(_) => None,
            })
            .collect(),
        Some(Value::Null | Value::Text(_)) | None => Vec::new(),
    };
    if names.is_empty() { vec!["default".to_owned()] } else { names }
}

/// Reads the further names that `networks` gives a service.
pub(super) fn aliases(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let Value::Map(networks) = &node.value else {
        reader.texts(node, "networks");
        return Vec::new();
    };
    let mut aliases: Vec<String> = Vec::new();
    for network in networks {
        for setting in reader.entries(&network.node, &network.key) {
            if setting.key == "aliases" {
                for alias in reader.names(&setting.node, "aliases") {
                    if !aliases.contains(&alias) {
                        aliases.push(alias);
                    }
                }
            } else if !setting.key.starts_with("x-") && setting.key != "priority" {
                reader.no_effect(format!("networks.{}", setting.key), setting.place);
            }
        }
    }
    aliases
}

const MODES: [&str; 4] = ["service:NAME", "none", "bridge", "default"];

/// Reads `network_mode`: what reaches out of the environment would break its isolation.
pub(super) fn mode(reader: &mut Reader<'_>, node: &Node) -> NetworkMode {
    match reader.text(node, "network_mode").as_deref() {
        // The engine's own bridge is what its environment's network stands in for.
        None | Some("" | "bridge" | "default") => NetworkMode::Environment,
        Some("none") => NetworkMode::None,
        Some(mode) => {
            if let Some(other) = mode.strip_prefix("service:") {
                return NetworkMode::Of(other.to_owned());
            }
            if mode == "host" || mode.starts_with("container:") {
                reader.findings.problem(
                    node.place,
                    format!("\"network_mode: {mode}\" would break the isolation of the environments"),
                    "leave it out, as the services of an environment share a network of its own; \
                     \"service:NAME\" shares the localhost of one service",
                );
            } else {
                let help = suggest::help(mode, "modes", MODES);
                reader.findings.problem(node.place, format!("unknown network mode \"{mode}\""), help);
            }
            NetworkMode::Environment
        }
    }
}

/// Settings that a service can't have if its network is another's, or none.
const OF_AN_OWN_NETWORK: [&str; 8] =
    ["ports", "networks", "hostname", "domainname", "extra_hosts", "dns", "dns_search", "dns_opt"];

/// Leaves out what a service without a network of its own can't have, and says so.
pub(super) fn check_mode(reader: &mut Reader<'_>, service: &mut Service, node: &Node) {
    let reason = match &service.network {
        NetworkMode::Environment => return,
        NetworkMode::Of(_) => "beside network_mode: service",
        NetworkMode::None => "beside network_mode: none",
    };
    // Name and resolver stay the service's own where it has no network at all.
    let kept: &[&str] = if service.network == NetworkMode::None { &OF_AN_OWN_NETWORK[2..] } else { &[] };
    for key in OF_AN_OWN_NETWORK.iter().filter(|key| !kept.contains(key)) {
        if let Some(entry) = node.get(key) {
            reader.no_effect(format!("{key} {reason}"), entry.place);
        }
    }
    service.ports.clear();
    service.aliases.clear();
    if kept.is_empty() {
        service.hostname = None;
        service.extra_hosts.clear();
        let tuning = &mut service.tuning;
        tuning.domainname = None;
        [&mut tuning.dns, &mut tuning.dns_opt, &mut tuning.dns_search].into_iter().for_each(Vec::clear);
    }
}

/// Reads `links` as service, alias and place.
pub(super) fn links(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, String, Place)> {
    let link = |(text, place): (String, Place)| match text.split_once(':') {
        Some((service, alias)) => (service.to_owned(), alias.to_owned(), place),
        None => (text.clone(), text, place),
    };
    reader.texts(node, "links").into_iter().map(link).collect()
}

/// Reads `extra_hosts` as `name:address` lines.
pub(super) fn extra_hosts(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    if let Value::Map(entries) = &node.value {
        let mut lines = Vec::new();
        for entry in entries {
            let addresses = reader.text_or_texts(&entry.node, &entry.key);
            lines.extend(addresses.into_iter().map(|(address, _)| format!("{}:{address}", entry.key)));
        }
        return lines;
    }
    let mut lines = Vec::new();
    for (text, place) in reader.texts(node, "extra_hosts") {
        match text.split_once(['=', ':']).filter(|(name, address)| !name.is_empty() && !address.is_empty()) {
            Some((name, address)) => {
                lines.push(format!("{name}:{}", address.trim_start_matches('[').trim_end_matches(']')));
            }
            None => {
                let message = format!("\"{text}\" in \"extra_hosts\" has no name and address");
                reader.findings.problem(place, message, "\"name=address\" or \"name:address\"");
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(yaml: &str) -> Node {
        Node::parse(yaml, 0).unwrap()
    }

    #[test]
    fn long_ports_are_read() {
        let mut reader = Reader::for_test();
        let yaml = "- { target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp, mode: host }\n- target: 81";
        let read = ports(&mut reader, &parse(yaml));
        assert_eq!(reader.problems(), "");
        let port = |host_ip: &str, host_port, container_port, protocol: &str| PublishedPort {
            host_ip: host_ip.to_owned(),
            host_port,
            container_port,
            protocol: protocol.to_owned(),
        };
        assert_eq!(read, [port("127.0.0.1", Some(8080), 80, "udp"), port("", None, 81, "tcp")]);
    }

    #[test]
    fn hosts_are_lines_whatever_the_form() {
        for yaml in ["[a=10.0.0.1, 'b:[::1]']", "{ a: 10.0.0.1, b: '::1' }"] {
            let mut reader = Reader::for_test();
            assert_eq!(extra_hosts(&mut reader, &parse(yaml)), ["a:10.0.0.1", "b:::1"], "{yaml}");
            assert_eq!(reader.problems(), "");
        }
    }

    #[test]
    fn aliases_of_all_networks_are_gathered_once() {
        let mut reader = Reader::for_test();
        let read = aliases(&mut reader, &parse("{ a: { aliases: [x, y] }, b: { aliases: [y] }, c: }"));
        assert_eq!(read, ["x", "y"]);
        assert_eq!(aliases(&mut reader, &parse("[a, b]")), [""; 0]);
        assert_eq!(reader.problems(), "");
    }

    #[test]
    fn a_network_is_the_environments_that_of_a_service_or_none() {
        for (yaml, expected) in [
            ("bridge", NetworkMode::Environment),
            ("none", NetworkMode::None),
            ("service:web", NetworkMode::Of("web".to_owned())),
        ] {
            let mut reader = Reader::for_test();
            assert_eq!(mode(&mut reader, &parse(yaml)), expected);
            assert_eq!(reader.problems(), "");
        }
        for (yaml, expected) in [
            ("host", "\"network_mode: host\" would break the isolation"),
            ("container:x", "\"network_mode: container:x\" would break the isolation"),
            ("nnoe", "unknown network mode \"nnoe\"\n    did you mean \"none\"?"),
        ] {
            let mut reader = Reader::for_test();
            mode(&mut reader, &parse(yaml));
            let problems = reader.problems();
            assert!(problems.contains(expected), "{problems}");
        }
    }
}
