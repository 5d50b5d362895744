//! The `shakedown` program.

use std::process::ExitCode;

use clap::Parser as _;
use shakedown::cli::{Cli, Command};

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Check { manifest } => shakedown::run::check(&manifest),
        Command::Run(args) => match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime.block_on(shakedown::run::run(args)),
            Err(error) => {
                eprintln!("error: the runtime can't be started: {error}");
                shakedown::exit::NO_ENVIRONMENTS
            }
        },
    };
    ExitCode::from(code)
}
