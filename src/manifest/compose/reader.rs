//! Typed reading of a [`Node`]: each getter reports what it can't accept, and reading goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::super::findings::{Findings, Place};
use super::files::Folder;
use super::interpolate::Lookup;
use super::tree::{Entry, Node, Value};

/// What reading a Compose file needs at hand, and what it gathers.
pub(super) struct Reader<'a> {
    /// The folder that relative paths start from, for each file.
    pub(super) folders: Vec<Folder>,
    /// The environment, with the `.env` file below it.
    pub(super) lookup: Lookup<'a>,
    /// Names of the volumes that the file declares.
    pub(super) volumes: BTreeSet<String>,
    /// Those of them that are kept in memory, with their mount options.
    pub(super) volumes_in_memory: IndexMap<String, String>,
    /// Host paths that services can write to, and the place they stand in.
    pub(super) writable_binds: Vec<(String, Place)>,
    /// What must not be written anywhere.
    pub(super) secrets: Vec<String>,
    /// Settings that are left out, and the places they stand in.
    pub(super) without_effect: BTreeMap<String, BTreeSet<Place>>,
    pub(super) findings: Findings,
}

impl Reader<'_> {
    /// Notes a setting that is left out.
    pub(super) fn no_effect(&mut self, name: impl Into<String>, place: Place) {
        self.without_effect.entry(name.into()).or_default().insert(place);
    }

    /// The entries of a map; none if it is empty.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.value {
            Value::Null => &[],
            Value::Map(entries) => entries,
            Value::Text(_) | Value::List(_) => {
                self.expected(node, what, "a map");
                &[]
            }
        }
    }

    /// The items of a list; none if it is empty.
    pub(super) fn items<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Null => &[],
            Value::List(items) => items,
            Value::Text(_) | Value::Map(_) => {
                self.expected(node, what, "a list");
                &[]
            }
        }
    }

    /// A text, number or truth value; `None` if it is empty.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            Value::List(_) | Value::Map(_) => {
                self.expected(node, what, "a text");
                None
            }
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Vec<(String, Place)> {
        let items = self.items(node, what);
        items.iter().filter_map(|item| Some((self.text(item, what)?, item.place))).collect()
    }

    /// One text, or a list of them.
    pub(super) fn text_or_texts(&mut self, node: &Node, what: &str) -> Vec<(String, Place)> {
        match &node.value {
            Value::Text(text) => vec![(text.clone(), node.place)],
            Value::Null | Value::List(_) | Value::Map(_) => self.texts(node, what),
        }
    }

    /// The texts of a list, without their places.
    pub(super) fn names(&mut self, node: &Node, what: &str) -> Vec<String> {
        self.texts(node, what).into_iter().map(|(text, _)| text).collect()
    }

    /// True or false.
    pub(super) fn flag(&mut self, node: &Node, what: &str) -> bool {
        let Some(text) = self.text(node, what) else { return false };
        match text.to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => true,
            "false" | "no" | "n" | "off" | "0" => false,
            _ => {
                self.expected(node, what, "true or false");
                false
            }
        }
    }

    /// A text that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Node,
        what: &str,
        help: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.findings.problem(node.place, format!("\"{what}\": {reason}"), help);
                None
            }
        }
    }

    /// `NAME: value` pairs, or a list of `NAME=value`; without a value there is `None`.
    pub(super) fn pairs(&mut self, node: &Node, what: &str) -> Vec<(String, Option<String>)> {
        match &node.value {
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), self.text(&entry.node, &format!("{what}.{}", entry.key))))
                .collect(),
            Value::Null | Value::List(_) => {
                let texts = self.texts(node, what);
                let split = |text: String| match text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (text, None),
                };
                texts.into_iter().map(|(text, _)| split(text)).collect()
            }
            Value::Text(_) => {
                self.expected(node, what, "a map, or a list of NAME=value");
                Vec::new()
            }
        }
    }

    /// Reports that `node` is not what `what` must be.
    pub(super) fn expected(&mut self, node: &Node, what: &str, wanted: &str) {
        let found = node.kind();
        self.findings.plain_problem(node.place, format!("\"{what}\" must be {wanted}, but is {found}"));
    }

    /// The folder that a path written at `place` starts from.
    pub(super) fn folder(&self, place: Place) -> &Folder {
        &self.folders[place.file]
    }

    /// A path of the host: absolute, `~` is the home folder, anything else starts at its file's folder.
    pub(super) fn host_path(&self, written: &str, place: Place) -> PathBuf {
        let home = || (self.lookup)("HOME").unwrap_or_else(|| "/".to_owned());
        let path = match written.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                Path::new(&home()).join(rest.trim_start_matches('/'))
            }
            _ => PathBuf::from(written),
        };
        clean(&self.folder(place).path.join(path))
    }
}

/// Takes `.` and `..` out of an absolute path, by its text alone as Compose does.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                cleaned.pop();
            }
            std::path::Component::Prefix(_) | std::path::Component::RootDir | std::path::Component::Normal(_) => {
                cleaned.push(part);
            }
        }
    }
    cleaned
}

#[cfg(test)]
impl Reader<'_> {
    /// A reader in `/project` with no variables but `HOME`, and the volume `data`.
    pub(super) fn for_test() -> Self {
        Self {
            folders: vec![Folder { path: "/project".into(), shown: "project".into() }],
            lookup: &|name| (name == "HOME").then(|| "/home/somebody".to_owned()),
            volumes: BTreeSet::from(["data".to_owned()]),
            volumes_in_memory: IndexMap::new(),
            writable_binds: Vec::new(),
            secrets: Vec::new(),
            without_effect: BTreeMap::new(),
            findings: Findings::new("compose.yaml"),
        }
    }

    /// All problems found so far, one a line.
    pub(super) fn problems(self) -> String {
        self.findings.finish().map_or_else(|problems| problems.to_string(), |_| String::new())
    }
}
