//! The lines that events leave behind: all that matters for [`Plain`](super::Plain), and what is out of the ordinary
//! for [`Fancy`](super::Fancy), whose screen shows the rest.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::Paint;
use crate::event::{Attempt, BrokenEnvironment, RunEvent, RunHeader};
use crate::id::EnvironmentId;
use crate::report::paths::{evidence_of, logs_of};
use crate::report::record::{RunRecord, TestRecord};
use crate::report::{summary, text};
use crate::verdict::{Outcome, TestVerdict};

/// How many lines of a message, or of a log, are shown. The reports have the rest.
const LINES: usize = 20;

/// How many failures of a test that is run several times are shown.
const REPEATS: usize = 3;

/// Where words stand beside the label.
const INDENT: &str = "            ";

/// Turns events into lines.
#[derive(Debug)]
pub(super) struct Log {
    paint: Paint,
    run_folder: PathBuf,
    /// Whether what goes well is said too.
    all: bool,
    /// The services whose images were announced.
    images: HashSet<String>,
}

impl Log {
    pub(super) fn new(paint: Paint, run_folder: PathBuf, all: bool) -> Self {
        Self { paint, run_folder, all, images: HashSet::new() }
    }

    /// What is to be said of an event, which the record has already.
    pub(super) fn lines(&mut self, event: &RunEvent, record: &RunRecord) -> Vec<String> {
        match event {
            RunEvent::RunStarted { at: _, header } => started(header, record),
            RunEvent::ImageProgress { service, line: _ } => {
                if self.all && self.images.insert(service.clone()) {
                    vec![self.labelled("IMAGE", &format!("{}: is being made ready", text::one_line(service)))]
                } else {
                    Vec::new()
                }
            }
            RunEvent::ImageReady { took, .. } if took.is_zero() => Vec::new(),
            RunEvent::ImageReady { service, took } => {
                let took = text::duration(*took);
                vec![self.labelled("IMAGE", &format!("{}: ready after {took}", text::one_line(service)))]
            }
            RunEvent::EnvironmentReady { at: _, environment, boot, standby } if self.all => {
                let (from, boot) = (if *standby { " from standby" } else { "" }, text::duration(*boot));
                vec![self.labelled("READY", &format!("environment {environment}{from} after {boot}"))]
            }
            RunEvent::EnvironmentBroke { at: _, environment, broken } => self.broke(*environment, broken),
            RunEvent::LaneStoodDown { lane, why } => {
                let label = self.paint.bad(&label("STOOD DOWN"));
                self.with_rest(&format!("{label} lane {lane} gives up: "), why)
            }
            RunEvent::Planned { at: _, tests, listed, units, known, notes } => {
                let (tests, units) = (summary::selected(tests.len(), *listed), text::count(*units, "unit"));
                let planned = self.labelled("PLANNED", &format!("{tests} in {units}, {known} with a known duration"));
                let notes = text::head(notes.iter().map(|note| text::one_line(note)).collect(), LINES);
                std::iter::once(planned).chain(notes.into_iter().map(|note| format!("{INDENT}{note}"))).collect()
            }
            // A run that stops early leaves any number of them; the summary counts them and says why.
            RunEvent::TestSettled { verdict: TestVerdict::NotRun, test: _ } => Vec::new(),
            RunEvent::TestSettled { test, verdict } => match record.tests.get(test) {
                Some(test) if self.all || worth_a_word(*verdict) => self.settled(record, test, *verdict),
                Some(_) | None => Vec::new(),
            },
            RunEvent::Warning { message } => {
                let label = self.paint.doubtful(&label("WARNING"));
                self.with_rest(&format!("{label} "), message)
            }
            RunEvent::Stopping { at: _, reason } => {
                let label = self.paint.doubtful(&label("STOPPING"));
                self.with_rest(&format!("{label} "), &summary::stop_reason(reason))
            }
            RunEvent::EnvironmentStarting { .. }
            | RunEvent::EnvironmentProgress { .. }
            | RunEvent::EnvironmentReady { .. }
            | RunEvent::EnvironmentReset { .. }
            | RunEvent::EnvironmentRemoved { .. }
            | RunEvent::StandbyRemoved { .. }
            | RunEvent::UnitStarted { .. }
            | RunEvent::UnitBegan { .. }
            | RunEvent::AttemptStarted { .. }
            | RunEvent::AttemptEnded(_)
            | RunEvent::EvidenceKept { .. }
            | RunEvent::RunEnded { .. } => Vec::new(),
        }
    }

    fn labelled(&self, word: &str, rest: &str) -> String {
        format!("{} {rest}", self.paint.strong(&label(word)))
    }

    /// A first line with a label, and further lines of foreign text below it.
    fn with_rest(&self, start: &str, foreign: &str) -> Vec<String> {
        let mut lines = text::head(text::lines(foreign), LINES).into_iter();
        let first = format!("{start}{}", lines.next().unwrap_or_default());
        std::iter::once(first).chain(lines.map(|line| format!("{INDENT}{line}").trim_end().to_owned())).collect()
    }

