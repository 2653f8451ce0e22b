//! Claude Code: its hook payloads, transcripts and files.

pub mod payload;

use crate::session::event::Reach;

/// Its name in configuration, commands and records.
pub const NAME: &str = "claude-code";

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

#[cfg(test)]
mod tests {
    use super::*;

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
