//! An environment that is ready, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::BoxStream;
use jiff::Timestamp;

use super::logs::Logs;
use super::traces::{ServiceState, Traces};
use super::vitals::Concern;
use super::watch::{Live, Watch};
use crate::engine::{ContainerEvent, ContainerState, Engine, EngineError};
use crate::event::ResourceUse;
use crate::id::{EnvironmentId, EnvironmentName};

/// An environment whose services are all ready. Its things are in its [`Ledger`](super::Ledger).
#[derive(Debug)]
pub struct Environment {
    name: EnvironmentName,
    engine: Arc<dyn Engine>,
    runner: String,
    watch: Watch,
    logs: Logs,
    since: Timestamp,
    in_use: AtomicBool,
}

impl std::fmt::Debug for dyn Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Environment {
    /// Watches over services that have just become ready. `events` has been open since before they were found to run,
    /// so that none is missed in between.
    pub(super) fn watch_over(
        name: EnvironmentName,
        engine: Arc<dyn Engine>,
        events: BoxStream<'static, Result<ContainerEvent, EngineError>>,
        runner: String,
        services: Vec<Live>,
        logs: Logs,
    ) -> Self {
        let watch = Watch::over(services, &engine, events);
        Self { name, engine, runner, watch, logs, since: Timestamp::now(), in_use: AtomicBool::new(false) }
    }

    /// What it goes by on the engine.
    pub fn name(&self) -> EnvironmentName {
        self.name
    }

    /// The engine it lives on.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(super) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// The container of a service that runs; the error says in words that it does not.
    pub(super) fn container_of(&self, service: &str) -> Result<&str, String> {
        let live = self.watch.services().iter().find(|live| live.service == service);
        live.map(|live| live.container.as_str()).ok_or_else(|| format!("{service} does not run any more"))
    }

    /// A variable that a service was started with.
    pub(super) fn variable_of(&self, service: &str, variable: &str) -> Option<String> {
        let live = self.watch.services().iter().find(|live| live.service == service)?;
        live.variables.iter().find(|(name, _)| name == variable).map(|(_, value)| value.clone())
    }

    /// The runner service's container.
    pub fn runner(&self) -> &str {
        &self.runner
    }

    /// Ends when the environment is broken: a service has ended or become unhealthy, or the engine is away; also when the
    /// environment is gone.
    pub fn ending(&self) -> impl Future<Output = ()> + Send + 'static {
        self.watch.until(Concern::Broken)
    }

    /// A lane takes an environment that stood by: its logs stand under the lane's name for it from now on.
    pub fn adopt(&mut self, id: EnvironmentId) {
        self.logs.rename(&id.to_string());
    }

    /// Whether it is broken, as far as that was noticed.
    pub fn has_ended(&self) -> bool {
        self.watch.concern() == Concern::Broken
    }

    /// Waits until it is broken. Say why with [`diagnose`](Self::diagnose).
    pub async fn ended(&self) {
        self.ending().await;
    }

    /// From now on tests run in it: what breaks has broken under them.
    pub fn put_to_use(&self) {
        self.in_use.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Relaxed)
    }

    pub(super) fn when(&self) -> &'static str {
        if self.is_in_use() { "while tests ran" } else { "right after its start" }
    }

    /// What is worth saying of it though it is not broken; each is given once.
    pub fn take_notes(&self) -> Vec<String> {
        self.watch.take_notes()
    }

    /// Processor time that its services have used, up to a second ago.
    pub fn cpu(&self) -> Duration {
        self.watch.usage().cpu()
    }

    /// All that its services have used, up to a second ago.
    pub fn used(&self) -> ResourceUse {
        self.watch.usage().total()
    }

    /// Its logs and figures, which can be looked into when it is gone.
    pub fn traces(&self) -> Traces {
        Traces { logs: self.logs.slices(), usage: self.watch.usage().clone() }
    }

    /// Since when its services have been ready.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// How the containers of its services are now.
    pub async fn states(&self) -> Vec<ServiceState> {
        let state = |live: &Live| {
            let Live { service, container, .. } = live.clone();
            async move {
                let state = match self.engine.inspect_container(&container).await {
                    Ok(ContainerState::Running { .. }) => "running".to_owned(),
                    Ok(ContainerState::Created) => "created, not started".to_owned(),
                    Ok(ContainerState::Exited { code, out_of_memory }) => {
                        let of = if out_of_memory { " (out of memory)" } else { "" };
                        format!("ended with exit code {code}{of}")
                    }
                    Ok(ContainerState::Gone) => "gone".to_owned(),
                    Err(error) => format!("not known: {error}"),
                };
                ServiceState { service, container, state }
            }
        };
        futures::future::join_all(self.watch.services().iter().map(state)).await
    }

    /// Completes the logs on disk; call it when the containers are gone.
    pub async fn finish_logs(&self) {
        self.logs.finish().await;
    }
}

/// What is said of a runner service that has done its work before it was given any.
pub(super) fn runner_ended_at_once(service: &str) -> String {
    format!("the runner service {service} ended at once; it must stay up, for example with `command: sleep infinity`")
}
