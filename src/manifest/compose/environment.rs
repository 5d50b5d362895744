//! `environment` and `env_file` of a service.

use std::path::Path;

use indexmap::IndexMap;

use super::Service;
use super::env_file::{self, Variable};
use super::interpolate::Lookup;
use super::reader::Reader;
use super::tree::{Node, Value};
use crate::manifest::{Problem, text};

/// Reads the files that `env_file` names, later ones over earlier ones. The second value holds the variables' names.
pub(super) fn from_files(reader: &mut Reader<'_>, node: &Node) -> (IndexMap<String, String>, Vec<String>) {
    let mut variables = IndexMap::new();
    let items = match &node.value {
        Value::Text(_) => std::slice::from_ref(node),
        Value::Null | Value::List(_) | Value::Map(_) => reader.items(node, "env_file"),
    };
    for item in items {
        for Variable { name, value } in one_file(reader, item) {
            if let Some(value) = value.or_else(|| (reader.lookup)(&name)) {
                variables.insert(name, value);
            }
        }
    }
    let names = variables.keys().cloned().collect();
    (variables, names)
}

/// Adds the labels of the files that `label_file` names, where a label isn't there yet.
pub(super) fn labels_from_files(reader: &mut Reader<'_>, node: &Node, labels: &mut IndexMap<String, String>) {
    let (from_files, _) = from_files(reader, node);
    for (name, value) in from_files {
        labels.entry(name).or_insert(value);
    }
}

/// Puts what `environment` declares over what came from files; a name without a value takes the process's.
pub(super) fn overlay(reader: &Reader<'_>, service: &mut Service, declared: Vec<(String, Option<String>)>) {
    for (name, value) in declared {
        if let Some(value) = value.or_else(|| (reader.lookup)(&name)) {
            service.secret_variables.retain(|secret| *secret != name);
            service.environment.insert(name, value);
        }
    }
}

/// Reads a file of variables and gives its bad lines as problems of that file.
pub(super) fn read_file(file: &Path, raw: bool, lookup: Lookup<'_>) -> Result<(Vec<Variable>, Vec<Problem>), Problem> {
    let content = text::read(file)?;
    let (variables, bad) = env_file::parse(&content, raw, lookup);
    let problem = |bad: env_file::BadLine| Problem {
        file: file.to_owned(),
        line: Some(bad.line),
        message: bad.message.to_owned(),
        help: Some("each line is NAME=value, or starts with # for a comment".to_owned()),
    };
    Ok((variables, bad.into_iter().map(problem).collect()))
}

fn one_file(reader: &mut Reader<'_>, node: &Node) -> Vec<Variable> {
    let (mut path, mut required, mut raw, mut place) = (None, true, false, node.place);
    match &node.value {
        Value::Map(entries) => {
            for setting in entries {
                match setting.key.as_str() {
                    "path" => {
                        place = setting.node.place;
                        path = reader.text(&setting.node, "path");
                    }
                    "required" => required = reader.flag(&setting.node, "required"),
                    "format" => raw = reader.text(&setting.node, "format").is_some_and(|format| format == "raw"),
                    other => reader.no_effect(format!("env_file.{other}"), setting.place),
                }
            }
        }
        Value::Null | Value::Text(_) | Value::List(_) => path = reader.text(node, "env_file"),
    }
    let Some(path) = path else {
        reader.findings.problem(node.place, "\"env_file\" names no file", "a path, or a map with \"path\"");
        return Vec::new();
    };
    let absolute = reader.host_path(&path, place);
    // Named in messages as the user would find it from where they called.
    let shown = if Path::new(&path).is_relative() && !path.starts_with('~') {
        reader.folder(place).show(Path::new(&path))
    } else {
        absolute.clone()
    };
    if !absolute.is_file() {
        if required {
            let message = format!("there is no file \"{path}\" for \"env_file\"");
            reader.findings.problem(node.place, message, "create it, or write \"required: false\" beside \"path\"");
        }
        return Vec::new();
    }
    match read_file(&shown, raw, reader.lookup) {
        Ok((variables, problems)) => {
            problems.into_iter().for_each(|problem| reader.findings.problem_elsewhere(problem));
            variables
        }
        Err(problem) => {
            reader.findings.problem_elsewhere(problem);
            Vec::new()
        }
    }
}
