//! Values whose name tells: `NAME=value`, `"name": "value"`, table cells, attributes, flags, sentences.

use super::cookies;
use super::names::{self, Class};
use super::span::{Rank, Span};
use super::value::{self, Setting};

/// How far the search of one text has come.
#[derive(Default)]
pub(super) struct Seen {
    /// Names before this have been looked at.
    name_end: usize,
    /// Cookies before this have been looked at.
    cookies_end: usize,
    /// Unquoted values that overlap: where the first of them ends, and how many have been looked at.
    run: (usize, usize),
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// `=`, and whether nothing else stands between.
    Equals {
        tight: bool,
    },
    Colon,
    /// The next cell of a table.
    Cell,
    /// The end of an opening tag.
    Tag,
    /// White space after `--name`.
    Flag,
    /// What only a quoted value may follow: a comma, a bracket, a sibling called `value`.
    Quote,
    /// `is`, and its like.
    Prose,
}

const MAX_NAME: usize = 64;
const MAX_UNQUOTED: usize = 4096;
const MAX_QUOTED: usize = 16 * 1024;
const MAX_OVERLAPS: usize = 32;

/// Looks at the name around a keyword's hit, and at what it is given.
pub(super) fn find(text: &[u8], hit: (usize, usize), seen: &mut Seen, spans: &mut Vec<Span>) {
    if hit.0 < seen.name_end {
        return;
    }
    let Some((start, end)) = identifier(text, hit) else {
        seen.name_end = hit.1;
        return;
    };
    seen.name_end = end;
    let Some((link, at)) = link(text, start, end) else { return };
    let Some(class) = names::classify(&text[start..end]) else { return };
    if class == Class::Cookies {
        if at >= seen.cookies_end {
            seen.cookies_end = cookies::find(text, at, spans);
        }
    } else if at < seen.run.0 && seen.run.1 > MAX_OVERLAPS {
        // Nobody writes so; only the time it would take is worth a thought.
    } else if let Some(span) = given(text, (start, end), class, link, at, seen) {
        spans.push(span);
    }
}

/// Adds the span of a value that JSON gives to a name of this class.
pub(super) fn in_json(class: Class, text: &[u8], spans: &mut Vec<Span>) {
    if class == Class::Cookies {
        cookies::find(text, 0, spans);
        return;
    }
    let start = after_scheme(text);
    if value::plausible(class, text[start..].trim_ascii_end(), Setting::Quoted) {
        spans.push(Span { start, end: text.len(), rule: class.rule(), rank: Rank::Named });
    }
}

/// The whole identifier around a hit.
pub(super) fn identifier(text: &[u8], (start, end): (usize, usize)) -> Option<(usize, usize)> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let left = text[..start].iter().rev().take(MAX_NAME).take_while(|b| part(b)).count();
    let right = text[end..].iter().take(MAX_NAME).take_while(|b| part(b)).count();
    if left == MAX_NAME || right == MAX_NAME {
        return None;
    }
    let (mut start, mut end) = (start - left, end + right);
    while matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    while matches!(text[start], b'.' | b'-') && start + 1 < end {
        start += 1;
    }
    // Two words: `API key`, `seed phrase`.
    let last = text[start..end].to_ascii_lowercase();
    if matches!(&last[..], b"key" | b"keys" | b"phrase") && start > 1 && text[start - 1] == b' ' {
        start -= 1 + text[..start - 1].iter().rev().take(16).take_while(|b| b.is_ascii_alphabetic()).count();
    }
    Some((start, end))
}

