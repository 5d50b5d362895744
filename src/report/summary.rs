//! What the end of a run comes to, in words that the terminal, Markdown and the other reports share.

use std::fmt::Write as _;

use super::alike::{alike, words};
use super::paths::{ReportPaths, evidence_of};
use super::record::{Counts, Ending, Limit, LowerBound, RunRecord, StartUp, TestRecord, Upkeep};
use super::text;
use crate::event::ServiceUse;
use crate::verdict::{Interruption, RunVerdict, StopReason, TestVerdict};

/// How many tests of one kind are named.
pub(super) const LISTED: usize = 10;
/// Starting units is worth a word from so many percent of the work on.
const LEAST_START_UP: f64 = 1.0;

/// Why the run began to stop early, in words.
pub fn stop_reason(reason: &StopReason) -> String {
    match reason {
        StopReason::Signal(by) => signal(*by).to_owned(),
        StopReason::Deadline => "the deadline passed".to_owned(),
        StopReason::MaxFailures => "--max-failures was reached".to_owned(),
        StopReason::SuiteBroken(why) => format!("the suite can't be run: {why}"),
        StopReason::NoEnvironments(why) => format!("no lane could get an environment any more: {why}"),
        StopReason::StoreLost(why) => format!("results could not be stored: {why}"),
    }
}

/// What a signal did.
pub fn signal(signal: Interruption) -> &'static str {
    match signal {
        Interruption::Interrupt => "stopped by SIGINT (Ctrl-C)",
        Interruption::Terminate => "stopped by SIGTERM",
    }
}

/// Why tests of this run were never settled.
pub fn why_not_run(record: &RunRecord) -> String {
    if let Some((_, reason)) = &record.stop {
        return stop_reason(reason);
    }
    match record.ending.as_ref().map(|e| &e.verdict) {
        Some(RunVerdict::SuiteBroken(why) | RunVerdict::EnvironmentsUnavailable(why)) => why.clone(),
        Some(RunVerdict::Incomplete(reason)) => stop_reason(reason),
        Some(RunVerdict::Interrupted(by)) => signal(*by).to_owned(),
        Some(RunVerdict::Passed | RunVerdict::Failed | RunVerdict::NoTests) | None => {
            "the run ended before the test was settled".to_owned()
        }
    }
}

/// What the run's verdict means, in words; several lines where the reason has several.
pub fn meaning(record: &RunRecord, ending: &Ending) -> String {
    let counts = record.counts();
    match &ending.verdict {
        RunVerdict::Passed => "every test that ran held, at least in a later attempt".to_owned(),
        RunVerdict::Failed if counts.of(TestVerdict::Failed) > 0 => {
            format!("{} failed", text::count(counts.of(TestVerdict::Failed), "test"))
        }
        RunVerdict::Failed if record.header.repeat > 1 => {
            let flaky = text::count(counts.of(TestVerdict::Flaky), "test");
            format!("{flaky} did not pass every time")
        }
        RunVerdict::Failed => {
            let flaky = text::count(counts.of(TestVerdict::Flaky), "flaky test");
            format!("{flaky}, and --fail-on-flaky is set")
        }
        RunVerdict::NoTests if record.listed == 0 => "no test was selected: the suite has none".to_owned(),
        RunVerdict::NoTests => {
            let conditions = record.header.selection.join("; ");
            format!("no test was selected: of {}, none is left by: {conditions}", text::count(record.listed, "test"))
        }
        RunVerdict::SuiteBroken(_)
        | RunVerdict::Incomplete(_)
        | RunVerdict::EnvironmentsUnavailable(_)
        | RunVerdict::Interrupted(_) => cut_short(&ending.verdict),
    }
}

/// What kept a run from coming to its end.
pub fn cut_short(verdict: &RunVerdict) -> String {
    match verdict {
        RunVerdict::Passed | RunVerdict::Failed | RunVerdict::NoTests => "nothing did".to_owned(),
        RunVerdict::SuiteBroken(why) => format!("the suite can't be run: {why}"),
        RunVerdict::Incomplete(reason) => format!("not every test was settled: {}", stop_reason(reason)),
        RunVerdict::EnvironmentsUnavailable(why) => format!("environments could not be provided: {why}"),
        RunVerdict::Interrupted(by) => signal(*by).to_owned(),
    }
}

/// How often a test was tried: `3 attempts`, or `17 of 20 passed` where it was run several times.
pub(super) fn tried(record: &RunRecord, test: &TestRecord) -> String {
    match record.header.repeat {
        0 | 1 => text::count(test.attempts.len(), "attempt"),
        _ => format!("{} of {} passed", test.passes(), test.attempts.len()),
    }
}

/// Rates of passing, with their names. Where tests are run several times, no attempt is a retry.
pub(super) fn rates(record: &RunRecord) -> Vec<(&'static str, String)> {
    if record.header.repeat > 1 {
        return vec![(
            "executions",
            format!("{}, each test {} times", text::rate(record.executions()), record.header.repeat),
        )];
    }
    vec![("first try", text::rate(record.first_try())), ("after retry", text::rate(record.after_retry()))]
}