    fn broke(&self, environment: EnvironmentId, broken: &BrokenEnvironment) -> Vec<String> {
        let label = self.paint.bad(&label("ENV BROKE"));
        let mut lines = self.with_rest(&format!("{label} environment {environment}: "), &broken.cause);
        if !broken.log_tail.is_empty() {
            let service = broken.service.as_deref().map(text::one_line).unwrap_or_else(|| "log".to_owned());
            // The end of a log is what led to the break.
            let skipped = broken.log_tail.len().saturating_sub(LINES);
            for line in &broken.log_tail[skipped..] {
                lines.push(format!("{INDENT}{} {}", self.paint.faint(&format!("{service} |")), text::one_line(line)));
            }
        }
        lines.push(self.place_of_logs(&[environment]));
        lines
    }

    fn place_of_logs(&self, environments: &[EnvironmentId]) -> String {
        let names: Vec<String> = environments.iter().map(ToString::to_string).collect();
        self.place("logs:", &logs_of(&self.run_folder), &names)
    }

    /// Several names in braces: short, and a shell takes it as it stands.
    fn place(&self, what: &str, folder: &Path, names: &[String]) -> String {
        let names = if let [name] = names { name.clone() } else { format!("{{{}}}", names.join(",")) };
        format!("{INDENT}{} {}", self.paint.faint(what), folder.join(names).display())
    }

    fn settled(&self, record: &RunRecord, test: &TestRecord, verdict: TestVerdict) -> Vec<String> {
        let deciding = test.deciding();
        let time = match deciding {
            Some(attempt) => format!("{:>8.3} s", attempt.duration.as_secs_f64()),
            None => format!("{:>10}", "–"),
        };
        let place = deciding.map_or_else(|| "–".to_owned(), |a| a.environment.to_string());
        let label = self.paint.test(verdict, &label(word(verdict)));
        let title = text::title(&test.planned.file, &test.planned.name);
        let repeated = record.header.repeat > 1;
        let often = if repeated { format!(" ({})", summary::tried(record, test)) } else { String::new() };
        let mut lines = vec![format!("{label} [{time}] {place:<5} {title}{often}")];
        if worth_a_word(verdict) {
            let mut before: Option<&Outcome> = None;
            // Of many executions, the first that did not pass show what there is to see.
            let all = test.attempts.iter().filter(|attempt| !repeated || attempt.outcome != Outcome::Passed);
            for attempt in all.take(if repeated { REPEATS } else { usize::MAX }) {
                lines.extend(self.attempt(attempt, before));
                before = Some(&attempt.outcome);
            }
            let kept = test.attempts.iter().filter(|attempt| attempt.outcome.leaves_evidence());
            let kept: Vec<String> = kept.map(|attempt| attempt.number.to_string()).collect();
            if !kept.is_empty() {
                lines.push(self.place("evidence:", &self.run_folder.join(evidence_of(&test.planned.id)), &kept));
            }
        }
        lines
    }

    fn attempt(&self, attempt: &Attempt, before: Option<&Outcome>) -> Vec<String> {
        let head = format!(
            "{INDENT}attempt {} in {}, {}: {}",
            attempt.number,
            attempt.environment,
            text::duration(attempt.duration),
            self.paint.strong(attempt.outcome.word())
        );
        let foreign = match &attempt.outcome {
            Outcome::Passed | Outcome::Interrupted => return vec![head],
            Outcome::Failed(_) if before == Some(&attempt.outcome) => return vec![format!("{head} in the same way")],
            Outcome::Failed(failure) => {
                let mut lines = text::lines(&failure.class);
                lines.extend(text::lines(&failure.message));
                let mut lines = text::head(lines, LINES);
                lines.extend(failure.place().map(|place| format!("at {}", text::one_line(&place))));
                lines
            }
            Outcome::TimedOut { limit, why } => vec![text::timed_out(*limit, why)],
            Outcome::Skipped { reason: words } | Outcome::EnvironmentBroke { cause: words } => {
                text::head(text::lines(words), LINES)
            }
        };
        let foreign = foreign.into_iter().map(|line| format!("{INDENT}  {line}").trim_end().to_owned());
        std::iter::once(head).chain(foreign).collect()
    }
}

fn started(header: &RunHeader, record: &RunRecord) -> Vec<String> {
    let lanes = text::count(header.lanes.into(), "lane");
    let attempts = text::count(header.attempts as usize, "attempt");
    let mut lines = vec![format!("shakedown of {}", summary::subject(record))];
    let often = match header.repeat {
        0 | 1 => format!("up to {attempts} per test"),
        times => format!("each test {times} times"),
    };
    lines.push(format!("{INDENT}{lanes}, {often}, seed {}", header.seed));
    lines.extend(header.selection.iter().map(|condition| format!("{INDENT}only {}", text::one_line(condition))));
    lines
}

/// Whether a test's settling is told where only the unusual is, and told with its attempts.
fn worth_a_word(verdict: TestVerdict) -> bool {
    match verdict {
        TestVerdict::Flaky | TestVerdict::Failed | TestVerdict::Quarantined | TestVerdict::EnvironmentBroke => true,
        TestVerdict::Passed | TestVerdict::Skipped | TestVerdict::NotRun => false,
    }
}

fn word(verdict: TestVerdict) -> &'static str {
    match verdict {
        TestVerdict::Passed => "PASSED",
        TestVerdict::Flaky => "FLAKY",
        TestVerdict::Failed => "FAILED",
        TestVerdict::Quarantined => "QUARANTINED",
        TestVerdict::Skipped => "SKIPPED",
        TestVerdict::NotRun => "NOT RUN",
        TestVerdict::EnvironmentBroke => "ENV BROKE",
    }
}

fn label(word: &str) -> String {
    format!("{word:>11}")
}
