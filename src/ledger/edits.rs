//! Edits that no transcript shows: what shells and MCP tools did to files, and what events alone tell of a session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, RepoPath};
use crate::journal::Journal;
use crate::record::body::{FileEdits, ToolUsage};
use crate::session::edit::{Edit, Edits, Known};
use crate::session::entry::differing;
use crate::session::event::{AgentEvent, EventKind, Reach};
use crate::session::tally::Facts;

/// A line of an `edits` payload.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShellEdits {
    pub call: CallId,
    pub tool: String,
    pub path: RepoPath,
    pub added: u64,
    pub removed: u64,
    /// The change as a unified diff; absent for binary files and for bytes that are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What a change's lines may be long, before and after together, for a diff to be made of it.
const MAX_CHANGE: usize = 1 << 20;

/// The edits of calls that may change any file, among the events of one session.
pub fn shell_edits(events: &[AgentEvent]) -> Vec<Edit> {
    let mut edits = Edits::default();
    for event in events {
        if event.call.as_ref().is_some_and(|call| matches!(call.reach, Reach::Any | Reach::Brings)) {
            edits.add(AgentEvent { raw: None, ..event.clone() });
        }
    }
    edits.finish()
}

/// An edit as it is kept, and whether its diff is left out for its size.
pub fn describe(journal: &Journal, edit: Edit) -> (ShellEdits, bool) {
    let load = |state| journal.states().load(&state).ok().flatten();
    let before = match edit.before {
        Known::Is(Some(state)) => load(state),
        Known::Is(None) => Some(Vec::new()),
        Known::Unknown => None,
    };
    let after = edit.after.map_or_else(|| Some(Vec::new()), load);
    let texts =
        before.and_then(|bytes| String::from_utf8(bytes).ok()).zip(after.and_then(|b| String::from_utf8(b).ok()));
    let (mut added, mut removed, mut diff, mut large) = (0, 0, None, false);
    if let Some((before, after)) = &texts {
        let (_, old, new) = differing(before, after);
        (added, removed) = (new.lines().count() as u64, old.lines().count() as u64);
        large = old.len() + new.len() > MAX_CHANGE;
        diff = (!large).then(|| crate::attribution::unified::diff(before.as_bytes(), after.as_bytes()));
    }
    (ShellEdits { call: edit.call, tool: edit.tool, path: edit.path, added, removed, diff }, large)
}

/// Adds the edits of shells to a segment's files.
pub fn add_shell_edits(facts: &mut Facts, edits: &[ShellEdits]) {
    let mut files: BTreeMap<RepoPath, FileEdits> =
        std::mem::take(&mut facts.files).into_iter().map(|file| (file.path.clone(), file)).collect();
    for edit in edits {
        let file = files.entry(edit.path.clone()).or_insert_with(|| FileEdits {
            path: edit.path.clone(),
            edits: 0,
            added: 0,
            removed: 0,
        });
        file.edits += 1;
        file.added += edit.added;
        file.removed += edit.removed;
    }
    facts.files = files.into_values().collect();
}

/// What the events of a session without a transcript tell: its prompts, and its tool calls with their outcome.
pub fn facts_of_events(facts: &mut Facts, events: &[AgentEvent]) {
    let mut tools: BTreeMap<String, ToolUsage> =
        std::mem::take(&mut facts.tools).into_iter().map(|tool| (tool.name.clone(), tool)).collect();
    for event in events {
        match (event.kind, &event.call) {
            (EventKind::Prompt, _) => {
                facts.prompts += 1;
                facts.turns += 1;
            }
            (EventKind::ToolBefore | EventKind::ToolFailed, Some(call)) => {
                let tool = tools.entry(call.tool.clone()).or_insert_with(|| ToolUsage {
                    name: call.tool.clone(),
                    calls: 0,
                    failed: 0,
                });
                tool.calls += u64::from(event.kind == EventKind::ToolBefore);
                tool.failed += u64::from(event.kind == EventKind::ToolFailed);
            }
            _ => {}
        }
    }
    facts.tools = tools.into_values().collect();
}
