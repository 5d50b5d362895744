//! What goes and what is left alone. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{Labelled, StoredImage, ThingKind};
use crate::environment::label;
use crate::environment::lease::{self, Standing};
use crate::id::RunId;
use crate::owner;

/// Where our images are kept. An image that somebody built on one of ours has our labels, and is not ours.
const REPOSITORY: &str = "shakedown/";

/// What the user asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Only these runs, dead or alive; all dead ones where it is empty.
    pub(super) runs: BTreeSet<RunId>,
    /// All runs, dead or alive.
    pub(super) all_runs: bool,
    /// Images, too.
    pub(super) images: bool,
}

/// What is on the engine.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Everything that a run made.
    pub(super) things: Vec<Labelled>,
    /// How each run stands.
    pub(super) standings: BTreeMap<RunId, Standing>,
    /// Images of suites.
    pub(super) images: Vec<StoredImage>,
    /// The engine's clock.
    pub(super) now: Timestamp,
}

/// What goes, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Containers, networks and volumes that go.
    pub(super) things: Vec<Row>,
    /// Images that go.
    pub(super) images: Vec<ImageRow>,
    /// Runs that are left alone.
    pub(super) left_alone: Vec<LeftAlone>,
    /// Runs that were asked for and have nothing on the engine.
    pub(super) absent: Vec<RunId>,
}

/// A thing that goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// The run that made it.
    pub(super) run: RunId,
    /// What it is.
    pub(super) kind: ThingKind,
    /// Its name.
    pub(super) name: String,
    /// The time since the run's start, where its id tells.
    pub(super) age: Option<Duration>,
    /// The run's process, for people.
    pub(super) owner: String,
}

/// An image that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageRow {
    /// Its suite.
    pub(super) suite: String,
    /// Its reference.
    pub(super) reference: String,
    /// The time since it was made.
    pub(super) age: Duration,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// A run whose things stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftAlone {
    /// The run.
    pub(super) run: RunId,
    /// Why.
    pub(super) standing: Standing,
    /// Its process, for people.
    pub(super) owner: String,
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// A run that lives may need the images at any moment.
    #[error(
        "images are not removed while run {run} may be using them\n    wait for its end, or add --all-runs to remove that \
         run's things, too"
    )]
    ImagesInUse {
        /// The run.
        run: RunId,
    },
}

/// Decides. What goes is sorted by run and kind, so that what belongs together stands together.
pub(super) fn plan(facts: Facts, wanted: &Wanted) -> Result<Plan, Refused> {
    let Facts { things, standings, images, now } = facts;
    let goes = |run: &RunId| match (wanted.all_runs, wanted.runs.is_empty()) {
        (true, _) => true,
        (false, false) => wanted.runs.contains(run),
        (false, true) => standings.get(run).is_some_and(|standing| standing.is_dead()),
    };
    let mut plan = Plan {
        absent: wanted.runs.iter().filter(|run| !standings.contains_key(*run)).cloned().collect(),
        ..Plan::default()
    };
    let mut owners = BTreeMap::new();
    for thing in things {
        let Some(run) = lease::run_of(&thing) else { continue };
        let owner = thing.labels.get(label::LEASE).map(String::as_str).unwrap_or_default();
        let owner = owner::for_people(owner).unwrap_or_else(|| "unknown".to_owned());
        owners.insert(run.clone(), owner.clone());
        if goes(&run) {
            let age = run.started().map(|start| since(start, now));
            plan.things.push(Row { run, kind: thing.kind, name: thing.name, age, owner });
        }
    }
    plan.things.sort();
    for (run, standing) in standings.iter().filter(|(run, _)| wanted.runs.is_empty() && !goes(run)) {
        let owner = owners.remove(run).unwrap_or_default();
        plan.left_alone.push(LeftAlone { run: run.clone(), standing: *standing, owner });
    }
    if !wanted.images {
        return Ok(plan);
    }
    if let Some((run, _)) = standings.iter().find(|(run, standing)| !standing.is_dead() && !goes(run)) {
        return Err(Refused::ImagesInUse { run: run.clone() });
    }
    plan.images = images.into_iter().flat_map(|image| rows(&image, now)).collect();
    plan.images.sort_by(|a, b| (&a.suite, &a.reference).cmp(&(&b.suite, &b.reference)));
    Ok(plan)
}

fn rows(image: &StoredImage, now: Timestamp) -> Vec<ImageRow> {
    let suite = image.labels.get(label::SUITE).cloned().unwrap_or_default();
    let ours = image.references.iter().filter(|reference| reference.starts_with(REPOSITORY));
    ours.map(|reference| ImageRow {
        suite: suite.clone(),
        reference: reference.clone(),
        age: since(image.created, now),
        size: image.size,
    })
    .collect()
}

