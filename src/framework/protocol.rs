//! What is said between `shakedown` and a worker: JSON Lines, one object a line, version 2.
//!
//! What the worker says is numbered and has checksums: `CHECKSUM NUMBER OBJECT`, where the numbers count from 1 and the
//! checksum is the CRC-32 of `NUMBER OBJECT` in eight hexadecimal digits. A worker whose input ends without a
//! [`Quit`](ToWorker::Quit) ends with exit code 75, as its connection was cut.
//! The worker's standard output carries nothing else: what the suite writes goes to its standard error.

use serde::{Deserialize, Serialize};

/// The version that both sides must speak.
pub const VERSION: u32 = 2;
/// The exit code of a worker that was cut off: nobody told it to quit, and its input has ended.
pub const CUT_OFF: i64 = 75;

/// To the worker, on its standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Name all tests.
    List,
    /// Run these tests, in the framework's own order.
    Run {
        /// Comes back with the unit's end.
        unit: String,
        /// The lane that runs it; the tests' process sees it as `SHAKEDOWN_LANE`.
        lane: String,
        /// The tests.
        tests: Vec<AskedTest>,
    },
    /// Clean up and end.
    Quit,
}

/// A test that the worker is asked to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedTest {
    /// How the framework addresses it, as it was listed.
    pub selector: String,
    /// The how-manieth attempt in this run, from 1; the test's process sees it as `SHAKEDOWN_ATTEMPT`.
    pub attempt: u32,
}

/// From the worker, on its standard output.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// First of all, before the suite is loaded.
    Hello {
        /// The version that the worker speaks.
        protocol: u32,
        /// The framework.
        framework: String,
        /// The framework's version, where it can be loaded.
        version: Option<String>,
    },
    /// The suite is loaded.
    Loaded {
        /// How long that took, in milliseconds.
        duration_ms: f64,
    },
    /// The suite can't be loaded; the worker ends.
    LoadError {
        /// The framework's words.
        message: String,
        /// Where, if known.
        file: Option<String>,
        /// The line in `file`.
        line: Option<u32>,
    },
    /// A test, in answer to [`ToWorker::List`].
    Test {
        /// How the framework addresses it.
        selector: String,
        /// Its file, relative to the suite's folder.
        file: String,
        /// Its line.
        line: Option<u32>,
        /// Its full name.
        name: String,
        /// The suite's own tags.
        tags: Vec<String>,
        /// What it must run in one go with, see [`ListedTest::group`](super::ListedTest::group).
        #[serde(default)]
        group: Option<String>,
        /// What the framework needs another process for, see [`ListedTest::project`](super::ListedTest::project).
        #[serde(default)]
        project: Option<String>,
    },
    /// All tests were named.
    Listed {
        /// How many.
        count: usize,
    },
    /// Something starts that was not asked for, and that tests of the unit build on: a test before one of them in its
    /// serial suite, or one of a project that theirs depends on. It takes its own time, not theirs.
    Before {
        /// Its name, for people.
        name: String,
    },
    /// A test starts.
    Started {
        /// Which.
        selector: String,
        /// How long ago, in milliseconds, where that is told late.
        #[serde(default)]
        ago_ms: f64,
    },
    /// A test has ended.
    Ended {
        /// Which.
        selector: String,
        /// How.
        outcome: SaidOutcome,
        /// How long it took, in milliseconds.
        duration_ms: f64,
        /// Why it failed.
        failure: Option<SaidFailure>,
        /// Why it was skipped.
        reason: Option<String>,
        /// Files in the container that show how it failed.
        #[serde(default)]
        attachments: Vec<SaidAttachment>,
    },
    /// The unit is over.
    UnitEnded {
        /// Which.
        unit: String,
        /// Selectors that the worker does not know.
        unknown: Vec<String>,
        /// Selectors of tests that were not started, as one of this unit that they depend on has failed. They are
        /// given back.
        #[serde(default)]
        not_run: Vec<String>,
        /// Tests that were not started, as something has failed that is done before them and is a test of its own. It is
        /// held against that one.
        #[serde(default)]
        blocked: Vec<SaidBlocked>,
        /// Whether something that outlives a test failed, the teardown of a fixture of several tests for instance: what
        /// comes next had better be run by another worker. An [`Error`](Self::Error) has said what it was.
        #[serde(default)]
        spoiled: bool,
    },
    /// Something is worth a warning, and no failure.
    Note {
        /// What, in words.
        message: String,
    },
    /// Something outside of any test went wrong, in a hook for example.
    Error {
        /// The framework's words.
        message: String,
        /// Where, if known.
        file: Option<String>,
        /// The line in `file`.
        line: Option<u32>,
    },
}

/// How a test ended, in the framework's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidOutcome {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// It was not run, as the suite asks.
    Skipped,
}

/// A test that something else has kept from running.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SaidBlocked {
    /// Which.
    pub selector: String,
    /// What failed, and how, in a sentence.
    pub cause: String,
}

/// A file in the runner that shows how a test failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SaidAttachment {
    /// What it shows: `screenshot`, `page`, `browser`, `trace`, `video`, or the name that the suite gave it.
    pub kind: String,
    /// Its absolute path.
    pub path: String,
}

/// Why a test failed, in the framework's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SaidFailure {
    /// The exception's class.
    #[serde(default)]
    pub class: String,
    /// The message.
    #[serde(default)]
    pub message: String,
    /// The first place in the project's own code.
    #[serde(default)]
    pub file: Option<String>,
    /// The line in `file`.
    #[serde(default)]
    pub line: Option<u32>,
    /// The frames, innermost first.
    #[serde(default)]
    pub backtrace: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_as_they_are_documented() {
        let line = r#"{"type":"ended","selector":"./a_spec.rb[1:1]","outcome":"failed","duration_ms":12.5,
            "failure":{"class":"E","message":"no","file":"a_spec.rb","line":3,"backtrace":["a_spec.rb:3"]},"reason":null}"#;
        let FromWorker::Ended { outcome, failure, .. } = serde_json::from_str(line).unwrap() else { panic!() };
        assert_eq!((outcome, failure.unwrap().line), (SaidOutcome::Failed, Some(3)));
        let asked = ToWorker::Run {
            unit: "u1".into(),
            lane: "2".into(),
            tests: vec![AskedTest { selector: "./a_spec.rb[1:1]".into(), attempt: 2 }],
        };
        assert_eq!(
            serde_json::to_string(&asked).unwrap(),
            r#"{"type":"run","unit":"u1","lane":"2","tests":[{"selector":"./a_spec.rb[1:1]","attempt":2}]}"#
        );
    }

    #[test]
    fn a_newer_worker_may_say_more_than_we_know() {
        let line = r#"{"type":"hello","protocol":1,"framework":"rspec","version":"3.12.0","pid":42,"mood":"good"}"#;
        assert!(matches!(serde_json::from_str(line).unwrap(), FromWorker::Hello { protocol: 1, .. }));
    }
}
