//! A line from a worker as it goes over the wire: `CHECKSUM NUMBER MESSAGE`.
//!
//! Between a worker and us stand an engine and a network that may cut, stall and garble what goes through. A line that
//! was changed on its way does not match its checksum, and one that was lost leaves a gap in the numbers; either is the
//! connection's fault, and must never be taken for a test's.

/// Reads lines, and counts them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The number of the last one.
    last: u64,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A message, unchanged and in its turn.
    Message(&'a [u8]),
    /// No line of a worker: before a worker runs, the engine itself may say why it can't be started.
    Foreign,
    /// It was changed on its way, or lines before it were lost.
    Garbled,
}

impl Lines {
    /// Takes a line in, without its line break.
    pub(super) fn take<'a>(&mut self, line: &'a [u8]) -> Line<'a> {
        match parse(line) {
            Some((number, message)) if number == self.last + 1 => {
                self.last = number;
                Line::Message(message)
            }
            None if self.last == 0 => Line::Foreign,
            Some(_) | None => Line::Garbled,
        }
    }

    /// How many messages were read.
    pub(super) fn count(&self) -> u64 {
        self.last
    }
}

fn parse(line: &[u8]) -> Option<(u64, &[u8])> {
    let (checksum, body) = split(line)?;
    let checksum = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    let (number, message) = split(body)?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    (checksum == crc32(body)).then_some((number, message))
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = text.iter().position(|byte| *byte == b' ')?;
    Some((&text[..blank], &text[blank + 1..]))
}

/// The checksum of zlib, gzip and PNG, which every language has.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(number: u64, message: &str) -> Vec<u8> {
        let body = format!("{number} {message}");
        format!("{:08x} {body}", crc32(body.as_bytes())).into_bytes()
    }

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_the_engine_says_before_the_first_line_is_foreign_and_garbled_later() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"exec failed: no such file"), Line::Foreign);
        assert_eq!(lines.take(&line(1, "{}")), Line::Message(b"{}"));
        assert_eq!(lines.take(b"exec failed: no such file"), Line::Garbled);
    }

    #[test]
    fn a_lost_line_is_missed_at_the_next() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(&line(1, "{}")), Line::Message(b"{}"));
        assert_eq!(lines.take(&line(3, "{}")), Line::Garbled);
        assert_eq!(Lines::default().take(&line(2, "{}")), Line::Garbled);
    }

    proptest! {
        #[test]
        fn no_changed_byte_goes_unnoticed(message in "[ -~é]{0,80}", place in any::<prop::sample::Index>(), flip in 1..=255u8) {
            let mut lines = Lines::default();
            lines.take(&line(1, "{}"));
            let mut bytes = line(2, &message);
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            let taken = lines.take(&bytes);
            // A checksum may be written in capitals, too.
            prop_assert!(taken == Line::Garbled || bytes.eq_ignore_ascii_case(&line(2, &message)) && place < 8);
        }
    }
}
