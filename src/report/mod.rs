//! What we say of a run: while it lasts on the terminal, at its end in files.
//!
//! [`record`] folds the run's events into one picture. [`terminal`] shows it as it grows; [`junit`], [`run_json`] and
//! [`summary`] are functions of the finished one, and [`files`] puts them into the run folder. [`preview`] says what a run
//! would do. [`text`] is how all of
//! them write numbers, and the gate through which all foreign text goes.
//!
//! Architecture invariant: no reporter knows the engine, the store or what an environment consists of. What it says
//! stands in the events. No `_ =>` on our own enums: a new event is a compile error in every reporter.

mod alike;
pub mod files;
pub mod junit;
pub mod paths;
pub mod preview;
pub mod record;
pub mod run_json;
pub mod summary;
pub mod terminal;
pub mod text;

pub use files::write_reports;
pub use paths::ReportPaths;
pub use record::RunRecord;
pub use terminal::Reporter;
