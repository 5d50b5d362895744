//! The part of a Compose file that `shakedown` acts on, checked and with all variables filled in.
//!
//! The text of each file becomes a `tree` that knows its places; `interpolate` fills the variables in; `files` puts the
//! trees together by the rules of `merge`, with what they `include` and what services start from (`extends`).
//! `project` walks the result from the top and `service` each service, with one file for each little grammar in it;
//! `dependencies` looks across services.
//! `settings` says what becomes of every setting that Compose knows.

mod build;
mod dependencies;
mod env_file;
mod environment;
mod extends;
mod files;
mod healthcheck;
mod include;
mod injected;
mod interpolate;
mod merge;
mod network;
mod ports;
mod project;
mod reader;
mod service;
mod settings;
mod tree;
mod tuning;
pub(super) mod units;
mod volumes;
mod words;

pub use injected::InjectedFile;
pub(super) use project::{Read, Wanted, read};
pub use tuning::{Device, Tuning};

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;

/// A Compose project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The file it was read from, or the first of them.
    pub file: PathBuf,
    /// The services without a profile or with one that is wanted, by name, in the files' order. `depends_on` is free of cycles and names
    /// services of this map only.
    pub services: IndexMap<String, Service>,
    /// Volumes that are kept in memory, by their names, with their mount options (`size=64m`, or none).
    pub volumes_in_memory: IndexMap<String, String>,
    /// What the services' `secrets` hold: it must not be written anywhere.
    pub secrets: Vec<String>,
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Where its image comes from.
    pub image: ImageSource,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Environment variables; `env_file` is already merged in, below `environment`.
    pub environment: IndexMap<String, String>,
    /// Names of those variables that came from `env_file`: their values are secrets.
    pub secret_variables: Vec<String>,
    /// What must hold of other services before this one starts.
    pub depends_on: IndexMap<String, Condition>,
    /// The service's own health check; `None` leaves the image's.
    pub healthcheck: Option<Healthcheck>,
    /// `restart: always` or `unless-stopped`: it is meant to run on. It is not started again all the same, as what ends
    /// while tests run has broken its environment.
    pub restarts: bool,
    /// Ports that the file publishes on the host.
    pub ports: Vec<PublishedPort>,
    /// Ports (TCP) that `expose` names.
    pub expose: Vec<u16>,
    /// Volumes and bind mounts.
    pub mounts: Vec<Mount>,
    /// Paths with a file system in memory, with their options (`size=64m`), empty for none.
    pub tmpfs: IndexMap<String, String>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size: Option<u64>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// Processor limit in processors.
    pub cpus: Option<Cpus>,
    /// Runs a small init as process 1 that reaps zombies.
    pub init: bool,
    /// User, and group after a colon.
    pub user: Option<String>,
    /// Working directory within the container.
    pub working_dir: Option<String>,
    /// Host name within the container.
    pub hostname: Option<String>,
    /// Signal that ends the service.
    pub stop_signal: Option<String>,
    /// Added capabilities.
    pub cap_add: Vec<String>,
    /// Dropped capabilities.
    pub cap_drop: Vec<String>,
    /// Runs with all privileges.
    pub privileged: bool,
    /// `name:address` lines for `/etc/hosts`.
    pub extra_hosts: Vec<String>,
    /// Further names in the environment's network, besides the service's own.
    pub aliases: Vec<String>,
    /// Labels of the user's own.
    pub labels: IndexMap<String, String>,
    /// Whose network it has.
    pub network: NetworkMode,
    /// Whose memory segments it sees.
    pub ipc: Namespace,
    /// The service whose processes it sees, if they aren't only its own.
    pub pid_of: Option<String>,
    /// Services whose volumes it has, too, each with whether it can only read them.
    pub volumes_from: Vec<(String, bool)>,
    /// The platform that its image is for: `linux/amd64`.
    pub platform: Option<String>,
    /// When its image is fetched.
    pub pull: PullPolicy,
    /// Configs and secrets that are written into its container before it starts.
    pub files: Vec<InjectedFile>,
    /// What is handed to the engine as it is.
    pub tuning: Tuning,
}

impl Service {
    /// The services whose containers must run before this one's can be created, as it shares something with them.
    pub fn shares_with(&self) -> Vec<&str> {
        let network = match &self.network {
            NetworkMode::Of(other) => Some(other),
            NetworkMode::Environment | NetworkMode::None => None,
        };
        let ipc = match &self.ipc {
            Namespace::Of(other) => Some(other),
            Namespace::Own(_) => None,
        };
        let volumes = self.volumes_from.iter().map(|(other, _)| other);
        let mut services: Vec<&str> =
            network.into_iter().chain(ipc).chain(&self.pid_of).chain(volumes).map(String::as_str).collect();
        services.sort_unstable();
        services.dedup();
        services
    }
}

/// Whose network a service has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// That of its environment.
    #[default]
    Environment,
    /// That of another service: both are `localhost` to each other.
    Of(String),
    /// None at all.
    None,
}

/// Whose namespace a service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Its own, in this mode; empty for the engine's default.
    Own(String),
    /// That of another service.
    Of(String),
}

impl Default for Namespace {
    fn default() -> Self {
        Self::Own(String::new())
    }
}

/// When an image is fetched from its registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// If the engine does not have it.
    #[default]
    Missing,
    /// Before every run.
    Always,
    /// Never: it must be there.
    Never,
}

/// Where a service's image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// `image`: found on the engine, or pulled.
    Named(String),
    /// `build`: built by the engine.
    Built(Box<Build>),
}

impl Default for ImageSource {
    fn default() -> Self {
        Self::Named(String::new())
    }
}

/// `build`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The folder that is sent to the engine.
    pub context: PathBuf,
    /// The Dockerfile, relative to `context`.
    pub dockerfile: String,
    /// Build arguments.
    pub args: IndexMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// The Dockerfile's text, where it isn't a file of the context: `dockerfile` is the name it gets there.
    pub inline: Option<String>,
    /// Images whose layers may be used.
    pub cache_from: Vec<String>,
    /// Labels of the image.
    pub labels: IndexMap<String, String>,
    /// The network of the build's steps.
    pub network: Option<String>,
    /// Size of `/dev/shm` in the build's steps, in bytes.
    pub shm_size: Option<u64>,
    /// `name:address` lines for `/etc/hosts` in the build's steps.
    pub extra_hosts: Vec<String>,
}

/// What must hold of a service before one that depends on it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its container was started.
    Started,
    /// Its health check passed.
    Healthy,
    /// It ended with exit code 0.
    CompletedSuccessfully,
}

/// `healthcheck`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Healthcheck {
    /// Switched off, also the image's own.
    Disabled,
    /// A command within the container.
    Command {
        /// Program and arguments, a shell already put in front where the file asks for one.
        command: Vec<String>,
        /// Time between two checks.
        interval: Duration,
        /// Time for one check.
        timeout: Duration,
        /// Failures in a row until unhealthy.
        retries: u32,
        /// Time in which failures do not count.
        start_period: Duration,
    },
}

/// A port published on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// The address to bind, empty for all.
    pub host_ip: String,
    /// The host's port; `None` lets the engine choose.
    pub host_port: Option<u16>,
    /// The container's port.
    pub container_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A volume or bind mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// The absolute path within the container.
    pub target: String,
    /// Whether the service can only read it.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// A file or folder of the host, absolute.
    Bind(PathBuf),
    /// A named volume: one for each environment.
    Volume(String),
    /// A volume without a name, gone with its container.
    Anonymous,
}

/// A number of processors, in thousandths so that it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus {
    /// Thousandths of a processor.
    pub milli: u32,
}
