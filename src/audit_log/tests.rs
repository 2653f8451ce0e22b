//! Logs that hold, and every way of changing one.

use ed25519_dalek::{Signer as _, SigningKey};

use super::*;

fn key() -> (SigningKey, PublicKey) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey::new([1; 8], key.verifying_key().to_bytes()).unwrap();
    (key, public)
}

fn log(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let (key, _) = key();
    let mut head = None;
    let mut lines = Vec::new();
    for event in events {
        let entry = Entry::after(head, Time::from_unix(1_700_000_000 + lines.len() as i64), event);
        let text = entry.text();
        head = Some(head_of(&entry, &text));
        lines.push(line(&text, &key.sign(text.as_bytes()).to_bytes()));
    }
    lines
}

fn verified(lines: &[String]) -> Result<Option<Head>, LogError> {
    let mut reading = Reading::new(&key().1);
    for line in lines {
        reading.line(line)?;
    }
    Ok(reading.head())
}

fn some() -> Vec<String> {
    let read = |what: &str| Event {
        actor: Some("ada@example.com".into()),
        proof: Some("key 0f3a".into()),
        repository: Some("shop".into()),
        resource: Some(what.into()),
        ..Event::new(Action::Read)
    };
    log([
        Event::new(Action::Start),
        read("/r/shop/sessions/a"),
        read("/r/shop/sessions/b"),
        Event::new(Action::SignOut),
    ])
}

#[test]
fn a_line_is_as_it_is_documented() {
    let lines = some();
    let (text, signature) = lines[1].split_once('\t').unwrap();
    let first = Digest::of(lines[0].split_once('\t').unwrap().0.as_bytes());
    let expected = format!(
        r#"{{"v":1,"seq":1,"prev":"{first}","time":"2023-11-14T22:13:21Z","action":"read","actor":"ada@example.com","proof":"key 0f3a","repository":"shop","resource":"/r/shop/sessions/a"}}"#
    );
    assert_eq!((text, signature.len()), (expected.as_str(), 88));
    assert_eq!(verified(&lines).unwrap().unwrap().seq, 3);
    assert_eq!(verified(&[]), Ok(None));
}

#[test]
fn every_change_is_found() {
    let lines = some();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        verified(&lines).unwrap_err()
    };
    assert_eq!(with(&|lines| drop(lines.remove(1))), LogError::Unchained(2));
    assert_eq!(with(&|lines| drop(lines.remove(0))), LogError::Unchained(1));
    assert_eq!(with(&|lines| lines.swap(1, 2)), LogError::Unchained(2));
    assert_eq!(with(&|lines| lines.insert(1, lines[1].clone())), LogError::Unchained(3));
    assert_eq!(with(&|lines| lines[1] = lines[1].replace("ada", "bob")), LogError::Unsigned(2));
    assert_eq!(with(&|lines| lines[1] = lines[1].replace('\t', "\t ")), malformed(2, "its signature is no Base64"));
    assert_eq!(with(&|lines| lines[3].truncate(20)), malformed(4, "it has no signature"));
    assert_eq!(with(&|lines| lines[3] = "x".repeat(LONGEST + 1)), malformed(4, "it is too long"));
    let other = SigningKey::from_bytes(&[8; 32]);
    let text = lines[0].split_once('\t').unwrap().0;
    let forged = line(text, &other.sign(text.as_bytes()).to_bytes());
    assert_eq!(with(&|lines| lines[0] = forged.clone()), LogError::Unsigned(1));
    // Of a log that is cut at its end only its own last entry can tell: somebody must have kept its head.
    assert_eq!(verified(&lines[..2]).unwrap().unwrap().seq, 1);
}

fn malformed(line: u64, why: &str) -> LogError {
    LogError::Malformed(line, why.to_owned())
}

#[test]
fn whatever_was_asked_for_fits_into_a_line() {
    let event = Event { resource: Some("ä\t\n\u{0}".repeat(5_000)), ..Event::new(Action::Refused) };
    let lines = log([event, Event::new(Action::Start)]);
    assert!(lines[0].len() < LONGEST && !lines[0].contains('\n'));
    assert!(verified(&lines).is_ok());
    let (entry, _) = read(&lines[0], 1, &key().1.verifier()).unwrap();
    assert_eq!(entry.resource.unwrap().chars().count(), 1024 + "… (SHA-256 )".chars().count() + 64);
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
    }
}
