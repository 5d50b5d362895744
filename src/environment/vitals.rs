//! What is known of one service by what the engine tells, and what that means. Pure.

use crate::engine::Happened;

/// The signals by which a process is ended at once, and so without a word of its own.
const KILL: i64 = 9;
/// An exit code above this one names the signal that ended the process.
const BY_SIGNAL: i64 = 128;

/// What is known of one service. It is fed with everything that the engine tells of the service's container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vitals {
    /// The kernel killed a process of it for want of memory.
    starved: bool,
    /// The last signal that somebody had the engine send it.
    signal: Option<String>,
    paused: bool,
    ended: Option<i64>,
    removed: bool,
    /// Why it is unhealthy.
    unhealthy: Option<String>,
}

/// What is to be done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// Nothing.
    None,
    /// The service goes on, but an attempt that does not pass from now on is not to blame.
    Ailing,
    /// The environment is broken.
    Broken,
}

/// What has to be known of a service besides, to tell what an event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// Whether it is expected to run as long as its environment, so that even an end with exit code 0 breaks it.
    pub(super) lasts: bool,
    /// Its own memory limit in bytes.
    pub(super) memory: Option<u64>,
}

impl Vitals {
    /// Takes in what happened.
    pub(super) fn take(&mut self, what: &Happened, expected: Expected) -> Concern {
        match what {
            // Its own start comes before this is fed, and after an end it is too late.
            Happened::Started => Concern::None,
            Happened::OutOfMemory => {
                self.starved = true;
                Concern::Ailing
            }
            Happened::Signalled(signal) => {
                self.signal = Some(signal.clone());
                Concern::None
            }
            Happened::Paused => {
                self.paused = true;
                Concern::Ailing
            }
            Happened::Resumed => {
                self.paused = false;
                Concern::None
            }
            Happened::Ended(code) => self.end(*code, expected),
            Happened::Removed if self.has_done_its_work() => Concern::None,
            Happened::Removed => {
                self.removed = true;
                Concern::Broken
            }
        }
    }

    /// Its first process has ended, by an event or as it was found.
    pub(super) fn end(&mut self, code: i64, expected: Expected) -> Concern {
        if code == 0 && !expected.lasts && self.signal.is_none() {
            self.ended.get_or_insert(0);
            return Concern::None;
        }
        self.ended = Some(code);
        Concern::Broken
    }

    /// Its health check failed as often as it may, for this reason.
    pub(super) fn fall_ill(&mut self, why: String) {
        self.unhealthy = Some(why);
    }

    /// Whether it ended with exit code 0 and nobody needs it any more.
    pub(super) fn has_done_its_work(&self) -> bool {
        self.ended == Some(0) && self.signal.is_none()
    }

    /// Why the environment is broken, or why an attempt that did not pass is not to blame; `None` where the service is
    /// well. `when` says `while tests ran`.
    pub(super) fn cause(&self, service: &str, expected: Expected, when: &str) -> Option<String> {
        match self.ended {
            Some(0) if !expected.lasts && self.signal.is_none() => {}
            Some(code) => return Some(self.ending(service, code, expected, when)),
            None => {}
        }
        if self.removed {
            return Some(format!("{service} was removed by somebody else {when}"));
        }
        if self.starved {
            let limit = limit(expected.memory);
            return Some(format!("{service} ran out of memory {when}, and a process of it was killed: {limit}"));
        }
        if self.paused {
            return Some(format!("{service} was paused by somebody else {when}"));
        }
        self.unhealthy.as_ref().map(|why| format!("{service} became unhealthy {when}: {why}"))
    }

    /// What is said of an ended service: `web ended with exit code 1 while tests ran`.
    pub(super) fn ending(&self, service: &str, code: i64, expected: Expected, when: &str) -> String {
        if self.starved {
            let limit = limit(expected.memory);
            return format!("{service} ran out of memory {when}: {limit}; it ended with exit code {code}");
        }
        match &self.signal {
            Some(signal) => {
                // Not every engine tells which one.
                let signal = if signal.is_empty() { "a signal".to_owned() } else { format!("signal {signal}") };
                format!("{service} was sent {signal} by somebody else and ended with exit code {code} {when}")
            }
            None if code == BY_SIGNAL + KILL => format!(
                "{service} ended with exit code {code} {when}: it was killed, neither through the engine nor at a memory \
                 limit of its own, as happens when the host runs out of memory"
            ),
            None => format!("{service} ended with exit code {code} {when}"),
        }
    }

