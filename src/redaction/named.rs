//! Values whose name tells: `NAME=value`, `"name": "value"`, table cells, attributes, flags, sentences.

use super::link::{Link, link, skip_blanks};
use super::literal::{joined, quote, quoted_end};
use super::names::{self, Class, Names};
use super::prefix::prefix;
use super::span::{self, Rank, Span};
use super::speech::opening;
use super::value::{self, Setting};
use super::{chosen, columns, cookies, seed};

/// How far the search of one text has come.
#[derive(Default)]
pub(super) struct Seen {
    /// Names before this have been looked at.
    name_end: usize,
    /// Cookies before this have been looked at.
    cookies_end: usize,
    /// The rows of the last table: they have been looked at.
    table: (usize, usize),
    /// Unquoted values that overlap: where the first of them ends, and how many have been looked at.
    run: (usize, usize),
}

const MAX_NAME: usize = 64;
const MAX_UNQUOTED: usize = 4096;
const MAX_OVERLAPS: usize = 32;

/// Looks at the name around a keyword's hit, and at what it is given.
pub(super) fn find(text: &[u8], hit: (usize, usize), known: &Names, seen: &mut Seen, spans: &mut Vec<Span>) {
    if hit.0 < seen.name_end {
        return;
    }
    let Some((start, end)) = identifier(text, hit) else {
        seen.name_end = hit.1;
        return;
    };
    seen.name_end = end;
    if matches!(&text[start..end], b"PASS" | b"Pass") && text.get(end) == Some(&b':') {
        // What a test runner says.
        return;
    }
    let Some(class) = known.classify(&text[start..end]) else { return };
    let link = link(text, start, end);
    let heads = heads_column(text, end);
    if heads && !(seen.table.0..seen.table.1).contains(&start) {
        seen.table = columns::find(text, (start, end), class, spans).unwrap_or(seen.table);
    }
    let Some((link, at)) = link else { return };
    if class == Class::Cookies {
        if at >= seen.cookies_end {
            seen.cookies_end = cookies::find(text, at, spans);
        }
    } else if at < seen.run.0 && seen.run.1 > MAX_OVERLAPS {
        // Nobody writes so; only the time it would take is worth a thought.
    } else if let Some(span) = given(text, (start, end), class, link, at, seen) {
        spans.push(span);
        // What a plan changes it to.
        let next = span.end + b"\" -> \"".len();
        if text[span.end..].starts_with(b"\" -> \"")
            && let Some(len) = memchr::memchr(b'"', &text[next..text.len().min(next + MAX_UNQUOTED)])
            && value::plausible(class, &text[next..next + len], Setting::Quoted)
        {
            spans.push(Span::new(next, next + len, class.rule(), Rank::Named));
        }
    }
}

/// Whether the name at `end` may stand in a table's head.
fn heads_column(text: &[u8], end: usize) -> bool {
    let next = end + text[end..].iter().take(40).take_while(|b| matches!(b, b' ' | b'"' | b'`' | b'\r')).count();
    matches!(text.get(next), Some(b',' | b';' | b'\t' | b'|' | b'\n'))
}

/// Adds the span of a value that JSON gives to a name of this class.
pub(super) fn in_json(class: Class, text: &[u8], spans: &mut Vec<Span>) {
    if class == Class::Cookies {
        cookies::find(text, 0, spans);
        return;
    }
    let start = after_scheme(text);
    if value::plausible(class, text[start..].trim_ascii_end(), Setting::Quoted) {
        spans.push(Span::new(start, text.len(), class.rule(), Rank::Named));
    }
}

