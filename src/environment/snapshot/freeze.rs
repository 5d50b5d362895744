//! Making a frozen state: boot, seed, stop, and keep what the containers hold.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::watch;

use super::super::in_words;
use super::{KEEP_OLD, Parts, SnapshotError};
use crate::engine::{ContainerState, Labels};
use crate::environment::blueprint::prefix;
use crate::environment::boot::Site;
use crate::environment::images::ImageProgress;
use crate::environment::label;
use crate::environment::ledger::Ledger;
use crate::environment::run_once::{Once, run_once};
use crate::event::BrokenEnvironment;
use crate::id::EnvironmentName;
use crate::manifest::compose::Project;
use crate::manifest::{Manifest, Reset, Seed};

/// How long a service that is frozen may take to end by itself.
const GRACE: Duration = Duration::from_secs(60);
/// How long any other may take.
const SHORT_GRACE: Duration = Duration::from_secs(5);
/// The pause between two looks at a service that must end by itself.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// The exit code of what was killed.
const KILLED: i64 = 137;

/// Makes the images `references` (service and reference) of the frozen state.
pub(super) async fn freeze(
    site: &Site,
    parts: &Parts,
    references: &[(String, String)],
    progress: &dyn ImageProgress,
) -> Result<(), SnapshotError> {
    let ledger = Ledger::new(site.in_flight.clone());
    let frozen = make(site, parts, references, &ledger, progress).await;
    // What can't be removed now is found by the run's sweep.
    let _ = ledger.tear_down(&*site.engine).await;
    if frozen.is_ok() {
        for (service, reference) in references {
            prune(site, service, reference).await;
        }
    }
    frozen
}

async fn make(
    site: &Site,
    parts: &Parts,
    references: &[(String, String)],
    ledger: &Ledger,
    progress: &dyn ImageProgress,
) -> Result<(), SnapshotError> {
    let names: Vec<&str> = parts.frozen.iter().map(String::as_str).collect();
    let tell = |what: &str| progress.line(&format!("snapshot of {}", names.join(", ")), what);
    let own = Site { manifest: Arc::new(only(&site.manifest, &parts.booted)), ..site.clone() };
    let step = |what: String| tell(&what);
    let environment = own
        .boot(EnvironmentName::Snapshot, ledger, &step, &watch::channel(None).0)
        .await
        .map_err(SnapshotError::Boot)?;
    for service in &parts.done {
        tell(&format!("{service}: waiting for its end"));
        until_done(site, service).await?;
    }
    if let Some(seed) = &site.manifest.environment.snapshot.seed {
        tell(&format!("running the seed in {}", seed.service));
        run(site, seed).await?;
    }
    drop(environment);
    for service in in_order_of_stopping(&own.manifest.compose) {
        tell(&format!("{service}: stopping"));
        stop(site, &service, parts.frozen.contains(&service)).await?;
    }
    tell("keeping the files");
    try_join_all(references.iter().map(|(service, reference)| keep(site, service, reference))).await.map(drop)
}

/// The manifest with these services only. Nothing of them is published or reset.
fn only(manifest: &Manifest, booted: &BTreeSet<String>) -> Manifest {
    let mut manifest = manifest.clone();
    manifest.compose.services.retain(|name, _| booted.contains(name));
    manifest.environment.publish.clear();
    manifest.environment.reset = Reset::default();
    manifest
}

fn container(site: &Site, service: &str) -> String {
    format!("{}-{service}", prefix(&site.run, EnvironmentName::Snapshot))
}

