//! Recognising lines that stood somewhere before: in a file's past, or in another commit.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::lines;

/// How many lines are remembered, at most.
const MAX_LINES: usize = 200_000;
/// How many lines before a recognised one to look at.
const MAX_BACK: usize = 64;
/// How many places of one line to look at, the newest first.
const MAX_PLACES: usize = 16;

/// Lines in the runs they stood in, by their hashes, and what is known of each.
#[derive(Debug, Clone)]
pub struct Past<T> {
    /// `None` between runs.
    lines: Vec<Option<Line<T>>>,
    /// Where each line of which something is known stands last.
    places: HashMap<u64, usize>,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Line<T> {
    hash: u64,
    /// Nothing is known of a line that only stood beside the run.
    known: Option<T>,
    /// Where the same line stood before.
    earlier: Option<usize>,
}

impl<T> Default for Past<T> {
    fn default() -> Self {
        Past { lines: Vec::new(), places: HashMap::new(), hasher: RandomState::new() }
    }
}

impl<T: Copy> Past<T> {
    /// Adds a run of lines; of those without a `T` it is only known that they stood there.
    pub fn add<'a>(&mut self, run: impl IntoIterator<Item = (&'a [u8], Option<T>)>) {
        if self.lines.len() > MAX_LINES {
            self.lines.clear();
            self.places.clear();
        }
        for (line, known) in run {
            let hash = self.hash(line);
            let at = self.lines.len();
            let earlier = if known.is_some() { self.places.insert(hash, at) } else { None };
            self.lines.push(Some(Line { hash, known, earlier }));
        }
        self.lines.push(None);
    }

    /// Gives those of the lines of `new` of which nothing is known what was known of them when they were last seen.
    ///
    /// A line is recognised beside one that it stood beside, and alone if it is long: many a `return None` is written
    /// twice. Where it stood in several places, the one with the most lines around it counts, and the last added of
    /// those. `counts` is asked whether lines that are recognised together may be.
    pub fn recall(&self, new: &[&[u8]], known: &mut [Option<T>], counts: impl Fn(Range<usize>) -> bool) {
        self.recall_from(new, known, lines::is_telling, counts);
    }

    /// The same, where lines in company are recognised however little they say: what is looked for is known to be here.
    pub fn recall_all(&self, new: &[&[u8]], known: &mut [Option<T>]) {
        self.recall_from(new, known, |_| true, |_| true);
    }

    fn recall_from(
        &self,
        new: &[&[u8]],
        known: &mut [Option<T>],
        begins: impl Fn(&[u8]) -> bool,
        counts: impl Fn(Range<usize>) -> bool,
    ) {
        if self.places.is_empty() || known.iter().all(Option::is_some) {
            return;
        }
        let hashes: Vec<u64> = new.iter().map(|line| self.hash(line)).collect();
        let mut i = 0;
        while i < new.len() {
            let begins = known[i].is_none() && begins(new[i]);
            let Some((place, back, ahead)) = begins.then(|| self.longest(&hashes, i)).flatten() else {
                i += 1;
                continue;
            };
            let run = i - back..i + ahead;
            if (run.len() > 1 || lines::is_long(new[i])) && counts(run.clone()) {
                for (line, at) in run.zip(place - back..) {
                    known[line] = known[line].or(self.lines[at].and_then(|line| line.known));
                }
            }
            i += ahead;
        }
    }

    /// Of the places where line `i` stood the one with the most equal lines around it: how many before it, and how
    /// many from it on.
    fn longest(&self, hashes: &[u64], i: usize) -> Option<(usize, usize, usize)> {
        let same = |place: usize, i: usize| {
            let line = self.lines.get(place).copied().flatten();
            line.zip(hashes.get(i)).is_some_and(|(line, hash)| line.hash == *hash)
        };
        let mut place = self.places.get(&hashes[i]).copied();
        let mut best: Option<(usize, usize, usize)> = None;
        for _ in 0..MAX_PLACES {
            let Some(at) = place else { break };
            let back = (1..=i.min(at).min(MAX_BACK)).take_while(|n| same(at - n, i - n)).count();
            let ahead = (1..).take_while(|n| same(at + n, i + n)).count() + 1;
            if best.is_none_or(|(_, b, a)| back + ahead > b + a) {
                best = Some((at, back, ahead));
            }
            place = self.lines[at].and_then(|line| line.earlier);
        }
        best
    }

    fn hash(&self, line: &[u8]) -> u64 {
        // It is the same line where it is indented anew.
        self.hasher.hash_one(line.trim_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(runs: &[&[(&'static str, Option<char>)]]) -> Past<char> {
        let mut past = Past::default();
        for run in runs {
            past.add(run.iter().map(|(line, known)| (line.as_bytes(), *known)));
        }
        past
    }

    fn recalled(past: &Past<char>, new: &[&str]) -> String {
        let new: Vec<&[u8]> = new.iter().map(|line| line.as_bytes()).collect();
        let mut known = vec![None; new.len()];
        past.recall(&new, &mut known, |_| true);
        known.iter().map(|known| known.unwrap_or('-')).collect()
    }

    #[test]
    fn lines_are_recognised_by_their_company_or_their_length() {
        let one = past(&[&[("fn x() {\n", None), ("return None\n", Some('a')), ("}\n", Some('a')), ("end", None)]]);
        assert_eq!(recalled(&one, &["fn x() {", "return None", "}", "other()"]), "-aa-");
        assert_eq!(recalled(&one, &["fn y() {\r\n", "return None\r\n", "}\r\n"]), "-aa");
        assert_eq!(recalled(&one, &["fn z() {", "  return None", "  }"]), "-aa");
        assert_eq!(recalled(&one, &["return None"]), "-");
        assert_eq!(recalled(&one, &["}"]), "-");
        let long = past(&[&[("a_line_of_its_own()\n", Some('a'))]]);
        assert_eq!(recalled(&long, &["x", "a_line_of_its_own()"]), "-a");
    }

    #[test]
    fn of_several_places_the_one_with_the_most_company_counts_then_the_last() {
        let runs: [&[_]; 3] = [
            &[("begin of one", Some('a')), ("a line in common", Some('a')), ("end of one", Some('a'))],
            &[("begin of two", Some('b')), ("a line in common", Some('b'))],
            &[("a line in common", Some('c'))],
        ];
        let past = past(&runs);
        assert_eq!(recalled(&past, &["begin of one", "a line in common", "end of one"]), "aaa");
        assert_eq!(recalled(&past, &["begin of two", "a line in common", "end of one"]), "bba");
        assert_eq!(recalled(&past, &["something else", "a line in common"]), "-c");
    }

    #[test]
    fn what_may_not_count_does_not() {
        let past = past(&[&[("a_line_of_its_own()", Some('a'))]]);
        let mut known = [None];
        past.recall(&[b"a_line_of_its_own()"], &mut known, |run| run.start > 0);
        assert_eq!(known, [None]);
    }
}
