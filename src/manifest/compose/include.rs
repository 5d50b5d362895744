//! `include`: other Compose files as they are, with folders and variables of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::findings::Place;
use super::files::{Folder, Loader, Model};
use super::interpolate::Lookup;
use super::reader::clean;
use super::tree::{Entry, Node, Value};
use crate::manifest::suggest;

const KEYS: [&str; 3] = ["path", "project_directory", "env_file"];

/// Reads everything that `include` names. `including` are the files that led here.
pub(super) fn read(loader: &mut Loader, entry: &Entry, lookup: Lookup<'_>, including: &mut Vec<PathBuf>) -> Vec<Model> {
    let Value::List(items) = &entry.node.value else {
        loader.findings.problem(entry.place, "\"include\" is no list", "a list of paths, or of maps with \"path\"");
        return Vec::new();
    };
    items.iter().filter_map(|item| one(loader, item, lookup, including)).collect()
}

fn one(loader: &mut Loader, item: &Node, lookup: Lookup<'_>, including: &mut Vec<PathBuf>) -> Option<Model> {
    if let Value::Map(settings) = &item.value {
        for unknown in settings.iter().filter(|setting| !KEYS.contains(&setting.key.as_str())) {
            let help = suggest::help(&unknown.key, "keys", KEYS);
            loader.findings.problem(unknown.place, format!("unknown key \"{}\" in \"include\"", unknown.key), help);
        }
    }
    let paths = texts(item, "path");
    if paths.is_empty() {
        loader.findings.problem(item.place, "\"include\" names no file", "a path, or a map with \"path\"");
        return None;
    }
    let here = loader.folder(item.place).clone();
    let mut files = Vec::new();
    for (path, place) in &paths {
        let shown = here.show(Path::new(path));
        let absolute = clean(&here.path.join(path));
        if including.contains(&absolute) {
            let message = format!("\"{path}\" includes itself");
            loader.findings.problem(*place, message, "leave it out here, or in one of the files between");
            return None;
        }
        if !absolute.is_file() {
            let message = format!("there is no file \"{path}\" to include");
            loader.findings.problem(*place, message, "the path starts at this file's folder");
            return None;
        }
        files.push(shown);
    }
    let folder = match item.get("project_directory").and_then(|entry| texts_of(&entry.node).pop()) {
        Some((directory, _)) => Folder::new(&here.show(Path::new(&directory))),
        None => Folder::of(&files[0]),
    };
    let own = variables(loader, item, &here, &folder, lookup);
    let with_own = |name: &str| lookup(name).or_else(|| own.get(name).cloned());
    loader.together(&files, &folder, &with_own, including)
}

/// The variables of the files under `env_file`, or of the `.env` beside what is included.
fn variables(
    loader: &mut Loader,
    item: &Node,
    here: &Folder,
    folder: &Folder,
    lookup: Lookup<'_>,
) -> HashMap<String, String> {
    let Some(entry) = item.get("env_file") else { return loader.dot_env(folder, lookup) };
    let mut variables = HashMap::new();
    for (path, place) in texts_of(&entry.node) {
        let file = here.show(Path::new(&path));
        if file.is_file() {
            variables.extend(loader.variables(&file, lookup));
        } else {
            let message = format!("there is no file \"{path}\" for \"env_file\"");
            loader.findings.problem(place, message, "the path starts at this file's folder");
        }
    }
    variables
}

/// The item itself if it is a text, else the texts under `key`.
fn texts(item: &Node, key: &str) -> Vec<(String, Place)> {
    match &item.value {
        Value::Text(text) => vec![(text.clone(), item.place)],
        Value::Null | Value::List(_) | Value::Map(_) => {
            item.get(key).map(|entry| texts_of(&entry.node)).unwrap_or_default()
        }
    }
}

fn texts_of(node: &Node) -> Vec<(String, Place)> {
    match &node.value {
        Value::Text(text) => vec![(text.clone(), node.place)],
        Value::List(items) => items.iter().flat_map(texts_of).collect(),
        Value::Null | Value::Map(_) => Vec::new(),
    }
}
