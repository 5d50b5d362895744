//! The history through its public face: what is recorded is read back, whatever ends, dies or competes.

mod durations;
mod opening;
mod processes;
mod recording;
mod script;
mod told;
