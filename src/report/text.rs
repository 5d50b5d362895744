//! Words for numbers, and foreign text made fit to be shown.
//!
//! Names, messages and logs come from the application and its tests. They may hold escape sequences that move the
//! cursor, line breaks that fake a line of ours, and marks that reverse what stands beside them. Nothing foreign is
//! printed before it went through [`one_line`] or [`lines`].

use std::time::Duration;

use super::record::Rate;

/// A duration with its unit, as precise as one reads it: `850 ms`, `4.2 s`, `1 min 12 s`, `2 h 5 min`.
pub fn duration(duration: Duration) -> String {
    let millis = (duration.as_secs_f64() * 1000.0).round() as u64;
    if millis < 1000 {
        return format!("{millis} ms");
    }
    let tenths = (duration.as_secs_f64() * 10.0).round() as u64;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = duration.as_secs_f64().round() as u64;
    let (big, small, names) =
        if seconds < 3600 { (seconds / 60, seconds % 60, ("min", "s")) } else { hours_and_minutes(seconds) };
    if small == 0 { format!("{big} {}", names.0) } else { format!("{big} {} {small} {}", names.0, names.1) }
}

fn hours_and_minutes(seconds: u64) -> (u64, u64, (&'static str, &'static str)) {
    let minutes = (seconds + 30) / 60;
    (minutes / 60, minutes % 60, ("h", "min"))
}

/// What is said of an attempt that was stopped at its time limit: `ran longer than 45.0 s (learnt from 12 passed
/// attempts, which took up to 3.1 s), and was stopped`.
pub fn timed_out(limit: Duration, why: &str) -> String {
    let why = if why.is_empty() { String::new() } else { format!(" ({})", one_line(why)) };
    format!("ran longer than {}{why}, and was stopped", duration(limit))
}

/// A size in bytes: `512 B`, `118 MiB`, `1.4 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut number = bytes as f64;
    // What would be rounded up to 1024 is one of the next unit.
    while number >= 1023.5 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && number < 9.95);
    format!("{number:.digits$} {}", UNITS[unit])
}

/// A number and its noun: `1 test`, `2 tests`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A rate with what it was counted from: `95.5 % (63 of 66)`, or `no data`.
pub fn rate(rate: Rate) -> String {
    match rate.percent() {
        Some(percent) => format!("{percent:.1} % ({} of {})", rate.passed, rate.of),
        None => "no data".to_owned(),
    }
}

/// Foreign text as one line: without escape sequences, control characters and marks that change the direction of
/// writing; line breaks and tabs become single spaces.
pub fn one_line(text: &str) -> String {
    let clean = printable(text);
    let mut line = String::with_capacity(clean.len());
    for word in clean.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// A test's name as one line, and something to read where it has none.
pub fn name(name: &str) -> String {
    let name = one_line(name);
    if name.is_empty() { "(no name)".to_owned() } else { name }
}

/// A test as it is listed: `spec/cart_spec.rb › Cart adds an item`; one that is a whole file by its file alone.
pub fn title(file: &str, test: &str) -> String {
    if file == test {
        return name(test);
    }
    format!("{} › {}", one_line(file), name(test))
}

/// Foreign text as lines, each fit to be shown; tabs become four spaces, blank lines at both ends are left out.
pub fn lines(text: &str) -> Vec<String> {
    let clean = printable(text);
    let mut lines: Vec<String> = clean.lines().map(|line| line.replace('\t', "    ").trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..blank);
    lines
}

/// At most `limit` lines; what is left out is said in one more.
pub fn head(mut lines: Vec<String>, limit: usize) -> Vec<String> {
    // A line that says "1 more line" would take the place of that line.
    if lines.len() > limit + 1 {
        let more = lines.len() - limit;
        lines.truncate(limit);
        lines.push(format!("… {more} more lines"));
    }
    lines
}

/// The first `limit` bytes or so of a text, cut between characters; what is left out is said at the end.
pub fn head_bytes(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit);
    format!("{}\n… the last {} bytes are left out", &text[..end], text.len() - end)
}

