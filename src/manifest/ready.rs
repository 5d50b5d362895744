//! `[environment.ready]`: when a service counts as ready, where its Compose file has no health check or a slow one.

use toml::de::DeValue;

use super::compose::{Condition, Read};
use super::findings::Findings;
use super::section::{Located, Section, kind_of};
use super::suggest;

const HELP: &str = "\"http:3000/up\", \"tcp:5432\", or a command in the service as a list of words";

/// What must hold until a service counts as ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A `GET` is answered with a status from 200 to 399.
    Http {
        /// The container's port.
        port: u16,
        /// The path, from its slash on.
        path: String,
    },
    /// A connection is accepted.
    Tcp {
        /// The container's port.
        port: u16,
    },
    /// A command within the service's container ends with exit code 0.
    Command(Vec<String>),
}

/// Reads it: each service, with its line, and its probe.
pub(super) fn read(environment: &Section<'_>, findings: &mut Findings) -> Vec<(Located<String>, Probe)> {
    let Some(entries) = environment.entries("ready", findings) else { return Vec::new() };
    let mut probes = Vec::new();
    for (service, value) in entries {
        let probe = match value.value {
            DeValue::String(text) => address(text),
            DeValue::Array(words) => {
                let words: Option<Vec<String>> =
                    words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect();
                words.filter(|words| !words.is_empty()).map(Probe::Command)
            }
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => None,
        };
        match probe {
            Some(probe) => probes.push((service, probe)),
            None => {
                let written =
                    value.value.as_str().map_or(kind_of(value.value).to_owned(), |text| format!("\"{text}\""));
                findings.problem(value.line, format!("\"{}\" can't be probed by {written}", service.value), HELP);
            }
        }
    }
    probes
}

/// `http:3000/up` or `tcp:5432`.
fn address(text: &str) -> Option<Probe> {
    let (kind, rest) = text.split_once(':')?;
    let (port, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    match kind {
        "http" if path.chars().all(|c| c.is_ascii_graphic()) => {
            Some(Probe::Http { port, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } })
        }
        "tcp" if path.is_empty() => Some(Probe::Tcp { port }),
        _ => None,
    }
}

/// Reports probes of services that there are not, or that end instead of becoming ready.
pub(super) fn check(probes: &[(Located<String>, Probe)], read: &Read, manifest: &mut Findings) {
    for (service, _) in probes {
        let name = &service.value;
        let services = &read.project.services;
        if !services.contains_key(name) {
            let help = suggest::help(name, "services", services.keys().map(String::as_str));
            let message = format!("\"ready\" names \"{name}\", which is not a service of the environment");
            manifest.problem(service.line, message, help);
        }
        let ends =
            |other: &super::compose::Service| other.depends_on.get(name) == Some(&Condition::CompletedSuccessfully);
        if let Some((other, _)) = services.iter().find(|(_, other)| ends(other)) {
            let message = format!("\"ready\" names \"{name}\", for whose end \"{other}\" waits");
            manifest.problem(
                service.line,
                message,
                "leave it out: it counts as ready when it has ended with exit code 0",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_whole_or_not_at_all() {
        let http = |port, path: &str| Some(Probe::Http { port, path: path.to_owned() });
        assert_eq!(address("http:3000"), http(3000, "/"));
        assert_eq!(address("http:3000/up?full=1"), http(3000, "/up?full=1"));
        assert_eq!(address("tcp:5432"), Some(Probe::Tcp { port: 5432 }));
        for wrong in ["tcp:5432/x", "http:0/", "http:/up", "tcp:70000", "https:443", "3000", "http:80/a b", ""] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
