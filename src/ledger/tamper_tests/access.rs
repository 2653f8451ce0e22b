//! Records of what was read of encrypted payloads: whose they may be, where they stand and what form they have.
#![cfg(test)]

use super::{Fixture, fail, inconclusive, pass, small};
use crate::id::ChainId;
use crate::ledger::testing::{Answer, Key, member};
use crate::ledger::verify::Options;
use crate::record::body::{Body, Opened, Role};

const SESSION: &str = "f094b288-af5c-4d2e-9c41-0d6a2a7c9b11";

fn opened(fixture: &Fixture) -> Opened {
    let records = vec![fixture.ids(fixture.people.developer.chain())[1]];
    Opened { session: SESSION.parse().unwrap(), records }
}

/// Both types of record, of the same.
pub fn both(fixture: &Fixture) -> [Body; 2] {
    [Body::Access(opened(fixture)), Body::Export(opened(fixture))]
}

/// What is found where a member with these roles has written both; with none, one who is not enrolled.
fn written_by(roles: Option<&[Role]>) -> Fixture {
    let (fixture, reader) = (small(), Key::new(9));
    if let Some(roles) = roles {
        fixture.roster(&[&fixture.people.owner], vec![member("ann@example.com", "Ann", roles, &[&reader])]);
    }
    fixture.open(&reader, "ann@example.com");
    for body in both(&fixture) {
        fixture.append(reader.chain(), &[&reader], body, None);
    }
    fixture
}

#[test]
fn every_member_may_say_what_they_read_and_whose_key_is_not_enrolled_is_pending() {
    for role in [Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Ci, Role::Witness] {
        let options = |fixture: &Fixture| Options { pinned: Some(fixture.id), full: true, ..Options::default() };
        let fixture = written_by(Some(&[role]));
        assert_eq!(fixture.answer(options(&fixture)), pass(&[]), "{role:?}");
    }
    assert_eq!(written_by(Some(&[Role::Auditor])).ask(), pass(&[]));
    assert_eq!(written_by(None).ask(), inconclusive(&["E-PENDING"]));
}

#[test]
fn they_stand_on_a_writers_chain_and_not_first() {
    for at in 0..2 {
        let fixture = small();
        let body = || both(&fixture).into_iter().nth(at).unwrap();
        fixture.append(ChainId::Policy, &[&fixture.people.owner], body(), None);
        assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));

        let fixture = Fixture::sealed();
        let witness = &fixture.people.witness;
        fixture.append(witness.chain(), &[witness], both(&fixture).into_iter().nth(at).unwrap(), None);
        assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    }
}

#[test]
fn their_form_is_one_for_both_verifiers() {
    let bent = |from: &str, to: &str| -> Answer {
        let fixture = small();
        let developer = fixture.people.developer.clone();
        for body in both(&fixture) {
            fixture.append(developer.chain(), &[&developer], body, None);
        }
        fixture.tamper(developer.chain(), |raws| {
            let raw = raws.last_mut().unwrap();
            raw.replace(from, to);
            raw.sign(&developer);
        });
        fixture.ask()
    };
    let one = small();
    let id = one.ids(one.people.developer.chain())[1].to_string();
    assert_eq!(bent(&id, &"0".repeat(64)), pass(&[]), "what it names may be elsewhere");
    assert_eq!(bent(&format!("[\"{id}\"]"), "[]"), fail(&["E-CANON"]));
    assert_eq!(bent(&id, &id.to_uppercase()), fail(&["E-CANON"]));
    assert_eq!(bent(&id, &id[1..]), fail(&["E-CANON"]));
    assert_eq!(bent(SESSION, "a/b"), fail(&["E-CANON"]));
    assert_eq!(bent("\"session\"", "\"sessions\""), fail(&["E-CANON"]));
    assert_eq!(bent("\"records\"", "\"reason\":\"x\",\"records\""), fail(&["E-CANON"]));
}
