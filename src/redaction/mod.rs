//! Redaction: takes secrets out of text and JSON before anything is stored.
//!
//! A line that is JSON is searched string by string (names too, and documents in strings), and what is found is cut out of
//! the raw bytes: all else stays byte for byte, and JSON stays JSON. Other lines are searched as text.

mod cards;
mod chosen;
mod columns;
mod cookies;
mod custom;
mod dump;
mod encoded;
mod engine;
mod frame;
mod json;
mod jwk;
mod letters;
mod link;
mod literal;
mod mark;
mod memory;
mod named;
mod names;
mod pem;
mod prefilter;
mod prefix;
mod privacy;
mod rule;
mod rules;
mod seed;
mod shape;
mod span;
mod speech;
mod tongues;
mod url;
mod value;
mod view;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::digest::Digest;

pub use custom::Custom;
use engine::Engine;
pub use mark::MarkKey;
pub use privacy::Privacy;
use serde::Serialize;
use span::Span;

/// What a [`Redactor`] has gone over. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> AsRef<T> for Redacted<T> {
    fn as_ref(&self) -> &T {
        &self.0
    }
}

/// Where a secret was found: which rule, which line (from 1), from which byte of it to before which (from 0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    pub rule: &'static str,
    pub line: u64,
    pub start: usize,
    pub end: usize,
}

/// What is looked for besides secrets, and what marks them.
#[derive(Debug, Clone)]
#[cfg_attr(test, derive(Default))]
pub struct Settings {
    /// The key of the marks that link equal secrets.
    pub key: MarkKey,
    /// Whether card numbers are looked for (PCI DSS).
    pub cards: bool,
    /// What tells whose machine it is.
    pub privacy: Privacy,
    /// The organisation's own rules and exceptions.
    pub custom: Custom,
}

/// Redacts, and counts what it took out. It remembers what it found: the same value goes wherever it comes again.
pub struct Redactor {
    engine: Engine,
    counts: BTreeMap<&'static str, u64>,
}

/// A search of what redaction left can find more; one that went on finding would be a fault of ours.
const MAX_ROUNDS: usize = 4;

impl Redactor {
    pub fn new(settings: Settings) -> Self {
        Redactor { engine: Engine::new(settings), counts: BTreeMap::new() }
    }

