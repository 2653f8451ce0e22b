//! Commits that draw on session records which are others, or nowhere.
#![cfg(test)]

use super::{fail, inconclusive, pass, verified};
use crate::digest::Digest;
use crate::id::{ChainId, RecordId};
use crate::ledger::testing::{Answer, Fixture, Key, People, member};
use crate::record::Record;
use crate::record::body::{Body, CloseChain, Commit, Reason, Role, SessionRef};

/// A ledger whose developer has a session and a commit that draws on it.
fn good() -> Fixture {
    verified(Fixture::of_each_type())
}

/// Appends the developer's commit record once more, signed by this key, with what it draws on changed.
fn draws(fixture: &Fixture, key: &Key, change: impl FnOnce(&mut SessionRef)) {
    let raw = fixture.load(fixture.people.developer.chain());
    let Body::Commit(body) = Record::parse(raw[2].record().to_vec()).unwrap().into_body() else { panic!() };
    let trace = raw[2].files.iter().find(|file| file.name == "agent-trace.json").unwrap().bytes.clone();
    let mut body: Commit = *body;
    change(&mut body.sessions[0]);
    fixture.append(key.chain(), &[key], Body::Commit(Box::new(body)), Some(&trace));
}

/// What comes back where a commit draws on something else.
fn drawing_on(change: impl Fn(&Fixture, &mut SessionRef)) -> Answer {
    let fixture = good();
    draws(&fixture, &fixture.people.developer, |drawn| change(&fixture, drawn));
    fixture.ask()
}

#[test]
fn a_commit_draws_on_session_records_that_are_there() {
    let record = |fixture: &Fixture, seq: usize| fixture.ids(fixture.people.developer.chain())[seq];
    // By a record that was verified before, and is not read again for anything else.
    assert_eq!(drawing_on(|_, _| ()), pass(&[]));
    assert_eq!(drawing_on(|_, drawn| drawn.record = RecordId(Digest::of(b"nowhere"))), fail(&["E-REF"]));
    assert_eq!(drawing_on(|fixture, drawn| drawn.record = record(fixture, 3)), fail(&["E-REF"]), "of another type");
    assert_eq!(drawing_on(|_, drawn| drawn.session = "another".parse().unwrap()), fail(&["E-REF"]));
}

#[test]
fn what_a_commit_draws_on_may_stand_on_the_chain_of_an_older_key_and_must_stay_there() {
    let fixture = good();
    let (developer, newer) = (&fixture.people.developer, Key::new(9));
    let id = "d\u{f6}rte@example.com";
    let both = member(id, "D\u{f6}rte", &[Role::Developer], &[developer, &newer]);
    fixture.roster(&[&fixture.people.owner], vec![both]);
    fixture.open(&newer, id);
    draws(&fixture, &newer, |_| ());
    assert_eq!(fixture.ask(), pass(&[]));
    let tip = fixture.tip(developer.chain());
    fixture.set_tip(developer.chain(), None);
    assert_eq!(fixture.ask(), fail(&["E-REF"]));
    fixture.set_tip(developer.chain(), tip);
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let fixture = good();
    let (developer, newer) = (&fixture.people.developer, Key::new(9));
    fixture.roster(&[&fixture.people.owner], vec![member("m@example.com", "M", &[Role::Developer], &[&newer])]);
    fixture.open(&newer, "m@example.com");
    draws(&fixture, &newer, |_| ());
    let name = fixture.name(developer.chain());
    let tip = fixture.tip(developer.chain()).unwrap();
    // A copy whose commits are not here.
    let lost: crate::id::GitId = "1".repeat(40).parse().unwrap();
    let (_, bytes) = fixture.ledger.repo.read(&tip).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let parent = text.lines().find_map(|line| line.strip_prefix("parent ")).unwrap().to_owned();
    let commit = text.replacen(&parent, lost.as_str(), 1);
    let commit = fixture.ledger.repo.write(crate::git::repo::Kind::Commit, commit.as_bytes()).unwrap();
    fixture.set_ref(&name, Some(commit));
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn what_a_commit_draws_on_may_stand_on_a_chain_that_was_refused() {
    let fixture = good();
    let People { developer, admin, stranger, .. } = &fixture.people;
    fixture.open(stranger, "d\u{f6}rte@example.com");
    fixture.session(stranger, 0, &["said".to_owned()]);
    let record = fixture.ids(stranger.chain())[1];
    draws(&fixture, developer, |drawn| drawn.record = record);
    // What stands on it draws on nothing that is there, and that is nobody's business any more.
    draws(&fixture, stranger, |drawn| drawn.record = RecordId(Digest::of(b"nowhere")));
    assert_eq!(fixture.ask(), fail(&["E-PENDING", "E-REF"]));
    let close = CloseChain { chain: stranger.chain(), last: None, reason: Reason::Stolen };
    fixture.append(ChainId::Policy, &[admin], Body::CloseChain(close), None);
    assert_eq!(fixture.ask(), pass(&[]));
    draws(&fixture, developer, |drawn| drawn.record = RecordId(Digest::of(b"nowhere")));
    assert_eq!(fixture.ask(), fail(&["E-REF"]));
}
