//! The history through its public face: what is recorded is read back, whatever ends, dies or competes. The rules that
//! are not of files are held against both databases.

mod durations;
mod opening;
mod postgres;
mod processes;
mod recording;
mod script;
mod server;
mod told;
