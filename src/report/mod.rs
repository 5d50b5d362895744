//! What we say of a run.
//!
//! [`record`] folds the run's events into one picture, [`terminal`] shows it as it grows, [`junit`] writes
//! down the finished one; [`text`] is how numbers and
//! foreign text are written.

pub mod junit;
pub mod paths;
pub mod record;
pub mod summary;
pub mod terminal;
pub mod text;

pub use paths::ReportPaths;
pub use record::RunRecord;
pub use terminal::Reporter;
