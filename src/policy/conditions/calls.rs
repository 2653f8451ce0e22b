//! `required-tool` and `conditional-tool`: tools, skills, MCP tools and programs that must have been called, and succeeded.

use super::count;
use crate::id::RepoPath;
use crate::policy::evaluate::{Findings, Place, RECORD_IT};
use crate::policy::evidence::{Commit, Evidence, LastEdit, Partly, Session, Use};
use crate::policy::foresee::{Answer, Plan, Sayings};
use crate::policy::globs::PathGlobs;
use crate::policy::parse::Keys;

#[derive(Debug, Clone)]
pub struct Calls {
    needs: Vec<Need>,
    min_calls: u64,
    after_last_edit: bool,
    /// The files that ask for it; `None`: wherever an agent took part.
    paths: Option<PathGlobs>,
}

/// One thing that must have been called.
#[derive(Debug, Clone)]
struct Need {
    kind: Kind,
    name: String,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tool,
    Skill,
    McpTool,
    Program,
}

impl Kind {
    const ALL: [(&'static str, Kind); 4] =
        [("tools", Kind::Tool), ("skills", Kind::Skill), ("mcp_tools", Kind::McpTool), ("programs", Kind::Program)];

    fn of(self, session: &Session) -> &Partly<Vec<Use>> {
        match self {
            Kind::Tool => &session.tools,
            Kind::Skill => &session.skills,
            Kind::McpTool => &session.mcp_tools,
            Kind::Program => &session.programs,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Skill => "skill",
            Kind::McpTool => "MCP tool",
            Kind::Program => "program",
        }
    }
}

/// So many calls may be asked for.
const MAX_CALLS: u64 = 1000;

/// Whether the rule concerns the range, and by which file.
enum Concerns<'e> {
    No,
    Yes(Place<'e>),
    Perhaps(Place<'e>),
}

/// How many calls count.
#[derive(Default)]
struct Tally {
    least: u64,
    /// `None`: any number.
    most: Option<u64>,
    succeeded: u64,
    failed: u64,
}

impl Calls {
    pub fn read_required(keys: &mut Keys<'_, '_>) -> Option<Self> {
        Self::read(keys, 1, None)
    }

    pub fn read_conditional(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let paths = keys.required("paths", "patterns of the files that ask for it", |keys, key| keys.paths(key));
        let min_calls = keys.number("min_calls", 1..=MAX_CALLS).unwrap_or(1);
        let calls = Self::read(keys, min_calls, None);
        Some(Calls { paths: Some(paths?), ..calls? })
    }

    fn read(keys: &mut Keys<'_, '_>, min_calls: u64, paths: Option<PathGlobs>) -> Option<Self> {
        let mut needs = Some(Vec::new());
        for (key, kind) in Kind::ALL {
            match keys.names(key) {
                Some(names) => {
                    needs
                        .iter_mut()
                        .for_each(|needs| needs.extend(names.iter().map(|n| Need { kind, name: n.clone() })));
                }
                None => needs = None,
            }
        }
        let after_last_edit = keys.flag("after_last_edit").unwrap_or(true);
        if needs.as_ref().is_some_and(Vec::is_empty) {
            keys.lacks("the rule names nothing to call", "one or more of tools, skills, mcp_tools, programs");
            needs = None;
        }
        Some(Calls { needs: needs?, min_calls, after_last_edit, paths })
    }

    pub fn foresee(&self, plan: &Plan, sayings: &mut Sayings<'_>) {
        let held = self.paths.as_ref().map(|paths| {
            let held = plan.paths.iter().filter(|path| paths.matches(path));
            held.cloned().collect::<Vec<RepoPath>>()
        });
        if held.as_ref().is_some_and(Vec::is_empty) {
            if plan.paths.is_empty() {
                let message = "some paths ask for a tool to be run; name those that will be changed";
                sayings.add(Answer::Unknown, message, Vec::new());
            }
            return;
        }
        for need in &self.needs {
            let times = if self.min_calls == 1 { String::new() } else { format!(" {} times", self.min_calls) };
            let when = if self.after_last_edit { ", after the last edit" } else { "" };
            let planned = if plan.tools.contains(&need.name) { "it is planned: " } else { "" };
            let message = format!("{planned}{} {} must succeed{times}{when}", need.kind.as_str(), need.name);
            sayings.add(Answer::Asks, message, held.clone().unwrap_or_default());
        }
    }

    /// Whether a change of this file by an agent asks for the calls.
    pub fn is_asked_by(&self, path: &RepoPath) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.matches(path))
    }

    /// What must have been called: `tool`, `skill`, `MCP tool` or `program`, and its name.
    pub fn needs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.needs.iter().map(|need| (need.kind.as_str(), need.name.as_str()))
    }

    /// How many calls of each must have succeeded.
    pub fn times(&self) -> u64 {
        self.min_calls
    }

