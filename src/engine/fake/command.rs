//! The scripted suite as the framework `command` sees it: a program that lists tests, and one that runs a test or a
//! file and writes JUnit XML.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::Happened;
use super::FakeEngine;
use super::process::{Inside, KILLED};
use super::suite::{Behaviour, FakeSuite, FakeTest, SuiteFault};

/// How long after a service has crashed its test fails.
const CRASH_SHOWS_AFTER: Duration = Duration::from_millis(30);

/// Does what the words say, and returns the exit code.
pub(super) async fn execute(suite: &FakeSuite, inside: &Inside, words: &[String], attempt: u64) -> i64 {
    let (paths, tests): (Vec<&String>, Vec<&String>) =
        words.iter().skip(1).partition(|word| word.starts_with('/') || word.starts_with("in memory"));
    match words.first().map(String::as_str) {
        Some(FakeEngine::LIST_TESTS) => list(suite, inside).await,
        Some(_) if !tests.is_empty() => run(suite, inside, &tests, paths.first().copied(), attempt).await,
        _ => 2,
    }
}

async fn list(suite: &FakeSuite, inside: &Inside) -> i64 {
    tokio::time::sleep(suite.load).await;
    match suite.fault {
        Some(SuiteFault::Missing) => {
            inside.write_error("sh: 1: list-tests: not found\n");
            return 127;
        }
        Some(SuiteFault::HangsWhileListing) => std::future::pending().await,
        Some(SuiteFault::NeedsToList(service)) if !inside.has_beside(service) => return 1,
        Some(SuiteFault::NeedsToFind(service)) if !inside.has_beside(service) => return 0,
        Some(
            SuiteFault::LoadError
            | SuiteFault::WrongProtocol
            | SuiteFault::SilentLoad
            | SuiteFault::Garbage
            | SuiteFault::Miscounts
            | SuiteFault::DiesWhileListing
            | SuiteFault::NeedsToLoad(_)
            | SuiteFault::NeedsToLive(_)
            | SuiteFault::NeedsToList(_)
            | SuiteFault::NeedsToFind(_),
        )
        | None => {}
    }
    for test in &suite.tests {
        inside.write(format!("{}::{}\n", test.file, test.name));
    }
    0
}

/// Runs what was asked for, and writes the results as it goes.
async fn run(suite: &FakeSuite, inside: &Inside, asked: &[&String], junit: Option<&String>, attempt: u64) -> i64 {
    let mut code = 0;
    let mut results = "<testsuite name=\"fake\">".to_owned();
    let is_asked = |test: &&FakeTest| {
        asked.iter().any(|asked| match asked.split_once("::") {
            Some((file, name)) => test.file == file && test.name == name,
            None => test.file == **asked,
        })
    };
    let write_results = |results: &str| {
        if let Some(path) = junit {
            let _ = inside.engine.world().write_file(&inside.container, path, results.as_bytes());
        }
    };
    for test in suite.tests.iter().filter(is_asked) {
        tokio::time::sleep(test.takes).await;
        let inner = match outcome(test, inside, attempt).await {
            Told::Passed => "",
            Told::Skipped => "<skipped message=\"not today\"/>",
            Told::Failed => {
                code = 1;
                inside.write("expected 1, got 2\n");
                "<failure message=\"expected 1, got 2\" type=\"AssertionError\">at tests/a.sh:3</failure>"
            }
            Told::Nothing => continue,
            Told::Killed => return KILLED,
        };
        // Writing to text never fails.
        let _ = write!(results, "<testcase classname=\"{}\" name=\"{}\">{inner}</testcase>", test.file, test.name);
        write_results(&results);
    }
    write_results(&format!("{results}</testsuite>"));
    code
}

/// What the results tell of a test.
enum Told {
    Passed,
    Failed,
    Skipped,
    Nothing,
    Killed,
}

async fn outcome(test: &FakeTest, inside: &Inside, attempt: u64) -> Told {
    match &test.behaviour {
        Behaviour::Passes
        | Behaviour::BuildsOn(_)
        | Behaviour::ComesAfter(_)
        | Behaviour::BlockedUpTo(_)
        | Behaviour::PassesBesideStranger
        | Behaviour::Spoils => Told::Passed,
        // There is no worker that could be poisoned, or whose connection could be a bad one.
        Behaviour::EndIsGarbled(_) | Behaviour::EndIsLost(_) | Behaviour::IsCutOff(_) | Behaviour::PoisonsWorker => {
            Told::Passed
        }
        Behaviour::Fails | Behaviour::FailsNoisily(_) => Told::Failed,
        Behaviour::FailsUpTo(last) if attempt <= u64::from(*last) => Told::Failed,
        Behaviour::FailsUpTo(_) => Told::Passed,
        Behaviour::Skips => Told::Skipped,
        Behaviour::Hangs | Behaviour::HangsNoisily => std::future::pending().await,
        Behaviour::KillsWorker => Told::Killed,
        Behaviour::Crashes { up_to, .. } if attempt > u64::from(*up_to) => Told::Passed,
        Behaviour::Crashes { service, .. } | Behaviour::CrashesBeforeStart { service } => {
            inside.engine.world().end_beside(&inside.container, service, 1);
            tokio::time::sleep(CRASH_SHOWS_AFTER).await;
            Told::Failed
        }
        Behaviour::Starves { service, up_to } if attempt <= u64::from(*up_to) => {
            inside.engine.world().starve_beside(&inside.container, service);
            Told::Failed
        }
        Behaviour::Freezes { service, up_to } if attempt <= u64::from(*up_to) => {
            inside.engine.world().freeze_beside(&inside.container, service);
            std::future::pending().await
        }
        Behaviour::OutOfMemory if attempt == 1 => {
            inside.engine.world().tell(&inside.container, Happened::OutOfMemory);
            Told::Killed
        }
        Behaviour::FailsIn(environment) if inside.container.contains(&format!("-{environment}-")) => Told::Failed,
        Behaviour::FailsIn(_) | Behaviour::Starves { .. } | Behaviour::Freezes { .. } | Behaviour::OutOfMemory => {
            Told::Passed
        }
        Behaviour::Unknown | Behaviour::Silent => Told::Nothing,
    }
}
