//! What a container shares with others, and the files that it is given.

use crate::engine;
use crate::manifest::compose::{Namespace, NetworkMode, Service};

/// What the container of `service` shares with others; `prefix` is what their containers' names start with.
pub(super) fn shared(service: &Service, prefix: &str) -> engine::Shared {
    let container = |service: &String| format!("{prefix}-{service}");
    engine::Shared {
        network: match &service.network {
            NetworkMode::Environment => engine::NetworkOf::Itself,
            NetworkMode::Of(other) => engine::NetworkOf::Container(container(other)),
            NetworkMode::None => engine::NetworkOf::Nobody,
        },
        ipc: match &service.ipc {
            Namespace::Own(mode) => Some(mode.clone()).filter(|mode| !mode.is_empty()),
            Namespace::Of(other) => Some(format!("container:{}", container(other))),
        },
        pid_of: service.pid_of.as_ref().map(container),
        volumes_from: service.volumes_from.iter().map(|(other, read_only)| (container(other), *read_only)).collect(),
    }
}

/// The files that are in the container of `service` before it starts.
pub(super) fn files(service: &Service) -> Vec<engine::FileSpec> {
    let files = service.files.iter().map(|file| engine::FileSpec {
        path: file.path.clone(),
        content: file.content.clone(),
        uid: file.uid,
        gid: file.gid,
        mode: file.mode,
    });
    files.collect()
}
