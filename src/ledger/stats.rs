//! Numbers over sessions and commits: tokens, money, calls and lines, by whom and what they belong to.
//!
//! Only good records count. A commit that was rewritten counts once, in its newest form.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Serialize, Serializer};

use crate::cost::{self, Money, PriceTable};
use crate::git::history;
use crate::id::{ChainId, GitId, SessionId};
use crate::ledger::query::tells_all_tokens;
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError, commits};
use crate::record::body::{Body, Commit, Lines, ModelUsage, Session, ToolUsage};
use crate::time::Time;

/// A session may be named by so many characters of its id's beginning, and more.
const SHORTEST_PREFIX: usize = 4;

/// What is to be counted: all that every given part lets through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The session whose id begins so, and the commits that draw on it.
    pub session: Option<String>,
    /// These commits, and the sessions that they draw on.
    pub commits: Option<HashSet<GitId>>,
    /// What ended or was recorded at this moment or later.
    pub since: Option<Time>,
    /// What ended or was recorded at this moment or before.
    pub until: Option<Time>,
}

impl Filter {
    fn spans(&self, time: Time) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

/// The answer, in all and by what it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    pub total: Numbers,
    pub by_model: BTreeMap<String, Numbers>,
    pub by_author: BTreeMap<String, Numbers>,
    pub by_agent: BTreeMap<String, Numbers>,
    pub by_tool: BTreeMap<String, Numbers>,
    /// By the day, in UTC, on which a segment ended or a commit was recorded.
    pub by_day: BTreeMap<String, Numbers>,
    /// Segments that used more tokens than their records tell.
    #[serde(skip)]
    pub untold: u64,
}

/// What was counted of one thing; absent what makes no sense of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Numbers {
    #[serde(serialize_with = "how_many")]
    pub sessions: BTreeSet<SessionId>,
    #[serde(flatten)]
    pub usage: Option<Usage>,
    #[serde(flatten)]
    pub calls: Option<Calls>,
    #[serde(flatten)]
    pub lines: Option<Lines>,
}

fn how_many<S: Serializer>(sessions: &BTreeSet<SessionId>, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u64(sessions.len() as u64)
}

/// Tokens and what they cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    pub requests: u64,
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    /// Of the requests whose price is known.
    pub cost_usd: Money,
    /// The others: they are charged at no other model's price.
    pub cost_unknown_requests: u64,
    /// What the tokens read from caches would have cost more without.
    pub cache_saved_usd: Money,
}

impl Usage {
    fn add(&mut self, usage: &ModelUsage, priced: Priced) {
        add(&mut self.requests, usage.requests);
        add(&mut self.input, usage.input);
        add(&mut self.output, usage.output);
        add(&mut self.cache_read, usage.cache_read);
        add(&mut self.cache_write_5m, usage.cache_write_5m);
        add(&mut self.cache_write_1h, usage.cache_write_1h);
        match priced.cost {
            Some(cost) => self.cost_usd += cost,
            None => add(&mut self.cost_unknown_requests, usage.requests),
        }
        self.cache_saved_usd += priced.saved.unwrap_or_default();
    }
}

/// Tool calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub calls: u64,
    pub failed: u64,
}

impl Calls {
    fn add(&mut self, tool: &ToolUsage) {
        add(&mut self.calls, tool.calls);
        add(&mut self.failed, tool.failed);
    }
}

#[derive(Clone, Copy)]
struct Priced {
    cost: Option<Money>,
    saved: Option<Money>,
}

/// Records hold numbers up to 2^53; nobody reaches the end honestly.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

impl Numbers {
    /// Of a model.
    fn usage() -> Self {
        Numbers { usage: Some(Usage::default()), ..Numbers::default() }
    }

    /// Of a tool.
    fn calls() -> Self {
        Numbers { calls: Some(Calls::default()), ..Numbers::default() }
    }

