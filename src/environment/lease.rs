//! Leases: until when the things of a run are to be left alone, on an engine that several hosts share.
//!
//! Whether a process of this host lives can be looked up. Of one on another host only its lease tells: a small volume
//! whose label says, by the engine's own clock, until when it holds. Labels can't be changed, so a lease is renewed by
//! making another; the one before stays until the next, so that no look at the engine falls between two.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::label;
use crate::engine::{Engine, EngineError, Labelled, Labels, VolumeSpec};
use crate::id::RunId;
use crate::owner::{self, Whereabouts};

/// How long a lease holds.
pub const HOLDS: Duration = Duration::from_secs(300);
/// How often it is renewed.
pub const RENEWED_EVERY: Duration = Duration::from_secs(30);
/// A lease that ran out is honoured for this much longer: a busy engine may be slow to make the next.
const GRACE: Duration = Duration::from_secs(30);
/// How long the engine may take over a renewal that is under way when the lease is given up.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// A run that no lease tells anything of is left alone for so long after its start: somebody may have pruned volumes.
const UNKNOWN_FOR: Duration = Duration::from_secs(24 * 3600);

/// A lease that is being renewed.
#[derive(Debug)]
pub struct Lease {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Lease {
    /// Takes a lease for a run and goes on renewing it. Call it before anything else is made. `failed` hears of a
    /// renewal that failed, once until one succeeds again.
    pub async fn take(
        engine: Arc<dyn Engine>,
        run: &RunId,
        owner: &str,
        failed: impl Fn(&EngineError) + Send + Sync + 'static,
    ) -> Result<Self, EngineError> {
        let mut volumes = Volumes { engine, run: run.clone(), owner: owner.to_owned(), made: 0 };
        volumes.renew().await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move {
                let mut in_order = true;
                while stop.run_until_cancelled(sleep(RENEWED_EVERY)).await.is_some() {
                    let renewed = volumes.renew().await;
                    if let (Err(error), true) = (&renewed, in_order) {
                        failed(error);
                    }
                    in_order = renewed.is_ok();
                }
            }
        });
        Ok(Self { stop, task })
    }

    /// Stops renewing. The volumes go with everything else of the run.
    pub async fn end(mut self) {
        self.stop.cancel();
        if timeout(ENDS_WITHIN, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

struct Volumes {
    engine: Arc<dyn Engine>,
    run: RunId,
    owner: String,
    made: u64,
}

impl Volumes {
    async fn renew(&mut self) -> Result<(), EngineError> {
        let until = self.engine.host().await?.clock + HOLDS;
        let next = self.made + 1;
        let labels: Labels = [
            (label::RUN, self.run.to_string()),
            (label::LEASE, self.owner.clone()),
            (label::LEASE_UNTIL, until.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        self.engine.create_volume(&VolumeSpec::new(self.name(next), labels)).await?;
        self.made = next;
        if next > 2 {
            self.engine.remove_volume(&self.name(next - 2)).await?;
        }
        Ok(())
    }

    fn name(&self, number: u64) -> String {
        format!("shakedown-{}-lease-{number}", self.run)
    }
}

/// Whether a run's things are still somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its process lives, on this host.
    Lives,
    /// Its lease holds, on another host.
    Leased {
        /// Until then.
        until: Timestamp,
    },
    /// Nothing tells.
    Unknown,
    /// Its process has ended, on this host.
    Ended,
    /// Its lease ran out, on another host.
    RanOut {
        /// When.
        at: Timestamp,
    },
    /// Nothing tells, and it was started long ago.
    Forgotten,
}

impl Standing {
    /// Whether its things may be removed.
    pub fn is_dead(self) -> bool {
        match self {
            Self::Lives | Self::Leased { .. } | Self::Unknown => false,
            Self::Ended | Self::RanOut { .. } | Self::Forgotten => true,
        }
    }
}

/// How each run stands of which something is among `things`, at `now` by the engine's clock.
pub fn standings(things: &[Labelled], now: Timestamp) -> BTreeMap<RunId, Standing> {
    standings_by(things, now, &owner::whereabouts)
}

fn standings_by(
    things: &[Labelled],
    now: Timestamp,
    whereabouts: &dyn Fn(&str) -> Whereabouts,
) -> BTreeMap<RunId, Standing> {
    let mut of_run: BTreeMap<RunId, Vec<&Labelled>> = BTreeMap::new();
    for thing in things {
        if let Some(run) = run_of(thing) {
            of_run.entry(run).or_default().push(thing);
        }
    }
    let standing = |run: &RunId, things: &[&Labelled]| {
        let owner = things.iter().find_map(|thing| thing.labels.get(label::LEASE));
        let until = things.iter().filter_map(|thing| lease_until(thing)).max();
        match (owner.map_or(Whereabouts::Elsewhere, |owner| whereabouts(owner)), until) {
            (Whereabouts::Lives, _) => Standing::Lives,
            (Whereabouts::Ended, _) => Standing::Ended,
            (Whereabouts::Elsewhere, Some(until)) if until + GRACE >= now => Standing::Leased { until },
            (Whereabouts::Elsewhere, Some(at)) => Standing::RanOut { at },
            (Whereabouts::Elsewhere, None) if run.started().is_some_and(|at| at + UNKNOWN_FOR < now) => {
                Standing::Forgotten
            }
            (Whereabouts::Elsewhere, None) => Standing::Unknown,
        }
    };
    of_run.into_iter().map(|(run, things)| (run.clone(), standing(&run, &things))).collect()
}

/// The run that made a thing.
pub fn run_of(thing: &Labelled) -> Option<RunId> {
    thing.labels.get(label::RUN).map(RunId::from_stored)
}

/// Whether a thing is a lease.
pub fn is_lease(thing: &Labelled) -> bool {
    thing.labels.contains_key(label::LEASE_UNTIL)
}

fn lease_until(thing: &Labelled) -> Option<Timestamp> {
    thing.labels.get(label::LEASE_UNTIL)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::engine::ThingKind;

    const NOW: &str = "2026-11-24T12:00:00Z";

    fn thing(labels: &[(&str, &str)]) -> Labelled {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Labelled { kind: ThingKind::Volume, id: "x".into(), name: "x".into(), labels }
    }

    fn whereabouts(owner: &str) -> Whereabouts {
        match owner {
            "lives" => Whereabouts::Lives,
            "ended" => Whereabouts::Ended,
            _ => Whereabouts::Elsewhere,
        }
    }

    #[rstest]
    #[case::a_process_of_this_host_outranks_its_lease("lives", &["2026-11-24T11:00:00Z"], Standing::Lives)]
    #[case::so_does_its_end("ended", &["2026-11-24T12:05:00Z"], Standing::Ended)]
    #[case::the_latest_lease_counts(
        "elsewhere",
        &["2026-11-24T11:59:00Z", "2026-11-24T12:04:00Z"],
        Standing::Leased { until: "2026-11-24T12:04:00Z".parse().unwrap() }
    )]
    #[case::a_little_late_is_not_dead(
        "elsewhere", &["2026-11-24T11:59:31Z"],
        Standing::Leased { until: "2026-11-24T11:59:31Z".parse().unwrap() }
    )]
    #[case::a_lease_runs_out(
        "elsewhere", &["2026-11-24T11:59:29Z"],
        Standing::RanOut { at: "2026-11-24T11:59:29Z".parse().unwrap() }
    )]
    #[case::without_a_lease_nothing_is_known("elsewhere", &[], Standing::Unknown)]
    #[case::nor_by_one_that_can_not_be_read("elsewhere", &["soon"], Standing::Unknown)]
    fn a_run_stands_by_its_process_or_its_lease(
        #[case] owner: &str,
        #[case] leases: &[&str],
        #[case] expected: Standing,
    ) {
        let run = "20261124-110000-000001";
        let mut things = vec![thing(&[(label::RUN, run), (label::LEASE, owner)])];
        things.extend(
            leases.iter().map(|until| thing(&[(label::RUN, run), (label::LEASE, owner), (label::LEASE_UNTIL, until)])),
        );
        let found = standings_by(&things, NOW.parse().unwrap(), &whereabouts);
        assert_eq!(found, [(RunId::from_stored(run), expected)].into());
    }

    #[test]
    fn a_run_of_which_nothing_is_known_is_forgotten_after_a_day() {
        let things =
            [thing(&[(label::RUN, "20261123-115900-000001")]), thing(&[(label::RUN, "20261123-120100-000001")])];
        let found: Vec<Standing> = standings_by(&things, NOW.parse().unwrap(), &whereabouts).into_values().collect();
        assert_eq!(found, [Standing::Forgotten, Standing::Unknown]);
    }
}
