//! For tests: a ledger with fixed keys and a fixed clock, whose every byte is the same each time it is built.
#![cfg(test)]

mod raw;
pub mod seals;
pub mod shell;

use std::collections::BTreeSet;
use std::path::Path;

use blake2::Digest as _;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::attribution::commit::{ContentHash, FileAttribution, LineRange};
use crate::attribution::labels::Origin;
use crate::attribution::trace;
use crate::chain::Head;
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::git::diff;
use crate::git::repo::{Kind, RefUpdate, Repo};
use crate::git::testing::Repo as Folder;
use crate::id::{CallId, ChainId, GitId, LedgerId, RecordId, RepoPath};
use crate::ledger::payload::{self, Form, PieceWriter};
use crate::ledger::verify::{Options, Report};
use crate::ledger::{Ledger, copies, store};
use crate::record::body::*;
use crate::record::object::{CHECKPOINT_FILE, SIGNATURE_FILE, policy_signature_file};
use crate::record::signature::{self, PublicKey};
use crate::record::{Citation, Envelope, Record, Unverified};
use crate::time::Time;

pub use raw::{Raw, relink};

/// A key that is no secret.
#[derive(Clone)]
pub struct Key {
    secret: SigningKey,
    public: PublicKey,
}

impl Key {
    /// The key whose seed is 32 times the byte `n`, and its number eight times.
    pub fn new(n: u8) -> Key {
        Key::with_number(n, [n; 8])
    }

    /// The same key under another number.
    pub fn with_number(n: u8, number: [u8; 8]) -> Key {
        let secret = SigningKey::from_bytes(&[n; 32]);
        let public = PublicKey::new(number, secret.verifying_key().to_bytes()).unwrap();
        Key { secret, public }
    }

    pub fn public(&self) -> PublicKey {
        self.public
    }

    pub fn chain(&self) -> ChainId {
        self.public.chain()
    }

    /// A signature file. Unlike the program's own it is the same each time.
    pub fn sign(&self, message: &[u8], comment: &str) -> Vec<u8> {
        let signature = self.secret.sign(&blake2::Blake2b512::digest(message)).to_bytes();
        let global = self.secret.sign(&[&signature[..], comment.as_bytes()].concat()).to_bytes();
        signature::format(&self.public, &signature, comment, &global).into_bytes()
    }

    pub fn sign_record<State>(&self, record: &Record<State>) -> Vec<u8> {
        self.sign(record.bytes(), &record.trusted_comment())
    }
}

/// The people of the ledger, by their keys.
pub struct People {
    pub owner: Key,
    pub admin: Key,
    pub developer: Key,
    pub ci: Key,
    /// Enrolled in [`Fixture::sealed`] alone.
    pub witness: Key,
    /// Has a chain and is enrolled nowhere, where there is one.
    pub stranger: Key,
}

impl Default for People {
    fn default() -> Self {
        People {
            owner: Key::new(1),
            admin: Key::new(2),
            developer: Key::new(3),
            ci: Key::new(4),
            witness: Key::new(12),
            stranger: Key::new(5),
        }
    }
}

/// A ledger in a repository of its own.
pub struct Fixture {
    pub folder: Folder,
    pub ledger: Ledger,
    pub id: LedgerId,
    pub people: People,
}

/// When the first record is made; each further one comes a minute later on its chain.
const BEGIN: i64 = 1_767_225_600; // 2026-01-01T00:00:00Z

pub fn member(id: &str, name: &str, roles: &[Role], keys: &[&Key]) -> Member {
    let keys = keys.iter().map(|key| EnrolledKey { public_key: key.public(), from_seq: 0, recipient: None }).collect();
    Member { id: id.into(), name: name.into(), roles: roles.to_vec(), keys }
}

impl Fixture {
    /// Genesis, two changes of the roster, a developer with sessions, commits and a link, an owner with a commit, and
    /// a machine that links.
    pub fn new() -> Fixture {
        let fixture = Fixture::team();
        fixture.work();
        fixture
    }

    /// The same policy chain; of records only the developer's first and a link.
    pub fn small() -> Fixture {
        let fixture = Fixture::team();
        let developer = &fixture.people.developer;
        fixture.open(developer, "dörte@example.com");
        fixture.links(developer, 1);
        fixture
    }

