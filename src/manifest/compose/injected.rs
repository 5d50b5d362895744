//! `configs` and `secrets`: files that a service finds in its container.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::super::findings::Place;
use super::reader::Reader;
use super::tree::{Entry, Node, Value};
use super::{Mount, MountSource, Service};
use crate::manifest::suggest;

/// A file that is written into a container before it starts.
#[derive(Clone, PartialEq, Eq)]
pub struct InjectedFile {
    /// Its absolute path.
    pub path: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Its owner's number.
    pub uid: u64,
    /// Its group's number.
    pub gid: u64,
    /// Who may do what, as in `chmod`.
    pub mode: u32,
}

impl std::fmt::Debug for InjectedFile {
    /// Leaves the content out, which may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, content, uid, gid, mode } = self;
        write!(f, "{path} ({} bytes, {uid}:{gid}, {mode:04o})", content.len())
    }
}

/// Configs differ from secrets in where they go, and in being no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Config,
    Secret,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Secret => "secret",
        }
    }

    /// Where a path that isn't absolute starts.
    fn folder(self) -> &'static str {
        match self {
            Self::Config => "/",
            Self::Secret => "/run/secrets/",
        }
    }
}

/// What the top level says of a config or secret.
#[derive(Debug)]
pub(super) struct Definition {
    origin: Origin,
    place: Place,
}

#[derive(Debug)]
enum Origin {
    File { path: PathBuf, written: String },
    Variable(String),
    Content(String),
    External,
    Nothing,
}

/// Readable by everybody, as Compose makes them.
const MODE: u32 = 0o444;
/// The longest file whose content is masked.
const LONGEST_SECRET: u64 = 1 << 20;
/// Shorter lines of a secret of several lines say nothing by themselves.
const SHORTEST_LINE: usize = 8;

/// Reads the top level's `configs` or `secrets`.
pub(super) fn define(reader: &mut Reader<'_>, entry: &Entry) -> IndexMap<String, Definition> {
    let mut definitions = IndexMap::new();
    for named in reader.entries(&entry.node, &entry.key) {
        let mut definition = Definition { origin: Origin::Nothing, place: named.place };
        for setting in reader.entries(&named.node, &named.key) {
            let (key, node) = (setting.key.as_str(), &setting.node);
            let text = |reader: &mut Reader<'_>| reader.text(node, key);
            match key {
                "file" => {
                    if let Some(written) = text(reader) {
                        definition.origin = Origin::File { path: reader.host_path(&written, node.place), written };
                    }
                }
                "environment" => definition.origin = text(reader).map_or(Origin::Nothing, Origin::Variable),
                "content" => definition.origin = text(reader).map_or(Origin::Nothing, Origin::Content),
                "external" => {
                    if matches!(node.value, Value::Map(_)) || reader.flag(node, key) {
                        definition.origin = Origin::External;
                    }
                }
                "name" | "labels" => {}
                extension if extension.starts_with("x-") => {}
                other => reader.no_effect(format!("{}.{}.{other}", entry.key, named.key), setting.place),
            }
            definition.place = if key == "name" { definition.place } else { node.place };
        }
        definitions.insert(named.key.clone(), definition);
    }
    definitions
}

/// Reads a service's `configs` or `secrets`: files become mounts or, where more is asked for than a mount can do,
/// copies.
pub(super) fn of_service(
    reader: &mut Reader<'_>,
    definitions: &IndexMap<String, Definition>,
    kind: Kind,
    node: &Node,
    service: &mut Service,
) {
    let what = format!("{}s", kind.word());
    for item in reader.items(node, &what) {
        let Some(usage) = usage(reader, kind, item, &what) else { continue };
        let Some(definition) = definitions.get(&usage.source) else {
            let message = format!("the {} \"{}\" is not declared", kind.word(), usage.source);
            let help = match suggest::closest(&usage.source, definitions.keys().map(String::as_str)) {
                Some(candidate) => format!("did you mean \"{candidate}\"?"),
                None => format!("declare it under the file's \"{what}:\""),
            };
            reader.findings.problem(item.place, message, help);
            continue;
        };
        provide(reader, kind, usage, definition, service);
    }
}

