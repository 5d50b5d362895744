//! How many lanes.

use std::num::NonZeroU16;
use std::time::Duration;

use super::RunError;
use crate::engine::EngineInfo;
use crate::manifest::compose::Project;
use crate::manifest::{Lanes, Manifest};
use crate::report::text::{count, size};
use crate::store::Footprint;

/// What an environment is taken to need where nothing is known of it.
const MEMORY_EACH: u64 = 1 << 30;
/// `auto` leaves this much of the engine's memory alone.
const MEMORY_LEFT: u64 = 1 << 30;
/// `auto` chooses no more.
const MOST: u64 = 64;
/// Nor more for each processor, however little the environments seem to use.
const MOST_EACH: u64 = 4;
/// Environments that lived shorter than this mostly booted, which says little of what they use while tests run.
const LONG_LIFE: Duration = Duration::from_secs(10);

/// What is known before a run of where it will run and what its environments take.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// The engine.
    pub engine: &'a EngineInfo,
    /// Memory of the engine's host that is free now, in bytes, where that can be told.
    pub free: Option<u64>,
    /// What environments of the suite took in its last runs.
    pub footprints: &'a [Footprint],
    /// What the services may take.
    pub compose: &'a Project,
}

/// How many lanes, and why where that was left to us.
pub fn choose(asked: Option<NonZeroU16>, manifest: Lanes, room: Room<'_>) -> (u16, Option<String>) {
    match (asked, manifest) {
        (Some(count), _) | (None, Lanes::Count(count)) => (count.get(), None),
        (None, Lanes::Auto) => {
            let (lanes, why) = auto(room);
            (lanes, Some(format!("lanes = \"auto\": {lanes}, as {why}")))
        }
    }
}

/// What one environment takes, and how that is known.
struct Each {
    memory: u64,
    /// Processors that it keeps busy; `None` where that is not known.
    processors: Option<f64>,
    words: String,
}

fn auto(Room { engine, free, footprints, compose }: Room<'_>) -> (u16, String) {
    let each = measured(footprints).unwrap_or_else(|| assumed(compose));
    let memory = free.map_or(engine.memory, |free| free.min(engine.memory));
    let by_memory = memory.saturating_sub(MEMORY_LEFT) / each.memory.max(1);
    let cpus = u64::from(engine.cpus);
    let by_cpus = match each.processors {
        // Rounded down: where the processors are busy already, another environment only makes all of them slower.
        Some(each) if each > 0.0 => ((f64::from(engine.cpus) / each) as u64).clamp(1, MOST_EACH * cpus),
        Some(_) | None => cpus,
    };
    let lanes = by_cpus.min(by_memory).clamp(1, MOST);
    let words = format!(
        "{}; the engine has {} and {} of memory{}",
        each.words,
        count(engine.cpus as usize, "processor"),
        size(engine.memory),
        free.map(|free| format!(", {} of it free", size(free))).unwrap_or_default(),
    );
    (u16::try_from(lanes).unwrap_or(1), words)
}

fn measured(footprints: &[Footprint]) -> Option<Each> {
    let memory = footprints.iter().map(|footprint| footprint.memory_peak).max()?;
    let busy = |long: bool| {
        let of = footprints.iter().filter(move |footprint| !long || footprint.lived >= LONG_LIFE);
        let shares = of.map(|footprint| footprint.cpu.as_secs_f64() / footprint.lived.as_secs_f64().max(0.001));
        shares.fold(None, |most: Option<f64>, share| Some(most.map_or(share, |most| most.max(share))))
    };
    let processors = busy(true).or_else(|| busy(false)).filter(|share| *share > 0.0);
    let and = processors.map(|share| format!(" and {share:.1} processors")).unwrap_or_default();
    let words = format!("one environment took up to {}{and} in the last runs", size(memory));
    Some(Each { memory, processors, words })
}

/// Before anything was measured: what the services are limited to, where all are.
fn assumed(compose: &Project) -> Each {
    let limits: Vec<Option<u64>> = compose.services.values().map(|service| service.memory).collect();
    let limited: u64 = limits.iter().flatten().sum();
    if !limits.is_empty() && limits.iter().all(Option::is_some) {
        let words = format!("the services of one environment may take {} together", size(limited));
        return Each { memory: limited, processors: None, words };
    }
    let memory = limited.max(MEMORY_EACH);
    let words = format!("one environment is taken to need {}, until it was measured in a run", size(memory));
    Each { memory, processors: None, words }
}

/// Memory that is free now, where the engine's host is this one: both then have the same amount.
pub fn free_memory(engine: &EngineInfo) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    (meminfo(&text, "MemTotal:")? == engine.memory).then(|| meminfo(&text, "MemAvailable:")).flatten()
}

