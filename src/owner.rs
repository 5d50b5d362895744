//! Who owns what a run leaves on an engine and in the store: a process, named so that its death can be told, also
//! after a reboot and when its process id was given to another.

use std::fmt;
use std::fs;

/// A process: host name, boot id, process id and start time, joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    host: String,
    boot: String,
    process: u32,
    started: u64,
}

impl Owner {
    /// This process.
    pub fn this_process() -> std::io::Result<Self> {
        let process = std::process::id();
        Ok(Self {
            host: fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned(),
            boot: boot_id()?,
            process,
            started: start_time(process).ok_or_else(|| std::io::Error::other("/proc does not show this process"))?,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(4, '/');
        let started = parts.next()?.parse().ok()?;
        let process = parts.next()?.parse().ok()?;
        let boot = parts.next()?.to_owned();
        let host = parts.next()?.to_owned();
        Some(Self { host, boot, process, started })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.host, self.boot, self.process, self.started)
    }
}

/// What is known here of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It runs, on this host.
    Lives,
    /// It ran on this host and has ended.
    Ended,
    /// It is another host's, or named by no owner's text.
    Elsewhere,
}

/// What is known here of the process that `text` names.
pub fn whereabouts(text: &str) -> Whereabouts {
    let (Some(owner), Ok(here)) = (Owner::parse(text), Owner::this_process()) else { return Whereabouts::Elsewhere };
    if owner.host != here.host {
        Whereabouts::Elsewhere
    } else if owner.boot != here.boot || start_time(owner.process) != Some(owner.started) {
        Whereabouts::Ended
    } else {
        Whereabouts::Lives
    }
}

/// The process that `text` names, for people: `HOST, process 123`.
pub fn for_people(text: &str) -> Option<String> {
    Owner::parse(text).map(|owner| format!("{}, process {}", owner.host, owner.process))
}

/// Whether the process that `text` names is known to have ended. One on another host, or a text that is not an
/// owner's, is not known to have ended.
pub fn is_dead(text: &str) -> bool {
    whereabouts(text) == Whereabouts::Ended
}

fn boot_id() -> std::io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The start time of a living process in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). A process
/// that ended and was not reaped yet counts as dead.
fn start_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold blanks and parentheses itself.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_dead_and_reads_back() {
        let owner = Owner::this_process().unwrap();
        assert_eq!(Owner::parse(&owner.to_string()), Some(owner.clone()));
        assert!(!is_dead(&owner.to_string()));
    }

    #[test]
    fn another_boot_another_start_time_or_an_ended_process_is_dead() {
        let here = Owner::this_process().unwrap();
        assert!(is_dead(&Owner { boot: "another".into(), ..here.clone() }.to_string()));
        assert!(is_dead(&Owner { started: here.started + 1, ..here.clone() }.to_string()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = child.id();
        let started = start_time(process).unwrap_or(0);
        child.wait().unwrap();
        assert!(is_dead(&Owner { process, started, ..here }.to_string()));
    }

    #[test]
    fn an_owner_on_another_host_is_never_taken_for_dead() {
        let here = Owner::this_process().unwrap();
        assert!(!is_dead(&Owner { host: "elsewhere".into(), boot: "x".into(), ..here }.to_string()));
        assert!(!is_dead("not an owner"));
    }
}
