//! Tests of the roster: who may change it, and what a writer's record is worth.

use super::*;
use crate::digest::Digest;
use crate::id::LedgerId;
use crate::id::RecordId;
use crate::record::body::{Body, Claim, Open, Reason};
use crate::record::{Citation, Record};
use crate::record::{Envelope, Unverified};
use crate::time::Time;

pub fn key(n: u8) -> PublicKey {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[n; 32]);
    PublicKey::new([n; 8], secret.verifying_key().to_bytes()).unwrap()
}

fn member(id: &str, role: Role, keys: &[u8]) -> Member {
    let keys = keys.iter().map(|n| EnrolledKey { public_key: key(*n), from_seq: 0, recipient: None }).collect();
    Member { id: id.into(), name: id.into(), roles: vec![role], keys }
}

pub fn policy(seq: u64, body: Body) -> Record<Unverified> {
    let envelope = Envelope {
        ledger: LedgerId(Digest::ZERO),
        chain: ChainId::Policy,
        seq,
        prev: Digest::ZERO,
        time: Time::from_unix(0),
        policy: None,
        seal: None,
    };
    Record::new(envelope, body).unwrap()
}

fn at(seq: u64) -> Place {
    Place { seq, id: RecordId(Digest::of(&seq.to_be_bytes())) }
}

fn genesis(threshold: u32, members: Vec<Member>) -> Record<Unverified> {
    policy(0, Body::Genesis(Genesis { threshold, members, nonce: "00".repeat(16) }))
}

fn roster(set: Vec<Member>) -> Record<Unverified> {
    policy(1, Body::Roster(Change { set, ..Change::default() }))
}

#[test]
fn two_keys_of_one_owner_are_one_owner() {
    let owners = vec![member("a", Role::Owner, &[1, 2]), member("b", Role::Owner, &[3])];
    let record = genesis(2, owners);
    let two = RosterError::Threshold { have: 1, need: 2 };
    assert_eq!(History::default().extend(&record, &[key(1)]), Err(two.clone()));
    assert_eq!(History::default().extend(&record, &[key(1), key(2)]), Err(two));
    assert_eq!(History::default().extend(&record, &[key(1), key(3)]), Ok(()));
}

#[test]
fn admins_enrol_developers_and_only_owners_touch_owners() {
    let mut history = History::default();
    let first =
        vec![member("o", Role::Owner, &[1]), member("a", Role::Admin, &[2]), member("d", Role::Developer, &[3])];
    history.extend(&genesis(1, first), &[key(1)]).unwrap();
    let add_developer = roster(vec![member("e", Role::Developer, &[4])]);
    let add_owner = roster(vec![member("e", Role::Owner, &[4])]);
    let demote = roster(vec![member("o", Role::Developer, &[1])]);
    assert_eq!(history.clone().extend(&add_developer, &[key(2)]), Ok(()));
    assert_eq!(history.clone().extend(&add_developer, &[key(3)]), Err(RosterError::Unauthorised));
    assert!(matches!(history.clone().extend(&add_owner, &[key(2)]), Err(RosterError::Threshold { .. })));
    assert_eq!(history.clone().extend(&add_owner, &[key(1)]), Ok(()));
    assert!(matches!(history.clone().extend(&demote, &[key(1)]), Err(RosterError::Unusable(_))));
    let twice = roster(vec![member("e", Role::Developer, &[3])]);
    assert!(matches!(history.clone().extend(&twice, &[key(1)]), Err(RosterError::Unusable(_))));
}

#[test]
fn a_key_is_pending_until_enrolled_and_then_counts_from_its_number() {
    let mut history = History::default();
    history.extend(&genesis(1, vec![member("o", Role::Owner, &[1])]), &[key(1)]).unwrap();
    let cited = history.citation();
    let claim = Claim { id: "d".into(), name: "d".into() };
    let open =
        Body::Open(Open { public_key: key(3), member: claim, device: "d".into(), tool: "t".into(), recipient: None });
    let chain = key(3).chain();
    assert_eq!(history.standing(chain, at(5), cited, &open), Standing::Pending);
    assert_eq!(history.standing(chain, at(5), None, &open), Standing::UnknownPolicy);

    let mut developer = member("d", Role::Developer, &[3]);
    developer.keys[0].from_seq = 5;
    history.extend(&roster(vec![developer]), &[key(1)]).unwrap();
    assert_eq!(history.standing(chain, at(5), cited, &open), Standing::Authorised);
    assert!(matches!(history.standing(chain, at(4), cited, &open), Standing::Unauthorised(_)));
    let forged = Citation { n: 0, id: RecordId(Digest::of(b"other")) };
    assert_eq!(history.standing(chain, at(5), Some(forged), &open), Standing::UnknownPolicy);
}

