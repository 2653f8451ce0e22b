//! Seed phrases: rows of words that are the key to a wallet, told by their checksum.

use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::span::{Rank, Span};

/// The words of BIP39 in English, in order.
pub(super) const WORDS: &str = include_str!("bip39.txt");

/// No phrase is shorter, in bytes.
const MIN_BYTES: usize = 47;

/// Looks for phrases in a text. One that begins somewhere goes on for `MIN_BYTES` at least: where the words before that byte, read
/// backwards, come to something that is in no phrase, all that stands before it is left out, most of it unread.
pub(super) fn find(text: &[u8], spans: &mut Vec<Span>) {
    let mut at = 0;
    while at + MIN_BYTES <= text.len() {
        at = match last_odd(text, at) {
            Some(after) => after,
            None => row(text, at, spans),
        };
    }
}

fn in_phrase(b: u8) -> bool {
    b.is_ascii_lowercase() || matches!(b, b' ' | b'\n' | b'\r')
}

fn letters<'t>(bytes: impl Iterator<Item = &'t u8>) -> usize {
    bytes.take_while(|b| b.is_ascii_lowercase()).count()
}

/// Where the last byte or word ends that is in no phrase, among the first `MIN_BYTES` from `start` on and the rest of the word there.
fn last_odd(text: &[u8], start: usize) -> Option<usize> {
    let last = start + MIN_BYTES - 1;
    // In prose it is mostly a mark or a capital, which is seen without the list.
    if let Some(odd) = text[start..=last].iter().rposition(|b| !in_phrase(*b)) {
        return Some(start + odd + 1);
    }
    let mut end = last + letters(text[last..].iter()).max(1);
    while end > start {
        let begin = end - letters(text[start..end].iter().rev());
        let odd = if begin < end { number(&text[begin..end]).is_none() } else { !in_phrase(text[end - 1]) };
        if odd {
            return Some(end);
        }
        end = begin.min(end - 1);
    }
    None
}

/// Looks at the words of the list that stand in a row from `start` on; where the row ends.
fn row(text: &[u8], start: usize, spans: &mut Vec<Span>) -> usize {
    // Where each begins and ends, and its number.
    let mut words: Vec<(usize, usize, u16)> = Vec::new();
    let mut at = start;
    while at < text.len() && in_phrase(text[at]) {
        let end = at + letters(text[at..].iter());
        match number(&text[at..end]) {
            Some(number) => words.push((at, end, number)),
            None if end > at => break,
            None => {}
        }
        at = end.max(at + 1);
    }
    phrases(&words, spans);
    at
}

/// A word's place in the list.
/// Whether a row of small letters is a word of the list.
pub(super) fn is_word(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_lowercase) && number(word).is_some()
}

fn number(word: &[u8]) -> Option<u16> {
    /// The words, and how many begin with less than each three letters.
    static LIST: OnceLock<(Vec<&[u8]>, Vec<u16>)> = OnceLock::new();
    let beginning = |word: &[u8]| word[..3].iter().fold(0, |n, letter| n * 26 + usize::from(letter - b'a'));
    let (words, before) = LIST.get_or_init(|| {
        let words: Vec<&[u8]> = WORDS.lines().map(str::as_bytes).collect();
        let mut before = vec![0; 26 * 26 * 26 + 1];
        words.iter().for_each(|word| before[beginning(word) + 1] += 1);
        (1..before.len()).for_each(|n| before[n] += before[n - 1]);
        (words, before)
    });
    if !(3..=8).contains(&word.len()) {
        return None;
    }
    let n = beginning(word);
    (before[n]..before[n + 1]).find(|at| words[usize::from(*at)] == word)
}

fn phrases(words: &[(usize, usize, u16)], spans: &mut Vec<Span>) {
    let mut from = 0;
    while from + 12 <= words.len() {
        let len = [24, 21, 18, 15, 12].into_iter().find(|len| words.get(from..from + len).is_some_and(holds));
        if let Some(len) = len {
            let (start, end) = (words[from].0, words[from + len - 1].1);
            spans.push(Span::new(start, end, "seed-phrase", Rank::Format));
        }
        from += len.unwrap_or(1);
    }
}

/// Whether the last bits are those of the others' SHA-256.
fn holds(words: &[(usize, usize, u16)]) -> bool {
    let bits = words.iter().flat_map(|word| (0..11).rev().map(move |i| (word.2 >> i & 1) as u8));
    let mut bytes = [0u8; 33];
    bits.enumerate().for_each(|(i, bit)| bytes[i / 8] |= bit << (7 - i % 8));
    let entropy = words.len() * 4 / 3;
    let check = words.len() / 3;
    let hash = Sha256::digest(&bytes[..entropy]);
    hash[0] >> (8 - check) == bytes[entropy] >> (8 - check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        find(text.as_bytes(), &mut spans);
        spans.iter().map(|s| &text[s.start..s.end]).collect()
    }

    #[test]
    fn the_checksum_tells() {
        let phrase = format!("{}about", "abandon ".repeat(11));
        assert_eq!(found(&format!("my wallet is {phrase} really")), [&phrase]);
        assert_eq!(found(&phrase.replace(' ', "\n")), [phrase.replace(' ', "\n")]);
        let long = format!("{}art", "abandon ".repeat(23));
        assert_eq!(found(&long), [&long]);
        assert!(found(&format!("{}ability", "abandon ".repeat(11))).is_empty());
        assert!(found("the quick brown fox jumps over the lazy dog and runs home again to sleep").is_empty());
    }

    #[test]
    fn whatever_stands_around_it() {
        let phrase = format!("{}about", "abandon ".repeat(11));
        for before in ["", "zoo ", "the zoo ", "A", "7 ", "  ", "zoo zoo ", "zooabandon "] {
            for after in ["", " x", " zoo", "\n", "X", ", and", " zoo zoo zoo zoo the end"] {
                let text = format!("{before}{phrase}{after}");
                assert_eq!(found(&text), [&phrase], "{text:?}");
            }
        }
        let two = format!("{phrase} {phrase}");
        assert_eq!(found(&two).concat(), phrase.repeat(2));
    }

    #[test]
    fn every_word_has_its_number() {
        assert!(WORDS.lines().zip(0..).all(|(word, at)| number(word.as_bytes()) == Some(at)));
        assert!(["the", "zz", "abandone", "zzzzzzzzz", "zzz", ""].iter().all(|word| number(word.as_bytes()).is_none()));
    }

    #[test]
    fn the_list_is_whole() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert_eq!(words.len(), 2048);
        assert!(words.is_sorted() && words.iter().all(|w| (3..=8).contains(&w.len())));
    }
}