/// `12 of 66 tests`, or `66 tests` where all were selected.
pub fn selected(selected: usize, listed: usize) -> String {
    if selected == listed {
        text::count(listed, "test")
    } else {
        format!("{selected} of {}", text::count(listed, "test"))
    }
}

/// What was asked for, as one line; `None` for the whole suite.
pub(super) fn selection(record: &RunRecord) -> Option<String> {
    let conditions = &record.header.selection;
    let of = record.planned.map(|_| selected(record.tests.len(), record.listed));
    let words = || conditions.iter().map(|condition| text::one_line(condition)).chain(of).collect::<Vec<_>>();
    (!conditions.is_empty()).then(|| words().join(" · "))
}

/// `66: 60 passed, 3 flaky, 2 failed, 1 skipped`.
pub(super) fn counted(counts: &Counts) -> String {
    let mut parts = Vec::new();
    for verdict in TestVerdict::ALL {
        if counts.of(verdict) > 0 {
            parts.push(format!("{} {}", counts.of(verdict), verdict.word()));
        }
    }
    if parts.is_empty() { "none".to_owned() } else { format!("{}: {}", counts.total(), parts.join(", ")) }
}

/// `longest chain 31.0 s · work over 3 lanes 58.2 s · CPU 44.1 s`.
pub(super) fn bounds(record: &RunRecord, figures: &LowerBound) -> String {
    let part = |limit| match limit {
        Limit::Cpu if figures.cpu.is_zero() => format!("{} not measured", limit_in_words(record, limit)),
        Limit::Chain | Limit::Work | Limit::Cpu => {
            format!("{} {}", limit_in_words(record, limit), text::duration(figures.of(limit)))
        }
    };
    Limit::ALL.map(part).join(" · ")
}

/// `2.1 s × 14 units, 8 % of the work`; `None` where it hardly counts.
pub(super) fn start_up(start_up: Option<StartUp>) -> Option<String> {
    let StartUp { units, typical, percent } = start_up.filter(|start_up| start_up.percent >= LEAST_START_UP)?;
    Some(format!("{} × {}, {percent:.0} % of the work", text::duration(typical), text::count(units, "unit")))
}

