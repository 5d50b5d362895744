//! An engine that is away for a while, as it is when it is restarted or its connection is cut.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::Site;
use super::in_words;
use crate::engine::Engine;

/// The first pause between two questions whether the engine answers, and the longest; each is twice the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Whether there is an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It answered at once.
    There,
    /// It had been away for so long, and answers again.
    Back(Duration),
    /// It was waited for in vain; what is to be said of that.
    Away(String),
}

impl Site {
    /// Waits until the engine answers, for at most as long as an environment may take to become ready.
    pub async fn until_engine_answers(&self) -> Presence {
        wait(&*self.engine, self.manifest.environment.ready_within).await
    }
}

async fn wait(engine: &dyn Engine, limit: Duration) -> Presence {
    let deadline = Instant::now() + limit;
    let mut pause = PAUSES.0;
    let started = Instant::now();
    let mut came_back = false;
    loop {
        let why = match timeout_at(deadline, engine.ping()).await {
            Ok(Ok(())) if came_back => return Presence::Back(started.elapsed()),
            Ok(Ok(())) => return Presence::There,
            Ok(Err(error)) => error.refusal().to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() + pause >= deadline {
            let limit = in_words(limit);
            return Presence::Away(format!("the engine was lost, and did not answer again within {limit}: {why}"));
        }
        came_back = true;
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