/// The whole identifier around a hit.
pub(super) fn identifier(text: &[u8], (start, end): (usize, usize)) -> Option<(usize, usize)> {
    if text[start] >= 0x80 && names::unmarked(&text[start..]).is_none() {
        return Some((start, end));
    }
    let ascii = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let part = |at: usize| {
        ascii(text[at])
            || (text[at] >= 0x80
                && (names::unmarked(&text[at..]).is_some() || at > 0 && names::unmarked(&text[at - 1..]).is_some()))
    };
    // A keyword may end with the sign behind a name.
    let end = end - text[start..end].iter().rev().take_while(|b| b.is_ascii_punctuation() && !ascii(**b)).count();
    const BEHIND: &[&[u8]] = &[b" is", b" for", " für".as_bytes(), b" "];
    let start = start + text[start..end].iter().take_while(|b| matches!(b, b',' | b' ')).count();
    let end = end - BEHIND.iter().find(|behind| text[start..end].ends_with(behind)).map_or(0, |behind| behind.len());
    let left = (0..start).rev().take(MAX_NAME).take_while(|at| part(*at)).count();
    let right = (end..text.len()).take(MAX_NAME).take_while(|at| part(*at)).count();
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
    start -= first_word(text, start, end);
    Some((start, end))
}

/// How far before a name its first word begins, where it has two: `API key`, `seed phrase`.
fn first_word(text: &[u8], start: usize, end: usize) -> usize {
    if start < 2 || text[start - 1] != b' ' {
        return 0;
    }
    const ANY: &[&str] = &["phrase", "segreta", "segreto", "secreta", "secreto", "api", "community"];
    let is = |words: &[&str]| words.iter().any(|word| text[start..end].eq_ignore_ascii_case(word.as_bytes()));
    let word = |b: &&u8| b.is_ascii_alphabetic() || **b == b'-';
    let len = text[..start - 1].iter().rev().take(16).take_while(word).count();
    let before = text[start - 1 - len..start - 1].rsplit(|b| *b == b'-').next().unwrap_or_default();
    let one_of = |words: &[&str]| words.iter().any(|word| before.eq_ignore_ascii_case(word.as_bytes()));
    let joins = is(&["key", "keys"]) && one_of(names::SECRET_KEYS)
        || is(&["code", "codes"]) && one_of(&["recovery", "backup", "pin"])
        || is(ANY);
    if joins { 1 + len } else { 0 }
}

/// The value that a name is given at `at`, if it can be a secret.
fn given(text: &[u8], name: (usize, usize), class: Class, link: Link, at: usize, seen: &mut Seen) -> Option<Span> {
    let at = after_line_break(text, at, link);
    let at = if link == Link::Colon { after_type(text, at) } else { at };
    let printed = opening(text, at);
    let at = at + printed;
    let open = quote(text, at).filter(|_| link != Link::Field || matches!(text[at], b'"' | b'\''));
    if open.is_none()
        && matches!(class, Class::Password | Class::Phrase)
        && let Some(end) = groups_end(text, at)
    {
        return Some(Span::new(at, end, class.rule(), Rank::Named));
    }
    let (start, end, setting) = match open {
        Some(open) => {
            let start = open.inside + after_scheme(&text[open.inside..]);
            let flag = link == Link::Flag && text[..name.0].ends_with(b"-");
            let setting = if flag { Setting::Assigned } else { Setting::Quoted };
            (start, quoted_end(text, open)?.max(start), setting)
        }
        None if link == Link::Quote => return None,
        None if link == Link::Field => {
            let ends = |b: &&u8| !matches!(b, b',' | b';' | b'\n' | b'\r' | b'"');
            (at, at + text[at..].iter().take(MAX_UNQUOTED).take_while(ends).count(), Setting::Quoted)
        }
        None if class == Class::SeedPhrase && text.get(at).is_some_and(u8::is_ascii_lowercase) => {
            (at, words_end(text, at), Setting::Loose)
        }
        None => {
            let start = at + after_scheme(&text[at..]);
            let mut end = unquoted_end(text, start);
            if text[name.0] >= 0x80 || text[name.1 - 1] >= 0x80 {
                // Languages that write no spaces go on at once.
                end = start + text[start..end].iter().take_while(|b| b.is_ascii()).count();
                end -= text[start..end].iter().rev().take_while(|b| matches!(b, b',' | b'.' | b';')).count();
            }
            // `Password : [value]`
            let bracketed =
                link == Link::Colon && text[start..end].starts_with(b"[") && text[start..end].ends_with(b"]");
            let marked = span::marker_end(text, start).is_some();
            let (start, end) =
                if bracketed && !marked && end > start + 8 { (start + 1, end - 1) } else { (start, end) };
            seen.run = if start < seen.run.0 { (seen.run.0, seen.run.1 + 1) } else { (end, 1) };
            // A number is one in a sentence, and may be a pin of a chip in a program.
            let spoken = class == Class::Pin && matches!(link, Link::Prose | Link::Flag);
            let spoken = spoken || printed > 0 || (link == Link::Prose && chosen::spoken(&text[start..end]));
            let setting = if spoken { Setting::Quoted } else { unquoted_setting(text, name, link, end) };
            (start, end, setting)
        }
    };
    let mut value: &[u8] = &text[start..end];
    if open.is_some() && value.windows(2).any(|w| w == b"\\n") {
        // Several lines: a file, in which each value has its own name.
        return None;
    }
    if open.is_some_and(|open| open.mark == b'`') && value.contains(&b'\n') {
        // A block of code.
        return None;
    }
    let cleaned: Vec<u8>;
    if value.iter().any(|b| matches!(b, b'\n' | b'"')) || value.contains(&b'\'') && !value.contains(&b' ') {
        cleaned = joined(value);
        value = &cleaned;
    }
    if link == Link::Tag && !text[end..].starts_with(b"</") && !text[end..].starts_with(b"]]>") {
        return None;
    }
    let strict = matches!(link, Link::Prose | Link::Quote | Link::Word | Link::Field);
    if strict && open.is_none() && link != Link::Field && !told(text, name, at) {
        // `fix auth <commit>`, `use token OAuth2Response`: what only follows the word.
        if value::names_something(value)
            || (link == Link::Prose && !value::beyond_a_name(value) && !people(class, value))
        {
            return None;
        }
    }
    let phrase = class == Class::Phrase && open.is_some() && value.contains(&b' ');
    if strict && class != Class::SeedPhrase && !phrase && !value::drawn(class, value) {
        return None;
    }
    value::plausible(class, value, setting).then_some(Span::new(start, end, class.rule(), Rank::Named))
}

