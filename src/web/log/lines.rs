//! The lines of a log's file: its last one, those from a place on, and one that was never finished.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::audit_log;

/// So many lines are read at once.
const BATCH: usize = 1_000;

/// Cuts off a line without an end, which was never answered for; how many bytes that were.
pub fn cut_torn_end(file: &mut File) -> io::Result<u64> {
    let whole = file.metadata()?.len();
    let mut left = whole;
    // A machine that lost its power may leave more of it than a line has.
    while left > 0 {
        let tail = tail(file, left)?;
        match tail.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => {
                left -= (tail.len() - at - 1) as u64;
                break;
            }
            None => left -= tail.len() as u64,
        }
    }
    if left < whole {
        file.set_len(left)?;
    }
    Ok(whole - left)
}

/// The last of the first `end` bytes of a file, more than any line has.
fn tail(file: &mut File, end: u64) -> io::Result<Vec<u8>> {
    let begin = end.saturating_sub(2 * audit_log::LONGEST as u64);
    file.seek(SeekFrom::Start(begin))?;
    let mut tail = Vec::new();
    file.take(end - begin).read_to_end(&mut tail)?;
    Ok(tail)
}

pub fn last_line(file: &mut File) -> io::Result<Option<String>> {
    let whole = file.metadata()?.len();
    let tail = tail(file, whole)?;
    let Some(text) = tail.strip_suffix(b"\n") else { return Ok(None) };
    let line = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(line).into_owned()))
}

/// The next whole lines of a file between two places in it; `None` where it does not reach so far as the first any more.
pub fn lines_from(path: &Path, from: u64, to: u64) -> io::Result<Option<Vec<String>>> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    if file.metadata()?.len() < from {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(from))?;
    let mut file = BufReader::new(file.take(to.saturating_sub(from)));
    let mut lines = Vec::new();
    while lines.len() < BATCH {
        let mut line = Vec::new();
        // A line longer than any of ours is read no further, and does not hold.
        let read = (&mut file).take(2 * audit_log::LONGEST as u64).read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\n") {
            Some(line) => lines.push(String::from_utf8_lossy(line).into_owned()),
            None if read > audit_log::LONGEST => lines.push(String::from_utf8_lossy(&line).into_owned()),
            None => break,
        }
    }
    Ok(Some(lines))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn whatever_was_not_finished_is_cut_off() {
        let longest = 2 * audit_log::LONGEST;
        for (whole, torn) in [("", 0), ("", 1), ("a\n", 0), ("a\nb\n", 6), ("a\n", longest), ("a\n", 3 * longest + 1)] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(whole.as_bytes()).unwrap();
            file.write_all(&vec![0; torn]).unwrap();
            assert_eq!(cut_torn_end(&mut file).unwrap(), torn as u64, "{whole:?} {torn}");
            assert_eq!(file.metadata().unwrap().len(), whole.len() as u64);
            let last = whole.lines().last().map(str::to_owned);
            assert_eq!(last_line(&mut file).unwrap(), last, "{whole:?} {torn}");
        }
    }
}
