//! How many lines of each scope are whose.

use super::Scopes;
use crate::attribution::labels::Origin;

/// The lines of a scope that are not of a scope within, by origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Tally {
    pub lines: u64,
    pub agent: u64,
    pub human: u64,
    pub unattributed: u64,
}

/// The lines of a file, each counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tallies {
    /// One for each scope of the list.
    pub scopes: Vec<Tally>,
    /// The lines outside of all scopes.
    pub outside: Tally,
}

impl Tally {
    /// Counts a line.
    pub fn add<A>(&mut self, origin: &Origin<A>) {
        self.lines += 1;
        match origin {
            Origin::Agent(_) => self.agent += 1,
            Origin::Human => self.human += 1,
            Origin::Unattributed => self.unattributed += 1,
        }
    }
}

impl Scopes {
    /// Counts the lines of each scope by origin. `origins` are those of the file's lines, from the top; lines that it
    /// says nothing of are nobody's.
    pub fn tally<'o, A: 'o>(&self, origins: impl IntoIterator<Item = &'o Origin<A>>) -> Tallies {
        let mut tallies = Tallies { scopes: vec![Tally::default(); self.list.len()], outside: Tally::default() };
        let mut origins = origins.into_iter();
        for scope in self.innermost() {
            let tally = scope.and_then(|at| tallies.scopes.get_mut(at)).unwrap_or(&mut tallies.outside);
            tally.add(origins.next().unwrap_or(&Origin::Unattributed));
        }
        tallies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::language::Language;
    use crate::scope::{Outcome, walk};

    #[test]
    fn each_line_counts_once_where_it_is_innermost() {
        let source = b"import os\n\nclass A:\n    x = 1\n    def f(self):\n        return 1\n";
        let Outcome::Found(scopes) = walk::scopes(Language::Python, source) else { panic!() };
        let origins = [Origin::Unattributed, Origin::Human, Origin::Agent(1), Origin::Human, Origin::Agent(2)];
        let tallies = scopes.tally(&origins);
        let tally = |lines, agent, human, unattributed| Tally { lines, agent, human, unattributed };
        assert_eq!(tallies.outside, tally(2, 0, 1, 1));
        assert_eq!(tallies.scopes, [tally(2, 1, 1, 0), tally(2, 1, 0, 1)]);
    }
}
