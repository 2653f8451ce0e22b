//! Stories: why code is as it is. Numbered sources in, sentences out, each of which cites the sources that it rests on.
//!
//! [`sentences`] takes texts apart and marks what they tell of, [`words`] says how much two texts have to do with each other,
//! [`scene`] condenses a turn, [`compose`] finds what may be told and [`choose`] what is, [`text`] renders, [`model`] lets a model tell it from the same sources. [`decisions`] finds
//! what was decided, [`madr`] writes it down. docs/stories.md has the rules in prose.

mod choose;
pub mod compose;
#[cfg(test)]
mod compose_tests;
pub mod decisions;
pub mod madr;
pub mod material;
pub mod model;
mod runs;
pub mod scene;
pub mod sentences;
pub mod text;
mod words;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, GitId, SessionId};
use crate::story::material::Role;
use crate::time::Time;

/// A narrative of how and why something came to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    pub about: About,
    pub sections: Vec<Section>,
    /// What the sentences rest on; source n has the number n.
    pub sources: Vec<Source>,
    /// What could not be read of it, as the program says.
    pub missing: Vec<String>,
    pub teller: Teller,
}

/// Who put the sentences together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Teller {
    /// The rules of [`compose`]; where a model was asked first, why it did not do.
    Records {
        #[serde(skip_serializing_if = "Option::is_none")]
        fallback: Option<String>,
        /// What the model cost that was asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        spent: Option<Spent>,
    },
    /// A model, from the same sources.
    Model {
        #[serde(flatten)]
        spent: Spent,
        /// Citations and sentences that rested on nothing.
        struck: usize,
    },
}

/// Tokens that a model took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spent {
    pub model: String,
    pub input: u64,
    pub output: u64,
}

/// What a story is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum About {
    Line { file: String, line: u32, text: String },
    Symbol { file: String, name: String, first: u32, last: u32 },
    Commit { commit: GitId, subject: String },
    Session { session: SessionId },
}

/// One side of a story. They are told in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What somebody asked for.
    Need,
    Plan,
    /// What was thought of and not done.
    Alternatives,
    /// What was tried and did not work.
    Failures,
    /// What was chosen, and the reasons given.
    Decisions,
    /// The calls that wrote it.
    Writing,
    /// The commits that brought and changed it.
    Changes,
    /// What was left for later.
    Open,
}

impl Kind {
    /// The heading of its part.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Need => "The need",
            Kind::Plan => "The plan",
            Kind::Alternatives => "Alternatives",
            Kind::Failures => "Tried and failed",
            Kind::Decisions => "Decisions",
            Kind::Writing => "How it was written",
            Kind::Changes => "Commits",
            Kind::Open => "Open ends",
        }
    }
}

/// A part of a story: at least one sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    pub kind: Kind,
    pub sentences: Vec<Sentence>,
}

/// A sentence and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentence {
    pub text: String,
    pub cites: Cites,
}

/// The number of a source of this story: only [`Sources`] gives numbers out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Number(usize);

impl Number {
    /// Counted from 1.
    pub fn get(self) -> usize {
        self.0
    }
}

/// Numbers of sources: one at least, so that there is no sentence without a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<Number>")]
pub struct Cites {
    first: Number,
    more: Vec<Number>,
}

impl Cites {
    /// One source.
    pub fn one(number: Number) -> Self {
        Cites { first: number, more: Vec::new() }
    }

    /// The same and a further one, if it is one.
    pub fn and(mut self, number: Number) -> Self {
        if self.iter().all(|known| known != number) {
            self.more.push(number);
        }
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Number> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

impl From<Cites> for Vec<Number> {
    fn from(cites: Cites) -> Self {
        cites.iter().collect()
    }
}

/// Something that was said, done or committed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    pub number: Number,
    #[serde(flatten)]
    pub place: Place,
    #[serde(flatten)]
    pub by: By,
    pub time: Option<Time>,
    /// What stands there, as far as it matters.
    pub text: String,
}

/// Who a source is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct By {
    /// Of a prompt: whether somebody asked, rather than another agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human: Option<bool>,
    /// Of a commit: who made it, what it has to do with the story, and whom its message names as reviewers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
}

/// A source before it has a number.
#[derive(Debug, Clone)]
pub struct Cited {
    pub place: Place,
    pub by: By,
    pub time: Option<Time>,
    pub text: String,
}

/// Where a source stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Place {
    Said {
        what: Said,
        #[serde(flatten)]
        turn: TurnId,
    },
    Call {
        #[serde(flatten)]
        turn: TurnId,
        call: CallId,
        tool: String,
    },
    Commit {
        commit: GitId,
    },
}

/// A turn of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TurnId {
    pub session: SessionId,
    /// `main`, or the subagent's id.
    pub source: String,
    /// Counted from 1 within the source.
    #[serde(rename = "turn")]
    pub number: usize,
}

/// In which part of a turn something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    Prompt,
    Reasoning,
    Plan,
    Answer,
}

/// So much of what stands at a source is kept, in bytes.
const MAX_SOURCE: usize = 2000;

/// Numbers sources as they are cited.
#[derive(Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
    most: usize,
}

impl Sources {
    /// None yet, and at most so many.
    pub fn up_to(most: usize) -> Self {
        Sources { list: Vec::new(), most }
    }

    /// The number of a source; `None` where there are as many as there may be. A source that is known keeps its number, and
    /// has what stands in either text.
    pub fn cite(&mut self, cited: Cited) -> Option<Number> {
        let Cited { place, by, time, text } = cited;
        if let Some(known) = self.list.iter_mut().find(|source| source.place == place) {
            if !known.text.contains(&text) && known.text.len() + text.len() < MAX_SOURCE {
                known.text.push('\n');
                known.text.push_str(&text);
            }
            return Some(known.number);
        }
        if self.list.len() >= self.most {
            return None;
        }
        let number = Number(self.list.len() + 1);
        let text = crate::session::turns::shortened_to(&text, MAX_SOURCE);
        self.list.push(Source { number, place, by, time, text });
        Some(number)
    }

    pub fn finish(self) -> Vec<Source> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(n: u8, text: &str) -> Cited {
        let place = Place::Commit { commit: format!("{n:040x}").parse().unwrap() };
        Cited { place, by: By::default(), time: None, text: text.to_owned() }
    }

    #[test]
    fn sources_have_one_number_each_and_are_bounded() {
        let mut sources = Sources::up_to(2);
        let first = sources.cite(commit(1, "one")).unwrap();
        assert_eq!(sources.cite(commit(2, "two")).map(Number::get), Some(2));
        assert_eq!(sources.cite(commit(1, "more")), Some(first));
        assert_eq!(sources.cite(commit(3, "three")), None, "no more than were asked for");
        assert_eq!(sources.finish()[0].text, "one\nmore");
    }

    #[test]
    fn a_sentence_is_json_with_its_numbers() {
        let mut sources = Sources::up_to(9);
        let [one, two] = [1, 2].map(|n| sources.cite(commit(n, "")).unwrap());
        let sentence = Sentence { text: "So it was.".into(), cites: Cites::one(two).and(one).and(two) };
        assert_eq!(serde_json::to_string(&sentence).unwrap(), r#"{"text":"So it was.","cites":[2,1]}"#);
    }
}
