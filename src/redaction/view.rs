//! Views: a text as it reads once its escapes, its pieces or its wrapping are taken away, and the way back to its bytes.

use super::prefix::prefix;
use super::value;

/// A text made from another one, with the place of each of its bytes there.
pub(super) struct View {
    pub text: Vec<u8>,
    pieces: Vec<Piece>,
    /// Where something was taken out between two bytes that now touch.
    joints: Vec<usize>,
    /// Where lines that are not the next ones begin.
    breaks: Vec<usize>,
}

/// A stretch of a view, copied as it was or put in place of something else.
#[derive(Clone, Copy)]
struct Piece {
    at: usize,
    raw: usize,
    raw_end: usize,
    copied: bool,
}

impl View {
    pub fn new() -> Self {
        View { text: Vec::new(), pieces: Vec::new(), joints: Vec::new(), breaks: Vec::new() }
    }

    /// Copies `raw[start..end]`.
    fn copy(&mut self, raw: &[u8], start: usize, end: usize) {
        if start < end {
            self.pieces.push(Piece { at: self.text.len(), raw: start, raw_end: end, copied: true });
            self.text.extend_from_slice(&raw[start..end]);
        }
    }

    /// Puts bytes in the place of those from `start` to before `end`.
    pub fn put(&mut self, bytes: &[u8], start: usize, end: usize) {
        self.pieces.push(Piece { at: self.text.len(), raw: start, raw_end: end, copied: false });
        self.text.extend_from_slice(bytes);
    }

    /// Begins further lines, apart from those before.
    fn begin(&mut self, start: usize) {
        if !self.text.is_empty() {
            self.put(b"\n", start, start);
            self.breaks.push(self.text.len());
        }
    }

    /// Whether what stands from `start` to before `end` is of lines that follow each other.
    pub fn in_one_place(&self, start: usize, end: usize) -> bool {
        let first = self.breaks.partition_point(|at| *at <= start);
        self.breaks.get(first).is_none_or(|at| *at >= end)
    }

    /// Whether what stands from `start` to before `end` was in pieces.
    pub fn in_pieces(&self, start: usize, end: usize) -> bool {
        let first = self.joints.partition_point(|joint| *joint <= start);
        self.joints.get(first).is_some_and(|joint| *joint < end)
    }

    /// Takes a stretch of the view back to the bytes that it was made from.
    pub fn to_raw(&self, start: usize, end: usize) -> (usize, usize) {
        let piece = |at: usize| self.pieces[self.pieces.partition_point(|p| p.at <= at).saturating_sub(1)];
        let (first, last) = (piece(start), piece(end - 1));
        let from = if first.copied { first.raw + (start - first.at) } else { first.raw };
        let to = if last.copied { last.raw + (end - last.at) } else { last.raw_end };
        (from, to.max(from))
    }
}

/// The lines of a text that have escapes, without them; `None` where there are none.
pub(super) fn unescaped(text: &[u8]) -> Option<View> {
    // Quoted-printable has `=` for its sign, which is everywhere else, too.
    let mail = [&b"=3D"[..], b"uoted-printable"].iter().any(|sign| memchr::memmem::find(text, sign).is_some());
    let mut view = View::new();
    let mut done = 0;
    while let Some(at) = next_escape(text, done, mail) {
        let start = memchr::memrchr(b'\n', &text[done..at]).map_or(done, |n| done + n + 1);
        if start > done {
            view.begin(start);
        }
        done = unescape_line(text, start, mail, &mut view);
    }
    (!view.text.is_empty()).then_some(view)
}

/// Copies the line at `start` without its escapes; returns where the next line begins.
fn unescape_line(text: &[u8], start: usize, mail: bool, view: &mut View) -> usize {
    let (mut i, mut copied) = (start, start);
    while let Some(next) = text[i..].iter().position(|b| matches!(b, b'\\' | b'%' | b'&' | b'=' | b'\n')) {
        i += next;
        if text[i] == b'\n' {
            view.copy(text, copied, i + 1);
            return i + 1;
        }
        match escape(&text[i..], mail) {
            Some(escape) => {
                view.copy(text, copied, i);
                view.put(&escape.bytes[..escape.count], i, i + escape.len);
                i += escape.len;
                copied = i;
            }
            None => i += 1,
        }
    }
    view.copy(text, copied, text.len());
    text.len()
}

