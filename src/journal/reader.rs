//! Reading a session's journal: a line at a time, whatever state the file is in.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::session::event::AgentEvent;

/// A longer line was not written by us: the hook takes no payload that large.
const LINE_LIMIT: u64 = 96 << 20;

/// A line that is no event: a [`GapKind::JournalDamaged`](crate::session::event::GapKind::JournalDamaged).
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    #[error("a journal line is no event")]
    Line(#[source] serde_json::Error),
    #[error("a journal line is too long")]
    Oversize,
    #[error("the journal cannot be read")]
    Read(#[source] io::Error),
}

/// A session's events, each with the offset to read on from after it.
///
/// A last line that is not ended is still being written, or was cut short by a crash: it is not there yet.
#[derive(Debug)]
pub struct Reader {
    /// None when there is nothing more to read.
    file: Option<BufReader<File>>,
    offset: u64,
    line: Vec<u8>,
}

impl Reader {
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<Reader> {
        let file = match File::open(path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(offset))?;
                Some(BufReader::with_capacity(64 << 10, file))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Reader { file, offset, line: Vec::new() })
    }

    fn parse(&mut self) -> Result<AgentEvent, Damaged> {
        serde_json::from_slice(&self.line).map_err(Damaged::Line)
    }
}

impl Iterator for Reader {
    type Item = (u64, Result<AgentEvent, Damaged>);

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file.as_mut()?;
        self.line.clear();
        match file.take(LINE_LIMIT).read_until(b'\n', &mut self.line) {
            Ok(read) if self.line.last() == Some(&b'\n') => {
                self.offset += read as u64;
                Some((self.offset, self.parse()))
            }
            Ok(read) if (read as u64) < LINE_LIMIT => {
                self.file = None;
                None
            }
            Ok(read) => match file.skip_until(b'\n') {
                Ok(skipped) => {
                    self.line = Vec::new();
                    self.offset += (read + skipped) as u64;
                    Some((self.offset, Err(Damaged::Oversize)))
                }
                Err(error) => self.fail(error),
            },
            Err(error) => self.fail(error),
        }
    }
}

impl Reader {
    fn fail(&mut self, error: io::Error) -> Option<<Self as Iterator>::Item> {
        self.file = None;
        Some((self.offset, Err(Damaged::Read(error))))
    }
}
