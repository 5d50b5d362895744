//! A plan as text.

use std::time::Duration;

use jiff::Timestamp;

use super::plan::Plan;
use crate::engine::ThingKind;
use crate::environment::lease::Standing;
use crate::report::text;

/// What came of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Only looked.
    DryRun,
    /// All went.
    Removed,
    /// Something is left.
    Failed,
}

/// What goes, as a table.
pub(super) fn shown(plan: &Plan) -> String {
    let mut said = String::new();
    for run in &plan.absent {
        said += &format!("nothing of run {run} is on the engine\n");
    }
    if !plan.things.is_empty() {
        let mut rows = vec![["RUN", "AGE", "OWNER", "KIND", "NAME"].map(str::to_owned)];
        rows.extend(plan.things.iter().map(|row| {
            let age = row.age.map_or_else(|| "unknown".to_owned(), age);
            [row.run.to_string(), age, row.owner.clone(), row.kind.word().to_owned(), row.name.clone()]
        }));
        said += &table(&rows);
    }
    if !plan.images.is_empty() {
        let mut rows = vec![["SUITE", "AGE", "SIZE", "IMAGE"].map(str::to_owned)];
        rows.extend(
            plan.images
                .iter()
                .map(|row| [row.suite.clone(), age(row.age), text::size(row.size), row.reference.clone()]),
        );
        if !said.is_empty() {
            said.push('\n');
        }
        said += &table(&rows);
    }
    said
}

/// What was done, and which runs were left alone and why.
pub(super) fn told(plan: &Plan, outcome: Outcome) -> String {
    let done = match (counts(plan), outcome) {
        (None, _) if plan.absent.is_empty() => "nothing to remove\n".to_owned(),
        (None, _) => String::new(),
        (Some(counts), Outcome::DryRun) => format!("would remove {counts}; nothing was touched\n"),
        (Some(counts), Outcome::Removed) => format!("removed {counts}\n"),
        (Some(counts), Outcome::Failed) => format!("could not remove all of {counts}; try again, or see the errors\n"),
    };
    done + &left_alone(plan)
}

fn left_alone(plan: &Plan) -> String {
    let lines = plan.left_alone.iter().map(|left| {
        let run = &left.run;
        let why = match left.standing {
            Standing::Lives => format!("its process lives ({})", left.owner),
            Standing::Leased { until } => format!("its lease holds until {} ({})", clock(until), left.owner),
            Standing::Unknown | Standing::Ended | Standing::RanOut { .. } | Standing::Forgotten => {
                format!("nothing tells whether it lives ({}); --run {run} removes it all the same", left.owner)
            }
        };
        format!("left alone: run {run}, as {why}\n")
    });
    lines.collect()
}

fn counts(plan: &Plan) -> Option<String> {
    let of_kind = |kind: ThingKind| (plan.things.iter().filter(|row| row.kind == kind).count(), kind.word());
    let counts = ThingKind::ALL.map(of_kind).into_iter().chain([(plan.images.len(), "image")]);
    let counts: Vec<String> =
        counts.filter(|(number, _)| *number > 0).map(|(number, word)| text::count(number, word)).collect();
    let (last, others) = counts.split_last()?;
    Some(if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) })
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S UTC").to_string()
}

fn age(age: Duration) -> String {
    let days = age.as_secs() / 86_400;
    if days >= 2 { format!("{days} days") } else { text::duration(age) }
}

/// Columns side by side, each as wide as its widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: Vec<usize> =
        (0..N).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
