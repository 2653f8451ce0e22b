//! Seed phrases: rows of words that are the key to a wallet, told by their checksum.

use std::collections::HashMap;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::span::{Rank, Span};

/// The words of BIP39 in English, in order.
const WORDS: &str = include_str!("bip39.txt");

/// No phrase is shorter, in bytes.
const MIN_BYTES: usize = 47;

/// Looks for phrases in a text.
pub(super) fn find(text: &[u8], spans: &mut Vec<Span>) {
    let mut i = 0;
    while i + MIN_BYTES <= text.len() {
        // Sentences have capitals, digits and commas: most of them are skipped.
        if let Some(gap) = (i..i + MIN_BYTES).rev().find(|&j| !in_phrase(text[j])) {
            i = gap + 1;
            continue;
        }
        let end = i + MIN_BYTES + text[i + MIN_BYTES..].iter().take_while(|b| in_phrase(**b)).count();
        row(text, i, end, spans);
        i = end + 1;
    }
}

fn in_phrase(b: u8) -> bool {
    b.is_ascii_lowercase() || matches!(b, b' ' | b'\n' | b'\r')
}

/// Looks at the words from `start` to before `end`.
fn row(text: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) {
    static INDEX: OnceLock<HashMap<&[u8], u16>> = OnceLock::new();
    let index = INDEX.get_or_init(|| WORDS.lines().zip(0..).map(|(word, i)| (word.as_bytes(), i)).collect());
    // Words one after another: where each begins and ends, and its number.
    let mut words: Vec<(usize, usize, u16)> = Vec::new();
    let mut at = start;
    while at <= end {
        let len = text[at..end].iter().take_while(|b| b.is_ascii_lowercase()).count();
        match index.get(&text[at..at + len]) {
            Some(number) => words.push((at, at + len, *number)),
            None if len > 0 => phrases(&std::mem::take(&mut words), spans),
            None => {}
        }
        at += len + 1;
    }
    phrases(&words, spans);
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
    fn the_list_is_whole() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert_eq!(words.len(), 2048);
        assert!(words.is_sorted() && words.iter().all(|w| (3..=8).contains(&w.len())));
    }
}
