//! What an environment has made, or is about to make, on the engine.

use std::sync::Mutex;

use futures::future::join_all;

use crate::engine::{self, Engine, EngineError, ThingKind};

/// The things of one environment. Each is written down before it is created, so that whatever happens in between,
/// [`tear_down`](Self::tear_down) knows of it; what was never created counts as removed.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Mutex<Vec<(ThingKind, String)>>,
}

impl Ledger {
    /// Writes a thing down, by the name or id under which it can be removed.
    pub fn note(&self, kind: ThingKind, id: impl Into<String>) {
        self.lock().push((kind, id.into()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(ThingKind, String)>> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Removes everything, containers first, then what they hung on, and returns what could not be removed. May be
    /// called again.
    pub async fn tear_down(&self, engine: &dyn Engine) -> Vec<EngineError> {
        let entries = self.lock().clone();
        let of = |wanted: ThingKind| {
            entries.iter().rev().filter(move |(kind, _)| *kind == wanted).map(|(_, id)| id.as_str()).collect::<Vec<_>>()
        };
        let mut errors = Vec::new();
        for kind in [ThingKind::Container, ThingKind::Network, ThingKind::Volume] {
            let removals = of(kind).into_iter().map(|id| engine::remove(engine, kind, id));
            errors.extend(join_all(removals).await.into_iter().filter_map(Result::err));
        }
        if errors.is_empty() {
            self.lock().retain(|entry| !entries.contains(entry));
        }
        errors
    }
}
