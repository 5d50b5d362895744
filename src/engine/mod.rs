//! The container verbs that `shakedown` needs, and nothing more of a container engine.
//!
//! [`Engine`] is what the rest of the program sees. [`docker`] does it over Docker's API and is the only place that
//! names the client library; [`fake`] is scripted and records its calls, for tests.
//!
//! Architecture invariant: nothing here knows of environments or tests. Removing what is not there is not an error.

mod archive;
pub mod docker;
mod error;
pub mod fake;
mod figures;
mod happening;
mod host;
mod spec;

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use futures::stream::BoxStream;
use jiff::Timestamp;
use tokio::io::AsyncWrite;

pub use archive::{FileInside, read_files};
pub use error::{EngineError, Refusal, RefusalKind};
pub use figures::Figures;
pub use happening::{ContainerEvent, Happened};
pub use host::{EngineHost, StoredImage, UsedSubnet};
pub use spec::{
    ContainerSpec, ExecSpec, FileSpec, HostPort, ImageBuild, Labels, NetworkOf, NetworkSpec, Shared, Volume,
    VolumeSource, VolumeSpec,
};

/// How often an engine is asked for an exit code that it has not noted yet.
const EXIT_CODE_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What an engine says of itself and its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// The engine's version: `20.10.24`.
    pub version: String,
    /// The API version in use: `1.41`.
    pub api: String,
    /// Processors of its host.
    pub cpus: u32,
    /// Memory of its host in bytes.
    pub memory: u64,
}

/// An image that the engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// The image's id.
    pub id: String,
    /// The platform that it is for: `linux/amd64`; empty where the engine does not say.
    pub platform: String,
    /// TCP ports that it exposes.
    pub ports: Vec<u16>,
    /// Its own health check: program and arguments.
    pub healthcheck: Option<Vec<String>>,
    /// What a container of it starts with, unless it is told otherwise.
    pub defaults: ImageDefaults,
}

/// What an image says of the containers made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageDefaults {
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// The command.
    pub command: Option<Vec<String>>,
    /// The entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// User, and group after a colon.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Signal that ends it.
    pub stop_signal: Option<String>,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, not started.
    Created,
    /// Its first process runs.
    Running {
        /// Its address in the environment's network, where it has one.
        address: Option<std::net::IpAddr>,
    },
    /// Its first process ended.
    Exited {
        /// The exit code; 128 + n for signal n.
        code: i64,
        /// Whether the kernel killed a process of it for want of memory.
        out_of_memory: bool,
    },
    /// The engine does not know it, or is removing it.
    Gone,
}

/// A thing on the engine that carries a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What it is.
    pub kind: ThingKind,
    /// The engine's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

/// The kinds of things that an environment is made of, in the order in which they can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThingKind {
    /// A container, with its anonymous volumes.
    Container,
    /// A network.
    Network,
    /// A named volume.
    Volume,
}

impl ThingKind {
    /// All kinds, in the order in which they can be removed.
    pub const ALL: [Self; 3] = [Self::Container, Self::Network, Self::Volume];

    /// The kind's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

/// What a process within a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// On its standard output.
    Stdout(Bytes),
    /// On its standard error.
    Stderr(Bytes),
}

/// A process that was started within a running container, with its standard streams.
pub struct Exec {
    /// Asks [`Engine::exec_exit_code`] with it.
    pub id: String,
    /// Its standard input. Shutting it down closes it; dropping it alone does not, as it shares a connection with the
    /// output.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    /// What it writes, until it ends or the connection is lost.
    pub output: BoxStream<'static, Result<Output, EngineError>>,
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Takes lines of progress.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// A container engine. Every call has a deadline of its own; [`EngineError`] has a variant for each verb.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// What the engine says of itself.
    async fn describe(&self) -> Result<EngineInfo, EngineError>;
    /// Whether it answers at all, found out within seconds.
    async fn ping(&self) -> Result<(), EngineError>;

