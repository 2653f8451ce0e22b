//! The engine: one pass for all keywords, then a look at what each could mean.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::Settings;
use super::frame::{self, Frame, Searched};
use super::json::{self, Token};
use super::memory::Memory;
use super::names::{self, Class, Names};
use super::prefilter::Prefilter;
use super::rule::{Check, Rule};
use super::span::{self, Rank, Span};
use super::value::Setting;
use super::view::{self, View};
use super::{cards, dump, encoded, jwk, named, pem, rules, seed, shape, tongues, url, value};

/// What a keyword's hit is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Rule(usize),
    Name,
    Url,
    PrivateKey,
    Jwk,
    Marker,
}

/// Documents in strings in documents: deeper ones are read as text.
const MAX_DEPTH: u8 = 6;
/// How far behind its keyword a match may reach.
const WINDOW: usize = 16 * 1024;
const NARROW_WINDOW: usize = 128;

/// How far before an encoded value its name may stand.
const NAMED_WITHIN: usize = 160;

/// Everything that can be found, ready to search. Making one is cheap: patterns are compiled when their keyword first comes.
pub(super) struct Engine {
    prefilter: Prefilter<Target>,
    rules: Vec<(&'static Rule, OnceLock<Regex>)>,
    settings: Settings,
    names: Names,
    memory: RefCell<Memory>,
}

impl Engine {
    pub fn new(settings: Settings) -> Self {
        let rules: Vec<_> = rules::all().map(|rule| (rule, OnceLock::new())).collect();
        let by_rule = rules.iter().enumerate();
        let by_rule = by_rule.flat_map(|(i, (rule, _))| rule.keywords.iter().map(move |k| (*k, Target::Rule(i))));
        let keywords = [(url::KEYWORD, Target::Url), (jwk::KEYWORD, Target::Jwk), (span::MARKER, Target::Marker)]
            .into_iter()
            .chain(names::KEYWORDS.iter().chain(tongues::KEYWORDS).map(|k| (*k, Target::Name)))
            .chain(pem::KEYWORDS.iter().map(|k| (*k, Target::PrivateKey)))
            .chain(by_rule);
        let prefilter = Prefilter::new(keywords);
        Engine { prefilter, rules, settings, names: Names::default(), memory: RefCell::default() }
    }

    /// Forgets what was found.
    pub fn forget(&self) {
        self.memory.take();
    }

    /// Looks for what is known already in the bytes of a document, as they stand and in base64.
    pub fn recall(&self, bytes: &[u8], spans: &mut Vec<Span>) {
        let memory = self.memory.borrow();
        memory.find(bytes, spans);
        encoded::runs(bytes, |start, end| {
            // Behind an escape stands a letter that is no part of the run.
            let start = start + usize::from(start > 0 && bytes[start - 1] == b'\\');
            let mut found = Vec::new();
            if let Some(inner) = bytes.get(start..end).filter(|run| run.len() >= 24).and_then(encoded::decode_text) {
                memory.find(&inner, &mut found);
            }
            spans.extend(found.first().map(|best| Span { start, end, ..*best }));
        });
    }

    /// Searches a document: JSON, lines of JSON, or text. The spans come ordered and apart.
    pub fn document(&self, bytes: &[u8], depth: u8, spans: &mut Vec<Span>) {
        let from = spans.len();
        if depth > MAX_DEPTH {
            return self.text(bytes, depth, spans);
        }
        let number =
            self.settings.cards && depth == 0 && bytes.len() < 40 && bytes.trim_ascii().iter().all(u8::is_ascii_digit);
        if let Some(tokens) = (number || looks_like_json(bytes)).then(|| json::tokens(bytes)).flatten() {
            self.json(bytes, tokens, depth, spans);
        } else {
            // Lines of JSON apart, everything between them together.
            let mut text = 0;
            let mut line = 0;
            let mut said = Said::default();
            while line < bytes.len() {
                let end = memchr::memchr(b'\n', &bytes[line..]).map_or(bytes.len(), |n| line + n);
                if let Some((from, to)) = document_in(&bytes[line..end])
                    && to - from < bytes.len()
                    && let Some(tokens) = json::tokens(&bytes[line + from..line + to])
                {
                    let content = &bytes[line + from..line + to];
                    said.add(frame::said(content, &tokens), line + from);
                    // What stands around it may be about it; a line that is a document is only that.
                    if from == 0 {
                        self.text_at(bytes, text, line, depth, spans);
                        text = end;
                    }
                    let first = spans.len();
                    self.json(content, tokens, depth, spans);
                    shift(&mut spans[first..], line + from);
                }
                line = end + 1;
            }
            self.text_at(bytes, text, bytes.len(), depth, spans);
            if said.strings.len() > 1 {
                self.lines(bytes, &said.strings, if said.pieces { b"" } else { b"\n" }, spans);
            }
        }
        span::merge(spans, from);
    }

