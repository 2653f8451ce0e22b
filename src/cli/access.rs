//! The wish to have it recorded when encrypted payloads are read, on the command line or in git's configuration.

use crate::cli::told;
use crate::host::output;
use crate::id::{RecordId, SessionId};
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::ledger::{Ledger, LedgerError};

/// Whether reading is recorded.
#[derive(clap::Args, Debug)]
pub struct LogAccess {
    /// Record on this clone's chain that encrypted payloads were opened, as tracevault.logAccess=true always does
    #[arg(long)]
    log_access: bool,
}

impl LogAccess {
    /// Records that a session is read, if that was asked for. It is done before anything is shown, so that closing a pager
    /// does not undo it; what keeps it from being done is told, and keeps nobody from reading.
    pub fn record(&self, purpose: Purpose, session: &SessionId, ledger: &Ledger, book: &Book<'_>) {
        if !self.log_access && !ledger.config.log_access {
            return;
        }
        let (segments, payloads) = (book.segments(session), &book.report.payloads);
        match ledger.record_access(purpose, session, segments, payloads) {
            Ok(made) => made.iter().for_each(|record| tell(purpose, record)),
            Err(error) => complain(error),
        }
    }
}

fn tell(purpose: Purpose, record: &RecordId) {
    let what = match purpose {
        Purpose::Read => "read",
        Purpose::Export => "exported",
    };
    output::say(format_args!("note: record {} says that this was {what}. (git tracevault push)", record.short()));
}

fn complain(error: LedgerError) {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let why = told(&anyhow::Error::from(error));
    output::say(format_args!("warning: no record says that this was opened: {}{hint}", output::visible(&why)));
}
