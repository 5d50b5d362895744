//! shakedown: runs a browser suite in parallel against N Docker copies of an application.

pub mod conductor;
pub mod engine;
pub mod environment;
pub mod event;
pub mod framework;
pub mod id;
pub mod lane;
pub mod manifest;
pub mod owner;
pub mod plan;
pub mod queue;
pub mod secrets;
pub mod verdict;
