//! What every page is made from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::index::Database;
use crate::mirror::Mirror;
use crate::web::access::Door;
use crate::web::in_turn::Looking;
use crate::web::log::Log;

/// What a repository is doing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doing {
    #[default]
    Waiting,
    Updating,
}

/// Everything that pages need; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    database: Database,
    mirrors: Vec<Mirror>,
    doing: Mutex<HashMap<String, Doing>>,
    verdicts: Mutex<HashMap<String, String>>,
    door: Door,
    log: Log,
    secrets: Secrets,
    looking: Looking,
    wanted: Mutex<BTreeSet<String>>,
    wake: Notify,
}

/// The secrets that forges share with this server, by the repository's name.
pub type Secrets = BTreeMap<String, Zeroizing<Vec<u8>>>;

impl App {
    pub fn new(database: Database, mirrors: Vec<Mirror>, door: Door, log: Log, secrets: Secrets) -> Self {
        let (doing, wanted, wake) = (Mutex::default(), Mutex::default(), Notify::new());
        let (verdicts, looking) = (Mutex::default(), Looking::default());
        App(Arc::new(Inner { database, mirrors, doing, verdicts, door, log, secrets, looking, wanted, wake }))
    }

    pub fn door(&self) -> &Door {
        &self.0.door
    }

    pub fn log(&self) -> &Log {
        &self.0.log
    }

    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// What pages look for in repositories, in turn.
    pub fn looking(&self) -> &Looking {
        &self.0.looking
    }

    /// Notes that a repository should be looked at now, and wakes whoever does that.
    pub fn want(&self, repository: &str) {
        self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.to_owned());
        self.0.wake.notify_one();
    }

    /// A repository that should be looked at now, if there is one; it is looked at then.
    pub fn take_wanted(&self) -> Option<String> {
        self.0.wanted.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }

    /// Waits until a repository should be looked at.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub fn database(&self) -> &Database {
        &self.0.database
    }

    pub fn mirrors(&self) -> &[Mirror] {
        &self.0.mirrors
    }

    pub fn mirror(&self, name: &str) -> Option<&Mirror> {
        self.0.mirrors.iter().find(|mirror| mirror.source.name == name)
    }

    /// Notes a repository's verdict; whether it is another than the last that was noted.
    pub fn judged(&self, repository: &str, verdict: &str) -> bool {
        let mut verdicts = self.0.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.insert(repository.to_owned(), verdict.to_owned()).as_deref() != Some(verdict)
    }

    pub fn note(&self, repository: &str, doing: Doing) {
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.to_owned(), doing);
    }

    pub fn doing(&self, repository: &str) -> Doing {
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner).get(repository).copied().unwrap_or_default()
    }
}
