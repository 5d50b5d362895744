//! What ran when, so that an attempt knows what ran beside it.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::id::{AttemptNumber, EnvironmentId, TestId};

/// How many ended attempts are remembered: more than can have overlapped with one that runs.
const MOST: usize = 4096;

/// Attempts that run, and those that ended not long ago.
#[derive(Debug, Default)]
pub(super) struct Board {
    running: BTreeMap<EnvironmentId, Ran>,
    ended: VecDeque<(EnvironmentId, Ran)>,
}

/// An attempt that ran beside another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ran {
    pub(super) test: String,
    pub(super) attempt: u32,
    pub(super) environment: String,
    pub(super) started: Timestamp,
    /// None while it runs.
    pub(super) ended: Option<Timestamp>,
}

impl Board {
    pub(super) fn started(&mut self, environment: EnvironmentId, test: &TestId, number: AttemptNumber, at: Timestamp) {
        let ran = Ran {
            test: test.to_string(),
            attempt: number.0,
            environment: environment.to_string(),
            started: at,
            ended: None,
        };
        self.running.insert(environment, ran);
    }

    /// The attempt in `environment` ended. Returns what ran in other environments in its time, oldest first.
    pub(super) fn ended(&mut self, environment: EnvironmentId, from: Timestamp, to: Timestamp) -> Vec<Ran> {
        if let Some(ran) = self.running.remove(&environment) {
            if self.ended.len() == MOST {
                self.ended.pop_front();
            }
            self.ended.push_back((environment, Ran { ended: Some(to), ..ran }));
        }
        let all = self.ended.iter().map(|(of, ran)| (of, ran)).chain(&self.running);
        let others = all.filter(|(of, ran)| {
            **of != environment && ran.started <= to && ran.ended.is_none_or(|ended| ended >= from)
        });
        let mut beside: Vec<Ran> = others.map(|(_, ran)| ran.clone()).collect();
        beside.sort_by_key(|ran| ran.started);
        beside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LaneIndex;

    #[test]
    fn what_overlaps_ran_beside_and_nothing_else_did() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let environment = |lane| EnvironmentId { lane: LaneIndex(lane), generation: 1 };
        let mut board = Board::default();
        let mut start = |lane, name: &str, second| {
            board.started(environment(lane), &TestId::new("a", name, 1), AttemptNumber::FIRST, at(second));
            if name == "early" {
                board.ended(environment(lane), at(second), at(second + 1));
            }
        };
        start(1, "early", 0);
        start(0, "it", 5);
        start(1, "beside", 6);
        board.ended(environment(1), at(6), at(7));
        board.started(environment(2), &TestId::new("a", "runs on", 1), AttemptNumber::FIRST, at(8));
        let beside = board.ended(environment(0), at(5), at(9));
        let names: Vec<&str> = beside.iter().map(|ran| ran.test.rsplit("::").next().unwrap()).collect();
        assert_eq!(names, ["beside", "runs on"]);
        assert_eq!((beside[0].ended, beside[1].ended), (Some(at(7)), None));
    }
}
