//! `--list` and `--dry-run`: boots one environment, asks for the tests in it, and tears it down. The history gets to
//! know nothing of it.

use std::io::Write as _;

use jiff::Timestamp;

use super::stops::Listening;
use super::{Prepared, landed};
use crate::cli::{Format, RunArgs};
use crate::conductor::state::Planning;
use crate::conductor::{self, EventSink as _};
use crate::event::{PlannedTest, RunEvent, RunHeader};
use crate::exit;
use crate::framework::ListedTest;
use crate::report::preview::{self, Preview, PreviewTest, PreviewUnit};
use crate::report::summary;
use crate::verdict::RunVerdict;

impl Prepared {
    /// Prints the tests or the plan, and returns the exit code.
    pub(super) async fn preview(mut self, args: &RunArgs, listening: Listening) -> u8 {
        let listed = self.list(listening).await;
        self.leave_engine().await;
        let preview = listed.map(|listed| self.of(listed));
        let run_folder = self.run_folder.clone();
        self.telling.quit().await;
        let (preview, notes) = match preview {
            Ok(preview) => preview,
            Err(verdict) => {
                eprintln!("error: the tests could not be listed: {}", summary::cut_short(&verdict));
                return exit::code(&verdict);
            }
        };
        // Nothing in it is of use once the tests are known.
        let _ = std::fs::remove_dir_all(run_folder);
        for note in notes {
            eprintln!("{note}");
        }
        if preview.tests.is_empty() {
            eprintln!("error: no test is selected: {}", preview::of_list(&preview));
            return exit::NO_TESTS;
        }
        let text = match (args.selection.dry_run, args.selection.format) {
            (true, _) => Ok(preview::plan(&preview)),
            (false, Format::Text) => Ok(preview::list(&preview)),
            (false, Format::Json) => preview::list_json(&preview, Timestamp::now()),
        };
        // Whoever reads it may have read enough.
        let printed = text.and_then(|text| std::io::stdout().write_all(text.as_bytes()));
        if let Err(error) = printed
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            eprintln!("error: the list could not be printed: {error}");
            return exit::USAGE;
        }
        if !args.selection.dry_run {
            eprintln!("{}", preview::of_list(&preview));
        }
        exit::PASSED
    }

    async fn list(&mut self, mut listening: Listening) -> Result<Vec<ListedTest>, RunVerdict> {
        let header = RunHeader { lanes: 1, ..self.header.clone() };
        let started = RunEvent::RunStarted { at: Timestamp::now(), header };
        // Nothing is recorded, so nothing can fail.
        let _ = self.telling.take(started).await;
        let (shared, in_flight) = self.provide(&mut listening).await?;
        let listed = conductor::list(self.rules.clone(), shared, listening.stops, &mut self.telling).await;
        landed(&in_flight).await;
        listed
    }

    fn of(&self, listed: Vec<ListedTest>) -> (Preview, Vec<String>) {
        let Planning { plan, listed, notes } = self.rules.plan(listed);
        let takes = |test: &PlannedTest| self.rules.history.get(&test.id).copied();
        let test = |test: &PlannedTest| PreviewTest {
            id: test.id.clone(),
            file: test.file.clone(),
            line: test.line,
            name: test.name.clone(),
            tags: test.tags.clone(),
            takes: takes(test),
        };
        let units = plan.units.iter().map(|unit| PreviewUnit {
            file: unit.file.clone(),
            tests: unit.tests.len(),
            known: unit.tests.iter().filter(|index| takes(&plan.tests[**index]).is_some()).count(),
            expected: unit.expected,
        });
        let preview = Preview {
            suite: self.header.suite.clone(),
            selection: self.header.selection.clone(),
            listed,
            tests: plan.tests.iter().map(test).collect(),
            units: units.collect(),
            lanes: self.header.lanes,
            repeat: self.header.repeat,
            seed: self.header.seed,
            boot: self.boot,
            notes: plan.notes(&self.rules.order),
        };
        (preview, notes)
    }
}