/// How a service uses a config or secret.
struct Usage {
    source: String,
    path: String,
    uid: Option<u64>,
    gid: Option<u64>,
    mode: Option<u32>,
}

fn usage(reader: &mut Reader<'_>, kind: Kind, item: &Node, what: &str) -> Option<Usage> {
    let (mut source, mut target, mut uid, mut gid, mut mode) = (None, None, None, None, None);
    if let Value::Map(settings) = &item.value {
        for setting in settings {
            let (key, node) = (setting.key.as_str(), &setting.node);
            let id = |text: &str| text.parse().map_err(|_| format!("\"{text}\" is not a number"));
            let bits = |text: &str| {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                u32::from_str_radix(digits, 8).map_err(|_| format!("\"{text}\" is not an octal number"))
            };
            match key {
                "source" => source = reader.text(node, key),
                "target" => target = reader.text(node, key),
                "uid" => uid = reader.parsed(node, key, "the number of a user", id),
                "gid" => gid = reader.parsed(node, key, "the number of a group", id),
                "mode" => mode = reader.parsed(node, key, "an octal number, such as 0440", bits),
                other => reader.no_effect(format!("{what}.{other}"), setting.place),
            }
        }
    } else {
        source = reader.text(item, what);
    }
    let Some(source) = source else {
        reader.findings.problem(item.place, format!("a {} has no \"source\"", kind.word()), "the name of one");
        return None;
    };
    let target = target.unwrap_or_else(|| source.clone());
    let path = if target.starts_with('/') { target } else { format!("{}{target}", kind.folder()) };
    Some(Usage { source, path, uid, gid, mode })
}

fn provide(reader: &mut Reader<'_>, kind: Kind, usage: Usage, definition: &Definition, service: &mut Service) {
    let (name, word) = (&usage.source, kind.word());
    let content = match &definition.origin {
        Origin::Nothing => {
            let help = "give it a \"file\", an \"environment\" variable or a \"content\"";
            reader.findings.problem(definition.place, format!("the {word} \"{name}\" says nothing"), help);
            return;
        }
        Origin::External => {
            let message = format!("the external {word} \"{name}\" is known to a swarm only");
            reader.findings.problem(definition.place, message, "give it a \"file\" or an \"environment\" variable");
            return;
        }
        Origin::File { path, written } => {
            if !path.exists() {
                let message = format!("there is no file \"{written}\" for the {word} \"{name}\"");
                reader.findings.problem(definition.place, message, "the path starts at this file's folder");
                return;
            }
            let is_short = path.metadata().is_ok_and(|file| file.is_file() && file.len() <= LONGEST_SECRET);
            let content = if is_short { std::fs::read(path).ok() } else { None };
            if let (Kind::Secret, Some(content)) = (kind, &content) {
                reader.keep_secret(&String::from_utf8_lossy(content));
            }
            let as_it_is = usage.uid.is_none() && usage.gid.is_none() && usage.mode.is_none();
            match content {
                Some(content) if !as_it_is => content,
                // A mount has the owner and mode that the file has.
                Some(_) | None => {
                    let source = MountSource::Bind(path.clone());
                    service.mounts.push(Mount { source, target: usage.path, read_only: true });
                    return;
                }
            }
        }
        Origin::Variable(variable) => match (reader.lookup)(variable) {
            Some(value) => value.into_bytes(),
            None => {
                let message = format!("the variable {variable} for the {word} \"{name}\" is not set");
                let help =
                    format!("set {variable} in the environment, or in a file named .env beside the Compose file");
                reader.findings.problem(definition.place, message, help);
                return;
            }
        },
        Origin::Content(content) => content.clone().into_bytes(),
    };
    if kind == Kind::Secret {
        reader.keep_secret(&String::from_utf8_lossy(&content));
    }
    service.files.push(InjectedFile {
        path: usage.path,
        content,
        uid: usage.uid.unwrap_or(0),
        gid: usage.gid.unwrap_or(0),
        mode: usage.mode.unwrap_or(MODE),
    });
}

