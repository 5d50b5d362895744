//! Watching over a ready environment's services for as long as it lives.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::health::HealthCheck;
use super::usage::Usage;
use super::vitals::{Concern, Expected, Vitals};
use crate::engine::{ContainerEvent, Engine, EngineError, Figures, Happened};

/// How long a service may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// The pause between two looks at a port on which nothing listens yet.
const LISTENING_PAUSE: Duration = Duration::from_millis(500);

/// A service that runs when its environment is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) service: String,
    pub(super) container: String,
    pub(super) address: Option<IpAddr>,
    pub(super) ports: Vec<u16>,
    pub(super) variables: Vec<(String, String)>,
    /// Its memory limit in bytes.
    pub(super) memory_limit: Option<u64>,
    /// Its processor limit in thousandths of a processor.
    pub(super) cpus_milli_limit: Option<u32>,
    /// Whether even an end with exit code 0 breaks its environment, by what is known of it beforehand.
    pub(super) lasts: bool,
    pub(super) health: Option<HealthCheck>,
}

impl Live {
    /// Where it may listen.
    fn sockets(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.address.iter().flat_map(|address| self.ports.iter().map(|port| (*address, *port).into()))
    }
}

/// What is known of an environment's services, and the tasks that find it out.
#[derive(Debug)]
pub(super) struct Watch {
    known: Arc<Known>,
    concern: watch::Receiver<Concern>,
    /// They end with it.
    _tasks: JoinSet<()>,
}

/// What is known, for the tasks and for those who ask.
#[derive(Debug)]
struct Known {
    services: Vec<Live>,
    /// In the order of `services`.
    vitals: Mutex<Vec<Vitals>>,
    /// Where a connection was accepted at some time. An image may expose a port on which this service never listens,
    /// as where one image serves for the application and the runner.
    listening: Mutex<BTreeSet<SocketAddr>>,
    usage: Arc<Usage>,
    notes: Mutex<Vec<String>>,
    concern: watch::Sender<Concern>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Watches from now on. `events` has been open since before the services were found to run, so that none is missed
    /// in between.
    pub(super) fn over(
        services: Vec<Live>,
        engine: &Arc<dyn Engine>,
        events: BoxStream<'static, Result<ContainerEvent, EngineError>>,
    ) -> Self {
        let (sender, concern) = watch::channel(Concern::None);
        let known = Arc::new(Known {
            vitals: Mutex::new(vec![Vitals::default(); services.len()]),
            services,
            listening: Mutex::default(),
            usage: Arc::default(),
            notes: Mutex::default(),
            concern: sender,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(follow_events(known.clone(), events));
        for (nth, live) in known.services.iter().enumerate() {
            for socket in live.sockets() {
                tasks.spawn(note_when_it_listens(known.clone(), socket));
            }
            known.usage.limit(&live.service, live.memory_limit, live.cpus_milli_limit);
            tasks.spawn(follow_figures(known.clone(), live.service.clone(), engine.follow_figures(&live.container)));
            if live.health.is_some() {
                tasks.spawn(watch_health(known.clone(), nth, engine.clone()));
            }
        }
        Self { known, concern, _tasks: tasks }
    }

    pub(super) fn services(&self) -> &[Live] {
        &self.known.services
    }

    /// What has been noticed so far, at the worst.
    pub(super) fn concern(&self) -> Concern {
        *self.concern.borrow()
    }

    /// Ends when at least so much was noticed; also when the environment is gone.
    pub(super) fn until(&self, least: Concern) -> impl Future<Output = ()> + Send + 'static {
        let mut concern = self.concern.clone();
        async move {
            let _ = concern.wait_for(|concern| *concern >= least).await;
        }
    }

    /// What is known of a service, with what is expected of it.
    pub(super) fn vitals(&self, nth: usize) -> (Vitals, Expected) {
        let vitals = lock(&self.known.vitals).get(nth).cloned().unwrap_or_default();
        (vitals, self.known.expected(nth))
    }

    /// Where connections were accepted at some time, with the service's place.
    pub(super) fn listening(&self) -> Vec<(usize, SocketAddr)> {
        let listening = lock(&self.known.listening);
        let of = |(nth, live): (usize, &Live)| live.sockets().map(move |socket| (nth, socket)).collect::<Vec<_>>();
        let all = self.known.services.iter().enumerate().flat_map(of);
        all.filter(|(_, socket)| listening.contains(socket)).collect()
    }

    /// What the services have used, up to a second ago.
    pub(super) fn usage(&self) -> &Arc<Usage> {
        &self.known.usage
    }

    /// What is worth saying though nothing broke; each is given once.
    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.known.notes))
    }
}

