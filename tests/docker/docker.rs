//! What is on the engine, by Docker's own command: what the tests check is not asked of the code that they check.

use std::fmt;
use std::process::{Command, Stdio};

/// Every container, network and volume that a run makes has it.
const RUN: &str = "dev.shakedown.run";
/// The process to which a thing belongs.
const LEASE: &str = "dev.shakedown.lease";

/// Something on the engine that some run made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Thing {
    kind: &'static str,
    name: String,
    pub(crate) run: String,
    lease: String,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Whether an engine answers; without one, the client fails though it prints its own version.
pub(crate) fn answers() -> bool {
    succeeds(&["version", "--format", "{{.Server.Version}}"])
}

/// Whether the engine has an image.
pub(crate) fn has_image(image: &str) -> bool {
    succeeds(&["image", "inspect", image])
}

fn succeeds(arguments: &[&str]) -> bool {
    let status = Command::new("docker").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn lines(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().expect("docker can be started");
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The output of a command of `docker`, without the end of its last line.
pub(crate) fn output(arguments: &[&str]) -> String {
    lines(arguments).join("\n")
}

/// Everything on the engine that any run made.
pub(crate) fn things() -> Vec<Thing> {
    let of = |kind: &'static str, list: &[&str], name: &str| {
        let filter = format!("label={RUN}");
        let format = format!("{{{{.{name}}}}}\t{{{{.Label \"{RUN}\"}}}}\t{{{{.Label \"{LEASE}\"}}}}");
        let lines = lines(&[list, &["--filter", &filter, "--format", &format]].concat());
        lines.into_iter().map(move |line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut field = || fields.next().unwrap_or_default();
            Thing { kind, name: field(), run: field(), lease: field() }
        })
    };
    of("container", &["ps", "--all"], "Names")
        .chain(of("network", &["network", "ls"], "Name"))
        .chain(of("volume", &["volume", "ls"], "Name"))
        .collect()
}

/// What is on the engine of one run.
pub(crate) fn things_of(run: &str) -> Vec<Thing> {
    things().into_iter().filter(|thing| thing.run == run).collect()
}

/// What belongs to no living process. Somebody else's run may be under way on this host, and that is no leftover.
pub(crate) fn left_over() -> Vec<Thing> {
    things().into_iter().filter(|thing| thing.lease.is_empty() || shakedown::owner::is_dead(&thing.lease)).collect()
}

/// Removes things, so that what one test leaves does not fail the next.
pub(crate) fn remove(things: &[Thing]) {
    for (kind, arguments) in [
        ("container", vec!["rm", "--force", "--volumes"]),
        ("network", vec!["network", "rm"]),
        ("volume", vec!["volume", "rm"]),
    ] {
        let names = things.iter().filter(|thing| thing.kind == kind).map(|thing| thing.name.as_str());
        for name in names {
            succeeds(&[&arguments[..], &[name]].concat());
        }
    }
}
