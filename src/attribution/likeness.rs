//! Whether a file with a new name looks like one that is gone.

use super::{carry, lines};

/// Whether half of the lines with words of the new file come from the old one, but for white space, or two and most of the
/// old one's came to it.
pub fn is_renamed(old: &[u8], new: &[u8]) -> bool {
    let (kept, of) = share(old, new);
    let came = || {
        let (came, of) = share(new, old);
        came * 4 >= of * 3
    };
    kept > 0 && (kept * 2 >= of || (kept >= 2 && came()))
}

/// How many lines with words of `to` come from `from`, and how many there are.
fn share(from: &[u8], to: &[u8]) -> (usize, usize) {
    let words = lines::split(to).zip(carry::sources(from, to)).filter(|(line, _)| lines::has_word(line));
    words.fold((0, 0), |(kept, of), (_, from)| (kept + usize::from(from), of + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_keeps_half_of_itself_or_most_of_what_it_was() {
        let cases: &[(&[u8], &[u8], bool)] = &[
            (b"one\ntwo\n", b"one\nnew\n", true),
            (b"one = 1\ntwo = 2\n", b"  one = 1\n  two = 2\nnew\nmore\nothers\n", true),
            (b"one = 1\ntwo = 2\n", b"one = 1\ntwo = 2\nnew\nmore\nothers\n", true),
            (b"one\ntwo\nthree\nfour\n", b"one\ntwo\nnew\nmore\nothers\n", false),
            (b"one\n", b"one\nnew\nmore\n", false),
            (b"}\n{\n", b"}\n{\n", false),
            (b"", b"one\n", false),
            (b"one\n", b"", false),
        ];
        for (old, new, renamed) in cases {
            assert_eq!(is_renamed(old, new), *renamed, "{}", String::from_utf8_lossy(new));
        }
    }
}
