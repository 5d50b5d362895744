//! Health checks: when a service is healthy, and how that is watched while tests run.

use std::time::Duration;

use super::run_once::{Once, run_once};
use crate::engine::Engine;
use crate::manifest::compose::Healthcheck;

/// A service is asked no more often than this while tests run, as each time costs it some processor time.
const WATCHED_EVERY: Duration = Duration::from_secs(5);
/// When an attempt did not pass, the check is given at least and at most so long to answer, whatever its own limit is:
/// a busy host is no sign of illness, and a service that hangs must not keep its lane from going on.
const SUSPECTED_WITHIN: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(5));
/// And it is run at most so often.
const SUSPECTED_RETRIES: u32 = 3;
/// What an image's own health check is taken to say where Docker's defaults hold.
const DEFAULT: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(30), 3);

/// A service's health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HealthCheck {
    /// Program and arguments, run within the container.
    pub(super) command: Vec<String>,
    interval: Duration,
    timeout: Duration,
    retries: u32,
}

impl HealthCheck {
    /// The Compose file's check, or else the image's.
    pub(super) fn of(own: Option<&Healthcheck>, of_image: Option<Vec<String>>) -> Option<Self> {
        match own {
            Some(Healthcheck::Command { command, interval, timeout, retries, start_period: _ }) => Some(Self {
                command: command.clone(),
                interval: *interval,
                timeout: *timeout,
                retries: (*retries).max(1),
            }),
            Some(Healthcheck::Disabled) => None,
            None => {
                let (interval, timeout, retries) = DEFAULT;
                of_image.map(|command| Self { command, interval, timeout, retries })
            }
        }
    }

    /// The pause between two looks while tests run.
    pub(super) fn pause(&self) -> Duration {
        self.interval.max(WATCHED_EVERY)
    }

    /// How often in a row it fails until the service is unhealthy.
    pub(super) fn retries(&self) -> u32 {
        self.retries
    }

    /// The same when an attempt did not pass, and a lane waits for the answer.
    pub(super) fn retries_on_suspicion(&self) -> u32 {
        self.retries.min(SUSPECTED_RETRIES)
    }

    /// Runs it once, as while tests run.
    pub(super) async fn run(&self, engine: &dyn Engine, container: &str) -> Result<(), String> {
        self.run_within(engine, container, self.timeout).await
    }

    /// Runs it once, as when an attempt did not pass.
    pub(super) async fn run_on_suspicion(&self, engine: &dyn Engine, container: &str) -> Result<(), String> {
        let (least, most) = SUSPECTED_WITHIN;
        self.run_within(engine, container, self.timeout.clamp(least, most)).await
    }

    async fn run_within(&self, engine: &dyn Engine, container: &str, limit: Duration) -> Result<(), String> {
        let once = Once { command: &self.command, ..Once::default() };
        run_once(engine, container, once, limit).await
    }

    /// What is said of a check that failed so often in a row, the last time for this reason.
    pub(super) fn failed(times: u32, why: &str) -> String {
        match times {
            1 => format!("its health check failed: {why}"),
            times => format!("its health check failed {times} times in a row, at last: {why}"),
        }
    }
}
