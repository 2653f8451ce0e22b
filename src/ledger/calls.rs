//! Which calls a session made, when they ended and how, and when it last changed a file: read back from its transcript.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::id::CallId;
use crate::ledger::Ledger;
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::read_back::{Source, shell_diffs};
use crate::policy::{LastEdit, Partly, Use};
use crate::session::entry::{Entry, Outcome, ToolResult, ToolUse};
use crate::session::event::{GapKind, Reach};
use crate::time::Time;

/// What was called, by what it was called as.
#[derive(Debug)]
pub struct Calls {
    pub tools: Vec<Use>,
    pub skills: Vec<Use>,
    pub mcp_tools: Vec<Use>,
    pub programs: Vec<Use>,
    pub last_edit: LastEdit,
}

/// Gaps after which calls may be missing from the transcript.
const CALLS_LOST: &[GapKind] =
    &[GapKind::TranscriptMissing, GapKind::TranscriptTruncated, GapKind::LineInvalid, GapKind::LineOversize];
/// Gaps after which it is not known which calls changed files.
const EDITS_LOST: &[GapKind] =
    &[GapKind::SnapshotLimited, GapKind::SnapshotTimeout, GapKind::SnapshotFailed, GapKind::EditsLimited];

/// Whether all calls of a segment were seen.
pub fn tells_all_calls(segment: &Segment<'_>) -> bool {
    !has_gap(segment, CALLS_LOST)
}

fn has_gap(segment: &Segment<'_>, kinds: &[GapKind]) -> bool {
    segment.body.gaps.iter().any(|gap| kinds.iter().any(|kind| kind.as_str() == gap.kind))
}

/// The name of an MCP tool as policies have it, `server/tool`.
pub fn mcp_tool(tool: &str) -> Option<String> {
    let (server, tool) = tool.strip_prefix("mcp__")?.split_once("__")?;
    Some(format!("{server}/{tool}"))
}

/// Reads the calls of a session; `None` if any of it is not here. Edits count until `until`. Calls in `known` are those
/// of another session that this one went on from.
pub fn read(
    ledger: &Ledger,
    payloads: &Payloads,
    segments: &[Segment<'_>],
    until: Option<Time>,
    known: &mut HashSet<CallId>,
) -> Option<Calls> {
    if !segments.iter().all(tells_all_calls) {
        return None;
    }
    let mut reading = Reading::new(segments, until, known);
    let (shells, missing) = shell_diffs(&ledger.repo, payloads, segments, |_| true);
    if !missing.is_empty() || segments.iter().any(|segment| has_gap(segment, EDITS_LOST)) {
        reading.last_edit = LastEdit::Unknown;
    }
    for source in Source::all(segments) {
        for line in source.said(&ledger.repo, payloads) {
            let line = line.ok()?;
            for entry in line.entries {
                match entry {
                    Entry::ToolUse(tool) => reading.begins(tool),
                    Entry::ToolResult(result) => reading.ends(&result, line.at, shells.contains_key(&result.call)),
                    _ => {}
                }
            }
        }
    }
    Some(reading.finish())
}

/// Uses by name.
type Uses = BTreeMap<String, Use>;

struct Reading<'k> {
    known: &'k mut HashSet<CallId>,
    /// Calls without a result so far.
    open: HashMap<CallId, ToolUse>,
    /// Tools, skills, MCP tools, programs.
    uses: [Uses; 4],
    /// The files that records say were changed; `None` where they do not say it of all.
    files: Option<BTreeSet<String>>,
    until: Option<Time>,
    last_edit: LastEdit,
}

