//! Files of the runner that the manifest asks for, as far as they changed during the attempt.

use std::io::Read as _;
use std::path::{Component, Path};
use std::time::Duration;

use futures::StreamExt as _;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;

use super::page::Found;
use crate::engine::{ExecSpec, Output, RefusalKind};
use crate::environment::Environment;

/// No more is read of one folder.
const MOST_READ: usize = 64 << 20;
/// No more is kept of one attempt, in bytes and in files.
const MOST_KEPT: (usize, usize) = (32 << 20, 100);
/// How long the runner may take to name its working directory.
const PWD_WITHIN: Duration = Duration::from_secs(3);

/// Patterns of files that are copied out of the runner.
#[derive(Clone, Debug, Default)]
pub struct Artifacts {
    /// The folders in which the patterns can match anything, without those within others.
    folders: Vec<String>,
    patterns: GlobSet,
}

impl Artifacts {
    /// Patterns as the manifest has them, relative to the runner's working directory or absolute: `*` and `?` stay
    /// within a folder, `**` does not. What is no pattern matches nothing.
    pub fn new(patterns: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut folders: Vec<String> = Vec::new();
        for pattern in patterns {
            let pattern = pattern.trim_start_matches("./");
            if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
                set.add(glob);
                folders.push(literal_folder(pattern).to_owned());
            }
        }
        folders.sort();
        folders.dedup();
        let outer = folders.clone();
        folders.retain(|folder| {
            !outer.iter().any(|other| folder.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/')))
        });
        Self { folders, patterns: set.build().unwrap_or_default() }
    }

    /// Reads the files that changed since `started`.
    pub(super) async fn fetch(&self, environment: &Environment, started: Timestamp) -> Found {
        let mut found = Found::default();
        if self.folders.is_empty() {
            return found;
        }
        let relative = self.folders.iter().any(|folder| !folder.starts_with('/'));
        let here = if relative { working_directory(environment).await } else { Some(String::new()) };
        let Some(here) = here else {
            found.notes.push("artifacts: the runner's working directory is not known, as it has no `pwd`".to_owned());
            return found;
        };
        for folder in &self.folders {
            let path = if folder.starts_with('/') { folder.clone() } else { format!("{here}/{folder}") };
            let mut archive = Vec::new();
            let mut chunks = environment.engine().read_archive(environment.runner(), &path);
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) if archive.len() + chunk.len() <= MOST_READ => archive.extend_from_slice(&chunk),
                    Ok(_) => {
                        let mib = MOST_READ >> 20;
                        found.notes.push(format!("artifacts: {path} holds more than {mib} MiB; the rest was not read"));
                        break;
                    }
                    // Nothing was written there.
                    Err(error) if error.kind() == RefusalKind::NotFound => break,
                    Err(error) => {
                        found.notes.push(format!("artifacts: {error}"));
                        break;
                    }
                }
            }
            self.take(&archive, folder, started, &mut found);
        }
        found
    }

    /// Takes the files of an archive, which may be cut short, that match and are new.
    fn take(&self, archive: &[u8], folder: &str, started: Timestamp, found: &mut Found) {
        let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        let mut archive = tar::Archive::new(archive);
        let Ok(entries) = archive.entries() else { return };
        let mut left_out = 0;
        for mut entry in entries.map_while(Result::ok) {
            let changed = entry.header().mtime().ok().and_then(|second| i64::try_from(second).ok());
            let is_new = changed.is_some_and(|second| second >= started.as_second());
            let Some(name) = entry.path().ok().and_then(|path| inside(&path)) else { continue };
            let path = if folder.contains('/') { format!("{parent}/{name}") } else { name };
            if !entry.header().entry_type().is_file() || !is_new || !self.patterns.is_match(&path) {
                continue;
            }
            let kept: usize = found.files.iter().map(|(_, content)| content.len()).sum();
            let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
            if found.files.len() >= MOST_KEPT.1 || kept.saturating_add(size) > MOST_KEPT.0 {
                left_out += 1;
                continue;
            }
            let mut content = Vec::new();
            if entry.read_to_end(&mut content).is_ok() {
                found.files.push((format!("artifacts/{}", path.trim_start_matches('/')), content));
            }
        }
        if left_out > 0 {
            let (bytes, files) = (MOST_KEPT.0 >> 20, MOST_KEPT.1);
            let more =
                format!("artifacts: {left_out} files of {folder} were left out: at most {files} files and {bytes} MiB");
            found.notes.push(more);
        }
    }
}

