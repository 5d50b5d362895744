//! Findings as text.

use super::examine::{Finding, Level};
use crate::report::terminal::Paint;
use crate::report::text::count;

/// The width of the words that say how bad it is, and of the topics.
const LEVEL: usize = 7;
const TOPIC: usize = 10;

/// All findings, and a sentence that sums them up.
pub(super) fn page(findings: &[Finding], paint: Paint) -> String {
    let mut page = String::new();
    for Finding { level, topic, message, todo } in findings {
        let word = match level {
            Level::Fine => paint.good(&format!("{:>LEVEL$}", "ok")),
            Level::Note => paint.doubtful(&format!("{:>LEVEL$}", "note")),
            Level::Problem => paint.bad(&format!("{:>LEVEL$}", "problem")),
        };
        let indent = " ".repeat(LEVEL + TOPIC + 4);
        let message = message.replace('\n', &format!("\n{indent}"));
        page += &format!("{word}  {topic:TOPIC$}  {message}\n");
        if let Some(todo) = todo {
            page += &format!("{indent}{}\n", paint.faint(&format!("→ {todo}")));
        }
    }
    let of = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (problems, notes) = (of(Level::Problem), of(Level::Note));
    let notes = if notes == 0 { String::new() } else { format!(", {}", count(notes, "note")) };
    page.push('\n');
    page += &match problems {
        0 => paint.good(&format!("A run can start here{notes}.")),
        _ => paint.bad(&format!("A run would not work here: {}{notes}.", count(problems, "problem"))),
    };
    page.push('\n');
    page
}