impl Known {
    fn expected(&self, nth: usize) -> Expected {
        let Some(live) = self.services.get(nth) else { return Expected { lasts: true, memory: None } };
        let listening = lock(&self.listening);
        let lasts = live.lasts || live.sockets().any(|socket| listening.contains(&socket));
        Expected { lasts, memory: live.memory_limit }
    }

    fn take(&self, event: &ContainerEvent) {
        let Some(nth) = self.services.iter().position(|live| live.container == event.container) else { return };
        let expected = self.expected(nth);
        let Some(concern) = lock(&self.vitals).get_mut(nth).map(|vitals| vitals.take(&event.what, expected)) else {
            return;
        };
        if event.what == Happened::OutOfMemory {
            let note = Vitals::starving(&self.services[nth].service, expected);
            lock(&self.notes).push(note);
        }
        self.raise(concern);
    }

    fn raise(&self, concern: Concern) {
        self.concern.send_if_modified(|worst| {
            let worse = concern > *worst;
            *worst = (*worst).max(concern);
            worse
        });
    }
}

async fn follow_events(known: Arc<Known>, mut events: BoxStream<'static, Result<ContainerEvent, EngineError>>) {
    while let Some(Ok(event)) = events.next().await {
        known.take(&event);
    }
    // An end of the stream means that the engine is away, and the environment with it.
    known.raise(Concern::Broken);
}

async fn follow_figures(
    known: Arc<Known>,
    service: String,
    mut figures: BoxStream<'static, Result<Figures, EngineError>>,
) {
    while let Some(Ok(now)) = figures.next().await {
        known.usage.take(&service, now, Timestamp::now());
    }
}

/// Docker's own checks are off in our containers, so that they don't cost time when nobody needs them.
async fn watch_health(known: Arc<Known>, nth: usize, engine: Arc<dyn Engine>) {
    let Some((live, health)) = known.services.get(nth).and_then(|live| Some((live, live.health.as_ref()?))) else {
        return;
    };
    let mut failed = 0;
    loop {
        tokio::time::sleep(health.pause()).await;
        match health.run(&*engine, &live.container).await {
            Ok(()) => failed = 0,
            Err(why) => {
                failed += 1;
                if failed >= health.retries() {
                    if let Some(vitals) = lock(&known.vitals).get_mut(nth) {
                        vitals.fall_ill(HealthCheck::failed(failed, &why));
                    }
                    known.raise(Concern::Broken);
                    return;
                }
            }
        }
    }
}

/// Whether a connection is accepted there; `None` where that can't be told.
pub(super) async fn connects(socket: SocketAddr) -> Option<bool> {
    match tokio::time::timeout(CONNECT_WITHIN, tokio::net::TcpStream::connect(socket)).await {
        Ok(Ok(_)) => Some(true),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Some(false),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// A service without a health check counts as ready before it listens, so that one look would not do.
async fn note_when_it_listens(known: Arc<Known>, socket: SocketAddr) {
    while let Some(connects) = connects(socket).await {
        if connects {
            lock(&known.listening).insert(socket);
            return;
        }
        tokio::time::sleep(LISTENING_PAUSE).await;
    }
}