fn next_escape(text: &[u8], from: usize, mail: bool) -> Option<usize> {
    let sign = |b: &u8| matches!(b, b'\\' | b'%' | b'&') || (mail && *b == b'=');
    let mut i = from;
    loop {
        i += if mail { text[i..].iter().position(sign)? } else { memchr::memchr3(b'\\', b'%', b'&', &text[i..])? };
        if escape(&text[i..], mail).is_some() {
            return Some(i);
        }
        i += 1;
    }
}

/// One escape: how many bytes it takes, and what it stands for.
struct Escape {
    len: usize,
    bytes: [u8; 4],
    count: usize,
}

impl Escape {
    fn byte(len: usize, b: u8) -> Option<Self> {
        Some(Escape { len, bytes: [b, 0, 0, 0], count: 1 })
    }

    fn char(len: usize, code: u32) -> Option<Self> {
        let mut bytes = [0; 4];
        let count = char::from_u32(code)?.encode_utf8(&mut bytes).len();
        Some(Escape { len, bytes, count })
    }
}

/// The escape at the start of `rest`, of any of the usual kinds.
fn escape(rest: &[u8], mail: bool) -> Option<Escape> {
    match (rest[0], *rest.get(1)?) {
        (b'%', _) => Escape::byte(3, number(rest.get(1..3)?, 16)? as u8),
        (b'\\', b'u') if rest.get(2) == Some(&b'{') => {
            let len = rest[3..].iter().take(7).position(|b| *b == b'}')?;
            Escape::char(4 + len, number(&rest[3..3 + len], 16)?)
        }
        (b'\\', b'u') => Escape::char(6, number(rest.get(2..6)?, 16)?),
        (b'\\', b'x') => Escape::byte(4, number(rest.get(2..4)?, 16)? as u8),
        (b'\\', b'0'..=b'3') => Escape::byte(4, number(rest.get(1..4)?, 8)? as u8),
        (b'\\', b'n') => Escape::byte(2, b'\n'),
        (b'\\', b't') => Escape::byte(2, b'\t'),
        (b'\\', b'r') => Escape::byte(2, b'\r'),
        (b'\\', b'e') => Escape::byte(2, 0x1B),
        (b'\\', b @ (b'"' | b'\'' | b'\\' | b'/' | b'$' | b'!' | b'=' | b':')) => Escape::byte(2, b),
        (b'&', b'#') => {
            let len = rest.iter().take(10).position(|b| *b == b';')?;
            let code = match rest.get(2..len)? {
                [b'x' | b'X', hex @ ..] => number(hex, 16),
                digits => number(digits, 10),
            };
            Escape::char(len + 1, code?)
        }
        (b'&', _) => {
            const NAMES: [(&[u8], u8); 5] =
                [(b"&quot;", b'"'), (b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&apos;", b'\'')];
            NAMES.iter().find(|(name, _)| rest.starts_with(name)).and_then(|(name, b)| Escape::byte(name.len(), *b))
        }
        (b'=', b'\n') if mail => Some(Escape { len: 2 + prefix(&rest[2..]), bytes: [0; 4], count: 0 }),
        (b'=', b'\r') if mail => Some(Escape { len: 3, bytes: [0; 4], count: 0 }),
        (b'=', _) if mail => Escape::byte(3, number(rest.get(1..3)?, 16)? as u8),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > 7 {
        return None;
    }
    digits.iter().try_fold(0, |n, b| Some(n * radix + (*b as char).to_digit(radix)?))
}

/// The lines of a text in which a value is written in pieces (concatenated, continued, wrapped), with the pieces as one;
/// `None` where there are none.
pub(super) fn joined(text: &[u8]) -> Option<View> {
    let mut view = View::new();
    let (mut copied, mut from, mut line) = (0, 0, 0);
    let mut listed = None;
    while let Some(next) = memchr::memchr3(b'\n', b'"', b'\'', &text[from..]) {
        let at = from + next;
        from = at + 1;
        let joint = match text[at] {
            b'\n' => continued(text, at, line).or_else(|| wrapped(text, at, line)),
            mark => concatenated(text, at, mark, || *listed.get_or_insert_with(|| lists(text, line, at))),
        };
        if let Some((cut, end)) = joint.filter(|(cut, _)| *cut >= copied) {
            let start = line.max(copied);
            if start > copied {
                // A further group of lines: what lies between is left out.
                if !view.text.is_empty() {
                    view.copy(text, copied, line_end(text, copied));
                }
                view.begin(start);
            }
            view.copy(text, start, cut);
            view.joints.push(view.text.len());
            (copied, from) = (end, end);
        }
        if memchr::memchr(b'\n', &text[at..from]).is_some() {
            (line, listed) = (from, None);
        }
    }
    if view.joints.is_empty() {
        return None;
    }
    view.copy(text, copied, line_end(text, copied));
    Some(view)
}

fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n)
}

/// Whether a line makes one string of a list of several.
fn lists(text: &[u8], line: usize, at: usize) -> bool {
    const CALLS: [&[u8]; 6] = [b"join", b"concat", b"implode", b"%s%s", b"{}{}", b"cat("];
    let rest = &text[line.max(at.saturating_sub(200))..text.len().min(at + 400)];
    let rest = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    CALLS.iter().any(|call| memchr::memmem::find(rest, call).is_some())
}

/// What values are made of, quotes and brackets apart.
fn part(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+/=_-.~!@#$%^*&".contains(&b)
}

/// What is to be taken out, from where to where, if a string ends at the quote `at` and another one is added to it.
fn concatenated(text: &[u8], at: usize, mark: u8, listed: impl FnOnce() -> bool) -> Option<(usize, usize)> {
    const CALLS: [&[u8]; 4] = [b".concat(", b").append(", b").concat(", b").add("];
    if at == 0
        || !(part(text[at - 1]) || b"}?;:)>".contains(&text[at - 1]))
        || text.get(at + 1).is_none_or(|b| *b == b';' || *b == b':')
    {
        return None;
    }
    let rest = &text[at + 1..text.len().min(at + 160)];
    if let Some(call) = CALLS.iter().find(|call| rest.starts_with(call)) {
        return (rest.get(call.len()) == Some(&mark)).then_some((at, at + call.len() + 2));
    }
    // `String::from("…") + "…"`
    let call = usize::from(rest.starts_with(b") +"));
    let (mut i, mut signs, mut breaks, mut line) = (call, 0, 0, 0);
    while let Some(b) = rest.get(i) {
        match b {
            b' ' | b'\t' | b'\r' => {}
            b'+' | b'.' | b'&' | b'_' | b'|' | b'<' | b'>' | b'~' => signs += 1,
            b',' => signs += 4,
            b'\\' if matches!(rest.get(i + 1), Some(b'\n' | b'\r')) => {}
            b'\n' => {
                (breaks, line) = (breaks + 1, i + 1);
                i += prefix(&rest[i + 1..]);
            }
            _ => break,
        }
        i += 1;
    }
    if signs == 0
        && breaks <= 1
        && let Some(len) = appended(&rest[i..], mark)
        && i > 0
    {
        return Some((at, at + 1 + i + len));
    }
    if signs == 0 && breaks > 0 && is_apart(&rest[line..], i - line, mark) {
        return None;
    }
    let opens = rest.get(i) == Some(&mark);
    let touches = i > 0 || rest.get(1).is_some_and(|b| part(*b));
    let comma = signs == 4 && breaks <= 1 && listed();
    // The format that puts the pieces together is none of them.
    let format = text[..at].iter().rev().take(32).take_while(|b| matches!(b, b'%' | b's' | b'{' | b'}' | b'v')).count();
    let cut = if comma && matches!(text[at - format], b'%' | b'{') { at - format } else { at };
    (opens && touches && breaks <= 2 && (signs <= 3 || comma)).then_some((cut, at + i + 2))
}

/// Whether the string that stands `indent` bytes behind the start of a line is no piece of the one before: a statement, an item, a
/// comment, the name of a member, a documentation.
fn is_apart(line: &[u8], indent: usize, mark: u8) -> bool {
    let rest = &line[indent..];
    let Some(len) = rest.get(1..).and_then(|inside| memchr::memchr(mark, inside)) else { return false };
    let behind = rest[len + 2..].iter().find(|b| !matches!(b, b' ' | b'\t'));
    let begins = indent == 0 || line.starts_with(b"# ") || (line.starts_with(b"- ") && indent == 2);
    begins || rest.starts_with(&[mark; 3]) || matches!(behind, Some(b':' | b'='))
}

/// `name += "`: how long that is.
fn appended(rest: &[u8], mark: u8) -> Option<usize> {
    let name =
        rest.iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.')).count();
    let blanks = |i: usize| i + rest[i.min(rest.len())..].iter().take_while(|b| **b == b' ').count();
    // A name that ends in `.` takes the sign of `.=`.
    let sign = blanks(name);
    let len = [&b"+="[..], b".=", b"="].into_iter().find(|s| rest[sign..].starts_with(s))?.len();
    let adds = len == 2 || rest[..name].ends_with(b".");
    let quote = blanks(sign + len);
    (name > 0 && adds && rest.get(quote) == Some(&mark)).then_some(quote + 1)
}

/// The sign, the break and what the next line begins with, if the line that ends at `at` is continued.
fn continued(text: &[u8], at: usize, line: usize) -> Option<(usize, usize)> {
    let sign = (at - usize::from(at > line && text[at - 1] == b'\r')).checked_sub(1)?;
    if sign <= line || !matches!(text[sign], b'\\' | b'^' | b'`') || !part(text[sign - 1]) {
        return None;
    }
    let next = at + 1 + prefix(&text[at + 1..]);
    Some((sign, next + text[next..].iter().take(40).take_while(|b| matches!(b, b' ' | b'\t')).count()))
}

/// The break and what the next line begins with, if the line that ends at `at` looks broken within a value.
fn wrapped(text: &[u8], at: usize, line: usize) -> Option<(usize, usize)> {
    let end = at - usize::from(at > line && text[at - 1] == b'\r');
    let head = text[line..end].iter().rev().take(120).take_while(|b| part(**b)).count();
    // A variable that a command shows is no part of what it shows.
    if head < 4 || text[end - head] == b'$' {
        return None;
    }
    let next = at + 1 + prefix(&text[at + 1..]);
    let next = next + text[next..].iter().take(60).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let tail = text[next..].iter().take(4096).take_while(|b| part(**b)).count();
    let ends = matches!(text.get(next + tail), None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'`'));
    if !ends || tail < 4 || tail > end - line + 4 {
        return None;
    }
    let (head, tail) = (&text[end - head..end], &text[next..next + tail]);
    // Base64 has `=` at its end alone: what goes on behind it is the next line's own value.
    let name = tail.windows(2).take(40).any(|w| w[0] == b'=' && w[1] != b'=');
    (!name && mixed(tail) && mixed(head) && !value::uuid(tail)).then_some((end, next))
}