/// What follows a name, and where the value would begin.
fn link(text: &[u8], start: usize, end: usize) -> Option<(Link, usize)> {
    let (mut i, mut quoted) = (end, false);
    while let Some(b) = text.get(i).filter(|_| i < end + 12) {
        match b {
            b'"' | b'\'' | b'`' => quoted = true,
            b'\\' if matches!(text.get(i + 1), Some(b'"' | b'\'' | b'\\')) => {}
            b']' | b'*' | b'?' | b')' => {}
            _ => break,
        }
        i += 1;
    }
    let at = skip_blanks(text, i);
    let before = start.checked_sub(1).map_or(b'\n', |j| text[j]);
    let rest = &text[at..];
    let (link, len) = match rest {
        [b'=', b'>', ..] => (Link::Equals { tight: false }, 2),
        [b'=', b'~', ..] => return None,
        [b'=', ..] => {
            let signs = rest.iter().take(3).take_while(|b| **b == b'=').count();
            (Link::Equals { tight: at == i && signs == 1 && !quoted }, signs)
        }
        [b':', b'=', ..] | [b'+', b'=', ..] | [b'?', b'=', ..] => (Link::Equals { tight: false }, 2),
        [b'!', b'=', ..] => (Link::Quote, 2 + usize::from(rest.get(2) == Some(&b'='))),
        [b':', b':', ..] => return None,
        // `arn:aws:…:secret:name`
        [b':', next, ..] if !quoted && matches!(before, b':' | b'/') && *next != b' ' => return None,
        [b':', ..] => (Link::Colon, 1),
        [b'|', b'|', ..] => return None,
        [b'|', ..] if quoted || in_table(text, start) => (Link::Cell, 1),
        [b'>', next, ..] if at == end && matches!(before, b'<' | b':') && *next != b' ' => (Link::Tag, 1),
        [b',', ..] if quoted => (Link::Quote, 1 + skip_sibling_name(&rest[1..])),
        [b'(', ..] if at == end => (Link::Quote, 1),
        [b'\n' | b'\r', ..] | [] => return later_value(text, at).map(|at| (Link::Equals { tight: false }, at)),
        _ if at == i => return None,
        _ if quoted && attribute(rest) > 0 => (Link::Quote, attribute(rest)),
        _ if before == b'-' && !quoted && rest[0] != b'-' => (Link::Flag, 0),
        _ => (Link::Prose, prose(rest)?),
    };
    Some((link, skip_blanks(text, at + len)))
}

