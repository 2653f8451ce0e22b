//! `AgentEvent`: what an agent's hook said, in words that are no agent's own. A journal line is one of these.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::id::{CallId, FileId, RepoPath, SessionId};

/// One event of one session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentEvent {
    /// Milliseconds since 1970 when the hook ran, by this machine's clock.
    pub at: i64,
    /// The agent's name, `claude-code`.
    pub agent: String,
    pub session: SessionId,
    pub kind: EventKind,
    /// The agent's own name for the event, `PostToolUse`.
    pub name: String,
    /// The agent's working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The linked work tree (`git worktree add`) that the files below are in, by git's name; absent for the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_tree: Option<String>,
    /// Where the agent writes the session's transcript (a subagent's own, for its stop event).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// The subagent that acted, if it was not the session's main thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
    /// The tool call the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<ToolCall>,
    /// The files' bytes as they were before the call, where that was only found out after it: what an editing tool says it
    /// changed; for a call that may change any file, all that it changed. A file that is in `files` alone had bytes that are
    /// not known, or that the event before the call knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<FileState>,
    /// The files' bytes as they were when the hook ran, for the files the call is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileState>,
    /// What was lost on the way here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The payload as it came, unless it was too large or not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Box<RawValue>>,
}

impl AgentEvent {
    /// What the event says of one file, and no more.
    pub fn about(&self, path: &RepoPath) -> AgentEvent {
        let only = |states: &[FileState]| states.iter().filter(|file| file.path == *path).cloned().collect();
        AgentEvent { before: only(&self.before), files: only(&self.files), ..self.without_files() }
    }

    /// Who did what, without what the files were and all that the agent said.
    pub fn without_files(&self) -> AgentEvent {
        AgentEvent {
            at: self.at,
            agent: self.agent.clone(),
            session: self.session.clone(),
            kind: self.kind,
            name: self.name.clone(),
            cwd: None,
            work_tree: self.work_tree.clone(),
            transcript: None,
            subagent: self.subagent.clone(),
            call: self.call.clone(),
            before: Vec::new(),
            files: Vec::new(),
            gaps: Vec::new(),
            raw: None,
        }
    }
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A session began, was resumed, forked, cleared or compacted.
    Start,
    /// Somebody asked for something.
    Prompt,
    /// A tool is about to run.
    ToolBefore,
    /// A tool has made a commit and still runs; its files are in the state that it has brought them to so far.
    ToolCommitted,
    /// A tool has run; its files are in the state it left them in.
    ToolAfter,
    /// A tool has failed; its files may have changed all the same.
    ToolFailed,
    /// The agent has answered and waits.
    Stop,
    /// A session ended.
    End,
    /// Anything else, known or not.
    Other,
}

/// One request to run a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    pub id: CallId,
    /// The tool's name as the agent has it, `Edit`, `mcp__server__tool`.
    pub tool: String,
    /// How the call reaches files.
    pub reach: Reach,
}

/// How a tool reaches files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It changes the files it names (`Write`, `Edit`, `NotebookEdit`).
    Named,
    /// It may change any file (a shell, an MCP tool, an unknown tool).
    Any,
    /// The same, and what is new in a file may have stood elsewhere before: it runs git to bring it (`git stash pop`).
    Brings,
    /// It changes none (`Read`, `Grep`, a shell's `ls`): what changes meanwhile is somebody else's.
    None,
}

/// A file's bytes at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    pub path: RepoPath,
    /// The SHA-256 under which the journal keeps the bytes; absent if there was no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Digest>,
    /// The file itself, which keeps what it is under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileId>,
}

/// Events or bytes known to be lost, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    pub kind: GapKind,
    /// How many, or how many bytes, as the kind says.
    pub count: u64,
}

macro_rules! gaps {
    ($($name:ident $text:literal $meaning:literal;)*) => {
        /// Why something is missing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum GapKind { $(#[doc = $meaning] $name),* }

        impl GapKind {
            /// The text a record holds.
            pub fn as_str(self) -> &'static str {
                match self { $(GapKind::$name => $text),* }
            }

            /// What it says, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(GapKind::$name => $meaning),* }
            }
        }
    };
}

gaps! {
    PayloadInvalid "payload_invalid" "hook payloads that were not JSON objects";
    PayloadOversize "payload_oversize" "bytes of hook payloads too large to keep";
    FileOversize "file_oversize" "files too large to keep a state of";
    FileUnreadable "file_unreadable" "files that could not be read when a hook ran";
    OutsideRepository "outside_repository" "paths outside the repository that a tool named";
    SnapshotLimited "snapshot_limited" "files a shell or MCP tool may have changed that were too many to keep";
    SnapshotTimeout "snapshot_timeout" "shell or MCP tool calls around which the work tree could not be compared in time";
    SnapshotFailed "snapshot_failed" "shell or MCP tool calls around which the work tree could not be compared";
    EditsLimited "edits_limited" "edits of shells or MCP tools whose diffs were too many or too large to keep";
    EventsLimited "events_limited" "events of sessions without a transcript that were too many or too large to keep";
    TranscriptMissing "transcript_missing" "transcripts that could not be read";
    TranscriptTruncated "transcript_truncated" "transcripts that became shorter than they were";
    LineInvalid "line_invalid" "transcript lines that were not JSON";
    LineOversize "line_oversize" "bytes of transcript lines too large to keep";
    UsageUnlisted "usage_unlisted" "model requests whose tokens the agent wrote nowhere";
    JournalDamaged "journal_damaged" "journal lines that could not be read";
}
