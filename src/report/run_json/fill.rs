//! From the record to the shapes of `run.json`.

use std::time::Duration;

use super::{
    AttemptJson, BrokeJson, CountsJson, EnvironmentJson, EvidenceJson, FailureJson, ImageJson, LaneStoodDownJson,
    LowerBoundJson, RateJson, ReportsJson, RunJson, SCHEMA_VERSION, ServiceUseJson, StopJson, TestJson,
};
use crate::event::{Attempt, ServiceUse};
use crate::id::EnvironmentId;
use crate::report::paths::{ReportPaths, evidence_of};
use crate::report::record::{EnvironmentRecord, Limit, LowerBound, Rate, RunRecord, TestRecord};
use crate::report::summary;
use crate::signature;
use crate::verdict::{Failure, Outcome, RunVerdict, TestVerdict};

impl From<&RunRecord> for RunJson {
    fn from(record: &RunRecord) -> Self {
        let header = &record.header;
        let ending = record.ending.as_ref();
        Self {
            schema_version: SCHEMA_VERSION,
            run: header.run.to_string(),
            suite: header.suite.clone(),
            candidate: header.candidate.clone(),
            trigger: header.trigger.clone(),
            seed: header.seed.to_string(),
            lanes: header.lanes,
            attempts_limit: header.attempts,
            repeat: header.repeat,
            cpus: header.cpus,
            fail_on_flaky: header.fail_on_flaky,
            started: record.started,
            planned: record.planned,
            first_attempt: record.first_attempt(),
            ended: ending.map(|e| e.at),
            wall_time_ms: record.wall_time().map(ms),
            time_to_first_test_ms: record.time_to_first_test().map(ms),
            verdict: ending.map(|e| e.verdict.word().to_owned()),
            verdict_reason: ending.and_then(|e| verdict_reason(&e.verdict)),
            exit_code: ending.map(|e| e.exit_code),
            stopped: record
                .stop
                .as_ref()
                .map(|(at, reason)| StopJson { at: *at, reason: summary::stop_reason(reason) }),
            counts: counts(record),
            first_try: record.first_try().into(),
            after_retry: record.after_retry().into(),
            lower_bound: record.lower_bound().map(lower_bound),
            selection: header.selection.clone(),
            tests_listed: record.listed,
            units: record.units,
            tests_with_known_duration: record.known,
            tests: record.tests.values().map(TestJson::from).collect(),
            environments: record.environments.iter().map(|(id, e)| environment(*id, e)).collect(),
            images: record
                .images
                .iter()
                .map(|(service, took)| ImageJson { service: service.clone(), took_ms: took.map(ms) })
                .collect(),
            lanes_stood_down: record
                .stood_down
                .iter()
                .map(|(lane, why)| LaneStoodDownJson { lane: u32::from(lane.0) + 1, why: why.clone() })
                .collect(),
            warnings: record.warnings.clone(),
            reports: ReportsJson { junit: ReportPaths::JUNIT.to_owned(), summary: ReportPaths::SUMMARY.to_owned() },
        }
    }
}

fn verdict_reason(verdict: &RunVerdict) -> Option<String> {
    match verdict {
        RunVerdict::Passed | RunVerdict::Failed | RunVerdict::NoTests => None,
        RunVerdict::Incomplete(reason) => Some(summary::stop_reason(reason)),
        RunVerdict::SuiteBroken(why) | RunVerdict::EnvironmentsUnavailable(why) => Some(why.clone()),
        RunVerdict::Interrupted(signal) => Some(summary::signal(*signal).to_owned()),
    }
}

fn counts(record: &RunRecord) -> CountsJson {
    let counts = record.counts();
    CountsJson {
        total: counts.total(),
        passed: counts.of(TestVerdict::Passed),
        flaky: counts.of(TestVerdict::Flaky),
        failed: counts.of(TestVerdict::Failed),
        quarantined: counts.of(TestVerdict::Quarantined),
        skipped: counts.of(TestVerdict::Skipped),
        not_run: counts.of(TestVerdict::NotRun),
        environment_broke: counts.of(TestVerdict::EnvironmentBroke),
    }
}

