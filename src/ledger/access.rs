//! Who opened what of others' words: records of reading encrypted payloads, made where that was asked for.

use crate::git::repo::Repo;
use crate::id::{RecordId, SessionId};
use crate::ledger::append::Writer;
use crate::ledger::local::Changes;
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Opened};

/// What is done with what is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody looks at it.
    Read,
    /// It leaves the repository.
    Export,
}

impl Purpose {
    fn body(self, opened: Opened) -> Body {
        match self {
            Purpose::Read => Body::Access(opened),
            Purpose::Export => Body::Export(opened),
        }
    }
}

/// Records that one record names; more would come near the size of a record.
const NAMED: usize = 512;

impl Ledger {
    /// Records that a session is read; the records that were made. There is none where nothing of the session is encrypted
    /// that this clone can open.
    pub fn record_access(
        &self,
        purpose: Purpose,
        session: &SessionId,
        segments: &[Segment<'_>],
        payloads: &Payloads,
    ) -> Result<Vec<RecordId>, LedgerError> {
        let records = opened(&self.repo, segments, payloads);
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = Writer::open(self)?;
        if writer.head().is_none() {
            return Err(LedgerError::Refused("this clone's chain is not open (git tracevault init)".to_owned()));
        }
        let mut made = Vec::new();
        for records in records.chunks(NAMED) {
            let opened = Opened { session: session.clone(), records: records.to_vec() };
            made.push(writer.append(purpose.body(opened), None, &[], |_| Ok(Changes::default()))?);
        }
        Ok(made)
    }
}

/// The records of a session that have encrypted payloads which this clone can open.
fn opened(repo: &Repo, segments: &[Segment<'_>], payloads: &Payloads) -> Vec<RecordId> {
    let opens = |segment: &&Segment<'_>| segment.payloads.iter().any(|payload| payloads.opens(repo, payload));
    segments.iter().filter(opens).map(|segment| segment.entry.id).collect()
}
