//! The manifest held against its Compose file.

use super::compose::{PublishedPort, Read};
use super::findings::Findings;
use super::raw::{Raw, Runner};
use super::section::Located;
use super::{Lanes, ready, snapshot, suggest};

/// Reports every reference from the manifest to a service that doesn't hold, and what N copies can't share.
pub(super) fn check(raw: &Raw, read: &Read, manifest: &mut Findings, compose: &mut Findings) {
    match &raw.runner {
        Runner::Named(runner) => {
            if !read.places.contains_key(&runner.value) {
                let message = format!("the runner \"{}\" is not a service of the Compose file", runner.value);
                manifest.problem(runner.line, message, known_services(&runner.value, read));
            }
        }
        Runner::Missing(line) => {
            let services: Vec<&str> = read.places.keys().map(String::as_str).collect();
            let help = format!("name the service in which the tests run: {}", services.join(", "));
            manifest.problem(*line, "[environment] has no \"runner\"", help);
        }
        Runner::Wrong => {}
    }
    for service in &raw.publish {
        check_publish(service, raw.lanes, read, manifest);
    }
    if let Some(service) = &raw.reset_service
        && !read.project.services.contains_key(&service.value)
    {
        let message = format!("\"reset\" names \"{}\", which is not a service of the environment", service.value);
        manifest.problem(service.line, message, known_services(&service.value, read));
    }
    ready::check(&raw.ready, read, manifest);
    snapshot::check(raw, read, manifest);
    if !is_one(raw.lanes) {
        for (path, place) in &read.writable_binds {
            compose.warning(
                *place,
                format!("all environments share \"{path}\" and can write to it"),
                "add \":ro\", use a named volume, or copy it into the image",
            );
        }
    }
}

fn check_publish(service: &Located<String>, lanes: Lanes, read: &Read, manifest: &mut Findings) {
    let name = &service.value;
    let Some(known) = read.project.services.get(name) else {
        let message = format!("\"publish\" names \"{name}\", which is not a service of the Compose file");
        manifest.problem(service.line, message, known_services(name, read));
        return;
    };
    if known.ports.is_empty() {
        let message = format!("\"publish\" names \"{name}\", which has no \"ports\" in the Compose file");
        manifest.problem(service.line, message, "give it \"ports\", or leave it out");
    }
    if is_one(lanes) {
        return;
    }
    for PublishedPort { host_port, container_port, .. } in &known.ports {
        if let Some(host_port) = host_port {
            let help = format!("use lanes = 1 or leave the host port to the engine (`- \"{container_port}\"`)");
            manifest.problem(service.line, format!("only one copy can have host port {host_port}"), help);
        }
    }
}

fn is_one(lanes: Lanes) -> bool {
    match lanes {
        Lanes::Auto => false,
        Lanes::Count(count) => count.get() == 1,
    }
}

fn known_services(name: &str, read: &Read) -> String {
    suggest::help(name, "services", read.places.keys().map(String::as_str))
}
