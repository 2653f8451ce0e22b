//! Ledger: chains of records in a repository's refs: appended, fetched, pushed, read, verified.

pub mod access;
pub mod again;
pub mod append;
pub mod attribute;
mod calls;
pub mod check;
pub mod claims;
pub mod commits;
pub mod copies;
pub mod cursor;
pub mod edited;
pub mod edits;
pub mod elsewhere;
pub mod encryption;
pub mod evidence;
pub mod expiry;
pub mod exports;
pub mod fit;
mod former;
pub mod found;
pub mod keeping;
pub mod known;
pub mod lines;
pub mod links;
pub mod local;
mod lost;
mod mark;
pub mod named;
mod names;
pub mod notes;
pub mod nudge_facts;
pub mod payload;
mod policy_chain;
pub mod prove;
pub mod pruned;
mod put_aside;
pub mod origins;
pub mod own_key;
pub mod query;
pub mod read_back;
pub mod receive;
pub mod references;
pub mod record_commit;
pub mod refs;
pub mod redact_again;
pub mod remote;
pub mod replaced;
pub mod seals;
pub mod seen;
pub mod rules;
pub mod second_net;
pub mod segment;
pub mod shelves;
pub mod squashes;
pub mod stats;
mod steps;
pub mod story;
mod successions;
pub mod store;
pub mod summary;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod vectors_tests;
pub mod traces;
pub mod verify;
pub mod witness;
pub mod workers;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};
use crate::cost::{PriceError, PriceTable};
use crate::git::command::GitError;
use crate::git::diff::DiffError;
use crate::git::repo::{Repo, RepoError};
use crate::host::files;
use crate::id::{ChainId, LedgerId};
use crate::record::canonical::CanonError;
use crate::record::{Citation, RecordError};
use crate::signing::{Signer, SigningError};
use refs::Prefix;
use store::StoreError;

/// What can go wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("this repository has no ledger yet")]
    NoLedger,
    #[error("this clone has no key")]
    NoKey,
    #[error("chain {} goes on elsewhere: its key has written record {seq}, which is not here", .chain.short())]
    Elsewhere { chain: ChainId, seq: u64 },
    #[error("this clone's chain {} was closed: nothing may follow", .0.short())]
    Closed(ChainId),
    #[error("{name} at {commit}: {source}")]
    Stored { name: String, commit: String, source: StoreError },
    #[error("a {kind} record: {source}")]
    Record { kind: &'static str, source: CanonError },
    #[error(transparent)]
    Unreadable(#[from] RecordError),
    #[error("cannot use {}", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Diff(#[from] DiffError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error("{}: {source}", .path.display())]
    Prices { path: PathBuf, source: PriceError },
    #[error("what sessions said cannot be encrypted as the policy asks: {0}")]
    Encryption(String),
    #[error("today's rules find secrets in what would leave:{}", second_net::listed(.0))]
    Secrets(Vec<second_net::Caught>),
    #[error("{0}")]
    Refused(String),
    #[error("nothing here is called {0:?}: no commit, no session, no record")]
    Unknown(String),
}

impl LedgerError {
    /// What to type next, where there is something.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            LedgerError::Secrets(caught) => second_net::hint(caught).map(Cow::Owned),
            other => other.advice().map(Cow::Borrowed),
        }
    }

    fn advice(&self) -> Option<&'static str> {
        match self {
            LedgerError::NoKey => Some("git tracevault init"),
            LedgerError::Elsewhere { .. } => Some(
                "if this clone is a copy of another, or was brought back from a backup: git tracevault init --new-key",
            ),
            LedgerError::Closed(_) => Some("git tracevault key rotate (it goes on with the key that the chain names)"),
            LedgerError::NoLedger => Some("git tracevault fetch, or git tracevault init to found one"),
            LedgerError::Unknown(_) => Some("git tracevault fetch (ids need 4 characters or more)"),
            LedgerError::Encryption(_) => {
                Some("git tracevault member list (who has no recipient: git tracevault key recipient)")
            }
            LedgerError::Signing(_) => Some("git tracevault doctor"),
            _ => None,
        }
    }
}

/// A repository's ledger as this clone has it.
pub struct Ledger {
    pub repo: Repo,
    pub config: Config,
    pub prefix: Prefix,
    /// `tracevault` in git's common folder: what is this clone's alone.
    dir: PathBuf,
}