    /// Genesis, and the developer's first record and a link.
    pub fn tiny() -> Fixture {
        let fixture = Fixture::with_genesis(1, |people| {
            let owner = member("olga@example.com", "Olga Owner", &[Role::Owner, Role::Developer], &[&people.owner]);
            vec![owner, member("dörte@example.com", "Dörte", &[Role::Developer], &[&people.developer])]
        });
        let developer = &fixture.people.developer;
        fixture.open(developer, "dörte@example.com");
        fixture.links(developer, 1);
        fixture
    }

    /// The same policy chain; of records one of each type, by the developer.
    pub fn of_each_type() -> Fixture {
        let fixture = Fixture::team();
        let developer = &fixture.people.developer;
        fixture.open(developer, "dörte@example.com");
        fixture.session(developer, 0, &["{\"role\":\"user\",\"text\":\"Grüße\"}\n{\"role\":\"assistant\"}\n".into()]);
        let commit = fixture.code(None, "src/grüße.rs", "fn main() {}\n");
        fixture.record_commit(developer, &commit);
        fixture.link(developer, &commit, &commit);
        fixture
    }

    fn team() -> Fixture {
        let fixture = Fixture::with_genesis(1, |people| {
            vec![member("olga@example.com", "Olga Owner", &[Role::Owner, Role::Developer], &[&people.owner])]
        });
        fixture.enrol_team();
        fixture
    }

    /// Only the genesis record.
    pub fn with_genesis(threshold: u32, members: impl FnOnce(&People) -> Vec<Member>) -> Fixture {
        Fixture::found(threshold, "00112233445566778899aabbccddeeff", members)
    }

    pub fn found(threshold: u32, nonce: &str, members: impl FnOnce(&People) -> Vec<Member>) -> Fixture {
        let folder = Folder::new();
        let ledger = Ledger::of(Repo::discover(folder.path()).unwrap()).unwrap();
        let people = People::default();
        let mut fixture = Fixture { folder, ledger, id: LedgerId(Digest::ZERO), people };
        let members = members(&fixture.people);
        let body = Body::Genesis(Genesis { threshold, members, nonce: nonce.into() });
        let owner = Key::new(1);
        fixture.append(ChainId::Policy, &[&owner], body, None);
        fixture.id = LedgerId(fixture.head(ChainId::Policy).unwrap().1.id.0);
        fixture
    }

    fn enrol_team(&self) {
        let People { owner, admin, developer, ci, .. } = &self.people;
        let first = vec![
            member("ada@example.com", "Ada Admin", &[Role::Admin], &[admin]),
            member("dörte@example.com", "Dörte", &[Role::Developer], &[developer]),
        ];
        self.roster(&[owner], first);
        self.roster(&[admin], vec![member("ci", "build machine", &[Role::Ci], &[ci])]);
    }

    pub fn roster(&self, signers: &[&Key], set: Vec<Member>) -> GitId {
        self.append(ChainId::Policy, signers, Body::Roster(Roster { set, ..Roster::default() }), None)
    }

    fn work(&self) {
        let People { owner, developer, ci, .. } = &self.people;
        self.open(developer, "dörte@example.com");
        self.session(developer, 0, &["{\"role\":\"user\"}\n".repeat(20_000), "{\"role\":\"assistant\"}\n".into()]);
        let first = self.code(None, "src/grüße.rs", "fn main() {}\n");
        self.record_commit(developer, &first);
        self.session(developer, 1, &["{\"role\":\"user\",\"text\":\"ü\"}\n".into()]);
        let second = self.code(Some(&first), "src/grüße.rs", "fn main() {}\nfn more() {}\n");
        self.record_commit(developer, &second);
        self.link(developer, &first, &second);

        self.open(owner, "olga@example.com");
        self.session(owner, 0, &["{\"role\":\"user\"}\n".into()]);
        let third = self.code(Some(&second), "a b.txt", "one\ntwo\n");
        self.record_commit(owner, &third);
        self.folder.git(&["update-ref", "refs/heads/main", third.as_str()]);

        self.open(ci, "ci");
        self.link(ci, &first, &second);
    }

    /// Adds `count` link records to a chain.
    pub fn links(&self, key: &Key, count: usize) {
        let id = |n: usize| Digest::of(&n.to_le_bytes()).to_string()[..40].parse().unwrap();
        for n in 0..count {
            self.link(key, &id(n), &id(n + 1));
        }
    }