/// The last `limit` bytes or so of a text, cut between characters; what is left out is said in front. The end is
/// kept since it is what came just before a failure.
pub fn tail_bytes(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let start = text.ceil_char_boundary(text.len() - limit);
    format!("… the first {start} bytes are left out\n{}", &text[start..])
}

/// Text without escape sequences and without characters that are no writing. Line breaks and tabs stay, `\r\n` and
/// a lone `\r` become line breaks.
pub fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    clean.push('\n');
                }
            }
            '\n' | '\t' => clean.push(c),
            c if c.is_control() || is_invisible(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Marks that change the direction of what follows or join to nothing, line separators that terminals treat
/// differently, and the two non-characters that XML forbids.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an ESC, by ECMA-48's forms.
fn skip_escape(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        // Strings, such as a window title or a link: up to BEL or ESC \. A line break ends them too, so that one
        // that is cut off does not swallow the rest of a log.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(&c) = rest.peek() {
                if c == '\n' || c == '\u{1b}' {
                    break;
                }
                rest.next();
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
            }
        }
        Some(_) | None => {
            while rest.next_if(|c| (' '..='/').contains(c)).is_some() {}
            rest.next_if(|c| ('0'..='~').contains(c));
        }
    }
}

/// Skips parameters, intermediates and the final character.
fn skip_control_sequence(rest: &mut Rest<'_>) {
    while rest.next_if(|c| (' '..='?').contains(c)).is_some() {}
    rest.next_if(|c| ('@'..='~').contains(c));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_carry_their_unit_and_no_more_digits_than_one_reads() {
        let said = |millis| duration(Duration::from_millis(millis));
        for (millis, text) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (4_249, "4.2 s"),
            (34_960, "35.0 s"),
            (59_960, "1 min"),
            (72_000, "1 min 12 s"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
            (3_599_700, "1 h"),
        ] {
            assert_eq!(said(millis), text);
        }
        assert_eq!(duration(Duration::from_micros(999_700)), "1.0 s");
    }

    #[test]
    fn sizes_carry_their_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (123_456_789, "118 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
            (25_232_932_864, "24 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_rate_of_nothing_is_no_data() {
        assert_eq!(rate(Rate { passed: 63, of: 66 }), "95.5 % (63 of 66)");
        assert_eq!(rate(Rate { passed: 0, of: 0 }), "no data");
    }

    #[test]
    fn escape_sequences_vanish_whole() {
        for (text, clean) in [
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\u{1b}(Bb\u{1b}7c", "abc"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}]never ends\nnext", " next"),
            ("trailing\u{1b}", "trailing"),
        ] {
            assert_eq!(one_line(text), clean.trim_start(), "{text:?}");
        }
    }

    #[test]
    fn a_name_can_fake_no_second_line_and_reverse_nothing() {
        assert_eq!(one_line("adds\r\n  PASS\tall \u{202e}desrever\u{0}"), "adds PASS all desrever");
    }

    #[test]
    fn long_texts_say_how_much_is_left_out() {
        let many = (1..=5).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(head(many.clone(), 4), many);
        assert_eq!(head(many, 3), ["1", "2", "3", "… 2 more lines"]);
        assert_eq!(tail_bytes("aäb", 2), "… the first 3 bytes are left out\nb");
        assert_eq!(tail_bytes("short", 5), "short");
        assert_eq!(head_bytes("aäb", 2), "a\n… the last 3 bytes are left out");
        assert_eq!(head_bytes("short", 5), "short");
    }

    proptest! {
        #[test]
        fn no_text_brings_a_control_character_to_the_terminal(text in any::<String>()) {
            prop_assert!(one_line(&text).chars().all(|c| !c.is_control()));
            prop_assert!(lines(&text).iter().all(|line| line.chars().all(|c| !c.is_control())));
        }
    }
}
