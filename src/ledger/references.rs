//! Amendments: each is of a record that is there, by its author or an admin.
//!
//! That can be judged only when all chains are read. What was found once is remembered by where it was found.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::copies::Walk;
use crate::ledger::verify::Chain;
use crate::record::body::{Body, Role};
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

/// What came of the amendments.
#[derive(Default)]
pub struct Judged {
    /// By the chain of the amendments.
    pub findings: BTreeMap<ChainId, Vec<Finding>>,
    pub targets: BTreeMap<ChainId, BTreeSet<Target>>,
}

/// Judges the amendments among the records that were read. One that does not hold is no good record.
pub fn judge(repo: &Repo, history: &History, walks: &BTreeMap<ChainId, Walk>, chains: &mut [Chain]) -> Judged {
    let mut judged = Judged::default();
    // Those that were verified before have been judged, and what they are about stands where it stood.
    let amends = |chain: &Chain| chain.entries[chain.known..].iter().any(|entry| matches!(entry.body, Body::Amend(_)));
    if !chains.iter().any(amends) {
        return judged;
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
    judged
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
