//! Durations as people write them, in the manifest and in Compose files.

use std::time::Duration;

use jiff::SignedDuration;

/// What is said to somebody whose duration could not be read.
pub(super) const HELP: &str = "write numbers with units, such as \"90s\", \"2m\" or \"1m 30s\"";

/// Reads `90s`, `2m`, `1m 30s`, `1m30s`, `1.5s`. Zero is a duration, a negative one or a bare number is not.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.trim().parse().map_err(|_| format!("\"{text}\" is not a duration"))?;
    Duration::try_from(parsed).map_err(|_| format!("\"{text}\" is negative"))
}

/// Reads a time to wait: more than nothing, and at most a day.
pub(super) fn parse_wait(text: &str) -> Result<Duration, String> {
    let parsed = parse(text)?;
    if parsed.is_zero() {
        return Err(format!("\"{text}\" is no time at all"));
    }
    if parsed > Duration::from_secs(24 * 60 * 60) {
        return Err(format!("\"{text}\" is longer than a day"));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_durations() {
        for (text, milliseconds) in [
            ("90s", 90_000),
            ("2m", 120_000),
            ("1m 30s", 90_000),
            ("1m30s", 90_000),
            ("1.5s", 1_500),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for text in ["", "90", "soon", "-5s", "5 parsecs", "s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wait_is_positive_and_at_most_a_day() {
        assert_eq!(parse_wait("0s"), Err("\"0s\" is no time at all".to_owned()));
        assert_eq!(parse_wait("25h"), Err("\"25h\" is longer than a day".to_owned()));
        assert_eq!(parse_wait("24h"), Ok(Duration::from_secs(86_400)));
    }
}
