//! What records say of others: an amendment is of a record that is there, by its author or an admin; the sessions that a
//! commit draws on have the records that it names.
//!
//! That can be judged only when all chains are read. What was found once is remembered by where it was found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, GitId, RecordId, SessionId};
use crate::ledger::copies::Walk;
use crate::ledger::seals::told;
use crate::ledger::verify::{Chain, Entry};
use crate::record::body::{Body, Role, SessionRef};
use crate::roster::History;

/// Where the record stands that another one is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    chain: ChainId,
    seq: u64,
    commit: GitId,
}

impl Target {
    /// Whether it stands there still. Before what was verified of its chain, it stood there then.
    pub fn stands(&self, walks: &BTreeMap<ChainId, Walk>) -> bool {
        let at = usize::try_from(self.seq).unwrap_or(usize::MAX);
        let stands = |walk: &Walk| at < walk.first || walk.walked(at).as_ref() == Some(&self.commit);
        walks.get(&self.chain).is_some_and(stands)
    }
}

/// What came of it.
#[derive(Default)]
pub struct Judged {
    /// By the chain that speaks of others.
    pub findings: BTreeMap<ChainId, Vec<Finding>>,
    pub targets: BTreeMap<ChainId, BTreeSet<Target>>,
}

/// Judges what the records that were read say of others. One that does not hold is no good record.
pub fn judge(repo: &Repo, history: &History, walks: &BTreeMap<ChainId, Walk>, chains: &mut [Chain]) -> Judged {
    let mut judged = Judged::default();
    amendments(repo, history, walks, chains, &mut judged);
    sessions(repo, walks, chains, &mut judged);
    judged
}

fn amendments(
    repo: &Repo,
    history: &History,
    walks: &BTreeMap<ChainId, Walk>,
    chains: &mut [Chain],
    judged: &mut Judged,
) {
    // Those that were verified before have been judged, and what they are about stands where it stood.
    let amends = |chain: &Chain| chain.entries[chain.known..].iter().any(|entry| matches!(entry.body, Body::Amend(_)));
    if !chains.iter().any(amends) {
        return;
    }
    let known = Known::of(repo, walks);
    for chain in chains {
        for entry in &mut chain.entries[chain.known..] {
            let (id, seq) = (entry.id, entry.seq);
            let (Body::Amend(amend), true) = (&entry.body, entry.good) else { continue };
            let mut wrong = None;
            let others = amend.correction.record.into_iter();
            for (target, is_amended) in [(amend.record, true)].into_iter().chain(others.map(|other| (other, false))) {
                match known.get(target) {
                    None => wrong = Some((Code::Ref, format!("there is no record {target} that could be amended"))),
                    Some(found) => {
                        if is_amended && !may_amend(history, chain.id, entry.policy.map(|cited| cited.n), found.chain) {
                            let whose = "it amends a record of another, and its writer is neither owner nor admin";
                            wrong = Some((Code::Unauth, whose.to_owned()));
                        }
                        judged.targets.entry(chain.id).or_default().insert(found.clone());
                    }
                }
            }
            if let Some((code, why)) = wrong {
                entry.good = false;
                let finding = Finding::new(code, why).chain(chain.id).seq(seq).record(id);
                judged.findings.entry(chain.id).or_default().push(finding);
            }
        }
    }
}

/// What records of one chain say of sessions, and which of them commits draw on.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The number of each record of a session, and the session's name.
    sessions: Vec<(u32, Name)>,
    /// The same by the records' ids, while the chain is read.
    by_id: HashMap<RecordId, Name>,
    /// What is drawn on and does not stand before the commit on the same chain.
    open: Vec<Draw>,
}

/// A session's name, cut from its digest: there may be a million.
type Name = [u8; 16];

fn name(session: &SessionId) -> Name {
    let mut name = Name::default();
    name.copy_from_slice(&Digest::of(session.as_str().as_bytes()).as_bytes()[..16]);
    name
}

/// A session record that a commit draws on.
#[derive(Debug)]
struct Draw {
    /// The number of the commit's record, and its id.
    by: (usize, RecordId),
    session: SessionId,
    record: RecordId,
}

impl Drawn {
    /// Takes in the record with this number.
    pub fn take_in(&mut self, at: usize, entry: &Entry) {
        match &entry.body {
            Body::Session(body) => {
                let name = name(&body.session);
                // More records than that fit into no memory.
                self.sessions.push((u32::try_from(at).unwrap_or(u32::MAX), name));
                self.by_id.insert(entry.id, name);
            }
            Body::Commit(body) if entry.good => {
                let is_open = |drawn: &&SessionRef| self.by_id.get(&drawn.record) != Some(&name(&drawn.session));
                let open = body.sessions.iter().filter(is_open).map(|SessionRef { session, record }| Draw {
                    by: (at, entry.id),
                    session: session.clone(),
                    record: *record,
                });
                self.open.extend(open);
            }
            _ => {}
        }
    }

