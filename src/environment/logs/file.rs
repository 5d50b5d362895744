//! One service's log on disk: capped, and indexed by time so that the lines of an attempt are found quickly.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The index has a place for about every so many bytes.
const INDEX_EVERY: u64 = 32 << 10;
/// Standard output and error may overtake each other by this much.
const DISORDER: SignedDuration = SignedDuration::from_secs(1);
/// A slice holds no more bytes, the last ones.
const MOST_OF_SLICE: usize = 4 << 20;

/// A log file. It keeps the first half of what it may hold, and the last: what came right before a failure is at hand
/// however much was written before.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<Parts>);

#[derive(Debug)]
struct Parts {
    /// The most bytes in all.
    cap: u64,
    head: Part,
    /// What does not fit into the head: at most two, of which the older one goes when the newer one is full. They have
    /// no name in the file system, and are put behind the head when the log is complete.
    tail: Vec<Part>,
    folder: std::path::PathBuf,
    left_out: LeftOut,
}

#[derive(Debug, Default)]
struct LeftOut {
    lines: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Part {
    file: File,
    size: u64,
    lines: u64,
    /// Times of lines, and where these lines start.
    index: Vec<(Timestamp, u64)>,
}

impl LogFile {
    /// Makes the file, which holds at most `cap` bytes and a line that says what was left out.
    pub(super) fn create(path: &Path, cap: u64) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        std::fs::create_dir_all(&folder)?;
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        let parts = Parts { cap, head: Part::new(file), tail: Vec::new(), folder, left_out: LeftOut::default() };
        Ok(Self(Mutex::new(parts)))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line, its line break included.
    pub(super) fn add(&self, line: &str) -> io::Result<()> {
        self.parts().add(line)
    }

    /// Puts everything into the one file: no more lines are added.
    pub(super) fn complete(&self) -> io::Result<()> {
        self.parts().complete()
    }

    /// The lines from one time to another, by the engine's clock; where they are many, the last ones.
    pub(super) fn slice(&self, from: Timestamp, to: Timestamp) -> io::Result<Vec<u8>> {
        let parts = self.parts();
        let mut slice = Vec::new();
        let mut cut = 0;
        for part in std::iter::once(&parts.head).chain(&parts.tail) {
            part.slice(from, to, &mut slice)?;
            cut += shorten(&mut slice);
        }
        if cut > 0 {
            let mut whole = format!("[{cut} bytes before this were left out]\n").into_bytes();
            whole.append(&mut slice);
            return Ok(whole);
        }
        Ok(slice)
    }
}

/// Keeps the last whole lines of what is too much; returns how many bytes went.
fn shorten(slice: &mut Vec<u8>) -> usize {
    let Some(too_much) = slice.len().checked_sub(MOST_OF_SLICE).filter(|more| *more > 0) else { return 0 };
    let end = slice[too_much..].iter().position(|byte| *byte == b'\n').map_or(too_much, |at| too_much + at + 1);
    slice.drain(..end);
    end
}

impl Parts {
    fn add(&mut self, line: &str) -> io::Result<()> {
        let length = line.len() as u64;
        if self.tail.is_empty() && self.head.size + length <= self.cap / 2 {
            return self.head.add(line);
        }
        let full = self.tail.last().is_none_or(|part| part.size > 0 && part.size + length > self.cap / 4);
        if full {
            if self.tail.len() == 2 {
                let gone = self.tail.remove(0);
                self.left_out.lines += gone.lines;
                self.left_out.bytes += gone.size;
            }
            self.tail.push(Part::new(nameless(&self.folder)?));
        }
        match self.tail.last_mut() {
            Some(part) => part.add(line),
            None => Ok(()),
        }
    }

    fn complete(&mut self) -> io::Result<()> {
        let tail = std::mem::take(&mut self.tail);
        let LeftOut { lines, bytes } = std::mem::take(&mut self.left_out);
        if lines > 0 {
            self.head.add(&format!("[{lines} lines, {bytes} bytes, were left out here: the log is capped]\n"))?;
        }
        for part in tail {
            let text = part.read(0, part.size)?;
            let start = self.head.size;
            self.head.file.write_all(&text)?;
            self.head.size += part.size;
            self.head.lines += part.lines;
            self.head.index.extend(part.index.into_iter().map(|(at, offset)| (at, start + offset)));
        }
        Ok(())
    }
}

/// A file that is gone as soon as it is closed, whatever ends the program.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".rest-{}-{}", std::process::id(), uuid::Uuid::now_v7()));
    // The folder has another name once a lane has taken the environment.
    let path = if folder.is_dir() { path } else { std::env::temp_dir().join(path.file_name().unwrap_or_default()) };
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

impl Part {
    fn new(file: File) -> Self {
        Self { file, size: 0, lines: 0, index: Vec::new() }
    }

