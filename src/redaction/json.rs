//! JSON as bytes: finds the strings of a document without building it, decodes them, and takes positions in the
//! decoded text back to the raw bytes.

/// What [`walk`] comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    /// A member's name: the positions between its quotes.
    Key(usize, usize),
    /// A string: the positions between its quotes.
    Str(usize, usize),
    /// A number, or another value that is none of the above.
    Scalar(usize, usize),
}

/// Documents nested deeper than this are read as text.
const MAX_DEPTH: usize = 512;

/// All that a document holds; `None` where the bytes are none.
pub(super) fn tokens(bytes: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    walk(bytes, |token| tokens.push(token)).then_some(tokens)
}

/// Walks one JSON document, with nothing but white space around it. Tells whether that is what the bytes are.
///
/// Lenient where nothing depends on it: escapes that JSON does not know and control characters inside strings pass,
/// since both only ever are copied.
pub(super) fn walk(bytes: &[u8], mut on: impl FnMut(Token)) -> bool {
    let mut stack: Vec<u8> = Vec::new();
    let mut i = 0;
    loop {
        // A value is due.
        i = skip_space(bytes, i);
        match bytes.get(i) {
            Some(&open @ (b'{' | b'[')) => {
                if stack.len() == MAX_DEPTH {
                    return false;
                }
                stack.push(open);
                on(Token::Open);
                i = skip_space(bytes, i + 1);
                let close = if open == b'{' { b'}' } else { b']' };
                if bytes.get(i) != Some(&close) {
                    if open == b'{' {
                        let Some(next) = key(bytes, i, &mut on) else { return false };
                        i = next;
                    }
                    continue;
                }
                // An empty one: the closing below takes it.
            }
            Some(b'"') => {
                let Some(end) = string_end(bytes, i + 1) else { return false };
                on(Token::Str(i + 1, end));
                i = end + 1;
            }
            _ => match scalar_end(bytes, i) {
                Some(end) => {
                    on(Token::Scalar(i, end));
                    i = end;
                }
                None => return false,
            },
        }
        // A value is done.
        loop {
            i = skip_space(bytes, i);
            match (stack.last(), bytes.get(i)) {
                (None, None) => return true,
                (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) => {
                    stack.pop();
                    on(Token::Close);
                    i += 1;
                }
                (Some(b'['), Some(b',')) => {
                    i += 1;
                    break;
                }
                (Some(b'{'), Some(b',')) => {
                    let Some(next) = key(bytes, skip_space(bytes, i + 1), &mut on) else { return false };
                    i = next;
                    break;
                }
                _ => return false,
            }
        }
    }
}

