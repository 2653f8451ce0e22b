//! Desk: the repository with its index, which is kept up to date behind the tools that ask it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::schemars::JsonSchema;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::host::clock::Deadline;
use crate::id::SessionId;
use crate::index::{Database, Filter, Reach, SessionRow, Spoken, WriterRow};
use crate::ledger::{Ledger, LedgerError};
use crate::mcp::refusal::Refusal;
use crate::mirror::{Local, Progress, Shelves};

/// How long a call waits for an index that has nothing yet, and for one that lacks what is new.
const FIRST: Duration = Duration::from_secs(5);
const NEWS: Duration = Duration::from_secs(1);

/// So few characters of an id name nothing.
const LEAST_PREFIX: usize = 4;

/// What is asked by all tools.
pub struct Desk {
    pub local: Local,
    pub handle: Handle,
    coming: Mutex<Coming>,
    changed: Condvar,
    /// The sessions whose opening is on record since this server began.
    opened: Mutex<HashSet<SessionId>>,
}

/// How far this server has brought the index: names of states of the repository. Others may have emptied it since.
#[derive(Default)]
struct Coming {
    /// All records of this state are in it, and all that was said in its sessions.
    records: Option<String>,
    words: Option<String>,
    /// What the index says of itself since then.
    stamp: Option<String>,
    /// It is being brought up to date.
    busy: bool,
    /// Why the last attempt failed.
    trouble: Option<Refusal>,
}

impl Coming {
    /// Whether it was brought so far.
    fn has(&self, need: Need, state: &str) -> bool {
        let known = match need {
            Need::Records => &self.records,
            Need::Words => &self.words,
        };
        known.as_deref() == Some(state)
    }

    /// Whether what the index says of itself is what was brought into it.
    fn holds(&self, need: Need, progress: &Progress) -> bool {
        progress.whole && progress.stamp == self.stamp && (need == Need::Records || progress.unread == 0)
    }
}

/// How much of the index a question needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Records,
    Words,
}

/// Whether an answer is of all that is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Complete {
    /// Whether everything that is in this repository was asked.
    pub complete: bool,
    /// What is missing of it and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

impl Desk {
    /// Opens the index of the repository that `dir` is in, and begins to bring it up to date.
    pub fn open(dir: &Path, handle: &Handle) -> Result<Arc<Self>, Refusal> {
        let local = Local::open(dir, handle)?;
        let coming = Mutex::new(Coming::default());
        let desk =
            Arc::new(Desk { local, handle: handle.clone(), coming, changed: Condvar::new(), opened: Mutex::default() });
        desk.keep_up(&desk.local.state()?);
        Ok(desk)
    }

    pub fn database(&self) -> &Database {
        self.local.database()
    }

    /// Asks the index something.
    pub fn ask<T, E>(&self, question: impl Future<Output = Result<T, E>>) -> Result<T, Refusal>
    where
        Refusal: From<E>,
    {
        Ok(self.handle.block_on(question)?)
    }

    /// All of this repository: whoever starts the server reads it anyway.
    pub fn filter(&self) -> Result<Filter, Refusal> {
        Ok(Filter { reach: Reach::All, repository: Some(self.local.number()?), ..Filter::default() })
    }

    /// All that is here, for those who search for words: the index has no other repository, and SQLite would read all that it
    /// finds for its number.
    pub fn everything(&self) -> Filter {
        Filter { reach: Reach::All, ..Filter::default() }
    }

    /// The ledger, which there must be.
    pub fn ledger(&self) -> Result<Ledger, Refusal> {
        let ledger = self.local.ledger()?;
        match ledger.policy()? {
            Some(_) => Ok(ledger),
            None => Err(LedgerError::NoLedger.into()),
        }
    }

