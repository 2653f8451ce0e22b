//! A ledger of any size, as a stream for `git fast-import`: `big_ledger RECORDS CHAINS [TRANSCRIPTS]`, where 1 for the last one gives
//! each session's record a transcript of some lines.
//!
//! It is written by docs/format.md alone and shares no code with the program: whoever verifies it checks that page, too.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::Blake2b512;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

type Hash = [u8; 32];

const ZERO: Hash = [0; 32];
/// So many writers' records are between two seals, and so many stand behind the last one.
const SEALED_TOGETHER: usize = 1000;
const TAIL: usize = 100;
/// So many are signed together, by all cores.
const BATCH: usize = 1024;
const MEMBERS_A_RECORD: usize = 100;
const RULES: &str = "[[rule]]\nname = \"all-recorded\"\ncondition = \"trace-completeness\"\nlevel = \"block\"\n";

fn main() -> std::io::Result<()> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let (&[records, chains] | &[records, chains, _]) = &numbers[..] else {
        return Err(std::io::Error::other("usage: big_ledger RECORDS CHAINS [1] | git fast-import"));
    };
    if chains == 0 || chains > 400 {
        return Err(std::io::Error::other("1 to 400 chains, as a seal names them all and has 64 KiB at most"));
    }
    let mut ledger = Ledger::found(chains, records)?;
    ledger.shelves = numbers.get(2).is_some_and(|with| *with > 0).then(BTreeMap::new);
    for number in 0..records {
        ledger.write(number % chains)?;
        if number % SEALED_TOGETHER == SEALED_TOGETHER - TAIL - 1 || number + TAIL + 1 == records {
            ledger.seal()?;
        }
    }
    ledger.stream.flush()?;
    ledger.shelve()
}

/// A device's key, and the chain that it names.
struct Key {
    signer: SigningKey,
    number: [u8; 8],
    chain: String,
}

impl Key {
    fn new(name: &str) -> Self {
        let seed = sha256(name.as_bytes());
        let signer = SigningKey::from_bytes(&seed);
        let mut number = [0; 8];
        number.copy_from_slice(&sha256(&seed)[..8]);
        let chain = hex::encode(&sha256(signer.verifying_key().as_bytes())[..16]);
        Key { signer, number, chain }
    }

    /// As minisign writes it.
    fn public(&self) -> String {
        STANDARD.encode([b"Ed", &self.number[..], self.signer.verifying_key().as_bytes()].concat())
    }

    /// The signature file of a record, whose trusted comment is this one.
    fn sign(&self, record: &[u8], comment: &str) -> String {
        let signature = self.signer.sign(&Blake2b512::digest(record)).to_bytes();
        let global = self.signer.sign(&[&signature, comment.as_bytes()].concat()).to_bytes();
        let (first, global) = ([b"ED", &self.number[..], &signature].concat(), STANDARD.encode(global));
        format!("untrusted comment: tracevault\n{}\ntrusted comment: {comment}\n{global}\n", STANDARD.encode(first))
    }

    /// What the policy chain calls the signature file of this key.
    fn policy_file(&self) -> String {
        let number: Vec<u8> = self.number.iter().rev().copied().collect();
        format!("record.json.{}.minisig", hex::encode_upper(number))
    }
}

/// A record that waits for its signature.
struct Unsigned {
    /// The lines of the commit up to its files.
    commit: String,
    text: String,
    comment: String,
    key: usize,
    signature_file: String,
    /// The trace of a commit record, or the checkpoint of a seal.
    beside: Option<(&'static str, String)>,
}

impl Unsigned {
    /// The commit as `git fast-import` takes it.
    fn signed(&self, keys: &[Key]) -> Vec<u8> {
        let mut commit = self.commit.clone();
        let signature = keys[self.key].sign(self.text.as_bytes(), &self.comment);
        let files = [("record.json", &self.text), (&*self.signature_file, &signature)];
        let beside = self.beside.iter().map(|(name, text)| (*name, text));
        for (name, text) in files.into_iter().chain(beside) {
            commit.push_str(&format!("M 100644 inline {name}\ndata {}\n{text}\n", text.len()));
        }
        commit.into_bytes()
    }
}

/// What is written to standard output, signed in batches.
struct Stream {
    keys: Vec<Key>,
    waiting: Vec<Unsigned>,
    out: BufWriter<std::io::Stdout>,
    /// So many blobs were named in the stream.
    marks: usize,
}

impl Stream {
    fn push(&mut self, record: Unsigned) -> std::io::Result<()> {
        self.waiting.push(record);
        if self.waiting.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let keys = &self.keys;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = self.waiting.chunks(self.waiting.len().div_ceil(threads).max(1));
        let sign = |part: &[Unsigned]| part.iter().flat_map(|record| record.signed(keys)).collect::<Vec<u8>>();
        let signed: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let running: Vec<_> = parts.map(|part| scope.spawn(move || sign(part))).collect();
            running.into_iter().filter_map(|part| part.join().ok()).collect()
        });
        signed.iter().try_for_each(|part| self.out.write_all(part))?;
        self.waiting.clear();
        self.out.flush()
    }
}