    pub fn open(&self, key: &Key, who: &str) -> GitId {
        let member = Claim { id: who.into(), name: who.into() };
        let (device, tool) = ("laptop".into(), "git-tracevault 0.1.0".into());
        let body = Open { public_key: key.public(), member, device, tool, recipient: None };
        self.append(key.chain(), &[key], Body::Open(body), None)
    }

    pub fn link(&self, key: &Key, old: &GitId, new: &GitId) -> GitId {
        let body = Link { old: old.clone(), new: new.clone(), found_by: "amend".into(), level: 1 };
        self.append(key.chain(), &[key], Body::Link(body), None)
    }

    /// A session's segment with one payload for each text; each is cut into pieces as the program cuts it.
    pub fn session(&self, key: &Key, segment: u64, texts: &[String]) -> GitId {
        self.session_in(Form::Salted(&|| [7; 32]), key, segment, texts)
    }

    /// The same, with its pieces in this form.
    pub fn session_in(&self, form: Form<'_>, key: &Key, segment: u64, texts: &[String]) -> GitId {
        let texts: Vec<_> = texts.iter().map(|text| (PayloadClass::Transcript, text.clone())).collect();
        self.session_of(form, key, segment, &texts)
    }

    /// The same, with payloads of these classes.
    pub fn session_of(&self, form: Form<'_>, key: &Key, segment: u64, texts: &[(PayloadClass, String)]) -> GitId {
        let repo = &self.ledger.repo;
        let (started, ended) = (Time::from_unix(BEGIN), Time::from_unix(BEGIN + 90));
        let mut payloads = Vec::new();
        for (index, (class, text)) in texts.iter().enumerate() {
            let name = self.ledger.prefix.payload(*class, &started.month(), key.chain());
            let mut pieces = PieceWriter::new(repo, form);
            pieces.write(text.as_bytes()).unwrap();
            pieces.finish().unwrap();
            let tip = repo.find_ref(&name).unwrap();
            let new = payload::extend(repo, tip.as_ref(), &pieces.blobs, &key.chain().to_string(), BEGIN).unwrap();
            self.set_ref(&name, Some(new));
            payloads.push(Payload {
                class: *class,
                source: if index == 0 { "main".into() } else { format!("agent-{index}") },
                month: started.month(),
                lines: text.lines().count() as u64,
                pieces: pieces.pieces,
                encryption: form.encryption(),
            });
        }
        let body = Session {
            session: "f094b288-af5c-4d2e-9c41-0d6a2a7c9b11".parse().unwrap(),
            segment,
            agent: Agent { name: "claude-code".into(), version: "2.1.330".into() },
            started,
            ended,
            active_seconds: 90,
            prompts: 1,
            turns: 1,
            plans: 0,
            compactions: 0,
            subagents: texts.len() as u64 - 1,
            models: vec![ModelUsage {
                prompt_over: Default::default(),
                model: "claude-opus-4-5".into(),
                requests: 2,
                input: 12,
                output: 340,
                cache_read: 15_000,
                cache_write_5m: 2_000,
                cache_write_1h: 0,
            }],
            tools: vec![ToolUsage { name: "Edit".into(), calls: 1, failed: 0 }],
            mcp_servers: vec![],
            skills: vec![],
            programs: vec![Program { name: "cargo".into(), runs: 3 }],
            files: vec![FileEdits { path: path("src/grüße.rs"), edits: 1, added: 1, removed: 0 }],
            redactions: vec![Redaction { rule: "aws-access-key".into(), count: 1 }],
            rules: None,
            gaps: vec![],
            payloads,
            cut: vec![],
        };
        self.append(key.chain(), &[key], Body::Session(Box::new(body)), None)
    }

    /// A commit of code that leaves one file.
    pub fn code(&self, parent: Option<&GitId>, name: &str, text: &str) -> GitId {
        let repo = &self.ledger.repo;
        let mut tree = repo.write(Kind::Blob, text.as_bytes()).unwrap();
        for (depth, part) in name.split('/').rev().enumerate() {
            let mode = if depth == 0 { "100644" } else { "40000" };
            let entry = [format!("{mode} {part}\0").as_bytes(), &hex::decode(tree.as_str()).unwrap()].concat();
            tree = repo.write(Kind::Tree, &entry).unwrap();
        }
        let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
        let who = format!("Dörte <dörte@example.com> {BEGIN} +0100");
        let commit = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nWrite {name}\n");
        repo.write(Kind::Commit, commit.as_bytes()).unwrap()
    }

