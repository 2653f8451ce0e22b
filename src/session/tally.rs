//! `Tally`: counts what the entries of one segment of a session add to it.
//!
//! A session is read in segments, wherever it happens to be cut. What must be remembered from one segment to the
//! next is the [`TallyState`]; with it the sum over the segments of a session is the session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CallId, RepoPath};
use crate::record::body::{Cut, FileEdits, GapCount, ModelUsage, Program, PromptClass, ToolUsage};
use crate::session::activity::Activity;
use crate::session::entry::{Entry, FileChange, Line, Message, Outcome, Tokens, ToolResult, ToolUse};
use crate::session::event::{GapKind, Reach};
use crate::session::unlisted::{Claim, Unlisted};
use crate::time::Time;

/// How many ids are remembered with what was counted for them; of older ones the caller knows that they were.
const MAX_RECENT: usize = 512;

/// How many tool calls without a result are remembered.
const MAX_PENDING: usize = 1024;

/// How many subagents a session is counted to have.
const MAX_SUBAGENTS: usize = 10_000;

/// How many different names a list holds; further ones are only counted.
const MAX_NAMES: usize = 4096;

/// The largest integer a record holds.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// What is remembered of a session from one segment to the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TallyState {
    recent: VecDeque<Recent>,
    /// Tool calls seen lately, by the hash of their id.
    calls: VecDeque<u64>,
    pending: VecDeque<Pending>,
    subagents: BTreeSet<u64>,
    /// Whether the main thread's lines are copies of another session's.
    copying: bool,
    version: String,
    activity: Activity,
    unlisted: Unlisted,
}

/// An id seen lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Recent {
    id: u64,
    /// What was counted for it, if it is a message's.
    tokens: Tokens,
    /// By the size of its prompt when it was first counted. What it grows by later stays in this class.
    class: PromptClass,
    /// Whether it is counted in another session.
    copied: bool,
}

/// A tool call without a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    call: CallId,
    tool: String,
    reach: Reach,
}

/// What a segment adds to a session: the facts of its record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The agent's version, empty where it did not say.
    pub version: String,
    /// The first and last moment; none where no line told the time.
    pub span: Option<(Time, Time)>,
    pub active_seconds: u64,
    pub prompts: u64,
    pub turns: u64,
    pub plans: u64,
    pub compactions: u64,
    pub subagents: u64,
    pub models: Vec<ModelUsage>,
    pub tools: Vec<ToolUsage>,
    pub mcp_servers: Vec<String>,
    pub skills: Vec<String>,
    pub programs: Vec<Program>,
    pub files: Vec<FileEdits>,
    pub gaps: Vec<GapCount>,
    pub cut: Vec<Cut>,
}

/// A segment, counted.
#[derive(Debug, Clone)]
pub struct Segment {
    pub facts: Facts,
    /// For the session's next segment.
    pub state: TallyState,
    /// Hashes of the ids counted here, never to be counted again.
    pub ids: Vec<u64>,
}

/// The hash under which an id is known to be counted: the first 8 bytes of its SHA-256.
pub fn id_hash(id: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *Digest::of(id.as_bytes()).as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Counts a segment line by line.
pub struct Tally<'a> {
    state: TallyState,
    roots: &'a [String],
    known: &'a dyn Fn(u64) -> bool,
    ids: Vec<u64>,
    active_before: u64,
    span: Option<(i64, i64)>,
    facts: Facts,
    models: Names<BTreeMap<PromptClass, Claim>>,
    /// Calls and failures.
    tools: Names<(u64, u64)>,
    mcp_servers: Names<()>,
    skills: Names<()>,
    programs: Names<u64>,
    /// Edits, lines added and removed.
    files: Names<(u64, u64, u64)>,
    gaps: BTreeMap<GapKind, u64>,
}

impl<'a> Tally<'a> {
    /// Goes on from `state`. `roots` are the absolute paths of the repository's work trees; `known` tells whether an
    /// id was counted before, in any session of this clone.
    pub fn new(state: TallyState, roots: &'a [String], known: &'a dyn Fn(u64) -> bool) -> Self {
        Tally {
            active_before: state.activity.seconds(),
            state,
            roots,
            known,
            ids: Vec::new(),
            span: None,
            facts: Facts::default(),
            models: Names::default(),
            tools: Names::default(),
            mcp_servers: Names::default(),
            skills: Names::default(),
            programs: Names::default(),
            files: Names::default(),
            gaps: BTreeMap::new(),
        }
    }