    /// Waits until the index has what is needed, but not for long: an answer of what is there is better than none.
    pub fn ready(self: &Arc<Self>, need: Need) -> Result<Complete, Refusal> {
        self.ledger()?;
        let state = self.local.state()?;
        let all = Complete { complete: true, missing: None };
        let before = self.local.progress()?;
        let mut coming = self.look();
        if coming.has(need, &state) && coming.holds(need, &before) {
            return Ok(all);
        }
        // Another server, or another version, may have emptied it.
        if !coming.holds(Need::Records, &before) {
            coming.records = None;
        }
        if !coming.holds(Need::Words, &before) {
            coming.words = None;
        }
        drop(coming);
        self.keep_up(&state);
        let deadline = Deadline::after(if before.whole { NEWS } else { FIRST });
        let mut coming = self.look();
        while coming.busy && !coming.has(need, &state) && !deadline.passed() {
            let waited = self.changed.wait_timeout(coming, deadline.left());
            coming = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if coming.has(need, &state) {
            return Ok(all);
        }
        if let Some(trouble) = &coming.trouble {
            return Err(trouble.clone());
        }
        drop(coming);
        let progress = self.local.progress()?;
        let missing = format!(
            "the index is still being made: it has {} records, and {} sessions are not read yet",
            progress.records, progress.unread
        );
        match !progress.whole {
            true => {
                Err(Refusal::new(missing, "ask again in some seconds; git tracevault why, show and log need no index"))
            }
            false => Ok(Complete { complete: false, missing: Some(missing) }),
        }
    }

    /// Brings the index up to date, unless somebody is at it.
    fn keep_up(self: &Arc<Self>, state: &str) {
        let mut coming = self.look();
        if coming.busy || coming.words.as_deref() == Some(state) {
            return;
        }
        coming.busy = true;
        let (desk, state) = (self.clone(), state.to_owned());
        self.handle.spawn_blocking(move || {
            let settled = || {
                let stamp = desk.local.progress().ok().and_then(|progress| progress.stamp);
                let mut coming = desk.look();
                (coming.records, coming.stamp) = (Some(state.clone()), stamp);
                desk.changed.notify_all();
            };
            let done = desk.local.update(settled);
            let mut coming = desk.look();
            coming.busy = false;
            match done {
                Ok(()) => (coming.words, coming.trouble) = (Some(state), None),
                Err(error) => coming.trouble = Some(error.into()),
            }
            desk.changed.notify_all();
        });
    }

    fn look(&self) -> MutexGuard<'_, Coming> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session whose id begins so.
    pub fn session_named(&self, name: &str) -> Result<SessionRow, Refusal> {
        if name.len() >= LEAST_PREFIX {
            let mut found = self.ask(self.database().sessions_named(&self.filter()?, name, 2))?;
            // A whole id means what it names, whatever else begins like it.
            if found.len() == 1 || found.first().is_some_and(|row| row.session == name) {
                return Ok(found.swap_remove(0));
            }
            if found.len() > 1 {
                return Err(Refusal::unknown(format!("several sessions begin with {name}"), "give more of the id"));
            }
        }
        let advice =
            "search finds sessions by what was said, why by the lines they wrote; ids need 4 characters or more";
        Err(Refusal::unknown(format!("no session here is called {name}"), advice))
    }

    /// Who wrote the record that speaks of a line.
    pub fn writer(&self, record: Option<&str>) -> Result<Option<WriterRow>, Refusal> {
        let Some(record) = record else { return Ok(None) };
        self.ask(self.database().writer_of(self.local.number()?, record))
    }

    /// The records of a session, of this writer alone where there is one, and what was said in it; where that is wished, a record
    /// says that it was opened, once while this server runs.
    pub fn open_session(&self, session: &SessionId, writer: Option<&WriterRow>) -> Result<(Spoken, Shelves), Refusal> {
        let number = self.local.number()?;
        let spoken = self.ask(self.database().spoken(number, session.as_str(), writer))?;
        let shelves = self.local.shelves()?;
        if self.local.ledger()?.config.log_access {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            if !opened.contains(session) {
                shelves.record_access(&spoken, session)?;
                opened.insert(session.clone());
            }
        }
        Ok((spoken, shelves))
    }
}

/// Where a session or a commit can be read whole.
pub fn session_uri(session: &str) -> String {
    format!("tracevault://session/{session}")
}

pub fn commit_uri(commit: &str) -> String {
    format!("tracevault://commit/{commit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_another_server_emptied_is_not_whole() {
        let text = |text: &str| Some(text.to_owned());
        let coming = Coming { records: text("s"), words: text("s"), stamp: text("a"), ..Coming::default() };
        let progress = |whole, stamp: &str, unread| Progress { records: 1, unread, whole, stamp: text(stamp) };
        assert!(coming.has(Need::Words, "s") && !coming.has(Need::Records, "t"));
        for (progress, records, words) in [
            (progress(true, "a", 0), true, true),
            (progress(true, "a", 1), true, false),
            (progress(false, "a", 0), false, false),
            (progress(true, "b", 0), false, false),
        ] {
            assert_eq!(
                (coming.holds(Need::Records, &progress), coming.holds(Need::Words, &progress)),
                (records, words)
            );
        }
    }
}
