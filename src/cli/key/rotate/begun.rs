//! A change of keys that was begun and not done: this clone has the new key, and something is left to decide.

use crate::id::ChainId;
use crate::ledger::refs::Holds;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Close, Member, Place, Role};
use crate::roster::Roster;
use crate::signing::Signer;

/// What is left of it.
pub enum Begun {
    /// The new key waits to be enrolled.
    NotEnrolled { old: ChainId, last: Place },
    /// The new key is enrolled, the old one signs still, and this clone's member may end that.
    NotClosed { old: ChainId, last: Place },
}

/// What is left of the change that has brought this clone its key, if anything is.
pub fn find(ledger: &Ledger, own: &Signer) -> anyhow::Result<Option<Begun>> {
    let decided = ledger.decided()?;
    let Some(roster) = decided.history.newest() else { return Ok(None) };
    let is_mine = roster.enrolment(own.chain()).map(|(member, _)| member);
    let may_close = is_mine.is_some_and(|me| me.roles.iter().any(|role| matches!(role, Role::Owner | Role::Admin)));
    for (old, last) in predecessors(ledger, own)? {
        match is_mine {
            // Anybody can name anybody's key: it is ours if its own key is.
            None if ledger.has_key_of(old) && roster.closure(own.chain()).is_none() => {
                return Ok(Some(Begun::NotEnrolled { old, last }));
            }
            Some(me) if may_close && is_open_of(roster, old, me) => {
                return Ok(Some(Begun::NotClosed { old, last }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a chain is this member's, and its key signs still.
fn is_open_of(roster: &Roster, chain: ChainId, me: &Member) -> bool {
    roster.closure(chain).is_none() && roster.enrolment(chain).is_some_and(|(member, _)| member.id == me.id)
}

/// The key of a chain that was this clone's before.
pub fn key_of(ledger: &Ledger, chain: ChainId) -> Result<Signer, LedgerError> {
    let used = ledger.config.key.as_ref().ok_or(LedgerError::NoKey)?;
    Ok(Signer::load(&used.with_file_name(format!("{chain}.key")))?)
}

/// The chains that ended with naming this key, and their last records; none where its own chain has ended, too.
fn predecessors(ledger: &Ledger, own: &Signer) -> Result<Vec<(ChainId, Place)>, LedgerError> {
    let mut found = Vec::new();
    for (name, tip) in ledger.repo.refs(&ledger.prefix.dir())? {
        let Some(Holds::Chain(chain)) = ledger.prefix.read(&name) else { continue };
        // A chain that cannot be read is no reason to give up a key's change.
        let Ok(stored) = ledger.read(&name, &tip) else { continue };
        let Body::Close(Close { successor }) = stored.record.body() else { continue };
        if chain == own.chain() {
            return Ok(Vec::new());
        }
        if *successor == Some(own.public_key()) {
            found.push((chain, Place { seq: stored.record.envelope().seq, id: stored.record.id() }));
        }
    }
    Ok(found)
}
