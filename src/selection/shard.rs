//! One of several machines' part of the tests.
//!
//! Every machine cuts the parts for itself, so all must come to the same cut, or tests are run twice or not at all. By
//! default it therefore depends on nothing but the listing: files are dealt out whole, and those of one group of the
//! manifest's together, the one with the most tests first, each to the part that has the fewest so far. Known durations make parts of equal length, but only where all
//! machines share one history; whoever has that says so.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use indexmap::IndexMap;

use crate::id::TestId;
use crate::manifest::OrderSettings;
use crate::plan::NamedTest;

/// What makes a file long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShardBy {
    /// How many tests it has.
    #[default]
    Tests,
    /// How long they are known to take; all machines must have the same history.
    Durations,
}

/// The how-manieth part of how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
    by: ShardBy,
    source: String,
}

/// A part.
pub(super) struct Part {
    pub(super) tests: HashSet<TestId>,
    pub(super) note: String,
}

impl Shard {
    /// Part `index`, from 1, of `of`; `source` says what asked for it.
    pub fn new(index: u32, of: u32, by: ShardBy, source: &str) -> Result<Self, String> {
        if index == 0 || index > of {
            return Err(format!("{source} asks for shard {index} of {of}, but shards are counted from 1 to {of}"));
        }
        Ok(Self { index, of, by, source: source.to_owned() })
    }

    /// `2/4`, as it is written on the command line.
    pub fn read(text: &str) -> Result<(u32, u32), String> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if index >= 1 && index <= of => Ok((index, of)),
            Some(_) | None => {
                Err("expected I/N, the how-manieth of how many shards, from 1: 1/4 is the first of four".to_owned())
            }
        }
    }

    /// What CI systems say of the part that a job is: GitLab's parallel jobs count from 1, Buildkite's and CircleCI's
    /// from 0. One part of one is none.
    pub fn from_ci(variable: &dyn Fn(&str) -> Option<String>, by: ShardBy) -> Result<Option<Self>, String> {
        const CI: [(&str, &str, u32); 3] = [
            ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
            ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
            ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
        ];
        for (index_name, of_name, first) in CI {
            let (Some(index), Some(of)) = (variable(index_name), variable(of_name)) else { continue };
            let source = format!("{index_name}={index} and {of_name}={of}");
            let number = |text: &str| text.trim().parse::<u32>().ok();
            let (Some(index), Some(of)) = (number(&index), number(&of)) else {
                return Err(format!("{source} are no numbers"));
            };
            // Counted from 1, whatever the system does.
            let index = index.saturating_add(1 - first);
            return match of {
                0 | 1 => Ok(None),
                _ => Self::new(index, of, by, &source).map(Some),
            };
        }
        Ok(None)
    }

    /// In words: `shard 2 of 4 (--shard 2/4)`.
    pub fn words(&self) -> String {
        let Self { index, of, by, source } = self;
        let by = match by {
            ShardBy::Tests => "",
            ShardBy::Durations => ", by durations",
        };
        format!("shard {index} of {of} ({source}{by})")
    }

    /// The part's tests.
    pub(super) fn part(
        &self,
        tests: &[&NamedTest],
        durations: &HashMap<TestId, Duration>,
        order: &OrderSettings,
    ) -> Part {
        let weights = self.weights(tests, durations);
        let mut files: IndexMap<&str, u64> = IndexMap::new();
        for (test, weight) in tests.iter().zip(weights) {
            *files.entry(&test.listed.file).or_default() += weight;
        }
        let pieces = pieces(files, order);
        let count = pieces.len() as u64;
        let grouped = pieces.iter().any(|piece| piece.group.is_some());
        let mut parts: Vec<(u64, u32)> = (1..=self.of).map(|part| (0, part)).collect();
        let mut part_of: HashMap<&str, u32> = HashMap::new();
        let mut print = Fingerprint::default();
        for piece in pieces {
            let Some(shortest) = parts.iter_mut().min() else { break };
            shortest.0 += piece.weight;
            for file in piece.files {
                part_of.insert(file, shortest.1);
                print.add(file.as_bytes());
                print.add(&shortest.1.to_le_bytes());
            }
        }
        let own = |file: &str| part_of.get(file) == Some(&self.index);
        let files = part_of.values().filter(|part| **part == self.index).count();
        let own: HashSet<TestId> =
            tests.iter().filter(|test| own(&test.listed.file)).map(|test| test.id.clone()).collect();
        let more = match (count < u64::from(self.of), grouped) {
            (false, _) => "",
            (true, false) => "; there are more shards than files, and files are not split",
            (true, true) => "; there are more shards than groups and other files, and neither are split",
        };
        let note = format!(
            "{}: {} of {} tests, in {files} of {} files{more}; all shards of this run must tell the same cut, {print}",
            self.words(),
            own.len(),
            tests.len(),
            part_of.len(),
        );
        Part { tests: own, note }
    }

    /// How much each test counts.
    fn weights(&self, tests: &[&NamedTest], durations: &HashMap<TestId, Duration>) -> Vec<u64> {
        match self.by {
            ShardBy::Tests => vec![1; tests.len()],
            ShardBy::Durations => {
                let known: Vec<Option<Duration>> = tests.iter().map(|test| durations.get(&test.id).copied()).collect();
                let mut sorted: Vec<Duration> = known.iter().flatten().copied().collect();
                sorted.sort_unstable();
                let typical = sorted.get(sorted.len() / 2).copied().unwrap_or(Duration::from_secs(1));
                let millis = |known: Option<Duration>| known.unwrap_or(typical).as_millis().max(1);
                known.into_iter().map(|known| u64::try_from(millis(known)).unwrap_or(u64::MAX / 1_000_000)).collect()
            }
        }
    }
}

/// What is dealt out as one: a file, or all files of a group.
struct Piece<'a> {
    group: Option<usize>,
    /// By name.
    files: Vec<&'a str>,
    weight: u64,
}

/// The pieces, the heaviest first; of equal ones that whose first file comes first by name.
fn pieces<'a>(mut files: IndexMap<&'a str, u64>, order: &OrderSettings) -> Vec<Piece<'a>> {
    // By name, so that the cut does not depend on the order in which the files were listed.
    files.sort_unstable_keys();
    let mut groups: HashMap<usize, usize> = HashMap::new();
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for (file, weight) in files {
        let group = order.group_of(file);
        let there = group.and_then(|group| groups.get(&group)).and_then(|place| pieces.get_mut(*place));
        if let Some(piece) = there {
            piece.files.push(file);
            piece.weight += weight;
            continue;
        }
        groups.extend(group.map(|group| (group, pieces.len())));
        pieces.push(Piece { group, files: vec![file], weight });
    }
    pieces.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.files.cmp(&b.files)));
    pieces
}

/// Tells two cuts apart, whatever this program is built with: FNV-1a.
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06x}", (self.0 ^ (self.0 >> 32)) & 0xff_ffff)
    }
}
