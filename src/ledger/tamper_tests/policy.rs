//! The policy chain: who may found a ledger and change its roster, and what happens when it is bent.
#![cfg(test)]

use super::{fail, inconclusive, small};
use crate::id::ChainId;
use crate::ledger::testing::{Fixture, Key, member};
use crate::ledger::verify::Options;
use crate::record::body::{Body, Link, Role, Roster};
use crate::record::object::policy_signature_file;

const POLICY: ChainId = ChainId::Policy;

#[test]
fn a_developer_changes_the_roster() {
    let fixture = small();
    let developer = &fixture.people.developer;
    fixture.roster(&[developer], vec![member("x", "X", &[Role::Admin], &[&Key::new(9)])]);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_stranger_changes_the_roster() {
    let fixture = small();
    fixture.roster(&[&Key::new(9)], vec![member("x", "X", &[Role::Admin], &[&Key::new(10)])]);
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
    // One who becomes a member by it may sign it, but that is not enough.
    let fixture = small();
    fixture.roster(&[&Key::new(9)], vec![member("x", "X", &[Role::Admin], &[&Key::new(9)])]);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn an_admin_makes_itself_owner() {
    let fixture = small();
    let admin = &fixture.people.admin;
    fixture.roster(&[admin], vec![member("ada@example.com", "Ada Admin", &[Role::Owner], &[admin])]);
    assert_eq!(fixture.ask(), fail(&["E-POLICY-THRESHOLD"]));
}

#[test]
fn a_developer_writes_a_policy_record_on_its_own_chain() {
    let fixture = small();
    let developer = &fixture.people.developer;
    let body = Roster { set: vec![member("x", "X", &[Role::Admin], &[&Key::new(9)])], ..Roster::default() };
    fixture.append(developer.chain(), &[developer], Body::Roster(body), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_trace_stands_on_the_policy_chain() {
    let fixture = small();
    let id = fixture.tip(POLICY).unwrap();
    let body = Link { old: id.clone(), new: id, found_by: "amend".into(), level: 3 };
    fixture.append(POLICY, &[&fixture.people.owner], Body::Link(body), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn fewer_owners_sign_than_must() {
    let (first, second, third) = (Key::new(1), Key::new(6), Key::new(7));
    let found = || {
        Fixture::with_genesis(2, |_| {
            vec![
                member("a@example.com", "A", &[Role::Owner], &[&first, &second]),
                member("b@example.com", "B", &[Role::Owner], &[&third]),
            ]
        })
    };
    let with_signers = |keys: &[&Key]| {
        let fixture = found();
        fixture.tamper(POLICY, |raws| raws[0].sign_policy(keys));
        fixture.ask()
    };
    assert_eq!(with_signers(&[&first]), fail(&["E-POLICY-THRESHOLD"]));
    // Two keys of one owner are one owner.
    assert_eq!(with_signers(&[&first, &second]), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(with_signers(&[&first, &third]), super::pass(&[]));
    assert_eq!(with_signers(&[&first, &second, &third]), super::pass(&[]));
    assert_eq!(with_signers(&[]), fail(&["E-SIG"]));

    // The same for what comes later: an owner is touched.
    let later = |keys: &[&Key]| {
        let fixture = found();
        fixture.tamper(POLICY, |raws| raws[0].sign_policy(&[&first, &third]));
        fixture.roster(keys, vec![member("c@example.com", "C", &[Role::Owner], &[&Key::new(8)])]);
        fixture.ask()
    };
    assert_eq!(later(&[&first, &second]), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(later(&[&third, &second]), super::pass(&[]));
}

#[test]
fn every_signature_of_a_policy_record_is_a_members() {
    let tamper = |change: &dyn Fn(&mut crate::ledger::testing::Raw)| {
        let fixture = small();
        fixture.tamper(POLICY, |raws| change(&mut raws[2]));
        fixture.ask()
    };
    let stranger = Key::new(9);
    // One that nobody knows beside a good one; a good one under another's name; one that is none. The record does not
    // count then, and those that cite it have no policy.
    let unknown = tamper(&|raw| {
        let signed = stranger.sign(raw.record(), &raw.comment());
        raw.add("100644", &policy_signature_file(&stranger.public().number()), &signed);
    });
    assert_eq!(unknown, fail(&["E-POLICY", "E-SIG"]));
    let renamed = tamper(&|raw| {
        let signed = raw.signature().clone();
        raw.add("100644", &policy_signature_file(&stranger.public().number()), &signed);
    });
    assert_eq!(renamed, fail(&["E-POLICY", "E-SIG"]));
    let plain = tamper(&|raw| {
        let signed = raw.signature().clone();
        raw.add("100644", "record.json.minisig", &signed);
    });
    assert_eq!(plain, fail(&["E-ENVELOPE", "E-POLICY"]));
    let owner = Key::new(1);
    let garbled = tamper(&|raw| raw.add("100644", &policy_signature_file(&owner.public().number()), b"garbage\n"));
    assert_eq!(garbled, fail(&["E-FORMAT", "E-POLICY"]));
    let wrong = tamper(&|raw| {
        let signed = owner.sign(b"something else", &raw.comment());
        raw.add("100644", &policy_signature_file(&owner.public().number()), &signed);
    });
    assert_eq!(wrong, fail(&["E-POLICY", "E-SIG"]));
}

#[test]
fn the_policy_chain_is_changed_dropped_from_and_copied_like_any_other() {
    let tamper = |change: &dyn Fn(&mut Vec<crate::ledger::testing::Raw>)| {
        let fixture = small();
        fixture.tamper(POLICY, |raws| change(raws));
        fixture.ask()
    };
    // What comes after a break does not count, so that what cites it has no policy either.
    let broken = tamper(&|raws| raws[1].replace("Ada Admin", "Bob Admin"));
    assert_eq!(broken, fail(&["E-POLICY", "E-SIG"]));
    assert_eq!(tamper(&|raws| drop(raws.remove(1))), fail(&["E-CHAIN", "E-ROLLBACK", "E-SEQ"]));
    assert_eq!(tamper(&|raws| raws.swap(1, 2)), fail(&["E-CHAIN", "E-POLICY", "E-SEQ"]));
    assert_eq!(tamper(&|raws| raws.push(raws[1].clone())), fail(&["E-CHAIN", "E-POLICY", "E-SEQ"]));
}

#[test]
fn the_policy_chain_is_rolled_back() {
    let fixture = small();
    fixture.tamper(POLICY, |raws| raws.truncate(2));
    // Records cite what is no longer there.
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
    fixture.set_tip(POLICY, None);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn two_policy_records_have_one_number() {
    let fixture = small();
    let seen = "refs/tracevault-local/origin/policy";
    let tip = fixture.tip(POLICY);
    fixture.roster(&[&fixture.people.owner], vec![member("x", "X", &[Role::Developer], &[&Key::new(9)])]);
    fixture.set_ref(seen, fixture.tip(POLICY));
    fixture.set_tip(POLICY, tip);
    assert_eq!(fixture.ask(), super::pass(&[]));
    fixture.roster(&[&fixture.people.owner], vec![member("y", "Y", &[Role::Developer], &[&Key::new(10)])]);
    assert_eq!(fixture.ask(), fail(&["E-FORK"]));
}

#[test]
fn another_ledger_stands_in_its_place() {
    let other = Fixture::found(1, "ffeeddccbbaa99887766554433221100", |people| {
        vec![member("olga@example.com", "Olga Owner", &[Role::Owner, Role::Developer], &[&people.owner])]
    });
    let fixture = small();
    fixture.store(POLICY, &other.load(POLICY));
    let answer = fixture.ask();
    assert_eq!(answer.verdict, super::Verdict::Fail);
    assert!(answer.codes.contains("E-LEDGER"), "{answer:?}");
    // Without a pin the foreign genesis is taken for the root, and no record belongs to it.
    drop(std::fs::remove_file(fixture.ledger.dir().join("seen.json")));
    let answer = fixture.answer(Options { full: true, ..Options::default() });
    assert!(answer.codes.contains("E-LEDGER"), "{answer:?}");
}

#[test]
fn a_record_cites_a_policy_that_never_was_or_an_older_one_than_before() {
    let cite = |change: &dyn Fn(&str) -> String| {
        let fixture = small();
        let developer = &fixture.people.developer;
        fixture.tamper(developer.chain(), |raws| {
            let text = change(&raws[1].text());
            raws[1].set_record(text.into_bytes());
            raws[1].sign(developer);
        });
        fixture.ask()
    };
    let genesis = small().ids(POLICY)[0].to_string();
    let newest = small().ids(POLICY)[2].to_string();
    let at = |text: &str, n: u64, id: &str| text.replace(&newest, id).replace("\"n\":2", &format!("\"n\":{n}"));
    assert_eq!(cite(&|text| at(text, 0, &genesis)), fail(&["E-POLICY"]));
    assert_eq!(cite(&|text| at(text, 2, &genesis)), fail(&["E-POLICY"]));
    assert_eq!(cite(&|text| at(text, 3, &genesis)), fail(&["E-ROLLBACK"]));
    let from = format!("\"policy\":{{\"id\":\"{newest}\",\"n\":2}},");
    assert_eq!(cite(&|text| text.replace(&from, "")), fail(&["E-POLICY"]));
}
