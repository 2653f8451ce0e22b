//! `Book`: what one verification found, ready to be asked: records by commit, sessions by id, what they cost.
//!
//! Only good records are evidence: what a bad one claims is never told as if it were true.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::cost::{self, Money, PriceTable};
use crate::id::{ChainId, GitId, RecordId, SessionId};
use crate::ledger::commits::{self, State};
use crate::ledger::links::Found;
use crate::ledger::payload::Payloads;
use crate::ledger::replaced::Instead;
use crate::ledger::successions::successions;
use crate::ledger::verify::{Entry, Options, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Commit, Link, Payload, SAME_PATCH, Session};
use crate::session::event::GapKind;

impl Ledger {
    /// Verifies the ledger and gives every record back, and of payloads what this clone may read.
    pub fn read_all(&self) -> Result<Report, LedgerError> {
        let mut report = self.verify(&Options { pinned: self.pinned()?, entries: true, ..Options::default() })?;
        report.payloads.read_as(self.reader());
        Ok(report)
    }
}

/// The records of a verified ledger, in the orders in which they are asked for.
pub struct Book<'r> {
    pub report: &'r Report,
    prices: &'r PriceTable,
    /// The best record of each commit.
    records: HashMap<GitId, &'r Entry>,
    /// The good links to each rewritten commit.
    links: HashMap<&'r GitId, Vec<(&'r Entry, &'r Link)>>,
    /// What commits without a record and a link were found to repeat.
    found: HashMap<GitId, Vec<(GitId, u32)>>,
    /// The chains of writers who are not enrolled.
    pending: HashSet<ChainId>,
    sessions: BTreeMap<&'r SessionId, Vec<Segment<'r>>>,
    /// What each commit record draws on and no earlier one did.
    shares: HashMap<RecordId, Vec<Share<'r>>>,
}

/// One recorded segment of a session.
#[derive(Clone, Copy)]
pub struct Segment<'r> {
    pub entry: &'r Entry,
    pub body: &'r Session,
    /// What was said in it: its payloads, or what stands in their place, and on whose shelves that is.
    pub payloads: &'r [Payload],
    pub shelves_of: ChainId,
}

impl<'r> Segment<'r> {
    /// What a record says of a session, if it does, and what stands in the place of its payloads.
    pub fn of(entry: &'r Entry, instead: &Instead<'r>) -> Option<Self> {
        let Body::Session(body) = &entry.body else { return None };
        let (shelves_of, payloads) = instead.payloads(entry, &body.payloads);
        Some(Segment { entry, body, payloads, shelves_of })
    }

    /// The same with what was recorded first, where all of that is still here.
    pub fn as_recorded(self, store: &Payloads) -> Self {
        let (chain, payloads) = (self.entry.chain, &self.body.payloads[..]);
        let mut pieces = payloads.iter().flat_map(|payload| &payload.pieces);
        match pieces.all(|piece| store.blob(chain, &piece.sha256).is_some()) {
            true => Segment { payloads, shelves_of: chain, ..self },
            false => self,
        }
    }
}

/// What a commit draws on of a session: the segments since the commit before it that drew on the session.
#[derive(Clone)]
pub struct Share<'r> {
    pub session: &'r SessionId,
    pub segments: Vec<Segment<'r>>,
    /// The segment that the commit cites; `None` where it is not here, or not good.
    pub cited: Option<Segment<'r>>,
}

/// What is known of a commit.
pub struct Known<'r> {
    pub state: State,
    /// The record that speaks of it, good or bad; for a linked commit that of the commit it was rewritten from.
    pub entry: Option<&'r Entry>,
    /// What a good record says of its lines; `None` also where the link says that the lines are others.
    pub body: Option<&'r Commit>,
    pub sessions: Vec<Drawn<'r>>,
    /// What all of that cost; `None` if any part of it is unknown.
    pub cost: Option<Money>,
}

/// A session that a commit draws on.
pub struct Drawn<'r> {
    pub session: &'r SessionId,
    pub agent: Option<&'r str>,
    pub models: Vec<&'r str>,
    pub cost: Option<Money>,
}