/// Whether a piece has what words have not: digits, signs, or capitals within.
fn mixed(piece: &[u8]) -> bool {
    let inner = piece.get(1..).unwrap_or_default();
    piece.iter().any(|b| b.is_ascii_digit() || b"+/!@#$%^*&".contains(b))
        || (inner.iter().any(u8::is_ascii_uppercase) && piece.iter().any(u8::is_ascii_lowercase))
}

/// The lines of a text that list a command's arguments as strings, `["mysql", "-u", "root"]`, as the command would be typed;
/// `None` where there are none.
pub(super) fn arguments(text: &[u8]) -> Option<View> {
    // Most texts have no string that begins with a flag.
    if ![&b"\"-"[..], b"'-"].iter().any(|flag| memchr::memmem::find(text, flag).is_some()) {
        return None;
    }
    let mut view = View::new();
    let mut done = 0;
    while let Some(at) = next_flag(text, done) {
        let start = memchr::memrchr(b'\n', &text[done..at]).map_or(done, |n| done + n + 1);
        view.begin(start);
        let (mut i, mut copied) = (start, start);
        while i < text.len() && text[i] != b'\n' {
            let len = next_argument(&text[i..]);
            if len > 0 {
                view.copy(text, copied, i);
                view.put(b" ", i, i + len);
                copied = i + len;
            }
            i += len.max(1);
        }
        view.copy(text, copied, i);
        done = i;
    }
    (!view.text.is_empty()).then_some(view)
}

/// The next flag that is a string of its own behind another one: `, "-p`.
fn next_flag(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr(b'-', &text[at..])?;
        let quoted = at > 2 && matches!(text[at - 1], b'"' | b'\'');
        let list = |before: &[u8]| before.strip_suffix(b"[").unwrap_or(before).trim_ascii_end().ends_with(b",");
        if quoted && at > from && list(text[from..at - 1].trim_ascii_end()) {
            return Some(at);
        }
        at += 1;
    }
}

/// `", "`: how long what stands between two arguments is.
fn next_argument(rest: &[u8]) -> usize {
    let mark = rest[0];
    if !matches!(mark, b'"' | b'\'') || rest.get(1) != Some(&b',') {
        return 0;
    }
    let blanks = rest[2..].iter().take(80).take_while(|b| b.is_ascii_whitespace()).count();
    let open = 2 + blanks + usize::from(rest.get(2 + blanks) == Some(&b'['));
    if rest.get(open) == Some(&mark) { open + 1 } else { 0 }
}
