//! The program as its users start it, against a real Docker engine.
//!
//! Most tests shake down `tiny/`, an application and a suite as small as can be, with faults planted through
//! `TINY_FAULTS`; two take the storefront with its real browser. Each test has a [`stage::Stage`]: its
//! share of the engine, alone or side by side with others, and when it leaves, nothing of its runs may be left there. `conformance/` holds each
//! framework's adapter against one contract.

mod bad_input;
mod beside;
mod chaos;
mod cleaning;
mod command;
mod conformance;
mod docker;
mod doctor;
mod evidence;
mod failures;
mod guard;
mod helpdesk;
mod kanban;
mod killing;
mod lending;
mod midst;
mod minitest_worker;
mod order;
mod outcome;
mod patience;
mod playwright_worker;
mod podman;
mod private_engine;
mod private_podman;
mod program;
mod proxy;
mod pytest_worker;
mod remote;
mod resets;
mod restart;
mod rspec_worker;
mod selecting;
mod shared_history;
mod sharing;
mod side_by_side;
mod sixty;
mod snapshot;
mod stage;
mod stopping;
mod storefront;
mod unready;
mod verdicts;
