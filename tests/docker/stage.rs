//! What each test stands on: its share of the engine, a folder, and a check at its end that nothing was left.
//!
//! Most tests look at nothing but their own runs, and share the engine. Whatever a run does on it that others would see is
//! done alone: leaving something behind for a while, filling the engine, measuring time.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use regex::Regex;
use tempfile::TempDir;

use crate::docker::{self, Thing};
use crate::program::Invocation;

/// The tiny application, its suite and their manifest.
pub(crate) const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/tiny");

/// What the folder of a run is called.
static RUN_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d{8}-\d{6}-[0-9a-f]{6}$").expect("it is one"));

/// A share of the engine, and a folder. When it is dropped, nothing of its runs may be left on the engine; where it had
/// the engine alone, nothing of any run.
pub(crate) struct Stage {
    name: &'static str,
    folder: TempDir,
    started: Instant,
    left: Left,
    _share: Option<File>,
}

/// Whose leftovers a test answers for.
enum Left {
    /// Its own runs', which have folders in its folder.
    Own,
    /// Everybody's, but for what had been left before.
    All { before: Vec<Thing> },
}

impl Stage {
    /// Shares the engine with other tests; `name` is the test's.
    pub(crate) fn new(name: &'static str) -> Self {
        let share = lock("engine");
        {
            // Who wants to be alone holds the door closed until those who are there have left.
            let door = lock("door");
            door.lock().expect("the door's lock");
            share.lock_shared().expect("the engine's lock");
        }
        Self::with(name, Some(share), || Left::Own)
    }

    /// Waits until no other test has the engine, and keeps all others away.
    pub(crate) fn alone(name: &'static str) -> Self {
        let share = lock("engine");
        {
            let door = lock("door");
            door.lock().expect("the door's lock");
            share.lock().expect("the engine's lock");
        }
        Self::with(name, Some(share), || Left::All { before: docker::left_over() })
    }

    /// For what happens on an engine of the test's own, whatever others do on that of the host.
    pub(crate) fn elsewhere(name: &'static str) -> Self {
        Self::with(name, None, || Left::Own)
    }

    fn with(name: &'static str, share: Option<File>, left: impl FnOnce() -> Left) -> Self {
        assert!(docker::answers(), "no Docker engine answers: run scripts/engine first");
        assert!(docker::has_image("debian:bookworm-slim"), "there is no base image: run scripts/base-image first");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { name, folder, started: Instant::now(), left: left(), _share: share }
    }

    /// What this test has left on the engine.
    fn left(&self) -> Vec<Thing> {
        let left = docker::left_over();
        match &self.left {
            Left::Own => {
                let runs = runs_below(self.folder());
                left.into_iter().filter(|thing| runs.contains(&thing.run)).collect()
            }
            Left::All { before } => left.into_iter().filter(|thing| !before.contains(thing)).collect(),
        }
    }

    /// The test's own folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `shakedown run MANIFEST`, with its reports in the test's folder.
    pub(crate) fn shakedown(&self, manifest: impl AsRef<Path>) -> Invocation {
        Invocation::new(manifest.as_ref(), &self.folder().join("reports"))
    }

    /// `shakedown run` on the tiny suite, as it stands.
    pub(crate) fn tiny(&self) -> Invocation {
        self.shakedown(TINY)
    }

    /// `shakedown run` on some paths of the tiny suite.
    pub(crate) fn tiny_part(&self, paths: &[&str]) -> Invocation {
        self.shakedown(self.manifest(&Manifest { paths, ..Manifest::default() }))
    }

    /// Writes a manifest, and returns its folder.
    pub(crate) fn manifest(&self, manifest: &Manifest<'_>) -> PathBuf {
        let folder = self.folder().join("manifest");
        write(&folder.join("shakedown.toml"), manifest.text());
        folder
    }
}

/// What a manifest says; by default that of the tiny suite, from wherever it stands.
pub(crate) struct Manifest<'a> {
    pub(crate) suite: &'a str,
    /// From the manifest's folder, or absolute.
    pub(crate) compose: &'a str,
    pub(crate) runner: &'a str,
    pub(crate) paths: &'a [&'a str],
    /// Further lines of the section `environment`.
    pub(crate) settings: &'a str,
}

impl Default for Manifest<'_> {
    fn default() -> Self {
        const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/tiny/compose.yaml");
        Self { suite: "tiny", compose: COMPOSE, runner: "runner", paths: &["spec"], settings: "" }
    }
}

impl Manifest<'_> {
    fn text(&self) -> String {
        let Self { suite, compose, runner, paths, settings } = self;
        format!(
            "[suite]\nname = {suite:?}\nframework = \"rspec\"\npaths = {paths:?}\n\n\
             [environment]\ncompose = {compose:?}\nrunner = {runner:?}\n{settings}\n"
        )
    }
}

/// Writes a file, and the folders to it.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder is made");
    fs::write(path, text).expect("the file is written");
}

/// A file to lock, besides the test groups of nextest: `cargo test` runs the tests of a binary side by side, and there may
/// be two checkouts on one host, but there is one engine.
fn lock(what: &str) -> File {
    let path = std::env::temp_dir().join(format!("shakedown-docker-tests-{what}.lock"));
    File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The runs that have a folder somewhere in this one: each makes it before it makes anything on the engine.
fn runs_below(folder: &Path) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Links point at runs that are here anyway.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if RUN_ID.is_match(&name) {
                runs.insert(name);
            } else {
                runs.extend(runs_below(&entry.path()));
            }
        }
    }
    runs
}

impl Drop for Stage {
    fn drop(&mut self) {
        eprintln!("{}: {:.1} s", self.name, self.started.elapsed().as_secs_f64());
        let left = self.left();
        docker::remove(&left);
        let names: Vec<String> = left.iter().map(Thing::to_string).collect();
        // A second panic while the first unwinds would abort all tests of the binary.
        if std::thread::panicking() {
            eprintln!("{}: left behind: {names:?}", self.name);
        } else {
            assert!(names.is_empty(), "left behind on the engine: {names:#?}");
        }
    }
}