fn close(chain: ChainId, last: Option<Place>) -> Record<Unverified> {
    policy(1, Body::CloseChain(CloseChain { chain, last, reason: Reason::Stolen }))
}

fn change(set: Vec<Member>, remove: &[&str], threshold: Option<u32>) -> Record<Unverified> {
    let remove = remove.iter().map(|id| (*id).to_owned()).collect();
    policy(1, Body::Roster(Change { set, remove, threshold, witnesses: None }))
}

/// An owner with key 1, an admin with key 2, a developer with key 3.
fn team() -> History {
    let mut history = History::default();
    let members =
        vec![member("o", Role::Owner, &[1]), member("a", Role::Admin, &[2]), member("d", Role::Developer, &[3])];
    history.extend(&genesis(1, members), &[key(1)]).unwrap();
    history
}

fn claim() -> Body {
    let member = Claim { id: "d".into(), name: "d".into() };
    Body::Open(Open { public_key: key(3), member, device: "d".into(), tool: "t".into(), recipient: None })
}

#[test]
fn after_its_closure_nothing_of_a_chain_counts_whatever_it_cites() {
    let mut history = team();
    let (chain, cited) = (key(3).chain(), history.citation());
    history.extend(&close(chain, Some(at(4))), &[key(2)]).unwrap();
    let standing = |history: &History, place| history.standing(chain, place, cited, &claim());
    assert_eq!(standing(&history, at(4)), Standing::Authorised);
    assert!(matches!(standing(&history, at(5)), Standing::Unauthorised(_)));
    assert_eq!(standing(&history, Place { id: at(9).id, ..at(4) }), Standing::Replaced(at(4).id));
    // Again only at an earlier record: the theft was earlier than it seemed.
    assert!(matches!(history.clone().extend(&close(chain, Some(at(4))), &[key(2)]), Err(RosterError::Unusable(_))));
    history.extend(&close(chain, Some(at(2))), &[key(2)]).unwrap();
    assert!(matches!(standing(&history, at(3)), Standing::Unauthorised(_)));
    history.extend(&close(chain, None), &[key(2)]).unwrap();
    assert!(matches!(standing(&history, at(0)), Standing::Unauthorised(_)));
}

#[test]
fn a_member_goes_after_their_chains_and_their_keys_do_not_come_back() {
    let mut history = team();
    let gone = change(vec![], &["d"], None);
    assert!(matches!(history.clone().extend(&gone, &[key(2)]), Err(RosterError::Unusable(_))));
    assert!(matches!(history.clone().extend(&change(vec![], &["x"], None), &[key(2)]), Err(RosterError::Unusable(_))));
    // Nor may a key become another's, or count from elsewhere.
    let given = change(vec![member("e", Role::Developer, &[3])], &["d"], None);
    assert!(matches!(history.clone().extend(&given, &[key(2)]), Err(RosterError::Unusable(_))));
    let mut later = member("d", Role::Developer, &[3]);
    later.keys[0].from_seq = 2;
    assert!(matches!(history.clone().extend(&roster(vec![later]), &[key(2)]), Err(RosterError::Unusable(_))));

    let cited = history.citation();
    history.extend(&close(key(3).chain(), Some(at(4))), &[key(2)]).unwrap();
    history.extend(&gone, &[key(2)]).unwrap();
    // What they wrote before counts as before.
    assert_eq!(history.standing(key(3).chain(), at(4), cited, &claim()), Standing::Authorised);
    let back = roster(vec![member("d", Role::Developer, &[3])]);
    assert!(matches!(history.clone().extend(&back, &[key(2)]), Err(RosterError::Unusable(_))));
    assert_eq!(history.extend(&roster(vec![member("d", Role::Developer, &[4])]), &[key(2)]), Ok(()));
}

#[test]
fn a_chain_is_refused_that_is_closed_and_never_was_anybodys() {
    let mut history = team();
    let stranger = key(9).chain();
    let said = |history: &History, chain| (history.has_refused(chain), history.has_let_go(chain));
    assert_eq!((said(&history, stranger), said(&history, key(3).chain())), ((false, false), (false, false)));
    history.extend(&close(stranger, Some(at(4))), &[key(2)]).unwrap();
    history.extend(&close(key(3).chain(), None), &[key(2)]).unwrap();
    assert_eq!((said(&history, stranger), said(&history, key(3).chain())), ((true, false), (false, false)));
    // A member who was removed was somebody.
    history.extend(&change(vec![], &["d"], None), &[key(2)]).unwrap();
    assert_eq!((said(&history, stranger), said(&history, key(3).chain())), ((true, false), (false, true)));
    let late = roster(vec![member("e", Role::Developer, &[9])]);
    assert!(matches!(history.extend(&late, &[key(2)]), Err(RosterError::Unusable(_))));
}

