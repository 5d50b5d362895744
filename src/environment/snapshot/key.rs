//! What a frozen state is made from, as a key.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::SnapshotError;
use crate::environment::images::Images;
use crate::manifest::Manifest;
use crate::manifest::compose::{ImageSource, MountSource, Service};

/// Changes with the way in which states are frozen.
const FORMAT: &str = "1";

/// Files by what they are for, with a digest of what they hold.
pub(super) type Contents = Vec<(String, Vec<u8>)>;

/// Digests of the files that the manifest names, and of all that is mounted from the host into the services.
pub(super) fn contents(manifest: &Manifest, booted: &BTreeSet<String>) -> Result<Contents, SnapshotError> {
    let mut contents = Vec::new();
    for file in &manifest.environment.snapshot.files {
        let path = manifest.folder.join(file);
        contents.push((file.display().to_string(), read(&path)?));
    }
    for name in booted {
        let mounts = manifest.compose.services.get(name).map(|service| service.mounts.as_slice()).unwrap_or_default();
        for mount in mounts {
            let MountSource::Bind(source) = &mount.source else { continue };
            for path in files_below(source) {
                let inside = path.strip_prefix(source).unwrap_or(&path).display().to_string();
                contents.push((format!("{name}:{}:{inside}", mount.target), read(&path)?));
            }
        }
    }
    Ok(contents)
}

/// A file, or all regular files of a folder, in their order. Sockets and the like hold nothing.
fn files_below(source: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(source).standard_filters(false).sort_by_file_path(Ord::cmp).build();
    let entries = walk.filter_map(Result::ok);
    entries.filter(|entry| entry.path().is_file()).map(ignore::DirEntry::into_path).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, SnapshotError> {
    let mut hash = Sha256::new();
    let copied = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hash));
    copied.map_err(|error| SnapshotError::File { path: path.to_owned(), error })?;
    Ok(hash.finalize().to_vec())
}

/// Twelve hex digits that stand for the services' images and definitions, the seed and the files' contents. Where the
/// manifest lies is no part of it.
pub(super) fn key(manifest: &Manifest, booted: &BTreeSet<String>, images: &Images, contents: &Contents) -> String {
    let mut hash = Sha256::new();
    let mut feed = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    feed(FORMAT.as_bytes());
    let snapshot = &manifest.environment.snapshot;
    for service in &snapshot.services {
        feed(service.as_bytes());
    }
    feed(format!("{:?}", snapshot.seed.as_ref().map(|seed| (&seed.service, &seed.command))).as_bytes());
    for name in booted {
        feed(name.as_bytes());
        feed(images.get(name).map_or("", |image| &image.info.id).as_bytes());
        if let Some(service) = manifest.compose.services.get(name) {
            feed(format!("{:?}", wherever(service)).as_bytes());
        }
    }
    for (path, digest) in contents {
        feed(path.as_bytes());
        feed(digest);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The service without the places on this host: what lies there counts, not where.
fn wherever(service: &Service) -> Service {
    let mut service = Service { image: ImageSource::default(), ..service.clone() };
    for mount in &mut service.mounts {
        if let MountSource::Bind(path) = &mut mount.source {
            *path = PathBuf::new();
        }
    }
    service
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::shop;
    use super::*;
    use crate::manifest::Seed;

    fn key_of(change: impl FnOnce(&mut Manifest, &mut Images, &mut Contents)) -> String {
        let (mut manifest, mut images) = shop();
        let mut contents = vec![("db/seed.sql".to_owned(), vec![1, 2])];
        change(&mut manifest, &mut images, &mut contents);
        key(&manifest, &["db".to_owned(), "migrate".to_owned()].into(), &images, &contents)
    }

    #[test]
    fn a_key_stands_for_all_that_the_state_is_made_from() {
        let mut keys = vec![
            key_of(|_, _, _| {}),
            key_of(|_, images, _| images.get_mut("db").unwrap().info.id = "sha256:2".to_owned()),
            key_of(|manifest, _, _| {
                manifest.compose.services["migrate"].command = Some(vec!["migrate".to_owned()]);
            }),
            key_of(|manifest, _, _| {
                manifest.compose.services["db"].environment.insert("A".to_owned(), "b".to_owned());
            }),
            key_of(|manifest, _, _| manifest.compose.services["db"].mounts.clear()),
            key_of(|manifest, _, _| {
                let (service, command) = ("db".to_owned(), vec!["seed".to_owned()]);
                manifest.environment.snapshot.seed = Some(Seed { service, command, within: Duration::ZERO });
            }),
            key_of(|_, _, contents| contents[0].1 = vec![1, 3]),
            key_of(|_, _, contents| contents[0].0 = "db/other.sql".to_owned()),
        ];
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 8);
    }

    #[test]
    fn a_key_does_not_stand_for_what_is_not_frozen_nor_for_where_it_lies() {
        let plain = key_of(|_, _, _| {});
        assert_eq!(key_of(|manifest, _, _| manifest.folder = PathBuf::from("/elsewhere")), plain);
        assert_eq!(
            key_of(|manifest, _, _| {
                manifest.compose.services["web"].environment.insert("A".to_owned(), "b".to_owned());
            }),
            plain
        );
        assert_eq!(key_of(|manifest, _, _| manifest.environment.standby = 3), plain);
    }

    #[test]
    fn what_is_mounted_from_the_host_counts_by_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("seed.sql"), "one").unwrap();
        let (mut manifest, _) = shop();
        manifest.compose.services["db"].mounts[0].source = MountSource::Bind(folder.path().to_owned());
        let booted = ["db".to_owned()].into();
        let first = contents(&manifest, &booted).unwrap();
        assert_eq!(first[0].0, "db:/data:seed.sql");
        std::fs::write(folder.path().join("seed.sql"), "two").unwrap();
        assert_ne!(contents(&manifest, &booted).unwrap(), first);
    }
}