/// A chain so far.
struct Chain {
    name: String,
    reference: String,
    key: usize,
    next: u64,
    head: Hash,
    /// The records that the witness has not sealed.
    unsealed: Vec<Hash>,
}

impl Chain {
    fn new(folder: &str, name: &str, key: usize) -> Self {
        let reference = format!("refs/tracevault/{folder}{name}");
        Chain { name: name.to_owned(), reference, key, next: 0, head: ZERO, unsealed: Vec::new() }
    }
}

/// What a record says, apart from its place.
struct Said {
    kind: &'static str,
    subject: Option<String>,
    body: Value,
    beside: Option<(&'static str, String)>,
}

impl Said {
    fn new(kind: &'static str, body: Value) -> Self {
        Said { kind, subject: None, body, beside: None }
    }
}

struct Ledger {
    id: Hash,
    stream: Stream,
    policy: Chain,
    writers: Vec<Chain>,
    witness: Chain,
    /// The size and the record of the newest seal.
    sealed: Option<(u64, Hash)>,
    tree: Tree,
    time: i64,
    /// Where transcripts are wanted: for each payload ref the names of its pieces, and the marks of these in the stream.
    shelves: Option<BTreeMap<String, Vec<(String, usize)>>>,
}

/// The first two keys are the owner's and the witness's.
const OWNER: usize = 0;
const WITNESS: usize = 1;

impl Ledger {
    /// The policy chain with all members, and a witness's chain. The last of so many records is written now.
    fn found(chains: usize, records: usize) -> std::io::Result<Self> {
        let mut keys = vec![Key::new("owner"), Key::new("witness")];
        keys.extend((0..chains).map(|writer| Key::new(&format!("writer {writer}"))));
        let member = |at: usize, role: &str| {
            json!({"id": email(at), "keys": [{"from_seq": 0, "public_key": keys[at].public()}], "name": email(at),
                   "roles": [role]})
        };
        let owner = json!({"members": [member(OWNER, "owner")], "nonce": hex::encode([7; 16]), "threshold": 1});
        let roles = |at| member(at, if at == WITNESS { "witness" } else { "developer" });
        let others: Vec<Value> = (WITNESS..keys.len()).map(roles).collect();
        let writers = (WITNESS + 1..keys.len()).map(|at| Chain::new("log/", &keys[at].chain, at)).collect();
        let witness = Chain::new("seal/", &keys[WITNESS].chain, WITNESS);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let stream = Stream { keys, waiting: Vec::new(), out: BufWriter::new(std::io::stdout()), marks: 0 };
        let mut ledger = Ledger {
            id: ZERO,
            stream,
            policy: Chain::new("", "policy", OWNER),
            writers,
            witness,
            sealed: None,
            tree: Tree::default(),
            time: now as i64 - records as i64,
            shelves: None,
        };
        ledger.append(Which::Policy, Said::new("genesis", owner))?;
        ledger.id = ledger.policy.head;
        for some in others.chunks(MEMBERS_A_RECORD) {
            ledger.append(Which::Policy, Said::new("roster", json!({"set": some})))?;
        }
        ledger.append(Which::Policy, Said::new("policy", json!({"toml": RULES})))?;
        let opened = ledger.open(WITNESS);
        ledger.append(Which::Witness, opened)?;
        Ok(ledger)
    }

    fn open(&self, key: usize) -> Said {
        let member = json!({"id": email(key), "name": email(key)});
        let public = self.stream.keys[key].public();
        let body = json!({"device": "laptop", "member": member, "public_key": public, "tool": "big_ledger"});
        Said::new("open", body)
    }

    /// The next record of a writer: after the first one sessions and commits in turn.
    fn write(&mut self, writer: usize) -> std::io::Result<()> {
        let chain = &self.writers[writer];
        let said = match (chain.next, chain.next % 2) {
            (0, _) => self.open(chain.key),
            (next, 1) => {
                let payloads = match &mut self.shelves {
                    Some(shelves) => transcript(chain, next / 2, self.time, shelves, &mut self.stream)?,
                    None => json!([]),
                };
                session(chain, next / 2, self.time, payloads)
            }
            (next, _) => commit(chain, next / 2 - 1, self.time),
        };
        self.time += 1;
        self.append(Which::Writer(writer), said)
    }

