//! Build contexts: which files the engine is sent, and a key that changes when any of them does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use sha2::{Digest as _, Sha256};

use crate::manifest::compose::Build;

/// A build context, read from disk.
#[derive(Debug)]
pub(super) struct Context {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    /// Relative to the context.
    path: PathBuf,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File { bytes: Vec<u8>, executable: bool },
    Link(PathBuf),
}

impl Context {
    /// Reads the files of a context, in the order of their paths, without those that `.dockerignore` names.
    pub(super) fn read(build: &Build) -> std::io::Result<Self> {
        let ignored = ignored(&build.context)?;
        let mut files = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(build.context.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                let kind = entry.file_type()?;
                // Patterns with `!` may bring back what lies in a folder that is itself left out.
                if kind.is_dir() {
                    folders.push(path);
                } else if !is_left_out(&ignored, &path, build) {
                    let content = if kind.is_symlink() {
                        Content::Link(fs::read_link(entry.path())?)
                    } else if kind.is_file() {
                        let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
                        Content::File { bytes: fs::read(entry.path())?, executable }
                    } else {
                        continue;
                    };
                    files.push(File { path, content });
                }
            }
        }
        if let Some(text) = &build.inline {
            let path = PathBuf::from(&build.dockerfile);
            files.retain(|file: &File| file.path != path);
            files.push(File { path, content: Content::File { bytes: text.clone().into_bytes(), executable: false } });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// The text of a file, where the context has it.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let file = self.files.iter().find(|file| file.path == Path::new(path))?;
        match &file.content {
            Content::File { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            Content::Link(_) => None,
        }
    }

    /// Twelve hex digits that stand for the files, the build's settings and whatever else is passed in.
    pub(super) fn key(&self, build: &Build, platform: Option<&str>, also: &[String]) -> String {
        let mut hash = Sha256::new();
        let mut feed = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        for file in &self.files {
            feed(file.path.as_os_str().as_encoded_bytes());
            match &file.content {
                Content::File { bytes, executable } => {
                    feed(&[u8::from(*executable)]);
                    feed(bytes);
                }
                Content::Link(target) => {
                    feed(&[2]);
                    feed(target.as_os_str().as_encoded_bytes());
                }
            }
        }
        feed(build.dockerfile.as_bytes());
        for (name, value) in &build.args {
            feed(format!("{name}={value}").as_bytes());
        }
        feed(build.target.as_deref().unwrap_or_default().as_bytes());
        for (name, value) in &build.labels {
            feed(format!("{name}={value}").as_bytes());
        }
        feed(platform.unwrap_or_default().as_bytes());
        for part in also {
            feed(part.as_bytes());
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The files as a tar archive. Times are left out, so that the engine's build cache sees only contents.
    pub(super) fn archive(&self) -> std::io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for file in &self.files {
            let mut header = tar::Header::new_gnu();
            match &file.content {
                Content::File { bytes, executable } => {
                    header.set_size(bytes.len() as u64);
                    header.set_mode(if *executable { 0o755 } else { 0o644 });
                    archive.append_data(&mut header, &file.path, bytes.as_slice())?;
                }
                Content::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    header.set_mode(0o777);
                    archive.append_link(&mut header, &file.path, target)?;
                }
            }
        }
        archive.into_inner()
    }
}

/// The images that a Dockerfile builds on, as its `FROM` lines name them.
pub(super) fn base_images(dockerfile: &str) -> Vec<String> {
    dockerfile
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            words.next().filter(|word| word.eq_ignore_ascii_case("from"))?;
            words.find(|word| !word.starts_with("--")).map(str::to_owned)
        })
        .collect()
}

/// `.dockerignore`'s patterns start at the context's root, unlike those of Git.
fn ignored(context: &Path) -> std::io::Result<Gitignore> {
    let mut builder = GitignoreBuilder::new(context);
    if let Ok(text) = fs::read_to_string(context.join(".dockerignore")) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (sign, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern));
            let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
            builder.add_line(None, &format!("{sign}/{pattern}")).map_err(std::io::Error::other)?;
        }
    }
    builder.build().map_err(std::io::Error::other)
}

fn is_left_out(ignored: &Gitignore, path: &Path, build: &Build) -> bool {
    // The engine needs these two whatever the patterns say.
    let needed = path == Path::new(&build.dockerfile) || path == Path::new(".dockerignore");
    !needed && ignored.matched_path_or_any_parents(path, false).is_ignore()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(context: &Path) -> Build {
        Build { context: context.to_owned(), dockerfile: "Dockerfile".into(), ..Build::default() }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn paths(folder: &tempfile::TempDir) -> Vec<String> {
        let context = Context::read(&build(folder.path())).unwrap();
        context.files.iter().map(|file| file.path.display().to_string()).collect()
    }

    #[test]
    fn dockerignore_patterns_start_at_the_root_and_can_bring_back() {
        let folder = folder(&[
            ("Dockerfile", "FROM x"),
            (".dockerignore", "log\n*.md\n!keep.md\n**/tmp\n# comment\nDockerfile\n"),
            ("log/a", ""),
            ("sub/log/b", ""),
            ("note.md", ""),
            ("keep.md", ""),
            ("sub/note.md", ""),
            ("sub/tmp/c", ""),
        ]);
        assert_eq!(paths(&folder), [".dockerignore", "Dockerfile", "keep.md", "sub/log/b", "sub/note.md"]);
    }

    #[test]
    fn the_key_changes_with_content_and_settings_and_with_nothing_else() {
        let folder = folder(&[("Dockerfile", "FROM x"), ("a", "1")]);
        let mut build = build(folder.path());
        let key = |build: &Build| Context::read(build).unwrap().key(build, None, &[]);
        let first = key(&build);
        assert_eq!(first, key(&build));
        fs::write(folder.path().join("a"), "2").unwrap();
        let second = key(&build);
        build.args.insert("V".into(), "1".into());
        assert!(first != second && second != key(&build));
    }

    #[test]
    fn a_dockerfile_from_elsewhere_is_sent_along_and_counts_for_the_key() {
        let folder = folder(&[("a", "1")]);
        let mut build = build(folder.path());
        build.dockerfile = ".elsewhere".into();
        build.inline = Some("FROM x".into());
        let context = Context::read(&build).unwrap();
        assert_eq!(context.text(".elsewhere").as_deref(), Some("FROM x"));
        let first = context.key(&build, None, &[]);
        build.inline = Some("FROM y".into());
        assert_ne!(Context::read(&build).unwrap().key(&build, None, &[]), first);
    }

    #[test]
    fn base_images_are_read_from_from_lines() {
        let text = "FROM --platform=linux/amd64 debian:bookworm-slim AS base\nRUN x\nfrom base\n";
        assert_eq!(base_images(text), ["debian:bookworm-slim", "base"]);
    }
}