/// Reads `"name" :` and returns the position after it.
fn key(bytes: &[u8], i: usize, on: &mut impl FnMut(Token)) -> Option<usize> {
    if bytes.get(i) != Some(&b'"') {
        return None;
    }
    let end = string_end(bytes, i + 1)?;
    on(Token::Key(i + 1, end));
    let colon = skip_space(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then_some(colon + 1)
}

fn skip_space(bytes: &[u8], mut i: usize) -> usize {
    while matches!(bytes.get(i), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        i += 1;
    }
    i
}

/// The position of the quote that ends the string whose inside begins at `i`.
fn string_end(bytes: &[u8], mut i: usize) -> Option<usize> {
    loop {
        i += memchr::memchr2(b'"', b'\\', bytes.get(i..)?)?;
        if bytes[i] == b'"' {
            return Some(i);
        }
        i += 2;
    }
}

/// The end of a number, `true`, `false` or `null`.
fn scalar_end(bytes: &[u8], i: usize) -> Option<usize> {
    let rest = bytes.get(i..)?;
    for word in [&b"true"[..], b"false", b"null"] {
        if rest.starts_with(word) {
            return Some(i + word.len());
        }
    }
    let digits = |from: usize| from + rest[from.min(rest.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = usize::from(rest.first() == Some(&b'-'));
    let mut end = digits(whole);
    if end == whole || (rest[whole] == b'0' && end > whole + 1) {
        return None;
    }
    if rest.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(i + end)
}

/// One escape: how many raw bytes it takes and the bytes it stands for.
struct Escape {
    raw: usize,
    text: [u8; 4],
    len: usize,
}

/// Reads the escape at the start of `raw`, which begins with a backslash. One that JSON does not know stands for itself.
fn escape(raw: &[u8]) -> Escape {
    let one = |b: u8| Escape { raw: 2, text: [b, 0, 0, 0], len: 1 };
    match raw.get(1) {
        Some(b'n') => one(b'\n'),
        Some(b't') => one(b'\t'),
        Some(b'r') => one(b'\r'),
        Some(b'b') => one(8),
        Some(b'f') => one(12),
        Some(&b @ (b'"' | b'\\' | b'/')) => one(b),
        Some(b'u') => unicode_escape(raw),
        _ => Escape { raw: 1, text: [b'\\', 0, 0, 0], len: 1 },
    }
}

fn unicode_escape(raw: &[u8]) -> Escape {
    let unit = |at: usize| -> Option<u32> {
        let hex = raw.get(at..at + 6)?;
        if !hex.starts_with(b"\\u") || !hex[2..].iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        Some(hex[2..].iter().fold(0, |n, b| n * 16 + (*b as char).to_digit(16).unwrap_or(0)))
    };
    let Some(high) = unit(0) else { return Escape { raw: 1, text: [b'\\', 0, 0, 0], len: 1 } };
    if let (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) = (high, unit(6)) {
        let c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return encoded(12, char::from_u32(c));
    }
    // Half of a pair alone is no character; it is copied, never looked at.
    encoded(6, char::from_u32(high))
}

fn encoded(raw: usize, c: Option<char>) -> Escape {
    let mut text = [0; 4];
    let len = c.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut text).len();
    Escape { raw, text, len }
}

/// The text that the inside of a string stands for; `None` where it is the raw bytes themselves.
pub(super) fn decode(raw: &[u8]) -> Option<Vec<u8>> {
    let mut next = memchr::memchr(b'\\', raw)?;
    let mut out = Vec::with_capacity(raw.len());
    let mut done = 0;
    loop {
        out.extend_from_slice(&raw[done..next]);
        let escape = escape(&raw[next..]);
        out.extend_from_slice(&escape.text[..escape.len]);
        done = next + escape.raw;
        match memchr::memchr(b'\\', &raw[done..]) {
            Some(more) => next = done + more,
            None => break,
        }
    }
    out.extend_from_slice(&raw[done..]);
    Some(out)
}

/// Takes ordered positions in the decoded text back to the raw bytes: starts and ends alternate, and what begins or
/// ends inside an escape takes the whole of it.
pub(super) fn to_raw(raw: &[u8], positions: &mut [usize]) {
    let (mut at_raw, mut at_text) = (0, 0);
    let mut todo = 0;
    while todo < positions.len() {
        let plain = memchr::memchr(b'\\', &raw[at_raw..]).unwrap_or(raw.len() - at_raw);
        while todo < positions.len() && positions[todo] <= at_text + plain {
            positions[todo] = at_raw + (positions[todo] - at_text);
            todo += 1;
        }
        (at_raw, at_text) = (at_raw + plain, at_text + plain);
        if at_raw == raw.len() {
            positions[todo..].fill(raw.len());
            return;
        }
        let escape = escape(&raw[at_raw..]);
        while todo < positions.len() && positions[todo] < at_text + escape.len {
            let is_end = todo % 2 == 1;
            positions[todo] = at_raw + if is_end { escape.raw } else { 0 };
            todo += 1;
        }
        (at_raw, at_text) = (at_raw + escape.raw, at_text + escape.len);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(text: &str) -> Option<Vec<&str>> {
        let mut found = Vec::new();
        walk(text.as_bytes(), |token| {
            if let Token::Key(start, end) | Token::Str(start, end) = token {
                found.push(&text[start..end]);
            }
        })
        .then_some(found)
    }

    #[test]
    fn documents_are_told_from_text() {
        for (text, expected) in [
            (r#"{"a":"b","c":[1,"d",{}],"e":{"f":null}}"#, Some(vec!["a", "b", "c", "d", "e", "f"])),
            (r#" [ ] "#, Some(vec![])),
            (r#"{"a\"":"\\"}"#, Some(vec!["a\\\"", "\\\\"])),
            (r#"[-0.5e+3,0,true,false,12E4]"#, Some(vec![])),
            ("\"x\"\r", Some(vec!["x"])),
            (r#"{"a":1} {"b":2}"#, None),
            (r#"{"a":"b"#, None),
            (r#"{"a" "b"}"#, None),
            (r#"{"a":"b",}"#, None),
            (r#"["a"}"#, None),
            ("[01]", None),
            ("[1.]", None),
            ("[1e]", None),
            ("[-]", None),
            ("[tru]", None),
            ("{", None),
            ("", None),
            ("\"\\", None),
        ] {
            assert_eq!(strings(text), expected, "{text}");
        }
        assert!(strings(&"[".repeat(100_000)).is_none());
    }

    #[test]
    fn escapes_are_decoded() {
        for (raw, text) in [
            (r#"a\n\t\"\\\/b"#, "a\n\t\"\\/b"),
            (r"\u0041\u00e9\ud83d\ude00", "Aé😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\x\u12", r"\x\u12"),
        ] {
            assert_eq!(decode(raw.as_bytes()).unwrap(), text.as_bytes(), "{raw}");
        }
        assert_eq!(decode(b"plain"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:,"\\ a1.eE+tnu0-]{0,24}"#) {
            let ours = walk(text.as_bytes(), |_| {});
            let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            // Ours is lenient in strings; where serde_json says yes, so must it.
            if known {
                prop_assert!(ours);
            } else if !text.contains('\\') {
                prop_assert!(!ours);
            }
        }

        #[test]
        fn positions_come_back(text in any::<String>(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let quoted = serde_json::to_string(&text).unwrap().replace('/', "\\/").replace('x', "\\u0078");
            let raw = &quoted.as_bytes()[1..quoted.len() - 1];
            let decoded = decode(raw).unwrap_or_else(|| raw.to_vec());
            prop_assert_eq!(&decoded[..], text.as_bytes());
            let mut bounds: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            bounds.sort_unstable();
            let (a, b) = (bounds[a.index(bounds.len())], bounds[b.index(bounds.len())]);
            let (start, end) = (a.min(b), a.max(b));
            let mut positions = [start, end];
            to_raw(raw, &mut positions);
            let piece = &raw[positions[0]..positions[1]];
            prop_assert_eq!(decode(piece).unwrap_or_else(|| piece.to_vec()), &text.as_bytes()[start..end]);
        }
    }
}
