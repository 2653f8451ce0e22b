//! Evidence of a range of commits, for the rules to judge: what good records say, and what git knows of files.
//!
//! What neither tells is said to be unknown: a commit without a record, a list that was cut, a session that is not here.
//! Whether all approvals are here is known only where nothing else of the ledger is missing or open.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::attribution::labels::Origin;
use crate::attribution::trace::TraceRange;
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::git::repo::Kind;
use crate::git::{diff, history};
use crate::id::{CallId, ChainId, GitId, RecordId, RepoPath, SessionId};
use crate::ledger::calls::{self, mcp_tool, tells_all_calls};
use crate::ledger::origins::Origins;
use crate::ledger::query::{Book, Segment, Share, tells_all_tokens};
use crate::ledger::summary::Summary;
use crate::ledger::traces::Traces;
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, commits};
use crate::policy::{
    AgentLines, Approval, Commit, Draw, Earlier, Evidence, File, LastEdit, Model, ModelUse, Partly, RecordState,
    Session, Spending, Use,
};
use crate::record::body::{Approved, Body, Commit as Recorded, Lines, SAME_COMMIT};
use crate::time::Time;

impl Ledger {
    /// What is known of these commits, oldest first. `with_calls`: also which calls their sessions made, and when, for
    /// which transcripts are read.
    pub fn evidence(&self, book: &Book<'_>, range: &[GitId], with_calls: bool) -> Evidence {
        let mut gather = Gather {
            ledger: self,
            book,
            traces: Traces::new(self),
            origins: Origins::new(self, book),
            paths: diff::changed_paths(&self.repo, range).unwrap_or_default(),
            drawn: HashSet::new(),
            until: BTreeMap::new(),
        };
        let commits: Vec<Commit> = range.iter().map(|id| gather.commit(id)).collect();
        let sessions = gather.sessions(with_calls);
        let earlier = gather.earlier(&commits);
        Evidence { commits, sessions, approvals: gather.approvals(), earlier }
    }
}

/// A merge that adds nothing: what came together in it has records of its own.
fn merge(id: &GitId, author: String) -> Commit {
    let (files, draws) = (Partly::whole(Vec::new()), Partly::whole(Vec::new()));
    Commit { id: id.clone(), author, record: RecordState::Merge, lines: Some(Lines::default()), files, draws }
}

struct Gather<'b> {
    ledger: &'b Ledger,
    book: &'b Book<'b>,
    traces: Traces<'b>,
    origins: Origins<'b>,
    /// The files that commits change, of those that are here.
    paths: HashMap<GitId, Vec<RepoPath>>,
    /// The segments that the range is the first to draw on.
    drawn: HashSet<RecordId>,
    /// The sessions that the range draws on, and the end of what it draws on; `None` where that is not known.
    until: BTreeMap<&'b SessionId, Option<Time>>,
}

impl<'b> Gather<'b> {
    fn commit(&mut self, id: &GitId) -> Commit {
        let (record, entries) = self.record(id);
        if record == RecordState::Merge {
            return merge(id, history::author_email(&self.ledger.repo, id).unwrap_or_default());
        }
        let bodies: Vec<&Recorded> = entries.iter().copied().filter_map(Entry::as_commit).collect();
        let (lines, files) = match (&record, entries.first()) {
            (RecordState::Valid { link: None | Some(SAME_COMMIT), .. }, Some(entry)) => self.recorded(id, entry),
            (RecordState::Valid { .. }, Some(_)) => self.projected(id),
            _ => (None, self.changed(id)),
        };
        let mut draws = self.draws(id, entries.first().copied());
        let named = |session: &SessionId| draws.iter().any(|draw| draw.session == *session);
        let authors = files.known.iter().flat_map(|file| &file.agents);
        let whole = bodies.iter().all(|body| !is_cut(body, "sessions"))
            && !bodies.is_empty()
            && authors.clone().all(|agent| named(&agent.session));
        draws.sort_by(|a, b| (&a.session, &a.day).cmp(&(&b.session, &b.day)));
        let author = history::author_email(&self.ledger.repo, id).unwrap_or_default();
        Commit { id: id.clone(), author, record, lines, files, draws: Partly { known: draws, whole } }
    }

