//! What a story is asked of: a line, a symbol, a commit, a session, by the names that people type.

use std::ffi::{OsStr, OsString};

use crate::git::blame::named_line;
use crate::id::{GitId, SessionId};
use crate::ledger::query::Book;
use crate::ledger::story::resolved;
use crate::ledger::{Ledger, LedgerError};

/// What a story is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Line { file: OsString, line: u32, revision: Option<OsString> },
    Symbol { file: OsString, name: String, revision: Option<OsString> },
    Commit(GitId),
    Session(SessionId),
}

/// So many characters of a session's id are enough to ask for it.
const LEAST_PREFIX: usize = 4;

impl Ledger {
    /// What a name stands for: `FILE:LINE`, `FILE#SYMBOL`, a commit as git names it, or a session's id or its beginning.
    pub fn asked(&self, name: &OsStr, revision: Option<&OsStr>, book: &Book<'_>) -> Result<Asked, LedgerError> {
        let revision = revision.map(OsStr::to_owned);
        if let Some((file, line)) = named_line(name) {
            return Ok(Asked::Line { file, line, revision });
        }
        let text = name.to_string_lossy().into_owned();
        if let Some((file, symbol)) = name.to_str().and_then(|name| name.rsplit_once('#'))
            && !file.is_empty()
            && !symbol.is_empty()
        {
            return Ok(Asked::Symbol { file: file.into(), name: symbol.to_owned(), revision });
        }
        if revision.is_some() {
            return Err(LedgerError::Refused("only a line or a symbol is looked at in a revision".to_owned()));
        }
        self.named(text, book)
    }

    /// The commit or session of this name.
    fn named(&self, name: String, book: &Book<'_>) -> Result<Asked, LedgerError> {
        let sessions = if name.len() >= LEAST_PREFIX { book.sessions_named(&name) } else { Vec::new() };
        if let Some(session) = sessions.iter().find(|session| session.as_str() == name) {
            return Ok(Asked::Session((*session).clone()));
        }
        let commit = resolved(self, &name);
        // The name of a branch or tag means what it names, whatever session begins like it.
        let is_id = commit.as_ref().is_some_and(|commit| commit.as_str().starts_with(&name));
        match (commit, sessions.as_slice()) {
            (Some(commit), []) => Ok(Asked::Commit(commit)),
            (Some(commit), _) if !is_id => Ok(Asked::Commit(commit)),
            (None, [only]) => Ok(Asked::Session((*only).clone())),
            (None, []) => Err(LedgerError::Unknown(name)),
            _ => Err(LedgerError::Refused(format!("{name} is not clear; give more of the id"))),
        }
    }
}
