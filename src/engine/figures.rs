//! What a container uses of its host.

use std::time::Duration;

/// What a running container uses, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Processor time so far.
    pub cpu: Duration,
    /// Memory in bytes, without what the kernel would give back at once, such as files that were read a while ago.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Bytes read from disks so far.
    pub read: u64,
    /// Bytes written to disks so far.
    pub written: u64,
}
