//! shakedown: runs a browser suite in parallel against N Docker copies of an application.

pub mod event;
pub mod framework;
pub mod id;
pub mod manifest;
pub mod plan;
pub mod queue;
pub mod verdict;
