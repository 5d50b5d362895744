//! What the command line asks of tests, with what the history and git know of it.

use std::path::Path;

use super::{RunError, changed};
use crate::cli::SelectionArgs;
use crate::id::RunId;
use crate::selection::{Filter, Selection, Shard, parse};
use crate::store::{Store, Unsettled};

/// What was asked for.
pub(super) struct Asked {
    pub(super) selection: Selection,
    /// Each condition in words: `what matches tag(smoke)`.
    pub(super) words: Vec<String>,
}

/// Reads the command line, the history and git. `folder` is the manifest's.
///
/// # Errors
/// What can't be understood, and where it is clear that nothing is selected.
pub(super) async fn gather(
    args: &SelectionArgs,
    folder: &Path,
    suite: &str,
    candidate: &str,
    store: &Store,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Asked, RunError> {
    let mut words = Vec::new();
    let mut filters = Vec::new();
    for text in &args.filters {
        let wrong = |error| RunError::Usage(format!("--filter can't be understood: {error}"));
        filters.push(parse(text).map_err(wrong)?);
    }
    let filter = Filter::any(filters);
    words.extend(filter.as_ref().map(|filter| format!("what matches {filter}")));

    let shard = match args.shard {
        Some((index, of)) => {
            let shard = Shard::new(index, of, args.shard_by.into(), &format!("--shard {index}/{of}"));
            (of > 1).then_some(shard).transpose()
        }
        None => Shard::from_ci(variable, args.shard_by.into()),
    };
    let shard = shard.map_err(RunError::Usage)?;

    let failed = if args.only_failed {
        let Unsettled { runs, tests } = store.unsettled(suite, candidate).await?.ok_or_else(|| {
            RunError::NothingSelected(format!("--only-failed: the history has no run of {suite} that came to an end"))
        })?;
        let runs = of_runs(&runs);
        if tests.is_empty() {
            let why = format!("--only-failed: no test failed or was left unsettled in {runs}");
            return Err(RunError::NothingSelected(why));
        }
        words.push(format!("the {} that failed or were not settled in {runs}", tests.len()));
        Some(tests)
    } else {
        None
    };

    let changed = match &args.changed_since {
        Some(reference) => {
            let changed = changed::since(folder, reference).await?;
            if changed.paths.is_empty() {
                let why = format!("--changed-since {reference}: nothing has changed since then");
                return Err(RunError::NothingSelected(why));
            }
            words.push(format!("what has changed since {reference}"));
            Some(changed)
        }
        None => None,
    };
    words.extend(shard.as_ref().map(Shard::words));
    let asks = filter.as_ref().is_some_and(Filter::asks_history);
    let told = if asks { store.told(suite).await? } else { Default::default() };
    Ok(Asked { selection: Selection { filter, failed, changed, shard, told }, words })
}

/// `run A`, or `run A and 2 later runs of a part of the suite`.
fn of_runs(runs: &[RunId]) -> String {
    match (runs.last(), runs.len()) {
        (Some(oldest), 2) => format!("run {oldest} and 1 later run of a part of the suite"),
        (Some(oldest), count) if count > 2 => {
            format!("run {oldest} and {} later runs of parts of the suite", count - 1)
        }
        (Some(run), _) => format!("run {run}"),
        (None, _) => "no run".to_owned(),
    }
}
