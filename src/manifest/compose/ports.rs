//! `ports` and `expose`.

use super::PublishedPort;

/// What is said to somebody whose port could not be read.
pub(super) const HELP: &str = "ports look like \"8000\", \"8000:8000\", \"127.0.0.1:8000:80\" or \"53:53/udp\"";

/// Reads the short form `[[address:][host]:]container[/protocol]`. Ranges of equal length become one port each.
pub(super) fn published(text: &str) -> Result<Vec<PublishedPort>, String> {
    let (numbers, protocol) = protocol(text)?;
    let (host, container) = match numbers.rsplit_once(':') {
        Some((host, container)) => (Some(host), container),
        None => (None, numbers),
    };
    let (host_ip, host_port) = match host {
        None => ("", ""),
        // An IPv6 address stands in brackets, so that the last colon outside of them is the one before the port.
        Some(host) => {
            match host.rsplit_once(':').filter(|(address, _)| !address.starts_with('[') || address.ends_with(']')) {
                Some((address, port)) => (address, port),
                None => ("", host),
            }
        }
    };
    let host_ip = host_ip.trim_start_matches('[').trim_end_matches(']');
    if !host_ip.is_empty() && host_ip.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("\"{host_ip}\" in port \"{text}\" is no address"));
    }
    pair(text, host_ip, host_port, container, protocol)
}

/// Puts a host's ports and a container's together, each a number or a range; no host port leaves it to the engine.
pub(super) fn pair(
    written: &str,
    host_ip: &str,
    host: &str,
    container: &str,
    protocol: &str,
) -> Result<Vec<PublishedPort>, String> {
    let containers = range(written, container)?;
    let hosts = match host {
        "" | "0" => vec![None; containers.len()],
        host => range(written, host)?.into_iter().map(Some).collect(),
    };
    if hosts.len() != containers.len() {
        return Err(format!("the two ranges of port \"{written}\" differ in length"));
    }
    let port = |(host_port, container_port)| PublishedPort {
        host_ip: host_ip.to_owned(),
        host_port,
        container_port,
        protocol: protocol.to_owned(),
    };
    Ok(hosts.into_iter().zip(containers).map(port).collect())
}

/// Reads what `expose` holds: `3000`, `3000-3002`, `3000/tcp`. Ports of other protocols are left out.
pub(super) fn exposed(text: &str) -> Result<Vec<u16>, String> {
    let (numbers, protocol) = protocol(text)?;
    let ports = range(text, numbers)?;
    Ok(if protocol == "tcp" { ports } else { Vec::new() })
}

/// Splits the protocol off; it is TCP where none is named.
fn protocol(text: &str) -> Result<(&str, &str), String> {
    match text.trim().split_once('/') {
        None => Ok((text.trim(), "tcp")),
        Some((numbers, protocol @ ("tcp" | "udp"))) => Ok((numbers, protocol)),
        Some((_, other)) => Err(format!("unknown protocol \"{other}\" in port \"{text}\"")),
    }
}

fn range(written: &str, text: &str) -> Result<Vec<u16>, String> {
    let wrong = || format!("\"{written}\" is not a port");
    let number = |text: &str| {
        // `parse` would take a sign as well.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| digits && *port > 0).ok_or_else(wrong)
    };
    match text.split_once('-') {
        None => Ok(vec![number(text)?]),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("the range in port \"{written}\" runs backwards"));
            }
            Ok((first..=last).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host_ip: &str, host_port: Option<u16>, container_port: u16, protocol: &str) -> PublishedPort {
        PublishedPort { host_ip: host_ip.to_owned(), host_port, container_port, protocol: protocol.to_owned() }
    }

    #[test]
    fn every_short_form_is_read() {
        for (text, expected) in [
            ("3000", vec![port("", None, 3000, "tcp")]),
            ("8000:80", vec![port("", Some(8000), 80, "tcp")]),
            (":80", vec![port("", None, 80, "tcp")]),
            ("127.0.0.1:8001:8001", vec![port("127.0.0.1", Some(8001), 8001, "tcp")]),
            ("127.0.0.1::80", vec![port("127.0.0.1", None, 80, "tcp")]),
            ("[::1]:6000:60", vec![port("::1", Some(6000), 60, "tcp")]),
            ("53:53/udp", vec![port("", Some(53), 53, "udp")]),
            ("90-91:80-81", vec![port("", Some(90), 80, "tcp"), port("", Some(91), 81, "tcp")]),
            ("80-81", vec![port("", None, 80, "tcp"), port("", None, 81, "tcp")]),
        ] {
            assert_eq!(published(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_ports() {
        for (text, expected) in [
            ("eighty", "\"eighty\" is not a port"),
            ("80000:80", "\"80000:80\" is not a port"),
            ("0", "\"0\" is not a port"),
            ("+80", "\"+80\" is not a port"),
            ("80:", "\"80:\" is not a port"),
            ("80/sctp", "unknown protocol \"sctp\" in port \"80/sctp\""),
            ("localhost:80:80", "\"localhost\" in port \"localhost:80:80\" is no address"),
            ("90-95:80-81", "the two ranges of port \"90-95:80-81\" differ in length"),
            ("90-95:80", "the two ranges of port \"90-95:80\" differ in length"),
            ("95-90", "the range in port \"95-90\" runs backwards"),
        ] {
            assert_eq!(published(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn exposed_ports_are_tcp() {
        assert_eq!(exposed("3000"), Ok(vec![3000]));
        assert_eq!(exposed("3000-3002/tcp"), Ok(vec![3000, 3001, 3002]));
        assert_eq!(exposed("53/udp"), Ok(vec![]));
        assert!(exposed("web").is_err());
    }
}
