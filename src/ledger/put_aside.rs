//! Changes that were put aside and brought back on top of others, as a stash is: git makes a file of which no state is known.

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
    let ends = |at: &usize| all.get(at + 1).is_none_or(|next| next.before != Known::Is(all[*at].after));
    // What is put aside is reset, which git's log of HEAD tells.
    let may_be = |at: &usize| all[*at].after.is_some() && edits.was_left_since(repo, all[*at].at);
    let states: Vec<usize> = (0..all.len()).rev().filter(ends).take(MAX_STATES).filter(may_be).collect();
    if states.is_empty() {
        return None;
    }
    let (change, sample) = Change::of(before, after);
    let sample = memchr::memmem::Finder::new(sample.as_ref()?);
    states.into_iter().find_map(|at| {
        let bytes = edits.load(&all[at].after?)?;
        sample.find(&dense(&bytes))?;
        let base = all[..=at].iter().rev().take(MAX_BASES).find_map(|edit| {
            let base = match edit.before {
                Known::Is(Some(base)) => edits.load(&base)?,
                Known::Is(None) => Vec::new(),
                Known::Unknown => return None,
            };
            (Change::of(&base, &bytes).0 == change).then_some(base)
        })?;
        let labels = edits.timeline(&all[..=at], authors).project(&bytes);
        Some(PutAside { bytes, labels, base })
    })
}

/// The text that a change takes away and that it brings, but for white space: a formatter may have run since.
#[derive(PartialEq, Eq)]
struct Change {
    removed: Vec<u8>,
    added: Vec<u8>,
}

impl Change {
    /// The change, and a line of what it brings, if that is enough.
    fn of(before: &[u8], after: &[u8]) -> (Self, Option<Vec<u8>>) {
        let (removed, added) = carry::changed(before, after);
        let telling = || added.iter().filter(|line| lines::is_telling(line));
        let says_enough = telling().any(|line| lines::is_long(line)) || telling().take(FEW).count() == FEW;
        let sample = telling().max_by_key(|line| line.len()).filter(|_| says_enough).map(|line| dense(line));
        (Change { removed: dense(&removed.concat()), added: dense(&added.concat()) }, sample)
    }
}

/// Text without its white space.
fn dense(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_same_wherever_it_is_made() {
        let of = |before: &[u8], after: &[u8]| Change::of(before, after).0;
        let made = of(b"a\nb\nc\n", b"a\nnew one\nnew two\nc\n");
        assert!(made == of(b"x\na\nb\nc\ny\n", b"x\na\nnew one\nnew two\nc\ny\n"));
        assert!(made != of(b"x\na\nb\nc\n", b"a\nnew one\nnew two\nc\n"), "it takes more away");
        assert!(made != of(b"a\nb\nc\n", b"a\nnew one\nc\n"), "it brings less");
        assert!(made != of(b"a\nother\nc\n", b"a\nnew one\nnew two\nc\n"), "of something else");
        assert!(made == of(b"a\nb\nc\n", b"  a\n  new\n    one\n  new two\n  c\n"), "and formatted");
    }

    #[test]
    fn a_change_must_say_something() {
        let says = |after: &[u8]| Change::of(b"", after).1.is_some();
        assert!(says(b"first line\nsecond line\n") && says(b"one_long_line_of_its_own\n"));
        assert!(!says(b"one line\n}\n") && !says(b""));
    }
}
