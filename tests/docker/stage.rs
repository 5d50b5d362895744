//! What each test stands on: the host to itself, a folder, and a check at its end that nothing was left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::docker::{self, Thing};
use crate::program::Invocation;

/// The tiny application, its suite and their manifest.
pub(crate) const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/tiny");

/// The host to itself, and a folder. When it is dropped, nothing of any run may be left on the engine.
pub(crate) struct Stage {
    name: &'static str,
    folder: TempDir,
    started: Instant,
    /// What had been left before, which is none of this test's business.
    before: Vec<Thing>,
    _alone: File,
}

impl Stage {
    /// Waits for the other tests of this kind; `name` is the test's.
    pub(crate) fn new(name: &'static str) -> Self {
        // A lock besides the test group of nextest: `cargo test` runs the tests of a binary side by side, and there
        // may be two checkouts on one host, but there is one engine.
        let lock = std::env::temp_dir().join("shakedown-docker-tests.lock");
        let alone = File::create(&lock).unwrap_or_else(|error| panic!("{}: {error}", lock.display()));
        alone.lock().unwrap_or_else(|error| panic!("{}: {error}", lock.display()));
        assert!(docker::answers(), "no Docker engine answers: run scripts/engine first");
        assert!(docker::has_image("debian:bookworm-slim"), "there is no base image: run scripts/base-image first");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { name, folder, started: Instant::now(), before: docker::left_over(), _alone: alone }
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

impl Drop for Stage {
    fn drop(&mut self) {
        eprintln!("{}: {:.1} s", self.name, self.started.elapsed().as_secs_f64());
        let left: Vec<Thing> = docker::left_over().into_iter().filter(|thing| !self.before.contains(thing)).collect();
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