    /// Counts one line: first the main transcript's, then the subagents', each file in order.
    pub fn add(&mut self, line: &Line) {
        for gap in &line.gaps {
            self.gap(gap.kind, gap.count);
        }
        let main = line.subagent.is_none();
        let met = line.entries.iter().find_map(Entry::id).map(|id| self.meet(id));
        let copied = match met {
            Some((at, _)) => self.state.recent[at].copied,
            None => main && self.state.copying,
        };
        if main && met.is_some() {
            self.state.copying = copied;
        }
        if !copied {
            self.noticed(line, main);
        }
        for entry in &line.entries {
            match (entry, met) {
                (Entry::Message(message), Some(met)) => self.message(message, met, line.at),
                (Entry::ToolResult(result), _) => self.tool_result(result),
                _ if copied => {}
                (Entry::ToolUse(tool), _) => self.tool_use(tool),
                (Entry::Prompt(prompt), Some((_, true))) => {
                    self.facts.turns += 1;
                    self.facts.prompts += u64::from(prompt.human);
                    self.state.unlisted.prompted();
                }
                (Entry::Compaction { .. }, Some((_, true))) => {
                    self.facts.compactions += 1;
                    self.state.unlisted.compacted();
                }
                (Entry::Totals(used), _) => self.state.unlisted.total(used),
                _ => {}
            }
        }
    }