    /// What the records say of a commit, and those that speak of it, the best first.
    fn record(&self, id: &GitId) -> (RecordState, Vec<&'b Entry>) {
        if let Some(entry) = self.book.record_of(id) {
            return (self.standing(entry, None), vec![entry]);
        }
        let linked = self.book.rewritten_from(id);
        if let Some((entry, level)) = linked.first() {
            return (self.standing(entry, Some(*level)), linked.iter().map(|(entry, _)| *entry).collect());
        }
        match self.book.commit(id) {
            known if known.state == commits::State::Bad => {
                let id = known.entry.map(|entry| entry.id.to_string());
                let about = self.book.report.findings.iter().find(|finding| finding.record == id);
                let why =
                    about.map_or("it is bad".to_owned(), |finding| format!("{} {}", finding.code, finding.message));
                (RecordState::Invalid { why }, Vec::new())
            }
            _ if diff::adds_nothing(&self.ledger.repo, id) => (RecordState::Merge, Vec::new()),
            _ => (RecordState::Missing, Vec::new()),
        }
    }

    fn standing(&self, entry: &Entry, link: Option<u32>) -> RecordState {
        let chain = entry.chain;
        match self.book.report.history.member(chain) {
            Some(member) if !self.book.is_pending(entry) => {
                RecordState::Valid { chain, member: member.id.clone(), roles: member.roles.clone(), link }
            }
            _ => RecordState::Pending { chain },
        }
    }

    /// The lines as the commit's own record has them. A file that it does not name has no added lines, unless it was cut.
    fn recorded(&mut self, id: &GitId, entry: &'b Entry) -> (Option<Lines>, Partly<Vec<File>>) {
        let Some(body) = entry.as_commit() else { return (None, self.changed(id)) };
        let cut = is_cut(body, "files");
        let mut files: Vec<File> = Vec::new();
        for file in &body.files {
            let lines =
                Lines { added: file.added, agent: file.agent, human: file.human, unattributed: file.unattributed };
            let mut agents = Agents::default();
            if lines.agent > 0 {
                for range in self.traces.ranges(entry, &file.path) {
                    agents.add(self.book, &range, u64::from(range.end.saturating_sub(range.start)) + 1);
                }
            }
            files.push(File { path: file.path.clone(), lines: Some(lines), agents: agents.list() });
        }
        let Some(paths) = self.paths.get(id) else { return (Some(body.total), Partly { known: files, whole: !cut }) };
        let named: HashSet<&RepoPath> = body.files.iter().map(|file| &file.path).collect();
        let lines = (!cut).then(Lines::default);
        let others = paths.iter().filter(|path| !named.contains(path));
        files.extend(others.map(|path| File { path: path.clone(), lines, agents: Vec::new() }));
        (Some(body.total), Partly::whole(files))
    }

