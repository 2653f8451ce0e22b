//! What the policy chain that is here says of this clone's own key.

use serde::Serialize;

use crate::id::ChainId;
use crate::ledger::{Ledger, LedgerError};
use crate::roster::History;

/// Whether what this clone's key signs counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnKey {
    Enrolled,
    /// Nobody has enrolled it yet.
    Pending,
    /// It was closed: nothing that it signs from then on counts.
    Closed,
    /// It was closed before anybody enrolled it: nothing that it ever signed counts.
    Refused,
}

impl OwnKey {
    fn of(history: &History, chain: ChainId) -> Option<OwnKey> {
        let roster = history.newest()?;
        Some(match roster.closure(chain) {
            Some(_) if history.has_refused(chain) => OwnKey::Refused,
            Some(_) => OwnKey::Closed,
            None if roster.enrolment(chain).is_some() => OwnKey::Enrolled,
            None => OwnKey::Pending,
        })
    }

    /// What that means, and what to do about it; `None` where all is well.
    pub fn trouble(self, chain: ChainId) -> Option<(&'static str, String)> {
        let new = || "git tracevault init --new-key, then an owner or admin enrols the new key".to_owned();
        Some(match self {
            OwnKey::Enrolled => return None,
            OwnKey::Pending => (
                "not enrolled yet: what it signs counts when an owner or admin has enrolled it",
                format!(
                    "git tracevault push, then an owner or admin: git tracevault fetch && git tracevault member add {}",
                    chain.short()
                ),
            ),
            OwnKey::Closed => ("closed: nothing that it signs counts any more", new()),
            OwnKey::Refused => ("closed before anybody enrolled it: nothing that it signed counts", new()),
        })
    }
}

impl Ledger {
    /// What is decided of this clone's key; `None` where there is no key or no ledger.
    pub fn own_key(&self) -> Result<Option<OwnKey>, LedgerError> {
        let Some(chain) = self.own_chain() else { return Ok(None) };
        match self.decided() {
            Ok(decided) => Ok(OwnKey::of(&decided.history, chain)),
            Err(LedgerError::NoLedger) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
