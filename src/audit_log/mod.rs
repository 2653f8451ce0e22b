//! Audit log of a server: who signed in, was refused, read and exported what; each line chained to the one before, and signed.
//!
//! A line is a JSON object in UTF-8, a tab, and the Base64 (RFC 4648) of the Ed25519 signature (RFC 8032) of the object's bytes; `prev`
//! in it is the SHA-256 of the bytes of the object before. `docs/indexer.md` says how to check that with other tools.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::record::signature::{PublicKey, Verifier};
use crate::time::Time;

/// A line is never longer.
pub const LONGEST: usize = 16 << 10;
const VERSION: u32 = 1;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The server was started.
    Start,
    /// It was started with other settings than the last time.
    Settings,
    SignIn,
    SignOut,
    /// Somebody was not let in, or asked for what is not theirs to read.
    Refused,
    /// What was said in a session was read.
    Read,
    /// A table was taken away as CSV or JSON, or evidence was downloaded.
    Export,
    /// A ledger was verified.
    Verify,
    /// The end of a line that was never finished was cut off.
    Mend,
}

impl Action {
    /// All of them, in their order.
    pub const ALL: [Action; 9] = [
        Action::Start,
        Action::Settings,
        Action::SignIn,
        Action::SignOut,
        Action::Refused,
        Action::Read,
        Action::Export,
        Action::Verify,
        Action::Mend,
    ];

    /// As it stands in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::Settings => "settings",
            Action::SignIn => "sign-in",
            Action::SignOut => "sign-out",
            Action::Refused => "refused",
            Action::Read => "read",
            Action::Export => "export",
            Action::Verify => "verify",
            Action::Mend => "mend",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub action: Action,
    /// Who did it: the names of the member they proved to be, `anyone` where nobody had to.
    pub actor: Option<String>,
    /// What they proved: two ledgers may call different people by one name, and no two people have one key.
    pub proof: Option<String>,
    /// From which address.
    pub peer: Option<String>,
    /// The repository that it is about, if it is about one.
    pub repository: Option<String>,
    /// What it was done to: a path of the server's.
    pub resource: Option<String>,
    pub detail: Option<String>,
}

impl Event {
    pub fn new(action: Action) -> Self {
        Event { action, actor: None, proof: None, peer: None, repository: None, resource: None, detail: None }
    }
}

/// An event in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    v: u32,
    pub seq: u64,
    /// The SHA-256 of the entry before; none has the first.
    pub prev: Option<Digest>,
    pub time: Time,
    pub action: Action,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub id: Digest,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    #[error("line {0} is no entry: {1}")]
    Malformed(u64, String),
    #[error("line {0} is not signed by the log's key")]
    Unsigned(u64),
    #[error("line {0} does not follow the line before it: something was removed, put in or changed")]
    Unchained(u64),
    #[error("its end was cut off: {0} entries were there")]
    Cut(u64),
}

/// A text that fits into a line, whatever was asked for.
fn bounded(text: Option<String>) -> Option<String> {
    const MOST: usize = 1 << 10;
    text.map(|text| match text.char_indices().nth(MOST) {
        // What is cut off is still told from everything else.
        Some((end, _)) => format!("{}… (SHA-256 {})", &text[..end], Digest::of(text.as_bytes())),
        None => text,
    })
}

impl Entry {
    /// The entry that an event is behind `head`.
    pub fn after(head: Option<Head>, time: Time, event: Event) -> Self {
        Entry {
            v: VERSION,
            seq: head.map_or(0, |head| head.seq + 1),
            prev: head.map(|head| head.id),
            time,
            action: event.action,
            actor: bounded(event.actor),
            proof: bounded(event.proof),
            peer: bounded(event.peer),
            repository: bounded(event.repository),
            resource: bounded(event.resource),
            detail: bounded(event.detail),
        }
    }

    /// Its bytes, which are signed and hashed.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A line of the log, without its end.
pub fn line(text: &str, signature: &[u8; 64]) -> String {
    format!("{text}\t{}", STANDARD.encode(signature))
}

/// Where the log ends that goes on behind `head` with an entry of this text.
pub fn head_of(entry: &Entry, text: &str) -> Head {
    Head { seq: entry.seq, id: Digest::of(text.as_bytes()) }
}

/// The entry of one line and the head behind it, if the key signed it. Whether it follows another is not asked.
pub fn read(line: &str, number: u64, key: &Verifier) -> Result<(Entry, Head), LogError> {
    let malformed = |why: &str| LogError::Malformed(number, why.to_owned());
    if line.len() > LONGEST {
        return Err(malformed("it is too long"));
    }
    let (text, signature) = line.split_once('\t').ok_or_else(|| malformed("it has no signature"))?;
    let signature = STANDARD.decode(signature).map_err(|_| malformed("its signature is no Base64"))?;
    if !key.verify_text(text, &signature) {
        return Err(LogError::Unsigned(number));
    }
    let entry: Entry = serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
    if entry.v != VERSION {
        return Err(malformed("this program does not know its version"));
    }
    let head = head_of(&entry, text);
    Ok((entry, head))
}

/// Reads a log from its beginning, line by line, and tells of the first that does not hold.
#[derive(Clone)]
pub struct Reading {
    key: Verifier,
    lines: u64,
    head: Option<Head>,
}

impl Reading {
    /// Nothing read yet of a log that this key signs.
    pub fn new(key: &PublicKey) -> Self {
        Reading { key: key.verifier(), lines: 0, head: None }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &str) -> Result<Entry, LogError> {
        self.lines += 1;
        let (entry, head) = read(line, self.lines, &self.key)?;
        let follows = match self.head {
            None => entry.seq == 0 && entry.prev.is_none(),
            Some(before) => entry.seq == before.seq + 1 && entry.prev == Some(before.id),
        };
        if !follows {
            return Err(LogError::Unchained(self.lines));
        }
        self.head = Some(head);
        Ok(entry)
    }

    /// How many entries were read.
    pub fn entries(&self) -> u64 {
        self.head.map_or(0, |head| head.seq + 1)
    }

    /// Where the log ends, as far as it was read.
    pub fn head(&self) -> Option<Head> {
        self.head
    }
}

#[cfg(test)]
mod tests;
