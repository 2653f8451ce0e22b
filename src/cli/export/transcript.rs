//! Giving out a session: its transcript, line for line.

use anyhow::bail;

use super::Sink;
use crate::cli::access::LogAccess;
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::ledger::read_back::{Said, Source};
use crate::ledger::{Ledger, LedgerError};

/// So many characters of a session's id are enough to name it.
const LEAST_PREFIX: usize = 4;

/// Writes the lines of the session that a name stands for: the conversation's own, then its subagents'. If anything of it
/// cannot be read, that is an error.
pub fn write(name: &str, log: &LogAccess, ledger: &Ledger, book: &Book<'_>, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let named = if name.len() < LEAST_PREFIX { Vec::new() } else { book.sessions_named(name) };
    let session = match named.as_slice() {
        [session] => *session,
        [] => return Err(LedgerError::Unknown(name.to_owned()).into()),
        several => match several.iter().find(|session| session.as_str() == name) {
            Some(session) => *session,
            None => bail!("{name} is not clear: {} sessions have such an id", several.len()),
        },
    };
    let segments = book.telling(session);
    let sources = Source::all(&segments);
    if sources.is_empty() {
        bail!("no record that holds has a transcript of session {session}");
    }
    log.record(Purpose::Export, session, ledger, book);
    for source in sources {
        for said in source.lines(&ledger.repo, &book.report.payloads) {
            match said {
                Said::Line(line) => sink.write(&[&line[..], b"\n"].concat())?,
                Said::Missing(why) => bail!("session {session}: {why}"),
            }
        }
    }
    Ok(())
}
