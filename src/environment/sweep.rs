//! Removing by label what nobody owns any more.

use std::time::Duration;

use super::{label, lease};
use crate::engine::{self, Engine, EngineError, Labelled, ThingKind};
use crate::id::RunId;

/// The pause between two looks. Something that an engine was asked to create may turn up after it was looked for, when
/// the asking was cut off; and what somebody else removes at this moment still holds its network.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How many looks in a row may fail before the engine counts as away; the pauses between them grow to some seconds
/// in all.
const MOST_UNANSWERED: u32 = 6;
/// Bounds a sweep whose things can't be removed.
const MOST_ROUNDS: usize = 100;

/// Removes everything of one run, until nothing of it is found twice in a row. Returns what was removed.
pub async fn sweep_run(engine: &dyn Engine, run: &RunId) -> Result<Vec<Labelled>, EngineError> {
    sweep(engine, &format!("{}={run}", label::RUN), 2, |_| true).await
}

/// Removes everything of runs whose process on this host has ended, or whose lease on another host ran out. Returns what
/// was removed.
pub async fn sweep_dead(engine: &dyn Engine) -> Result<Vec<Labelled>, EngineError> {
    let things = engine.list(label::RUN).await?;
    if things.is_empty() {
        return Ok(things);
    }
    let standings = lease::standings(&things, engine.host().await?.clock);
    sweep_runs(engine, &|run| standings.get(run).is_some_and(|standing| standing.is_dead())).await
}

/// Removes everything of the runs that `are` ours to remove. Returns what was removed.
pub async fn sweep_runs(
    engine: &dyn Engine,
    are: &(dyn Fn(&RunId) -> bool + Sync),
) -> Result<Vec<Labelled>, EngineError> {
    sweep(engine, label::RUN, 1, |thing| lease::run_of(thing).is_some_and(|run| are(&run))).await
}

/// Removes what carries `label` and is `ours`, until none is found `sure_after` times in a row. What can't be removed
/// is tried again; if that does not help, the last error is returned.
async fn sweep(
    engine: &dyn Engine,
    label: &str,
    sure_after: usize,
    ours: impl Fn(&Labelled) -> bool,
) -> Result<Vec<Labelled>, EngineError> {
    let mut removed: Vec<Labelled> = Vec::new();
    let mut last_error = None;
    let (mut empty_in_a_row, mut unanswered) = (0, 0);
    for _ in 0..MOST_ROUNDS {
        let mut found = match engine.list(label).await {
            Ok(found) => found,
            // A look that was cut off says nothing.
            Err(error) if unanswered < MOST_UNANSWERED => {
                empty_in_a_row = 0;
                unanswered += 1;
                last_error = Some(error);
                tokio::time::sleep(LOOK_AGAIN_AFTER * unanswered).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        unanswered = 0;
        found.retain(&ours);
        if found.is_empty() {
            empty_in_a_row += 1;
            if empty_in_a_row == sure_after {
                return Ok(removed);
            }
        } else {
            empty_in_a_row = 0;
            // Leases go last: as long as something is left of a run, they tell how it stands.
            if found.iter().any(|thing| !lease::is_lease(thing)) {
                found.retain(|thing| !lease::is_lease(thing));
            }
            let things: Vec<(ThingKind, &str)> = found.iter().map(|thing| (thing.kind, thing.id.as_str())).collect();
            last_error = engine::remove_all(engine, &things).await.into_iter().next();
            found.retain(|thing| !removed.contains(thing));
            removed.extend(found);
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
    last_error.map_or(Ok(removed), Err)
}