/// The folder that a pattern names before its first wildcard.
pub fn literal_folder(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    pattern[..wild].rfind('/').map_or("", |slash| &pattern[..slash])
}

/// A path of an archive that stays within the archive.
fn inside(path: &Path) -> Option<String> {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| path.to_str().map(str::to_owned)).flatten()
}

async fn working_directory(environment: &Environment) -> Option<String> {
    let exec = ExecSpec { command: vec!["pwd".to_owned()], ..ExecSpec::default() };
    let asking = async {
        let mut exec = environment.engine().exec(environment.runner(), &exec).await.ok()?;
        let mut said = Vec::new();
        while let Some(Ok(chunk)) = exec.output.next().await {
            if let Output::Stdout(chunk) = chunk {
                said.extend_from_slice(&chunk);
            }
        }
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        // Where there is no such program, the engine says so in the output.
        (said.starts_with('/') && !said.contains('\n')).then(|| said.trim_end_matches('/').to_owned())
    };
    tokio::time::timeout(PWD_WITHIN, asking).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, u64, usize)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, changed, size) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(*size as u64);
            header.set_mode(0o644);
            header.set_mtime(*changed);
            archive.append_data(&mut header, path, vec![b'x'; *size].as_slice()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn taken(patterns: &[&str], folder: &str, files: &[(&str, u64, usize)]) -> Found {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let artifacts = Artifacts::new(&patterns);
        assert!(artifacts.folders.contains(&folder.to_owned()), "{:?}", artifacts.folders);
        let mut found = Found::default();
        artifacts.take(&archive(files), folder, Timestamp::from_second(1_000).unwrap(), &mut found);
        found
    }

    fn names(found: &Found) -> Vec<&str> {
        found.files.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn files_that_match_and_changed_since_the_start_are_taken() {
        let files = [
            ("shots/a.png", 1_000, 3),
            ("shots/deep/b.png", 2_000, 3),
            ("shots/c.txt", 2_000, 3),
            ("shots/old.png", 999, 3),
        ];
        assert_eq!(
            names(&taken(&["tmp/shots/**/*.png"], "tmp/shots", &files)),
            ["artifacts/tmp/shots/a.png", "artifacts/tmp/shots/deep/b.png"]
        );
        assert_eq!(names(&taken(&["./tmp/shots/*.png"], "tmp/shots", &files)), ["artifacts/tmp/shots/a.png"]);
        assert_eq!(names(&taken(&["shots/**"], "shots", &files)).len(), 3);
        assert_eq!(
            names(&taken(&["/app/shots/*"], "/app/shots", &files)),
            ["artifacts/app/shots/a.png", "artifacts/app/shots/c.txt"]
        );
    }

    #[test]
    fn too_much_is_left_out_and_said() {
        let many: Vec<(String, u64, usize)> = (0..120).map(|n| (format!("log/{n}"), 2_000, 1)).collect();
        let many: Vec<(&str, u64, usize)> =
            many.iter().map(|(name, changed, size)| (name.as_str(), *changed, *size)).collect();
        let found = taken(&["log/*"], "log", &many);
        assert_eq!((found.files.len(), found.notes.len()), (100, 1));
        let found = taken(&["log/*"], "log", &[("log/big", 2_000, 40 << 20), ("log/small", 2_000, 5)]);
        assert_eq!(names(&found), ["artifacts/log/small"]);
    }

    #[test]
    fn folders_within_others_are_read_once() {
        let patterns = ["tmp/**".to_owned(), "tmp/shots/*.png".to_owned(), "log/x".to_owned()];
        assert_eq!(Artifacts::new(&patterns).folders, ["log", "tmp"]);
    }
}
