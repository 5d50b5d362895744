//! Whether an environment is broken, and why: asked after each attempt that did not pass.

use std::time::Duration;

use futures::future::{join, join_all};
use tokio::time::{Instant, sleep, timeout};

use super::health::HealthCheck;
use super::ready::Environment;
use super::vitals::{Concern, Vitals, with_log};
use super::watch::{Live, connects};
use crate::engine::{ContainerState, Happened};
use crate::event::BrokenEnvironment;

/// A process that dies closes its connections a moment before the port on which it listens, so that for a few
/// milliseconds it seems to be well; and the engine tells of it a moment later. Every attempt that did not pass waits
/// for so long.
const DYING_WITHIN: Duration = Duration::from_millis(100);
/// For how long a service is looked at that seems to be ill: it may be about to end, or a busy host was slow for once.
const SUSPECTED_FOR: Duration = Duration::from_secs(2);
/// The pause between two looks at it.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// The pause between two runs of its health check.
const CHECK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What was found of one service.
#[derive(Clone)]
struct Finding {
    concern: Concern,
    /// Whether its log is complete, or about to be.
    ended: bool,
    service: String,
    cause: String,
}

impl Environment {
    /// Whether the environment is broken, and why: asked after each attempt that did not pass. Takes about a tenth of a
    /// second where all is well; longer where a service refuses connections, fails its health check or ails.
    pub async fn diagnose(&self) -> Option<BrokenEnvironment> {
        let finding = self.find().await?;
        let Finding { ended, service, cause, .. } = self.or_its_end(finding).await;
        let log_tail = if ended { self.logs().tail_at_end(&service).await } else { self.logs().tail(&service) };
        let cause = with_log(cause, &log_tail);
        Some(BrokenEnvironment { service: Some(service), cause, log_tail })
    }

    async fn find(&self) -> Option<Finding> {
        if let Some(finding) = self.inspect().await {
            return Some(finding);
        }
        let watch = self.watch();
        let noticed = async { timeout(DYING_WITHIN, watch.until(Concern::Ailing)).await.is_ok() };
        let (noticed, sick) = join(noticed, self.ask_all()).await;
        if let Some(finding) = self.inspect().await {
            return Some(finding);
        }
        if !noticed && sick.is_empty() && !self.refuses_connections().await {
            return None;
        }
        self.look_closer(sick).await
    }

    /// A service that ails may be about to end of it: the kernel tells of a process that it killed for want of memory
    /// before the engine tells that it was the service's first. The end explains more.
    async fn or_its_end(&self, finding: Finding) -> Finding {
        let ended = async {
            let mut now = Some(finding.clone());
            loop {
                match now {
                    Some(finding) if finding.concern == Concern::Broken => return finding,
                    Some(_) | None => sleep(LOOK_AGAIN_AFTER).await,
                }
                now = self.inspect().await;
            }
        };
        timeout(SUSPECTED_FOR, ended).await.unwrap_or(finding)
    }

    /// Looks at a suspicious environment for a while.
    async fn look_closer(&self, sick: Vec<(usize, String)>) -> Option<Finding> {
        let deadline = Instant::now() + SUSPECTED_FOR;
        let dying = async {
            loop {
                sleep(LOOK_AGAIN_AFTER).await;
                match self.inspect().await {
                    Some(finding) => return Some(finding),
                    None if Instant::now() >= deadline => return None,
                    None => {}
                }
            }
        };
        let ill = join_all(sick.into_iter().map(|(nth, why)| self.stays_ill(nth, why, deadline)));
        let deaf = self.stays_deaf(deadline);
        tokio::pin!(dying);
        // An end explains more than an illness, so that it is told when there is one.
        let (ill, deaf) = tokio::select! {
            Some(finding) = &mut dying => return Some(finding),
            found = join(ill, deaf) => found,
        };
        if let Some(finding) = self.inspect().await {
            return Some(finding);
        }
        let (service, cause) = ill.into_iter().flatten().next().or(deaf)?;
        Some(Finding { concern: Concern::Broken, ended: false, service, cause })
    }