/// A line of `/proc/meminfo`, in bytes.
fn meminfo(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// A fixed port of the host can be had by one copy only.
pub(super) fn check_ports(manifest: &Manifest, lanes: u16) -> Result<(), RunError> {
    if lanes == 1 {
        return Ok(());
    }
    for name in &manifest.environment.publish {
        let ports = manifest.compose.services.get(name).map(|service| service.ports.as_slice()).unwrap_or_default();
        if let Some(port) = ports.iter().find_map(|port| port.host_port) {
            return Err(RunError::Usage(format!(
                "service {name} publishes port {port} of the host, which only one of {lanes} environments can have\n    \
                 use --lanes 1, or leave the host's port to the engine"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use indexmap::IndexMap;

    use super::*;
    use crate::manifest::compose::Service;

    fn engine(cpus: u32, gib: u64) -> EngineInfo {
        EngineInfo { version: "20.10".into(), api: "1.41".into(), cpus, memory: gib << 30 }
    }

    fn services(limits: &[Option<u64>]) -> Project {
        let service = |memory: &Option<u64>| Service { memory: memory.map(|mib| mib << 20), ..Service::default() };
        let services: IndexMap<String, Service> =
            limits.iter().enumerate().map(|(n, memory)| (format!("service {n}"), service(memory))).collect();
        Project {
            file: PathBuf::from("compose.yaml"),
            services,
            volumes_in_memory: IndexMap::new(),
            secrets: Vec::new(),
        }
    }

    fn footprint(mib: u64, cpu: u64, lived: u64) -> Footprint {
        Footprint { memory_peak: mib << 20, cpu: Duration::from_secs(cpu), lived: Duration::from_secs(lived) }
    }

    fn of(engine: &EngineInfo, free: Option<u64>, footprints: &[Footprint], limits: &[Option<u64>]) -> (u16, String) {
        let room = Room { engine, free, footprints, compose: &services(limits) };
        let (lanes, why) = choose(None, Lanes::Auto, room);
        (lanes, why.unwrap())
    }

    #[test]
    fn a_first_run_goes_by_processors_and_what_one_is_taken_to_need() {
        assert_eq!(of(&engine(2, 24), None, &[], &[None]).0, 2);
        assert_eq!(of(&engine(16, 8), None, &[], &[None]).0, 7);
        assert_eq!(of(&engine(4, 1), None, &[], &[None]).0, 1);
    }

    #[test]
    fn a_first_run_goes_by_the_limits_where_every_service_has_one() {
        let (lanes, why) = of(&engine(8, 8), None, &[], &[Some(1500), Some(548)]);
        assert_eq!(lanes, 3);
        assert_eq!(
            why,
            "lanes = \"auto\": 3, as the services of one environment may take 2.0 GiB together; the engine has 8 \
             processors and 8.0 GiB of memory"
        );
        assert_eq!(of(&engine(8, 8), None, &[], &[Some(3 << 10), None]).0, 2);
    }

    #[test]
    fn later_runs_go_by_what_was_measured() {
        let measured = [footprint(410, 24, 30), footprint(380, 3, 2), footprint(300, 5, 30)];
        let (lanes, why) = of(&engine(4, 24), Some(21 << 30), &measured, &[None]);
        assert_eq!(
            why,
            "lanes = \"auto\": 5, as one environment took up to 410 MiB and 0.8 processors in the last runs; the engine \
             has 4 processors and 24 GiB of memory, 21 GiB of it free"
        );
        assert_eq!(lanes, 5);
    }

    #[test]
    fn what_is_free_bounds_and_what_waits_much_does_not_grow_without_bound() {
        let waits = [footprint(400, 1, 100)];
        assert_eq!(of(&engine(2, 24), None, &waits, &[None]).0, 8);
        assert_eq!(of(&engine(2, 24), Some(2 << 30), &waits, &[None]).0, 2);
        assert_eq!(of(&engine(2, 24), Some(0), &waits, &[None]).0, 1);
    }

    #[test]
    fn as_many_as_the_processors_carry_stay_as_many_once_they_are_busy() {
        for lanes in 1..=4_u32 {
            let share = (2.0 / f64::from(lanes)).min(0.8);
            let lived = Duration::from_secs(1000);
            let footprint = Footprint { memory_peak: 1 << 20, cpu: lived.mul_f64(share), lived };
            let next = of(&engine(2, 24), None, &[footprint], &[None]).0;
            assert!(u32::from(next) <= lanes.max(2), "{next} after {lanes}");
        }
    }

    #[test]
    fn the_command_line_outranks_the_manifest() {
        let (three, five) = (NonZeroU16::new(3).unwrap(), NonZeroU16::new(5).unwrap());
        let (engine, compose) = (engine(2, 24), services(&[]));
        let room = Room { engine: &engine, free: None, footprints: &[], compose: &compose };
        assert_eq!(choose(Some(three), Lanes::Count(five), room), (3, None));
        assert_eq!(choose(None, Lanes::Count(five), room), (5, None));
    }

    #[test]
    fn free_memory_is_read_as_the_kernel_writes_it() {
        let text = "MemTotal:       24639488 kB\nMemFree:          123456 kB\nMemAvailable:   22020096 kB\n";
        assert_eq!(meminfo(text, "MemAvailable:"), Some(21 << 30));
        assert_eq!(meminfo(text, "SwapTotal:"), None);
    }
}
