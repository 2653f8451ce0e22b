//! Closed chains: what is written after the end, by whom they may be closed, and how members leave.
#![cfg(test)]

use super::{fail, inconclusive, pass, small};
use crate::id::ChainId;
use crate::ledger::testing::{Fixture, Key, People, member};
use crate::ledger::verify::Options;
use crate::record::body::{Body, Close, CloseChain, Place, Reason, Role, Roster};

fn place(fixture: &Fixture, chain: ChainId, seq: usize) -> Place {
    Place { seq: seq as u64, id: fixture.ids(chain)[seq] }
}

fn close(fixture: &Fixture, signers: &[&Key], chain: ChainId, last: Option<Place>) {
    let body = CloseChain { chain, last, reason: Reason::Stolen };
    fixture.append(ChainId::Policy, signers, Body::CloseChain(body), None);
}

#[test]
fn a_key_is_used_after_its_chain_was_closed() {
    let fixture = small();
    let (admin, developer) = (&fixture.people.admin, &fixture.people.developer);
    let chain = developer.chain();
    let records = fixture.ids(chain).len();
    close(&fixture, &[admin], chain, Some(place(&fixture, chain, records - 1)));
    assert_eq!(fixture.ask(), pass(&[]));
    // What it cites, and the date that it bears, are the thief's to choose.
    fixture.links(developer, 1);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn another_record_stands_where_the_chain_was_closed() {
    let fixture = small();
    let (admin, developer) = (&fixture.people.admin, &fixture.people.developer);
    let chain = developer.chain();
    let last = fixture.ids(chain).len() - 1;
    let other = Place { id: fixture.ids(chain)[0], ..place(&fixture, chain, last) };
    close(&fixture, &[admin], chain, Some(other));
    assert_eq!(fixture.ask(), fail(&["E-FORK", "E-UNAUTH"]));
}

#[test]
fn a_chain_is_closed_before_what_it_wrote() {
    let fixture = small();
    let (admin, developer) = (&fixture.people.admin, &fixture.people.developer);
    close(&fixture, &[admin], developer.chain(), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    // Later no more of it can count than before.
    let fixture = small();
    let (admin, developer) = (&fixture.people.admin, &fixture.people.developer);
    let chain = developer.chain();
    close(&fixture, &[admin], chain, Some(place(&fixture, chain, 0)));
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    close(&fixture, &[admin], chain, Some(place(&fixture, chain, 1)));
    assert_eq!(fixture.ask(), fail(&["E-POLICY", "E-UNAUTH"]));
}

#[test]
fn a_chain_is_closed_that_nobody_enrolled() {
    for last in [None, Some(0), Some(2)] {
        let fixture = small();
        let (admin, stranger) = (&fixture.people.admin, &fixture.people.stranger);
        let chain = stranger.chain();
        fixture.open(stranger, "d\u{f6}rte@example.com");
        fixture.links(stranger, 2);
        assert_eq!(fixture.ask(), inconclusive(&["E-PENDING"]));
        close(&fixture, &[admin], chain, last.map(|last| place(&fixture, chain, last)));
        assert_eq!(fixture.ask(), pass(&[]), "{last:?}");
        // Nor does it matter what else whoever has the key does, or somebody to what the key wrote.
        fixture.links(stranger, 1);
        fixture.append(ChainId::Policy, &[admin], Body::Roster(Roster::default()), None);
        assert_eq!(fixture.ask(), pass(&[]));
        fixture.tamper(chain, |raws| raws[1].replace("amend", "other"));
        assert_eq!(fixture.ask(), pass(&[]));
        let report = fixture.verify(Options { entries: true, ..Options::default() });
        let refused = report.chains.iter().find(|here| here.id == chain).unwrap();
        assert!(refused.refused && !refused.counts() && refused.entries.is_empty());
        // It is neither enrolled any more, nor does anybody miss it.
        fixture.set_tip(chain, None);
        assert_eq!(fixture.answer(Options { pinned: Some(fixture.id), ..Options::default() }), pass(&[]));
        fixture.roster(&[admin], vec![member("x", "X", &[Role::Developer], &[stranger])]);
        assert_eq!(fixture.ask(), fail(&["E-POLICY"]));
    }
}

#[test]
fn who_has_no_right_closes_a_chain() {
    let by = |signer: &dyn Fn(&Fixture) -> Key, whose: &dyn Fn(&Fixture) -> ChainId| {
        let fixture = small();
        let chain = whose(&fixture);
        close(&fixture, &[&signer(&fixture)], chain, None);
        fixture.ask()
    };
    let developer = |fixture: &Fixture| fixture.people.developer.clone();
    let admin = |fixture: &Fixture| fixture.people.admin.clone();
    let owners = |fixture: &Fixture| fixture.people.owner.chain();
    let ci = |fixture: &Fixture| fixture.people.ci.chain();
    assert_eq!(by(&developer, &ci), fail(&["E-UNAUTH"]));
    assert_eq!(by(&admin, &owners), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(by(&admin, &|_| ChainId::Policy), fail(&["E-POLICY"]));
}

#[test]
fn a_closed_key_signs_a_policy_record() {
    let fixture = small();
    let (owner, admin) = (&fixture.people.owner, &fixture.people.admin);
    close(&fixture, &[owner], admin.chain(), None);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.roster(&[admin], vec![member("x", "X", &[Role::Developer], &[&Key::new(9)])]);
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn a_writer_goes_on_after_its_own_end() {
    let fixture = small();
    let developer = &fixture.people.developer;
    let successor = Some(Key::new(9).public());
    fixture.append(developer.chain(), &[developer], Body::Close(Close { successor }), None);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.links(developer, 2);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_member_leaves() {
    let leave = |closed: bool| {
        let fixture = small();
        let (admin, developer) = (&fixture.people.admin, &fixture.people.developer);
        let chain = developer.chain();
        if closed {
            close(&fixture, &[admin], chain, Some(place(&fixture, chain, fixture.ids(chain).len() - 1)));
        }
        let remove = vec!["d\u{f6}rte@example.com".to_owned()];
        let body = Roster { remove, ..Roster::default() };
        fixture.append(ChainId::Policy, &[admin], Body::Roster(body), None);
        fixture
    };
    // What they wrote counts as before; nothing more does.
    let fixture = leave(true);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.links(&fixture.people.developer, 1);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    assert_eq!(leave(false).ask(), fail(&["E-POLICY"]));
    // Their key is neither enrolled again nor given to somebody else.
    for id in ["d\u{f6}rte@example.com", "x"] {
        let fixture = leave(true);
        let People { admin, developer, .. } = &fixture.people;
        fixture.roster(&[admin], vec![member(id, "X", &[Role::Developer], &[developer])]);
        assert_eq!(fixture.ask(), fail(&["E-POLICY"]), "{id}");
    }
}

#[test]
fn owners_are_changed_by_the_old_and_the_new() {
    let second = Key::new(9);
    let change = |signers: &dyn Fn(&Fixture) -> Vec<Key>, change: &dyn Fn(&mut Roster)| {
        let fixture = small();
        let mut body =
            Roster { set: vec![member("p@example.com", "P", &[Role::Owner], &[&second])], ..Roster::default() };
        change(&mut body);
        let signers = signers(&fixture);
        let signers: Vec<&Key> = signers.iter().collect();
        fixture.append(ChainId::Policy, &signers, Body::Roster(body), None);
        fixture.ask()
    };
    let owner = |fixture: &Fixture| vec![fixture.people.owner.clone()];
    let both = |fixture: &Fixture| vec![fixture.people.owner.clone(), Key::new(9)];
    let new = |_: &Fixture| vec![Key::new(9)];
    let two = |body: &mut Roster| body.threshold = Some(2);
    let nothing = |_: &mut Roster| {};
    assert_eq!(change(&owner, &nothing), pass(&[]));
    assert_eq!(change(&both, &two), pass(&[]));
    assert_eq!(change(&owner, &two), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(change(&new, &nothing), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(change(&both, &|body| body.threshold = Some(3)), fail(&["E-POLICY"]));
    assert_eq!(change(&owner, &|body| body.remove = vec!["olga@example.com".into()]), fail(&["E-POLICY-THRESHOLD"]));
    assert_eq!(change(&owner, &|body| body.remove = vec!["nobody".into()]), fail(&["E-POLICY"]));
    assert_eq!(change(&owner, &|body| body.remove = vec!["p@example.com".into()]), fail(&["E-POLICY"]));
}