/// Whether people could have chosen a value that a sentence gives for a password: no name in a program has such a number.
fn people(class: Class, value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let capital = value.iter().any(u8::is_ascii_uppercase);
    matches!(class, Class::Password | Class::Phrase) && capital && digits >= 3
}

/// Whether a value is told to be the name's: by a sign or a word between, or a new line, or as a variable's.
fn told(text: &[u8], name: (usize, usize), at: usize) -> bool {
    let between = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b':' | b'=' | b'|' | b'\n' | 0x80..);
    let variable = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_';
    text[name.1..at].iter().any(between) || text[name.0..name.1].iter().all(variable)
}

fn unquoted_setting(text: &[u8], (start, end): (usize, usize), link: Link, value_end: usize) -> Setting {
    let before = start.checked_sub(1).map_or(b'\n', |j| text[j]);
    let upper = !text[start..end].iter().any(u8::is_ascii_lowercase);
    let line_ends = matches!(text.get(value_end), None | Some(b'\n' | b'\r'));
    match link {
        Link::Tag => Setting::Assigned,
        Link::Equals { tight: true } if upper || matches!(before, b'?' | b'&' | b';') => Setting::Assigned,
        Link::Equals { tight: true } if before == b'\n' && line_ends => Setting::Assigned,
        Link::Equals { tight: true } if before == b'\n' && upper => Setting::Assigned,
        // What a command printed.
        Link::Prose if line_ends && text[end..value_end].contains(&b'\n') => Setting::Assigned,
        // A line of a configuration, not an argument that may be an expression.
        Link::Flag if line_ends && before != b'-' => Setting::Assigned,
        // `--password=`, `-Dpassword=`: a flag, and no line that a diff takes away.
        Link::Equals { tight: true } if text[..start].ends_with(b"--") || text[..start].ends_with(b" -") => {
            Setting::Assigned
        }
        _ => Setting::Loose,
    }
}