    /// What is said of a service that runs on after it ran out of memory.
    pub(super) fn starving(service: &str, expected: Expected) -> String {
        let limit = limit(expected.memory);
        format!(
            "{service} ran out of memory, and a process of it was killed: {limit}; tests that fail now are not to blame"
        )
    }

    /// It was found to have run out of memory, which no event had told.
    pub(super) fn found_starved(&mut self) {
        self.starved = true;
    }
}

/// A process is killed for want of memory when all that its container may use is in use.
fn limit(memory: Option<u64>) -> String {
    match memory {
        Some(bytes) => {
            let size = size(bytes);
            format!("limit {size}, all of it in use at the kill")
        }
        None => "it has no memory limit of its own".to_owned(),
    }
}

/// A cause, with what the end of the service's log says of it that an exit code can't tell.
pub(super) fn with_log(cause: String, log_tail: &[String]) -> String {
    const DISK_FULL: &str = "No space left on device";
    let says_so = !cause.contains(DISK_FULL) && log_tail.iter().any(|line| line.contains(DISK_FULL));
    if says_so { format!("{cause}; its log says: {DISK_FULL}") } else { cause }
}

/// A number of bytes with a unit: `64 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
            return if tenths == 0 { format!("{whole} {name}") } else { format!("{whole}.{tenths} {name}") };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SERVER: Expected = Expected { lasts: true, memory: Some(64 << 20) };
    const STEP: Expected = Expected { lasts: false, memory: None };

    fn after(events: &[Happened], expected: Expected) -> (Concern, Option<String>) {
        let mut vitals = Vitals::default();
        let worst = events.iter().map(|event| vitals.take(event, expected)).max().unwrap_or(Concern::None);
        (worst, vitals.cause("db", expected, "while tests ran"))
    }

    #[test]
    fn each_cause_has_its_words() {
        let killed = || Happened::Signalled("9".to_owned());
        let cases: [(&str, Vec<Happened>, Expected); 12] = [
            ("crash", vec![Happened::Ended(1)], SERVER),
            ("crash of a step", vec![Happened::Ended(1)], STEP),
            ("end of a server", vec![Happened::Ended(0)], SERVER),
            ("end of a step", vec![Happened::Ended(0)], STEP),
            ("out of memory", vec![Happened::OutOfMemory, Happened::Ended(137)], SERVER),
            ("a child is out of memory", vec![Happened::OutOfMemory], SERVER),
            ("out of memory without a limit", vec![Happened::OutOfMemory], STEP),
            ("killed through the engine", vec![killed(), Happened::Ended(137)], SERVER),
            ("killed otherwise", vec![Happened::Ended(137)], SERVER),
            ("restarted", vec![Happened::Ended(143), Happened::Started], SERVER),
            ("removed", vec![Happened::Removed], SERVER),
            ("paused", vec![Happened::Paused], SERVER),
        ];
        let told = cases.map(|(name, events, expected)| {
            let (concern, cause) = after(&events, expected);
            format!("{name}: {concern:?}: {}", cause.unwrap_or_default())
        });
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_service_that_was_paused_and_goes_on_is_well() {
        assert_eq!(after(&[Happened::Paused, Happened::Resumed], SERVER), (Concern::Ailing, None));
    }

    #[test]
    fn a_signal_that_it_survives_means_nothing() {
        assert_eq!(after(&[Happened::Signalled("HUP".to_owned())], SERVER), (Concern::None, None));
    }

    fn happened() -> impl Strategy<Value = Happened> {
        prop_oneof![
            Just(Happened::Started),
            Just(Happened::OutOfMemory),
            Just(Happened::Signalled("15".to_owned())),
            Just(Happened::Paused),
            Just(Happened::Resumed),
            (0..256_i64).prop_map(Happened::Ended),
            Just(Happened::Removed),
        ]
    }

    proptest! {
        #[test]
        fn what_broke_once_stays_broken_and_has_a_cause(
            events in prop::collection::vec(happened(), 1..12), lasts: bool,
        ) {
            let (worst, cause) = after(&events, Expected { lasts, memory: None });
            if worst == Concern::Broken {
                prop_assert!(cause.is_some());
            }
            prop_assert!(cause.is_none() || worst > Concern::None);
        }
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [512, 64 << 20, 1536 << 20, (64 << 20) + 1].map(size);
        assert_eq!(sizes, ["512 B", "64 MiB", "1.5 GiB", "64 MiB"]);
    }
}