impl Ledger {
    /// The ledger of the repository that `dir` is in, whether there is one yet or not.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Self::of(Repo::discover(dir)?)
    }

    pub fn of(repo: Repo) -> Result<Self, LedgerError> {
        let config = Config::load(&repo)?;
        let prefix = match &config.prefix {
            Some(text) => Prefix::new(text).map_err(|error| LedgerError::Refused(error.to_string()))?,
            None => Prefix::default(),
        };
        let dir = repo.common_dir().join("tracevault");
        Ok(Ledger { repo, config, prefix, dir })
    }

    /// `<common>/tracevault`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether `init` has been here: without it nothing is captured.
    pub fn is_enrolled(&self) -> bool {
        self.dir.join(ENROLLED).is_file()
    }

    /// The same for the clone that `dir` is in, where its configuration cannot be read.
    pub fn is_enrolled_at(dir: &Path) -> bool {
        Repo::discover(dir).is_ok_and(|repo| repo.common_dir().join("tracevault").join(ENROLLED).is_file())
    }

    /// Marks this clone as enrolled.
    pub fn enrol(&self) -> Result<(), LedgerError> {
        let path = self.dir.join(ENROLLED);
        files::create_private_dir(&self.dir.join("journal"))
            .and_then(|()| files::replace_private(&path, b""))
            .map_err(|source| LedgerError::File { path, source })
    }

    /// Takes the mark away; journals, keys and records stay.
    pub fn disenrol(&self) -> Result<(), LedgerError> {
        let path = self.dir.join(ENROLLED);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(LedgerError::File { path, source }),
            _ => Ok(()),
        }
    }

    /// This clone's key.
    pub fn signer(&self) -> Result<Signer, LedgerError> {
        let path = self.config.key.as_ref().ok_or(LedgerError::NoKey)?;
        Ok(Signer::load(path)?)
    }

    /// This clone's chain, by its key's file name: no secret is read for it.
    pub fn own_chain(&self) -> Option<ChainId> {
        self.config.key.as_ref()?.file_stem()?.to_str()?.parse().ok()
    }

    /// The chain of this clone's witness key, if it has one.
    pub fn witness_chain(&self) -> Option<ChainId> {
        let path = self.config.witness_key.as_ref()?;
        let named = path.file_stem().and_then(|name| name.to_str()?.parse().ok());
        named.or_else(|| Some(Signer::load(path).ok()?.chain()))
    }

    /// Whether the key of a chain lies beside this clone's.
    pub fn has_key_of(&self, chain: ChainId) -> bool {
        self.config.key.as_ref().is_some_and(|key| key.with_file_name(format!("{chain}.key")).is_file())
    }

    /// The newest policy record as this clone has accepted it.
    pub fn policy(&self) -> Result<Option<Citation>, LedgerError> {
        let name = self.prefix.chain(ChainId::Policy);
        let Some(tip) = self.repo.find_ref(&name)? else { return Ok(None) };
        let stored = self.read(&name, &tip)?;
        Ok(Some(Citation { n: stored.record.envelope().seq, id: stored.record.id() }))
    }

    /// What tokens cost: the organisation's own price table over the one that comes with the program. A path that is
    /// not absolute begins at the top of the work tree.
    pub fn prices(&self) -> Result<PriceTable, LedgerError> {
        let embedded = PriceTable::embedded().clone();
        let Some(path) = self.config.prices.as_ref().map(|path| self.repo.home().join(path)) else {
            return Ok(embedded);
        };
        let text = std::fs::read_to_string(&path).map_err(|source| LedgerError::File { path: path.clone(), source })?;
        let own = PriceTable::from_toml(&text).map_err(|source| LedgerError::Prices { path, source })?;
        Ok(embedded.merge(own))
    }

    /// Reads the record at a commit of the ref `name`.
    pub fn read(&self, name: &str, commit: &crate::id::GitId) -> Result<store::Stored, LedgerError> {
        store::read(&self.repo, commit).map_err(|source| LedgerError::Stored {
            name: name.to_owned(),
            commit: commit.short().to_owned(),
            source,
        })
    }

    /// The ledger that this clone has accepted.
    pub fn id(&self) -> Option<LedgerId> {
        self.config.pinned
    }
}

/// The file that says a clone is enrolled; the hooks look for it first.
pub const ENROLLED: &str = "enrolled";
