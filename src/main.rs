//! The `shakedown` program.

use std::process::ExitCode;

use clap::Parser as _;
use shakedown::cli::{Cli, Command};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Check { manifest } => shakedown::run::check(&manifest),
        Command::Run(args) => on(Builder::new_multi_thread(), shakedown::run::run(args)),
        Command::Doctor(args) => on(Builder::new_current_thread(), shakedown::doctor::doctor(args)),
        Command::Clean(args) => on(Builder::new_current_thread(), shakedown::clean::clean(args)),
        Command::Guard(args) => {
            shakedown::guard::watch::step_aside();
            on(Builder::new_current_thread(), shakedown::guard::watch::watch(args))
        }
    };
    ExitCode::from(code)
}

/// Does what a command asks for, to its exit code.
fn on(mut runtime: Builder, work: impl Future<Output = u8>) -> u8 {
    match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("error: the runtime can't be started: {error}");
            shakedown::exit::NO_ENVIRONMENTS
        }
    }
}
