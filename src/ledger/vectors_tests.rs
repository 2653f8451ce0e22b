//! `tests/vectors`: records, signatures, commits and trees, byte for byte, that `docs/format.md` speaks of.
//!
//! The vectors hold the code to the format, and other people's programs too. They are written by
//! `cargo test --lib write_the_vectors -- --ignored`, once for a version of the format.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::testing::{Fixture, Key, shell};
use crate::digest::Digest;
use crate::finding::{Code, Severity};
use crate::git::command::Git;
use crate::git::repo::{Kind, Repo};
use crate::id::{ChainId, GitId};
use crate::record::body::Body;
use crate::record::object;
use crate::record::signature::PublicKey;
use crate::record::{Record, Unverified};

/// What `index.json` says.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Index {
    ledger: String,
    keys: BTreeMap<String, KeyVector>,
    records: Vec<RecordVector>,
    payload: PayloadVector,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct KeyVector {
    seed: String,
    public_key: String,
    number: String,
    chain: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct RecordVector {
    folder: String,
    r#type: String,
    id: String,
    trusted_comment: String,
    signatures: BTreeMap<String, String>,
    commit: String,
    tree: String,
    parent: Option<String>,
    blobs: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct PayloadVector {
    r#ref: String,
    commit: String,
    piece: String,
    size: u64,
}

/// One text that is or is not a record.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Form {
    rule: String,
    /// The text; where it is not UTF-8, its bytes in `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// The finding that must come back; `ok` for a record.
    finding: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn people(fixture: &Fixture) -> [(&'static str, u8, &Key); 4] {
    let people = &fixture.people;
    [
        ("owner", 1, &people.owner),
        ("admin", 2, &people.admin),
        ("developer", 3, &people.developer),
        ("ci", 4, &people.ci),
    ]
}

/// All files of the vectors, by name, made anew.
fn made() -> BTreeMap<String, Vec<u8>> {
    let fixture = Fixture::of_each_type();
    let repo = &fixture.ledger.repo;
    let mut files = BTreeMap::new();
    let mut records = Vec::new();
    let keys = people(&fixture).map(|(name, seed, key)| {
        let vector = KeyVector {
            seed: hex::encode([seed; 32]),
            public_key: key.public().to_string(),
            number: key.public().number(),
            chain: key.chain().to_string(),
        };
        (name.to_owned(), vector)
    });
    for (name, chain) in [("policy", ChainId::Policy), ("developer", fixture.people.developer.chain())] {
        for commit in fixture.line(chain) {
            records.push(record_vector(repo, name, &commit, &keys, &mut files));
        }
    }
    let (name, tip) = repo.refs(&format!("{}payload/", fixture.ledger.prefix.dir())).unwrap().remove(0);
    let (digest, blob) = super::payload::shelf(repo, &tip).unwrap().into_iter().next().unwrap();
    let piece = repo.read_checked(&blob, Kind::Blob).unwrap();
    let payload =
        PayloadVector { r#ref: name, commit: tip.to_string(), piece: digest.to_string(), size: piece.len() as u64 };
    files.insert("payload/piece".into(), piece);
    files.insert("payload/commit".into(), repo.read_checked(&tip, Kind::Commit).unwrap());
    let index = Index { ledger: fixture.id.to_string(), keys: keys.into_iter().collect(), records, payload };
    files.insert("index.json".into(), serde_json::to_vec_pretty(&index).unwrap());
    files.insert("keeping.json".into(), super::tamper_tests::keeping::vectors());
    files.insert("seals.json".into(), super::testing::seals::vectors());
    let texts: Vec<String> =
        fixture.load(fixture.people.developer.chain()).into_iter().map(|record| record.text()).collect();
    let session = texts.iter().find(|text| text.contains("\"active_seconds\":")).unwrap();
    files.insert("forms.json".into(), serde_json::to_vec_pretty(&forms(texts.last().unwrap(), session)).unwrap());
    files
}

fn record_vector(
    repo: &Repo,
    chain: &str,
    commit: &GitId,
    keys: &[(String, KeyVector)],
    files: &mut BTreeMap<String, Vec<u8>>,
) -> RecordVector {
    let stored = super::store::read(repo, commit).unwrap();
    let record = &stored.record;
    let folder = format!("{chain}/{}", record.envelope().seq);
    let raw = repo.read_checked(commit, Kind::Commit).unwrap();
    let tree_id = super::store::header(&raw).unwrap().tree;
    let tree = repo.read_checked(&tree_id, Kind::Tree).unwrap();
    let mut blobs = BTreeMap::new();
    for entry in repo.tree_entries(&tree).unwrap() {
        let name = String::from_utf8(entry.name).unwrap();
        blobs.insert(name.clone(), entry.id.to_string());
        files.insert(format!("{folder}/{name}"), repo.read_checked(&entry.id, Kind::Blob).unwrap());
    }
    files.insert(format!("{folder}/commit"), raw);
    files.insert(format!("{folder}/tree"), tree);
    let signer = |name: &str| {
        let number = name.strip_prefix("record.json.").and_then(|rest| rest.strip_suffix(".minisig"));
        let found = keys.iter().find(|(_, key)| match number {
            Some(number) => key.number == number,
            None => key.chain == record.envelope().chain.to_string(),
        });
        found.unwrap().1.public_key.clone()
    };
    RecordVector {
        folder,
        r#type: record.body().kind().into(),
        id: record.id().to_string(),
        trusted_comment: record.trusted_comment(),
        signatures: stored.signatures.iter().map(|(name, _)| (name.clone(), signer(name))).collect(),
        commit: commit.to_string(),
        tree: tree_id.to_string(),
        parent: stored.parent.map(|parent| parent.to_string()),
        blobs,
    }
}

/// One text for each rule of the canonical form, changes of a good link record and of a session's.
fn forms(link: &str, session: &str) -> Vec<Form> {
    let change = |from: &str, to: &str| {
        assert!(link.contains(from), "{from}");
        link.replacen(from, to, 1)
    };
    let prev = &link[link.find("\"prev\":\"").unwrap() + 8..][..64];
    let deep = |depth: usize| {
        change("\"ledger\":", &format!("\"ext\":{{\"a\":{}{}}},\"ledger\":", "[".repeat(depth), "]".repeat(depth)))
    };
    let with_rules = |rules: &str| {
        assert!(session.contains("\"segment\":"), "{session}");
        session.replacen("\"segment\":", &format!("\"rules\":\"{rules}\",\"segment\":"), 1)
    };
    let texts = [
        ("as it must be", link.to_owned(), "ok"),
        ("a session may name its rules", with_rules(&"0f".repeat(32)), "ok"),
        ("rules are a digest", with_rules("none"), "E-CANON"),
        (
            "facts of other programs stand in ext",
            change("\"ledger\":", "\"ext\":{\"n\":[-1,true,\"\\u0001\\n\u{7f}é\"]},\"ledger\":"),
            "ok",
        ),
        ("sixteen deep", deep(14), "ok"),
        ("no deeper than sixteen", deep(15), "E-LIMIT"),
        ("no space between", change(":", ": "), "E-CANON"),
        ("no space before", format!(" {link}"), "E-CANON"),
        ("no byte order mark", format!("\u{feff}{link}"), "E-CANON"),
        ("no newline at the end", format!("{link}\n"), "E-CANON"),
        ("nothing after the end", format!("{link}{{}}"), "E-CANON"),
        ("one object", format!("[{link}]"), "E-CANON"),
        ("keys ascend", change("\"found_by\":\"amend\",\"level\":1", "\"level\":1,\"found_by\":\"amend\""), "E-CANON"),
        ("no key twice", change("\"level\":1", "\"level\":1,\"level\":1"), "E-CANON"),
        ("keys are of a-z 0-9 _", change("\"level\"", "\"Level\""), "E-CANON"),
        ("no fraction", change("\"level\":1", "\"level\":1.0"), "E-CANON"),
        ("no exponent", change("\"level\":1", "\"level\":1e0"), "E-CANON"),
        ("no minus zero", change("\"level\":1", "\"level\":-0"), "E-CANON"),
        ("no leading zero", change("\"level\":1", "\"level\":01"), "E-CANON"),
        ("no integer beyond 2^53-1", change("\"level\":1", "\"level\":9007199254740992"), "E-CANON"),
        ("no null", change("\"level\":1", "\"level\":null"), "E-CANON"),
        ("no needless escape", change("amend", "\\u0061mend"), "E-CANON"),
        ("no escaped slash", change("amend", "am\\/end"), "E-CANON"),
        ("the short escapes", change("amend", "\\u000aamend"), "E-CANON"),
        ("escapes in lower case", change("amend", "\\u001Famend"), "E-CANON"),
        ("U+007F as it is", change("amend", "\\u007famend"), "E-CANON"),
        ("no lone surrogate", change("amend", "\\ud800"), "E-CANON"),
        ("no bare control character", change("amend", "am\0end"), "E-CANON"),
        ("hex in lower case", change(prev, &prev.to_uppercase()), "E-CANON"),
        ("one spelling of a time", change(":00Z", ":00.0Z"), "E-CANON"),
        ("a time that is", change("-01T", "-32T"), "E-CANON"),
        ("no field is missing", change("\"level\":1,", ""), "E-CANON"),
        ("no field more", change("\"level\":1", "\"level\":1,\"more\":1"), "E-CANON"),
        ("no field more in the envelope", change("\"time\":", "\"tame\":1,\"time\":"), "E-CANON"),
        ("version 1", change("\"v\":1", "\"v\":2"), "E-VERSION"),
        ("a known type", change("\"type\":\"link\"", "\"type\":\"lonk\""), "E-VERSION"),
    ];
    let mut forms: Vec<Form> = texts
        .into_iter()
        .map(|(rule, text, finding)| Form { rule: rule.into(), text: Some(text), hex: None, finding: finding.into() })
        .collect();
    let at = link.find("amend").unwrap();
    for (rule, bytes) in
        [("UTF-8", &b"\xff"[..]), ("no surrogate in UTF-8", b"\xed\xa0\x80"), ("the shortest UTF-8", b"\xc1\xa1")]
    {
        let bytes = [&link.as_bytes()[..at], bytes, &link.as_bytes()[at..]].concat();
        forms.push(Form { rule: rule.into(), text: None, hex: Some(hex::encode(bytes)), finding: "E-CANON".into() });
    }
    forms
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn index() -> Index {
    serde_json::from_slice(&read("index.json")).unwrap()
}

#[test]
#[ignore = "writes the vectors anew: only where the format changes on purpose"]
fn write_the_vectors() {
    // What is encrypted is other bytes each time, and has a writer of its own.
    for (name, bytes) in made() {
        let path = folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn the_code_makes_the_vectors_byte_for_byte() {
    for (name, bytes) in made() {
        assert_eq!(String::from_utf8_lossy(&read(&name)), String::from_utf8_lossy(&bytes), "{name}");
        assert_eq!(read(&name), bytes, "{name}");
    }
}

#[test]
fn the_vectors_are_what_they_say() {
    let index = index();
    assert_eq!(
        index.records.iter().map(|r| r.r#type.as_str()).collect::<Vec<_>>(),
        ["genesis", "roster", "roster", "open", "session", "commit", "link"]
    );
    let repo = Fixture::small().ledger.repo;
    for vector in &index.records {
        let file = |name: &str| read(&format!("{}/{name}", vector.folder));
        let record = Record::parse(file("record.json")).unwrap();
        let text = String::from_utf8(file("record.json")).unwrap();
        let again: Record<Unverified> = Record::new(record.envelope().clone(), record.body().clone()).unwrap();
        assert_eq!(String::from_utf8_lossy(again.bytes()), text, "{}", vector.folder);
        assert_eq!(Digest::of(text.as_bytes()).to_string(), vector.id);
        assert_eq!(record.trusted_comment(), vector.trusted_comment);
        for (name, key) in &vector.signatures {
            let key: PublicKey = key.parse().unwrap();
            record.clone().verify(&key.verifier(), &file(name)).unwrap();
        }
        let id = |text: &String| text.parse::<GitId>().unwrap();
        let blobs: Vec<_> = vector.blobs.iter().map(|(name, blob)| (name.as_str(), id(blob))).collect();
        for (name, blob) in &blobs {
            assert_eq!(repo.id_of(Kind::Blob, &file(name)).unwrap(), *blob, "{} {name}", vector.folder);
        }
        let names: Vec<_> = blobs.iter().map(|(name, blob)| (*name, blob)).collect();
        assert_eq!(object::tree(&names).unwrap(), file("tree"));
        assert_eq!(repo.id_of(Kind::Tree, &file("tree")).unwrap(), id(&vector.tree));
        let parent = vector.parent.as_ref().map(id);
        assert_eq!(object::commit(&record, &id(&vector.tree), parent.as_ref()), file("commit"));
        assert_eq!(repo.id_of(Kind::Commit, &file("commit")).unwrap(), id(&vector.commit));
        if let Body::Session(session) = record.body() {
            let piece = &session.payloads[0].pieces[0];
            assert_eq!((piece.sha256.to_string(), piece.size), (index.payload.piece.clone(), index.payload.size));
            assert_eq!(Digest::of(&read("payload/piece")), piece.sha256);
        }
    }
}

#[test]
fn other_programs_agree_about_the_vectors() {
    for vector in &index().records {
        let path = |name: &str| folder().join(&vector.folder).join(name);
        for (kind, id) in [("commit", &vector.commit), ("tree", &vector.tree)] {
            let git =
                Git::in_dir(&folder()).env("GIT_DIR", "/nonexistent").args(["hash-object", "--literally", "-t", kind]);
            assert_eq!(git.arg(path(kind)).run().unwrap().text(), *id, "{}", vector.folder);
        }
        for (name, key) in &vector.signatures {
            if let Some(said) = shell::minisign(key, &path("record.json"), &path(name)) {
                assert_eq!(said, format!("{}\n", vector.trusted_comment), "{} {name}", vector.folder);
            }
        }
    }
}

#[test]
fn the_programs_own_signatures_are_minisigns() {
    let dir = tempfile::tempdir().unwrap();
    let signer = crate::signing::Signer::generate().unwrap();
    let record = Record::parse(read("developer/3/record.json")).unwrap();
    let (message, signature) = (dir.path().join("record.json"), dir.path().join("record.json.minisig"));
    std::fs::write(&message, record.bytes()).unwrap();
    std::fs::write(&signature, signer.sign(&record)).unwrap();
    if let Some(said) = shell::minisign(&signer.public_key().to_string(), &message, &signature) {
        assert_eq!(said, format!("{}\n", record.trusted_comment()));
    }
}

#[test]
fn each_rule_of_the_form_has_its_finding() {
    let forms: Vec<Form> = serde_json::from_slice(&read("forms.json")).unwrap();
    assert!(forms.len() > 30);
    for form in forms {
        let bytes = form.text.map(String::into_bytes).or_else(|| hex::decode(form.hex?).ok()).unwrap();
        let found = Record::parse(bytes).map_or_else(|error| error.code().as_str(), |_| "ok");
        assert_eq!(found, form.finding, "{}", form.rule);
    }
}

#[test]
fn the_document_shows_what_is_true() {
    let document = include_str!("../../docs/format.md");
    for code in Code::ALL {
        let weight = match code.severity() {
            Severity::Error => "fail",
            Severity::Inconclusive => "inconclusive",
            Severity::Warning => "none",
        };
        let row = format!("| `{code}` | {weight} | {} |", code.meaning());
        assert!(document.contains(&row), "docs/format.md has no {row}");
    }
    for kind in Body::KINDS {
        assert!(document.contains(&format!("### {kind}")), "docs/format.md has no {kind}");
    }
    for name in ["record.json", "record.json.minisig", "commit"] {
        let text = String::from_utf8(read(&format!("developer/0/{name}"))).unwrap();
        assert!(document.contains(text.trim_end()), "docs/format.md does not show developer/0/{name} as it is");
    }
    let open = &index().records[3];
    for text in [&open.id, &open.commit, &open.tree, &open.trusted_comment] {
        assert!(document.contains(text.as_str()), "docs/format.md does not show {text}");
    }
}
