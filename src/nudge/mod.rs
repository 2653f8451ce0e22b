//! Nudges: what is said to an agent, or to the person at it, while it works. Values in, at most one nudge out.
//!
//! A hook turns what it heard into a [`Moment`]; [`decide`] looks at it with what the session did so far ([`State`]) and
//! what the repository says ([`Known`]). `docs/nudges.md` is what users read of it.

mod decide;
mod moment;
mod samples;
mod settings;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use decide::{Known, conditions, decide};
pub use moment::{Called, Moment};
pub use samples::without_samples;
pub use settings::Settings;
#[cfg(test)]
pub use state::Spent;
pub use state::{Outcome, Price, Settled, State, plain};

macro_rules! rules {
    ($($name:ident $word:literal $does:ident $meaning:literal;)*) => {
        /// Why something is said.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule { $(#[doc = $meaning] $name),* }

        impl Rule {
            pub const ALL: &[Rule] = &[$(Rule::$name),*];

            /// Its name in configuration, in the journal and on screens.
            pub fn word(self) -> &'static str {
                match self { $(Rule::$name => $word),* }
            }

            pub fn kind(self) -> Kind {
                match self { $(Rule::$name => Kind::$does),* }
            }
        }
    };
}

rules! {
    Secret "secret" Block "a prompt holds a secret";
    Model "model" Block "the model is not one of those that the policy allows";
    Path "path" Block "the policy wants no lines of agents in the file";
    Review "review" Hint "the policy asks for a review of the file, or has it told";
    Tool "tool" Hint "the agent wants to stop and has not run what the policy asks for";
    Budget "budget" Hint "the session has used 80 or 100 % of what the policy lets it";
    Cache "cache" Hint "what the model had read was written to its cache again";
    Repeat "repeat" Hint "the same command failed three times";
    Others "others" Hint "others use a skill or an MCP server here";
}

/// Whether a rule stops something, or only says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Block,
    Hint,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Hint => "hint",
        }
    }
}

/// Who is told, and what happens to what is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It does not happen: the prompt is not sent, the tool is not run, the agent does not stop.
    Refuse,
    /// The agent reads it and goes on.
    TellAgent,
    /// The person reads it; the agent does not.
    TellPerson,
}

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    pub rule: Rule,
    pub way: Way,
    /// What it is about, by which a later event is seen to follow it or not: files, commands, tools, a limit.
    pub about: Vec<String>,
    /// What is said, without any secret.
    pub text: String,
}
