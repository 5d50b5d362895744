//! What an environment is made of that starts from a frozen state. Pure.

use std::collections::BTreeSet;

use crate::engine::ImageDefaults;
use crate::environment::images::Images;
use crate::manifest::Manifest;
use crate::manifest::compose::{Mount, MountSource, Project, Service};

/// The manifest and images of such environments: frozen services start from `references`, without the volumes that are
/// in them; what is `done` is left out.
pub(super) fn thaw(
    manifest: &Manifest,
    images: &Images,
    done: &BTreeSet<String>,
    references: &[(String, String)],
) -> (Manifest, Images) {
    let (mut manifest, mut images) = (manifest.clone(), images.clone());
    let project = &mut manifest.compose;
    project.services.retain(|name, _| !done.contains(name));
    for service in project.services.values_mut() {
        service.depends_on.retain(|name, _| !done.contains(name));
    }
    for (name, reference) in references {
        let shared: Vec<Mount> = match project.services.get(name) {
            Some(service) => service.mounts.iter().filter(|mount| stays(project, name, mount)).cloned().collect(),
            None => continue,
        };
        let Some((service, image)) = project.services.get_mut(name).zip(images.get_mut(name)) else { continue };
        service.mounts = shared;
        fill_in(service, &image.info.defaults);
        image.reference.clone_from(reference);
    }
    (manifest, images)
}

/// Folders of the host stay. A volume that others see, too, stays as well: the engine fills it from the image when it
/// is first mounted.
fn stays(project: &Project, name: &str, mount: &Mount) -> bool {
    let mut services = project.services.values();
    let is_shared = services.any(|other| other.volumes_from.iter().any(|(from, _)| from == name));
    match &mount.source {
        MountSource::Bind(_) => true,
        MountSource::Anonymous => is_shared,
        MountSource::Volume(_) => {
            is_shared
                || project.services.iter().any(|(other, service)| {
                    other != name && service.mounts.iter().any(|theirs| theirs.source == mount.source)
                })
        }
    }
}

/// A frozen image has no settings: those of the image that it was made from are the service's own now.
fn fill_in(service: &mut Service, defaults: &ImageDefaults) {
    for (name, value) in &defaults.environment {
        service.environment.entry(name.clone()).or_insert_with(|| value.clone());
    }
    // As everywhere in Docker, an entrypoint of the service's own puts the image's command out of force.
    if service.entrypoint.is_none() {
        service.entrypoint.clone_from(&defaults.entrypoint);
        service.command = service.command.take().or_else(|| defaults.command.clone());
    }
    let or = |own: &mut Option<String>, default: &Option<String>| *own = own.take().or_else(|| default.clone());
    or(&mut service.user, &defaults.user);
    or(&mut service.working_dir, &defaults.working_dir);
    or(&mut service.stop_signal, &defaults.stop_signal);
}

#[cfg(test)]
mod tests {
    use super::super::tests::shop;
    use super::*;

    fn words(text: &str) -> Option<Vec<String>> {
        Some(text.split(' ').map(str::to_owned).collect())
    }

    fn thawed(change: impl FnOnce(&mut Manifest, &mut Images)) -> (Manifest, Images) {
        let (mut manifest, mut images) = shop();
        change(&mut manifest, &mut images);
        let references = [("db".to_owned(), "frozen:1".to_owned())];
        thaw(&manifest, &images, &["migrate".to_owned()].into(), &references)
    }

    #[test]
    fn a_frozen_service_starts_from_its_image_without_volumes_and_what_is_done_is_left_out() {
        let (manifest, images) = thawed(|_, _| {});
        let services: Vec<&String> = manifest.compose.services.keys().collect();
        assert_eq!(services, ["db", "web", "browser"]);
        assert_eq!(manifest.compose.services["web"].depends_on.len(), 0);
        assert_eq!(manifest.compose.services["db"].mounts, []);
        assert_eq!((images["db"].reference.as_str(), images["web"].reference.as_str()), ("frozen:1", "web:1"));
    }

    #[test]
    fn a_volume_that_others_see_stays() {
        let (manifest, _) = thawed(|manifest, _| {
            let mounts = manifest.compose.services["db"].mounts.clone();
            manifest.compose.services["web"].mounts = mounts;
        });
        assert_eq!(manifest.compose.services["db"].mounts.len(), 1);
    }

    #[test]
    fn the_settings_of_the_image_become_the_services_own_below_those_of_the_compose_file() {
        let set = |_: &mut Manifest, images: &mut Images| {
            images.get_mut("db").unwrap().info.defaults = ImageDefaults {
                environment: vec![("PATH".to_owned(), "/bin".to_owned()), ("MODE".to_owned(), "image".to_owned())],
                command: words("postgres -c fsync=off"),
                entrypoint: words("docker-entrypoint.sh"),
                user: Some("postgres".to_owned()),
                working_dir: Some("/srv".to_owned()),
                stop_signal: Some("SIGINT".to_owned()),
            };
        };
        let (manifest, _) = thawed(|manifest, images| {
            set(manifest, images);
            let db = &mut manifest.compose.services["db"];
            db.environment.insert("MODE".to_owned(), "compose".to_owned());
            db.working_dir = Some("/own".to_owned());
        });
        let db = &manifest.compose.services["db"];
        assert_eq!((db.environment["PATH"].as_str(), db.environment["MODE"].as_str()), ("/bin", "compose"));
        assert_eq!((&db.command, &db.entrypoint), (&words("postgres -c fsync=off"), &words("docker-entrypoint.sh")));
        assert_eq!((db.user.as_deref(), db.working_dir.as_deref()), (Some("postgres"), Some("/own")));
        assert_eq!(db.stop_signal.as_deref(), Some("SIGINT"));

        let (manifest, _) = thawed(|manifest, images| {
            set(manifest, images);
            manifest.compose.services["db"].entrypoint = words("own");
        });
        let db = &manifest.compose.services["db"];
        assert_eq!((&db.command, &db.entrypoint), (&None, &words("own")));
    }
}
