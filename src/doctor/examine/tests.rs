//! One picture of a host on which all is well, one on which nothing is, and one without an engine.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::super::facts::{EngineFacts, Facts, ManifestFacts, Space};
use super::super::page::page;
use super::{Level, examine};
use crate::engine::{EngineHost, EngineInfo, Labelled, Labels, StoredImage, ThingKind, UsedSubnet};
use crate::environment::images::NeededImage;
use crate::environment::lease::Standing;
use crate::environment::{Route, label};
use crate::id::RunId;
use crate::manifest::{Subnet, SubnetPool};
use crate::report::terminal::Paint;

const GIB: u64 = 1 << 30;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn image(suite: &str, size: u64) -> StoredImage {
    StoredImage { references: Vec::new(), labels: labels(&[(label::SUITE, suite)]), size, created: now() }
}

fn needed(service: &str, built: bool, there: bool) -> NeededImage {
    NeededImage { service: service.to_owned(), reference: format!("{service}:1"), built, there }
}

fn thing(kind: ThingKind, run: &str) -> Labelled {
    Labelled { kind, id: run.into(), name: run.into(), labels: labels(&[(label::RUN, run)]) }
}

fn well() -> Facts {
    let engine = EngineFacts {
        info: EngineInfo { version: "20.10.24".into(), api: "1.41".into(), cpus: 2, memory: 24 * GIB },
        host: EngineHost {
            product: "Docker".into(),
            name: "ci-3".into(),
            system: "Debian GNU/Linux 12 (bookworm)".into(),
            kernel: "6.1.0".into(),
            cgroups: "2".into(),
            rootless: false,
            storage: "overlay2".into(),
            root: "/var/lib/docker".into(),
            clock: now(),
        },
        answered_in: Duration::from_millis(14),
        our_clock: now(),
        is_here: true,
        memory_available: Some(21 * GIB),
        space: Some(Ok(Space { free: 100 * GIB, size: 250 * GIB })),
        routes: vec![Route { interface: "eth0".into(), subnet: Subnet::parse("192.168.0.0/24").unwrap() }],
        subnets: vec![UsedSubnet { network: "bridge".into(), subnet: "172.17.0.0/16".into() }],
        things: Vec::new(),
        standings: BTreeMap::new(),
        images: vec![image("shop", GIB), image("shop", GIB / 2), image("blog", GIB / 4)],
        lanes: Some((2, Some("lanes = \"auto\": 2, as the engine has 2 processors and 24 GiB of memory".into()))),
    };
    Facts {
        address: "unix:///var/run/docker.sock".into(),
        engine: Ok(engine),
        reports: "reports".into(),
        reports_space: Ok(Space { free: 100 * GIB, size: 250 * GIB }),
        history: Some(Ok(12)),
        pool: Ok(SubnetPool::default()),
        manifest: Some(Ok(ManifestFacts {
            suite: "shop".into(),
            services: 3,
            warnings: 0,
            images: Some(Ok(vec![needed("db", false, true), needed("web", true, true)])),
        })),
    }
}

fn ill() -> Facts {
    let mut facts = well();
    let engine = facts.engine.as_mut().unwrap();
    engine.info = EngineInfo { version: "19.03".into(), api: "1.40".into(), cpus: 1, memory: GIB };
    engine.host.rootless = true;
    engine.host.cgroups = "1".into();
    engine.host.clock = now() + Duration::from_secs(95);
    engine.memory_available = Some(GIB / 5);
    engine.space = Some(Ok(Space { free: GIB / 10, size: 20 * GIB }));
    engine.subnets.push(UsedSubnet { network: "huge".into(), subnet: "10.0.0.0/8".into() });
    engine.things = vec![
        thing(ThingKind::Container, "20261124-100000-00000d"),
        thing(ThingKind::Container, "20261124-100000-00000d"),
        thing(ThingKind::Network, "20261124-100000-00000d"),
        thing(ThingKind::Volume, "20261124-115900-00000a"),
    ];
    engine.standings = [("20261124-100000-00000d", Standing::Ended), ("20261124-115900-00000a", Standing::Lives)]
        .map(|(run, standing)| (RunId::from_stored(run), standing))
        .into();
    engine.images.clear();
    facts.history = Some(Err("reports/history.db is not a history of shakedown\n    name another".into()));
    facts.reports_space = Err("/srv can't be written to: Permission denied".into());
    facts.manifest =
        Some(Err("shop/shakedown.toml:7: unknown key \"lane\" in [environment]\n    did you mean \"lanes\"?".into()));
    facts
}

/// An engine on another host, with this and that to be known of it.
fn far() -> Facts {
    let mut facts = well();
    facts.address = "tcp://build-7:2375".into();
    let engine = facts.engine.as_mut().unwrap();
    engine.host.product = "Podman".into();
    engine.answered_in = Duration::from_millis(2600);
    engine.host.clock = now() - Duration::from_secs(7);
    engine.is_here = false;
    engine.memory_available = None;
    engine.space = None;
    engine.routes.clear();
    engine.things = vec![thing(ThingKind::Volume, "x")];
    engine.standings = [(RunId::from_stored("x"), Standing::Unknown)].into();
    engine.lanes = Some((4, None));
    let images = vec![needed("db", false, false), needed("web", true, false), needed("mail", false, true)];
    facts.manifest =
        Some(Ok(ManifestFacts { suite: "shop".into(), services: 3, warnings: 2, images: Some(Ok(images)) }));
    facts
}

fn without_engine() -> Facts {
    let error = "no Docker engine answers at unix:///var/run/docker.sock: No such file\n    start one (`systemctl start \
                 docker`), or point DOCKER_HOST at one";
    Facts {
        engine: Err(error.into()),
        pool: Err("SHAKEDOWN_SUBNETS: no network is named\n    name one".into()),
        manifest: None,
        ..well()
    }
}

#[test]
fn what_is_said_of_each_kind_of_host() {
    let said = |facts: Facts| page(&examine(&facts), Paint::PLAIN);
    insta::assert_snapshot!(format!(
        "--- well\n{}\n--- ill\n{}\n--- far\n{}\n--- without an engine\n{}",
        said(well()),
        said(ill()),
        said(far()),
        said(without_engine())
    ));
}

#[test]
fn only_what_keeps_a_run_from_working_is_a_problem() {
    let worst = |facts: Facts| examine(&facts).into_iter().map(|finding| finding.level).max();
    assert_eq!(worst(well()), Some(Level::Fine));
    assert_eq!(worst(far()), Some(Level::Note));
    assert_eq!(worst(ill()), Some(Level::Problem));
    assert_eq!(worst(without_engine()), Some(Level::Problem));
}

#[test]
fn fewer_free_subnets_than_lanes_are_a_problem() {
    let mut facts = well();
    facts.pool = Ok(SubnetPool::new(vec![Subnet::parse("10.1.0.0/25").unwrap()], None).unwrap());
    let level = |facts: &Facts| {
        let found = examine(facts).into_iter().find(|finding| finding.topic == "subnets");
        found.map(|finding| finding.level)
    };
    assert_eq!(level(&facts), Some(Level::Fine));
    facts.engine.as_mut().unwrap().subnets.push(UsedSubnet { network: "x".into(), subnet: "10.1.0.64/28".into() });
    assert_eq!(level(&facts), Some(Level::Problem));
}