fn skip_blanks(text: &[u8], i: usize) -> usize {
    i + text[i..].iter().take(64).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn in_table(text: &[u8], at: usize) -> bool {
    let line = text[..at].iter().rev().take(200).take_while(|b| **b != b'\n').last();
    line == Some(&b'|')
}

/// The words between a name and its value in a sentence.
fn prose(rest: &[u8]) -> Option<usize> {
    const WORDS: &[&[u8]] = &[b"is: ", b"is ", b"was ", b"ist ", b"lautet "];
    WORDS.iter().find(|w| rest.starts_with(w)).map(|w| w.len())
}

/// `value=` of an attribute beside the one that names it.
fn attribute(rest: &[u8]) -> usize {
    const NAMES: &[&[u8]] = &[b"value=", b"content=", b"val="];
    NAMES.iter().find(|n| rest.len() > n.len() && rest[..n.len()].eq_ignore_ascii_case(n)).map_or(0, |n| n.len())
}

/// `"value":` after the comma behind `"name": "DB_PASSWORD"`.
fn skip_sibling_name(rest: &[u8]) -> usize {
    let text = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\\' | b'"' | b'\'')).count();
    if !rest[text..].get(..5).is_some_and(|w| w.eq_ignore_ascii_case(b"value")) {
        return 0;
    }
    let after = text + 5;
    let sign = after + rest[after..].iter().take(8).take_while(|b| matches!(b, b'\\' | b'"' | b'\'' | b' ')).count();
    if rest.get(sign) == Some(&b':') { sign + 1 } else { 0 }
}

/// The value in one of the next lines: `name = "token"` / `value = "…"`.
fn later_value(text: &[u8], mut line: usize) -> Option<usize> {
    for _ in 0..3 {
        line += 1 + text[line..].iter().take(160).position(|b| *b == b'\n')?;
        let mut i = line + prefix(&text[line..]);
        i += text[i..].iter().take(40).take_while(|b| matches!(b, b' ' | b'\t' | b'"' | b'\'')).count();
        if text[i..].get(..5).is_some_and(|w| w.eq_ignore_ascii_case(b"value")) {
            i += 5 + text[i + 5..].iter().take(20).take_while(|b| matches!(b, b' ' | b'"' | b'\'')).count();
            return matches!(text.get(i), Some(b':' | b'=')).then(|| skip_blanks(text, i + 1));
        }
    }
    None
}

/// What a tool puts before each line: a line number, a diff's sign.
pub(super) fn prefix(line: &[u8]) -> usize {
    let blanks = line.iter().take(12).take_while(|b| **b == b' ').count();
    let digits = line[blanks..].iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let after = blanks + digits;
    if digits > 0 && line[after..].starts_with("→".as_bytes()) {
        return after + "→".len();
    }
    if digits > 0 && matches!(line.get(after), Some(b'\t' | b'|')) {
        return after + 1;
    }
    usize::from(matches!(line.first(), Some(b'+' | b'-' | b'>')))
}

/// The value that a name is given at `at`, if it can be a secret.
fn given(text: &[u8], name: (usize, usize), class: Class, link: Link, at: usize, seen: &mut Seen) -> Option<Span> {
    let at = after_line_break(text, at, link);
    let at = if link == Link::Colon { after_type(text, at) } else { at };
    let open = quote(text, at);
    let (start, end, setting) = match open {
        Some(open) => {
            let start = open.inside + after_scheme(&text[open.inside..]);
            (start, quoted_end(text, open)?.max(start), Setting::Quoted)
        }
        None if link == Link::Quote => return None,
        None if class == Class::SeedPhrase && text.get(at).is_some_and(u8::is_ascii_lowercase) => {
            (at, words_end(text, at), Setting::Loose)
        }
        None => {
            let start = at + after_scheme(&text[at..]);
            let end = unquoted_end(text, start);
            seen.run = if start < seen.run.0 { (seen.run.0, seen.run.1 + 1) } else { (end, 1) };
            (start, end, unquoted_setting(text, name, link, end))
        }
    };
    let mut value: &[u8] = &text[start..end];
    if open.is_some() && value.windows(2).any(|w| w == b"\\n") {
        // Several lines: a file, in which each value has its own name.
        return None;
    }
    let cleaned: Vec<u8>;
    if value.iter().any(|b| matches!(b, b'\n' | b'"' | b'\'')) {
        cleaned = joined(value);
        value = &cleaned;
    }
    if link == Link::Tag && !text[end..].starts_with(b"</") {
        return None;
    }
    let strict = matches!(link, Link::Prose | Link::Quote);
    if strict && !matches!(class, Class::SeedPhrase) && (value::wordy(value) || !value::random(value)) {
        return None;
    }
    value::plausible(class, value, setting).then_some(Span { start, end, rule: class.rule(), rank: Rank::Named })
}

fn unquoted_setting(text: &[u8], (start, end): (usize, usize), link: Link, value_end: usize) -> Setting {
    let before = start.checked_sub(1).map_or(b'\n', |j| text[j]);
    let upper = !text[start..end].iter().any(u8::is_ascii_lowercase);
    let line_ends = matches!(text.get(value_end), None | Some(b'\n' | b'\r'));
    match link {
        Link::Tag => Setting::Assigned,
        Link::Equals { tight: true } if upper || matches!(before, b'?' | b'&' | b';') => Setting::Assigned,
        Link::Equals { tight: true } if before == b'\n' && line_ends => Setting::Assigned,
        _ => Setting::Loose,
    }
}

/// Over a block scalar's sign and a line break after `:` or `=`.
fn after_line_break(text: &[u8], at: usize, link: Link) -> usize {
    if !matches!(link, Link::Colon | Link::Equals { .. }) {
        return at;
    }
    let sign = text[at..].iter().take(3).take_while(|b| matches!(b, b'|' | b'>' | b'-' | b'(')).count();
    match text.get(at + sign) {
        Some(b'\n') if sign > 0 || link == Link::Colon => {
            let line = at + sign + 1;
            let indent = line + prefix(&text[line..]);
            let inside = skip_blanks(text, indent);
            // Only what is indented, and no further name, belongs to it.
            if inside > line && !text[inside..].iter().take(40).take_while(|b| **b != b'\n').any(|b| *b == b':') {
                inside
            } else {
                at
            }
        }
        _ => at,
    }
}

/// Over a type annotation: `: &str = "…"`.
fn after_type(text: &[u8], at: usize) -> usize {
    let part = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'&' | b'\'' | b'<' | b'>' | b'[' | b']' | b'.' | b' ' | b'|')
    };
    let len = text[at..].iter().take(48).take_while(|b| part(b)).count();
    let is_type = len > 0 && text.get(at + len) == Some(&b'=') && text.get(at + len + 1) != Some(&b'=');
    if is_type && text[at + len - 1] == b' ' { skip_blanks(text, at + len + 1) } else { at }
}