    /// The chain has been read.
    pub fn finish(&mut self) {
        self.by_id = HashMap::new();
        self.sessions.shrink_to_fit();
    }
}

/// Judges the session records that commits name. Where a record is not here, or could not be read, that was told already:
/// it may be the one, and nothing more is said. Of a chain that was refused nothing is told.
fn sessions(repo: &Repo, walks: &BTreeMap<ChainId, Walk>, chains: &mut [Chain], judged: &mut Judged) {
    let wanted: HashSet<RecordId> =
        chains.iter().flat_map(|chain| &chain.drawn.open).map(|drawn| drawn.record).collect();
    if wanted.is_empty() || !chains.iter().all(|chain| chain.refused || is_told(chain, walks)) {
        return;
    }
    let known = said(repo, walks, chains, wanted);
    for chain in chains {
        for Draw { by: (at, by), session, record } in std::mem::take(&mut chain.drawn.open) {
            match known.get(&record) {
                // What stands on the same chain does not go without the chain being verified anew.
                Some((said, target)) if *said == name(&session) => {
                    if target.chain != chain.id {
                        judged.targets.entry(chain.id).or_default().insert(target.clone());
                    }
                }
                _ => {
                    chain.commits.forget(at);
                    chain.entries.iter_mut().filter(|entry| entry.id == by).for_each(|entry| entry.good = false);
                    let what = format!("there is no record {record} of session {session} that it could draw on");
                    let finding = Finding::new(Code::Ref, what).chain(chain.id).seq(at as u64).record(by);
                    judged.findings.entry(chain.id).or_default().push(finding);
                }
            }
        }
    }
}

/// Whether every record of a chain is here and could be read.
fn is_told(chain: &Chain, walks: &BTreeMap<ChainId, Walk>) -> bool {
    let Some(walk) = walks.get(&chain.id) else { return false };
    let whole = walk.findings.iter().all(|finding| finding.code != Code::Missing);
    whole && chain.first + chain.ids.len() == walk.len() && chain.ids.iter().all(told)
}

/// Which sessions the wanted records are of, and where they stand. Those verified before are read only where one of them is
/// wanted, the newest first: it is mostly among the last that were written.
fn said(
    repo: &Repo,
    walks: &BTreeMap<ChainId, Walk>,
    chains: &[Chain],
    mut open: HashSet<RecordId>,
) -> HashMap<RecordId, (Name, Target)> {
    let mut known = HashMap::new();
    for chain in chains {
        let Some(walk) = walks.get(&chain.id) else { continue };
        for (at, name) in &chain.drawn.sessions {
            let at = *at as usize;
            let id = chain.ids[at - chain.first];
            if open.contains(&id)
                && let Some(commit) = walk.walked(at)
            {
                open.remove(&id);
                known.insert(id, (*name, Target { chain: chain.id, seq: at as u64, commit }));
            }
        }
    }
    let (own, others): (Vec<&Chain>, Vec<&Chain>) = chains.iter().partition(|chain| !chain.drawn.open.is_empty());
    for chain in own.into_iter().chain(others) {
        let Some(walk) = walks.get(&chain.id) else { continue };
        for at in (0..chain.first).rev() {
            if open.is_empty() {
                return known;
            }
            let Ok(stored) = walk.record(repo, at) else { continue };
            if let (Body::Session(body), true) = (stored.record.body(), open.remove(&stored.record.id())) {
                let target = Target { chain: chain.id, seq: at as u64, commit: stored.commit };
                known.insert(stored.record.id(), (name(&body.session), target));
            }
        }
    }
    known
}

/// Whether the writer of one chain may amend what stands on another.
fn may_amend(history: &History, by: ChainId, cited: Option<u64>, of: ChainId) -> bool {
    let member = |chain| history.member(chain).map(|member| &member.id);
    let own = by == of || (member(by).is_some() && member(by) == member(of));
    let roles = history.roles_at(by, cited.unwrap_or(u64::MAX));
    own || roles.iter().any(|role| matches!(role, Role::Owner | Role::Admin))
}

/// The records that can be amended, by id.
struct Known(HashMap<RecordId, Target>);

impl Known {
    fn of(repo: &Repo, walks: &BTreeMap<ChainId, Walk>) -> Self {
        let mut known = HashMap::new();
        for (chain, walk) in walks.iter().filter(|(chain, _)| **chain != ChainId::Policy) {
            for at in 0..walk.len() {
                // What cannot be read has no id.
                let Ok(stored) = walk.record(repo, at) else { continue };
                if can_be_amended(stored.record.body()) {
                    let target = Target { chain: *chain, seq: at as u64, commit: stored.commit };
                    known.insert(stored.record.id(), target);
                }
            }
        }
        Known(known)
    }

    fn get(&self, record: RecordId) -> Option<&Target> {
        self.0.get(&record)
    }
}

/// Whether a record says something that may be wrong.
pub fn can_be_amended(body: &Body) -> bool {
    matches!(body, Body::Session(_) | Body::Commit(_) | Body::Link(_) | Body::Check(_) | Body::Approve(_))
}
