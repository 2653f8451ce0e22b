//! `Entry`: what one line of a transcript says, in words that are no agent's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::CallId;
use crate::session::event::{Gap, Reach};

/// One line of a transcript.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// When, in milliseconds since 1970.
    pub at: Option<i64>,
    /// The subagent that wrote it, if it was not the session's main thread.
    pub subagent: Option<String>,
    /// The agent's version.
    pub version: Option<String>,
    /// What it says, in order: at most one entry with an id, and what belongs to it.
    pub entries: Vec<Entry>,
    pub gaps: Vec<Gap>,
}

/// One thing that a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A model answered, or went on answering: one message may stand on several lines.
    Message(Message),
    /// A model thought aloud.
    Reasoning,
    ToolUse(ToolUse),
    ToolResult(ToolResult),
    /// Something that begins a turn.
    Prompt(Prompt),
    /// The conversation was replaced by a summary.
    Compaction {
        id: String,
    },
    /// What the agent says the session has used so far, by model, with its subagents and with what it lists nowhere.
    Totals(BTreeMap<String, Tokens>),
}

impl Entry {
    /// The id by which the entry is known again where a line was copied or stands twice.
    pub fn id(&self) -> Option<&str> {
        match self {
            Entry::Message(Message { id, .. }) | Entry::Prompt(Prompt { id, .. }) | Entry::Compaction { id } => {
                Some(id)
            }
            _ => None,
        }
    }
}

/// One answer of a model, which is one request to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: String,
    pub model: String,
    pub tokens: Tokens,
}

/// Tokens of each price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
}

impl Tokens {
    /// `f` of each kind of token of both.
    fn zip(self, other: Tokens, f: impl Fn(u64, u64) -> u64) -> Tokens {
        Tokens {
            input: f(self.input, other.input),
            output: f(self.output, other.output),
            cache_read: f(self.cache_read, other.cache_read),
            cache_write_5m: f(self.cache_write_5m, other.cache_write_5m),
            cache_write_1h: f(self.cache_write_1h, other.cache_write_1h),
        }
    }

    pub fn plus(self, other: Tokens) -> Tokens {
        self.zip(other, u64::saturating_add)
    }

    /// What is left of each kind; none where `other` has more.
    pub fn minus(self, other: Tokens) -> Tokens {
        self.zip(other, u64::saturating_sub)
    }

    /// The larger of each kind.
    pub fn max(self, other: Tokens) -> Tokens {
        self.zip(other, u64::max)
    }

    /// The smaller of each kind.
    pub fn min(self, other: Tokens) -> Tokens {
        self.zip(other, u64::min)
    }

    /// Whether there are at least as many of each kind.
    pub fn covers(self, other: Tokens) -> bool {
        self.max(other) == self
    }

    pub fn is_zero(self) -> bool {
        self == Tokens::default()
    }

    /// Tokens that went to the model: no request is without.
    pub fn sent(self) -> u64 {
        let written = self.cache_write_5m.saturating_add(self.cache_write_1h);
        self.input.saturating_add(self.cache_read).saturating_add(written)
    }
}

/// A model's request to run a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    pub call: CallId,
    pub tool: String,
    pub reach: Reach,
    /// The MCP server whose tool it is.
    pub mcp_server: Option<String>,
    /// The skill it loads.
    pub skill: Option<String>,
    /// The programs it runs in a shell.
    pub programs: Vec<String>,
    /// Whether it puts a plan before the user.
    pub plan: bool,
}

/// How a tool call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub call: CallId,
    pub outcome: Outcome,
    /// The files it changed, as far as the agent tells.
    pub files: Vec<FileChange>,
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    /// A rule forbade it.
    Denied,
    /// The user forbade it.
    Rejected,
    /// It was stopped while it ran.
    Interrupted,
}

/// One change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Absolute, as the agent has it.
    pub path: String,
    pub added: u64,
    pub removed: u64,
}

/// Something that begins a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    pub id: String,
    /// Whether somebody asked, rather than a task that reports back.
    pub human: bool,
}

/// How many lines differ between two texts, as added and removed: all between their common beginning and end.
pub fn line_change(old: &str, new: &str) -> (u64, u64) {
    let (_, old, new) = differing(old, new);
    (new.lines().count() as u64, old.lines().count() as u64)
}

/// The common lines at the beginning of two texts, and what stands in each between their common beginning and end.
pub fn differing<'a>(old: &'a str, new: &'a str) -> (&'a str, &'a str, &'a str) {
    fn lines(text: &str) -> std::str::SplitInclusive<'_, char> {
        text.split_inclusive('\n')
    }
    fn common<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
    }
    let (head, old) = old.split_at(common(lines(old).zip(lines(new))));
    let new = &new[head.len()..];
    let tail = common(lines(old).rev().zip(lines(new).rev()));
    (head, &old[..old.len() - tail], &new[..new.len() - tail])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_between_the_common_ends_differ() {
        for (old, new, expected) in [
            ("", "", (0, 0)),
            ("", "a\nb\n", (2, 0)),
            ("a\nb\n", "", (0, 2)),
            ("a\nb\nc\n", "a\nB\nc\n", (1, 1)),
            ("a\n", "a\na\n", (1, 0)),
            ("a\n", "a", (1, 1)),
        ] {
            assert_eq!(line_change(old, new), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn tokens_are_reckoned_kind_by_kind() {
        let a = Tokens { input: 5, output: 1, ..Tokens::default() };
        let b = Tokens { input: 3, output: 2, ..Tokens::default() };
        assert_eq!(a.minus(b), Tokens { input: 2, ..Tokens::default() });
        assert!(!a.covers(b) && a.max(b).covers(b) && a.covers(a.min(b)));
        assert_eq!(Tokens { cache_write_1h: u64::MAX, ..a }.sent(), u64::MAX);
    }
}
