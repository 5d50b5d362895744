//! What a test's attempts mean. Pure: no clock, no I/O, no engine.
//!
//! [`outcome`] says how one attempt ended, [`next_step`] whether the test is tried again, [`TestVerdict`] what
//! its attempts mean together, and [`RunVerdict`] what all tests mean for the run and its exit code. How long an attempt
//! may take is learnt by [`learnt_limit`].

mod limit;
mod outcome;
mod repeat;
mod run;
mod test;

pub use limit::{
    DEFAULT_LIMIT, LEAST_PASSES, LimitSource, NEWEST_OTHERS, NEWEST_PASSES, Past, TimeLimit, learnt_limit,
};
pub use outcome::{Failure, Outcome};
pub use repeat::repeated;
pub use run::{Interruption, RunVerdict, StopReason, run_verdict};
pub use test::{AttemptLimits, NextStep, TestVerdict, next_step, verdict_at_stop};
