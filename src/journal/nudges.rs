//! Nudges of this clone: what each session did so far as far as they ask for it, which were shown, and what came of them.
//!
//! `tracevault/nudges/<session>.json` is a session's state, a line, `tracevault/nudges/shown.jsonl` the log. Both stay on this disk.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Journal;
use crate::host::clock::Deadline;
use crate::host::files;
use crate::id::SessionId;
use crate::nudge::{Kind, Outcome, Rule, State};

/// The log grows no larger than this.
const LOG_LIMIT: u64 = 4 << 20;
/// No state is larger.
const STATE_LIMIT: u64 = 4 << 20;
/// A session that nobody has gone on with for so long is over.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long another call of the session may have its state before this one goes without.
const PATIENCE: Duration = Duration::from_millis(5);

/// A line of the log: a nudge that was shown, or what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since 1970, by this machine's clock.
    pub at: i64,
    pub session: SessionId,
    /// The nudge's number in the session, from 1.
    pub n: u64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Shown {
        rule: Rule,
        kind: Kind,
        /// The agent's name for the event that was answered.
        event: String,
        text: String,
    },
    Outcome(Outcome),
}

/// A session's state, which no other process has meanwhile.
pub struct Held {
    /// Locked.
    file: File,
    before: State,
    pub state: State,
}

impl Journal {
    fn nudges(&self) -> PathBuf {
        self.dir.join("nudges")
    }

    /// The state of a session, if it can be had in time. `make`: also where there is none yet.
    pub fn hold_nudges(&self, session: &SessionId, make: bool) -> io::Result<Option<Held>> {
        let path = self.nudges().join(format!("{session}.json"));
        let open = || files::private_options().read(true).write(true).create(make).truncate(false).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !make => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                files::create_private_dir(&self.nudges())?;
                open()?
            }
            other => other?,
        };
        let deadline = Deadline::after(PATIENCE);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if deadline.passed() => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(200)),
            }
        }
        // One that cannot be read begins anew: a hint may come twice.
        let mut bytes = Vec::new();
        Read::take(&file, STATE_LIMIT).read_to_end(&mut bytes)?;
        // What a longer one left stands behind the line.
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let state: State = serde_json::from_slice(line).unwrap_or_default();
        Ok(Some(Held { file, before: state.clone(), state }))
    }

    /// Forgets the states of sessions that nobody has gone on with for long.
    pub fn forget_nudges(&self) -> io::Result<()> {
        let folder = match fs::read_dir(self.nudges()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for path in folder.flatten().map(|file| file.path()) {
            let is_state = path.extension().is_some_and(|kind| kind == "json");
            if is_state && files::age(&path).is_some_and(|age| age > KEPT) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Adds to the log.
    pub fn log_nudges(&self, lines: &[Line]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        files::append_bounded(&self.nudges().join("shown.jsonl"), &text, LOG_LIMIT)
    }

    /// The log, oldest first. Lines that cannot be read are left out.
    pub fn logged_nudges(&self) -> io::Result<Vec<Line>> {
        let bytes = files::read_if_exists(&self.nudges().join("shown.jsonl"))?.unwrap_or_default();
        Ok(bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }
}

impl Held {
    /// Writes the state back, if it is another now: in its place, as a new file costs an agent's call more than all else.
    pub fn keep(mut self) -> io::Result<()> {
        if self.state == self.before {
            return Ok(());
        }
        let mut line = serde_json::to_vec(&self.state)?;
        line.push(b'\n');
        self.file.rewind()?;
        // At once: who is killed has written all of it, or nothing.
        self.file.write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tracevault")).unwrap();
        std::fs::write(dir.path().join("tracevault/enrolled"), "").unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        (dir, journal)
    }

    #[test]
    fn a_state_is_kept_and_had_by_one_at_a_time() {
        let (_dir, journal) = journal();
        let session = SessionId::from_agent("s");
        assert!(journal.hold_nudges(&session, false).unwrap().is_none(), "nothing is made where nothing is asked for");
        let mut held = journal.hold_nudges(&session, true).unwrap().unwrap();
        held.state.calls = 12345;
        assert!(journal.hold_nudges(&session, true).unwrap().is_none(), "another has it");
        held.keep().unwrap();
        let mut held = journal.hold_nudges(&session, false).unwrap().unwrap();
        assert_eq!(held.state.calls, 12345);
        held.state = State::default();
        held.keep().unwrap();
        let held = journal.hold_nudges(&session, false).unwrap().unwrap();
        assert_eq!(held.state, State::default(), "a shorter one leaves nothing of the longer behind");
        std::fs::write(journal.nudges().join("s.json"), "{\"calls\":").unwrap();
        drop(held);
        assert_eq!(journal.hold_nudges(&session, true).unwrap().unwrap().state, State::default());
    }

    #[test]
    fn states_of_sessions_that_are_long_over_go() {
        let (_dir, journal) = journal();
        journal.forget_nudges().unwrap();
        for name in ["old", "new"] {
            let mut held = journal.hold_nudges(&SessionId::from_agent(name), true).unwrap().unwrap();
            held.state.calls = 1;
            held.keep().unwrap();
        }
        let log = journal.nudges().join("shown.jsonl");
        fs::write(&log, "").unwrap();
        let past = fs::metadata(&log).unwrap().modified().unwrap() - 2 * KEPT;
        for file in [journal.nudges().join("old.json"), log] {
            File::options().write(true).open(file).unwrap().set_modified(past).unwrap();
        }
        journal.forget_nudges().unwrap();
        let mut left: Vec<_> = fs::read_dir(journal.nudges()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, ["new.json", "shown.jsonl"]);
    }

    #[test]
    fn the_log_reads_back_without_what_a_crash_cut_short() {
        let (_dir, journal) = journal();
        assert_eq!(journal.logged_nudges().unwrap(), []);
        drop(journal.hold_nudges(&SessionId::from_agent("s"), true).unwrap());
        let line = |n, what| Line { at: 7, session: SessionId::from_agent("s"), n, what };
        let shown = What::Shown {
            rule: Rule::Repeat,
            kind: Kind::Hint,
            event: "PostToolUseFailure".into(),
            text: "why".into(),
        };
        let lines = [line(1, shown), line(1, What::Outcome(Outcome::Ignored))];
        journal.log_nudges(&lines[..1]).unwrap();
        files::append_private(&journal.nudges().join("shown.jsonl"), b"{\"at\":\n").unwrap();
        journal.log_nudges(&lines[1..]).unwrap();
        assert_eq!(journal.logged_nudges().unwrap(), lines);
    }
}
