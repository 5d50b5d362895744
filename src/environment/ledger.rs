//! What an environment has made, or is about to make, on the engine.

use std::sync::Mutex;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::engine::{self, Engine, EngineError, ThingKind};

/// The pauses before what could not be removed is tried again.
const REMOVE_AGAIN_AFTER: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// The things of one environment. Each is written down before it is created, so that whatever happens in between,
/// [`tear_down`](Self::tear_down) knows of it; what was never created counts as removed.
#[derive(Debug)]
pub struct Ledger {
    entries: Mutex<Vec<(ThingKind, String)>>,
    in_flight: TaskTracker,
    in_flight_of_run: TaskTracker,
}

impl Ledger {
    /// An empty ledger. What is being made is tracked in `in_flight_of_run`, too, for when nobody is left to tear the
    /// ledger down.
    pub fn new(in_flight_of_run: TaskTracker) -> Self {
        Self { entries: Mutex::default(), in_flight: TaskTracker::new(), in_flight_of_run }
    }

    /// Writes a thing down, by the name or id under which it can be removed.
    pub fn note(&self, kind: ThingKind, id: impl Into<String>) {
        self.lock().push((kind, id.into()));
    }

    /// Writes a thing down, then has it made. The engine may make it even when it is no longer waited for, as when a
    /// boot is cut short; so the making goes on in a task of its own, which a teardown waits for.
    pub async fn make<T: Send + 'static>(
        &self,
        kind: ThingKind,
        name: &str,
        making: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.note(kind, name);
        match self.in_flight.spawn(self.in_flight_of_run.track_future(making)).await {
            Ok(made) => made,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The task is aborted only where the whole runtime ends, and this with it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(ThingKind, String)>> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Removes everything, containers first, then what they hung on, and returns what could not be removed, though it
    /// was tried a few times: a connection may be cut at any moment. First waits for what is still being made, each of
    /// which has a deadline of the engine's. May be called again.
    pub async fn tear_down(&self, engine: &dyn Engine) -> Vec<EngineError> {
        self.in_flight.close();
        self.in_flight.wait().await;
        let mut errors = self.remove_all(engine).await;
        for pause in REMOVE_AGAIN_AFTER {
            if errors.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            errors = self.remove_all(engine).await;
        }
        errors
    }

    async fn remove_all(&self, engine: &dyn Engine) -> Vec<EngineError> {
        let entries = self.lock().clone();
        let things: Vec<(ThingKind, &str)> = entries.iter().rev().map(|(kind, id)| (*kind, id.as_str())).collect();
        let errors = engine::remove_all(engine, &things).await;
        if errors.is_empty() {
            self.lock().retain(|entry| !entries.contains(entry));
        }
        errors
    }
}