    /// Runs all health checks once; gives those that failed, with the reason.
    async fn ask_all(&self) -> Vec<(usize, String)> {
        let asked = self.watch().services().iter().enumerate().map(async |(nth, live)| {
            let health = live.health.as_ref()?;
            let failed = health.run_on_suspicion(self.engine(), &live.container).await.err()?;
            Some((nth, failed))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// Whether a service's health check, which failed once, fails until the deadline and as often as it may.
    async fn stays_ill(&self, nth: usize, mut why: String, deadline: Instant) -> Option<(String, String)> {
        let live = self.watch().services().get(nth)?;
        let health = live.health.as_ref()?;
        let mut failed = 1;
        while failed < health.retries_on_suspicion() || Instant::now() < deadline {
            sleep(CHECK_AGAIN_AFTER).await;
            why = health.run_on_suspicion(self.engine(), &live.container).await.err()?;
            failed += 1;
        }
        let mut vitals = Vitals::default();
        vitals.fall_ill(HealthCheck::failed(failed, &why));
        let (_, expected) = self.watch().vitals(nth);
        Some((live.service.clone(), vitals.cause(&live.service, expected, self.when())?))
    }

    /// Whether a port on which a service had listened accepts no connection until the deadline.
    async fn stays_deaf(&self, deadline: Instant) -> Option<(String, String)> {
        let mut deaf = self.watch().listening();
        loop {
            let looks = join_all(deaf.iter().map(|(_, socket)| connects(*socket))).await;
            let mut looks = looks.into_iter();
            deaf.retain(|_| looks.next().flatten() != Some(true));
            let (nth, socket) = deaf.first()?;
            if Instant::now() >= deadline {
                let live = self.watch().services().get(*nth)?;
                let (service, port, when) = (&live.service, socket.port(), self.when());
                let cause = format!("{service} stopped accepting connections on port {port} {when}, though it runs");
                return Some((service.clone(), cause));
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// Whether a port does not accept connections any more: closed, or gone with its container's network. Where the
    /// containers' addresses can't be reached, as on a remote engine, none ever did, and nothing can be said.
    async fn refuses_connections(&self) -> bool {
        let looks = self.watch().listening().into_iter().map(|(_, socket)| connects(socket));
        join_all(looks).await.into_iter().any(|accepted| accepted != Some(true))
    }

    /// What is known by now and what the engine says of each service: the worst of it.
    async fn inspect(&self) -> Option<Finding> {
        let services = self.watch().services().iter().enumerate();
        let findings = join_all(services.map(|(nth, live)| self.inspect_one(nth, live))).await;
        let findings = findings.into_iter().flatten();
        // The first of the worst: what others wait for stands before them where the file is in that order.
        findings.reduce(|worst, next| if next.concern > worst.concern { next } else { worst })
    }

    async fn inspect_one(&self, nth: usize, live: &Live) -> Option<Finding> {
        let service = live.service.clone();
        let (mut vitals, expected) = self.watch().vitals(nth);
        if vitals.has_done_its_work() && !expected.lasts {
            return None;
        }
        let state = self.engine().inspect_container(&live.container).await;
        let concern = match state {
            Ok(ContainerState::Running { address: None }) if live.address.is_some() => {
                let cause = format!("{service} was cut off from its network {}", self.when());
                return Some(Finding { concern: Concern::Broken, ended: false, service, cause });
            }
            Ok(ContainerState::Running { .. } | ContainerState::Created) => {
                let cause = vitals.cause(&service, expected, self.when())?;
                return Some(Finding { concern: Concern::Ailing, ended: false, service, cause });
            }
            Ok(ContainerState::Exited { code: 0, .. }) if !self.is_in_use() && live.container == self.runner() => {
                let cause = super::ready::runner_ended_at_once(&service);
                return Some(Finding { concern: Concern::Broken, ended: true, service, cause });
            }
            Ok(ContainerState::Exited { code, out_of_memory }) => {
                if out_of_memory {
                    vitals.found_starved();
                }
                vitals.end(code, expected)
            }
            Ok(ContainerState::Gone) => vitals.take(&Happened::Removed, expected),
            Err(error) => {
                return Some(Finding { concern: Concern::Broken, ended: false, service, cause: error.to_string() });
            }
        };
        let cause = vitals.cause(&service, expected, self.when())?;
        Some(Finding { concern, ended: true, service, cause })
    }
}
