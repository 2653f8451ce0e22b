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

/// What is left of a line that no formatter changes: without white space, without the commas and semicolons that they put at
/// ends, with one kind of quotation marks.
pub(super) fn tokens(line: &[u8]) -> impl Iterator<Item = u8> {
    let kept = line.iter().filter(|b| !is_space(**b) && !matches!(b, b',' | b';'));
    kept.map(|b| if *b == b'\'' { b'"' } else { *b })
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

/// With what lines begin that many files of a language or a house begin with: comments, imports, directives.
const HEADS: &[&str] = &[
    "#",
    "//",
    "/*",
    "*",
    "--",
    ";",
    "%",
    "<!--",
    "<?",
    "\"\"\"",
    "'''",
    "'use ",
    "\"use ",
    "@import",
    "@charset",
    "export * ",
    "export {",
    "extern ",
    "from ",
    "import ",
    "include",
    "library(",
    "mod ",
    "module ",
    "namespace ",
    "open ",
    "package ",
    "pub use ",
    "require",
    "set -",
    "source ",
    "use ",
    "using ",
    "@file:",
    "const assert = require",
    "declare(",
];

/// How many lines a file begins with that others begin with, too: its licence, what it imports. Where they come from, nobody
/// can tell by them.
pub fn head<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> usize {
    let is_head = |line: &&[u8]| {
        let line = line.trim_ascii();
        !has_word(line) || HEADS.iter().any(|head| line.starts_with(head.as_bytes()))
    };
    lines.into_iter().take_while(is_head).count()
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
    fn files_begin_with_what_others_begin_with() {
        for (text, lines) in [
            ("#!/bin/sh\n# Copyright\n\nset -e\nmain\n# more\n", 4),
            ("// Copyright\n\npackage a\n\nimport (\n\t\"fmt\"\n)\n", 5),
            ("/*\n * Licence\n */\n#include <a.h>\nint main(void)\n", 4),
            ("'use strict';\nimport a from 'a';\nrun();\n", 2),
            ("first\nimport os\n", 0),
            ("import os\n", 1),
            ("", 0),
        ] {
            assert_eq!(head(split(text.as_bytes())), lines, "{text}");
        }
    }

    #[test]
    fn telling_lines_hold_words() {
        assert!(is_telling(b"  call(x)\n") && is_telling("\tüé\n".as_bytes()));
        assert!(!is_telling(b"  }\n") && !is_telling(b"\n") && !is_telling(b"end\n") && !is_telling(b"});\r\n"));
    }
}
