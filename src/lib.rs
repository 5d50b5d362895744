//! shakedown: runs a browser suite in parallel against N Docker copies of an application.

pub mod event;
pub mod id;
pub mod manifest;
pub mod report;
pub mod verdict;
