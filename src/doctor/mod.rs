//! `shakedown doctor`: whether a run could work here, and what to do where not.
//!
//! `gather` asks the engine, this host and the manifest for [`facts`]; [`examine`](examine::examine) makes findings of
//! them, which is pure; `page` shows those.

mod examine;
mod facts;
mod gather;
mod page;

use std::io::Write as _;

use crate::cli::DoctorArgs;
use crate::exit;
use crate::report::terminal::Paint;

/// Examines and returns the exit code: 0 where a run could work, 3 where something would keep it from it.
pub async fn doctor(args: DoctorArgs) -> u8 {
    let facts = gather::gather(&args).await;
    let findings = examine::examine(&facts);
    // Whoever reads may have gone away.
    let _ = std::io::stdout().write_all(page::page(&findings, Paint::for_stdout()).as_bytes());
    let works = findings.iter().all(|finding| finding.level != examine::Level::Problem);
    if works { exit::PASSED } else { exit::NO_ENVIRONMENTS }
}
