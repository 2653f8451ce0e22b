//! Notes and checkpoints: those of the specification, our own, and those that are none.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;

/// The example of c2sp.org/tlog-checkpoint, and that of golang.org/x/mod/sumdb/note with its key.
const PUBLISHED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
const GO_KEY: (&str, &str) = ("PeterNeumann", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
const GO_KEY_ID: &str = "c74f20a3";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key() -> (SigningKey, PublicKey) {
    let secret = SigningKey::from_bytes(&[12; 32]);
    let public = PublicKey::new([12; 8], secret.verifying_key().to_bytes()).unwrap();
    (secret, public)
}

fn checkpoint() -> Checkpoint {
    let (_, public) = key();
    let origin = origin(LedgerId(Digest::of(b"ledger")), public.chain());
    Checkpoint { origin, size: 3, root: Digest::of(b"root") }
}

fn signed(checkpoint: &Checkpoint) -> String {
    let (secret, public) = key();
    note(checkpoint, &public, &secret.sign(checkpoint.text().as_bytes()).to_bytes())
}

fn verify(note: &str) -> Result<Checkpoint, NoteError> {
    let (_, public) = key();
    Note::parse(note.as_bytes())?.verify(&checkpoint().origin, &public.verifier())
}

#[test]
fn a_published_checkpoint_is_read() {
    let checkpoint = Note::parse(PUBLISHED.as_bytes()).unwrap().claims().unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.root.to_string(), "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    assert!(PUBLISHED.starts_with(&checkpoint.text()));
}

#[test]
fn a_published_note_verifies_with_its_key() {
    let (name, key) = GO_KEY;
    let bytes: [u8; 33] = STANDARD.decode(key).unwrap().try_into().unwrap();
    let public = PublicKey::new([0; 8], bytes[1..].try_into().unwrap()).unwrap();
    assert_eq!((bytes[0], hex::encode(key_id(name, public.bytes())).as_str()), (ED25519, GO_KEY_ID));
    let note = Note::parse(GO_NOTE.as_bytes()).unwrap();
    let [(signer, id, signature)] = &note.signatures[..] else { panic!() };
    assert_eq!((*signer, hex::encode(id).as_str()), (name, GO_KEY_ID));
    assert!(public.verifier().verify_text(note.text, signature));
    assert!(!public.verifier().verify_text("another text\n", signature));
}

#[test]
fn our_own_verifies_also_among_others_signatures() {
    let note = signed(&checkpoint());
    assert_eq!(verify(&note).unwrap(), checkpoint());
    assert_eq!(verify(&format!("{note}\u{2014} other AAAAAAAA\n")).unwrap(), checkpoint());
    // Another key of the same name is another key.
    let of_same_name = format!("{note}\u{2014} {} AAAAAAAA\n", checkpoint().origin);
    assert_eq!(verify(&of_same_name).unwrap(), checkpoint());
    // One of ours that does not hold spoils it.
    let other = signed(&Checkpoint { size: 4, ..checkpoint() });
    let line = other.lines().last().unwrap();
    assert_eq!(verify(&format!("{note}{line}\n")), Err(NoteError::Wrong(checkpoint().origin)));
}

#[test]
fn what_is_no_checkpoint_of_this_log_is_refused() {
    let good = signed(&checkpoint());
    for bad in [
        String::new(),
        "\n\n".into(),
        good.replace('\n', "\r\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        good.replace("\n\n", "\n"),
        good.replace("\n3\n", "\n03\n"),
        good.replace("\n3\n", "\n4\n"),
        good.replace("\n3\n", "\n+3\n"),
        good.replace("\n3\n", "\n3\nmore\n"),
        good.replace("\n3\n", "\n99999999999999999999\n"),
        good.replace("tracevault/", "tracevalut/"),
        good.replace("\u{2014} ", "-- "),
        good.replace("\u{2014} ", "\u{2014}  "),
        good.replace("\u{2014} tracevault", "\u{2014} tr+acevault"),
        good.replace("=\n", "\n"),
        format!("{good}\u{2014} other AAAA\n"),
        format!("{good}\u{2014} other no\tbase64\n"),
        format!("{good}{}", "\u{2014} other AAAAAAAA\n".repeat(4000)),
        signed(&Checkpoint { origin: "tracevault/x".into(), ..checkpoint() }),
    ] {
        assert!(verify(&bad).is_err(), "{bad}");
    }
    assert!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n").is_err());
}

#[test]
fn an_origin_names_ledger_and_chain() {
    let (_, public) = key();
    let ledger = LedgerId(Digest::of(b"ledger"));
    assert_eq!(read_origin(&origin(ledger, public.chain())), Some((ledger, public.chain())));
    for bad in ["", "tracevault/", "tracevault/x/y", &origin(ledger, ChainId::Policy)] {
        assert_eq!(read_origin(bad), None);
    }
}

proptest! {
    #[test]
    fn every_changed_byte_is_noticed(at in 0usize..400, to in any::<u8>()) {
        let good = signed(&checkpoint());
        let mut bytes = good.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let (_, public) = key();
        let answer = Note::parse(&bytes).and_then(|note| note.verify(&checkpoint().origin, &public.verifier()));
        prop_assert!(answer.is_err());
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "(.|\n|\u{2014} ){0,60}") {
        drop(Note::parse(&bytes).and_then(|note| note.claims()));
        drop(Note::parse(text.as_bytes()).and_then(|note| note.claims()));
    }
}