impl<'r> Book<'r> {
    pub fn new(report: &'r Report, prices: &'r PriceTable) -> Self {
        let mut book = Book {
            report,
            prices,
            records: commits::records(report),
            links: HashMap::new(),
            found: HashMap::new(),
            pending: report.chains.iter().filter(|chain| chain.pending).map(|chain| chain.id).collect(),
            sessions: BTreeMap::new(),
            shares: HashMap::new(),
        };
        let instead = Instead::of(report.entries());
        for chains in successions(report) {
            let entries = chains.into_iter().flat_map(|chain| &chain.entries);
            book.take_in(entries.filter(|entry| entry.good), &instead);
        }
        for segments in book.sessions.values_mut() {
            segments.sort_by_key(|segment| (segment.entry.time, segment.entry.chain, segment.entry.seq));
        }
        book
    }

    /// Takes in the good records of one writer, in their order, with whichever key they were signed.
    fn take_in(&mut self, entries: impl Iterator<Item = &'r Entry>, instead: &Instead<'r>) {
        let mut recorded: HashMap<RecordId, Segment<'r>> = HashMap::new();
        // Segments that no commit has drawn on yet.
        let mut open: HashMap<&SessionId, Vec<Segment<'r>>> = HashMap::new();
        for entry in entries {
            match &entry.body {
                Body::Session(body) => {
                    let Some(segment) = Segment::of(entry, instead) else { continue };
                    recorded.insert(entry.id, segment);
                    open.entry(&body.session).or_default().push(segment);
                    self.sessions.entry(&body.session).or_default().push(segment);
                }
                Body::Commit(commit) => {
                    let share = |reference: &'r crate::record::body::SessionRef| {
                        let open = open.entry(&reference.session).or_default();
                        let upto = open.iter().position(|s| s.entry.id == reference.record).map_or(0, |at| at + 1);
                        Share {
                            session: &reference.session,
                            segments: open.drain(..upto).collect(),
                            cited: recorded.get(&reference.record).copied(),
                        }
                    };
                    self.shares.insert(entry.id, commit.sessions.iter().map(share).collect());
                }
                Body::Link(link) if link.level > 0 => self.links.entry(&link.new).or_default().push((entry, link)),
                _ => {}
            }
        }
    }

    /// The good record about the commit itself.
    pub fn record_of(&self, commit: &GitId) -> Option<&'r Entry> {
        self.records.get(commit).copied().filter(|entry| entry.good)
    }

    /// The best record of each commit that has a good one.
    pub fn commit_records(&self) -> impl Iterator<Item = &'r Entry> {
        self.records.values().copied().filter(|entry| entry.good)
    }

    /// Whether the writer of a record is not enrolled: what it says of its own commits is told as such, and is no
    /// evidence of others.
    pub fn is_pending(&self, entry: &Entry) -> bool {
        self.pending.contains(&entry.chain)
    }

    /// The good records of the commits that this one was rewritten from, and how much the links say they have in
    /// common, the most first; only what enrolled writers say.
    pub fn rewritten_from(&self, commit: &GitId) -> Vec<(&'r Entry, u32)> {
        self.linked(commit, |entry| !self.is_pending(entry))
    }

    /// Takes in links that are not recorded yet.
    pub fn add_found(&mut self, links: Vec<Found>) {
        for Found { new, old, level } in links {
            self.found.entry(new).or_default().push((old, level));
        }
    }

    fn linked(&self, commit: &GitId, counts: impl Fn(&Entry) -> bool) -> Vec<(&'r Entry, u32)> {
        let mut seen: HashSet<&GitId> = HashSet::new();
        let mut open: Vec<(&GitId, u32)> = vec![(commit, u32::MAX)];
        let mut found: Vec<(&'r Entry, u32)> = Vec::new();
        while let Some((at, level)) = open.pop() {
            let links = self.links.get(at).into_iter().flatten().filter(|(entry, _)| counts(entry));
            let links = links.map(|(_, link)| (&link.old, link.level));
            let unrecorded = self.found.get(at).into_iter().flatten().map(|(old, level)| (old, *level));
            for (old, its) in links.chain(unrecorded) {
                let level = level.min(its);
                match self.record_of(old) {
                    Some(entry) if counts(entry) => found.push((entry, level)),
                    Some(_) => {}
                    None if seen.insert(old) => open.push((old, level)),
                    None => {}
                }
            }
        }
        found.sort_by_key(|(entry, level)| (std::cmp::Reverse(*level), entry.time, entry.id));
        found
    }

    /// The good record of the commit that this one was rewritten from, and how much they have in common.
    pub fn linked_from(&self, commit: &GitId) -> Option<(&'r Entry, u32)> {
        self.linked(commit, |_| true).into_iter().next()
    }

    /// What is known of a commit.
    pub fn commit(&self, commit: &GitId) -> Known<'r> {
        let own = self.records.get(commit).copied();
        let (state, entry, believed) = match (self.record_of(commit), self.linked_from(commit)) {
            (Some(entry), _) => (State::of(self.report, entry), Some(entry), true),
            (None, Some((entry, level))) => (State::Linked, Some(entry), level >= SAME_PATCH),
            (None, None) if own.is_some() => (State::Bad, own, false),
            (None, None) => (State::Missing, None, false),
        };
        let body = entry.filter(|_| believed).and_then(|entry| match &entry.body {
            Body::Commit(body) => Some(&**body),
            _ => None,
        });
        let sessions = self.drawn_on(commit);
        let whole = matches!(state, State::Sealed | State::Signed | State::Linked)
            && body.is_none_or(|body| body.cut.iter().all(|cut| cut.list != "sessions"));
        let cost = if whole { sum(sessions.iter().map(|drawn| drawn.cost)) } else { None };
        Known { state, entry, body, sessions, cost }
    }

    fn drawn_on(&self, commit: &GitId) -> Vec<Drawn<'r>> {
        self.shares(commit).iter().map(|share| self.drawn(share)).collect()
    }

    /// The sessions that a commit draws on; one that was rewritten takes over what those before it drew on.
    pub fn shares(&self, commit: &GitId) -> Vec<Share<'r>> {
        let mut shares: BTreeMap<&SessionId, Share<'r>> = BTreeMap::new();
        let mut seen: HashSet<&GitId> = HashSet::new();
        let mut open = vec![commit];
        while let Some(at) = open.pop() {
            let record = self.record_of(at).and_then(|entry| self.shares.get(&entry.id));
            for share in record.into_iter().flatten() {
                shares
                    .entry(share.session)
                    .and_modify(|known| {
                        known.segments.extend(&share.segments);
                        known.cited = known.cited.and(share.cited);
                    })
                    .or_insert_with(|| share.clone());
            }
            let links = self.links.get(at).into_iter().flatten();
            open.extend(links.map(|(_, link)| &link.old).filter(|old| *old != commit && seen.insert(old)));
        }
        shares.into_values().collect()
    }

    fn drawn(&self, share: &Share<'r>) -> Drawn<'r> {
        let mut models: Vec<&str> = share.segments.iter().flat_map(models_of).collect();
        if models.is_empty() {
            // The commit took what a commit before it left over: the models are those of the session so far.
            let upto = share.cited.map(|cited| cited.body.segment);
            let before = self.segments(share.session).iter().filter(|segment| Some(segment.body.segment) <= upto);
            models = before.flat_map(|segment| models_of(segment)).collect();
        }
        models.sort_unstable();
        models.dedup();
        let cost =
            share.cited.and_then(|_| sum(share.segments.iter().map(|segment| segment_cost(self.prices, segment.body))));
        Drawn { session: share.session, agent: share.cited.map(|cited| cited.body.agent.name.as_str()), models, cost }
    }

    /// The good segments of a session, in order; none if no good record speaks of it.
    pub fn segments(&self, session: &SessionId) -> &[Segment<'r>] {
        self.sessions.get(session).map_or(&[], Vec::as_slice)
    }

    /// The segments that tell what was said in a session: ids of sessions are public, so where an enrolled writer has one,
    /// what others put under its id is left out.
    pub fn telling(&self, session: &SessionId) -> Vec<Segment<'r>> {
        let all = self.segments(session);
        let enrolled = all.iter().filter(|segment| !self.is_pending(segment.entry));
        let told: Vec<Segment<'r>> = enrolled.copied().collect();
        if told.is_empty() { all.to_vec() } else { told }
    }

    /// What is to be known of the segments that tell of a session.
    pub fn telling_notes(&self, session: &SessionId) -> Vec<String> {
        let (all, told) = (self.segments(session).len(), self.telling(session));
        let pending = told.iter().any(|segment| self.is_pending(segment.entry));
        spoken_notes(pending, all - told.len())
    }

    /// Every session that a good record speaks of, with its segments in order.
    pub fn all_sessions(&self) -> impl Iterator<Item = (&'r SessionId, &[Segment<'r>])> {
        self.sessions.iter().map(|(session, segments)| (*session, segments.as_slice()))
    }

    /// The provider of a model, by the price table.
    pub fn provider(&self, model: &str) -> Option<&'r str> {
        self.prices.provider(model)
    }

    /// The program that ran a session.
    pub fn agent(&self, session: &SessionId) -> Option<&'r str> {
        self.segments(session).last().map(|segment| segment.body.agent.name.as_str())
    }

    /// What a segment cost.
    pub fn cost(&self, body: &Session) -> Option<Money> {
        segment_cost(self.prices, body)
    }

    /// What the tokens of one model in a segment cost.
    pub fn model_cost(&self, body: &Session, usage: &crate::record::body::ModelUsage) -> Option<Money> {
        usage_cost(self.prices, body, usage)
    }

    /// The records that do not hold and speak of a session.
    pub fn bad_segments(&self, session: &SessionId) -> Vec<&'r Entry> {
        let about = |entry: &&Entry| matches!(&entry.body, Body::Session(body) if body.session == *session);
        self.report.entries().filter(|entry| !entry.good).filter(about).collect()
    }

    /// The commits whose good records cite a session.
    pub fn commits_of(&self, session: &SessionId) -> Vec<&'r GitId> {
        let mut commits = Vec::new();
        for entry in self.report.entries().filter(|entry| entry.good) {
            if let Body::Commit(body) = &entry.body
                && body.sessions.iter().any(|reference| reference.session == *session)
                && !commits.contains(&&body.commit)
            {
                commits.push(&body.commit);
            }
        }
        commits
    }

    /// The sessions whose ids begin with `prefix`, those of bad records too.
    pub fn sessions_named(&self, prefix: &str) -> Vec<&'r SessionId> {
        let mut found: Vec<&SessionId> = self
            .report
            .entries()
            .filter_map(|entry| match &entry.body {
                Body::Session(body) if body.session.as_str().starts_with(prefix) => Some(&body.session),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The records of writers' chains whose ids begin with `prefix`.
    pub fn records_named(&self, prefix: &str) -> Vec<&'r Entry> {
        self.report.entries().filter(|entry| entry.id.to_string().starts_with(prefix)).collect()
    }
}

