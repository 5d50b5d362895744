//! What containers, networks, images and processes are made from.

use std::collections::BTreeMap;

use crate::manifest::compose::Tuning;

/// Labels on a thing.
pub type Labels = BTreeMap<String, String>;

/// A network to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// The name; the engine accepts two of the same name, so it must be unique.
    pub name: String,
    /// The subnet, `10.213.4.0/26`.
    pub subnet: String,
    /// Labels.
    pub labels: Labels,
}

/// A volume to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSpec {
    /// The name.
    pub name: String,
    /// Labels.
    pub labels: Labels,
    /// Mount options (`size=64m`, or none) of a volume that is kept in memory; other volumes are on the engine's disk.
    pub in_memory: Option<String>,
}

impl VolumeSpec {
    /// A volume on disk.
    pub fn new(name: impl Into<String>, labels: Labels) -> Self {
        Self { name: name.into(), labels, in_memory: None }
    }
}

/// A container to be made. It has one network, in which its `aliases` name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The name.
    pub name: String,
    /// The image.
    pub image: String,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Labels.
    pub labels: Labels,
    /// The network's id.
    pub network: String,
    /// Names in the network.
    pub aliases: Vec<String>,
    /// Host name within the container.
    pub hostname: Option<String>,
    /// Volumes and bind mounts.
    pub volumes: Vec<Volume>,
    /// File systems in memory, with options.
    pub tmpfs: Vec<(String, String)>,
    /// Ports on the host.
    pub ports: Vec<HostPort>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size: Option<u64>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// Processor limit in thousandths of a processor.
    pub cpus_milli: Option<u32>,
    /// A small init as process 1.
    pub init: bool,
    /// User, and group after a colon.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Signal that ends it.
    pub stop_signal: Option<String>,
    /// Added capabilities.
    pub cap_add: Vec<String>,
    /// Dropped capabilities.
    pub cap_drop: Vec<String>,
    /// All privileges.
    pub privileged: bool,
    /// `name:address` lines for `/etc/hosts`.
    pub extra_hosts: Vec<String>,
    /// What it shares with other containers, which must be there.
    pub shared: Shared,
    /// The platform, `linux/amd64`; the engine's own if it is `None`.
    pub platform: Option<String>,
    /// Limits, devices, name servers and the like.
    pub tuning: Tuning,
    /// Files that are in it before it starts.
    pub files: Vec<FileSpec>,
}

/// What a container shares with others, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Whose network it has.
    pub network: NetworkOf,
    /// Whose memory segments it sees: a mode, or `container:NAME`.
    pub ipc: Option<String>,
    /// Whose processes it sees.
    pub pid_of: Option<String>,
    /// Whose volumes it has, too, and whether it can only read them.
    pub volumes_from: Vec<(String, bool)>,
}

/// Whose network a container has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NetworkOf {
    /// The one that [`ContainerSpec::network`] names.
    #[default]
    Itself,
    /// That of the container of this name; its own aliases, ports, host name and hosts have no meaning then.
    Container(String),
    /// None.
    Nobody,
}

/// A file in a container.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Its absolute path. Folders that aren't there are made.
    pub path: String,
    /// What is in it.
    pub content: Vec<u8>,
    /// Its owner's number.
    pub uid: u64,
    /// Its group's number.
    pub gid: u64,
    /// Who may do what, as in `chmod`: `0o444`.
    pub mode: u32,
}

impl std::fmt::Debug for FileSpec {
    /// Leaves the content out, which may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSpec").field("path", &self.path).field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// A volume or bind mount of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What is mounted.
    pub source: VolumeSource,
    /// The absolute path within the container.
    pub target: String,
    /// Read only.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// A path of the host.
    Bind(String),
    /// A named volume.
    Named(String),
    /// A volume without a name, removed with its container.
    Anonymous,
}

/// A port on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Address to bind; empty for all.
    pub host_ip: String,
    /// The host's port; `None` lets the engine choose.
    pub host_port: Option<u16>,
    /// The container's port.
    pub container_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// An image to be built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageBuild {
    /// The reference that the image gets.
    pub tag: String,
    /// The context as an uncompressed tar archive.
    pub context: bytes::Bytes,
    /// The Dockerfile within the context.
    pub dockerfile: String,
    /// Build arguments.
    pub args: Vec<(String, String)>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Labels.
    pub labels: Labels,
    /// Images whose layers may be used.
    pub cache_from: Vec<String>,
    /// The network of its steps.
    pub network: Option<String>,
    /// Size of `/dev/shm` in its steps, in bytes.
    pub shm_size: Option<u64>,
    /// `name:address` lines for `/etc/hosts` in its steps.
    pub extra_hosts: Vec<String>,
    /// The platform.
    pub platform: Option<String>,
}

/// A process to be started within a container. User and working directory are the container's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecSpec {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment variables, above the container's own.
    pub environment: Vec<(String, String)>,
    /// Whether its standard input is connected.
    pub with_input: bool,
}
