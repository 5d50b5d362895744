//! Asking git what has changed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::RunError;
use crate::selection::Changed;

/// How long one question to git may take.
const WITHIN: Duration = Duration::from_secs(60);
/// What a hook of git's sets, so that it would answer for another work tree than that of the manifest.
const MISLEADING: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// What has changed in the work tree around a folder since its branch left `reference`: in commits, in what is not
/// committed yet, and in new files that are not ignored.
pub(super) async fn since(folder: &Path, reference: &str) -> Result<Changed, RunError> {
    let failed = |why: &str, what: &str| RunError::Usage(format!("--changed-since {reference}: {why}\n    {what}"));
    if reference.starts_with('-') || reference.is_empty() {
        return Err(failed("this is no name of a commit", "name a branch, a tag or a commit, such as origin/main"));
    }
    let top = git(folder, &["rev-parse", "--show-toplevel"]).await;
    let top = top.map_err(|why| failed(&why, "the manifest's folder must lie in a git work tree"))?;
    let top = Path::new(top.trim_end_matches('\n'));
    let commit = git(folder, &["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")]).await;
    let commit = commit.map_err(|_| {
        let what = "name a branch, a tag or a commit; a CI job may have to fetch it first, with its history";
        failed("git knows no such commit", what)
    })?;
    let base = git(folder, &["merge-base", commit.trim(), "HEAD"]).await;
    let base = base.map_err(|_| {
        let what = "in a shallow clone the history is cut off: fetch more of it (git fetch --unshallow)";
        failed("it has no commit in common with HEAD", what)
    })?;
    let again = "run the command by hand to see what is wrong";
    let diff = git(top, &["diff", "--name-only", "--no-renames", "-z", base.trim(), "--"]).await;
    let new = git(top, &["ls-files", "--others", "--exclude-standard", "-z"]).await;
    let (diff, new) = (diff.map_err(|why| failed(&why, again))?, new.map_err(|why| failed(&why, again))?);
    let mut paths: Vec<String> =
        diff.split('\0').chain(new.split('\0')).filter(|path| !path.is_empty()).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    Ok(Changed { since: reference.to_owned(), paths })
}

/// What git answers; the error is what it says, in one line.
async fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let said = format!("`git {}`", arguments.join(" "));
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
    for name in MISLEADING {
        command.env_remove(name);
    }
    let output = match tokio::time::timeout(WITHIN, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("git could not be started: {error}")),
        Err(_) => return Err(format!("{said} took longer than {} s", WITHIN.as_secs())),
    };
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let why = why.lines().next().unwrap_or("it does not say why").trim_start_matches("fatal: ").to_owned();
        return Err(format!("{said} failed: {why}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
