//! For tests: records as git keeps them, every part open to change, and put back under the same ref.
#![cfg(test)]

use super::{Fixture, Key};
use crate::digest::Digest;
use crate::git::repo::{Kind, Repo};
use crate::id::{ChainId, GitId, RecordId};
use crate::record::object::{self, RECORD_FILE, policy_signature_file};
use crate::record::{Record, Unverified};

/// One file of a record's tree.
#[derive(Clone)]
pub struct RawFile {
    pub mode: String,
    pub name: String,
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

/// A record's commit and tree, taken apart.
#[derive(Clone)]
pub struct Raw {
    pub files: Vec<RawFile>,
    /// Header lines between `tree` and the author; the parent is put in when it is stored.
    pub more_parents: Vec<GitId>,
    /// The commit from the author on.
    pub rest: Vec<u8>,
    /// What it was when it was loaded.
    origin: Record<Unverified>,
}

impl Fixture {
    /// A chain's records, first to last.
    pub fn load(&self, chain: ChainId) -> Vec<Raw> {
        let repo = &self.ledger.repo;
        let mut found = Vec::new();
        let mut next = self.tip(chain);
        while let Some(commit) = next {
            let bytes = repo.read_checked(&commit, Kind::Commit).unwrap();
            let header = crate::ledger::store::header(&bytes).unwrap();
            let at = bytes.windows(8).position(|w| w == b"\nauthor ").unwrap() + 1;
            let file = |entry: crate::git::repo::TreeEntry| RawFile {
                mode: format!("{:o}", entry.mode),
                name: String::from_utf8(entry.name).unwrap(),
                kind: Kind::Blob,
                bytes: repo.read_checked(&entry.id, Kind::Blob).unwrap(),
            };
            let tree = repo.read_checked(&header.tree, Kind::Tree).unwrap();
            let files: Vec<_> = repo.tree_entries(&tree).unwrap().into_iter().map(file).collect();
            let record = files.iter().find(|file| file.name == RECORD_FILE).unwrap();
            let origin = Record::parse(record.bytes.clone()).unwrap();
            found.push(Raw { files, more_parents: Vec::new(), rest: bytes[at..].to_vec(), origin });
            next = header.parent;
        }
        found.reverse();
        found
    }

    /// Writes a chain anew and moves its ref there; the new commits.
    pub fn store(&self, chain: ChainId, raws: &[Raw]) -> Vec<GitId> {
        let mut commits: Vec<GitId> = Vec::new();
        for raw in raws {
            commits.push(raw.write(&self.ledger.repo, commits.last()));
        }
        self.set_tip(chain, commits.last().cloned());
        commits
    }

    /// Changes a chain's records and puts it back.
    pub fn tamper(&self, chain: ChainId, change: impl FnOnce(&mut Vec<Raw>)) -> Vec<GitId> {
        let mut raws = self.load(chain);
        change(&mut raws);
        self.store(chain, &raws)
    }
}

impl Raw {
    /// `record.json`.
    pub fn record(&self) -> &[u8] {
        &self.files.iter().find(|file| file.name == RECORD_FILE).unwrap().bytes
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.record().to_vec()).unwrap()
    }

    pub fn file(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.files.iter_mut().find(|file| file.name == name).unwrap().bytes
    }

    /// The one signature file.
    pub fn signature(&mut self) -> &mut Vec<u8> {
        &mut self.files.iter_mut().find(|file| file.name.ends_with(".minisig")).unwrap().bytes
    }

    /// Adds a file where git would put it.
    pub fn add(&mut self, mode: &str, name: &str, bytes: &[u8]) {
        let file = RawFile { mode: mode.into(), name: name.into(), kind: Kind::Blob, bytes: bytes.to_vec() };
        self.files.push(file);
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Puts other bytes in `record.json` and wraps them as they want to be wrapped, with the signature that was there.
    pub fn set_record(&mut self, bytes: Vec<u8>) {
        *self.file(RECORD_FILE) = bytes;
        self.rest = self.honest_rest();
    }

    /// Replaces a text in `record.json`, which must be there.
    pub fn replace(&mut self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{from} is not in {text}");
        self.set_record(text.replacen(from, to, 1).into_bytes());
    }

    /// The commit from the author on as the record makes it, or made it when it could still be read.
    fn honest_rest(&self) -> Vec<u8> {
        let anywhere: GitId = "0".repeat(40).parse().unwrap();
        let record = Record::parse(self.record().to_vec());
        let commit = object::commit(record.as_ref().unwrap_or(&self.origin), &anywhere, None);
        let at = commit.windows(8).position(|w| w == b"\nauthor ").unwrap() + 1;
        let id = RecordId(Digest::of(self.record())).to_string();
        String::from_utf8(commit[at..].to_vec())
            .unwrap()
            .replace(&record.as_ref().unwrap_or(&self.origin).id().to_string(), &id)
            .into_bytes()
    }

    /// The trusted comment that the record wants.
    pub fn comment(&self) -> String {
        match Record::parse(self.record().to_vec()) {
            Ok(record) => record.trusted_comment(),
            Err(_) => {
                let id = RecordId(Digest::of(self.record())).to_string();
                self.origin.trusted_comment().replace(&self.origin.id().to_string(), &id)
            }
        }
    }

    /// Signs the record anew in its one signature file.
    pub fn sign(&mut self, key: &Key) {
        let signed = key.sign(self.record(), &self.comment());
        *self.signature() = signed;
    }

    /// Signs a policy record by these, instead of by whoever had signed.
    pub fn sign_policy(&mut self, keys: &[&Key]) {
        self.files.retain(|file| !file.name.ends_with(".minisig"));
        for key in keys {
            let signed = key.sign(self.record(), &self.comment());
            self.add("100644", &policy_signature_file(&key.public().number()), &signed);
        }
    }

    /// The raw tree, its files in the order they have here.
    fn tree(&self, repo: &Repo) -> Vec<u8> {
        let mut tree = Vec::new();
        for file in &self.files {
            let id = match file.mode.as_str() {
                // A submodule's commit is anywhere but here.
                "160000" => "1".repeat(40).parse().unwrap(),
                _ => repo.write(file.kind, &file.bytes).unwrap(),
            };
            tree.extend_from_slice(format!("{} {}\0", file.mode, file.name).as_bytes());
            tree.extend_from_slice(&hex::decode(id.as_str()).unwrap());
        }
        tree
    }

    pub fn write(&self, repo: &Repo, parent: Option<&GitId>) -> GitId {
        let tree = repo.write(Kind::Tree, &self.tree(repo)).unwrap();
        let parents = parent.into_iter().chain(&self.more_parents).map(|id| format!("parent {id}\n"));
        let head = format!("tree {tree}\n{}", parents.collect::<String>());
        repo.write(Kind::Commit, &[head.as_bytes(), &self.rest].concat()).unwrap()
    }
}

/// Makes every record from `from` on follow the one before it, signed by `key`: what a writer can do to its own chain.
pub fn relink(raws: &mut [Raw], from: usize, key: &Key) {
    for index in from.max(1)..raws.len() {
        let before = Digest::of(raws[index - 1].record()).to_string();
        let text = raws[index].text();
        let at = text.find("\"prev\":\"").unwrap() + 8;
        raws[index].set_record(format!("{}{before}{}", &text[..at], &text[at + 64..]).into_bytes());
        raws[index].sign(key);
    }
}