    /// Redacts the lines of a session, each as [`Redactor::line`] does. What is found in one of them goes from all.
    pub fn session<'a>(&mut self, lines: &[&'a [u8]]) -> Vec<Redacted<Cow<'a, [u8]>>> {
        let found: Vec<_> = lines.iter().map(|line| self.search(line)).collect();
        let redact = |(line, mut spans): (&&'a [u8], Vec<Span>)| {
            self.recall(line, &mut spans);
            self.take_out(line, &spans)
        };
        lines.iter().zip(found).map(redact).collect()
    }

    /// Adds what was found elsewhere, unless what is left were no document any more.
    fn recall(&self, line: &[u8], spans: &mut Vec<Span>) {
        let mut more = Vec::new();
        self.engine.recall(line, &mut more);
        if more.is_empty() {
            return;
        }
        let before = spans.len();
        more.extend_from_slice(spans);
        span::merge(&mut more, 0);
        if more.len() == before {
            return;
        }
        self.search_on(line, &mut more);
        let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        if !is_json(line) || is_json(&span::splice(line, &more)) {
            *spans = more;
        }
    }

    /// Redacts a line of a transcript, or a few lines that belong together: JSON, lines of JSON, or text in any encoding.
    pub fn line<'a>(&mut self, line: &'a [u8]) -> Redacted<Cow<'a, [u8]>> {
        let spans = self.spans(line);
        self.take_out(line, &spans)
    }

    fn take_out<'a>(&mut self, line: &'a [u8], spans: &[Span]) -> Redacted<Cow<'a, [u8]>> {
        for span in spans {
            *self.counts.entry(span.rule).or_default() += 1;
        }
        Redacted(if spans.is_empty() { Cow::Borrowed(line) } else { Cow::Owned(span::splice(line, spans)) })
    }

    /// Redacts text that need not be of a transcript; otherwise as [`Redactor::line`].
    pub fn text<'a>(&mut self, text: &'a str) -> Redacted<Cow<'a, str>> {
        Redacted(match self.line(text.as_bytes()).into_inner() {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // No span cuts a character, so this never has to replace one.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// Forgets what was found: what comes next has nothing to do with what was.
    pub fn forget(&self) {
        self.engine.forget();
    }

    /// Redacts text that was redacted before, maybe by older rules; nothing is counted.
    pub fn again<'a>(&self, text: &'a str) -> Redacted<Cow<'a, str>> {
        let spans = self.spans(text.as_bytes());
        Redacted(match spans.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(String::from_utf8_lossy(&span::splice(text.as_bytes(), &spans)).into_owned()),
        })
    }

    /// Takes out of a text what [`Redactor::again`] would; whether there was something.
    pub fn clean(&self, text: &mut String) -> bool {
        let Cow::Owned(clean) = self.again(text).into_inner() else { return false };
        let found = clean != *text;
        *text = clean;
        found
    }

    /// What [`Redactor::line`] would take out of the same bytes, of which the first line has the number `first`.
    pub fn hits(&self, bytes: &[u8], first: u64) -> Vec<Hit> {
        let mut hits = Vec::new();
        let (mut line, mut line_start, mut at) = (first, 0, 0);
        for span in self.spans(bytes) {
            while at < span.end {
                if at >= span.start {
                    let rest = &bytes[at..span.end];
                    let end = at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                    if at < end {
                        hits.push(Hit { rule: span.rule, line, start: at - line_start, end: end - line_start });
                    }
                    at = end;
                }
                let to = if at < span.start { span.start } else { span.end };
                match bytes[at..to].iter().position(|b| *b == b'\n') {
                    Some(n) => {
                        at += n + 1;
                        (line, line_start) = (line + 1, at);
                    }
                    None => at = to,
                }
            }
        }
        hits
    }

    /// The rule that finds the first secret, for those who wait and need no more: the bytes are searched once, and not again for
    /// what stands around it.
    pub fn finds(&self, bytes: &[u8]) -> Option<&'static str> {
        let mut spans = Vec::new();
        self.engine.document(bytes, 0, &mut spans);
        spans.first().map(|span| span.rule)
    }

    /// How many secrets were taken out, by rule.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    fn spans(&self, bytes: &[u8]) -> Vec<Span> {
        let mut spans = self.search(bytes);
        self.recall(bytes, &mut spans);
        spans
    }

    fn search(&self, bytes: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        self.engine.document(bytes, 0, &mut spans);
        if !spans.is_empty() {
            self.search_on(bytes, &mut spans);
        }
        spans
    }

    /// Searches until what is left holds nothing more, so that redacting twice changes nothing.
    fn search_on(&self, bytes: &[u8], spans: &mut Vec<Span>) {
        for _ in 1..MAX_ROUNDS {
            let mut more = Vec::new();
            self.engine.document(&span::splice(bytes, spans), 0, &mut more);
            if more.is_empty() {
                break;
            }
            span::unsplice(&mut more, spans);
            spans.append(&mut more);
            span::merge(spans, 0);
        }
    }
}

impl Settings {
    /// By which rules something was redacted: those of the program, the user's own, and what else is looked for. It tells
    /// nothing of the machine.
    pub fn digest(&self) -> Digest {
        let switches = [self.cards, self.privacy.home.is_some(), self.privacy.host.is_some(), self.privacy.emails];
        let custom = self.custom.digest();
        let custom = custom.as_ref().map_or(&[][..], |digest| digest.as_bytes());
        Digest::of_parts(&[version().as_bytes(), &switches.map(u8::from), custom])
    }
}

/// Which rules there are: another program, or other rules, may find more.
pub fn version() -> Digest {
    let rules = rules::all().flat_map(|rule| [rule.id, rule.pattern]);
    let parts: Vec<&[u8]> = [env!("CARGO_PKG_VERSION")].into_iter().chain(rules).map(str::as_bytes).collect();
    Digest::of_parts(&parts)
}

#[cfg(test)]
impl Default for Redactor {
    fn default() -> Self {
        Redactor::new(Settings::default())
    }
}

#[cfg(test)]
mod tests;
