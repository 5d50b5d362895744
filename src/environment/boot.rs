//! Making an environment from its blueprint.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::blueprint::{Blueprint, Ready, ServiceBlueprint, blueprint};
use super::images::Images;
use super::in_words;
use super::label;
use super::ledger::Ledger;
use super::logs::Logs;
use super::probe::{Question, ask};
use super::ready::{Environment, runner_ended_at_once};
use super::run_once::{Once, run_once};
use super::subnet::Subnets;
use super::vitals::{Expected, Vitals, with_log};
use super::watch::Live;
use crate::engine::{ContainerState, Engine, EngineError, NetworkOf, NetworkSpec, RefusalKind, ThingKind};
use crate::event::BrokenEnvironment;
use crate::id::{EnvironmentName, RunId};
use crate::manifest::Manifest;
use crate::manifest::compose::Condition;
use crate::secrets::Secrets;

/// The first pause between two probes of a service, and the longest; each is twice the one before.
const PROBE_PAUSES: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(200));
/// The same for questions that are asked from this host, which cost the engine next to nothing.
const ASK_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(50));
/// How long one probe may take.
const PROBE_WITHIN: Duration = Duration::from_secs(10);
/// How many subnets are tried at most that turn out to be taken.
const SUBNET_TRIES: u32 = 1024;

/// What all environments of a run share.
#[derive(Clone)]
pub struct Site {
    /// The engine they live on.
    pub engine: Arc<dyn Engine>,
    /// What they are made from.
    pub manifest: Arc<Manifest>,
    /// The image of each service.
    pub images: Images,
    /// The run they are for.
    pub run: RunId,
    /// The process whose life is their lease, as text.
    pub lease: String,
    /// The folder for their logs: `LOGS/ENVIRONMENT/SERVICE.log`.
    pub logs: PathBuf,
    /// What must not get into a log.
    pub secrets: Secrets,
    /// Where their networks' addresses come from.
    pub subnets: Subnets,
    /// What is being made on the engine. After a run that did not wait for its lanes, wait for this before sweeping.
    pub in_flight: TaskTracker,
}

/// How far a service has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// Has no network yet.
    Pending,
    /// Its container is being created.
    Creating,
    /// Waits for others.
    Waiting,
    /// Is being started.
    Starting,
    /// Runs; its last probe said this.
    Running(String),
    /// Is healthy, or has completed.
    Ready,
}

impl Site {
    /// Boots an environment within the manifest's `ready_within`. Everything made is in `ledger`, also when this
    /// fails or is dropped: tear it down then. `step` is told what is being waited for. `runner` is told the name of the
    /// runner's container when that may be used though other services are not ready yet; where all become ready before,
    /// it is not told.
    pub async fn boot(
        &self,
        name: EnvironmentName,
        ledger: &Ledger,
        step: &(dyn Fn(String) + Send + Sync),
        runner: &watch::Sender<Option<String>>,
    ) -> Result<Environment, BrokenEnvironment> {
        let blueprint = blueprint(&self.manifest, &self.images, &self.run, &self.lease, name);
        let progress = blueprint
            .services
            .iter()
            .map(|service| (service.service.clone(), watch::channel(Progress::Pending).0))
            .collect();
        let label = blueprint.labels.get(label::ENVIRONMENT).map_or("", String::as_str);
        let events = self.engine.events(&format!("{}={label}", label::ENVIRONMENT));
        let logs = Logs::new(&self.logs.join(name.to_string()), self.secrets.clone(), self.manifest.evidence.log_cap);
        let boot = Boot { site: self, blueprint: &blueprint, ledger, logs, progress, step, runner };
        let limit = self.manifest.environment.ready_within;
        let deadline = Instant::now() + limit;
        let made = match timeout_at(deadline, boot.make()).await {
            Ok(made) => made,
            Err(_) => Err(boot.late(limit)),
        };
        let Boot { logs, .. } = boot;
        // A health check's output, or an engine's words, may hold what a service was given.
        let masked =
            |broken: BrokenEnvironment| BrokenEnvironment { cause: self.secrets.mask(&broken.cause), ..broken };
        let services = made.map_err(masked)?;
        let runner = format!("{}-{}", blueprint.network, self.manifest.environment.runner);
        let environment = Environment::watch_over(name, self.engine.clone(), events, runner, services, logs);
        let reset = &self.manifest.environment.reset;
        match environment.prepare_reset(reset).await {
            Ok(()) => Ok(environment),
            Err(cause) => {
                let service = reset.service().map(str::to_owned);
                Err(masked(BrokenEnvironment { service, cause, log_tail: Vec::new() }))
            }
        }
    }
}

