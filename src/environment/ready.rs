//! An environment that is ready, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::logs::Logs;
use super::usage::{Usage, UseDuring};
use crate::engine::{ContainerEvent, ContainerState, Engine, EngineError, Happened};
use crate::event::{BrokenEnvironment, ResourceUse};
use crate::id::{EnvironmentId, EnvironmentName};

/// A process that dies closes its connections a moment before the port on which it listens, so that for a few
/// milliseconds it seems to be well. Every attempt that did not pass waits for so long.
const DYING_WITHIN: Duration = Duration::from_millis(100);
/// How long the end of a service is waited for that no longer listens.
const END_WITHIN: Duration = Duration::from_secs(2);
/// How long a service may take to accept a connection when it is suspected to have ended.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// The pause between two looks at a port on which nothing listens yet.
const LISTENING_PAUSE: Duration = Duration::from_millis(500);

/// An environment whose services are all ready. Its things are in its [`Ledger`](super::Ledger).
#[derive(Debug)]
pub struct Environment {
    name: EnvironmentName,
    engine: Arc<dyn Engine>,
    runner: String,
    services: Vec<Live>,
    logs: Logs,
    ended: watch::Receiver<bool>,
    /// Where a connection was accepted at some time. An image may expose a port on which this service never listens,
    /// as where one image serves for the application and the runner.
    listening: Arc<Mutex<BTreeSet<SocketAddr>>>,
    usage: Arc<Usage>,
    in_use: AtomicBool,
    /// Watch over it as long as it lives.
    _tasks: JoinSet<()>,
}

/// A service that is expected to run as long as its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) service: String,
    pub(super) container: String,
    pub(super) address: Option<IpAddr>,
    pub(super) ports: Vec<u16>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) memory_limit: Option<u64>,
    pub(super) cpus_milli_limit: Option<u32>,
}

