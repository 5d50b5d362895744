//! `shakedown clean`: removes what dead runs left on the engine.
//!
//! [`plan`](plan::plan) decides what goes and what is left alone, `table` shows it, and here it is done.

mod plan;
mod table;

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::cli::CleanArgs;
use crate::engine::docker::DockerEngine;
use crate::engine::docker::connection::Connection;
use crate::engine::{Engine, EngineError, RefusalKind};
use crate::environment::{label, lease, sweep};
use crate::exit;
use crate::id::RunId;

use plan::plan;
use plan::{Facts, Plan, Wanted};
use table::Outcome;

/// Cleans up and returns the exit code: 0 when nothing is left that was to go, 2 when it is refused, 3 when the engine
/// did not do it.
pub async fn clean(args: CleanArgs) -> u8 {
    let connection = match Connection::find(&args.engine.asked()) {
        Ok(connection) => connection,
        Err(why) => {
            eprintln!("error: {why}");
            return exit::USAGE;
        }
    };
    match try_clean(&args, &connection).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            exit::NO_ENVIRONMENTS
        }
    }
}

async fn try_clean(args: &CleanArgs, connection: &Connection) -> Result<u8, EngineError> {
    let engine = DockerEngine::connect_to(connection).await?;
    let wanted = Wanted {
        runs: args.runs.iter().map(RunId::from_stored).collect(),
        all_runs: args.all_runs,
        images: args.images,
    };
    let things = engine.list(label::RUN).await?;
    let now = engine.host().await?.clock;
    let images = if args.images { engine.stored_images(label::SUITE).await? } else { Vec::new() };
    let plan = match plan(Facts { standings: lease::standings(&things, now), things, images, now }, &wanted) {
        Ok(plan) => plan,
        Err(refused) => {
            eprintln!("error: {refused}");
            return Ok(exit::USAGE);
        }
    };
    say(&table::shown(&plan));
    let outcome = match args.dry_run {
        true => Outcome::DryRun,
        false if remove(&engine, &plan).await => Outcome::Removed,
        false => Outcome::Failed,
    };
    say(&table::told(&plan, outcome));
    Ok(if outcome == Outcome::Failed { exit::NO_ENVIRONMENTS } else { exit::PASSED })
}

/// Whoever reads may have gone away, as `head` does; that is no reason to stop in the middle.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Whether all went.
async fn remove(engine: &dyn Engine, plan: &Plan) -> bool {
    let mut all_went = true;
    let runs: BTreeSet<&RunId> = plan.things.iter().map(|row| &row.run).collect();
    if !runs.is_empty()
        && let Err(error) = sweep::sweep_runs(engine, &|run| runs.contains(run)).await
    {
        eprintln!("error: {error}");
        all_went = false;
    }
    for image in &plan.images {
        match engine.remove_image(&image.reference).await {
            Ok(()) => {}
            Err(error) if error.kind() == RefusalKind::Conflict => {
                eprintln!("note: image {} is kept, as a container uses it", image.reference);
            }
            Err(error) => {
                eprintln!("error: {error}");
                all_went = false;
            }
        }
    }
    all_went
}