    fn text_at(&self, bytes: &[u8], start: usize, end: usize, depth: u8, spans: &mut Vec<Span>) {
        let first = spans.len();
        self.text(&bytes[start..end], depth, spans);
        shift(&mut spans[first..], start);
    }

    /// Searches the strings of a JSON document.
    fn json(&self, bytes: &[u8], tokens: Vec<Token>, depth: u8, spans: &mut Vec<Span>) {
        let mut frames = vec![Frame::new(None, false)];
        let mut searched = Searched::default();
        tokens.into_iter().for_each(|token| match token {
            Token::Open => {
                // What an array holds goes by the array's name.
                let frame = frames.last_mut().map(|f| {
                    f.only_lines = false;
                    f.numbers.stop();
                    Frame::new(f.name, f.generated)
                });
                frames.extend(frame);
            }
            Token::Close => {
                let Some(frame) = frames.pop() else { return };
                if frame.only_lines && frame.lines.len() > 1 {
                    // The arguments of a command make one line.
                    let begins = |sign: u8| frame.lines.iter().any(|(start, end)| start < end && bytes[*start] == sign);
                    let command = begins(b'-') && !begins(b'+') && !begins(b' ');
                    let between: &[u8] = if command { b" " } else { b"\n" };
                    self.lines(bytes, &frame.lines, between, spans);
                }
                if let Some((start, end, inner)) = frame.numbers.take() {
                    let first = spans.len();
                    let named =
                        frame.name.filter(|_| inner.len() >= 16).map(|c| Span::new(start, end, c.rule(), Rank::Named));
                    let text = inner.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r'));
                    let found = text.then(|| self.encoded(bytes, start, end, Some(inner), depth)).flatten();
                    spans.extend(found.or(named).map(|span| Span { quotes: 1, ..span }));
                    self.mark(bytes, first, spans);
                }
                if frame.is_jwk {
                    let first = spans.len();
                    spans.extend(frame.jwk_members.iter().map(|(start, end)| jwk::span(*start, *end)));
                    self.mark(bytes, first, spans);
                }
            }
            Token::Scalar(start, end) => {
                if let Some(frame) = frames.last_mut() {
                    frame.numbers.add(bytes, start, end);
                }
                if self.settings.cards && cards::is_number(bytes, start, end) {
                    let first = spans.len();
                    spans.push(Span { quotes: 1, ..cards::span(start, end) });
                    self.mark(bytes, first, spans);
                }
            }
            Token::Key(start, end) => {
                let raw = &bytes[start..end];
                let key = json::decode(raw);
                let key = key.as_deref().unwrap_or(raw);
                if let Some(frame) = frames.last_mut() {
                    frame.key(key, self.classify(key));
                }
                if key.len() >= 16 {
                    self.string(raw, start, None, depth, spans);
                }
            }
            Token::Str(start, end) => {
                let raw = &bytes[start..end];
                let Some(frame) = frames.last_mut() else { return };
                if frame.only_lines {
                    frame.lines.push((start, end));
                }
                frame.numbers.stop();
                frame.tells(raw);
                if frame.names_sibling {
                    frame.sibling = self.classify(frame::label(raw));
                }
                if frame.is_jwk_member && jwk::is_number(raw) {
                    frame.jwk_members.push((start, end));
                }
                // Signatures of thinking blocks have to stay whole, and hold no text.
                if !(frame.signature
                    && raw.len() >= 64
                    && raw.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b)))
                {
                    let (name, first) = (frame.name, spans.len());
                    if !searched.copy(bytes, (start, end), name, spans) {
                        self.string(raw, start, name, depth, spans);
                        searched.keep((start, end), name, &spans[first..]);
                    }
                }
            }
        });
    }

    /// What a name says; most have none of the keywords and say nothing.
    fn classify(&self, name: &[u8]) -> Option<Class> {
        let mut tells = false;
        if memchr::memmem::find(name, b"[REDACTED:").is_some() {
            return None;
        }
        self.prefilter.find(name, |target, _, _| tells |= target == Target::Name);
        if tells { self.names.classify(name) } else { None }
    }

    /// Searches one string of a document: `raw` is its inside, at `at`.
    fn string(&self, raw: &[u8], at: usize, name: Option<Class>, depth: u8, spans: &mut Vec<Span>) {
        if raw.len() < if name.is_some() { 4 } else { 8 } {
            return;
        }
        let first = spans.len();
        let decoded = json::decode(raw);
        let text = decoded.as_deref().unwrap_or(raw);
        self.document(text, depth + 1, spans);
        if let Some(class) = name {
            let named = spans.len();
            named::in_json(class, text, spans);
            self.mark(text, named, spans);
            span::merge(spans, first);
        }
        spans[first..].iter_mut().filter(|span| span.quotes > 0).for_each(|span| span.quotes += 1);
        if decoded.is_some() {
            map_back(&mut spans[first..], |positions| json::to_raw(raw, positions));
        }
        shift(&mut spans[first..], at);
    }

    /// Searches strings as the lines of one text, as diffs in JSON have them: a private key takes several. What is between
    /// them may be something else than a line's end.
    fn lines(&self, bytes: &[u8], lines: &[(usize, usize)], between: &[u8], spans: &mut Vec<Span>) {
        let mut text = Vec::new();
        let mut ends = Vec::with_capacity(lines.len());
        for &(start, end) in lines {
            let raw = &bytes[start..end];
            let line = json::decode(raw).map_or(Cow::Borrowed(raw), Cow::Owned);
            // A document has been searched as what it is.
            if !(looks_like_json(&line) && json::walk(&line, |_| {})) {
                text.extend_from_slice(&line);
            }
            ends.push(text.len());
            text.extend_from_slice(between);
        }
        let mut found = Vec::new();
        // What is encoded has been searched string by string.
        self.text(&text, MAX_DEPTH, &mut found);
        let mut next = 0;
        let mut from = 0;
        for (&(start, end), &to) in lines.iter().zip(&ends) {
            next += found[next..].iter().take_while(|s| s.end <= from).count();
            let first = spans.len();
            let here = found[next..].iter().take_while(|s| s.start < to);
            let pieces = here.map(|s| Span { start: s.start.max(from) - from, end: s.end.min(to) - from, ..*s });
            spans.extend(pieces.filter(|s| s.start < s.end));
            map_back(&mut spans[first..], |positions| json::to_raw(&bytes[start..end], positions));
            shift(&mut spans[first..], start);
            from = to + between.len();
        }
    }

    /// Searches text, and what it reads as once escapes, pieces and dumps are undone.
    fn text(&self, text: &[u8], depth: u8, spans: &mut Vec<Span>) {
        let from = spans.len();
        if memchr::memchr(0x1B, text).is_some() {
            let plain = encoded::without_ansi(text);
            self.text(&plain, depth, spans);
            return map_back(&mut spans[from..], |positions| encoded::ansi_to_raw(text, positions));
        }
        let markers = self.scan(text, depth, spans);
        if depth < MAX_DEPTH {
            if let Some(view) = view::unescaped(text) {
                self.view(&view, spans, |spans| self.text(&view.text, depth + 1, spans));
            }
            if let Some(view) = view::arguments(text) {
                self.view(&view, spans, |spans| {
                    self.scan(&view.text, MAX_DEPTH, spans);
                });
            }
            if let Some(view) = dump::rows(text) {
                self.view(&view, spans, |spans| self.text(&view.text, depth + 1, spans));
            }
            if let Some(view) = view::joined(text) {
                self.view(&view, spans, |spans| {
                    let first = spans.len();
                    self.scan(&view.text, depth, spans);
                    // What is in one piece was found in the text itself.
                    let mut i = 0;
                    spans.retain(|span| {
                        i += 1;
                        i <= first || view.in_pieces(span.start, span.end)
                    });
                });
            }
        }
        span::spare_markers(spans, from, &markers);
        span::to_char_boundaries(text, &mut spans[from..]);
        span::merge(spans, from);
    }

    /// Searches a view; what is found there goes in the text that it was made from.
    fn view(&self, view: &View, spans: &mut Vec<Span>, search: impl FnOnce(&mut Vec<Span>)) {
        let first = spans.len();
        search(spans);
        let mut i = 0;
        spans.retain(|span| {
            i += 1;
            i <= first || view.in_one_place(span.start, span.end)
        });
        for span in &mut spans[first..] {
            (span.start, span.end) = view.to_raw(span.start, span.end);
        }
    }

    /// Searches text as it stands. Returns where markers are in it.
    fn scan(&self, text: &[u8], depth: u8, spans: &mut Vec<Span>) -> Vec<(usize, usize)> {
        let from = spans.len();
        let mut seen = named::Seen::default();
        let mut markers = Vec::new();
        let (mut covered, mut jwk_end) = (0, 0);
        self.prefilter.find(text, |target, start, end| match target {
            Target::Rule(i) if start >= covered => {
                if let Some(span) = self.rule(i, text, start, end) {
                    covered = span.end;
                    spans.push(span);
                }
            }
            Target::PrivateKey if start >= covered => {
                if let Some(span) = pem::find(text, start) {
                    covered = span.end;
                    spans.push(span);
                }
            }
            Target::Rule(_) | Target::PrivateKey => {}
            Target::Name if markers.last().is_some_and(|marker: &(usize, usize)| start < marker.1) => {}
            Target::Name => named::find(text, (start, end), &self.names, &mut seen, spans),
            Target::Url => url::find(text, start, spans),
            Target::Jwk if start < jwk_end => {}
            Target::Jwk => jwk_end = jwk::find(text, start, spans),
            Target::Marker => markers.extend(span::marker_end(text, start).map(|end| (start, end))),
        });
        seed::find(text, spans);
        self.settings.custom.find(text, spans);
        if self.settings.cards {
            cards::find(text, spans);
        }
        self.mark(text, from, spans);
        self.settings.privacy.find(text, spans);
        if depth < MAX_DEPTH {
            encoded::runs(text, |start, end| {
                spans.extend(shape::find(text, start, end));
                spans.extend(self.encoded(text, start, end, encoded::decode_text(&text[start..end]), depth));
            });
            dump::lists(text, |start, end, bytes| {
                spans.extend(self.encoded(text, start, end, Some(bytes), depth));
            });
        }
        markers
    }

    /// Marks and keeps what was found in a text, from index `from` on, but for what the organisation allows.
    fn mark(&self, text: &[u8], from: usize, spans: &mut Vec<Span>) {
        let mut i = 0;
        spans.retain(|span| {
            i += 1;
            i <= from || !self.settings.custom.allows(&text[span.start..span.end])
        });
        let mut memory = self.memory.borrow_mut();
        for span in &mut spans[from..] {
            span.tag = self.settings.key.tag(&text[span.start..span.end]);
            if !span::holds_marker(text, span) {
                memory.learn(text, span);
            }
        }
    }

    /// What is encoded goes as a whole if it holds a secret.
    fn encoded(&self, text: &[u8], start: usize, end: usize, inner: Option<Vec<u8>>, depth: u8) -> Option<Span> {
        let inner = inner?;
        let mut found = Vec::new();
        self.document(&inner, depth + 1, &mut found);
        if let Some(best) = found.into_iter().max_by_key(|s| s.rank) {
            return Some(Span { start, end, quotes: 0, ..best });
        }
        // Mapbox's public tokens.
        if text[..start].ends_with(b"pk.") {
            return None;
        }
        // Nothing by itself, but what stands before may have named it: `echo "$TOKEN" | base64`.
        let class = self.named_before(&text[start.saturating_sub(NAMED_WITHIN)..start])?;
        let secret = value::plausible(class, inner.trim_ascii_end(), Setting::Quoted);
        let tag = self.settings.key.tag(inner.trim_ascii_end());
        secret.then_some(Span { tag, ..Span::new(start, end, class.rule(), Rank::Named) })
    }

    /// The class of the last name in a text that says something.
    fn named_before(&self, text: &[u8]) -> Option<Class> {
        let mut class = None;
        self.prefilter.find(text, |target, start, end| {
            if target == Target::Name
                && let Some((start, end)) = named::identifier(text, (start, end))
            {
                class = self.names.classify(&text[start..end]).or(class);
            }
        });
        class
    }

    /// Applies a rule whose keyword stands at `at`.
    fn rule(&self, i: usize, text: &[u8], at: usize, keyword_end: usize) -> Option<Span> {
        let (rule, regex) = &self.rules[i];
        if rule.by_form && rule.back == 0 && !(begins_word(text, at) && begins_token(rule, text, at, keyword_end)) {
            return None;
        }
        let regex = regex.get_or_init(|| compile(rule));
        let start = at.saturating_sub(rule.back);
        // Where the match may begin anywhere, the search would go on to the window's end each time.
        let ahead = if rule.back == 0 { WINDOW } else { NARROW_WINDOW };
        let window = &text[start..text.len().min(at + ahead)];
        let captures = regex.captures_iter(window).find(|c| c.get(0).is_some_and(|m| start + m.end() > at))?;
        if captures.get(0).is_none_or(|m| start + m.start() > at) {
            return None;
        }
        let secret = captures.iter().skip(1).flatten().next().or(captures.get(0))?;
        if !holds(rule.check, secret.as_bytes()) {
            return None;
        }
        let mut end = start + secret.end();
        if secret.end() == window.len() {
            // The window cut it: the rest of the token belongs to it.
            end += text[end..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.~+/=%".contains(b)).count();
        }
        let rank = if rule.by_form { Rank::Format } else { Rank::Context };
        Some(Span::new(start + secret.start(), end, rule.id, rank))
    }
}

