//! What an environment's services use of the engine, as it is told about once a second.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::Figures;
use crate::event::{ResourceUse, ServiceUse};

/// How many figures of a service are kept: those of the last 20 minutes or so, more than any attempt should take.
const MOST_SAMPLES: usize = 1200;

/// What the services of an environment have used so far.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    services: BTreeMap<String, Service>,
    /// The most memory of all services at one time.
    memory_peak: u64,
}

#[derive(Debug, Default)]
struct Service {
    used: ServiceUse,
    memory: u64,
    samples: VecDeque<(Timestamp, Figures)>,
}

/// What a service used from one moment to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UseDuring {
    /// Processor time.
    pub cpu: Duration,
    /// The most memory at one moment, in bytes.
    pub memory_peak: u64,
    /// Memory at the end, in bytes.
    pub memory: u64,
    /// The most processes and threads at one moment.
    pub processes_peak: u64,
    /// Bytes read from disks.
    pub read: u64,
    /// Bytes written to disks.
    pub written: u64,
    /// How many figures the engine told in that time. They come once a second, so that a short attempt has only those
    /// from right before and after it.
    pub figures: usize,
}

impl Usage {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A service is held to these limits: bytes of memory, and thousandths of a processor.
    pub(super) fn limit(&self, service: &str, memory: Option<u64>, cpus_milli: Option<u32>) {
        let mut told = self.told();
        let used = &mut told.services.entry(service.to_owned()).or_default().used;
        used.memory_limit = memory;
        used.cpus_milli_limit = cpus_milli;
    }

    /// Takes in what a service uses now.
    pub(super) fn take(&self, service: &str, figures: Figures, now: Timestamp) {
        let mut told = self.told();
        let of = told.services.entry(service.to_owned()).or_default();
        of.used.cpu = of.used.cpu.max(figures.cpu);
        of.used.memory_peak = of.used.memory_peak.max(figures.memory);
        of.memory = figures.memory;
        if of.samples.len() == MOST_SAMPLES {
            of.samples.pop_front();
        }
        of.samples.push_back((now, figures));
        let together = told.services.values().map(|service| service.memory).sum();
        told.memory_peak = told.memory_peak.max(together);
    }

    /// All processor time so far.
    pub(super) fn cpu(&self) -> Duration {
        self.told().services.values().map(|service| service.used.cpu).sum()
    }

    /// Everything that was used so far.
    pub(super) fn total(&self) -> ResourceUse {
        let told = self.told();
        let services = told.services.iter().map(|(name, service)| (name.clone(), service.used)).collect();
        ResourceUse {
            cpu: told.services.values().map(|service| service.used.cpu).sum(),
            memory_peak: told.memory_peak,
            services,
        }
    }

    /// What each service used between two moments, the figures right before and after included.
    pub(super) fn during(&self, from: Timestamp, to: Timestamp) -> BTreeMap<String, UseDuring> {
        let told = self.told();
        told.services.iter().filter_map(|(name, of)| Some((name.clone(), during(&of.samples, from, to)?))).collect()
    }
}

fn during(samples: &VecDeque<(Timestamp, Figures)>, from: Timestamp, to: Timestamp) -> Option<UseDuring> {
    let first = samples.partition_point(|(at, _)| *at < from).saturating_sub(1);
    let end = (samples.partition_point(|(at, _)| *at <= to) + 1).min(samples.len());
    let within: Vec<&Figures> = samples.range(first..end.max(first)).map(|(_, figures)| figures).collect();
    let (before, after) = (within.first()?, within.last()?);
    Some(UseDuring {
        cpu: after.cpu.saturating_sub(before.cpu),
        memory_peak: within.iter().map(|figures| figures.memory).max()?,
        memory: after.memory,
        processes_peak: within.iter().map(|figures| figures.processes).max()?,
        read: after.read.saturating_sub(before.read),
        written: after.written.saturating_sub(before.written),
        figures: within.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    fn figures(cpu: u64, memory: u64) -> Figures {
        Figures { cpu: Duration::from_secs(cpu), memory, ..Figures::default() }
    }

    #[test]
    fn the_peak_of_all_is_that_of_one_moment() {
        let usage = Usage::default();
        usage.take("db", figures(1, 100), at(0));
        usage.take("web", figures(1, 10), at(0));
        usage.take("db", figures(2, 20), at(1));
        usage.take("web", figures(3, 80), at(1));
        let total = usage.total();
        assert_eq!((total.cpu, total.memory_peak), (Duration::from_secs(5), 110));
        assert_eq!((total.services["db"].memory_peak, total.services["web"].memory_peak), (100, 80));
    }

    #[test]
    fn a_stretch_takes_in_the_figures_right_before_and_after_it() {
        let usage = Usage::default();
        for second in 0..10 {
            usage.take(
                "web",
                figures(2 * u64::try_from(second).unwrap(), 50 - u64::try_from(second).unwrap()),
                at(second),
            );
        }
        let used = usage.during(at(3), at(5))["web"];
        assert_eq!((used.cpu, used.memory_peak, used.memory, used.figures), (Duration::from_secs(8), 48, 44, 5));
        let late = usage.during(at(100), at(101))["web"];
        assert_eq!((late.cpu, late.figures), (Duration::ZERO, 1));
        assert!(Usage::default().during(at(0), at(1)).is_empty());
    }
}