    /// The record of a commit of code, with what git itself says of it.
    pub fn record_commit(&self, key: &Key, commit: &GitId) -> GitId {
        let (_, raw) = self.ledger.repo.read(commit).unwrap();
        let text = String::from_utf8(raw.clone()).unwrap();
        let field = |name: &str| -> Vec<GitId> {
            text.lines().filter_map(|line| line.strip_prefix(name)).map(|id| id.parse().unwrap()).collect()
        };
        let changes = diff::changes(&self.ledger.repo, diff::begin(&self.ledger.repo, commit)).unwrap();
        let trace = self.trace(commit, &changes.files);
        let files: Vec<FileLines> = changes
            .files
            .iter()
            .map(|file| {
                let added = file.added.len() as u64;
                FileLines { path: file.path.clone(), added, agent: added, human: 0, unattributed: 0 }
            })
            .collect();
        let added = files.iter().map(|file| file.added).sum();
        let body = Commit {
            commit: commit.clone(),
            sha256: Digest::of(&raw),
            tree: field("tree ").remove(0),
            parents: field("parent "),
            patch_id: changes.patch_id,
            patch_id_u0: changes.patch_id_u0,
            sessions: self.newest_session(key).into_iter().collect(),
            files,
            total: Lines { added, agent: added, human: 0, unattributed: 0 },
            trace: Digest::of(&trace),
            cut: vec![],
        };
        self.append(key.chain(), &[key], Body::Commit(Box::new(body)), Some(&trace))
    }

    /// The newest session record of a chain, as a commit names it.
    fn newest_session(&self, key: &Key) -> Option<SessionRef> {
        let records = self.load(key.chain()).into_iter().rev();
        records.map(|raw| Record::parse(raw.record().to_vec()).unwrap()).find_map(|record| match record.body() {
            Body::Session(body) => Some(SessionRef { session: body.session.clone(), record: record.id() }),
            _ => None,
        })
    }

    /// The trace that says of all lines that one call of the session wrote them.
    fn trace(&self, commit: &GitId, files: &[diff::FileChange]) -> Vec<u8> {
        let session = "f094b288-af5c-4d2e-9c41-0d6a2a7c9b11".parse().unwrap();
        let author = LineAuthor { session, call: CallId::from_agent("toolu_01") };
        let file = |file: &diff::FileChange| {
            let (start, end) = (*file.added.first().unwrap(), *file.added.last().unwrap());
            let (_, bytes) = self.ledger.repo.read(file.blob.as_ref().unwrap()).unwrap();
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').skip(start as usize - 1);
            let text = lines.take((end + 1 - start) as usize).collect::<Vec<_>>().concat();
            let content_hash = ContentHash(Digest::of(&text));
            let range = LineRange { start, end, origin: Origin::Agent(author.clone()), content_hash };
            let added = file.added.len() as u64;
            let lines = FileLines { path: file.path.clone(), added, agent: added, human: 0, unattributed: 0 };
            FileAttribution { path: file.path.clone(), ranges: vec![range], lines }
        };
        let files: Vec<_> = files.iter().filter(|file| !file.added.is_empty()).map(file).collect();
        let facts = trace::Facts { commit, time: Time::from_unix(BEGIN), tool_version: "0.1.0" };
        trace::write(&facts, &files, |_| Some("anthropic/claude-opus-4-5".into())).unwrap()
    }

    /// The envelope that the next record of a chain must have.
    pub fn envelope(&self, chain: ChainId) -> Envelope {
        let head = self.head(chain);
        let policy = self.head(ChainId::Policy).map(|(_, head)| Citation { n: head.seq, id: head.id });
        let first = if chain == ChainId::Policy { Digest::ZERO } else { self.id.0 };
        let seq = head.as_ref().map_or(0, |(_, head)| head.seq + 1);
        let seconds = 60 * i64::try_from(seq).unwrap();
        Envelope {
            ledger: self.id,
            chain,
            seq,
            seal: head.as_ref().and_then(|(_, head)| head.seal),
            prev: head.map_or(first, |(_, head)| head.id.0),
            time: Time::from_unix(BEGIN + seconds),
            policy,
        }
    }

    /// Appends a record that is as it should be.
    pub fn append(&self, chain: ChainId, signers: &[&Key], body: Body, trace: Option<&[u8]>) -> GitId {
        self.append_with(chain, signers, Record::new(self.envelope(chain), body).unwrap(), trace)
    }

