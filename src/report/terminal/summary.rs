//! One screen at the end of a run.

use super::Paint;
use crate::report::alike::{alike, words};
use crate::report::paths::ReportPaths;
use crate::report::record::RunRecord;
use crate::report::summary::{self, HEADINGS, LISTED, counted, limit_in_words, listed, meaning, subject, verdict_word};
use crate::report::text;

/// How much room the names of the figures have.
const NAMES: usize = 13;

/// The verdict, the figures, what went wrong, and where to read more; ends with a line break.
pub fn summary(record: &RunRecord, reports: Option<&ReportPaths>, paint: Paint) -> String {
    let mut page = Page { lines: Vec::new(), paint };
    page.verdict(record);
    page.figures(record);
    page.tests(record);
    page.alike(record);
    page.environments(record);
    page.reports(reports);
    page.exit(record);
    page.lines.push(String::new());
    page.lines.join("\n")
}

struct Page {
    lines: Vec<String>,
    paint: Paint,
}

impl Page {
    fn verdict(&mut self, record: &RunRecord) {
        let word = verdict_word(record);
        let framed = format!("━━━ {word} ━━━");
        let framed = match &record.ending {
            Some(ending) => self.paint.run(&ending.verdict, &framed),
            None => self.paint.doubtful(&framed),
        };
        self.lines.extend([format!("{framed}  {}", subject(record)), String::new()]);
    }

    fn figure(&mut self, name: &str, value: &str) {
        let name = self.paint.faint(&format!("{name:<NAMES$}"));
        self.lines.push(format!("  {name}{value}"));
    }

    fn figures(&mut self, record: &RunRecord) {
        self.figure("tests", &counted(&record.counts()));
        if let Some(selection) = summary::selection(record) {
            self.figure("selected", &selection);
        }
        for (name, rate) in summary::rates(record) {
            self.figure(name, &rate);
        }
        if let Some(wall) = record.wall_time() {
            let bounds = record.lower_bound();
            let beside = bounds.map(|figures| {
                let (limit, bound) = figures.bound();
                format!("; lower bound {} ({})", text::duration(bound), limit_in_words(record, limit))
            });
            self.figure("wall time", &format!("{}{}", text::duration(wall), beside.unwrap_or_default()));
            if let Some(figures) = bounds {
                self.figure("bounds", &summary::bounds(record, &figures));
            }
        }
        let first = record.time_to_first_test();
        self.figure("first test", &first.map_or("none started".to_owned(), |t| format!("after {}", text::duration(t))));
        if let Some(start_up) = summary::start_up(record.start_up()) {
            self.figure("start-up", &start_up);
        }
        if let Some(upkeep) = summary::upkeep(&record.upkeep()) {
            self.figure("kept clean", &upkeep);
        }
        if let Some(memory) = summary::memory(record) {
            self.figure("memory", &memory);
        }
        self.figure("seed", &record.header.seed.to_string());
        if !record.warnings.is_empty() {
            self.figure("warnings", &format!("{}, above", record.warnings.len()));
        }
    }

    fn heading(&mut self, heading: &str) {
        let heading = self.paint.strong(heading);
        self.lines.extend([String::new(), format!("  {heading}")]);
    }

    fn more(&mut self, more: usize) {
        if more > 0 {
            self.lines.push(format!("    and {more} more"));
        }
    }

    fn tests(&mut self, record: &RunRecord) {
        for (verdict, heading) in HEADINGS {
            let (tests, more) = listed(record, verdict);
            if tests.is_empty() {
                continue;
            }
            self.heading(heading);
            for test in tests {
                let title = text::title(&test.planned.file, &test.planned.name);
                let attempts = summary::tried(record, test);
                self.lines.push(format!("    {title} {}", self.paint.faint(&format!("({attempts})"))));
            }
            self.more(more);
        }
    }

    fn alike(&mut self, record: &RunRecord) {
        let alike = alike(record);
        if alike.is_empty() {
            return;
        }
        self.heading("Failed alike");
        for (signature, tests) in alike.iter().take(LISTED) {
            self.lines.push(format!("    {}", words(signature, tests)));
        }
        self.more(alike.len().saturating_sub(LISTED));
    }

    fn environments(&mut self, record: &RunRecord) {
        let broken: Vec<_> = record.broken_environments().collect();
        let lanes = record.stood_down.iter();
        if broken.is_empty() && record.stood_down.is_empty() {
            return;
        }
        self.heading("Broken environments");
        for (environment, _, broke) in broken.iter().take(LISTED) {
            self.lines.push(format!("    {environment}  {}", text::one_line(&broke.cause)));
        }
        self.more(broken.len().saturating_sub(LISTED));
        for (lane, why) in lanes {
            self.lines.push(format!("    lane {lane} stood down: {}", text::one_line(why)));
        }
    }

    fn reports(&mut self, reports: Option<&ReportPaths>) {
        let Some(reports) = reports else { return };
        self.heading("Reports");
        for (name, path) in reports.listed() {
            let name = self.paint.faint(&format!("{name:<11}"));
            self.lines.push(format!("    {name}{}", path.display()));
        }
    }

    fn exit(&mut self, record: &RunRecord) {
        let Some(ending) = record.ending.as_ref().filter(|e| e.exit_code != 0) else { return };
        let code = self.paint.strong(&format!("exit code {}", ending.exit_code));
        let mut meaning = text::head(text::lines(&meaning(record, ending)), LISTED).into_iter();
        self.lines.extend([String::new(), format!("  {code}: {}", meaning.next().unwrap_or_default())]);
        self.lines.extend(meaning.map(|line| format!("    {line}").trim_end().to_owned()));
    }
}
