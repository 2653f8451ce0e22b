//! Lines that records speak of, recognised by their content where no record speaks: after a squash, a cherry-pick, a
//! rewrite that no hook of ours saw.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lines::{self, LineIndex};
use super::recall::Past;
use crate::digest::Digest;

/// How many bytes to hash, at most, in search of ranges of which only the hash is known.
const MAX_HASHED: usize = 64 << 20;

/// What records say of the lines of a file, each line or range with a `T`. Of equals the one added last counts.
#[derive(Debug, Clone)]
pub struct KnownLines<T> {
    past: Past<T>,
    /// Whole files, by their digests.
    files: HashMap<Digest, Vec<KnownRange<T>>>,
    /// Ranges whose bytes are not here, by how many lines they have: hash and what is known.
    hashes: BTreeMap<u32, Vec<(Digest, T)>>,
}

/// A range of lines, counted from 1, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct KnownRange<T> {
    pub start: u32,
    pub end: u32,
    pub known: T,
}

/// Which lines may be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Lines that stand together with one that these bytes do not have: else they may be copies, whoever made them.
    NotIn(&'a [u8]),
    /// Any.
    Any,
    /// Any, however little it says: the bytes are known to have the same lines.
    SameChange,
}

impl<T> Default for KnownLines<T> {
    fn default() -> Self {
        KnownLines { past: Past::default(), files: HashMap::new(), hashes: BTreeMap::new() }
    }
}

impl<T: Copy> KnownLines<T> {
    /// Adds what is known of some lines of a file, by line and apart.
    pub fn add(&mut self, bytes: &[u8], ranges: &[KnownRange<T>]) {
        let all: Vec<&[u8]> = lines::split(bytes).collect();
        self.files.insert(Digest::of(bytes), ranges.to_vec());
        let line = |at: usize, known| all.get(at).map(|line| (*line, known));
        let mut ranges = ranges.iter().peekable();
        while let Some(first) = ranges.next() {
            let Some(top) = (first.start as usize).checked_sub(1) else { continue };
            // What stands around a range tells it from others like it.
            let mut run: Vec<_> = top.checked_sub(1).and_then(|above| line(above, None)).into_iter().collect();
            let mut end = first.end as usize;
            run.extend((top..end).filter_map(|at| line(at, Some(first.known))));
            while let Some(next) = ranges.next_if(|next| next.start as usize == end + 1) {
                run.extend((end..next.end as usize).filter_map(|at| line(at, Some(next.known))));
                end = next.end as usize;
            }
            run.extend(line(end, None));
            self.past.add(run);
        }
    }

    /// Adds a range of so many lines of which only the hash is here.
    pub fn add_hash(&mut self, lines: u32, hash: Digest, known: T) {
        self.hashes.entry(lines).or_default().push((hash, known));
    }

    /// What is known of each line of `bytes` by its content.
    pub fn find(&self, bytes: &[u8], which: Which<'_>) -> Vec<Option<T>> {
        let new: Vec<&[u8]> = lines::split(bytes).collect();
        let bare = |line: &[u8]| line.strip_suffix(b"\n").unwrap_or(line).to_vec();
        let before = if let Which::NotIn(before) = which { before } else { b"" };
        let old: HashSet<Vec<u8>> = lines::split(before).map(bare).collect();
        let is_new = |line: &[u8]| lines::is_telling(line) && !old.contains(&bare(line));
        let mut known = vec![None; new.len()];
        // A file that is the same as a whole, as after a renaming, is so however little its lines say.
        let whole = self.files.get(&Digest::of(bytes)).filter(|_| new.iter().any(|line| is_new(line)));
        for range in whole.into_iter().flatten() {
            let lines = (range.start as usize).saturating_sub(1)..range.end as usize;
            known.iter_mut().take(lines.end).skip(lines.start).for_each(|line| *line = Some(range.known));
        }
        if which == Which::SameChange {
            self.past.recall_all(&new, &mut known);
        }
        self.past.recall(&new, &mut known, |run| new[run].iter().any(|line| is_new(line)));
        self.find_hashes(bytes, &mut known, |run| {
            new[run.clone()].iter().any(|line| is_new(line)) && (run.len() > 1 || lines::is_long(new[run.start]))
        });
        known
    }

