//! What can go wrong with an engine: one variant for each verb, each saying what it was done to and why it failed.

use std::fmt;

/// Why an engine did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The part that the program acts on.
    pub kind: RefusalKind,
    /// The engine's own words.
    pub message: String,
}

/// The refusals that the program tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What it was asked about is not there.
    NotFound,
    /// The thing is in use, or its name is.
    Conflict,
    /// The subnet overlaps with another network's.
    SubnetTaken,
    /// A port on the host is in use.
    PortTaken,
    /// No answer within the call's deadline.
    TimedOut,
    /// The connection to the engine is lost, or there never was one.
    Unreachable,
    /// Anything else.
    Other,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.message.trim();
        f.write_str(said)?;
        if said.to_lowercase().contains("no space left on device") {
            f.write_str(DISK_FULL)?;
        }
        Ok(())
    }
}

/// What is to be done where an engine has no room for what it is to make.
const DISK_FULL: &str = "\n    make room on the engine's disk: `docker system df` shows what takes it, and `shakedown clean --images` removes \
                         the images of earlier runs";

/// A verb that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// There is no engine at the address.
    #[error(
        "no Docker engine answers at {address}: {refusal}\n    start one (`systemctl start docker`, or `scripts/engine` \
         on a fresh Debian machine), or name one with --engine or \
         DOCKER_HOST"
    )]
    Connect {
        /// Where it was looked for.
        address: String,
        /// Why.
        refusal: Refusal,
    },
    /// The engine is older than what this program needs.
    #[error("the engine at {address} is too old: {refusal}")]
    TooOld {
        /// Where it is.
        address: String,
        /// What it speaks.
        refusal: Refusal,
    },
    /// The engine did not describe itself.
    #[error("the engine did not tell its version and size: {refusal}")]
    Describe {
        /// Why.
        refusal: Refusal,
    },
    /// The engine did not answer a call that asks for nothing.
    #[error("the engine does not answer: {refusal}")]
    Ping {
        /// Why.
        refusal: Refusal,
    },
    /// An image could not be looked up, listed or removed.
    #[error("image {image} could not be looked up or removed: {refusal}")]
    Image {
        /// The image.
        image: String,
        /// Why.
        refusal: Refusal,
    },
    /// An image could not be fetched.
    #[error("image {image} is not on the engine and could not be pulled: {refusal}")]
    Pull {
        /// The image.
        image: String,
        /// Why.
        refusal: Refusal,
    },
    /// An image could not be built.
    #[error("image {image} could not be built: {refusal}\n{}", indent(log))]
    Build {
        /// The image.
        image: String,
        /// Why.
        refusal: Refusal,
        /// The last lines of the build's log.
        log: Vec<String>,
    },
    /// An image could not be made of a file system.
    #[error("image {image} could not be made of a container's files: {refusal}")]
    ImportImage {
        /// The image.
        image: String,
        /// Why.
        refusal: Refusal,
    },
    /// An image could not be given another tag.
    #[error("image {image} could not be tagged {tag}: {refusal}")]
    TagImage {
        /// The image.
        image: String,
        /// The tag.
        tag: String,
        /// Why.
        refusal: Refusal,
    },
    /// A network could not be made.
    #[error("network {network} could not be made: {refusal}")]
    CreateNetwork {
        /// The network.
        network: String,
        /// Why.
        refusal: Refusal,
    },
    /// A volume could not be made.
    #[error("volume {volume} could not be made: {refusal}")]
    CreateVolume {
        /// The volume.
        volume: String,
        /// Why.
        refusal: Refusal,
    },
    /// A container could not be made.
    #[error("container {container} could not be made: {refusal}")]
    CreateContainer {
        /// The container.
        container: String,
        /// Why.
        refusal: Refusal,
    },
    /// A container could not be started.
    #[error("container {container} could not be started: {refusal}")]
    StartContainer {
        /// The container.
        container: String,
        /// Why.
        refusal: Refusal,
    },
    /// A container could not be stopped.
    #[error("container {container} could not be stopped: {refusal}")]
    StopContainer {
        /// The container.
        container: String,
        /// Why.
        refusal: Refusal,
    },
    /// The engine did not say how a container is.
    #[error("container {container} could not be inspected: {refusal}")]
    InspectContainer {
        /// The container.
        container: String,
        /// Why.
        refusal: Refusal,
    },
    /// A file could not be written into a container.
    #[error("{path} could not be written into container {container}: {refusal}")]
    WriteFile {
        /// The container.
        container: String,
        /// The path within the container.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// A file or folder could not be read from a container.
    #[error("{path} could not be read from container {container}: {refusal}")]
    ReadArchive {
        /// The container.
        container: String,
        /// The path within the container.
        path: String,
        /// Why.
        refusal: Refusal,
    },
    /// A process could not be started in a container, or its connection was lost.
    #[error("`{command}` could not be run in container {container}: {refusal}")]
    Exec {
        /// The container.
        container: String,
        /// The program.
        command: String,
        /// Why.
        refusal: Refusal,
    },
    /// Logs or events broke off.
    #[error("the engine's stream of {what} broke off: {refusal}")]
    Stream {
        /// `logs` or `events`, and of what.
        what: String,
        /// Why.
        refusal: Refusal,
    },
    /// Something could not be removed.
    #[error("{kind} {name} could not be removed: {refusal}")]
    Remove {
        /// `container`, `network` or `volume`.
        kind: &'static str,
        /// Its name or id.
        name: String,
        /// Why.
        refusal: Refusal,
    },
    /// The engine did not tell of its host.
    #[error("the engine did not tell of its host and its clock: {refusal}")]
    Host {
        /// Why.
        refusal: Refusal,
    },
    /// The engine did not tell its networks' subnets.
    #[error("the engine did not tell which subnets its networks use: {refusal}")]
    UsedSubnets {
        /// Why.
        refusal: Refusal,
    },
    /// Images could not be listed.
    #[error("the images that carry the label {label} could not be listed: {refusal}")]
    StoredImages {
        /// The label.
        label: String,
        /// Why.
        refusal: Refusal,
    },
    /// What carries a label could not be listed.
    #[error("what carries the label {label} could not be listed: {refusal}")]
    List {
        /// The label.
        label: String,
        /// Why.
        refusal: Refusal,
    },
}

