//! Runs to report on, told as events with round times.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shakedown::event::{Attempt, BrokenEnvironment, PlannedTest, ResourceUse, RunEvent, RunHeader, ServiceUse};
use shakedown::id::{AttemptNumber, EnvironmentId, LaneIndex, RunId, TestId, UnitId};
use shakedown::verdict::{Failure, Outcome, RunVerdict, StopReason, TestVerdict};

/// The start of every sample run, and so many milliseconds later.
pub(crate) fn at(millis: i64) -> Timestamp {
    let start: Timestamp = "2026-11-24T05:29:00Z".parse().expect("a timestamp");
    start.checked_add(SignedDuration::from_millis(millis)).expect("in range")
}

/// What two services used, of which one is limited.
fn used(cpu: u64) -> ResourceUse {
    let web = ServiceUse {
        cpu: ms(cpu / 4),
        memory_peak: 80 << 20,
        memory_limit: Some(128 << 20),
        cpus_milli_limit: Some(1500),
    };
    let browser = ServiceUse { cpu: ms(cpu - cpu / 4), memory_peak: 350 << 20, ..ServiceUse::default() };
    let services = [("web", web), ("browser", browser)].map(|(name, used)| (name.to_owned(), used)).into();
    ResourceUse { cpu: ms(cpu), memory_peak: 410 << 20, services }
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The lane's environment; both from 1, as they are shown.
pub(crate) fn environment(lane: u16, generation: u32) -> EnvironmentId {
    EnvironmentId { lane: LaneIndex(lane - 1), generation }
}

pub(crate) fn header() -> RunHeader {
    RunHeader {
        run: RunId::from_stored("20261124-052900-0000ab"),
        suite: "shop".into(),
        candidate: "3f2c1d0".into(),
        trigger: "manual".into(),
        seed: 42,
        lanes: 3,
        attempts: 3,
        repeat: 1,
        cpus: 4,
        fail_on_flaky: false,
        selection: Vec::new(),
        owner: "boot:1:2".into(),
    }
}

pub(crate) fn test(file: &str, line: u32, name: &str, expected: u64) -> PlannedTest {
    PlannedTest {
        id: TestId::new(file, name, 1),
        selector: format!("{file}[1:{line}]"),
        file: file.into(),
        line,
        name: name.into(),
        tags: vec!["smoke".into()],
        expected: ms(expected),
        together: None,
        project: None,
        needs: std::collections::BTreeSet::new(),
    }
}

pub(crate) fn not_equal() -> Outcome {
    Outcome::Failed(Failure {
        class: "RSpec::Expectations::ExpectationNotMetError".into(),
        message: "\nexpected: 1\n\tgot: \u{1b}[31m2\u{1b}[0m\n\n(compared using ==)".into(),
        file: Some("spec/cart_spec.rb".into()),
        line: Some(14),
        backtrace: vec!["spec/cart_spec.rb:14:in 'block'".into(), "spec/support/wait.rb:3:in 'wait'".into()],
    })
}

/// A run as it is told: keeps the numbers of attempts and positions.
pub(crate) struct Script {
    pub(crate) events: Vec<RunEvent>,
}

impl Script {
    pub(crate) fn new(header: RunHeader) -> Self {
        Self { events: vec![RunEvent::RunStarted { at: at(0), header }] }
    }

    pub(crate) fn boot(&mut self, environment: EnvironmentId, from: i64, boot: u64) -> &mut Self {
        self.events.extend([
            RunEvent::EnvironmentStarting { at: at(from), environment },
            RunEvent::EnvironmentProgress { environment, step: "web: starting".into() },
            RunEvent::EnvironmentReady { at: at(from + boot as i64), environment, boot: ms(boot), standby: false },
        ]);
        self
    }

    pub(crate) fn plan(&mut self, from: i64, tests: &[PlannedTest]) -> &mut Self {
        let units = tests.len();
        let notes = vec!["payments-sandbox is used by one lane at a time: 2 tests".to_owned()];
        self.events.push(RunEvent::Planned {
            at: at(from),
            tests: tests.to_vec(),
            listed: units,
            units,
            known: units / 2,
            notes,
        });
        self
    }

    fn attempts(&self, counts: impl Fn(&Attempt) -> bool) -> u32 {
        let ended = self.events.iter().filter(|e| matches!(e, RunEvent::AttemptEnded(a) if counts(a)));
        u32::try_from(ended.count()).expect("few")
    }

    /// A unit of one attempt.
    pub(crate) fn attempt(
        &mut self,
        test: &PlannedTest,
        environment: EnvironmentId,
        from: i64,
        duration: u64,
        outcome: Outcome,
    ) -> &mut Self {
        let number = AttemptNumber(1 + self.attempts(|a| a.test == test.id));
        let position = 1 + self.attempts(|a| a.environment == environment);
        let unit = UnitId(self.attempts(|_| true));
        self.events.extend([
            RunEvent::UnitStarted { environment, unit, tests: 1 },
            RunEvent::UnitBegan { at: at(from), environment, unit, file: test.file.clone(), took: ms(210) },
            RunEvent::AttemptStarted { at: at(from), test: test.id.clone(), number, environment },
            RunEvent::AttemptEnded(Attempt {
                test: test.id.clone(),
                number,
                environment,
                unit,
                position,
                predecessor: None,
                started: at(from),
                duration: ms(duration),
                outcome,
                output: format!("GET /cart\n\u{1b}[2K200 OK in {duration} ms\n"),
            }),
        ]);
        self
    }

    /// What was kept of a test's attempts that did not pass.
    pub(crate) fn keep(&mut self, test: &PlannedTest) -> &mut Self {
        let of = |event: &RunEvent| {
            let RunEvent::AttemptEnded(attempt) = event else { return None };
            (attempt.test == test.id && attempt.outcome.leaves_evidence()).then_some(attempt.number)
        };
        let kept: Vec<AttemptNumber> = self.events.iter().filter_map(of).collect();
        let folder = PathBuf::from("reports/shop/RUN/failures").join(test.id.folder());
        self.events.extend(kept.into_iter().map(|number| RunEvent::EvidenceKept {
            test: test.id.clone(),
            number,
            folder: folder.join(number.to_string()),
            files: ["failure.txt", "browser/page.png", "logs/web.log"].map(str::to_owned).into(),
        }));
        self
    }

    pub(crate) fn settle(&mut self, test: &PlannedTest, verdict: TestVerdict) -> &mut Self {
        self.events.push(RunEvent::TestSettled { test: test.id.clone(), verdict });
        self
    }

    pub(crate) fn broke(&mut self, environment: EnvironmentId, from: i64, cause: &str) -> &mut Self {
        let broken = BrokenEnvironment {
            service: Some("web".into()),
            cause: cause.into(),
            log_tail: vec!["puma: listening".into(), "\u{1b}[31mout of memory\u{1b}[0m".into()],
        };
        self.events.push(RunEvent::EnvironmentBroke { at: at(from), environment, broken });
        self
    }

    pub(crate) fn remove(&mut self, environment: EnvironmentId, from: i64, cpu: u64) -> &mut Self {
        self.events.push(RunEvent::EnvironmentRemoved { at: at(from), environment, used: used(cpu) });
        self
    }

    pub(crate) fn stop(&mut self, from: i64, reason: StopReason) -> &mut Self {
        self.events.push(RunEvent::Stopping { at: at(from), reason });
        self
    }

    pub(crate) fn end(&mut self, from: i64, verdict: RunVerdict, exit_code: u8) -> &mut Self {
        self.events.push(RunEvent::RunEnded { at: at(from), verdict, exit_code });
        self
    }
}

/// A run in which every event and every verdict occurs, hostile names included.
pub(crate) fn one_of_each() -> Vec<RunEvent> {
    let passed = test("spec/cart_spec.rb", 3, "Cart adds an item", 1_000);
    let flaky = test("spec/cart_spec.rb", 12, "Cart adds \"two\" & <three>\n  PASSED 🛒 \u{202e}sdrawkcab", 2_000);
    let failed = test("spec/pay_spec.rb", 8, "Pay by card \u{1b}[31mdeclined]]>\u{7}", 2_500);
    let slow = test("spec/pay_spec.rb", 30, "Pay by invoice", 4_000);
    let quarantined = test("spec/mail_spec.rb", 5, "Mail שלום arrives", 900);
    let skipped = test("spec/mail_spec.rb", 19, "Mail in HTML", 900);
    let broke = test("spec/search_spec.rb", 2, "Search finds nothing", 700);
    let not_run = test("spec/search_spec.rb", 9, "Search finds much", 700);
    let (one, two, three, next) = (environment(1, 1), environment(2, 1), environment(3, 1), environment(3, 2));
    let mut script = Script::new(header());
    script.events.extend([
        RunEvent::ImageProgress { service: "web".into(), line: "Step 1/7 : FROM ruby:3.4".into() },
        RunEvent::ImageProgress { service: "web".into(), line: "Step 2/7 : RUN bundle install".into() },
        RunEvent::ImageReady { service: "web".into(), took: ms(12_300) },
        RunEvent::ImageReady { service: "db".into(), took: Duration::ZERO },
        RunEvent::Warning { message: "reset is set, but no unit ends\nin this suite".into() },
    ]);
    script.boot(one, 12_400, 4_210).boot(two, 12_400, 4_600).boot(three, 12_400, 5_000);
    let tests = [&passed, &flaky, &failed, &slow, &quarantined, &skipped, &broke, &not_run];
    script.plan(17_000, &tests.map(Clone::clone));
    script.attempt(&passed, one, 17_100, 1_234, Outcome::Passed).settle(&passed, TestVerdict::Passed);
    script.attempt(&flaky, two, 17_100, 2_100, not_equal());
    let cause = "web exited with code 137 while tests ran";
    let lost = || Outcome::EnvironmentBroke { cause: cause.into() };
    script.attempt(&broke, three, 17_400, 600, lost()).broke(three, 18_000, cause);
    script.remove(three, 18_500, 3_000);
    script.settle(&broke, TestVerdict::EnvironmentBroke);
    script.attempt(&flaky, one, 18_500, 2_000, Outcome::Passed).settle(&flaky, TestVerdict::Flaky);
    script.attempt(&failed, two, 19_300, 2_500, not_equal()).attempt(&failed, one, 20_600, 2_600, not_equal());
    let why = "by test_timeout in the manifest".to_owned();
    script.attempt(&failed, two, 23_300, 120_000, Outcome::TimedOut { limit: ms(120_000), why });
    script.settle(&failed, TestVerdict::Failed);
    script.attempt(&slow, one, 23_300, 3_900, Outcome::Passed).settle(&slow, TestVerdict::Passed);
    script.attempt(&quarantined, one, 27_300, 900, not_equal()).settle(&quarantined, TestVerdict::Quarantined);
    let reason = || Outcome::Skipped { reason: "only on Fridays".into() };
    script.attempt(&skipped, one, 28_300, 0, reason()).settle(&skipped, TestVerdict::Skipped);
    script.events.extend([
        RunEvent::EnvironmentStarting { at: at(19_000), environment: next },
        RunEvent::LaneStoodDown {
            lane: LaneIndex(2),
            why: "3 boots in a row failed:\nweb did not answer on port 3000 within 90 s".into(),
        },
    ]);
    script.stop(143_400, StopReason::MaxFailures);
    script.settle(&not_run, TestVerdict::NotRun);
    script.remove(one, 143_900, 21_000).remove(two, 144_000, 30_000);
    script.keep(&flaky).keep(&failed).keep(&broke);
    script.end(144_200, RunVerdict::Incomplete(StopReason::MaxFailures), 5);
    script.events
}

/// A run of two lanes in which all went well.
pub(crate) fn passed() -> Vec<RunEvent> {
    let tests = [test("tests/a.py", 0, "adds", 1_000), test("tests/b.py", 0, "pays", 2_000)];
    let (one, two) = (environment(1, 1), environment(2, 1));
    let mut script = Script::new(RunHeader { lanes: 2, candidate: String::new(), ..header() });
    script.boot(one, 0, 3_000).boot(two, 0, 3_500).plan(3_200, &tests);
    script.attempt(&tests[0], one, 3_300, 800, Outcome::Passed).settle(&tests[0], TestVerdict::Passed);
    script.attempt(&tests[1], two, 3_500, 1_900, Outcome::Passed).settle(&tests[1], TestVerdict::Passed);
    script.remove(one, 5_600, 4_000).remove(two, 5_700, 5_000);
    script.end(5_900, RunVerdict::Passed, 0);
    script.events
}
