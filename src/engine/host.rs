//! What can be asked of an engine besides its verbs: its host, its clock, its networks' subnets, its images.

use jiff::Timestamp;

use super::Labels;

/// An engine's host, as the engine sees it at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineHost {
    /// What the engine is: `Docker`, `Podman`.
    pub product: String,
    /// The host's name.
    pub name: String,
    /// Its operating system: `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// Its kernel's version.
    pub kernel: String,
    /// The version of its control groups: `1` or `2`; empty where it is not told.
    pub cgroups: String,
    /// Whether the engine runs without root's rights.
    pub rootless: bool,
    /// How images and containers are stored: `overlay2`.
    pub storage: String,
    /// The folder in which the engine keeps everything.
    pub root: String,
    /// The engine's clock.
    pub clock: Timestamp,
}

impl EngineHost {
    /// Whether the archive of a stopped container's files holds what lies in its volumes, as Docker's does.
    pub fn archives_volumes(&self) -> bool {
        self.product != "Podman"
    }
}

/// A network of an engine, whoever made it, with an IPv4 subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedSubnet {
    /// The network's name.
    pub network: String,
    /// The subnet: `172.17.0.0/16`.
    pub subnet: String,
}

/// An image in an engine's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// Its references; none where all were given to others.
    pub references: Vec<String>,
    /// Its labels.
    pub labels: Labels,
    /// Its size in bytes, what it shares with others included.
    pub size: u64,
    /// When it was made.
    pub created: Timestamp,
}