fn lower_bound(figures: LowerBound) -> LowerBoundJson {
    let (limit, bound) = figures.bound();
    LowerBoundJson {
        limit: limit.word().to_owned(),
        bound_ms: ms(bound),
        longest_chain_ms: ms(figures.of(Limit::Chain)),
        work_over_lanes_ms: ms(figures.of(Limit::Work)),
        cpu_ms: ms(figures.of(Limit::Cpu)),
    }
}

impl From<Rate> for RateJson {
    fn from(rate: Rate) -> Self {
        let percent = rate.percent().map(|p| (p * 100.0).round() / 100.0);
        Self { passed: rate.passed, of: rate.of, percent }
    }
}

impl From<&TestRecord> for TestJson {
    fn from(test: &TestRecord) -> Self {
        let planned = &test.planned;
        Self {
            id: planned.id.to_string(),
            selector: planned.selector.clone(),
            file: planned.file.clone(),
            line: (planned.line > 0).then_some(planned.line),
            name: planned.name.clone(),
            tags: planned.tags.clone(),
            expected_ms: ms(planned.expected),
            verdict: test.verdict().word().to_owned(),
            attempts: test
                .attempts
                .iter()
                .map(|attempt| AttemptJson { evidence: evidence(test, attempt), ..AttemptJson::from(attempt) })
                .collect(),
        }
    }
}

fn evidence(test: &TestRecord, attempt: &Attempt) -> Option<EvidenceJson> {
    let kept = test.evidence.get(&attempt.number)?;
    let folder = evidence_of(&test.planned.id).join(attempt.number.to_string());
    Some(EvidenceJson { folder: folder.display().to_string(), files: kept.files.clone() })
}

impl From<&Attempt> for AttemptJson {
    fn from(attempt: &Attempt) -> Self {
        let (failure, limit, reason) = match &attempt.outcome {
            Outcome::Passed | Outcome::Interrupted => (None, None, None),
            Outcome::Failed(failure) => (Some(FailureJson::from(failure)), None, None),
            Outcome::TimedOut { limit, why } => (None, Some(ms(*limit)), (!why.is_empty()).then(|| why.clone())),
            Outcome::Skipped { reason: words } | Outcome::EnvironmentBroke { cause: words } => {
                (None, None, Some(words.clone()))
            }
        };
        Self {
            number: attempt.number.0,
            environment: attempt.environment.to_string(),
            unit: attempt.unit.0,
            position: attempt.position,
            predecessor: attempt.predecessor.as_ref().map(ToString::to_string),
            started: attempt.started,
            duration_ms: ms(attempt.duration),
            outcome: attempt.outcome.word().to_owned(),
            signature: signature::of_outcome(&attempt.outcome).map(|signature| signature.to_string()),
            failure,
            limit_ms: limit,
            reason,
            output: attempt.output.clone(),
            evidence: None,
        }
    }
}

impl From<&Failure> for FailureJson {
    fn from(failure: &Failure) -> Self {
        let Failure { class, message, file, line, backtrace } = failure.clone();
        Self { class, message, file, line, backtrace }
    }
}

fn environment(id: EnvironmentId, environment: &EnvironmentRecord) -> EnvironmentJson {
    EnvironmentJson {
        id: id.to_string(),
        lane: u32::from(id.lane.0) + 1,
        generation: id.generation,
        started: environment.started,
        boot_ms: environment.boot.map(ms),
        broke: environment.broke.clone().map(|(at, broken)| BrokeJson {
            at,
            service: broken.service,
            cause: broken.cause,
            log_tail: broken.log_tail,
        }),
        removed: environment.removed,
        standby: environment.standby,
        resets: environment.resets,
        resets_ms: ms(environment.resetting),
        cpu_ms: ms(environment.used.cpu),
        memory_peak_bytes: told(environment.used.memory_peak),
        services: environment.used.services.iter().map(|(service, used)| service_use(service, *used)).collect(),
    }
}

fn service_use(service: &str, used: ServiceUse) -> ServiceUseJson {
    ServiceUseJson {
        service: service.to_owned(),
        cpu_ms: ms(used.cpu),
        memory_peak_bytes: told(used.memory_peak),
        memory_limit_bytes: used.memory_limit,
        cpus_limit_milli: used.cpus_milli_limit,
    }
}

fn told(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