/// Waits until a service has ended by itself. Nothing else waits for it where all that depends on it is not booted.
async fn until_done(site: &Site, service: &str) -> Result<(), SnapshotError> {
    let ended = async {
        loop {
            match site.engine.inspect_container(&container(site, service)).await? {
                ContainerState::Exited { code: 0, .. } => return Ok(()),
                ContainerState::Exited { code, .. } => {
                    return Err(broken(
                        service,
                        format!("{service} ended with exit code {code} instead of completing"),
                    ));
                }
                ContainerState::Gone => return Err(broken(service, format!("{service} was removed while it ran"))),
                ContainerState::Created | ContainerState::Running { .. } => {}
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    };
    let limit = site.manifest.environment.ready_within;
    match tokio::time::timeout(limit, ended).await {
        Ok(ended) => ended,
        Err(_) => {
            let limit = in_words(limit);
            Err(broken(service, format!("{service} had not ended by itself within {limit}")))
        }
    }
}

fn broken(service: &str, cause: String) -> SnapshotError {
    SnapshotError::Boot(BrokenEnvironment { service: Some(service.to_owned()), cause, log_tail: Vec::new() })
}

async fn run(site: &Site, seed: &Seed) -> Result<(), SnapshotError> {
    let once = Once { command: &seed.command, ..Once::default() };
    let ran = run_once(&*site.engine, &container(site, &seed.service), once, seed.within).await;
    ran.map_err(|why| SnapshotError::Seed {
        service: seed.service.clone(),
        command: site.secrets.mask(&seed.command.join(" ")),
        why: site.secrets.mask(&why),
    })
}

/// Those that depend on others before the others, so that none loses what it still writes to.
fn in_order_of_stopping(project: &Project) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < project.services.len() {
        let before = order.len();
        for name in project.services.keys().filter(|name| !order.contains(name)).cloned().collect::<Vec<_>>() {
            let mut others = project.services.iter().filter(|(other, _)| !order.contains(other));
            if !others.any(|(_, other)| other.depends_on.contains_key(&name)) {
                order.push(name);
            }
        }
        // Circles were refused with the manifest; here they must only not keep us for ever.
        if order.len() == before {
            break;
        }
    }
    order
}

async fn stop(site: &Site, service: &str, is_frozen: bool) -> Result<(), SnapshotError> {
    let name = container(site, service);
    let own = site.manifest.compose.services.get(service).and_then(|service| service.tuning.stop_seconds);
    let own = own.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    let grace = own.unwrap_or(if is_frozen { GRACE } else { SHORT_GRACE });
    site.engine.stop_container(&name, grace).await?;
    match site.engine.inspect_container(&name).await? {
        ContainerState::Exited { code: KILLED, .. } if is_frozen => {
            Err(SnapshotError::Killed { service: service.to_owned(), grace })
        }
        ContainerState::Exited { .. }
        | ContainerState::Created
        | ContainerState::Running { .. }
        | ContainerState::Gone => Ok(()),
    }
}

/// Makes an image of a stopped service, under a name of this run's own until it is whole. Where another run was faster,
/// its image is the one that counts.
async fn keep(site: &Site, service: &str, reference: &str) -> Result<(), SnapshotError> {
    let engine = &site.engine;
    let repository = reference.rsplit_once(':').map_or(reference, |(repository, _)| repository);
    let making = format!("{repository}:freezing-{}", site.run);
    let labels = labels(&site.manifest.suite.name, service);
    engine.import_image(&making, &labels, engine.read_archive(&container(site, service), "/")).await?;
    if engine.inspect_image(reference).await?.is_none() {
        engine.tag_image(&making, reference).await?;
    }
    engine.remove_image(&making).await?;
    Ok(())
}

fn labels(suite: &str, service: &str) -> Labels {
    [(label::SUITE, suite), (label::SNAPSHOT, service)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Removes older states. One that is in use by another run is refused by the engine, and stays.
async fn prune(site: &Site, service: &str, current: &str) {
    let labels = labels(&site.manifest.suite.name, service);
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let Ok(references) = site.engine.list_images(&labels).await else { return };
    // What another run is making has not got its name yet.
    let frozen = references.iter().filter(|reference| reference.contains(":snapshot-") && *reference != current);
    for old in frozen.skip(KEEP_OLD) {
        let _ = site.engine.remove_image(old).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shop;
    use super::*;

    #[test]
    fn what_depends_on_others_is_stopped_first() {
        let (manifest, _) = shop();
        assert_eq!(in_order_of_stopping(&manifest.compose), ["browser", "web", "migrate", "db"]);
    }

    #[test]
    fn only_what_is_frozen_what_it_needs_and_where_the_seed_runs_is_booted() {
        let (mut manifest, _) = shop();
        let parts = Parts::of(&manifest);
        assert_eq!(parts.frozen, ["db"]);
        assert_eq!(parts.done, ["migrate".to_owned()].into());
        assert_eq!(parts.booted, ["db", "migrate"].map(str::to_owned).into());
        let (service, command) = ("web".to_owned(), vec!["seed".to_owned()]);
        manifest.environment.snapshot.seed = Some(Seed { service, command, within: GRACE });
        assert_eq!(Parts::of(&manifest).booted, ["db", "migrate", "web"].map(str::to_owned).into());
    }
}
