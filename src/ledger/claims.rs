//! Claims of other programs, kept in `refs/notes/tracevault-claims`: beside the ledger, never in it, never pushed with it.
//!
//! A note holds a line a claim. Nothing of a conversation is kept of what was imported, and no text with a secret in it.

use std::collections::HashMap;

use crate::attribution::interchange::claim::{self, Claim, Form};
use crate::attribution::interchange::git_ai;
use crate::attribution::lines;
use crate::attribution::trace::{MAX_MODEL, Trace};
use crate::git::repo::{Kind, RepoError};
use crate::git::{history, notes};
use crate::host::clock;
use crate::id::{GitId, RepoPath};
use crate::ledger::refs::{CLAIMS, GIT_AI_NOTES};
use crate::ledger::{Ledger, LedgerError};
use crate::redaction::Redactor;
use crate::time::Time;

/// No note of another program and no claims about one commit are larger.
pub const MAX_NOTE_BYTES: usize = 16 << 20;
/// Names of tools, versions and hashes are never longer, nor are URLs than sixteen times that.
const MAX_TEXT: usize = 256;

/// Why a claim is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("it does not name the commit it is about")]
    NoCommit,
    #[error("commit {0} is not here")]
    NotHere(GitId),
    #[error("commit {} has no file {path} here", commit.short())]
    NoFile { commit: GitId, path: RepoPath },
    #[error("{path} of commit {} has no line {line}: its last is {has}", commit.short())]
    NoLine { commit: GitId, path: RepoPath, has: usize, line: u32 },
    #[error("its {what} has more than {most} characters")]
    Long { what: &'static str, most: usize },
    #[error(transparent)]
    Note(#[from] git_ai::NoteError),
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// A claim that may be stored, and the commit it is about.
pub struct Checked {
    pub commit: GitId,
    pub claim: Claim,
    time: Time,
}

/// Checks claims against the commits they are about: the files are there, and have these lines.
pub struct Checker<'l> {
    ledger: &'l Ledger,
    redactor: Redactor,
    /// How many lines files have.
    files: HashMap<(GitId, RepoPath), usize>,
    /// Texts that were looked through, and whether they hold a secret.
    texts: HashMap<String, bool>,
}

impl<'l> Checker<'l> {
    pub fn new(ledger: &'l Ledger) -> Result<Self, LedgerError> {
        let redactor = Redactor::new(ledger.config.redaction()?);
        Ok(Checker { ledger, redactor, files: HashMap::new(), texts: HashMap::new() })
    }

    pub fn check(&mut self, form: Form, mut trace: Trace) -> Result<Checked, ClaimError> {
        let commit: GitId = trace.revision.as_deref().and_then(|id| id.parse().ok()).ok_or(ClaimError::NoCommit)?;
        let repo = &self.ledger.repo;
        let time = history::committed_at(repo, &commit).ok_or_else(|| ClaimError::NotHere(commit.clone()))?;
        for file in &trace.files {
            let Some(line) = file.ranges.iter().map(|range| range.end).max() else { continue };
            let has = self.lines(&commit, &file.path)?;
            if has < line as usize {
                return Err(ClaimError::NoLine { commit, path: file.path.clone(), has, line });
            }
        }
        self.clean("tool", &mut trace.tool, MAX_TEXT)?;
        self.clean("tool's version", &mut trace.tool_version, MAX_TEXT)?;
        for range in trace.files.iter_mut().flat_map(|file| &mut file.ranges) {
            self.clean("model", &mut range.model, MAX_MODEL)?;
            self.clean("URL", &mut range.url, 16 * MAX_TEXT)?;
            self.clean("content hash", &mut range.content_hash, MAX_TEXT)?;
        }
        Ok(Checked { commit, claim: Claim { form, trace }, time })
    }

    fn lines(&mut self, commit: &GitId, path: &RepoPath) -> Result<usize, ClaimError> {
        let key = (commit.clone(), path.clone());
        if let Some(known) = self.files.get(&key) {
            return Ok(*known);
        }
        let bytes = match history::file_at(&self.ledger.repo, commit, path) {
            Ok(bytes) => bytes,
            // A folder, a submodule, or a file that a partial clone does not have.
            Err(RepoError::Missing(_) | RepoError::Object { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(bytes) = bytes else { return Err(ClaimError::NoFile { commit: key.0, path: key.1 }) };
        let count = lines::count(&bytes);
        self.files.insert(key, count);
        Ok(count)
    }

    /// Takes away a text that holds a secret; one that is too long is none.
    fn clean(&mut self, what: &'static str, text: &mut Option<String>, most: usize) -> Result<(), ClaimError> {
        let Some(said) = text else { return Ok(()) };
        if said.chars().count() > most {
            return Err(ClaimError::Long { what, most });
        }
        let secret = match self.texts.get(said) {
            Some(known) => *known,
            None => {
                let secret = self.redactor.text(said).as_ref() != said;
                self.texts.insert(said.clone(), secret);
                secret
            }
        };
        if secret {
            *text = None;
        }
        Ok(())
    }
}

/// A commit with another program's note, and what came of reading it.
pub type NoteClaim = (GitId, Result<Checked, ClaimError>);

/// What became of claims that were stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    pub new: usize,
    /// Those that took the place of another claim of the same source.
    pub replaced: usize,
    pub same: usize,
}

impl Ledger {
    /// What other programs claim of a commit's lines. Never evidence.
    pub fn claims_of(&self, commit: &GitId) -> Result<Vec<Claim>, LedgerError> {
        match notes::find(&self.repo, CLAIMS, commit)? {
            Some(blob) => self.claims_in(commit, &blob),
            None => Ok(Vec::new()),
        }
    }

    /// All claims, by the commits they are about.
    pub fn claims(&self) -> Result<Vec<(GitId, Vec<Claim>)>, LedgerError> {
        let notes = notes::all(&self.repo, CLAIMS)?;
        notes.into_iter().map(|(commit, blob)| self.claims_in(&commit, &blob).map(|claims| (commit, claims))).collect()
    }

    fn claims_in(&self, commit: &GitId, blob: &GitId) -> Result<Vec<Claim>, LedgerError> {
        let bytes = self.repo.read_at_most(blob, Kind::Blob, MAX_NOTE_BYTES)?;
        claim::read(&bytes)
            .map_err(|error| LedgerError::Refused(format!("the claims about commit {}: {error}", commit.short())))
    }

    /// Stores claims, all of them or none, each in place of one that the same source made of the same commit before.
    pub fn store_claims(&self, claims: &[Checked]) -> Result<Stored, LedgerError> {
        let mut by_commit: HashMap<&GitId, Vec<&Checked>> = HashMap::new();
        for checked in claims {
            by_commit.entry(&checked.commit).or_default().push(checked);
        }
        let mut stored = Stored::default();
        let who = self.own_chain().map_or_else(|| "reader".to_owned(), |chain| chain.to_string());
        notes::update(&self.repo, CLAIMS, &who, clock::now().unix(), |tip| {
            let there: HashMap<GitId, GitId> = notes::all_at(&self.repo, tip)?.into_iter().collect();
            stored = Stored::default();
            let mut texts = Vec::new();
            for (commit, checked) in &by_commit {
                let mut known = match there.get(*commit) {
                    Some(blob) => self.claims_in(commit, blob)?,
                    None => Vec::new(),
                };
                if merge(&mut known, checked, &mut stored) {
                    let time = checked.iter().map(|checked| checked.time).next().unwrap_or_default();
                    let lines = known.iter().map(|claim| format!("{}\n", claim.write(commit, time)));
                    let text = lines.collect::<String>().into_bytes();
                    if text.len() > MAX_NOTE_BYTES {
                        let message = format!("the claims about commit {} are too large to keep", commit.short());
                        return Err(LedgerError::Refused(message));
                    }
                    texts.push(((*commit).clone(), text));
                }
            }
            texts.sort();
            Ok(texts)
        })?;
        Ok(stored)
    }

    /// The notes of git-ai that another program wrote, each with what came of reading it; of the commits that `wanted` lets pass
    /// and that are here.
    pub fn git_ai_claims(&self, wanted: impl Fn(&GitId) -> bool) -> Result<Vec<NoteClaim>, LedgerError> {
        let mut checker = Checker::new(self)?;
        let mut found = Vec::new();
        for (commit, blob) in notes::all(&self.repo, GIT_AI_NOTES)? {
            if !wanted(&commit) || !self.repo.contains(&commit) {
                continue;
            }
            let bytes = match self.repo.read_at_most(&blob, Kind::Blob, MAX_NOTE_BYTES) {
                Ok(bytes) if git_ai::is_ours(&bytes) => continue,
                other => other,
            };
            let note = bytes.map_err(ClaimError::from).and_then(|bytes| Ok(git_ai::read(&bytes)?));
            let checked = note.and_then(|note| checker.check(Form::GitAi, note.to_trace(&commit)));
            found.push((commit, checked));
        }
        Ok(found)
    }
}

/// Puts claims among those that are known of the same commit; whether that changes anything.
fn merge(known: &mut Vec<Claim>, claims: &[&Checked], stored: &mut Stored) -> bool {
    let mut changed = false;
    for Checked { commit, claim, time } in claims.iter().copied() {
        match known.iter_mut().find(|other| other.source() == claim.source()) {
            Some(other) if other.write(commit, *time) == claim.write(commit, *time) => {
                stored.same += 1;
                continue;
            }
            Some(other) => {
                stored.replaced += 1;
                *other = claim.clone();
            }
            None => {
                stored.new += 1;
                known.push(claim.clone());
            }
        }
        changed = true;
    }
    known.sort_by(|a, b| a.source().cmp(&b.source()));
    changed
}
