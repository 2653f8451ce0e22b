//! Changing this clone's key for a new one: the old chain names its successor, the new one is opened and enrolled.

mod begun;

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::cli::Code;
use crate::cli::decide::{self, How};
use crate::cli::init::{device, identity, new_key, use_key};
use crate::host::output::{self, Out};
use crate::id::ChainId;
use crate::ledger::append::Writer;
use crate::ledger::local::Changes;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Close, CloseChain, EnrolledKey, Member, Place, Reason, Role, Roster};
use crate::signing::Signer;
use begun::Begun;

pub fn rotate(ledger: &Ledger, how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let old = ledger.signer()?;
    let short = old.chain().short();
    match begun::find(ledger, &old)? {
        Some(Begun::NotEnrolled { old, last }) => {
            out.line(format_args!("Going on from chain {}, which names this key.", old.short()))?;
            return go_on(&begun::key_of(ledger, old)?, last, ledger, how, out);
        }
        Some(Begun::NotClosed { old, last }) => return retire(old, last, ledger, how, out),
        None => {}
    }
    others_can_decide(ledger, &old)?;
    how.confirm(&format!("Close chain {short} for good, and go on with a new key?"), out)?;
    let last = close(ledger, &old)?;
    go_on(&old, last, ledger, how, out)
}

/// Opens the chain of the key that this clone has now, and has it enrolled in the place of the old one.
fn go_on(old: &Signer, last: Place, ledger: &Ledger, how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let short = old.chain().short();
    let ledger = &Ledger::open(&ledger.repo.home())?;
    let mut writer = Writer::open(ledger)?;
    writer.open_chain(identity(ledger)?, device(ledger, None))?;
    let recipient = Some(ledger.identity()?.recipient()?);
    let new = EnrolledKey { public_key: writer.signer().public_key(), from_seq: 0, recipient };
    drop(writer);
    out.line(format_args!("chain  {}  (new; {short} is closed)", out.paint(output::ID, new.public_key.chain())))?;
    enrol(ledger, old, new, last, how, out)
}

/// Takes the right to sign from the old key: the last step.
fn retire(old: ChainId, last: Place, ledger: &Ledger, how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let body = Body::CloseChain(CloseChain { chain: old, last: Some(last), reason: Reason::Rotated });
    if how.is_proposal() {
        return how.decide(ledger, body, "", out);
    }
    decide::sign(ledger, body)?;
    out.line("The new key is enrolled, and the old one signs nothing any more. Push it with: git tracevault push")?;
    Ok(0)
}

/// Where owners decide together, one whose chain has ended signs no more: the others must be enough to enrol the new key.
fn others_can_decide(ledger: &Ledger, old: &Signer) -> anyhow::Result<()> {
    let decided = ledger.decided()?;
    let Some(roster) = decided.history.newest() else { return Ok(()) };
    let (own, threshold) = (roster.member_of(&old.public_key()), roster.threshold() as usize);
    let is_owner = |member: &Member| member.roles.contains(&Role::Owner);
    let others =
        roster.members().filter(|member| is_owner(member) && own.is_none_or(|own| own.id != member.id)).count();
    if own.is_some_and(is_owner) && threshold > 1 && others < threshold {
        bail!(
            "{threshold} owners decide together, and without this key there are {others}: have another key of yours enrolled first \
             (git tracevault init in a further clone, git tracevault member add CHAIN --propose FILE), then close this one \
             (git tracevault key close {} --reason rotated --propose FILE)",
            old.chain().short()
        );
    }
    Ok(())
}

/// Records what is open, and ends the old chain with the new key's name; the last record of it. One that was ended before, and
/// whose clone did not come to use the new key, is not ended twice.
fn close(ledger: &Ledger, old: &Signer) -> anyhow::Result<Place> {
    let mut writer = Writer::open(ledger)?;
    let head = *writer.head().context("this clone's chain is not open (git tracevault init)")?;
    if head.closed {
        let path = successor_key(ledger, old)?;
        drop(writer);
        use_key(ledger, &path)?;
        return Ok(Place { seq: head.seq, id: head.id });
    }
    writer.seal_all()?;
    // The new key is on the disk before the old one is given up.
    let (new, path) = new_key()?;
    let body = Body::Close(Close { successor: Some(new.public_key()) });
    let id = writer.append(body, None, &[], |_| Ok(Changes::default()))?;
    let seq = writer.head().map_or(0, |head| head.seq);
    use_key(ledger, &path)?;
    Ok(Place { seq, id })
}

/// Where the key is that a closed chain names.
fn successor_key(ledger: &Ledger, old: &Signer) -> anyhow::Result<PathBuf> {
    let name = ledger.prefix.chain(old.chain());
    let tip = ledger.repo.find_ref(&name)?.context("this clone's chain is not here")?;
    let Body::Close(Close { successor: Some(key) }) = ledger.read(&name, &tip)?.record.into_body() else {
        bail!("chain {} was closed without a successor: git tracevault init makes a new key", old.chain().short());
    };
    let used = ledger.config.key.as_ref().context("this clone has no key")?;
    let path = used.with_file_name(format!("{}.key", key.chain()));
    if !path.is_file() {
        bail!("the key that chain {} names is not here: {}", old.chain().short(), path.display());
    }
    Ok(path)
}

/// Enrols the new key and closes the old chain, if this member may; else tells who does.
fn enrol(
    ledger: &Ledger,
    old: &Signer,
    new: EnrolledKey,
    last: Place,
    how: &How,
    out: &mut Out,
) -> anyhow::Result<Code> {
    let decided = ledger.decided()?;
    let roster = decided.history.newest().context("there is no ledger here")?;
    let chain = new.public_key.chain();
    let ask = |out: &mut Out| -> anyhow::Result<Code> {
        // What a chain says that is closed before its key is enrolled counts for nothing.
        let first = match roster.enrolment(old.chain()) {
            Some(_) => String::new(),
            None => format!("git tracevault member add {} && ", old.chain().short()),
        };
        let (new, old) = (chain.short(), old.chain().short());
        out.line(out.paint(output::WARN, "The new key is pending until an owner or admin enrols it:"))?;
        out.line(format_args!("  git tracevault push, then they: git tracevault fetch"))?;
        out.line(format_args!(
            "  {first}git tracevault member add {new} && git tracevault key close {old} --reason rotated"
        ))?;
        Ok(0)
    };
    let Some(member) = roster.member_of(&old.public_key()) else { return ask(out) };
    let mut member = member.clone();
    member.keys.push(new);
    let body = Body::Roster(Roster { set: vec![member], ..Roster::default() });
    if how.is_proposal() {
        return how.decide(ledger, body, "", out);
    }
    match ledger.change_policy(old, body) {
        Ok(_) => {}
        Err(LedgerError::Refused(_)) => return ask(out),
        Err(error) => return Err(error.into()),
    }
    retire(old.chain(), last, ledger, how, out)
}
