//! Finding out what is looked at. Changes nothing, here or on the engine, but for the schema of
//! a history that is older than the program.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use super::facts::{EngineFacts, Facts, ManifestFacts, Space};
use crate::cli::DoctorArgs;
use crate::engine::docker::DockerEngine;
use crate::engine::docker::connection::Connection;
use crate::engine::{Engine, EngineError, Refusal, RefusalKind};
use crate::environment::{host_routes, images, label, lease};
use crate::manifest::{self, Manifest, SubnetPool};
use crate::run::lanes::{self, Room};
use crate::run::subnets;
use crate::store::{self, Footprint, Place, Store, StoreError};

pub(super) async fn gather(args: &DoctorArgs) -> Facts {
    let variable = |name: &str| std::env::var(name).ok();
    let loaded = args.manifest.as_deref().map(|folder| manifest::load(folder, &variable));
    let manifest = match &loaded {
        Some(Ok((manifest, _))) => Some(manifest),
        Some(Err(_)) | None => None,
    };
    let named = variable(store::VARIABLE);
    let of_manifest = manifest.and_then(|manifest| manifest.history.as_deref());
    let place = Place::choose(args.database.as_deref(), named.as_deref(), of_manifest, &args.reports);
    let history = history(place, manifest).await;
    let footprints = history.as_ref().and_then(|history| history.as_deref().ok()).unwrap_or_default();
    let connection = Connection::find(&args.engine.asked());
    let address = connection.as_ref().map_or_else(
        |_| args.engine.engine.clone().unwrap_or_else(|| "the address that is set".to_owned()),
        |connection| connection.address.clone(),
    );
    let connected = match connection {
        Ok(connection) => DockerEngine::connect_to(&connection).await,
        Err(message) => {
            let refusal = Refusal { kind: RefusalKind::Other, message };
            Err(EngineError::Connect { address: address.clone(), refusal })
        }
    };
    let engine = match &connected {
        Ok(engine) => ask(engine, manifest, footprints).await,
        Err(error) => Err(error.clone()),
    };
    let pool = manifest.map_or_else(SubnetPool::default, |manifest| manifest.environment.subnets.clone());
    let pool = subnets::pool(&pool, variable(subnets::VARIABLE).as_deref());
    let manifest = match &loaded {
        None => None,
        Some(Err(problems)) => Some(Err(problems.to_string())),
        Some(Ok((manifest, warnings))) => Some(Ok(look(connected.as_ref().ok(), manifest, warnings.len()).await)),
    };
    Facts {
        address,
        engine: engine.map_err(|error| error.to_string()),
        reports: args.reports.clone(),
        reports_space: nearest(&args.reports).and_then(|folder| space(&folder)),
        history: history.map(|history| history.map(|footprints| footprints.len())),
        pool: pool.map_err(|error| error.to_string()),
        manifest,
    }
}

/// What the history knows of the suite's environments; `None` where there is no history yet, which is not made here.
async fn history(
    place: Result<Place, StoreError>,
    manifest: Option<&Manifest>,
) -> Option<Result<Vec<Footprint>, String>> {
    let read = async {
        let Some(store) = Store::open_existing(place?).await? else { return Ok(None) };
        let footprints = match manifest {
            Some(manifest) => store.footprints(&manifest.suite.name).await,
            None => Ok(Vec::new()),
        };
        store.close().await;
        footprints.map(Some)
    };
    read.await.map_err(|error: StoreError| error.to_string()).transpose()
}

async fn ask(
    engine: &DockerEngine,
    manifest: Option<&Manifest>,
    footprints: &[Footprint],
) -> Result<EngineFacts, EngineError> {
    let info = engine.describe().await?;
    let started = Instant::now();
    let host = engine.host().await?;
    let answered_in = started.elapsed();
    // The engine looked at its clock somewhere in between.
    let our_clock = Timestamp::now() - answered_in / 2;
    let is_here = subnets::is_here(&host);
    let memory_available = lanes::free_memory(&info);
    let things = engine.list(label::RUN).await?;
    let lanes = manifest.map(|manifest| {
        let room = Room { engine: &info, free: memory_available, footprints, compose: &manifest.compose };
        lanes::choose(None, manifest.environment.lanes, room)
    });
    Ok(EngineFacts {
        is_here,
        memory_available,
        space: is_here.then(|| space(Path::new(&host.root))),
        routes: if is_here { host_routes() } else { Vec::new() },
        subnets: engine.used_subnets().await?,
        standings: lease::standings(&things, host.clock),
        things,
        images: engine.stored_images(label::SUITE).await?,
        lanes,
        info,
        host,
        answered_in,
        our_clock,
    })
}

async fn look(engine: Option<&DockerEngine>, manifest: &Manifest, warnings: usize) -> ManifestFacts {
    let images = match engine {
        Some(engine) => Some(images::needed(engine, &manifest.suite.name, &manifest.compose).await),
        None => None,
    };
    ManifestFacts {
        suite: manifest.suite.name.clone(),
        services: manifest.compose.services.len(),
        warnings,
        images: images.map(|images| images.map_err(|error| error.to_string())),
    }
}

/// The folder, or the nearest one above it that is there.
fn nearest(folder: &Path) -> Result<PathBuf, String> {
    let whole = std::path::absolute(folder).map_err(|error| error.to_string())?;
    let found = whole.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned);
    let found = found.ok_or_else(|| format!("{} is nowhere", folder.display()))?;
    match nix::unistd::access(&found, nix::unistd::AccessFlags::W_OK) {
        Ok(()) => Ok(found),
        Err(error) => Err(format!("{} can't be written to: {}", found.display(), error.desc())),
    }
}

fn space(folder: &Path) -> Result<Space, String> {
    let found =
        nix::sys::statvfs::statvfs(folder).map_err(|error| format!("{}: {}", folder.display(), error.desc()))?;
    let bytes = |blocks| found.fragment_size() * blocks;
    Ok(Space { free: bytes(found.blocks_available()), size: bytes(found.blocks()) })
}
