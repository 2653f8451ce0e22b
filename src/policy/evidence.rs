//! Evidence: what is known of a range of commits, for the rules to judge. Whoever has records fills it.
//!
//! What is not known is said to be unknown, never left out: a list or sum that is not whole, a state that is no
//! [`RecordState::Valid`], a session that is named and not here.

use std::ops::AddAssign;

use crate::cost::Money;
use crate::id::{ChainId, GitId, RepoPath, SessionId};
use crate::record::body::{Lines, Role};

/// All that is known of a range of commits.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The commits of the range, oldest first.
    pub commits: Vec<Commit>,
    /// The sessions that the commits draw on, and others whose tool calls may count for them.
    pub sessions: Vec<Session>,
    /// Who approved what.
    pub approvals: Partly<Vec<Approval>>,
    /// For every author and day that the range draws on: what else was used then.
    pub earlier: Vec<Earlier>,
}

/// What is known of something, and whether that is all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Partly<T> {
    pub known: T,
    /// `false`: there may be more.
    pub whole: bool,
}

impl<T> Partly<T> {
    pub fn whole(known: T) -> Self {
        Partly { known, whole: true }
    }

    pub fn part(known: T) -> Self {
        Partly { known, whole: false }
    }
}

/// One commit of the range.
#[derive(Debug, Clone)]
pub struct Commit {
    pub id: GitId,
    /// The author's e-mail address.
    pub author: String,
    pub record: RecordState,
    /// The lines it adds by origin, as its record says; `None` where none says it.
    pub lines: Option<Lines>,
    /// The files it changes, also those it only takes lines from. Git knows them where no record does.
    pub files: Partly<Vec<File>>,
    /// The sessions it draws on, all that wrote lines of it among them.
    pub draws: Partly<Vec<Draw>>,
}

/// What the records say of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordState {
    /// A good record of an enrolled key speaks of it.
    Valid {
        chain: ChainId,
        /// Whose the key is, and what roles they have.
        member: String,
        roles: Vec<Role>,
        /// The record is that of a commit this one was rewritten from, with this much in common.
        link: Option<u32>,
    },
    /// The chain's key has not been enrolled.
    Pending {
        chain: ChainId,
    },
    Missing,
    /// There is none, and none is needed: a merge that adds nothing of its own.
    Merge,
    /// There is a record, and it does not hold.
    Invalid {
        why: String,
    },
}

/// A file that a commit changes.
#[derive(Debug, Clone)]
pub struct File {
    pub path: RepoPath,
    /// The lines added to it; `None` where no record says whose they are.
    pub lines: Option<Lines>,
    /// Whose the agent's lines are, as far as that is known.
    pub agents: Vec<AgentLines>,
}

/// Lines of a file by who made them.
#[derive(Debug, Clone)]
pub struct AgentLines {
    pub session: SessionId,
    /// `None`: one of the session's.
    pub model: Option<Model>,
    pub lines: u64,
}

/// What a commit is the first to draw on of a session, on one day. Of a session whose use was all counted for earlier
/// commits, the models so far, without tokens.
#[derive(Debug, Clone)]
pub struct Draw {
    pub session: SessionId,
    /// Whose session it is.
    pub author: String,
    /// `yyyy-mm-dd` in UTC.
    pub day: String,
    pub models: Partly<Vec<ModelUse>>,
}

/// A model, its provider being known or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Model {
    pub provider: Option<String>,
    /// Empty where it is not known.
    pub name: String,
}

impl Model {
    /// From `provider/model`, or a model's name alone.
    pub fn named(text: &str) -> Self {
        match text.split_once('/') {
            Some((provider, name)) => Model { provider: Some(provider.to_owned()), name: name.to_owned() },
            None => Model { provider: None, name: text.to_owned() },
        }
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.provider {
            Some(provider) => write!(f, "{provider}/{}", self.name),
            None => write!(f, "{} (provider unknown)", self.name),
        }
    }
}

