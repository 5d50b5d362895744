//! Why a run could not begin.

use std::path::PathBuf;

use crate::engine::EngineError;
use crate::exit;
use crate::manifest::Problems;
use crate::store::StoreError;

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The manifest can't be used.
    #[error("{0}")]
    Manifest(#[from] Problems),
    /// The command line asks for something that the manifest does not allow.
    #[error("{0}")]
    Usage(String),
    /// It is known beforehand that no test is selected.
    #[error("{0}")]
    NothingSelected(String),
    /// The history can't be opened.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The engine can't be used.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// The run folder can't be made.
    #[error("the run folder {} can't be made: {error}\n    choose another place with --reports", folder.display())]
    RunFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The process can't be named.
    #[error("this process can't be named, so that what it leaves could not be found again: {0}")]
    Owner(std::io::Error),
    /// Signals can't be listened for.
    #[error("signals can't be listened for: {0}")]
    Signals(std::io::Error),
}

impl RunError {
    /// Prints the error, and returns its exit code.
    pub fn tell(&self) -> u8 {
        eprintln!("error: {self}");
        match self {
            Self::Manifest(_) | Self::Usage(_) | Self::Store(_) | Self::RunFolder { .. } => exit::USAGE,
            Self::NothingSelected(_) => exit::NO_TESTS,
            Self::Engine(_) | Self::Owner(_) | Self::Signals(_) => exit::NO_ENVIRONMENTS,
        }
    }
}
