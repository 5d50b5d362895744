//! How many lanes.

use std::num::NonZeroU16;

use super::RunError;
use crate::engine::EngineInfo;
use crate::manifest::{Lanes, Manifest};

/// What an environment is taken to need where nothing is known of it.
const MEMORY_EACH: u64 = 1 << 30;
/// `auto` leaves this much of the engine's memory alone.
const MEMORY_LEFT: u64 = 1 << 30;
/// `auto` chooses no more.
const MOST: u64 = 64;

/// How many lanes, and why where that was left to us.
pub(super) fn choose(asked: Option<NonZeroU16>, manifest: Lanes, engine: &EngineInfo) -> (u16, Option<String>) {
    match (asked, manifest) {
        (Some(count), _) | (None, Lanes::Count(count)) => (count.get(), None),
        (None, Lanes::Auto) => {
            let by_memory = engine.memory.saturating_sub(MEMORY_LEFT) / MEMORY_EACH;
            let lanes = u64::from(engine.cpus).min(by_memory).clamp(1, MOST);
            let lanes = u16::try_from(lanes).unwrap_or(1);
            let why = format!(
                "lanes = \"auto\": {lanes}, as the engine has {} processors and {:.0} GiB of memory",
                engine.cpus,
                engine.memory as f64 / f64::from(1 << 30),
            );
            (lanes, Some(why))
        }
    }
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
    use super::*;

    fn engine(cpus: u32, gib: u64) -> EngineInfo {
        EngineInfo { version: "20.10".into(), api: "1.41".into(), cpus, memory: gib << 30 }
    }

    #[test]
    fn auto_is_bounded_by_processors_and_memory_and_is_at_least_one() {
        assert_eq!(choose(None, Lanes::Auto, &engine(2, 24)).0, 2);
        assert_eq!(choose(None, Lanes::Auto, &engine(16, 8)).0, 7);
        assert_eq!(choose(None, Lanes::Auto, &engine(4, 1)).0, 1);
    }

    #[test]
    fn the_command_line_outranks_the_manifest() {
        let (three, five) = (NonZeroU16::new(3).unwrap(), NonZeroU16::new(5).unwrap());
        assert_eq!(choose(Some(three), Lanes::Count(five), &engine(2, 24)), (3, None));
        assert_eq!(choose(None, Lanes::Count(five), &engine(2, 24)), (5, None));
    }
}
