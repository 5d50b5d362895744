//! Services that are seeded once, frozen, and start from their frozen state in every further environment.
//!
//! [`key`] names a state by all that it is made from, [`freeze`] makes it, and [`thaw`] says what an environment is
//! made of that starts from it. A frozen service is an image that holds its whole file system, its volumes' contents
//! at their places, and declares no volumes: its containers write above it, and share what they only read. A volume
//! would be filled with a copy first, which takes longer than the database takes to start.

mod freeze;
mod key;
mod thaw;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::boot::Site;
use super::images::ImageProgress;
use crate::engine::{Engine, EngineError};
use crate::event::BrokenEnvironment;
use crate::manifest::Manifest;
use crate::manifest::compose::{Condition, Project};

/// Frozen states of one service that are kept, besides the one in use, for quick ways back.
const KEEP_OLD: usize = 1;

/// Why there is no frozen state.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file that the state depends on can't be read.
    #[error("the snapshot depends on {}, which can't be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The services to be frozen did not come up.
    #[error("no snapshot could be made: {}{}", .0.cause, log(.0))]
    Boot(BrokenEnvironment),
    /// The seed failed.
    #[error("no snapshot could be made: the seed `{command}` in {service} failed: {why}")]
    Seed {
        /// The service in which it ran.
        service: String,
        /// The command.
        command: String,
        /// Exit code and last words.
        why: String,
    },
    /// A service did not end by itself, so that its files may be torn.
    #[error(
        "no snapshot could be made: {service} did not end within {} s of its stop signal, and was killed\n    give it a \
         \"stop_signal\" on which it ends in the Compose file (PostgreSQL: SIGINT), or leave it out of \"snapshot\"",
        grace.as_secs()
    )]
    Killed {
        /// The service.
        service: String,
        /// How long it was waited for.
        grace: Duration,
    },
    /// The engine can't give all that a service holds.
    #[error(
        "no snapshot could be made: {product} leaves volumes out of what it hands over of a container, so that a frozen \
         service would come up empty\n    leave \"snapshot\" out of the manifest, or run on Docker"
    )]
    Unfit {
        /// What the engine is.
        product: String,
    },
    /// The engine could not do it.
    #[error("no snapshot could be made: {0}")]
    Engine(#[from] EngineError),
}

fn log(broken: &BrokenEnvironment) -> String {
    broken.log_tail.iter().map(|line| format!("\n    | {line}")).collect()
}

/// Sees to it that the engine has the frozen state of what the manifest's `snapshot` names, and returns the site whose
/// environments start from it. Where nothing is to be frozen, that is the site itself. What is made on the way carries
/// the run's labels; when this is dropped half-way, the run's sweep removes it.
pub async fn provide(site: Site, progress: &dyn ImageProgress) -> Result<Site, SnapshotError> {
    let snapshot = &site.manifest.environment.snapshot;
    if snapshot.services.is_empty() {
        return Ok(site);
    }
    let parts = Parts::of(&site.manifest);
    let suite = &site.manifest.suite.name;
    let contents = key::contents(&site.manifest, &parts.booted)?;
    let key = key::key(&site.manifest, &parts.booted, &site.images, &contents);
    let references: Vec<(String, String)> =
        parts.frozen.iter().map(|name| (name.clone(), format!("shakedown/{suite}-{name}:snapshot-{key}"))).collect();
    let started = Instant::now();
    let was_there = are_there(&*site.engine, &references).await?;
    if !was_there {
        let host = site.engine.host().await?;
        if !host.archives_volumes() {
            return Err(SnapshotError::Unfit { product: host.product });
        }
        freeze::freeze(&site, &parts, &references, progress).await?;
    }
    for (service, _) in &references {
        progress.ready(&format!("snapshot of {service}"), if was_there { Duration::ZERO } else { started.elapsed() });
    }
    let (manifest, images) = thaw::thaw(&site.manifest, &site.images, &parts.done, &references);
    Ok(Site { manifest: Arc::new(manifest), images, ..site })
}

