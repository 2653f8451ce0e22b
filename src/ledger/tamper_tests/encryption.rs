//! Encrypted payloads and the recipients of keys: verified without a key, and spoiled in each way.
#![cfg(test)]

use super::{Fixture, fail, pass, verified};
use crate::finding::Verdict;
use crate::git::repo::Kind;
use crate::id::ChainId;
use crate::ledger::payload::Form;
use crate::ledger::testing::member;
use crate::ledger::{LedgerError, payload};
use crate::record::body::{Body, Policy, Role};
use crate::record::object::policy_signature_file;
use crate::record::recipient::Recipient;
use crate::signing::Identity;

fn recipient() -> Recipient {
    Identity::generate().recipient().unwrap()
}

/// A ledger whose developer has a recipient and a session that is encrypted.
fn encrypted() -> Fixture {
    let fixture = Fixture::small();
    let (owner, developer) = (fixture.people.owner.clone(), fixture.people.developer.clone());
    let mut theirs = member("dörte@example.com", "Dörte", &[Role::Developer], &[&developer]);
    theirs.keys[0].recipient = Some(recipient());
    fixture.roster(&[&owner], vec![theirs]);
    let text = "{\"role\":\"user\"}\n".repeat(10_000);
    fixture.session_in(Form::Encrypted(&[recipient()]), &developer, 0, &[text]);
    verified(fixture)
}

#[test]
fn what_is_encrypted_is_verified_by_whoever_cannot_read_it() {
    let fixture = encrypted();
    assert_eq!(fixture.ask(), pass(&[]));
    let report = fixture.verify(crate::ledger::verify::Options {
        pinned: Some(fixture.id),
        entries: true,
        ..Default::default()
    });
    assert_eq!(report.verdict(), Verdict::Pass);
    let session = report.entries().find_map(|entry| match &entry.body {
        Body::Session(session) => Some(session.clone()),
        _ => None,
    });
    let stored = session.unwrap().payloads[0].clone();
    let text = report.payloads.text(&fixture.ledger.repo, &stored.pieces[0], stored.encryption);
    assert_eq!(text, Err(payload::NoText::Encrypted));

    // Bytes under the name of a piece that are others.
    let chain = fixture.people.developer.chain();
    let name = fixture.ledger.prefix.payload(stored.class, &stored.month, chain);
    let blob = fixture.ledger.repo.write(Kind::Blob, b"age-encryption.org/v1\n").unwrap();
    let tip = payload::extend(&fixture.ledger.repo, None, &[(stored.pieces[0].sha256, blob)], "t", 0).unwrap();
    fixture.set_ref(&name, Some(tip));
    assert_eq!(fixture.ask(), fail(&["E-PAYLOAD-HASH"]));
}

#[test]
fn what_stands_in_plain_text_where_it_should_be_encrypted_is_told() {
    let fixture = encrypted();
    let (owner, developer) = (fixture.people.owner.clone(), fixture.people.developer.clone());
    let rules =
        |toml: &str| fixture.append(ChainId::Policy, &[&owner], Body::Policy(Policy { toml: toml.into() }), None);
    let text = ["{\"role\":\"user\"}\n".to_owned()];
    // Before it was asked for, with nothing in it, and by who has not heard of it.
    fixture.session(&developer, 1, &text);
    let heard_of = fixture.envelope(developer.chain()).policy;
    rules("[payloads]\nencrypt = [\"transcript\"]\n");
    fixture.session(&developer, 2, &[String::new()]);
    fixture.session_in(Form::Encrypted(&[recipient()]), &developer, 3, &text);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.session(&developer, 4, &text);
    let told = |fixture: &Fixture, full| {
        let options = crate::ledger::verify::Options { pinned: Some(fixture.id), full, ..Default::default() };
        let report = fixture.verify(options);
        let plain = report.findings.into_iter().filter(|finding| finding.code.as_str() == "W-PLAIN");
        plain.map(|finding| (finding.chain.unwrap(), finding.seq.unwrap(), finding.record.unwrap())).collect::<Vec<_>>()
    };
    let newest = fixture.head(developer.chain()).unwrap().1;
    let expected = [(developer.chain().to_string(), newest.seq, newest.id.to_string())];
    assert_eq!(fixture.ask(), pass(&["W-PLAIN"]));
    assert_eq!(told(&fixture, false), expected, "which one it is");
    // It is told again of what was verified before, and of nothing that came when it was asked for no more.
    assert_eq!(told(&fixture, false), expected);
    rules("# nothing is encrypted\n");
    fixture.session(&developer, 5, &text);
    assert_eq!((told(&fixture, false), told(&fixture, true)), (expected.to_vec(), expected.to_vec()));
    assert_eq!(fixture.ask(), pass(&["W-PLAIN"]));
    assert_ne!(fixture.envelope(developer.chain()).policy, heard_of);
}

/// What both verifiers find in a record that is in another form, though signed by who may.
#[track_caller]
fn bent(chain: impl Fn(&Fixture) -> ChainId, from: &str, to: &str) {
    let fixture = encrypted();
    let (chain, owner, developer) = (chain(&fixture), fixture.people.owner.clone(), fixture.people.developer.clone());
    fixture.tamper(chain, |raws| {
        let raw = raws.last_mut().unwrap();
        let text = raw.text();
        assert!(text.contains(from), "{from} is not in {text}");
        raw.set_record(text.replacen(from, to, 1).into_bytes());
        if chain == ChainId::Policy { raw.sign_policy(&[&owner]) } else { raw.sign(&developer) }
    });
    assert!(fixture.ask().codes.contains(&"E-CANON"), "{to}");
}

#[test]
fn recipients_and_encryptions_are_in_their_form_for_both_verifiers() {
    let theirs = |fixture: &Fixture| fixture.people.developer.chain();
    bent(theirs, "\"gzip-age\"", "\"rot13\"");
    bent(theirs, "\"gzip-age\"", "true");
    let policy = |_: &Fixture| ChainId::Policy;
    bent(policy, "\"age1", "\"AGE1");
    bent(policy, "\"age1", "\"age1q");
    bent(policy, "\"recipient\":\"age1", "\"recipient\":\"b");
}

#[test]
fn nobody_asks_for_what_could_only_stop_everybody() {
    let fixture = Fixture::small();
    let owner = fixture.people.owner.clone();
    let accept = || {
        let toml = "[payloads]\nencrypt = [\"transcript\"]\n";
        let record = fixture.ledger.propose(Body::Policy(Policy { toml: toml.into() })).unwrap();
        let signature = (policy_signature_file(&owner.public().number()), owner.sign_record(&record));
        fixture.ledger.accept(&record, &[signature])
    };
    assert!(matches!(accept(), Err(LedgerError::Encryption(why)) if why.contains("has a recipient")));
    // A developer's recipient does not help; an auditor's does.
    let set = |role: Role| {
        let mut theirs = member("dörte@example.com", "Dörte", &[role], &[&fixture.people.developer]);
        theirs.keys[0].recipient = Some(recipient());
        fixture.roster(&[&owner], vec![theirs]);
    };
    set(Role::Developer);
    assert!(accept().is_err());
    set(Role::Auditor);
    accept().unwrap();
}
