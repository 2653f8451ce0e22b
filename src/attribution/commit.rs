//! The lines a commit adds, and whose they are.

use std::ops::RangeInclusive;

use super::labels::{Authors, Labels, Origin};
use super::lines::{self, LineIndex};
use crate::digest::Digest;
use crate::id::RepoPath;
use crate::record::body::{FileLines, LineAuthor, Lines};

/// A file that a commit changes.
pub struct ChangedFile<'a> {
    pub path: &'a RepoPath,
    /// Its bytes as committed.
    pub bytes: &'a [u8],
    /// The lines that git's diff to the first parent adds, counted from 1.
    pub added: &'a [RangeInclusive<u32>],
    /// The labels of the committed bytes.
    pub labels: &'a Labels,
}

/// The lines a commit adds to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAttribution {
    pub path: RepoPath,
    /// In order, apart, without gaps in what was added. Binary files have none.
    pub ranges: Vec<LineRange>,
    pub lines: FileLines,
}

/// Added lines that stand together and are of one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRange {
    /// First and last line, counted from 1.
    pub start: u32,
    pub end: u32,
    pub origin: Origin<LineAuthor>,
    pub content_hash: ContentHash,
}

/// The SHA-256 of a range's bytes as committed, from the first byte of its first line to the last byte of its last: with
/// that line's `\n`, unless it ends the file without one. Written `sha256:` and 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash(pub Digest);

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

/// Reads off whose the added lines of one file are.
pub fn attribute(file: &ChangedFile<'_>, authors: &Authors) -> FileAttribution {
    let mut ranges: Vec<LineRange> = Vec::new();
    if !lines::is_binary(file.bytes) {
        let index = LineIndex::new(file.bytes);
        let labels = file.labels.to_vec(index.len());
        let mut added: Vec<_> = file.added.iter().map(|range| (*range.start(), *range.end())).collect();
        added.sort_unstable();
        let mut next = 1;
        for (start, end) in added {
            let end = end.min(u32::try_from(index.len()).unwrap_or(u32::MAX));
            let mut at = start.max(next);
            while at <= end {
                let origin = labels[at as usize - 1];
                let same = labels[at as usize - 1..end as usize].iter().take_while(|other| **other == origin).count();
                let last = at + same as u32 - 1;
                let content_hash = ContentHash(Digest::of(index.bytes(at..=last)));
                ranges.push(LineRange { start: at, end: last, origin: authors.resolve(origin), content_hash });
                at = last + 1;
            }
            next = next.max(at);
        }
    }
    let lines = count(file.path, &ranges);
    FileAttribution { path: file.path.clone(), ranges, lines }
}

/// How many lines of each origin the ranges have.
fn count(path: &RepoPath, ranges: &[LineRange]) -> FileLines {
    let mut lines = FileLines { path: path.clone(), added: 0, agent: 0, human: 0, unattributed: 0 };
    for range in ranges {
        let len = u64::from(range.end - range.start) + 1;
        lines.added += len;
        match range.origin {
            Origin::Agent(_) => lines.agent += len,
            Origin::Human => lines.human += len,
            Origin::Unattributed => lines.unattributed += len,
        }
    }
    lines
}

/// The sum over the files of a commit.
pub fn total(files: &[FileAttribution]) -> Lines {
    files.iter().fold(Lines::default(), |sum, FileAttribution { lines, .. }| Lines {
        added: sum.added + lines.added,
        agent: sum.agent + lines.agent,
        human: sum.human + lines.human,
        unattributed: sum.unattributed + lines.unattributed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, SessionId};

    fn author(call: &str) -> LineAuthor {
        LineAuthor { session: SessionId::from_agent("s"), call: CallId::from_agent(call) }
    }

    /// Start, end and letter of each range of what is added to a file with these labels.
    fn ranges(bytes: &[u8], labels: &str, added: &[RangeInclusive<u32>]) -> Vec<(u32, u32, char)> {
        let mut authors = Authors::default();
        let (a, b) = (authors.add(author("a")), authors.add(author("b")));
        let origin = |letter| match letter {
            'a' => Origin::Agent(a),
            'b' => Origin::Agent(b),
            'h' => Origin::Human,
            _ => Origin::Unattributed,
        };
        let labels = labels.chars().map(origin).collect();
        let path = "src/x.rs".parse().unwrap();
        let file = attribute(&ChangedFile { path: &path, bytes, added, labels: &labels }, &authors);
        let letter = |range: &LineRange| match &range.origin {
            Origin::Agent(LineAuthor { call, .. }) => call.as_str().chars().next().unwrap(),
            Origin::Human => 'h',
            Origin::Unattributed => '-',
        };
        let lines = file.lines;
        assert_eq!(lines.added, lines.agent + lines.human + lines.unattributed);
        assert_eq!(lines.added, file.ranges.iter().map(|range| u64::from(range.end - range.start) + 1).sum::<u64>());
        file.ranges.iter().map(|range| (range.start, range.end, letter(range))).collect()
    }

    #[test]
    fn ranges_are_what_was_added_cut_where_the_origin_changes() {
        let bytes = b"1\n2\n3\n4\n5\n6\n7";
        assert_eq!(ranges(bytes, "aaaaaaa", &[1..=7]), [(1, 7, 'a')]);
        assert_eq!(
            ranges(bytes, "aab-hha", &[1..=7]),
            [(1, 2, 'a'), (3, 3, 'b'), (4, 4, '-'), (5, 6, 'h'), (7, 7, 'a')]
        );
        assert_eq!(ranges(bytes, "aaaaaaa", &[2..=2, 4..=5]), [(2, 2, 'a'), (4, 5, 'a')]);
        assert_eq!(ranges(bytes, "aaaaaaa", &[]), []);
        // What the caller gets wrong adds nothing twice and nothing that is not there.
        assert_eq!(ranges(bytes, "a", &[6..=900, 0..=2, 2..=3]), [(1, 1, 'a'), (2, 2, '-'), (3, 3, '-'), (6, 7, '-')]);
        assert_eq!(ranges(b"", "aa", &[1..=2]), []);
        assert_eq!(ranges(b"a\0b\n", "a", &[1..=1]), []);
    }

    #[test]
    fn a_content_hash_is_of_the_bytes_as_committed() {
        let (mut authors, path) = (Authors::default(), "x".parse().unwrap());
        let labels = [Origin::Agent(authors.add(author("a"))), Origin::Human, Origin::Human].into_iter().collect();
        let file = ChangedFile { path: &path, bytes: b"one\r\ntwo\nthree", added: &[1..=3], labels: &labels };
        let file = attribute(&file, &authors);
        assert_eq!(file.ranges[0].content_hash.0, Digest::of(b"one\r\n"));
        assert_eq!(file.ranges[1].content_hash.0, Digest::of(b"two\nthree"));
        assert_eq!(file.ranges[1].content_hash.to_string(), format!("sha256:{}", Digest::of(b"two\nthree")));
        let both = total(&[file.clone(), file]);
        assert_eq!(both, Lines { added: 6, agent: 2, human: 4, unattributed: 0 });
    }
}
