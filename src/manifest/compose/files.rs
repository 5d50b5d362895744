//! Compose files put together: several over each other, what they include, and what their services extend.
//!
//! Every file is parsed by itself and its variables filled in; then whole trees are merged, in which every node still
//! knows the file and line it came from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indexmap::IndexMap;

use super::super::findings::{At, Findings, Place};
use super::interpolate::{Lookup, fill};
use super::reader::clean;
use super::tree::{Entry, Node, Value};
use super::{environment, extends, include, merge};
use crate::manifest::text;

/// Top-level maps whose entries have names that services refer to.
const RESOURCES: [&str; 4] = ["volumes", "networks", "secrets", "configs"];

/// A folder from which relative paths start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// The absolute path.
    pub(super) path: PathBuf,
    /// The same as the user named it, for messages.
    pub(super) shown: PathBuf,
}

impl Folder {
    /// The folder as the user named it.
    pub(super) fn new(shown: &Path) -> Self {
        let named = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
        let path = std::path::absolute(named).unwrap_or_else(|_| shown.to_owned());
        Self { path: clean(&path), shown: shown.to_owned() }
    }

    /// The folder that holds `file`.
    pub(super) fn of(file: &Path) -> Self {
        Self::new(file.parent().unwrap_or(Path::new("")))
    }

    /// A path that starts here, as the user would name it from where they called.
    pub(super) fn show(&self, written: &Path) -> PathBuf {
        let written = written.strip_prefix("./").unwrap_or(written);
        self.shown.join(written).components().collect()
    }
}

/// A service with its variables filled in, and what could not be: reported only if the service is not left out.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) entry: Entry,
    pub(super) unfilled: Findings,
}

/// What all files say together.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// `None` where no file has `services`.
    pub(super) services: Option<IndexMap<String, Filled>>,
    /// Everything else of the top level.
    pub(super) others: IndexMap<String, Entry>,
}

/// A file that was parsed: its top level, in which no variable is filled in yet.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
}

impl Parsed {
    /// The services as they are written; none where there is something else.
    pub(super) fn services(&self) -> &[Entry] {
        match self.entries.iter().find(|entry| entry.key == "services").map(|entry| &entry.node.value) {
            Some(Value::Map(entries)) => entries,
            Some(Value::Null | Value::Text(_) | Value::List(_)) | None => &[],
        }
    }
}

/// Reads files, and remembers which folder the paths in each of them start from.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) findings: Findings,
    /// One for each file that the findings know.
    pub(super) folders: Vec<Folder>,
    /// Files that services extend, by absolute path; `None` for one that can't be read.
    extended: HashMap<PathBuf, Option<Rc<Parsed>>>,
}

impl Loader {
    /// `findings` knows the first file, and no other.
    pub(super) fn new(findings: Findings) -> Self {
        Self { findings, folders: Vec::new(), extended: HashMap::new() }
    }

    /// Puts `files`, as the user named them, over each other; relative paths in them start at `folder`. `including`
    /// are the files that led here.
    pub(super) fn together(
        &mut self,
        files: &[PathBuf],
        folder: &Folder,
        lookup: Lookup<'_>,
        including: &mut Vec<PathBuf>,
    ) -> Option<Model> {
        let mut model = Model::default();
        let mut complete = true;
        for file in files {
            let Some(parsed) = self.parse(file, folder) else {
                complete = false;
                continue;
            };
            including.push(parsed.path.clone());
            self.put(&mut model, &Rc::new(parsed), lookup, including);
            including.pop();
        }
        complete.then_some(model)
    }

    fn put(&mut self, model: &mut Model, parsed: &Rc<Parsed>, lookup: Lookup<'_>, including: &mut Vec<PathBuf>) {
        let mut own = Model::default();
        for entry in &parsed.entries {
            match entry.key.as_str() {
                "services" => own.services = self.services(parsed, entry, lookup),
                key => {
                    let mut entry = entry.clone();
                    if key == "include" || RESOURCES.contains(&key) {
                        fill(&mut entry.node, lookup, &mut self.findings);
                    }
                    own.others.insert(entry.key.clone(), entry);
                }
            }
        }
        if let Some(entry) = own.others.shift_remove("include") {
            for included in include::read(self, &entry, lookup, including) {
                self.import(&mut own, included);
            }
        }
        for (name, service) in own.services.into_iter().flatten() {
            let services = model.services.get_or_insert_default();
            match services.shift_remove_full(&name) {
                Some((index, _, mut below)) => {
                    below.entry.node = merge::service(below.entry.node, service.entry.node);
                    below.unfilled.absorb(service.unfilled);
                    services.shift_insert(index, name, below);
                }
                None => {
                    services.insert(name, service);
                }
            }
        }
        for (key, entry) in own.others {
            match model.others.shift_remove(&key) {
                Some(mut below) => {
                    below.node = merge::section(below.node, entry.node);
                    model.others.insert(key, below);
                }
                None => {
                    model.others.insert(key, entry);
                }
            }
        }
    }