    /// Appends any record, in a commit that is as it should be.
    pub fn append_with(
        &self,
        chain: ChainId,
        signers: &[&Key],
        record: Record<Unverified>,
        trace: Option<&[u8]>,
    ) -> GitId {
        let name = |key: &Key| match chain {
            ChainId::Policy => policy_signature_file(&key.public().number()),
            ChainId::Writer(_) => SIGNATURE_FILE.to_owned(),
        };
        let signatures: Vec<_> = signers.iter().map(|key| (name(key), key.sign_record(&record))).collect();
        let tip = self.tip(chain);
        let checkpoint = match record.body() {
            Body::Seal(seal) => Some((CHECKPOINT_FILE.to_owned(), self.checkpoint(signers[0], seal.size, seal.root))),
            _ => None,
        };
        let signatures: Vec<_> = signatures.into_iter().chain(checkpoint).collect();
        let commit = store::write(&self.ledger.repo, &record, &signatures, trace, tip.as_ref()).unwrap();
        self.set_tip(chain, Some(commit.clone()));
        commit
    }

    /// A chain's commits, first to last.
    pub fn line(&self, chain: ChainId) -> Vec<GitId> {
        let tips: Vec<_> = self.tip(chain).map(|tip| (String::new(), tip)).into_iter().collect();
        copies::walk(&self.ledger.repo, chain, &tips, None).commits().collect()
    }

    pub fn tip(&self, chain: ChainId) -> Option<GitId> {
        self.ledger.repo.find_ref(&self.name(chain)).unwrap()
    }

    /// The ref of a chain.
    pub fn name(&self, chain: ChainId) -> String {
        let prefix = &self.ledger.prefix;
        if chain == self.people.witness.chain() { prefix.seals(chain) } else { prefix.chain(chain) }
    }

    pub fn head(&self, chain: ChainId) -> Option<(GitId, Head)> {
        let tip = self.tip(chain)?;
        let stored = store::read(&self.ledger.repo, &tip).ok()?;
        Some((tip, Head::of(&stored.record)))
    }

    pub fn set_tip(&self, chain: ChainId, tip: Option<GitId>) {
        self.set_ref(&self.name(chain), tip);
    }

    /// Puts a ref anywhere, whatever was there; `None` deletes it.
    pub fn set_ref(&self, name: &str, new: Option<GitId>) {
        let expected = self.ledger.repo.find_ref(name).unwrap();
        if expected != new {
            self.ledger.repo.update_refs(&[RefUpdate { name: name.into(), new, expected }]).unwrap();
        }
    }

    /// The record ids of a chain, first to last.
    pub fn ids(&self, chain: ChainId) -> Vec<RecordId> {
        self.load(chain).iter().map(|raw| RecordId(Digest::of(raw.record()))).collect()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::from_bytes(text.as_bytes()).unwrap()
}

/// The verdict, and the codes that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub verdict: Verdict,
    pub codes: BTreeSet<&'static str>,
}

impl Answer {
    pub fn new(verdict: Verdict, codes: &[&'static str]) -> Answer {
        Answer { verdict, codes: codes.iter().copied().collect() }
    }
}

impl Fixture {
    pub fn verify(&self, options: Options) -> Report {
        self.ledger.verify(&options).unwrap()
    }

    pub fn answer(&self, options: Options) -> Answer {
        let report = self.verify(options);
        Answer { verdict: report.verdict(), codes: report.findings.iter().map(|f| f.code.as_str()).collect() }
    }

    /// Verifies in all the ways there are, which must agree: one thread and many, keeping every record and few, with what was
    /// verified before and without, by this program and by the shell. What was seen before is forgotten: see [`Fixture::answer`].
    pub fn ask(&self) -> Answer {
        let options = Options { pinned: Some(self.id), full: true, threads: 1, ..Options::default() };
        let forget = || drop(std::fs::remove_file(self.ledger.dir().join("seen.json")));
        forget();
        let cached = self.answer(Options { full: false, threads: 0, ..options });
        forget();
        let report = self.verify(options);
        let full = Answer {
            verdict: report.verdict(),
            codes: report.findings.iter().map(|finding| finding.code.as_str()).collect(),
        };
        assert_eq!(cached, full, "what was verified before makes a difference");
        forget();
        let threads = self.verify(Options { threads: 3, entries: true, ..options });
        assert_eq!(threads.findings, report.findings, "threads, or keeping every record, make a difference");
        forget();
        shell::agree(self, &report, &full);
        full
    }
}
