//! What the screen shows of a run at one moment: a function of the record, so that it can be looked at in tests.

use std::time::Duration;

use console::{measure_text_width, truncate_str};
use jiff::Timestamp;

use super::Paint;
use crate::id::{EnvironmentId, LaneIndex};
use crate::report::record::{EnvironmentRecord, RunRecord, between};
use crate::report::text;
use crate::verdict::TestVerdict;

/// How wide the bar is, in columns.
const BAR: usize = 20;

/// One line per lane and one for the whole, none wider than `columns` and together at most `rows`.
pub(super) fn screen(
    record: &RunRecord,
    image: Option<&str>,
    now: Timestamp,
    (rows, columns): (usize, usize),
    paint: Paint,
) -> Vec<String> {
    let lanes = usize::from(record.header.lanes);
    // One line stays free for the cursor, one is the total's, and one says how many lanes are not shown.
    let shown = if lanes + 2 > rows { rows.saturating_sub(3) } else { lanes };
    let mut lines: Vec<String> =
        (0..record.header.lanes).take(shown).map(|lane| lane_line(record, LaneIndex(lane), now, columns)).collect();
    if shown < lanes {
        lines.push(truncate_str(&format!("    … and {} more lanes", lanes - shown), columns, "…").into_owned());
    }
    let standing = progress(record, now).join(", ");
    let total = match image {
        Some(image) if record.planned.is_none() => format!("{standing} · {image}"),
        Some(_) | None => standing,
    };
    let total = format!("{} {total}", bar(record, paint));
    lines.push(truncate_str(&total, columns, "…").into_owned());
    lines
}

/// `34 of 66 settled, 2 failed, about 25 s left, 3 lanes`, for those who do not see the lanes.
pub(super) fn standing(record: &RunRecord, now: Timestamp) -> String {
    let mut parts = progress(record, now);
    parts.push(text::count(record.live_lanes(), "lane"));
    let booting = record.environments.values().filter(|e| is_booting(e)).count();
    if booting > 0 {
        parts.push(format!("{booting} booting"));
    }
    parts.join(", ")
}

/// How far the run is, in parts; what matters most first, since the end may be cut.
fn progress(record: &RunRecord, now: Timestamp) -> Vec<String> {
    let mut parts = Vec::new();
    if record.planned.is_some() {
        parts.push(format!("{} of {} settled", record.settled(), record.tests.len()));
    } else {
        parts.push("tests not listed yet".to_owned());
    }
    for verdict in [TestVerdict::Failed, TestVerdict::EnvironmentBroke, TestVerdict::Flaky] {
        let count = record.settled_as(verdict);
        if count > 0 {
            parts.push(format!("{count} {}", verdict.word()));
        }
    }
    let again = record.tests.values().filter(|t| t.settled.is_none() && t.failures().next().is_some()).count();
    if again > 0 {
        parts.push(format!("{again} to be tried again"));
    }
    if record.stop.is_some() {
        parts.push("stopping".to_owned());
    } else if let Some(left) = record.remaining(now).filter(|left| !left.is_zero()) {
        parts.push(format!("about {} left", seconds(left)));
    }
    parts
}

/// ` 2  2.1  spec/pay_spec.rb › pays (attempt 2)      4 s`.
fn lane_line(record: &RunRecord, lane: LaneIndex, now: Timestamp, columns: usize) -> String {
    let (environment, doing, since) = doing(record, lane);
    let environment = environment.map(|e| e.to_string()).unwrap_or_default();
    let left = format!("{:>3} {environment:<5} ", lane.to_string());
    let right = since.map(|since| format!("  {}", seconds(between(since, now)))).unwrap_or_default();
    let room = columns.saturating_sub(measure_text_width(&left) + measure_text_width(&right));
    let doing = truncate_str(&doing, room, "…");
    let gap = " ".repeat(room.saturating_sub(measure_text_width(&doing)));
    truncate_str(&format!("{left}{doing}{gap}{right}"), columns, "…").trim_end().to_owned()
}

/// What a lane does, in which environment, and since when.
fn doing(record: &RunRecord, lane: LaneIndex) -> (Option<EnvironmentId>, String, Option<Timestamp>) {
    if let Some(why) = record.stood_down.get(&lane) {
        return (None, format!("stood down: {}", text::one_line(why)), None);
    }
    let own = || record.environments.iter().filter(|(id, e)| id.lane == lane && e.removed.is_none());
    // A standby boots while its predecessor still runs tests: what runs is shown first, then what is ready.
    if let Some((id, running)) = own().find_map(|(id, e)| e.running.as_ref().map(|r| (*id, r))) {
        let title = record
            .tests
            .get(&running.test)
            .map(|t| text::title(&t.planned.file, &t.planned.name))
            .unwrap_or_else(|| text::one_line(running.test.as_str()));
        let again = if running.number.0 > 1 { format!("(attempt {}) ", running.number) } else { String::new() };
        return (Some(id), format!("{again}{title}"), Some(running.since));
    }
    if let Some((id, _)) = own().find(|(_, e)| e.boot.is_some() && e.broke.is_none()) {
        return (Some(*id), "ready".to_owned(), None);
    }
    if let Some((id, environment)) = own().find(|(_, e)| is_booting(e)) {
        let step = environment.step.as_deref().map(|s| format!("boots: {}", text::one_line(s)));
        return (Some(*id), step.unwrap_or_else(|| "boots".to_owned()), environment.started);
    }
    match own().find(|(_, e)| e.broke.is_some()) {
        Some((id, environment)) => {
            let cause = environment.broke.as_ref().map(|(_, b)| text::one_line(&b.cause)).unwrap_or_default();
            (Some(*id), format!("broke: {cause}"), None)
        }
        None => (None, "no environment".to_owned(), None),
    }
}

fn is_booting(environment: &EnvironmentRecord) -> bool {
    environment.boot.is_none() && environment.broke.is_none() && environment.removed.is_none()
}

fn bar(record: &RunRecord, paint: Paint) -> String {
    let filled = (record.settled() * BAR).checked_div(record.tests.len()).unwrap_or(0);
    let (done, rest) = ("━".repeat(filled), "─".repeat(BAR - filled));
    let bad = record.settled_as(TestVerdict::Failed) + record.settled_as(TestVerdict::EnvironmentBroke) > 0;
    let done = if bad { paint.bad(&done) } else { paint.good(&done) };
    format!("{done}{}", paint.faint(&rest))
}

/// Whole seconds: figures that change with every tick can't be read.
fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => text::duration(Duration::from_secs(seconds)),
    }
}
