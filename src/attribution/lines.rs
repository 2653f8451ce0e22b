//! Lines as git has them: a line ends after `\n` and nowhere else.

use std::ops::RangeInclusive;

/// How many bytes git looks at to tell binary from text.
const BINARY_PROBE: usize = 8000;

/// The lines of `bytes`, each with its `\n`; the last may have none. No bytes are no lines.
pub fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|b| *b == b'\n')
}

/// How many lines `bytes` has: what `git diff --numstat` counts as added when a file of these bytes is new.
pub fn count(bytes: &[u8]) -> usize {
    let ends = bytes.iter().filter(|b| **b == b'\n').count();
    ends + usize::from(bytes.last().is_some_and(|b| *b != b'\n'))
}

/// Whether git takes `bytes` for binary: a NUL among the first 8000 bytes. Binary files have no lines.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(BINARY_PROBE)].contains(&0)
}

/// Where each line of some bytes begins.
pub struct LineIndex<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let starts = split(bytes)
            .scan(0, |at, line| {
                let start = *at;
                *at += line.len();
                Some(start)
            })
            .collect();
        LineIndex { bytes, starts }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of lines `range`, counted from 1, with the `\n` of the last if it has one; what lies outside is cut.
    pub fn bytes(&self, range: RangeInclusive<u32>) -> &'a [u8] {
        let offset = |line: usize| self.starts.get(line).copied().unwrap_or(self.bytes.len());
        let start = offset((*range.start() as usize).saturating_sub(1));
        &self.bytes[start..offset(*range.end() as usize).max(start)]
    }
}

/// What is left of a line without white space: the line as a formatter sees it.
pub(super) fn tokens(line: &[u8]) -> impl Iterator<Item = u8> {
    line.iter().copied().filter(|b| !is_space(*b))
}

/// ASCII white space, with the vertical tab.
fn is_space(b: u8) -> bool {
    b.is_ascii_whitespace() || b == 0x0b
}

/// Whether a line says enough to be recognised by: a brace or a lone `end` may stand anywhere.
pub fn is_telling(line: &[u8]) -> bool {
    has_words(line, 4)
}

/// Whether a line has a word, however short: what is more than a brace.
pub fn has_word(line: &[u8]) -> bool {
    has_words(line, 1)
}

/// A line without the white space around it.
pub fn trimmed(line: &[u8]) -> Vec<u8> {
    line.trim_ascii().to_vec()
}

/// Whether a line is more than `#!/bin/sh` or `end`.
pub fn says_something(line: &[u8]) -> bool {
    has_words(line, 6)
}

/// Whether a line says so much that it is not written twice by chance.
pub fn is_long(line: &[u8]) -> bool {
    has_words(line, 13)
}

/// Whether a line has `least` bytes of words.
fn has_words(line: &[u8], least: usize) -> bool {
    line.iter().filter(|b| b.is_ascii_alphanumeric() || !b.is_ascii()).take(least).count() == least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_after_a_newline_and_nowhere_else() {
        let cases: &[(&[u8], &[&[u8]])] = &[
            (b"", &[]),
            (b"\n", &[b"\n"]),
            (b"a", &[b"a"]),
            (b"a\n", &[b"a\n"]),
            (b"a\nb", &[b"a\n", b"b"]),
            (b"a\r\nb\rc\r\n", &[b"a\r\n", b"b\rc\r\n"]),
            (b"\n\n", &[b"\n", b"\n"]),
            (b"\xff\xfe\x0c\x0b\n\xe2\x80\xa8", &[b"\xff\xfe\x0c\x0b\n", b"\xe2\x80\xa8"]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(split(bytes).collect::<Vec<_>>(), *expected, "{bytes:?}");
            assert_eq!(count(bytes), expected.len(), "{bytes:?}");
            assert_eq!(LineIndex::new(bytes).len(), expected.len(), "{bytes:?}");
        }
    }

    #[test]
    fn ranges_of_lines_are_bytes_with_their_newlines() {
        let index = LineIndex::new(b"a\nbb\r\nccc");
        assert_eq!(index.bytes(1..=1), b"a\n");
        assert_eq!(index.bytes(2..=3), b"bb\r\nccc");
        assert_eq!(index.bytes(3..=9), b"ccc");
        assert_eq!(index.bytes(4..=9), b"");
        assert_eq!(index.bytes(0..=u32::MAX), b"a\nbb\r\nccc");
    }

    #[test]
    fn binary_is_a_nul_early_on() {
        let mut bytes = vec![b'a'; 9000];
        assert!(!is_binary(&bytes) && !is_binary(b""));
        bytes[8000] = 0;
        assert!(!is_binary(&bytes));
        bytes[7999] = 0;
        assert!(is_binary(&bytes));
    }

    #[test]
    fn telling_lines_hold_words() {
        assert!(is_telling(b"  call(x)\n") && is_telling("\tüé\n".as_bytes()));
        assert!(!is_telling(b"  }\n") && !is_telling(b"\n") && !is_telling(b"end\n") && !is_telling(b"});\r\n"));
    }
}