/// Over `Bearer` and its like.
fn after_scheme(text: &[u8]) -> usize {
    const SCHEMES: &[&[u8]] = &[b"bearer ", b"basic ", b"token ", b"apikey ", b"api-key ", b"bot ", b"key "];
    let found = SCHEMES.iter().find(|s| text.len() > s.len() && text[..s.len()].eq_ignore_ascii_case(s));
    found.map_or(0, |s| s.len())
}

/// An opening quote: where the inside begins, and what it looks like.
#[derive(Clone, Copy)]
struct Open {
    inside: usize,
    mark: u8,
    /// Backslashes before it, where it stands in a quoted text itself.
    escapes: usize,
}

/// The quote at `at`, also behind a string prefix or the name of a call.
fn quote(text: &[u8], at: usize) -> Option<Open> {
    let call = text[at..]
        .iter()
        .take(32)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b' ' | b'!'))
        .count();
    let mut i = at;
    if call > 0 && text.get(at + call) == Some(&b'(') && !reads(&text[at..at + call]) {
        i = skip_blanks(text, at + call + 1);
    }
    i += text[i..]
        .iter()
        .take(2)
        .take_while(|b| matches!(b, b'r' | b'b' | b'f' | b'u' | b'R' | b'B' | b'L' | b'@' | b'$' | b'&'))
        .count();
    i += usize::from(text[i..].starts_with(b"#\""));
    let escapes = text[i..].iter().take(64).take_while(|b| **b == b'\\').count();
    let mark = *text.get(i + escapes).filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let mut inside = i + escapes + 1;
    if text[inside..].starts_with(&[mark, mark]) {
        inside += 2;
    }
    Some(Open { inside, mark, escapes })
}

/// Whether a call of this name looks a value up rather than holding it.
fn reads(call: &[u8]) -> bool {
    const READERS: &[&str] = &[
        "env", "get", "read", "load", "prompt", "input", "ask", "find", "lookup", "fetch", "decrypt", "t", "var",
        "arg", "config",
    ];
    let call = String::from_utf8_lossy(call).to_lowercase();
    let last = call.rsplit(['.', ':', ' ']).next().unwrap_or_default();
    READERS.iter().any(|r| last == *r || last.starts_with(&format!("{r}_")) || last.ends_with(r) && r.len() > 1)
}

/// Where a quoted value ends, with what is concatenated to it.
fn quoted_end(text: &[u8], open: Open) -> Option<usize> {
    let mut end = closing(text, open)?;
    for _ in 0..64 {
        let Some(next) = concatenated(text, end + open.escapes + 1).filter(|next| next.mark == open.mark) else {
            break;
        };
        match closing(text, next) {
            Some(more) => end = more,
            None => break,
        }
    }
    Some(end)
}

/// The position of the closing quote (of its backslashes, where it has any).
fn closing(text: &[u8], open: Open) -> Option<usize> {
    let limit = text.len().min(open.inside + MAX_QUOTED);
    let mut i = open.inside;
    while i < limit {
        let slashes = text[i..limit].iter().take_while(|b| **b == b'\\').count();
        let b = *text.get(i + slashes)?;
        if b == open.mark && (slashes == open.escapes || (open.escapes == 0 && slashes % 2 == 0)) {
            return Some(i + slashes - open.escapes);
        }
        if b == b'\n' && open.mark != b'`' && slashes == 0 {
            return None;
        }
        i += slashes + 1;
    }
    None
}