/// `12 resets in 3.2 s · 4 environments recycled, 2 replaced from standby`; `None` where there was nothing to do.
pub(super) fn upkeep(upkeep: &Upkeep) -> Option<String> {
    let resets = (upkeep.resets > 0)
        .then(|| format!("{} in {}", text::count(upkeep.resets as usize, "reset"), text::duration(upkeep.resetting)));
    let recycled = (upkeep.recycled > 0).then(|| format!("{} recycled", text::count(upkeep.recycled, "environment")));
    let standby = (upkeep.from_standby > 0).then(|| format!("{} taken from standby", upkeep.from_standby));
    let parts: Vec<String> = [resets, recycled, standby].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `up to 410 MiB for one environment: browser 350 MiB, web 80 MiB of 128 MiB and 1.5 processors`; `None` where it was
/// not measured.
pub(super) fn memory(record: &RunRecord) -> Option<String> {
    let (most, services) = record.memory_peaks()?;
    let services: Vec<String> = services.iter().map(|(name, used)| of_service(name, *used)).collect();
    let services = if services.is_empty() { String::new() } else { format!(": {}", services.join(", ")) };
    Some(format!("up to {} for one environment{services}", text::size(most)))
}

fn of_service(name: &str, used: ServiceUse) -> String {
    let limits = limits(used.memory_limit, used.cpus_milli_limit);
    let limits = if limits.is_empty() { limits } else { format!(" of {limits}") };
    format!("{} {}{limits}", text::one_line(name), text::size(used.memory_peak))
}

/// What a service may take: `128 MiB and 1.5 processors`; empty for no limit.
pub fn limits(memory: Option<u64>, cpus_milli: Option<u32>) -> String {
    let processors = |milli: u32| {
        let number = f64::from(milli) / 1000.0;
        if milli == 1000 { "1 processor".to_owned() } else { format!("{number} processors") }
    };
    let parts: Vec<String> = memory.map(text::size).into_iter().chain(cpus_milli.map(processors)).collect();
    parts.join(" and ")
}

/// `work over 3 lanes`.
pub(super) fn limit_in_words(record: &RunRecord, limit: Limit) -> String {
    match limit {
        Limit::Chain => limit.word().to_owned(),
        Limit::Work => format!("work over {}", text::count(record.header.lanes.into(), "lane")),
        Limit::Cpu => format!("{} over {}", limit.word(), text::count(record.header.cpus as usize, "processor")),
    }
}

/// `shop 3f2c1d0, run 20261124-052900-0000ab (manual)`.
pub(super) fn subject(record: &RunRecord) -> String {
    let header = &record.header;
    let candidate = text::one_line(&header.candidate);
    let candidate = if candidate.is_empty() { String::new() } else { format!(" {candidate}") };
    format!("{}{candidate}, run {} ({})", text::one_line(&header.suite), header.run, header.trigger)
}

/// The verdict's word, in capitals.
pub(super) fn verdict_word(record: &RunRecord) -> String {
    match &record.ending {
        Some(ending) => ending.verdict.word().to_uppercase(),
        None => "NOT ENDED".to_owned(),
    }
}

/// The first tests with a verdict, and how many more there are.
pub(super) fn listed(record: &RunRecord, verdict: TestVerdict) -> (Vec<&TestRecord>, usize) {
    let all: Vec<&TestRecord> = record.tests_with(verdict).collect();
    let more = all.len().saturating_sub(LISTED);
    (all.into_iter().take(LISTED).collect(), more)
}

/// The summary as Markdown, for a job's page or a chat.
pub fn markdown(record: &RunRecord) -> String {
    let mut page = String::new();
    // Writing to a String can't fail.
    let _ = write_markdown(record, &mut page);
    page
}

fn write_markdown(record: &RunRecord, page: &mut String) -> std::fmt::Result {
    writeln!(page, "## {}: {}\n", verdict_word(record), escaped(&subject(record)))?;
    if let Some(ending) = &record.ending
        && ending.exit_code != 0
    {
        let meaning = text::one_line(&meaning(record, ending));
        writeln!(page, "Exit code {}: {}\n", ending.exit_code, escaped(&meaning))?;
    }
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| tests | {} |", counted(&record.counts()))?;
    if let Some(selection) = selection(record) {
        writeln!(page, "| selected | {} |", escaped(&selection))?;
    }
    for (name, rate) in rates(record) {
        writeln!(page, "| {name} | {rate} |")?;
    }
    if let Some(wall) = record.wall_time() {
        writeln!(page, "| wall time | {} |", text::duration(wall))?;
    }
    if let Some(figures) = record.lower_bound() {
        let (limit, bound) = figures.bound();
        let limit = limit_in_words(record, limit);
        writeln!(page, "| lower bound | {} ({limit}) |", text::duration(bound))?;
    }
    if let Some(first) = record.time_to_first_test() {
        writeln!(page, "| first test after | {} |", text::duration(first))?;
    }
    if let Some(start_up) = start_up(record.start_up()) {
        writeln!(page, "| start-up | {start_up} |")?;
    }
    if let Some(upkeep) = upkeep(&record.upkeep()) {
        writeln!(page, "| kept clean | {upkeep} |")?;
    }
    if let Some(memory) = memory(record) {
        writeln!(page, "| memory | {} |", escaped(&memory))?;
    }
    writeln!(page, "| seed | {} |", record.header.seed)?;
    for (verdict, heading) in HEADINGS {
        let (tests, more) = listed(record, verdict);
        if tests.is_empty() {
            continue;
        }
        writeln!(page, "\n### {heading}\n")?;
        for test in tests {
            let title = text::title(&test.planned.file, &test.planned.name);
            let attempts = tried(record, test);
            let evidence = evidence_of(&test.planned.id);
            let kept = test.attempts.iter().any(|attempt| attempt.outcome.leaves_evidence());
            let evidence = if kept { format!(", [evidence]({})", evidence.display()) } else { String::new() };
            writeln!(page, "- {} ({attempts}{evidence})", code(&title))?;
        }
        if more > 0 {
            writeln!(page, "- and {more} more")?;
        }
    }
    let alike = alike(record);
    if !alike.is_empty() {
        writeln!(page, "\n### Failed alike\n")?;
        for (signature, tests) in alike.iter().take(LISTED) {
            writeln!(page, "- {}", escaped(&words(signature, tests)))?;
        }
        if alike.len() > LISTED {
            writeln!(page, "- and {} more", alike.len() - LISTED)?;
        }
    }
    let broken: Vec<_> = record.broken_environments().collect();
    if !broken.is_empty() {
        writeln!(page, "\n### Broken environments\n")?;
        for (environment, _, broke) in broken.iter().take(LISTED) {
            writeln!(page, "- {environment}: {}", code(&text::one_line(&broke.cause)))?;
        }
        if broken.len() > LISTED {
            writeln!(page, "- and {} more", broken.len() - LISTED)?;
        }
    }
    writeln!(page, "\nReports: [{0}]({0}), [{1}]({1})", ReportPaths::JUNIT, ReportPaths::RUN_JSON)
}

/// The verdicts whose tests are named at the end, with what stands above them.
pub(super) const HEADINGS: [(TestVerdict, &str); 4] = [
    (TestVerdict::Failed, "Failed"),
    (TestVerdict::EnvironmentBroke, "Never had an environment that lasted"),
    (TestVerdict::Flaky, "Flaky"),
    (TestVerdict::Quarantined, "Quarantined"),
];

/// Foreign text as Markdown code, fenced so that its own backticks can't end it.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

/// Foreign text within a sentence, so that it is read as it stands.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '@' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_can_end_no_code_and_start_no_markup() {
        assert_eq!(code("adds ``x`` up"), "``` adds ``x`` up ```");
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(escaped("<b>*a*|[x](y)"), "&lt;b>\\*a\\*\\|\\[x\\](y)");
    }
}
