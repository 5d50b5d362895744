//! Colour, which never carries a meaning that the words beside it do not.

use console::{Style, colors_enabled, colors_enabled_stderr};

use crate::verdict::{RunVerdict, TestVerdict};

/// Whether and how to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// Without colour.
    pub const PLAIN: Self = Self { colour: false };
    /// With colour, wherever it goes.
    pub const COLOURED: Self = Self { colour: true };

    /// As standard error, `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` want it.
    pub fn for_stderr() -> Self {
        Self { colour: colors_enabled_stderr() }
    }

    /// As standard output, `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` want it.
    pub fn for_stdout() -> Self {
        Self { colour: colors_enabled() }
    }

    /// What is well.
    pub fn good(self, text: &str) -> String {
        self.apply(Style::new().green().bold(), text)
    }

    /// What is not.
    pub fn bad(self, text: &str) -> String {
        self.apply(Style::new().red().bold(), text)
    }

    /// What may not be.
    pub fn doubtful(self, text: &str) -> String {
        self.apply(Style::new().yellow().bold(), text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    /// What may be passed over.
    pub fn faint(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    pub(super) fn test(self, verdict: TestVerdict, text: &str) -> String {
        match verdict {
            TestVerdict::Passed => self.good(text),
            TestVerdict::Flaky | TestVerdict::Quarantined => self.doubtful(text),
            TestVerdict::Failed | TestVerdict::EnvironmentBroke => self.bad(text),
            TestVerdict::Skipped | TestVerdict::NotRun => self.faint(text),
        }
    }

    pub(super) fn run(self, verdict: &RunVerdict, text: &str) -> String {
        match verdict {
            RunVerdict::Passed => self.good(text),
            RunVerdict::Failed | RunVerdict::SuiteBroken(_) | RunVerdict::EnvironmentsUnavailable(_) => self.bad(text),
            RunVerdict::NoTests | RunVerdict::Incomplete(_) | RunVerdict::Interrupted(_) => self.doubtful(text),
        }
    }

    fn apply(self, style: Style, text: &str) -> String {
        // Forced either way: this type has decided, console's globals have no second say.
        style.force_styling(self.colour).apply_to(text).to_string()
    }
}
