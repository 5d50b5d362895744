//! `depends_on` across services: every name known, no circles.

use indexmap::IndexMap;

use super::super::findings::{At, Findings, Place};
use super::service::{Dependency, Draft};
use super::{Condition, Healthcheck, NetworkMode, Service};
use crate::manifest::suggest;

/// Turns drafts into services that depend on each other. `places` names every service of the file, also those that are
/// left out for their profile.
pub(super) fn resolve(
    mut drafts: IndexMap<String, Draft>,
    places: &IndexMap<String, Place>,
    findings: &mut Findings,
) -> IndexMap<String, Service> {
    share(&mut drafts, places, findings);
    let mut resolved: IndexMap<String, IndexMap<String, Condition>> = IndexMap::new();
    for (name, draft) in &drafts {
        let kept = draft.dependencies.iter().filter(|dependency| holds(name, dependency, &drafts, places, findings));
        resolved.insert(name.clone(), kept.map(|kept| (kept.name.clone(), kept.condition)).collect());
    }
    report_circles(&resolved, &drafts, findings);
    let mut services = IndexMap::new();
    for (name, depends_on) in resolved {
        if let Some(draft) = drafts.get_mut(&name) {
            let service = std::mem::take(&mut draft.service);
            services.insert(name, Service { depends_on, ..service });
        }
    }
    services
}

/// Makes links aliases, and lets each service start after those that it shares something with or links to.
fn share(drafts: &mut IndexMap<String, Draft>, places: &IndexMap<String, Place>, findings: &mut Findings) {
    let mut aliases = Vec::new();
    for (name, draft) in drafts.iter_mut() {
        let here = draft.shares.or(places.get(name).copied());
        let shared = draft.service.shares_with().into_iter().map(|other| (other.to_owned(), here));
        let mut needed: Vec<_> = shared.collect();
        for (other, alias, place) in std::mem::take(&mut draft.links) {
            if alias != other {
                aliases.push((other.clone(), alias));
            }
            needed.push((other, Some(place)));
        }
        for (other, place) in needed {
            let Some(place) = place else { continue };
            if !draft.dependencies.iter().any(|dependency| dependency.name == other) {
                let condition = Condition::Started;
                draft.dependencies.push(Dependency { name: other, condition, required: true, place });
            }
        }
    }
    for (service, alias) in aliases {
        let Some(draft) = drafts.get_mut(&service) else { continue };
        if !draft.service.aliases.contains(&alias) {
            draft.service.aliases.push(alias);
        }
    }
    // An own network is what is shared: none can be had from a service that shares another's.
    let without: Vec<String> = drafts
        .iter()
        .filter(|(_, draft)| draft.service.network != NetworkMode::Environment)
        .map(|(name, _)| name.clone())
        .collect();
    for (name, draft) in drafts.iter() {
        let NetworkMode::Of(other) = &draft.service.network else { continue };
        if without.contains(other) {
            findings.problem(
                draft.shares.or(places.get(name).copied()).map_or(At::from(None::<usize>), At::from),
                format!("\"{name}\" shares the network of \"{other}\", which has none of its own"),
                "name the service whose network they share",
            );
        }
    }
}

/// Whether the dependency leads somewhere; reports it if it should and doesn't.
fn holds(
    name: &str,
    dependency: &Dependency,
    drafts: &IndexMap<String, Draft>,
    places: &IndexMap<String, Place>,
    findings: &mut Findings,
) -> bool {
    let wanted = &dependency.name;
    if let Some(other) = drafts.get(wanted) {
        if dependency.condition == Condition::Healthy && other.service.healthcheck == Some(Healthcheck::Disabled) {
            findings.problem(
                dependency.place,
                format!("\"{name}\" waits for \"{wanted}\" to be healthy, but its health check is switched off"),
                "give it a health check, or use the condition service_started",
            );
        }
        return true;
    }
    if dependency.required {
        if places.contains_key(wanted) {
            findings.problem(
                dependency.place,
                format!("\"{name}\" depends on \"{wanted}\", which is left out as it belongs to a profile"),
                "switch the profile on with \"profiles\" in [environment], or write \"required: false\" here",
            );
        } else {
            let help = suggest::help(wanted, "services", places.keys().map(String::as_str));
            findings.problem(dependency.place, format!("\"{name}\" depends on an unknown service \"{wanted}\""), help);
        }
    }
    false
}

/// Reports each circle once, at the dependency that leads into it.
fn report_circles(
    resolved: &IndexMap<String, IndexMap<String, Condition>>,
    drafts: &IndexMap<String, Draft>,
    findings: &mut Findings,
) {
    let mut done: Vec<&str> = Vec::new();
    for start in resolved.keys() {
        let mut path: Vec<&str> = Vec::new();
        visit(start, resolved, &mut path, &mut done, &mut |circle| {
            let (from, to) = (circle[0], circle[1]);
            let dependencies = drafts.get(from).map(|draft| draft.dependencies.as_slice()).unwrap_or_default();
            let place = dependencies.iter().find(|dependency| dependency.name == to).map(|dependency| dependency.place);
            findings.problem(
                place.map_or(At::from(None::<usize>), At::from),
                format!("the services depend on each other in a circle: {}", circle.join(" → ")),
                "one of them must be able to start before the others",
            );
        });
    }
}

fn visit<'s>(
    service: &'s str,
    resolved: &'s IndexMap<String, IndexMap<String, Condition>>,
    path: &mut Vec<&'s str>,
    done: &mut Vec<&'s str>,
    report: &mut dyn FnMut(&[&str]),
) {
    if let Some(start) = path.iter().position(|visited| *visited == service) {
        let mut circle = path[start..].to_vec();
        circle.push(service);
        report(&circle);
        return;
    }
    if done.contains(&service) {
        return;
    }
    path.push(service);
    for next in resolved.get(service).into_iter().flat_map(IndexMap::keys) {
        visit(next, resolved, path, done, report);
    }
    path.pop();
    done.push(service);
}
