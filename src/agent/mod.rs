//! Agents: one folder a kind of agent, turning its payloads and transcripts into our words.

pub mod claude_code;
mod json;

use std::path::PathBuf;

use crate::session::event::AgentEvent;

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
}

/// One hook call, understood.
#[derive(Debug, Clone)]
pub struct Heard {
    pub event: AgentEvent,
    /// Absolute paths of the files that the tool call names and may change.
    pub paths: Vec<PathBuf>,
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
