//! The names of the ledger's refs, under a prefix that hosts may need to be another.

use std::fmt;

use crate::digest::Digest;
use crate::id::{CaseId, ChainId};
use crate::record::body::PayloadClass;
use crate::time::Month;

/// Where the ledger's refs are: `refs/tracevault` unless configured otherwise (`tracevault.prefix`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// A prefix that is not `refs/…`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a prefix for refs (like refs/tracevault or refs/heads/tracevault)")]
pub struct BadPrefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Prefix("refs/tracevault".into())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a ref of the ledger holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    Chain(ChainId),
    /// A witness's chain.
    Seals(ChainId),
    Payload(PayloadClass, Month, ChainId),
    Hold(CaseId),
}

impl Prefix {
    pub fn new(text: &str) -> Result<Self, BadPrefix> {
        let text = text.trim_end_matches('/');
        let part = |part: &str| !part.is_empty() && !part.contains("..") && part.bytes().all(|b| b.is_ascii_graphic());
        let odd = text.contains(['*', '?', '[', '~', '^', ':', '\\']);
        if text.starts_with("refs/") && text.split('/').count() >= 2 && text.split('/').all(part) && !odd {
            Ok(Prefix(text.to_owned()))
        } else {
            Err(BadPrefix(text.to_owned()))
        }
    }

    /// The prefix with a slash, to list by.
    pub fn dir(&self) -> String {
        format!("{}/", self.0)
    }

    /// The ref of a chain.
    pub fn chain(&self, chain: ChainId) -> String {
        match chain {
            ChainId::Policy => format!("{}/policy", self.0),
            ChainId::Writer(_) => format!("{}/log/{chain}", self.0),
        }
    }

    /// The ref of a witness's chain.
    pub fn seals(&self, chain: ChainId) -> String {
        format!("{}/seal/{chain}", self.0)
    }

    /// The ref of a writer's payloads of a class and month.
    pub fn payload(&self, class: PayloadClass, month: &Month, chain: ChainId) -> String {
        format!("{}/payload/{class}/{month}/{chain}", self.0)
    }

    /// The ref that keeps what is held for a case.
    pub fn hold(&self, case: &CaseId) -> String {
        format!("{}/hold/{case}", self.0)
    }

    /// Where the refs of a remote are seen here: never pushed, fetched without `+`.
    pub fn seen(remote: &str) -> Prefix {
        let safe: String =
            remote.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect();
        // Two names must not become one.
        match safe == remote {
            true => Prefix(format!("{SEEN}/{safe}")),
            false => Prefix(format!("{SEEN}/{safe}.{}", &Digest::of(remote.as_bytes()).to_string()[..8])),
        }
    }

    /// The refs seen at one remote, by the folder they are in.
    pub fn seen_in(folder: &str) -> Prefix {
        Prefix(format!("{SEEN}/{folder}"))
    }

    /// What a ref of this ledger holds, by its name; `None` for a name that is none of ours.
    pub fn read(&self, name: &str) -> Option<Holds> {
        let rest = name.strip_prefix(&self.dir())?;
        let mut parts = rest.split('/');
        let holds = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("policy", None, ..) => Holds::Chain(ChainId::Policy),
            ("log", Some(chain), None, _) => Holds::Chain(writer(chain)?),
            ("seal", Some(chain), None, _) => Holds::Seals(writer(chain)?),
            ("payload", Some(class), Some(month), Some(chain)) => {
                Holds::Payload(PayloadClass::parse(class)?, month.parse().ok()?, writer(chain)?)
            }
            ("hold", Some(case), None, _) => Holds::Hold(case.parse().ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(holds)
    }
}

/// Where all remotes' refs are seen.
pub const SEEN: &str = "refs/tracevault-local";
/// Readable notes, derived from the records.
pub const NOTES: &str = "refs/notes/tracevault";
/// What other programs claim, never evidence; of this clone alone.
pub const CLAIMS: &str = "refs/notes/tracevault-claims";
/// Notes of git-ai: theirs, and ours in their form.
pub const GIT_AI_NOTES: &str = "refs/notes/ai";

fn writer(text: &str) -> Option<ChainId> {
    text.parse().ok().filter(|chain| *chain != ChainId::Policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let prefix = Prefix::default();
        let chain = ChainId::Writer([9; 16]);
        let month: Month = "2026-11".parse().unwrap();
        let payload = prefix.payload(PayloadClass::Transcript, &month, chain);
        assert_eq!(payload, format!("refs/tracevault/payload/transcript/2026-11/{chain}"));
        assert_eq!(prefix.read(&payload), Some(Holds::Payload(PayloadClass::Transcript, month, chain)));
        assert_eq!(prefix.read(&prefix.chain(chain)), Some(Holds::Chain(chain)));
        assert_eq!(prefix.read(&prefix.seals(chain)), Some(Holds::Seals(chain)));
        assert_eq!(prefix.read("refs/tracevault/policy"), Some(Holds::Chain(ChainId::Policy)));
        for odd in [
            "refs/tracevault/log/policy",
            "refs/tracevault/seal/policy",
            "refs/tracevault/x",
            "refs/heads/policy",
            "refs/tracevault/policy/x",
        ] {
            assert_eq!(prefix.read(odd), None, "{odd}");
        }
    }

    #[test]
    fn prefixes_are_checked() {
        assert!(Prefix::new("refs/heads/tracevault/").is_ok());
        for odd in ["heads/x", "refs/", "refs/a..b", "refs/a b", "refs/*", ""] {
            assert!(Prefix::new(odd).is_err(), "{odd}");
        }
        assert_eq!(Prefix::seen("origin").to_string(), "refs/tracevault-local/origin");
        assert!(Prefix::seen("../o?").to_string().starts_with("refs/tracevault-local/---o-."));
        assert_ne!(Prefix::seen("fork.1"), Prefix::seen("fork-1"));
        assert_ne!(Prefix::seen("fork.1"), Prefix::seen("fork/1"));
    }
}
