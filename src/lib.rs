//! shakedown: runs a browser suite in parallel against N Docker copies of an application.

pub mod event;
pub mod id;
pub mod manifest;
pub mod store;
pub mod verdict;
