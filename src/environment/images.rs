//! Seeing to it that the engine has an image for every service, building or pulling only what is missing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::context::{Context, base_images};
use super::label;
use crate::engine::{Engine, EngineError, ImageBuild, ImageInfo, Labels};
use crate::manifest::compose::{Build, ImageSource, Project, PullPolicy, Service};

/// Images of earlier versions of a service that are kept, besides the one in use, for quick ways back.
const KEEP_OLD: usize = 1;

/// The image of each service.
pub type Images = BTreeMap<String, ServiceImage>;

/// A service's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceImage {
    /// The reference by which containers are made.
    pub reference: String,
    /// What the image says of itself.
    pub info: ImageInfo,
}

/// Why a service has no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The build context can't be read.
    #[error("service {service}: the build context {} can't be read: {error}", context.display())]
    Context {
        /// The service.
        service: String,
        /// The folder.
        context: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It must not be fetched, and is not there.
    #[error(
        "service {service}: the engine does not have the image {image} (for its platform), and \"pull_policy: never\" \
         keeps it from being fetched: pull it, or change the policy"
    )]
    NotThere {
        /// The service.
        service: String,
        /// The image.
        image: String,
    },
    /// The engine could not build, pull or look up.
    #[error("service {service}: {error}")]
    Engine {
        /// The service.
        service: String,
        /// Why.
        error: EngineError,
    },
}

/// Told of what is being done for a service.
pub trait ImageProgress: Send + Sync {
    /// A line of a build's or pull's output.
    fn line(&self, service: &str, line: &str);
    /// The service's image is there; `took` is zero where it was there before.
    fn ready(&self, service: &str, took: Duration);
}

/// Finds, builds or pulls the image of every service. An image that was built is kept under a tag made from its
/// contents, so that the same contents are never built twice.
pub async fn provide(
    engine: &dyn Engine,
    suite: &str,
    project: &Project,
    progress: &dyn ImageProgress,
) -> Result<Images, ImageError> {
    let mut images = Images::new();
    for (name, service) in &project.services {
        let started = Instant::now();
        let (image, was_there) = match &service.image {
            ImageSource::Named(reference) => named(engine, name, service, reference, progress).await?,
            ImageSource::Built(build) => built(engine, suite, (name, service), build, progress).await?,
        };
        progress.ready(name, if was_there { Duration::ZERO } else { started.elapsed() });
        images.insert(name.clone(), image);
    }
    Ok(images)
}

async fn named(
    engine: &dyn Engine,
    name: &str,
    service: &Service,
    reference: &str,
    progress: &dyn ImageProgress,
) -> Result<(ServiceImage, bool), ImageError> {
    let failed = |error| ImageError::Engine { service: name.to_owned(), error };
    let platform = service.platform.as_deref();
    let there = engine.inspect_image(reference).await.map_err(failed)?;
    let fits = there.filter(|info| platform.is_none_or(|wanted| is_for(&info.platform, wanted)));
    if let (Some(info), PullPolicy::Missing | PullPolicy::Never) = (&fits, service.pull) {
        return Ok((ServiceImage { reference: reference.to_owned(), info: info.clone() }, true));
    }
    if service.pull == PullPolicy::Never {
        return Err(ImageError::NotThere { service: name.to_owned(), image: reference.to_owned() });
    }
    progress.line(name, &format!("pulling {reference}"));
    engine.pull_image(reference, platform, &|line| progress.line(name, line)).await.map_err(failed)?;
    found(engine, name, reference).await.map(|image| (image, false))
}

/// Whether an image for the platform `has` is one for `wanted`: `linux/arm64` is for `linux/arm64/v8`.
fn is_for(has: &str, wanted: &str) -> bool {
    has == wanted || wanted.strip_prefix(has).is_some_and(|variant| variant.starts_with('/'))
}

