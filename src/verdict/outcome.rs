//! How one attempt ended.

use std::time::Duration;

use serde::Serialize;

/// What a framework says of a failed test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The exception's class, `RSpec::Expectations::ExpectationNotMetError`; empty where the framework has none.
    pub class: String,
    /// The message, whole, as the framework gives it.
    pub message: String,
    /// The first place in the project's own code, relative to the suite's folder.
    pub file: Option<String>,
    /// The line in `file`, from 1.
    pub line: Option<u32>,
    /// The frames, innermost first.
    pub backtrace: Vec<String>,
}

impl Failure {
    /// A failure that `shakedown` itself observed, so without class, place and frames.
    pub fn observed(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// `spec/cart_spec.rb:14`, where the place is known.
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        Some(match self.line {
            Some(line) => format!("{file}:{line}"),
            None => file.to_owned(),
        })
    }
}

/// How one attempt ended. Only [`Outcome::Failed`] and [`Outcome::TimedOut`] count against the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The test ran to its end and held.
    Passed,
    /// The test ran and did not hold, or took its worker down.
    Failed(Failure),
    /// The test ran longer than it may, and was stopped.
    TimedOut {
        /// The limit that it passed.
        limit: Duration,
        /// Why that was its limit, in words.
        why: String,
    },
    /// The framework did not run it, as the suite asks: pending or skipped.
    Skipped {
        /// The suite's own words, empty where it gives none.
        reason: String,
    },
    /// The environment broke under the test, which says nothing about the test.
    EnvironmentBroke {
        /// What broke, in words.
        cause: String,
    },
    /// The run was stopped while the test ran.
    Interrupted,
}

impl Outcome {
    /// Whether the outcome counts against the test.
    pub fn counts_against_test(&self) -> bool {
        match self {
            Self::Failed(_) | Self::TimedOut { .. } => true,
            Self::Passed | Self::Skipped { .. } | Self::EnvironmentBroke { .. } | Self::Interrupted => false,
        }
    }

    /// Whether evidence of the attempt is kept, as it did not pass for a reason that one would look into.
    pub fn leaves_evidence(&self) -> bool {
        match self {
            Self::Failed(_) | Self::TimedOut { .. } | Self::EnvironmentBroke { .. } => true,
            Self::Passed | Self::Skipped { .. } | Self::Interrupted => false,
        }
    }

    /// The outcome's word, as it is stored and printed.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::TimedOut { .. } => "timed out",
            Self::Skipped { .. } => "skipped",
            Self::EnvironmentBroke { .. } => "environment broke",
            Self::Interrupted => "interrupted",
        }
    }
}