fn models_of<'r>(segment: &Segment<'r>) -> impl Iterator<Item = &'r str> + use<'r> {
    segment.body.models.iter().map(|usage| usage.model.as_str())
}

/// What whoever reads of a session is to know of its records: whether nobody has enrolled who wrote them, and how many of
/// others are left out.
pub fn spoken_notes(pending: bool, left_out: usize) -> Vec<String> {
    let word = "nobody has enrolled who recorded this session: it is that writer's word alone".to_owned();
    let others = format!("left out: {left_out} records that others wrote under this session's id");
    let notes = [(pending, word), (left_out > 0, others)];
    notes.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note).collect()
}

/// All of it; unknown if any of it is.
pub fn sum(costs: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    let mut total = Money::default();
    for cost in costs {
        total += cost?;
    }
    Some(total)
}

/// What a segment cost; `None` where a model has no price, or where its tokens are not known.
fn segment_cost(prices: &PriceTable, body: &Session) -> Option<Money> {
    if !tells_all_tokens(body) {
        return None;
    }
    sum(body.models.iter().map(|usage| usage_cost(prices, body, usage)))
}

/// Whether all tokens that a segment used are in its record.
pub fn tells_all_tokens(body: &Session) -> bool {
    let untold = [GapKind::TranscriptMissing, GapKind::UsageUnlisted].map(GapKind::as_str);
    body.gaps.iter().all(|gap| !untold.contains(&gap.kind.as_str())) && body.cut.iter().all(|cut| cut.list != "models")
}

fn usage_cost(prices: &PriceTable, body: &Session, usage: &crate::record::body::ModelUsage) -> Option<Money> {
    cost::cost(prices, usage, body.started)
}

#[cfg(test)]
mod tests;
