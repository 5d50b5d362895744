//! What we say of a run.
//!
//! [`record`] folds the run's events into one picture; [`text`] is how numbers and foreign text are written.

pub mod record;
pub mod text;

pub use record::RunRecord;