async fn built(
    engine: &dyn Engine,
    suite: &str,
    (service, settings): (&str, &Service),
    build: &Build,
    progress: &dyn ImageProgress,
) -> Result<(ServiceImage, bool), ImageError> {
    let unreadable = |error| ImageError::Context { service: service.to_owned(), context: build.context.clone(), error };
    let failed = |error| ImageError::Engine { service: service.to_owned(), error };
    let (context, reference) = to_build(engine, suite, (service, settings), build).await?;
    if let Some(info) = engine.inspect_image(&reference).await.map_err(failed)? {
        return Ok((ServiceImage { reference, info }, true));
    }
    let labels = [(label::SUITE, suite), (label::SERVICE, service)];
    let image = ImageBuild {
        tag: reference.clone(),
        context: context.archive().map_err(unreadable)?.into(),
        dockerfile: build.dockerfile.clone(),
        args: build.args.clone().into_iter().collect(),
        target: build.target.clone(),
        labels: with_own(&build.labels, &labels),
        cache_from: build.cache_from.clone(),
        network: build.network.clone(),
        shm_size: build.shm_size,
        extra_hosts: build.extra_hosts.clone(),
        platform: settings.platform.clone(),
    };
    engine.build_image(&image, &|line| progress.line(service, line)).await.map_err(failed)?;
    prune(engine, &labels.map(|(name, value)| format!("{name}={value}")), &reference).await;
    found(engine, service, &reference).await.map(|image| (image, false))
}

/// The user's labels, below those by which images are found again.
fn with_own(own: &indexmap::IndexMap<String, String>, ours: &[(&str, &str)]) -> Labels {
    let ours = ours.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    own.clone().into_iter().chain(ours).collect()
}

/// What a build is made from, and the reference that it gets: a tag made from its contents.
async fn to_build(
    engine: &dyn Engine,
    suite: &str,
    (service, settings): (&str, &Service),
    build: &Build,
) -> Result<(Context, String), ImageError> {
    let unreadable = |error| ImageError::Context { service: service.to_owned(), context: build.context.clone(), error };
    let failed = |error| ImageError::Engine { service: service.to_owned(), error };
    let context = Context::read(build).map_err(unreadable)?;
    let mut bases = Vec::new();
    for base in base_images(&context.text(&build.dockerfile).unwrap_or_default()) {
        // A base that is not there yet is pulled by the build; the next run then builds once more, on its id.
        if let Some(info) = engine.inspect_image(&base).await.map_err(failed)? {
            bases.push(info.id);
        }
    }
    let reference = format!("shakedown/{suite}-{service}:{}", context.key(build, settings.platform.as_deref(), &bases));
    Ok((context, reference))
}

/// An image that a service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededImage {
    /// The service.
    pub service: String,
    /// Its reference.
    pub reference: String,
    /// Whether it is built here; otherwise it is pulled.
    pub built: bool,
    /// Whether the engine has it.
    pub there: bool,
}

/// Which images a project needs, and which of them the engine has. Builds and pulls nothing.
pub async fn needed(engine: &dyn Engine, suite: &str, project: &Project) -> Result<Vec<NeededImage>, ImageError> {
    let mut needed = Vec::new();
    for (service, described) in &project.services {
        let (reference, built) = match &described.image {
            ImageSource::Named(reference) => (reference.clone(), false),
            ImageSource::Built(build) => (to_build(engine, suite, (service, described), build).await?.1, true),
        };
        let failed = |error| ImageError::Engine { service: service.clone(), error };
        let there = engine.inspect_image(&reference).await.map_err(failed)?.is_some();
        needed.push(NeededImage { service: service.clone(), reference, built, there });
    }
    Ok(needed)
}

async fn found(engine: &dyn Engine, service: &str, reference: &str) -> Result<ServiceImage, ImageError> {
    let failed = |error| ImageError::Engine { service: service.to_owned(), error };
    let info = engine.inspect_image(reference).await.map_err(failed)?.unwrap_or_default();
    Ok(ServiceImage { reference: reference.to_owned(), info })
}

/// Removes images of earlier versions. One that is in use by another run is refused by the engine, and stays.
async fn prune(engine: &dyn Engine, labels: &[String], current: &str) {
    let Ok(references) = engine.list_images(labels).await else { return };
    for old in references.iter().filter(|reference| *reference != current).skip(KEEP_OLD) {
        let _ = engine.remove_image(old).await;
    }
}
