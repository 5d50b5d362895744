//! From facts to findings. Pure.

mod engine;
mod here;

use super::facts::Facts;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// As it should be.
    Fine,
    /// A run works, and there is something to know.
    Note,
    /// A run would not work.
    Problem,
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What it is about, in a word.
    pub(super) topic: &'static str,
    pub(super) message: String,
    /// What to do, where something is.
    pub(super) todo: Option<String>,
}

impl Finding {
    fn fine(topic: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Fine, topic, message: message.into(), todo: None }
    }

    fn note(topic: &'static str, message: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { level: Level::Note, topic, message: message.into(), todo: Some(todo.into()) }
    }

    fn problem(topic: &'static str, message: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { level: Level::Problem, topic, message: message.into(), todo: Some(todo.into()) }
    }
}

/// All findings, in the order in which they are shown: what others hang on comes first.
pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &facts.engine {
        Ok(engine) => findings.extend(engine::examine(&facts.address, engine, &facts.pool)),
        Err(why) => findings.push(unreached(why)),
    }
    findings.extend(here::examine(facts));
    findings
}

/// The engine's error says what to do in its own further lines.
fn unreached(why: &str) -> Finding {
    let (message, todo) = why.split_once('\n').unwrap_or((why, "start one, or point DOCKER_HOST at one"));
    Finding::problem("engine", message, todo.trim())
}

#[cfg(test)]
mod tests;
