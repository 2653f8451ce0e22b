//! Labels: the origin of each line of one state of a file.

use std::collections::HashMap;

use crate::record::body::LineAuthor;

/// Whose a line is. `A` names the agent's session and call: an [`AuthorId`] while labels are carried, a [`LineAuthor`]
/// in what is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin<A = AuthorId> {
    Agent(A),
    /// A person's, who has said so.
    Human,
    /// Nobody is known to have written it.
    Unattributed,
}

/// A [`LineAuthor`] by its number in [`Authors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthorId(pub(super) u32);

/// The sessions and calls that labels speak of.
#[derive(Debug, Clone, Default)]
pub struct Authors {
    list: Vec<LineAuthor>,
    numbers: HashMap<LineAuthor, AuthorId>,
}

impl Authors {
    /// The number of `author`, new or known.
    pub fn add(&mut self, author: LineAuthor) -> AuthorId {
        if let Some(id) = self.numbers.get(&author) {
            return *id;
        }
        let id = AuthorId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(author.clone());
        self.numbers.insert(author, id);
        id
    }

    /// Who has the number; an origin by a number of other [`Authors`] is nobody's.
    pub fn get(&self, id: AuthorId) -> Option<&LineAuthor> {
        self.list.get(id.0 as usize)
    }

    /// The origin with the author in full.
    pub fn resolve(&self, origin: Origin) -> Origin<LineAuthor> {
        match origin {
            Origin::Agent(id) => self.get(id).cloned().map_or(Origin::Unattributed, Origin::Agent),
            Origin::Human => Origin::Human,
            Origin::Unattributed => Origin::Unattributed,
        }
    }
}

/// The origin of every line of a state, as runs of equal ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    runs: Vec<(usize, Origin)>,
    len: usize,
}

impl Labels {
    /// `lines` lines of one origin.
    pub fn all(origin: Origin, lines: usize) -> Self {
        let mut labels = Labels::default();
        labels.push_run(lines, origin);
        labels
    }

    /// How many lines are labelled.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Labels the next line.
    pub fn push(&mut self, origin: Origin) {
        self.push_run(1, origin);
    }

    /// Labels the next `lines` lines.
    pub fn push_run(&mut self, lines: usize, origin: Origin) {
        if lines == 0 {
            return;
        }
        self.len += lines;
        match self.runs.last_mut() {
            Some((len, last)) if *last == origin => *len += lines,
            _ => self.runs.push((lines, origin)),
        }
    }

    /// Runs of lines of one origin, from the top; neighbours differ.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = (usize, Origin)> {
        self.runs.iter().copied()
    }

    /// The origin of each line, from the top.
    pub fn iter(&self) -> impl Iterator<Item = Origin> {
        self.runs.iter().flat_map(|(len, origin)| std::iter::repeat_n(*origin, *len))
    }

    /// The same for exactly `lines` lines: labels that are too short know nothing of the rest.
    pub(super) fn to_vec(&self, lines: usize) -> Vec<Origin> {
        let mut origins: Vec<_> = self.iter().take(lines).collect();
        origins.resize(lines, Origin::Unattributed);
        origins
    }
}

impl FromIterator<Origin> for Labels {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        let mut labels = Labels::default();
        origins.into_iter().for_each(|origin| labels.push(origin));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, SessionId};

    #[test]
    fn runs_of_equal_origins_join() {
        let agent = Origin::Agent(AuthorId(0));
        let lines = [Origin::Unattributed, agent, agent, Origin::Human, agent];
        let labels: Labels = lines.into_iter().collect();
        assert_eq!(labels.runs().map(|(len, _)| len).collect::<Vec<_>>(), [1, 2, 1, 1]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), lines);
        assert_eq!(labels.len(), 5);
        assert_eq!(labels.to_vec(6)[5], Origin::Unattributed);
        assert_eq!(labels.to_vec(2).len(), 2);
        assert_eq!(Labels::all(agent, 0), Labels::default());
    }

    #[test]
    fn an_author_has_one_number() {
        let author = |call| LineAuthor { session: SessionId::from_agent("s"), call: CallId::from_agent(call) };
        let mut authors = Authors::default();
        let one = authors.add(author("1"));
        assert_ne!(authors.add(author("2")), one);
        assert_eq!(authors.add(author("1")), one);
        assert_eq!(authors.resolve(Origin::Agent(one)), Origin::Agent(author("1")));
        assert_eq!(authors.resolve(Origin::Agent(AuthorId(9))), Origin::Unattributed);
    }
}