/// Compiles a rule's pattern, anchored at its keyword unless it may begin before.
fn compile(rule: &Rule) -> Regex {
    let anchor = if rule.back == 0 { r"\A" } else { "" };
    RegexBuilder::new(&format!("{anchor}(?:{})", rule.pattern))
        .unicode(false)
        .build()
        .expect("the patterns of the table compile; a test holds it")
}

/// Whether a token can begin at `at`: not within a word, but behind an escape that only looks like one.
fn begins_word(text: &[u8], at: usize) -> bool {
    let back = |n: usize| at.checked_sub(n).map(|i| text[i]);
    match back(1) {
        Some(b'-') => matches!(back(2), None | Some(b'\n')),
        Some(b) if b.is_ascii_alphanumeric() || b == b'_' => {
            let hex = |n: usize| back(n).is_some_and(|b| b.is_ascii_hexdigit());
            (matches!(b, b'n' | b'r' | b't') && back(2) == Some(b'\\'))
                || (hex(1) && hex(2) && back(3) == Some(b'%'))
                || (hex(1) && hex(2) && hex(3) && hex(4) && back(5) == Some(b'u') && back(6) == Some(b'\\'))
        }
        _ => true,
    }
}

/// Whether what stands at `at` can be a token that begins with the rule's keyword: most are not, and need no pattern.
fn begins_token(rule: &Rule, text: &[u8], at: usize, keyword_end: usize) -> bool {
    let exact = rule.keywords.iter().any(|k| k.as_bytes() == &text[at..keyword_end]);
    exact && text.get(at..at + 16).is_some_and(|token| token.iter().all(|b| b.is_ascii_graphic() && *b != b'"'))
}