impl<'k> Reading<'k> {
    fn new(segments: &[Segment<'_>], until: Option<Time>, known: &'k mut HashSet<CallId>) -> Self {
        let cut = segments.iter().any(|segment| segment.body.cut.iter().any(|cut| cut.list == "files"));
        let files = segments.iter().flat_map(|segment| &segment.body.files);
        let files = files.map(|file| format!("/{}", file.path)).collect();
        let (open, uses) = (HashMap::new(), Default::default());
        Reading { known, open, uses, files: (!cut).then_some(files), until, last_edit: LastEdit::Never }
    }

    fn begins(&mut self, tool: ToolUse) {
        if self.known.insert(tool.call.clone()) {
            self.open.insert(tool.call.clone(), tool);
        }
    }

    fn ends(&mut self, result: &ToolResult, at: Option<i64>, shell_edited: bool) {
        let Some(tool) = self.open.remove(&result.call) else { return };
        let ok = result.outcome == Outcome::Ok;
        for used in self.uses_of(&tool) {
            if ok {
                used.succeeded.known += 1;
                used.succeeded_at.extend(at);
            } else {
                used.failed += 1;
            }
        }
        let edited = match tool.reach {
            // One that does not say which file it changed may have changed one of ours.
            Reach::Named if ok => result.files.is_empty() || result.files.iter().any(|file| self.is_ours(&file.path)),
            Reach::Named => false,
            Reach::Any | Reach::Brings => shell_edited,
            Reach::None => false,
        };
        let counts = |at: i64| self.until.is_none_or(|until| at.div_euclid(1000) <= until.unix());
        match (edited, at, self.last_edit) {
            (false, ..) | (true, _, LastEdit::Unknown) => {}
            (true, None, _) => self.last_edit = LastEdit::Unknown,
            (true, Some(at), LastEdit::At(before)) if counts(at) => self.last_edit = LastEdit::At(at.max(before)),
            (true, Some(at), LastEdit::Never) if counts(at) => self.last_edit = LastEdit::At(at),
            (true, Some(_), _) => {}
        }
    }

    /// Whether a file that a tool named is one of the repository.
    fn is_ours(&self, path: &str) -> bool {
        let Some(files) = &self.files else { return true };
        path.match_indices('/').any(|(at, _)| files.contains(&path[at..]))
    }

    /// What a call is counted as. A program has succeeded where the shell that ran it has.
    fn uses_of(&mut self, tool: &ToolUse) -> Vec<&mut Use> {
        let [tools, skills, mcp_tools, programs] = &mut self.uses;
        let mut uses = vec![named(tools, &tool.tool)];
        if let Some(skill) = &tool.skill {
            uses.push(named(skills, skill));
        }
        if let Some(name) = mcp_tool(&tool.tool) {
            uses.push(named(mcp_tools, &name));
        }
        let names: BTreeSet<&String> = tool.programs.iter().collect();
        for name in &names {
            named(programs, name);
        }
        uses.extend(programs.iter_mut().filter(|(name, _)| names.contains(name)).map(|(_, used)| used));
        uses
    }

    fn finish(mut self) -> Calls {
        for tool in std::mem::take(&mut self.open).into_values() {
            self.uses_of(&tool).into_iter().for_each(|used| used.succeeded.whole = false);
        }
        let [tools, skills, mcp_tools, programs] = self.uses.map(|uses| uses.into_values().collect());
        Calls { tools, skills, mcp_tools, programs, last_edit: self.last_edit }
    }
}

fn named<'u>(uses: &'u mut Uses, name: &str) -> &'u mut Use {
    let none = || Use { name: name.to_owned(), succeeded: Partly::whole(0), failed: 0, succeeded_at: Vec::new() };
    uses.entry(name.to_owned()).or_insert_with(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading<R>(files: &[&str], read: impl FnOnce(&mut Reading<'_>) -> R) -> Calls {
        let mut known = HashSet::new();
        let mut reading = Reading::new(&[], Some(Time::from_unix(100)), &mut known);
        reading.files = Some(files.iter().map(|file| format!("/{file}")).collect());
        read(&mut reading);
        reading.finish()
    }

    fn call(reading: &mut Reading<'_>, id: &str, tool: &str, reach: Reach, programs: &[&str]) -> CallId {
        let call = CallId::from_agent(id);
        let programs = programs.iter().map(|name| (*name).to_owned()).collect();
        let (mcp_server, skill) = (None, (tool == "Skill").then(|| "review".to_owned()));
        reading.begins(ToolUse {
            call: call.clone(),
            tool: tool.into(),
            reach,
            mcp_server,
            skill,
            programs,
            plan: false,
        });
        call
    }

    fn end(reading: &mut Reading<'_>, call: &CallId, outcome: Outcome, at: Option<i64>, path: &str) {
        let files = match path {
            "" => Vec::new(),
            path => vec![crate::session::entry::FileChange { path: path.into(), added: 1, removed: 0 }],
        };
        reading.ends(&ToolResult { call: call.clone(), outcome, files }, at, false);
    }

    #[test]
    fn calls_count_once_each_by_how_they_ended() {
        let calls = reading(&[], |r| {
            let first = call(r, "1", "Bash", Reach::Any, &["cargo", "tee", "cargo"]);
            end(r, &first, Outcome::Ok, Some(5), "");
            end(r, &first, Outcome::Ok, Some(6), "");
            call(r, "1", "Bash", Reach::Any, &["cargo"]);
            let second = call(r, "2", "Bash", Reach::Any, &["cargo"]);
            end(r, &second, Outcome::Denied, Some(7), "");
            let third = call(r, "3", "mcp__db__query", Reach::Any, &[]);
            end(r, &third, Outcome::Ok, None, "");
            call(r, "4", "Skill", Reach::None, &[]);
        });
        let told = |uses: &[Use]| -> Vec<(String, u64, bool, u64, Vec<i64>)> {
            let one =
                |u: &Use| (u.name.clone(), u.succeeded.known, u.succeeded.whole, u.failed, u.succeeded_at.clone());
            uses.iter().map(one).collect()
        };
        assert_eq!(told(&calls.programs), [("cargo".into(), 1, true, 1, vec![5]), ("tee".into(), 1, true, 0, vec![5])]);
        assert_eq!(told(&calls.mcp_tools), [("db/query".into(), 1, true, 0, vec![])]);
        assert_eq!(told(&calls.skills), [("review".into(), 0, false, 0, vec![])], "nobody knows how it ended");
        assert_eq!(
            calls.tools.iter().map(|used| used.name.as_str()).collect::<Vec<_>>(),
            ["Bash", "Skill", "mcp__db__query"]
        );
        assert_eq!(calls.last_edit, LastEdit::Never);
    }

    #[test]
    fn the_last_edit_is_of_the_repositorys_files_and_not_for_later_commits() {
        let edit = |path: &str, at: Option<i64>| {
            let calls = reading(&["src/a.rs"], |r| {
                let first = call(r, "1", "Edit", Reach::Named, &[]);
                end(r, &first, Outcome::Ok, Some(1_000), "/shop/src/a.rs");
                let second = call(r, "2", "Edit", Reach::Named, &[]);
                end(r, &second, Outcome::Ok, at, path);
            });
            calls.last_edit
        };
        assert_eq!(edit("/shop/src/a.rs", Some(2_000)), LastEdit::At(2_000));
        assert_eq!(edit("/tmp/plan.md", Some(2_000)), LastEdit::At(1_000));
        assert_eq!(edit("", Some(2_000)), LastEdit::At(2_000));
        assert_eq!(edit("/shop/src/a.rs", Some(101_000)), LastEdit::At(1_000), "for a later commit");
        assert_eq!(edit("/shop/src/a.rs", None), LastEdit::Unknown);
    }
}
