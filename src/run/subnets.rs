//! Which subnets the environments get.

use super::RunError;
use crate::engine::EngineHost;
use crate::environment::{Route, Subnets};
use crate::manifest::{Subnet, SubnetPool};

/// Names other blocks than the manifest does.
pub const VARIABLE: &str = "SHAKEDOWN_SUBNETS";

/// The manifest's pool, with the blocks of [`VARIABLE`] where that is set.
pub fn pool(manifest: &SubnetPool, variable: Option<&str>) -> Result<SubnetPool, RunError> {
    let Some(blocks) = variable else { return Ok(manifest.clone()) };
    manifest.with_blocks(blocks).map_err(|why| {
        RunError::Usage(format!(
            "{VARIABLE}: {why}\n    name private IPv4 networks with their size, such as 10.213.0.0/16"
        ))
    })
}

/// Whether the engine's host is this one, so that its routes can be looked up here.
pub fn is_here(host: &EngineHost) -> bool {
    std::fs::read_to_string("/proc/sys/kernel/hostname").is_ok_and(|name| name.trim() == host.name)
}

/// The subnets for a run of so many lanes, and a note where the host's own routes cover the whole pool.
pub(super) fn choose(
    pool: SubnetPool,
    routes: &[Route],
    lanes: u16,
    start: u32,
) -> Result<(Subnets, Option<String>), RunError> {
    if u32::from(lanes) > pool.count() {
        return Err(RunError::Usage(format!(
            "{lanes} lanes need as many subnets, and there are fewer in {pool}\n    name a larger pool by `subnets` in \
             [environment] or by {VARIABLE}, or smaller subnets by `subnet_size`"
        )));
    }
    let avoid: Vec<Subnet> = routes.iter().map(|route| route.subnet).collect();
    let subnets = Subnets::new(pool.clone(), avoid, start);
    let covering = routes.iter().find(|route| (0..pool.count()).any(|index| pool.nth(index).overlaps(route.subnet)));
    let note = covering.filter(|_| subnets.count() == pool.count()).map(|route| {
        format!(
            "all of {pool} lies within what this host reaches by {} ({}); what has these addresses there can't be reached \
             from the environments while they are up: name another pool by `subnets` in [environment] or by {VARIABLE}",
            route.interface, route.subnet
        )
    });
    Ok((subnets, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    fn small() -> SubnetPool {
        SubnetPool::new(vec![subnet("10.1.0.0/24")], None).unwrap()
    }

    fn route(text: &str) -> Route {
        Route { interface: "tun0".into(), subnet: subnet(text) }
    }

    #[test]
    fn the_variable_outranks_the_manifest_and_is_checked() {
        assert_eq!(pool(&small(), None).unwrap(), small());
        let other = pool(&small(), Some("172.20.0.0/16")).unwrap();
        assert_eq!(other.to_string(), "172.20.0.0/16 (1024 subnets of /26)");
        let error = pool(&small(), Some("10.1.0.0")).unwrap_err().to_string();
        assert!(error.starts_with("SHAKEDOWN_SUBNETS: \"10.1.0.0\" is not an IPv4 network"), "{error}");
    }

    #[test]
    fn more_lanes_than_subnets_are_refused_at_once() {
        assert!(choose(small(), &[], 4, 0).is_ok());
        let error = choose(small(), &[], 5, 0).unwrap_err().to_string();
        assert!(
            error.starts_with("5 lanes need as many subnets, and there are fewer in 10.1.0.0/24 (4 subnets"),
            "{error}"
        );
    }

    #[test]
    fn a_pool_that_the_host_routes_as_a_whole_is_told() {
        let note = |route: Route| choose(small(), &[route], 1, 0).unwrap().1;
        assert!(note(route("10.0.0.0/8")).is_some_and(|note| note.contains("tun0 (10.0.0.0/8)")));
        assert_eq!(note(route("10.1.0.0/26")), None);
        assert_eq!(note(route("192.168.0.0/24")), None);
    }
}