    /// A seal over all that came since the one before.
    fn seal(&mut self) -> std::io::Result<()> {
        let mut chains: Vec<&mut Chain> = self.writers.iter_mut().collect();
        chains.sort_by(|a, b| a.name.cmp(&b.name));
        let mut heads = Vec::new();
        for chain in [&mut self.policy].into_iter().chain(chains).filter(|chain| !chain.unsealed.is_empty()) {
            heads.push(json!({"chain": chain.name, "id": hex::encode(chain.head), "seq": chain.next - 1}));
            chain.unsealed.drain(..).for_each(|record| self.tree.push(&record));
        }
        let (size, root) = (self.tree.size, self.tree.root());
        let checkpoint = self.checkpoint(size, root);
        let said = Said {
            kind: "seal",
            subject: Some(format!("seal {size}: {}", &hex::encode(root)[..12])),
            body: json!({"findings": 0, "heads": heads, "root": hex::encode(root), "size": size}),
            beside: Some(("checkpoint", checkpoint)),
        };
        self.append(Which::Witness, said)?;
        self.sealed = Some((size, self.witness.head));
        Ok(())
    }

    fn checkpoint(&self, size: u64, root: Hash) -> String {
        let key = &self.stream.keys[WITNESS].signer;
        let origin = format!("tracevault/{}/{}", hex::encode(self.id), self.witness.name);
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
        let key_id = sha256(&[origin.as_bytes(), b"\n\x01", key.verifying_key().as_bytes()].concat());
        let signature = [&key_id[..4], &key.sign(text.as_bytes()).to_bytes()].concat();
        format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signature))
    }

    /// Puts the pieces of transcripts onto their refs.
    fn shelve(&mut self) -> std::io::Result<()> {
        for (name, pieces) in self.shelves.take().unwrap_or_default() {
            let chain = name.rsplit('/').next().unwrap_or_default();
            let who = format!("tracevault <{chain}@tracevault> {} +0000", self.time);
            writeln!(self.stream.out, "commit {name}\nauthor {who}\ncommitter {who}\ndata 8\npayload\n")?;
            for (piece, mark) in pieces {
                writeln!(self.stream.out, "M 100644 :{mark} {}/{}", &piece[..2], &piece[2..])?;
            }
        }
        self.stream.flush()
    }

    /// Sets a record behind a chain's head.
    fn append(&mut self, which: Which, said: Said) -> std::io::Result<()> {
        let genesis = said.kind == "genesis";
        let cited = |n: u64, id: Hash| json!({"id": hex::encode(id), "n": n}).to_string();
        let policy = (!genesis).then(|| format!("\"policy\":{},", cited(self.policy.next - 1, self.policy.head)));
        let seal = self.sealed.filter(|_| matches!(which, Which::Writer(_)));
        let seal = seal.map(|(size, id)| format!("\"seal\":{},", cited(size, id)));
        let chain = match which {
            Which::Policy => &mut self.policy,
            Which::Witness => &mut self.witness,
            Which::Writer(writer) => &mut self.writers[writer],
        };
        let (kind, seq, name) = (said.kind, chain.next, chain.name.as_str());
        let prev = hex::encode(if seq == 0 { self.id } else { chain.head });
        let (ledger, time) = (hex::encode(self.id), time(self.time));
        let text = format!(
            r#"{{"body":{},"chain":"{name}","ledger":"{ledger}",{}"prev":"{prev}",{}"seq":{seq},"time":"{time}","type":"{kind}","v":1}}"#,
            said.body,
            policy.unwrap_or_default(),
            seal.unwrap_or_default()
        );
        chain.head = sha256(text.as_bytes());
        let id = hex::encode(chain.head);
        let subject = said.subject.unwrap_or_else(|| format!("{kind} {seq}"));
        let message = format!("{subject}\n\nrecord {id}\n");
        let who = format!("tracevault <{name}@tracevault> {} +0000", self.time);
        let commit = format!(
            "commit {}\nauthor {who}\ncommitter {who}\ndata {}\n{message}deleteall\n",
            chain.reference,
            message.len()
        );
        let comment = format!("tracevault/v1 type={kind} ledger={} chain={name} seq={seq} id={id}", &ledger[..12]);
        let signature_file = match which {
            Which::Policy => self.stream.keys[chain.key].policy_file(),
            _ => "record.json.minisig".to_owned(),
        };
        chain.next += 1;
        if !matches!(which, Which::Witness) {
            chain.unsealed.push(chain.head);
        }
        self.stream.push(Unsigned { commit, text, comment, key: chain.key, signature_file, beside: said.beside })
    }
}

