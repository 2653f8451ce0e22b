//! Literals: quoted values in the syntax of many languages, and where they end.

use super::link::skip_blanks;
use super::prefix::prefix;

const MAX_QUOTED: usize = 16 * 1024;

/// An opening quote: where the inside begins, and what it looks like.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub inside: usize,
    pub mark: u8,
    /// Backslashes before it, where it stands in a quoted text itself.
    escapes: usize,
}

/// The quote at `at`, also behind a string prefix or the name of a call.
pub(super) fn quote(text: &[u8], mut at: usize) -> Option<Open> {
    // PHP's `string(12) "…"`.
    if text[at..].starts_with(b"string(") {
        let close = text[at..].iter().take(16).position(|b| *b == b')').map_or(0, |n| n + 1);
        at = skip_blanks(text, at + close);
    }
    let call = text[at..]
        .iter()
        .take(32)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b' ' | b'!'))
        .count();
    let mut i = at;
    if call > 0 && text.get(at + call) == Some(&b'(') && !reads(&text[at..at + call]) {
        i = skip_blanks(text, at + call + 1);
    } else if matches!(text.get(at), Some(b'[' | b'(')) {
        i = skip_blanks(text, at + 1);
    }
    i += if text[i..].starts_with(b"<<") { 2 } else { 0 };
    // `[]byte("…")`
    if let Some(slice) =
        [&b"[]byte("[..], b"[]rune(", b"]byte(", b"]rune("].into_iter().find(|s| text[i..].starts_with(s))
    {
        i += slice.len();
    }
    i += text[i..]
        .iter()
        .take(2)
        .take_while(|b| matches!(b, b'N' | b'r' | b'b' | b'f' | b'u' | b'R' | b'B' | b'L' | b'@' | b'$' | b'&' | b'*'))
        .count();
    i += usize::from(text[i..].starts_with(b"#\""));
    // A list that is joined with nothing between.
    if let Some(join) = [&b"\"\".join("[..], b"''.join("].into_iter().find(|join| text[i..].starts_with(join)) {
        i = skip_blanks(text, i + join.len());
        i = skip_blanks(text, i + usize::from(matches!(text.get(i), Some(b'[' | b'('))));
    }
    let escapes = text[i..].iter().take(64).take_while(|b| **b == b'\\').count();
    let mark = *text.get(i + escapes).filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let mut inside = i + escapes + 1;
    if text[inside..].starts_with(&[mark, mark]) {
        inside += 2;
    } else if mark == b'`'
        && text[inside..].starts_with(b"`")
        && text.get(inside + 1).is_some_and(|b| b.is_ascii_graphic())
    {
        // As in reStructuredText.
        inside += 1;
    }
    Some(Open { inside, mark, escapes })
}

/// Whether a call of this name looks a value up rather than holding it.
fn reads(call: &[u8]) -> bool {
    const READERS: &[&str] = &[
        "env", "get", "read", "load", "prompt", "input", "ask", "find", "lookup", "fetch", "decrypt", "t", "var",
        "arg", "config", "encode", "decode", "strip", "split", "replace",
    ];
    let call = String::from_utf8_lossy(call).to_lowercase();
    let last = call.rsplit(['.', ':', ' ']).next().unwrap_or_default();
    READERS.iter().any(|r| last == *r || last.starts_with(&format!("{r}_")) || last.ends_with(r) && r.len() > 1)
}

/// Where a quoted value ends, with what is concatenated to it.
pub(super) fn quoted_end(text: &[u8], open: Open) -> Option<usize> {
    let mut end = closing(text, open)?;
    let in_brackets = text[..open.inside]
        .iter()
        .rev()
        .skip(1)
        .take(8)
        .find(|b| !matches!(b, b'r' | b'b' | b'f' | b'u' | b' ' | b'\n' | b'"' | b'\'' | b'\\'));
    let in_brackets = matches!(in_brackets, Some(b'(' | b'['));
    for _ in 0..64 {
        let Some(next) = concatenated(text, end + open.escapes + 1, in_brackets).filter(|next| next.mark == open.mark)
        else {
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
fn concatenated(text: &[u8], at: usize, in_brackets: bool) -> Option<Open> {
    let mut i = at;
    let (mut signs, mut breaks) = (0, 0);
    let mut line = at;
    i += usize::from(in_brackets && text[i.min(text.len())..].starts_with(b") +"));
    while i < text.len() && i < at + 96 {
        match text[i] {
            b' ' | b'\t' | b'\r' => {}
            b'+' | b'.' | b'&' => signs += 1,
            b'\n' => {
                breaks += 1;
                line = i + 1;
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
    let next = quote(text, i).filter(|open| open.inside <= i + 3 + open.escapes)?;
    // With no sign between, the next line is a piece only where it can be nothing else: not a member, an item, a documentation.
    let member = || {
        let end = closing(text, next)? + next.escapes + 1;
        text[end..].iter().find(|b| !matches!(b, b' ' | b'\t')).filter(|b| matches!(b, b':' | b'='))
    };
    let apart = matches!(text.get(line), Some(b'-' | b'#'))
        || text[next.inside - 1..].starts_with(&[next.mark; 3])
        || !(in_brackets || matches!(text.get(i.wrapping_sub(1)), Some(b' ' | b'\t')))
        || member().is_some();
    (signs > 0 || !apart).then_some(next)
}

/// A value without the quotes, signs and breaks that it is written in pieces with.
pub(super) fn joined(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut lines = value.split(|b| *b == b'\n');
    out.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        out.extend_from_slice(&line[prefix(line)..]);
    }
    out.retain(|b| !matches!(b, b'"' | b'\'' | b' ' | b'\\' | b'\r' | b'\t'));
    out
}
