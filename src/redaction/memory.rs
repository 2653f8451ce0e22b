//! Memory: what was found once in a session is found again wherever it stands, also bare, also cut in two.

use std::collections::HashMap;

use super::names::Class;
use super::span::{Rank, Span};
use super::value;

/// Shorter values could be words of somebody's.
const MIN_BYTES: usize = 8;
const MAX_BYTES: usize = 4096;
/// A session with more secrets keeps the first.
const MAX_VALUES: usize = 8192;
/// Longer values are found whole, and from their beginning on.
const MAX_CUT: usize = 256;

/// The secrets of a session, ready to be searched for. They are in this process's memory and nowhere else.
#[derive(Default)]
pub(super) struct Memory {
    /// Values with the rules that found them and their tags, by their first eight bytes.
    values: HashMap<u64, Vec<Known>>,
    /// What values may go on with behind a cut: where in which of the known that is, by eight bytes.
    tails: HashMap<u64, Vec<(u64, usize)>>,
    /// A bit for each hash of first bytes.
    bitmap: Vec<u64>,
    count: usize,
}

struct Known {
    value: Vec<u8>,
    rule: &'static str,
    tag: u32,
}

const BITS: u32 = 18;

fn head(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}

fn cell(head: u64) -> usize {
    (head.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

impl Memory {
    /// Keeps what a span covers, if it can be told from words. A key of several lines is kept line by line.
    pub fn learn(&mut self, text: &[u8], span: &Span) {
        let secret = &text[span.start..span.end];
        if secret.contains(&b'\n') {
            let lines = if span.rank == Rank::Format { secret } else { b"" };
            for line in lines.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| line.len() >= 40) {
                self.keep(line, span);
            }
        } else {
            self.keep(secret, span);
            // As it stands in a JSON document.
            if memchr::memchr2(b'"', b'\\', secret).is_some() {
                let text = serde_json::to_string(&String::from_utf8_lossy(secret)).unwrap_or_default();
                self.keep(text.trim_matches('"').as_bytes(), span);
            }
        }
    }

    fn keep(&mut self, secret: &[u8], span: &Span) {
        let fits = (MIN_BYTES..=MAX_BYTES).contains(&secret.len()) && self.count < MAX_VALUES;
        if !fits || !value::drawn(Class::Password, secret) || value::placeholder(secret) {
            return;
        }
        let Some(head) = head(secret) else { return };
        let known = self.values.entry(head).or_default();
        if known.iter().any(|k| k.value == secret) {
            return;
        }
        if secret.len() <= MAX_CUT {
            for from in 1..=secret.len() - MIN_BYTES {
                if let Some(tail) = self::head(&secret[from..]) {
                    self.tails.entry(tail).or_default().push((head, from));
                }
            }
        }
        known.push(Known { value: secret.to_vec(), rule: span.rule, tag: span.tag });
        // The longest first: it may begin with another one.
        known.sort_by_key(|k| std::cmp::Reverse(k.value.len()));
        self.bitmap.resize(1 << (BITS - 6), 0);
        self.bitmap[cell(head) / 64] |= 1 << (cell(head) % 64);
        self.count += 1;
    }

    /// Looks for what is known: in the text of a string, or in the raw bytes of a document.
    pub fn find(&self, text: &[u8], spans: &mut Vec<Span>) {
        if self.count == 0 {
            return;
        }
        for (at, window) in text.windows(MIN_BYTES).enumerate() {
            let Some(head) = head(window) else { break };
            let cell = cell(head);
            if self.bitmap[cell / 64] >> (cell % 64) & 1 != 0 {
                self.whole(text, at, head, spans);
            }
        }
        self.rest(text, 0, spans);
        for at in memchr::memchr_iter(b'"', text) {
            self.rest(text, at + 1, spans);
        }
    }

    /// A value that begins at `at`, whole or as far as its string goes.
    fn whole(&self, text: &[u8], at: usize, head: u64, spans: &mut Vec<Span>) {
        let rest = &text[at..];
        let found = self.values.get(&head).into_iter().flatten().find_map(|known| {
            let mut len = rest.iter().zip(&known.value).take_while(|(a, b)| a == b).count();
            // A backslash at the end begins an escape that goes on: half of one would break the document.
            while len < known.value.len() && len > 0 && rest[len - 1] == b'\\' {
                len -= 1;
            }
            let ends = matches!(rest.get(len), None | Some(b'"' | b'\\' | b'\n'));
            let begun = || ends && cut(&known.value, len) && tells(&known.value[..len]);
            (len == known.value.len() || begun()).then_some((len, known))
        });
        if let Some((len, known)) = found {
            spans.push(Span { tag: known.tag, ..Span::new(at, at + len, known.rule, Rank::Known) });
        }
    }

    /// The rest of a value, at `at`, where a string begins.
    fn rest(&self, text: &[u8], at: usize, spans: &mut Vec<Span>) {
        let text = &text[at..];
        let Some(tails) = head(text).and_then(|head| self.tails.get(&head)) else { return };
        for (head, from) in tails {
            for known in self.values.get(head).into_iter().flatten() {
                let Some(tail) = known.value.get(*from..) else { continue };
                if text.starts_with(tail) && cut(&known.value, tail.len()) && tells(tail) {
                    let span = Span::new(at, at + tail.len(), known.rule, Rank::Known);
                    return spans.push(Span { tag: known.tag, ..span });
                }
            }
        }
    }
}

/// Whether so many bytes are enough of a value to be sure.
fn cut(value: &[u8], len: usize) -> bool {
    len < value.len() && len >= MIN_BYTES && len * 4 >= value.len()
}

/// Whether a piece of a value is of no other: `…-assistant`, `…$password` may stand anywhere.
fn tells(piece: &[u8]) -> bool {
    value::drawn(Class::Password, piece) && !value::reference(piece) && !value::placeholder(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_found_whole_and_in_halves() {
        let secret = b"Gr4nite-harbour71-Quartz";
        let mut memory = Memory::default();
        memory.learn(secret, &Span::new(0, secret.len(), "password", Rank::Named));
        memory.learn(b"ordinary-words", &Span::new(0, 14, "password", Rank::Named));
        assert_eq!(memory.count, 1);
        for (text, found) in [
            (&b"say Gr4nite-harbour71-Quartz twice"[..], &b"Gr4nite-harbour71-Quartz"[..]),
            (b"it ends Gr4nite-harb", b"Gr4nite-harb"),
            (b"our71-Quartz and goes on", b"our71-Quartz"),
        ] {
            let mut spans = Vec::new();
            memory.find(text, &mut spans);
            assert_eq!(spans.iter().map(|s| &text[s.start..s.end]).collect::<Vec<_>>(), [found]);
        }
        let mut spans = Vec::new();
        memory.find(b"Gr4nite Quartz harbour", &mut spans);
        assert!(spans.is_empty());
    }
}
