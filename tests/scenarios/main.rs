//! Whole runs, from the first boot to the verdict, on an engine in memory and in paused time: nothing waits really.
//!
//! `harness` runs them, and `told` holds every one of them to what must be true of every run.

mod batches;
mod beside;
mod blame;
mod boots;
mod commands;
mod environments;
mod guarding;
mod harness;
mod leases;
mod order;
mod outcomes;
mod resets;
mod selecting;
mod snapshots;
mod standby;
mod stops;
mod told;
mod workers;