#[derive(Clone, Copy)]
enum Which {
    Policy,
    Witness,
    Writer(usize),
}

/// The record of a session, with numbers that differ from one to the next.
fn session(chain: &Chain, number: u64, now: i64, payloads: Value) -> Said {
    let dice = chain.head;
    let (name, segment) = (session_id(chain, number), number % SEGMENTS);
    let body = json!({
        "active_seconds": dice[0], "agent": {"name": "claude-code", "version": "2.1.330"}, "compactions": 0,
        "ended": time(now), "files": [{"added": dice[1], "edits": 1 + dice[2] / 64, "path": path(&dice), "removed": dice[3]}],
        "gaps": [], "mcp_servers": [],
        "models": [{"cache_read": 1000 * u64::from(dice[4]), "cache_write_1h": 0, "cache_write_5m": 2000, "input": dice[5],
                    "model": "claude-opus-4-5", "output": 10 * u64::from(dice[6]), "prompt_over": 0,
                    "requests": 1 + dice[7] / 8}],
        "payloads": payloads, "plans": 0, "programs": [{"name": "cargo", "runs": 1 + dice[8] / 64}], "prompts": 1, "redactions": [],
        "segment": segment, "session": name, "skills": [], "started": time(now - i64::from(dice[0])), "subagents": 0,
        "tools": [{"calls": 1 + dice[2] / 64, "failed": 0, "name": "Edit"},
                  {"calls": 1 + dice[9] / 16, "failed": dice[9] / 128, "name": "Read"}],
        "turns": 1 + dice[7] / 16,
    });
    Said { subject: Some(format!("session {name} segment {segment}")), ..Said::new("session", body) }
}

/// Words that people and models say; others are made of their letters.
const WORDS: &str = "rebate checkout cart retry backoff payment ledger index search cache token session border widget parser schema \
    migration handler request response timeout deadline queue worker thread lock file folder path branch commit merge rebase test \
    fixture mock coverage lint format deploy rollback canary metric alert page query column row table join filter sort limit";

/// Some lines of a transcript: a prompt, a test that fails, an edit, the test that passes. The payload of its record.
fn transcript(
    chain: &Chain,
    number: u64,
    now: i64,
    shelves: &mut BTreeMap<String, Vec<(String, usize)>>,
    stream: &mut Stream,
) -> std::io::Result<Value> {
    let mut dice = Dice(sha256(&[&chain.head[..], b"transcript"].concat()), 0);
    let (session, time, call) = (session_id(chain, number), time(now), hex::encode(&dice.0[..8]));
    let line = |kind: &str, content: Value| {
        json!({"cwd": "/shop", "isSidechain": false, "message": {"content": content, "id": call, "model": "claude-opus-4-5",
               "role": kind, "usage": {"input_tokens": 1, "output_tokens": 1}}, "sessionId": session, "timestamp": time,
               "type": kind, "uuid": format!("{call}{kind}"), "version": "2.1.330"})
    };
    let tool = |n: u32, name: &str, input: Value| {
        line("assistant", json!([{"id": format!("toolu_{call}{n}"), "input": input, "name": name, "type": "tool_use"}]))
    };
    let result = |n: u32, failed: bool, said: String| {
        let block = json!({"content": said, "is_error": failed, "tool_use_id": format!("toolu_{call}{n}"), "type": "tool_result"});
        line("user", json!([block]))
    };
    let test = format!("cargo test {}", dice.word());
    let error = format!("error[E0{}]: {} in `{}`\n{}", 100 + number % 600, dice.words(6), dice.word(), dice.words(20));
    let lines = [
        line("user", dice.words(40).into()),
        line("assistant", json!([{"text": dice.words(120), "type": "text"}])),
        tool(1, "Bash", json!({"command": test})),
        result(1, true, error),
        tool(
            2,
            "Edit",
            json!({"file_path": format!("/shop/{}", path(&chain.head)), "new_string": "b", "old_string": "a"}),
        ),
        result(2, false, String::new()),
        tool(3, "Bash", json!({"command": test})),
        result(3, false, dice.words(20)),
    ];
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let piece = format!("{{\"salt\":\"{}\"}}\n{lines}", hex::encode(dice.0));
    let (name, month) = (hex::encode(sha256(piece.as_bytes())), &time[..7]);
    let shelf = shelves.entry(format!("refs/tracevault/payload/transcript/{month}/{}", chain.name)).or_default();
    stream.marks += 1;
    shelf.push((name.clone(), stream.marks));
    writeln!(stream.out, "blob\nmark :{}\ndata {}\n{piece}", stream.marks, piece.len())?;
    Ok(json!([{"class": "transcript", "lines": 8, "month": month, "pieces": [{"sha256": name, "size": piece.len()}],
               "source": "main"}]))
}

