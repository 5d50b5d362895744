//! Making an environment clean again between two attempts, or deciding that only a fresh one will do.

use tokio::time::Instant;

use super::{Lane, Report};
use crate::environment::Environment;
use crate::id::EnvironmentId;
use crate::manifest::{Reset, ResetAfter, ResetHow};

/// What an environment needs before anything else runs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upkeep {
    /// Nothing.
    None,
    /// Its state is to be reset.
    Reset,
    /// It is to be replaced by a fresh one.
    Recycle,
}

/// What an attempt that counts against its test leaves to do.
pub(super) fn after_failure(reset: &Reset) -> Upkeep {
    match reset.after {
        ResetAfter::Never => Upkeep::None,
        ResetAfter::Unit | ResetAfter::Failure => upkeep(&reset.how),
    }
}

/// What a unit leaves to do in which nothing failed.
pub(super) fn after_unit(reset: &Reset) -> Upkeep {
    match reset.after {
        ResetAfter::Never | ResetAfter::Failure => Upkeep::None,
        ResetAfter::Unit => upkeep(&reset.how),
    }
}

fn upkeep(how: &ResetHow) -> Upkeep {
    match how {
        ResetHow::Recycle => Upkeep::Recycle,
        ResetHow::Command { .. } | ResetHow::PostgresTemplate { .. } => Upkeep::Reset,
    }
}

impl Lane {
    /// Resets the environment's state. Whether that worked; if not, it was said why, and a fresh one is needed.
    pub(super) async fn reset(&self, id: EnvironmentId, environment: &Environment) -> bool {
        let started = Instant::now();
        match environment.reset(&self.shared.site.manifest.environment.reset).await {
            Ok(()) => {
                self.report(Report::Reset(id, started.elapsed())).await;
                true
            }
            Err(why) => {
                let why = self.shared.site.secrets.mask(&why);
                let message = format!("environment {id} could not be reset, and is replaced: {why}");
                self.report(Report::Warning(message)).await;
                false
            }
        }
    }
}
