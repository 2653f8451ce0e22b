//! What records say of others: an amendment is of a record that is there, by its author or an admin; the sessions that a
//! commit draws on have the records that it names.
//!
//! That can be judged only when all chains are read. What was found once is remembered by where it was found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, GitId, RecordId, SessionId};
use crate::ledger::copies::Walk;
use crate::ledger::seals::told;
use crate::ledger::verify::Chain;
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
        let stands = |walk: &Walk| match at.checked_sub(walk.first) {
            Some(at) => walk.commits.get(at) == Some(&self.commit),
            None => true,
        };
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

/// A session record that a commit names.
struct Wanted {
    /// Where the commit's record stands: chain and entry.
    by: (usize, usize),
    session: SessionId,
    record: RecordId,
}

/// Judges the session records that commits name. Where a record is not here, or could not be read, that was told already:
/// it may be the one, and nothing more is said.
fn sessions(repo: &Repo, walks: &BTreeMap<ChainId, Walk>, chains: &mut [Chain], judged: &mut Judged) {
    let wanted = wanted(chains);
    if wanted.is_empty() || !chains.iter().all(|chain| is_told(chain, walks)) {
        return;
    }
    let known = said(repo, walks, chains, &wanted);
    for Wanted { by: (at, entry), session, record } in wanted {
        let (chain, entry) = (chains[at].id, &mut chains[at].entries[entry]);
        match known.get(&record) {
            // What stands on the same chain does not go without the chain being verified anew.
            Some((said, target)) if *said == session => {
                if target.chain != chain {
                    judged.targets.entry(chain).or_default().insert(target.clone());
                }
            }
            _ => {
                entry.good = false;
                let what = format!("there is no record {record} of session {session} that it could draw on");
                let finding = Finding::new(Code::Ref, what).chain(chain).seq(entry.seq).record(entry.id);
                judged.findings.entry(chain).or_default().push(finding);
            }
        }
    }
}

fn wanted(chains: &[Chain]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (at, chain) in chains.iter().enumerate() {
        for (number, entry) in chain.entries.iter().enumerate().skip(chain.known) {
            let (Body::Commit(commit), true) = (&entry.body, entry.good) else { continue };
            let one = |SessionRef { session, record }: &SessionRef| Wanted {
                by: (at, number),
                session: session.clone(),
                record: *record,
            };
            wanted.extend(commit.sessions.iter().map(one));
        }
    }
    wanted
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
    wanted: &[Wanted],
) -> HashMap<RecordId, (SessionId, Target)> {
    let mut open: HashSet<RecordId> = wanted.iter().map(|wanted| wanted.record).collect();
    let mut known = HashMap::new();
    for chain in chains {
        for entry in &chain.entries {
            if let (Body::Session(body), true) = (&entry.body, open.contains(&entry.id)) {
                let target = Target { chain: chain.id, seq: entry.seq, commit: entry.commit.clone() };
                known.insert(entry.id, (body.session.clone(), target));
            }
        }
    }
    open.retain(|record| !known.contains_key(record));
    let asking: BTreeSet<usize> =
        wanted.iter().filter(|wanted| open.contains(&wanted.record)).map(|wanted| wanted.by.0).collect();
    let (own, others): (Vec<usize>, Vec<usize>) = (0..chains.len()).partition(|at| asking.contains(at));
    for chain in own.into_iter().chain(others).map(|at| &chains[at]).filter(|chain| chain.known == 0) {
        let Some(walk) = walks.get(&chain.id) else { continue };
        for at in (0..chain.first).rev() {
            if open.is_empty() {
                return known;
            }
            let Ok(stored) = walk.record(repo, at) else { continue };
            if let (Body::Session(body), true) = (stored.record.body(), open.remove(&stored.record.id())) {
                let target = Target { chain: chain.id, seq: at as u64, commit: stored.commit };
                known.insert(stored.record.id(), (body.session.clone(), target));
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
