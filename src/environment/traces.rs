//! What an environment leaves behind to look into, also when it is gone itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::logs::LogSlices;
use super::usage::{Usage, UseDuring};

/// The logs and figures of an environment, to be cut by time.
#[derive(Clone, Debug)]
pub struct Traces {
    pub(super) logs: LogSlices,
    pub(super) usage: Arc<Usage>,
}

/// How a service's container was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The service.
    pub service: String,
    /// Its container.
    pub container: String,
    /// In words: `running`, `ended with exit code 137 (out of memory)`.
    pub state: String,
}

impl Traces {
    /// Waits until nothing more comes, as the environment is gone.
    pub async fn complete(&self) {
        self.logs.complete().await;
    }

    /// Each service's lines from one time to another, by the engine's clock; only where nothing else waits, as it reads
    /// files.
    ///
    /// # Errors
    /// When a log can't be read.
    pub fn logs(&self, from: Timestamp, to: Timestamp) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
        self.logs.cut(from, to)
    }

    /// What each service used from one time to another, as far as the engine told.
    pub fn used(&self, from: Timestamp, to: Timestamp) -> BTreeMap<String, UseDuring> {
        self.usage.during(from, to)
    }
}
