//! Where the history is kept: `[history]`.

use super::findings::Findings;
use super::section::Section;

pub(super) const KEYS: &[&str] = &["database"];

/// Reads `database`. That it can be connected to is found by whoever does.
pub(super) fn read(history: &Section<'_>, findings: &mut Findings) -> Option<String> {
    const HELP: &str = "postgres://USER@HOST/DATABASE; a file is named by --database";
    let database = history.text("database", findings)?;
    let after = ["postgres://", "postgresql://"].iter().find_map(|scheme| database.value.strip_prefix(scheme));
    let Some(after) = after else {
        findings.problem(database.line, "\"database\" is not the address of a PostgreSQL database", HELP);
        return None;
    };
    let user = after.split_once('/').map_or(after, |(authority, _)| authority).rsplit_once('@').map(|(user, _)| user);
    // The value is not repeated in the message.
    if user.is_some_and(|user| user.contains(':')) || after.contains("password=") {
        findings.problem(
            database.line,
            "\"database\" holds a password, and a manifest is read by many",
            "leave it out here, and give it in PGPASSWORD or ~/.pgpass, or the whole address in DATABASE_URL",
        );
        return None;
    }
    Some(database.value)
}
