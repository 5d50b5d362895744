//! `volumes` and `tmpfs` of a service.

use indexmap::IndexMap;

use super::super::findings::Place;
use super::reader::Reader;
use super::tree::{Node, Value};
use super::{Mount, MountSource, units};
use crate::manifest::suggest;

const HELP: &str = "volumes look like \"data:/var/lib/data\", \"./folder:/folder:ro\" or \"/cache\"";
const TYPES: [&str; 3] = ["volume", "bind", "tmpfs"];

/// Reads `volumes`. File systems in memory that it asks for are added to `tmpfs`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, tmpfs: &mut IndexMap<String, String>) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for item in reader.items(node, "volumes") {
        match &item.value {
            Value::Map(_) => mounts.extend(long(reader, item, tmpfs)),
            Value::Null | Value::Text(_) | Value::List(_) => mounts.extend(short(reader, item)),
        }
    }
    mounts
}

/// Reads `tmpfs`: a path or a list of them, each with options after a colon.
pub(super) fn read_tmpfs(reader: &mut Reader<'_>, node: &Node) -> IndexMap<String, String> {
    let mut tmpfs = IndexMap::new();
    for (text, place) in reader.text_or_texts(node, "tmpfs") {
        let (path, options) = text.split_once(':').unwrap_or((&text, ""));
        if target_is_absolute(reader, path, place) {
            tmpfs.insert(path.to_owned(), options.to_owned());
        }
    }
    tmpfs
}

/// Reads `volumes_from` as services, each with whether their volumes can only be read.
pub(super) fn from_services(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, bool)> {
    let mut services = Vec::new();
    for (text, place) in reader.texts(node, "volumes_from") {
        let service = text.strip_prefix("service:").unwrap_or(&text);
        let (service, mode) = service.split_once(':').unwrap_or((service, "rw"));
        match mode {
            "ro" | "rw" if service != "container" => services.push((service.to_owned(), mode == "ro")),
            _ => reader.findings.problem(
                place,
                format!("\"{text}\" in \"volumes_from\" is not supported"),
                "a service of this project: \"NAME\" or \"NAME:ro\"",
            ),
        }
    }
    services
}

fn short(reader: &mut Reader<'_>, node: &Node) -> Option<Mount> {
    let text = reader.text(node, "volumes")?;
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => {
            reader.findings.problem(node.place, format!("\"{text}\" is not a volume"), HELP);
            return None;
        }
    };
    let mut read_only = false;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            // Hints for SELinux, Docker Desktop and the first filling of a volume: nothing that a test would see.
            "z" | "Z" | "cached" | "delegated" | "consistent" | "nocopy" => {}
            _ => {
                let message = format!("unknown option \"{option}\" of volume \"{text}\"");
                reader.findings.problem(
                    node.place,
                    message,
                    "known options: ro, rw, z, Z, cached, delegated, consistent, nocopy",
                );
            }
        }
    }
    if !target_is_absolute(reader, target, node.place) {
        return None;
    }
    let source = match source {
        None => MountSource::Anonymous,
        Some(path) if path.starts_with(['/', '.', '~']) => bind(reader, path, read_only, node.place),
        Some(name) => named(reader, name, node.place)?,
    };
    Some(Mount { source, target: target.to_owned(), read_only })
}

fn long(reader: &mut Reader<'_>, node: &Node, tmpfs: &mut IndexMap<String, String>) -> Option<Mount> {
    let (mut kind, mut source, mut target, mut read_only) = (None, None, None, false);
    let mut options = Vec::new();
    for entry in reader.entries(node, "volumes") {
        let value = &entry.node;
        match entry.key.as_str() {
            "type" => kind = reader.text(value, "type"),
            "source" => source = reader.text(value, "source"),
            "target" => target = reader.text(value, "target"),
            "read_only" => read_only = reader.flag(value, "read_only"),
            "tmpfs" => options = tmpfs_options(reader, value),
            "volume" => {
                for inner in reader.entries(value, "volume").iter().filter(|inner| inner.key != "nocopy") {
                    reader.no_effect(format!("volumes.volume.{}", inner.key), inner.place);
                }
            }
            "bind" | "consistency" => {}
            unknown => reader.no_effect(format!("volumes.{unknown}"), entry.place),
        }
    }
    let Some(target) = target else {
        reader.findings.problem(node.place, "a volume has no \"target\"", "the path within the container");
        return None;
    };
    if !target_is_absolute(reader, &target, node.place) {
        return None;
    }
    let kind = kind.unwrap_or_else(|| "volume".to_owned());
    let source = match (kind.as_str(), source) {
        ("tmpfs", _) => {
            tmpfs.insert(target, options.join(","));
            return None;
        }
        ("volume", None) => MountSource::Anonymous,
        ("volume", Some(name)) => named(reader, &name, node.place)?,
        ("bind", Some(path)) => bind(reader, &path, read_only, node.place),
        ("bind", None) => {
            reader.findings.problem(node.place, "a bind mount has no \"source\"", "the path on the host");
            return None;
        }
        (other, _) => {
            let help = suggest::help(other, "types", TYPES);
            reader.findings.problem(node.place, format!("volumes of type \"{other}\" are not supported"), help);
            return None;
        }
    };
    Some(Mount { source, target, read_only })
}

fn tmpfs_options(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let mut options = Vec::new();
    for entry in reader.entries(node, "tmpfs") {
        match entry.key.as_str() {
            "size" => {
                let size = reader.parsed(&entry.node, "size", units::SIZE_HELP, units::bytes);
                options.extend(size.map(|size| format!("size={size}")));
            }
            "mode" => options.extend(reader.text(&entry.node, "mode").map(|mode| format!("mode={mode}"))),
            unknown => reader.no_effect(format!("volumes.tmpfs.{unknown}"), entry.place),
        }
    }
    options
}

