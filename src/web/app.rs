//! What every page is made from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::index::Database;
use crate::mirror::Mirror;
use crate::web::access::Door;
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
    door: Door,
    log: Log,
}

impl App {
    pub fn new(database: Database, mirrors: Vec<Mirror>, door: Door, log: Log) -> Self {
        App(Arc::new(Inner { database, mirrors, doing: Mutex::default(), door, log }))
    }

    pub fn door(&self) -> &Door {
        &self.0.door
    }

    pub fn log(&self) -> &Log {
        &self.0.log
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

    pub fn note(&self, repository: &str, doing: Doing) {
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.to_owned(), doing);
    }

    pub fn doing(&self, repository: &str) -> Doing {
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner).get(repository).copied().unwrap_or_default()
    }
}
