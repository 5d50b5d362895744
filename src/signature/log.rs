//! Which lines of services' logs tell of an error, and what they say after time, level and who says it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Levels that count, as they are written before a message.
const LEVEL: &str = r"(?x)
    ^ .{0,160}?
    (?: \b(?:ERROR|FATAL|PANIC|CRITICAL|SEVERE|EMERG|ALERT)\b | \[(?:\w+:)?(?:error|crit|alert|emerg)\] | \blevel=(?:error|fatal|panic)\b | \bFatal\ error\b )
    [\]\s:,-]* (?<said>.*) $";
/// What stands between the level and the message: a program's name, a request's or a process' number in brackets.
const PREFIX: &str = r"^(?:--\s*:\s*|\d+\s+---\s+|\[[^\]]*\]\s*|\d+\#\d+:\s*|\*\d+\s+)";
/// An exception that nobody caught, on a line of its own.
const UNCAUGHT: &str = r"^(?:[A-Z][\w.:]*(?:Error|Exception)|Error|panic): \S";

/// What an error's line says; `None` for a line of another level.
pub(super) fn error(line: &str) -> Option<String> {
    static PATTERNS: LazyLock<Option<(Regex, Regex, Regex)>> =
        LazyLock::new(|| Some((Regex::new(LEVEL).ok()?, Regex::new(PREFIX).ok()?, Regex::new(UNCAUGHT).ok()?)));
    let (level, prefix, uncaught) = PATTERNS.as_ref()?;
    let line = super::excerpt::plain(line);
    let line = line.trim();
    if line.starts_with('{') {
        return json(line);
    }
    if uncaught.is_match(line) {
        return Some(line.to_owned());
    }
    let mut said = level.captures(line)?.name("said")?.as_str().trim();
    while let Some(found) = prefix.find(said).filter(|found| !found.is_empty()) {
        said = said[found.end()..].trim_start();
    }
    // logfmt
    if let Some((_, rest)) = said.split_once("msg=\"").filter(|_| line.contains("level=")) {
        said = rest.split('"').next().unwrap_or(rest);
    }
    (!said.is_empty()).then(|| said.to_owned())
}

/// JSON Lines, as pino, winston, structlog and others write them.
fn json(line: &str) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return None };
    let level = ["level", "severity", "levelname", "log.level"].iter().find_map(|name| fields.get(*name))?;
    let grave = match level {
        // pino's 50 is an error.
        Value::Number(number) => number.as_u64().is_some_and(|number| number >= 50),
        Value::String(word) => {
            ["error", "fatal", "critical", "panic", "alert", "emergency"].contains(&word.to_lowercase().as_str())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    };
    let said = ["msg", "message", "event", "error"].iter().find_map(|name| fields.get(*name)?.as_str());
    said.filter(|said| grave && !said.is_empty()).map(str::to_owned)
}