struct Boot<'a> {
    site: &'a Site,
    blueprint: &'a Blueprint,
    ledger: &'a Ledger,
    logs: Logs,
    progress: BTreeMap<String, watch::Sender<Progress>>,
    step: &'a (dyn Fn(String) + Send + Sync),
    runner: &'a watch::Sender<Option<String>>,
}

impl Boot<'_> {
    fn engine(&self) -> &dyn Engine {
        &*self.site.engine
    }

    async fn make(&self) -> Result<Vec<Live>, BrokenEnvironment> {
        (self.step)("network".to_owned());
        let network = self.network().await.map_err(|error| broken(None, &error))?;
        for volume in &self.blueprint.volumes {
            let (engine, spec) = (self.site.engine.clone(), volume.clone());
            let making = async move { engine.create_volume(&spec).await };
            self.ledger.make(ThingKind::Volume, &volume.name, making).await.map_err(|error| broken(None, &error))?;
        }
        let services = try_join_all(self.blueprint.services.iter().map(|service| self.service(service, &network)));
        let announcing = async {
            self.announce_runner().await;
            Ok(())
        };
        tokio::try_join!(services, announcing)?;
        let services = try_join_all(self.blueprint.services.iter().map(|service| self.live(service))).await?;
        let services: Vec<Live> = services.into_iter().flatten().collect();
        match self.without_network(&services) {
            None => Ok(services),
            Some(name) => Err(BrokenEnvironment {
                service: Some(name.to_owned()),
                cause: format!("{name} lost its network while the environment came up"),
                log_tail: self.logs.tail(name),
            }),
        }
    }

    /// A service that should have a network and has none, though others have.
    fn without_network<'a>(&self, services: &'a [Live]) -> Option<&'a str> {
        let has_its_own = |live: &Live| {
            let of = self.blueprint.services.iter().find(|service| service.service == live.service);
            of.is_some_and(|service| service.container.shared.network == NetworkOf::Itself)
        };
        let some_have = services.iter().any(|live| live.address.is_some());
        let lost = services.iter().find(|live| live.address.is_none() && has_its_own(live));
        lost.filter(|_| some_have).map(|live| live.service.as_str())
    }

    /// Makes the network on the first subnet that the engine accepts.
    async fn network(&self) -> Result<String, EngineError> {
        let mut tries = 0;
        loop {
            let spec = NetworkSpec {
                name: self.blueprint.network.clone(),
                subnet: self.site.subnets.next(),
                labels: self.blueprint.labels.clone(),
            };
            // Until its id is known, the network goes by its name, which no other has.
            let (engine, name) = (self.site.engine.clone(), spec.name.clone());
            let making = async move { engine.create_network(&spec).await };
            match self.ledger.make(ThingKind::Network, &name, making).await {
                Ok(id) => {
                    self.ledger.note(ThingKind::Network, &id);
                    return Ok(id);
                }
                Err(error) if error.kind() == RefusalKind::SubnetTaken => {
                    tries += 1;
                    if tries >= self.site.subnets.count().min(SUBNET_TRIES) {
                        return Err(self.site.subnets.none_free(&name));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn service(&self, service: &ServiceBlueprint, network: &str) -> Result<(), BrokenEnvironment> {
        let name = service.service.as_str();
        let failed = |error| broken(Some(name), &error);
        let mut spec = service.container.clone();
        if spec.shared.network == NetworkOf::Itself {
            network.clone_into(&mut spec.network);
        }
        let container = service.container.name.as_str();
        let engine = self.site.engine.clone();
        let making = async move { engine.create_container(&spec).await };
        // Only the start has to wait for other services, unless something of theirs is to be shared.
        for other in &service.shares_with {
            self.wait_for(name, other, Condition::Started).await?;
        }
        self.set(name, Progress::Creating);
        self.ledger.make(ThingKind::Container, container, making).await.map_err(failed)?;
        self.set(name, Progress::Waiting);
        for (other, condition) in &service.waits_for {
            self.wait_for(name, other, *condition).await?;
        }
        self.set(name, Progress::Starting);
        (self.step)(format!("{name}: starting"));
        self.engine().start_container(container).await.map_err(failed)?;
        self.logs.follow(&self.site.engine, name, container);
        self.set(name, Progress::Running("it has not been probed yet".to_owned()));
        match &service.ready {
            Ready::Running => {}
            Ready::Healthy(command) => {
                (self.step)(format!("{name}: waiting until healthy"));
                self.until_healthy(name, container, command).await?;
            }
            Ready::Answers(port, question) => {
                (self.step)(format!("{name}: waiting until it answers"));
                self.until_it_answers(service, *port, question).await?;
            }
            Ready::Completed => {
                (self.step)(format!("{name}: waiting for its end"));
                self.until_completed(name, container).await?;
            }
        }
        self.set(name, Progress::Ready);
        Ok(())
    }

    /// Tells that the runner may be used, as soon as it may and where that is before everything is ready.
    async fn announce_runner(&self) {
        let Some(after) = &self.blueprint.runner_serves_after else { return };
        for service in after {
            if let Some(sender) = self.progress.get(service) {
                let _ = sender.subscribe().wait_for(|progress| *progress == Progress::Ready).await;
            }
        }
        if self.progress.values().any(|sender| *sender.borrow() != Progress::Ready) {
            let runner = &self.site.manifest.environment.runner;
            self.runner.send_replace(Some(format!("{}-{runner}", self.blueprint.network)));
        }
    }

    fn set(&self, service: &str, progress: Progress) {
        if let Some(sender) = self.progress.get(service) {
            sender.send_replace(progress);
        }
    }

    async fn wait_for(&self, service: &str, other: &str, condition: Condition) -> Result<(), BrokenEnvironment> {
        let Some(sender) = self.progress.get(other) else { return Ok(()) };
        if condition == Condition::Healthy && self.is_without_health_check(other) {
            return Err(BrokenEnvironment {
                service: Some(other.to_owned()),
                cause: format!(
                    "{service} waits until {other} is healthy, but neither the Compose file nor the image of {other} \
                     has a health check"
                ),
                log_tail: Vec::new(),
            });
        }
        let met = |progress: &Progress| match condition {
            Condition::Started => matches!(progress, Progress::Running(_) | Progress::Ready),
            Condition::Healthy | Condition::CompletedSuccessfully => *progress == Progress::Ready,
        };
        // The sender lives as long as this boot, so that the wait can only end by being met or by the deadline.
        let _ = sender.subscribe().wait_for(met).await;
        Ok(())
    }

    fn is_without_health_check(&self, service: &str) -> bool {
        self.blueprint.services.iter().any(|s| s.service == service && s.ready == Ready::Running)
    }

    async fn until_healthy(&self, name: &str, container: &str, command: &[String]) -> Result<(), BrokenEnvironment> {
        let mut pause = PROBE_PAUSES.0;
        loop {
            if let ContainerState::Exited { code, out_of_memory } = self.state(name, container).await? {
                return Err(self.ended(name, code, out_of_memory, "before it was healthy").await);
            }
            let probe = Once { command, ..Once::default() };
            match run_once(self.engine(), container, probe, PROBE_WITHIN).await {
                Ok(()) => return Ok(()),
                Err(why) => self.set(name, Progress::Running(format!("its health check failed: {why}"))),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PROBE_PAUSES.1);
        }
    }

    async fn until_it_answers(
        &self,
        service: &ServiceBlueprint,
        port: u16,
        question: &Question,
    ) -> Result<(), BrokenEnvironment> {
        let name = service.service.as_str();
        let mut pause = ASK_PAUSES.0;
        loop {
            let address = match self.state(name, &service.container.name).await? {
                ContainerState::Exited { code, out_of_memory } => {
                    return Err(self.ended(name, code, out_of_memory, "before it was ready").await);
                }
                ContainerState::Running { address } => address,
                ContainerState::Created | ContainerState::Gone => None,
            };
            let address = match &service.container.shared.network {
                NetworkOf::Container(other) => match self.state(name, other).await? {
                    ContainerState::Running { address } => address,
                    ContainerState::Created | ContainerState::Exited { .. } | ContainerState::Gone => None,
                },
                NetworkOf::Itself | NetworkOf::Nobody => address,
            };
            match ask(address, port, question).await {
                Ok(()) => return Ok(()),
                Err(why) => self.set(name, Progress::Running(why)),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_PAUSES.1);
        }
    }

    async fn until_completed(&self, name: &str, container: &str) -> Result<(), BrokenEnvironment> {
        loop {
            match self.state(name, container).await? {
                ContainerState::Exited { code: 0, .. } => return Ok(()),
                ContainerState::Exited { code, out_of_memory } => {
                    return Err(self.ended(name, code, out_of_memory, "instead of completing").await);
                }
                ContainerState::Created | ContainerState::Running { .. } => {
                    self.set(name, Progress::Running("it still runs".to_owned()));
                }
                ContainerState::Gone => {
                    return Err(BrokenEnvironment {
                        service: Some(name.to_owned()),
                        cause: format!("{name} was removed by somebody else while it ran"),
                        log_tail: self.logs.tail(name),
                    });
                }
            }
            tokio::time::sleep(PROBE_PAUSES.0).await;
        }
    }

    async fn state(&self, name: &str, container: &str) -> Result<ContainerState, BrokenEnvironment> {
        self.engine().inspect_container(container).await.map_err(|error| broken(Some(name), &error))
    }

    async fn ended(&self, name: &str, code: i64, out_of_memory: bool, when: &str) -> BrokenEnvironment {
        let service = self.blueprint.services.iter().find(|service| service.service == name);
        let memory = service.and_then(|service| service.container.memory);
        let mut vitals = Vitals::default();
        if out_of_memory {
            vitals.found_starved();
        }
        let log_tail = self.logs.tail_at_end(name).await;
        let cause = with_log(vitals.ending(name, code, Expected { lasts: true, memory }, when), &log_tail);
        BrokenEnvironment { service: Some(name.to_owned()), cause, log_tail }
    }

    /// A service that runs on, or `None` for one that has done its work and ended well.
    async fn live(&self, service: &ServiceBlueprint) -> Result<Option<Live>, BrokenEnvironment> {
        let name = service.service.as_str();
        match self.state(name, &service.container.name).await? {
            ContainerState::Running { address } => Ok(Some(Live {
                service: name.to_owned(),
                container: service.container.name.clone(),
                address,
                ports: service.ports.clone(),
                variables: service.container.environment.clone(),
                memory_limit: service.container.memory,
                cpus_milli_limit: service.container.cpus_milli,
                lasts: service.lasts,
                health: service.health.clone(),
            })),
            ContainerState::Exited { code: 0, .. } if name != self.site.manifest.environment.runner => Ok(None),
            ContainerState::Exited { code: 0, .. } => Err(BrokenEnvironment {
                service: Some(name.to_owned()),
                cause: runner_ended_at_once(name),
                log_tail: self.logs.tail_at_end(name).await,
            }),
            ContainerState::Exited { code, out_of_memory } => {
                Err(self.ended(name, code, out_of_memory, "right after its start").await)
            }
            ContainerState::Created | ContainerState::Gone => Err(BrokenEnvironment {
                service: Some(name.to_owned()),
                cause: format!("{name} vanished while the environment came up"),
                log_tail: self.logs.tail(name),
            }),
        }
    }

    /// Says which service kept the environment from becoming ready: the first that was started and isn't ready.
    fn late(&self, limit: Duration) -> BrokenEnvironment {
        let state = |service: &ServiceBlueprint| {
            self.progress.get(&service.service).map_or(Progress::Pending, |sender| sender.borrow().clone())
        };
        let limit = in_words(limit);
        for service in &self.blueprint.services {
            let why = match state(service) {
                Progress::Pending | Progress::Waiting | Progress::Ready => continue,
                Progress::Creating => "the engine had not created it".to_owned(),
                Progress::Starting => "the engine had not started it".to_owned(),
                Progress::Running(why) => why,
            };
            let name = &service.service;
            return BrokenEnvironment {
                service: Some(name.clone()),
                cause: format!("{name} was not ready within {limit}: {why}"),
                log_tail: self.logs.tail(name),
            };
        }
        let all_pending = self.blueprint.services.iter().all(|service| state(service) == Progress::Pending);
        let cause = if all_pending {
            format!("the engine had not made the network within {limit}")
        } else {
            format!("the environment was not ready within {limit}, though no service of it was late")
        };
        BrokenEnvironment { service: None, cause, log_tail: Vec::new() }
    }
}

fn broken(service: Option<&str>, error: &EngineError) -> BrokenEnvironment {
    BrokenEnvironment { service: service.map(str::to_owned), cause: error.to_string(), log_tail: Vec::new() }
}
