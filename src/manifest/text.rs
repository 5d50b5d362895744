//! Files as text, and places in it.

use std::io;
use std::path::Path;

use super::Problem;

/// The line, from 1, that holds the byte at `offset`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Reads a file that must be UTF-8; a byte order mark is dropped.
pub(super) fn read(file: &Path) -> Result<String, Problem> {
    let problem = |line, message, help: Option<&str>| Problem {
        file: file.to_owned(),
        line,
        message,
        help: help.map(String::from),
    };
    let bytes = std::fs::read(file).map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let message = if missing { "there is no such file".to_owned() } else { format!("can't be read: {error}") };
        problem(None, message, None)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(problem(Some(line), "is not UTF-8 text".to_owned(), Some("save the file in the encoding UTF-8")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(line_at("a\nb\nc", 0), 1);
        assert_eq!(line_at("a\nb\nc", 2), 2);
        assert_eq!(line_at("a\nb\nc", 99), 3);
    }
}
