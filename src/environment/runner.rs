//! When the runner service may be used though other services of its environment are not ready yet. Pure.

use std::collections::BTreeSet;

use crate::manifest::compose::{Condition, Project};
use crate::manifest::{EnvironmentSettings, ResetHow};

/// The services that must be ready before the suite may be loaded in the runner; `None` where all must be.
///
/// What the suite's files do when they are loaded must not race with what changes the application's state: so the steps
/// that have to complete before the runner, directly or for another service that it waits for, come first. And a template
/// of a database is made when everything is ready, while nobody is connected to it.
pub(super) fn serves_after(project: &Project, settings: &EnvironmentSettings) -> Option<BTreeSet<String>> {
    match settings.reset.how {
        ResetHow::PostgresTemplate { .. } => None,
        ResetHow::Recycle | ResetHow::Command { .. } => {
            let mut after = steps_before(project, &settings.runner);
            after.insert(settings.runner.clone());
            Some(after)
        }
    }
}

/// The services that have to complete before `service`, whatever stands between them.
fn steps_before(project: &Project, service: &str) -> BTreeSet<String> {
    let (mut steps, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut left = vec![service];
    while let Some(name) = left.pop() {
        let Some(service) = project.services.get(name).filter(|_| seen.insert(name)) else { continue };
        for (other, condition) in &service.depends_on {
            if *condition == Condition::CompletedSuccessfully {
                steps.insert(other.clone());
            }
            left.push(other);
        }
    }
    steps
}