    fn services(&mut self, parsed: &Rc<Parsed>, entry: &Entry, lookup: Lookup<'_>) -> Option<IndexMap<String, Filled>> {
        let Value::Map(entries) = &entry.node.value else {
            let help = "each service is a key of its own below it";
            self.findings.problem(entry.place, "\"services\" is no map of services", help);
            return None;
        };
        let mut services = IndexMap::new();
        for service in entries {
            if let Some(filled) = extends::resolve(self, parsed, service, lookup, &mut Vec::new()) {
                services.insert(service.key.clone(), filled);
            }
        }
        Some(services)
    }

    /// Adds what was included to a file of its own; the same name in both is a problem, as in Compose.
    fn import(&mut self, own: &mut Model, included: Model) {
        let clash = |findings: &mut Findings, kind: &str, name: &str, here: Place, there: Place| {
            let there = format!("{}:{}", findings.named(there.file).display(), there.line);
            let message = format!("the {kind} \"{name}\" is also in an included file ({there})");
            findings.problem(here, message, "rename one of them, or change it in a second file under \"compose\"");
        };
        let services = own.services.get_or_insert_default();
        for (name, service) in included.services.into_iter().flatten() {
            match services.get(&name) {
                Some(here) => clash(&mut self.findings, "service", &name, here.entry.place, service.entry.place),
                None => {
                    services.insert(name, service);
                }
            }
        }
        for (key, entry) in included.others {
            if !RESOURCES.contains(&key.as_str()) {
                continue;
            }
            match own.others.shift_remove(&key) {
                Some(mut here) => {
                    here.node = merge::section(here.node, entry.node);
                    own.others.insert(key, here);
                }
                None => {
                    own.others.insert(key, entry);
                }
            }
        }
    }

    /// Parses a file whose relative paths start at `folder`; what is wrong with it as a whole is reported.
    fn parse(&mut self, file: &Path, folder: &Folder) -> Option<Parsed> {
        let number = if self.folders.is_empty() { 0 } else { self.findings.add_file(file) };
        self.folders.push(folder.clone());
        let content = match text::read(file) {
            Ok(content) => content,
            Err(problem) => {
                self.findings.problem_elsewhere(problem);
                return None;
            }
        };
        let root = match Node::parse(&content, number) {
            Ok(root) => root,
            Err(error) => {
                let at = At::in_file(number, error.line);
                self.findings.plain_problem(at, format!("not valid YAML: {}", error.message));
                return None;
            }
        };
        let help = "a Compose file has at least \"services:\"";
        match root.value {
            Value::Map(entries) => {
                Some(Parsed { path: clean(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned())), entries })
            }
            Value::Null => {
                self.findings.problem(At::in_file(number, None), "is empty", help);
                None
            }
            Value::Text(_) | Value::List(_) => {
                self.findings.problem(root.place, "is not a Compose file", help);
                None
            }
        }
    }

    /// The file that a service extends, read once; `shown` is how messages name it.
    pub(super) fn extended(&mut self, path: &Path, shown: &Path) -> Option<Rc<Parsed>> {
        if let Some(known) = self.extended.get(path) {
            return known.clone();
        }
        let parsed = self.parse(shown, &Folder::of(shown)).map(Rc::new);
        self.extended.insert(path.to_owned(), parsed.clone());
        parsed
    }

    /// The folder that paths written at `place` start from.
    pub(super) fn folder(&self, place: Place) -> &Folder {
        &self.folders[place.file]
    }

    /// The variables of the file `.env` in `folder`, if it has one.
    pub(super) fn dot_env(&mut self, folder: &Folder, lookup: Lookup<'_>) -> HashMap<String, String> {
        let file = folder.shown.join(".env");
        if file.is_file() { self.variables(&file, lookup) } else { HashMap::new() }
    }

    /// The variables that a file sets.
    pub(super) fn variables(&mut self, file: &Path, lookup: Lookup<'_>) -> HashMap<String, String> {
        match environment::read_file(file, false, lookup) {
            Ok((variables, problems)) => {
                problems.into_iter().for_each(|problem| self.findings.problem_elsewhere(problem));
                variables.into_iter().filter_map(|variable| Some((variable.name, variable.value?))).collect()
            }
            Err(problem) => {
                self.findings.problem_elsewhere(problem);
                HashMap::new()
            }
        }
    }
}
