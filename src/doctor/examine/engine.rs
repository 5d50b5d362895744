//! The engine and its host.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::facts::{EngineFacts, Space};
use super::Finding;
use crate::engine::{StoredImage, ThingKind};
use crate::environment::lease::{self, Standing};
use crate::environment::{count_free, label};
use crate::manifest::{Subnet, SubnetPool};
use crate::report::text::{count, duration, size};

/// The oldest API that has all that is needed.
const OLDEST_API: (u32, u32) = (1, 41);
/// Less memory than this carries no browser besides the system.
const LITTLE_MEMORY: u64 = 2 << 30;
/// Less memory than this for the taking carries no environment.
const LITTLE_AVAILABLE: u64 = 1 << 30;
/// With less free disk, images can't be built; and with less than the second, not for long.
const NO_DISK: u64 = 512 << 20;
const LITTLE_DISK: u64 = 5 << 30;
/// A difference of clocks that is of no interest.
const SAME_CLOCK: Duration = Duration::from_secs(5);
/// An engine that takes longer than this over a simple question is very busy, or far away.
const SLOW: Duration = Duration::from_secs(2);

pub(super) fn examine(address: &str, facts: &EngineFacts, pool: &Result<SubnetPool, String>) -> Vec<Finding> {
    let mut findings = vec![reach(address, facts), host(facts), processors(facts), memory(facts), disk(facts)];
    findings.push(clock(facts));
    if let Ok(pool) = pool {
        findings.push(subnets(facts, pool));
    }
    findings.extend(facts.lanes.as_ref().map(lanes));
    findings.push(leftovers(facts));
    findings.push(images(&facts.images));
    findings
}

fn reach(address: &str, EngineFacts { info, host, answered_in, .. }: &EngineFacts) -> Finding {
    let told = format!(
        "{} {}, API {}, at {address}, answers in {}",
        host.product,
        info.version,
        info.api,
        duration(*answered_in)
    );
    let mut parts = info.api.split('.').map_while(|part| part.parse::<u32>().ok());
    let (oldest, newer) = (OLDEST_API, "update the engine to Docker 20.10 or later");
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < oldest {
        return Finding::problem("engine", format!("{told}; API {}.{} is needed", oldest.0, oldest.1), newer);
    }
    if host.product != "Docker" {
        return Finding::note("engine", told, "the README says what works on engines other than Docker's");
    }
    if *answered_in > SLOW {
        return Finding::note("engine", told, "it is very busy, or far away: boots and retries take longer");
    }
    Finding::fine("engine", told)
}

fn host(EngineFacts { host, is_here, .. }: &EngineFacts) -> Finding {
    let place = if *is_here { "this host".to_owned() } else { format!("host {}", host.name) };
    let cgroups = if host.cgroups.is_empty() { String::new() } else { format!(", cgroup v{}", host.cgroups) };
    let rootless = if host.rootless { ", rootless" } else { "" };
    let told = format!("{place}: {}, Linux {}, {}{cgroups}{rootless}", host.system, host.kernel, host.storage);
    if host.rootless && host.cgroups == "1" {
        let todo = "a rootless engine heeds `mem_limit` and `cpus` only with cgroup v2";
        return Finding::note("host", told, todo);
    }
    if !is_here {
        let todo = "containers' addresses are not reached from here, and bind mounts are of that host's files";
        return Finding::note("host", told, todo);
    }
    Finding::fine("host", told)
}

fn processors(EngineFacts { info, .. }: &EngineFacts) -> Finding {
    Finding::fine("processors", count(info.cpus as usize, "processor"))
}

fn memory(EngineFacts { info, memory_available, .. }: &EngineFacts) -> Finding {
    let free = memory_available.map(|free| format!(", {} available", size(free))).unwrap_or_default();
    let told = format!("{}{free}", size(info.memory));
    if memory_available.is_some_and(|free| free < LITTLE_AVAILABLE) {
        let todo = "an environment with a browser takes about 0.5 GiB: stop what else runs, or use --lanes 1";
        return Finding::note("memory", told, todo);
    }
    if info.memory < LITTLE_MEMORY {
        return Finding::note("memory", told, "an environment with a browser takes about 0.5 GiB: use --lanes 1");
    }
    Finding::fine("memory", told)
}

/// How a file system with so much space stands.
pub(super) fn space(topic: &'static str, Space { free, size: all }: Space, place: &str, todo: &str) -> Finding {
    let told = format!("{} of {} free at {place}", size(free), size(all));
    if free < NO_DISK {
        Finding::problem(topic, told, todo)
    } else if free < LITTLE_DISK {
        Finding::note(topic, told, todo)
    } else {
        Finding::fine(topic, told)
    }
}