/// Numbers that look thrown, the same every time.
struct Dice(Hash, usize);

impl Dice {
    fn next(&mut self) -> usize {
        self.1 += 1;
        let thrown = sha256(&[&self.0[..], &self.1.to_be_bytes()].concat());
        usize::from(thrown[0]) << 8 | usize::from(thrown[1])
    }

    /// One of some fifty words, or of some thousand.
    fn word(&mut self) -> String {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let word = words[self.next() % words.len()];
        if self.next().is_multiple_of(2) {
            word.to_owned()
        } else {
            format!("{word}{}", words[self.next() % words.len()])
        }
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

/// A session's records, until its writer begins another.
const SEGMENTS: u64 = 8;

fn session_id(chain: &Chain, number: u64) -> String {
    let digits = hex::encode(sha256(format!("{} {}", chain.name, number / SEGMENTS).as_bytes()));
    format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[12..15], &digits[15..18], &digits[18..30])
}

/// The record of a commit that is not here, as in the clone of an auditor, written by an agent and a person.
fn commit(chain: &Chain, number: u64, now: i64) -> Said {
    let (dice, session) = (chain.head, session_id(chain, number));
    let git_id = |what: &str| hex::encode(&sha256(&[what.as_bytes(), &dice].concat())[..20]);
    let (id, patch) = (git_id("commit"), git_id("patch"));
    let (agent, human) = (u64::from(dice[0]) + 1, u64::from(dice[1]));
    let range =
        json!({"content_hash": format!("sha256:{}", hex::encode(sha256(&dice))), "end_line": agent, "start_line": 1});
    let conversation = json!({"contributor": {"model_id": "anthropic/claude-opus-4-5", "type": "ai"}, "ranges": [range],
                              "url": format!("tracevault:session/{session}#toolu_{}", &id[..24])});
    let trace = json!({
        "files": [{"conversations": [conversation], "path": path(&dice)}], "id": session_id(chain, number + SEGMENTS),
        "timestamp": time(now), "tool": {"name": "big_ledger", "version": "0.1.0"},
        "vcs": {"revision": id, "type": "git"}, "version": "0.1.0",
    });
    let trace = trace.to_string();
    let added = agent + human;
    let body = json!({
        "commit": id,
        "files": [{"added": added, "agent": agent, "human": human, "path": path(&dice), "unattributed": 0}],
        "parents": [git_id("parent")], "patch_id": patch, "patch_id_u0": patch,
        "sessions": [{"record": hex::encode(chain.head), "session": session}], "sha256": hex::encode(sha256(id.as_bytes())),
        "total": {"added": added, "agent": agent, "human": human, "unattributed": 0},
        "trace": hex::encode(sha256(trace.as_bytes())), "tree": git_id("tree"),
    });
    let subject = format!("commit {}: {agent} agent, {human} human, 0 unattributed", &id[..12]);
    Said { kind: "commit", subject: Some(subject), body, beside: Some(("agent-trace.json", trace)) }
}

/// The tree of RFC 6962 over leaves one after the other: the roots of its full subtrees, the largest first.
#[derive(Default)]
struct Tree {
    size: u64,
    roots: Vec<Hash>,
}

impl Tree {
    fn push(&mut self, leaf: &Hash) {
        let mut node = sha256(&[&[0], &leaf[..]].concat());
        for _ in 0..self.size.trailing_ones() {
            node = above(self.roots.pop().unwrap_or(ZERO), node);
        }
        self.roots.push(node);
        self.size += 1;
    }

    fn root(&self) -> Hash {
        self.roots.iter().rev().copied().reduce(|right, left| above(left, right)).unwrap_or(ZERO)
    }
}

fn above(left: Hash, right: Hash) -> Hash {
    sha256(&[&[1], &left[..], &right[..]].concat())
}

fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

fn path(dice: &Hash) -> String {
    format!("src/part{}/file{}.rs", dice[10] % 16, dice[11])
}

fn email(member: usize) -> String {
    format!("member{member}@example.com")
}

fn time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix).unwrap_or_default().to_string()
}
