//! Claude Code: its hook payloads, transcripts and files.

pub mod payload;
pub mod reply;
pub mod settings;
mod spans;
pub mod transcript;
pub mod turns;

#[cfg(test)]
mod captures;

use std::io;
use std::path::{Path, PathBuf};

use crate::agent::SubagentFile;
use crate::host::env;
use crate::id::SessionId;
use crate::session::event::Reach;

/// Its name in configuration, commands and records.
pub const NAME: &str = "claude-code";

/// The session in whose shell we run; Claude Code tells its shells and hooks (since 2.1.132).
pub fn session_around() -> Option<SessionId> {
    env::claude_session().map(|id| SessionId::from_agent(&id))
}

/// How a tool reaches files. A tool we do not know may do anything.
fn reach(tool: &str) -> Reach {
    match tool {
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => Reach::Named,
        "Read"
        | "Grep"
        | "Glob"
        | "LS"
        | "NotebookRead"
        | "WebFetch"
        | "WebSearch"
        | "TodoWrite"
        | "TodoRead"
        | "Agent"
        | "Skill"
        | "SlashCommand"
        | "EnterPlanMode"
        | "ExitPlanMode"
        | "AskUserQuestion"
        | "ToolSearch"
        | "BashOutput"
        | "ListMcpResourcesTool"
        | "ReadMcpResourceTool" => Reach::None,
        // Task is the Agent tool's older name; TaskCreate, TaskList and their like keep a to-do list.
        _ if tool.starts_with("Task") => Reach::None,
        _ => Reach::Any,
    }
}

/// The transcripts of a session's subagents, in order of their names: they stand in a folder beside the session's
/// own, named like it.
pub fn subagent_files(transcript: &Path) -> io::Result<Vec<SubagentFile>> {
    let entries = match std::fs::read_dir(transcript.with_extension("").join("subagents")) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let transcript = entry?.path();
        let name = transcript.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(id) = name.strip_prefix("agent-").and_then(|rest| rest.strip_suffix(".jsonl")) {
            files.push(SubagentFile { id: id.to_owned(), meta: transcript.with_extension("meta.json"), transcript });
        }
    }
    files.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(files)
}

/// The transcript of one subagent of the session whose own is at `transcript`; none for what is no id.
pub fn subagent_file(transcript: &Path, id: &str) -> Option<PathBuf> {
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    is_id.then(|| transcript.with_extension("").join("subagents").join(format!("agent-{id}.jsonl")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subagents_have_files_beside_the_sessions_own() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("s-1.jsonl");
        assert_eq!(subagent_files(&main).unwrap(), []);
        let folder: PathBuf = dir.path().join("s-1/subagents");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["agent-b.jsonl", "agent-b.meta.json", "agent-a.jsonl", "other.jsonl"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let files = subagent_files(&main).unwrap();
        assert_eq!(files.iter().map(|file| file.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            (&files[1].transcript, &files[1].meta),
            (&folder.join("agent-b.jsonl"), &folder.join("agent-b.meta.json"))
        );
    }

    #[test]
    fn an_unknown_tool_may_change_any_file() {
        for (tool, expected) in [
            ("Edit", Reach::Named),
            ("NotebookEdit", Reach::Named),
            ("Read", Reach::None),
            ("TaskUpdate", Reach::None),
            ("Bash", Reach::Any),
            ("KillShell", Reach::Any),
            ("mcp__files__read", Reach::Any),
            ("Write2", Reach::Any),
            ("", Reach::Any),
        ] {
            assert_eq!(reach(tool), expected, "{tool}");
        }
    }
}
