//! Sweeping until nothing turns up any more, with an engine that may be away.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::{Engine, EngineError};
use crate::environment::sweep;
use crate::id::RunId;

/// How long an engine may be away until the guard gives up.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// What an engine was asked to create when the run died may turn up for so long.
const TURNS_UP_WITHIN: Duration = Duration::from_secs(15);
/// The pause between two looks for such things.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The first pause after an engine did not answer, and the longest; each is twice the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Removes everything of a run. `told` hears how many things were removed, once all that was there is gone; after that
/// what turns up late is removed, too, until nothing has turned up for 15 s. An engine that is away is tried again for
/// 10 min; then its last error is returned.
pub async fn sweep_until_quiet<F>(
    connect: impl Fn() -> F,
    run: &RunId,
    mut told: impl AsyncFnMut(usize),
) -> Result<(), EngineError>
where
    F: Future<Output = Result<Arc<dyn Engine>, EngineError>>,
{
    let mut quiet_since = None;
    let mut away_since = None;
    let mut pause = PAUSES.0;
    loop {
        let swept = match connect().await {
            Ok(engine) => sweep::sweep_run(&*engine, run).await,
            Err(error) => Err(error),
        };
        match swept {
            Ok(removed) => {
                (away_since, pause) = (None, PAUSES.0);
                if quiet_since.is_none() || !removed.is_empty() {
                    told(removed.len()).await;
                    quiet_since = Some(Instant::now());
                }
                if quiet_since.is_some_and(|since| since.elapsed() >= TURNS_UP_WITHIN) {
                    return Ok(());
                }
                sleep(LOOK_AGAIN_AFTER).await;
            }
            Err(error) => {
                if away_since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                    return Err(error);
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}
