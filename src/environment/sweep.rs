//! Removing by label what nobody owns any more.

use std::time::Duration;

use futures::future::join_all;

use super::label;
use crate::engine::{self, Engine, EngineError, Labelled, ThingKind};
use crate::id::RunId;
use crate::owner;

/// Something that an engine was asked to create may turn up after it was looked for, when the asking was cut off.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Bounds the rounds of a sweep whose things can't be removed.
const MOST_ROUNDS: usize = 20;

/// Removes everything of one run, until nothing of it is found twice in a row. Returns what was removed.
pub async fn sweep_run(engine: &dyn Engine, run: &RunId) -> Result<Vec<Labelled>, EngineError> {
    let filter = format!("{}={run}", label::RUN);
    let mut removed = Vec::new();
    let mut empty_in_a_row = 0;
    for _ in 0..MOST_ROUNDS {
        let found = engine.list(&filter).await?;
        if found.is_empty() {
            empty_in_a_row += 1;
            if empty_in_a_row == 2 {
                return Ok(removed);
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            continue;
        }
        empty_in_a_row = 0;
        removed.extend(remove_all(engine, found).await?);
    }
    Ok(removed)
}

/// Removes everything that was made by processes which have ended since. Things of living processes and of other
/// hosts are not touched. Returns what was removed.
pub async fn sweep_dead(engine: &dyn Engine) -> Result<Vec<Labelled>, EngineError> {
    let mut removed = Vec::new();
    for _ in 0..2 {
        let found = engine.list(label::RUN).await?;
        let dead: Vec<Labelled> = found
            .into_iter()
            .filter(|thing| thing.labels.get(label::LEASE).is_some_and(|lease| owner::is_dead(lease)))
            .collect();
        if dead.is_empty() {
            break;
        }
        removed.extend(remove_all(engine, dead).await?);
    }
    Ok(removed)
}

/// Removes containers, then networks, then volumes. An error of one does not keep the others from being removed;
/// the first is returned.
async fn remove_all(engine: &dyn Engine, things: Vec<Labelled>) -> Result<Vec<Labelled>, EngineError> {
    let mut first_error = None;
    for kind in [ThingKind::Container, ThingKind::Network, ThingKind::Volume] {
        let of_kind = things.iter().filter(|thing| thing.kind == kind);
        let removals = join_all(of_kind.map(|thing| engine::remove(engine, kind, &thing.id))).await;
        first_error = first_error.or(removals.into_iter().find_map(Result::err));
    }
    match first_error {
        Some(error) => Err(error),
        None => Ok(things),
    }
}