fn disk(EngineFacts { host, space: found, .. }: &EngineFacts) -> Finding {
    let todo = "make room: `shakedown clean --images`, `docker system prune`, or a larger disk";
    match found {
        Some(Ok(found)) => space("disk", *found, &host.root, todo),
        Some(Err(why)) => Finding::note("disk", format!("not known: {why}"), "look at it as root"),
        None => Finding::note(
            "disk",
            format!("not known: {} is on another host", host.root),
            format!("look at it there: `df -h {}`", host.root),
        ),
    }
}

fn clock(EngineFacts { host, our_clock, .. }: &EngineFacts) -> Finding {
    let ahead = host.clock > *our_clock;
    let off = host.clock.duration_since(*our_clock).unsigned_abs();
    if off < SAME_CLOCK {
        return Finding::fine("clock", format!("the engine's and this host's agree within {} s", SAME_CLOCK.as_secs()));
    }
    let told = format!("the engine's is {} {} this host's", duration(off), if ahead { "ahead of" } else { "behind" });
    Finding::note("clock", told, "logs carry the engine's times, reports this host's: keep both by NTP")
}

fn subnets(facts: &EngineFacts, pool: &SubnetPool) -> Finding {
    let used: Vec<Subnet> = facts.subnets.iter().filter_map(|used| Subnet::parse(&used.subnet).ok()).collect();
    let free = count_free(pool, &used);
    let told = format!("{free} free in {pool}");
    let larger = "name another pool by `subnets` in [environment] or by SHAKEDOWN_SUBNETS";
    if free == 0 {
        return Finding::problem("subnets", told, format!("remove networks that nobody needs, or {larger}"));
    }
    let lanes = facts.lanes.as_ref().map_or(1, |(lanes, _)| *lanes);
    if free < u32::from(lanes) {
        let lanes = count(usize::from(lanes), "lane");
        return Finding::problem("subnets", format!("{told}, which is less than {lanes} need"), larger);
    }
    let first = pool.count();
    let overlapping = facts.routes.iter().find(|route| (0..first).any(|index| pool.nth(index).overlaps(route.subnet)));
    match overlapping {
        Some(route) => Finding::note(
            "subnets",
            format!("{told}; this host reaches {} by {}, which overlaps", route.subnet, route.interface),
            larger,
        ),
        None if facts.is_here => Finding::fine("subnets", format!("{told}, none of them routed by this host")),
        None => Finding::fine("subnets", told),
    }
}

fn lanes((lanes, why): &(u16, Option<String>)) -> Finding {
    let told = why.clone().unwrap_or_else(|| format!("{lanes}, as the manifest says"));
    Finding::fine("lanes", told)
}

fn leftovers(facts: &EngineFacts) -> Finding {
    let of = |dead: bool| {
        let runs = facts.standings.iter().filter(move |(_, standing)| standing.is_dead() == dead);
        let runs: Vec<_> = runs.map(|(run, _)| run).collect();
        let things = facts.things.iter().filter(|thing| lease::run_of(thing).is_some_and(|run| runs.contains(&&run)));
        let counts = ThingKind::ALL.map(|kind| (things.clone().filter(|thing| thing.kind == kind).count(), kind));
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        let counts: Vec<String> = counts.map(|(number, kind)| count(*number, kind.word())).collect();
        (runs.len(), counts.join(", "))
    };
    let unknown = facts.standings.values().filter(|standing| **standing == Standing::Unknown).count();
    let (living, theirs) = of(false);
    let others = if living == 0 {
        "no run is under way".to_owned()
    } else {
        format!("{} under way ({theirs})", count(living, "run"))
    };
    let (dead, left) = of(true);
    if dead > 0 {
        let todo = "`shakedown clean` removes it, as does the next run";
        return Finding::note("leftovers", format!("{left} of {}; {others}", count(dead, "dead run")), todo);
    }
    if unknown > 0 {
        let todo = "`shakedown clean` lists them; `--run ID` removes one";
        return Finding::note("leftovers", format!("{others}; of {unknown} nothing tells whether they live"), todo);
    }
    Finding::fine("leftovers", format!("none; {others}"))
}

fn images(images: &[StoredImage]) -> Finding {
    if images.is_empty() {
        return Finding::fine("images", "no image was built for a suite yet");
    }
    let mut suites: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for image in images {
        let suite = image.labels.get(label::SUITE).map_or("unknown", String::as_str);
        let (number, bytes) = suites.entry(suite).or_default();
        *number += 1;
        *bytes += image.size;
    }
    let each = suites.iter().map(|(suite, (number, bytes))| format!("{suite} {number} ({})", size(*bytes)));
    let each: Vec<String> = each.collect();
    let all = images.iter().map(|image| image.size).sum();
    // Layers that images share are counted with each of them.
    let told = format!("{}, at most {}: {}", count(images.len(), "image"), size(all), each.join(", "));
    Finding::fine("images", told)
}
