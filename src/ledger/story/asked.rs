//! What a story is asked of: a line, a symbol, a commit, a session, by the names that people type.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::git::blame::named_line;
use crate::git::history;
use crate::id::{GitId, SessionId};
use crate::ledger::query::Book;
use crate::ledger::story::resolved;
use crate::ledger::{Ledger, LedgerError};

/// What a story is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Line { file: OsString, line: u32, revision: Option<GitId> },
    Symbol { file: OsString, name: String, revision: Option<GitId> },
    Commit(GitId),
    Session(SessionId),
}

/// So many characters of a session's id are enough to ask for it.
const LEAST_PREFIX: usize = 4;

impl Ledger {
    /// What a name stands for: `FILE:LINE`, `FILE#SYMBOL`, a commit as git names it, or a session's id or its beginning.
    ///
    /// Files are named as seen from `dir`.
    pub fn asked(
        &self,
        name: &OsStr,
        revision: Option<&OsStr>,
        dir: &Path,
        book: &Book<'_>,
    ) -> Result<Asked, LedgerError> {
        // Git gets the commit, never a text that could be one of its options.
        let revision = revision.map(|named| history::resolve(&self.repo, &named.to_string_lossy())).transpose()?;
        if let Some((file, line)) = named_line(name, |name| dir.join(name).is_file()) {
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
            let why = || LedgerError::Refused("only a line or a symbol is looked at in a revision".to_owned());
            return Err(half_named(&text).unwrap_or_else(why));
        }
        self.named(text, book)
    }

    /// The commit or session of this name.
    fn named(&self, name: String, book: &Book<'_>) -> Result<Asked, LedgerError> {
        let mut sessions = book.sessions_named(&name);
        if let Some(session) = sessions.iter().find(|session| session.as_str() == name) {
            return Ok(Asked::Session((*session).clone()));
        }
        if name.len() < LEAST_PREFIX {
            sessions.clear();
        }
        let commit = resolved(self, &name);
        // The name of a branch or tag means what it names, whatever session begins like it.
        let is_id = commit.as_ref().is_some_and(|commit| commit.as_str().starts_with(&name));
        match (commit, sessions.as_slice()) {
            (Some(commit), []) => Ok(Asked::Commit(commit)),
            (Some(commit), _) if !is_id => Ok(Asked::Commit(commit)),
            (None, [only]) => Ok(Asked::Session((*only).clone())),
            (None, []) => Err(half_named(&name).unwrap_or(LedgerError::Unknown(name))),
            _ => Err(LedgerError::Refused(format!("{name} is not clear; give more of the id"))),
        }
    }
}

/// What is wrong with a name that looks like a line's or a symbol's and is none.
fn half_named(name: &str) -> Option<LedgerError> {
    let (file, rest) = name.rsplit_once([':', '#'])?;
    if file.is_empty() {
        return None;
    }
    let why = match (&name[file.len()..=file.len()], rest) {
        ("#", "") => "the symbol's name is missing (FILE#NAME)",
        (":", _) => "a line has a number, counted from 1 (FILE:LINE)",
        _ => return None,
    };
    Some(LedgerError::Refused(format!("{name}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_name_is_told_what_it_lacks() {
        for (name, why) in [
            ("a.py:0", Some("counted from 1")),
            ("a.py:x", Some("counted from 1")),
            ("a.py:", Some("counted from 1")),
            ("a.py#", Some("name is missing")),
            (":/subject", None),
            ("a.py", None),
            ("", None),
        ] {
            let told = half_named(name).map(|error| error.to_string());
            assert_eq!(told.is_some(), why.is_some(), "{name}");
            assert!(told.unwrap_or_default().contains(why.unwrap_or_default()), "{name}");
        }
    }
}
