//! Environments: isolated copies of the application, made from its Compose file on a container engine.
//!
//! [`images`] sees to it that every service has an image. [`blueprint`] says as data what an environment is made of;
//! [`boot`](Site::boot) makes it, naming each thing in the [`Ledger`] before it is created, and tells when the runner can
//! be used already; [`Environment`] is one that is ready. Meanwhile its services are watched: by the engine's events (`vitals`) and by their own checks (`health`), so
//! that [`Environment::diagnose`] can say why one broke. [`Ledger::tear_down`] removes whatever the ledger names, in any
//! state. [`sweep`] removes what dead processes left, and a [`lease`] tells other hosts that a process is not dead.
//!
//! Architecture invariant: nothing here knows of tests, verdicts or SQL.

mod away;
mod blueprint;
mod boot;
mod context;
mod diagnose;
mod health;
pub mod images;
pub mod lease;
mod ledger;
mod logs;
mod probe;
mod ready;
mod reset;
mod run_once;
mod runner;
mod sharing;
pub mod snapshot;
mod subnet;
pub mod sweep;
mod traces;
mod usage;
mod vitals;
mod watch;

pub use away::Presence;
pub use boot::Site;
pub use ledger::Ledger;
pub use ready::Environment;
pub use subnet::{Route, Subnets, count_free, host_routes};
pub use traces::{ServiceState, Traces};
pub use usage::UseDuring;

/// A time span in words, for messages: `30s`.
pub(crate) fn in_words(span: std::time::Duration) -> String {
    format!("{:#}", jiff::SignedDuration::try_from(span).unwrap_or_default())
}

/// Labels on everything that is made on an engine.
pub mod label {
    /// The run that made it.
    pub const RUN: &str = "dev.shakedown.run";
    /// The lane it was made for, `standby` or `snapshot`.
    pub const LANE: &str = "dev.shakedown.lane";
    /// The environment it is a part of: `RUN/LANE.GENERATION`.
    pub const ENVIRONMENT: &str = "dev.shakedown.environment";
    /// The Compose service it stands for.
    pub const SERVICE: &str = "dev.shakedown.service";
    /// The process whose life is its lease, see [`crate::owner`].
    pub const LEASE: &str = "dev.shakedown.lease";
    /// On leases: until when, by the engine's clock, see [`super::lease`].
    pub const LEASE_UNTIL: &str = "dev.shakedown.lease-until";
    /// On images of frozen services: the service.
    pub const SNAPSHOT: &str = "dev.shakedown.snapshot";
    /// On images that were built or frozen: the suite.
    pub const SUITE: &str = "dev.shakedown.suite";
}
