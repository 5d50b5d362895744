//! The scripted worker: the other end of the protocol, written by hand and not from its types, so that a mistake
//! in those can't cancel itself out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::Happened;
use super::process::Inside;
use super::suite::{Behaviour, FakeSuite, FakeTest, SuiteFault};

/// How long after a service has crashed its test fails.
const CRASH_SHOWS_AFTER: Duration = Duration::from_millis(30);
/// How long after it has loaded the suite a worker ends that misses a service.
const MISSES_AFTER: Duration = Duration::from_millis(50);
/// How often a noisy test writes.
const NOISE_EVERY: Duration = Duration::from_millis(1);

/// Works until it is told to quit, and returns its exit code.
pub(super) async fn work(suite: &FakeSuite, inside: &mut Inside) -> i64 {
    if let Some(code) = load(suite, inside).await {
        return code;
    }
    if let Some(SuiteFault::NeedsToLive(service)) = suite.fault {
        tokio::time::sleep(MISSES_AFTER).await;
        if !inside.has_beside(service) {
            return 1;
        }
    }
    while let Some(line) = inside.read_line().await {
        inside.account.heard.fetch_add(1, Ordering::Relaxed);
        let Ok(order) = serde_json::from_str::<Value>(&line) else { return 70 };
        let code = match order["type"].as_str() {
            Some("list") => list(suite, inside).await,
            Some("run") => run_unit(suite, inside, &order).await,
            Some("quit") => return 0,
            _ => Some(70),
        };
        if let Some(code) = code {
            return code;
        }
    }
    // Its input has ended, and nobody told it to quit.
    75
}

fn say(inside: &Inside, message: &Value) {
    inside.write(line(inside, message));
}

/// The next line, with its checksum and number.
fn line(inside: &Inside, message: &Value) -> String {
    let number = inside.account.said.fetch_add(1, Ordering::Relaxed) + 1;
    let line = format!("{number} {message}");
    let mut checksum = u32::MAX;
    for byte in line.bytes() {
        checksum ^= u32::from(byte);
        for _ in 0..8 {
            checksum = if checksum & 1 == 1 { (checksum >> 1) ^ 0xEDB8_8320 } else { checksum >> 1 };
        }
    }
    format!("{:08x} {line}\n", !checksum)
}

/// Loads the suite; says with which exit code the worker ends if it can't.
async fn load(suite: &FakeSuite, inside: &Inside) -> Option<i64> {
    match suite.fault {
        Some(SuiteFault::Missing) => {
            inside.write("exec failed: \"ruby\": executable file not found in $PATH\r\n");
            return Some(127);
        }
        Some(SuiteFault::Garbage) => inside.write("Welcome to the browser image!\n"),
        Some(SuiteFault::SilentLoad) => std::future::pending().await,
        Some(
            SuiteFault::LoadError
            | SuiteFault::WrongProtocol
            | SuiteFault::Miscounts
            | SuiteFault::HangsWhileListing
            | SuiteFault::DiesWhileListing
            | SuiteFault::NeedsToLoad(_)
            | SuiteFault::NeedsToLive(_)
            | SuiteFault::NeedsToList(_)
            | SuiteFault::NeedsToFind(_),
        )
        | None => {}
    }
    let protocol = if suite.fault == Some(SuiteFault::WrongProtocol) { 99 } else { 2 };
    say(inside, &json!({"type": "hello", "protocol": protocol, "framework": "rspec", "version": "3.13", "pid": 1}));
    tokio::time::sleep(suite.load).await;
    let misses = matches!(suite.fault, Some(SuiteFault::NeedsToLoad(service)) if !inside.has_beside(service));
    if misses || suite.fault == Some(SuiteFault::LoadError) {
        let message = "undefined local variable or method 'shop'";
        say(inside, &json!({"type": "load_error", "message": message, "file": "spec/helper.rb", "line": 7}));
        return Some(1);
    }
    say(inside, &json!({"type": "loaded", "duration_ms": suite.load.as_secs_f64() * 1000.0}));
    None
}

