//! To whom payloads are encrypted, and who reads them here.

use std::collections::BTreeSet;

use crate::finding::{Code, Finding};
use crate::id::ChainId;
use crate::ledger::append::Writer;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::{Encrypt, Policy};
use crate::record::Record;
use crate::record::body::{Body, Payload, Place};
use crate::record::recipient::Recipient;
use crate::roster::{History, Roster};
use crate::signing::{Identity, Reader};

impl Ledger {
    /// This clone's identity, to read with; it is made where there is none yet.
    pub fn identity(&self) -> Result<Identity, LedgerError> {
        let key = self.config.key.as_ref().ok_or(LedgerError::NoKey)?;
        Ok(Identity::beside(key)?)
    }

    /// What this clone may read with.
    pub fn reader(&self) -> Reader {
        self.config.key.as_ref().map_or_else(Reader::default, |key| Reader::beside(key))
    }

    /// To whom payloads are encrypted by the newest rules and roster; `None` where the rules do not ask for it. What
    /// cannot be told keeps everything from being stored.
    fn recipients(&self) -> Result<Option<Vec<Recipient>>, LedgerError> {
        self.recipients_of(None, false)
    }

    /// The same of what the writer of `chain` has said; `anyway` where it was encrypted, whatever the rules ask for now.
    pub(super) fn recipients_of(
        &self,
        chain: Option<ChainId>,
        anyway: bool,
    ) -> Result<Option<Vec<Recipient>>, LedgerError> {
        let decided = self.decided()?;
        if let Some(finding) = decided.findings.first() {
            return Err(LedgerError::Encryption(format!("the policy chain does not hold: {}", finding.message)));
        }
        let history = decided.history;
        let encrypt = history.rules().map_or(Encrypt::No, |rules| Policy::read(&rules.toml).encrypt);
        match (encrypt, history.newest()) {
            (Encrypt::No, _) if !anyway => Ok(None),
            (Encrypt::Unknown(why), _) => Err(LedgerError::Encryption(format!("it is not understood: {why}"))),
            (_, None) => Err(LedgerError::NoLedger),
            (_, Some(roster)) => {
                require_readers(roster)?;
                let own = self.identity()?.recipient()?;
                let chains = self.own_chain().into_iter().chain(chain);
                let authors = chains.filter_map(|chain| roster.enrolment(chain)).map(|(member, _)| member);
                let theirs = authors.flat_map(|member| roster.recipients_of(member));
                let all: BTreeSet<Recipient> = roster.readers().chain(theirs).cloned().chain([own]).collect();
                Ok(Some(all.into_iter().collect()))
            }
        }
    }
}

/// Refuses to encrypt to nobody but the author: nobody could ever look at it.
pub fn require_readers(roster: &Roster) -> Result<(), LedgerError> {
    match roster.readers().next() {
        Some(_) => Ok(()),
        None => Err(LedgerError::Encryption(
            "no owner, admin, policy-admin or auditor has a recipient in the roster".to_owned(),
        )),
    }
}

/// Which rules ask for encryption, by the number of the policy record that set them, ascending.
pub struct Asked(Vec<(u64, bool)>);

impl Asked {
    pub fn of(history: &History) -> Self {
        let asks = |toml: &str| Policy::read(toml).encrypt == Encrypt::Transcripts;
        Asked(history.all_rules().iter().map(|rules| (rules.set.n, asks(&rules.toml))).collect())
    }

    /// Whether a record has a payload in plain text, though the rules ask for encryption that were in force by the policy it
    /// cites.
    pub fn is_broken_by<State>(&self, record: &Record<State>) -> bool {
        let (Body::Session(session), Some(cited)) = (record.body(), record.envelope().policy) else { return false };
        let plain = |payload: &Payload| payload.encryption.is_none() && !payload.pieces.is_empty();
        let asks = self.0.iter().rfind(|(n, _)| *n <= cited.n).is_some_and(|(_, asks)| *asks);
        asks && session.payloads.iter().any(plain)
    }
}

/// What is told of a record with payloads in plain text.
pub fn told_plain(chain: ChainId, place: &Place) -> Finding {
    let what = "it has payloads in plain text: the rules in force by the policy that it cites ask for encryption";
    Finding::new(Code::Plain, what).chain(chain).seq(place.seq).record(place.id)
}

impl Writer<'_> {
    /// To whom payloads are encrypted, asked once.
    pub fn recipients(&self) -> Result<Option<&[Recipient]>, LedgerError> {
        if self.recipients.get().is_none() {
            let known = self.ledger.recipients()?;
            return Ok(self.recipients.get_or_init(|| known).as_deref());
        }
        Ok(self.recipients.get().and_then(Option::as_deref))
    }
}
