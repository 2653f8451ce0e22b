//! What was found about the lines of commits before: what each changes, and whose its lines are. It may be deleted at any
//! time; no verdict rests on it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::label::{Label, Who};
use crate::attribution::ancestry::Change;
use crate::digest::Digest;
use crate::host::files;
use crate::id::GitId;
use crate::ledger::{Ledger, LedgerError};

/// Changes with the meaning of what is stored.
const VERSION: u32 = 1;
const FILE: &str = "lines.json";

/// What is known of many commits.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Cache {
    version: u32,
    /// Which records and commits the labels were made from.
    pub labelled_by: Option<Digest>,
    /// Agents' calls that labels speak of, by their number.
    pub whos: Vec<Who>,
    commits: HashMap<GitId, Commit>,
    #[serde(skip)]
    pub changed: bool,
}

/// What is known of one commit.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Commit {
    #[serde(rename = "c")]
    pub changes: Vec<Change>,
    /// Whose the lines are that it brings, by the number of the change.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<(u32, Vec<Label>)>>,
}

impl Cache {
    /// Reads the cache; one that cannot be read, or that another version wrote, is no cache.
    pub fn load(ledger: &Ledger) -> Self {
        let bytes = files::read_if_exists(&ledger.dir().join(FILE)).ok().flatten();
        let cache: Option<Cache> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        cache.filter(|cache| cache.version == VERSION).unwrap_or_default()
    }

    /// Writes it, where something is new.
    pub fn save(&mut self, ledger: &Ledger) -> Result<(), LedgerError> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        self.version = VERSION;
        let path = ledger.dir().join(FILE);
        let failed = |source| LedgerError::File { path: path.clone(), source };
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        match files::create_private_dir(ledger.dir()).and_then(|()| files::replace_private(&path, &bytes)) {
            // A repository that only reads is counted all the same, from the beginning each time.
            Err(error) if is_read_only(&error) => Ok(()),
            other => other.map_err(failed),
        }
    }

    pub fn get(&self, commit: &GitId) -> Option<&Commit> {
        self.commits.get(commit)
    }

    pub fn get_mut(&mut self, commit: &GitId) -> Option<&mut Commit> {
        self.commits.get_mut(commit)
    }

    pub fn insert(&mut self, commit: GitId, changes: Vec<Change>) {
        self.changed = true;
        self.commits.insert(commit, Commit { changes, labels: None });
    }

    /// Forgets the labels unless they were made from the same.
    pub fn labels_by(&mut self, now: Digest) {
        if self.labelled_by != Some(now) {
            self.labelled_by = Some(now);
            self.whos.clear();
            self.commits.values_mut().for_each(|commit| commit.labels = None);
        }
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}
