//! What may be put around a record: files, modes, headers, messages; and the bytes it refers to.
#![cfg(test)]

use super::{fail, good, inconclusive, tiny};
use crate::finding::Code;
use crate::git::repo::Kind;
use crate::ledger::payload;
use crate::ledger::testing::{Fixture, Raw, relink};
use crate::ledger::verify::Options;
use crate::record::body::{Body, PayloadClass};
use crate::record::object::{RECORD_FILE, SIGNATURE_FILE, TRACE_FILE};

/// What is found when the developer's newest record (a link) is wrapped otherwise.
fn wrapped(change: impl FnOnce(&mut Raw)) -> super::Answer {
    let fixture = tiny();
    fixture.tamper(fixture.people.developer.chain(), |raws| change(&mut raws[1]));
    fixture.ask()
}

#[test]
fn a_record_without_a_signature_is_not_a_record() {
    assert_eq!(wrapped(|raw| raw.files.retain(|file| file.name != SIGNATURE_FILE)), fail(&["E-SIG"]));
}

#[test]
fn there_are_no_other_files_in_a_records_tree() {
    let bytes = b"x";
    assert_eq!(wrapped(|raw| raw.add("100644", "extra", bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.add("100644", "record.json.more.minisig", bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.add("100644", TRACE_FILE, bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.add("100644", "a\nb\"c", bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.add("160000", "sub", bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.add("120000", "link", bytes)), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.files.retain(|file| file.name != RECORD_FILE)), fail(&["E-ENVELOPE"]));
}

#[test]
fn a_file_stands_there_once_and_in_its_place() {
    let double = |raw: &mut Raw, name: &str, bytes: &[u8]| {
        let at = raw.files.iter().position(|file| file.name == name).unwrap();
        let mut file = raw.files[at].clone();
        file.bytes = bytes.to_vec();
        raw.files.insert(at, file);
    };
    assert_eq!(wrapped(|raw| double(raw, RECORD_FILE, b"{\"hidden\":1}")), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| double(raw, SIGNATURE_FILE, b"hidden")), fail(&["E-ENVELOPE"]));
    assert_eq!(wrapped(|raw| raw.files.reverse()), fail(&["E-ENVELOPE"]));
}

#[test]
fn files_have_the_one_mode() {
    for mode in ["100755", "120000", "100664", "0100644", "160000"] {
        let changed = |name: &str| {
            wrapped(|raw| raw.files.iter_mut().filter(|f| f.name == name).for_each(|f| f.mode = mode.into()))
        };
        assert_eq!(changed(RECORD_FILE), fail(&["E-ENVELOPE"]), "{mode}");
        assert_eq!(changed(SIGNATURE_FILE), fail(&["E-ENVELOPE"]), "{mode}");
    }
}

#[test]
fn a_folder_is_no_record() {
    assert_eq!(
        wrapped(|raw| {
            raw.files[0].mode = "40000".into();
            raw.files[0].kind = Kind::Tree;
            raw.files[0].bytes = Vec::new();
        }),
        fail(&["E-ENVELOPE"])
    );
}

#[test]
fn the_commit_is_the_one_its_record_makes() {
    type Change = fn(&str) -> String;
    let cases: &[(&str, Change)] = &[
        ("other author", |rest| rest.replacen("author tracevault", "author somebody", 1)),
        ("other committer", |rest| rest.replacen("committer tracevault", "committer somebody", 1)),
        ("other time", |rest| rest.replacen(" +0000", " +0100", 1)),
        ("extra header", |rest| rest.replacen("\n\n", "\nencoding latin1\n\n", 1)),
        ("signature header", |rest| rest.replacen("\n\n", "\ngpgsig x\n y\n\n", 1)),
        ("odd message", |rest| rest.replacen("link", "look", 1)),
        ("more message", |rest| format!("{rest}more\n")),
        ("less message", |rest| rest.trim_end().to_owned()),
        ("a NUL", |rest| format!("{rest}\0hidden")),
    ];
    for (name, change) in cases {
        let answer = wrapped(|raw| raw.rest = change(std::str::from_utf8(&raw.rest).unwrap()).into_bytes());
        assert_eq!(answer, fail(&["E-ENVELOPE"]), "{name}");
    }
}

#[test]
fn a_record_has_one_parent() {
    let fixture = tiny();
    let developer = fixture.people.developer.chain();
    let other = fixture.tip(crate::id::ChainId::Policy).unwrap();
    fixture.tamper(developer, |raws| raws[1].more_parents.push(other.clone()));
    assert_eq!(fixture.ask(), fail(&["E-ENVELOPE"]));
    let fixture = tiny();
    fixture.tamper(developer, |raws| raws[0].more_parents.push(other.clone()));
    assert_eq!(fixture.ask().verdict, super::Verdict::Fail);
}

#[test]
fn the_trace_is_the_one_its_record_names() {
    let fixture = good();
    let chain = fixture.people.developer.chain();
    fixture.tamper(chain, |raws| raws[4].file(TRACE_FILE).push(b' '));
    assert_eq!(fixture.ask(), fail(&["E-PAYLOAD-HASH"]));
    let fixture = good();
    fixture.tamper(chain, |raws| raws[4].files.retain(|file| file.name != TRACE_FILE));
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

/// Puts other bytes under the name of the first piece of the developer's first session; `None`: takes it away.
fn change_piece(fixture: &Fixture, change: Option<fn(&mut Vec<u8>)>) {
    let repo = &fixture.ledger.repo;
    let chain = fixture.people.developer.chain();
    let session = crate::record::Record::parse(fixture.load(chain)[1].record().to_vec()).unwrap();
    let Body::Session(session) = session.body() else { panic!("not a session") };
    let payload = &session.payloads[0];
    let name = fixture.ledger.prefix.payload(PayloadClass::Transcript, &payload.month, chain);
    let tip = repo.find_ref(&name).unwrap();
    let mut payloads = payload::Payloads::default();
    payloads.add(repo, chain, tip.as_ref().unwrap()).unwrap();
    let Some(change) = change else {
        fixture.set_ref(&name, None);
        return;
    };
    let piece = &payload.pieces[0];
    let mut bytes = payloads.read(repo, piece).unwrap().unwrap();
    change(&mut bytes);
    let blob = repo.write(Kind::Blob, &bytes).unwrap();
    let new = payload::extend(repo, tip.as_ref(), &[(piece.sha256, blob)], &chain.to_string(), 0).unwrap();
    fixture.set_ref(&name, Some(new));
}

#[test]
fn a_byte_of_a_payload_is_changed() {
    let fixture = good();
    change_piece(&fixture, Some(|bytes| bytes[100] ^= 1));
    assert_eq!(fixture.ask(), fail(&["E-PAYLOAD-HASH"]));
    let fixture = good();
    change_piece(&fixture, Some(|bytes| bytes.push(b'\n')));
    assert_eq!(fixture.ask(), fail(&["E-PAYLOAD-HASH"]));
}

#[test]
fn a_payload_that_is_gone_is_missing() {
    let fixture = good();
    change_piece(&fixture, None);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn another_writer_cannot_spoil_a_payload() {
    let fixture = good();
    let repo = &fixture.ledger.repo;
    let chain = fixture.people.developer.chain();
    let session = crate::record::Record::parse(fixture.load(chain)[1].record().to_vec()).unwrap();
    let Body::Session(session) = session.body() else { panic!("not a session") };
    let piece = &session.payloads[0].pieces[0];
    let blob = repo.write(Kind::Blob, b"something else").unwrap();
    let month = &session.payloads[0].month;
    let name = fixture.ledger.prefix.payload(PayloadClass::Transcript, month, fixture.people.stranger.chain());
    let who = fixture.people.stranger.chain().to_string();
    let tip = payload::extend(repo, None, &[(piece.sha256, blob)], &who, 0).unwrap();
    fixture.set_ref(&name, Some(tip));
    assert_eq!(fixture.ask(), super::pass(&[]));
}

#[test]
fn a_commit_is_the_one_its_record_describes() {
    let fixture = good();
    let developer = &fixture.people.developer;
    for (from, to) in
        [("\"sha256\":\"", "\"sha256\":\""), ("\"tree\":\"", "\"tree\":\""), ("\"parents\":[\"", "\"parents\":[\"")]
    {
        let fixture = good();
        fixture.tamper(developer.chain(), |raws| {
            let text = raws[4].text();
            let at = text.find(from).unwrap() + from.len();
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            raws[4].set_record(format!("{}{to}{other}{}", &text[..at - from.len()], &text[at + 1..]).into_bytes());
            raws[4].sign(developer);
            relink(raws, 5, developer);
        });
        assert_eq!(fixture.ask(), fail(&["E-COMMIT"]), "{from}");
    }
    // A commit that is not here is no reproach.
    fixture.tamper(developer.chain(), |raws| {
        let text = raws[4].text();
        let at = text.find("\"commit\":\"").unwrap() + 10;
        raws[4].set_record(format!("{}{}{}", &text[..at], "a".repeat(40), &text[at + 40..]).into_bytes());
        raws[4].sign(developer);
        relink(raws, 5, developer);
    });
    assert_eq!(fixture.ask(), super::pass(&[]));
}

#[test]
fn a_link_that_claims_more_than_the_commits_have_in_common_counts_for_less() {
    let fixture = Fixture::new();
    let commit = |text: &str| fixture.code(None, "x.rs", text);
    let (old, same, other) =
        (commit("fn one_of_all() {}\n"), commit("fn one_of_all() {}\n\n"), commit("nothing like it\n"));
    let developer = &fixture.people.developer;
    fixture.record_commit(developer, &old);
    fixture.link(developer, &old, &same);
    let options = || Options { pinned: Some(fixture.id), full: true, entries: true, ..Options::default() };
    assert!(fixture.verify(options()).findings.is_empty());
    fixture.link(developer, &old, &other);
    let report = fixture.verify(options());
    let codes = |report: &crate::ledger::verify::Report| report.findings.iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes(&report), [Code::Link]);
    assert_eq!(codes(&fixture.verify(Options { entries: false, ..options() })), [Code::Link]);
    let mut levels = report.entries().filter_map(|entry| match &entry.body {
        Body::Link(link) => Some(link.level),
        _ => None,
    });
    assert!(levels.any(|level| level == 0));
}
