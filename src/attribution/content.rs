//! Lines that records speak of, recognised by their content where no record speaks: after a squash, a cherry-pick, a
//! rewrite that no hook of ours saw.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::lines::{self, LineIndex};
use super::recall::Past;
use crate::digest::Digest;

/// How many bytes to hash, at most, in search of ranges of which only the hash is known.
const MAX_HASHED: usize = 64 << 20;
/// Of a file that is the same as a whole, so many lines must be new and tell something for single ones to count.
const SURE: usize = 3;

/// What records say of the lines of a file, each line or range with a `T`. Of equals the one added last counts.
#[derive(Debug, Clone)]
pub struct KnownLines<T> {
    /// `None` is known of lines that are nobody's: where they fit better, nothing else is.
    past: Past<Option<T>>,
    /// Whole files, by their digests.
    files: HashMap<Digest, Vec<KnownRange<T>>>,
    /// Ranges whose bytes are not here, by how many lines they have: hash and what is known.
    hashes: BTreeMap<u32, Vec<(Digest, T)>>,
}

/// A range of lines, counted from 1, and what is known of it; `None` if it is nobody's.
#[derive(Debug, Clone, Copy)]
pub struct KnownRange<T> {
    pub start: u32,
    pub end: u32,
    pub known: Option<T>,
}

/// Lines that stand together, each with what is known of it, if it is more than that it stood there.
type Run<T> = Vec<(Vec<u8>, Option<Option<T>>)>;

/// What one record says of the lines of a file, to be added to what others say.
#[derive(Debug, Clone)]
pub struct Recorded<T> {
    whole: Option<(Digest, Vec<KnownRange<T>>)>,
    runs: Vec<Run<T>>,
    hashes: Vec<(u32, Digest, T)>,
}

/// Which lines may be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Lines of which so many tell something and are not in these bytes, standing together: what is in there may be
    /// copied, whoever does it, and few lines may be written twice.
    New { before: &'a [u8], least: usize },
    /// Lines of which so many tell something, standing together, and that stand here once: of two one may be a copy.
    Once { least: usize },
    /// Any that stand together with one that tells something.
    Any,
    /// Any, however little it says: the bytes are known to have the same lines.
    SameChange,
}

impl<T> Default for KnownLines<T> {
    fn default() -> Self {
        KnownLines { past: Past::default(), files: HashMap::new(), hashes: BTreeMap::new() }
    }
}

impl<T> Default for Recorded<T> {
    fn default() -> Self {
        Recorded { whole: None, runs: Vec::new(), hashes: Vec::new() }
    }
}

impl<T: Copy> Recorded<T> {
    /// What is known of some lines of a file, by line and apart.
    pub fn of(bytes: &[u8], ranges: Vec<KnownRange<T>>) -> Self {
        let runs = runs(bytes, &ranges, true);
        Recorded { whole: Some((Digest::of(bytes), ranges)), runs, hashes: Vec::new() }
    }

    /// The same, where the lines count for no more than themselves: not by what stands around them.
    pub fn alone(bytes: &[u8], ranges: &[KnownRange<T>]) -> Self {
        Recorded { whole: None, runs: runs(bytes, ranges, false), hashes: Vec::new() }
    }

    /// Adds a range of so many lines of which only the hash is here.
    pub fn add_hash(&mut self, lines: u32, hash: Digest, known: T) {
        self.hashes.push((lines, hash, known));
    }
}

/// The lines of ranges, those that follow upon each other together; with their neighbours, what tells them from others
/// like them.
fn runs<T: Copy>(bytes: &[u8], ranges: &[KnownRange<T>], with_neighbours: bool) -> Vec<Run<T>> {
    let all: Vec<&[u8]> = lines::split(bytes).collect();
    let line = |at: usize, known| all.get(at).map(|line| (line.to_vec(), known));
    let neighbour = |at: Option<usize>| at.filter(|_| with_neighbours).and_then(|at| line(at, None));
    let mut ranges = ranges.iter().peekable();
    let mut runs = Vec::new();
    while let Some(first) = ranges.next() {
        let Some(top) = (first.start as usize).checked_sub(1) else { continue };
        let mut run: Vec<_> = neighbour(top.checked_sub(1)).into_iter().collect();
        let mut end = first.end as usize;
        run.extend((top..end.min(all.len())).filter_map(|at| line(at, Some(first.known))));
        while let Some(next) = ranges.next_if(|next| next.start as usize == end + 1) {
            run.extend((end..(next.end as usize).min(all.len())).filter_map(|at| line(at, Some(next.known))));
            end = next.end as usize;
        }
        run.extend(neighbour(Some(end)));
        runs.push(run);
    }
    runs
}

impl<T: Copy> KnownLines<T> {
    pub fn add(&mut self, recorded: &Recorded<T>) {
        if let Some((digest, ranges)) = &recorded.whole {
            self.files.insert(*digest, ranges.clone());
        }
        for run in &recorded.runs {
            self.past.add(run.iter().map(|(line, known)| (line.as_slice(), *known)));
        }
        for (lines, hash, known) in &recorded.hashes {
            self.hashes.entry(*lines).or_default().push((*hash, *known));
        }
    }