    fn add(&mut self, line: &str) -> io::Result<()> {
        let due = self.index.last().is_none_or(|(_, offset)| self.size - offset >= INDEX_EVERY);
        if let Some(at) = due.then(|| time_of(line)).flatten() {
            self.index.push((at, self.size));
        }
        self.file.write_all(line.as_bytes())?;
        self.size += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }

    fn slice(&self, from: Timestamp, to: Timestamp, slice: &mut Vec<u8>) -> io::Result<()> {
        let before = self.index.partition_point(|(at, _)| *at < from.saturating_sub(DISORDER).unwrap_or(from));
        let after = self.index.partition_point(|(at, _)| *at <= to.saturating_add(DISORDER).unwrap_or(to));
        let start = before.checked_sub(1).and_then(|place| self.index.get(place)).map_or(0, |(_, offset)| *offset);
        let end = self.index.get(after).map_or(self.size, |(_, offset)| *offset);
        let mut within = false;
        for line in self.read(start, end)?.split_inclusive(|byte| *byte == b'\n') {
            // A line of ours without a time belongs to the one before it.
            if let Some(at) = std::str::from_utf8(line).ok().and_then(time_of) {
                within = at >= from && at <= to;
            }
            if within {
                slice.extend_from_slice(line);
            }
        }
        Ok(())
    }
}

/// The engine's time at the start of a line.
pub(super) fn time_of(line: &str) -> Option<Timestamp> {
    line.split_once(' ')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_000 + millis).unwrap()
    }

    fn log(cap: u64) -> (tempfile::TempDir, LogFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = LogFile::create(&folder.path().join("1.1/web.log"), cap).unwrap();
        (folder, file)
    }

    fn add(file: &LogFile, millis: i64) {
        file.add(&format!("{} line {millis} {}\n", at(millis), "x".repeat(60))).unwrap();
    }

    fn numbers(bytes: &[u8]) -> Vec<i64> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).collect()
    }

    #[test]
    fn a_slice_has_the_lines_of_its_time_wherever_they_stand() {
        let (folder, file) = log(1 << 30);
        for n in 0..20_000 {
            add(&file, n * 10);
        }
        let expected: Vec<i64> = (500..=505).map(|n| n * 10).collect();
        assert_eq!(numbers(&file.slice(at(5_000), at(5_050)).unwrap()), expected);
        assert_eq!(numbers(&file.slice(at(-50), at(0)).unwrap()), [0]);
        assert_eq!(file.slice(at(300_000), at(400_000)).unwrap(), b"");
        file.complete().unwrap();
        let whole = std::fs::read(folder.path().join("1.1/web.log")).unwrap();
        assert_eq!(numbers(&whole).len(), 20_000);
    }

    #[test]
    fn the_first_and_the_last_lines_are_kept_and_what_was_left_out_is_said() {
        let (folder, file) = log(40_000);
        for n in 0..5_000 {
            add(&file, n);
        }
        assert_eq!(numbers(&file.slice(at(4_990), at(4_999)).unwrap()), (4_990..5_000).collect::<Vec<_>>());
        file.complete().unwrap();
        assert_eq!(numbers(&file.slice(at(4_990), at(4_999)).unwrap()), (4_990..5_000).collect::<Vec<_>>());
        let text = std::fs::read_to_string(folder.path().join("1.1/web.log")).unwrap();
        assert!(text.len() < 41_000, "{}", text.len());
        let (first, last) = text.split_once("were left out here").unwrap();
        let first = numbers(first.rsplit_once('[').unwrap().0.as_bytes());
        let last = numbers(last.split_once('\n').unwrap().1.as_bytes());
        assert_eq!((first[0], last.last()), (0, Some(&4_999)));
        let said: i64 = text.split_once(" lines, ").unwrap().0.rsplit_once('[').unwrap().1.parse().unwrap();
        assert_eq!(first.len() as i64 + last.len() as i64 + said, 5_000);
        assert_eq!(std::fs::read_dir(folder.path().join("1.1")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_was_renamed_is_written_on() {
        let (folder, file) = log(10_000);
        std::fs::rename(folder.path().join("1.1"), folder.path().join("2.1")).unwrap();
        for n in 0..500 {
            add(&file, n);
        }
        file.complete().unwrap();
        assert!(std::fs::read_to_string(folder.path().join("2.1/web.log")).unwrap().contains("line 499"));
    }

    #[test]
    fn a_slice_is_bounded_and_says_so() {
        let (_folder, file) = log(1 << 30);
        for n in 0..60_000 {
            add(&file, n);
        }
        let slice = file.slice(at(0), at(60_000)).unwrap();
        assert!(slice.len() < MOST_OF_SLICE + 100);
        assert!(String::from_utf8(slice).unwrap().lines().next().unwrap().contains("left out"));
    }
}
