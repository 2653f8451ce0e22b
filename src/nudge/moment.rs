//! `Moment`: what is happening, as far as nudges ask for it.

use crate::id::RepoPath;

/// What is happening in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A session begins or goes on.
    Start {
        /// The model that is chosen, where the agent says so.
        model: Option<String>,
        /// Whether what was said before is gone or was shortened.
        cleared: bool,
    },
    /// Somebody asks for something.
    Prompt {
        /// The rule of redaction that finds a secret in it.
        secret: Option<&'static str>,
    },
    /// A tool is about to run.
    Before {
        call: Called,
        /// The model that asks for it, where that is known of this very call.
        model: Option<String>,
        /// The repository's files that the call names and may change.
        files: Vec<RepoPath>,
    },
    /// A tool has run.
    After {
        call: Called,
        succeeded: bool,
        /// The repository's files that it changed.
        edited: Vec<RepoPath>,
    },
    /// The agent wants to stop.
    Stop {
        /// Whether a hook has held it back already.
        again: bool,
    },
    End,
}

/// A tool call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Called {
    /// What it uses, in the words of a policy: `tool Bash`, `program cargo`, `skill review`, `MCP tool db/query`, and
    /// `MCP server db`.
    pub uses: Vec<String>,
    /// A hash of the shell command that it runs.
    pub command: Option<String>,
}
