//! Agents: one folder a kind of agent, turning its payloads and transcripts into our words.

pub mod claude_code;
mod json;

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::id::SessionId;
use crate::nudge::{Moment, Nudge};
use crate::session::entry::Line;
use crate::session::event::AgentEvent;
use crate::session::turns::Shown;

/// The session in whose shell we run, if an agent says so.
pub fn session_around() -> Option<SessionId> {
    claude_code::session_around()
}

/// A kind of agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    ClaudeCode,
}

impl Kind {
    /// Every kind we know.
    pub const ALL: [Kind; 1] = [Kind::ClaudeCode];

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in configuration, commands and records.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ClaudeCode => claude_code::NAME,
        }
    }

    /// What a hook payload says; `at` is when the hook ran, in milliseconds since 1970.
    pub fn event(self, payload: &[u8], at: i64) -> Heard {
        match self {
            Kind::ClaudeCode => claude_code::payload::event(payload, at),
        }
    }

    /// What one line of a transcript says.
    pub fn line(self, line: &[u8]) -> Line {
        match self {
            Kind::ClaudeCode => claude_code::transcript::line(line),
        }
    }

    /// What one line of a transcript, redacted or not, shows to people.
    pub fn shown(self, line: &[u8]) -> Shown {
        match self {
            Kind::ClaudeCode => claude_code::turns::shown(line),
        }
    }

    /// What one event shows to people, where there is no transcript.
    pub fn shown_event(self, event: &AgentEvent) -> Shown {
        match self {
            Kind::ClaudeCode => claude_code::turns::shown_event(event),
        }
    }

    /// What an event means to nudges; none where nothing is said at such an event.
    pub fn moment(self, event: &AgentEvent) -> Option<Moment> {
        match self {
            Kind::ClaudeCode => claude_code::reply::moment(event),
        }
    }

    /// What somebody typed, where the event is a prompt.
    pub fn prompt(self, event: &AgentEvent) -> Option<String> {
        match self {
            Kind::ClaudeCode => claude_code::reply::prompt(event),
        }
    }

    /// A nudge as the answer to an event; none where the agent has no way to be told so.
    pub fn reply(self, event: &AgentEvent, nudge: &Nudge) -> Option<Value> {
        match self {
            Kind::ClaudeCode => claude_code::reply::reply(event, nudge),
        }
    }

    /// The transcript of whoever acted in the event: the session's own, or a subagent's.
    pub fn transcript(self, event: &AgentEvent) -> Option<PathBuf> {
        let main = Path::new(event.transcript.as_deref()?);
        match (self, &event.subagent) {
            (_, None) => Some(main.to_owned()),
            (Kind::ClaudeCode, Some(id)) => claude_code::subagent_file(main, id),
        }
    }

    /// The transcripts of the subagents of the session whose own is at `transcript`.
    pub fn subagent_files(self, transcript: &Path) -> io::Result<Vec<SubagentFile>> {
        match self {
            Kind::ClaudeCode => claude_code::subagent_files(transcript),
        }
    }
}

/// Where a subagent's transcript is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubagentFile {
    pub id: String,
    pub transcript: PathBuf,
    /// What the agent says about the subagent; there may be no such file.
    pub meta: PathBuf,
}

/// One hook call, understood.
#[derive(Debug, Clone)]
pub struct Heard {
    pub event: AgentEvent,
    /// Absolute paths of the files that the tool call names and may change.
    pub paths: Vec<PathBuf>,
    /// The text of the file that the tool call changed as it was just before, if the agent says so.
    pub original: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("claude"), None);
    }
}