    /// Of an agent: whose each line is, only the trace of a commit tells.
    fn session() -> Self {
        Numbers { calls: Some(Calls::default()), ..Numbers::usage() }
    }

    fn whole() -> Self {
        Numbers { lines: Some(Lines::default()), ..Numbers::session() }
    }

    fn add_session(&mut self, session: &Session, prices: &[Priced]) {
        self.sessions.insert(session.session.clone());
        for (usage, priced) in session.models.iter().zip(prices) {
            self.usage.get_or_insert_default().add(usage, *priced);
        }
        for tool in &session.tools {
            self.calls.get_or_insert_default().add(tool);
        }
    }

    fn add_lines(&mut self, more: &Lines) {
        let lines = self.lines.get_or_insert_default();
        add(&mut lines.added, more.added);
        add(&mut lines.agent, more.agent);
        add(&mut lines.human, more.human);
        add(&mut lines.unattributed, more.unattributed);
    }
}

impl Default for Stats {
    fn default() -> Self {
        Stats {
            total: Numbers::whole(),
            by_model: BTreeMap::new(),
            by_author: BTreeMap::new(),
            by_agent: BTreeMap::new(),
            by_tool: BTreeMap::new(),
            by_day: BTreeMap::new(),
            untold: 0,
        }
    }
}

impl Stats {
    /// Counts a segment of a session that `author` recorded.
    pub fn add_session(&mut self, session: &Session, author: &str, table: &PriceTable) {
        let price = |usage: &ModelUsage| Priced {
            cost: cost::cost(table, usage, session.started),
            saved: cost::cache_saved(table, usage, session.started),
        };
        self.untold += u64::from(!tells_all_tokens(session));
        let prices: Vec<Priced> = session.models.iter().map(price).collect();
        self.whole(author, session.ended, |numbers| numbers.add_session(session, &prices));
        let agent = self.by_agent.entry(session.agent.name.clone()).or_insert_with(Numbers::session);
        agent.add_session(session, &prices);
        for (usage, priced) in session.models.iter().zip(&prices) {
            let model = self.by_model.entry(usage.model.clone()).or_insert_with(Numbers::usage);
            model.sessions.insert(session.session.clone());
            model.usage.get_or_insert_default().add(usage, *priced);
        }
        for used in &session.tools {
            let tool = self.by_tool.entry(used.name.clone()).or_insert_with(Numbers::calls);
            tool.sessions.insert(session.session.clone());
            tool.calls.get_or_insert_default().add(used);
        }
    }

    /// Counts the lines of a commit that `author` made.
    pub fn add_commit(&mut self, lines: &Lines, author: &str, recorded: Time) {
        self.whole(author, recorded, |numbers| numbers.add_lines(lines));
    }

    /// Adds to everything that sessions and commits have in common.
    fn whole(&mut self, author: &str, time: Time, count: impl Fn(&mut Numbers)) {
        count(&mut self.total);
        count(self.by_author.entry(author.to_owned()).or_insert_with(Numbers::whole));
        count(self.by_day.entry(time.day()).or_insert_with(Numbers::whole));
    }
}

impl Ledger {
    /// Counts what a verification found good, as far as the filter lets it through.
    pub fn stats(&self, report: &Report, filter: &Filter, table: &PriceTable) -> Result<Stats, LedgerError> {
        let members: HashMap<ChainId, &str> =
            report.chains.iter().map(|chain| (chain.id, chain.member.as_deref().unwrap_or("unknown"))).collect();
        let member = |entry: &Entry| members.get(&entry.chain).copied().unwrap_or("unknown");
        let only = filter.session.as_deref().map(|prefix| find_session(report, prefix)).transpose()?;
        let commits = counted(report, filter.commits.as_ref());
        let drawn_on: HashSet<&SessionId> =
            commits.iter().flat_map(|counted| &counted.body.sessions).map(|drawn| &drawn.session).collect();

        let mut stats = Stats::default();
        for entry in report.entries().filter(|entry| entry.good) {
            let Body::Session(session) = &entry.body else { continue };
            let wanted = only.is_none_or(|only| session.session == *only)
                && (filter.commits.is_none() || drawn_on.contains(&session.session));
            if wanted && filter.spans(session.ended) {
                stats.add_session(session, member(entry), table);
            }
        }
        for Counted { commit, entry, body } in &commits {
            let wanted = only.is_none_or(|only| body.sessions.iter().any(|drawn| drawn.session == *only));
            if wanted && filter.spans(entry.time) {
                let author = history::author_email(&self.repo, commit);
                stats.add_commit(&body.total, author.as_deref().unwrap_or(member(entry)), entry.time);
            }
        }
        Ok(stats)
    }
}