/// Where four groups of four small letters end, as mail providers write the passwords that they give to programs.
fn groups_end(text: &[u8], at: usize) -> Option<usize> {
    let groups = text.get(at..at + 19)?;
    let fits = groups.iter().enumerate().all(|(i, b)| if i % 5 == 4 { *b == b' ' } else { b.is_ascii_lowercase() });
    let ends = matches!(text.get(at + 19), None | Some(b'\n' | b'\r' | b'"' | b'\''));
    let words = groups.split(|b| *b == b' ').filter(|word| seed::is_word(word)).count();
    (fits && ends && words < 2).then_some(at + 19)
}

/// Over a block scalar's sign and a line break after `:` or `=`.
fn after_line_break(text: &[u8], at: usize, link: Link) -> usize {
    if !matches!(link, Link::Colon | Link::Equals { .. }) {
        return at;
    }
    let sign = text[at..].iter().take(3).take_while(|b| matches!(b, b'|' | b'>' | b'-' | b'(')).count();
    match text.get(at + sign) {
        Some(b'\n') if link == Link::Colon && alone_below(text, at).is_some() => alone_below(text, at).unwrap_or(at),
        Some(b'\n') if sign > 0 || link == Link::Colon || text[..at].ends_with(b"=>") => {
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

/// The value that stands alone in the line after an empty one: `Here is the token:`.
fn alone_below(text: &[u8], at: usize) -> Option<usize> {
    let line = at + text[at..].iter().take(4).take_while(|b| matches!(b, b'\n' | b'\r')).count();
    let begin = skip_blanks(text, line + prefix(&text[line..]));
    let word = text[begin..].iter().take(MAX_UNQUOTED).take_while(|b| b.is_ascii_graphic()).count();
    let alone = matches!(text.get(begin + word), None | Some(b'\n' | b'\r'));
    let value = &text[begin..begin + word];
    (line > at + 1 && alone && word >= 12 && value::random(value) && !value::wordy(value)).then_some(begin)
}

/// Over a type annotation: `: &str = "…"`.
fn after_type(text: &[u8], at: usize) -> usize {
    if text[at..].starts_with(b"!!") || text.get(at) == Some(&b'&') {
        // A tag or an anchor of YAML.
        let tag = text[at + 1..]
            .iter()
            .take(32)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'_' | b'-'))
            .count();
        let next = skip_blanks(text, at + 1 + tag);
        if tag > 0 && next > at + 1 + tag && !matches!(text.get(next), None | Some(b'\n' | b'=' | b'|' | b'&')) {
            return next;
        }
    }
    let part = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'&' | b'\'' | b'<' | b'>' | b'[' | b']' | b'.' | b' ' | b'|' | b';' | b'?')
    };
    let len = text[at..].iter().take(48).take_while(|b| part(b)).count();
    let is_type = len > 0 && text.get(at + len) == Some(&b'=') && text.get(at + len + 1) != Some(&b'=');
    if is_type && text[at + len - 1] == b' ' { skip_blanks(text, at + len + 1) } else { at }
}

/// Over `Bearer` and its like.
fn after_scheme(text: &[u8]) -> usize {
    const SCHEMES: &[&[u8]] = &[
        b"bearer ",
        b"basic ",
        b"token ",
        b"apikey ",
        b"api-key ",
        b"bot ",
        b"key ",
        b"splunk ",
        b"sharedkey ",
        b"ssws ",
        b"geniekey ",
        b"negotiate ",
        b"sso-key ",
    ];
    let found = SCHEMES.iter().find(|s| text.len() > s.len() && text[..s.len()].eq_ignore_ascii_case(s));
    found.map_or(0, |s| s.len())
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
            // The end of a quotation in print.
            0xC2 if rest.starts_with(b"\xC2\xBB") || rest.starts_with(b"\xC2\xA0") => break,
            0xE2 if rest.get(1) == Some(&0x80) => break,
            0xE3 if rest.get(1) == Some(&0x80) => break,
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
    if alone && len >= 6 && !value::names_something(tail) && !value::wordy(tail) && value::random(tail) {
        line + len + pad
    } else {
        end
    }
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