    /// Something was lost.
    pub fn gap(&mut self, kind: GapKind, count: u64) {
        let sum = self.gaps.entry(kind).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Closes the segment. All files must have been read to their end; `ended` says that the session is over: calls
    /// without a result were interrupted, and what nothing accounts for by now is a gap.
    pub fn finish(mut self, ended: bool) -> Segment {
        for (model, claim) in self.state.unlisted.settle(ended) {
            self.model(&model, claim.class(), claim);
        }
        if ended {
            let unaccounted = self.state.unlisted.unaccounted();
            self.gap(GapKind::UsageUnlisted, unaccounted);
            for pending in std::mem::take(&mut self.state.pending) {
                self.tools.add(&pending.tool, |(_, failed)| *failed += 1);
            }
        }
        let mut facts = self.facts;
        facts.version = self.state.version.clone();
        facts.span = self.span.map(|(first, last)| (time(first), time(last)));
        facts.active_seconds = self.state.activity.seconds() - self.active_before;
        let cut = &mut facts.cut;
        let models = self.models.list("models", cut, |model, classes| {
            classes.into_iter().map(move |(class, sum)| usage(model.clone(), class, sum))
        });
        facts.models = models.into_iter().flatten().collect();
        facts.tools = self.tools.list("tools", cut, |name, (calls, failed)| ToolUsage { name, calls, failed });
        facts.mcp_servers = self.mcp_servers.list("mcp_servers", cut, |name, ()| name);
        facts.skills = self.skills.list("skills", cut, |name, ()| name);
        facts.programs = self.programs.list("programs", cut, |name, runs| Program { name, runs });
        let files = self.files.list("files", cut, |path, (edits, added, removed)| {
            path.parse::<RepoPath>().ok().map(|path| FileEdits { path, edits, added, removed })
        });
        facts.files = files.into_iter().flatten().collect();
        let gaps = self.gaps.into_iter().filter(|(_, count)| *count > 0);
        facts.gaps =
            gaps.map(|(kind, n)| GapCount { kind: kind.as_str().to_owned(), count: n.min(MAX_INTEGER) }).collect();
        facts.gaps.sort_by(|a, b| a.kind.cmp(&b.kind));
        Segment { facts, state: self.state, ids: self.ids }
    }

    /// Where an id stands among the recent ones, and whether it is met for the first time.
    fn meet(&mut self, id: &str) -> (usize, bool) {
        let id = id_hash(id);
        let recent = &mut self.state.recent;
        if let Some(at) = recent.iter().rposition(|recent| recent.id == id) {
            return (at, false);
        }
        let copied = (self.known)(id);
        if !copied {
            self.ids.push(id);
        }
        if recent.len() == MAX_RECENT {
            recent.pop_front();
        }
        recent.push_back(Recent { id, tokens: Tokens::default(), class: PromptClass::default(), copied });
        (recent.len() - 1, true)
    }

    /// When and by whom a line of this session was written.
    fn noticed(&mut self, line: &Line, main: bool) {
        if let Some(at) = line.at {
            self.state.activity.add(at);
            let (first, last) = self.span.get_or_insert((at, at));
            (*first, *last) = ((*first).min(at), (*last).max(at));
            if main {
                self.state.unlisted.went_on(at);
            }
        }
        if let Some(version) = &line.version {
            self.state.version = clean(version);
        }
        if let Some(subagent) = &line.subagent {
            let subagents = &mut self.state.subagents;
            if subagents.len() < MAX_SUBAGENTS && subagents.insert(id_hash(subagent)) {
                self.facts.subagents += 1;
            }
        }
    }

    fn message(&mut self, message: &Message, (at, new): (usize, bool), when: Option<i64>) {
        let Some(recent) = self.state.recent.get_mut(at) else { return };
        let largest = recent.tokens.max(message.tokens);
        let more = largest.minus(recent.tokens);
        recent.tokens = largest;
        if new {
            recent.class = PromptClass::of(largest.sent());
        }
        let class = recent.class;
        let model = clean(&message.model);
        if recent.copied {
            self.state.unlisted.copy(&model, more, when);
        } else {
            let counted = self.state.unlisted.message(&model, more, new, when);
            self.model(&model, class, counted);
        }
    }

    fn model(&mut self, model: &str, class: PromptClass, more: Claim) {
        self.models.add(model, |classes| {
            let sum = classes.entry(class).or_default();
            *sum = both(*sum, more);
        });
    }

    fn tool_use(&mut self, tool: &ToolUse) {
        let call = id_hash(tool.call.as_str());
        if self.state.calls.contains(&call) {
            return;
        }
        if self.state.calls.len() == MAX_RECENT {
            self.state.calls.pop_front();
        }
        self.state.calls.push_back(call);
        self.tools.add(&tool.tool, |(calls, _)| *calls += 1);
        self.facts.plans += u64::from(tool.plan);
        if let Some(server) = &tool.mcp_server {
            self.mcp_servers.add(server, |()| ());
        }
        if let Some(skill) = &tool.skill {
            self.skills.add(skill, |()| ());
        }
        for program in &tool.programs {
            self.programs.add(program, |runs| *runs += 1);
        }
        if self.state.pending.len() == MAX_PENDING {
            self.state.pending.pop_front();
        }
        let pending = Pending { call: tool.call.clone(), tool: clean(&tool.tool), reach: tool.reach };
        self.state.pending.push_back(pending);
    }

    /// A result counts once, and only of a call that was counted here.
    fn tool_result(&mut self, result: &ToolResult) {
        let Some(at) = self.state.pending.iter().position(|pending| pending.call == result.call) else { return };
        let Some(pending) = self.state.pending.remove(at) else { return };
        if result.outcome != Outcome::Ok {
            self.tools.add(&pending.tool, |(_, failed)| *failed += 1);
        }
        if pending.reach == Reach::Named {
            result.files.iter().for_each(|change| self.file(change));
        }
    }

    fn file(&mut self, change: &FileChange) {
        match repo_path(&change.path, self.roots) {
            Some(path) => self.files.add_whole(path.as_str(), |(edits, added, removed)| {
                *edits += 1;
                *added = added.saturating_add(change.added);
                *removed = removed.saturating_add(change.removed);
            }),
            None => self.gap(GapKind::OutsideRepository, 1),
        }
    }
}

fn both(a: Claim, b: Claim) -> Claim {
    Claim { tokens: a.tokens.plus(b.tokens), requests: a.requests.saturating_add(b.requests) }
}

fn usage(model: String, prompt_over: PromptClass, sum: Claim) -> ModelUsage {
    ModelUsage {
        model,
        prompt_over,
        requests: sum.requests.min(MAX_INTEGER),
        input: sum.tokens.input.min(MAX_INTEGER),
        output: sum.tokens.output.min(MAX_INTEGER),
        cache_read: sum.tokens.cache_read.min(MAX_INTEGER),
        cache_write_5m: sum.tokens.cache_write_5m.min(MAX_INTEGER),
        cache_write_1h: sum.tokens.cache_write_1h.min(MAX_INTEGER),
    }
}

fn time(millis: i64) -> Time {
    Time::from_unix(millis.div_euclid(1000))
}

/// A name as a record holds it: at most 200 characters, none that control a terminal.
fn clean(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The path within the work tree that holds `path`, the innermost if they are nested.
fn repo_path(path: &str, roots: &[String]) -> Option<RepoPath> {
    let path = normal(path)?;
    let inner = |root: &String| {
        let root = normal(root)?;
        Some((root.len(), path.strip_prefix(&root)?.strip_prefix('/')?.to_owned()))
    };
    let (_, inner) = roots.iter().filter_map(inner).max_by_key(|(len, _)| *len)?;
    RepoPath::from_bytes(inner.as_bytes()).ok()
}

/// An absolute path without `.`, `..` and doubled `/`; symbolic links are not followed.
fn normal(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.iter().map(|part| format!("/{part}")).collect())
}

/// A list by name, bounded.
#[derive(Default)]
struct Names<T> {
    by_name: BTreeMap<String, T>,
    cut: u64,
}

impl<T: Default> Names<T> {
    fn add(&mut self, name: &str, change: impl FnOnce(&mut T)) {
        self.add_whole(&clean(name), change);
    }

    /// The same for a name that needs no cleaning.
    fn add_whole(&mut self, name: &str, change: impl FnOnce(&mut T)) {
        if let Some(value) = self.by_name.get_mut(name) {
            change(value);
        } else if self.by_name.len() < MAX_NAMES {
            change(self.by_name.entry(name.to_owned()).or_default());
        } else {
            self.cut += 1;
        }
    }

    fn list<R>(self, list: &str, cut: &mut Vec<Cut>, make: impl Fn(String, T) -> R) -> Vec<R> {
        if self.cut > 0 {
            cut.push(Cut { list: list.to_owned(), count: self.cut });
        }
        self.by_name.into_iter().map(|(name, value)| make(name, value)).collect()
    }
}

#[cfg(test)]
mod tests;