fn holds(check: Check, secret: &[u8]) -> bool {
    match check {
        Check::Real => !value::filler(secret),
        Check::Random => value::random(secret) && !value::wordy(secret) && !value::filler(secret),
        Check::Password => value::plausible(Class::Password, secret, Setting::Quoted),
        Check::Chosen => {
            value::drawn(Class::Password, secret) && value::plausible(Class::Password, secret, Setting::Quoted)
        }
        Check::Said => value::said(secret) && value::plausible(Class::Password, secret, Setting::Quoted),
        Check::Given => value::plausible(Class::Password, secret, Setting::Assigned),
        Check::Basic => value::basic_credentials(secret),
    }
}

/// The texts of the lines of a log or a stream, for what is cut into several.
#[derive(Default)]
struct Said {
    strings: Vec<(usize, usize)>,
    pieces: bool,
}

impl Said {
    fn add(&mut self, string: Option<((usize, usize), bool)>, at: usize) {
        if let Some(((start, end), piece)) = string.filter(|((start, end), _)| start < end) {
            self.pieces |= piece;
            self.strings.push((at + start, at + end));
        }
    }
}

/// Where in a line a document stands: it is the line, or its end, behind what a log or a frame put there.
fn document_in(line: &[u8]) -> Option<(usize, usize)> {
    let to = line.trim_ascii_end();
    let to = to.strip_suffix("│".as_bytes()).unwrap_or(to).trim_ascii_end();
    if !matches!(to.last(), Some(b'}' | b']')) {
        return None;
    }
    let opens = |at: &usize| {
        let rest = &to[*at..];
        rest.starts_with(b"{\"")
            || rest.starts_with(b"[{\"")
            || rest.starts_with(b"[\"")
            || (*at == 0 && matches!(rest[0], b'{' | b'['))
    };
    let from = memchr::memchr2_iter(b'{', b'[', &to[..to.len().min(120)]).find(opens)?;
    Some((from, to.len()))
}

fn looks_like_json(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

fn shift(spans: &mut [Span], by: usize) {
    for span in spans {
        (span.start, span.end) = (span.start + by, span.end + by);
    }
}

/// Takes ordered spans back to what their text was made from.
fn map_back(spans: &mut [Span], to_raw: impl FnOnce(&mut [usize])) {
    let mut positions: Vec<usize> = spans.iter().flat_map(|s| [s.start, s.end]).collect();
    to_raw(&mut positions);
    for (span, at) in spans.iter_mut().zip(positions.chunks_exact(2)) {
        (span.start, span.end) = (at[0], at[1]);
    }
}