impl std::fmt::Debug for dyn Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Environment {
    /// Watches over services that have just become ready. `events` has been open since before they were found to run,
    /// so that none is missed in between.
    pub(super) fn watch(
        name: EnvironmentName,
        engine: Arc<dyn Engine>,
        mut events: BoxStream<'static, Result<ContainerEvent, EngineError>>,
        runner: String,
        services: Vec<Live>,
        logs: Logs,
    ) -> Self {
        let (sender, ended) = watch::channel(false);
        let containers: Vec<String> = services.iter().map(|live| live.container.clone()).collect();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // An end of the stream means that the engine is away, and the environment with it.
            while let Some(Ok(event)) = events.next().await {
                if matches!(event.what, Happened::Ended(_)) && containers.contains(&event.container) {
                    break;
                }
            }
            let _ = sender.send(true);
        });
        let listening = Arc::new(Mutex::new(BTreeSet::new()));
        let usage = Arc::new(Usage::default());
        for live in &services {
            for port in live.address.iter().flat_map(|address| live.ports.iter().map(|port| (*address, *port).into())) {
                tasks.spawn(note_when_it_listens(port, listening.clone()));
            }
            let (service, usage) = (live.service.clone(), usage.clone());
            usage.limit(&service, live.memory_limit, live.cpus_milli_limit);
            let mut figures = engine.follow_figures(&live.container);
            tasks.spawn(async move {
                while let Some(Ok(now)) = figures.next().await {
                    usage.take(&service, now, Timestamp::now());
                }
            });
        }
        Self {
            name,
            engine,
            runner,
            services,
            logs,
            ended,
            listening,
            usage,
            in_use: AtomicBool::new(false),
            _tasks: tasks,
        }
    }

    /// What it goes by on the engine.
    pub fn name(&self) -> EnvironmentName {
        self.name
    }

    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// The container of a service that runs; the error says in words that it does not.
    pub(super) fn container_of(&self, service: &str) -> Result<&str, String> {
        let live = self.services.iter().find(|live| live.service == service);
        live.map(|live| live.container.as_str()).ok_or_else(|| format!("{service} does not run any more"))
    }

    /// A variable that a service was started with.
    pub(super) fn variable_of(&self, service: &str, variable: &str) -> Option<String> {
        let live = self.services.iter().find(|live| live.service == service)?;
        live.variables.iter().find(|(name, _)| name == variable).map(|(_, value)| value.clone())
    }

    /// The runner service's container.
    pub fn runner(&self) -> &str {
        &self.runner
    }

    /// Ends when a service has ended, or the engine is away; also when the environment is gone.
    pub fn ending(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// A lane takes an environment that stood by: its logs stand under the lane's name for it from now on.
    pub fn adopt(&mut self, id: EnvironmentId) {
        self.logs.rename(&id.to_string());
    }

    /// Whether a service has ended, or the engine is away.
    pub fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits until a service has ended, or the engine is away. Say why with [`diagnose`](Self::diagnose).
    pub async fn ended(&self) {
        self.ending().await;
    }

    /// Whether the environment is broken, and why: asked after each attempt that did not pass. A service that no
    /// longer accepts connections is given a moment to end, as a crash closes its sockets before the engine knows.
    pub async fn diagnose(&self) -> Option<BrokenEnvironment> {
        if let Some(broken) = self.inspect().await {
            return Some(broken);
        }
        let ended = tokio::time::timeout(DYING_WITHIN, self.ended()).await.is_ok();
        if !ended && !self.refuses_connections().await {
            return None;
        }
        let deadline = tokio::time::Instant::now() + END_WITHIN;
        while tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Some(broken) = self.inspect().await {
                return Some(broken);
            }
        }
        None
    }

    /// From now on tests run in it: what breaks has broken under them.
    pub fn put_to_use(&self) {
        self.in_use.store(true, Ordering::Relaxed);
    }

    fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Relaxed)
    }

    fn when(&self) -> &'static str {
        if self.is_in_use() { "while tests ran" } else { "right after its start" }
    }

    async fn inspect(&self) -> Option<BrokenEnvironment> {
        for live in &self.services {
            let service = &live.service;
            let cause = match self.engine.inspect_container(&live.container).await {
                Ok(ContainerState::Running { .. } | ContainerState::Created) => continue,
                Ok(ContainerState::Exited { code: 0, .. }) if !self.is_in_use() && live.container == self.runner => {
                    runner_ended_at_once(service)
                }
                Ok(ContainerState::Exited { code, out_of_memory }) => ended(service, code, out_of_memory, self.when()),
                Ok(ContainerState::Gone) => format!("{service} was removed {}", self.when()),
                Err(error) => error.to_string(),
            };
            let log_tail = self.logs.tail_at_end(service).await;
            return Some(BrokenEnvironment { service: Some(service.clone()), cause, log_tail });
        }
        None
    }

    /// Whether a port does not accept connections any more: closed, or gone with its container's network. Where the
    /// containers' addresses can't be reached, as on a remote engine, none ever did, and nothing can be said.
    async fn refuses_connections(&self) -> bool {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for port in listening {
            if connects(port).await != Some(true) {
                return true;
            }
        }
        false
    }

    /// Processor time that its services have used, up to a second ago.
    pub fn cpu(&self) -> Duration {
        self.usage.cpu()
    }

    /// All that its services have used, up to a second ago.
    pub fn used(&self) -> ResourceUse {
        self.usage.total()
    }

    /// What each of its services used from one moment to another, as far as the engine told.
    pub fn used_during(&self, from: Timestamp, to: Timestamp) -> BTreeMap<String, UseDuring> {
        self.usage.during(from, to)
    }

    /// Completes the logs on disk; call it when the containers are gone.
    pub async fn finish_logs(&self) {
        self.logs.finish().await;
    }
}

/// What is said of a service whose container has ended: `web ended with exit code 1 while tests ran`.
pub(super) fn ended(service: &str, code: i64, out_of_memory: bool, when: &str) -> String {
    let of = if out_of_memory { " (out of memory)" } else { "" };
    format!("{service} ended with exit code {code}{of} {when}")
}

/// What is said of a runner service that has done its work before it was given any.
pub(super) fn runner_ended_at_once(service: &str) -> String {
    format!("the runner service {service} ended at once; it must stay up, for example with `command: sleep infinity`")
}

/// Whether a connection is accepted there; `None` where that can't be told.
async fn connects(port: SocketAddr) -> Option<bool> {
    match tokio::time::timeout(CONNECT_WITHIN, tokio::net::TcpStream::connect(port)).await {
        Ok(Ok(_)) => Some(true),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Some(false),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// A service without a health check counts as ready before it listens, so that one look would not do.
async fn note_when_it_listens(port: SocketAddr, listening: Arc<Mutex<BTreeSet<SocketAddr>>>) {
    while let Some(connects) = connects(port).await {
        if connects {
            listening.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
            return;
        }
        tokio::time::sleep(LISTENING_PAUSE).await;
    }
}