    /// What is known of each line of `bytes` by its content.
    pub fn find(&self, bytes: &[u8], which: Which<'_>) -> Vec<Option<T>> {
        let new: Vec<&[u8]> = lines::split(bytes).collect();
        let (before, least) = match which {
            Which::New { before, least } => (before, least),
            Which::Once { least } => (&b""[..], least),
            Which::Any | Which::SameChange => (&b""[..], 1),
        };
        let old: HashSet<&[u8]> = lines::split(before).map(bare).collect();
        let repeated = if matches!(which, Which::Once { .. }) { repeated(&new) } else { HashSet::new() };
        let is_new =
            |line: &[u8]| lines::is_telling(line) && !old.contains(bare(line)) && !repeated.contains(bare(line));
        // Where it takes several, those that any file may begin with tell nothing.
        let head = if least > 1 { lines::head(new.iter().copied()) } else { 0 };
        let counts = |run: Range<usize>| {
            let below = new.iter().take(run.end).skip(run.start.max(head));
            below.filter(|line| is_new(line)).take(least).count() == least
        };
        let mut found: Vec<Option<Option<T>>> = vec![None; new.len()];
        // A file that is the same as a whole, as after a renaming, is so however little its lines say.
        let is_enough = || new.iter().filter(|line| is_new(line)).take(least).count() == least;
        let whole = self.files.get(&Digest::of(bytes)).filter(|_| is_enough());
        let is_sure = whole.is_some() && new.iter().filter(|line| is_new(line)).take(SURE).count() == SURE;
        for range in whole.into_iter().flatten() {
            let lines = (range.start as usize).saturating_sub(1)..range.end as usize;
            found.iter_mut().take(lines.end).skip(lines.start).for_each(|line| *line = Some(range.known));
        }
        // Where three lines that tell something are new, nobody wrote the same file twice: then each line counts.
        let sure = if is_sure { found.clone() } else { Vec::new() };
        if which == Which::SameChange {
            if whole.is_some() {
                // Where they stand is known: what else is in the file is not of this change.
                return found.into_iter().map(Option::flatten).collect();
            }
            self.past.recall_all(&new, &mut found);
        }
        self.past.recall(&new, &mut found, counts);
        self.find_hashes(bytes, &mut found, |run| {
            counts(run.clone()) && (run.len() > 1 || lines::is_long(new[run.start]))
        });
        let mut known: Vec<Option<T>> = found.into_iter().map(Option::flatten).collect();
        for (line, known) in new.iter().zip(&mut known) {
            known.take_if(|_| repeated.contains(bare(line)));
        }
        if least > 1 {
            forget_few(&mut known, counts);
        }
        for (known, sure) in known.iter_mut().zip(sure) {
            *known = known.or(sure.flatten());
        }
        known
    }

    fn find_hashes(&self, bytes: &[u8], known: &mut [Option<Option<T>>], counts: impl Fn(Range<usize>) -> bool) {
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
                    known[run].fill(Some(Some(*found)));
                }
            }
        }
    }
}

fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// The lines that tell something and stand there more than once.
fn repeated<'a>(all: &[&'a [u8]]) -> HashSet<&'a [u8]> {
    let mut seen = HashSet::new();
    let telling = all.iter().filter(|line| lines::is_telling(line)).map(|line| bare(line));
    telling.filter(|line| !seen.insert(*line)).collect()
}

