//! What containers, networks, images and processes are made from.

use std::collections::BTreeMap;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
