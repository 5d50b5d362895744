//! Compose files as real projects write them, read by us and by `docker-compose`: both must find the same in them.
//!
//! The program is Debian's package `docker-compose` (1.29), whose `config` prints what it understood. It is older than
//! the format: what it can't read stands in a table, with the reason, and is checked by snapshots elsewhere.

mod ours;
mod theirs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use shakedown::manifest::compose::Project;
use shakedown::manifest::load;

use ours::of_ours;
use theirs::{config, of_theirs};

/// Projects that docker-compose 1.29 refuses, and what it says of them.
const TOO_NEW: &[(&str, &str)] = &[("modern", "could not determine a constructor for the tag '!reset'")];

/// Settings of single services in which the two differ on purpose.
const OTHERWISE: &[(&str, &str, &str, &str)] = &[
    ("node-mongo", "e2e", "ipc", "\"ipc: host\" is left out, as copies would share it"),
    ("node-mongo", "e2e", "shm_size", "it takes the place of \"ipc: host\""),
];

fn folder(project: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifest/real-world").join(project)
}

fn projects() -> Vec<String> {
    let folders = fs::read_dir(folder("")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What is compared of a service: setting and value, as text.
type Settings = BTreeMap<&'static str, String>;

#[test]
fn our_reading_of_real_projects_is_that_of_docker_compose() {
    let projects = projects();
    assert!(projects.len() >= 12, "only {projects:?}");
    let mut differences = Vec::new();
    let mut compared = 0;
    for project in projects {
        let (ours, files, profiles) = read(&project);
        let theirs = match config(&project, &files, &profiles) {
            Ok(theirs) => theirs,
            Err(said) => {
                let (_, reason) = TOO_NEW
                    .iter()
                    .find(|(name, _)| *name == project)
                    .unwrap_or_else(|| panic!("docker-compose can't read {project}: {said}"));
                assert!(said.contains(reason), "{project}: {said}");
                continue;
            }
        };
        assert!(TOO_NEW.iter().all(|(name, _)| *name != project), "docker-compose can read {project} by now");
        let services = theirs["services"].as_object().expect("services");
        for (name, service) in &ours.services {
            let Some(other) = services.get(name) else {
                differences.push(format!("{project}/{name}: docker-compose does not know it"));
                continue;
            };
            compared += 1;
            let (mut mine, mut yours) = (of_ours(service), of_theirs(&theirs, other));
            for (_, _, setting, reason) in OTHERWISE.iter().filter(|(p, s, ..)| *p == project && s == name) {
                let (mine, yours) = (mine.remove(setting), yours.remove(setting));
                assert_ne!(mine, yours, "{project}/{name}: {setting} is the same by now, though {reason}");
            }
            let settings: std::collections::BTreeSet<_> = mine.keys().chain(yours.keys()).copied().collect();
            for setting in settings {
                let (mine, yours) = (mine.get(setting), yours.get(setting));
                if mine != yours {
                    differences.push(format!("{project}/{name}: {setting}\n  ours   {mine:?}\n  theirs {yours:?}"));
                }
            }
        }
        // The older program prints services whatever their profiles; all others must be ours, too.
        for (name, other) in services {
            if !ours.services.contains_key(name) && other["profiles"].is_null() {
                differences.push(format!("{project}/{name}: only docker-compose knows it"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared >= 40, "only {compared} services were compared");
}

/// What the older program can't check.
#[test]
fn the_newest_forms_are_read_too() {
    let (project, ..) = read("modern");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../manifest/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    let here = regex::escape(&folder("").display().to_string());
    settings.set_filters(vec![(here.as_str(), "[here]/")]);
    let _settings = settings.bind_to_scope();
    let mut text = String::new();
    for (name, service) in &project.services {
        text += &format!("{name}\n");
        for (setting, value) in of_ours(service) {
            text += &format!("  {setting}: {value}\n");
        }
        for file in &service.files {
            text += &format!("  file: {file:?}\n");
        }
    }
    insta::assert_snapshot!(text);
}

/// The manifests among them are whole: `shakedown check` would accept them.
fn read(project: &str) -> (Project, Vec<String>, Vec<String>) {
    let folder = folder(project);
    let home = |name: &str| (name == "HOME").then(|| "/home/somebody".to_owned());
    let (manifest, _) = load(&folder, &home).unwrap_or_else(|problems| panic!("{project}: {problems}"));
    let text = fs::read_to_string(folder.join("shakedown.toml")).expect("a manifest");
    let toml: toml::Table = text.parse().expect("TOML");
    let list = |key: &str| match &toml["environment"].get(key) {
        Some(toml::Value::Array(items)) => items.iter().map(|item| item.as_str().expect("a text").to_owned()).collect(),
        Some(item) => vec![item.as_str().expect("a text").to_owned()],
        None => Vec::new(),
    };
    let mut files = list("compose");
    if files.is_empty() {
        files.push(manifest.compose.file.file_name().expect("a name").to_string_lossy().into_owned());
    }
    (manifest.compose, files, list("profiles"))
}

/// Services that others name in `links`, which docker-compose keeps apart from `depends_on`; and under which names.
const LINKED: [&str; 1] = ["db"];
const LINKED_AS: [&str; 1] = ["mysql"];

/// Adds a setting unless there is nothing in it.
fn put(settings: &mut Settings, name: &'static str, value: impl Into<String>) {
    let value = value.into();
    if !value.is_empty() {
        settings.insert(name, value);
    }
}

fn sorted(items: impl IntoIterator<Item = String>) -> String {
    let mut items: Vec<String> = items.into_iter().collect();
    items.sort();
    items.join(" | ")
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    sorted(pairs.into_iter().map(|(name, value)| format!("{name}={value:?}")))
}
