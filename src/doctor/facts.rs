//! What is looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{EngineHost, EngineInfo, Labelled, StoredImage, UsedSubnet};
use crate::environment::Route;
use crate::environment::images::NeededImage;
use crate::environment::lease::Standing;
use crate::id::RunId;
use crate::manifest::SubnetPool;

/// Everything that is looked at. What could not be found out is the reason in words.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Where the engine is looked for.
    pub(super) address: String,
    /// The engine.
    pub(super) engine: Result<EngineFacts, String>,
    /// The folder for reports.
    pub(super) reports: PathBuf,
    /// The file system that it is on, or would be.
    pub(super) reports_space: Result<Space, String>,
    /// The history, where there is one: how many environments of the suite it knows.
    pub(super) history: Option<Result<usize, String>>,
    /// The pool of subnets.
    pub(super) pool: Result<SubnetPool, String>,
    /// The manifest, where one was given.
    pub(super) manifest: Option<Result<ManifestFacts, String>>,
}

/// An engine that answers.
#[derive(Clone, Debug)]
pub(super) struct EngineFacts {
    pub(super) info: EngineInfo,
    pub(super) host: EngineHost,
    /// How long it took to tell of its host.
    pub(super) answered_in: Duration,
    /// This host's clock at that moment.
    pub(super) our_clock: Timestamp,
    /// Whether its host is this one.
    pub(super) is_here: bool,
    /// Memory that is free for the taking, in bytes; only known here.
    pub(super) memory_available: Option<u64>,
    /// The file system of its folder; only known here.
    pub(super) space: Option<Result<Space, String>>,
    /// Networks that this host reaches itself; only known here.
    pub(super) routes: Vec<Route>,
    pub(super) subnets: Vec<UsedSubnet>,
    pub(super) things: Vec<Labelled>,
    pub(super) standings: BTreeMap<RunId, Standing>,
    pub(super) images: Vec<StoredImage>,
    /// How many lanes a run would have, and why where that is left to us; only known with a manifest.
    pub(super) lanes: Option<(u16, Option<String>)>,
}

/// A file system's size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) free: u64,
    pub(super) size: u64,
}

/// A manifest that is well-formed.
#[derive(Clone, Debug)]
pub(super) struct ManifestFacts {
    pub(super) suite: String,
    pub(super) services: usize,
    pub(super) warnings: usize,
    /// Images that it needs; only known where the engine answers.
    pub(super) images: Option<Result<Vec<NeededImage>, String>>,
}
