//! `build` of a service.

use std::path::Path;

use super::Build;
use super::reader::{Reader, clean};
use super::tree::{Node, Value};

/// Reads `build`, and looks whether its folder and Dockerfile exist.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Build> {
    let (mut context, mut dockerfile) = ((".".to_owned(), node.place), ("Dockerfile".to_owned(), node.place));
    let mut build = Build {
        context: reader.folder(node.place).path.clone(),
        dockerfile: String::new(),
        args: Default::default(),
        target: None,
    };
    match &node.value {
        Value::Text(text) => context.0.clone_from(text),
        Value::Map(entries) => {
            for entry in entries {
                let (value, place) = (&entry.node, entry.node.place);
                match entry.key.as_str() {
                    "context" => context = (reader.text(value, "context").unwrap_or(context.0), place),
                    "dockerfile" => dockerfile = (reader.text(value, "dockerfile").unwrap_or(dockerfile.0), place),
                    "target" => build.target = reader.text(value, "target").filter(|target| !target.is_empty()),
                    "args" => {
                        let pairs = reader.pairs(value, "args");
                        let with_value = |(name, value): (String, Option<String>)| {
                            let value = value.or_else(|| (reader.lookup)(&name))?;
                            Some((name, value))
                        };
                        build.args = pairs.into_iter().filter_map(with_value).collect();
                    }
                    "dockerfile_inline" => {
                        reader.findings.problem(
                            entry.place,
                            "\"dockerfile_inline\" is not supported yet",
                            "write the lines to a file and name it with \"dockerfile\"",
                        );
                        return None;
                    }
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
    let file = clean(&build.context.join(&dockerfile.0));
    let Ok(within) = file.strip_prefix(&build.context) else {
        let message = format!("the Dockerfile \"{}\" lies outside of the folder \"{}\"", dockerfile.0, context.0);
        reader.findings.problem(dockerfile.1, message, "choose a \"context\" that holds it");
        return None;
    };
    if !file.is_file() {
        let message = format!("there is no Dockerfile \"{}\" in \"{}\"", dockerfile.0, context.0);
        reader.findings.problem(dockerfile.1, message, "\"dockerfile\" names it, starting from \"context\"");
        return None;
    }
    build.dockerfile = within.to_string_lossy().into_owned();
    Some(build)
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "the Compose file's folder".to_owned() } else { folder.display().to_string() }
}