impl EngineError {
    /// Why it failed.
    pub fn refusal(&self) -> &Refusal {
        match self {
            Self::Connect { refusal, .. }
            | Self::TooOld { refusal, .. }
            | Self::Describe { refusal }
            | Self::Ping { refusal }
            | Self::Image { refusal, .. }
            | Self::Pull { refusal, .. }
            | Self::Build { refusal, .. }
            | Self::ImportImage { refusal, .. }
            | Self::TagImage { refusal, .. }
            | Self::StopContainer { refusal, .. }
            | Self::CreateNetwork { refusal, .. }
            | Self::CreateVolume { refusal, .. }
            | Self::CreateContainer { refusal, .. }
            | Self::StartContainer { refusal, .. }
            | Self::InspectContainer { refusal, .. }
            | Self::WriteFile { refusal, .. }
            | Self::ReadArchive { refusal, .. }
            | Self::Exec { refusal, .. }
            | Self::Stream { refusal, .. }
            | Self::Remove { refusal, .. }
            | Self::Host { refusal }
            | Self::UsedSubnets { refusal }
            | Self::StoredImages { refusal, .. }
            | Self::List { refusal, .. } => refusal,
        }
    }

    /// The kind of the refusal.
    pub fn kind(&self) -> RefusalKind {
        self.refusal().kind
    }
}

fn indent(lines: &[String]) -> String {
    lines.iter().map(|line| format!("    | {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_whose_disk_is_full_is_told_with_what_to_do() {
        let message = "mkdir /var/lib/docker/overlay2/1: no space left on device\n".to_owned();
        let refusal = Refusal { kind: RefusalKind::Other, message };
        let error = EngineError::CreateContainer { container: "shop-web".to_owned(), refusal };
        let said = "container shop-web could not be made: mkdir /var/lib/docker/overlay2/1: no space left on device\n    make \
                    room on the engine's disk: `docker system df` shows what takes it, and `shakedown clean --images` \
                    removes the images of earlier runs";
        assert_eq!(error.to_string(), said);
    }
}
