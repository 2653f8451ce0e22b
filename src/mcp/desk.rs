//! Desk: the repository with its index, which is kept up to date behind the tools that ask it.

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
use crate::mirror::{Local, Shelves};

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
}

/// How far the index has come: names of states of the repository.
#[derive(Default)]
struct Coming {
    /// All records of this state are in it, and all that was said in its sessions.
    records: Option<String>,
    words: Option<String>,
    /// It is being brought up to date.
    busy: bool,
    /// Why the last attempt failed.
    trouble: Option<Refusal>,
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
        let desk = Arc::new(Desk { local, handle: handle.clone(), coming, changed: Condvar::new() });
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
        let is_there = |coming: &Coming| match need {
            Need::Records => coming.records.as_ref() == Some(&state),
            Need::Words => coming.words.as_ref() == Some(&state),
        };
        if is_there(&self.look()) {
            return Ok(Complete { complete: true, missing: None });
        }
        self.keep_up(&state);
        let is_empty = !self.local.progress()?.whole;
        let deadline = Deadline::after(if is_empty { FIRST } else { NEWS });
        let mut coming = self.look();
        while coming.busy && !is_there(&coming) && !deadline.passed() {
            let waited = self.changed.wait_timeout(coming, deadline.left());
            coming = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if is_there(&coming) {
            return Ok(Complete { complete: true, missing: None });
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
                desk.look().records = Some(state.clone());
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
                return Err(Refusal::new(format!("several sessions begin with {name}"), "give more of the id"));
            }
        }
        let advice =
            "search finds sessions by what was said, why by the lines they wrote; ids need 4 characters or more";
        Err(Refusal::new(format!("no session here is called {name}"), advice))
    }

    /// Who wrote the record that speaks of a line.
    pub fn writer(&self, record: Option<&str>) -> Result<Option<WriterRow>, Refusal> {
        let Some(record) = record else { return Ok(None) };
        self.ask(self.database().writer_of(self.local.number()?, record))
    }

    /// The records of a session, of this writer alone where there is one, and what was said in it; where that is wished, a record
    /// says that it was opened.
    pub fn open_session(&self, session: &SessionId, writer: Option<&WriterRow>) -> Result<(Spoken, Shelves), Refusal> {
        let number = self.local.number()?;
        let spoken = self.ask(self.database().spoken(number, session.as_str(), writer))?;
        let shelves = self.local.shelves()?;
        if self.local.ledger()?.config.log_access {
            shelves.record_access(&spoken, session)?;
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