#[test]
fn a_closed_key_signs_nothing_and_the_last_owner_stays() {
    let mut history = team();
    assert_eq!(
        history.clone().extend(&close(key(1).chain(), None), &[key(2)]),
        Err(RosterError::Threshold { have: 0, need: 1 })
    );
    assert!(matches!(history.clone().extend(&close(key(1).chain(), None), &[key(1)]), Err(RosterError::Unusable(_))));
    history.extend(&close(key(2).chain(), Some(at(0))), &[key(1)]).unwrap();
    let add = roster(vec![member("e", Role::Developer, &[4])]);
    assert_eq!(history.extend(&add, &[key(2)]), Err(RosterError::Unauthorised));
    assert_eq!(history.clone().extend(&close(key(3).chain(), None), &[key(3)]), Err(RosterError::Unauthorised));
    assert!(matches!(history.extend(&close(ChainId::Policy, None), &[key(1)]), Err(RosterError::Unusable(_))));
}

#[test]
fn owners_change_by_the_old_and_by_the_new_threshold() {
    let mut history = team();
    let second = || change(vec![member("p", Role::Owner, &[5])], &[], Some(2));
    // The new owner has the key: their signature is on the record.
    assert_eq!(history.clone().extend(&second(), &[key(1)]), Err(RosterError::Threshold { have: 1, need: 2 }));
    assert_eq!(history.clone().extend(&second(), &[key(5)]), Err(RosterError::Threshold { have: 0, need: 1 }));
    history.extend(&second(), &[key(1), key(5)]).unwrap();
    let alone = change(vec![], &[], Some(1));
    assert_eq!(history.clone().extend(&alone, &[key(1)]), Err(RosterError::Threshold { have: 1, need: 2 }));
    assert_eq!(history.clone().extend(&alone, &[key(1), key(5)]), Ok(()));
    assert!(matches!(
        history.clone().extend(&change(vec![], &[], Some(3)), &[key(1), key(5)]),
        Err(RosterError::Unusable(_))
    ));
    assert_eq!(
        history.extend(&change(vec![], &[], Some(1)), &[key(2)]),
        Err(RosterError::Threshold { have: 0, need: 2 })
    );
}

#[test]
fn only_developers_and_machines_write_traces() {
    let id: crate::id::GitId = "a".repeat(40).parse().unwrap();
    let link = crate::record::body::Link { old: id.clone(), new: id, found_by: "amend".into(), level: 3 };
    for (role, may) in [
        (Role::Owner, false),
        (Role::Admin, false),
        (Role::PolicyAdmin, false),
        (Role::Developer, true),
        (Role::Auditor, false),
        (Role::Ci, true),
        (Role::Witness, false),
    ] {
        let mut history = team();
        history.extend(&roster(vec![member("m", role, &[7])]), &[key(1)]).unwrap();
        let standing = |body: &Body| history.standing(key(7).chain(), at(1), history.citation(), body);
        assert_eq!(standing(&Body::Link(link.clone())) == Standing::Authorised, may, "{role:?}");
        assert_eq!(standing(&claim()), Standing::Authorised, "{role:?}");
    }
}

#[test]
fn payloads_are_encrypted_to_those_who_read_everything_and_whose_chain_is_open() {
    let recipient = |n: u8| {
        let texts = [
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
        ];
        Some(texts[n as usize].parse().unwrap())
    };
    let with = |mut member: Member, n: u8| {
        member.keys[0].recipient = recipient(n);
        member
    };
    let members = vec![with(member("ada", Role::Owner, &[1]), 0), with(member("ann", Role::Auditor, &[2]), 1)];
    let genesis = Genesis { threshold: 1, members, nonce: String::new() };
    let roster = Roster::found(&genesis, &[key(1)]).unwrap();
    let readers = |roster: &Roster| roster.readers().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(readers(&roster).len(), 2);
    let close = CloseChain { chain: key(2).chain(), last: None, reason: Reason::Left };
    assert_eq!(readers(&roster.close(&close, &[key(1)]).unwrap()).len(), 1);
    let demoted = Change { set: vec![with(member("ann", Role::Developer, &[2]), 1)], ..Change::default() };
    let roster = roster.change(&demoted, &[key(1)]).unwrap();
    assert_eq!(readers(&roster).len(), 1);
    assert_eq!(roster.recipients_of(roster.member("ann").unwrap()).count(), 1);
}