    /// The lines of a rewritten commit: those that the records of the commits before it have, too.
    fn projected(&mut self, id: &GitId) -> (Option<Lines>, Partly<Vec<File>>) {
        let repo = &self.ledger.repo;
        let Ok(changes) = diff::changes(repo, diff::begin(repo, id)) else { return (None, self.changed(id)) };
        let mut files = self.changed(id);
        let mut total = Lines::default();
        for change in &changes.files {
            let (mut lines, mut agents) = (Lines::default(), Agents::default());
            let path = Rc::new(change.path.clone());
            for line in &change.added {
                lines.added += 1;
                let found = self.origins.line(id, &path, *line);
                match found.as_ref().map_or(Origin::Unattributed, |found| found.range.origin()) {
                    Origin::Agent(_) => lines.agent += 1,
                    Origin::Human => lines.human += 1,
                    Origin::Unattributed => lines.unattributed += 1,
                }
                if let Some(found) = found {
                    agents.add(self.book, &found.range, 1);
                }
            }
            add(&mut total, &lines);
            let file = File { path: change.path.clone(), lines: Some(lines), agents: agents.list() };
            match files.known.iter_mut().find(|known| known.path == file.path) {
                Some(known) => *known = file,
                None => files.known.push(file),
            }
        }
        if !self.origins.troubles().is_empty() {
            // A trace that cannot be read may have had agents' lines.
            return (None, self.changed(id));
        }
        for file in &mut files.known {
            file.lines.get_or_insert_default();
        }
        (Some(total), files)
    }

    /// The files that a commit changes, where nobody knows whose the lines are.
    fn changed(&self, id: &GitId) -> Partly<Vec<File>> {
        let file = |path: &RepoPath| File { path: path.clone(), lines: None, agents: Vec::new() };
        match self.paths.get(id) {
            Some(paths) => Partly::whole(paths.iter().map(file).collect()),
            None => Partly::part(Vec::new()),
        }
    }

    /// What a commit is the first to draw on, by session, whose it is, and day.
    fn draws(&mut self, id: &GitId, entry: Option<&Entry>) -> Vec<Draw> {
        let mut draws = Vec::new();
        for mut share in self.book.shares(id) {
            // What two commits of the range took over from one before them counts once.
            share.segments.retain(|segment| !self.drawn.contains(&segment.entry.id));
            let end = share.cited.map(|cited| cited.body.ended);
            let until = self.until.entry(share.session).or_insert(end);
            *until = (*until).max(end);
            let Some(cited) = share.cited else {
                let (author, day) = entry.map_or_else(Default::default, |e| (self.author(e.chain), e.time.day()));
                draws.push(Draw { session: share.session.clone(), author, day, models: Partly::part(Vec::new()) });
                continue;
            };
            if share.segments.is_empty() {
                draws.push(self.leftover(&share, &cited));
                continue;
            }
            self.drawn.extend(share.segments.iter().map(|segment| segment.entry.id));
            let mut days: BTreeMap<(String, String), Vec<Segment<'b>>> = BTreeMap::new();
            for segment in &share.segments {
                let key = (self.author(segment.entry.chain), segment.body.ended.day());
                days.entry(key).or_default().push(*segment);
            }
            for ((author, day), segments) in days {
                draws.push(Draw { session: share.session.clone(), author, day, models: self.models(&segments) });
            }
        }
        draws
    }

    /// Of a session whose use was all counted for commits before.
    fn leftover(&self, share: &Share<'b>, cited: &Segment<'b>) -> Draw {
        let before = self.book.segments(share.session).iter().filter(|s| s.body.segment <= cited.body.segment);
        let mut models = self.models(&before.copied().collect::<Vec<_>>());
        for used in &mut models.known {
            (used.tokens, used.cost) = (0, Some(Default::default()));
        }
        let (author, day) = (self.author(cited.entry.chain), cited.body.ended.day());
        Draw { session: share.session.clone(), author, day, models }
    }

    fn models(&self, segments: &[Segment<'_>]) -> Partly<Vec<ModelUse>> {
        let used = |segment: &Segment<'_>| -> Vec<ModelUse> {
            let one = |usage: &crate::record::body::ModelUsage| ModelUse {
                model: model(self.book, &usage.model),
                tokens: [usage.input, usage.output, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h]
                    .into_iter()
                    .fold(0, u64::saturating_add),
                cost: self.book.model_cost(segment.body, usage),
            };
            segment.body.models.iter().map(one).collect()
        };
        let whole = segments.iter().all(|segment| tells_all_tokens(segment.body));
        Partly { known: segments.iter().flat_map(used).collect(), whole }
    }

