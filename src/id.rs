//! Names of the things a run is made of, as types of their own so that a lane can't be taken for an attempt.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A run: `YYYYMMDD-HHMMSS-xxxxxx` in UTC with six random hex digits. Sorts by start time and is safe in
/// file names and in names of containers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The id of a run that starts at `now`; `salt` keeps runs of the same second apart.
    pub fn new(now: Timestamp, salt: u32) -> Self {
        Self(format!("{}-{:06x}", now.strftime("%Y%m%d-%H%M%S"), salt & 0x00ff_ffff))
    }

    /// Takes an id as it was stored.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the run was started, by the clock of its host; `None` where the text is no run's id.
    pub fn started(&self) -> Option<Timestamp> {
        let (time, _) = self.0.rsplit_once('-')?;
        let time = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", time).ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A test, stable from run to run: `file::full name`, with `#2`, `#3`, … where a file names two tests alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestId(String);

impl TestId {
    /// Builds the id from the test's file and full name; `occurrence` is 1 for the first of that name in its file.
    pub fn new(file: &str, name: &str, occurrence: u32) -> Self {
        if occurrence <= 1 { Self(format!("{file}::{name}")) } else { Self(format!("{file}::{name}#{occurrence}")) }
    }

    /// Takes an id as it was stored.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The most characters of a test's name in its folder's name.
const FOLDER_NAME: usize = 60;

impl TestId {
    /// A name for a folder of the test: its file and name as far as they are fit for that, and eight hex digits that
    /// no other test of the suite has: `cart_spec-adds-an-item-1f0c3a5b`.
    pub fn folder(&self) -> String {
        let (file, name) = self.0.split_once("::").unwrap_or(("", &self.0));
        let stem = file.rsplit('/').next().unwrap_or_default();
        let stem = stem.split_once('.').map_or(stem, |(stem, _)| stem);
        let mut folder = String::new();
        for c in format!("{stem}-{name}").chars() {
            let fits = c.is_ascii_alphanumeric() || c == '_';
            if fits && folder.len() < FOLDER_NAME {
                folder.push(c.to_ascii_lowercase());
            } else if !fits && !folder.is_empty() && !folder.ends_with('-') && folder.len() < FOLDER_NAME {
                folder.push('-');
            }
        }
        // FNV-1a: stable whatever this program is built with.
        let hash = self
            .0
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("{}-{:08x}", folder.trim_end_matches('-'), (hash ^ (hash >> 32)) & 0xffff_ffff)
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the N slots that run tests side by side. Counted from 0 inside, shown from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneIndex(pub u16);

impl fmt::Display for LaneIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 + 1)
    }
}

/// One environment of a run: the lane that owns it, and the how-manieth of that lane (from 1). Shown as `2.1`:
/// lane 2's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentId {
    /// The lane that owns the environment.
    pub lane: LaneIndex,
    /// 1 for the lane's first environment, one more after each recycle.
    pub generation: u32,
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.lane, self.generation)
    }
}

/// What an environment goes by on the engine, from its boot to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvironmentName {
    /// It was made for a lane: `2.1`.
    Lane(EnvironmentId),
    /// It was made to stand by for any lane, the how-manieth from 1: `s1`. The lane that takes it gives it an
    /// [`EnvironmentId`] of its own.
    Standby(u32),
    /// It was made for what is frozen of it, and runs no tests: `snapshot`.
    Snapshot,
}

impl EnvironmentName {
    /// The lane that it was made for.
    pub fn lane(self) -> Option<LaneIndex> {
        match self {
            Self::Lane(id) => Some(id.lane),
            Self::Standby(_) | Self::Snapshot => None,
        }
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane(id) => id.fmt(f),
            Self::Standby(number) => write!(f, "s{number}"),
            Self::Snapshot => f.write_str("snapshot"),
        }
    }
}

/// The how-manieth execution of a test in its run, from 1; executions in environments that broke count too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u32);

impl AttemptNumber {
    /// The first execution.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A unit of work within a run: what is handed to a worker at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub u32);

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_sort_by_time_and_are_safe_in_container_names() {
        let at = |s: i64| Timestamp::from_second(s).expect("in range");
        let (a, b) = (RunId::new(at(1_795_000_000), 0xffff_ffff), RunId::new(at(1_795_000_001), 0));
        assert!(a < b);
        assert_eq!(b.as_str(), "20261118-110641-000000");
        assert_eq!(b.started(), Some(at(1_795_000_001)));
        assert_eq!(RunId::from_stored("another-thing").started(), None);
        assert!(a.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }

    #[test]
    fn a_second_test_of_the_same_name_has_its_own_id() {
        assert_ne!(TestId::new("a_spec.rb", "works", 1), TestId::new("a_spec.rb", "works", 2));
    }
}