/// A further quoted piece behind `+`, `.`, `&`, `\` or a line break.
fn concatenated(text: &[u8], at: usize) -> Option<Open> {
    let mut i = at;
    let (mut signs, mut breaks) = (0, 0);
    while i < text.len() && i < at + 96 {
        match text[i] {
            b' ' | b'\t' | b'\r' => {}
            b'+' | b'.' | b'&' => signs += 1,
            b'\n' => {
                breaks += 1;
                i += prefix(&text[i + 1..]);
            }
            b'\\' if text.get(i + 1) == Some(&b'\n') => {}
            _ => break,
        }
        i += 1;
    }
    if (signs == 0 && breaks == 0) || signs > 2 || breaks > 1 {
        return None;
    }
    quote(text, i).filter(|open| open.inside <= i + 3 + open.escapes)
}

/// A value without the quotes, signs and breaks that it is written in pieces with.
fn joined(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut lines = value.split(|b| *b == b'\n');
    out.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        out.extend_from_slice(&line[prefix(line)..]);
    }
    out.retain(|b| !matches!(b, b'"' | b'\'' | b' ' | b'\\' | b'\r' | b'\t'));
    out
}

/// Where an unquoted value ends.
fn unquoted_end(text: &[u8], start: usize) -> usize {
    let limit = text.len().min(start + MAX_UNQUOTED);
    let mut i = start;
    let mut depth = 0i32;
    while i < limit {
        let rest = &text[i..limit];
        match rest[0] {
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'>' | 0..=8 | 11..=31 | 127 => break,
            b'\\' => match rest.get(1) {
                Some(b'\n') => {
                    // A continued line.
                    i += 2 + prefix(&rest[2..]);
                    i = skip_blanks(text, i.min(text.len()));
                    continue;
                }
                Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\') | None => break,
                _ => {}
            },
            b'&' if rest.starts_with(b"&&") || rest.starts_with(b"&amp;") || names_follow(&rest[1..]) => break,
            b';' | b',' if ends_item(&rest[1..]) => break,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth < 0 && ends_item(&rest[1..]) {
                    break;
                }
            }
            _ => {}
        }
        i += 1;
    }
    while i > start && matches!(text[i - 1], b'.' | b',' | b';' | b':') {
        i -= 1;
    }
    wrapped_end(text, start, i)
}

/// `name=` of a query's or a connection string's next item.
fn names_follow(rest: &[u8]) -> bool {
    let name = rest
        .iter()
        .take(64)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' '))
        .count();
    name > 0 && matches!(rest.get(name), Some(b'=' | b':'))
}

fn ends_item(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'}' | b')' | b']' | b'\\'))
        || names_follow(rest)
}

/// A value that a terminal or an editor wrapped goes on in the next line, when that holds nothing else.
fn wrapped_end(text: &[u8], start: usize, end: usize) -> usize {
    if end < start + 12 || text.get(end) != Some(&b'\n') || !value::random(&text[start..end]) {
        return end;
    }
    let line = end + 1 + prefix(&text[end + 1..]);
    let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'_' | b'-' | b'.' | b'~');
    // A value of odd characters goes on with odd ones.
    let odd = !text[start..end].iter().all(|b| token(b) || *b == b'=');
    let part =
        |b: &u8| token(b) || (odd && b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'>'));
    let len = text[line..].iter().take(MAX_UNQUOTED).take_while(|b| part(b)).count();
    if names_follow(&text[line..line + len]) {
        return end;
    }
    let pad = text[line + len..].iter().take(2).take_while(|b| **b == b'=').count();
    let tail = &text[line..line + len];
    let alone = matches!(text.get(line + len + pad), None | Some(b'\n' | b'\r'));
    if alone && len >= 6 && !value::wordy(tail) && value::random(tail) { line + len + pad } else { end }
}

/// Where a row of lower-case words ends.
fn words_end(text: &[u8], start: usize) -> usize {
    let len = text[start..].iter().take(24 * 9).take_while(|b| b.is_ascii_lowercase() || **b == b' ').count();
    let mut end = start + len;
    while end > start && text[end - 1] == b' ' {
        end -= 1;
    }
    end
}