/// Forgets what is known of lines that stand together and do not count.
fn forget_few<T>(known: &mut [Option<T>], counts: impl Fn(Range<usize>) -> bool) {
    let mut start = 0;
    while start < known.len() {
        let len = known[start..].iter().take_while(|line| line.is_some()).count();
        if !counts(start..start + len) {
            known[start..start + len].fill_with(|| None);
        }
        start += len + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"fn human() {\n}\nfn agent() {\n    agent_body();\n}\nfn other() {\n}\n";

    fn agents() -> KnownLines<char> {
        let mut known = KnownLines::default();
        known.add(&Recorded::of(
            FILE,
            vec![KnownRange { start: 3, end: 4, known: Some('a') }, KnownRange { start: 5, end: 5, known: Some('b') }],
        ));
        known
    }

    fn found(known: &KnownLines<char>, bytes: &[u8], before: Option<&[u8]>) -> String {
        known
            .find(bytes, before.map_or(Which::Any, |before| Which::New { before, least: 1 }))
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
        known.add(&Recorded::of(b"x1\nx2\n", vec![KnownRange { start: 1, end: 2, known: Some('a') }]));
        assert_eq!(found(&known, b"h\nx1\nx2\n", None), "---");
        let same = known.find(b"h\nx1\nx2\n", Which::SameChange);
        assert_eq!(same, [None, Some('a'), Some('a')]);
        let mut known = KnownLines::default();
        let twice = b"a_line_of_its_own\nh\na_line_of_its_own\n";
        known.add(&Recorded::of(twice, vec![KnownRange { start: 3, end: 3, known: Some('a') }]));
        assert_eq!(known.find(twice, Which::SameChange), [None, None, Some('a')]);
        let mut known = KnownLines::default();
        known.add(&Recorded::of(b"call()\n", vec![KnownRange { start: 1, end: 1, known: Some('a') }]));
        assert_eq!(found(&known, b"call()\n", Some(b"")), "a");
        assert_eq!(found(&known, b"call()\n}\n", Some(b"")), "--");
        // Nothing of it is known here.
        assert_eq!(found(&agents(), b"}\n}\n", Some(b"")), "--");
        // One line of a file that is the same as a whole, and of one that is not.
        let mut known = KnownLines::default();
        let file: &[u8] = b"person one\nshort\nperson two\n";
        known.add(&Recorded::of(file, vec![KnownRange { start: 2, end: 2, known: Some('a') }]));
        let find = |bytes: &[u8], before: &[u8]| known.find(bytes, Which::New { before, least: 3 });
        assert_eq!(find(file, b""), [None, Some('a'), None]);
        assert_eq!(find(file, b"person one\n"), [None; 3], "less of it is new");
        assert_eq!(find(b"person one\nshort\nperson three\n", b""), [None; 3]);
    }

    #[test]
    fn ranges_are_found_by_their_hashes() {
        let mut hashed = Recorded::default();
        hashed.add_hash(2, Digest::of(b"fn agent() {\n    agent_body();\n"), 'a');
        hashed.add_hash(1, Digest::of(b"}\n"), 'b');
        hashed.add_hash(1, Digest::of(b"    a_line_of_its_own();\n"), 'c');
        hashed.add_hash(90, Digest::of(b"x"), 'd');
        let mut known = KnownLines::default();
        known.add(&hashed);
        assert_eq!(found(&known, FILE, Some(b"")), "--aa---");
        assert_eq!(found(&known, FILE, Some(FILE)), "-------");
        assert_eq!(found(&known, b"x\n    a_line_of_its_own();\n", Some(b"x\n")), "-c");
        assert_eq!(found(&known, b"", Some(b"")), "");
    }

    #[test]
    fn few_lines_are_found_where_few_are_enough() {
        let mut known = KnownLines::default();
        let file = b"import one_module\nimport two_modules\nx\ndef main():\n    one = 1111\n    return one\n";
        known.add(&Recorded::of(file, vec![KnownRange { start: 1, end: 6, known: Some('a') }]));
        let at_least = |least: usize, bytes: &[u8]| -> String {
            let found = known.find(bytes, Which::New { before: b"", least });
            found.into_iter().map(|known| known.unwrap_or('-')).collect()
        };
        let some = b"import two_modules\nh\nimport one_module\nimport two_modules\nh\ndef main():\n    one = 1111\n    return one\n";
        assert_eq!(at_least(1, some), "a-aa-aaa");
        assert_eq!(at_least(2, some), "--aa-aaa");
        assert_eq!(at_least(3, some), "-----aaa");
        // Lines that were beside those that are known do not count as if they were known.
        let beside = [KnownRange { start: 4, end: 5, known: Some('a') }];
        let mut known = KnownLines::default();
        known.add(&Recorded::of(file, beside.to_vec()));
        let more = [&file[..], b"and more\n"].concat();
        let find = |least| {
            known.find(&more, Which::New { before: b"import one_module\n", least }).into_iter().flatten().count()
        };
        assert_eq!((find(2), find(3)), (2, 0));
        // Of two that are the same one may be a copy.
        let twice = [&file[..], b"h\ndef main():\n    one = 1111\n"].concat();
        let once = known.find(&twice, Which::Once { least: 1 });
        assert_eq!(once.into_iter().flatten().count(), 0);
    }

    #[test]
    fn nobodys_lines_are_nobodys_where_they_fit_better() {
        let mut known = KnownLines::default();
        let agents = b"def b(path):\n    with open(path) as handle:\n        return handle.readlines()\n";
        known.add(&Recorded::of(agents, vec![KnownRange { start: 1, end: 3, known: Some('a') }]));
        let nobodys = b"def a(path):\n    with open(path) as handle:\n        return handle.read()\n";
        known.add(&Recorded::alone(nobodys, &[KnownRange { start: 1, end: 3, known: None }]));
        let both = [&nobodys[..], agents].concat();
        assert_eq!(found(&known, &both, Some(b"")), "---aaa");
    }

    #[test]
    fn ranges_outside_of_the_file_are_cut() {
        let mut known = KnownLines::default();
        known.add(&Recorded::of(b"one telling line\n", vec![KnownRange { start: 0, end: 3, known: Some('a') }]));
        known.add(&Recorded::of(b"one telling line\n", vec![KnownRange { start: 7, end: 9, known: Some('a') }]));
        known.add(&Recorded::of(b"another telling line\n", vec![KnownRange { start: 1, end: 900, known: Some('b') }]));
        assert_eq!(found(&known, b"one telling line\nanother telling line\n", Some(b"")), "-b");
    }
}
