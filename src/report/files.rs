//! The reports in the run folder.
//!
//! A reader never sees half a file: each is written under a temporary name beside its place and renamed. Whatever
//! fails, the others are still written, since a run that ends badly needs its reports most.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::paths::ReportPaths;
use super::record::RunRecord;
use super::{junit, run_json, summary};

/// The link beside the run folders that points at the newest.
const LATEST: &str = "latest";

/// Writes `junit.xml`, `run.json` and `summary.md` into the run folder, which is made if need be, and points the
/// parent's `latest` at it. May be called again for the same run.
///
/// # Errors
/// The first that occurred, with the path; everything else was still tried.
pub fn write_reports(record: &RunRecord, run_folder: &Path) -> io::Result<ReportPaths> {
    let paths = ReportPaths::of(run_folder);
    fs::create_dir_all(run_folder).map_err(|error| on("create", run_folder, &error))?;
    let written = [
        write_whole(&paths.junit, |file| junit::write(record, file)),
        write_whole(&paths.run_json, |file| run_json::write(record, file)),
        write_whole(&paths.summary, |file| file.write_all(summary::markdown(record).as_bytes())),
        point_latest_at(run_folder),
    ];
    written.into_iter().collect::<io::Result<Vec<()>>>()?;
    Ok(paths)
}

/// The reports of a large suite are never held as text: they go to the file as they are made.
fn write_whole(path: &Path, report: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_beside(path);
    let write = || {
        let mut file = BufWriter::new(File::create(&temporary)?);
        report(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        // Without this, a crash of the machine can leave an empty file under the final name.
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        // The first error is the one to report; a file that was never made can't be removed.
        let _ = fs::remove_file(&temporary);
        on("write", path, &error)
    })
}

/// Points `latest` at the folder, unless it points at a newer run that is still there: an older run that ends later
/// does not take it back.
fn point_latest_at(run_folder: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (run_folder.parent(), run_folder.file_name()) else { return Ok(()) };
    let link = parent.join(LATEST);
    if let Ok(present) = fs::read_link(&link)
        && present.as_os_str() > name
        && parent.join(&present).is_dir()
    {
        return Ok(());
    }
    let temporary = temporary_beside(&link);
    // One that a killed process of the same id left would be in the way.
    let _ = fs::remove_file(&temporary);
    symlink(name, &temporary).and_then(|()| fs::rename(&temporary, &link)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        on("point at the newest run with", &link, &error)
    })
}

/// A hidden name in the same folder, so that renaming stays within one file system.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn on(verb: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("could not {verb} {}: {error}", path.display()))
}
