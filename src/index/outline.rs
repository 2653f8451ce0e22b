//! What a record has of its session's conversations: known without reading it, so that where turns stand is known, too.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, GitId};
use crate::record::body::PayloadClass;

/// By which rules turns are counted: an outline that was noted by others says nothing any more.
pub const VERSION: &str = "1";

/// A record of a session, and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The git commit that holds it.
    pub commit: GitId,
    pub chain: String,
    pub seq: i64,
    /// `None` as long as nobody has read it, and where not all of it could be read.
    pub outline: Option<Outline>,
}

/// What a record has of conversations; nothing, where nothing was stored with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The conversations that it goes on with.
    pub parts: Vec<Part>,
    /// The calls of whose changes it tells beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<CallId>,
}

/// What a record has of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `main`, or the subagent's id.
    pub source: String,
    pub class: PayloadClass,
    /// How many turns begin in it, and about how much of a page they take, in bytes.
    pub turns: usize,
    pub bytes: usize,
}

impl Held {
    /// Whether nothing was stored with it.
    pub fn has_nothing(&self) -> bool {
        self.outline.as_ref().is_some_and(|outline| outline.parts.is_empty() && outline.edits.is_empty())
    }
}

impl Outline {
    /// Its part of one conversation.
    pub fn part(&mut self, source: &str, class: PayloadClass) -> &mut Part {
        let known = self.parts.iter().position(|part| (part.source.as_str(), part.class) == (source, class));
        let at = known.unwrap_or_else(|| {
            self.parts.push(Part { source: source.to_owned(), class, turns: 0, bytes: 0 });
            self.parts.len() - 1
        });
        &mut self.parts[at]
    }

    pub(super) fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