    /// An image by reference or id; `None` where the engine does not have it.
    async fn inspect_image(&self, image: &str) -> Result<Option<ImageInfo>, EngineError>;
    /// Fetches an image from its registry, for the engine's own platform or the one that is named.
    async fn pull_image(&self, image: &str, platform: Option<&str>, progress: Progress<'_>) -> Result<(), EngineError>;
    /// Builds and tags an image.
    async fn build_image(&self, build: &ImageBuild, progress: Progress<'_>) -> Result<(), EngineError>;
    /// References of the images that carry all of `labels` (`key=value`), newest first.
    async fn list_images(&self, labels: &[String]) -> Result<Vec<String>, EngineError>;
    /// Removes an image that no container uses.
    async fn remove_image(&self, image: &str) -> Result<(), EngineError>;

    /// Makes an image of a whole file system, given as a tar archive, under a tag that it gets when it is complete. It
    /// holds no settings but `labels`, whose values have no quotes in them.
    async fn import_image(
        &self,
        tag: &str,
        labels: &Labels,
        archive: BoxStream<'static, Result<Bytes, EngineError>>,
    ) -> Result<(), EngineError>;
    /// Gives an image another tag, which it takes from an image that had it before.
    async fn tag_image(&self, image: &str, tag: &str) -> Result<(), EngineError>;

    /// Makes a network and returns its id.
    async fn create_network(&self, network: &NetworkSpec) -> Result<String, EngineError>;
    /// Removes a network by id.
    async fn remove_network(&self, id: &str) -> Result<(), EngineError>;
    /// Makes a volume.
    async fn create_volume(&self, volume: &VolumeSpec) -> Result<(), EngineError>;
    /// Removes a volume by name.
    async fn remove_volume(&self, name: &str) -> Result<(), EngineError>;

    /// Makes a container under its name, with the files that are to be in it.
    async fn create_container(&self, container: &ContainerSpec) -> Result<(), EngineError>;
    /// Starts a container.
    async fn start_container(&self, name: &str) -> Result<(), EngineError>;
    /// Sends a container its stop signal, and waits for its end; after `grace`, in whole seconds, it is killed.
    async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError>;
    /// How a container is.
    async fn inspect_container(&self, name: &str) -> Result<ContainerState, EngineError>;
    /// Removes a container with its anonymous volumes, whether it runs or not.
    async fn remove_container(&self, name: &str) -> Result<(), EngineError>;
    /// Writes a file into a running container; its folder must exist.
    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<(), EngineError>;
    /// A file or folder of a container, whether it runs or not, as an uncompressed tar archive whose names begin with
    /// the last part of `path`. What lies in a file system in memory (`tmpfs`) is not seen.
    fn read_archive(&self, container: &str, path: &str) -> BoxStream<'static, Result<Bytes, EngineError>>;

    /// Starts a process within a running container.
    async fn exec(&self, container: &str, exec: &ExecSpec) -> Result<Exec, EngineError>;
    /// The exit code of a process that [`exec`](Self::exec) started; `None` while it runs.
    async fn exec_exit_code(&self, id: &str) -> Result<Option<i64>, EngineError>;

    /// What a running container uses, about once a second until it is gone. Asking for it once takes the engine a
    /// second, too.
    fn follow_figures(&self, container: &str) -> BoxStream<'static, Result<Figures, EngineError>>;
    /// A container's log until it is gone, each line with the engine's time and a blank before it: from its first byte,
    /// or from the second of `since` on.
    fn follow_logs(&self, container: &str, since: Option<Timestamp>)
    -> BoxStream<'static, Result<Output, EngineError>>;
    /// What happens to containers that carry `label` (`key=value`), from now on.
    fn events(&self, label: &str) -> BoxStream<'static, Result<ContainerEvent, EngineError>>;

    /// All containers, networks and volumes that carry `label` (`key` or `key=value`).
    async fn list(&self, label: &str) -> Result<Vec<Labelled>, EngineError>;

    /// The engine's host and clock, asked anew.
    async fn host(&self) -> Result<EngineHost, EngineError>;
    /// The IPv4 subnets of all networks, whoever made them.
    async fn used_subnets(&self) -> Result<Vec<UsedSubnet>, EngineError>;
    /// The images that carry `label` (`key` or `key=value`), newest first.
    async fn stored_images(&self, label: &str) -> Result<Vec<StoredImage>, EngineError>;
}

/// Removes things, given by kind and id: containers first, then what they hung on. An error of one does not keep the
/// others from being removed.
pub async fn remove_all(engine: &dyn Engine, things: &[(ThingKind, &str)]) -> Vec<EngineError> {
    let mut errors = Vec::new();
    for kind in ThingKind::ALL {
        let of_kind = things.iter().filter(|(of, _)| *of == kind);
        let removals = join_all(of_kind.map(|(kind, id)| remove(engine, *kind, id))).await;
        errors.extend(removals.into_iter().filter_map(Result::err));
    }
    errors
}

async fn remove(engine: &dyn Engine, kind: ThingKind, id: &str) -> Result<(), EngineError> {
    match kind {
        ThingKind::Container => engine.remove_container(id).await,
        ThingKind::Network => engine.remove_network(id).await,
        ThingKind::Volume => engine.remove_volume(id).await,
    }
}

/// The exit code of a process whose output has ended: its streams close a moment before the engine has noted the code.
/// Has no deadline of its own.
pub async fn exit_code(engine: &dyn Engine, exec: &str) -> Result<i64, EngineError> {
    loop {
        match engine.exec_exit_code(exec).await? {
            Some(code) => return Ok(code),
            None => tokio::time::sleep(EXIT_CODE_AGAIN_AFTER).await,
        }
    }
}