    fn find_hashes(&self, bytes: &[u8], known: &mut [Option<T>], counts: impl Fn(std::ops::Range<usize>) -> bool) {
        if known.iter().all(Option::is_some) {
            return;
        }
        let index = LineIndex::new(bytes);
        let mut left = MAX_HASHED;
        for (lines, ranges) in self.hashes.iter().rev() {
            let Some(last) = index.len().checked_sub(*lines as usize) else { continue };
            for at in 0..=last {
                let run = at..at + *lines as usize;
                if run.is_empty() || known[run.clone()].iter().any(Option::is_some) || !counts(run.clone()) {
                    continue;
                }
                let text = index.bytes(at as u32 + 1..=run.end as u32);
                let Some(rest) = left.checked_sub(text.len()) else { return };
                left = rest;
                let hash = Digest::of(text);
                if let Some((_, found)) = ranges.iter().rev().find(|(known, _)| *known == hash) {
                    known[run].fill(Some(*found));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"fn human() {\n}\nfn agent() {\n    agent_body();\n}\nfn other() {\n}\n";

    fn agents() -> KnownLines<char> {
        let mut known = KnownLines::default();
        known.add(FILE, &[KnownRange { start: 3, end: 4, known: 'a' }, KnownRange { start: 5, end: 5, known: 'b' }]);
        known
    }

    fn found(known: &KnownLines<char>, bytes: &[u8], before: Option<&[u8]>) -> String {
        known
            .find(bytes, before.map_or(Which::Any, Which::NotIn))
            .into_iter()
            .map(|known| known.unwrap_or('-'))
            .collect()
    }

    #[test]
    fn lines_are_found_where_they_are_new() {
        let moved = b"use x;\nfn agent() {\n    agent_body();\n}\n";
        assert_eq!(found(&agents(), moved, Some(b"use x;\n")), "-aab");
        assert_eq!(found(&agents(), FILE, Some(b"")), "--aab--");
        // A copy of what stands there already is whose who made the copy.
        let twice = [FILE, b"fn agent() {\n    agent_body();\n}\n"].concat();
        assert_eq!(found(&agents(), &twice, Some(FILE)), "-".repeat(10));
        assert_eq!(found(&agents(), &twice, None), "--aab--aab");
        // Lines that say little, where the change is known to be the same.
        let mut known = KnownLines::default();
        known.add(b"x1\nx2\n", &[KnownRange { start: 1, end: 2, known: 'a' }]);
        assert_eq!(found(&known, b"h\nx1\nx2\n", None), "---");
        let same = known.find(b"h\nx1\nx2\n", Which::SameChange);
        assert_eq!(same, [None, Some('a'), Some('a')]);
        let mut known = KnownLines::default();
        known.add(b"call()\n", &[KnownRange { start: 1, end: 1, known: 'a' }]);
        assert_eq!(found(&known, b"call()\n", Some(b"")), "a");
        assert_eq!(found(&known, b"call()\n}\n", Some(b"")), "--");
        // Nothing of it is known here.
        assert_eq!(found(&agents(), b"}\n}\n", Some(b"")), "--");
    }

    #[test]
    fn ranges_are_found_by_their_hashes() {
        let mut known = KnownLines::default();
        known.add_hash(2, Digest::of(b"fn agent() {\n    agent_body();\n"), 'a');
        known.add_hash(1, Digest::of(b"}\n"), 'b');
        known.add_hash(1, Digest::of(b"    a_line_of_its_own();\n"), 'c');
        known.add_hash(90, Digest::of(b"x"), 'd');
        assert_eq!(found(&known, FILE, Some(b"")), "--aa---");
        assert_eq!(found(&known, FILE, Some(FILE)), "-------");
        assert_eq!(found(&known, b"x\n    a_line_of_its_own();\n", Some(b"x\n")), "-c");
        assert_eq!(found(&known, b"", Some(b"")), "");
    }

    #[test]
    fn ranges_outside_of_the_file_are_cut() {
        let mut known = KnownLines::default();
        known.add(b"one telling line\n", &[KnownRange { start: 0, end: 3, known: 'a' }]);
        known.add(b"one telling line\n", &[KnownRange { start: 7, end: 9, known: 'a' }]);
        known.add(b"another telling line\n", &[KnownRange { start: 1, end: 900, known: 'b' }]);
        assert_eq!(found(&known, b"one telling line\nanother telling line\n", Some(b"")), "-b");
    }
}