    /// Whose a chain is.
    fn author(&self, chain: ChainId) -> String {
        let enrolled = self.book.report.history.member(chain).map(|member| member.id.clone());
        enrolled.unwrap_or_else(|| format!("chain {}", chain.short()))
    }

    /// The sessions that the range draws on, and those that were still going on later: they may have reviewed it.
    fn sessions(&self, with_calls: bool) -> Vec<Session> {
        let started = self.until.keys().filter_map(|id| self.book.segments(id).first()).map(|s| s.body.started).min();
        let mut known = HashSet::new();
        let mut sessions = Vec::new();
        for (id, segments) in self.book.all_sessions() {
            let Some(last) = segments.last() else { continue };
            let concerns = self.until.contains_key(id)
                || (with_calls && started.is_some_and(|started| last.body.ended >= started));
            // A key that nobody has enrolled calls nothing for others.
            let ours = segments.iter().all(|segment| !self.book.is_pending(segment.entry));
            if concerns && (ours || self.until.contains_key(id)) {
                sessions.extend(self.session(id, segments, with_calls, &mut known));
            }
        }
        sessions
    }

    fn session(
        &self,
        id: &SessionId,
        segments: &[Segment<'b>],
        with_calls: bool,
        known: &mut HashSet<CallId>,
    ) -> Option<Session> {
        let summary = Summary::of(self.book, segments)?;
        let all_here = is_unbroken(segments);
        let models = self.models(segments);
        let spent = Spending::of(&Partly { whole: models.whole && all_here, ..models });
        let until = self.until.get(id).copied().flatten();
        let store = &self.book.report.payloads;
        // An amendment changes what is shown; it takes no call back that was recorded.
        let recorded: Vec<Segment<'b>> = segments.iter().map(|segment| segment.as_recorded(store)).collect();
        let read = || calls::read(self.ledger, store, &recorded, until, known);
        if let Some(calls) = (with_calls && all_here).then(read).flatten() {
            return Some(Session {
                id: id.clone(),
                spent,
                tools: Partly::whole(calls.tools),
                skills: Partly::whole(calls.skills),
                mcp_tools: Partly::whole(calls.mcp_tools),
                programs: Partly::whole(calls.programs),
                last_edit: calls.last_edit,
            });
        }
        // Records tell how often what was called, not when, and of skills and programs not how it ended.
        let whole = |list: &str| {
            all_here && segments.iter().all(tells_all_calls) && summary.cut.iter().all(|cut| cut.list != list)
        };
        let used =
            |name: &str, succeeded| Use { name: name.to_owned(), succeeded, failed: 0, succeeded_at: Vec::new() };
        let tools = summary.tools.iter().map(|tool| Use {
            failed: tool.failed,
            ..used(&tool.name, Partly::part(tool.calls.saturating_sub(tool.failed)))
        });
        let tools: Vec<Use> = tools.collect();
        let mcp_tools = tools.iter().filter_map(|tool| Some(Use { name: mcp_tool(&tool.name)?, ..tool.clone() }));
        let open = |name: &String| used(name, Partly::part(0));
        let edited = !summary.files.is_empty() || !whole("files");
        Some(Session {
            id: id.clone(),
            spent,
            mcp_tools: Partly { known: mcp_tools.collect(), whole: whole("tools") },
            skills: Partly { known: summary.skills.iter().map(open).collect(), whole: whole("skills") },
            programs: Partly {
                known: summary.programs.iter().map(|program| open(&program.name)).collect(),
                whole: whole("programs"),
            },
            tools: Partly { known: tools, whole: whole("tools") },
            last_edit: if edited { LastEdit::Unknown } else { LastEdit::Never },
        })
    }

    /// Who approved what, and did not take it back. A commit that is another now than it was then was not approved.
    fn approvals(&self) -> Partly<Vec<Approval>> {
        let report = self.book.report;
        let good = || report.entries().filter(|entry| entry.good && !self.book.is_pending(entry));
        let amended: HashSet<RecordId> = good()
            .filter_map(|entry| match &entry.body {
                Body::Amend(amend) => Some(amend.record),
                _ => None,
            })
            .collect();
        let mut known = Vec::new();
        for entry in good().filter(|entry| !amended.contains(&entry.id)) {
            let (Body::Approve(body), Some(member)) = (&entry.body, report.history.member(entry.chain)) else {
                continue;
            };
            let roles = report.history.roles_at(entry.chain, entry.policy.map_or(u64::MAX, |cited| cited.n));
            let as_it_is = |approved: &&Approved| {
                let bytes = self.ledger.repo.read_checked(&approved.commit, Kind::Commit);
                bytes.is_ok_and(|bytes| Digest::of(&bytes) == approved.sha256)
            };
            known.extend(body.commits.iter().filter(as_it_is).map(|approved| Approval {
                commit: approved.commit.clone(),
                member: member.id.clone(),
                roles: roles.to_vec(),
            }));
        }
        Partly { known, whole: report.verdict() == Verdict::Pass }
    }

    /// What else the authors used on the days that the range draws on.
    fn earlier(&self, range: &[Commit]) -> Vec<Earlier> {
        let days = range.iter().flat_map(|commit| &commit.draws.known).map(|draw| (&draw.author, &draw.day));
        let mut spent: BTreeMap<(String, String), Spending> =
            days.map(|(author, day)| ((author.clone(), day.clone()), Spending::none())).collect();
        for (_, segments) in self.book.all_sessions() {
            for segment in segments.iter().filter(|segment| !self.drawn.contains(&segment.entry.id)) {
                let key = (self.author(segment.entry.chain), segment.body.ended.day());
                if let Some(sum) = spent.get_mut(&key) {
                    *sum += Spending::of(&self.models(&[*segment]));
                }
            }
        }
        spent.into_iter().map(|((author, day), spent)| Earlier { author, day, spent }).collect()
    }
}

fn is_cut(body: &Recorded, list: &str) -> bool {
    body.cut.iter().any(|cut| cut.list == list)
}

/// Whether the segments of a session are all there, from the first on each chain.
fn is_unbroken(segments: &[Segment<'_>]) -> bool {
    let mut numbers: BTreeMap<ChainId, BTreeSet<u64>> = BTreeMap::new();
    for segment in segments {
        numbers.entry(segment.entry.chain).or_default().insert(segment.body.segment);
    }
    let follow = |numbers: &BTreeSet<u64>| numbers.iter().copied().eq(0..numbers.len() as u64);
    // A session that went on with a new key goes on counting on the new chain.
    numbers.values().all(follow) || follow(&numbers.values().flatten().copied().collect())
}

fn add(total: &mut Lines, lines: &Lines) {
    total.added += lines.added;
    total.agent += lines.agent;
    total.human += lines.human;
    total.unattributed += lines.unattributed;
}

/// A model, with the provider that the price table knows where the name does not say it.
fn model(book: &Book<'_>, name: &str) -> Model {
    let model = Model::named(name);
    let provider = model.provider.or_else(|| book.provider(name).map(str::to_owned));
    Model { provider, ..model }
}

/// A file's agents, by session and model.
#[derive(Default)]
struct Agents(BTreeMap<(SessionId, Option<Model>), u64>);

impl Agents {
    fn add(&mut self, book: &Book<'_>, range: &TraceRange, lines: u64) {
        if let Origin::Agent(author) = range.origin() {
            let model = range.model.as_deref().map(|name| model(book, name));
            *self.0.entry((author.session, model)).or_default() += lines;
        }
    }

    fn list(self) -> Vec<AgentLines> {
        self.0.into_iter().map(|((session, model), lines)| AgentLines { session, model, lines }).collect()
    }
}

#[cfg(test)]
mod tests;