async fn list(suite: &FakeSuite, inside: &Inside) -> Option<i64> {
    let misses = matches!(suite.fault, Some(SuiteFault::NeedsToFind(service)) if !inside.has_beside(service));
    let tests = if misses { &[] } else { suite.tests.as_slice() };
    for test in tests {
        let (selector, file, name) = (test.selector(), &test.file, &test.name);
        say(inside, &json!({"type": "test", "selector": selector, "file": file, "line": 1, "name": name, "tags": []}));
    }
    match suite.fault {
        Some(SuiteFault::HangsWhileListing) => std::future::pending().await,
        Some(SuiteFault::DiesWhileListing) => return Some(1),
        Some(SuiteFault::NeedsToList(service)) if !inside.has_beside(service) => return Some(1),
        Some(SuiteFault::Miscounts) => say(inside, &json!({"type": "listed", "count": suite.tests.len() + 1})),
        Some(
            SuiteFault::LoadError
            | SuiteFault::Missing
            | SuiteFault::WrongProtocol
            | SuiteFault::SilentLoad
            | SuiteFault::Garbage
            | SuiteFault::NeedsToLoad(_)
            | SuiteFault::NeedsToLive(_)
            | SuiteFault::NeedsToList(_)
            | SuiteFault::NeedsToFind(_),
        )
        | None => say(inside, &json!({"type": "listed", "count": tests.len()})),
    }
    None
}