/// A container whose file system can only be read takes no files; the runner needs one.
pub(super) fn check_read_only(reader: &mut Reader<'_>, service: &Service, node: &Node, is_runner: bool) {
    if let (true, true, Some(entry)) = (is_runner, service.tuning.read_only, node.get("read_only")) {
        let help = "leave it out for this service, for example with \"read_only: !reset\" in a second file";
        reader.findings.problem(entry.place, "\"read_only\" keeps the worker from being copied into the runner", help);
        return;
    }
    if let (Some(file), Some(entry)) =
        (service.files.first(), node.get("read_only").filter(|_| service.tuning.read_only))
    {
        let message = format!("\"read_only\" keeps {} from being written", file.path);
        let help = "take the config or secret from a \"file\", without \"uid\", \"gid\" and \"mode\"";
        reader.findings.problem(entry.place, message, help);
    }
}

impl Reader<'_> {
    /// Keeps a value out of everything that is written: as a whole, and each line that is long enough to say something.
    fn keep_secret(&mut self, value: &str) {
        let whole = value.trim();
        let lines = whole.lines().map(str::trim).filter(|line| *line != whole && line.len() >= SHORTEST_LINE);
        for part in std::iter::once(whole).chain(lines) {
            if !part.is_empty() && !self.secrets.iter().any(|known| known == part) {
                self.secrets.push(part.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "
secrets:
  password: { content: hunter2-prod }
  token: { environment: HOME }
  key: { file: Cargo.toml }
  gone: { file: nowhere.txt }
  unset: { environment: NOWHERE }
  swarm: { external: true }
  empty:
";

    fn read(usage: &str) -> (Service, Vec<String>, String) {
        let mut reader = Reader::for_test();
        reader.folders[0].path = env!("CARGO_MANIFEST_DIR").into();
        let top = Node::parse(TOP, 0).unwrap();
        let definitions = define(&mut reader, top.get("secrets").unwrap());
        let mut service = Service::default();
        of_service(&mut reader, &definitions, Kind::Secret, &Node::parse(usage, 0).unwrap(), &mut service);
        (service, std::mem::take(&mut reader.secrets), reader.problems())
    }

    #[test]
    fn what_is_no_file_is_written_and_kept_secret() {
        let (service, secrets, problems) = read("[password, { source: token, target: /etc/t, uid: '5', mode: 0440 }]");
        assert_eq!(problems, "");
        let files: Vec<String> = service.files.iter().map(|file| format!("{file:?}")).collect();
        assert_eq!(files, ["/run/secrets/password (12 bytes, 0:0, 0444)", "/etc/t (14 bytes, 5:0, 0440)"]);
        assert_eq!(secrets, ["hunter2-prod", "/home/somebody"]);
    }

    #[test]
    fn a_file_is_mounted_unless_more_is_asked_for() {
        let (service, secrets, _) = read("[key]");
        assert_eq!((service.mounts[0].target.as_str(), service.mounts[0].read_only), ("/run/secrets/key", true));
        assert!(secrets.iter().any(|line| line == "name = \"shakedown\""));
        let (service, ..) = read("[{ source: key, target: k.pem, mode: 0400 }]");
        assert_eq!((service.mounts.len(), service.files[0].path.as_str()), (0, "/run/secrets/k.pem"));
    }

    #[test]
    fn what_cant_be_had_is_said() {
        for (usage, expected) in [
            ("[gone]", ":6: there is no file \"nowhere.txt\" for the secret \"gone\""),
            ("[unset]", ":7: the variable NOWHERE for the secret \"unset\" is not set"),
            ("[swarm]", ":8: the external secret \"swarm\" is known to a swarm only"),
            ("[empty]", ":9: the secret \"empty\" says nothing"),
            ("[passwort]", "the secret \"passwort\" is not declared\n    did you mean \"password\"?"),
            ("[{ target: x }]", "a secret has no \"source\""),
            ("[{ source: password, mode: rw }]", "\"mode\": \"rw\" is not an octal number"),
        ] {
            let problems = read(usage).2;
            assert!(problems.contains(expected), "{usage}: {problems}");
        }
    }
}