fn since(start: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(start)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::table::{Outcome, shown, told};
    use super::*;
    use crate::engine::Labels;

    const NOW: &str = "2026-11-24T12:00:00Z";
    const DEAD: &str = "20261124-115500-00000d";
    const LIVING: &str = "20261124-115900-00000a";
    const FAR: &str = "20261124-112000-00000f";
    const STRANGE: &str = "20261122-090000-000005";

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn thing(kind: ThingKind, run: &str, name: &str, owner: &str) -> Labelled {
        let labels = labels(&[(label::RUN, run), (label::LEASE, owner)]);
        Labelled { kind, id: name.into(), name: name.into(), labels }
    }

    fn facts() -> Facts {
        let image = |reference: &str, hours: i64| StoredImage {
            references: vec![reference.to_owned()],
            labels: labels(&[(label::SUITE, "shop")]),
            size: 123_456_789,
            created: NOW.parse::<Timestamp>().unwrap() - jiff::SignedDuration::from_hours(hours),
        };
        Facts {
            things: vec![
                thing(ThingKind::Network, DEAD, "shakedown-d-1.1", "ci-3/boot/815/1"),
                thing(ThingKind::Container, DEAD, "shakedown-d-1.1-web", "ci-3/boot/815/1"),
                thing(ThingKind::Container, LIVING, "shakedown-a-1.1-web", "ci-3/boot/4711/1"),
                thing(ThingKind::Volume, FAR, "shakedown-f-lease-2", "ci-4/boot/12/1"),
                thing(ThingKind::Volume, STRANGE, "shakedown-5-1.1-data", ""),
            ],
            standings: [
                (DEAD, Standing::Ended),
                (LIVING, Standing::Lives),
                (FAR, Standing::Leased { until: "2026-11-24T12:04:30Z".parse().unwrap() }),
                (STRANGE, Standing::Forgotten),
            ]
            .map(|(run, standing)| (RunId::from_stored(run), standing))
            .into(),
            images: vec![image("shakedown/shop-web:1", 3), image("shakedown/shop-db:1", 75), image("mine/shop:1", 1)],
            now: NOW.parse().unwrap(),
        }
    }

    fn of(runs: &[&str]) -> Wanted {
        Wanted { runs: runs.iter().map(|run| RunId::from_stored(*run)).collect(), ..Wanted::default() }
    }

    fn said(wanted: &Wanted, outcome: Outcome) -> String {
        match plan(facts(), wanted) {
            Ok(plan) => format!("{}{}", shown(&plan), told(&plan, outcome)),
            Err(refused) => format!("error: {refused}"),
        }
    }

    #[test]
    fn what_is_said_of_each_wish() {
        let all = Wanted { all_runs: true, images: true, ..Wanted::default() };
        let images = Wanted { images: true, ..Wanted::default() };
        let nothing = plan(
            Facts { things: Vec::new(), standings: BTreeMap::new(), images: Vec::new(), now: NOW.parse().unwrap() },
            &images,
        )
        .unwrap();
        insta::assert_snapshot!(format!(
            "--- clean\n{}\n--- clean --dry-run\n{}\n--- clean --run of a living one\n{}\n--- clean --run of one that is \
             not there\n{}\n--- clean --images\n{}\n\n--- clean --all-runs --images --dry-run\n{}\n--- nothing there\n{}",
            said(&Wanted::default(), Outcome::Removed),
            said(&Wanted::default(), Outcome::DryRun),
            said(&of(&[LIVING]), Outcome::Removed),
            said(&of(&["20261124-000000-000000"]), Outcome::Removed),
            said(&images, Outcome::Removed),
            said(&all, Outcome::DryRun),
            told(&nothing, Outcome::Removed),
        ));
    }

    #[test]
    fn what_lives_goes_only_when_it_is_named() {
        let runs = |wanted: &Wanted| -> BTreeSet<String> {
            plan(facts(), wanted).unwrap().things.iter().map(|row| row.run.to_string()).collect()
        };
        assert_eq!(runs(&Wanted::default()), [DEAD, STRANGE].map(str::to_owned).into());
        assert_eq!(runs(&of(&[LIVING])), [LIVING.to_owned()].into());
        assert_eq!(runs(&Wanted { all_runs: true, ..Wanted::default() }).len(), 4);
    }

    #[test]
    fn an_image_that_others_built_on_ours_is_not_ours() {
        let all = Wanted { all_runs: true, images: true, ..Wanted::default() };
        let images = plan(facts(), &all).unwrap().images;
        assert!(images.iter().all(|image| image.reference.starts_with("shakedown/")) && images.len() == 2);
    }
}
