//! Subnets of our own, so that Docker's default pools of about thirty networks can't run out.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::engine::{EngineError, Refusal, RefusalKind};
use crate::manifest::{Subnet, SubnetPool};

/// Interfaces of an engine's own networks, which the engine itself keeps apart.
const ENGINES_OWN: [&str; 5] = ["docker", "br-", "veth", "podman", "cni-"];

/// Hands out the subnets of a pool, round and round. Whether one is free only the engine knows: when it refuses one,
/// take the next. Clones take turns.
#[derive(Clone, Debug)]
pub struct Subnets {
    pool: SubnetPool,
    avoid: Vec<Subnet>,
    next: Arc<AtomicU32>,
}

impl Subnets {
    /// The default pool, from `start` on, so that runs side by side rarely ask for the same.
    pub fn starting_at(start: u32) -> Self {
        Self::new(SubnetPool::default(), Vec::new(), start)
    }

    /// A pool without what overlaps with `avoid`, unless that would leave nothing.
    pub fn new(pool: SubnetPool, avoid: Vec<Subnet>, start: u32) -> Self {
        let avoid = if count_free(&pool, &avoid) == 0 { Vec::new() } else { avoid };
        let next = Arc::new(AtomicU32::new(start % pool.count()));
        Self { pool, avoid, next }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        count_free(&self.pool, &self.avoid)
    }

    /// The next one: `10.213.4.64/26`.
    pub fn next(&self) -> String {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed) % self.pool.count();
            let subnet = self.pool.nth(index);
            if !is_any(subnet, &self.avoid) {
                return subnet.to_string();
            }
        }
    }

    /// The error when the engine has refused all of them.
    pub fn none_free(&self, network: &str) -> EngineError {
        let message = format!(
            "all subnets of {} are taken by other networks\n    remove networks that nobody needs (`docker network ls`), \
             or name a larger pool by `subnets` in [environment], or by SHAKEDOWN_SUBNETS",
            self.pool,
        );
        EngineError::CreateNetwork {
            network: network.to_owned(),
            refusal: Refusal { kind: RefusalKind::SubnetTaken, message },
        }
    }
}

fn is_any(subnet: Subnet, of: &[Subnet]) -> bool {
    of.iter().any(|other| subnet.overlaps(*other))
}

/// How many subnets of a pool overlap with none of `taken`.
pub fn count_free(pool: &SubnetPool, taken: &[Subnet]) -> u32 {
    let free = (0..pool.count()).filter(|index| !is_any(pool.nth(*index), taken)).count();
    u32::try_from(free).unwrap_or(u32::MAX)
}

/// A network that a host reaches by a way of its own: an office's, a VPN's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The interface that leads there.
    pub interface: String,
    /// The network.
    pub subnet: Subnet,
}

/// The networks that this host reaches, other than by its default route and those of an engine. None where the system
/// does not tell.
pub fn host_routes() -> Vec<Route> {
    std::fs::read_to_string("/proc/net/route").map(|table| parse_routes(&table)).unwrap_or_default()
}

/// Reads Linux' `/proc/net/route`: interface, destination, gateway, flags, …, mask as the eighth, addresses as
/// hexadecimal numbers in the host's byte order.
fn parse_routes(table: &str) -> Vec<Route> {
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |field: usize| u32::from_str_radix(fields.get(field)?, 16).ok();
        let (interface, destination, mask) = (*fields.first()?, number(1)?, number(7)?);
        let prefix = u8::try_from(mask.count_ones()).ok().filter(|prefix| *prefix > 0)?;
        let subnet = Subnet::new(Ipv4Addr::from(destination.to_ne_bytes()), prefix)?;
        let engines_own = ENGINES_OWN.iter().any(|name| interface.starts_with(name));
        (!engines_own).then(|| Route { interface: interface.to_owned(), subnet })
    };
    table.lines().skip(1).filter_map(route).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn all_subnets_differ_until_they_come_round() {
        let subnets = Subnets::starting_at(1000);
        let first: Vec<String> = (0..subnets.count()).map(|_| subnets.next()).collect();
        assert_eq!(first.len(), 1024);
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len());
        assert_eq!(subnets.next(), first[0]);
        assert_eq!(first[0], "10.213.250.0/26");
    }

    #[test]
    fn what_the_host_routes_itself_is_passed_over() {
        let pool = SubnetPool::new(vec![subnet("10.1.0.0/24")], None).unwrap();
        let subnets = Subnets::new(pool, vec![subnet("10.1.0.64/27"), subnet("192.168.0.0/16")], 0);
        let found: Vec<String> = (0..4).map(|_| subnets.next()).collect();
        assert_eq!(found, ["10.1.0.0/26", "10.1.0.128/26", "10.1.0.192/26", "10.1.0.0/26"]);
    }

    #[test]
    fn a_pool_that_is_routed_as_a_whole_is_used_all_the_same() {
        let pool = SubnetPool::new(vec![subnet("10.1.0.0/24")], None).unwrap();
        let subnets = Subnets::new(pool, vec![subnet("10.0.0.0/8")], 7);
        assert_eq!((subnets.count(), subnets.next().as_str()), (4, "10.1.0.192/26"));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_but_for_the_default_one_and_the_engines() {
        let table = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
garbage
";
        let routes = parse_routes(table);
        let found: Vec<String> = routes.iter().map(|route| format!("{} {}", route.interface, route.subnet)).collect();
        assert_eq!(found, ["tun0 10.213.0.0/16", "eth0 192.168.0.0/24"]);
    }
}
