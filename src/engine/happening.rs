//! What an engine tells of containers by itself.

/// Something happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEvent {
    /// The container's name.
    pub container: String,
    /// What happened.
    pub what: Happened,
}

/// What happens to containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Its first process was started.
    Started,
    /// The kernel killed a process of it for want of memory. That may have been any process: the first, a child, or
    /// one that was started within it later.
    OutOfMemory,
    /// Somebody asked the engine to send its first process a signal, by its number or name.
    Signalled(String),
    /// Its processes were suspended.
    Paused,
    /// Its processes run again.
    Resumed,
    /// Its first process ended, with this exit code: 128 + n for signal n.
    Ended(i64),
    /// It was removed.
    Removed,
}
