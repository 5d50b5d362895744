//! `extends`: a service that starts from another one, of this file or of another.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::findings::Place;
use super::files::{Filled, Loader, Parsed};
use super::interpolate::{Lookup, fill};
use super::merge;
use super::tree::{Entry, Node, Value};
use crate::manifest::suggest;

/// Where `extends` points.
struct Base {
    service: String,
    file: Option<String>,
    place: Place,
}

/// Fills the variables of `service` in and puts it over what it extends. `chain` names what led here.
pub(super) fn resolve(
    loader: &mut Loader,
    parsed: &Rc<Parsed>,
    service: &Entry,
    lookup: Lookup<'_>,
    chain: &mut Vec<(PathBuf, String)>,
) -> Option<Filled> {
    let mut filled = Filled { entry: service.clone(), unfilled: loader.findings.aside() };
    fill(&mut filled.entry.node, lookup, &mut filled.unfilled);
    let Some(base) = take_extends(loader, &mut filled.entry.node) else { return Some(filled) };
    let base = base?;

    let link = (parsed.path.clone(), service.key.clone());
    if let Some(start) = chain.iter().position(|visited| *visited == link) {
        let circle: Vec<&str> = chain[start..].iter().chain([&link]).map(|(_, name)| name.as_str()).collect();
        let message = format!("the services extend each other in a circle: {}", circle.join(" → "));
        loader.findings.problem(base.place, message, "one of them must stand by itself");
        return None;
    }
    let other = match &base.file {
        None => parsed.clone(),
        Some(file) => named_file(loader, file, base.place)?,
    };
    let Some(below) = other.services().iter().find(|entry| entry.key == base.service) else {
        let help = suggest::help(&base.service, "services", other.services().iter().map(|entry| entry.key.as_str()));
        let whose = base.file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
        let message = format!("\"{}\" extends an unknown service \"{}\"{whose}", service.key, base.service);
        loader.findings.problem(base.place, message, help);
        return None;
    };
    chain.push(link);
    let below = resolve(loader, &other, below, lookup, chain);
    chain.pop();
    let mut below = below?;
    filled.entry.node = merge::service(below.entry.node, filled.entry.node);
    below.unfilled.absorb(filled.unfilled);
    filled.unfilled = below.unfilled;
    Some(filled)
}

/// Takes `extends` out of a service: `None` if it has none, `Some(None)` if it can't be read.
fn take_extends(loader: &mut Loader, service: &mut Node) -> Option<Option<Base>> {
    let Value::Map(entries) = &mut service.value else { return None };
    let index = entries.iter().position(|entry| entry.key == "extends")?;
    let entry = entries.remove(index);
    let text = |node: &Node| match &node.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    };
    let of_map = |key: &str| entry.node.get(key).and_then(|entry| text(&entry.node));
    let service = text(&entry.node).or_else(|| of_map("service"));
    let Some(service) = service else {
        let help = "a service's name, or a map with \"service\" and, for one of another file, \"file\"";
        loader.findings.problem(entry.node.place, "\"extends\" names no service", help);
        return Some(None);
    };
    if let Value::Map(settings) = &entry.node.value {
        for unknown in settings.iter().filter(|setting| !["service", "file"].contains(&setting.key.as_str())) {
            let help = suggest::help(&unknown.key, "keys", ["service", "file"]);
            loader.findings.problem(unknown.place, format!("unknown key \"{}\" in \"extends\"", unknown.key), help);
        }
    }
    Some(Some(Base { service, file: of_map("file"), place: entry.place }))
}

fn named_file(loader: &mut Loader, file: &str, place: Place) -> Option<Rc<Parsed>> {
    let folder = loader.folder(place);
    let shown = folder.show(Path::new(file));
    let path = super::reader::clean(&folder.path.join(file));
    if !path.is_file() {
        let message = format!("there is no file \"{file}\" to extend a service of");
        loader.findings.problem(place, message, "the path starts at this file's folder");
        return None;
    }
    loader.extended(&path, &shown)
}
