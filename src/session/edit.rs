//! Edits: what tool calls did to files, made of the states that hooks saw before and after them.

use std::collections::HashMap;

use crate::digest::Digest;
use crate::id::{CallId, FileId, RepoPath, SessionId};
use crate::session::event::{AgentEvent, EventKind, FileState, Reach};

/// A tool call's change of one file.
///
/// A call that was rejected, interrupted or killed has no event after it and makes no edit, even if it had begun to
/// write: what is in the file at the next state that is known counts as nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// When the state before it was seen, in milliseconds since 1970; none if nobody knows.
    pub began: Option<i64>,
    /// When the call was over, in milliseconds since 1970.
    pub at: i64,
    pub session: SessionId,
    pub call: CallId,
    /// The tool's name as the agent has it.
    pub tool: String,
    pub reach: Reach,
    /// The linked work tree the file is in; none for the main one. Its files have a timeline of their own.
    pub work_tree: Option<String>,
    pub path: RepoPath,
    pub before: Known,
    /// The file's bytes after the call; none if it is gone.
    pub after: Option<Digest>,
    /// The file itself, after the call.
    pub file: Option<FileId>,
}

/// A file's state at a moment at which it may not have been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nobody looked, or nobody could keep the bytes.
    Unknown,
    /// The bytes; none if there was no such file.
    Is(Option<Digest>),
}

/// Makes edits out of events, which must come in the order of their session.
#[derive(Default)]
pub struct Edits {
    /// What the files of calls that have not ended were before them.
    open: HashMap<(SessionId, CallId), (i64, Vec<FileState>)>,
    done: Vec<Edit>,
}

impl Edits {
    pub fn add(&mut self, event: AgentEvent) {
        let Some(call) = event.call else { return };
        let key = (event.session, call.id);
        match event.kind {
            EventKind::ToolBefore if call.reach == Reach::Named => {
                self.open.insert(key, (event.at, event.files));
            }
            EventKind::ToolAfter | EventKind::ToolFailed | EventKind::ToolCommitted => {
                let (began, before, original) = match call.reach {
                    Reach::Named => {
                        let open = self.open.remove(&key).map(|(at, files)| (Some(at), files));
                        let (began, before) = open.unwrap_or_default();
                        (began, before, event.before)
                    }
                    _ => (None, event.before, Vec::new()),
                };
                for FileState { path, state: after, file } in event.files {
                    // What the tool found is later than what a hook saw, and between them a person may have been asked.
                    let found = original.iter().find(|file| file.path == path);
                    let began = found.map_or(began, |_| Some(event.at));
                    let seen = found.or_else(|| before.iter().find(|file| file.path == path));
                    let before = seen.map_or(Known::Unknown, |file| Known::Is(file.state));
                    if before != Known::Is(after) {
                        self.done.push(Edit {
                            began,
                            at: event.at,
                            session: key.0.clone(),
                            call: key.1.clone(),
                            tool: call.tool.clone(),
                            reach: call.reach,
                            work_tree: event.work_tree.clone(),
                            path,
                            before,
                            after,
                            file,
                        });
                    }
                }
            }
            _ => {}
        }
    }

    /// All edits, the oldest first.
    pub fn finish(mut self) -> Vec<Edit> {
        self.done.sort_by_key(|edit| edit.at);
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::event::ToolCall;

    fn event(at: i64, kind: EventKind, call: &str, reach: Reach, files: &[(&str, Option<&str>)]) -> AgentEvent {
        AgentEvent {
            at,
            agent: "claude-code".into(),
            session: SessionId::from_agent("s"),
            kind,
            name: String::new(),
            cwd: None,
            work_tree: None,
            transcript: None,
            subagent: None,
            call: Some(ToolCall { id: CallId::from_agent(call), tool: "T".into(), reach }),
            before: Vec::new(),
            files: states(files),
            gaps: Vec::new(),
            raw: None,
        }
    }

    fn states(files: &[(&str, Option<&str>)]) -> Vec<FileState> {
        let state = |text: &str| Digest::of(text.as_bytes());
        files
            .iter()
            .map(|(path, text)| FileState { path: path.parse().unwrap(), state: text.map(state), file: None })
            .collect()
    }

    fn edits(events: impl IntoIterator<Item = AgentEvent>) -> Vec<(i64, String, Known, Option<Digest>)> {
        let mut edits = Edits::default();
        events.into_iter().for_each(|event| edits.add(event));
        edits.finish().into_iter().map(|edit| (edit.at, edit.path.to_string(), edit.before, edit.after)).collect()
    }

    #[test]
    fn states_before_and_after_a_call_are_paired_by_its_id() {
        use EventKind::{ToolAfter, ToolBefore, ToolFailed};
        use Reach::Named;
        let is = |text: &str| Some(Digest::of(text.as_bytes()));
        let events = [
            event(1, ToolBefore, "a", Named, &[("f", Some("1"))]),
            event(2, ToolBefore, "b", Named, &[("g", None)]),
            event(4, ToolAfter, "a", Named, &[("f", Some("2"))]),
            event(3, ToolFailed, "b", Named, &[("g", Some("half"))]),
            // Rejected: nothing comes after it.
            event(5, ToolBefore, "c", Named, &[("f", Some("2"))]),
            // It changed nothing.
            event(6, ToolBefore, "d", Named, &[("f", Some("2"))]),
            event(7, ToolAfter, "d", Named, &[("f", Some("2"))]),
            // Nobody saw what was before.
            event(8, ToolAfter, "e", Named, &[("f", Some("3"))]),
        ];
        let expected = [
            (3, "g".to_owned(), Known::Is(None), is("half")),
            (4, "f".to_owned(), Known::Is(is("1")), is("2")),
            (8, "f".to_owned(), Known::Unknown, is("3")),
        ];
        assert_eq!(edits(events), expected);
    }

    #[test]
    fn a_shell_call_brings_both_states() {
        let mut after =
            event(2, EventKind::ToolAfter, "a", Reach::Any, &[("f", Some("2")), ("g", None), ("h", Some("x"))]);
        after.before = states(&[("f", Some("1")), ("g", Some("gone"))]);
        let found = edits([event(1, EventKind::ToolBefore, "a", Reach::Any, &[]), after]);
        let is = |text: &str| Some(Digest::of(text.as_bytes()));
        let expected = [
            (2, "f".to_owned(), Known::Is(is("1")), is("2")),
            (2, "g".to_owned(), Known::Is(is("gone")), None),
            (2, "h".to_owned(), Known::Unknown, is("x")),
        ];
        assert_eq!(found, expected);
    }
}