/// The one session whose id begins with `prefix`.
fn find_session<'r>(report: &'r Report, prefix: &str) -> Result<&'r SessionId, LedgerError> {
    let mut found = BTreeMap::new();
    for entry in report.entries().filter(|entry| entry.good) {
        if let Body::Session(session) = &entry.body
            && session.session.as_str().starts_with(prefix)
        {
            found.insert(session.session.as_str(), &session.session);
        }
    }
    let refuse = |message: String| Err(LedgerError::Refused(message));
    if let Some(exact) = found.get(prefix) {
        return Ok(exact);
    }
    if prefix.chars().count() < SHORTEST_PREFIX {
        return refuse(format!("{prefix:?} is too short to name a session: it takes {SHORTEST_PREFIX} characters"));
    }
    let ids: Vec<&str> = found.keys().copied().take(6).collect();
    match (found.len(), found.into_values().next()) {
        (1, Some(session)) => Ok(session),
        (0, _) => refuse(format!("no session that is recorded begins with {prefix:?}")),
        (n, _) => {
            let more = if n > ids.len() { ", …" } else { "" };
            refuse(format!("{n} sessions begin with {prefix:?}: {}{more}", ids.join(", ")))
        }
    }
}

/// A commit whose lines count, and the record that tells them.
struct Counted<'r> {
    /// The commit, or what it was rewritten to.
    commit: GitId,
    entry: &'r Entry,
    body: &'r Commit,
}

/// The commits that count, each with one good record: of all, those that were not rewritten; of a range, those in it.
fn counted<'r>(report: &'r Report, range: Option<&HashSet<GitId>>) -> Vec<Counted<'r>> {
    let records: HashMap<GitId, &Entry> =
        commits::records(report).into_iter().filter(|(_, entry)| entry.good).collect();
    let mut rewritten: HashMap<&GitId, &GitId> = HashMap::new();
    for entry in report.entries().filter(|entry| entry.good) {
        if let Body::Link(link) = &entry.body
            && link.level > 0
        {
            rewritten.insert(&link.old, &link.new);
        }
    }
    let mut counted = Vec::new();
    for (commit, entry) in &records {
        let Body::Commit(body) = &entry.body else { continue };
        let forms = forms(commit, &rewritten);
        let at = match range {
            Some(range) => forms.iter().position(|form| range.contains(*form)),
            None => forms.len().checked_sub(1),
        };
        // A newer form with a record of its own speaks for itself.
        let Some(at) = at.filter(|at| forms[1..=*at].iter().all(|form| !records.contains_key(*form))) else { continue };
        counted.push(Counted { commit: forms[at].clone(), entry, body });
    }
    counted
}

/// A commit and what it was rewritten to, one after the other.
fn forms<'a>(commit: &'a GitId, rewritten: &HashMap<&'a GitId, &'a GitId>) -> Vec<&'a GitId> {
    let mut forms = vec![commit];
    while let Some(next) = forms.last().and_then(|last| rewritten.get(*last).copied()) {
        // Links of several writers may go round in a circle.
        if forms.contains(&next) {
            break;
        }
        forms.push(next);
    }
    forms
}

#[cfg(test)]
mod tests;
