//! What a story is told from: whose it is, the calls that wrote it, the turns around them, the commits.

use serde::Serialize;

use crate::id::{CallId, GitId, SessionId};
use crate::story::About;
use crate::story::scene::Scene;
use crate::time::Time;

/// All that a story can be told from.
#[derive(Debug, Clone)]
pub struct Material {
    pub about: About,
    /// What it says, beyond what [`About`] has: the lines' text, the commit's files.
    pub text: String,
    /// The files that it is in.
    pub files: Vec<String>,
    pub origin: Origin,
    /// The calls that wrote it, those with the most lines first.
    pub writers: Vec<Writer>,
    /// The turns of their sessions, each session's in order.
    pub scenes: Vec<Scene>,
    /// The commits that brought and changed it, in the order in which they are told.
    pub commits: Vec<Commit>,
    pub missing: Vec<String>,
}

impl Material {
    /// Nothing yet but what it is about.
    pub fn about(about: About) -> Self {
        Material {
            about,
            text: String::new(),
            files: Vec::new(),
            origin: Origin::Unknown,
            writers: Vec::new(),
            scenes: Vec::new(),
            commits: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Agent,
    /// Somebody has said that they wrote it.
    Human,
    /// The records know of no agent's hand in it.
    Unattributed,
    /// No record speaks of it.
    Unknown,
}

/// A call that wrote some of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    pub session: SessionId,
    pub call: CallId,
    pub agent: Option<String>,
    pub model: Option<String>,
}

/// A commit, and what it has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: GitId,
    pub role: Role,
    pub time: Time,
    pub author: String,
    pub subject: String,
    pub reviewers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What is there today comes from it.
    Brought,
    /// It changed what stood there before.
    Before,
    /// It came later, to the same files.
    Later,
    /// What came before it is not here, so that it need not have brought what it has.
    Begins,
}