/// What was used of a model.
#[derive(Debug, Clone)]
pub struct ModelUse {
    pub model: Model,
    /// Of every kind: input, output, cache reads and writes.
    pub tokens: u64,
    /// `None` where the model has no price.
    pub cost: Option<Money>,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spending {
    pub tokens: Partly<u64>,
    pub cost: Partly<Money>,
}

impl Spending {
    pub fn none() -> Self {
        Spending { tokens: Partly::whole(0), cost: Partly::whole(Money::default()) }
    }

    /// Nothing that is known.
    pub fn unknown() -> Self {
        Spending::default()
    }

    pub fn of(models: &Partly<Vec<ModelUse>>) -> Self {
        let mut sum = if models.whole { Spending::none() } else { Spending::unknown() };
        for used in &models.known {
            let cost = used.cost.map_or(Partly::part(Money::default()), Partly::whole);
            sum += Spending { tokens: Partly::whole(used.tokens), cost };
        }
        sum
    }
}

impl AddAssign for Spending {
    fn add_assign(&mut self, more: Spending) {
        self.tokens.known = self.tokens.known.saturating_add(more.tokens.known);
        self.tokens.whole &= more.tokens.whole;
        self.cost.known += more.cost.known;
        self.cost.whole &= more.cost.whole;
    }
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    /// All it used so far.
    pub spent: Spending,
    pub tools: Partly<Vec<Use>>,
    pub skills: Partly<Vec<Use>>,
    /// As `server/tool`.
    pub mcp_tools: Partly<Vec<Use>>,
    /// Programs that shells ran.
    pub programs: Partly<Vec<Use>>,
    /// The last edit that the range draws on. Edits made later, for later commits, do not count.
    pub last_edit: LastEdit,
}

/// When a session last changed a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEdit {
    /// It changed none.
    Never,
    /// In milliseconds since 1970.
    At(i64),
    Unknown,
}

/// Calls of one tool, skill, MCP tool or program in a session.
#[derive(Debug, Clone)]
pub struct Use {
    pub name: String,
    /// Calls that succeeded; not whole where a call's outcome is unknown.
    pub succeeded: Partly<u64>,
    pub failed: u64,
    /// When calls that succeeded ended, as far as that is known, in milliseconds since 1970.
    pub succeeded_at: Vec<i64>,
}

/// A member's word that a commit is in order.
#[derive(Debug, Clone)]
pub struct Approval {
    pub commit: GitId,
    pub member: String,
    pub roles: Vec<Role>,
}

/// What an author used on a day beside what the range draws on.
#[derive(Debug, Clone)]
pub struct Earlier {
    pub author: String,
    pub day: String,
    pub spent: Spending,
}

// What the rules ask. Only a valid record speaks of lines and sessions.

impl Commit {
    /// Who recorded it; `None` without a valid record.
    pub fn member(&self) -> Option<&str> {
        match &self.record {
            RecordState::Valid { member, .. } => Some(member),
            _ => None,
        }
    }

    /// Whether its lines and sessions are known.
    fn is_known(&self) -> bool {
        matches!(self.record, RecordState::Valid { .. } | RecordState::Merge)
    }

    pub fn total(&self) -> Option<Lines> {
        self.lines.filter(|_| self.is_known())
    }

    pub fn lines_of(&self, file: &File) -> Option<Lines> {
        file.lines.filter(|_| self.is_known())
    }

    /// The sessions, if that is all of them and a valid record says so.
    pub fn drawn(&self) -> Partly<&[Draw]> {
        match self.is_known() {
            true => Partly { known: &self.draws.known, whole: self.draws.whole },
            false => Partly::part(&[]),
        }
    }

    /// What is open about it, in words; `None` if it has a valid record.
    pub fn unknown(&self) -> Option<String> {
        match &self.record {
            RecordState::Valid { .. } | RecordState::Merge => None,
            RecordState::Pending { chain } => {
                Some(format!("the key of its record (chain {}) is not enrolled", chain.short()))
            }
            RecordState::Missing => Some("it has no record".to_owned()),
            RecordState::Invalid { why } => Some(format!("its record does not hold ({why})")),
        }
    }
}

impl Evidence {
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == *id)
    }
}
