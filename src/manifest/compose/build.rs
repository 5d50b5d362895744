//! `build` of a service.

use std::path::Path;

use super::reader::{Reader, clean};
use super::tree::{Node, Value};
use super::{Build, network, units};
use crate::manifest::text;

/// The name in the context of a Dockerfile that isn't part of it.
const NOT_IN_CONTEXT: &str = ".shakedown.Dockerfile";

/// Reads `build`, and looks whether its folder and Dockerfile exist.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Build> {
    let (mut context, mut dockerfile) = ((".".to_owned(), node.place), None);
    let mut build = Build::default();
    match &node.value {
        Value::Text(text) => context.0.clone_from(text),
        Value::Map(entries) => {
            for entry in entries {
                let (value, place) = (&entry.node, entry.node.place);
                match entry.key.as_str() {
                    "context" => context = (reader.text(value, "context").unwrap_or(context.0), place),
                    "dockerfile" => dockerfile = reader.text(value, "dockerfile").map(|name| (name, place)),
                    "target" => build.target = reader.text(value, "target").filter(|target| !target.is_empty()),
                    "args" => {
                        let pairs = reader.pairs(value, "args");
                        let with_value = |(name, value): (String, Option<String>)| {
                            let value = value.or_else(|| (reader.lookup)(&name))?;
                            Some((name, value))
                        };
                        build.args = pairs.into_iter().filter_map(with_value).collect();
                    }
                    "dockerfile_inline" => build.inline = reader.text(value, "dockerfile_inline"),
                    "cache_from" => build.cache_from = reader.names(value, "cache_from"),
                    "labels" => {
                        let pairs = reader.pairs(value, "labels").into_iter();
                        build.labels = pairs.map(|(name, value)| (name, value.unwrap_or_default())).collect();
                    }
                    "network" => build.network = reader.text(value, "network"),
                    "shm_size" => {
                        build.shm_size = reader.parsed(value, "shm_size", units::SIZE_HELP, units::bytes);
                    }
                    "extra_hosts" => build.extra_hosts = network::extra_hosts(reader, value),
                    // What the image is called, and whether layers are used again, makes no difference to a test.
                    "tags" | "no_cache" | "pull" => {}
                    extension if extension.starts_with("x-") => {}
                    other => reader.no_effect(format!("build.{other}"), entry.place),
                }
            }
        }
        Value::Null | Value::List(_) => {
            reader.expected(node, "build", "a folder or a map");
            return None;
        }
    }
    if context.0.contains("://") || context.0.starts_with("git@") {
        let message = format!("\"build\" from \"{}\" is not supported yet", context.0);
        reader.findings.problem(context.1, message, "name a folder");
        return None;
    }
    build.context = reader.host_path(&context.0, context.1);
    if !build.context.is_dir() {
        let help = format!("paths start at {}", shown(&reader.folder(context.1).shown));
        let message = format!("there is no folder \"{}\" to build from", context.0);
        reader.findings.problem(context.1, message, help);
        return None;
    }
    if build.inline.is_some() {
        if let Some((_, place)) = dockerfile {
            reader.findings.problem(place, "\"dockerfile\" and \"dockerfile_inline\" exclude each other", "keep one");
        }
        NOT_IN_CONTEXT.clone_into(&mut build.dockerfile);
        return Some(build);
    }
    let (dockerfile, place) = dockerfile.unwrap_or_else(|| ("Dockerfile".to_owned(), node.place));
    let file = clean(&build.context.join(&dockerfile));
    if !file.is_file() {
        let message = format!("there is no Dockerfile \"{dockerfile}\" in \"{}\"", context.0);
        reader.findings.problem(place, message, "\"dockerfile\" names it, starting from \"context\"");
        return None;
    }
    match file.strip_prefix(&build.context) {
        Ok(within) => build.dockerfile = within.to_string_lossy().into_owned(),
        // Compose takes a Dockerfile from anywhere; the engine only from the context.
        Err(_) => {
            build.inline = text::read(&file).map_err(|problem| reader.findings.problem_elsewhere(problem)).ok();
            NOT_IN_CONTEXT.clone_into(&mut build.dockerfile);
        }
    }
    Some(build)
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "the Compose file's folder".to_owned() } else { folder.display().to_string() }
}
