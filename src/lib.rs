//! shakedown: runs a browser suite in parallel against N Docker copies of an application.
//!
//! A manifest (a Compose file and `shakedown.toml`) describes the application and its suite. A run boots N
//! environments, deals the suite's files out to them, tries failed tests again in another environment, and gives a
//! verdict that CI can act on. Every attempt is kept in a history.
//!
//! Read from top to bottom, the modules tell the story:
//!
//! | module | what it is |
//! |---|---|
//! | [`id`] | names of runs, tests, lanes, environments, attempts and units |
//! | [`verdict`] | what an attempt's outcome means for its test, and all tests for the run |
//! | [`signature`] | what went wrong in a failure and where, without what differs from one occurrence to the next |
//! | [`manifest`] | what the user asked for, checked |
//! | [`event`] | the vocabulary in which a run is told |
//! | [`engine`] | the container verbs; Docker's API, and a scripted fake |
//! | [`environment`] | isolated copies of the application: images, boot, logs, teardown, sweeping |
//! | [`framework`] | listing tests and running units in a warm worker |
//! | [`plan`], [`selection`], [`queue`] | which tests in which order, and which may run now, where |
//! | [`evidence`] | what is kept of attempts that did not pass |
//! | [`lane`] | one lane's life |
//! | [`conductor`] | the loop: lanes, queue, stopping, events |
//! | [`store`] | the history: the only SQL |
//! | [`report`] | terminal, JUnit, `run.json`, summary |
//! | [`owner`], [`secrets`] | who owns what is left behind; what must not be written |
//! | [`guard`] | the process that cleans up after a run that was killed |
//! | [`clean`] | removing by hand what runs left |
//! | [`doctor`] | whether a run could work here, and what to do where not |
//! | [`run`], [`cli`], [`exit`] | wiring, the command line, the table of exit codes |
//!
//! Architecture invariants, held by `tests/architecture.rs`: no module imports one that must not be known to it
//! (the table there says which), and only `engine/docker` names the Docker client, only `store` the database's.

pub mod clean;
pub mod cli;
pub mod conductor;
pub mod doctor;
pub mod engine;
pub mod environment;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod framework;
pub mod guard;
pub mod id;
pub mod lane;
pub mod manifest;
pub mod owner;
pub mod plan;
pub mod queue;
pub mod report;
pub mod run;
pub mod secrets;
pub mod selection;
pub mod signature;
pub mod store;
pub mod verdict;
