//! `reset` in `[environment]`: how an environment is made clean again.

use std::time::Duration;

use super::findings::Findings;
use super::section::{Located, Section};
use super::{suggest, words};

const KEYS: &[&str] = &["after", "service", "command", "postgres", "user", "within"];
const AFTER: [&str; 3] = ["unit", "failure", "never"];
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// How and when an environment is made clean again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// When.
    pub after: ResetAfter,
    /// How.
    pub how: ResetHow,
}

/// When an environment is made clean again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetAfter {
    /// After each unit, and after an attempt that failed or timed out.
    Unit,
    /// After an attempt that failed or timed out.
    Failure,
    /// Never: what one test leaves behind, the next one finds.
    Never,
}

/// How an environment is made clean again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetHow {
    /// By a fresh one in its place.
    Recycle,
    /// By a command that is run in a service.
    Command {
        /// The service.
        service: String,
        /// Program and arguments.
        command: Vec<String>,
        /// How long it may take.
        within: Duration,
    },
    /// By cloning a PostgreSQL database from a template that was made of it when the environment was ready.
    PostgresTemplate {
        /// The service that is the database's server, and has `psql`.
        service: String,
        /// The database.
        database: String,
        /// Who may create and drop databases; by default the service's `POSTGRES_USER`, or `postgres`.
        user: Option<String>,
        /// How long it may take.
        within: Duration,
    },
}

impl Default for Reset {
    /// What failed is replaced.
    fn default() -> Self {
        Self { after: ResetAfter::Failure, how: ResetHow::Recycle }
    }
}

impl Reset {
    /// Whether an environment is used on after an attempt failed in it.
    pub fn keeps_failed(&self) -> bool {
        match (self.after, &self.how) {
            (ResetAfter::Never, _) => true,
            (ResetAfter::Unit | ResetAfter::Failure, ResetHow::Recycle) => false,
            (ResetAfter::Unit | ResetAfter::Failure, ResetHow::Command { .. } | ResetHow::PostgresTemplate { .. }) => {
                true
            }
        }
    }

    /// The service that it needs.
    pub fn service(&self) -> Option<&str> {
        match &self.how {
            ResetHow::Recycle => None,
            ResetHow::Command { service, .. } | ResetHow::PostgresTemplate { service, .. } => Some(service),
        }
    }
}

/// Reads it. The service, with its line, can only be checked once those of the Compose file are known.
pub(super) fn read(environment: &Section<'_>, findings: &mut Findings) -> Option<(Reset, Option<Located<String>>)> {
    let reset = environment.table("reset", "environment.reset", KEYS, findings)?;
    let after = after(&reset, findings);
    let service = reset.text("service", findings);
    let command = words::read(&reset, "command", "program and arguments: [\"/reset.sh\"]", findings);
    let postgres = reset.text("postgres", findings).map(|database| database.value);
    let user = reset.text("user", findings).map(|user| user.value);
    let within = reset.wait("within", findings).unwrap_or(HALF_A_MINUTE);
    let is_given = |key| reset.get(key).is_some();
    let name = || service.as_ref().map(|service| service.value.clone()).unwrap_or_default();
    let how = match (command, postgres) {
        (Some(_), Some(_)) => {
            let help = "a command of your own, or the clone of a template";
            findings.problem(reset.line(), "\"reset\" has both \"command\" and \"postgres\"", help);
            return None;
        }
        (Some(command), None) => ResetHow::Command { service: name(), command, within },
        (None, Some(database)) => ResetHow::PostgresTemplate { service: name(), database, user, within },
        (None, None) => ResetHow::Recycle,
    };
    match &how {
        ResetHow::Recycle => {
            // What is wrong with a command or database that is there was reported.
            let is_wrong = is_given("command") || is_given("postgres");
            let idle = ["service", "user", "within"].into_iter().find(|key| is_given(key) && !is_wrong);
            if let Some(key) = idle {
                let message = format!("\"{key}\" in [environment.reset] has no effect by itself");
                findings.problem(reset.line(), message, "give \"command\", or the database's name as \"postgres\"");
            }
        }
        ResetHow::Command { .. } | ResetHow::PostgresTemplate { .. } => {
            if !is_given("service") {
                reset.missing("service", "the service in which it is run", findings);
            }
        }
    }
    Some((Reset { after, how }, service))
}

fn after(reset: &Section<'_>, findings: &mut Findings) -> ResetAfter {
    let Some(word) = reset.text("after", findings) else { return ResetAfter::Failure };
    match word.value.as_str() {
        "unit" => ResetAfter::Unit,
        "failure" => ResetAfter::Failure,
        "never" => ResetAfter::Never,
        unknown => {
            let help = suggest::help(unknown, "values", AFTER);
            findings.problem(word.line, format!("\"after\" can't be \"{unknown}\""), help);
            ResetAfter::Failure
        }
    }
}