async fn are_there(engine: &dyn Engine, references: &[(String, String)]) -> Result<bool, EngineError> {
    for (_, reference) in references {
        if engine.inspect_image(reference).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What becomes of the services.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    /// Those that stay up and are frozen.
    frozen: Vec<String>,
    /// Those that end by themselves, and whose work the frozen ones hold.
    done: BTreeSet<String>,
    /// All that must run once: these, where the seed runs, and what they depend on.
    booted: BTreeSet<String>,
}

impl Parts {
    fn of(manifest: &Manifest) -> Self {
        let (snapshot, project) = (&manifest.environment.snapshot, &manifest.compose);
        let (done, frozen): (Vec<String>, _) =
            snapshot.services.iter().cloned().partition(|name| ends_by_itself(project, name));
        let mut booted = BTreeSet::new();
        let seeded = snapshot.seed.iter().map(|seed| &seed.service);
        let mut open: Vec<&str> = snapshot.services.iter().chain(seeded).map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if booted.insert(name.to_owned()) {
                let Some(service) = project.services.get(name) else { continue };
                open.extend(service.depends_on.keys().map(String::as_str));
                open.extend(service.shares_with());
            }
        }
        Self { frozen, done: done.into_iter().collect(), booted }
    }
}

fn ends_by_itself(project: &Project, name: &str) -> bool {
    project.services.values().any(|service| service.depends_on.get(name) == Some(&Condition::CompletedSuccessfully))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use indexmap::IndexMap;

    use crate::engine::ImageInfo;
    use crate::environment::images::{Images, ServiceImage};
    use crate::manifest::compose::{Condition, Mount, MountSource, Project, Service};
    use crate::manifest::{EnvironmentSettings, FrameworkKind, Manifest, RetrySettings, Snapshot, Suite};

    /// A browser that waits for a web server, which waits for a migration of a database with a volume.
    pub(super) fn shop() -> (Manifest, Images) {
        let service = |waits: &[(&str, Condition)]| Service {
            depends_on: waits.iter().map(|(name, condition)| ((*name).to_owned(), *condition)).collect(),
            ..Service::default()
        };
        let data =
            Mount { source: MountSource::Volume("data".to_owned()), target: "/data".to_owned(), read_only: false };
        let services: IndexMap<String, Service> = [
            ("db", Service { mounts: vec![data], ..service(&[]) }),
            ("migrate", service(&[("db", Condition::Healthy)])),
            ("web", service(&[("migrate", Condition::CompletedSuccessfully)])),
            ("browser", service(&[("web", Condition::Healthy)])),
        ]
        .map(|(name, service)| (name.to_owned(), service))
        .into();
        let image = |name: &String| ServiceImage { reference: format!("{name}:1"), info: ImageInfo::default() };
        let images = services.keys().map(|name| (name.clone(), image(name))).collect();
        let three = std::num::NonZeroU32::MIN;
        let manifest = Manifest {
            folder: PathBuf::from("shop"),
            suite: Suite {
                name: "shop".to_owned(),
                framework: FrameworkKind::Rspec,
                paths: Vec::new(),
                artifacts: Vec::new(),
            },
            environment: EnvironmentSettings {
                snapshot: Snapshot { services: vec!["db".to_owned(), "migrate".to_owned()], ..Snapshot::default() },
                ..EnvironmentSettings::new("browser")
            },
            retry: RetrySettings { attempts: three, test_timeout: None },
            order: crate::manifest::OrderSettings::default(),
            evidence: crate::manifest::EvidenceSettings::default(),
            history: None,
            compose: Project {
                file: PathBuf::from("shop/compose.yaml"),
                services,
                volumes_in_memory: IndexMap::new(),
                secrets: Vec::new(),
            },
        };
        (manifest, images)
    }
}