fn bind(reader: &mut Reader<'_>, path: &str, read_only: bool, place: Place) -> MountSource {
    if !read_only {
        reader.writable_binds.push((path.to_owned(), place));
    }
    let source = reader.host_path(path, place);
    if !source.exists() {
        reader.findings.warning(
            place,
            format!("there is no \"{path}\" on this host: the engine makes an empty folder of it"),
            "create it, or correct the path, which starts at this file's folder",
        );
    }
    MountSource::Bind(source)
}

fn named(reader: &mut Reader<'_>, name: &str, place: Place) -> Option<MountSource> {
    if reader.volumes.contains(name) {
        return Some(MountSource::Volume(name.to_owned()));
    }
    let help = match suggest::closest(name, reader.volumes.iter().map(String::as_str)) {
        Some(candidate) => format!("did you mean \"{candidate}\"? A folder starts with \"./\""),
        None => format!("declare it under the file's \"volumes:\", or write \"./{name}\" if it is a folder"),
    };
    reader.findings.problem(place, format!("the volume \"{name}\" is not declared"), help);
    None
}

fn target_is_absolute(reader: &mut Reader<'_>, target: &str, place: Place) -> bool {
    let absolute = target.starts_with('/');
    if !absolute {
        let message = format!("\"{target}\" is not an absolute path within the container");
        reader.findings.problem(place, message, HELP);
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(yaml: &str) -> (Vec<Mount>, IndexMap<String, String>, String) {
        let mut reader = Reader::for_test();
        let mut tmpfs = IndexMap::new();
        let mounts = read(&mut reader, &Node::parse(yaml, 0).unwrap(), &mut tmpfs);
        (mounts, tmpfs, reader.problems())
    }

    fn mount(source: MountSource, target: &str, read_only: bool) -> Mount {
        Mount { source, target: target.to_owned(), read_only }
    }

    #[test]
    fn every_short_form_is_read() {
        let bind = |path: &str| MountSource::Bind(path.into());
        for (text, expected) in [
            ("/cache", mount(MountSource::Anonymous, "/cache", false)),
            ("data:/data", mount(MountSource::Volume("data".to_owned()), "/data", false)),
            ("data:/data:ro", mount(MountSource::Volume("data".to_owned()), "/data", true)),
            ("./src:/src:ro,z", mount(bind("/project/src"), "/src", true)),
            ("../up:/up:cached", mount(bind("/up"), "/up", false)),
            (".:/all", mount(bind("/project"), "/all", false)),
            ("~/keys:/keys", mount(bind("/home/somebody/keys"), "/keys", false)),
            ("/etc/hosts:/etc/hosts:ro", mount(bind("/etc/hosts"), "/etc/hosts", true)),
        ] {
            assert_eq!(mounts(&format!("- {text}")), (vec![expected], IndexMap::new(), String::new()), "{text}");
        }
    }

    #[test]
    fn every_long_form_is_read() {
        let yaml = "
- { type: volume, source: data, target: /data, volume: { nocopy: true } }
- { type: bind, source: ./src, target: /src, read_only: true, bind: { create_host_path: true } }
- { type: volume, target: /anonymous }
- { type: tmpfs, target: /tmp, tmpfs: { size: 64m, mode: 1777 } }
";
        let (mounts, tmpfs, problems) = mounts(yaml);
        assert_eq!(problems, "");
        assert_eq!(
            mounts,
            [
                mount(MountSource::Volume("data".to_owned()), "/data", false),
                mount(MountSource::Bind("/project/src".into()), "/src", true),
                mount(MountSource::Anonymous, "/anonymous", false),
            ]
        );
        assert_eq!(tmpfs, IndexMap::from([("/tmp".to_owned(), "size=67108864,mode=1777".to_owned())]));
    }

    #[test]
    fn wrong_volumes_say_what_is_wrong() {
        for (yaml, expected) in [
            ("- relative", "\"relative\" is not an absolute path within the container"),
            ("- dat:/data", "the volume \"dat\" is not declared\n    did you mean \"data\"?"),
            ("- logs:/logs", "the volume \"logs\" is not declared\n    declare it under"),
            ("- a:b:c:d", "\"a:b:c:d\" is not a volume"),
            ("- data:/data:or", "unknown option \"or\" of volume"),
            ("- { type: bnid, target: /x }", "volumes of type \"bnid\" are not supported\n    did you mean \"bind\"?"),
            ("- { type: bind, target: /x }", "a bind mount has no \"source\""),
            ("- { type: bind, source: ./x }", "a volume has no \"target\""),
            ("data:/data", "\"volumes\" must be a list, but is a text"),
        ] {
            let problems = mounts(yaml).2;
            assert!(problems.contains(expected), "{yaml}: {problems}");
        }
    }

    #[test]
    fn a_tmpfs_is_one_path_or_many() {
        let mut reader = Reader::for_test();
        let one = read_tmpfs(&mut reader, &Node::parse("/run", 0).unwrap());
        assert_eq!(one, IndexMap::from([("/run".to_owned(), String::new())]));
        let two = read_tmpfs(&mut reader, &Node::parse("[/run, '/tmp:size=64m,mode=1777']", 0).unwrap());
        assert_eq!(two["/tmp"], "size=64m,mode=1777");
        assert_eq!(reader.problems(), "");
    }
}
