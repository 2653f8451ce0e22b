//! Changes that were put aside and brought back on top of others, as a stash is: git makes a file of which no state is known.

use std::collections::HashSet;

use crate::attribution::labels::{Authors, Labels};
use crate::attribution::{carry, lines};
use crate::git::repo::Repo;
use crate::ledger::edited::Edited;
use crate::session::edit::{Edit, Known};

/// How many states that were put aside are looked at, the latest first, and how many that each may come from.
const MAX_STATES: usize = 4;
const MAX_BASES: usize = 8;
/// How many telling lines a change must bring that nobody makes a second time by chance.
const FEW: usize = 2;

/// A state of a file that was put aside: its bytes, whose its lines are, and what it was made of.
pub struct PutAside {
    pub bytes: Vec<u8>,
    pub labels: Labels,
    pub base: Vec<u8>,
}

/// The state that was put aside of which all that it changed, and nothing else, changed `before` into `after`. Edits are
/// those of one file in one work tree, oldest first.
pub fn find(
    repo: &Repo,
    (before, after): (&[u8], &[u8]),
    all: &[&Edit],
    edits: &Edited,
    authors: &mut Authors,
) -> Option<PutAside> {
    let last = |at: &usize| all.get(at + 1).is_none_or(|next| next.before != Known::Is(all[*at].after));
    // What is put aside is reset, which git's log of HEAD tells.
    let may_be = |at: &usize| all[*at].after.is_some() && edits.was_left_since(repo, all[*at].at);
    let change = Change::of(before, after);
    if !change.says_enough() {
        return None;
    }
    (0..all.len()).rev().filter(last).take(MAX_STATES).filter(may_be).find_map(|at| {
        let bytes = edits.load(&all[at].after?)?;
        let has: HashSet<&[u8]> = Change::of(b"", &bytes).added.into_iter().collect();
        if !change.added.iter().all(|line| has.contains(line)) {
            return None;
        }
        let base = all[..=at].iter().rev().take(MAX_BASES).find_map(|edit| {
            let base = match edit.before {
                Known::Is(Some(base)) => edits.load(&base)?,
                Known::Is(None) => Vec::new(),
                Known::Unknown => return None,
            };
            (Change::of(&base, &bytes) == change).then_some(base)
        })?;
        let labels = edits.timeline(&all[..=at], authors).project(&bytes);
        Some(PutAside { bytes: bytes.clone(), labels, base })
    })
}

/// The lines that a change takes away and those that it brings, in their order, wherever they stand.
#[derive(PartialEq, Eq)]
struct Change<'a> {
    removed: Vec<&'a [u8]>,
    added: Vec<&'a [u8]>,
}

impl<'a> Change<'a> {
    fn of(before: &'a [u8], after: &'a [u8]) -> Self {
        let (removed, added) = carry::changed(before, after);
        Change { removed, added }
    }

    fn says_enough(&self) -> bool {
        self.added.iter().any(|line| lines::is_long(line))
            || self.added.iter().filter(|line| lines::is_telling(line)).take(FEW).count() == FEW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_same_wherever_it_is_made() {
        let made = Change::of(b"a\nb\nc\n", b"a\nnew one\nnew two\nc\n");
        assert!(made == Change::of(b"x\na\nb\nc\ny\n", b"x\na\nnew one\nnew two\nc\ny\n"));
        assert!(made != Change::of(b"x\na\nb\nc\n", b"a\nnew one\nnew two\nc\n"), "it takes more away");
        assert!(made != Change::of(b"a\nb\nc\n", b"a\nnew one\nc\n"), "it brings less");
        assert!(made != Change::of(b"a\nother\nc\n", b"a\nnew one\nnew two\nc\n"), "of something else");
    }

    #[test]
    fn a_change_must_say_something() {
        let says = |after: &[u8]| Change::of(b"", after).says_enough();
        assert!(says(b"first line\nsecond line\n") && says(b"one_long_line_of_its_own\n"));
        assert!(!says(b"one line\n}\n") && !says(b""));
    }
}
