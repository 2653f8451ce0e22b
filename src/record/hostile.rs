//! Records and signature files that somebody spoiled: whatever bytes come, they are refused or mean one thing, without harm.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::signature::PublicKey;
use super::*;

const RECORD: &[u8] = include_bytes!("../../tests/vectors/developer/2/record.json");
const SIGNATURE: &[u8] = include_bytes!("../../tests/vectors/developer/2/record.json.minisig");
const OPEN: &[u8] = include_bytes!("../../tests/vectors/developer/0/record.json");
const GENESIS: &[u8] = include_bytes!("../../tests/vectors/policy/0/record.json");
const ROSTER: &[u8] = include_bytes!("../../tests/vectors/policy/1/record.json");
const KEEPING: &str = include_str!("../../tests/vectors/keeping.json");

/// What a parser may stumble over.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\",
    "null",
    "-0",
    "1e3",
    "1.0",
    "9007199254740992",
    "\\u0041",
    "\\ud800",
    "\u{feff}",
    "\u{0}",
    "\n",
    "\r\n",
    " ",
    "é",
    "{\"a\":1,\"a\":2}",
    "\"v\":2",
    "\"ext\":{}",
    "[[[[[[[[[[[[[[[[[[",
    "ED",
    "Ed",
    "=",
    "untrusted comment: ",
    "trusted comment: ",
    "0000000000000000000000000000000000000000000000000000000000000000",
];

/// One change of a text.
#[derive(Debug, Clone)]
enum Change {
    Byte(Index, u8),
    Insert(Index, &'static str),
    Remove(Index, usize),
    /// A part of it once more, elsewhere.
    Copy(Index, usize, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<Index>(), select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), 1..40usize).prop_map(|(at, len)| Change::Remove(at, len)),
        (any::<Index>(), 1..200usize, any::<Index>()).prop_map(|(at, len, to)| Change::Copy(at, len, to)),
    ];
    prop::collection::vec(change, 1..6)
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Byte(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Change::Insert(at, piece) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, piece.bytes());
            }
            Change::Remove(at, len) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + len));
            }
            Change::Copy(from, len, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from..bytes.len().min(from + len)].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}

/// One record of each type.
fn records() -> Vec<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = [RECORD, OPEN, GENESIS, ROSTER].map(<[u8]>::to_vec).into();
    let keeping: serde_json::Value = serde_json::from_str(KEEPING).unwrap();
    let texts = keeping["records"].as_array().unwrap().iter().flat_map(|record| record.as_object().unwrap().values());
    records.extend(texts.filter_map(|text| text.as_str()).filter(|text| text.starts_with("{\"body\"")).map(Into::into));
    assert!(records.len() > 10, "keeping.json has another form now");
    records
}

fn writer() -> PublicKey {
    match Record::parse(OPEN.to_vec()).unwrap().into_body() {
        Body::Open(open) => open.public_key,
        other => panic!("{other:?} is no open record"),
    }
}

#[test]
fn the_records_are_good_before_they_are_spoiled() {
    for bytes in records() {
        let record = Record::parse(bytes.clone()).unwrap();
        assert_eq!(Record::new(record.envelope().clone(), record.body().clone()).unwrap().bytes(), bytes);
    }
    assert!(Record::parse(RECORD.to_vec()).unwrap().verify(&writer().verifier(), SIGNATURE).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_spoiled_record_is_refused_or_is_another_one(which: Index, changes in changes()) {
        let good = which.get(&records()).clone();
        let bytes = changed(&good, &changes);
        if let Ok(record) = Record::parse(bytes.clone()) {
            let again = Record::new(record.envelope().clone(), record.body().clone()).unwrap();
            prop_assert_eq!(again.bytes(), &bytes[..], "two texts of one record");
            prop_assert!(bytes == good || record.id() != RecordId(Digest::of(&good)));
            prop_assert!(bytes == RECORD || record.verify(&writer().verifier(), SIGNATURE).is_err());
        }
    }

    #[test]
    fn a_spoiled_signature_file_is_refused(changes in changes()) {
        let file = changed(SIGNATURE, &changes);
        let record = Record::parse(RECORD.to_vec()).unwrap();
        prop_assert_eq!(record.verify(&writer().verifier(), &file).is_ok(), file == SIGNATURE);
    }

    #[test]
    fn a_spoiled_key_is_refused_or_is_another_one(changes in changes()) {
        let good = writer().to_string();
        let text = String::from_utf8_lossy(&changed(good.as_bytes(), &changes)).into_owned();
        if let Ok(key) = text.parse::<PublicKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Record::parse(bytes.clone()).is_err());
        prop_assert!(signature::Signature::parse(&bytes).is_err());
    }
}
