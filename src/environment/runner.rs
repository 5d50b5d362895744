//! When the runner service may be started, and be used, though other services of its environment are not ready yet. Pure.

use std::collections::BTreeSet;

use crate::engine::ImageDefaults;
use crate::manifest::compose::{Condition, Project, Service};
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

/// Programs that start another one and look after it.
const INITS: [&str; 4] = ["tini", "dumb-init", "docker-init", "catatonit"];

/// Whether all that the container of a runner does is to be there, so that nothing of it can need other services before
/// something is run in it. Whatever is not known to wait may do anything.
pub(super) fn only_waits(service: &Service, image: &ImageDefaults) -> bool {
    // A service that has an entrypoint of its own does not get the image's command.
    let of_image = image.command.as_ref().filter(|_| service.entrypoint.is_none());
    let entrypoint = service.entrypoint.as_ref().or(image.entrypoint.as_ref());
    let command = service.command.as_ref().or(of_image);
    let mut words = entrypoint.into_iter().chain(command).flatten().map(String::as_str).peekable();
    let program = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    if words.peek().is_some_and(|word| INITS.contains(&program(word).as_str())) {
        words.next();
        while words.next_if(|word| word.starts_with('-')).is_some() {}
    }
    let Some(first) = words.next().map(program) else { return false };
    let arguments: Vec<&str> = words.collect();
    match first.as_str() {
        "sleep" => !arguments.is_empty(),
        "tail" => matches!(arguments[..], ["-f" | "-F", "/dev/null"]),
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Entrypoint and command of the service, and of its image; `None` where they are not given.
    fn waits(of_service: (Option<&str>, Option<&str>), of_image: (Option<&str>, Option<&str>)) -> bool {
        let service =
            Service { entrypoint: of_service.0.map(words), command: of_service.1.map(words), ..Service::default() };
        let entrypoint = of_image.0.map(words);
        only_waits(&service, &ImageDefaults { entrypoint, command: of_image.1.map(words), ..ImageDefaults::default() })
    }

    #[test]
    fn a_runner_waits_whose_effective_command_does_nothing_else() {
        for command in
            ["sleep infinity", "/bin/sleep 3600", "tail -f /dev/null", "tini -- sleep 1d", "/sbin/tini sleep 9"]
        {
            assert!(waits((None, Some(command)), (None, Some("bash"))), "{command}");
            assert!(waits((Some(command), None), (Some("/start.sh"), Some("bash"))), "{command} as entrypoint");
            assert!(waits((None, None), (None, Some(command))), "{command} of the image");
        }
        assert!(waits((None, Some("sleep infinity")), (Some("/usr/bin/tini -s --"), None)));
        assert!(
            waits((Some(""), Some("sleep infinity")), (Some("/start.sh"), None)),
            "the image's entrypoint is reset"
        );
    }

    #[test]
    fn whatever_is_not_known_to_wait_may_do_anything() {
        for command in
            ["bash", "sleep", "tail -f log/test.log", "tail -f /dev/null log", "sh -c sleep", "tini", "tini --"]
        {
            assert!(!waits((None, Some(command)), (None, None)), "{command}");
        }
        assert!(!waits((None, None), (None, None)));
        assert!(!waits((None, Some("sleep infinity")), (Some("/start.sh"), None)), "an entrypoint of the image");
        assert!(!waits((Some("/start.sh"), None), (None, Some("sleep infinity"))), "an entrypoint of its own");
        assert!(!waits((Some("tini --"), None), (None, Some("sleep infinity"))), "which hides the image's command");
    }
}