    /// Whether calls count only after the last edit.
    pub fn is_after_last_edit(&self) -> bool {
        self.after_last_edit
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        let (place, certain) = match self.concerns(evidence) {
            Concerns::No => return,
            Concerns::Yes(place) => (place, true),
            Concerns::Perhaps(place) => (place, false),
        };
        let bounds = Bounds::of(evidence);
        for need in &self.needs {
            let tally = self.tally(need, evidence, &bounds);
            if tally.least >= self.min_calls {
                continue;
            }
            let asked = match self.min_calls {
                1 => format!("{} {} must have succeeded", need.kind.as_str(), need.name),
                n => format!("{} {} must have succeeded {n} times", need.kind.as_str(), need.name),
            };
            let asked = if self.after_last_edit { format!("{asked} after the last edit") } else { asked };
            if tally.most.is_some_and(|most| most < self.min_calls) && certain {
                let counted = count(tally.most.unwrap_or_default(), "such call");
                let all = format!("{} succeeded in all, {} failed", tally.succeeded, tally.failed);
                let advice = format!(
                    "let the agent run {} {} until it succeeds, then push again",
                    need.kind.as_str(),
                    need.name
                );
                findings.violated(place, format!("{asked}: {counted} found ({all})"), &advice);
            } else {
                let why = bounds.why.as_deref().unwrap_or(match certain {
                    true => "the records do not tell all calls, their outcomes or their order",
                    false => "not all files are known that the range changes",
                });
                findings.unknown(place, format!("{asked}; whether it has cannot be told: {why}"), RECORD_IT);
            }
        }
    }

    fn concerns<'e>(&self, evidence: &'e Evidence) -> Concerns<'e> {
        let mut perhaps = None;
        for commit in evidence.commits.iter().rev() {
            let (yes, open) = match &self.paths {
                Some(paths) => {
                    let file =
                        commit.files.known.iter().map(|file| &file.path).filter(|path| paths.matches(path)).min();
                    (file.map(|path| Place::file(commit, path)), !commit.files.whole)
                }
                None => (agent_took_part(commit).then_some(Place::default()), !says_who(commit)),
            };
            match (yes, open) {
                (Some(place), _) => return Concerns::Yes(place),
                (None, true) => perhaps = perhaps.or(Some(Place::commit(commit))),
                (None, false) => {}
            }
        }
        perhaps.map_or(Concerns::No, Concerns::Perhaps)
    }

    /// How many calls of all sessions count.
    fn tally(&self, need: &Need, evidence: &Evidence, bounds: &Bounds) -> Tally {
        let mut tally = Tally { most: Some(0), ..Tally::default() };
        for session in &evidence.sessions {
            let list = need.kind.of(session);
            if !list.whole {
                tally.most = None;
            }
            for used in list.known.iter().filter(|used| used.name == need.name) {
                let (least, most) = match self.after_last_edit {
                    false => (used.succeeded.known, used.succeeded.whole.then_some(used.succeeded.known)),
                    true => bounds.after(used),
                };
                tally.least = tally.least.saturating_add(least);
                tally.most = tally.most.zip(most).map(|(sum, most)| sum.saturating_add(most));
                tally.succeeded = tally.succeeded.saturating_add(used.succeeded.known);
                tally.failed = tally.failed.saturating_add(used.failed);
            }
        }
        if bounds.why.is_some() {
            tally.most = None;
        }
        tally
    }
}

fn agent_took_part(commit: &Commit) -> bool {
    !commit.drawn().known.is_empty() || commit.total().is_some_and(|lines| lines.agent > 0)
}

/// Whether it is known that no agent took part, where none is known to have.
fn says_who(commit: &Commit) -> bool {
    commit.drawn().whole && commit.total().is_some()
}

/// When the range was last edited, and what leaves that open, or which sessions there were.
struct Bounds {
    last_edit: LastEdit,
    why: Option<String>,
}

impl Bounds {
    fn of(evidence: &Evidence) -> Self {
        let mut bounds = Bounds { last_edit: LastEdit::Never, why: None };
        let mut open = |why: String| {
            bounds.why.get_or_insert(why);
        };
        let mut latest = None;
        let mut known = true;
        for commit in &evidence.commits {
            if let Some(why) = commit.unknown() {
                open(format!("commit {}: {why}", commit.id.short()));
                known = false;
            } else if !commit.draws.whole {
                open(format!("the sessions that commit {} draws on are not all known", commit.id.short()));
                known = false;
            }
            for draw in commit.drawn().known {
                match evidence.session(&draw.session).map(|session| session.last_edit) {
                    Some(LastEdit::Never) => {}
                    Some(LastEdit::At(at)) => latest = latest.max(Some(at)),
                    Some(LastEdit::Unknown) => known = false,
                    None => {
                        open(format!("session {} is not here", draw.session.short()));
                        known = false;
                    }
                }
            }
        }
        bounds.last_edit = match (known, latest) {
            (false, _) => LastEdit::Unknown,
            (true, Some(at)) => LastEdit::At(at),
            (true, None) => LastEdit::Never,
        };
        bounds
    }

    /// How many calls came after the last edit: at least, and at most.
    fn after(&self, used: &Use) -> (u64, Option<u64>) {
        let all = used.succeeded.whole.then_some(used.succeeded.known);
        match self.last_edit {
            LastEdit::Never => (used.succeeded.known, all),
            LastEdit::Unknown => (0, all),
            LastEdit::At(edit) => {
                let after = used.succeeded_at.iter().filter(|at| **at > edit).count() as u64;
                // What happened in the same millisecond may have come first or last.
                let before = used.succeeded_at.iter().filter(|at| **at < edit).count() as u64;
                (after, all.map(|all| all.saturating_sub(before).max(after)))
            }
        }
    }
}