async fn run_unit(suite: &FakeSuite, inside: &Inside, order: &Value) -> Option<i64> {
    let asked = order["tests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut unknown, mut not_run, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    tokio::time::sleep(suite.unit_start).await;
    let (mut spoiled, mut blocked) = (false, Vec::new());
    for asked in asked {
        let selector = asked["selector"].as_str().unwrap_or_default();
        let known = suite.tests.iter().find(|test| test.selector() == selector);
        match known.filter(|test| test.behaviour != Behaviour::Unknown) {
            None => unknown.push(selector),
            Some(FakeTest { behaviour: Behaviour::BuildsOn(before), .. }) if failed.contains(before) => {
                not_run.push(selector);
            }
            Some(FakeTest { behaviour: Behaviour::BlockedUpTo(last), .. })
                if asked["attempt"].as_u64().unwrap_or(0) <= u64::from(*last) =>
            {
                blocked.push(json!({"selector": selector, "cause": "the set-up failed: no"}));
            }
            Some(test) => {
                spoiled |= test.behaviour == Behaviour::Spoils;
                let attempt = asked["attempt"].as_u64().unwrap_or(0);
                if matches!(test.behaviour, Behaviour::FailsUpTo(last) if attempt <= u64::from(last)) {
                    failed.push(test.name.clone());
                }
                let code = run_test(test, inside, attempt).await;
                if code.is_some() {
                    return code;
                }
            }
        }
    }
    if spoiled {
        say(inside, &json!({"type": "error", "message": "could not be torn down", "file": null, "line": null}));
    }
    let unit = &order["unit"];
    say(
        inside,
        &json!({"type": "unit_ended", "unit": unit, "unknown": unknown, "not_run": not_run, "blocked": blocked,
            "spoiled": spoiled}),
    );
    None
}

/// Runs a test; says with which exit code the worker ends if the test ends it.
async fn run_test(test: &FakeTest, inside: &Inside, attempt: u64) -> Option<i64> {
    let selector = test.selector();
    match &test.behaviour {
        Behaviour::Silent => return None,
        Behaviour::ComesAfter(others) => {
            for other in 1..=*others {
                say(inside, &json!({"type": "before", "name": format!("other {other}")}));
                tokio::time::sleep(test.takes).await;
            }
        }
        Behaviour::CrashesBeforeStart { service } => {
            inside.engine.world().end_beside(&inside.container, service, 1);
            tokio::time::sleep(CRASH_SHOWS_AFTER).await;
        }
        Behaviour::Passes
        | Behaviour::Fails
        | Behaviour::FailsUpTo(_)
        | Behaviour::Skips
        | Behaviour::Hangs
        | Behaviour::HangsNoisily
        | Behaviour::KillsWorker
        | Behaviour::Crashes { .. }
        | Behaviour::Starves { .. }
        | Behaviour::Freezes { .. }
        | Behaviour::OutOfMemory
        | Behaviour::FailsIn(_)
        | Behaviour::PoisonsWorker
        | Behaviour::Unknown
        | Behaviour::BuildsOn(_)
        | Behaviour::BlockedUpTo(_)
        | Behaviour::FailsNoisily(_)
        | Behaviour::EndIsGarbled(_)
        | Behaviour::EndIsLost(_)
        | Behaviour::IsCutOff(_)
        | Behaviour::PassesBesideStranger
        | Behaviour::Spoils => {}
    }
    say(inside, &json!({"type": "started", "selector": selector}));
    let poisoned = inside.account.poisoned.load(Ordering::Relaxed);
    let outcome = match &test.behaviour {
        Behaviour::PoisonsWorker => {
            inside.account.poisoned.store(true, Ordering::Relaxed);
            "passed"
        }
        Behaviour::Passes
        | Behaviour::BuildsOn(_)
        | Behaviour::ComesAfter(_)
        | Behaviour::BlockedUpTo(_)
        | Behaviour::Unknown
        | Behaviour::Silent
        | Behaviour::Spoils
        | Behaviour::CrashesBeforeStart { .. } => "passed",
        Behaviour::Fails => "failed",
        Behaviour::FailsUpTo(last) if attempt <= u64::from(*last) => "failed",
        Behaviour::FailsUpTo(_) => "passed",
        Behaviour::Skips => "skipped",
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::EndIsGarbled(last) if attempt <= u64::from(*last) => {
            inside.write(line(inside, &ended(&selector, "passed", test.takes)).replace("passed", "failed"));
            return None;
        }
        Behaviour::EndIsLost(last) if attempt <= u64::from(*last) => {
            let _ = line(inside, &ended(&selector, "passed", test.takes));
            std::future::pending().await
        }
        // A worker that notices, and an engine that answers for it.
        Behaviour::IsCutOff(last) if attempt <= u64::from(*last) => {
            return Some(if attempt % 2 == 1 { 126 } else { 75 });
        }
        Behaviour::EndIsGarbled(_) | Behaviour::EndIsLost(_) | Behaviour::IsCutOff(_) => "passed",
        Behaviour::HangsNoisily => loop {
            inside.write_error("still here\n");
            tokio::time::sleep(NOISE_EVERY).await;
        },
        Behaviour::KillsWorker => {
            inside.write_error("Killed\n");
            return Some(137);
        }
        Behaviour::Crashes { service, up_to } if attempt <= u64::from(*up_to) => {
            inside.engine.world().end_beside(&inside.container, service, 1);
            tokio::time::sleep(CRASH_SHOWS_AFTER).await;
            "failed"
        }
        Behaviour::Starves { service, up_to } if attempt <= u64::from(*up_to) => {
            inside.engine.world().starve_beside(&inside.container, service);
            "failed"
        }
        Behaviour::Freezes { service, up_to } if attempt <= u64::from(*up_to) => {
            inside.engine.world().freeze_beside(&inside.container, service);
            std::future::pending().await
        }
        Behaviour::OutOfMemory if attempt == 1 => {
            inside.engine.world().tell(&inside.container, Happened::OutOfMemory);
            return Some(137);
        }
        Behaviour::FailsIn(environment) if inside.container.contains(&format!("-{environment}-")) => "failed",
        Behaviour::FailsIn(_)
        | Behaviour::Crashes { .. }
        | Behaviour::Starves { .. }
        | Behaviour::Freezes { .. }
        | Behaviour::OutOfMemory => "passed",
        Behaviour::FailsNoisily(lines) => {
            for line in 0..*lines {
                inside.write_error(format!("line {line} of what the test writes\n"));
            }
            "failed"
        }
        Behaviour::PassesBesideStranger => {
            let stranger = "./nobody_asked_spec.rb[1:1]";
            say(inside, &json!({"type": "started", "selector": stranger}));
            say(inside, &ended(stranger, "failed", Duration::ZERO));
            "passed"
        }
    };
    tokio::time::sleep(test.takes).await;
    let outcome = if poisoned { "failed" } else { outcome };
    say(inside, &ended(&selector, outcome, test.takes));
    None
}

fn ended(selector: &str, outcome: &str, took: Duration) -> Value {
    let failure = (outcome == "failed").then(|| {
        json!({"class": "RSpec::Expectations::ExpectationNotMetError", "message": "expected 1, got 2",
            "file": "spec/a_spec.rb", "line": 3, "backtrace": ["spec/a_spec.rb:3"]})
    });
    let reason = (outcome == "skipped").then_some("not today");
    json!({"type": "ended", "selector": selector, "outcome": outcome, "duration_ms": took.as_secs_f64() * 1000.0,
        "failure": failure, "reason": reason})
}
