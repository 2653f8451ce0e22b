//! Journal: a session's events and the file states around them, on this disk only.
//!
//! It lies in git's common folder, so that all work trees of a clone share it:
//! `tracevault/journal/<session>.jsonl`, an event a line; `tracevault/files/`, of each file the events that changed it; `tracevault/states/`, bytes of files by their SHA-256;
//! `tracevault/nudges/`, what was said to agents; `tracevault/snapshots/`, what differed from HEAD when a call began that may change any file; `tracevault/squash`, the branch that was
//! squashed last.

pub mod named;
mod names;
pub mod nudges;
mod renames;
pub mod reader;
pub mod snapshot;
pub mod squash;
pub mod states;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::digest::Digest;
use crate::host::clock::Deadline;
use crate::host::files;
use crate::id::{RepoPath, SessionId};
use crate::journal::reader::Reader;
use crate::journal::states::States;
use crate::session::edit::{Edit, Edits};
use crate::session::event::AgentEvent;

/// How long another process may hold a session's journal before we write all the same.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The journal of one clone.
#[derive(Debug, Clone)]
pub struct Journal {
    dir: PathBuf,
    states: States,
}

/// What the journal has of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile {
    pub session: SessionId,
    pub size: u64,
    /// When it was last written to, in milliseconds since 1970.
    pub modified: i64,
}

impl Journal {
    /// The journal of the clone with this common folder; none if nobody enrolled it (`init`).
    pub fn open(common_dir: &Path) -> Option<Journal> {
        let dir = common_dir.join("tracevault");
        fs::symlink_metadata(dir.join("enrolled")).ok()?;
        Some(Journal { states: States::in_dir(dir.join("states")), dir })
    }

    /// Our own folder in the common folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The bytes that files had.
    pub fn states(&self) -> &States {
        &self.states
    }

    fn file(&self, session: &SessionId) -> PathBuf {
        self.dir.join("journal").join(format!("{session}.jsonl"))
    }

    /// Appends an event to its session's journal, and what it says of files to theirs: a commit asks only for the
    /// files that it changes, however long the sessions are.
    pub fn append(&self, event: &AgentEvent) -> io::Result<()> {
        let mut paths: Vec<&RepoPath> = event.files.iter().chain(&event.before).map(|file| &file.path).collect();
        paths.sort_unstable();
        paths.dedup();
        let by_file =
            paths.into_iter().try_for_each(|path| self.append_line(&self.file_events(path), &event.about(path)));
        self.append_line(&self.file(&event.session), event).and(by_file)
    }

    /// Where the events are that a file was changed by.
    fn file_events(&self, path: &RepoPath) -> PathBuf {
        let name = Digest::of(path.as_str().as_bytes()).to_string();
        self.dir.join("files").join(&name[..2]).join(format!("{}.jsonl", &name[2..32]))
    }

    /// Appends a line whole or, if that fails, nothing.
    ///
    /// A line that a crash cut short is ended first, so that it spoils no other; the reader tells of it.
    fn append_line(&self, path: &Path, event: &AgentEvent) -> io::Result<()> {
        let mut line = Vec::with_capacity(1024 + event.raw.as_ref().map_or(0, |raw| raw.get().len()));
        line.push(b'\n');
        serde_json::to_writer(&mut line, event)?;
        // JSON has line breaks only as white space between values, which a payload as it came may hold.
        line[1..].iter_mut().filter(|b| matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
        line.push(b'\n');

        let open = || files::private_options().read(true).append(true).create(true).open(path);
        let mut file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), files::create_private_dir)?;
                open()?
            }
            other => other?,
        };
        let locked = lock_patiently(&file)?;
        let size = file.metadata()?.len();
        let line = if ends_a_line(&mut file, size)? { &line[1..] } else { &line[..] };
        file.write_all(line).inspect_err(|_| {
            // The disk is full, say: half a line is of no use. Without the lock it may be another's line that is cut.
            if locked {
                drop(file.set_len(size));
            }
        })
    }

    /// A session's events from `offset` on, which is 0 or an offset that the reader gave.
    pub fn read(&self, session: &SessionId, offset: u64) -> io::Result<Reader> {
        Reader::open(&self.file(session), offset)
    }

    /// The sessions that have a journal, by name.
    pub fn sessions(&self) -> io::Result<Vec<SessionFile>> {
        let entries = match fs::read_dir(self.dir.join("journal")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let session = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).map(str::parse::<SessionId>);
            if let Some(Ok(session)) = session {
                let meta = entry.metadata()?;
                let since = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                let modified = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
                found.push(SessionFile { session, size: meta.len(), modified });
            }
        }
        found.sort_by(|a, b| a.session.cmp(&b.session));
        Ok(found)
    }

    /// The edits of a file under this very name, the oldest first. What cannot be read is left out: the ledger tells of
    /// it when it seals the session.
    fn edits_under(&self, path: &RepoPath) -> io::Result<Vec<Edit>> {
        let mut edits = Edits::default();
        let events = Reader::open(&self.file_events(path), 0)?;
        events.filter_map(|(_, event)| event.ok()).for_each(|event| edits.add(event));
        Ok(edits.finish())
    }
}

/// Whether the lock was had in time.
fn lock_patiently(file: &File) -> io::Result<bool> {
    let deadline = Deadline::after(LOCK_PATIENCE);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if deadline.passed() => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}

fn ends_a_line(file: &mut File, size: u64) -> io::Result<bool> {
    if size == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::Start(size - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests;
