//! Amendments that replace payloads: what may be missing then, and what may not.
#![cfg(test)]

use std::collections::HashSet;

use super::{fail, inconclusive, pass, small};
use crate::digest::Digest;
use crate::id::{ChainId, RecordId};
use crate::ledger::payload::{self, Form, PieceWriter};
use crate::ledger::pruned;
use crate::ledger::testing::{Fixture, Key};
use crate::record::body::*;

/// A session record of the developer's with a payload of its own.
fn with_session() -> (Fixture, RecordId) {
    let fixture = small();
    let developer = fixture.people.developer.clone();
    fixture.session(&developer, 7, &["a secret\n".into()]);
    let id = fixture.head(developer.chain()).unwrap().1.id;
    (fixture, id)
}

fn name(fixture: &Fixture, chain: ChainId) -> String {
    fixture.ledger.prefix.payload(PayloadClass::Transcript, &"2026-01".parse().unwrap(), chain)
}

/// An amendment on a writer's chain with a payload of this text.
fn amend(fixture: &Fixture, key: &Key, record: RecordId, reason: AmendReason, text: &str) -> RecordId {
    let repo = &fixture.ledger.repo;
    let mut pieces = PieceWriter::new(repo, Form::Salted(&|| [9; 32]));
    pieces.write(text.as_bytes()).unwrap();
    pieces.finish().unwrap();
    let name = name(fixture, key.chain());
    let tip = repo.find_ref(&name).unwrap();
    fixture.set_ref(&name, Some(payload::extend(repo, tip.as_ref(), &pieces.blobs, "t", 0).unwrap()));
    let payload = Payload {
        class: PayloadClass::Transcript,
        source: "main".into(),
        month: "2026-01".parse().unwrap(),
        lines: 1,
        pieces: pieces.pieces,
        encryption: None,
    };
    let correction = Correction { record: None, payloads: vec![payload] };
    fixture.append(key.chain(), &[key], Body::Amend(Amend { record, reason, correction }), None);
    fixture.head(key.chain()).unwrap().1.id
}

/// Takes the pieces that a record names off its chain's shelf.
fn lose(fixture: &Fixture, chain: ChainId, record: RecordId) {
    let report = fixture.ledger.read_all().unwrap();
    let entry = report.entries().find(|entry| entry.id == record).unwrap();
    let pieces = pruned::payloads(&entry.body).iter().flat_map(|payload| &payload.pieces);
    let gone: HashSet<Digest> = pieces.map(|piece| piece.sha256).collect();
    let (repo, name) = (&fixture.ledger.repo, name(fixture, chain));
    let tip = repo.find_ref(&name).unwrap().unwrap();
    fixture.set_ref(&name, payload::without(repo, &tip, None, &gone, "t", 0).unwrap());
}

#[test]
fn what_was_replaced_may_be_missing_and_nothing_else() {
    let (fixture, record) = with_session();
    let developer = fixture.people.developer.clone();
    let chain = developer.chain();
    let first = amend(&fixture, &developer, record, AmendReason::Secret, "[REDACTED]\n");
    assert_eq!(fixture.ask(), pass(&[]));
    let whole = fixture.ledger.repo.find_ref(&name(&fixture, chain)).unwrap();
    lose(&fixture, chain, record);
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    // Again, and with more: what was verified before is told again.
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    fixture.links(&developer, 1);
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    // It comes back, from whoever still had it.
    let now = fixture.ledger.repo.find_ref(&name(&fixture, chain)).unwrap();
    fixture.set_ref(&name(&fixture, chain), whole);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.set_ref(&name(&fixture, chain), now);
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));

    // A later amendment takes the place of the first; of the last nothing may be missing.
    let second = amend(&fixture, &developer, record, AmendReason::Secret, "[REDACTED] twice\n");
    lose(&fixture, chain, first);
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    lose(&fixture, chain, second);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING", "W-REPLACED"]));
}

#[test]
fn other_reasons_and_other_people_replace_nothing() {
    for reason in [AmendReason::Wrong, AmendReason::Incomplete, AmendReason::Duplicate] {
        let (fixture, record) = with_session();
        let developer = fixture.people.developer.clone();
        amend(&fixture, &developer, record, reason, "other\n");
        lose(&fixture, developer.chain(), record);
        assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]), "{reason:?}");
    }
    let (fixture, record) = with_session();
    let chain = fixture.people.developer.chain();
    let ci = fixture.people.ci.clone();
    fixture.open(&ci, "ci");
    amend(&fixture, &ci, record, AmendReason::Secret, "other\n");
    lose(&fixture, chain, record);
    assert_eq!(fixture.ask(), fail(&["E-MISSING", "E-UNAUTH"]));
}

#[test]
fn an_admin_replaces_what_others_recorded_on_a_chain_of_their_own() {
    let (fixture, record) = with_session();
    let (admin, chain) = (fixture.people.admin.clone(), fixture.people.developer.chain());
    assert_eq!(fixture.ask(), pass(&[]));
    lose(&fixture, chain, record);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
    fixture.open(&admin, "admin@example.com");
    let amendment = amend(&fixture, &admin, record, AmendReason::Secret, "[REDACTED]\n");
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    assert_eq!(fixture.ask(), pass(&["W-REPLACED"]));
    // The chain of the amendment goes, and with it what it excused.
    let tip = fixture.tip(admin.chain());
    fixture.set_tip(admin.chain(), None);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
    fixture.set_tip(admin.chain(), tip);
    lose(&fixture, admin.chain(), amendment);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING", "W-REPLACED"]));
}
